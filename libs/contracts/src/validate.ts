import { Allow } from 'class-validator';
import { checkObject, ErrorList, planOf } from './compiled.js';
import type { FieldError, Problem } from './envelope.js';
import { fieldError, problemOf } from './errors.js';
import { holdsPersonalData } from './personal-fields.js';
import { memberSource } from './event-types.js';
import { Doc, Line, Nested, OneOf, OpaqueId, Optional, Pattern, Time, type Class } from './fields.js';
import type { MemberRole, SignaturePolicy } from './outcomes.js';
import { Identity } from './payloads.events.js';
import { REVIEW_GROUNDS, ReviewDecision, UNSURE_DAYS, UNSURE_DAYS_MAX } from './review.js';
import { reasonCodes, type ReasonCodeTable } from './reason-codes.js';
import { checkRules, type RuleContext } from './rules.js';
import { ScreeningDecision } from './screening.js';
import { isSubmittedType, SUBMISSIONS, type Payload, type Submission } from './submissions.js';
import { DAY_MS, timeMs, toBeijingTime } from './time.js';

/** The CloudEvents 1.0 attributes that a submission may carry; `data` is checked against the payload's class. */
export class Envelope {
  @Doc('CloudEvents version', 'CloudEvents 版本')
  @Pattern(/^1\.0$/, 'UNSUPPORTED_SPECVERSION')
  specversion: '1.0';

  @Doc(
    'Unique per source; the same id with the same content is a duplicate',
    '在同一 source 内唯一；同 id 同内容视为重复',
  )
  @OpaqueId()
  id: string;

  @Doc('urn:liandun:member:<member>, the sender itself', 'urn:liandun:member:<成员>，即发送方本身')
  @Line(256)
  source: string;

  @Doc('Event type', '事件类型')
  @Line(128)
  type: string;

  @Doc('When it happened, RFC 3339', '发生时间，RFC 3339')
  @Time()
  time: string;

  @Doc('Media type of data', 'data 的媒体类型')
  @Optional()
  @OneOf(['application/json'])
  datacontenttype?: 'application/json';

  @Doc('Opaque id of what the event is about', '事件所涉对象的内部编号')
  @Optional()
  @OpaqueId()
  subject?: string;

  @Doc(
    "The publisher's signature: a detached JWS (RFC 7515 appendix F) over the committed form",
    '发送方签名：对承诺形式的分离式 JWS（RFC 7515 附录 F）',
  )
  @Optional()
  @Pattern(/^[A-Za-z0-9_-]{1,400}\.\.[A-Za-z0-9_-]{86}$/)
  signature?: string;

  @Doc(
    'With a signature over personal values: 32 random bytes in base64url, from which the salts of the commitments come',
    '对个人信息签名时：32 字节随机数（base64url），各承诺的盐由此得出',
  )
  @Optional()
  @Pattern(/^[A-Za-z0-9_-]{43}$/)
  salt?: string;

  @Doc('The payload of this type', '该类型的内容')
  @Allow()
  data: unknown;
}

export interface Submitter {
  memberId: string;
  role: MemberRole;
  /** What the ledger asks of this member; `optional` unless told. */
  signatures?: SignaturePolicy;
  /** The reason codes in force; those that the ledger started with unless told. */
  codes?: ReasonCodeTable;
  /** The database's time, or as near to it as the caller can come. */
  now: Date;
}

export type Validated = { event: Submission; clockAhead?: true } | { problem: Problem };

/** A salt is there where something is committed to by it, and nowhere else. */
function checkSignature({ signature, salt, data }: Record<string, unknown>, required: boolean, list: ErrorList): void {
  if (signature === undefined) {
    if (required) list.add('/signature', 'SIGNATURE_REQUIRED');
    if (salt !== undefined) list.add('/salt', 'FIELD_NOT_APPLICABLE');
  } else if ((salt !== undefined) !== holdsPersonalData(data)) {
    list.add('/salt', salt === undefined ? 'MISSING_FIELD' : 'FIELD_NOT_APPLICABLE');
  }
}

