import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeUscc, toBeijingTime } from '@liandun/contracts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun, type Ran } from '../../apps/cli/src/testing/terminal.js';
import type { Answer, TestMember } from '../support/api.js';
import { SubjectSide } from '../support/subject.js';
import { delisted, organization, person, reported } from '../support/submissions.js';

const DAY_MS = 86_400_000;
const WHY = { headers: { 'liandun-purpose': 'supervision', 'liandun-case': '2026-18' } };
const STATEMENT = '货品均有授权，请核对所附合同。';
const REASONS = '经复核，授权合同真实有效，原认定有误。';
const MALICE = '明知授权合同有效，仍两次以同一材料报送。';
const CHANGE = { caseNo: '2026-18', reviewer: 'officer-1' };

let side: SubjectSide;
let serial = 8_400;

beforeAll(async () => {
  side = await SubjectSide.start();
});
afterAll(() => side?.stop());

const phoneOf = (no: number): string => `1390000${no}`;
const call = (as: TestMember, method: string, path: string, body?: object): Promise<Answer> =>
  side.api.call(as, method, path, { ...WHY, ...(body && { body }) });
const statusOf = async (listingId: string): Promise<string> =>
  (await call('regulator-beijing', 'GET', `/v1/listings/${listingId}/coverage`)).body.status;

/** platform-b hosts a merchant that platform-a lists. */
async function listed(more: { code?: string } = {}): Promise<string> {
  serial += 1;
  const identity = organization(serial, { phones: [phoneOf(serial)] });
  await side.api.publish('platform-b', reported('platform-b', `m-${serial}`, organization(serial)));
  const { body } = await side.api.publish('platform-a', delisted('platform-a', `m-${serial}`, identity, more));
  await side.tick();
  return `L${body.position}-${Buffer.from(body.leafHash, 'base64').toString('hex', 0, 6)}`;
}

/** Its subject appeals, without an account. */
async function appeal(listingId: string): Promise<string> {
  const who = { uscc: makeUscc('990101', serial), name: `虚构贸易${serial}有限公司` };
  const token = await side.identify(who, phoneOf(serial));
  const body = { listingId, grounds: 'wrongFinding', statement: STATEMENT };
  const filed = await side.call('POST', '/public/appeals', { token, body });
  expect([filed.status, filed.body.code]).toEqual([expect.any(Number), undefined]);
  await side.settled();
  return filed.body.appealId;
}
const decide = (as: TestMember, appealId: string, more: object = {}): Promise<Answer> =>
  call(as, 'POST', `/v1/appeals/${appealId}/decision`, {
    decision: 'overturned',
    decidedBy: 'reviewer-2',
    reasons: REASONS,
    ...more,
  });

