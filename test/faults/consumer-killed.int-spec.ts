import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EVENT_TYPES, memberSource, SUBMITTED_TYPES, type CloudEvent, type Receipt } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createTestDatabase } from '../support/database.js';
import { drawn } from '../support/drawn.js';
import { env, until } from '../support/kafka.js';
import { feedOf } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, ending, organization, shopOf } from '../support/submissions.js';
import { Stops, type Step } from './stops.js';

const [SENDER, KAFKA, FEED] = ['ck-a', 'ck-b', 'ck-c'];

let product: Product;
let log: pg.Pool;
let serial = drawn(1_000, 900_000);
const stores = new Map<string, { pool: pg.Pool; stops: Stops; drop: () => Promise<void> }>();
const storeOf = (memberId: string) => stores.get(memberId) as { pool: pg.Pool; stops: Stops };

beforeAll(async () => {
  product = await Product.start([SENDER, KAFKA, FEED].map((memberId) => ({ memberId, role: 'platform' as const })));
  log = product.pool();
  for (const [memberId, brokers] of [
    [KAFKA, env('KAFKA_BROKERS')],
    [FEED, ''],
  ] as const) {
    const { url, drop } = await createTestDatabase();
    const pool = new pg.Pool({ connectionString: url, max: 4 });
    await product.runPlatform(memberId, { DATABASE_URL: url, KAFKA_BROKERS: brokers });
    stores.set(memberId, { pool, stops: await Stops.install(pool), drop });
  }
}, 180_000);

afterAll(async () => {
  await log?.end();
  await product?.stop();
  for (const { pool, stops, drop } of stores.values()) {
    await stops.close();
    await pool.end();
    await drop();
  }
});

const accepted = (receipt: Receipt): void => expect(receipt).toMatchObject({ status: 'accepted' });

/** Merchants with a shop at `memberId`, delisted by another platform at once, so that their notices come in one go. */
async function delistSome(memberId: string, count: number): Promise<string[]> {
  const merchants = Array.from({ length: count }, () => `m-${randomUUID()}`);
  const identities = merchants.map(() => organization((serial += 1)));
  const hosted = merchants.map((merchantId, n) => ({
    merchantId,
    identity: identities[n],
    shops: [shopOf(`${merchantId}-s1`)],
    status: 'active',
  }));
  const answer = await fetch(`${product.urlOf(memberId)}/merchants`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(hosted),
  });
  expect(answer.status).toBe(201);
  const events = merchants.map((merchantId, n) => delisted(SENDER, merchantId, identities[n] as object));
  (await product.client(SENDER).publish(events as CloudEvent[])).forEach(accepted);
  return merchants;
}

async function reinstateAll(merchants: string[]): Promise<void> {
  const events = merchants.map((merchantId) =>
    ending(SENDER, SUBMITTED_TYPES.merchantReinstated, { merchantId, cause: 'cured' }),
  );
  (await product.client(SENDER).publish(events as CloudEvent[])).forEach(accepted);
}

async function issuedTo(memberId: string): Promise<number> {
  const { rows } = await log.query<{ next: number }>(
    'select coalesce(max(version) + 1, 0) as next from log.stream where stream = $1',
    [`notices/${memberId}`],
  );
  return rows[0]?.next ?? 0;
}

/** Each notice has one effect in the store and one disposition in the log, in order; nothing was set aside (I3). */
async function expectOnce(memberId: string, count: number): Promise<void> {
  const { pool } = storeOf(memberId);
  await until(
    `${memberId} has handled and answered ${count} notices`,
    async () => {
      const { rows } = await pool.query('select from disposition where published');
      return rows.length >= count;
    },
    120_000,
  );
  const notices = (await feedOf(product.client(memberId))).map(({ data }) => data.noticeId);
  expect(notices).toHaveLength(count);
  const { rows: handled } = await pool.query<{ notice_id: string }>('select notice_id from disposition order by no');
  expect(handled.map(({ notice_id }) => notice_id)).toEqual(notices);
  expect((await pool.query('select from liandun_failed_notice')).rowCount).toBe(0);
  const { rows: disposed } = await log.query<{ id: string }>(
    'select id from log.entry where source = $1 and type = $2 order by position',
    [memberSource(memberId), EVENT_TYPES.noticeDisposed],
  );
  expect(disposed.map(({ id }) => id)).toEqual(notices.map((noticeId) => `disposed-${noticeId}`));
}

async function closedShops(memberId: string): Promise<string[]> {
  const sql = "select shop_id from shop where status = 'closed' order by shop_id";
  return (await storeOf(memberId).pool.query<{ shop_id: string }>(sql)).rows.map(({ shop_id }) => shop_id);
}

const steps: [string, Step][] = [
  [
    KAFKA,
    {
      name: 'its effect is committed, its offset is not',
      on: 'after update on liandun_cursor',
      atCommit: true,
      commits: true,
    },
  ],
  [
    FEED,
    { name: 'its effect is written, not committed', on: 'before update on liandun_cursor', when: 'new.seq > old.seq' },
  ],
  [
    FEED,
    {
      name: 'its effect is committed',
      on: 'after update on liandun_cursor',
      when: 'new.seq > old.seq',
      atCommit: true,
      commits: true,
    },
  ],
  [FEED, { name: 'its answer is sent, and not marked as sent', on: 'before update on disposition' }],
];

test.each(steps.map(([memberId, step]) => [memberId, step.name, step] as const))(
  'a program of %s killed where %s repeats nothing in its store',
  async (memberId, _name, step) => {
    const before = await issuedTo(memberId);
    const closed = await closedShops(memberId);
    let merchants: string[] = [];
    await storeOf(memberId).stops.killAt(step, product, memberId, async () => {
      merchants = await delistSome(memberId, 5);
    });
    await product.run(memberId);
    await expectOnce(memberId, before + 5);
    expect(await closedShops(memberId)).toEqual([...closed, ...merchants.map((each) => `${each}-s1`)].toSorted());
    await reinstateAll(merchants);
    await expectOnce(memberId, before + 10);
    expect(await closedShops(memberId)).toEqual(closed);
  },
  180_000,
);
