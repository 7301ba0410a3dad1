// When a message is tried again (Standard Webhooks, "Deliverability and reliability").

const BASE_MS = 5_000;
const FACTOR = 3;
const LONGEST_MS = 8 * 3_600_000;
const JITTER = 0.2;
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;

/** 5 s, 15 s, 45 s, … 3 h, 8 h, 8 h: about a day. Then the message is dead. */
export const ATTEMPTS_MAX = 11;

/** How long to wait after so many failed attempts, 1 at least; `random` from 0 to 1 spreads what failed together. Milliseconds. */
export const retryDelayMs = (attempts: number, random: number, baseMs = BASE_MS): number =>
  Math.min(LONGEST_MS, baseMs * FACTOR ** (attempts - 1)) * (1 + JITTER * random);

/** What Retry-After asks for (RFC 9110 section 10.2.3: seconds or a date), a day at most; 0 where it says nothing that can be read. */
export function retryAfterMs(header: string | undefined, now: Date): number {
  if (header === undefined) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now.getTime();
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS);
}
