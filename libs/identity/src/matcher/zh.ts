import { NORMALISER_VERSION } from '../normalise/index.js';
import { WEIGHTS_1 } from '../../data/weights-1.js';
import type { BatchMatcher } from './batch.js';
import { clusterNodes } from './cluster.js';
import { capsOf, recordsMaxOf, SIZE_MAX, type MatcherConfig } from './config.js';
import { compareFeatures } from './compare.js';
import { decideComparison } from './decide.js';
import { features, shapedFeatures, type Features } from './features.js';
import { areApart, holdersOf, marksOf, outlineOf, type Outline } from './holders.js';
import { keysOfFeatures } from './keys.js';
import { conflictOf } from './levels.js';
import { relateRecords, relationKeysOf } from './relate.js';
import type { KeyKind, MatchRecord } from './types.js';

/** The configuration for Chinese merchants. */
export const ZH_1: MatcherConfig = {
  version: `zh-1.${NORMALISER_VERSION}`,
  weights: WEIGHTS_1,
  bands: { link: 0, review: 0 },
  // Twelve lose nothing against twenty-five, on 60,000 records and on 300,000, and a fifth fewer pairs are compared.
  caps: capsOf(12),
  recordsMaxOf: recordsMaxOf(50),
  sizeMax: SIZE_MAX,
};

/** The engine with what tells records apart that weren't opened. */
export interface ChineseMatcher extends BatchMatcher<MatchRecord, Features> {
  outline(features: Features): Outline;
  areApart(a: Outline, b: Outline, kind: KeyKind): boolean;
}

/** The matcher of a configuration. */
export function matcherOf(config: MatcherConfig): ChineseMatcher {
  const capOf = (kind: KeyKind): number => config.caps[kind];
  return {
    version: config.version,
    features,
    keys: keysOfFeatures,
    capOf,
    recordsMaxOf: config.recordsMaxOf,
    marks: (read) => marksOf(outlineOf(read)),
    holders: (records) => holdersOf(records.map((read) => marksOf(outlineOf(read)))),
    outline: outlineOf,
    areApart,
    shaped: shapedFeatures,
    conflict: conflictOf,
    compare: (a, b, context) => compareFeatures(a, b, config.weights, context, capOf),
    relate: (a, b, context) => relateRecords(a, b, context, capOf),
    relationKeys: relationKeysOf,
    decide: (comparison) => decideComparison(comparison, config.bands),
    cluster: (nodes, edges, decisions) =>
      clusterNodes(nodes, edges, decisions, {
        identityOf: ({ kind, uscc, residentId }) => ({ uscc, residentId: kind === 'person' ? residentId : undefined }),
        sizeMax: config.sizeMax,
      }),
  };
}

/** The matcher for Chinese merchants, as it is active. */
export const zhMatcher = matcherOf(ZH_1);
