import type { Edge } from '@liandun/identity';

interface Rates {
  precision: number;
  recall: number;
  f1: number;
}
export interface Measures {
  pairwise: Rates;
  bcubed: Rates;
}

const pairs = (n: number): number => (n * (n - 1)) / 2;
const rates = (precision: number, recall: number): Rates => ({
  precision,
  recall,
  f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
});

function counts(keys: Iterable<string>): Map<string, number> {
  const counted = new Map<string, number>();
  for (const key of keys) counted.set(key, (counted.get(key) ?? 0) + 1);
  return counted;
}
const sum = (counted: Map<string, number>): number => [...counted.values()].reduce((total, n) => total + pairs(n), 0);

/** Pairwise and B-cubed precision, recall and F1: the figures of the data's own scorer. */
export function measuresOf(truth: ReadonlyMap<string, string>, predicted: ReadonlyMap<string, string>): Measures {
  const label = (id: string): string => predicted.get(id) ?? `alone\t${id}`;
  const both = counts([...truth].map(([id, entity]) => `${entity}\n${label(id)}`));
  const [real, found] = [counts(truth.values()), counts([...truth.keys()].map(label))];
  let [precision, recall] = [0, 0];
  for (const [key, n] of both) {
    const [entity, guess] = key.split('\n') as [string, string];
    precision += (n * n) / (found.get(guess) as number);
    recall += (n * n) / (real.get(entity) as number);
  }
  return {
    pairwise: rates(sum(both) / sum(found), sum(both) / sum(real)),
    bcubed: rates(precision / truth.size, recall / truth.size),
  };
}

const BANDS = [-Infinity, 0, 1, 2, 4, 6, 8, 12];

/** Pairs of one weight, in bits, and how many of them are one merchant's. */
export interface Band {
  bits: string;
  links: { pairs: number; same: number };
  reviews: { pairs: number; same: number };
}

/** What was observed of links and reviews by the weight that they were given: the weight against the truth. */
export function bandsOf(links: readonly Edge[], reviews: readonly Edge[], truth: ReadonlyMap<string, string>): Band[] {
  return BANDS.map((from, i) => {
    const to = BANDS[i + 1] ?? Infinity;
    const within = (edges: readonly Edge[]): Band['links'] => {
      const inside = edges.filter(({ comparison }) => comparison.bits >= from && comparison.bits < to);
      return { pairs: inside.length, same: inside.filter(({ a, b }) => truth.get(a) === truth.get(b)).length };
    };
    const bits = i === 0 ? `below ${to}` : to === Infinity ? `${from} and more` : `${from} to ${to}`;
    return { bits, links: within(links), reviews: within(reviews) };
  });
}

/** An entity that holds several merchants, or a merchant that lies in several entities. */
export interface WrongCluster {
  wrong: 'merged' | 'split';
  /** The entity or the merchant. */
  cluster: string;
  /** Pairs of records that are together and shouldn't be, or the other way round. */
  wrongPairs: number;
  /** Its parts, the largest first: ids of records. */
  parts: string[][];
}

function wrongOf(
  wrong: WrongCluster['wrong'],
  outer: ReadonlyMap<string, string>,
  inner: ReadonlyMap<string, string>,
): WrongCluster[] {
  const clusters = Map.groupBy(outer, ([, cluster]) => cluster);
  return [...clusters].flatMap(([cluster, records]) => {
    const byPart = Map.groupBy(
      records.map(([id]) => id),
      (id) => inner.get(id) ?? id,
    );
    if (byPart.size < 2) return [];
    const parts = [...byPart.values()].toSorted((a, b) => b.length - a.length);
    const wrongPairs = pairs(records.length) - parts.reduce((total, part) => total + pairs(part.length), 0);
    return [{ wrong, cluster, wrongPairs, parts }];
  });
}

/** Every cluster that isn't as it is in truth, the worst first. */
export const wrongClusters = (
  truth: ReadonlyMap<string, string>,
  predicted: ReadonlyMap<string, string>,
): WrongCluster[] =>
  [...wrongOf('merged', predicted, truth), ...wrongOf('split', truth, predicted)].toSorted(
    (a, b) => b.wrongPairs - a.wrongPairs || (a.cluster < b.cluster ? -1 : 1),
  );

/** Links between records of two merchants, by what the set says was done to one of them; a link counts once for each. */
export function falseLinksBy(
  links: readonly Edge[],
  truth: ReadonlyMap<string, string>,
  categories: ReadonlyMap<string, string[]>,
): Record<string, number> {
  const wrong = links.filter(({ a, b }) => truth.get(a) !== truth.get(b));
  const named = wrong.flatMap(({ a, b }) => {
    const both = new Set([...(categories.get(a) ?? []), ...(categories.get(b) ?? [])]);
    return both.size === 0 ? ['none'] : [...both];
  });
  return Object.fromEntries([...counts(named)].toSorted(([, m], [, n]) => n - m));
}
