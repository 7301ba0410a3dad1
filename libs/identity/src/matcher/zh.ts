import { NORMALISER_VERSION } from '../normalise/index.js';
import { WEIGHTS_1 } from '../../data/weights-1.js';
import type { BatchMatcher } from './batch.js';
import { clusterNodes } from './cluster.js';
import { compareFeatures } from './compare.js';
import { decideComparison, type Bands } from './decide.js';
import { features, shapedFeatures, type Features } from './features.js';
import { holdersOf, marksOf } from './holders.js';
import { keysOfFeatures } from './keys.js';
import { conflictOf } from './levels.js';
import type { KeyKind, MatchRecord } from './types.js';
import type { Weights } from './weights.js';

/** What may be set of a matcher without changing its code; a change of any of it is another version. */
export interface MatcherConfig {
  version: string;
  weights: Weights;
  bands: Bands;
  /** Entities from which on a key of a kind is generic. */
  caps: Record<KeyKind, number>;
  /** Records of one entity from which on a person is asked. */
  sizeMax: number;
}

/**
 * The configuration for Chinese merchants. An official identifier is doubted only where very many hold it; a phone, a
 * mailbox or an account of a dozen firms is an agency's or a park's.
 */
const ZH_1: MatcherConfig = {
  version: `zh-1.${NORMALISER_VERSION}`,
  weights: WEIGHTS_1,
  bands: { link: 0, review: 0 },
  caps: {
    uscc: 50,
    organizationCode: 20,
    registrationNumber: 20,
    residentId: 20,
    bankAccount: 10,
    phone: 12,
    email: 12,
    account: 8,
    shop: 8,
    name: 25,
    nameAtPlace: 25,
    nameSound: 25,
    representative: 25,
    address: 25,
    brand: 25,
    birth: 25,
  },
  sizeMax: 200,
};

export type ChineseMatcher = BatchMatcher<MatchRecord, Features>;

/** The matcher of a configuration. */
function matcherOf(config: MatcherConfig): ChineseMatcher {
  const capOf = (kind: KeyKind): number => config.caps[kind];
  return {
    version: config.version,
    features,
    keys: keysOfFeatures,
    capOf,
    marks: marksOf,
    holders: (records) => holdersOf(records.map(marksOf)),
    shaped: shapedFeatures,
    conflict: conflictOf,
    compare: (a, b, context) => compareFeatures(a, b, config.weights, context, capOf),
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
