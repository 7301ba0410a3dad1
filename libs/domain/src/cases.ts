// A member's own cases (delistings and reports of risk entities) in one stream of the log: what may still happen to them.
import type {
  AppealDeadlineSet,
  AppealDecided,
  AppealDecisionKind,
  AppealFiled,
  Case,
  CaseDeadlineSet,
  CaseHeld,
  CaseHeard,
  CaseNotified,
  FloodDecided,
  ListingEnded,
  ListingExpired,
  ListingOverridden,
  MerchantReinstated,
  RiskEntityWithdrawn,
} from '@liandun/contracts';
import type { Extension, Pause } from './deadline.js';
import { decideLife, evolveLife, isOver, officialEnd, type LifeEvent, type ListingLife } from './life.js';

/** Where one case stands. */
export interface CaseState {
  life: ListingLife;
  code: string;
  /** The listing that it makes. */
  listingId?: string;
  /** Of its filing in the log. */
  position?: number;
  /** The number of the official decision that it rests on, as `decisionKey` writes it. */
  decision?: string;
  /** The opaque id of the person who decided on it. */
  decidedBy: string;
  /** It is on record that its subject was told (rule P06). */
  notified?: true;
  /** The deadline of its hearing, as it was set last. */
  hold?: CaseDeadline;
  /** The appeal against it that was filed last. */
  appeal?: CaseAppeal;
}

/** When a term began, and what has changed it. */
export interface CaseDeadline {
  from: string;
  pauses: Pause[];
  extensions: Extension[];
}

export interface CaseAppeal {
  appealId: string;
  /** Absent while it is open. */
  decision?: AppealDecisionKind;
  deadline?: CaseDeadline;
}

/** The cases of one stream, by the CloudEvents id of the delisting or report, oldest first. */
export type Cases = ReadonlyMap<string, CaseState>;

/** What the fold reads of a stored event. */
export interface CaseEvent {
  id: string;
  type: string;
  data: unknown;
  position?: number;
  /** Of a delisting or report. */
  listingId?: string;
  /** Of whatever names an official decision: its key. */
  decision?: string;
}

const PROTECTIVE_CODE = 'V01';

/** Why a case is over that a second person refused with its flood (rule P21). */
export const FLOOD_CAUSE = 'wrongFinding';

/** Whether the subject is to be heard before anybody is told, as far as the code and its urgency say (rule P06). */
export const needsHearing = ({ reason, urgency }: Pick<Case, 'reason' | 'urgency'>, tier: number): boolean =>
  tier >= 2 && reason.code !== PROTECTIVE_CODE && urgency === undefined;

/**
 * Whether nobody is told yet: tier 2 and 3 wait until the subject was heard, unless fraud or danger is in progress
 * (rule P06). The entry that protects a victim counts against nobody, so there is nothing to answer.
 */
export const isHeld = (listed: Pick<Case, 'reason' | 'urgency' | 'hearing'>, tier: number): boolean =>
  needsHearing(listed, tier) && listed.hearing === undefined;

/**
 * Whether others are told of a case before its subject was: then its subject is to be told the same day (rule P06). Nothing is told
 * to platforms of tier 0.
 */
export const isToldAtOnce = (listed: Pick<Case, 'reason' | 'urgency' | 'hearing'>, tier: number): boolean =>
  tier > 0 && listed.reason.code !== PROTECTIVE_CODE && listed.hearing === undefined && !isHeld(listed, tier);

export type CaseCommand =
  | { type: 'liandun.case.heard.v1'; data: CaseHeard }
  | { type: 'liandun.case.notified.v1'; data: CaseNotified }
  | { type: 'liandun.merchant.reinstated.v1'; data: MerchantReinstated }
  | { type: 'liandun.riskentity.withdrawn.v1'; data: RiskEntityWithdrawn };

export type CaseRefusal = 'UNKNOWN_CASE' | 'CASE_NOT_HELD' | 'ALREADY_NOTIFIED' | 'LISTING_NOT_ACTIVE';

function endingRefusal(cases: Cases, caseId: string): CaseRefusal | undefined {
  const life = cases.get(caseId)?.life;
  if (!life) return 'UNKNOWN_CASE';
  return isOver(life) ? 'LISTING_NOT_ACTIVE' : undefined;
}

