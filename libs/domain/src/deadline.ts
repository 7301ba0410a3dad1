const DAY_MS = 86_400_000;
const BEIJING_OFFSET_MS = 8 * 3_600_000;

/**
 * Which days are worked, where the State Council moved them. Dates are `YYYY-MM-DD` in Beijing. A year from `firstYear`
 * to `lastYear` is known in full; outside of them only weekends are.
 */
export interface WorkingDayTable {
  version: string;
  /** Days off, weekends within a holiday included, with the holiday's name. */
  holidays: ReadonlyMap<string, string>;
  /** Saturdays and Sundays that are worked instead (调休). */
  worked: ReadonlyMap<string, string>;
  /** Of a holiday's name: the English one, where it is known. */
  englishNames?: ReadonlyMap<string, string>;
  firstYear: number;
  lastYear: number;
}

/** A term that a law or a rule sets: working days, or calendar days whose last day isn't a day off. */
export interface Term {
  count: number;
  unit: 'workingDay' | 'day';
}

/** While a term is paused its days aren't counted; `until` absent: it is paused still. RFC 3339. */
export interface Pause {
  from: string;
  until?: string;
  reason: string;
}

/** Days that were added to a term, in its unit, and why. */
export interface Extension {
  days: number;
  reason: string;
}

/** Why a day of a term was counted or not. */
export type DayVerdict = 'counted' | 'weekend' | 'holiday' | 'paused' | 'movedToWorkingDay';

/** A deadline with its computation: whoever doubts it can count along. */
export interface Deadline {
  /** RFC 3339 in UTC: the end of the last day in Beijing. Absent while the term is paused. */
  due?: string;
  /** Each day after the first, in order, and what it counted for. */
  days: { date: string; verdict: DayVerdict; name?: string; nameEn?: string }[];
  /** Version of the table of working days that was counted by. */
  calendar: string;
  /** Days in these years were counted by weekends alone, because the State Council's days of them aren't known yet. */
  unknownYears: number[];
}

/** RFC 3339 at China's offset, as all times on the wire: the last day ends at 24:00 there (民法典 第203条). */
export const beijingTime = (ms: number): string =>
  `${new Date(ms + BEIJING_OFFSET_MS).toISOString().slice(0, -1)}+08:00`;
const beijingDate = (ms: number): string => new Date(ms + BEIJING_OFFSET_MS).toISOString().slice(0, 10);
const startOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) - BEIJING_OFFSET_MS;

/** When the day in China began that a time is in. */
export const dayBegan = (ms: number): number => startOf(beijingDate(ms));

type DayOff = { verdict: 'weekend' } | { verdict: 'holiday'; name: string; nameEn?: string };

function dayOff(table: WorkingDayTable, date: string): DayOff | undefined {
  if (table.worked.has(date)) return undefined;
  const name = table.holidays.get(date);
  const nameEn = name === undefined ? undefined : table.englishNames?.get(name);
  if (name !== undefined) return { verdict: 'holiday', name, ...(nameEn !== undefined && { nameEn }) };
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday === 0 || weekday === 6 ? { verdict: 'weekend' } : undefined;
}

/** Whether a date (`YYYY-MM-DD`, Beijing) is a working day. */
export const isWorkingDay = (table: WorkingDayTable, date: string): boolean => dayOff(table, date) === undefined;

/** A day is paused if the pause covers any of it. */
const pausedOn = (pauses: readonly Pause[], start: number): boolean =>
  pauses.some(
    ({ from, until }) =>
      Date.parse(from) < start + DAY_MS && (until === undefined || Date.parse(until) > start) && until !== from,
  );

/** Further than any term reaches: a pause without an end isn't followed for ever. */
const LONGEST_DAYS = 20_000;

/**
 * When a term ends that began at `from` (RFC 3339). The day on which it begins isn't counted, it ends with its last day
 * (24:00 in Beijing), and a last day that is a day off moves to the next working day (民法典 第201、203条). Days within a
 * pause count for nothing; extensions add to the term.
 * @throws RangeError when the term is not a whole number of days of at least one
 */
export function deadlineOf(
  table: WorkingDayTable,
  from: string,
  term: Term,
  changes: { pauses?: readonly Pause[]; extensions?: readonly Extension[] } = {},
): Deadline {
  const { pauses = [], extensions = [] } = changes;
  const wanted = extensions.reduce((sum, { days }) => sum + days, term.count);
  if (!Number.isInteger(wanted) || wanted < 1) throw new RangeError('a term is a whole number of days, at least one');
  const days: Deadline['days'] = [];
  const unknownYears = new Set<number>();
  const ended = (due?: string): Deadline => ({
    ...(due !== undefined && { due }),
    days,
    calendar: table.version,
    unknownYears: [...unknownYears],
  });
  let counted = 0;
  let start = startOf(beijingDate(Date.parse(from)));
  while (days.length < LONGEST_DAYS) {
    start += DAY_MS;
    const date = beijingDate(start);
    const year = Number(date.slice(0, 4));
    if (year < table.firstYear || year > table.lastYear) unknownYears.add(year);
    const off = dayOff(table, date);
    if (pauses.some((pause) => pause.until === undefined && Date.parse(pause.from) < start + DAY_MS)) return ended();
    if (pausedOn(pauses, start)) {
      days.push({ date, verdict: 'paused' });
      continue;
    }
    if (off && (term.unit === 'workingDay' || counted >= wanted)) {
      days.push({ date, ...off });
      continue;
    }
    const moved = counted >= wanted;
    counted += 1;
    if (counted >= wanted && (moved || !off)) {
      days.push({ date, verdict: moved ? 'movedToWorkingDay' : 'counted' });
      return ended(beijingTime(start + DAY_MS));
    }
    days.push({ date, verdict: 'counted' });
  }
  return ended();
}
