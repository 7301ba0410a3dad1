export { ledgerApart, type LedgerApart, type PairApart } from './apart.js';
export { matchingAlone, nextToJudge, renewIndex, type GenerationProgress, type Preview } from './generations.js';
export { identifiersOf } from './hubs.js';
export { edgeRow } from './edges.js';
export { prepareMatching } from './live-lookup.js';
export * from './match-index.js';
export * from './migrations.js';
export {
  inquiriesAbout,
  inquiriesNaming,
  inquiriesOf,
  inquiryOf,
  inquiryRow,
  purgeInquiries,
  renewInquiries,
  SCREENING_RIDER,
  screeningRider,
  toldMatch,
} from './screening/inquiries.js';
export { isProtected, isRemoved } from './protected.js';
export { isSurer } from './screening/judge.js';
export { resultOf, screen, type ScreeningMatch } from './screening/screen.js';
export { regroup, type PairEdge } from './regroup.js';
export type { RelationChanges } from './relations.js';
export { letGo, positionsIn, settle, type Settled } from './settle.js';
