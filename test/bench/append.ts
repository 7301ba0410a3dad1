// How fast the log appends, against the most that the same server takes of the same rows at the same time.
import { hash } from 'node:crypto';
import { EVENT_LOG_MIGRATIONS, EventLog, migrate, type NewEvent } from '@liandun/event-log';
import { encodeEntry } from '@liandun/transparency-log';
import pg from 'pg';
import { byteaArray, int4Array, textArray } from '../../libs/event-log/src/binary-arrays.js';
import { createTestDatabase } from '../support/database.js';
import type { BenchResult } from './result.js';
import { median, quantile } from './statistics.js';

const ROUNDS = 3;
const LIMIT_CONNECTIONS = 4;
const LIMIT_ROWS = 500;
const MEASURE_MS = 2000;
const WARM_UP_MS = 300;
/** One caller for each line of a batch would wait for itself: batches come from as many callers as the limit has connections. */
const BATCH_CALLERS = LIMIT_CONNECTIONS;

interface Load {
  name: string;
  callers: number;
  batch: number;
  aim?: number;
}

const LOADS: Load[] = [
  { name: '1 caller', callers: 1, batch: 1 },
  { name: '16 callers', callers: 16, batch: 1, aim: 0.3 },
  { name: '64 callers', callers: 64, batch: 1, aim: 0.4 },
  { name: '256 callers', callers: 256, batch: 1 },
  { name: 'batches of 100', callers: BATCH_CALLERS, batch: 100 },
  { name: 'batches of 1,000', callers: BATCH_CALLERS, batch: 1000, aim: 0.85 },
];

interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/**
 * Measures single appends at several numbers of concurrent callers, and batches, each as a ratio to the limit of the same round:
 * rows like the log's own, hashed beforehand, written into all its tables and indexes by multi-row unnest inserts over four
 * connections, without lock, look-up or settling; beside it the same in binary. Medians of three rounds, in a database of its own, which is dropped.
 */
export async function run({ databaseUrl }: { databaseUrl: string }): Promise<BenchResult> {
  const { url, drop } = await createTestDatabase(databaseUrl);
  try {
    await migrate(url, EVENT_LOG_MIGRATIONS);
    const limits: Measured[] = [];
    const binaryLimits: Measured[] = [];
    const loads: Measured[][] = LOADS.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      limits.push(await measureLimit(url, plainInsert));
      binaryLimits.push(await measureLimit(url, binaryInsert));
      for (const [i, load] of LOADS.entries()) loads[i]!.push(await measureLoad(url, load));
    }
    return result(limits, binaryLimits, loads);
  } finally {
    await drop();
  }
}

const ratioTo = (rounds: Measured[], limits: Measured[]): number =>
  median(rounds.map(({ perSecond }, round) => perSecond / limits[round]!.perSecond));

const overall = (rounds: Measured[]): Measured => ({
  perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
});

function result(limits: Measured[], binaryLimits: Measured[], loads: Measured[][]): BenchResult {
  const figures = LOADS.map((load, i) => {
    const rounds = loads[i]!;
    return {
      ...load,
      ...overall(rounds),
      ratio: ratioTo(rounds, limits),
      ratioToBinary: ratioTo(rounds, binaryLimits),
    };
  });
  const line = (what: string, m: Measured, ratio: number, toBinary: number, aim?: number) => ({
    load: what,
    'events/s': Math.round(m.perSecond),
    'p50 ms': m.p50Ms.toFixed(2),
    'p99 ms': m.p99Ms.toFixed(2),
    ratio: ratio.toFixed(2),
    'to binary': toBinary.toFixed(2),
    aim: aim ?? '',
  });
  const bare = overall(limits);
  const binary = overall(binaryLimits);
  return {
    name: 'append',
    title: 'Appending to the event log, against bare inserts of the same rows',
    rows: [
      line('limit: unnest inserts', bare, 1, ratioTo(limits, binaryLimits)),
      line('limit: in binary', binary, ratioTo(binaryLimits, limits), 1),
      ...figures.map((f) => line(f.name, f, f.ratio, f.ratioToBinary, f.aim)),
    ],
    notes: [
      `Limits: ${LIMIT_ROWS} rows a time over ${LIMIT_CONNECTIONS} connections; the second sends binary arrays in one call, as the log does.`,
      `An entry has ${entryBytes()} bytes. Medians of ${ROUNDS} rounds; each ratio is to its own round's limit.`,
    ],
    json: { limit: bare, binaryLimit: binary, figures, rounds: { limits, binaryLimits, loads } },
  };
}

