import { Buckets } from './buckets.js';
import { features, type Features } from './features.js';
import { marksOf, outlineOf } from './holders.js';
import { keysOfFeatures } from './keys.js';
import { learn, type Pattern } from './learn.js';
import { conflictOf, levelsOf, type Level } from './levels.js';
import type { FieldLevel, MatchRecord, NodeKind } from './types.js';
import type { Odds, Weights } from './weights.js';

const slot = ({ field, level }: FieldLevel): string => `${field}\t${level}`;

type Assumed = readonly [same: number | undefined, stranger: number | undefined, kin: number | undefined];

/** By chance two strangers share a number this rarely (log2): too rarely to be seen among random pairs. */
const CHANCE: Record<string, number> = {
  'uscc equal': -30,
  'uscc repaired': -26,
  'registrationNumber equal': -28,
  'residentId equal': -30,
  'residentId masked': -21,
  'bankAccount equal': -27,
  'bankAccount masked': -18,
  'email equal': -25,
  'phone equal': -24,
  // Numbers are given out again: likelier after years.
  'phone equalLater': -22,
  'account equal': -20,
};

/** Shares that one set of records can't teach, with the reason. They replace what was learned. */
const ASSUMED: Record<NodeKind, Record<string, Assumed>> = {
  legal: {
    // A code of another firm stands in about one record of two hundred; pairs with one code are the seeds.
    'uscc equal': [0.85, undefined, 0.004],
    'uscc repaired': [0.1, undefined, 0.002],
    'uscc different': [0.005, 1, 1],
    'registrationNumber equal': [undefined, undefined, 0.0175],
    // One firm in nine has a neighbour in its city that differs in one character: kin are far more often so than the
    // candidates show, of which most are brought together by something else.
    'name oneDiffers': [0.03, 0.00003, 0.06],
    'name sameSound': [0.07, 0.00001, 0.025],
    'name lookAlike': [0.036, 0.00001, 0.006],
    'name oneMissing': [0.03, 0.00001, 0.006],
    'name slips': [0.0024, 0.00001, 0.001],
    'name close': [0.0016, 0.0001, 0.01],
    'name contained': [0.005, 0.00003, 0.005],
    // Where no number is said, firms of one owner, estate or village agree as easily.
    'address road': [undefined, undefined, 0.1],
    'region sameProvince': [0.01, 0.03, 0.17],
    // An account is sold with its shop.
    'account equal': [0.05, undefined, 0.004],
    'bankAccount masked': [undefined, undefined, 0.0008],
  },
  person: {
    // Blocking finds persons by their brand, so the candidates say nothing of it.
    'brand equal': [undefined, undefined, 0.5],
    'brand different': [undefined, undefined, 0.5],
    'account equal': [0.05, undefined, 0.004],
    'residentId equal': [undefined, undefined, 0.004],
    'residentId masked': [undefined, undefined, 0.004],
    'bankAccount masked': [undefined, undefined, 0.0008],
  },
};

const RANDOM_PAIRS = 150_000;
const SHARE_MIN = 2 ** -20;

function patternsOf(all: readonly Features[], buckets: Buckets, kind: NodeKind): Pattern[] {
  const patterns = new Map<string, Pattern>();
  for (const [i, j] of buckets.pairs()) {
    const [a, b] = [all[i] as Features, all[j] as Features];
    if (a.kind !== kind || b.kind !== kind) continue;
    const levels = levelsOf(a, b).map(({ field, level }): Level => ({ field, level }));
    const seed = seedOf(a, b, levels);
    const key = `${levels.map(slot).join()} ${seed}`;
    const known = patterns.get(key);
    patterns.set(key, { levels, count: (known?.count ?? 0) + 1, ...(seed && { seed }) });
  }
  return [...patterns.values()];
}

function seedOf(a: Features, b: Features, levels: readonly Level[]): Pattern['seed'] {
  if (conflictOf(a, b)) return 'different';
  if (a.kind === 'legal') return a.uscc && a.uscc === b.uscc ? 'same' : undefined;
  if (a.residentId && a.residentId === b.residentId) return 'same';
  return levels.some(({ field, level }) => field === 'residentId' && level === 'different') ? 'different' : undefined;
}

/** Pairs drawn by a fixed linear congruence, so that learning again gives the same. */
function randomPairs(all: readonly Features[]): Level[][] {
  let state = 12_345;
  const next = (): Features => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return all[Math.floor((state / 0x80000000) * all.length)] as Features;
  };
  return Array.from({ length: RANDOM_PAIRS }, () => [next(), next()] as const)
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => levelsOf(a, b));
}

const rounded = (share: number): number => Number(Math.max(share, SHARE_MIN / 2 ** 12).toPrecision(3));

/** Learns the weights from records that nobody has labelled. Deterministic; half a minute for 60,000 records. */
export function learnWeights(records: readonly MatchRecord[], version: string): Weights {
  const all = records.map(features);
  const levels: Weights['levels'] = { legal: {}, person: {} };
  const buckets = new Buckets({ capOf: () => 25, recordsMaxOf: () => 400 });
  for (const one of all) buckets.push(keysOfFeatures(one), marksOf(outlineOf(one)));
  buckets.close();
  for (const kind of ['legal', 'person'] as const) {
    const { odds } = learn(patternsOf(all, buckets, kind), randomPairs(all.filter((one) => one.kind === kind)));
    for (const key of new Set([...odds.keys(), ...Object.keys(ASSUMED[kind]).map((name) => name.replace(' ', '\t'))])) {
      const [field, level] = key.split('\t') as [Level['field'], string];
      const learned: Odds = odds.get(key) ?? [SHARE_MIN, SHARE_MIN, SHARE_MIN];
      const assumed = ASSUMED[kind][`${field} ${level}`] ?? [];
      const chance = CHANCE[`${field} ${level}`];
      const unrelated = chance === undefined ? (assumed[1] ?? Math.max(learned[1], SHARE_MIN)) : 2 ** chance;
      const shares: Odds = [
        rounded(assumed[0] ?? learned[0]),
        rounded(unrelated),
        rounded(Math.max(assumed[2] ?? learned[2], SHARE_MIN)),
      ];
      (levels[kind][field] ??= {})[level] = shares;
    }
  }
  return { version, populationBits: 20, kinBits: 0.5, levels };
}

/** The weights as the file that is frozen with a matcher's version. */
export function weightsFile(
  { version, populationBits, kinBits, levels }: Weights,
  name = 'WEIGHTS_1',
  source = 'zh-weights.ts',
): string {
  const lines = [
    "import type { Weights } from '../src/matcher/weights.js';",
    '',
    '// Written by `npm run bench -- weights`, frozen with the matcher; nobody labelled a pair. Of each level of each field, the',
    '// share among pairs of one entity, among strangers (random pairs) and among kin (pairs that blocking finds and identifiers',
    `// tell apart). What was assumed instead, and why, stands in src/matcher/${source}.`,
    `export const ${name}: Weights = {`,
    `  version: '${version}',`,
    `  populationBits: ${populationBits},`,
    `  kinBits: ${kinBits},`,
    '  levels: {',
  ];
  for (const kind of ['legal', 'person'] as const) {
    lines.push(`    ${kind}: {`);
    for (const [field, of] of Object.entries(levels[kind]).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(`      ${field}: {`);
      for (const [level, shares] of Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        lines.push(`        ${/^\w+$/.test(level) ? level : `'${level}'`}: [${shares.join(', ')}],`);
      lines.push('      },');
    }
    lines.push('    },');
  }
  return `${[...lines, '  },', '};'].join('\n')}\n`;
}
