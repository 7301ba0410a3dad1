import type { NodeKind } from './types.js';

/**
 * How often a level is seen: among pairs of one entity, of strangers, and of kin (different entities of one controller,
 * address or name, as blocking brings them together).
 */
export type Odds = readonly [same: number, stranger: number, kin: number];

/** What a matcher has learned, frozen under its name. */
export interface Weights {
  version: string;
  /** Log2 of how many strangers there are for each record, in the population that the weights are for. */
  populationBits: number;
  /** Log2 of how many kin there are for each record of the same entity among the pairs that blocking finds. */
  kinBits: number;
  levels: Record<NodeKind, Record<string, Record<string, Odds>>>;
}
