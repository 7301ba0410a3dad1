import type { Problem, Receipt } from '@liandun/contracts';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { timeText } from '../render/render.js';

/** Options that every command takes. */
export interface CommonOptions {
  json?: boolean;
  as?: string;
}

/** A problem in the user's language: what is wrong, where, and the remedy, one line for each error. */
export function problemText(context: Context, problem: Problem | undefined): string {
  if (!problem) return context.t('refused without a reason', '被拒绝，未说明原因');
  const errors = problem.errors ?? [];
  if (errors.length === 0) return `${problem.code}: ${context.t(problem.detail, problem.detailZh ?? problem.detail)}`;
  return errors
    .map(
      ({ pointer, code, message, messageZh }) =>
        `${pointer || '/'}  ${code}\n    ${context.t(message, messageZh ?? message)}`,
    )
    .join('\n  ');
}

/** One receipt on one line; a refusal with its reasons below. */
export function receiptText(
  context: Context,
  { id, status, position, heldUntil, heldBecause, problem, victim, nothingToEnd }: Receipt,
): string {
  const { green, yellow, red, dim } = context.colors;
  const at = position === undefined ? '' : dim(`  ${context.t('position', '位置')} ${position}`);
  const more = consequences(context, { victim, nothingToEnd });
  switch (status) {
    case 'accepted':
      return `${green(context.t('accepted', '已接受'))}  ${id}${at}${more}`;
    case 'duplicate':
      return `${dim(context.t('duplicate', '重复'))}  ${id}${at}${more}`;
    case 'held':
      if (heldBecause === 'flood')
        return `${yellow(context.t('held', '暂存'))}  ${id}${at}\n  ${context.t('Over your limits: nobody is told before a second person lets it out (GET /v1/floods).', '超出报送限额：第二人放行之前不通知任何平台（GET /v1/floods）。')}${more}`;
      return `${yellow(context.t('held', '暂存'))}  ${id}${at}\n  ${context.t('Nobody is told before the hearing (liandun.case.heard.v1)', '听取意见（liandun.case.heard.v1）之前不通知任何平台')}${heldUntil === undefined ? '' : context.t(`, or before ${timeText(heldUntil)}`, `，最迟至 ${timeText(heldUntil)}`)}${context.t('.', '。')}${more}`;
    case 'rejected':
      return `${red(context.t('refused', '被拒绝'))}  ${id}\n  ${problemText(context, problem)}`;
  }
}

/** What else the ledger did, or found, with an event that it took. */
function consequences(context: Context, { victim, nothingToEnd }: Pick<Receipt, 'victim' | 'nothingToEnd'>): string {
  const lines = [
    ...(victim
      ? [
          context.t(
            `The victim is protected (V01) by ${victim.id}: keep this id, withdrawing takes it.`,
            `已同时登记保护被冒用人（V01）：${victim.id}。请保存此编号，撤回时需要。`,
          ),
        ]
      : []),
    ...(nothingToEnd
      ? [
          context.t(
            'Nothing rests on this decision yet, so nothing ended; filings on it are refused from now on.',
            '尚无列名以该决定为依据，未终止任何列名；此后据其报送将被拒绝。',
          ),
        ]
      : []),
  ];
  return lines.map((line) => `\n  ${line}`).join('');
}

export const codeOfReceipts = (rejected: number): ExitCode => (rejected > 0 ? EXIT.rejected : EXIT.done);
