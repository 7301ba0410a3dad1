import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, makeUscc, memberOfSource, SUBMITTED_TYPES, type Identity } from '@liandun/contracts';
import type { StoredEvent } from '@liandun/event-log';
import { opensCommitment } from '@liandun/commitments';
import { randomUUID } from 'node:crypto';
import type { Answer, TestMember } from '../support/api.js';
import { SubjectSide } from '../support/subject.js';
import { delisted, organization, person, reported, submission } from '../support/submissions.js';

const [PHONE, OTHERS_PHONE, HELD_PHONE] = ['13900000001', '13900000002', '13900000003'];
const AUDITED = { 'liandun-purpose': 'supervision', 'liandun-case': '2026-17' };
const [SUBJECT, OTHER, HELD] = [8101, 8102, 8103];
const who = (serial: number): object => ({ uscc: makeUscc('990101', serial), name: `虚构贸易${serial}有限公司` });
const representative = { name: '法人甲', residentId: '' };

let side: SubjectSide;
const listingIds = new Map<number, string>();

async function publish(member: TestMember, event: unknown): Promise<Answer['body']> {
  const { body } = await side.api.publish(member, event);
  expect([body.status, body.problem]).toEqual([expect.stringMatching(/accepted|held/), undefined]);
  return body;
}
const listingOf = ({ position, leafHash }: { position: number; leafHash: string }): string =>
  `L${position}-${Buffer.from(leafHash, 'base64').toString('hex', 0, 6)}`;
async function delist(
  member: TestMember,
  serial: number,
  phone: string,
  more: { code?: string } = {},
): Promise<string> {
  const event = delisted(member, `m-${serial}`, organization(serial, { phones: [phone] }), more);
  listingIds.set(serial, listingOf(await publish(member, event)));
  return (event as { id: string }).id;
}

let heldCase: string;
beforeAll(async () => {
  side = await SubjectSide.start();
  representative.residentId = (person(1) as Identity).residentId as string;
  await publish(
    'platform-b',
    reported('platform-b', 'm-1', organization(SUBJECT, { phones: [PHONE], legalRepresentative: representative })),
  );
  const screening = { identity: organization(SUBJECT), purpose: 'onboarding' };
  await side.api.call('platform-b', 'POST', '/v1/screenings', { body: screening });
  await delist('platform-a', SUBJECT, PHONE);
  await delist('platform-a', OTHER, OTHERS_PHONE);
  heldCase = await delist('platform-a', HELD, HELD_PHONE, { code: 'E01' });
  await publish('platform-b', reported('platform-b', `m-${HELD}`, organization(HELD)));
  await side.settled();
  await side.api.call('platform-a', 'POST', '/v1/screenings', { body: screening });
  await side.api.call('platform-a', 'POST', '/v1/screenings', {
    body: { identity: organization(OTHER), purpose: 'compliance' },
  });
  await side.tick();
});
afterAll(() => side?.stop());

const everything = (): Promise<StoredEvent[]> => side.log.read({ after: -1, limit: 100_000 });

