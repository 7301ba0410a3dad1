// Who is who, for people: entities, what was found of two records, and what persons decided. Ids are never cut.
import { EVENT_TYPES, REVIEW_GROUNDS, UNDO_GROUNDS } from '@liandun/contracts';
import { explainPair, type BatchApart, type Edge } from '@liandun/identity';
import type { Context } from '../context.js';
import { table } from '../layout.js';
import { timeText } from './render.js';
import type { Words } from './labels.js';

export interface Sentence {
  en: string;
  zh: string;
}
export interface EntitySide {
  entityId: string;
  kind: string;
  name: string;
  uscc?: string;
  observations: number;
  members: string[];
  retiredFrom?: string;
}
export interface Pair {
  /** Positions in the log, or ids of records in a batch. */
  a: number | string;
  b: number | string;
  outcome: string;
  bits: number;
  because: Sentence;
  fields: (Sentence & { stranger: number; kin: number })[];
  reviewId?: string;
  members?: [string, string];
  shared?: (Sentence & { holders: number; cap: number; generic: boolean })[];
}
export interface Evidence {
  sha256: string;
  mediaType: string;
}
export interface Decision {
  decision: string;
  ground?: string;
  decidedBy?: string;
  reviewer?: string;
  approvedBy?: string;
  approver?: string;
  caseNo?: string;
  decidedAt?: string;
  expiresAt?: string;
  evidence?: Evidence[];
}
export interface Related {
  entityId: string;
  kind: string;
  direction: string;
}

const KINDS: Record<string, Words> = {
  organization: ['organization', '企业或组织'],
  soleProprietor: ['sole proprietor', '个体工商户'],
  person: ['natural person', '自然人'],
};
const OUTCOMES: Record<string, Words> = {
  apart: ['apart', '非同一主体'],
  review: ['a person should look', '待人工复核'],
  link: ['one', '同一主体'],
};
const DECISIONS: Record<string, Words> = {
  same: ['the same merchant', '同一主体'],
  different: ['different merchants', '不同主体'],
  unsure: ['not to be told yet', '暂不能判断'],
};
const STATUSES: Record<string, Words> = {
  open: ['undecided', '待决定'],
  proposed: ['waits for a second person', '待第二人审批'],
  decided: ['decided', '已决定'],
  linked: ['one entity', '已为同一主体'],
  apart: ['two entities', '为两个主体'],
};
const GROUNDS: Record<string, Sentence> = { ...REVIEW_GROUNDS, ...UNDO_GROUNDS };
/** How the first entity is related to the second. */
const RELATIONS: Record<string, Words> = {
  'operates from': ['operates it', '为其经营者'],
  'operates to': ['is operated by it', '由其经营'],
  'legalRepresentativeOf from': ['is its legal representative', '为其法定代表人'],
  'legalRepresentativeOf to': ['is represented by it', '以其为法定代表人'],
  'branchOf from': ['is its branch', '为其分支机构'],
  'branchOf to': ['has it as a branch', '以其为分支机构'],
  'successorOf from': ['is its successor', '为其承继者'],
  'successorOf to': ['is succeeded by it', '由其承继'],
  'sharesPhone both': ['shares a phone with it', '与其共用电话'],
};
const STEPS: Record<string, Words> = {
  [EVENT_TYPES.entityLinked]: ['linked', '关联'],
  [EVENT_TYPES.entityMerged]: ['merged', '合并'],
  [EVENT_TYPES.entitySplit]: ['split', '拆分'],
  [EVENT_TYPES.reviewDecided]: ['decided by a person', '人工决定'],
  [EVENT_TYPES.reviewUndone]: ['decision undone', '撤销决定'],
};

const word = (context: Context, list: Record<string, Words>, value: string): string =>
  context.t(...(list[value] ?? [value, value]));

export const outcomeWord = (context: Context, outcome: string): string => word(context, OUTCOMES, outcome);
export const decisionWord = (context: Context, decision: string): string => word(context, DECISIONS, decision);
export const reviewStatusWord = (context: Context, status: string): string => word(context, STATUSES, status);
export const stepWord = (context: Context, type: string): string => word(context, STEPS, type);
export const kindWord = (context: Context, kind: string): string => word(context, KINDS, kind);

/** One entity on a line: its id, what it is called and is, and whose records it has. */
export function entityLine(
  context: Context,
  { entityId, kind, name, uscc, observations, members, retiredFrom }: EntitySide,
): string {
  const of = members.join(context.t(', ', '、'));
  return [
    entityId,
    name,
    kindWord(context, kind),
    ...(uscc === undefined ? [] : [uscc]),
    context.t(`${observations} record${observations === 1 ? '' : 's'} of ${of}`, `${observations} 条记录（${of}）`),
    ...(retiredFrom === undefined ? [] : [context.t(`formerly ${retiredFrom}`, `原编号 ${retiredFrom}`)]),
  ].join('  ');
}