let serial = 0;
let limitRows = 0;

/** A delisting as intake hands it over, with commitments for the personal values. */
function event(): NewEvent {
  serial += 1;
  const merchantId = `m-${serial}`;
  const commitment = 'PmZ0Yk1qN3x5c0dTQkVhV2JjZGVmZ2hpamtsbW5vcHE';
  const data = {
    merchantId,
    identity: {
      kind: 'organization',
      name: `示例防护用品有限公司${serial}`,
      uscc: '91990101MA00000001',
      legalRepresentative: { name: { commitment }, residentId: { commitment } },
      phones: [{ commitment }],
      regionCode: '990101',
    },
    shops: [{ shopId: `s-${serial}`, name: '防护用品专营店', url: `https://shop.example/${serial}` }],
    reason: { code: 'F04' },
    proof: {
      standard: 'platformFinding',
      evidence: [{ sha256: '0'.repeat(64), mediaType: 'image/png', capturedAt: '2020-02-09T20:00:00+08:00' }],
    },
    attestation: { grounds: true, evidence: true, code: true, terminated: true },
    decidedAt: '2020-02-10T08:00:00+08:00',
    decidedBy: 'reviewer-7',
    appealUrl: 'https://platform-a.example/appeal',
    terminatedAt: '2020-02-10T08:00:00+08:00',
  };
  return {
    id: `d-${serial}`,
    source: 'urn:liandun:member:platform-a',
    type: 'liandun.merchant.delisted.v1',
    time: '2020-02-10T09:00:00+08:00',
    stream: `merchant/platform-a/${merchantId}`,
    data,
    fingerprint: hash('sha256', merchantId, 'buffer'),
  };
}

function encoded(e: NewEvent): string {
  const nonce = Buffer.alloc(32, 1).toString('base64url');
  return encodeEntry({ ...e, acceptedAt: '2020-02-10T09:00:00.123+08:00', version: 0, nonce });
}

const entryBytes = (): number => Buffer.byteLength(encoded(event()));

// Without the head's row: locked by everyone, it would make the four connections take turns.
const LIMIT_FUNCTION = `
create or replace function public.limit_rows(first bigint, ids text[], sources text[], types text[], streams text[],
  versions integer[], times text[], entries text[], hashes bytea[], fingerprints bytea[]) returns void language plpgsql as $$
begin
  insert into log.entry (position, id, source, type, stream, version, time, accepted_at, entry, leaf_hash)
    select first + r.n - 1, r.id, r.source, r.type, r.stream, r.version, r.time, '2020-02-10T09:00:00Z', r.entry, r.hash
    from unnest(ids, sources, types, streams, versions, times, entries, hashes)
      with ordinality as r (id, source, type, stream, version, time, entry, hash, n);
  insert into log.event_id (source, id, fingerprint, position)
    select r.source, r.id, r.fingerprint, first + r.n - 1
    from unnest(sources, ids, fingerprints) with ordinality as r (source, id, fingerprint, n);
  insert into log.stream (stream, version) select * from unnest(streams, versions);
end $$`;

type Insert = (
  client: pg.Client,
  first: number,
  rows: NewEvent[],
  entries: string[],
  hashes: Buffer[],
) => Promise<void>;

