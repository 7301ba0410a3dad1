import { EVENT_TYPES, listingIdOf, loadWorkingDays, makeUscc, memberSource } from '@liandun/contracts';
import { EventLog, inTransaction, migrate, type NewEvent } from '@liandun/event-log';
import { followMembers, kafkaAdmin, noticesTopic, Relay, relayLag } from '@liandun/messaging';
import { foldLag, standingListings } from '@liandun/views';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LifeClock } from '../../apps/worker/src/clock.js';
import { notifyReader } from '../../apps/worker/src/notify.js';
import { issue } from '../../apps/worker/src/notify/issue.js';
import { listed } from '../../apps/worker/src/notify/listed.js';
import { AGREEMENT } from '../support/agreement.js';
import { asApp, createTestDatabase } from '../support/database.js';
import { ALL_MIGRATIONS } from '../support/ledger.js';
import { latencies, latencyRow, ledgerEvent, linked, tellers, until, type Latencies } from './life-latency.js';
import type { BenchResult } from './result.js';

/** BENCH_SCALE=0.1 runs a tenth of it, for a first look. */
const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);
const LISTINGS = 100_000 * SCALE;
const LOADED_SECONDS = 20 * Math.sqrt(SCALE);
const BACKLOG = 20_000 * SCALE;
/** Of these it is measured how fast the readers tell of them; the others are told in larger batches beforehand. */
const PUBLISHED = Math.min(LISTINGS, 15_000);
const APPENDED_AT_ONCE = 5_000;
const TOLD_AT_ONCE = 1_250;
/** Told of every listing; the fifth of the sandbox's platforms publishes. */
const RECEIVERS = ['bench-b', 'bench-c', 'bench-d', 'bench-e'];
const PUBLISHER = 'bench-a';
const YEAR_MS = 366 * 86_400_000;
/** Another reader asks for what a member was told, again and again. */
const ASKS_EVERY_MS = 250;

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
  const planning = 'set enable_seqscan = off; set plan_cache_mode = force_generic_plan; set jit = off';
  pool.on('connect', (client) => void client.query(planning).catch(() => undefined));
  pool.on('error', () => undefined);
  const admin = kafkaAdmin(brokers);
  const log = new EventLog({ pool });
  try {
    await migrate(database.url, ALL_MIGRATIONS);
    await admin.createTopics(RECEIVERS.map((member) => ({ topic: noticesTopic(member), retentionMs: 3_600_000 })));
    await followMembers(pool, RECEIVERS);
    await admit(log);
    const told = PUBLISHED * RECEIVERS.length;
    const notices = LISTINGS * RECEIVERS.length;
    await fill(log, 0, PUBLISHED);
    const published = await publish(pool, log);
    progress(`published ${PUBLISHED} listings: fold and tell, ${rate(told, published)}`);
    const relayed = await relay(pool, brokers);
    progress(`relay alone: ${rate(told, relayed)}`);
    await stock(pool, log);
    const drained = await expire(pool, log, brokers);
    const ratio = (notices / drained.seconds / (told / relayed)).toFixed(2);
    progress(
      `expired: clock, notify and relay together, ${rate(notices, drained.seconds)}, ${ratio} of the relay alone`,
    );
    const far = new Date(Date.now() + YEAR_MS).toISOString();
    const load = {
      publisher: PUBLISHER,
      receivers: RECEIVERS,
      delisting: (serial: number) => delisting(serial, far),
      seconds: LOADED_SECONDS,
    };
    const calm = await latencies(pool, log, brokers, { ...load, backlog: 0, from: LISTINGS });
    progress(`from acceptance to a consumer (ms): ${JSON.stringify(summary(calm))}`);
    const flooded = await latencies(pool, log, brokers, { ...load, backlog: BACKLOG, from: 2 * LISTINGS });
    return result({ published, relayed, drained, calm, flooded });
  } finally {
    await log.close();
    await admin.close();
    await pool.end();
    await database.drop();
  }
}

async function admit(log: EventLog): Promise<void> {
  for (const memberId of [PUBLISHER, ...RECEIVERS]) {
    const data = { memberId, name: memberId, role: 'platform', keys: [], subscription: {}, agreement: AGREEMENT };
    await log.append({ events: [ledgerEvent(EVENT_TYPES.memberAdmitted, `member/${memberId}`, data)] });
  }
}