const signed = (bits: number): string => `${bits > 0 ? '+' : ''}${bits.toFixed(1)}`;

/** What was found of two records: the verdict, what they were found by, and each field with its weight in bits. */
export function pairLines(context: Context, pair: Pair): string[] {
  const { a, b, members, outcome, because, bits, fields, shared, reviewId } = pair;
  const t = context.t.bind(context);
  const named = (position: number | string, n: 0 | 1): string =>
    members?.[n] ? `${position} (${members[n]})` : String(position);
  const keys = (shared ?? []).map(({ en, zh, holders, cap, generic }) => {
    if (generic)
      return t(`${en}, held by ${holders} (${cap} are too many)`, `${zh}，${holders} 个主体持有（上限 ${cap}）`);
    // A batch counts the holders of a key only where the number matters.
    return holders < 2 ? t(en, zh) : t(`${en}, held by ${holders}`, `${zh}，${holders} 个主体持有`);
  });
  const rows = [
    ...(reviewId === undefined ? [] : [[t('review', '复核'), reviewId]]),
    ...(shared ? [[t('found by', '检索键'), keys.join(t('; ', '；')) || t('nothing', '无')]] : []),
    [t('weight', '权重'), t(`${signed(bits)} bits`, `${signed(bits)} 比特`)],
    ...fields.map(({ en, zh, stranger, kin }) => [signed(Math.min(stranger, kin)), t(en, zh)]),
  ];
  return [
    `${named(a, 0)} – ${named(b, 1)}${t(': ', '：')}${outcomeWord(context, outcome)}${t(', ', '，')}${t(because.en, because.zh)}`,
    ...table(rows, { columns: Infinity })
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

/** What a person decided, on what ground, who and when; a row each. */
export function decisionRows(context: Context, decision: Decision): string[][] {
  const { ground, decidedBy, reviewer, approvedBy, approver, caseNo, decidedAt, expiresAt, evidence } = decision;
  const t = context.t.bind(context);
  const said = ground === undefined ? undefined : GROUNDS[ground];
  const who = (person: string | undefined, member: string): string =>
    person === undefined ? member : t(`${person} of ${member}`, `${member} ${person}`);
  return [
    [t('decision', '决定'), decisionWord(context, decision.decision)],
    ...(said ? [[t('ground', '依据'), t(said.en, said.zh)]] : []),
    ...(decidedBy === undefined ? [] : [[t('decided by', '决定人'), who(reviewer, decidedBy)]]),
    ...(approvedBy === undefined ? [] : [[t('approved by', '批准人'), who(approver, approvedBy)]]),
    ...(caseNo === undefined ? [] : [[t('case', '案号'), caseNo]]),
    ...(decidedAt === undefined ? [] : [[t('on', '决定时间'), timeText(decidedAt)]]),
    ...(expiresAt === undefined ? [] : [[t('until', '有效期至'), timeText(expiresAt)]]),
    ...(evidence ?? []).map(({ sha256, mediaType }) => [t('evidence', '证据'), `${sha256}  ${mediaType}`]),
  ];
}

/** How one entity is related to another. */
export const relationWord = (context: Context, { kind, direction }: Related): string =>
  word(context, RELATIONS, `${kind} ${direction}`);

/** The last lines of a long list say nothing new. */
const RECORDS_SHOWN_MAX = 10;

/** Why two records of a batch aren't of one entity, or by which links they are. */
export function batchApartText(context: Context, { entities, compared, apart, path }: BatchApart): string {
  const t = context.t.bind(context);
  const sides = entities.map(({ entityId, records }, n) => {
    const shown = records.slice(0, RECORDS_SHOWN_MAX).join(t(', ', '、'));
    const more = records.length > RECORDS_SHOWN_MAX ? ' …' : '';
    const cut = (compared[n] ?? 0) < records.length ? t(`, ${compared[n]} compared`, `，已比对 ${compared[n]} 条`) : '';
    return `${entityId}  ${t(`${records.length} record${records.length === 1 ? '' : 's'}: ${shown}${more}`, `${records.length} 条记录：${shown}${more}`)}${cut}`;
  });
  const pairs: Pair[] = apart ? apart.pairs : (path ?? []).map(pairOfEdge);
  const said = apart?.reasons ?? [{ en: 'they are one entity', zh: '两者为同一主体' }];
  return [
    `${outcomeWord(context, apart?.outcome ?? 'link')}${t(':', '：')}`,
    ...said.map(({ en, zh }) => `  ${t(en, zh)}`),
    '',
    ...new Set(sides),
    ...pairs.flatMap((pair) => ['', ...pairLines(context, pair)]),
  ].join('\n');
}

const pairOfEdge = ({ a, b, comparison, verdict }: Edge): Pair => {
  const { outcome, because, fields } = explainPair(comparison, verdict);
  return { a, b, outcome, because, fields, bits: comparison.bits };
};
