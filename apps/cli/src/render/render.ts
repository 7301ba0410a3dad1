// What the ledger answered, as lines for people in the language that they chose.
import { toBeijingTime } from '@liandun/contracts';
import stringWidth from 'string-width';
import type { Context } from '../context.js';
import { pad, table } from '../layout.js';
import { LABELS, VALUES, type Words } from './labels.js';

type Fields = Record<string, unknown>;

const INDENT = '  ';
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
const DAY_END = 'T00:00:00.000+08:00';
/** Of a table's columns: ids, codes and times are never cut. */
const WHOLE = /^(?:member|kid|code|sha256|due|from|until|date|since)$|(?:Id|Ids|At|Code|No)$/;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const found = <T>(list: Record<string, T>, field: string, parent: string): T | undefined =>
  list[`${parent}.${field}`] ?? list[field];

/** A field's name in words; a field that has none is shown as the ledger calls it. */
export function labelOf(context: Context, field: string, parent = ''): string {
  const words: Words = found(LABELS, field, parent) ?? [field, field];
  return context.t(...words);
}

/** A value of one of the closed lists in words, any other as it is. */
export function wordOf(context: Context, field: string, value: string, parent = ''): string {
  // The keys of these two are fields of a match; their values are of one list.
  const words = found(VALUES, field, parent)?.[value] ?? VALUES[parent]?.[value];
  return words ? context.t(...words) : value;
}

/** `2026-12-08 24:00` for the end of a day in China, by which terms are counted; other times to the second. */
export function timeText(time: string): string {
  const china = toBeijingTime(new Date(time));
  if (china.endsWith(DAY_END)) return `${toBeijingTime(new Date(Date.parse(time) - 1)).slice(0, 10)} 24:00`;
  return `${china.slice(0, 10)} ${china.slice(11, 19)} +08:00`;
}

/** 0.4 s, 12 min, 3.5 h, 2.0 d */
export function durationText(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const;
  const unit = units.find(([, size]) => ms >= 2 * size) ?? (['s', 1_000] as const);
  return `${(ms / unit[1]).toFixed(1)} ${unit[0]}`;
}

/** A text in the two languages, as the ledger gives it: `{ en, zh }`. */
const sentenceOf = (context: Context, { en, zh }: Fields): string | undefined =>
  typeof en === 'string' && typeof zh === 'string' ? context.t(en, zh) : undefined;

/** One value on one line; undefined for what needs more. */
export function valueText(context: Context, field: string, value: unknown, parent = ''): string | undefined {
  if (value === undefined || value === null) return '-';
  if (typeof value === 'boolean') return value ? context.t('yes', '是') : context.t('no', '否');
  if (typeof value === 'number') return /Ms(?:To|$)/.test(field) ? durationText(value) : String(value);
  if (typeof value === 'string') {
    if (value.includes('\n')) return undefined;
    return TIME.test(value) ? timeText(value) : wordOf(context, field, value, parent);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return context.t('none', '无');
    const texts = value.map((item) => (isFields(item) ? undefined : valueText(context, field, item, parent)));
    return texts.includes(undefined) ? undefined : texts.join(context.t(', ', '、'));
  }
  const { count, unit } = value as Fields;
  if (typeof count === 'number' && typeof unit === 'string')
    return context.t(`${count} ${wordOf(context, 'unit', unit)}`, `${count} ${wordOf(context, 'unit', unit)}`);
  return sentenceOf(context, value as Fields);
}

/**
 * An object as lines: a field on one line where its value fits there, otherwise its name and the value indented below; a list of
 * objects as a table, or as blocks where they are nested themselves.
 * @param parent the field that holds it, by which some names mean something else
 */
