import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeUscc } from '@liandun/contracts';
import { writeFile } from 'node:fs/promises';
import { until } from '../../../test/support/kafka.js';
import { awayFromMidnight } from '../../../test/support/midnight.js';
import { reported } from '../../../test/support/submissions.js';
import { TestApi, type Answer, type TestMember } from '../../../test/support/api.js';
import { createApi, type Api } from './api.js';

const IDENTIFIERS = 20;
const NEIGHBOURS = 5;
const MISSES = 10;
const AUDITED = { 'liandun-purpose': 'supervision', 'liandun-case': '2020-17' };
const LIMITS = {
  rates: { read: 40, public: 1_000, write: 3 },
  neighboursMax: NEIGHBOURS,
  missesPerDay: MISSES,
  members: {
    'platform-a': { identifiersPerDay: IDENTIFIERS, rates: { events: 12, read: 4 } },
    // Where the database's count is looked at, the minute's must not end it.
    'platform-b': { identifiersPerDay: 1_000 },
  },
};

let api: TestApi;
beforeAll(async () => {
  await awayFromMidnight(120_000); // one day's budgets for all tests
  api = await TestApi.start(LIMITS);
}, 360_000);
afterAll(() => api.stop());

const wants = ({ status, headers, body }: Answer): unknown => ({
  status,
  code: body.code,
  retryAfter: headers.get('retry-after'),
});

/** Numbers far from each other, so that no two are of one series. */
const screen = (who: TestMember, serial: number, token?: string): Promise<Answer> =>
  api.call(who, 'POST', '/v1/screenings', {
    ...(token ? { token } : {}),
    body: {
      purpose: 'onboarding',
      identity: { kind: 'organization', name: '虚构贸易有限公司', uscc: makeUscc('990101', serial) },
    },
  });

const alarms = async (): Promise<{ alarm: string; member: string; limit: number }[]> =>
  (await api.call('admin', 'GET', '/v1/alarms')).body.items;

describe('the quota of a minute', () => {
  test('every answer says what the quota is and what is left of it', async () => {
    const { headers } = await api.call('regulator-beijing', 'GET', '/log/checkpoint');
    expect(headers.get('ratelimit-policy')).toBe('"public";q=1000;w=60');
    expect(headers.get('ratelimit')).toMatch(/^"public";r=9\d\d;t=\d\d?$/);
  });

  test('is of a member and route: past it 429 with Retry-After and a remedy in both languages, others go on', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => api.call('platform-a', 'GET', '/v1/notices')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = await api.call('platform-a', 'GET', '/v1/notices');
    expect(wants(refused)).toEqual({
      status: 429,
      code: 'RATE_LIMITED',
      retryAfter: expect.stringMatching(/^[1-9]\d?$/),
    });
    expect(refused.headers.get('ratelimit-policy')).toBe('"read";q=4;w=60');
    expect(refused.headers.get('ratelimit')).toMatch(/^"read";r=0;t=\d\d?$/);
    expect(refused.body).toMatchObject({
      status: 429,
      detail: expect.stringContaining('administrator'),
      detailZh: expect.stringContaining('管理员'),
    });
    expect((await api.call('platform-b', 'GET', '/v1/notices')).status).toBe(200);
    expect((await api.call('platform-a', 'GET', '/v1/audit/events')).status).toBe(200);
    const { body } = await api.call(undefined, 'GET', '/metrics');
    expect(body).toMatch(/liandun_rate_limited_total\{rate="read"\} [1-9]/);
  });

  test('of events counts the events, not the requests', async () => {
    const batch = (count: number): Promise<Answer> =>
      api.call('platform-a', 'POST', '/v1/events', {
        type: 'application/cloudevents-batch+json',
        body: Array.from({ length: count }, (_, n) =>
          reported('platform-a', `m-${n}`, { kind: 'organization', name: '虚构贸易有限公司' }),
        ),
      });
    expect((await batch(8)).status).toBe(200);
    const second = await batch(4);
    expect([second.status, second.headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/^"events";r=0;/)]);
    expect((await batch(1)).body.code).toBe('RATE_LIMITED');
    // Already the next request is refused before its body is read.
    expect((await api.publish('platform-a', {})).body.code).toBe('RATE_LIMITED');
  });

  test('never hides how the ledger is', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics'])
      expect((await api.call(undefined, 'GET', path)).headers.get('ratelimit-policy')).toBeNull();
  });
});

