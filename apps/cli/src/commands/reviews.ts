import type { LiandunClient } from '@liandun/sdk';
import type { Context } from '../context.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { table } from '../layout.js';
import { approve, printRequested, type ApprovalOptions } from './approvals.js';
import { flat, type CommonOptions } from './common.js';

const WHO = { en: 'regulator', zh: '监管成员', command: 'reviews approve' };

/** Why a regulator reads. */
export interface ReviewReadOptions extends CommonOptions {
  purpose: string;
  case: string;
}

export interface ReviewListOptions extends ReviewReadOptions {
  limit: number;
}

export interface ReviewDecisionOptions extends CommonOptions {
  ground: string;
  case: string;
  reviewer: string;
  expiresAt?: string;
}

interface Entity {
  entityId: string;
  kind: string;
  name: string;
  uscc?: string;
  observations: number;
  members: string[];
}
interface Field {
  en: string;
  zh: string;
}
interface Pair {
  a: number;
  b: number;
  because: Field;
  fields: Field[];
}
interface Review {
  reviewId: string;
  status: string;
  entities: [Entity, Entity];
  because: { field: string }[];
  atStake: { listings: number; accounts: number; wouldClose: number };
  decided?: { decision: string; ground: string; decidedBy: string; approvedBy?: string; expiresAt?: string };
  proposal?: { approvalId: string; requestedBy: string; decision: string };
  explanation?: {
    pair?: Pair;
    path: Pair[];
    history: { observation: number; steps: { position: number; at: string; type: string }[] }[];
  };
}

const why = ({ purpose, case: caseNo }: ReviewReadOptions): { purpose: string; caseNo: string } => ({
  purpose,
  caseNo,
});

/** The pairs that a person has to look at, first where most shops would close. */
export async function listReviews(context: Context, options: ReviewListOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const page = await client.get<{ items: Review[] }>(`/v1/reviews?limit=${options.limit}`, why(options));
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
    t('because', '理由'),
    t('entities', '实体'),
  ];
  const rows = items.map(({ reviewId, status, atStake, because, entities }) => [
    reviewId,
    status,
    String(atStake.wouldClose),
    because.map(({ field }) => field).join(', '),
    entities.map(({ name }) => name).join(' | '),
  ]);
  return table([heading, ...rows], { columns: context.columns, whole: [0] });
}

/** One pair with everything that speaks for and against it. */
export async function showReview(context: Context, reviewId: string, options: ReviewReadOptions): Promise<ExitCode> {
  const client = context.client(options.as);
  const review = await client.get<Review>(pathOf(reviewId), why(options));
  context.print(options.json ? JSON.stringify(review) : reviewText(context, review));
  return EXIT.done;
}

function reviewText(context: Context, review: Review): string {
  const { reviewId, status, entities, atStake, decided, proposal, explanation } = review;
  const t = context.t.bind(context);
  const { dim } = context.colors;
  const evidence = [explanation?.pair, ...(explanation?.path ?? [])].filter((pair) => pair !== undefined);
  const pairs = [...new Map(evidence.map((pair) => [`${pair.a}-${pair.b}`, pair])).values()];
  return [
    `${reviewId}  ${status}`,
    ...entities.map((entity) => `  ${flat(entity)}`),
    `  ${t('at stake', '影响')}: ${flat(atStake)}`,
    ...(decided ? [`  ${t('decided', '已决定')}: ${flat(decided)}`] : []),
    ...(proposal ? [`  ${t('awaits a second person', '待第二人审批')}: ${flat(proposal)}`] : []),
    ...pairs.flatMap(({ a, b, because, fields }) => [
      `${a}-${b}: ${t(because.en, because.zh)}`,
      ...fields.map(({ en, zh }) => `  ${t(en, zh)}`),
    ]),
    ...(explanation?.history ?? []).flatMap(({ observation, steps }) =>
      steps.map(({ position, at, type }) =>
        dim(`${observation}  ${at}  ${type}  ${t('position', '位置')} ${position}`),
      ),
    ),
  ].join('\n');
}

/** Says whether two are one. Where shops would close, a second regulator is asked. */
export async function decideReview(
  context: Context,
  reviewId: string,
  decision: string,
  options: ReviewDecisionOptions,
): Promise<ExitCode> {
  const { expiresAt } = options;
  const body = { decision, ...wordsOf(options), ...(expiresAt === undefined ? {} : { expiresAt }) };
  return send(context, options, (client) => client.post(`${pathOf(reviewId)}/decision`, body));
}

/** Takes a decision back. */
export async function undoReview(
  context: Context,
  reviewId: string,
  options: ReviewDecisionOptions,
): Promise<ExitCode> {
  return send(context, options, (client) => client.post(`${pathOf(reviewId)}/undo`, wordsOf(options)));
}

/** A second regulator's word on what another proposed. */
export const approveReview = (context: Context, approvalId: string, options: ApprovalOptions): Promise<ExitCode> =>
  approve(context, approvalId, options, WHO);

const pathOf = (reviewId: string): string => `/v1/reviews/${encodeURIComponent(reviewId)}`;

const wordsOf = ({ ground, case: caseNo, reviewer }: ReviewDecisionOptions): object => ({ ground, caseNo, reviewer });

async function send(
  context: Context,
  options: CommonOptions,
  post: (client: LiandunClient) => Promise<{ approvalId?: string; status?: string }>,
): Promise<ExitCode> {
  return printRequested(context, await post(context.client(options.as)), options, WHO);
}
