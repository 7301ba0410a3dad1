import { problem } from '@liandun/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { setTimeout as sleep } from 'node:timers/promises';
import { RATE_WINDOW_SECONDS, type LimitTable, type Rate } from './limits.js';
import type { Metrics } from './metrics.js';
import { ProblemError } from './problems.js';

/** Whose quota it is: of a member and route, or of an address where nobody is known yet. */
export interface QuotaKey {
  rate: Rate;
  route: string;
  memberId?: string;
  address: string;
}

interface Standing {
  quota: number;
  remaining: number;
  resetSeconds: number;
}

const LF = 0x0a;

function linesIn(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines += 1;
  return lines;
}

/**
 * Counts in this process's memory: no request waits for it, and several processes behind one address grant their sum (decision
 * 10). What must hold over all of them, and for a day, is in the database (Enumeration).
 */
export class RateLimits {
  readonly #limiters = new Map<string, RateLimiterMemory>();

  constructor(
    private readonly limits: LimitTable,
    private readonly metrics: Metrics,
  ) {}

  /** Takes points from the quota and says in the answer's header what is left. Throws RATE_LIMITED, with Retry-After. */
  async take(key: QuotaKey, points: number, reply: FastifyReply): Promise<void> {
    const { quota, limiter } = this.#limiterOf(key);
    const taken = await limiter.consume(keyText(key), points).catch(resultOf);
    const standing = {
      quota,
      remaining: Math.max(0, taken.remainingPoints),
      resetSeconds: Math.max(1, Math.ceil(taken.msBeforeNext / 1000)),
    };
    announce(reply, key.rate, standing);
    if (taken.consumedPoints <= quota) return;
    this.metrics.countLimited(key.rate);
    throw new ProblemError(problem('RATE_LIMITED'), standing.resetSeconds);
  }

  /** Hands a stream of lines on as fast as the quota allows: it is slowed and never broken off. */
  async *paced(chunks: AsyncIterable<Uint8Array>, key: QuotaKey): AsyncGenerator<Uint8Array> {
    const { limiter } = this.#limiterOf(key);
    for await (const chunk of chunks) {
      const lines = linesIn(chunk);
      for (let due = lines > 0; due;) {
        const taken = await limiter.consume(keyText(key), lines).then(() => undefined, resultOf);
        due = taken !== undefined;
        if (!taken) continue;
        this.metrics.countLimited(key.rate);
        await sleep(taken.msBeforeNext, undefined, { ref: false });
        // A chunk that is larger than the whole quota passes once a window.
        if (lines > limiter.points) due = false;
      }
      yield chunk;
    }
  }

  #limiterOf({ rate, memberId }: QuotaKey): { quota: number; limiter: RateLimiterMemory } {
    const quota = this.limits.of(memberId).rates[rate];
    const name = `${rate} ${quota}`;
    const known = this.#limiters.get(name);
    const limiter = known ?? new RateLimiterMemory({ keyPrefix: name, points: quota, duration: RATE_WINDOW_SECONDS });
    if (!known) this.#limiters.set(name, limiter);
    return { quota, limiter };
  }
}

/** `events` come by one route only; a member's quota of reading or writing is one for each route. */
const keyText = ({ route, memberId, address }: QuotaKey): string => `${memberId ?? `@${address}`} ${route}`;

/** A refusal of the limiter comes as a rejection with the same figures; anything else is a fault. */
function resultOf(thrown: unknown): RateLimiterRes {
  if (thrown instanceof RateLimiterRes) return thrown;
  throw thrown;
}

/** RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10: structured fields, seconds. */
function announce(reply: FastifyReply, rate: Rate, { quota, remaining, resetSeconds }: Standing): void {
  void reply
    .header('ratelimit-policy', `"${rate}";q=${quota};w=${RATE_WINDOW_SECONDS}`)
    .header('ratelimit', `"${rate}";r=${remaining};t=${resetSeconds}`);
}

/** The quota that a request draws on; `caller` is known unless the route is open. */
export const quotaKeyOf = (request: FastifyRequest, rate: Rate): QuotaKey => ({
  rate,
  route: request.routeOptions.url ?? '',
  address: request.ip,
  ...(request.caller ? { memberId: request.caller.memberId } : {}),
});
