/**
 * Days after which a number that nobody shows may have been given to somebody else: so long at least a mobile number rests
 * before it is given out again (电信服务规范, 2005, 附录2).
 */
export const REISSUED_AFTER_DAYS = 90;

/** When a number was shown by nobody for longer than it rests, from the days on which it was: in whatever order. */
export function gapsOf(days: readonly number[]): [from: number, to: number][] {
  const sorted = days.toSorted((x, y) => x - y);
  return sorted.flatMap((day, i): [number, number][] => {
    const before = sorted[i - 1];
    return before !== undefined && day - before > REISSUED_AFTER_DAYS ? [[before, day]] : [];
  });
}