/** Listings published and linked, with nobody told yet. */
async function fill(log: EventLog, from: number, to: number): Promise<void> {
  const expiresAt = new Date(Date.now() + YEAR_MS).toISOString();
  for (let first = from; first < to; first += APPENDED_AT_ONCE) {
    const serials = Array.from({ length: Math.min(APPENDED_AT_ONCE, to - first) }, (_, n) => first + n);
    await linked(
      log,
      serials.map((serial) => delisting(serial, expiresAt)),
    );
  }
}

/** The listings that aren't measured are folded and told by the readers' own means, in larger batches, with nothing to wait for. */
async function stock(pool: pg.Pool, log: EventLog): Promise<void> {
  const notify = notifyReader(log);
  for (let from = PUBLISHED; from < LISTINGS; from += APPENDED_AT_ONCE) {
    const after = await log.head();
    await fill(log, from, Math.min(LISTINGS, from + APPENDED_AT_ONCE));
    const events = await log.read({ after, limit: 2 * APPENDED_AT_ONCE });
    await inTransaction(pool, (client) => notify.handle(client, events, new AbortController().signal));
    const listings = events.filter(({ type }) => type === EVENT_TYPES.merchantDelisted).map(listingIdOf);
    for (let first = 0; first < listings.length; first += TOLD_AT_ONCE) {
      await inTransaction(pool, async (client) => {
        const listingIds = listings.slice(first, first + TOLD_AT_ONCE);
        const standing = await standingListings(client, { listingIds });
        await issue(client, log, await listed(client, standing, events.at(-1)!, () => true, []), 'delist');
      });
    }
    await pool.query(`update log.reader set position = $1 where name in ('notify', 'delist')`, [await log.head()]);
    if ((from - PUBLISHED) % (4 * APPENDED_AT_ONCE) === 0) progress(`${from} listings are told, ${LISTINGS} will be`);
  }
  // What was told of these counts as sent: the relay has nothing before it when they expire.
  await pool.query(
    `update relay.cursor c set next_seq = s.version + 1 from log.stream s where s.stream = 'notices/' || c.member`,
  );
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

/** Said at once: what was measured stands even if the rest is stopped. */
const progress = (line: string): void => console.error(line);

const rate = (notices: number, seconds: number): string =>
  `${Math.round(notices / seconds).toLocaleString('en')} notices/s in ${seconds.toFixed(1)} s`;

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

async function publish(pool: pg.Pool, log: EventLog): Promise<number> {
  const began = performance.now();
  const running = tellers(pool, log);
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
      lagMax = Math.max(lagMax, await foldLag(pool, LISTINGS));
      await sleep(ASKS_EVERY_MS);
    }
  })();
  const began = performance.now();
  const running = tellers(pool, log);
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

interface Measured {
  published: number;
  relayed: number;
  drained: { seconds: number; askedP99Ms: number; expired: number; lagMax: number };
  calm: Latencies;
  flooded: Latencies;
}

function result({ published, relayed, drained, calm, flooded }: Measured): BenchResult {
  const none = { 'close p50 ms': '', 'close p99 ms': '', 'reopen p50 ms': '', 'reopen p99 ms': '' };
  const notices = LISTINGS * RECEIVERS.length;
  const told = PUBLISHED * RECEIVERS.length;
  const row = (what: string, seconds: number, count = notices): Record<string, string | number> => ({
    what,
    seconds: Number(seconds.toFixed(1)),
    'notices/s': Math.round(count / seconds),
    'of the relay': Number((count / seconds / (told / relayed)).toFixed(2)),
    ...none,
    'delistings left over': '',
  });
  return {
    name: 'life',
    title: `${LISTINGS.toLocaleString('en')} listings that expire in one minute, ${RECEIVERS.length} members told of each; then 600 notices/s, half of which close and half reopen`,
    rows: [
      row('expiring: clock, notify and relay together', drained.seconds),
      row(`publishing ${PUBLISHED.toLocaleString('en')}: fold and tell alone`, published, told),
      row('relay alone', relayed, told),
      latencyRow('from acceptance to a consumer, nothing before it', calm),
      latencyRow(`the same behind ${BACKLOG.toLocaleString('en')} delistings`, flooded),
    ],
    notes: [
      'Aims: expiring at 0.7 of the relay alone or better; reopening never slower than closing (rule P09).',
      `Expired ${drained.expired}; the fold had at most ${drained.lagMax} entries before it; another reader's p99 was ${drained.askedP99Ms.toFixed(1)} ms.`,
    ],
    json: { notices, published, relayed, drained, calm: summary(calm), flooded: summary(flooded) },
  };
}

const summary = (measured: Latencies): object => ({
  ...latencyRow('', measured),
  backlog: measured.backlog,
  closes: measured.close.length,
  reopens: measured.reopen.length,
});
