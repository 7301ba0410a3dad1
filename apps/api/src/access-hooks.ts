import { randomUUID } from 'node:crypto';
import { EVENT_TYPES, LedgerError, type ReadAudited } from '@liandun/contracts';
import { entityAbout, type ProvenSubject } from '@liandun/views';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Enumeration } from './enumeration.js';
import type { GuardedLog } from './guarded-log.js';
import type { Identifications } from './identifications.js';
import type { LedgerWriter } from './ledger-writer.js';
import type { Metrics } from './metrics.js';
import { methodsAt, ruleOf, type Rule } from './policy.js';
import { refuseField } from './problems.js';
import { quotaKeyOf, type RateLimits } from './rate-limits.js';
import type { Reads } from './reads.js';
import type { Caller, Tokens } from './tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for every route that isn't open. */
    caller?: Caller & { expiresAt: Date };
    /** Set for the routes of subjects. */
    subject?: ProvenSubject;
  }
}

export interface AccessParts {
  tokens: Tokens;
  identifications: Identifications;
  log: GuardedLog;
  writer: LedgerWriter;
  reads: Reads;
  rates: RateLimits;
  enumeration: Enumeration;
  metrics: Metrics;
  logger: Logger;
}

/** The caller of a route that isn't open. */
export function callerOf({ caller }: FastifyRequest): Caller & { expiresAt: Date } {
  if (!caller) throw new LedgerError('UNAUTHENTICATED');
  return caller;
}

/** Who has proved whom entries are about, on a route of subjects. */
export function subjectOf({ subject }: FastifyRequest): ProvenSubject {
  if (!subject) throw new LedgerError('UNAUTHENTICATED');
  return subject;
}

const ruleOfRequest = ({ method, routeOptions, is404 }: FastifyRequest): Rule | undefined =>
  is404 || routeOptions.url === undefined ? undefined : ruleOf(method, routeOptions.url);

// Printable ASCII; other characters come percent-encoded. It goes into the log, so its length is bounded.
const HEADER_TEXT = /^[\x21-\x7e]([\x20-\x7e]{0,126}[\x21-\x7e])?$/;

function headerText(request: FastifyRequest, name: string): string {
  const value = request.headers[name.toLowerCase()];
  if (typeof value !== 'string' || !HEADER_TEXT.test(value)) throw refuseField('PURPOSE_REQUIRED', `/headers/${name}`);
  return value;
}

