import type { Screening } from '@liandun/sdk';
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

const HEADINGS = ['screening.result', 'screening.listings', 'screening.id', 'screening.refused', 'screening.remedy'];
const REFUSALS_KEPT_MAX = 100;

/** The answers to a file, in its order. Asking again what was cut off after a stop costs nothing of the day's budget. */
export class ScreenJournal {
  readonly refusals: Answered[] = [];
  totals: Totals = { rows: 0, clear: 0, possible: 0, listed: 0, refused: 0 };
  readonly #file: ResumableFile<Totals>;

  /** @param heading the CSV's; without it the answers are JSON lines */
  constructor(
    path: string,
    fingerprint: string,
    private readonly heading?: string[],
  ) {
    const spec = { path, fingerprint, run: { en: 'run', zh: '查询' } };
    this.#file = new ResumableFile({ ...spec, ...(heading && { heading: [...heading, ...HEADINGS] }) });
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
    this.#file.write(this.heading ? csvLine(cellsOf(answered)) : jsonLine(answered));
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

function cellsOf({ raw, screening, refused = [] }: Answered): string[] {
  const cells = [...(raw as string[])];
  if (screening) return [...cells, screening.result, listingsOf(screening), screening.screeningId, '', ''];
  const codes = refused.map(({ field, code }) => `${code} ${field}`.trim()).join(' | ');
  return [...cells, 'refused', '', '', codes, refused.map(({ why }) => why).join(' | ')];
}

function jsonLine({ line, raw, screening, refused }: Answered): string {
  const answer = screening ? { screening } : { refused: { line, errors: refused } };
  try {
    return `${JSON.stringify({ ...(JSON.parse(raw as string) as object), ...answer })}\n`;
  } catch {
    return `${JSON.stringify({ line: raw, ...answer })}\n`;
  }
}