describe('P18: asking for a code tells nothing', () => {
  const ask = (body: object): Promise<Answer> => side.call('POST', '/public/identifications', { body });
  const shape = ({ status, body, headers }: Answer): object => ({
    status,
    fields: Object.keys(body),
    headers: [...headers.keys()].filter((name) => name !== 'keep-alive' && name !== 'connection'),
    length: JSON.stringify(body).length,
  });

  test('P18: of a number that is listed, of one that is not, and with a name that is another, it is the same answer', async () => {
    const before = side.gateway.sent.length;
    const listed = await ask({ ...who(SUBJECT), channel: 'sms' });
    const unknown = await ask({ ...who(9999), channel: 'sms' });
    const misnamed = await ask({ ...who(SUBJECT), name: '别的公司', channel: 'sms' });
    expect(listed.status).toBe(202);
    expect([shape(unknown), shape(misnamed)]).toEqual([shape(listed), shape(listed)]);
    await side.gateway.next(PHONE, before);
    // What was not sent can't be redeemed, by whatever code, and looks like a wrong one.
    const wrong = async ({ body }: Answer): Promise<object> => {
      const path = `/public/identifications/${body.identificationId}/code`;
      const { body: refusal, status } = await side.call('POST', path, { body: { code: '000000' } });
      return { status, code: refusal.code };
    };
    const refused = { status: 422, code: 'CODE_REFUSED' };
    expect([await wrong(unknown), await wrong(misnamed)]).toEqual([refused, refused]);
    expect(side.gateway.sent.slice(before).map(({ to, authorization }) => [to, authorization])).toEqual([
      [PHONE, 'Bearer shown'],
    ]);
  });

  test('P18: a code holds for five attempts and once, a number for five requests an hour', async () => {
    const serial = 8110;
    const phone = '13900000010';
    await publish('platform-a', reported('platform-a', 'm-10', organization(serial, { phones: [phone] })));
    await side.settled();
    const tryCode = (id: string, code: string): Promise<Answer> =>
      side.call('POST', `/public/identifications/${id}/code`, { body: { code } });
    const { body } = await ask({ ...who(serial), channel: 'sms' });
    const code = await side.gateway.next(phone);
    const wrong = code === '000000' ? '000001' : '000000';
    for (let n = 0; n < 5; n += 1) expect((await tryCode(body.identificationId, wrong)).body.code).toBe('CODE_REFUSED');
    expect((await tryCode(body.identificationId, code)).body.code).toBe('CODE_REFUSED');

    const before = side.gateway.sent.length;
    const { body: again } = await ask({ ...who(serial), channel: 'sms' });
    const right = await side.gateway.next(phone, before);
    expect((await tryCode(again.identificationId, right)).status).toBe(200);
    expect((await tryCode(again.identificationId, right)).body.code).toBe('CODE_REFUSED');
    for (let n = 0; n < 3; n += 1) await ask({ ...who(serial), channel: 'email' });
    const spent = await ask({ ...who(serial), channel: 'email' });
    expect([spent.status, spent.body.code, Number(spent.headers.get('retry-after')) > 0]).toEqual([
      429,
      'IDENTIFICATIONS_SPENT',
      true,
    ]);
  });

  test('P18: a code, a token and a number stand nowhere as they are', async () => {
    const token = await side.identify(who(OTHER), OTHERS_PHONE);
    const { rows } = await side.api.pool.query<{ kept: string }>(
      'select i::text || encode(code, $1) || encode(token, $1) as kept from auth.identification i where token is not null',
      ['escape'],
    );
    const { code } = side.gateway.sent.at(-1) as { code: string };
    expect(rows.length).toBeGreaterThan(0);
    for (const { kept } of rows)
      for (const secret of [token, code, makeUscc('990101', OTHER)]) expect(kept).not.toContain(secret);
  });
});