describe('P07: whoever reviews an appeal', () => {
  test('P07: the publisher and regulators see it with its words, nobody else does, and one decision reopens', async () => {
    const listingId = await listed();
    const appealId = await appeal(listingId);
    for (const reviewer of ['platform-a', 'regulator-beijing'] as const) {
      const { body } = await call(reviewer, 'GET', '/v1/appeals');
      expect(body.items).toContainEqual(expect.objectContaining({ appealId, listingId, status: 'open' }));
      const one = await call(reviewer, 'GET', `/v1/appeals/${appealId}`);
      expect(one.body).toMatchObject({ statement: STATEMENT, grounds: 'wrongFinding', evidence: [] });
    }
    expect((await call('platform-b', 'GET', '/v1/appeals?all=true')).body.items).toEqual([]);
    expect((await call('platform-b', 'GET', `/v1/appeals/${appealId}`)).status).toBe(404);
    expect((await decide('platform-b', appealId)).status).toBe(404);
    expect((await decide('platform-a', appealId, { expiresAt: toBeijingTime(new Date()) })).body.errors).toMatchObject([
      { pointer: '/expiresAt', code: 'FIELD_NOT_APPLICABLE' },
    ]);
    expect((await decide('platform-a', appealId, { reasons: undefined })).body.code).toBe('MISSING_FIELD');
    expect((await decide('platform-a', appealId)).body).toMatchObject({ appealId, decision: 'overturned' });
    await side.settled();
    expect(await statusOf(listingId)).toBe('overturned');
    expect((await decide('regulator-beijing', appealId)).body.code).toBe('APPEAL_DECIDED');
    const { items } = (await side.api.call('platform-b', 'GET', '/v1/notices?after=-1')).body;
    const ofListing = items.filter(({ data }: { data: { listingId: string } }) => data.listingId === listingId);
    expect(ofListing.map(({ data }: { data: { action: string } }) => data.action)).toEqual(['close', 'mark', 'reopen']);
    expect(JSON.stringify(items)).not.toContain(REASONS);
    expect((await call('platform-a', 'GET', `/v1/appeals/${appealId}`)).body).toMatchObject({
      status: 'decided',
      reasons: REASONS,
      cause: 'appealUpheld',
    });
    // The log holds commitments, not words.
    expect(JSON.stringify(await side.log.read({ after: -1, limit: 100_000 }))).not.toContain(STATEMENT);
  });

  test('P07: a reviewer stays it everywhere before the deadline; upheld, all are told anew', async () => {
    const listingId = await listed();
    const appealId = await appeal(listingId);
    const stay = (member: 'platform-a' | 'platform-b' | 'regulator-beijing', body: object): Promise<Answer> =>
      call(member, 'POST', `/v1/appeals/${appealId}/stay`, body);
    const said = { decidedBy: 'reviewer-3', reasons: '主体称停业将致其员工失业，先予暂停。' };
    expect((await stay('platform-b', said)).status).toBe(404);
    expect((await stay('platform-a', { decidedBy: 'reviewer-3' })).body.code).toBe('MISSING_FIELD');
    expect((await stay('platform-a', said)).body).toMatchObject({
      appealId,
      stayedAt: expect.stringMatching(/\+08:00$/),
    });
    await side.settled();
    expect(await statusOf(listingId)).toBe('stayed');
    expect((await stay('regulator-beijing', said)).body.code).toBe('LISTING_STAYED');
    expect((await call('platform-a', 'GET', `/v1/appeals/${appealId}`)).body).toMatchObject({
      status: 'stayed',
      stayed: { by: 'reviewer', reasons: said.reasons },
    });
    expect(JSON.stringify(await side.log.read({ after: -1, limit: 100_000 }))).not.toContain(said.reasons);
    expect((await decide('regulator-beijing', appealId, { decision: 'upheld' })).status).toBe(200);
    await side.settled();
    expect((await stay('platform-a', said)).body.code).toBe('APPEAL_DECIDED');
    const { items } = (await side.api.call('platform-b', 'GET', '/v1/notices?after=-1')).body;
    const actions = items
      .filter(({ data }: { data: { listingId: string } }) => data.listingId === listingId)
      .map(({ data }: { data: { action: string } }) => data.action);
    expect(actions).toEqual(['close', 'mark', 'reopen', 'close']);
  });

  test('P07: a correction ends it earlier, never later', async () => {
    const listingId = await listed();
    const appealId = await appeal(listingId);
    const later = toBeijingTime(new Date(Date.now() + 9_000 * DAY_MS));
    const corrected = (expiresAt: string): Promise<Answer> =>
      decide('regulator-beijing', appealId, { decision: 'corrected', expiresAt });
    expect((await corrected(later)).body.errors).toMatchObject([{ pointer: '/expiresAt', code: 'INVALID_VALUE' }]);
    expect((await corrected(toBeijingTime(new Date(Date.now() + DAY_MS)))).status).toBe(200);
    await side.settled();
    expect(await statusOf(listingId)).toBe('corrected');
  });

  test('P08: whoever decided on the listing is refused, another person of the same member is not', async () => {
    const listingId = await listed();
    const appealId = await appeal(listingId);
    const entry = await side.log.at(Number(/^L(\d+)/.exec(listingId)![1]));
    const { decidedBy } = entry!.data as { decidedBy: string };
    const refused = await decide('platform-a', appealId, { decidedBy });
    expect([refused.status, refused.body.code]).toEqual([403, 'REVIEWER_IS_DECIDER']);
    await side.settled();
    expect(await statusOf(listingId)).toBe('disputed');
    expect((await decide('platform-a', appealId, { decision: 'upheld' })).status).toBe(200);
  });
});

