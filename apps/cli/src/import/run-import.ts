import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { problem, toBeijingTime } from '@liandun/contracts';
import type { Problem, SubjectKind } from '@liandun/contracts';
import type { Context } from '../context.js';
import { usageError } from '../exit-codes.js';
import { dropInvalid, problemOf } from './clean.js';
import { mapColumns, parseOverrides } from './columns.js';
import type { Mapping } from './columns.js';
import { Journal } from './journal.js';
import { Lane } from './lanes.js';
import { progressOf } from './progress.js';
import { eventOf, rowOfCells, rowOfLine, timeOf } from './rows.js';
import type { Row } from './rows.js';
import { detectFormat, TextSource } from './source.js';
import type { Encoding, Format } from './source.js';

export interface ImportOptions {
  as?: string;
  byMember?: string;
  kind?: SubjectKind;
  map?: string[];
  encoding?: Encoding;
  reportedAt?: string;
  rejected?: string;
  dropInvalid?: boolean;
  restart?: boolean;
}

/** What an import is about to do, as it is shown before it begins. */
export interface ImportPlan {
  file: string;
  sizeBytes: number;
  format: Format;
  /** Of a CSV. */
  heading?: string[];
  mapping?: Mapping;
  /** The fallback for rows without a date. */
  time: string;
  /** Member named in the file → member of the ledger; absent: all rows go to `as`. */
  members?: Map<string, string>;
  journal: Journal;
}

/** Looks at the file and the options; sends nothing. */
export async function planImport(context: Context, given: string, options: ImportOptions): Promise<ImportPlan> {
  const file = context.path(given);
  const format = await detectFormat(file, options.encoding);
  const { size, mtimeMs } = await stat(file);
  const time = options.reportedAt ? timeOf(options.reportedAt) : startOfDay(mtimeMs);
  if (!time) {
    throw usageError(
      'BAD_DATE',
      `--reported-at ${options.reportedAt}: write a date such as 2026-01-31.`,
      `--reported-at ${options.reportedAt}：请写成 2026-01-31 这样的日期。`,
    );
  }
  const heading = format.shape === 'csv' ? await headingOf(file, format) : undefined;
  const overrides = parseOverrides(options.map ?? []);
  const mapping = heading && mapColumns(heading, overrides, options.kind !== undefined);
  const members = options.byMember === undefined ? undefined : parseMembers(options.byMember);
  if (mapping && members && mapping.places.memberId === undefined) {
    throw usageError(
      'COLUMN_MISSING',
      '--by-member needs a column that names the platform: memberId or 平台.',
      '--by-member 需要一列标明平台：memberId 或 平台。',
    );
  }
  const rejected = options.rejected ? context.path(options.rejected) : await besideOrHere(context, file, format);
  const fingerprint = createHash('sha256')
    .update(
      JSON.stringify([
        file,
        size,
        mtimeMs,
        options.as,
        options.byMember,
        options.kind,
        options.map,
        options.dropInvalid,
        time,
      ]),
    )
    .digest('hex');
  const journal = new Journal(rejected, fingerprint, heading);
  return { file, sizeBytes: size, format, heading, mapping, time, members, journal };
}

const DAY_MS = 86_400_000;
const BEIJING_MS = 8 * 3_600_000;

// The day on which the file was last written: the same at the next run, so that ids repeat.
const startOfDay = (ms: number): string =>
  toBeijingTime(new Date(Math.floor((ms + BEIJING_MS) / DAY_MS) * DAY_MS - BEIJING_MS));

async function headingOf(file: string, format: Format): Promise<string[]> {
  for await (const cells of new TextSource(file, format).records()) return cells;
  return [];
}

async function besideOrHere(context: Context, file: string, { shape }: Format): Promise<string> {
  const beside = `${file}.rejected.${shape}`;
  const writable = await access(dirname(file), constants.W_OK).then(
    () => true,
    () => false,
  );
  return writable ? beside : join(context.around.cwd, basename(beside));
}

/** `p1=platform-a,p2=platform-b` */
function parseMembers(text: string): Map<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  const bad = pairs.find(([from, to, ...more]) => !from || !to || more.length > 0);
  if (bad) {
    throw usageError(
      'BAD_BY_MEMBER',
      `--by-member ${text}: write p1=platform-a,p2=platform-b.`,
      `--by-member ${text}：请写成 p1=platform-a,p2=platform-b。`,
    );
  }
  return new Map(pairs as [string, string][]);
}

