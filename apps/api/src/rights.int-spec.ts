import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MemberRole } from '@liandun/contracts';
import { ed25519, TestApi, type Answer, type TestMember } from '../../../test/support/api.js';
import { createApi } from './api.js';
import { POLICY } from './policy.js';

/** What anybody may use, with or without a token. */
const OPEN = new Set([
  'POST /oauth/token',
  'GET /.well-known/jwks.json',
  'GET /openapi.json',
  'GET /public/publishers',
  'GET /public/statistics',
  'GET /asyncapi.json',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /log/checkpoint',
  'GET /log/tile/:level/:tile',
  'GET /public',
  'GET /public/page/:file',
  'GET /public/identifications',
  'POST /public/identifications',
  'POST /public/challenges',
  'POST /public/signed-statements',
  'POST /public/identifications/:identificationId/code',
]);

/** What only a subject may use, who is no member: to a member's token it is as closed as to none (rule P17). */
const SUBJECTS_OWN = new Set([
  'GET /public/subject',
  'GET /public/subject/copy',
  'POST /public/appeals',
  'POST /public/hearings',
  'POST /public/statements',
  'POST /public/corrections',
]);

let api: TestApi;
let published: Published[];
beforeAll(async () => {
  api = await TestApi.start();
  published = await operations();
});
afterAll(() => api.stop());

/** An operation of the live document. */
interface Published {
  route: string;
  method: string;
  path: string;
  roles: readonly (MemberRole | 'subject')[] | 'open';
  audited: boolean;
  type: string | undefined;
}

async function operations(): Promise<Published[]> {
  const { body } = await api.call(undefined, 'GET', '/openapi.json');
  return Object.entries(body.paths as Record<string, Record<string, any>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      method: method.toUpperCase(),
      path,
      roles: operation.security.length === 0 ? 'open' : operation['x-liandun-roles'],
      audited: operation.parameters.some(({ name }: { name: string }) => name === 'Liandun-Purpose'),
      type: Object.keys(operation.requestBody?.content ?? {})[0],
    })),
  );
}

const AUDITED = { 'liandun-purpose': 'supervision', 'liandun-case': '2020-17' };

/** Design section 3 as a table of its own, so that a slip in the policy shows. */
const MAY: Record<string, string[]> = {
  'POST /v1/events': ['platform', 'regulator'],
  'POST /v1/events:preview': ['platform', 'regulator'],
  'GET /v1/notices': ['platform'],
  'GET /v1/notices/stream': ['platform'],
  'GET /v1/notices/erased': ['platform'],
  'GET /v1/notices/reminders': ['platform'],
  'PUT /v1/webhook': ['platform'],
  'GET /v1/webhook': ['platform'],
  'DELETE /v1/webhook': ['platform'],
  'POST /v1/webhook/secrets': ['platform'],
  'POST /v1/webhook/test': ['platform'],
  'GET /v1/webhook/deliveries': ['platform'],
  'POST /v1/webhook/replay': ['platform'],
  'POST /v1/screenings': ['platform'],
  'GET /v1/screenings/matched': ['platform'],
  'POST /v1/screenings/:screeningId/matches/:listingId/decision': ['platform'],
  'GET /v1/entities/:entityId': ['platform', 'regulator'],
  'GET /v1/entities/:entityId/apart/:other': ['regulator'],
  'GET /v1/reviews': ['regulator'],
  'GET /v1/reviews/:reviewId': ['regulator'],
  'POST /v1/reviews/:reviewId/decision': ['regulator'],
  'POST /v1/reviews/:reviewId/undo': ['regulator'],
  'GET /v1/appeals': ['platform', 'regulator'],
  'GET /v1/appeals/:appealId': ['platform', 'regulator'],
  'POST /v1/appeals/:appealId/decision': ['platform', 'regulator'],
  'POST /v1/appeals/:appealId/stay': ['platform', 'regulator'],
  'POST /v1/appeals/:appealId/deadline': ['regulator'],
  'POST /v1/cases/:listingId/deadline': ['regulator'],
  'POST /v1/listings/:listingId/malice': ['regulator'],
  'GET /v1/listings/:listingId/coverage': ['regulator'],
  'GET /v1/audit/events': ['platform', 'regulator'],
  'GET /v1/publishers/:memberId': ['platform', 'regulator'],
  'GET /v1/floods': ['regulator', 'admin'],
  'POST /v1/floods/:memberId/decision': ['regulator', 'admin'],
  'GET /v1/statements': ['platform', 'regulator'],
  'GET /v1/cases/:caseId/hearing': ['platform'],
  'GET /v1/alarms': ['regulator', 'admin'],
  'GET /v1/reason-codes': ['platform', 'regulator', 'admin'],
  'POST /v1/reason-codes': ['regulator', 'admin'],
  'GET /v1/members/:memberId/keys': ['platform', 'regulator', 'admin'],
  'POST /v1/approvals/:approvalId': ['regulator', 'admin'],
  'POST /v1/erasures': ['platform', 'regulator'],
  'GET /v1/erasures/:approvalId': ['platform', 'regulator', 'admin'],
  'GET /v1/receipts/:source/:id': ['platform', 'regulator'],
  'GET /v1/receipts/:source/:id/openings': ['platform', 'regulator'],
  'GET /log/tile/entries/:tile': ['regulator'],
};
const ROLES = ['platform', 'regulator', 'admin', 'witness', 'nobody'] as const;
const CALLERS: Partial<Record<(typeof ROLES)[number], TestMember>> = {
  platform: 'platform-a',
  regulator: 'regulator-beijing',
  admin: 'admin',
};

