import { toBeijingTime } from '@liandun/contracts';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { reasonToRead, type ReadingOptions } from './caller.js';
import { render, timeText, wordOf } from '../render/render.js';
import type { CommonOptions } from './common.js';
import { readText } from './identity-options.js';

export type AppealReadOptions = CommonOptions & ReadingOptions;

export interface AppealListOptions extends AppealReadOptions {
  all?: boolean;
  limit: number;
}

export interface AppealDecideOptions extends CommonOptions {
  reasons: string;
  reviewer: string;
  cause?: string;
  expiresAt?: string;
}

export interface AppealDeadlineOptions extends CommonOptions {
  reason?: string;
  days?: number;
  case: string;
  reviewer: string;
}

export interface MaliceOptions extends CommonOptions {
  reasons: string;
  reviewer: string;
  case: string;
}

interface Appeal {
  appealId: string;
  listingId: string;
  status: string;
  grounds: string;
  publisher: string;
  due?: string;
}

/** The day in China at whose end the time is over. */
const lastDay = (due: string): string => toBeijingTime(new Date(Date.parse(due) - 1)).slice(0, 'YYYY-MM-DD'.length);

const pathOf = (appealId: string): string => `/v1/appeals/${encodeURIComponent(appealId)}`;

/** The appeals that wait for the member's decision, the longest due first. */
export async function listAppeals(context: Context, options: AppealListOptions): Promise<ExitCode> {
  const path = `/v1/appeals?limit=${options.limit}&all=${options.all ?? false}`;
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const page = await client.get<{ items: Appeal[] }>(path, why);
  context.print(options.json ? JSON.stringify(page) : listText(context, page.items));
  return EXIT.done;
}

function listText(context: Context, items: Appeal[]): string {
  const t = context.t.bind(context);
  if (items.length === 0) return t('no appeals wait', '没有待决申诉');
  const heading = [
    t('appeal', '申诉'),
    t('status', '状态'),
    t('due', '期限'),
    t('grounds', '理由'),
    t('publisher', '列名方'),
    t('listing', '列名'),
  ];
  const rows = items.map(({ appealId, status, due, grounds, publisher, listingId }) => [
    appealId,
    wordOf(context, 'status', status),
    due === undefined ? '-' : lastDay(due),
    wordOf(context, 'grounds', grounds),
    publisher,
    listingId,
  ]);
  return table([heading, ...rows], { columns: context.columns, whole: [0, 2, 4, 5] });
}

/** One appeal with its words, its evidence, how its deadline was counted and what was decided. */
export async function showAppeal(context: Context, appealId: string, options: AppealReadOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const appeal = await client.get<object>(pathOf(appealId), why);
  context.print(options.json ? JSON.stringify(appeal) : render(context, appeal).join('\n'));
  return EXIT.done;
}

/** Decides on an appeal. The reasons come from a file, so that no shell history and no list of processes keeps them. */
export async function decideAppeal(
  context: Context,
  appealId: string,
  decision: string,
  { reasons, reviewer: decidedBy, cause, expiresAt, as, json }: AppealDecideOptions,
): Promise<ExitCode> {
  const answer = await context.client(as).post<{ decidedAt: string }>(`${pathOf(appealId)}/decision`, {
    decision,
    decidedBy,
    reasons: await reasonsIn(context, reasons),
    ...(cause !== undefined && { cause }),
    ...(expiresAt !== undefined && { expiresAt }),
  });
  context.print(
    json
      ? JSON.stringify(answer)
      : `${appealId}  ${wordOf(context, 'decision', decision)}  ${timeText(answer.decidedAt)}`,
  );
  return EXIT.done;
}

/** Suspends the listing everywhere until its appeal is decided. */
export async function stayAppealed(
  context: Context,
  appealId: string,
  { reasons, reviewer: decidedBy, as, json }: CommonOptions & Pick<AppealDecideOptions, 'reasons' | 'reviewer'>,
): Promise<ExitCode> {
  const answer = await context.client(as).post<{ stayedAt: string }>(`${pathOf(appealId)}/stay`, {
    decidedBy,
    reasons: await reasonsIn(context, reasons),
  });
  context.print(
    json ? JSON.stringify(answer) : `${appealId}  ${context.t('suspended', '已暂停')}  ${timeText(answer.stayedAt)}`,
  );
  return EXIT.done;
}

const reasonsIn = async (context: Context, file: string): Promise<string> =>
  (await readText(context, file)).trim().replaceAll('\r\n', '\n');

/** Finds that a listing that ended as wrong was filed in bad faith (rule P19). */
export async function findMalice(
  context: Context,
  listingId: string,
  { reasons, reviewer: foundBy, case: caseNo, as, json }: MaliceOptions,
): Promise<ExitCode> {
  const path = `/v1/listings/${encodeURIComponent(listingId)}/malice`;
  const answer = await context.client(as).post<{ foundAt: string; liability: Record<string, string> }>(path, {
    caseNo,
    foundBy,
    reasons: await reasonsIn(context, reasons),
  });
  const { en = '', zh = '', law = '' } = answer.liability;
  const text = `${listingId}  ${context.t('filed in bad faith', '恶意报送')}  ${timeText(answer.foundAt)}\n${context.t(en, zh)} (${law})`;
  context.print(json ? JSON.stringify(answer) : text);
  return EXIT.done;
}

/** Pauses, resumes or extends an appeal's time. */
export async function changeAppealDeadline(
  context: Context,
  appealId: string,
  action: string,
  { reason, days, case: caseNo, reviewer, as, json }: AppealDeadlineOptions,
): Promise<ExitCode> {
  const answer = await context.client(as).post<object>(`${pathOf(appealId)}/deadline`, {
    action,
    ...(reason !== undefined && { reason }),
    ...(days !== undefined && { days }),
    caseNo,
    reviewer,
  });
  const lines = [`${appealId}  ${wordOf(context, 'deadlineAction', action)}`, ...render(context, answer)];
  context.print(json ? JSON.stringify(answer) : lines.join('\n'));
  return EXIT.done;
}
