import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { validateIdentity, type Identity, type Problem, type SubjectKind } from '@liandun/contracts';
import type { LiandunClient, Screening } from '@liandun/sdk';
import type { Context } from '../context.js';
import { CliError, EXIT, usageError, type ExitCode } from '../exit-codes.js';
import { mapColumns, parseOverrides, type Column, type Mapping } from '../import/columns.js';
import { progressOf } from '../import/progress.js';
import { rowOfCells } from '../import/rows.js';
import { detectFormat, TextSource, type Encoding, type Format } from '../import/source.js';
import { ScreenJournal, type Answered } from './screen-journal.js';
import { problemText, type CommonOptions } from './common.js';

export interface ScreenFileOptions extends CommonOptions {
  purpose: string;
  kind?: string;
  map?: string[];
  encoding?: Encoding;
  out?: string;
  restart?: boolean;
  exitCode?: boolean;
}

/** One applicant of the file: what was read of it, or why it can't be asked. */
interface Applicant {
  /** In the file, from 1. */
  line: number;
  row: number;
  raw: string[] | string;
  identity?: Identity;
  unreadable?: { code: string; en: string; zh: string };
}

/** Of a CSV's row whose cells make no identity. */
const NO_IDENTITY = {
  code: 'ROW_UNREADABLE',
  en: 'The row holds no identity. Fill the columns name and kind.',
  zh: '该行没有身份信息。请填写名称与主体类型。',
};

/** Asked at a time: the ledger's quota of a minute is met soon enough. */
const AT_A_TIME = 4;
const SHOWN_MAX = 10;

/**
 * Screens each row of a CSV or NDJSON file. Answers are written in the order of the file, so that the same command goes on where
 * it was stopped: by Ctrl-C, by a lost connection, or by the day's budget.
 */
export async function screenFile(context: Context, given: string, options: ScreenFileOptions): Promise<ExitCode> {
  const file = context.path(given);
  const format = await formatOf(file, options.encoding);
  const heading = format.shape === 'csv' ? await headingOf(file, format) : undefined;
  const overrides = parseOverrides(options.map ?? []);
  const mapping = heading && mapColumns(heading, overrides, options.kind !== undefined, []);
  const { size, mtimeMs } = await stat(file);
  const out = context.path(options.out ?? `${given}.screened.${format.shape}`);
  const asked = JSON.stringify([
    file,
    size,
    mtimeMs,
    options.as,
    options.purpose,
    options.kind,
    options.map,
    context.lang,
  ]);
  const journal = new ScreenJournal(context, out, createHash('sha256').update(asked).digest('hex'), heading);
  const client = context.client(options.as);
  const done = journal.open(options.restart ?? false);
  const source = new TextSource(file, format);
  const rows = mapping
    ? csvRows(source, mapping, options.kind as SubjectKind)
    : lineRows(source, overrides, options.kind as SubjectKind);
  const run: Run = { context, client, journal, purpose: options.purpose, share: () => source.bytesRead / size };
  const finished = await askAll(run, rows, done);
  context.print(
    options.json ? JSON.stringify({ finished, out, ...journal.totals }) : summary(context, journal, finished, out),
  );
  if (!finished) return EXIT.interrupted;
  const { listed, possible, refused } = journal.totals;
  if (options.exitCode && listed > 0) return EXIT.listed;
  if (options.exitCode && possible > 0) return EXIT.possible;
  return refused > 0 ? EXIT.rejected : EXIT.done;
}

interface Run {
  context: Context;
  client: LiandunClient;
  journal: ScreenJournal;
  purpose: string;
  share: () => number;
}

async function formatOf(file: string, encoding?: Encoding): Promise<Format> {
  if (/\.xlsx?$/i.test(file))
    throw usageError(
      'SPREADSHEET',
      `${file} is a spreadsheet: save it as CSV (UTF-8) and give that.`,
      `${file} 是电子表格：请另存为 CSV（UTF-8）后再执行。`,
    );
  return detectFormat(file, encoding);
}

async function headingOf(file: string, format: Format): Promise<string[]> {
  for await (const cells of new TextSource(file, format).records()) return cells;
  return [];
}

async function* csvRows(source: TextSource, mapping: Mapping, kind?: SubjectKind): AsyncGenerator<Applicant> {
  let line = 0;
  for await (const cells of source.records()) {
    line += 1;
    if (line === 1) continue;
    yield { line, row: line - 1, raw: cells, ...identityIn(cells, mapping, kind) };
  }
}

/** A line holds `{ identity }` as the ledger takes it, or the columns as members. */
async function* lineRows(
  source: TextSource,
  overrides: ReadonlyMap<string, Column>,
  kind?: SubjectKind,
): AsyncGenerator<Applicant> {
  let line = 0;
  for await (const text of source.lines()) {
    line += 1;
    yield { line, row: line, raw: text, ...identityOfLine(text, overrides, kind) };
  }
}

