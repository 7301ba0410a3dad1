import { LedgerError, problem, type FieldError, type Problem, type ProblemCode } from '@liandun/contracts';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { methodsAt } from './policy.js';

/** HTTP statuses belong to this edge; every code that isn't named is a submission that can't be processed: 422. */
const STATUSES: Partial<Record<ProblemCode, number>> = {
  MALFORMED_JSON: 400,
  DUPLICATE_NAME: 400,
  NESTED_TOO_DEEP: 400,
  NUMBER_OUT_OF_RANGE: 400,
  INVALID_REQUEST: 400,
  PURPOSE_REQUIRED: 400,
  CURSOR_INVALID: 400,
  UNAUTHENTICATED: 401,
  KEY_STOPPED: 401,
  INVALID_CLIENT: 401,
  FORBIDDEN: 403,
  MEMBER_SUSPENDED: 403,
  SECOND_PERSON_NEEDED: 403,
  NO_LEGAL_BASIS: 403,
  NOT_FOUND: 404,
  MEMBER_NOT_FOUND: 404,
  KEY_NOT_FOUND: 404,
  APPROVAL_NOT_FOUND: 404,
  WEBHOOK_NOT_FOUND: 404,
  REVIEW_NOT_FOUND: 404,
  FLOOD_NOT_FOUND: 404,
  APPEAL_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  EVENT_ID_REUSED: 409,
  VERSION_CONFLICT: 409,
  MEMBER_EXISTS: 409,
  MEMBER_NOT_ACTIVE: 409,
  KEY_EXISTS: 409,
  KEY_LIMIT: 409,
  LAST_KEY: 409,
  ADMINISTRATORS_TOO_FEW: 409,
  APPROVAL_DECIDED: 409,
  CODES_CHANGED: 409,
  APPEAL_OPEN: 409,
  APPEAL_DECIDED: 409,
  CASE_HELD: 409,
  LISTING_NOT_ACTIVE: 409,
  LISTING_STAYED: 409,
  DEADLINE_PAUSED: 409,
  DEADLINE_NOT_PAUSED: 409,
  DEADLINE_OVER: 409,
  REVIEWER_IS_DECIDER: 403,
  LISTING_NOT_WRONG: 409,
  MALICE_FOUND: 409,
  FINDER_IS_DECIDER: 403,
  REVIEW_DECIDED: 409,
  REVIEW_NOT_DECIDED: 409,
  REVIEW_PROPOSED: 409,
  REVIEW_IDENTIFIERS_DIFFER: 409,
  REVIEW_KINDS_DIFFER: 409,
  BODY_TOO_LARGE: 413,
  TOO_MANY_VALUES: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UNSUPPORTED_CONTENT_ENCODING: 415,
  RATE_LIMITED: 429,
  SCREENING_BUDGET_SPENT: 429,
  LOOKUP_BUDGET_SPENT: 429,
  IDENTIFICATIONS_SPENT: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  LOG_HALTED: 503,
  CODES_NOT_SENT: 503,
  STATEMENTS_NOT_TAKEN: 409,
};

/** What Nest and Fastify refuse by themselves. */
const CODES: Record<number, ProblemCode> = {
  400: 'INVALID_REQUEST',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  503: 'UNAVAILABLE',
};

export const statusOf = (code: string): number => STATUSES[code as ProblemCode] ?? 422;

/** Answers with a problem (RFC 9457, application/problem+json). */
export function sendProblem(reply: FastifyReply, refusal: Problem): void {
  const status = statusOf(refusal.code);
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="liandun", error="invalid_token"');
  void reply
    .status(status)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify({ ...refusal, status }));
}

/** A refusal that was worked out elsewhere. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly refusal: Problem,
    /** When the same request may succeed (Retry-After), where that is known. */
    readonly retryAfterSeconds?: number,
  ) {
    super(refusal.code);
  }
}

/** What a body says. Throws ProblemError where it was refused. */
export function valueOf<T>(validated: { value: T } | { problem: Problem }): T {
  if ('problem' in validated) throw new ProblemError(validated.problem);
  return validated.value;
}

/** A refusal that names a field, for queries and headers. */
export const refuseField = (code: ProblemCode, pointer: string, fieldCode: ProblemCode = code): LedgerError => {
  const { detail: message, detailZh: messageZh } = problem(fieldCode);
  const error: FieldError = { pointer, code: fieldCode, message, messageZh };
  return new LedgerError(code, [error]);
};

const SQLSTATE_OF_A_LOST_SERVER = /^(08...|57P0.|53...|ECONNREFUSED|ECONNRESET|EPIPE)$/;

function isUnavailable(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return SQLSTATE_OF_A_LOST_SERVER.test(code);
  return (
    typeof message === 'string' && /^(Connection terminated|timeout exceeded when trying to connect)/.test(message)
  );
}

/** The one place where an exception becomes an answer. Causes go to the log, never to the caller. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    if (reply.raw.headersSent) return void reply.raw.destroy();
    if (error instanceof ProblemError && error.retryAfterSeconds !== undefined)
      void reply.header('retry-after', String(error.retryAfterSeconds));
    sendProblem(reply, this.#problemOf(error, request, reply));
  }

  #problemOf(error: unknown, request: FastifyRequest, reply: FastifyReply): Problem {
    if (error instanceof LedgerError) return error.toProblem();
    if (error instanceof ProblemError) return error.refusal;
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status === 404) {
      const allowed = methodsAt(request.url.split('?', 1)[0] ?? '');
      if (allowed.length > 0) {
        void reply.header('allow', allowed.join(', '));
        return problem('METHOD_NOT_ALLOWED');
      }
    }
    const code = CODES[status];
    if (code) return problem(code);
    // Messages of the database can quote values, so only what identifies the place is logged.
    const { name, code: sqlState, stack } = error as { name?: string; code?: string; stack?: string };
    const trace = stack?.split('\n').filter((line) => /^\s+at /.test(line));
    this.logger.error({ name, sqlState, trace, route: request.routeOptions.url }, 'request failed');
    return problem(isUnavailable(error) ? 'UNAVAILABLE' : 'INTERNAL');
  }
}
