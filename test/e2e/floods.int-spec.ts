import { STANDARD_LIMITS } from '@liandun/contracts';
import { EventLog, runReader, type Reader } from '@liandun/event-log';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun } from '../../apps/cli/src/testing/terminal.js';
import { TestApi, type Answer, type TestMember } from '../support/api.js';
import { asApp } from '../support/database.js';
import { delisted, organization } from '../support/submissions.js';
import { notifyReader } from '../../apps/worker/src/notify.js';

const PUBLISHER = 'platform-a';
const WHY = { 'Liandun-Purpose': 'supervision', 'Liandun-Case': 'BJ-2026-1' };

let api: TestApi;
let pool: pg.Pool;
let log: EventLog;
let reader: Reader;
beforeAll(async () => {
  api = await TestApi.start();
  pool = new pg.Pool({ connectionString: asApp(api.databaseUrl), max: 4 });
  pool.on('error', () => undefined);
  log = new EventLog({ pool });
  reader = runReader(pool, notifyReader(log));
});
afterAll(async () => {
  await reader.stop();
  await log.close();
  await pool.end();
  await api.stop();
});

const post = (who: TestMember, path: string, body: unknown): Promise<Answer> => api.call(who, 'POST', path, { body });
async function setLimits(limits: object): Promise<void> {
  const { body } = await post('admin', `/v1/members/${PUBLISHER}/limits`, { limits });
  const { status } = await post('admin-2', `/v1/approvals/${body.approvalId}`, { decision: 'approve' });
  expect(status).toBe(200);
}

const events = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => delisted(PUBLISHER, `m-${n}`, organization(9_000 + n)));

/** Sends a batch; how many were accepted, held, …. */
async function publish(batch: object[]): Promise<string[]> {
  const answer = await api.call(PUBLISHER, 'POST', '/v1/events', {
    body: batch,
    type: 'application/cloudevents-batch+json',
  });
  await reader.reached(await log.head());
  return answer.body.map(({ status }: { status: string }) => status);
}

async function waiting(): Promise<Answer['body'][]> {
  const { body } = await api.call('admin', 'GET', '/v1/floods');
  return body.items;
}

test('P21: an admission that states no limits gets the standard ones, and two administrators change them', async () => {
  const limits = async (): Promise<object> => {
    const { body } = await api.call('admin', 'GET', '/v1/members?limit=100');
    return body.items.find(({ memberId }: { memberId: string }) => memberId === PUBLISHER).limits;
  };
  expect(await limits()).toEqual(STANDARD_LIMITS);
  const { body } = await post('admin', `/v1/members/${PUBLISHER}/limits`, { limits: { subjectsPerHour: 3 } });
  expect(await limits()).toEqual(STANDARD_LIMITS);
  expect((await post('admin', `/v1/approvals/${body.approvalId}`, { decision: 'approve' })).status).toBe(403);
  await post('admin-2', `/v1/approvals/${body.approvalId}`, { decision: 'approve' });
  expect(await limits()).toEqual({ subjectsPerHour: 3 });
  const wrong = await post('admin', `/v1/members/${PUBLISHER}/limits`, { limits: { subjectsPerHour: 'many' } });
  expect(wrong.body.errors).toEqual([expect.objectContaining({ pointer: '/limits/subjectsPerHour' })]);
});

test('P21: a second person sees what waits without seeing whom it is about, and decides on what was seen', async () => {
  await setLimits({ timesMean: 100, subjectsPerHour: 3 });
  expect(await publish(events(6))).toEqual(['accepted', 'accepted', 'accepted', 'held', 'held', 'held']);
  const [flood] = await waiting();
  expect(flood).toMatchObject({ memberId: PUBLISHER, cases: 3, codes: [{ code: 'F04', tier: 1, cases: 3 }] });
  expect(JSON.stringify(flood)).not.toContain('虚构');
  expect((await api.call('regulator-beijing', 'GET', '/v1/floods', { headers: WHY })).body.items).toEqual([flood]);
  expect((await api.call(PUBLISHER, 'GET', '/v1/floods')).status).toBe(403);
  const path = `/v1/floods/${PUBLISHER}/decision`;
  expect((await post(PUBLISHER, path, { decision: 'release', upTo: flood.upTo })).status).toBe(403);
  expect((await post('admin', path, { decision: 'perhaps', upTo: flood.upTo })).status).toBe(422);
  expect((await post('admin', '/v1/floods/nobody/decision', { decision: 'release', upTo: 9 })).body.code).toBe(
    'FLOOD_NOT_FOUND',
  );
  await publish(events(1));
  expect((await post('admin', path, { decision: 'release', upTo: flood.upTo })).body).toEqual({
    memberId: PUBLISHER,
    decision: 'release',
    cases: 3,
    upTo: flood.upTo,
  });
  await reader.reached(await log.head());
  // What came after he looked goes on waiting.
  expect(await waiting()).toMatchObject([{ cases: 1 }]);
  const [rest] = await waiting();
  await post('regulator-beijing', path, { decision: 'refuse', upTo: rest.upTo });
  await reader.reached(await log.head());
  expect(await waiting()).toEqual([]);
});

test('P21: and does so from the command line', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'liandun-floods-'));
  const env = { LIANDUN_URL: api.api.url, [keyVariable('admin')]: join(cwd, 'admin.jwk') };
  writeFileSync(join(cwd, 'admin.jwk'), JSON.stringify(api.keys.get('admin')));
  const run = async (line: string): Promise<string> => (await liandun(line.split(' '), { env, cwd })).out;
  expect(await publish(events(2))).toEqual(['held', 'held']);
  expect(await run('floods list --as admin')).toMatch(/platform-a +2 .*F04 2/);
  expect(await run(`floods refuse ${PUBLISHER} --as admin`)).toMatch(/^decision +refused\ncases +2$/m);
  await reader.reached(await log.head());
  expect(await run('floods list --as admin')).toContain('nothing is held');
  rmSync(cwd, { recursive: true, force: true });
});