function identityIn(cells: string[], mapping: Mapping, kind?: SubjectKind): Pick<Applicant, 'identity'> {
  const identity = rowOfCells(0, cells, mapping, kind).data?.identity;
  return identity ? { identity } : {};
}

function identityOfLine(
  text: string,
  overrides: ReadonlyMap<string, Column>,
  kind?: SubjectKind,
): Pick<Applicant, 'identity' | 'unreadable'> {
  try {
    const record = JSON.parse(text) as Record<string, unknown>;
    if (typeof record !== 'object' || record === null || Array.isArray(record)) throw new Error('not a JSON object');
    if (typeof record['identity'] === 'object') return { identity: record['identity'] as Identity };
    const names = Object.keys(record);
    const cells = names.map((name) => [record[name]].flat().join(';'));
    return identityIn(cells, mapColumns(names, overrides, kind !== undefined, []), kind);
  } catch (error) {
    if (error instanceof CliError)
      return { unreadable: { code: error.code, en: oneLine(error.message), zh: oneLine(error.messageZh) } };
    const why = (error as Error).message.replace(/\.$/, '');
    return {
      unreadable: {
        code: 'MALFORMED_JSON',
        en: `The line can't be read: ${why}. Give a JSON object with identity, or with the columns of a CSV.`,
        // The parser's own words are English alone.
        zh: '该行不是 JSON 对象。请提供含 identity 或各列字段的 JSON 对象。',
      },
    };
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');

/** Asks for everything after what is done; false after Ctrl-C. What the ledger refuses for good is thrown, with all before it kept. */
async function askAll(run: Run, rows: AsyncGenerator<Applicant>, done: number): Promise<boolean> {
  const { context, journal } = run;
  const progress = progressOf(context);
  const waiting: { row: number; answer: Promise<Answered> }[] = [];
  const settleOne = async (): Promise<void> => {
    const next = waiting.shift();
    if (next) journal.settle(await next.answer);
    progress.update({ rows: journal.totals.rows, rejected: journal.totals.refused, share: run.share() });
  };
  let finished = false;
  try {
    for await (const applicant of rows) {
      if (context.around.interrupted.aborted) break;
      if (applicant.row <= done) continue;
      const answer = ask(run, applicant);
      answer.catch(() => undefined); // awaited in its turn
      waiting.push({ row: applicant.row, answer });
      if (waiting.length >= AT_A_TIME) await settleOne();
    }
    while (waiting.length > 0) await settleOne();
    finished = !context.around.interrupted.aborted;
  } finally {
    progress.stop();
    journal.close(finished);
  }
  return finished;
}

async function ask(
  { context, client, purpose }: Run,
  { line, raw, identity, unreadable }: Applicant,
): Promise<Answered> {
  if (!identity) {
    const { code, en, zh } = unreadable ?? NO_IDENTITY;
    return { line, raw, refused: [{ field: '', code, why: context.t(en, zh) }] };
  }
  const validated = validateIdentity({ identity, purpose });
  if ('problem' in validated) return { line, raw, refused: refusalOf(context, validated.problem) };
  const screening: Screening = await client.screen(identity, purpose);
  return { line, raw, screening };
}

function refusalOf(context: Context, problem: Problem): NonNullable<Answered['refused']> {
  const errors = problem.errors ?? [];
  if (errors.length === 0) return [{ field: '', code: problem.code, why: problemText(context, problem) }];
  return errors.map(({ pointer, code, message, messageZh }) => ({
    field: pointer.replace(/^\/identity\//, ''),
    code,
    why: context.t(message, messageZh ?? message),
  }));
}

function summary(context: Context, journal: ScreenJournal, finished: boolean, out: string): string {
  const { t, colors } = { t: context.t.bind(context), colors: context.colors };
  const { rows, clear, possible, listed, refused } = journal.totals;
  const shown = journal.refusals
    .slice(0, SHOWN_MAX)
    .flatMap(({ line, refused: errors = [] }) =>
      errors.map(({ field, code, why }) =>
        [`  ${t(`line ${line}`, `第 ${line} 行`)}`, ...(field === '' ? [] : [field]), `${code}\n    ${why}`].join('  '),
      ),
    );
  const more = refused - Math.min(SHOWN_MAX, journal.refusals.length);
  return [
    t(rows === 1 ? '1 row' : `${rows} rows`, `${rows} 行`),
    `  ${colors.green(t('clear', '未列入'))}  ${clear}`,
    `  ${colors.yellow(t('possible', '疑似'))}  ${possible}`,
    `  ${colors.red(t('listed', '已列入'))}  ${listed}`,
    `  ${t('not asked', '未查询')}  ${refused}`,
    ...(shown.length > 0 ? ['', t('Not asked, with what to do:', '未查询的行及处理方法：'), ...shown] : []),
    ...(more > 0 ? [t(`  and ${more} more, in the file`, `  另有 ${more} 行，见文件`)] : []),
    '',
    `${t('Answers:', '结果文件：')} ${out}`,
    ...(finished ? [] : [t('Stopped. The same command goes on from here.', '已中断。重复同一命令即可继续。')]),
  ].join('\n');
}
