import { Buckets } from './buckets.js';
import { englishFeatures, type EnglishFeatures, type EnglishRecord } from './en-features.js';
import { englishKeys, englishMarks } from './en-keys.js';
import { englishLevels } from './en-levels.js';
import { learn, type Pattern } from './learn.js';
import type { FieldLevel } from './types.js';
import type { Odds, Weights } from './weights.js';

/** Fields that the records at hand teach; of the rest there are too few to learn from, or none. */
const LEARNED = new Set(['name', 'ordinal', 'birth', 'postcode', 'birthPlace', 'gender', 'occupation']);

const CHANCE_MIN = 2 ** -20;
const RANDOM_PAIRS = 150_000;

/**
 * What can't be learned from the records at hand. The shares of numbers, contacts and addresses are those of the Chinese
 * persons, rounded: they are of how people use phones and houses, not of a language.
 */
const ASSUMED: Weights['levels'] = {
  person: {
    residentId: { equal: [0.85, 2 ** -26, 0.004], slip: [0.1, 2 ** -16, 0.004], different: [0.05, 1, 0.99] },
    // Two bearers of one name that are told apart on purpose.
    generation: { equal: [0.99, 0.4, 0.5], different: [0.002, 0.6, 0.5] },
    // A surname in common under one roof: relatives far more often than one person of two given names.
    name: { family: [0.07, 2 ** -13, 0.5], turned: [0.005, 2 ** -17, 0.0005] },
    phone: {
      equal: [0.5, 2 ** -24, 0.05],
      household: [0.5, 2 ** -24, 0.4],
      masked: [0.2, 2 ** -18, 0.03],
      different: [0.3, 1, 0.9],
    },
    email: { equal: [0.7, 2 ** -25, 0.05], household: [0.7, 2 ** -25, 0.4], different: [0.3, 1, 0.95] },
    address: {
      number: [0.7, 2 ** -15, 0.1],
      household: [0.7, 2 ** -15, 0.7],
      road: [0.05, 2 ** -14, 0.02],
      sameRoad: [0.02, 2 ** -12, 0.02],
      otherPlace: [0.23, 1, 0.86],
    },
    employer: { equal: [0.9, 2 ** -8, 0.3] },
  },
  legal: {
    registrationNumber: { equal: [0.95, 2 ** -28, 0.01], slip: [0.02, 2 ** -18, 0.004], different: [0.03, 1, 0.98] },
    name: {
      equal: [0.5, 2 ** -18, 0.03],
      close: [0.25, 2 ** -14, 0.05],
      part: [0.15, 2 ** -8, 0.12],
      different: [0.1, 1, 0.8],
    },
    phone: { equal: [0.5, 2 ** -24, 0.08], masked: [0.2, 2 ** -18, 0.03], different: [0.3, 1, 0.89] },
    email: { equal: [0.7, 2 ** -25, 0.1], different: [0.3, 1, 0.9] },
    address: {
      number: [0.6, 2 ** -15, 0.12],
      road: [0.1, 2 ** -14, 0.03],
      sameRoad: [0.02, 2 ** -12, 0.05],
      otherPlace: [0.28, 1, 0.8],
    },
    postcode: {
      equal: [0.6, 2 ** -10, 0.3],
      slip: [0.05, 2 ** -9, 0.03],
      sector: [0.05, 2 ** -7, 0.05],
      district: [0.1, 2 ** -5, 0.1],
      different: [0.2, 1, 0.52],
    },
  },
};

const slot = ({ field, level }: FieldLevel): string => `${field}\t${level}`;

/**
 * The patterns of all pairs that blocking finds. Nothing is known of any: to begin with, those are one entity that agree in
 * more than chance brings together in a set of this size.
 */
function patternsOf(all: readonly EnglishFeatures[], buckets: Buckets, random: readonly FieldLevel[][]): Pattern[] {
  const seen = new Map<string, number>();
  for (const levels of random) for (const level of levels) seen.set(slot(level), (seen.get(slot(level)) ?? 0) + 1);
  const surprise = (level: FieldLevel): number => Math.log2(RANDOM_PAIRS / ((seen.get(slot(level)) ?? 0) + 1));
  const chance = 2 * Math.log2(all.length);
  const patterns = new Map<string, Pattern>();
  for (const [i, j] of buckets.pairs()) {
    const levels = englishLevels(all[i] as EnglishFeatures, all[j] as EnglishFeatures)
      .filter(({ field }) => LEARNED.has(field))
      .map(({ field, level }) => ({ field, level }));
    const key = levels.map(slot).join();
    const known = patterns.get(key);
    const bits = levels.reduce((sum, level) => sum + surprise(level), 0);
    patterns.set(key, { levels, count: (known?.count ?? 0) + 1, start: bits > chance ? 0.9 : 0.1 });
  }
  return [...patterns.values()];
}

/** Pairs drawn by a fixed linear congruence, so that learning again gives the same. */
function randomPairs(all: readonly EnglishFeatures[]): FieldLevel[][] {
  let state = 12_345;
  const next = (): EnglishFeatures => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return all[Math.floor((state / 0x80000000) * all.length)] as EnglishFeatures;
  };
  return Array.from({ length: RANDOM_PAIRS }, () => [next(), next()] as const)
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => englishLevels(a, b));
}

/** A letter agrees with another person's given name in one of a dozen, however few such pairs were seen. */
function initialOf(level: string, [same, stranger, kin]: Odds, names: Record<string, Odds>): Odds {
  const others = names[level.replace('initial', 'different')]?.[2] ?? 0;
  return [same, stranger, Math.max(kin, others / 12)];
}

const rounded = (fields: Weights['levels']['person']): Weights['levels']['person'] =>
  Object.fromEntries(
    Object.entries(fields).map(([field, levels]) => [
      field,
      Object.fromEntries(
        Object.entries(levels).map(([level, shares]) => [
          level,
          shares.map((share) => Number(share.toPrecision(3))) as unknown as Odds,
        ]),
      ),
    ]),
  );

/** Learns the weights from persons that nobody has labelled. Deterministic. */
export function learnEnglishWeights(records: readonly EnglishRecord[], version: string): Weights {
  const all = records.map(englishFeatures);
  const buckets = new Buckets({ capOf: () => 25, recordsMaxOf: () => 400 });
  for (const one of all) buckets.push(englishKeys(one), englishMarks(one));
  buckets.close();
  const random = randomPairs(all);
  const patterns = patternsOf(all, buckets, random);
  const { odds, kinBits } = learn(patterns, random);
  const compared = patterns.reduce((sum, { count }) => sum + count, 0);
  // Of all pairs there are, those that learning takes for one entity.
  const populationBits = Math.log2((all.length * (all.length - 1)) / 2 / (compared / (1 + 2 ** kinBits)));
  const person = structuredClone(ASSUMED.person);
  for (const [key, shares] of odds) {
    const [field, level] = key.split('\t') as [string, string];
    if (!LEARNED.has(field) || ASSUMED.person[field]?.[level]) continue;
    (person[field] ??= {})[level] = shares.map((share) => Math.max(share, CHANCE_MIN)) as unknown as Odds;
  }
  for (const [level, shares] of Object.entries(person.name ?? {}))
    if (level.startsWith('initial ')) (person.name ??= {})[level] = initialOf(level, shares, person.name ?? {});
  const levels = { legal: rounded(ASSUMED.legal), person: rounded(person) };
  return { version, populationBits: Number(populationBits.toFixed(2)), kinBits: Number(kinBits.toFixed(2)), levels };
}
