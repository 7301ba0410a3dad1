// Rule P06: how long a case waits for its subject's answer before anybody else hears of it.
import {
  beijingTime,
  dayBegan,
  deadlineOf,
  type Deadline,
  type Extension,
  type Pause,
  type Term,
  type WorkingDayTable,
} from './deadline.js';

/** The subject has three working days to answer (rule P06; 行政处罚法 第44、45条 by analogy). */
const HEARING: Term = { count: 3, unit: 'workingDay' };

/** Working days in which an official ending must be carried out everywhere (行政处罚法 第48、85条). */
export const REOPENING: Term = { count: 3, unit: 'workingDay' };

/** A publisher is reminded so many hours before the day ends on which it is to tell its subject (rule P06). */
export const TELL_REMINDED_HOURS = 4;

/** So long after that day it may still say that it did; then the regulators hear of it. */
export const TELL_SAID_WITHIN_HOURS = 2;

const HOUR_MS = 3_600_000;

/** Until when the subject of a case that others were told of at once is to be told: the end of that day in China (rule P06). */
export const tellBy = (effectiveAt: string): string => beijingTime(dayBegan(Date.parse(effectiveAt)) + 24 * HOUR_MS);

/** What was told of before this is to be reminded of at `now`: no more than TELL_REMINDED_HOURS of its day are left. RFC 3339. */
export const tellRemindedBefore = (now: Date): string =>
  beijingTime(dayBegan(now.getTime() + TELL_REMINDED_HOURS * HOUR_MS));

/** What was told of before this is overdue at `now`. RFC 3339. */
export const tellOverdueBefore = (now: Date): string =>
  beijingTime(dayBegan(now.getTime() - TELL_SAID_WITHIN_HOURS * HOUR_MS));

/** A hearing's deadline with the term that set it, its pauses and its extensions. */
export interface HearingDeadline extends Deadline {
  /** When it began: the case was accepted, or its subject was notified. RFC 3339. */
  from: string;
  term: Term;
  pauses: Pause[];
  extensions: Extension[];
}

/**
 * Until when the subject may answer, counted from `from` (RFC 3339): three working days, or the days that a law gives for
 * the code (`statutoryHoldDays`, calendar days; 电子商务法 第43条, 产品质量法 第15条) where those end later.
 */
export function hearingDeadline(
  table: WorkingDayTable,
  from: string,
  statutoryHoldDays: number,
  { pauses = [], extensions = [] }: { pauses?: Pause[]; extensions?: Extension[] } = {},
): HearingDeadline {
  const of = (term: Term): HearingDeadline => ({
    from: beijingTime(Date.parse(from)),
    term,
    pauses,
    extensions,
    ...deadlineOf(table, from, term, { pauses, extensions }),
  });
  const hearing = of(HEARING);
  if (statutoryHoldDays === 0) return hearing;
  const statutory = of({ count: statutoryHoldDays, unit: 'day' });
  return hearing.due !== undefined && statutory.due !== undefined && hearing.due > statutory.due ? hearing : statutory;
}
