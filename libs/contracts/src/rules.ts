// The rules of design section 3 ("Events in") that join several fields and need no state. Each names the fields that it
// reads; it is left out where one of them has a wrong form, so one mistake isn't reported twice.
import type { ErrorList } from './compiled.js';
import { SUBMITTED_TYPES, type SubmittedType } from './event-types.js';
import type { MemberRole } from './outcomes.js';
import {
  IMPERSONATION_CODE,
  REGISTRY_CODES,
  type CaseHeard,
  type CaseNotified,
  type Hearing,
  type ListingEnded,
  type MerchantDelisted,
  type MerchantReinstated,
  type NoticeDisposed,
  type ProofStandard,
  type RegistryListed,
  type RegistryRemoved,
  type RiskEntityReported,
} from './payloads.events.js';
import { termDays, type ReasonCode, type ReasonCodeTable, type ReasonKind } from './reason-codes.js';
import type { Payload } from './submissions.js';
import { DAY_MS, timeOrDateMs } from './time.js';

const AHEAD_MAX_MS = 3 * 3_600_000;
const DATA = '/data';

const PROOF_ORDER: readonly ProofStandard[] = ['platformFinding', 'registerPush', 'administrativeDecision', 'judgment'];

/** What a rule may use besides the data: who sends, when, and where to report. */
export interface RuleContext {
  role: MemberRole;
  /** The reason codes in force. */
  codes: ReasonCodeTable['codes'];
  nowMs: number;
  list: ErrorList;
  clockAhead: boolean;
}

interface Rule<T> {
  /** Fields of the data that must be well formed, or absent, for the rule to be asked. */
  reads: readonly (keyof T & string)[];
  check: (data: T, context: RuleContext) => void;
}

const ms = (text: string): number => timeOrDateMs(text) as number;

function checkClock(pointer: string, text: string, context: RuleContext): void {
  const aheadMs = ms(text) - context.nowMs;
  if (aheadMs > AHEAD_MAX_MS) context.list.add(pointer, 'CLOCK_AHEAD');
  else if (aheadMs > 0) context.clockAhead = true;
}

const decidedInTime: Rule<{ decidedAt: string }> = {
  reads: ['decidedAt'],
  check: ({ decidedAt }, context) => checkClock(`${DATA}/decidedAt`, decidedAt, context),
};

function checkHearing(hearing: Hearing, context: RuleContext): void {
  // A hearing that ends in the future wasn't held yet, so it may not release a case.
  checkClock(`${DATA}/hearing/endedAt`, hearing.endedAt, context);
  if (ms(hearing.endedAt) < ms(hearing.notifiedAt)) context.list.add(`${DATA}/hearing/endedAt`, 'HEARING_INCONSISTENT');
}

type AnyCase = MerchantDelisted | RiskEntityReported;

/** Of a code that is known and may be shared; the rules that build on it are silent about the others. */
function reasonOf(data: AnyCase, { codes }: RuleContext): ReasonCode | undefined {
  const reason = codes.get(data.reason.code);
  return reason && reason.area !== 'platformRules' ? reason : undefined;
}

const kindOf = (data: AnyCase): ReasonKind =>
  'subject' in data && data.subject === 'streamer' ? 'streamer' : data.identity.kind;

const caseRules: readonly Rule<AnyCase>[] = [
  {
    reads: ['reason'],
    check: ({ reason: { code } }, { role, codes, list }) => {
      const reason = codes.get(code);
      if (!reason) list.add(`${DATA}/reason/code`, 'UNKNOWN_CODE');
      else if (reason.retired) list.add(`${DATA}/reason/code`, 'CODE_RETIRED');
      else if (reason.area === 'platformRules') list.add(`${DATA}/reason/code`, 'CODE_NOT_SHAREABLE');
      else if (reason.area === 'claimants' && role !== 'regulator')
        list.add(`${DATA}/reason/code`, 'CODE_FOR_REGULATORS_ONLY');
    },
  },
  {
    // A register status (A03, A05 to A07) is proven by the push, or by the decision or judgment that it rests on.
    reads: ['reason', 'proof'],
    check: (data, context) => {
      const { list } = context;
      const reason = reasonOf(data, context);
      if (reason && PROOF_ORDER.indexOf(data.proof.standard) < PROOF_ORDER.indexOf(reason.proofFloor))
        list.add(`${DATA}/proof/standard`, 'PROOF_BELOW_FLOOR');
    },
  },
  {
    reads: ['reason', 'identity'],
    check: (data, context) => {
      const { list } = context;
      const reason = reasonOf(data, context);
      if (reason && !reason.subjectKinds.includes(kindOf(data))) list.add(`${DATA}/identity/kind`, 'KIND_NOT_ALLOWED');
    },
  },
  {
    reads: ['attestation'],
    check: ({ attestation }, { list }) => {
      for (const [point, holds] of Object.entries(attestation))
        if (!holds) list.add(`${DATA}/attestation/${point}`, 'ATTESTATION_INCOMPLETE');
    },
  },
  decidedInTime,
  { reads: ['reason', 'proof', 'decidedAt', 'expiresAt'], check: checkTerm },
  { reads: ['hearing'], check: ({ hearing }, context) => hearing && checkHearing(hearing, context) },
  { reads: ['reason', 'emergency'], check: checkEmergency },
  { reads: ['reason', 'identity', 'victim'], check: checkVictim },
  {
    reads: ['reason', 'itemRule'],
    check: ({ reason: { code }, itemRule }, { list }) => {
      if (code === 'B06' && itemRule === undefined) list.add(`${DATA}/itemRule`, 'ITEM_RULE_MISSING');
      else if (code !== 'B06' && itemRule !== undefined) list.add(`${DATA}/itemRule`, 'FIELD_NOT_APPLICABLE');
    },
  },
];

