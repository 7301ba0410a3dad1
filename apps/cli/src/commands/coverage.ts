import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { flat, type CommonOptions } from './common.js';

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

interface Row {
  member: string;
  action: string;
  toldAt: string;
  decision?: string;
  reasonCode?: string;
  tookMs?: number;
}

const LABELS: Record<string, [en: string, zh: string]> = {
  listingId: ['listing', '列入编号'],
  status: ['status', '状态'],
  told: ['told', '已通知'],
  closed: ['closed', '已关店'],
  declined: ['declined', '未采纳'],
  silent: ['silent', '未回复'],
  restricted: ['restricted', '已限制'],
  reopened: ['reopened', '已恢复'],
  instancesTold: ['merchant-instances told', '已通知户次'],
  instancesClosed: ['merchant-instances closed', '已关店户次'],
  medianMsToClose: ['median time to close', '关店用时中位数'],
  longestMsToClose: ['longest time to close', '关店最长用时'],
  medianMsToReopen: ['median time to reopen', '恢复用时中位数'],
  longestMsToReopen: ['longest time to reopen', '恢复最长用时'],
};

/** 0.4 s, 12 min, 3.5 h, 2.0 d */
function duration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const;
  const unit = units.find(([, size]) => ms >= 2 * size) ?? (['s', 1_000] as const);
  return `${(ms / unit[1]).toFixed(1)} ${unit[0]}`;
}

/** The figures line by line, whatever the ledger answers with, then a line for each notice. */
export function coverageText(context: Context, { members = [], ...figures }: Record<string, unknown>): string {
  const { columns } = context;
  const t = context.t.bind(context);
  const label = (name: string): string => t(...(LABELS[name] ?? ([name, name] as const)));
  const lines = Object.entries(figures).map(([name, value]) => [
    label(name),
    name.includes('Ms') ? duration(Number(value)) : flat(value),
  ]);
  const heading = [
    t('member', '平台'),
    t('action', '动作'),
    t('told at', '通知时间'),
    t('decision', '处置'),
    t('took', '用时'),
  ];
  const rows = (members as Row[]).map(({ member, action, toldAt, decision, reasonCode, tookMs }) => [
    member,
    action,
    toldAt,
    [decision ?? t('none yet', '尚无'), reasonCode ?? ''].join(' ').trim(),
    tookMs === undefined ? '' : duration(tookMs),
  ]);
  const notices = rows.length > 0 ? [table([heading, ...rows], { columns, whole: [0, 2] })] : [];
  return [table(lines, { columns, whole: [1] }), ...notices].join('\n\n');
}