/** A witness cosigns what everybody may read: it is no member, and its own word is no token. */
async function askedBy(role: (typeof ROLES)[number], { method, path, type }: Published): Promise<Answer> {
  const token = role === 'witness' ? await api.assertion('witness', {}, ed25519('witness-1')) : undefined;
  const address = path.replaceAll(/\{(\w+)\}/g, 'unknown');
  // The stream would go on: a cursor that is none ends it.
  return api.call(CALLERS[role], method, path.endsWith('/stream') ? `${path}?after=x` : address, {
    headers: AUDITED,
    ...(token ? { token } : {}),
    ...(type ? { body: type.endsWith('urlencoded') ? 'grant_type=none' : {}, type } : {}),
  });
}

const cells = Object.keys(POLICY).flatMap((route) => ROLES.map((role) => [route, role] as const));

describe('P18, P20: every route by every role, as the table says and no other', () => {
  test.each(cells)('%s by %s', async (route, role) => {
    const operation = published.find((each) => each.route === route);
    if (!operation) throw new Error(`${route} is served and not published`);
    const { status, body } = await askedBy(role, operation);
    const refusal = [status, body.code];
    if (OPEN.has(route)) expect([403, 405]).not.toContain(status);
    else if (SUBJECTS_OWN.has(route)) expect(refusal).toEqual([401, 'UNAUTHENTICATED']);
    else if (role === 'witness' || role === 'nobody') expect(refusal).toEqual([401, 'UNAUTHENTICATED']);
    else if ((MAY[route] ?? ['admin']).includes(role)) expect([401, 403, 405]).not.toContain(status);
    else expect(refusal).toEqual([403, 'FORBIDDEN']);
  });
});

test('P18: the rights that the live document names are those that are served', () => {
  const named = published.map(({ route, roles, audited }) => [route, { roles, audited }]);
  const served = Object.entries(POLICY).map(([route, { roles, audited }]) => [
    route,
    { roles, audited: audited ?? false },
  ]);
  expect(Object.fromEntries(named)).toEqual(Object.fromEntries(served));
});

test('what is refused by its rule stays refused with a trailing slash, in capitals and by another method', async () => {
  for (const path of ['/v1/members/', '/V1/members', '/v1//members', '/v1/members/%2e'])
    expect([path, (await api.call('platform-a', 'GET', path)).status]).not.toEqual([path, 200]);
  for (const method of ['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY'])
    expect([401, 403, 405]).toContain((await api.call('platform-a', method, '/v1/members')).status);
});

describe("P20: a regulator's reading", () => {
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

  test('refused for want of a purpose stands in the log: who and which route, not about whom', async () => {
    const reads = async (): Promise<{ data: object }[]> => {
      const { rows } = await api.pool.query<{ entry: string }>(
        "select entry from log.entry where stream = 'reads/regulator-beijing' order by version",
      );
      return rows.map(({ entry }) => JSON.parse(entry));
    };
    const before = (await reads()).length;
    expect((await api.call('regulator-beijing', 'GET', path)).status).toBe(400);
    const after = await reads();
    expect(after.slice(before).map(({ data }) => data)).toEqual([
      { reader: 'regulator-beijing', route: '/v1/listings/:listingId/coverage', refused: 'PURPOSE_REQUIRED' },
    ]);
    expect(JSON.stringify(after.at(-1))).not.toContain('L0-000000000000');
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

  test.each([
    [
      '/v1/receipts/urn:liandun:member:platform-a/no%20such%20id',
      { receipt: { source: 'urn:liandun:member:platform-a', id: 'no such id' } },
    ],
    ['/v1/entities/E0-000000000000', { entityId: 'E0-000000000000' }],
    [
      '/v1/entities/E0-000000000000/apart/E1-000000000000',
      { entityId: 'E1-000000000000', asked: { other: 'E0-000000000000' } },
    ],
    ['/v1/audit/events?member=platform-a&type=x', { asked: { member: 'platform-a', type: 'x' } }],
    // Cut off within a character: what is left of it has no form in the log.
    [`/v1/audit/events?member=x${'𝕋'.repeat(40)}`, { asked: { member: `x${'𝕋'.repeat(31)}\uFFFD` } }],
    [`/v1/entities/x${'𝕋'.repeat(40)}`, { entityId: `x${'𝕋'.repeat(31)}\uFFFD` }],
  ])('%s names what was looked at', async (address, looked) => {
    await api.call('regulator-beijing', 'GET', address, { headers: AUDITED });
    const { rows } = await api.pool.query(
      "select entry from log.entry where stream = 'reads/regulator-beijing' order by version desc limit 1",
    );
    const { route, ...data } = JSON.parse(rows[0].entry).data;
    expect(data).toEqual({ reader: 'regulator-beijing', purpose: 'supervision', caseNo: '2020-17', ...looked });
    expect(POLICY[`GET ${route}`]?.audited).toBe(true);
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

test('P15: a screening names its purpose, and stands in the log without the identity', async () => {
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
