import type { Problem } from '@liandun/contracts';

/** What can go wrong on the caller's side; a refusal by the ledger carries the ledger's own code (`problem.code`). */
type LocalCode =
  'UNREACHABLE' | 'MALFORMED_ANSWER' | 'MALFORMED_NOTICE' | 'NOTICE_MISSING' | 'TIMED_OUT' | 'NO_INBOX_KEY' | 'CLOSED';

interface Details {
  status?: number;
  problem?: Problem;
  retryAfterMs?: number;
  cause?: unknown;
}

/** The one error of the SDK: a stable code, and the ledger's problem document (RFC 9457) where it sent one. */
export class LiandunError extends Error {
  readonly code: LocalCode | (string & {});
  readonly status?: number;
  readonly problem?: Problem;
  /** How long the ledger asked to wait (HTTP `Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number;

  constructor(code: LocalCode | (string & {}), message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.name = 'LiandunError';
    this.code = code;
    this.status = details.status;
    this.problem = details.problem;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Whether the same request may succeed later: no answer, 429, or the server's own trouble. */
  get retriable(): boolean {
    if (this.status === undefined) return this.code === 'UNREACHABLE' || this.code === 'TIMED_OUT';
    return this.status === 429 || this.status >= 500;
  }
}

/** Whatever was thrown, as an Error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
