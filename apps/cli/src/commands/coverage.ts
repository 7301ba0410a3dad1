import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import type { CommonOptions } from './common.js';

export interface CoverageOptions extends CommonOptions {
  purpose: string;
  case: string;
}

/** Who was told of a listing and what each of them did; regulators only, and the read itself is logged. */
export async function coverage(context: Context, listingId: string, options: CoverageOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const answer = await client.coverage<Record<string, unknown>>(listingId, {
    purpose: options.purpose,
    caseNo: options.case,
  });
  context.print(options.json ? JSON.stringify(answer) : coverageText(context, answer));
  return EXIT.done;
}

const LABELS: Record<string, [en: string, zh: string]> = {
  listingId: ['listing', '列入编号'],
  told: ['told', '已通知'],
  closed: ['closed', '已关店'],
  declined: ['declined', '未采纳'],
  silent: ['silent', '未回复'],
  memberId: ['member', '平台'],
  member: ['member', '平台'],
  action: ['action', '动作'],
  decision: ['decision', '处置'],
  decidedAt: ['decided at', '处置时间'],
};

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return JSON.stringify(value);
  return (value as string | number | boolean).toString();
}

const isRows = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === 'object' && row !== null);

/** The figures line by line, then the members as a table: whatever fields the ledger answers with. */
export function coverageText(context: Context, answer: Record<string, unknown>): string {
  const columns = context.around.stdout.columns ?? 80;
  const label = (name: string): string => context.t(...(LABELS[name] ?? ([name, name] as const)));
  const figures = Object.entries(answer).filter(([, value]) => !isRows(value));
  const lists = Object.values(answer).filter(isRows);
  const tables = lists.map((rows) => {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return table([names.map(label), ...rows.map((row) => names.map((name) => cell(row[name])))], columns);
  });
  return [
    table(
      figures.map(([name, value]) => [label(name), cell(value)]),
      columns,
    ),
    ...tables,
  ].join('\n\n');
}
