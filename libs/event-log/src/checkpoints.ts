import type pg from 'pg';
import type { StoredEvent } from './events.js';
import { storedEvent } from './stored-events.js';
import { UNPARKED } from './wakeups.js';

/** A reader's keys that are parked: their events wait until they are unparked. */
export type ParkedKeys = ReadonlySet<string>;

/** The reader's checkpoint; a reader that is new starts before the first event. */
export async function loadCheckpoint(db: pg.Pool | pg.ClientBase, reader: string): Promise<number> {
  const sql = `insert into log.reader (name) values ($1) on conflict (name) do nothing`;
  const select = `select position from log.reader where name = $1`;
  const found = await db.query<{ position: string }>(select, [reader]);
  if (found.rows[0]) return Number(found.rows[0].position);
  await db.query(sql, [reader]);
  return Number((await db.query<{ position: string }>(select, [reader])).rows[0]!.position);
}

/**
 * Moves the checkpoint in the caller's transaction, which holds the reader's lock from then on. Answers the parked keys, or
 * undefined if another instance has moved it: the caller must roll back and load it again.
 */
export async function moveCheckpoint(
  client: pg.ClientBase,
  { reader, from, to }: { reader: string; from: number; to: number },
): Promise<ParkedKeys | undefined> {
  const { rows } = await client.query<{ keys: string[] | null }>({
    name: 'log.move_reader',
    text: 'select log.move_reader($1, $2, $3) as keys',
    values: [reader, from, to],
  });
  return rows[0]!.keys ? new Set(rows[0]!.keys) : undefined;
}

/** Sets an event aside. Without an error it waits behind another one of its keys, and is replayed with it. */
export async function park(
  client: pg.ClientBase,
  parked: { reader: string; position: number; keys: string[]; error: string | null },
): Promise<void> {
  await client.query(
    `insert into log.parked (reader, position, keys, error, retry)
     values ($1, $2, $3, $4, exists (select from log.parked where reader = $1 and keys && $3::text[] and retry))`,
    [parked.reader, parked.position, parked.keys, parked.error],
  );
}

/**
 * Asks the running reader to handle what is parked under a key again, in order. Events that share another key with one of them
 * come along. Answers how many events that is.
 */
export async function unpark(db: pg.Pool | pg.ClientBase, reader: string, key: string): Promise<number> {
  const { rowCount } = await db.query(
    `with recursive chain (position, keys) as (
       select position, keys from log.parked where reader = $1 and $2 = any(keys)
       union
       select p.position, p.keys from log.parked p join chain c on p.keys && c.keys where p.reader = $1
     )
     update log.parked set retry = true where reader = $1 and position in (select position from chain)`,
    [reader, key],
  );
  await db.query(`select pg_notify('liandun_log', $1)`, [UNPARKED]);
  return rowCount ?? 0;
}

/** An event that is to be handled again. */
export interface Retry {
  event: StoredEvent;
  keys: string[];
}

/** Whether any event is to be handled again: seldom, so it is asked before anything is locked. */
export async function hasRetries(db: pg.Pool, reader: string): Promise<boolean> {
  const sql = 'select exists (select from log.parked where reader = $1 and retry) as any';
  return (await db.query<{ any: boolean }>(sql, [reader])).rows[0]!.any;
}

/** The oldest event that is to be handled again, locked together with the reader; undefined if there is none. */
export async function nextRetry(client: pg.ClientBase, reader: string): Promise<Retry | undefined> {
  await client.query('select from log.reader where name = $1 for update', [reader]);
  const { rows } = await client.query<{ position: string; entry: string; leaf_hash: Buffer; keys: string[] }>(
    `select e.position, e.entry, e.leaf_hash, p.keys from log.parked p join log.entry e using (position)
     where p.reader = $1 and p.retry order by position limit 1`,
    [reader],
  );
  return rows[0] && { event: storedEvent(rows[0]), keys: rows[0].keys };
}

export async function removeParked(client: pg.ClientBase, reader: string, position: number): Promise<void> {
  await client.query('delete from log.parked where reader = $1 and position = $2', [reader, position]);
}

/** It failed again: it and those that wait behind it stay parked. */
export async function parkAgain(
  db: pg.Pool,
  { reader, position, keys, error }: { reader: string; position: number; keys: string[]; error: string },
): Promise<void> {
  await db.query(
    `update log.parked set retry = false, error = case when position = $2 then $4 else error end
     where reader = $1 and (position = $2 or keys && $3::text[])`,
    [reader, position, keys, error],
  );
}

/** The keys that are parked now. */
export async function parkedKeys(db: pg.Pool, reader: string): Promise<ParkedKeys> {
  const sql = 'select distinct unnest(keys) as key from log.parked where reader = $1';
  return new Set((await db.query<{ key: string }>(sql, [reader])).rows.map(({ key }) => key));
}

/** How much is parked. */
export async function parkedCounts(db: pg.Pool, reader: string): Promise<{ events: number; keys: number }> {
  const { rows } = await db.query<{ events: number; keys: number }>(
    `select count(*)::int as events,
       (select count(distinct key)::int from log.parked p, unnest(p.keys) as key where p.reader = $1) as keys
     from log.parked where reader = $1`,
    [reader],
  );
  return rows[0]!;
}
