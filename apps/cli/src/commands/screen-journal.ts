import type { Screening } from '@liandun/sdk';
import type { Context } from '../context.js';
import { labelOf, wordOf } from '../render/render.js';
import { csvLine, ResumableFile } from '../resumable-file.js';

/** What became of one row: the ledger's answer, or why it wasn't asked. */
export interface Answered {
  /** In the file, from 1. */
  line: number;
  raw: string[] | string;
  screening?: Screening;
  refused?: { field: string; code: string; why: string }[];
}

interface Totals {
  rows: number;
  clear: number;
  possible: number;
  listed: number;
  refused: number;
}

/** For programs, which read the same names and values in every language; a column in words stands behind them. */
const HEADINGS = ['screening.result', 'screening.listings', 'screening.id', 'screening.refused', 'screening.remedy'];
const REFUSALS_KEPT_MAX = 100;

/** The answers to a file, in its order. Asking again what was cut off after a stop costs nothing of the day's budget. */
export class ScreenJournal {
  readonly refusals: Answered[] = [];
  totals: Totals = { rows: 0, clear: 0, possible: 0, listed: 0, refused: 0 };
  readonly #file: ResumableFile<Totals>;

  /** @param heading the CSV's; without it the answers are JSON lines. In the language of `context` there are words for people. */
  constructor(
    private readonly context: Context,
    path: string,
    fingerprint: string,
    private readonly heading?: string[],
  ) {
    const spec = { path, fingerprint, run: { en: 'run', zh: '查询' } };
    const inWords = context.t('answer in words', '查询结果说明');
    this.#file = new ResumableFile({ ...spec, ...(heading && { heading: [...heading, ...HEADINGS, inWords] }) });
  }

  /**
   * Takes up what a stopped run left behind; `restart` forgets it.
   * @returns the number of rows that are done
   * @throws CliError when the state belongs to another file or other options
   */
  open(restart: boolean): number {
    this.totals = this.#file.takeUp(restart) ?? this.totals;
    this.#file.touch();
    return this.totals.rows;
  }

  /** Writes the next row's answer. */
  settle(answered: Answered): void {
    const { screening, refused } = answered;
    this.totals.rows += 1;
    this.totals[screening ? screening.result : 'refused'] += 1;
    if (refused && this.refusals.length < REFUSALS_KEPT_MAX) this.refusals.push(answered);
    const words = wordsOf(this.context, answered);
    this.#file.write(this.heading ? csvLine([...cellsOf(answered), words]) : jsonLine(answered, words));
    this.#file.keep(this.totals);
  }

  /** `finished`: the whole file is done, nothing remains to go on with. */
  close(finished: boolean): void {
    this.#file.close(this.totals, finished);
  }
}

/** `field=grade`, as the ledger names them: the file may be read by programs. */
const fieldsText = (fields: object): string =>
  Object.entries(fields)
    .map(([field, grade]) => `${field}=${grade}`)
    .join(' ');

const listingsOf = ({ matches }: Screening): string =>
  matches
    .map(
      ({ listingId, grade, code, fields }) => `${grade} ${String(code)} ${listingId} (${fieldsText(fields as object)})`,
    )
    .join('; ');

/** The answer as the user would be told it: what it is, each listing with its reason and what agrees; or what to do. */
function wordsOf(context: Context, { screening, refused = [] }: Answered): string {
  const t = context.t.bind(context);
  if (!screening) return `${t('not asked: ', '未查询：')}${refused.map(({ why }) => why).join(' ')}`;
  const { result, matches } = screening;
  const listings = matches.map(({ listingId, grade, reason, fields }) => {
    const agreeing = Object.entries(fields as Record<string, string>).map(([field, each]) =>
      t(
        `${labelOf(context, field)} ${wordOf(context, 'grade', each)}`,
        `${labelOf(context, field)}：${wordOf(context, 'grade', each)}`,
      ),
    );
    const { code, labelEn, labelZh } = reason as { code: string; labelEn: string; labelZh: string };
    const what = `${code} ${t(labelEn, labelZh)}`;
    return t(
      `${what}, listing ${listingId}, match ${wordOf(context, 'grade', grade)} (${agreeing.join(', ')})`,
      `${what}，列名 ${listingId}，匹配程度：${wordOf(context, 'grade', grade)}（${agreeing.join('、')}）`,
    );
  });
  const head = wordOf(context, 'result', result);
  return listings.length === 0 ? head : `${head}${t(': ', '：')}${listings.join(t('; ', '；'))}`;
}

function cellsOf({ raw, screening, refused = [] }: Answered): string[] {
  const cells = [...(raw as string[])];
  if (screening) return [...cells, screening.result, listingsOf(screening), screening.screeningId, '', ''];
  const codes = refused.map(({ field, code }) => `${code} ${field}`.trim()).join(' | ');
  return [...cells, 'refused', '', '', codes, refused.map(({ why }) => why).join(' | ')];
}

function jsonLine({ line, raw, screening, refused }: Answered, words: string): string {
  const answer = screening ? { screening: { ...screening, words } } : { refused: { line, errors: refused, words } };
  try {
    return `${JSON.stringify({ ...(JSON.parse(raw as string) as object), ...answer })}\n`;
  } catch {
    return `${JSON.stringify({ line: raw, ...answer })}\n`;
  }
}
