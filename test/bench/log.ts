// What the verifiable log costs: appending with its tree against without, how soon an append is in a signed checkpoint, verifying.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_LOG_MIGRATIONS, EventLog, migrate, runReader, type NewEvent, type Reader } from '@liandun/event-log';
import {
  checkpointFile,
  latestCheckpoint,
  publishedLog,
  runPublisher,
  TLOG_MIGRATIONS,
  tlogReader,
  type Publisher,
} from '@liandun/tlog';
import { leafHash, openCheckpoint, signerKeyFromJwk, verifyLog } from '@liandun/transparency-log';
import pg from 'pg';
import { createTestDatabase } from '../support/database.js';
import type { BenchResult } from './result.js';
import { median } from './statistics.js';

const ROUNDS = 3;
const MEASURE_MS = 2000;
const LOADS = [
  { name: 'append: 64 callers', callers: 64, batch: 1 },
  { name: 'append: batches of 100', callers: 4, batch: 100 },
];
const RATE = 2000;
const PACED_MS = 10_000;
const TICK_MS = 10;

const key = signerKeyFromJwk(
  { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'liandun.bench/log' },
  'log',
);

/** A log on a database of its own, with or without its tree. */
class Log {
  private constructor(
    readonly pool: pg.Pool,
    readonly log: EventLog,
    readonly tree: { reader: Reader; publisher: Publisher } | undefined,
    private readonly drop: () => Promise<void>,
  ) {}

  static async open(server: string, home: string, withTree: boolean): Promise<Log> {
    const { url, drop } = await createTestDatabase(server);
    await migrate(url, [...EVENT_LOG_MIGRATIONS, ...TLOG_MIGRATIONS]);
    const pool = new pg.Pool({ connectionString: url, ...({ pipeline: true } as object) });
    pool.on('error', () => undefined); // the database is dropped with force
    const copies = [checkpointFile(join(home, new URL(url).pathname, 'checkpoint'))];
    const tree = withTree
      ? { reader: runReader(pool, tlogReader()), publisher: runPublisher({ pool, log: key, copies }) }
      : undefined;
    return new Log(pool, new EventLog({ pool }), tree, drop);
  }

  async close(): Promise<void> {
    await this.tree?.publisher.stop();
    await this.tree?.reader.stop();
    await this.log.close();
    await this.pool.end();
    await this.drop();
  }
}

/**
 * Medians of three rounds: appends on a log with its tree, its reader and publisher in this process, against one without, one
 * after the other in each round. Then 2,000 events a second for ten seconds: from the call to append until a checkpoint over the
 * event is published. Then the log is verified from the database, and its entries are hashed in memory alone.
 */
export async function run({ databaseUrl, home }: { databaseUrl: string; home: string }): Promise<BenchResult> {
  const bare = await Log.open(databaseUrl, home, false);
  const full = await Log.open(databaseUrl, home, true);
  try {
    const loads = [];
    for (const load of LOADS) loads.push({ ...load, ...(await compareAppends(bare, full, load)) });
    const soon = await untilPublished(full);
    const verified = await verifySpeed(full);
    return result(loads, soon, verified);
  } finally {
    await bare.close();
    await full.close();
  }
}

type Appends = { name: string; without: number; with: number; ratio: number; lagAfter: number };
type Soon = { events: number; p50Ms: number; p99Ms: number; maxMs: number };
type Verified = { entries: number; perSecond: number; hashedPerSecond: number };

function result(loads: Appends[], soon: Soon, verified: Verified): BenchResult {
  const row = (what: string, value: string, against: string, ratio: string, aim: string) => ({
    what,
    value,
    against,
    ratio,
    aim,
  });
  const rate = (n: number, unit: string) => `${Math.round(n).toLocaleString('en')} ${unit}/s`;
  const ratio = (verified.perSecond / verified.hashedPerSecond).toFixed(2);
  return {
    name: 'log',
    title: 'The verifiable log: appending with the tree, append to signed checkpoint, verifying',
    rows: [
      ...loads.map((load) =>
        row(load.name, rate(load.with, 'events'), rate(load.without, 'events'), load.ratio.toFixed(2), '0.8'),
      ),
      row(`append to signed checkpoint, p99 at ${RATE}/s`, `${soon.p99Ms.toFixed(0)} ms`, '', '', '500 ms'),
      row('append to signed checkpoint, p50', `${soon.p50Ms.toFixed(0)} ms`, '', '', ''),
      row('verify', rate(verified.perSecond, 'entries'), rate(verified.hashedPerSecond, 'hashes'), ratio, ''),
    ],
    notes: [
      `Against: without the tree; hashing alone. Medians of ${ROUNDS} rounds. Entries that the tree had yet to hash when the appends ended: ${loads.map(({ lagAfter }) => lagAfter).join(', ')}.`,
      `Verifying reads ${verified.entries.toLocaleString('en')} entries and all tiles from PostgreSQL.`,
    ],
    json: { loads, soon, verified },
  };
}

