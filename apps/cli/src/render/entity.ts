// An entity of the ledger, for people: what it is, whose records it has and why, what stands against it.
import { SUBMITTED_TYPES } from '@liandun/contracts';
import type { Context } from '../context.js';
import { labelOf, render, tableText, timeText, wordOf } from './render.js';
import type { Words } from './labels.js';
import { kindWord, pairLines, relationWord, stepWord, type Pair, type Related } from './who.js';

interface Because {
  field: string;
  grade: string;
}

/** As GET /v1/entities/{entityId} answers; explanations to regulators alone. */
export interface EntityPage {
  entityId: string;
  kind: string;
  name: string;
  uscc?: string;
  retiredFrom?: string;
  observations: {
    position: number;
    member: string;
    merchantId?: string;
    type: string;
    name: string;
    shops: { shopId?: string; name?: string }[];
    because: Because[];
    acceptedAt: string;
    explanation?: { surest?: Pair; how: { position: number; at: string; type: string }[] };
  }[];
  listings: Record<string, unknown>[];
  possible: { observation: number; entityId: string; because: Because[] }[];
  related: Related[];
}

const REPORTS: Record<string, Words> = {
  [SUBMITTED_TYPES.merchantReported]: ['merchant reported', '报送商户'],
  [SUBMITTED_TYPES.merchantDelisted]: ['delisting', '清退'],
  [SUBMITTED_TYPES.riskEntityReported]: ['risk entity reported', '报送风险主体'],
  [SUBMITTED_TYPES.registryListed]: ['register list', '登记推送'],
};

const becauseText = (context: Context, because: readonly Because[]): string =>
  because
    .map(({ field, grade }) =>
      context.t(
        `${labelOf(context, field)} (${wordOf(context, 'grade', grade)})`,
        `${labelOf(context, field)}（${wordOf(context, 'grade', grade)}）`,
      ),
    )
    .join(context.t(', ', '、'));

/** Under its heading, indented; nothing where there is none. */
const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', heading, ...lines.map((line) => `  ${line}`)];

/** Line by line with labels; tables for records and listings. */
export function entityText(context: Context, page: EntityPage): string {
  const { entityId, kind, name, uscc, retiredFrom, observations, listings, possible, related } = page;
  const t = context.t.bind(context);
  const records = observations.map(({ type, shops, because, ...record }) => ({
    ...record,
    type: t(...(REPORTS[type] ?? [type, type])),
    shops: shops.map((shop) => shop.name ?? shop.shopId ?? '').join(t(', ', '、')),
    because: becauseText(context, because),
  }));
  const shown = LISTING.filter((field) => listings.some((listing) => listing[field] !== undefined));
  const maybe = possible.map(({ because, ...other }) => ({ ...other, because: becauseText(context, because) }));
  const relations = related.map((relation) => ({
    entityId: relation.entityId,
    relation: relationWord(context, relation),
  }));
  return [
    ...render(context, {
      entityId,
      name,
      kind: kindWord(context, kind),
      ...(uscc !== undefined && { uscc }),
      ...(retiredFrom !== undefined && { retiredFrom }),
    }),
    ...section(t('records', '记录'), tableText(context, 'observations', records, RECORD)),
    ...section(t('listings', '列名'), listings.length === 0 ? [] : tableText(context, 'listings', listings, shown)),
    ...section(
      t('possibly the same', '疑似同一主体'),
      maybe.length === 0 ? [] : tableText(context, 'possible', maybe, ['observation', 'entityId', 'because']),
    ),
    ...section(
      t('related; nothing follows from it', '关联主体；不产生任何后果'),
      relations.length === 0 ? [] : tableText(context, 'related', relations),
    ),
    ...whyText(context, observations),
  ].join('\n');
}

const RECORD = ['position', 'member', 'merchantId', 'type', 'name', 'shops', 'acceptedAt', 'because'];
const LISTING = ['listingId', 'member', 'code', 'tier', 'status', 'effectiveAt', 'expiresAt', 'heldUntil', 'cause'];

/** By which pair each record hangs, and what was done when; told to regulators alone. */
function whyText(context: Context, observations: EntityPage['observations']): string[] {
  const surest = observations.flatMap(({ explanation }) => explanation?.surest ?? []);
  const pairs = [...new Map(surest.map((pair) => [`${pair.a}-${pair.b}`, pair])).values()];
  const steps = observations.flatMap(({ position, explanation }) =>
    (explanation?.how ?? []).map(({ at, type, position: by }) =>
      context.t(
        `${position}: ${stepWord(context, type)} on ${timeText(at)}, position ${by}`,
        `${position}：${stepWord(context, type)}，${timeText(at)}，位置 ${by}`,
      ),
    ),
  );
  return [
    ...(pairs.length > 0 ? ['', context.t('why they are one', '认定为同一主体的依据')] : []),
    ...pairs.flatMap((pair, n) => [...(n > 0 ? [''] : []), ...pairLines(context, pair).map((line) => `  ${line}`)]),
    ...section(context.t('how it came to be', '经过'), steps),
  ];
}
