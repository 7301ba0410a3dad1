import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import { LiandunClient } from '@liandun/sdk';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { until } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { organization, reported } from '../support/submissions.js';

const PLATFORM = 'apikill-platform';
let product: Product;
let pool: pg.Pool;

beforeAll(async () => {
  product = await Product.start([{ memberId: PLATFORM, role: 'platform' }], undefined, ['api']);
  pool = product.pool();
}, 180_000);

afterAll(async () => {
  await pool?.end();
  await product?.stop();
});

/** A client that outlives a restart of the API on a busy machine. */
const patient = (): LiandunClient =>
  new LiandunClient({
    url: product.url,
    memberId: PLATFORM,
    key: product.keys.get(PLATFORM) as never,
    attemptsMax: 100,
  });

const merchants = (count: number): CloudEvent[] =>
  Array.from({ length: count }, (_, n) => reported(PLATFORM, `m-${randomUUID()}`, organization(n))) as CloudEvent[];

/** Each event has a receipt and is in the log once, there where the receipt says; positions have no gap (I1, I2, I8). */
async function expectEachOnce(events: CloudEvent[], receipts: Receipt[]): Promise<void> {
  const byId = Map.groupBy(receipts, ({ id }) => id);
  expect(receipts.filter(({ status }) => status !== 'accepted' && status !== 'duplicate')).toEqual([]);
  expect(byId.size).toBe(events.length);
  const { rows } = await pool.query<{ id: string; position: string }>(
    'select id, position from log.entry where source = $1 and id = any($2)',
    [`urn:liandun:member:${PLATFORM}`, events.map(({ id }) => id)],
  );
  expect(rows).toHaveLength(events.length);
  const receipted = rows.map(({ id }) => [...new Set(byId.get(id)?.map(({ position }) => position))]);
  expect(receipted).toEqual(rows.map(({ position }) => [Number(position)]));
  const { rows: dense } = await pool.query<{ gaps: number }>(
    'select (max(position) + 1 - count(*))::int as gaps from log.entry',
  );
  expect(dense).toEqual([{ gaps: 0 }]);
}

const storedOf = async (events: CloudEvent[]): Promise<number> => {
  const sql = 'select count(*)::int as count from log.entry where id = any($1)';
  return (await pool.query<{ count: number }>(sql, [events.map(({ id }) => id)])).rows[0]?.count ?? 0;
};

test('killed three times in the middle of a stream: the client goes on, and each of 8,000 events is stored once', async () => {
  const events = merchants(8_000);
  const receipts: Receipt[] = [];
  const kills = [500, 2_500, 5_000];
  let restarted: Promise<void> = Promise.resolve();
  for await (const receipt of patient().publishStream(events)) {
    receipts.push(receipt);
    if (receipts.length < (kills[0] ?? Infinity)) continue;
    kills.shift();
    // It answers a little before it is seen to be ready.
    await restarted;
    await product.kill('api');
    restarted = product.run('api');
  }
  await restarted;
  expect(kills).toEqual([]);
  await expectEachOnce(events, receipts);
  // Sent once more as a whole, everything has the first receipts.
  const again = await patient().publish(events);
  expect(new Set(again.map(({ status }) => status))).toEqual(new Set(['duplicate']));
  await expectEachOnce(events, [...receipts, ...again]);
}, 240_000);

test('killed while a group is being appended: what has no receipt is stored by the retry, once', async () => {
  const events = merchants(700);
  const lock = await pool.connect();
  await lock.query('begin');
  // Whoever appends waits here, with its group sent.
  await lock.query('select from log.head for update');
  const waiting = async (): Promise<number[]> => {
    const { rows } = await pool.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and usename = 'liandun_api'`,
    );
    return rows.map(({ pid }) => pid);
  };
  const receipts: Receipt[] = [];
  const published = (async () => {
    for await (const receipt of patient().publishStream(events)) receipts.push(receipt);
  })();
  await until('an append waits', async () => (await waiting()).length > 0);
  await product.kill('api');
  expect(receipts).toEqual([]);
  // As after a power cut: what the dead process had not committed is gone.
  await pool.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [await waiting()]);
  await lock.query('rollback');
  lock.release();
  expect(await storedOf(events)).toBe(0);
  await product.run('api');
  await published;
  await expectEachOnce(events, receipts);
});

test('killed after the commit and before the receipts: the retry has the first receipts as duplicates', async () => {
  const events = merchants(20);
  // The connection is cut off by the kill; that its events were stored is seen before.
  const held = await pool.connect();
  await held.query('select pg_advisory_lock(4711)');
  await pool.query(`
    create function stop_at_commit() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock_shared(4711); return null; end $$`);
  await pool.query(`
    create constraint trigger stop_at_commit after insert on log.entry deferrable initially deferred
    for each row execute function stop_at_commit()`);
  const receipts: Receipt[] = [];
  const published = (async () => {
    for await (const receipt of patient().publishStream(events)) receipts.push(receipt);
  })();
  await until('a commit waits', async () => {
    const sql = `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;
    return (await pool.query(sql)).rowCount !== 0;
  });
  await product.kill('api');
  // The commit was sent before the process died: the database carries it out.
  await held.query('select pg_advisory_unlock(4711)');
  held.release();
  await until('the events are stored', async () => (await storedOf(events)) === events.length);
  await pool.query('drop trigger stop_at_commit on log.entry');
  await product.run('api');
  await published;
  expect(new Set(receipts.map(({ status }) => status))).toEqual(new Set(['duplicate']));
  await expectEachOnce(events, receipts);
});
