import { entityIdOf, EVENT_TYPES, LEDGER_SOURCE, loadWorkingDays, makeUscc, memberSource } from '@liandun/contracts';
import { EventLog, inTransaction, migrate, runReader, type NewEvent, type Reader } from '@liandun/event-log';
import { followMembers, kafkaAdmin, noticesTopic, Relay, relayLag } from '@liandun/messaging';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LifeClock } from '../../apps/worker/src/clock.js';
import { notifyReader } from '../../apps/worker/src/notify.js';
import { delistReader } from '../../apps/worker/src/notify/delist.js';
import { AGREEMENT } from '../support/agreement.js';
import { asApp, createTestDatabase } from '../support/database.js';
import { ALL_MIGRATIONS } from '../support/ledger.js';
import type { BenchResult } from './result.js';

const LISTINGS = 100_000;
const APPENDED_AT_ONCE = 5_000;
/** Told of every listing; the fifth of the sandbox's platforms publishes. */
const RECEIVERS = ['bench-b', 'bench-c', 'bench-d', 'bench-e'];
const PUBLISHER = 'bench-a';
const YEAR_MS = 366 * 86_400_000;
/** Another reader asks for what a member was told, again and again. */
const ASKS_EVERY_MS = 20;

/**
 * Listings whose terms all end in one minute: from the clock's first look until every member was told, against the publication of the
 * same listings to the same members by the same reader, and against the relay alone.
 */
export async function run({
  databaseUrl,
  kafkaInternal: brokers,
}: {
  databaseUrl: string;
  kafkaInternal: string;
}): Promise<BenchResult> {
  const database = await createTestDatabase(databaseUrl);
  const pool = new pg.Pool({ connectionString: asApp(database.url), max: 12, ...({ pipeline: true } as object) });
  pool.on('connect', (client) => void client.query('set enable_seqscan = off; set jit = off').catch(() => undefined));
  pool.on('error', () => undefined);
  const admin = kafkaAdmin(brokers);
  const log = new EventLog({ pool });
  try {
    await migrate(database.url, ALL_MIGRATIONS);
    await admin.createTopics(RECEIVERS.map((member) => ({ topic: noticesTopic(member), retentionMs: 3_600_000 })));
    await followMembers(pool, RECEIVERS);
    await fill(log);
    const notices = LISTINGS * RECEIVERS.length;
    const published = await publish(pool, log);
    const relayed = await relay(pool, brokers);
    const drained = await expire(pool, log, brokers);
    return result(notices, published, relayed, drained);
  } finally {
    await log.close();
    await admin.close();
    await pool.end();
    await database.drop();
  }
}

const ledgerEvent = (type: string, stream: string, data: object): NewEvent => ({
  id: randomBytes(8).toString('hex'),
  source: LEDGER_SOURCE,
  type,
  time: new Date().toISOString(),
  stream,
  data,
  fingerprint: randomBytes(32),
});

/** Every listing published and linked, with nobody told yet. */
async function fill(log: EventLog): Promise<void> {
  for (const memberId of [PUBLISHER, ...RECEIVERS]) {
    const data = { memberId, name: memberId, role: 'platform', keys: [], subscription: {}, agreement: AGREEMENT };
    await log.append({ events: [ledgerEvent(EVENT_TYPES.memberAdmitted, `member/${memberId}`, data)] });
  }
  const expiresAt = new Date(Date.now() + YEAR_MS).toISOString();
  for (let from = 0; from < LISTINGS; from += APPENDED_AT_ONCE) {
    const outcomes = await log.appendAll(
      Array.from({ length: APPENDED_AT_ONCE }, (_, n) => ({ events: [delisting(from + n, expiresAt)] })),
    );
    const links = outcomes.map((outcome) => {
      if (outcome.status !== 'appended') throw new Error(outcome.status);
      const { position, leafHash } = outcome.receipts[0]!;
      const entityId = entityIdOf({ position, leafHash });
      const same = { sameAs: position, strongAs: position };
      const data = {
        observation: position,
        entityId,
        founded: true,
        because: [],
        ...same,
        matcher: 'bench',
        possible: [],
      };
      return { events: [ledgerEvent(EVENT_TYPES.entityLinked, `entity/${entityId}`, data)] };
    });
    await log.appendAll(links);
  }
}