describe('P15: the identifiers that a member screens in a day', () => {
  const far = (n: number): number => 1_000_000 + n * 2_000_000;

  test('are counted once each; past the budget 429, what was asked before is answered, and an alarm stands in the log', async () => {
    const within = await Promise.all(Array.from({ length: IDENTIFIERS }, (_, n) => screen('platform-a', far(n))));
    expect(within.map(({ status }) => status)).toEqual(Array(IDENTIFIERS).fill(200));
    const past = await screen('platform-a', far(IDENTIFIERS));
    expect(wants(past)).toEqual({
      status: 429,
      code: 'SCREENING_BUDGET_SPENT',
      retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    });
    expect(past.body.detail).toContain('administrator');
    expect((await screen('platform-a', far(3))).status).toBe(200);
    expect((await screen('platform-b', far(IDENTIFIERS))).status).toBe(200);
    await screen('platform-a', far(IDENTIFIERS + 1));
    const raised = (await alarms()).filter(({ alarm }) => alarm === 'screeningBudget');
    expect(raised).toEqual([expect.objectContaining({ member: 'platform-a', limit: IDENTIFIERS })]);
    const { body } = await api.call(undefined, 'GET', '/metrics');
    expect(body).toContain('liandun_alarms_total{alarm="screeningBudget"} 1');
  });

  test('many at the same moment do not pass it together', async () => {
    const { rows } = await api.pool.query(
      "select identifiers from budget.spent where member = 'platform-a' and identifiers > 0",
    );
    expect(rows).toEqual([{ identifiers: IDENTIFIERS }]);
  });

  test('hold over all processes and after a restart', async () => {
    const second: Api = await createApi(api.env);
    try {
      const token = await api.token('platform-a');
      const ask = async (serial: number): Promise<number> => {
        const identity = { kind: 'organization', name: '虚构贸易有限公司', uscc: makeUscc('990101', serial) };
        const answer = await fetch(`${second.url}/v1/screenings`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ identity, purpose: 'onboarding' }),
        });
        return answer.status;
      };
      expect([await ask(far(IDENTIFIERS + 2)), await ask(far(1))]).toEqual([429, 200]);
    } finally {
      await second.close();
    }
  });

  test('that lie side by side raise an alarm while they are still answered', async () => {
    for (let n = 0; n < NEIGHBOURS; n += 1) expect((await screen('platform-b', 10 + n)).status).toBe(200);
    expect(await alarms()).toContainEqual(
      expect.objectContaining({ alarm: 'neighbouringIdentifiers', member: 'platform-b', limit: NEIGHBOURS }),
    );
  });

  test('are kept as digests that nothing else in the ledger has', async () => {
    const { rows } = await api.pool.query<{ identifier: Buffer; kept: string }>(
      'select identifier, s::text as kept from budget.screened s',
    );
    expect(rows.length).toBeGreaterThan(IDENTIFIERS);
    for (const { identifier, kept } of rows) {
      expect(identifier).toHaveLength(32);
      expect(kept).not.toContain('990101');
    }
    const { rows: shared } = await api.pool.query(
      'select from budget.screened a join budget.screened b using (identifier) where a.member <> b.member',
    );
    expect(shared).toEqual([]);
  });
});

describe('P15, P18: look-ups that lead to nothing', () => {
  test('raise an alarm, and then none is answered any more; other questions are', async () => {
    const ask = (): Promise<Answer> => api.call('platform-b', 'GET', '/v1/entities/E0-000000000000');
    for (let n = 0; n < MISSES; n += 1) expect((await ask()).status).toBe(404);
    const refused = await ask();
    expect(wants(refused)).toEqual({
      status: 429,
      code: 'LOOKUP_BUDGET_SPENT',
      retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    });
    await until('the alarm', async () => (await alarms()).some(({ alarm }) => alarm === 'missedLookups'));
    expect((await api.call('platform-b', 'GET', '/v1/notices')).status).toBe(200);
  });
});

test('P15: administrators and regulators see the alarms, the member that they are about does not', async () => {
  const { body } = await api.call('regulator-beijing', 'GET', '/v1/alarms', { headers: AUDITED });
  expect(body.items).toEqual(await alarms());
  expect((await api.call('platform-b', 'GET', '/v1/alarms')).body.code).toBe('FORBIDDEN');
});

test('an address that nobody has a token for is limited by where it is asked from', async () => {
  const { headers } = await api.tokenAnswer({ grant_type: 'none' });
  expect(headers.get('ratelimit-policy')).toBe('"token";q=6000;w=60');
});

test('limits that make no sense keep the api from starting', async () => {
  const path = String(api.env['LIANDUN_LIMITS']);
  await writeFile(`${path}.wrong`, JSON.stringify({ rates: { read: -1 } }));
  await expect(createApi({ ...api.env, LIANDUN_LIMITS: `${path}.wrong` })).rejects.toThrow(
    '/rates/read must be a whole number from 1 up',
  );
});
