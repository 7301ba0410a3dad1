import type { CloudEvent, Notice, NoticeAction } from '@liandun/contracts';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { timeText, wordOf } from '../render/render.js';
import type { CommonOptions } from './common.js';

export interface TailOptions extends CommonOptions {
  after: number;
  follow: boolean;
}

const PAGE_NOTICES = 500;

/** Prints the member's notices in the order of `seq`: those that are there by the feed, later ones as they come (SSE). */
export async function tail(context: Context, options: TailOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const { interrupted } = context.around;
  let last = options.after;
  let count = 0;
  const show = (event: CloudEvent<Notice>): void => {
    context.print(options.json ? JSON.stringify(event) : noticeText(context, event));
    last = event.data.seq;
    count += 1;
  };
  for (let more = true; more && !interrupted.aborted;) {
    const { items } = await client.notices(last, PAGE_NOTICES);
    items.forEach(show);
    more = items.length > 0;
  }
  if (!options.follow) {
    if (count === 0 && !options.json) context.note(context.t('No notices yet.', '暂无通知。'));
    return EXIT.done;
  }
  if (!options.json) context.note(context.t('Waiting for notices. Ctrl-C ends.', '等待通知，按 Ctrl-C 结束。'));
  for await (const event of client.streamNotices(last, interrupted)) show(event);
  return EXIT.done;
}

/** These only tell: nobody waits for a disposition on them, nor where the receiver has no shop of the merchant. */
const TELLING: readonly NoticeAction[] = ['lift', 'correct', 'mark'];
const asksForAnswer = ({ action, merchantIds }: Notice): boolean => merchantIds.length > 0 && !TELLING.includes(action);

/** Two or three lines of at most 80 columns: what to do with whom, why, and the receiver's own shops. */
export function noticeText(context: Context, { time, data }: CloudEvent<Notice>): string {
  const { bold, dim, red, green, yellow } = context.colors;
  const { seq, action, entity, reason, match, tier, shops, stillListed, respondBy, status } = data;
  const paint = { close: red, reopen: green, lift: green }[action as string] ?? yellow;
  const what = [
    bold(wordOf(context, 'action', action)),
    ...(status === undefined ? [] : [wordOf(context, 'status', status)]),
  ].join(context.t(': ', '：'));
  const label = context.t(reason.labelEn, reason.labelZh);
  const facts = [
    `${context.t('tier', '层级')} ${tier}`,
    `${context.t('match', '匹配')} ${wordOf(context, 'grade', match.grade)}`,
    ...(asksForAnswer(data) ? [`${context.t('answer by', '回复期限')} ${timeText(respondBy)}`] : []),
    ...(stillListed ? [context.t('still listed for another reason', '仍因其他事由列名')] : []),
  ];
  return [
    `${dim(`#${seq} ${timeText(time)}`)}  ${paint(what)}  ${entity.name}  ${entity.uscc ?? ''}`.trimEnd(),
    `    ${reason.code} ${label}`,
    `    ${facts.join('  ')}`,
    ...(shops.length > 0 ? [`    ${context.t('shops', '店铺')} ${shops.map(({ shopId }) => shopId).join(', ')}`] : []),
  ].join('\n');
}
