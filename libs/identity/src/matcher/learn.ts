import type { FieldLevel } from './types.js';
import type { Odds } from './weights.js';

/** What a pair shows, with how often, and what is known of it without anybody having labelled it. */
export interface Pattern {
  levels: readonly FieldLevel[];
  count: number;
  /** `same`: one verified identifier agrees; `different`: two contradict; absent: to be estimated. */
  seed?: 'same' | 'different';
  /** Where nothing is known of any pair: how likely it is the same entity, to begin with. */
  start?: number;
}

type Table = Map<string, number>;
const slot = ({ field, level }: FieldLevel): string => `${field}\t${level}`;

function normalised(counts: Table): Table {
  const totals = new Map<string, number>();
  const levels = new Map<string, number>();
  for (const [key, count] of counts) {
    const field = key.slice(0, key.indexOf('\t'));
    totals.set(field, (totals.get(field) ?? 0) + count);
    levels.set(field, (levels.get(field) ?? 0) + 1);
  }
  const share = new Map<string, number>();
  for (const [key, count] of counts) {
    const field = key.slice(0, key.indexOf('\t'));
    share.set(key, (count + 0.5) / ((totals.get(field) as number) + 0.5 * (levels.get(field) as number)));
  }
  return share;
}

/**
 * Expectation and maximisation over three classes (one entity, kin, strangers) with the strangers' shares fixed from
 * random pairs. Seeds hold their class. Fields are taken as independent within a class.
 * @returns for each field and level the shares in the three classes, and how many kin there are for each same pair
 */
export function learn(
  patterns: readonly Pattern[],
  random: readonly (readonly FieldLevel[])[],
  rounds = 20,
): { odds: Map<string, Odds>; kinBits: number } {
  const keys = new Set(patterns.flatMap(({ levels }) => levels.map(slot)));
  const empty = (): Table => new Map([...keys].map((key) => [key, 0]));
  const strangers = empty();
  for (const levels of random)
    for (const level of levels) strangers.set(slot(level), (strangers.get(slot(level)) ?? 0) + 1);
  const unrelated = normalised(strangers);
  let [same, kin] = [empty(), empty()];
  for (const { levels, count, seed } of patterns)
    for (const level of levels) {
      if (seed === 'same') same.set(slot(level), (same.get(slot(level)) ?? 0) + count);
      if (seed === 'different') kin.set(slot(level), (kin.get(slot(level)) ?? 0) + count);
    }
  let [m, k] = [normalised(same), normalised(kin)];
  let share = 0.5;
  for (let round = 0; round < rounds; round++) {
    [same, kin] = [empty(), empty()];
    let [sames, kins] = [0, 0];
    for (const { levels, count, seed, start } of patterns) {
      let odds = share / (1 - share);
      for (const level of levels) odds *= (m.get(slot(level)) as number) / (k.get(slot(level)) as number);
      const guess = round === 0 && start !== undefined ? start : odds / (1 + odds);
      const p = seed === undefined ? guess : Number(seed === 'same');
      sames += p * count;
      kins += (1 - p) * count;
      for (const level of levels) {
        same.set(slot(level), (same.get(slot(level)) as number) + p * count);
        kin.set(slot(level), (kin.get(slot(level)) as number) + (1 - p) * count);
      }
    }
    share = Math.min(0.95, Math.max(0.05, sames / (sames + kins)));
    [m, k] = [normalised(same), normalised(kin)];
  }
  const odds = new Map<string, Odds>();
  for (const key of keys) odds.set(key, [m.get(key) as number, unrelated.get(key) as number, k.get(key) as number]);
  return { odds, kinBits: Math.log2((1 - share) / share) };
}
