// Rule P21: when a publisher's cases wait for a second person.
import type { MemberLimits } from '@liandun/contracts';

/** Nobody's mean counts as less a day: or a member's first days, whose mean is zero, would all be floods. */
export const MEAN_PER_DAY_MIN = 50;

/** What a publisher has filed, what waits included: nothing of a lasting flood gets out. */
export interface Filed {
  /** Cases of the last 60 whole minutes and the current one. */
  lastHour: number;
  /** Cases of the day in China. */
  today: number;
  /** Cases a day over the 30 days before, without what went over the limits: a flood raises no mean. */
  mean: number;
}

/** How many cases of the day the limits let through; undefined where they don't say. */
export const dayLimit = ({ timesMean }: MemberLimits, mean: number): number | undefined =>
  timesMean === undefined ? undefined : Math.floor(timesMean * Math.max(mean, MEAN_PER_DAY_MIN));

/** How many further cases pass now; what comes behind them is held. Unset limits let none through. */
export function roomOf(limits: MemberLimits | undefined, { lastHour, today, mean }: Filed): number {
  const day = limits && dayLimit(limits, mean);
  if (day === undefined || limits?.subjectsPerHour === undefined) return 0;
  return Math.max(0, Math.min(limits.subjectsPerHour - lastHour, day - today));
}
