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
import { usageError } from './exit-codes.js';

const SAVED_EVERY_MS = 1_000;

interface State<Totals> {
  version: 1;
  fingerprint: string;
  totals: Totals;
  bytes: number;
}

export interface ResumableFileSpec {
  path: string;
  /** Of the input and of the options that shape the output: what must be the same for a continuation to make sense. */
  fingerprint: string;
  /** The file's first line where it is a CSV. */
  heading?: string[];
  /** What the run is called in the error of a state that belongs to another one. */
  run: { en: string; zh: string };
}

/**
 * A file that a long run writes row by row, and beside it the state from which a stopped run goes on: what was written after
 * the last state is cut off and done again. Only the owner may read it: it holds what a platform knows of its merchants.
 */
export class ResumableFile<Totals> {
  readonly #statePath: string;
  readonly #spec: ResumableFileSpec;
  #file: number | undefined;
  #bytes = 0;
  #savedMs = performance.now();

  constructor(spec: ResumableFileSpec) {
    this.#spec = spec;
    this.#statePath = `${spec.path}.state`;
  }

  /**
   * Takes up what a stopped run left behind; `restart` forgets it.
   * @returns how far it had come; `undefined` when there is nothing to go on with
   * @throws CliError when the state belongs to another run
   */
  takeUp(restart: boolean): Totals | undefined {
    const { path, fingerprint, run } = this.#spec;
    if (restart || !existsSync(this.#statePath)) {
      rmSync(this.#statePath, { force: true });
      rmSync(path, { force: true });
      return undefined;
    }
    const state = JSON.parse(readFileSync(this.#statePath, 'utf8')) as State<Totals>;
    if (state.version !== 1 || state.fingerprint !== fingerprint)
      throw usageError(
        'OTHER_RUN',
        `${this.#statePath} belongs to an unfinished ${run.en} with another file or other options. Repeat that command, or start anew with --restart.`,
        `${this.#statePath} 属于另一次未完成的${run.zh}（文件或选项不同）。请重复原命令，或使用 --restart 重新开始。`,
      );
    // Lines were written and are gone: nothing else says what became of those rows.
    if (state.bytes > 0 && !existsSync(path)) return this.takeUp(true);
    this.#bytes = state.bytes;
    return state.totals;
  }

  /** Writes at the end; the first call makes the file, with its heading. */
  write(text: string): void {
    this.#file ??= this.#open();
    const bytes = Buffer.from(text, 'utf8');
    writeSync(this.#file, bytes, 0, bytes.length, this.#bytes);
    this.#bytes += bytes.length;
  }

  /** Makes the file although nothing has been written to it. */
  touch(): void {
    this.write('');
  }

  #open(): number {
    const { path, heading } = this.#spec;
    const goesOn = this.#bytes > 0;
    const file = openSync(path, goesOn ? 'r+' : 'w', 0o600);
    ftruncateSync(file, this.#bytes);
    // Excel reads UTF-8 only behind a byte order mark.
    if (!goesOn && heading) this.#bytes = writeSync(file, `\uFEFF${csvLine(heading)}`, 0, 'utf8');
    return file;
  }

  /** Keeps the state, once a second at the most: whole or not at all. */
  keep(totals: Totals): void {
    if (performance.now() - this.#savedMs >= SAVED_EVERY_MS) this.#save(totals);
  }

  #save(totals: Totals): void {
    this.#savedMs = performance.now();
    const state: State<Totals> = { version: 1, fingerprint: this.#spec.fingerprint, totals, bytes: this.#bytes };
    writeFileSync(`${this.#statePath}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${this.#statePath}.new`, this.#statePath);
  }

  /** `finished`: everything is done, nothing remains to go on with. */
  close(totals: Totals, finished: boolean): void {
    if (finished) rmSync(this.#statePath, { force: true });
    else this.#save(totals);
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** A line of CSV (RFC 4180), its cells quoted where they need to be. */
export const csvLine = (cells: string[]): string =>
  `${cells.map((cell) => (/[",;\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;
