import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, SUBMITTED_TYPES, type CloudEvent, type NoticeIssued, type Receipt } from '@liandun/contracts';
import { relayLag } from '@liandun/messaging';
import { InboxPublisher } from '@liandun/sdk';
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { drawn } from '../support/drawn.js';
import { env, until } from '../support/kafka.js';
import { feedOf, listingOf, openStores, Platform, topicOf, type Stores } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, ending, organization, reported } from '../support/submissions.js';
import { Stops, type Step } from './stops.js';

const [SENDER, HOST, SOMETIMES] = ['wk-a', 'wk-b', 'wk-c'];

/** What was done to one merchant. SENDER delists him, HOST has a shop of his, SOMETIMES only where `both`. */
interface Merchant {
  merchantId: string;
  both: boolean;
  delistingId: string;
  listingId: string;
  reinstated: boolean;
}

let product: Product;
let pool: pg.Pool;
let stores: Stores;
let stops: Stops;
let inbox: InboxPublisher;
const platforms = new Map<string, Platform>();
const at = (memberId: string): Platform => platforms.get(memberId) as Platform;
const merchants: Merchant[] = [];
const receipts: Receipt[] = [];
let serial = drawn(1_000, 500_000);

beforeAll(async () => {
  product = await Product.start([SENDER, HOST, SOMETIMES].map((memberId) => ({ memberId, role: 'platform' as const })));
  pool = product.pool();
  stops = await Stops.install(pool);
  stores = await openStores();
  platforms.set(HOST, await Platform.open(product, HOST, 'kafka', stores));
  platforms.set(SOMETIMES, await Platform.open(product, SOMETIMES, 'feed', stores));
  inbox = await new InboxPublisher({
    client: product.client(SENDER),
    brokers: env('KAFKA_BROKERS'),
    receiptTimeoutMs: 150_000,
  }).open();
}, 180_000);

afterAll(async () => {
  await inbox?.close();
  await Promise.all([...platforms.values()].map((each) => each.close()));
  await stops?.close();
  await pool?.end();
  await stores?.drop();
  await product?.stop();
});

const taken = (given: Receipt[]): Receipt[] => {
  expect(given.filter(({ status }) => status === 'rejected' || status === 'held')).toEqual([]);
  receipts.push(...given);
  return given;
};
const publish = async (memberId: string, event: object): Promise<Receipt> =>
  taken([await product.client(memberId).publish(event as CloudEvent)])[0] as Receipt;
const publishOverKafka = async (event: object): Promise<Receipt> =>
  taken(await inbox.publish([event as CloudEvent]))[0] as Receipt;

/** A merchant of HOST, and of SOMETIMES, whom SENDER delists. */
async function delist(both: boolean, send: (event: object) => Promise<Receipt>): Promise<Merchant> {
  serial += 1;
  const [merchantId, delistingId] = [`m-${randomUUID()}`, randomUUID()];
  await publish(HOST, reported(HOST, merchantId, organization(serial)));
  if (both) await publish(SOMETIMES, reported(SOMETIMES, merchantId, organization(serial)));
  const receipt = await send(delisted(SENDER, merchantId, organization(serial), { id: delistingId }));
  const merchant = { merchantId, both, delistingId, listingId: listingOf(receipt), reinstated: false };
  merchants.push(merchant);
  return merchant;
}

async function reinstate(merchant: Merchant): Promise<void> {
  const data = { delistingId: merchant.delistingId, cause: 'wrongFinding' };
  await publish(SENDER, ending(SENDER, SUBMITTED_TYPES.merchantReinstated, data));
  merchant.reinstated = true;
}

async function issued(memberId: string): Promise<{ version: number; data: NoticeIssued }[]> {
  const { rows } = await pool.query<{ version: number; entry: string }>(
    'select version, entry from log.entry where stream = $1 order by version',
    [`notices/${memberId}`],
  );
  return rows.map(({ version, entry }) => ({ version, data: (JSON.parse(entry) as { data: NoticeIssued }).data }));
}

const actionsOf = (notices: { data: NoticeIssued }[], { listingId }: Merchant): string[] =>
  notices.filter(({ data }) => data.listingId === listingId).map(({ data }) => data.action);

/**
 * Whether every platform has heard of a merchant's listing. HOST may hear of it earlier than a platform that doesn't host him: a
 * reader that is behind comes upon his account first. A listing that ends in between is never told of to the other, rightly.
 */
async function isAnnounced(merchant: Merchant): Promise<boolean> {
  const toldTo = async (memberId: string): Promise<string[]> => actionsOf(await issued(memberId), merchant);
  return (await toldTo(HOST)).includes('close') && (await toldTo(SOMETIMES)).length > 0;
}

const announced = async (merchant: Merchant): Promise<void> =>
  until(`${merchant.listingId} is told of`, () => isAnnounced(merchant), 120_000);

