import { pause } from '@liandun/sdk';
import type { Pool } from 'pg';

/**
 * Calls `heard` for every notification on `channel` until `signal` aborts, over one connection of the pool; a broken
 * one is replaced after a second. Notifications of that second are lost, so the caller polls as well.
 */
export async function listen(
  pool: Pool,
  channel: string,
  heard: () => void,
  signal: AbortSignal,
  onProblem: (error: Error) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await listenOnce(pool, channel, heard, signal);
    } catch (error) {
      onProblem(error as Error);
      await pause(1_000, signal);
    }
  }
}

async function listenOnce(pool: Pool, channel: string, heard: () => void, signal: AbortSignal): Promise<void> {
  const client = await pool.connect();
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('The connection that listens was closed')));
      client.on('notification', heard);
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      client.query(`LISTEN ${channel}`).then(heard, reject);
    });
  } finally {
    client.removeAllListeners('notification');
    client.release(true); // it listens for ever: not to be handed to anybody else
  }
}
