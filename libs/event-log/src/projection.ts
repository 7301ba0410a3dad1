import pg from 'pg';
import type { StoredEvent } from './events.js';
import type { ReaderDefinition } from './reader.js';
import { head, read } from './stored-events.js';
import { inTransaction } from './transaction.js';

/** State folded from the log alone: rebuilt, it is the same, byte for byte. */
export interface Projection {
  /** Of its schema, and of its reader unless it is inline. */
  name: string;
  /** Creates the schema, everything in it and the rights to it. */
  ddl(schema: string): string;
  /** Folds events, in position order. Its effects depend on nothing but the events and the schema's state. */
  apply(client: pg.ClientBase, schema: string, events: StoredEvent[]): Promise<void>;
  /** Folded by a rider in the append's own transaction, not by a reader. */
  inline?: boolean;
  /** Types that its reader appends and folds at once, so that they are in the live state before their turn comes. */
  ahead?: readonly string[];
}

/** The reader that keeps a projection up to date. */
export function projectionReader(projection: Projection, batchMax = 500): ReaderDefinition {
  const { name } = projection;
  return { name, batchMax, handle: (client, events) => projection.apply(client, name, events) };
}

/**
 * Folds the whole log into `<name>_next` while the live schema goes on, then swaps them. Only the last stretch is folded under
 * the lock of what writes the live one (its reader's, the head's if it is inline). Makes the schema as liandun_owner, who sees no
 * entry, and folds as liandun_worker: the pool's user must be a member of both. Needs a live schema.
 */
export async function rebuildProjection(
  pool: pg.Pool,
  projection: Projection,
  { batchMax = 1000, reader = projection.name }: { batchMax?: number; reader?: string } = {},
): Promise<void> {
  const next = `${projection.name}_next`;
  const owner = 'set local role liandun_owner';
  const folder = 'set local role liandun_worker';
  await inTransaction(pool, async (client) => {
    await client.query(`${owner}; drop schema if exists ${next} cascade`);
    await client.query(projection.ddl(next));
  });

  const fold = async (client: pg.ClientBase, after: number, until: number): Promise<number> => {
    let position = after;
    while (position < until) {
      const events = await read(client, { after: position, limit: Math.min(batchMax, until - position) });
      await projection.apply(client, next, events);
      position = events.at(-1)!.position;
    }
    return position;
  };

  const live = () =>
    inTransaction(pool, async (client) => {
      await client.query(folder);
      return projection.inline ? head(client) : readerPosition(client, reader);
    });
  let position = -1;
  for (let until = await live(); until - position > batchMax; until = await live()) {
    position = await inTransaction(pool, async (client) => {
      await client.query(folder);
      return fold(client, position, Math.min(until, position + batchMax));
    });
  }
  await inTransaction(pool, async (client) => {
    await client.query(folder);
    const lock = projection.inline
      ? 'select position from log.head for update'
      : `select position from log.reader where name = ${pg.escapeLiteral(reader)} for update`;
    const { rows } = await client.query<{ position: string }>(lock);
    const reached = rows[0] ? Number(rows[0].position) : -1;
    await fold(client, position, reached);
    if (projection.ahead) {
      const types = projection.ahead;
      for (let after = reached; ;) {
        const events = await read(client, { after, limit: batchMax, types });
        if (events.length === 0) break;
        await projection.apply(client, next, events);
        after = events.at(-1)!.position;
      }
    }
    await client.query(
      `${owner}; drop schema ${projection.name} cascade; alter schema ${next} rename to ${projection.name}`,
    );
  });
}

async function readerPosition(pool: pg.ClientBase, reader: string): Promise<number> {
  const { rows } = await pool.query<{ position: string }>('select position from log.reader where name = $1', [reader]);
  return rows[0] ? Number(rows[0].position) : -1;
}