describe('P17: the subject can see and speak', () => {
  let token: string;
  beforeAll(async () => {
    token = await side.identify(who(SUBJECT), PHONE);
  });

  test('P17: own data is complete against the log', async () => {
    const { status, body } = await side.call('GET', '/public/subject/copy', { token });
    expect(status).toBe(200);
    const log = await everything();
    const opened = await side.vault.openMany(
      side.api.pool,
      log.map(({ position }) => position),
    );
    const own = log.filter(({ position }) => opened.get(position)?.uscc === makeUscc('990101', SUBJECT));
    const listing = listingIds.get(SUBJECT);
    // Every entry that names him, every notice of his listing, and every screening that asked about him.
    expect(own).toHaveLength(2);
    expect(body.observations.map(({ position }: { position: number }) => position)).toEqual(
      own.map(({ position }) => position),
    );
    const notices = log.filter(({ type, data }) => type === EVENT_TYPES.noticeIssued && data.listingId === listing);
    expect(notices.length).toBeGreaterThan(0);
    expect(body.listings.map(({ listingId }: { listingId: string }) => listingId)).toEqual([listing]);
    const [listed] = body.listings;
    expect(listed.recipients.map(({ memberId }: { memberId: string }) => memberId)).toEqual(
      notices.map(({ data }) => data.member),
    );
    const asked = log.filter(({ type }) => type === EVENT_TYPES.screeningMade);
    expect(asked).toHaveLength(3);
    expect(body.inquiries.map(({ position }: { position: number }) => position)).toEqual(
      asked.slice(0, 2).map(({ position }) => position),
    );
    expect(body.inquiries[0]).toMatchObject({ purpose: 'onboarding', from: { name: '示例 platform-b' } });
    // The entries are those of the log, hash by hash, and nobody else's.
    const hashes = new Map(log.map(({ position, leafHash }) => [position, leafHash.toString('base64')]));
    for (const { position, leafHash } of body.entries) expect(leafHash).toBe(hashes.get(position));
    expect(JSON.stringify(body)).not.toContain(makeUscc('990101', OTHER));
    const positions = new Set(body.entries.map(({ position }: { position: number }) => position));
    for (const { position } of [...own, ...notices]) expect(positions).toContain(position);
  });

  test('P17: it says what, why, by which rule, until when, who decided, and what bears it out', async () => {
    const { body } = await side.call('GET', '/public/subject', { token });
    expect(body.listings[0]).toMatchObject({
      status: 'published',
      publisher: { memberId: 'platform-a', name: '示例 platform-a' },
      reason: { code: 'F04', labelZh: expect.any(String), labelEn: expect.any(String), legalBasis: expect.any(Array) },
      evidence: [{ sha256: 'ab'.repeat(32), mediaType: 'application/pdf' }],
      decidedBy: 'reviewer-7',
      until: expect.stringMatching(/\+08:00$/),
      appealUrl: 'https://platform.example/appeal',
    });
    const [first] = body.observations;
    expect(first.identity).toMatchObject({ uscc: makeUscc('990101', SUBJECT), phones: [PHONE] });
    // The representative is somebody else.
    expect(JSON.stringify(body)).not.toContain(representative.residentId);
    expect(JSON.stringify(body)).not.toContain(representative.name);
  });

  test('P17: what he was given opens the commitments of the log', async () => {
    const { body } = await side.call('GET', '/public/subject/copy', { token });
    const [entry] = body.entries as {
      data: { identity: { phones: { commitment: string }[] } };
      openings: { pointer: string; salt: string; value: string }[];
    }[];
    const phone = entry?.openings.find(({ pointer }) => pointer === '/identity/phones/0');
    expect(phone?.value).toBe(PHONE);
    expect(opensCommitment(phone!, entry!.data.identity.phones[0]!)).toBe(true);
  });

  test('P17: his reading stands in the log, and no member sees who read', async () => {
    const [last] = (await everything()).filter(({ stream }) => stream === 'reads/@subject').slice(-1);
    expect(last?.data).toMatchObject({ reader: '@subject', purpose: 'ownData', route: '/public/subject/copy' });
    const audit = await side.api.call('platform-a', 'GET', `/v1/audit/events?type=${EVENT_TYPES.readAudited}`);
    expect(audit.body.items).toEqual([]);
  });

  test('P17: a statement is shown to him, to the publisher and to regulators, and to nobody else', async () => {
    const words = '价格系系统录入错误，已于当日更正。';
    const listingId = listingIds.get(SUBJECT);
    const { status } = await side.call('POST', '/public/statements', {
      token,
      body: { listingId, statement: words, evidence: [{ sha256: 'cd'.repeat(32), mediaType: 'application/pdf' }] },
    });
    expect(status).toBe(201);
    await side.settled();
    const { body } = await side.call('GET', '/public/subject', { token });
    expect(body.listings[0].statements).toMatchObject([{ kind: 'statement', statement: words }]);
    const seen = async (member: TestMember): Promise<string> => {
      const headers = member.startsWith('regulator') ? AUDITED : {};
      return JSON.stringify((await side.api.call(member, 'GET', '/v1/statements', { headers })).body);
    };
    expect(await seen('platform-a')).toContain(words);
    expect(await seen('regulator-beijing')).toContain(words);
    expect(await seen('platform-b')).toBe('{"items":[],"next":-1}');
    const { rows } = await side.api.pool.query<{ entry: string }>('select entry from log.entry');
    expect(rows.filter(({ entry }) => entry.includes(words))).toEqual([]);
  });

  test('P17: he may ask for the correction of what a member reported of him, and the member is told', async () => {
    const { body } = await side.call('GET', '/public/subject', { token });
    const [{ position, from }] = body.observations;
    const correction = { position, field: '/identity/phones/0', statement: '电话已变更' };
    expect((await side.call('POST', '/public/corrections', { token, body: correction })).status).toBe(201);
    await side.settled();
    const { body: told } = await side.api.call(from.memberId, 'GET', '/v1/statements');
    expect(told.items).toMatchObject([
      { kind: 'correction', about: position, field: '/identity/phones/0', statement: '电话已变更' },
    ]);
  });

  test("P17: any other subject's object answers 404, as one that isn't there", async () => {
    const words = { statement: '我的' };
    const missing = { body: { ...words, listingId: 'L0-000000000000' }, token };
    const others = { body: { ...words, listingId: listingIds.get(OTHER) }, token };
    for (const path of ['/public/statements', '/public/hearings']) {
      const [there, nowhere] = [await side.call('POST', path, others), await side.call('POST', path, missing)];
      expect([there.status, there.body]).toEqual([404, nowhere.body]);
      expect(nowhere.body.code).toBe('NOT_FOUND');
    }
    const position = Number(/^L(\d+)/.exec(listingIds.get(OTHER) ?? '')?.[1]);
    const correct = (at: number): Promise<Answer> =>
      side.call('POST', '/public/corrections', {
        token,
        body: { position: at, field: '/identity/name', statement: '我的' },
      });
    const [there, nowhere] = [await correct(position), await correct(1_000_000)];
    expect([there.status, there.body]).toEqual([404, nowhere.body]);
  });

  test('P17: a token that is none, and a member’s own, open nothing', async () => {
    for (const wrong of ['x'.repeat(43), await side.api.token('platform-a')])
      expect((await side.call('GET', '/public/subject', { token: wrong })).body.code).toBe('UNAUTHENTICATED');
  });
});

