// Rule P21: how much a publisher may list before a second person looks at it.

/**
 * What a member may list unseen. Either one that isn't stated holds everything: nobody lists without limits by an oversight.
 */
export interface MemberLimits {
  /** Cases of a day at the most, as a multiple of the mean of the 30 days before (`MEAN_PER_DAY_MIN` in libs/domain says from which on). */
  timesMean?: number;
  /** Cases of an hour at the most. */
  subjectsPerHour?: number;
}

/** What an admission gets that states no limits (decision of the project; the entry records them). */
export const STANDARD_LIMITS: Readonly<Required<MemberLimits>> = { timesMean: 10, subjectsPerHour: 500 };

/** The largest that a limit may be. */
export const LIMIT_MAX = 1_000_000_000;

export interface MemberLimitsChanged {
  memberId: string;
  limits: MemberLimits;
}

/**
 * A case that goes over its publisher's limits. It stands right before the case's own entry, appended with it: whoever reads the
 * log in order knows that it waits before reading what it says.
 */
export interface CaseHeld {
  memberId: string;
  /** The CloudEvents id of the delisting or report. */
  caseId: string;
  because: 'flood';
}

export const FLOOD_DECISIONS = ['release', 'refuse'] as const;
export type FloodDecision = (typeof FLOOD_DECISIONS)[number];

/** A second person let out a publisher's waiting cases, or refused them, of which nobody is told then. */
export interface FloodDecided {
  memberId: string;
  decision: FloodDecision;
  /** The cases accepted behind this position … */
  after: number;
  /** … and up to this one. */
  upTo: number;
  cases: number;
  decidedBy: string;
  /** RFC 3339. */
  decidedAt: string;
}
