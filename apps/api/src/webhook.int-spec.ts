import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestApi, type Answer } from '../../../test/support/api.js';
import { issueNotices } from '../../../test/support/notices.js';
import { EventLog } from '@liandun/event-log';

const URL = 'https://hooks.platform-a.example/liandun';
const ROUTE = '/v1/webhook';
let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  const log = new EventLog({ pool: api.pool });
  await issueNotices(log, ['platform-a'], 0, 3);
  await log.close();
});
afterAll(() => api.stop());

type Member = Parameters<TestApi['call']>[0];
const call = (method: string, path = '', body?: object, member: Member = 'platform-a'): Promise<Answer> =>
  api.call(member, method, ROUTE + path, body ? { body } : {});
const refusal = ({ status, body }: Answer): unknown[] => [status, body.code, body.errors?.[0]?.pointer];

describe('a platform without a webhook', () => {
  test.each<[string, string, object | undefined]>([
    ['GET', '', undefined],
    ['DELETE', '', undefined],
    ['POST', '/secrets', {}],
    ['POST', '/test', undefined],
    ['POST', '/replay', { from: 0 }],
  ])('%s %s says so, with the remedy', async (method, path, body) => {
    const answer = await call(method, path, body);
    expect([answer.status, answer.body.code]).toEqual([404, 'WEBHOOK_NOT_FOUND']);
    expect(answer.body.detail).toContain('PUT /v1/webhook');
  });

  test.each([
    ['no address', {}, 422, '/url'],
    ['in the clear', { url: 'http://hooks.example/' }, 422, '/url'],
    ['loopback', { url: 'https://127.0.0.1/' }, 422, '/url'],
    ['a cloud’s metadata', { url: 'https://169.254.169.254/' }, 422, '/url'],
    ['a password in it', { url: 'https://a:b@hooks.example/' }, 422, '/url'],
    ['a field that is not known', { url: URL, events: [] }, 422, '/events'],
    ['a start that would leave notices out', { url: URL, from: 4 }, 422, '/from'],
  ])('is refused %s', async (_, body, status, pointer) => {
    const answer = await call('PUT', '', body);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([status, pointer]);
    expect((await call('GET')).status).toBe(404);
  });
});

describe('a webhook', () => {
  let secret: string;

  test('is set, shows its secret once, and is nobody else’s', async () => {
    const { status, body } = await call('PUT', '', { url: URL, from: 3 });
    expect(status).toBe(200);
    expect(body).toEqual({
      url: URL,
      status: 'active',
      next: 3,
      publicKeys: [{ publicKey: expect.stringMatching(/^whpk_.{44}$/), createdAt: expect.stringMatching(/\+08:00$/) }],
      secret: expect.stringMatching(/^whsec_.{44}$/),
    });
    secret = body.secret;
    const { secret: _once, ...page } = body;
    expect((await call('GET')).body).toEqual(page);
    expect((await call('GET', '', undefined, 'platform-b')).status).toBe(404);
    const { rows } = await api.pool.query(`select string_agg(s::text, '') as text from webhook.secret s`);
    expect(rows[0].text).not.toContain(Buffer.from(secret.slice(6), 'base64').toString('hex'));
  });

  test('keeps its place and its secret when it is set again, and takes no other start', async () => {
    const moved = await call('PUT', '', { url: `${URL}/2` });
    expect([moved.body.url, moved.body.next, moved.body.secret]).toEqual([`${URL}/2`, 3, undefined]);
    expect(refusal(await call('PUT', '', { url: URL, from: 0 }))).toEqual([422, 'FIELD_NOT_APPLICABLE', '/from']);
  });

  test('rotates its secret: both are live for a day', async () => {
    const { body } = await call('POST', '/secrets', {});
    expect(body.secret).not.toBe(secret);
    expect(body.publicKeys.map(({ expiresAt }: { expiresAt?: string }) => expiresAt !== undefined)).toEqual([
      false,
      true,
    ]);
    expect((await call('POST', '/secrets', { revoke: true })).body.publicKeys).toHaveLength(1);
    expect(refusal(await call('POST', '/secrets', { revoke: 'yes' }))).toEqual([422, 'WRONG_TYPE', '/revoke']);
  });

  test('is replayed from a seq that it has passed, never from one ahead', async () => {
    expect((await call('POST', '/replay', { from: 1 })).body.next).toBe(1);
    const ahead = await call('POST', '/replay', { from: 2 });
    expect(refusal(ahead)).toEqual([422, 'OUT_OF_RANGE', '/from']);
    expect(ahead.body.errors[0].message).toContain('from 0 to 1');
    expect(ahead.body.detailZh).toContain('0 至 1');
    expect(refusal(await call('POST', '/replay', {}))).toEqual([422, 'MISSING_FIELD', '/from']);
    expect((await call('POST', '/replay', { from: -1 })).status).toBe(422);
  });

  test('is tested on request, once the worker comes to it', async () => {
    const { status, body } = await call('POST', '/test');
    expect([status, body]).toEqual([202, { testId: expect.any(String) }]);
    expect((await call('GET')).body.test).toEqual({});
  });

  test('lists its dead letters by cursor', async () => {
    await api.pool.query(
      `insert into webhook.dead_letter (member, webhook_id, kind, seq, attempts, last_status, last_problem)
       values ('platform-a', 'platform-a_0', 'notice', 0, 11, 500, 'STATUS'), ('platform-a', 'platform-a_1', 'notice', 1, 11, null, 'TIMED_OUT')`,
    );
    const { body } = await call('GET', '/deliveries?limit=1');
    expect(body.items).toEqual([
      {
        webhookId: 'platform-a_0',
        kind: 'notice',
        seq: 0,
        attempts: 11,
        deadAt: expect.stringMatching(/\+08:00$/),
        lastStatus: 500,
        lastProblem: 'STATUS',
      },
    ]);
    const rest = await call('GET', `/deliveries?after=${body.next}`);
    expect(rest.body.items.map(({ seq }: { seq: number }) => seq)).toEqual([1]);
    expect((await call('GET', '/deliveries', undefined, 'platform-b')).body.items).toEqual([]);
  });

  test('ends', async () => {
    expect((await call('DELETE')).status).toBe(204);
    expect((await call('GET')).status).toBe(404);
    expect((await call('GET', '/deliveries')).body.items).toEqual([]);
  });
});