test('P17: an erasure destroys what its subject wrote, and what was written to him', async () => {
  const phone = '13900009901';
  const identity = person(99, { phones: [phone] });
  const { residentId, name } = identity as { residentId: string; name: string };
  const { body } = await side.api.publish('platform-a', delisted('platform-a', 'm-erased', identity, {}));
  await side.tick();
  const listingId = `L${body.position}-${Buffer.from(body.leafHash, 'base64').toString('hex', 0, 6)}`;
  const token = await side.identify({ residentId, name }, phone);
  const written = { statement: '此为本人陈述，请予核实。', listingId };
  expect((await side.call('POST', '/public/statements', { token, body: written })).status).toBe(201);
  const filed = await side.call('POST', '/public/appeals', {
    token,
    body: { listingId, grounds: 'notMe', statement: STATEMENT },
  });
  const { appealId } = filed.body;
  await side.settled();
  const stay = { decidedBy: 'reviewer-3', reasons: '先予暂停，待核对身份。' };
  expect((await call('platform-a', 'POST', `/v1/appeals/${appealId}/stay`, stay)).status).toBe(200);
  expect((await decide('regulator-beijing', appealId)).status).toBe(200);
  await side.settled();

  const READERS = ['platform-a', 'regulator-beijing'] as const;
  const read = async (): Promise<string[]> => {
    const paths = [`/v1/appeals/${appealId}`, '/v1/statements'];
    const answers = READERS.flatMap((reader) => paths.map((path) => call(reader, 'GET', path)));
    const own = side.call('GET', '/public/subject', { token });
    return (await Promise.all([...answers, own])).map((answer) => JSON.stringify(answer.body));
  };
  const texts = [written.statement, STATEMENT, stay.reasons, REASONS];
  const readable = async (): Promise<string[]> => {
    const all = (await read()).join();
    return texts.filter((text) => all.includes(text));
  };
  expect(await readable()).toEqual(texts);

  const asked = { identifiers: { residentId }, basis: 'unlawful', requestId: 'r-17' };
  const { body: requested } = await call('regulator-beijing', 'POST', '/v1/erasures', asked);
  const approval = `/v1/approvals/${requested.approvalId}`;
  expect((await call('admin', 'POST', approval, { decision: 'approve' })).status).toBe(200);
  await side.settled();
  expect(await readable()).toEqual([]);
  // Nothing is left that would open the sealed texts, and the entries stand as they were.
  const { rows } = await side.api.pool.query<{ position: number; entry: string; sealed: boolean }>(
    `select position::int, entry, exists (select from vault.data_key k where k.position = e.position) as sealed
     from log.entry e where entry::jsonb #>> '{data,listingId}' = $1 and entry::jsonb #> '{data}' ?| array['statement', 'reasons']`,
    [listingId],
  );
  expect(rows).toHaveLength(texts.length);
  expect(rows.filter(({ sealed }) => sealed)).toEqual([]);
});

