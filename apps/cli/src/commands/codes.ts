import type { ReasonCode } from '@liandun/contracts';
import { CsvError, parse } from 'csv-parse/sync';
import type { Context } from '../context.js';
import { EXIT, usageError, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { approve, printRequested, type ApprovalOptions } from './approvals.js';
import type { CommonOptions } from './common.js';
import { parseJson, readText } from './identity-options.js';

const WHO = { en: 'administrator or regulator', zh: '管理员或监管成员', command: 'codes approve' };
const PATH = '/v1/reason-codes';

interface Page {
  version: string;
  codes: ReasonCode[];
  proposed?: { approvalId: string; requestedBy: string; version: string; codes: ReasonCode[] }[];
}

/** The table of reason codes in force, and what is proposed. */
export async function listCodes(context: Context, options: CommonOptions): Promise<ExitCode> {
  const page = await context.client(options.as).get<Page>(PATH);
  const { version, codes, proposed = [] } = page;
  if (options.json) context.print(JSON.stringify(page));
  else {
    context.print(context.t(`version ${version}`, `版本 ${version}`));
    context.print(rowsText(context, codes));
    for (const { approvalId, requestedBy, version: next, codes: rows } of proposed) {
      context.print(
        context.t(
          `\nproposed by ${requestedBy} as version ${next}: liandun ${WHO.command} ${approvalId}`,
          `\n${requestedBy} 提议的版本 ${next}：liandun ${WHO.command} ${approvalId}`,
        ),
      );
      context.print(rowsText(context, rows));
    }
  }
  return EXIT.done;
}

const rowsText = (context: Context, codes: ReasonCode[]): string =>
  table(
    codes.map(({ code, labelEn, labelZh, tier, defaultRetentionDays, retired }) => [
      code,
      context.t(labelEn, labelZh),
      context.t(`tier ${tier}`, `层级 ${tier}`),
      context.t(`${defaultRetentionDays} days`, `${defaultRetentionDays} 天`),
      retired ? context.t('retired', '已停用') : '',
    ]),
    { columns: context.columns, whole: [0] },
  );

const LISTS = new Set(['subjectKinds', 'legalBasis']);
const NUMBERS = new Set(['tier', 'defaultRetentionDays', 'statutoryHoldDays']);
const FLAGS = new Set(['autoClosable', 'emergency', 'retired']);

/** A cell as the ledger takes it; what has no right form goes as text, and the ledger says what is wrong with it. */
function valueOf(column: string, cell: string): unknown {
  if (LISTS.has(column)) return cell === '' ? [] : cell.split('|');
  if (NUMBERS.has(column) && /^\d{1,6}$/.test(cell)) return Number(cell);
  if (FLAGS.has(column) && (cell === 'true' || cell === 'false')) return cell === 'true';
  return cell;
}

/**
 * Proposes the rows of a file: JSON as POST /v1/reason-codes takes it, or a CSV with the columns of reason-codes.csv; `retired`
 * where a code goes out of use.
 */
export async function proposeCodes(context: Context, file: string, options: CommonOptions): Promise<ExitCode> {
  const codes = codesIn((await readText(context, file)).replace(/^\uFEFF/, ''), file);
  const answer = await context.client(options.as).post<{ approvalId: string }>(PATH, { codes });
  return printRequested(context, answer, options, WHO);
}

/** What `codes list --json` gives may be edited and proposed: the area is the letter of the code, and nobody's to choose. */
function withoutArea(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row;
  const { area: _area, ...said } = row as { area?: unknown };
  return said;
}

/** @throws CliError naming what the file should hold; what is wrong with a row is for the ledger to say */
function codesIn(text: string, file: string): unknown[] {
  const codes = /^\s*[[{]/.test(text) ? (parseJson(text, file) as { codes?: unknown }).codes : rowsOf(text, file);
  if (Array.isArray(codes) && codes.length > 0) return codes.map(withoutArea);
  throw usageError(
    'NOT_CODES',
    `${file}: give JSON such as {"codes": [{"code": "E01", …}]}, or a CSV with the columns of reason-codes.csv (code, labelZh, …) and a row for each code.`,
    `${file}：请提供形如 {"codes": [{"code": "E01", …}]} 的 JSON，或与 reason-codes.csv 列名（code、labelZh 等）相同、每个代码一行的 CSV。`,
  );
}

/** The rows of a CSV; none where it has no column `code`. */
function rowsOf(text: string, file: string): unknown[] {
  const rows = csvRows(text, file);
  if (rows[0]?.['code'] === undefined) return [];
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([column, cell]) => column !== 'retired' || cell === 'true')
        .map(([column, cell]) => [column, valueOf(column, cell)]),
    ),
  );
}

function csvRows(text: string, file: string): Record<string, string>[] {
  try {
    return parse(text, { columns: true, skip_empty_lines: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw usageError(
      'BAD_CSV',
      `${file} is no CSV that can be read: ${error.message}. Quote cells as spreadsheets do, or give JSON.`,
      `${file} 不是可读取的 CSV：${error.message}。请按电子表格的方式加引号，或改用 JSON。`,
    );
  }
}

export const approveCodes = (context: Context, approvalId: string, options: ApprovalOptions): Promise<ExitCode> =>
  approve(context, approvalId, options, WHO);
