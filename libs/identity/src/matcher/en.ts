import { WEIGHTS_EN_1 } from '../../data/weights-en-1.js';
import type { BatchMatcher } from './batch.js';
import { clusterNodes } from './cluster.js';
import { capsOf, recordsMaxOf, SIZE_MAX, type MatcherConfig } from './config.js';
import { weigh, type Scale } from './compare.js';
import { decideComparison } from './decide.js';
import { englishFeatures, type EnglishFeatures, type EnglishRecord } from './en-features.js';
import { englishKeys, englishMarks } from './en-keys.js';
import { ENGLISH_FIELDS, englishLevels } from './en-levels.js';
import { holdersOf } from './holders.js';
import type { KeyKind, NodeKind } from './types.js';

/** The configuration for persons and organizations of English-speaking registers. */
export const EN_1: MatcherConfig = {
  version: 'en-1',
  weights: WEIGHTS_EN_1,
  bands: { link: 0, review: 0 },
  caps: capsOf(25),
  recordsMaxOf: recordsMaxOf(),
  sizeMax: SIZE_MAX,
};

/** The matcher of a configuration: the engine of the Chinese one with other features, keys, levels and weights. */
export function englishMatcherOf(config: MatcherConfig): BatchMatcher<EnglishRecord, EnglishFeatures> {
  const scale: Scale = {
    weights: config.weights,
    capOf: (kind: KeyKind) => config.caps[kind],
    groupOf: (field: string, _kind: NodeKind) => ENGLISH_FIELDS[field as keyof typeof ENGLISH_FIELDS],
  };
  return {
    version: config.version,
    features: englishFeatures,
    keys: englishKeys,
    capOf: scale.capOf,
    recordsMaxOf: config.recordsMaxOf,
    marks: englishMarks,
    holders: (records) => holdersOf(records.map(englishMarks)),
    compare: (a, b, context) =>
      a.kind === b.kind
        ? weigh(a.kind, englishLevels(a, b), scale, context)
        : { kind: a.kind, evidence: [], bits: -99, conflict: 'kind' },
    decide: (comparison) => decideComparison(comparison, config.bands),
    cluster: (nodes, edges, decisions) =>
      // No number of these has a check digit: a slip is as likely as another person, so none forbids a link by itself.
      clusterNodes(nodes, edges, decisions, { identityOf: () => ({}), sizeMax: config.sizeMax }),
  };
}

/** The English matcher, as it is frozen. */
export const enMatcher = englishMatcherOf(EN_1);
