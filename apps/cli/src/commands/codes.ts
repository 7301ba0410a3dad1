import { readFile } from 'node:fs/promises';
import type { ReasonCode } from '@liandun/contracts';
import { parse } from 'csv-parse/sync';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { approve, printRequested, type ApprovalOptions } from './approvals.js';
import type { CommonOptions } from './common.js';

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
      context.t(`tier ${tier}`, `等级 ${tier}`),
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

/** Proposes the rows of a file with the columns of reason-codes.csv, and `retired` where a code goes out of use. */
export async function proposeCodes(context: Context, file: string, options: CommonOptions): Promise<ExitCode> {
  const rows: Record<string, string>[] = parse(await readFile(file, 'utf8'), { columns: true, bom: true });
  const codes = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([column, cell]) => column !== 'retired' || cell === 'true')
        .map(([column, cell]) => [column, valueOf(column, cell)]),
    ),
  );
  const answer = await context.client(options.as).post<{ approvalId: string }>(PATH, { codes });
  return printRequested(context, answer, options, WHO);
}

export const approveCodes = (context: Context, approvalId: string, options: ApprovalOptions): Promise<ExitCode> =>
  approve(context, approvalId, options, WHO);
