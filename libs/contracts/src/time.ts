// RFC 3339 in, RFC 3339 with +08:00 out (design section 3: times are RFC 3339 with +08:00).

const BEIJING_OFFSET_MS = 8 * 3_600_000;
export const DAY_MS = 86_400_000;

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;
const FULL_DATE = /^\d{4}-\d\d-\d\d$/;

/** RFC 3339 in Beijing time with milliseconds: `2020-02-03T09:30:00.000+08:00`. China has had no daylight saving since 1991. */
export const toBeijingTime = (date: Date): string =>
  `${new Date(date.getTime() + BEIJING_OFFSET_MS).toISOString().slice(0, -1)}+08:00`;

/**
 * Milliseconds since 1970 of an RFC 3339 date-time with any offset; undefined for anything else, a date that the
 * calendar hasn't and a second past 59 included. Fractions past the millisecond are cut.
 */
export function timeMs(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const [hour, minute, second] = [two(text, 11), two(text, 14), two(text, 17)];
  const day = dayMs(two(text, 0) * 100 + two(text, 2), two(text, 5), two(text, 8));
  if (day === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = /[Zz]$/.test(text) ? text.length - 1 : text.length - 6;
  const offset = offsetMs(text.slice(zone));
  if (offset === undefined) return undefined;
  const fraction = zone > 20 ? Number(text.slice(20, Math.min(zone, 23)).padEnd(3, '0')) : 0;
  return day + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction - offset;
}

/** Like timeMs, and a bare full-date as the start of that day in Beijing. */
export function timeOrDateMs(text: string): number | undefined {
  if (!FULL_DATE.test(text)) return timeMs(text);
  const day = dayMs(two(text, 0) * 100 + two(text, 2), two(text, 5), two(text, 8));
  return day === undefined ? undefined : day - BEIJING_OFFSET_MS;
}

/** @throws RangeError when `text` is no RFC 3339 date-time */
export function parseTime(text: string): Date {
  const ms = timeMs(text);
  if (ms === undefined) throw new RangeError('not an RFC 3339 date-time');
  return new Date(ms);
}

/** The two digits at `at`. */
const two = (text: string, at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;

function dayMs(year: number, month: number, day: number): number | undefined {
  if (year < 1900 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const ms = Date.UTC(year, month - 1, day);
  return day <= 28 || new Date(ms).getUTCDate() === day ? ms : undefined;
}

function offsetMs(text: string): number | undefined {
  if (text.length === 1) return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(4))];
  if (hours > 23 || minutes > 59) return undefined;
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
