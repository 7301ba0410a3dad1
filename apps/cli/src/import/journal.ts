import type { Problem, Receipt } from '@liandun/contracts';
import { csvLine, ResumableFile } from '../resumable-file.js';

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
 * counts, and the file of refused rows. A row after the last one in the state may have been sent; sent again it is a duplicate.
 */
export class Journal {
  readonly #early = new Map<number, Outcome>();
  readonly #file: ResumableFile<Totals>;
  #totals = noTotals();

  /** @param heading the CSV's; without it the refused rows are JSON lines */
  constructor(
    readonly rejectedPath: string,
    fingerprint: string,
    private readonly heading?: string[],
  ) {
    const spec = { path: rejectedPath, fingerprint, run: { en: 'import', zh: '导入' } };
    this.#file = new ResumableFile({ ...spec, ...(heading && { heading: [...heading, ...REASON_HEADINGS] }) });
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
    this.#totals = this.#file.takeUp(restart) ?? noTotals();
    return this.#totals.rows;
  }

  /** Notes an outcome; it counts once all rows before it have theirs. */
  settle(outcome: Outcome): void {
    this.#early.set(outcome.row, outcome);
    for (let next; (next = this.#early.get(this.#totals.rows + 1));) {
      this.#early.delete(next.row);
      this.#count(next);
    }
    this.#file.keep(this.#totals);
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
    this.#file.write(
      this.heading
        ? csvLine([...(raw as string[]), String(row), ...reasonCells(problem)])
        : jsonLine(row, raw as string, problem),
    );
  }

  /** `finished`: the whole file is done, nothing remains to go on with. */
  close(finished: boolean): void {
    this.#file.close(this.#totals, finished);
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

function jsonLine(row: number, raw: string, problem: Problem | undefined): string {
  const errors = problem?.errors?.map(({ pointer, code, message }) => ({ pointer, code, message }));
  const rejected = { row, code: problem?.code ?? 'UNKNOWN', detail: problem?.detail, errors };
  try {
    return `${JSON.stringify({ ...(JSON.parse(raw) as object), rejected })}\n`;
  } catch {
    return `${JSON.stringify({ line: raw, rejected })}\n`;
  }
}
