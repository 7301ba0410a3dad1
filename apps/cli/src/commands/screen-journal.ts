import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Screening } from '@liandun/sdk';
import { usageError } from '../exit-codes.js';
import { csvLine } from '../import/journal.js';
import { flat } from './common.js';

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

interface State {
  version: 1;
  /** The file and the options: what must be the same for a continuation to make sense. */
  fingerprint: string;
  totals: Totals;
  bytes: number;
}

const HEADINGS = ['screening.result', 'screening.listings', 'screening.id', 'screening.refused', 'screening.remedy'];
const SAVED_EVERY_MS = 1_000;
const REFUSALS_KEPT_MAX = 100;

/**
 * The answers to a file, in its order, and the state from which a stopped run goes on: what was written after the last state is cut
 * off and asked again, which costs nothing of the day's budget.
 */
export class ScreenJournal {
  readonly refusals: Answered[] = [];
  totals: Totals = { rows: 0, clear: 0, possible: 0, listed: 0, refused: 0 };
  #file: number | undefined;
  #bytes = 0;
  #savedMs = performance.now();

  /** @param heading the CSV's; without it the answers are JSON lines */
  constructor(
    private readonly path: string,
    private readonly fingerprint: string,
    private readonly heading?: string[],
  ) {}

  private get statePath(): string {
    return `${this.path}.state`;
  }

  /**
   * Takes up what a stopped run left behind; `restart` forgets it.
   * @returns the number of rows that are done
   * @throws CliError when the state belongs to another file or other options
   */
  open(restart: boolean): number {
    const goesOn = !restart && existsSync(this.statePath) && existsSync(this.path);
    if (goesOn) this.#takeUp();
    // Only the owner may read it: it holds what the platform knows of its applicants.
    this.#file = openSync(this.path, goesOn ? 'r+' : 'w', 0o600);
    ftruncateSync(this.#file, this.#bytes);
    // Excel reads UTF-8 only behind a byte order mark.
    if (!goesOn && this.heading) this.#write(`\uFEFF${csvLine([...this.heading, ...HEADINGS])}`);
    return this.totals.rows;
  }

  #takeUp(): void {
    const state = JSON.parse(readFileSync(this.statePath, 'utf8')) as State;
    if (state.version !== 1 || state.fingerprint !== this.fingerprint)
      throw usageError(
        'OTHER_FILE',
        `${this.statePath} belongs to an unfinished run with another file or other options. Repeat that command, or start anew with --restart.`,
        `${this.statePath} 属于另一次未完成的查询（文件或选项不同）。请重复原命令，或使用 --restart 重新开始。`,
      );
    this.totals = state.totals;
    this.#bytes = state.bytes;
  }

  /** Writes the next row's answer. */
  settle(answered: Answered): void {
    const { screening, refused } = answered;
    this.totals.rows += 1;
    this.totals[screening ? screening.result : 'refused'] += 1;
    if (refused && this.refusals.length < REFUSALS_KEPT_MAX) this.refusals.push(answered);
    this.#write(this.heading ? csvLine(cellsOf(answered)) : jsonLine(answered));
    if (performance.now() - this.#savedMs >= SAVED_EVERY_MS) this.#save();
  }

  #write(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    writeSync(this.#file as number, bytes, 0, bytes.length, this.#bytes);
    this.#bytes += bytes.length;
  }

  #save(): void {
    this.#savedMs = performance.now();
    const { fingerprint, totals } = this;
    const state: State = { version: 1, fingerprint, totals, bytes: this.#bytes };
    writeFileSync(`${this.statePath}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${this.statePath}.new`, this.statePath);
  }

  /** `finished`: the whole file is done, nothing remains to go on with. */
  close(finished: boolean): void {
    if (finished) rmSync(this.statePath, { force: true });
    else this.#save();
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

const listingsOf = ({ matches }: Screening): string =>
  matches
    .map(({ listingId, grade, code, fields }) => `${grade} ${String(code)} ${listingId} (${flat(fields)})`)
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
