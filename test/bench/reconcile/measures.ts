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

const BANDS = [0, 1, 2, 4, 6, 8, 12];

/** Of the links and doubts in each band of weight (log2 odds), the share that is of one entity. */
export function bandsOf(edges: readonly Edge[], truth: ReadonlyMap<string, string>): Record<string, number> {
  const bands: Record<string, number> = {};
  for (const [i, from] of BANDS.entries()) {
    const to = BANDS[i + 1] ?? Infinity;
    const inside = edges.filter(({ comparison }) => comparison.bits >= from && comparison.bits < to);
    if (inside.length > 0)
      bands[`${from}–${to}`] = inside.filter(({ a, b }) => truth.get(a) === truth.get(b)).length / inside.length;
  }
  return bands;
}