describe('P07: one appeal, effective everywhere', () => {
  test('P07: an appeal needs no login: a code proves who appeals, the words are sealed, and the deadline is said', async () => {
    const token = await side.identify(who(OTHER), OTHERS_PHONE);
    const listingId = listingIds.get(OTHER);
    const body = {
      listingId,
      grounds: 'wrongFinding',
      statement: '监测样本并非我店商品。',
      evidence: [{ sha256: 'ef'.repeat(32), mediaType: 'image/png' }],
    };
    const filed = await side.call('POST', '/public/appeals', { token, body });
    const due = expect.stringMatching(/T00:00:00\.000\+08:00$/);
    expect([filed.status, filed.body]).toMatchObject([201, { appealId: expect.any(String), due }]);
    await side.settled();
    const [entry] = (await everything()).filter(({ type }) => type === EVENT_TYPES.appealFiled);
    expect(entry?.data).toMatchObject({ listingId, grounds: 'wrongFinding', proved: 'code', evidence: body.evidence });
    expect(JSON.stringify(entry?.data)).not.toContain('样本');
    const { body: page } = await side.call('GET', '/public/subject', { token });
    expect(page.listings[0].appeals).toMatchObject([
      { grounds: 'wrongFinding', statement: body.statement, due: filed.body.due },
    ]);
    // One at a time; and nobody appeals what isn't about him.
    expect((await side.call('POST', '/public/appeals', { token, body })).body.code).toBe('APPEAL_OPEN');
    const mine = await side.identify(who(SUBJECT), PHONE);
    const [others, missing] = await Promise.all(
      [listingId, 'L0-000000000000'].map((id) =>
        side.call('POST', '/public/appeals', { token: mine, body: { ...body, listingId: id } }),
      ),
    );
    expect([others?.status, others?.body]).toEqual([404, missing?.body]);
    expect((await side.call('POST', '/public/appeals', { body })).body.code).toBe('UNAUTHENTICATED');
  });
});

describe('P06: heard before fan-out', () => {
  const actions = async (): Promise<string[]> =>
    (await everything())
      .filter(({ type, data }) => type === EVENT_TYPES.noticeIssued && data.listingId === listingIds.get(HELD))
      .map(({ data }) => data.action);

  test('P06: the publisher of a held case is told what to pass on, and the subject answers it; an answer that convinces means no fan-out, ever', async () => {
    const path = `/v1/cases/${heldCase}/hearing`;
    const { body: before } = await side.api.call('platform-a', 'GET', path);
    expect(before).toMatchObject({
      status: 'held',
      heldUntil: expect.any(String),
      evidence: [{ mediaType: 'application/pdf' }],
      answers: [],
    });
    for (const text of [before.tell.zh, before.tell.en]) expect(text).toContain('/public/');
    for (const time of [before.heldUntil, before.hold.due, before.hold.from]) expect(time).toMatch(/\+08:00$/);
    expect((await side.api.call('platform-b', 'GET', path)).status).toBe(404);
    const token = await side.identify(who(HELD), HELD_PHONE);
    const listingId = listingIds.get(HELD);
    const answer = { listingId, statement: '我方未参与刷单，附物流记录。' };
    expect((await side.call('POST', '/public/hearings', { token, body: answer })).status).toBe(201);
    await side.settled();
    const { body: after } = await side.api.call('platform-a', 'GET', path);
    expect(after.answers).toMatchObject([{ kind: 'answer', statement: answer.statement, listingId }]);
    const past = (ms: number): string => new Date(Date.now() - ms).toISOString();
    await publish(
      'platform-a',
      submission(
        'platform-a',
        SUBMITTED_TYPES.caseHeard,
        {
          caseId: heldCase,
          hearing: { notifiedAt: past(60_000), endedAt: past(1_000), answer: 'considered' },
          cause: 'appealUpheld',
        },
        randomUUID(),
      ),
    );
    await side.tick(400 * 86_400_000);
    expect(await actions()).toEqual([]);
    const { body: page } = await side.call('GET', '/public/subject', { token });
    expect(page.listings[0]).toMatchObject({ status: 'withdrawn', cause: 'appealUpheld' });
    const late = await side.call('POST', '/public/hearings', { token, body: answer });
    expect([late.status, late.body.code]).toEqual([422, 'CASE_NOT_HELD']);
  });
});

test('what belongs to a member is still a member’s: a filing names its sender', async () => {
  const filings = (await everything()).filter(({ type }) => type === EVENT_TYPES.merchantDelisted);
  expect(filings.map(({ source }) => memberOfSource(source))).toEqual(['platform-a', 'platform-a', 'platform-a']);
});
