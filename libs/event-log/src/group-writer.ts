import { hash } from 'node:crypto';
import { entryHead, entryTail } from '@liandun/transparency-log';
import type pg from 'pg';
import { byteaArray, int4Array, textArray, utf8Array } from './binary-arrays.js';
import { beijingTime, type AppendOutcome, type AppendReceipt } from './events.js';
import type { PreparedCommand, PreparedEvent } from './prepare.js';
import { settle, type Known, type Settled, type Survivor } from './settle.js';
import { corkUntilNextTick } from './transaction.js';

/** What a rider gets for each of its rows: where the event was stored. */
export interface RiderRow {
  position: number;
  leafHash: Buffer;
  acceptedAt: string;
  row: unknown;
}

/**
 * Writes the rows that came with events, in the transaction that stores them, one call for a whole group. Rows are in position
 * order. It runs under the head's lock: one statement for all rows, nothing slow.
 */
export type Rider = (client: pg.ClientBase, rows: RiderRow[]) => Promise<void>;

/** A survivor with its entry, ready to be stored. */
interface Row extends AppendReceipt {
  event: PreparedEvent;
  /** UTF-8. */
  entry: Buffer;
}

/** How many rows are hashed before they are sent: PostgreSQL stores one part while the next is being hashed. */
const ROWS_PER_INSERT = 250;

const LOCK_HEAD = {
  name: 'log.lock_head',
  text: 'select head, now_ms, versions, repeated from log.lock_head($1, $2, $3)',
};
const INSERT_ROWS = {
  name: 'log.insert_rows',
  text: 'select log.insert_rows($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
};

/**
 * Settles and stores a group of commands on a connection with an open transaction, and holds the head's lock until that ends.
 * After an error the transaction can only be rolled back. On a pipelined connection the last statements may still be running
 * when `stored` is the only thing left to wait for.
 */
export async function writeGroup(
  client: pg.ClientBase,
  commands: PreparedCommand[],
  riders: Readonly<Record<string, Rider>>,
): Promise<{ outcomes: AppendOutcome[]; stored: Promise<unknown> }> {
  const { head, nowMs, known } = await lockHead(client, commands);
  const { outcomes, survivors, heads } = settle(commands, known);
  if (survivors.length === 0) return { outcomes: withReceipts(outcomes, []), stored: Promise.resolve() };

  const acceptedAt = beijingTime(nowMs);
  const rows: Row[] = [];
  const send = sender(client);
  const statements: Promise<unknown>[] = [];
  for (let from = 0; from < survivors.length; from += ROWS_PER_INSERT) {
    const part = toRows(survivors.slice(from, from + ROWS_PER_INSERT), head + 1 + from, acceptedAt);
    rows.push(...part);
    const isLast = from + part.length === survivors.length;
    if (isLast) corkUntilNextTick(client); // COMMIT may follow
    const moved = isLast ? [textArray([...heads.keys()]), int4Array([...heads.values()])] : [null, null];
    statements.push(send({ ...INSERT_ROWS, values: [...insertValues(part, acceptedAt), ...moved] }));
  }
  const stored = Promise.all(statements);
  stored.catch(() => {}); // whoever waits for it gets the error
  await ride(client, rows, riders, stored);
  return { outcomes: withReceipts(outcomes, rows), stored };
}