describe('P19: a listing that was filed in bad faith', () => {
  const find = (as: TestMember, listingId: string, more: object = {}): Promise<Answer> =>
    call(as, 'POST', `/v1/listings/${listingId}/malice`, {
      caseNo: '2026-19',
      foundBy: 'officer-2',
      reasons: MALICE,
      ...more,
    });

  test('P19: a second person finds it, once; it is flagged with the liability note, and its words reach nobody else', async () => {
    const listingId = await listed();
    const no = serial;
    const appealId = await appeal(listingId);
    expect((await find('regulator-beijing', listingId)).body.code).toBe('LISTING_NOT_WRONG');
    expect((await decide('regulator-beijing', appealId, { decidedBy: 'officer-1' })).status).toBe(200);
    await side.settled();
    expect((await find('platform-a', listingId)).status).toBe(403);
    expect((await find('regulator-beijing', `${listingId}0`)).status).toBe(404);
    const same = await find('regulator-beijing', listingId, { foundBy: 'officer-1' });
    expect([same.status, same.body.code]).toEqual([403, 'FINDER_IS_DECIDER']);
    expect((await find('regulator-beijing', listingId, { reasons: '' })).status).toBe(422);
    const found = await find('regulator-beijing', listingId);
    expect([found.status, found.body]).toEqual([
      200,
      { listingId, foundAt: expect.any(String), liability: expect.objectContaining({ law: expect.any(String) }) },
    ]);
    const again = await find('regulator-beijing', listingId, { foundBy: 'officer-3' });
    expect([again.status, again.body.code]).toEqual([409, 'MALICE_FOUND']);
    await side.settled();
    const { body } = await call('platform-a', 'GET', '/v1/publishers/platform-a');
    expect(body).toMatchObject({ malicious: 1, liability: { law: expect.stringContaining('第42条') } });
    const everybody = await side.call('GET', '/public/publishers', {});
    expect(everybody.body.items).toContainEqual(expect.objectContaining({ malicious: 1 }));
    // The subject sees it, with why and what it means.
    const token = await side.identify({ uscc: makeUscc('990101', no), name: `虚构贸易${no}有限公司` }, phoneOf(no));
    const page = await side.call('GET', '/public/subject', { token });
    expect(page.body.listings).toMatchObject([
      { listingId, malicious: { reasons: MALICE, liability: { zh: expect.stringContaining('恶意') } } },
    ]);
    expect(JSON.stringify(await side.log.read({ after: -1, limit: 100_000 }))).not.toContain(MALICE);
    const notices = (await side.api.call('platform-b', 'GET', '/v1/notices?after=-1')).body;
    expect(JSON.stringify(notices)).not.toContain(MALICE);
  });
});

describe('deadlines', () => {
  test('P07: paused it never stays, resumed and extended it does, each with its reason and computation', async () => {
    const listingId = await listed();
    const appealId = await appeal(listingId);
    const change = (body: object): Promise<Answer> =>
      call('regulator-beijing', 'POST', `/v1/appeals/${appealId}/deadline`, { ...CHANGE, ...body });
    expect((await change({ action: 'pause' })).body.errors).toMatchObject([{ pointer: '/reason' }]);
    const paused = await change({ action: 'pause', reason: 'examination' });
    expect([paused.status, paused.body.due]).toEqual([200, undefined]);
    expect((await change({ action: 'pause', reason: 'examination' })).body.code).toBe('DEADLINE_PAUSED');
    await side.tick(60 * DAY_MS);
    expect(await statusOf(listingId)).toBe('disputed');
    expect((await change({ action: 'resume' })).body.due).toEqual(expect.any(String));
    expect((await change({ action: 'extend', reason: 'subjectAsked', days: 31 })).body.code).toBe('EXTENSION_TOO_LONG');
    const { body } = await change({ action: 'extend', reason: 'subjectAsked', days: 5 });
    expect(body.deadline).toMatchObject({
      extensions: [{ days: 5, reason: 'subjectAsked' }],
      pauses: [{ until: expect.any(String) }],
    });
    expect(
      body.deadline.days.filter(({ verdict }: { verdict: string }) => verdict !== 'paused').length,
    ).toBeGreaterThan(19);
    await side.tick(60 * DAY_MS);
    expect(await statusOf(listingId)).toBe('stayed');
    expect((await change({ action: 'resume' })).body.code).toBe('DEADLINE_OVER');
  });

  test('P06: the time to answer a held case is paused and extended by a regulator alone', async () => {
    const listingId = await listed({ code: 'E01' });
    const path = `/v1/cases/${listingId}/deadline`;
    expect((await call('platform-a', 'POST', path, { ...CHANGE, action: 'resume' })).status).toBe(403);
    const paused = await call('regulator-beijing', 'POST', path, {
      ...CHANGE,
      action: 'pause',
      reason: 'subjectAsked',
    });
    expect(paused.status).toBe(200);
    await side.tick(60 * DAY_MS);
    expect(await statusOf(listingId)).toBe('held');
    await call('regulator-beijing', 'POST', path, { ...CHANGE, action: 'resume' });
    await side.tick(60 * DAY_MS);
    expect(await statusOf(listingId)).toBe('published');
  });
});