const delisting = (serial: number, expiresAt: string): NewEvent => ({
  ...ledgerEvent(EVENT_TYPES.merchantDelisted, `merchant/${PUBLISHER}/m-${serial}`, {
    merchantId: `m-${serial}`,
    identity: {
      kind: 'organization',
      name: `虚构贸易${serial}有限公司`,
      uscc: makeUscc('990101', serial),
    },
    shops: [],
    reason: { code: 'C01' },
    proof: { standard: 'platformFinding', evidence: [{ sha256: '0'.repeat(64) }] },
    decidedAt: expiresAt,
    decidedBy: 'reviewer-7',
    appealUrl: 'https://platform-a.example/appeal',
    expiresAt,
  }),
  source: memberSource(PUBLISHER),
});

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

/** What folds and takes back, and what tells of delistings. */
function readers(pool: pg.Pool, log: EventLog): Reader[] {
  const notify = runReader(pool, notifyReader(log));
  return [notify, runReader(pool, delistReader(log, { folded: (position) => notify.reached(position) }))];
}

async function until(running: Reader[], log: EventLog): Promise<void> {
  for (let before = -1; ;) {
    const head = await log.head();
    if (head === before) return;
    await Promise.all(running.map((reader) => reader.reached(head)));
    before = head;
  }
}

async function publish(pool: pg.Pool, log: EventLog): Promise<number> {
  const began = performance.now();
  const running = readers(pool, log);
  await until(running, log);
  const seconds = secondsSince(began);
  await Promise.all(running.map((reader) => reader.stop()));
  return seconds;
}

const toRelay = async (pool: pg.Pool): Promise<number> =>
  [...(await relayLag(pool)).values()].reduce((sum, one) => sum + one, 0);

async function relay(pool: pg.Pool, brokers: string): Promise<number> {
  const began = performance.now();
  const running = new Relay({ pool, brokers }).start();
  while ((await toRelay(pool)) > 0) await sleep(5);
  const seconds = secondsSince(began);
  await running.stop();
  return seconds;
}

/** Clock, notify and relay at once, while somebody else reads; also how long those reads took (p99, ms), and the longest transaction. */
async function expire(
  pool: pg.Pool,
  log: EventLog,
  brokers: string,
): Promise<{ seconds: number; askedP99Ms: number; expired: number; lagMax: number }> {
  const now = (): Promise<Date> => Promise.resolve(new Date(Date.now() + 2 * YEAR_MS));
  const asked: number[] = [];
  let lagMax = 0;
  const stopping = new AbortController();
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      await log.readStream(`notices/${RECEIVERS[0]}`, { limit: 100 });
      asked.push(performance.now() - began);
      const { rows } = await pool.query<{ lag: string }>(
        `select h.position - r.position as lag from log.head h, log.reader r where r.name = 'notify'`,
      );
      lagMax = Math.max(lagMax, Number(rows[0]!.lag));
      await sleep(ASKS_EVERY_MS);
    }
  })();
  const began = performance.now();
  const running = readers(pool, log);
  const relaying = new Relay({ pool, brokers }).start();
  const clock = new LifeClock({ pool, log, workingDays: loadWorkingDays(), now });
  await clock.tick();
  await until(running, log);
  while ((await toRelay(pool)) > 0) await sleep(5);
  const seconds = secondsSince(began);
  stopping.abort();
  await Promise.all([asking, relaying.stop(), ...running.map((reader) => reader.stop())]);
  const expired = await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from view.listing where status = 'expired'`,
    );
    return Number(rows[0]!.n);
  });
  const askedP99Ms = asked.toSorted((a, b) => a - b)[Math.floor(asked.length * 0.99)] ?? 0;
  return { seconds, askedP99Ms, expired, lagMax };
}

function result(
  notices: number,
  published: number,
  relayed: number,
  drained: { seconds: number; askedP99Ms: number; expired: number; lagMax: number },
): BenchResult {
  const rate = (seconds: number): number => Math.round(notices / seconds);
  const row = (what: string, seconds: number): Record<string, string | number> => ({
    what,
    seconds: Number(seconds.toFixed(1)),
    'notices/s': rate(seconds),
    'ratio of expiring': Number((seconds / drained.seconds).toFixed(2)),
  });
  return {
    name: 'life',
    title: `${LISTINGS.toLocaleString('en')} listings that expire in one minute, ${RECEIVERS.length} members told of each`,
    rows: [
      row('expiring: clock, notify and relay together', drained.seconds),
      row('publishing the same: notify alone', published),
      row('publishing the same: notify, then relay', published + relayed),
      row('relay alone', relayed),
    ],
    notes: [
      'Aim: expiring at 0.7 of the fan-out of publishing or better.',
      `Expired ${drained.expired}; notify had at most ${drained.lagMax} entries before it; another reader's p99 was ${drained.askedP99Ms.toFixed(1)} ms.`,
    ],
    json: { notices, published, relayed, drained },
  };
}