export function render(context: Context, value: object, parent = ''): string[] {
  const entries = Object.entries(inOrder(plain(context, value as Fields))).filter(([, inner]) => inner !== undefined);
  const texts = entries.map(([field, inner]) => valueText(context, field, inner, parent));
  const labels = entries.map(([field]) => labelOf(context, field, parent));
  const width = Math.max(0, ...labels.filter((_, i) => texts[i] !== undefined).map((label) => stringWidth(label)));
  return entries.flatMap(([field, inner], i) => {
    const [label = '', text] = [labels[i], texts[i]];
    if (text !== undefined) return [`${pad(label, width)}  ${text}`];
    return [label, ...blockOf(context, field, inner).map((line) => INDENT + line)];
  });
}

/** The labels in two languages as one. */
function plain(context: Context, { labelEn, labelZh, ...rest }: Fields): Fields {
  if (typeof labelEn !== 'string' || typeof labelZh !== 'string') return rest;
  const { code, ...others } = rest;
  return { ...(code !== undefined && { code }), label: context.t(labelEn, labelZh), ...others };
}

// As one counts: from the first day to the last. The ledger keeps no order of these.
const COUNTING = ['from', 'term', 'pauses', 'extensions', 'days', 'due'];

const inOrder = (value: Fields): Fields =>
  isFields(value['term'])
    ? { ...Object.fromEntries(COUNTING.flatMap((name) => (name in value ? [[name, value[name]]] : []))), ...value }
    : value;

function blockOf(context: Context, field: string, value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n');
  if (!Array.isArray(value)) return render(context, value as Fields, field);
  const items = (value as unknown[]).filter(isFields);
  const days = items.map((item) => dayOf(context, item));
  if (!days.includes(undefined)) return daysText(context, days as Day[]);
  const sentences = items.map((item) => sentenceOf(context, item));
  if (!sentences.includes(undefined)) return sentences as string[];
  const isFlat = items.every((item) =>
    Object.entries(item).every(([name, inner]) => valueText(context, name, inner, field) !== undefined),
  );
  if (isFlat) return tableText(context, field, items);
  return items.flatMap((item) =>
    render(context, item, field).map((line, i) => (i === 0 ? `- ${line}` : INDENT + line)),
  );
}

/** Rows of one kind under the names of their fields; those of `fields` alone where given. */
export function tableText(
  context: Context,
  parent: string,
  items: readonly Fields[],
  fields = [...new Set(items.flatMap((item) => Object.keys(item)))],
): string[] {
  const heading = fields.map((field) => labelOf(context, field, parent));
  const rows = items.map((item) =>
    fields.map((field) => (item[field] === undefined ? '' : (valueText(context, field, item[field], parent) ?? ''))),
  );
  const whole = fields.flatMap((field, i) => (WHOLE.test(field) ? [i] : []));
  return table([heading, ...rows], { columns: context.columns - 2 * INDENT.length, whole }).split('\n');
}

interface Day {
  date: string;
  verdict: string;
  /** Of a holiday, in the user's language where it is known in it. */
  name?: string;
}

function dayOf(context: Context, { date, verdict, name, nameEn }: Fields): Day | undefined {
  if (typeof date !== 'string' || typeof verdict !== 'string') return undefined;
  if (typeof name !== 'string') return { date, verdict };
  return { date, verdict, name: typeof nameEn === 'string' ? context.t(nameEn, name) : name };
}

/** The days of a term, those that follow each other and count alike as one line: whoever doubts it can count along. */
function daysText(context: Context, days: readonly Day[]): string[] {
  const runs: Day[][] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run && run[0]?.verdict === day.verdict && run[0].name === day.name) run.push(day);
    else runs.push([day]);
  }
  const rows = runs.map((run) => {
    const [first, last] = [run[0] as Day, run.at(-1) as Day];
    const verdict = wordOf(context, 'verdict', first.verdict);
    return [
      first === last ? first.date : `${first.date} – ${last.date}`,
      String(run.length),
      first.name === undefined ? verdict : `${verdict} ${first.name}`,
    ];
  });
  return table(rows, { columns: Infinity }).split('\n');
}