/** The official identifiers of an identity, by their field. */
const OFFICIAL_IDENTIFIERS = ['uscc', 'registrationNumber', 'residentId'] as const;

/**
 * Rule P14: a stolen identifier is the victim's. The case must not carry it, or the listing would be about the victim; and the
 * victim must be known by one, or nobody would be protected.
 */
function checkVictim({ reason, identity, victim }: AnyCase, { list }: RuleContext): void {
  if (!victim) return;
  if (reason.code !== IMPERSONATION_CODE) return list.add(`${DATA}/victim`, 'FIELD_NOT_APPLICABLE');
  const needed = victim.identity.kind === 'person' ? 'residentId' : 'uscc';
  if (victim.identity[needed] === undefined) list.add(`${DATA}/victim/identity/${needed}`, 'VICTIM_NOT_IDENTIFIED');
  for (const field of OFFICIAL_IDENTIFIERS) {
    const value = identity[field];
    if (value !== undefined && value.toUpperCase() === victim.identity[field]?.toUpperCase())
      list.add(`${DATA}/identity/${field}`, 'VICTIM_IDENTIFIER');
  }
}

/**
 * Rule P11. Terms count from acceptance, as all deadlines do, so the limit is `now` plus the term. An official decision
 * or register status that is named may set a longer one ("unless a decision says so").
 */
function checkTerm(data: AnyCase, context: RuleContext): void {
  const { nowMs, list } = context;
  const reason = reasonOf(data, context);
  if (data.expiresAt === undefined || !reason) return;
  const { standard, decisionNo } = data.proof;
  const expiresMs = ms(data.expiresAt);
  if (expiresMs <= ms(data.decidedAt)) return list.add(`${DATA}/expiresAt`, 'TIME_ORDER');
  if (standard !== 'platformFinding' && decisionNo !== undefined) return;
  const from = Math.max(nowMs, ms(data.decidedAt));
  if (expiresMs > from + termDays(reason, standard) * DAY_MS) list.add(`${DATA}/expiresAt`, 'EXPIRES_PAST_TERM');
}

function checkEmergency({ reason: { code }, emergency }: AnyCase, { codes, list }: RuleContext): void {
  const needed = codes.get(code)?.emergency === true;
  if (!emergency) {
    if (needed) list.add(`${DATA}/emergency`, 'EMERGENCY_MISSING');
  } else if (!needed) list.add(`${DATA}/emergency`, 'FIELD_NOT_APPLICABLE');
  else if (ms(emergency.to) < ms(emergency.from)) list.add(`${DATA}/emergency/to`, 'TIME_ORDER');
}

const riskEntityRules: readonly Rule<RiskEntityReported>[] = [
  {
    reads: ['subject'],
    check: ({ subject }, { role, list }) => {
      if (role !== 'regulator' && (subject === 'professionalClaimant' || subject === 'judgmentDefaulter'))
        list.add(`${DATA}/subject`, 'CODE_FOR_REGULATORS_ONLY');
    },
  },
  {
    // Otherwise a claimant could be reported to platforms under another code (rule P05, K01's own note).
    reads: ['subject', 'reason'],
    check: (data, context) => {
      const { role, list } = context;
      const reason = reasonOf(data, context);
      const claimants = reason?.area === 'claimants';
      if (role === 'regulator' && reason && claimants !== (data.subject === 'professionalClaimant'))
        list.add(`${DATA}/subject`, 'CODE_SUBJECT_MISMATCH');
    },
  },
];

