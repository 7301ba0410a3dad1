// Rules P07 and P08: what may still happen to an appeal, and until when it is decided.
import type { AppealDecisionKind, AppealGround, Cause, DeadlineAction } from '@liandun/contracts';
import type { CaseState } from './cases.js';
import { beijingTime, deadlineOf, type Extension, type Pause, type Term, type WorkingDayTable } from './deadline.js';
import type { HearingDeadline } from './hearing.js';
import { decideLife, isOver, type LifeCommand } from './life.js';

/** 电子商务法 第43条 by analogy; the last day isn't a day off (民法典 第203条). */
const APPEAL_TERM: Term = { count: 15, unit: 'day' };

/** What is new after an appeal was decided. */
const NEW_GROUNDS: readonly AppealGround[] = ['cured', 'decisionChanged'];

/** The most that all extensions of one deadline come to, in its unit. */
const EXTENSION_DAYS_MAX = 30;

/** Until when an appeal filed at `from` (RFC 3339) is decided, with its computation. */
export function appealDeadline(
  table: WorkingDayTable,
  from: string,
  { pauses = [], extensions = [] }: { pauses?: Pause[]; extensions?: Extension[] } = {},
): HearingDeadline {
  return {
    from: beijingTime(Date.parse(from)),
    term: APPEAL_TERM,
    pauses,
    extensions,
    ...deadlineOf(table, from, APPEAL_TERM, { pauses, extensions }),
  };
}

export type AppealRefusal =
  | 'CASE_HELD'
  | 'APPEAL_OPEN'
  | 'APPEAL_DECIDED'
  | 'APPEAL_NOT_FOUND'
  | 'LISTING_NOT_ACTIVE'
  | 'LISTING_STAYED'
  | 'REVIEWER_IS_DECIDER';

/**
 * Why its subject can't appeal against the listing on these grounds; undefined where he can. A held case is answered in its hearing.
 * What one appeal decided is decided: another needs something new.
 */
export function appealRefusal({ life, appeal }: CaseState, grounds: AppealGround): AppealRefusal | undefined {
  if (life.status === 'held') return 'CASE_HELD';
  if (isOver(life)) return 'LISTING_NOT_ACTIVE';
  if (appeal && appeal.decision === undefined) return 'APPEAL_OPEN';
  if (appeal && !NEW_GROUNDS.includes(grounds)) return 'APPEAL_DECIDED';
  return 'event' in decideLife(life, { type: 'dispute' }) ? undefined : 'LISTING_NOT_ACTIVE';
}

/** Why the listing can't be suspended for this appeal; undefined where it can. */
export function appealStayRefusal({ life, appeal }: CaseState, appealId: string): AppealRefusal | undefined {
  if (appeal?.appealId !== appealId) return 'APPEAL_NOT_FOUND';
  if (appeal.decision !== undefined) return 'APPEAL_DECIDED';
  if (life.status === 'stayed') return 'LISTING_STAYED';
  return 'event' in decideLife(life, { type: 'stay' }) ? undefined : 'LISTING_NOT_ACTIVE';
}

const stepOf = (decision: AppealDecisionKind, cause: Cause): LifeCommand => {
  if (decision === 'overturned') return { type: 'overturn', cause };
  return { type: decision === 'upheld' ? 'uphold' : 'correct' };
};

/** Who decides: a person, by an opaque id, at a member. */
export interface Decider {
  member: string;
  decidedBy: string;
}

/**
 * Why the decision can't be made; undefined where it can. Whoever decided on the listing doesn't decide on the appeal against it
 * (rule P08; 个人信息保护法 第24条).
 */
export function appealDecisionRefusal(
  { life, appeal, decider }: CaseState & { decider: Decider },
  appealId: string,
  { decision, cause = 'appealUpheld' }: { decision: AppealDecisionKind; cause?: Cause },
  reviewer: Decider,
): AppealRefusal | undefined {
  if (appeal?.appealId !== appealId) return 'APPEAL_NOT_FOUND';
  if (appeal.decision !== undefined) return 'APPEAL_DECIDED';
  if (isOver(life)) return 'LISTING_NOT_ACTIVE';
  if (reviewer.member === decider.member && reviewer.decidedBy === decider.decidedBy) return 'REVIEWER_IS_DECIDER';
  return 'event' in decideLife(life, stepOf(decision, cause)) ? undefined : 'LISTING_NOT_ACTIVE';
}

export interface DeadlineState {
  pauses: readonly Pause[];
  extensions: readonly Extension[];
}
export type DeadlineRefusal = 'DEADLINE_PAUSED' | 'DEADLINE_NOT_PAUSED' | 'EXTENSION_TOO_LONG';

/** A deadline's pauses and extensions after a change at `now` (RFC 3339), or why it can't be made. */
export function changeDeadline(
  { pauses, extensions }: DeadlineState,
  { action, reason = '', days = 0 }: { action: DeadlineAction; reason?: string; days?: number },
  now: string,
): { pauses: Pause[]; extensions: Extension[] } | { refusal: DeadlineRefusal } {
  const paused = pauses.some(({ until }) => until === undefined);
  switch (action) {
    case 'pause':
      if (paused) return { refusal: 'DEADLINE_PAUSED' };
      return { pauses: [...pauses, { from: now, reason }], extensions: [...extensions] };
    case 'resume':
      if (!paused) return { refusal: 'DEADLINE_NOT_PAUSED' };
      return {
        pauses: pauses.map((pause) => (pause.until === undefined ? { ...pause, until: now } : pause)),
        extensions: [...extensions],
      };
    case 'extend': {
      const sum = extensions.reduce((before, extension) => before + extension.days, days);
      if (days < 1 || sum > EXTENSION_DAYS_MAX) return { refusal: 'EXTENSION_TOO_LONG' };
      return { pauses: [...pauses], extensions: [...extensions, { days, reason }] };
    }
  }
}