function checkEnvelope(raw: Record<string, unknown>, submitter: Submitter, list: ErrorList): void {
  const { memberId, role, signatures } = submitter;
  checkObject(planOf(Envelope), raw, '', list);
  checkSignature(raw, signatures === 'required', list);
  const { source, type } = raw;
  if (!list.touches('/source') && source !== memberSource(memberId)) list.add('/source', 'SOURCE_NOT_YOURS');
  if (list.touches('/type')) return;
  if (!isSubmittedType(type as string)) list.add('/type', 'UNKNOWN_TYPE');
  else if (!SUBMISSIONS[type as Submission['type']].from.includes(role)) list.add('/type', 'TYPE_NOT_ALLOWED');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Every rule of design section 3 ("Events in") that needs no state, over one submission as JSON gave it. All errors are
 * reported together, each with its JSON Pointer; none repeats a submitted value. A valid event is returned as it came in
 * (nothing is added, dropped or converted), with `clockAhead` where a time lies up to three hours ahead of `now`.
 */
export function validateSubmission(raw: unknown, submitter: Submitter): Validated {
  const list = new ErrorList();
  if (!isObject(raw)) {
    list.add('', 'WRONG_TYPE');
    return { problem: problemOfList(list) };
  }
  checkEnvelope(raw, submitter, list);
  const { codes } = submitter.codes ?? reasonCodes();
  const context: RuleContext = { role: submitter.role, codes, nowMs: submitter.now.getTime(), list, clockAhead: false };
  if (typeof raw.type === 'string' && isSubmittedType(raw.type)) {
    if (raw.data !== undefined) checkObject(planOf(SUBMISSIONS[raw.type].payload), raw.data, '/data', list);
    if (isObject(raw.data)) checkRules(raw.type, raw.data as unknown as Payload, context);
  }
  if (list.errors.length > 0) return { problem: problemOfList(list) };
  const event = raw as unknown as Submission;
  return context.clockAhead ? { event, clockAhead: true } : { event };
}

const problemOfList = (list: ErrorList): Problem => problemOf(list.errors as [FieldError, ...FieldError[]]);

export const PURPOSES = ['onboarding', 'compliance'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** The body of POST /v1/screenings. */
export class ScreeningRequest {
  @Doc('Who is screened', '被审查的身份信息')
  @Nested(() => Identity)
  identity: Identity;

  @Doc('What for: onboarding or compliance, nothing else (rule P15)', '用途：仅限入驻审查或合规（规则 P15）')
  @Pattern(/^(onboarding|compliance)$/, 'PURPOSE_NOT_ALLOWED')
  purpose: Purpose;
}

/** A request body against its class: every error with its JSON Pointer. */
export function validateBody<T extends object>(type: Class<T>, raw: unknown): { value: T } | { problem: Problem } {
  const list = new ErrorList();
  checkObject(planOf(type), raw, '', list);
  return list.errors.length > 0 ? { problem: problemOfList(list) } : { value: raw as T };
}

/** The body of a screening, `{ identity, purpose }`, by the same rules as the identities of events, and rule P15. */
export const validateIdentity = (raw: unknown): { value: ScreeningRequest } | { problem: Problem } =>
  validateBody(ScreeningRequest, raw);

/** The body of a decision on a screening's match. */
export const validateScreeningDecision = (raw: unknown): { value: ScreeningDecision } | { problem: Problem } =>
  validateBody(ScreeningDecision, raw);

/**
 * The body of a decision on a review at `now`, by its fields and by what they say together. `unsure` always ends: where no time
 * is given, after UNSURE_DAYS.
 */
export function validateReviewDecision(raw: unknown, now: Date): { value: ReviewDecision } | { problem: Problem } {
  const validated = validateBody(ReviewDecision, raw);
  if ('problem' in validated) return validated;
  const { value } = validated;
  const { decision, ground, expiresAt } = value;
  const grounds: readonly string[] = REVIEW_GROUNDS[ground].for;
  if (!grounds.includes(decision)) return { problem: problemOf([fieldError('/ground', 'INVALID_VALUE')]) };
  if (decision !== 'unsure') {
    return expiresAt === undefined
      ? validated
      : { problem: problemOf([fieldError('/expiresAt', 'FIELD_NOT_APPLICABLE')]) };
  }
  const inDays = (days: number): number => now.getTime() + days * DAY_MS;
  const until = expiresAt === undefined ? inDays(UNSURE_DAYS) : (timeMs(expiresAt) as number);
  if (until <= now.getTime() || until > inDays(UNSURE_DAYS_MAX))
    return { problem: problemOf([fieldError('/expiresAt', 'INVALID_VALUE')]) };
  return { value: { ...value, expiresAt: toBeijingTime(new Date(until)) } };
}