function exactlyOne<T>(data: T, first: keyof T & string, second: keyof T & string, { list }: RuleContext): void {
  if (data[first] === undefined && data[second] === undefined) list.add(`${DATA}/${first}`, 'EXACTLY_ONE');
  else if (data[first] !== undefined && data[second] !== undefined) list.add(`${DATA}/${second}`, 'EXACTLY_ONE');
}

const registryKind: Rule<{ list: RegistryListed['list']; identity: RegistryListed['identity'] }> = {
  reads: ['list', 'identity'],
  check: (data, { codes, list }) => {
    const kinds: readonly string[] | undefined = codes.get(REGISTRY_CODES[data.list])?.subjectKinds;
    if (!kinds?.includes(data.identity.kind)) list.add(`${DATA}/identity/kind`, 'KIND_NOT_ALLOWED');
  },
};

const dispositionRules: readonly Rule<NoticeDisposed>[] = [
  {
    reads: ['decision', 'openOrders'],
    check: ({ decision, openOrders }, { list }) => {
      if (decision === 'closed' && !openOrders) list.add(`${DATA}/openOrders`, 'OPEN_ORDERS_MISSING');
      else if (decision !== 'closed' && openOrders) list.add(`${DATA}/openOrders`, 'FIELD_NOT_APPLICABLE');
    },
  },
  {
    reads: ['decision', 'reasonCode'],
    check: ({ decision, reasonCode }, { list }) => {
      if (decision !== 'declined' && reasonCode !== undefined) list.add(`${DATA}/reasonCode`, 'FIELD_NOT_APPLICABLE');
    },
  },
];

const rulesOf = <T>(...rules: readonly Rule<T>[]): readonly Rule<Payload>[] => rules as readonly Rule<never>[] as never;

const RULES: Record<SubmittedType, readonly Rule<Payload>[]> = {
  [SUBMITTED_TYPES.merchantReported]: [],
  [SUBMITTED_TYPES.merchantDelisted]: rulesOf<MerchantDelisted>(...caseRules, {
    reads: ['terminatedAt'],
    check: ({ terminatedAt }, context) => checkClock(`${DATA}/terminatedAt`, terminatedAt, context),
  }),
  [SUBMITTED_TYPES.merchantReinstated]: rulesOf<MerchantReinstated>(decidedInTime, {
    reads: ['delistingId', 'merchantId'],
    check: (data, context) => exactlyOne(data, 'delistingId', 'merchantId', context),
  }),
  [SUBMITTED_TYPES.riskEntityReported]: rulesOf<RiskEntityReported>(...caseRules, ...riskEntityRules),
  [SUBMITTED_TYPES.riskEntityWithdrawn]: rulesOf(decidedInTime),
  [SUBMITTED_TYPES.caseHeard]: rulesOf<CaseHeard>({
    reads: ['hearing', 'cause'],
    check: ({ hearing, cause }, context) => {
      checkHearing(hearing, context);
      if (cause && hearing.answer !== 'considered') context.list.add(`${DATA}/hearing/answer`, 'HEARING_INCONSISTENT');
    },
  }),
  [SUBMITTED_TYPES.caseNotified]: rulesOf<CaseNotified>({
    reads: ['notifiedAt'],
    check: ({ notifiedAt }, context) => checkClock(`${DATA}/notifiedAt`, notifiedAt, context),
  }),
  [SUBMITTED_TYPES.registryListed]: rulesOf<RegistryListed>(registryKind, decidedInTime, {
    reads: ['decidedAt', 'until'],
    check: ({ decidedAt, until }, { list }) => {
      if (until !== undefined && ms(until) + DAY_MS <= ms(decidedAt)) list.add(`${DATA}/until`, 'TIME_ORDER');
    },
  }),
  [SUBMITTED_TYPES.registryRemoved]: rulesOf<RegistryRemoved>(registryKind, decidedInTime),
  [SUBMITTED_TYPES.listingEnded]: rulesOf<ListingEnded>(decidedInTime, {
    reads: ['listingId', 'decisionNo'],
    check: (data, context) => exactlyOne(data, 'listingId', 'decisionNo', context),
  }),
  [SUBMITTED_TYPES.noticeDisposed]: rulesOf<NoticeDisposed>(decidedInTime, ...dispositionRules),
};

/** Asks every rule of the type whose fields are well formed. */
export function checkRules(type: SubmittedType, data: Payload, context: RuleContext): void {
  const { list } = context;
  const wellFormed = list.errors.length === 0;
  const broken = new Set(
    wellFormed
      ? []
      : RULES[type].flatMap(({ reads }) => reads.filter((field) => list.touches(`${DATA}/${String(field)}`))),
  );
  for (const { reads, check } of RULES[type]) {
    if (wellFormed || !reads.some((field) => broken.has(field))) check(data, context);
  }
}
