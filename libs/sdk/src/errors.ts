import type { Problem } from '@liandun/contracts';

/** What can go wrong on the caller's side; a refusal by the ledger carries the ledger's own code (`problem.code`). */
type LocalCode =
  | 'UNREACHABLE'
  | 'MALFORMED_ANSWER'
  | 'UNTRUSTED_SERVER'
  | 'MALFORMED_NOTICE'
  | 'NOTICE_MISSING'
  | 'TIMED_OUT'
  | 'NO_INBOX_KEY'
  | 'CLOSED'
  | 'WEBHOOK_REFUSED'
  | 'AUTO_CLOSE_REFUSED';

interface Details {
  status?: number;
  problem?: Problem;
  retryAfterMs?: number;
  cause?: unknown;
}

const RETRY_AFTER_MAX_MS = 300_000;

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
    // A day's budget comes back tomorrow: that is for whoever asked to wait for.
    if (this.status === 429) return (this.retryAfterMs ?? 0) <= RETRY_AFTER_MAX_MS;
    return this.status >= 500;
  }
}

/** Whatever was thrown, as an Error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** What OpenSSL and Node say of a certificate that they don't accept. */
const UNTRUSTED = /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;

/** fetch throws TypeError and AbortError when there is no answer, and hides the reason in `cause`. */
export function asLiandunError(thrown: unknown, url: string): LiandunError {
  if (thrown instanceof LiandunError) return thrown;
  const error = asError(thrown);
  const { code = '', message = '' } = (thrown as { cause?: NodeJS.ErrnoException }).cause ?? {};
  if (UNTRUSTED.test(code)) {
    const remedy = `give the certificate of its authority as 'ca', or in NODE_EXTRA_CA_CERTS`;
    return new LiandunError('UNTRUSTED_SERVER', `${url} has no valid certificate (${code}: ${message}): ${remedy}`, {
      cause: thrown,
    });
  }
  return new LiandunError('UNREACHABLE', `No answer from ${url}: ${error.message}`, { cause: thrown });
}
