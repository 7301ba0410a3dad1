import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The State Council's days off and days worked instead; `libs/domain` counts terms by it. */
export interface WorkingDays {
  /** Of the data: the library's, followed by the operator's file's if one was given. */
  version: string;
  /** `YYYY-MM-DD` in Beijing, with the holiday's name in Chinese. */
  holidays: ReadonlyMap<string, string>;
  worked: ReadonlyMap<string, string>;
  /** Of a holiday's name in Chinese: the English one, where the table knows it. */
  englishNames: ReadonlyMap<string, string>;
  firstYear: number;
  lastYear: number;
}

interface Dates {
  holidays: Record<string, string>;
  workdays: Record<string, string>;
}

const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** In chinese-days a name reads `Labour Day,劳动节,2`. */
const chineseName = (name: string): string => name.split(',')[1] ?? name;

/** By the Chinese name: the English one, of those that are given in both. */
const englishNamesIn = (dates: Record<string, string>): Map<string, string> =>
  new Map(
    Object.values(dates).flatMap((name) => {
      const [en, zh] = name.split(',');
      return en !== undefined && zh !== undefined ? [[zh, en] as const] : [];
    }),
  );

function datesOf(file: string, part: string, value: unknown): Map<string, string> {
  if (typeof value !== 'object' || value === null) {
    throw new Error(`${file}: "${part}" is missing; it must map dates (YYYY-MM-DD) to the holiday's name`);
  }
  return new Map(
    Object.entries(value).map(([date, name]) => {
      const exists = DATE.test(date) && new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
      if (!exists) throw new Error(`${file}: "${part}" holds "${date}", which is no date (YYYY-MM-DD)`);
      if (typeof name !== 'string') throw new Error(`${file}: "${part}"."${date}" must be the holiday's name`);
      return [date, chineseName(name)];
    }),
  );
}

/**
 * The days since 2004 that the library `chinese-days` holds, and over them a file of the same form
 * (`{ "version": "…", "holidays": { "2027-01-01": "元旦" }, "workdays": {…} }`), which an operator puts in place in the autumn
 * when the State Council publishes the next year. A year in the file replaces that whole year. A name may be given in both
 * languages, as the library does: `"New Year's Day,元旦,1"`; that of a holiday which the library knows is known in English anyway.
 * @param file path of the operator's file (LIANDUN_WORKING_DAYS)
 * @throws Error naming the file and the date that is wrong
 */
export function loadWorkingDays(file?: string): WorkingDays {
  const require = createRequire(import.meta.url);
  const built = require('chinese-days/dist/chinese-days.json') as Dates;
  const { version } = require('chinese-days/package.json') as { version: string };
  const base = tableOf(`chinese-days ${version}`, 'chinese-days', built);
  if (file === undefined) return base;
  const own = JSON.parse(readFileSync(file, 'utf8')) as Dates & { version?: unknown };
  if (typeof own.version !== 'string' || own.version === '') {
    throw new Error(`${file}: "version" is missing; give the date or number of the State Council's notice`);
  }
  return merged(base, tableOf(own.version, file, own));
}

const yearOf = (date: string): number => Number(date.slice(0, 4));

function tableOf(version: string, file: string, dates: Dates): WorkingDays {
  const holidays = datesOf(file, 'holidays', dates.holidays);
  const worked = datesOf(file, 'workdays', dates.workdays);
  const years = [...holidays.keys()].map(yearOf);
  if (years.length === 0) throw new Error(`${file}: "holidays" is empty`);
  const englishNames = englishNamesIn(dates.holidays);
  return { version, holidays, worked, englishNames, firstYear: Math.min(...years), lastYear: Math.max(...years) };
}

function merged(base: WorkingDays, own: WorkingDays): WorkingDays {
  const replaced = new Set([...own.holidays.keys()].map(yearOf));
  if (own.firstYear > base.lastYear + 1) {
    throw new Error(`working days ${own.version}: ${base.lastYear + 1} is missing, and days of later years are there`);
  }
  const over = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): Map<string, string> =>
    new Map([...[...a].filter(([date]) => !replaced.has(yearOf(date))), ...b]);
  return {
    version: `${base.version}, ${own.version}`,
    holidays: over(base.holidays, own.holidays),
    worked: over(base.worked, own.worked),
    englishNames: new Map([...base.englishNames, ...own.englishNames]),
    firstYear: Math.min(base.firstYear, own.firstYear),
    lastYear: Math.max(base.lastYear, own.lastYear),
  };
}