/** Every reader has gone over the whole log, and Kafka has every notice (I11). */
async function drained(): Promise<void> {
  await product.settled();
  await until('Kafka has every notice', async () => (await relayLag(pool)).size === 0, 60_000);
}

/** The shops that are closed after these notices, as the log says. */
function closedAfter(notices: { data: NoticeIssued }[]): string[] {
  const closed = new Map<string, Set<string>>();
  for (const { data } of notices) {
    for (const { shopId } of data.shops) {
      const by = closed.get(shopId) ?? new Set();
      closed.set(shopId, by);
      if (data.action === 'close') by.add(data.listingId);
      if (data.action === 'reopen') by.delete(data.listingId);
    }
  }
  return [...closed].flatMap(([shopId, by]) => (by.size > 0 ? [shopId] : [])).toSorted();
}

/** I1, I3, I4, I8 of what has happened so far. */
async function expectWhole(): Promise<void> {
  await drained();
  const { rows } = await pool.query<{ gaps: number; parked: number; repeated: number }>(
    `select (select (max(position) + 1 - count(*))::int from log.entry) as gaps,
       (select count(*)::int from log.parked) as parked,
       (select count(*)::int from (select from log.entry group by source, id having count(*) > 1) r) as repeated`,
  );
  expect(rows).toEqual([{ gaps: 0, parked: 0, repeated: 0 }]);
  const { rows: accepted } = await pool.query('select from log.entry where id = any($1)', [
    receipts.map(({ id }) => id),
  ]);
  expect(accepted).toHaveLength(new Set(receipts.map(({ id }) => id)).size);
  for (const memberId of [HOST, SOMETIMES]) {
    const notices = await issued(memberId);
    expect(notices.map(({ version, data }) => [version, data.seq, data.noticeId])).toEqual(
      notices.map((_, n) => [n, n, `${memberId}.${n}`]),
    );
    const told = merchants.map((merchant) => actionsOf(notices, merchant));
    expect(told).toEqual(
      merchants.map(({ both, reinstated }) => {
        const [there, back] = memberId === HOST || both ? ['close', 'reopen'] : ['restrictAdmission', 'lift'];
        return reinstated ? [there, back] : [there];
      }),
    );
    await expectDelivered(memberId, notices);
  }
  expect(await issued(SENDER)).toEqual([]);
}

/** The topic has each notice in order, repeats only as repeats; the platform handled each once and sees what the log says. */
async function expectDelivered(memberId: string, notices: { data: NoticeIssued }[]): Promise<void> {
  const last = notices.length - 1;
  const feed = (await feedOf(product.client(memberId))).map((each) => JSON.stringify(each));
  const topic = (await topicOf(memberId, last)).map((each) => JSON.stringify(each));
  expect([...new Set(topic)]).toEqual(feed);
  await at(memberId).handledUpTo(last);
  const handled = (await at(memberId).effects()).map(({ noticeId }) => noticeId);
  expect(handled).toEqual(notices.map(({ data }) => data.noticeId));
  expect(await at(memberId).closed()).toEqual(closedAfter(notices));
}

const linked = `new.type = '${EVENT_TYPES.entityLinked}'`;
const notice = `new.type = '${EVENT_TYPES.noticeIssued}'`;
const hosts = `old.member = '${HOST}'`;
const fromInbox = `new.source = 'urn:liandun:member:${SENDER}' and current_setting('application_name') = 'liandun-worker'`;