async function* rowsOf({ file, mapping }: ImportPlan, source: TextSource, kind?: SubjectKind): AsyncGenerator<Row> {
  let number = 0;
  if (!mapping) {
    for await (const line of source.lines()) yield rowOfLine((number += 1), line);
    return;
  }
  for await (const cells of source.records()) {
    if (number > 0) yield rowOfCells(number, cells, mapping, kind);
    number += 1;
  }
  if (number === 0) throw usageError('EMPTY_FILE', `${file} is empty.`, `${file} 是空文件。`);
}

/**
 * Sends the rows. `finished` is false after Ctrl-C: the same command goes on where this one stopped. `resumedAt` is the
 * number of rows that an earlier run had done.
 */
export async function runImport(
  context: Context,
  plan: ImportPlan,
  options: ImportOptions,
): Promise<{ finished: boolean; resumedAt: number }> {
  const { journal } = plan;
  const done = journal.open(options.restart ?? false);
  const importer = new Importer(context, plan, options);
  const progress = progressOf(context);
  const source = new TextSource(plan.file, plan.format);
  const share = (): number => (plan.sizeBytes === 0 ? 1 : source.bytesRead / plan.sizeBytes);
  const timer = setInterval(() => progress.update({ ...journal.totals, share: share() }), 200);
  let finished = false;
  try {
    for await (const row of rowsOf(plan, source, options.kind)) {
      if (context.around.interrupted.aborted) break;
      if (row.number > done) await importer.send(row);
    }
    finished = (await importer.drain()) && !context.around.interrupted.aborted;
    progress.update({ ...journal.totals, share: share() });
  } finally {
    clearInterval(timer);
    progress.stop();
    journal.close(finished);
  }
  return { finished, resumedAt: done };
}

// How long Ctrl-C waits for receipts that are under way. What comes later is a duplicate at the next run.
const DRAIN_MAX_MS = 5_000;

class Importer {
  readonly #lanes = new Map<string, Lane>();
  readonly #context: Context;
  readonly #plan: ImportPlan;
  readonly #options: ImportOptions;

  constructor(context: Context, plan: ImportPlan, options: ImportOptions) {
    this.#context = context;
    this.#plan = plan;
    this.#options = options;
  }

  async send(row: Row): Promise<void> {
    const member = this.#memberOf(row);
    const { number, raw, data } = row;
    const refuse = (reason: Problem): void =>
      this.#plan.journal.settle({
        row: number,
        member: member ?? '?',
        raw,
        status: 'rejected',
        problem: reason,
        dropped: [],
      });
    if (!data)
      return refuse(unreadable(`The line is not JSON: ${row.unreadable}`, `该行不是有效的 JSON：${row.unreadable}`));
    if (JSON.stringify(data).includes('\uFFFD')) {
      return refuse(
        unreadable('Some characters could not be read; give --encoding.', '有字符无法识别，请用 --encoding 指定编码。'),
      );
    }
    if (!member) {
      return refuse(
        unreadable(
          `--by-member does not name the platform ${row.member ?? ''}`,
          `--by-member 未包含平台 ${row.member ?? ''}`,
        ),
      );
    }
    const now = new Date();
    const check = (candidate: typeof data): Problem | undefined =>
      problemOf(eventOf(member, row, candidate, this.#plan.time), member, now);
    const kept = this.#options.dropInvalid ? dropInvalid(data, check) : { data, dropped: [] };
    const event = eventOf(member, row, kept.data, this.#plan.time);
    await this.#lane(member).push(event, { row: number, member, raw, dropped: kept.dropped });
  }

  #memberOf(row: Row): string | undefined {
    const { members } = this.#plan;
    return members ? members.get(row.member ?? '') : (this.#options.as ?? this.#context.setting('LIANDUN_MEMBER'));
  }

  #lane(member: string): Lane {
    const known = this.#lanes.get(member);
    if (known) return known;
    const { interrupted } = this.#context.around;
    const lane = new Lane(this.#context.client(member), (outcome) => this.#plan.journal.settle(outcome), interrupted);
    this.#lanes.set(member, lane);
    return lane;
  }

  /** Waits for the receipts; false where Ctrl-C came first and some were still missing. */
  async drain(): Promise<boolean> {
    for (const lane of this.#lanes.values()) lane.close();
    const all = Promise.all(Array.from(this.#lanes.values(), (lane) => lane.done)).then(() => true);
    const { interrupted } = this.#context.around;
    const cut = new Promise<boolean>((resolve) => {
      const wait = (): void => void setTimeout(() => resolve(false), DRAIN_MAX_MS).unref();
      if (interrupted.aborted) wait();
      else interrupted.addEventListener('abort', wait, { once: true });
    });
    return Promise.race([all, cut]);
  }
}

/** Rows that never reach the ledger are refused like those that do. */
const unreadable = (detail: string, detailZh: string): Problem => problem('MALFORMED_JSON', { detail, detailZh });
