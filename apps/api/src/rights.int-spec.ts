import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROUTES } from '@liandun/contracts';
import { TEST_MEMBERS, TestApi, type TestMember } from '../../../test/support/api.js';
import { createApi } from './api.js';
import { POLICY } from './policy.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

const addressOf = (path: string): string => path.replaceAll(/:[A-Za-z]+/g, 'unknown');
const AUDITED = { 'liandun-purpose': 'supervision', 'liandun-case': '2020-17' };

/** Design section 3 as a table of its own, so that a slip in the policy shows. */
const MAY: Record<string, string[]> = {
  'POST /v1/events': ['platform', 'regulator'],
  'GET /v1/notices': ['platform'],
  'GET /v1/notices/stream': ['platform'],
  'POST /v1/screenings': ['platform'],
  'GET /v1/entities/:entityId': ['platform', 'regulator'],
  'GET /v1/listings/:listingId/coverage': ['regulator'],
  'GET /v1/audit/events': ['platform', 'regulator'],
  'POST /v1/approvals/:approvalId': ['regulator', 'admin'],
  'POST /v1/erasures': ['platform', 'regulator'],
  'GET /v1/erasures/:approvalId': ['platform', 'regulator', 'admin'],
  'GET /v1/receipts/:source/:id': ['platform', 'regulator'],
  'GET /v1/receipts/:source/:id/openings': ['platform', 'regulator'],
  'GET /log/tile/entries/:tile': ['regulator'],
};
const routes = Object.entries(POLICY).filter(([, { roles }]) => roles !== 'open');
const cells = routes.flatMap(([route]) =>
  (['platform-a', 'regulator-beijing', 'admin', undefined] as (TestMember | undefined)[]).map(
    (who) => [route, who] as const,
  ),
);

test.each(cells)('%s by %s', async (route, who) => {
  const [method, path] = route.split(' ') as [string, string];
  const allowed = MAY[route] ?? ['admin'];
  const type = POLICY[route]?.accepts?.[0];
  const answer = await api.call(who, method, path.endsWith('/stream') ? `${path}?limit=x&after=x` : addressOf(path), {
    headers: AUDITED,
    ...(type ? { body: {}, type } : {}),
  });
  if (!who) expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
  else if (allowed.includes(TEST_MEMBERS[who])) expect([401, 403]).not.toContain(answer.status);
  else expect([answer.status, answer.body.code]).toEqual([403, 'FORBIDDEN']);
});

test('the rights are those that the published document names', () => {
  const published = ROUTES.map(({ method, path, roles, audited }) => [
    `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    { roles, audited: audited ?? false },
  ]);
  const served = Object.entries(POLICY).map(([route, { roles, audited }]) => [
    route,
    { roles, audited: audited ?? false },
  ]);
  expect(Object.fromEntries(served)).toEqual(Object.fromEntries(published));
});

describe("a regulator's reading", () => {
  const path = '/v1/listings/L0-000000000000/coverage';

  test('says why, or is refused', async () => {
    const incomplete: Record<string, string>[] = [
      {},
      { 'liandun-purpose': 'supervision' },
      { 'liandun-case': '1' },
      { ...AUDITED, 'liandun-case': ' ' },
    ];
    for (const headers of incomplete) {
      const answer = await api.call('regulator-beijing', 'GET', path, { headers });
      expect([answer.status, answer.body.code]).toEqual([400, 'PURPOSE_REQUIRED']);
    }
  });

  test('stands in the log, also where nothing was found', async () => {
    expect((await api.call('regulator-beijing', 'GET', path, { headers: AUDITED })).status).toBe(404);
    const { rows } = await api.pool.query(
      "select entry from log.entry where stream = 'reads/regulator-beijing' order by version desc limit 1",
    );
    expect(JSON.parse(rows[0].entry).data).toEqual({
      reader: 'regulator-beijing',
      route: '/v1/listings/:listingId/coverage',
      purpose: 'supervision',
      caseNo: '2020-17',
      listingId: 'L0-000000000000',
    });
  });
});

describe('whatever the ledger refuses is a problem (RFC 9457) in two languages', () => {
  test.each<[string, string, string, number, string]>([
    ['no such address', 'GET', '/v1/nothing', 404, 'NOT_FOUND'],
    ['another method', 'DELETE', '/v1/events', 405, 'METHOD_NOT_ALLOWED'],
    ['an entity that does not exist', 'GET', '/v1/entities/E0-000000000000', 404, 'NOT_FOUND'],
    ['a cursor of its own making', 'GET', '/v1/notices?after=x', 400, 'CURSOR_INVALID'],
    ['a limit that is none', 'GET', '/v1/notices?limit=0', 400, 'INVALID_REQUEST'],
    ['an encoded slash', 'GET', '/v1/entities/%2F..%2F', 404, 'NOT_FOUND'],
  ])('%s', async (_, method, path, status, code) => {
    const answer = await api.call('platform-a', method, path);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, code, type: expect.stringMatching(/^urn:liandun:problem:/) });
    expect(answer.status).toBe(status);
    expect(answer.body.detailZh).toMatch(/\p{Script=Han}/u);
  });
});

test('a screening names its purpose, and stands in the log without the identity', async () => {
  const identity = { kind: 'person', name: '张三' };
  const refused = await api.call('platform-a', 'POST', '/v1/screenings', { body: { identity, purpose: 'pricing' } });
  expect([refused.status, refused.body.code]).toEqual([422, 'PURPOSE_NOT_ALLOWED']);
  const { status, body } = await api.call('platform-a', 'POST', '/v1/screenings', {
    body: { identity, purpose: 'onboarding' },
  });
  expect([status, body.result, body.matches]).toEqual([200, 'clear', []]);
  const { rows } = await api.pool.query("select entry from log.entry where stream = 'screenings/platform-a'");
  expect(rows).toHaveLength(1);
  expect(rows[0].entry).not.toContain('张三');
});

describe('it refuses to start', () => {
  test.each<[string, Record<string, string>, string]>([
    ['outside loopback without TLS', { HOST: '0.0.0.0' }, 'LIANDUN_TLS_CERT'],
    ['without keys', { LIANDUN_KEYS: '' }, 'LIANDUN_KEYS is not set'],
    ['with keys that are not there', { LIANDUN_KEYS: '/nowhere.json' }, 'ENOENT'],
    ['without a database', { DATABASE_URL: '' }, 'DATABASE_URL is not set'],
  ])('%s', async (_, env, message) => {
    await expect(createApi({ ...api.env, ...env })).rejects.toThrow(message);
  });
});

test('metrics count events by type and receipt, and requests by route', async () => {
  await api.publish('platform-a', {});
  const { body } = await api.call(undefined, 'GET', '/metrics');
  expect(body).toContain('liandun_events_total{type="unknown",status="rejected"}');
  expect(body).toContain('route="/v1/events"');
});
