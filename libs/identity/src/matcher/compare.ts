import type { Features } from './features.js';
import { conflictOf, FIELDS, levelsOf } from './levels.js';
import type {
  Comparison,
  Conflict,
  Evidence,
  FieldLevel,
  Group,
  Key,
  KeyKind,
  NodeKind,
  PairContext,
} from './types.js';
import type { Odds, Weights } from './weights.js';

/**
 * Agreeing fields of one group are not independent: a registration agency's phone comes with its mail address. Beyond the
 * strongest, further agreement of a group counts this part.
 */
const FURTHER_SHARE = 0.4;

const KEY_OF: Partial<Record<string, KeyKind>> = {
  phone: 'phone',
  email: 'email',
  bankAccount: 'bankAccount',
  registrationNumber: 'registrationNumber',
};
/** Kinds of keys of which it counts how many hold them, however few. */
export const WEIGHED: ReadonlySet<KeyKind> = new Set(Object.values(KEY_OF).filter((kind) => kind !== undefined));

/** Whether a key finds the same records, and says as much of those that agree in it, with other holders than before. */
export const saysTheSame = (kind: KeyKind, before: number, now: number, cap: number): boolean =>
  before >= cap === now >= cap && (before >= cap || !WEIGHED.has(kind) || Math.max(before, 1) === Math.max(now, 1));

/** A rare value adds at most this to what its field says of strangers on the average. */
const RARITY_MAX = 6;
const EQUAL = new Set(['equal', 'equalLater']);

/** A person's brand is no name of his; a firm's resident id is its operator's. */
function groupOf(field: string, kind: NodeKind): Group {
  if (kind === 'person' && field === 'brand') return 'platform';
  return kind === 'legal' && field === 'residentId' ? 'people' : FIELDS[field as keyof typeof FIELDS];
}

const round = (bits: number): number => Math.round(bits * 100) / 100;
const log2 = (odds: number): number => Math.log2(odds);

/** Evidence of one level, by how rare the agreeing value is and how many entities share it. */
function evidenceOf(
  level: FieldLevel,
  odds: Odds,
  group: Group,
  context: PairContext,
  cap: (kind: KeyKind) => number,
): Evidence | undefined {
  const [same, unrelated, related] = odds;
  let stranger = log2(same / unrelated);
  let kin = log2(same / related);
  const keyKind = KEY_OF[level.field];
  if (keyKind && EQUAL.has(level.level) && level.value !== undefined) {
    const key: Key = { kind: keyKind, value: level.value };
    const holders = context.holders(key);
    if (level.between && context.reissued?.(key, ...level.between)) return undefined;
    // A generic key weighs nothing, also where it says that two records differ.
    if (holders >= cap(keyKind)) return undefined;
    stranger -= log2(Math.max(1, holders));
    if (holders > 2) kin -= log2(holders / 2);
  }
  if (level.rarity !== undefined && stranger > 0) stranger = Math.min(level.rarity + log2(same), stranger + RARITY_MAX);
  return { field: level.field, level: level.level, group, stranger: round(stranger), kin: round(kin) };
}

/** The sum of a group: all that speaks against, the strongest of what speaks for, and a part of the rest. */
function sum(evidence: readonly Evidence[], of: 'stranger' | 'kin'): number {
  const best = new Map<Group, number>();
  let total = 0;
  for (const item of evidence) {
    const bits = item[of];
    if (bits <= 0) total += bits;
    else {
      const held = best.get(item.group) ?? 0;
      total += Math.max(bits, held) - held + FURTHER_SHARE * Math.min(bits, held);
      best.set(item.group, Math.max(bits, held));
    }
  }
  return total;
}

/** What weighs the levels of a pair, whatever the records are. */
export interface Scale {
  weights: Weights;
  capOf: (kind: KeyKind) => number;
  groupOf: (field: string, kind: NodeKind) => Group;
}

/** The levels of a pair as evidence, and its sum; levels that the weights don't know say nothing. */
export function weigh(
  kind: NodeKind,
  levels: readonly FieldLevel[],
  { weights, capOf, groupOf: group }: Scale,
  context: PairContext,
  conflict?: Conflict,
): Comparison {
  const evidence: Evidence[] = [];
  for (const level of levels) {
    const odds = weights.levels[kind][level.field]?.[level.level];
    const item = odds && evidenceOf(level, odds, group(level.field, kind), context, capOf);
    if (item) evidence.push(item);
  }
  const againstStranger = sum(evidence, 'stranger') - weights.populationBits;
  const againstKin = sum(evidence, 'kin') - weights.kinBits;
  const low = Math.min(againstStranger, againstKin);
  const high = Math.max(againstStranger, againstKin);
  const bits = round(low - log2(1 + 2 ** (low - high)));
  return { kind, evidence, bits, ...(conflict && { conflict }) };
}

/** Compares two records by the weights: symmetric, and nothing but their content and the context counts. */
export function compareFeatures(
  a: Features,
  b: Features,
  weights: Weights,
  context: PairContext,
  cap: (kind: KeyKind) => number,
): Comparison {
  const conflict = conflictOf(a, b);
  if (conflict === 'kind') return { kind: a.kind, evidence: [], bits: -99, conflict };
  return weigh(a.kind, levelsOf(a, b), { weights, capOf: cap, groupOf }, context, conflict);
}