describe('screening', () => {
  const found = async (no: number): Promise<object[]> => {
    const identity = { kind: 'organization', name: `虚构贸易${no}有限公司`, uscc: makeUscc('990101', no) };
    const { body } = await call('platform-b', 'POST', '/v1/screenings', { identity, purpose: 'onboarding' });
    return body.matches;
  };

  test('P07: an answer shows that a listing is disputed; stayed it is not found, upheld it is again', async () => {
    const listingId = await listed();
    const no = serial;
    expect(await found(no)).toEqual([expect.objectContaining({ listingId })]);
    expect((await found(no))[0]).not.toHaveProperty('status');
    const appealId = await appeal(listingId);
    expect(await found(no)).toMatchObject([{ listingId, status: 'disputed' }]);
    await side.tick(60 * DAY_MS);
    expect(await statusOf(listingId)).toBe('stayed');
    expect(await found(no)).toEqual([]);
    expect((await decide('platform-a', appealId, { decision: 'upheld' })).status).toBe(200);
    await side.settled();
    expect(await found(no)).toMatchObject([{ listingId, status: 'upheld' }]);
  });
});

describe('liandun appeals', () => {
  let cwd: string;
  const env: Record<string, string> = {};
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'liandun-appeals-'));
    env['LIANDUN_URL'] = side.api.api.url;
    for (const member of ['platform-a', 'regulator-beijing']) {
      env[keyVariable(member)] = join(cwd, `${member}.jwk`);
      writeFileSync(env[keyVariable(member)]!, JSON.stringify(side.api.keys.get(member)));
    }
    writeFileSync(join(cwd, 'reasons.txt'), `${REASONS}\n`);
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));
  const run = (line: string): Promise<Ran> => liandun(line.split(' '), { env, cwd });

  test('P07: the publisher lists, reads and decides from the command line, a regulator changes the deadline', async () => {
    const listingId = await listed();
    const appealId = await appeal(listingId);
    expect((await run('appeals list --as platform-a --json')).out).toContain(appealId);
    const table = await run('appeals list --as platform-a --limit 100');
    expect(table).toMatchObject({ code: 0, out: expect.stringContaining(appealId) as unknown });
    const shown = await run(`appeals show ${appealId} --as regulator-beijing --purpose supervision --case 2026-18`);
    expect(shown.out).toMatch(new RegExp(`^statement +${STATEMENT}$`, 'm'));
    const chinese = await run(`appeals show ${appealId} --as platform-a --lang zh`);
    expect(chinese.out).toMatch(
      /^期限计算\n {2}起算 .*\n {2}期限 +15 日\n(?:.*\n)* {2}逐日计算\n {4}\d{4}-.* {2}计入\n/m,
    );
    expect(await run(`appeals show ${appealId} --as regulator-beijing`)).toMatchObject({ code: 2 });

    const why = '--as regulator-beijing --case 2026-18 --reviewer officer-1';
    expect(await run(`appeals deadline ${appealId} pause --reason evidenceAwaited ${why}`)).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^${appealId}  paused\n(?:.*\n)* {2}paused\n.*\n.*evidence`)) as unknown,
    });
    expect((await run(`appeals deadline ${appealId} resume ${why}`)).out).toMatch(/^last day +\d{4}-.* 24:00$/m);
    expect((await run(`appeals deadline ${appealId} extend ${why} --lang zh`)).err).toContain('/reason');

    const decision = `appeals decide ${appealId} upheld --as platform-a --reasons reasons.txt`;
    const { decidedBy } = (await side.log.at(Number(/^L(\d+)/.exec(listingId)![1])))!.data as { decidedBy: string };
    const byDecider = await run(`${decision} --reviewer ${decidedBy}`);
    expect([byDecider.code === 0, byDecider.err]).toEqual([false, expect.stringContaining('P08')]);
    expect(await run(`${decision} --reviewer reviewer-2`)).toMatchObject({ code: 0 });
    await side.settled();
    const malice = `appeals malice ${listingId} --reasons reasons.txt ${why}`;
    expect((await run(malice)).err).toContain('LISTING_NOT_WRONG');
    expect(await statusOf(listingId)).toBe('upheld');
    expect(JSON.parse((await run(`appeals show ${appealId} --as platform-a --json`)).out)).toMatchObject({
      decision: 'upheld',
      reasons: REASONS,
    });
  });
});
