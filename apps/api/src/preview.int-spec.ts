import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { TestApi, type Answer, type TestMember } from '../../../test/support/api.js';
import { awayFromMidnight } from '../../../test/support/midnight.js';
import { caseOf, delisted, organization, person, reported } from '../../../test/support/submissions.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
beforeEach(() => awayFromMidnight()); // cases are counted by the day
afterAll(() => api.stop());

const preview = (event: unknown, who: TestMember = 'platform-a'): Promise<Answer> =>
  api.call(who, 'POST', '/v1/events:preview', { body: event, type: 'application/cloudevents+json' });

/** How many rows each table of the ledger has, with the log's position. */
async function everything(): Promise<object[]> {
  const { rows: tables } = await api.pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const counted: object[] = [];
  for (const { name } of tables) {
    const { rows } = await api.pool.query(
      `select '${name}' as name, count(*), md5(string_agg(t::text, '' order by t::text)) from ${name} t`,
    );
    counted.push(rows[0]);
  }
  return counted;
}

test('P21: the dry run writes nothing and counts nothing', async () => {
  await preview(delisted('platform-a', 'm-1', organization(1)));
  const before = await everything();
  for (let n = 0; n < 5; n += 1) await preview(delisted('platform-a', `m-${n}`, organization(n)));
  await preview(delisted('platform-a', 'm-1', person(1), 'platform-a' as never));
  await preview({ nothing: true });
  expect(await everything()).toEqual(before);
});

test('P21: it says what would be answered, with subjects, identifiers and the state of the limits', async () => {
  const identity = organization(2, { phones: ['13800000002'] });
  const { status, body } = await preview(delisted('platform-a', 'm-2', identity));
  expect(status).toBe(200);
  expect(body).toEqual({
    would: 'accepted',
    heldBecause: [],
    subjects: 1,
    identifiers: [
      { field: 'uscc', hub: false },
      { field: 'phones', hub: false },
    ],
    limits: { timesMean: 10, subjectsPerHour: 500, subjectsPerDay: 500, lastHour: 0, today: 0, mean: 0 },
  });
  const held = await preview(delisted('platform-a', 'm-2', identity, { code: 'E01' }));
  expect(held.body).toMatchObject({ would: 'held', heldBecause: ['hearing'] });
  const wrong = await preview(delisted('platform-a', 'm-2', identity, { code: 'X01' }));
  expect(wrong.body).toMatchObject({ would: 'rejected', problem: { errors: [expect.any(Object)] }, subjects: 0 });
  const sent = delisted('platform-a', 'm-2', identity);
  await api.publish('platform-a', sent);
  expect((await preview(sent)).body).toMatchObject({ would: 'duplicate' });
  const other = {
    ...sent,
    data: { ...(sent as { data: object }).data, ...caseOf('F04', { decidedBy: 'reviewer-9' }) },
  };
  expect((await preview(other)).body).toMatchObject({
    would: 'rejected',
    problem: { errors: [{ pointer: '/id', code: 'EVENT_ID_REUSED' }] },
  });
  expect((await preview(delisted('platform-a', 'm-3', identity))).body.limits).toMatchObject({ lastHour: 1, today: 1 });
});

test('P18: it says the same of a merchant that others host and of one that nobody knows', async () => {
  const known = organization(3, { phones: ['13800000003'] });
  await api.publish('platform-b', reported('platform-b', 'other', known));
  await api.publish('platform-b', delisted('platform-b', 'other', known));
  const hit = await preview(delisted('platform-a', 'm-4', known));
  const miss = await preview(delisted('platform-a', 'm-4', organization(4, { phones: ['13800000004'] })));
  expect(hit.body).toEqual(miss.body);
});