const mediaTypeOf = ({ headers }: FastifyRequest): string =>
  (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** A request with neither a type nor a length has no body: a change that its address says needs none. */
const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['content-type'] !== undefined ||
  headers['transfer-encoding'] !== undefined ||
  Number(headers['content-length'] ?? 0) > 0;

async function authenticate(
  request: FastifyRequest,
  rule: Rule,
  { tokens, identifications }: Pick<AccessParts, 'tokens' | 'identifications'>,
): Promise<void> {
  if (rule.roles === 'open') return;
  const [, token] = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (!token) throw new LedgerError('UNAUTHENTICATED');
  if (rule.roles.includes('subject')) {
    request.subject = await identifications.proven(token);
    return;
  }
  const caller = await tokens.verify(token);
  if (!rule.roles.includes(caller.role)) throw new LedgerError('FORBIDDEN');
  request.caller = caller;
}

/** What a reading of the audit was narrowed to. */
const ASKED = ['member', 'type', 'from', 'to', 'after'];

/** Why a regulator reads. One who doesn't say it is refused, and that he tried stands in the log: who and which route, about whom not. */
async function purposeOf(
  request: FastifyRequest,
  reader: string,
  writer: LedgerWriter,
): Promise<{ purpose: string; caseNo: string }> {
  try {
    return { purpose: headerText(request, 'Liandun-Purpose'), caseNo: headerText(request, 'Liandun-Case') };
  } catch (error) {
    const data: ReadAudited = { reader, route: request.routeOptions.url ?? '', refused: 'PURPOSE_REQUIRED' };
    await writer.append(`reads/${reader}`, { id: `read:${randomUUID()}`, type: EVENT_TYPES.readAudited, data });
    throw error;
  }
}

/** As much of what was asked as is recorded. A character that the end cuts in two is replaced: half of one can't be written down. */
const recorded = (text: string, lengthMax = 64): string => text.slice(0, lengthMax).toWellFormed();

/** A regulator's reading stands in the log before it is answered. */
async function recordReading(request: FastifyRequest, { writer, reads }: AccessParts): Promise<void> {
  const caller = callerOf(request);
  const { purpose, caseNo } = await purposeOf(request, caller.memberId, writer);
  const params = request.params as Record<string, string>;
  const query = request.query as Record<string, string>;
  const { listingId, reviewId, source, id } = params;
  const receipt =
    source === undefined || id === undefined ? undefined : { source: recorded(source, 128), id: recorded(id, 128) };
  const named = params['entityId'] ?? query['entityId'];
  const entityId =
    typeof named === 'string' || !(listingId ?? receipt) || `${listingId}${source}${id}`.includes('\0')
      ? named
      : await reads.as(caller, (db) => entityAbout(db, { listingId, receipt }));
  const { appealId, other } = params;
  const asked = ASKED.flatMap((name): [string, string][] => {
    const value: unknown = query[name];
    return typeof value === 'string' ? [[name, recorded(value)]] : [];
  });
  if (appealId !== undefined) asked.push(['appealId', recorded(appealId)]);
  const record = (about: unknown, narrowed: typeof asked): Promise<unknown> =>
    writer.append(`reads/${caller.memberId}`, {
      id: `read:${randomUUID()}`,
      type: EVENT_TYPES.readAudited,
      data: {
        reader: caller.memberId,
        route: request.routeOptions.url ?? '',
        purpose,
        caseNo,
        ...(typeof about === 'string' ? { entityId: recorded(about) } : {}),
        ...(listingId === undefined ? {} : { listingId: recorded(listingId) }),
        ...(reviewId === undefined ? {} : { reviewId: recorded(reviewId) }),
        ...(receipt === undefined ? {} : { receipt }),
        ...(narrowed.length === 0 ? {} : { asked: Object.fromEntries(narrowed) }),
      },
    });
  if (other === undefined) {
    await record(entityId, asked);
    return;
  }
  // A reading about two is found with either.
  await record(entityId, [...asked, ['other', recorded(other)]]);
  await record(other, [...asked, ['other', recorded(String(entityId))]]);
}

/** Fastify would ask a method that nothing here takes for a body before it says so. */
function refuseMethod(request: FastifyRequest, reply: FastifyReply): void {
  const allowed = methodsAt(request.url.split('?', 1)[0] ?? '');
  if (allowed.length === 0 || allowed.includes(request.method)) return;
  void reply.header('allow', allowed.join(', '));
  throw new LedgerError('METHOD_NOT_ALLOWED');
}

/** A request counts as one; events are counted by their controller, which knows how many there are. */
async function limit(
  request: FastifyRequest,
  reply: FastifyReply,
  { rate, lookUp }: Rule,
  { rates, enumeration }: Pick<AccessParts, 'rates' | 'enumeration'>,
): Promise<void> {
  if (rate === 'unlimited') return;
  await rates.take(quotaKeyOf(request, rate), rate === 'events' ? 0 : 1, reply);
  if (lookUp && request.caller) await enumeration.requireLookUps(request.caller.memberId);
}

/**
 * Authentication, authorization, quotas, media types and the audit of readings, for every route by its rule and before any body
 * is read. A route without a rule can't be registered.
 */
export function installAccess(instance: FastifyInstance, parts: AccessParts): void {
  const { log, enumeration, metrics, logger } = parts;
  instance.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat())
      if (one !== 'OPTIONS' && !/^\/?\*$/.test(url) && !ruleOf(one, url)) throw new Error(`no rule for ${one} ${url}`);
  });
  instance.addHook('onRequest', async (request, reply) => {
    const rule = ruleOfRequest(request);
    if (!rule) return refuseMethod(request, reply);
    await authenticate(request, rule, parts);
    await limit(request, reply, rule, parts);
    if (rule.accepts && hasBody(request) && !rule.accepts.includes(mediaTypeOf(request)))
      throw new LedgerError('UNSUPPORTED_MEDIA_TYPE');
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
      throw new LedgerError('UNSUPPORTED_CONTENT_ENCODING');
    // Before a body is read: a stream could be answered in its midst only by breaking off.
    if (request.method === 'POST' && rule.roles !== 'open') log.requireOpen();
  });
  instance.addHook('preHandler', async (request) => {
    if (ruleOfRequest(request)?.audited && request.caller?.role === 'regulator') await recordReading(request, parts);
  });
  instance.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode === 404 && request.caller && ruleOfRequest(request)?.lookUp)
      enumeration.missed(request.caller.memberId);
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    const { method, caller } = request;
    const ms = reply.elapsedTime;
    metrics.observeRequest(method, route, reply.statusCode, ms / 1000);
    logger.info({ method, route, status: reply.statusCode, ms: Math.round(ms), member: caller?.memberId }, 'request');
  });
}
