// How long a close and a reopen take while delistings flood in.
import { EVENT_TYPES, LEDGER_SOURCE, memberSource, type NoticeIssued } from '@liandun/contracts';
import { runReader, type EventLog, type NewEvent, type Reader } from '@liandun/event-log';
import { noticesTopic, Relay, unsentNotices } from '@liandun/messaging';
import { kafkaClient } from '@liandun/sdk';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { notifyReader } from '../../apps/worker/src/notify.js';
import { delistReader } from '../../apps/worker/src/notify/delist.js';
import { quantile } from './statistics.js';

/** As in the product. */
const UNSENT_MAX = 5_000;
const NOTICES_PER_SECOND = 600;
const SETTLED_EVERY_MS = 50;

export interface Latencies {
  backlog: number;
  /** Milliseconds from the acceptance of the cause to the receipt by a platform's consumer. */
  close: number[];
  reopen: number[];
  /** How many of the backlog's notices were still to be told when the load had ended. */
  leftOver: number;
}

export interface Load {
  publisher: string;
  receivers: string[];
  delisting: (serial: number) => NewEvent;
  seconds: number;
  backlog: number;
  /** The first serial that nobody has used. */
  from: number;
}

export const ledgerEvent = (type: string, stream: string, data: object): NewEvent => ({
  id: randomBytes(8).toString('hex'),
  source: LEDGER_SOURCE,
  type,
  time: new Date().toISOString(),
  stream,
  data,
  fingerprint: randomBytes(32),
});

/** Appends what identifies merchants, each with its link, as the matcher would: `entityOf` says whose it is, by default its own. */
export async function linked(
  log: EventLog,
  events: NewEvent[],
  entityOf: (n: number) => { entityId: string; sameAs: number } | undefined = () => undefined,
): Promise<{ position: number; entityId: string }[]> {
  const outcomes = await log.appendAll(events.map((event) => ({ events: [event] })));
  const placed = outcomes.map((outcome, n) => {
    if (outcome.status !== 'appended') throw new Error(outcome.status);
    const { position, leafHash } = outcome.receipts[0]!;
    const known = entityOf(n);
    return {
      position,
      founded: !known,
      ...(known ?? { entityId: `E${position}-${leafHash.toString('hex', 0, 6)}`, sameAs: position }),
    };
  });
  const links = placed.map(({ position, entityId, founded, sameAs }) => {
    const same = { founded, because: [], sameAs, strongAs: sameAs, matcher: 'bench', possible: [] };
    return {
      events: [
        ledgerEvent(EVENT_TYPES.entityLinked, `entity/${entityId}`, { observation: position, entityId, ...same }),
      ],
    };
  });
  await log.appendAll(links);
  return placed;
}

/** What folds and takes back, and what tells of delistings, as the worker runs them. */
export function tellers(pool: pg.Pool, log: EventLog, unsentMax?: number): Reader[] {
  const notify = runReader(pool, notifyReader(log));
  const unsent = unsentMax && { count: () => unsentNotices(pool, unsentMax), max: unsentMax };
  const folded = (position: number): Promise<void> => notify.reached(position);
  return [notify, runReader(pool, delistReader(log, { folded, ...(unsent && { unsent }) }))];
}

/** Until nothing is left to fold or to tell. */
export async function until(running: Reader[], log: EventLog): Promise<void> {
  for (let before = -1; ;) {
    const head = await log.head();
    if (head === before) return;
    await Promise.all(running.map((reader) => reader.reached(head)));
    before = head;
  }
}

/** Receives the topics and notes when each notice of a listing came. */
async function receive(brokers: string, members: string[]) {
  const came = new Map<string, number[]>();
  const consumer = kafkaClient({ brokers, clientId: 'bench' }).consumer({
    groupId: `bench-${randomUUID()}`,
    maxWaitTimeInMs: 20,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: members.map(noticesTopic), fromBeginning: false });
  const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
  await consumer.run({
    eachMessage: ({ message }) => {
      const { data } = JSON.parse(String(message.value)) as { data: NoticeIssued };
      const key = `${data.action} ${data.listingId}`;
      came.set(key, [...(came.get(key) ?? []), performance.now()]);
      return Promise.resolve();
    },
  });
  await joined;
  await sleep(1_000);
  return { came, stop: () => consumer.disconnect() };
}

interface Merchant {
  serial: number;
  entityId: string;
  position: number;
}

