import { setTimeout as sleep } from 'node:timers/promises';
import { LiandunError } from './errors.js';

/** Exponential backoff with half of it random, so that clients that failed together don't come back together. */
export function backoffMs(attempt: number, baseMs = 100, maxMs = 10_000): number {
  const full = Math.min(maxMs, baseMs * 2 ** attempt);
  return full / 2 + Math.random() * (full / 2);
}

/** Sleeps, but no longer than until `signal` aborts; never throws. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/**
 * The result of `work`, or TIMED_OUT after `ms`. kafkajs can wait for ever in connect and send (its issues 918, 919,
 * 1167), so every call of it that a caller waits for goes through here. What timed out may still happen later.
 */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LiandunError('TIMED_OUT', `${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // it may fail after nobody waits any more
  }
}