/** Why the command can't follow on the stream's cases; undefined where it can. */
export function caseRefusal(command: CaseCommand, cases: Cases): CaseRefusal | undefined {
  switch (command.type) {
    case 'liandun.case.heard.v1': {
      const life = cases.get(command.data.caseId)?.life;
      if (!life) return 'UNKNOWN_CASE';
      return 'event' in decideLife(life, { type: 'release', by: 'answered' }) ? undefined : 'CASE_NOT_HELD';
    }
    case 'liandun.case.notified.v1': {
      const state = cases.get(command.data.caseId);
      if (!state) return 'UNKNOWN_CASE';
      return state.notified ? 'ALREADY_NOTIFIED' : undefined;
    }
    case 'liandun.riskentity.withdrawn.v1':
      return endingRefusal(cases, command.data.reportId);
    case 'liandun.merchant.reinstated.v1': {
      const { delistingId } = command.data;
      if (delistingId !== undefined) return endingRefusal(cases, delistingId);
      if (cases.size === 0) return 'UNKNOWN_CASE';
      return [...cases.values()].every(({ life }) => isOver(life)) ? 'LISTING_NOT_ACTIVE' : undefined;
    }
  }
}

const heardAs = ({ cause, hearing }: CaseHeard): LifeEvent =>
  cause === undefined
    ? { type: 'released', by: hearing.answer === 'considered' ? 'answered' : 'attested' }
    : { type: 'withdrawn', cause };

/** The tier of a code in the table that was in force at a position; without one, that in force now. */
type TierOf = (code: string, position?: number) => number;

/** Folds a stream; `tierOf` gives the tier of a reason code. Types that are no part of a case are passed over. */
export function foldCases(events: Iterable<CaseEvent>, tierOf: TierOf): Cases {
  const cases = new Map<string, CaseState>();
  const floods = new Set<string>();
  const evolve = (which: (state: CaseState, caseId: string) => boolean, event: LifeEvent): void => {
    for (const [caseId, state] of cases)
      if (which(state, caseId)) cases.set(caseId, { ...state, life: evolveLife(state.life, event) });
  };
  const change = (caseId: string, to: (state: CaseState) => Partial<CaseState>): void => {
    const state = cases.get(caseId);
    if (state) cases.set(caseId, { ...state, ...to(state) });
  };
  const one = (id: string) => (_state: CaseState, caseId: string) => caseId === id;
  for (const event of events) {
    const { id, type, data } = event;
    switch (type) {
      case 'liandun.merchant.delisted.v1':
      case 'liandun.riskentity.reported.v1':
        cases.set(id, listedCase(event, floods.has(id), tierOf));
        break;
      case 'liandun.case.held.v1':
        floods.add((data as CaseHeld).caseId);
        break;
      case 'liandun.flood.decided.v1':
        decideFlood(data as FloodDecided, evolve);
        break;
      case 'liandun.case.deadlineset.v1':
      case 'liandun.case.heard.v1':
      case 'liandun.case.notified.v1':
      case 'liandun.case.released.v1':
        foldHearing(event, evolve, change);
        break;
      case 'liandun.appeal.filed.v1':
      case 'liandun.appeal.deadline.v1':
      case 'liandun.listing.stayed.v1':
      case 'liandun.appeal.decided.v1':
        foldAppeal(event, evolve, change);
        break;
      case 'liandun.merchant.reinstated.v1': {
        const { delistingId, cause } = data as MerchantReinstated;
        evolve(delistingId === undefined ? () => true : one(delistingId), { type: 'withdrawn', cause });
        break;
      }
      case 'liandun.riskentity.withdrawn.v1': {
        const { reportId, cause } = data as RiskEntityWithdrawn;
        evolve(one(reportId), { type: 'withdrawn', cause });
        break;
      }
      case 'liandun.listing.expired.v1':
        evolve(one((data as ListingExpired).caseId), { type: 'expired', cause: 'expired' });
        break;
      case 'liandun.listing.ended.v1':
        endOfficially(event, evolve);
        break;
      case 'liandun.listing.overridden.v1': {
        const { listingId, cause } = data as ListingOverridden;
        evolve((state) => state.listingId === listingId, { type: 'endedByDecision', cause });
        break;
      }
      default:
    }
  }
  return cases;
}

