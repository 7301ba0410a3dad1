import { resolveBatch, type BatchComponent, type BatchResult } from './matcher/batch.js';
import { zhMatcher } from './matcher/zh.js';
import type { MatchRecord } from './matcher/types.js';

export type { BatchComponent, BatchEntity, BatchLink } from './matcher/batch.js';

/** One record of a batch. */
export type BatchRecord = MatchRecord;

/**
 * Reconciles records as a set, by the matcher of the live ledger: their order doesn't matter. An entity is called `e-` and
 * the smallest recordId in it.
 * @param each called with every component of several records
 * @throws Error when a recordId comes twice: the entities would be ambiguous.
 */
export const reconcileBatch = (
  records: AsyncIterable<BatchRecord> | Iterable<BatchRecord>,
  each?: (component: BatchComponent) => void,
): Promise<BatchResult> => resolveBatch(zhMatcher, records, each);