describe('killed between two steps of a batch', () => {
  const steps: Step[] = [
    { name: 'reconcile: nothing done', on: 'before update on log.reader', when: "old.name = 'reconcile'" },
    { name: 'reconcile: links kept, outcomes not appended', on: 'after insert on identity.link' },
    { name: 'reconcile: outcomes appended', on: 'after insert on log.entry', when: linked },
    { name: 'reconcile: at the commit, which is lost', on: 'after insert on identity.link', atCommit: true },
    {
      name: 'reconcile: at the commit, which succeeds',
      on: 'after insert on identity.link',
      atCommit: true,
      commits: true,
    },
    { name: 'notify: nothing done', on: 'before update on log.reader', when: "old.name = 'notify'" },
    { name: 'notify: folded, nothing decided', on: 'after insert on view.listing' },
    { name: 'delist: notices appended', on: 'after insert on log.entry', when: notice },
    { name: 'delist: notices folded', on: 'after insert on view.notice' },
    { name: 'delist: at the commit, which is lost', on: 'after insert on log.entry', when: notice, atCommit: true },
    {
      name: 'delist: at the commit, which succeeds',
      on: 'after insert on log.entry',
      when: notice,
      atCommit: true,
      commits: true,
    },
    { name: 'delist: told, checkpoint not moved', on: 'before update on log.reader', when: "old.name = 'delist'" },
    { name: 'relay: acknowledged by Kafka, cursor not moved', on: 'before update on relay.cursor', when: hosts },
    { name: 'relay: cursor moving, which succeeds', on: 'after update on relay.cursor', when: hosts, commits: true },
  ];

  test.each(steps.map((step, n) => [step.name, step, n] as const))(
    '%s',
    async (_name, step, n) => {
      let merchant: Merchant | undefined;
      await stops.killAt(step, product, 'worker', async () => {
        merchant = await delist(n % 2 === 0, (event) => publish(SENDER, event));
      });
      await product.run('worker');
      await announced(merchant as Merchant);
      if (n % 2 === 0) await reinstate(merchant as Merchant);
    },
    180_000,
  );

  const alone = ['notify', 'delist'];
  const apart = steps.filter(({ name }) => / at the commit|notify: |told, checkpoint/.test(name));
  test.each(apart.map((step, n) => [step.name, step, n] as const))(
    'where each reader commits by itself: %s',
    async (_name, step, n) => {
      await drained();
      // A reader of which something is parked is not carried by another.
      await pool.query(
        "insert into log.parked (reader, position, keys, error) select unnest($1::text[]), 0, array['a test'], 'a test'",
        [alone],
      );
      let merchant: Merchant | undefined;
      await stops.killAt(step, product, 'worker', async () => {
        merchant = await delist(n % 2 === 0, (event) => publish(SENDER, event));
      });
      await product.run('worker');
      await announced(merchant as Merchant);
      await drained();
      await pool.query('delete from log.parked where reader = any($1)', [alone]);
      if (n % 2 === 0) await reinstate(merchant as Merchant);
    },
    180_000,
  );

  test.each<Step>([
    {
      name: 'restore: the listing ended, nobody told',
      on: 'after update on view.listing',
      when: 'new.ended_at is not null',
    },
    { name: 'restore: reopening appended', on: 'after insert on log.entry', when: notice },
    { name: 'restore: reopening folded', on: 'after update on view.told', when: 'new.ended' },
    {
      name: 'restore: at the commit, which is lost',
      on: 'after update on view.told',
      when: 'new.ended',
      atCommit: true,
    },
    {
      name: 'restore: at the commit, which succeeds',
      on: 'after update on view.told',
      when: 'new.ended',
      atCommit: true,
      commits: true,
    },
  ])('P09: $name', async (step) => {
    const merchant = await delist(true, (event) => publish(SENDER, event));
    await announced(merchant);
    await stops.killAt(step, product, 'worker', () => reinstate(merchant));
    await product.run('worker');
    const reopened = async (): Promise<boolean> => actionsOf(await issued(HOST), merchant).includes('reopen');
    await until(`${merchant.listingId} is reopened`, reopened, 120_000);
  });

  test.each<Step>([
    { name: 'inbox: appended, not committed', on: 'after insert on log.entry', when: fromInbox },
    {
      name: 'inbox: committed, no receipt sent',
      on: 'after insert on log.entry',
      when: fromInbox,
      atCommit: true,
      commits: true,
    },
  ])('$name', async (step) => {
    let done: Promise<Merchant> | undefined;
    await stops.killAt(step, product, 'worker', async () => {
      done = delist(true, publishOverKafka);
      done.catch(() => undefined); // awaited below, once the worker is back
    });
    await product.run('worker');
    const merchant = await (done as Promise<Merchant>);
    expect(receipts.at(-1)?.status).toBe(step.commits ? 'duplicate' : 'accepted');
    await announced(merchant);
  });

  test('what was sent before its cursor moved is on the topic again, as the same bytes', async () => {
    await drained();
    const sent = (await topicOf(HOST, (await issued(HOST)).length - 1)).map((each) => JSON.stringify(each));
    expect(sent.length).toBeGreaterThan(new Set(sent).size);
    expect(new Set(sent).size).toBe((await issued(HOST)).length);
  }, 180_000);

  test('afterwards nothing is missing, nothing is there twice, and everybody is up to date', expectWhole, 240_000);
});

test('killed again and again at any moment, while delistings, reports and reinstatements flow', async () => {
  const enough = new AbortController();
  const flow = (async () => {
    for (let n = 0; n < 40 || !enough.signal.aborted; n += 1) {
      await delist(n % 3 !== 0, n % 8 === 0 ? publishOverKafka : (event) => publish(SENDER, event));
      const earlier = merchants.at(-randomInt(2, 12));
      if (n % 2 === 0 && earlier && !earlier.reinstated && (await isAnnounced(earlier))) await reinstate(earlier);
      await sleep(randomInt(40));
      if (merchants.length > 400) return;
    }
  })();
  for (let kill = 0; kill < 6; kill += 1) {
    await product.kill('worker');
    const started = product.run('worker').catch(() => undefined);
    await Promise.race([started, sleep(randomInt(300, 4_000))]);
    await sleep(randomInt(600));
    if (kill === 5) await started;
  }
  enough.abort();
  await flow;
  await expectWhole();
}, 400_000);