/** A case as it is filed. */
function listedCase({ data, listingId, position, decision }: CaseEvent, flood: boolean, tierOf: TierOf): CaseState {
  const listed = data as Case;
  const { code } = listed.reason;
  const life = evolveLife(
    { status: 'unlisted' },
    { type: 'listed', held: isHeld(listed, tierOf(code, position)), flood },
  );
  return {
    life,
    code,
    decidedBy: listed.decidedBy,
    ...(listingId && { listingId }),
    ...(position !== undefined && { position }),
    ...(decision && { decision }),
  };
}

/** Whether and how the subject of a case was heard, or told (rule P06). */
function foldHearing(
  { type, data }: CaseEvent,
  evolve: (which: (state: CaseState, caseId: string) => boolean, event: LifeEvent) => void,
  change: (caseId: string, to: (state: CaseState) => Partial<CaseState>) => void,
): void {
  const { caseId } = data as { caseId: string };
  const step = (event: LifeEvent): void => evolve((_state, id) => id === caseId, event);
  switch (type) {
    case 'liandun.case.deadlineset.v1': {
      const { due, from, pauses, extensions } = data as CaseDeadlineSet;
      step({ type: 'deadlineSet', ...(due !== undefined && { heldUntil: due }) });
      change(caseId, () => ({ hold: { from, pauses, extensions } }));
      break;
    }
    case 'liandun.case.heard.v1':
      step(heardAs(data as CaseHeard));
      break;
    case 'liandun.case.notified.v1':
      change(caseId, () => ({ notified: true }));
      break;
    case 'liandun.case.released.v1':
      step({ type: 'released', by: 'deadline' });
      break;
    default:
  }
}

/** What happened to an appeal happened to the listing that it is against (rule P07). */
function foldAppeal(
  { type, data }: CaseEvent,
  evolve: (which: (state: CaseState, caseId: string) => boolean, event: LifeEvent) => void,
  change: (caseId: string, to: (state: CaseState) => Partial<CaseState>) => void,
): void {
  const { caseId, appealId } = data as AppealFiled;
  const step = (event: LifeEvent): void => evolve((_state, id) => id === caseId, event);
  const note = (more: Partial<CaseAppeal>): void =>
    change(caseId, ({ appeal }) => (appeal?.appealId === appealId ? { appeal: { ...appeal, ...more } } : {}));
  switch (type) {
    case 'liandun.appeal.filed.v1':
      step({ type: 'disputed' });
      change(caseId, () => ({ appeal: { appealId } }));
      break;
    case 'liandun.appeal.deadline.v1': {
      const { from, pauses, extensions } = data as AppealDeadlineSet;
      note({ deadline: { from, pauses, extensions } });
      break;
    }
    case 'liandun.listing.stayed.v1':
      step({ type: 'stayed' });
      break;
    case 'liandun.appeal.decided.v1': {
      const { decision, cause = 'appealUpheld' } = data as AppealDecided;
      step(decision === 'overturned' ? { type: decision, cause } : { type: decision });
      note({ decision });
      break;
    }
    default:
  }
}

/** A second person let waiting cases out, or refused them (rule P21). */
function decideFlood(
  { decision, after, upTo }: FloodDecided,
  evolve: (which: (state: CaseState) => boolean, event: LifeEvent) => void,
): void {
  evolve(
    ({ life, position = -1 }) => life.status === 'held' && life.flood === true && position > after && position <= upTo,
    decision === 'release' ? { type: 'floodReleased' } : { type: 'withdrawn', cause: FLOOD_CAUSE },
  );
}

/** An authority or court ended one listing, or all that rest on its decision (rule P12). */
function endOfficially(
  { data, decision }: CaseEvent,
  evolve: (which: (state: CaseState) => boolean, event: LifeEvent) => void,
): void {
  const { listingId, cause } = data as ListingEnded;
  const type = officialEnd(cause) === 'repair' ? 'repaired' : 'endedByDecision';
  evolve((state) => (listingId === undefined ? state.decision === decision : state.listingId === listingId), {
    type,
    cause,
  });
}
