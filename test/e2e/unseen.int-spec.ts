import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeUscc } from '@liandun/contracts';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Answer } from '../support/api.js';
import { SubjectSide } from '../support/subject.js';
import { delisted, organization, reported } from '../support/submissions.js';
import { Work } from '../support/work.js';

// As apps/api/src/unseen.int-spec.ts, for what is made of submissions: listings, appeals, cases, inquiries (rules P17, P18).

const [MINE, THEIRS] = [9_301, 9_302];
const phoneOf = (no: number): string => `1390000${no}`;
const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const DECISION = { decision: 'upheld', decidedBy: 'reviewer-2', reasons: '经复核，原认定无误。' };
const STATEMENT = '货品均有授权，请核对所附合同。';

let side: SubjectSide;
let work: Work;
/** Of a subject who is listed too. */
let token = '';
let theirs: {
  listingId: string;
  heldListingId: string;
  caseId: string;
  appealId: string;
  position: number;
  screeningId: string;
};
let mine: { listingId: string; screeningId: string };

const listingOf = ({ position, leafHash }: { position: number; leafHash: string }): string =>
  `L${position}-${Buffer.from(leafHash, 'base64').toString('hex', 0, 6)}`;
const identify = (no: number): Promise<string> =>
  side.identify({ uscc: makeUscc('990101', no), name: `虚构贸易${no}有限公司` }, phoneOf(no));

/** What one platform has filed about one merchant, who has appealed, and whom it has screened. */
async function settle(as: 'platform-a' | 'platform-b', no: number): Promise<typeof theirs> {
  const identity = organization(no, { phones: [phoneOf(no)] });
  await side.api.publish(as, reported(as, `m-${no}`, identity));
  const { body: listed } = await side.api.publish(as, delisted(as, `m-${no}`, identity));
  const caseId = randomUUID();
  const { body: held } = await side.api.publish(as, delisted(as, `m-${no}-h`, identity, { id: caseId, code: 'E01' }));
  expect([listed.status, held.status]).toEqual(['accepted', 'held']);
  await side.tick();
  const body = { purpose: 'onboarding', identity: organization(no) };
  const { body: screening } = await side.api.call(as, 'POST', '/v1/screenings', { body });
  const subject = await identify(no);
  const appeal = { listingId: listingOf(listed), grounds: 'wrongFinding', statement: STATEMENT };
  const { body: filed } = await side.call('POST', '/public/appeals', { token: subject, body: appeal });
  if (as === 'platform-a') token = subject;
  return {
    listingId: listingOf(listed),
    heldListingId: listingOf(held),
    caseId,
    appealId: filed.appealId,
    position: listed.position,
    screeningId: screening.screeningId,
  };
}

beforeAll(async () => {
  side = await SubjectSide.start();
  mine = await settle('platform-a', MINE);
  theirs = await settle('platform-b', THEIRS);
  await side.freeze();
  await side.api.pool.query('analyze');
  work = await Work.record(side.api.databaseUrl);
});
afterAll(async () => {
  await work?.stop();
  await side?.stop();
});

const IGNORED = new Set(['date', 'ratelimit', 'connection', 'keep-alive']);
const shown = ({ status, body, headers }: Answer): object => ({
  status,
  body,
  headers: [...headers].filter(([name]) => !IGNORED.has(name)),
});

interface Question {
  method: 'GET' | 'POST';
  path: string;
  body?: object;
}
const asMember = ({ method, path, body }: Question): Promise<Answer> =>
  side.api.call('platform-a', method, path, body ? { body } : {});
const asSubject = ({ method, path, body }: Question): Promise<Answer> =>
  side.call(method, path, { token, ...(body && { body }) });
const get = (path: string): Question => ({ method: 'GET', path });
const post = (path: string, body: object): Question => ({ method: 'POST', path, body });

type Row = [what: string, theirs: () => Question, missing: () => Question];

async function expectUnseen(
  ask: (question: Question) => Promise<Answer>,
  [, there, nowhere]: Row,
  status: number,
): Promise<void> {
  const asked = (question: Question): ReturnType<typeof work.of<object>> =>
    work.of(async () => shown(await ask(question)));
  await asked(nowhere()); // what is counted once a day is counted now
  const [existing, missing] = [await asked(there()), await asked(nowhere())];
  expect(missing.answer).toMatchObject({ status });
  // An appeal's id is 122 random bits: none is guessed, so the wall may first look at the row that it then hides.
  if (there().path.startsWith('/v1/appeals/')) existing.work = missing.work;
  expect(existing).toEqual(missing);
  expect(existing.texts.length).toBeGreaterThan(0);
}

const anAppeal = (): string => `A${hex(16)}`;
const aListing = (): string => `L${theirs.listingId.slice(1).split('-')[0]}-${hex(6)}`;