/** Three statements with arrays as node-postgres writes them. */
const plainInsert: Insert = async (client, first, rows, entries, hashes) => {
  const ids = rows.map(({ id }) => id);
  const sources = rows.map(({ source }) => source);
  const streams = rows.map(({ stream }) => stream);
  const positions = rows.map((_, n) => first + n);
  const versions = rows.map(() => 0);
  const send = (name: string, text: string, values: unknown[]) => client.query({ name, text, values });
  await client.query('begin');
  await send(
    'plain_entry',
    `insert into log.entry (position, id, source, type, stream, version, time, accepted_at, entry, leaf_hash)
     select p, i, s, t, st, v, ti, '2020-02-10T09:00:00Z', e, h
     from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::bytea[])
       r (p, i, s, t, st, v, ti, e, h)`,
    [
      positions,
      ids,
      sources,
      rows.map(({ type }) => type),
      streams,
      versions,
      rows.map(({ time }) => time),
      entries,
      hashes,
    ],
  );
  await send(
    'plain_event_id',
    `insert into log.event_id (source, id, fingerprint, position)
     select * from unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[])`,
    [sources, ids, rows.map(({ fingerprint }) => fingerprint), positions],
  );
  await send('plain_stream', 'insert into log.stream (stream, version) select * from unnest($1::text[], $2::int[])', [
    streams,
    versions,
  ]);
  await client.query('commit');
};

/** The most that was found: one call for the three tables, with arrays in binary as the log sends them. */
const binaryInsert: Insert = async (client, first, rows, entries, hashes) => {
  const values = [
    first,
    textArray(rows.map(({ id }) => id)),
    textArray(rows.map(({ source }) => source)),
    textArray(rows.map(({ type }) => type)),
    textArray(rows.map(({ stream }) => stream)),
    int4Array(rows.map(() => 0)),
    textArray(rows.map(({ time }) => time)),
    textArray(entries),
    byteaArray(hashes),
    byteaArray(rows.map(({ fingerprint }) => fingerprint)),
  ];
  const text = 'select public.limit_rows($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)';
  await client.query({ name: 'limit_rows', text, values });
};

async function measureLimit(url: string, insert: Insert): Promise<Measured> {
  const clients = await Promise.all(
    Array.from({ length: LIMIT_CONNECTIONS }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  await clients[0]!.query(LIMIT_FUNCTION);
  const measured = await closedLoop(LIMIT_CONNECTIONS, LIMIT_ROWS, (caller) => {
    const events = Array.from({ length: LIMIT_ROWS }, event);
    const entries = events.map(encoded);
    const hashes = entries.map((entry) => hash('sha256', entry, 'buffer'));
    return () => {
      // Far from the log's own positions, which stay dense.
      const first = 1_000_000_000 + limitRows;
      limitRows += LIMIT_ROWS;
      return insert(clients[caller]!, first, events, entries, hashes);
    };
  });
  await Promise.all(clients.map((client) => client.end()));
  return measured;
}

async function measureLoad(url: string, { callers, batch }: Load): Promise<Measured> {
  const pool = new pg.Pool({ connectionString: url });
  const log = new EventLog({ pool });
  const measured = await closedLoop(callers, batch, () => {
    const commands = Array.from({ length: batch }, () => ({ events: [event()] }));
    return async () => {
      const outcomes = batch === 1 ? [await log.append(commands[0]!)] : await log.appendAll(commands);
      if (outcomes.some(({ status }) => status !== 'appended')) throw new Error('An append was refused');
    };
  });
  await log.close();
  await pool.end();
  return measured;
}

/**
 * Keeps this many callers busy, each beginning its next call when the last is answered. What a call needs is made in stretches
 * between those that are timed.
 */
async function closedLoop(
  callers: number,
  eventsPerCall: number,
  makeCall: (caller: number) => () => Promise<void>,
): Promise<Measured> {
  let calls = callers * 4;
  const latencies: number[] = [];
  let spentMs = 0;
  let events = 0;
  for (let warm = false; spentMs < MEASURE_MS;) {
    const queues = Array.from({ length: callers }, (_, caller) =>
      Array.from({ length: Math.ceil(calls / callers) }, () => makeCall(caller)),
    );
    const stretch: number[] = [];
    const began = performance.now();
    await Promise.all(
      queues.map(async (queue) => {
        for (const call of queue) {
          const start = performance.now();
          await call();
          stretch.push(performance.now() - start);
        }
      }),
    );
    const tookMs = performance.now() - began;
    calls = Math.ceil((stretch.length * Math.min(MEASURE_MS / 4, 2 * tookMs)) / tookMs);
    if (warm) {
      spentMs += tookMs;
      events += stretch.length * eventsPerCall;
      latencies.push(...stretch);
    }
    warm ||= tookMs >= WARM_UP_MS;
  }
  return { perSecond: (events / spentMs) * 1000, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}
