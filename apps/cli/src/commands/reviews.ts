import type { LiandunClient } from '@liandun/sdk';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { labelOf, timeText } from '../render/render.js';
import {
  decisionRows,
  decisionWord,
  entityLine,
  pairLines,
  reviewStatusWord,
  stepWord,
  type Decision,
  type EntitySide,
  type Pair,
} from '../render/who.js';
import { approve, printRequested, type ApprovalOptions } from './approvals.js';
import { reasonToRead, type ReadingOptions } from './caller.js';
import type { CommonOptions } from './common.js';
import { evidenceOf } from './publish-draft.js';

const WHO = { en: 'regulator', zh: '监管成员', command: 'reviews approve', rest: '--reviewer <id>' };

export type ReviewReadOptions = CommonOptions & ReadingOptions;

export type ReviewListOptions = ReviewReadOptions & { limit: number };

export interface ReviewDecisionOptions extends CommonOptions {
  ground: string;
  case: string;
  reviewer: string;
  evidence?: string[];
  expiresAt?: string;
}

interface Review {
  reviewId: string;
  status: string;
  entities: [EntitySide, EntitySide];
  because: { field: string }[];
  atStake: { listings: number; tier?: number; accounts: number; wouldClose: number };
  decided?: Decision;
  proposal?: Decision & { approvalId: string; requestedBy: string; requestedAt: string; undoes: boolean };
  explanation?: {
    pair?: Pair;
    path: Pair[];
    history: { observation: number; steps: { position: number; at: string; type: string }[] }[];
  };
}

/** The pairs that a person has to look at, first where most shops would close. */
export async function listReviews(context: Context, options: ReviewListOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const page = await client.get<{ items: Review[] }>(`/v1/reviews?limit=${options.limit}`, why);
  context.print(options.json ? JSON.stringify(page) : listText(context, page.items));
  return EXIT.done;
}

function listText(context: Context, items: Review[]): string {
  const t = context.t.bind(context);
  if (items.length === 0) return t('nothing to decide', '没有待决定的复核');
  const heading = [
    t('review', '复核'),
    t('status', '状态'),
    t('would close', '将关店'),
    t('agreeing', '一致的字段'),
    t('entities', '主体'),
  ];
  const rows = items.map(({ reviewId, status, atStake, because, entities }) => [
    reviewId,
    reviewStatusWord(context, status),
    String(atStake.wouldClose),
    because.map(({ field }) => labelOf(context, field)).join(t(', ', '、')),
    entities.map(({ name }) => name).join(' | '),
  ]);
  return table([heading, ...rows], { columns: context.columns, whole: [0] });
}

/** One pair with everything that speaks for and against it. */
export async function showReview(context: Context, reviewId: string, options: ReviewReadOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const why = await reasonToRead(context, client, options);
  const review = await client.get<Review>(pathOf(reviewId), why);
  context.print(options.json ? JSON.stringify(review) : reviewText(context, review));
  return EXIT.done;
}

/** Both entities, what hangs on them, what was or is to be decided, what was found, and what led there. */
export function reviewText(context: Context, review: Review): string {
  const { reviewId, status, entities, atStake, decided, proposal, explanation } = review;
  const t = context.t.bind(context);
  const { dim } = context.colors;
  const evidence = [explanation?.pair, ...(explanation?.path ?? [])].filter((pair) => pair !== undefined);
  const pairs = [...new Map(evidence.map((pair) => [`${pair.a}-${pair.b}`, pair])).values()];
  const rows = [
    [t('at stake', '影响'), stakeText(context, atStake)],
    ...(decided ? decisionRows(context, decided) : []),
    ...(proposal ? proposalRows(context, proposal) : []),
  ];
  const history = (explanation?.history ?? []).flatMap(({ observation, steps }) =>
    steps.map(({ position, at, type }) => [
      String(observation),
      timeText(at),
      stepWord(context, type),
      t(`position ${position}`, `位置 ${position}`),
    ]),
  );
  return [
    `${reviewId}  ${reviewStatusWord(context, status)}`,
    ...entities.map((entity) => `  ${entityLine(context, entity)}`),
    ...table(rows, { columns: Infinity }).split('\n').map((line) => `  ${line}`), // prettier-ignore
    ...pairs.flatMap((pair) => ['', ...pairLines(context, pair)]),
    ...(history.length > 0 ? ['', dim(table(history, { columns: Infinity }))] : []),
  ].join('\n');
}

function stakeText(context: Context, { listings, tier, accounts, wouldClose }: Review['atStake']): string {
  const t = context.t.bind(context);
  return [
    t(`listings in force: ${listings}`, `有效列名 ${listings} 条`),
    ...(tier === undefined ? [] : [t(`strongest tier: ${tier}`, `最强层级 ${tier}`)]),
    t(`accounts: ${accounts}`, `账号 ${accounts} 个`),
    t(`would close or reopen: ${wouldClose}`, `将关店或恢复 ${wouldClose} 个`),
  ].join(t(', ', '，'));
}

function proposalRows(context: Context, proposal: NonNullable<Review['proposal']>): string[][] {
  const { approvalId, requestedBy, requestedAt, undoes, decision, ...said } = proposal;
  const t = context.t.bind(context);
  const word = decisionWord(context, decision);
  const [, ...rows] = decisionRows(context, { ...said, decision, decidedBy: requestedBy, decidedAt: requestedAt });
  return [
    [t('proposed', '提议'), undoes ? t(`to undo: ${word}`, `撤销：${word}`) : word],
    ...rows,
    [t('approve with', '审批命令'), `liandun reviews approve ${approvalId} --reviewer <id>`],
  ];
}

/** Says whether two are one. Where shops would close, a second regulator is asked. */
export async function decideReview(
  context: Context,
  reviewId: string,
  decision: string,
  options: ReviewDecisionOptions,
): Promise<ExitCode> {
  const { expiresAt } = options;
  const body = { decision, ...wordsOf(context, options), ...(expiresAt === undefined ? {} : { expiresAt }) };
  return send(context, options, (client) => client.post(`${pathOf(reviewId)}/decision`, body));
}

/** Takes a decision back. */
export async function undoReview(
  context: Context,
  reviewId: string,
  options: ReviewDecisionOptions,
): Promise<ExitCode> {
  return send(context, options, (client) => client.post(`${pathOf(reviewId)}/undo`, wordsOf(context, options)));
}

/** A second regulator's word on what another proposed. */
export const approveReview = (context: Context, approvalId: string, options: ApprovalOptions): Promise<ExitCode> =>
  approve(context, approvalId, options, WHO);

const pathOf = (reviewId: string): string => `/v1/reviews/${encodeURIComponent(reviewId)}`;

function wordsOf(context: Context, { ground, case: caseNo, reviewer, evidence = [] }: ReviewDecisionOptions): object {
  const files = evidence.map((file) => {
    const { sha256, mediaType } = evidenceOf(context, file);
    return { sha256, mediaType };
  });
  return { ground, caseNo, reviewer, ...(files.length > 0 && { evidence: files }) };
}

async function send(
  context: Context,
  options: CommonOptions,
  post: (client: LiandunClient) => Promise<{ approvalId?: string; status?: string }>,
): Promise<ExitCode> {
  return printRequested(context, await post(context.client(options.as)), options, WHO);
}
