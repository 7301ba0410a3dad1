export { explainApart, explainPair, pathBetween } from './explain.js';
export type { Explanation, Sentence } from './explain.js';
export type { Features } from './features.js';
export { learnWeights, weightsFile } from './zh-weights.js';
export { resolve, COMPONENT_MAX } from './resolve.js';
export type { Bucket, Lookup, Resolution } from './resolve.js';
export type * from './types.js';
export { matcherOf, ZH_1, zhMatcher } from './zh.js';
export type { ChineseMatcher, MatcherConfig } from './zh.js';
