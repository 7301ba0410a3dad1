import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { isConnectionError } from './errors.js';

/**
 * Runs work on a connection of the pool. A broken connection shows as the error of the statement under way, and is not put back.
 */
export async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener the process would end when the connection breaks.
  let broken = false;
  const onError = (): void => void (broken = true);
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    broken ||= isConnectionError(error); // its own event may come only after the client is back in the pool
    throw error;
  } finally {
    client.off('error', onError);
    if (broken) client.on('error', () => {}); // it may say so more than once
    client.release(broken);
  }
}

/** Runs work in a transaction: committed when it resolves, rolled back when it rejects. */
export function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withClient(pool, async (client) => {
    const { pipeline } = client as { pipeline?: boolean };
    if (pipeline) corkUntilNextTick(client);
    // Its failure is met by the first statement of the work, which a pipelined connection sends along with it.
    const begun = client.query('begin');
    begun.catch(() => {});
    try {
      if (!pipeline) await begun;
      const result = await work(client);
      const { command } = await client.query('commit');
      // Work that swallowed a statement's error: the server has rolled back.
      if (command !== 'COMMIT') throw new Error('The transaction was rolled back: a statement in it had failed');
      return result;
    } catch (error) {
      await rollBack(client);
      throw error;
    }
  });
}

/** If even that fails, the connection is gone, and the transaction with it. */
async function rollBack(client: pg.ClientBase): Promise<void> {
  await client.query('rollback').catch(() => {});
}

/** Lets the statements that are sent in this turn leave in one write: for small groups, writes are what costs most. */
export function corkUntilNextTick(client: pg.ClientBase): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
}