/** Everything that settling needs to know, found under the head's lock. */
async function lockHead(
  client: pg.ClientBase,
  commands: PreparedCommand[],
): Promise<{ head: number; nowMs: number; known: Known<AppendReceipt> }> {
  const sources: string[] = [];
  const ids: string[] = [];
  const streams = new Set<string>();
  for (const { events, expected } of commands) {
    for (const { event } of events) {
      sources.push(event.source);
      ids.push(event.id);
      streams.add(event.stream);
    }
    for (const stream in expected) streams.add(stream);
  }
  const names = [...streams];
  const values = [textArray(sources), textArray(ids), textArray(names)];
  const { rows } = await client.query<{
    head: string;
    now_ms: string;
    versions: string | null;
    repeated: Repeated[] | null;
  }>({
    ...LOCK_HEAD,
    values,
  });
  const { head, now_ms, versions, repeated } = rows[0]!;
  const events = new Map(
    repeated?.map(([n, fingerprint, position, version, leafHash, acceptedMs]) => {
      const receipt = {
        id: ids[n]!,
        position,
        version,
        leafHash: fromHex(leafHash),
        acceptedAt: beijingTime(acceptedMs),
      };
      return [`${sources[n]}\0${ids[n]}`, { fingerprint: fromHex(fingerprint), receipt }];
    }),
  );
  const found = versions?.split(',').map((pair) => pair.split(':').map(Number)) ?? [];
  const known = { events, versions: new Map(found.map(([n, version]) => [names[n!]!, version!])) };
  return { head: Number(head), nowMs: Number(now_ms), known };
}

/** Index among those asked for, fingerprint, position, version, leaf hash, epoch of acceptance. */
type Repeated = [number, string, number, number, string, number];

const fromHex = (text: string): Buffer => Buffer.from(text, 'hex');

function toRows(survivors: Survivor<PreparedEvent>[], first: number, acceptedAt: string): Row[] {
  // The leaf hash is over a zero byte and the entry (RFC 6962 section 2.1), so each entry is written behind one.
  const start = Buffer.from(`\0${entryHead(acceptedAt)}`);
  return survivors.map(({ event, version }, i) => {
    const leaf = Buffer.concat([start, event.middle, Buffer.from(entryTail(version))]);
    const leafHash = hash('sha256', leaf, 'buffer');
    return { id: event.id, position: first + i, version, leafHash, acceptedAt, event, entry: leaf.subarray(1) };
  });
}

function insertValues(rows: Row[], acceptedAt: string): unknown[] {
  return [
    rows[0]!.position,
    acceptedAt,
    textArray(rows.map(({ event }) => event.event.source)),
    textArray(rows.map(({ id }) => id)),
    textArray(rows.map(({ event }) => event.event.type)),
    textArray(rows.map(({ event }) => event.stream)),
    int4Array(rows.map(({ version }) => version)),
    textArray(rows.map(({ event }) => event.event.time)),
    utf8Array(rows.map(({ entry }) => entry)),
    byteaArray(rows.map(({ leafHash }) => leafHash)),
    byteaArray(rows.map(({ event }) => event.fingerprint)),
  ];
}

/** Sends statements in order: at once on a pipelined connection, else each after the answer to the one before. */
function sender(client: pg.ClientBase): (query: pg.QueryConfig) => Promise<unknown> {
  if ((client as { pipeline?: boolean }).pipeline) return (query) => client.query(query);
  let last: Promise<unknown> = Promise.resolve();
  return (query) => (last = last.then(() => client.query(query)));
}

async function ride(
  client: pg.ClientBase,
  rows: Row[],
  riders: Readonly<Record<string, Rider>>,
  stored: Promise<unknown>,
): Promise<void> {
  const loads = new Map<string, RiderRow[]>();
  for (const { event, position, leafHash, acceptedAt } of rows) {
    for (const name in event.event.riders) {
      const load = loads.get(name);
      const row = { position, leafHash, acceptedAt, row: event.event.riders[name] };
      if (load) load.push(row);
      else loads.set(name, [row]);
    }
  }
  if (loads.size === 0) return;
  await stored; // riders may refer to the entries, and a failed insert is not to look like theirs
  for (const [name, load] of loads) await riders[name]!(client, load);
}

function withReceipts(settled: Settled<AppendReceipt>[], rows: Row[]): AppendOutcome[] {
  const ofRow = ({ id, position, version, leafHash, acceptedAt }: Row): AppendReceipt => ({
    id,
    position,
    version,
    leafHash,
    acceptedAt,
  });
  return settled.map((outcome) => {
    if (!('receipts' in outcome)) return outcome;
    const receipts = outcome.receipts.map((ref) => (typeof ref === 'number' ? ofRow(rows[ref]!) : ref));
    return { status: outcome.status, receipts };
  });
}