describe("P18: another member's object", () => {
  test.each<Row>([
    ['an appeal', () => get(`/v1/appeals/${theirs.appealId}`), () => get(`/v1/appeals/${anAppeal()}`)],
    [
      'the decision on an appeal',
      () => post(`/v1/appeals/${theirs.appealId}/decision`, DECISION),
      () => post(`/v1/appeals/${anAppeal()}/decision`, DECISION),
    ],
    [
      'the stay of an appeal',
      () => post(`/v1/appeals/${theirs.appealId}/stay`, DECISION),
      () => post(`/v1/appeals/${anAppeal()}/stay`, DECISION),
    ],
    ['a case', () => get(`/v1/cases/${theirs.caseId}/hearing`), () => get(`/v1/cases/${randomUUID()}/hearing`)],
    ["a publisher's figures", () => get('/v1/publishers/platform-b'), () => get('/v1/publishers/platform-z')],
    [
      'a match of an inquiry',
      () =>
        post(`/v1/screenings/${theirs.screeningId}/matches/${theirs.listingId}/decision`, {
          decision: 'notSame',
          decidedBy: 'r-1',
        }),
      () =>
        post(`/v1/screenings/${randomUUID()}/matches/${theirs.listingId}/decision`, {
          decision: 'notSame',
          decidedBy: 'r-1',
        }),
    ],
  ])('%s: the same answer for the same work', async (...row) => expectUnseen(asMember, row, 404));

  test.each<Row>([
    [
      'a finding of malice',
      () => post(`/v1/listings/${theirs.listingId}/malice`, {}),
      () => post(`/v1/listings/${aListing()}/malice`, {}),
    ],
    [
      'the deadline of a case',
      () => post(`/v1/cases/${theirs.heldListingId}/deadline`, {}),
      () => post(`/v1/cases/${aListing()}/deadline`, {}),
    ],
    [
      'a flood',
      () => post('/v1/floods/platform-b/decision', { decision: 'release', upTo: 1 }),
      () => post('/v1/floods/platform-z/decision', { decision: 'release', upTo: 1 }),
    ],
    [
      'a key',
      () => post('/v1/members/platform-b/keys/platform-b-1/revocation', {}),
      () => post('/v1/members/platform-b/keys/platform-b-9/revocation', {}),
    ],
    [
      'a member',
      () => post('/v1/members/platform-b/suspension', {}),
      () => post('/v1/members/platform-z/suspension', {}),
    ],
    [
      'another change of a member',
      () => post('/v1/members/platform-b/limits', { limits: {} }),
      () => post('/v1/members/platform-z/limits', { limits: {} }),
    ],
    [
      'an approval',
      () => post(`/v1/approvals/${theirs.appealId}`, { decision: 'approve' }),
      () => post(`/v1/approvals/${randomUUID()}`, { decision: 'approve' }),
    ],
  ])('%s is not its business: the same refusal, before anything is looked up', async (...row) =>
    expectUnseen(asMember, row, 403),
  );

  test('is there for whoever it belongs to', async () => {
    for (const path of [
      `/v1/appeals/${theirs.appealId}`,
      `/v1/cases/${theirs.caseId}/hearing`,
      '/v1/publishers/platform-b',
    ])
      expect([path, (await side.api.call('platform-b', 'GET', path)).status]).toEqual([path, 200]);
    const path = `/v1/screenings/${mine.screeningId}/matches/${mine.listingId}/decision`;
    const body = { decision: 'notSame', decidedBy: 'r-1' };
    expect((await side.api.call('platform-a', 'POST', path, { body })).status).not.toBe(404);
  });
});

describe("P17: another subject's object", () => {
  const about = (listingId: string): object => ({ listingId, statement: STATEMENT });
  test.each<Row>([
    [
      'an appeal against a listing',
      () => post('/public/appeals', { ...about(theirs.listingId), grounds: 'wrongFinding' }),
      () => post('/public/appeals', { ...about(aListing()), grounds: 'wrongFinding' }),
    ],
    [
      'an answer to a held case',
      () => post('/public/hearings', about(theirs.heldListingId)),
      () => post('/public/hearings', about(aListing())),
    ],
    [
      'a statement',
      () => post('/public/statements', about(theirs.listingId)),
      () => post('/public/statements', about(aListing())),
    ],
    // Every position up to the public size is taken: by whom must not show, here another subject's entry or the first admission.
    [
      'a correction of an entry',
      () =>
        post('/public/corrections', { position: theirs.position, field: '/data/identity/name', statement: STATEMENT }),
      () => post('/public/corrections', { position: 0, field: '/data/identity/name', statement: STATEMENT }),
    ],
  ])('%s: the same answer for the same work', async (...row) => expectUnseen(asSubject, row, 404));

  test.each<[string, () => Question, () => Question]>([
    [
      'whether he is known at all',
      () => post('/public/identifications', { uscc: makeUscc('990101', THEIRS), name: '别人', channel: 'sms' }),
      () => post('/public/identifications', { uscc: makeUscc('990101', 9_399), name: '别人', channel: 'sms' }),
    ],
    [
      'a code that was sent to him',
      () => post(`/public/identifications/${randomUUID()}/code`, { code: '000000' }),
      () => post(`/public/identifications/${randomUUID()}/code`, { code: '000001' }),
    ],
  ])('%s: the same answer to anybody', async (_what, there, nowhere) => {
    const [known, unknown] = [await asSubject(there()), await asSubject(nowhere())];
    const form = ({ status, body }: Answer): unknown => [status, body.code, Object.keys(body as object)];
    expect(form(known)).toEqual(form(unknown));
  });

  test('his own is there', async () => {
    const { status } = await asSubject(post('/public/statements', about(mine.listingId)));
    expect(status).toBe(201);
  });
});
