import type pg from 'pg';
import type { StoredEvent } from './events.js';

type Queryable = pg.Pool | pg.ClientBase;

/** A row of log.entry as it is read: everything else is in the entry's text. */
interface EntryRow {
  position: string;
  entry: string;
  leaf_hash: Buffer;
}

/** An entry's text holds every field but its position and its leaf hash. */
export function storedEvent({ position, entry, leaf_hash }: EntryRow): StoredEvent {
  const { id, source, type, time, stream, version, acceptedAt, data } = JSON.parse(entry) as StoredEvent;
  const leafHash = leaf_hash;
  return { position: Number(position), id, source, type, time, stream, version, acceptedAt, data, leafHash, entry };
}

export async function read(
  db: Queryable,
  { after, limit, types }: { after: number; limit: number; types?: readonly string[] },
): Promise<StoredEvent[]> {
  return (await readWindow(db, { after, limit, types })).events;
}

/** Events behind a position, and up to which position there are no others of these types. */
export async function readWindow(
  db: Queryable,
  { after, limit, types }: { after: number; limit: number; types?: readonly string[] | undefined },
): Promise<{ events: StoredEvent[]; to: number }> {
  // One statement, one snapshot: the head and the entries belong together.
  const { rows } = await db.query<EntryRow & { head: string }>({
    name: types ? 'log.read_types' : 'log.read',
    text: `select h.position as head, e.* from log.head h left join lateral (
        select position, entry, leaf_hash from log.entry
        where position > $1 ${types ? 'and type = any($3)' : ''} order by position limit $2) e on true
      order by e.position`,
    values: types ? [after, limit, types] : [after, limit],
  });
  const events = rows.filter(({ position }) => position !== null).map(storedEvent);
  const to = events.length === limit ? events.at(-1)!.position : Number(rows[0]!.head);
  return { events, to };
}

export async function readStream(
  db: Queryable,
  stream: string,
  { after = -1, limit }: { after?: number; limit: number },
): Promise<StoredEvent[]> {
  const text = `select position, entry, leaf_hash from log.entry where stream = $1 and version > $2 order by version limit $3`;
  return (await db.query<EntryRow>({ name: 'log.read_stream', text, values: [stream, after, limit] })).rows.map(
    storedEvent,
  );
}

export async function at(db: Queryable, position: number): Promise<StoredEvent | undefined> {
  const text = `select position, entry, leaf_hash from log.entry where position = $1`;
  return (await db.query<EntryRow>({ name: 'log.at', text, values: [position] })).rows.map(storedEvent)[0];
}

export async function find(db: Queryable, source: string, id: string): Promise<StoredEvent | undefined> {
  const text = `select position, entry, leaf_hash from log.event_id join log.entry using (position)
    where event_id.source = $1 and event_id.id = $2`;
  return (await db.query<EntryRow>({ name: 'log.find', text, values: [source, id] })).rows.map(storedEvent)[0];
}

/** Of a stored event, what tells whether the same id came with the same content. */
export async function fingerprintOf(db: Queryable, source: string, id: string): Promise<Buffer | undefined> {
  const text = 'select fingerprint from log.event_id where source = $1 and id = $2';
  return (await db.query<{ fingerprint: Buffer }>({ name: 'log.fingerprint', text, values: [source, id] })).rows[0]
    ?.fingerprint;
}

export async function head(db: Queryable): Promise<number> {
  return Number((await db.query<{ position: string }>('select position from log.head')).rows[0]!.position);
}

export async function streamVersion(db: Queryable, stream: string): Promise<number> {
  const text = `select version from log.stream where stream = $1`;
  return (
    (await db.query<{ version: number }>({ name: 'log.stream_version', text, values: [stream] })).rows[0]?.version ?? -1
  );
}