/** Merchants that every receiver hosts. */
async function hosted(log: EventLog, { delisting, receivers, from }: Load, count: number): Promise<Merchant[]> {
  const serials = Array.from({ length: count }, (_, n) => from + n);
  const report = (member: string, serial: number): NewEvent => {
    const { data } = delisting(serial);
    const { merchantId, identity } = data as { merchantId: string; identity: object };
    const shops = [{ shopId: `${member}-${serial}`, name: '示例店', url: 'https://shop.example/1' }];
    const stream = `merchant/${member}/${merchantId}`;
    const event = ledgerEvent(EVENT_TYPES.merchantReported, stream, { merchantId, identity, shops, status: 'active' });
    return { ...event, source: memberSource(member) };
  };
  const [first, ...others] = receivers;
  const founded = await linked(
    log,
    serials.map((serial) => report(first!, serial)),
  );
  for (const member of others)
    await linked(
      log,
      serials.map((serial) => report(member, serial)),
      (n) => ({ entityId: founded[n]!.entityId, sameAs: founded[n]!.position }),
    );
  return founded.map((one, n) => ({ ...one, serial: serials[n]! }));
}

const listingOf = (position: number, leafHash: Buffer): string => `L${position}-${leafHash.toString('hex', 0, 6)}`;

async function publish(
  log: EventLog,
  load: Load,
  { serial, entityId, position }: Merchant,
): Promise<{ key: string; id: string; at: number }> {
  const event = load.delisting(serial);
  const outcome = await log.append({ events: [event] });
  const at = performance.now();
  if (outcome.status !== 'appended') throw new Error(outcome.status);
  const receipt = outcome.receipts[0]!;
  const same = { founded: false, because: [], sameAs: position, strongAs: position, matcher: 'bench', possible: [] };
  const link = { observation: receipt.position, entityId, ...same };
  await log.append({ events: [ledgerEvent(EVENT_TYPES.entityLinked, `entity/${entityId}`, link)] });
  return { key: listingOf(receipt.position, receipt.leafHash), id: event.id, at };
}

async function reinstate(log: EventLog, { publisher }: Load, delistingId: string): Promise<number> {
  const data = { delistingId, cause: 'wrongFinding', decidedAt: new Date().toISOString(), decidedBy: 'reviewer-1' };
  const event = ledgerEvent(EVENT_TYPES.merchantReinstated, `merchant/${publisher}/${delistingId}`, data);
  await log.append({ events: [{ ...event, source: memberSource(publisher) }] });
  return performance.now();
}

/** Half of the notices close and half reopen, evenly, with so many delistings before them as the backlog has. */
export async function latencies(pool: pg.Pool, log: EventLog, brokers: string, load: Load): Promise<Latencies> {
  const { receivers, seconds, backlog } = load;
  const perSecond = NOTICES_PER_SECOND / 2 / receivers.length;
  const count = Math.round(perSecond * seconds);
  const merchants = await hosted(log, load, 2 * count);
  const [stock, fresh] = [merchants.slice(0, count), merchants.slice(count)];
  const running = tellers(pool, log, UNSENT_MAX);
  const relay = new Relay({ pool, brokers }).start();
  const told = await Promise.all(stock.map((merchant) => publish(log, load, merchant)));
  await until(running, log);
  while ((await unsentNotices(pool, UNSENT_MAX)) > 0) await sleep(SETTLED_EVERY_MS);
  const { came, stop } = await receive(brokers, receivers);
  const flood = Array.from({ length: backlog }, (_, n) => load.delisting(load.from + 2 * count + n));
  if (backlog > 0) await linked(log, flood);
  const sent = new Map<string, number>();
  const start = performance.now();
  const causes: Promise<unknown>[] = [];
  for (let n = 0; n < count; n += 1) {
    const wait = start + (n / perSecond) * 1000 - performance.now();
    if (wait > 0) await sleep(wait);
    causes.push(publish(log, load, fresh[n]!).then(({ key, at }) => sent.set(`close ${key}`, at)));
    causes.push(reinstate(log, load, told[n]!.id).then((at) => sent.set(`reopen ${told[n]!.key}`, at)));
  }
  await Promise.all(causes);
  const leftOver = await behind(pool);
  await until(running, log);
  const all = (): boolean => [...sent.keys()].every((key) => came.get(key)?.length === receivers.length);
  while (!all()) await sleep(SETTLED_EVERY_MS);
  await Promise.all([stop(), relay.stop(), ...running.map((reader) => reader.stop())]);
  const of = (action: string): number[] =>
    [...sent].filter(([key]) => key.startsWith(action)).flatMap(([key, at]) => came.get(key)!.map((time) => time - at));
  return { backlog, close: of('close'), reopen: of('reopen'), leftOver };
}

async function behind(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ lag: string }>(
    `select count(*) as lag from view.listing l where l.due_at > (select position from log.reader where name = 'delist')`,
  );
  return Number(rows[0]!.lag);
}

const rounded = (value: number): number => Number(value.toFixed(1));

/** One line of the table. */
export const latencyRow = (what: string, { close, reopen, leftOver }: Latencies): Record<string, string | number> => ({
  what,
  'close p50 ms': rounded(quantile(close, 0.5)),
  'close p99 ms': rounded(quantile(close, 0.99)),
  'reopen p50 ms': rounded(quantile(reopen, 0.5)),
  'reopen p99 ms': rounded(quantile(reopen, 0.99)),
  'delistings left over': leftOver,
});