async function compareAppends(bare: Log, full: Log, load: (typeof LOADS)[number]): Promise<Omit<Appends, 'name'>> {
  const rounds: { without: number; with: number; lag: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const without = await appendFor(bare, load);
    const measured = await appendFor(full, load);
    const lag = await full.tree!.reader.lag();
    rounds.push({ without, with: measured, lag });
    await full.tree!.reader.reached(await full.log.head());
  }
  return {
    without: median(rounds.map(({ without }) => without)),
    with: median(rounds.map((round) => round.with)),
    ratio: median(rounds.map((round) => round.with / round.without)),
    lagAfter: median(rounds.map(({ lag }) => lag)),
  };
}

/** Events a second, with this many callers always busy. */
async function appendFor({ log }: Log, { callers, batch }: { callers: number; batch: number }): Promise<number> {
  const began = performance.now();
  let events = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() - began < MEASURE_MS) {
        await log.appendAll(Array.from({ length: batch }, () => ({ events: [event()] })));
        events += batch;
      }
    }),
  );
  return (events / (performance.now() - began)) * 1000;
}

/** Appends at the rate, whatever the answers take, and waits for each event's checkpoint. */
async function untilPublished({ log, tree }: Log): Promise<Soon> {
  const { publisher } = tree!;
  const waiting: { position: number; beganMs: number }[] = [];
  const latencies: number[] = [];
  const settle = (): void => {
    const size = publisher.status().size ?? 0;
    for (let i = waiting.length - 1; i >= 0; i -= 1) {
      if (waiting[i]!.position >= size) continue;
      latencies.push(performance.now() - waiting[i]!.beganMs);
      waiting.splice(i, 1);
    }
  };
  const append = async (count: number, beganMs: number): Promise<void> => {
    const outcomes = await log.appendAll(Array.from({ length: count }, () => ({ events: [event()] })));
    for (const outcome of outcomes) {
      if (outcome.status !== 'appended') throw new Error('An append was refused');
      waiting.push({ position: outcome.receipts[0]!.position, beganMs });
    }
  };
  const timer = setInterval(settle, 2);
  const began = performance.now();
  const appends: Promise<void>[] = [];
  for (let sent = 0; performance.now() - began < PACED_MS;) {
    const due = Math.floor(((performance.now() - began) / 1000) * RATE) - sent;
    sent += due;
    appends.push(append(due, performance.now()));
    await sleep(TICK_MS);
  }
  await Promise.all(appends);
  while (waiting.length > 0) await sleep(TICK_MS);
  clearInterval(timer);
  latencies.sort((a, b) => a - b);
  const at = (q: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))]!;
  return { events: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

async function verifySpeed({ pool }: Log): Promise<Verified> {
  const checkpoint = openCheckpoint((await latestCheckpoint(pool))!.note, { logs: [key] });
  const entries: Buffer[] = [];
  const began = performance.now();
  for await (const bundle of verifyLog(publishedLog(pool), checkpoint)) entries.push(...bundle.entries);
  const verifiedMs = performance.now() - began;
  const hashing = performance.now();
  for (const entry of entries) leafHash(entry);
  const hashedMs = performance.now() - hashing;
  const perSecond = (ms: number): number => (entries.length / ms) * 1000;
  return { entries: entries.length, perSecond: perSecond(verifiedMs), hashedPerSecond: perSecond(hashedMs) };
}

let serial = 0;

/** About as large as a delisting. */
function event(): NewEvent {
  serial += 1;
  const commitment = 'PmZ0Yk1qN3x5c0dTQkVhV2JjZGVmZ2hpamtsbW5vcHE';
  return {
    id: `d-${serial}`,
    source: 'urn:liandun:member:platform-a',
    type: 'liandun.merchant.delisted.v1',
    time: '2020-02-10T09:00:00+08:00',
    stream: `merchant/platform-a/m-${serial}`,
    data: {
      merchantId: `m-${serial}`,
      identity: { kind: 'person', name: { commitment, masked: '虚**' }, residentId: { commitment } },
      shops: [{ shopId: `s-${serial}`, name: '防护用品专营店', url: `https://shop.example/${serial}` }],
      reason: { code: 'F04' },
      proof: { standard: 'platformFinding', evidence: [{ sha256: '0'.repeat(64), mediaType: 'image/png' }] },
      decidedAt: '2020-02-10T08:00:00+08:00',
      decidedBy: 'reviewer-7',
      appealUrl: 'https://platform-a.example/appeal',
    },
    fingerprint: randomBytes(32),
  };
}
