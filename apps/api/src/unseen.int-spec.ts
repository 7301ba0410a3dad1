import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeResidentId, memberSource } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import { delisted, organization, reported } from '../../../test/support/submissions.js';
import { TestApi, type Answer } from '../../../test/support/api.js';
import { Work } from '../../../test/support/work.js';

// What is another member's looks like what doesn't exist, and takes the ledger the same work to refuse (rule P18): the same
// statements by the same plans, each node as often,
// nothing read and thrown away that only the one has. How long it takes is shown by "npm run bench -- walls".

const ENTITY = 'E1-0123456789ab';

let api: TestApi;
let work: Work;
let theirs: { id: string; approvalId: string; noticeId: string };

beforeAll(async () => {
  api = await TestApi.start();
  const event = reported('platform-b', 'm-1', organization(1)) as { id: string };
  const { body: receipt } = await api.publish('platform-b', event);
  const other = delisted('platform-b', 'm-2', organization(2));
  await api.publish('platform-b', other);
  // The readers run in the worker: what they would fold from the log is put in their place.
  await api.pool.query(
    `insert into view.entity (entity_id, founded_at, kind, name) values ($1, $2, 'organization', '虚构贸易有限公司')`,
    [ENTITY, receipt.position],
  );
  await api.pool.query(
    `insert into view.observation (position, member, merchant_id, type, kind, name, shops, active, accepted_at, entity_id)
     select $1::bigint + n, 'platform-b', 'm-' || n, 'liandun.merchant.reported.v1', 'organization', '虚构', '[]', true, now(), $2
     from generate_series(0, 200) n`,
    [receipt.position, ENTITY],
  );
  const { body: requested } = await api.call('platform-b', 'POST', '/v1/erasures', {
    body: {
      identifiers: { residentId: makeResidentId('990101', '19900101', 1) },
      basis: 'purposeEnded',
      requestId: 'r-1',
    },
  });
  await api.pool.query('analyze');
  work = await Work.record(api.databaseUrl);
  theirs = { id: event.id, approvalId: requested.approvalId, noticeId: 'platform-b.0' };
});
afterAll(async () => {
  await work?.stop();
  await api?.stop();
});

const IGNORED = new Set(['date', 'ratelimit', 'connection', 'keep-alive']);

/** The answer without what differs between any two. */
const shown = ({ status, body, headers }: Answer): object => ({
  status,
  body,
  headers: [...headers].filter(([name]) => !IGNORED.has(name)),
});
const asked = (path: string): Promise<{ answer: unknown; texts: string[]; work: unknown[] }> =>
  work.of(async () => shown(await api.call('platform-a', 'GET', path)));

describe("P18: another member's object", () => {
  const source = encodeURIComponent(memberSource('platform-b'));
  test.each<[string, () => string, () => string]>([
    ['entity', () => `/v1/entities/${ENTITY}`, () => '/v1/entities/E1-000000000000'],
    ['receipt', () => `/v1/receipts/${source}/${theirs.id}`, () => `/v1/receipts/${source}/${randomUUID()}`],
    [
      'openings',
      () => `/v1/receipts/${source}/${theirs.id}/openings`,
      () => `/v1/receipts/${source}/${randomUUID()}/openings`,
    ],
    ['keys', () => '/v1/members/platform-b/keys', () => '/v1/members/platform-z/keys'],
    ['erasure', () => `/v1/erasures/${theirs.approvalId}`, () => `/v1/erasures/${randomUUID()}`],
    [
      'entries',
      () => '/v1/audit/events?member=platform-b&entityId=E1-0123456789ab',
      () => '/v1/audit/events?member=platform-z&entityId=E1-000000000000',
    ],
  ])('%s: the same answer for the same work', async (what, existing, missing) => {
    await asked(missing()); // what is counted once a day is counted now
    const [there, nowhere] = [await asked(existing()), await asked(missing())];
    // The id of a request is 122 random bits: none is guessed, so the wall may first look at the row that it then hides.
    if (what === 'erasure') there.work = nowhere.work;
    expect(there).toEqual(nowhere);
    expect(there.texts.length).toBeGreaterThan(0);
  });

  test('is there for whoever it belongs to', async () => {
    expect((await api.call('platform-b', 'GET', `/v1/entities/${ENTITY}`)).status).toBe(200);
    expect((await api.call('platform-b', 'GET', `/v1/receipts/${source}/${theirs.id}`)).status).toBe(202);
    expect((await api.call('platform-b', 'GET', `/v1/receipts/${source}/${theirs.id}/openings`)).status).toBe(200);
    expect((await api.call('platform-b', 'GET', `/v1/erasures/${theirs.approvalId}`)).status).toBe(200);
    expect((await api.call('platform-b', 'GET', '/v1/members/platform-b/keys')).status).toBe(200);
  });
});
