import { basename } from 'node:path';
import type { Context } from '../context.js';
import { EXIT, usageError, type ExitCode } from '../exit-codes.js';
import type { Totals } from '../import/journal.js';
import { planImport, runImport, type ImportOptions, type ImportPlan } from '../import/run-import.js';
import { table } from '../layout.js';

/** Reports each row of a file as a merchant; shows first how the file is understood, at the end what became of it. */
export async function importFile(
  context: Context,
  file: string,
  options: ImportOptions & { json?: boolean; dryRun?: boolean },
): Promise<ExitCode> {
  if (options.as !== undefined && options.byMember !== undefined) {
    throw usageError(
      'TWO_MEMBERS',
      'Give --as for all rows, or --by-member, not both.',
      '--as（所有行）与 --by-member 只能二选一。',
    );
  }
  const plan = await planImport(context, file, options);
  if (!options.json) context.note(planText(context, plan));
  if (options.dryRun) return EXIT.done;
  // Before the first row is sent: a missing key is found now, not after half of the file.
  for (const member of plan.members ? new Set(plan.members.values()) : [options.as]) context.client(member);
  const beganMs = performance.now();
  const { finished, resumedAt } = await runImport(context, plan, options);
  const seconds = (performance.now() - beganMs) / 1000;
  const { totals } = plan.journal;
  const rowsPerSecond = Math.round((totals.rows - resumedAt) / Math.max(seconds, 0.001));
  const rejectedFile = totals.rejected > 0 ? plan.journal.rejectedPath : undefined;
  if (options.json)
    context.print(JSON.stringify({ finished, ...totals, resumedAt, seconds, rowsPerSecond, rejectedFile }));
  else context.print(totalsText(context, totals, { finished, seconds, rowsPerSecond, rejectedFile }));
  if (!finished) return EXIT.interrupted;
  return totals.rejected > 0 ? EXIT.rejected : EXIT.done;
}

function planText(context: Context, { file, format, heading, mapping, members }: ImportPlan): string {
  const t = context.t.bind(context);
  const kind = `${format.shape.toUpperCase()}, ${format.encoding.toUpperCase()}${format.gzip ? ', gzip' : ''}`;
  const columns = mapping
    ? Object.entries(mapping.places).map(([column, place]) => [`  ${heading?.[place] ?? ''}`, '→', column])
    : [];
  return [
    `${basename(file)}  (${kind})`,
    ...(columns.length > 0 ? [table(columns, { columns: context.around.stderr.columns ?? Infinity, whole: [2] })] : []),
    ...(mapping && mapping.ignored.length > 0 ? [`  ${t('not used:', '未使用：')} ${mapping.ignored.join(', ')}`] : []),
    ...(members ? Array.from(members, ([from, to]) => `  ${from} → ${to}`) : []),
  ].join('\n');
}

interface Run {
  finished: boolean;
  seconds: number;
  rowsPerSecond: number;
  rejectedFile?: string;
}

const REASONS_SHOWN = 10;

const n = (count: number | undefined): string => (count ?? 0).toLocaleString('en');

function totalsText(context: Context, totals: Totals, { finished, seconds, rowsPerSecond, rejectedFile }: Run): string {
  const t = context.t.bind(context);
  const { columns } = context;
  const heading = [t('member', '成员'), t('accepted', '已接受'), t('duplicate', '重复'), t('refused', '被拒绝')];
  const members = Object.entries(totals.members).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rows = members.map(([member, { accepted, held, duplicate, rejected }]) => [
    member,
    n((accepted ?? 0) + (held ?? 0)),
    n(duplicate),
    n(rejected),
  ]);
  const all = [t('all', '合计'), n(totals.accepted + totals.held), n(totals.duplicate), n(totals.rejected)];
  const most = (counts: Record<string, number>): string[][] =>
    Object.entries(counts)
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, REASONS_SHOWN)
      .map(([what, count]) => [`  ${n(count)}`, what]);
  const listed = (title: string, counts: Record<string, number>): string[] =>
    Object.keys(counts).length === 0 ? [] : ['', title, table(most(counts), { columns, whole: [0] })];
  return [
    t(
      `${n(totals.rows)} rows, ${seconds.toFixed(1)} s, ${n(rowsPerSecond)} rows/s`,
      `${n(totals.rows)} 行，${seconds.toFixed(1)} 秒，${n(rowsPerSecond)} 行/秒`,
    ),
    table([heading, ...rows, ...(members.length > 1 ? [all] : [])], { columns, whole: [0] }),
    ...listed(t('Left out (--drop-invalid):', '已舍弃的无效字段（--drop-invalid）：'), totals.dropped),
    ...listed(t('Refused because of:', '拒绝原因：'), totals.reasons),
    ...(rejectedFile ? ['', `${t('Refused rows, with their reasons:', '被拒绝的行及原因：')} ${rejectedFile}`] : []),
    ...(finished ? [] : ['', t('Stopped. The same command goes on from here.', '已中断。重复同一命令即可继续。')]),
  ].join('\n');
}
