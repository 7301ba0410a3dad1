// A member's own cases (delistings and reports of risk entities) in one stream of the log: what may still happen to them.
import type { Case, CaseHeard, MerchantReinstated, RiskEntityWithdrawn } from '@liandun/contracts';

export type CaseStatus = 'held' | 'published' | 'ended';

/** The cases of one stream, by the CloudEvents id of the delisting or report, oldest first. */
export type Cases = ReadonlyMap<string, CaseStatus>;

/** What the fold reads of a stored event. */
export interface CaseEvent {
  id: string;
  type: string;
  data: unknown;
}

const PROTECTIVE_CODE = 'V01';

/**
 * Whether nobody is told yet: tier 2 and 3 wait until the subject was heard, unless fraud or danger is in progress
 * (rule P06). The entry that protects a victim counts against nobody, so there is nothing to answer.
 */
export const isHeld = (
  { reason, urgency, hearing }: Pick<Case, 'reason' | 'urgency' | 'hearing'>,
  tier: number,
): boolean => tier >= 2 && reason.code !== PROTECTIVE_CODE && urgency === undefined && hearing === undefined;

export type CaseCommand =
  | { type: 'liandun.case.heard.v1'; data: CaseHeard }
  | { type: 'liandun.merchant.reinstated.v1'; data: MerchantReinstated }
  | { type: 'liandun.riskentity.withdrawn.v1'; data: RiskEntityWithdrawn };

export type CaseRefusal = 'UNKNOWN_CASE' | 'CASE_NOT_HELD' | 'LISTING_NOT_ACTIVE';

const isOpen = (status: CaseStatus | undefined): boolean => status === 'held' || status === 'published';

function endingRefusal(cases: Cases, caseId: string): CaseRefusal | undefined {
  if (!cases.has(caseId)) return 'UNKNOWN_CASE';
  return isOpen(cases.get(caseId)) ? undefined : 'LISTING_NOT_ACTIVE';
}

/** Why the command can't follow on the stream's cases; undefined where it can. */
export function caseRefusal(command: CaseCommand, cases: Cases): CaseRefusal | undefined {
  switch (command.type) {
    case 'liandun.case.heard.v1': {
      const status = cases.get(command.data.caseId);
      if (status === undefined) return 'UNKNOWN_CASE';
      return status === 'held' ? undefined : 'CASE_NOT_HELD';
    }
    case 'liandun.riskentity.withdrawn.v1':
      return endingRefusal(cases, command.data.reportId);
    case 'liandun.merchant.reinstated.v1': {
      const { delistingId } = command.data;
      if (delistingId !== undefined) return endingRefusal(cases, delistingId);
      if (cases.size === 0) return 'UNKNOWN_CASE';
      return [...cases.values()].some(isOpen) ? undefined : 'LISTING_NOT_ACTIVE';
    }
  }
}

/** Folds a stream; `tierOf` gives the tier of a reason code. Types that are no part of a case are passed over. */
export function foldCases(events: Iterable<CaseEvent>, tierOf: (code: string) => number): Cases {
  const cases = new Map<string, CaseStatus>();
  for (const { id, type, data } of events) {
    switch (type) {
      case 'liandun.merchant.delisted.v1':
      case 'liandun.riskentity.reported.v1': {
        const listed = data as Case;
        cases.set(id, isHeld(listed, tierOf(listed.reason.code)) ? 'held' : 'published');
        break;
      }
      case 'liandun.case.heard.v1': {
        const { caseId, cause } = data as CaseHeard;
        cases.set(caseId, cause === undefined ? 'published' : 'ended');
        break;
      }
      case 'liandun.merchant.reinstated.v1': {
        const { delistingId } = data as MerchantReinstated;
        for (const caseId of delistingId === undefined ? [...cases.keys()] : [delistingId]) cases.set(caseId, 'ended');
        break;
      }
      case 'liandun.riskentity.withdrawn.v1':
        cases.set((data as RiskEntityWithdrawn).reportId, 'ended');
        break;
      default:
    }
  }
  return cases;
}
