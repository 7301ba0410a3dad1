import { pairText } from './cluster.js';
import { becauseOf, explainApart, type ApartExplanation, type Explanation, type Sentence } from './explain.js';
import type { Edge, Matcher, Node, Outcome, PairContext, PairDecision } from './types.js';

/** A record of the one entity and a record of the other. */
export interface ApartPair extends ApartExplanation {
  a: string;
  b: string;
}

/** Why two entities aren't one. */
export interface EntitiesApart {
  /** `review`: a person should look; `link`: they would be one as soon as they are judged again. */
  outcome: Outcome;
  /** All that keeps them apart, what decides first. */
  reasons: (Sentence & { rule: Explanation['rule'] })[];
  /** The pair that the first reason is seen at, then the nearest ones. */
  pairs: ApartPair[];
}

/** Pairs that are told of: the nearest say it, the others repeat it. */
const PAIRS_MAX = 5;

const byNearness = (x: ApartPair, y: ApartPair): number =>
  y.bits - x.bits || (x.a < y.a ? -1 : x.a > y.a ? 1 : x.b < y.b ? -1 : x.b > y.b ? 1 : 0);

/** Whether the two were ever compared: by a key that isn't generic. */
const isFound = ({ shared }: ApartPair): boolean => shared.some(({ generic }) => !generic);

/**
 * Why two entities, as they are now, aren't one: every record of the one beside every record of the other, and what the clustering
 * makes of those that were compared. Pure; depends on the sets only.
 * @param different whether a reviewer's `different` stands between them
 */
export function whyApart<F>(
  matcher: Matcher<never, F>,
  one: readonly Node<F>[],
  other: readonly Node<F>[],
  context: PairContext,
  different = false,
): EntitiesApart {
  const all = one
    .flatMap((a) => other.map((b) => ({ a: a.id, b: b.id, ...explainApart(matcher, a.features, b.features, context) })))
    .toSorted(byNearness);
  const found = all.filter(isFound);
  const { outcome, rule, at } = clustered(matcher, one, other, context, found, different);
  const told: [rule: Explanation['rule'], at: ApartPair | undefined][] = [];
  if (rule) told.push([rule, at]);
  if (different) told.push(['decidedDifferent', all[0]]);
  const contradicting = all.find(({ conflict }) => conflict);
  if (contradicting) told.push(['conflict', contradicting]);
  const nearest = found[0] ?? all.find(({ shared }) => shared.length > 0) ?? all[0];
  if (outcome === 'apart' && nearest) {
    if (found.length === 0) told.push([nearest.shared.length === 0 ? 'noSharedKey' : 'genericKey', nearest]);
    // A pair that would link by itself stays apart for what was told already.
    else if (nearest.outcome === 'apart' && nearest.rule !== 'conflict') told.push([nearest.rule, nearest]);
  }
  const first = told[0]?.[1];
  return {
    outcome,
    reasons: told.map(([name, pair]) => ({ rule: name, ...becauseOf(name, pair?.conflict) })),
    pairs: [...new Set(first ? [first, ...all] : all)].slice(0, PAIRS_MAX),
  };
}

/** What becomes of the two when each is held together as it is now: one, for a person to look at, or two. */
function clustered<F>(
  matcher: Matcher<never, F>,
  one: readonly Node<F>[],
  other: readonly Node<F>[],
  context: PairContext,
  found: readonly ApartPair[],
  different: boolean,
): { outcome: Outcome; rule?: Explanation['rule']; at?: ApartPair | undefined } {
  const featuresOf = new Map([...one, ...other].map(({ id, features }) => [id, features]));
  const edges = found.map(({ a, b }): Edge => {
    const [x, y] = a < b ? [a, b] : [b, a];
    const comparison = matcher.compare(featuresOf.get(x) as F, featuresOf.get(y) as F, context);
    return { a: x, b: y, comparison, verdict: matcher.decide(comparison) };
  });
  const [first, last] = [one[0], other[0]];
  const decisions: PairDecision[] = [
    ...heldTogether(one),
    ...heldTogether(other),
    ...(different && first && last ? [decided(first.id, last.id, 'different')] : []),
  ];
  const nodes = [...one, ...other].toSorted((x, y) => (x.id < y.id ? -1 : 1));
  const { entities, reviews } = matcher.cluster(nodes, edges, decisions);
  const entityOf = (id: string | undefined): string[] | undefined =>
    entities.find((members) => id !== undefined && members.includes(id));
  if (first && entityOf(first.id) === entityOf(last?.id))
    return { outcome: 'link', rule: 'notJudgedYet', at: found[0] };
  const ids = new Set(one.map(({ id }) => id));
  const doubt = reviews.find(({ a, b }) => ids.has(a) !== ids.has(b));
  if (!doubt) return { outcome: 'apart' };
  const pair = pairText(doubt.a, doubt.b);
  const seen = found.find(({ a, b }) => pairText(a, b) === pair);
  return { outcome: 'review', rule: doubt.verdict.rule, at: seen };
}

function decided(x: string, y: string, decision: PairDecision['decision']): PairDecision {
  const [a, b] = pairText(x, y).split('\t') as [string, string];
  return { a, b, decision };
}

const heldTogether = (nodes: readonly Node<unknown>[]): PairDecision[] =>
  nodes.slice(1).map(({ id }) => decided((nodes[0] as Node<unknown>).id, id, 'same'));
