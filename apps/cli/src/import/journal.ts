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
import type { Problem, Receipt } from '@liandun/contracts';
import { usageError } from '../exit-codes.js';

/** What became of one row. */
export interface Outcome {
  row: number;
  member: string;
  raw: string[] | string;
  status: Receipt['status'];
  problem?: Problem;
  /** Fields that were left out of it. */
  dropped: string[];
}

type Count = Record<string, number>;

/** Counts of the rows so far, as they are shown at the end and kept between two runs. */
export interface Totals {
  rows: number;
  accepted: number;
  held: number;
  duplicate: number;
  rejected: number;
  members: Record<string, Count>;
  dropped: Count;
  /** `CODE /pointer` → how often. */
  reasons: Count;
}

interface State {
  version: 1;
  /** What must be the same for a continuation to make sense: the file and the options that shape the events. */
  fingerprint: string;
  totals: Totals;
  rejectedBytes: number;
}

const noTotals = (): Totals => ({
  rows: 0,
  accepted: 0,
  held: 0,
  duplicate: 0,
  rejected: 0,
  members: {},
  dropped: {},
  reasons: {},
});

const add = (counts: Count, key: string): number => (counts[key] = (counts[key] ?? 0) + 1);

/**
 * Keeps what became of the rows, strictly in the order of the file, although receipts of several members come mixed: the
 * counts, the file of refused rows, and the state from which an interrupted import goes on. A row after the last one in
 * the state may have been sent; sent again it is a duplicate.
 */
export class Journal {
  readonly rejectedPath: string;
  readonly statePath: string;
  readonly #heading: string[] | undefined;
  readonly #fingerprint: string;
  readonly #early = new Map<number, Outcome>();
  #totals = noTotals();
  #file: number | undefined;
  #rejectedBytes = 0;
  #savedMs = performance.now();

  /** @param heading the CSV's; without it the refused rows are JSON lines */
  constructor(rejectedPath: string, fingerprint: string, heading?: string[]) {
    this.rejectedPath = rejectedPath;
    this.statePath = `${rejectedPath}.state`;
    this.#fingerprint = fingerprint;
    this.#heading = heading;
  }

  get totals(): Totals {
    return this.#totals;
  }

  /**
   * Takes up what an interrupted run left behind; `restart` forgets it.
   * @returns the number of rows that are done
   * @throws CliError when the state belongs to another file or other options
   */
  open(restart: boolean): number {
    if (restart || !existsSync(this.statePath)) {
      rmSync(this.statePath, { force: true });
      rmSync(this.rejectedPath, { force: true });
      return 0;
    }
    const state = JSON.parse(readFileSync(this.statePath, 'utf8')) as State;
    if (state.version !== 1 || state.fingerprint !== this.#fingerprint) {
      throw usageError(
        'OTHER_IMPORT',
        `${this.statePath} belongs to an unfinished import with another file or other options. Repeat that command, or start anew with --restart.`,
        `${this.statePath} 属于另一个未完成的导入（文件或选项不同）。请重复原命令，或使用 --restart 重新开始。`,
      );
    }
    this.#totals = state.totals;
    this.#rejectedBytes = state.rejectedBytes;
    if (existsSync(this.rejectedPath)) {
      this.#file = openSync(this.rejectedPath, 'r+');
      ftruncateSync(this.#file, this.#rejectedBytes);
    }
    return this.#totals.rows;
  }

  /** Notes an outcome; it counts once all rows before it have theirs. */
  settle(outcome: Outcome): void {
    this.#early.set(outcome.row, outcome);
    for (let next; (next = this.#early.get(this.#totals.rows + 1));) {
      this.#early.delete(next.row);
      this.#count(next);
    }
    if (performance.now() - this.#savedMs >= 1_000) this.save();
  }

  #count({ row, member, raw, status, problem, dropped }: Outcome): void {
    const totals = this.#totals;
    totals.rows = row;
    totals[status] += 1;
    add((totals.members[member] ??= {}), status);
    for (const field of dropped) add(totals.dropped, field);
    if (status !== 'rejected') return;
    const errors = problem?.errors?.length ? problem.errors : [{ code: problem?.code ?? 'UNKNOWN', pointer: '' }];
    for (const { code, pointer } of errors) add(totals.reasons, `${code} ${pointer.replace(/\/\d+/g, '')}`.trim());
    this.#refuse(row, raw, problem);
  }

  #refuse(row: number, raw: string[] | string, problem: Problem | undefined): void {
    let text = this.#heading
      ? csvLine([...(raw as string[]), String(row), ...reasonCells(problem)])
      : jsonLine(row, raw as string, problem);
    if (this.#file === undefined) {
      // Only the owner may read it: it holds what the platform knows of its merchants.
      this.#file = openSync(this.rejectedPath, 'w', 0o600);
      // Excel reads UTF-8 only behind a byte order mark.
      if (this.#heading) text = `\uFEFF${csvLine([...this.#heading, ...REASON_HEADINGS])}${text}`;
    }
    const bytes = Buffer.from(text, 'utf8');
    writeSync(this.#file, bytes, 0, bytes.length, this.#rejectedBytes);
    this.#rejectedBytes += bytes.length;
  }

  /** Writes the state, whole or not at all. */
  save(): void {
    this.#savedMs = performance.now();
    const state: State = {
      version: 1,
      fingerprint: this.#fingerprint,
      totals: this.#totals,
      rejectedBytes: this.#rejectedBytes,
    };
    writeFileSync(`${this.statePath}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${this.statePath}.new`, this.statePath);
  }

  /** `finished`: the whole file is done, nothing remains to go on with. */
  close(finished: boolean): void {
    if (finished) rmSync(this.statePath, { force: true });
    else this.save();
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

const REASON_HEADINGS = ['rejected.row', 'rejected.code', 'rejected.field', 'rejected.reason', 'rejected.原因'];

function reasonCells(problem: Problem | undefined): string[] {
  const errors = problem?.errors ?? [];
  if (errors.length === 0) return [problem?.code ?? 'UNKNOWN', '', problem?.detail ?? '', problem?.detailZh ?? ''];
  const column = (key: 'code' | 'pointer' | 'message' | 'messageZh'): string =>
    errors.map((error) => error[key]).join(' | ');
  return [column('code'), column('pointer'), column('message'), column('messageZh')];
}

/** A line of CSV (RFC 4180), its cells quoted where they need to be. */
export const csvLine = (cells: string[]): string =>
  `${cells.map((cell) => (/[",;\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;

function jsonLine(row: number, raw: string, problem: Problem | undefined): string {
  const errors = problem?.errors?.map(({ pointer, code, message }) => ({ pointer, code, message }));
  const rejected = { row, code: problem?.code ?? 'UNKNOWN', detail: problem?.detail, errors };
  try {
    return `${JSON.stringify({ ...(JSON.parse(raw) as object), rejected })}\n`;
  } catch {
    return `${JSON.stringify({ line: raw, rejected })}\n`;
  }
}
