import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import pg from 'pg';
import { quantile } from './statistics.js';

const EVERY_MS = 20;

/** What it takes to commit nothing, with a database that has other work. */
export interface BareCommits {
  p50Ms: number;
  p99Ms: number;
}

/**
 * Does the work, and meanwhile fifty commits a second that write a few bytes: what the disk leaves no durable work below. On a thread
 * of their own, so that nothing in this one keeps them waiting.
 */
export async function besideBareCommits<T>(databaseUrl: string, work: () => Promise<T>): Promise<[T, BareCommits]> {
  const thread = new Worker(new URL(import.meta.url), { workerData: databaseUrl });
  try {
    await once(thread, 'message');
    const done = await work();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    thread.postMessage('end');
    const [took] = (await once(thread, 'message')) as [number[]];
    return [done, { p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) }];
  } finally {
    await thread.terminate();
  }
}

async function commitMeanwhile(databaseUrl: string, port: NonNullable<typeof parentPort>): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const took: number[] = [];
  const commit = async (): Promise<void> => {
    const began = performance.now();
    await client.query(`select pg_logical_emit_message(true, 'bench', '')`);
    took.push(performance.now() - began);
  };
  const over = new AbortController();
  port.once('message', () => over.abort());
  port.postMessage('ready');
  const pending: Promise<void>[] = [];
  const began = performance.now();
  while (!over.signal.aborted) {
    pending.push(commit());
    await sleep(Math.max(0, began + pending.length * EVERY_MS - performance.now()));
  }
  await Promise.all(pending);
  await client.end();
  port.postMessage(took);
}

if (!isMainThread && parentPort) await commitMeanwhile(workerData as string, parentPort);
