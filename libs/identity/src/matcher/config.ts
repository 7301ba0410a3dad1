import type { Bands } from './decide.js';
import type { KeyKind } from './types.js';
import type { Weights } from './weights.js';

/** What may be set of a matcher without changing its code; a change of any of it is another version. */
export interface MatcherConfig {
  version: string;
  weights: Weights;
  bands: Bands;
  /** Entities from which on a key of a kind is generic. */
  caps: Record<KeyKind, number>;
  /** Records under a key of a kind beyond which it is generic, however few entities they may be. */
  recordsMaxOf: (kind: KeyKind) => number;
  /** Records of one entity from which on a person is asked. */
  sizeMax: number;
}

/**
 * From how many entities on a key says nothing, in any language. An official identifier is doubted only where very many hold it;
 * a phone, a mailbox or an account of a dozen is an agency's or a household's.
 */
const CAPS = {
  uscc: 50,
  organizationCode: 20,
  registrationNumber: 20,
  residentId: 20,
  bankAccount: 10,
  phone: 12,
  email: 12,
  account: 8,
  shop: 8,
  controller: 20,
} satisfies Partial<Record<KeyKind, number>>;

/** Keys by which much of a city may be found: names, places, brands. */
const COMMON = ['name', 'nameAtPlace', 'nameSound', 'representative', 'address', 'brand', 'birth'] as const;

/** The caps of a configuration in which a key of names and places is generic from so many entities on. */
export const capsOf = (common: number): Record<KeyKind, number> => ({
  ...CAPS,
  ...(Object.fromEntries(COMMON.map((kind) => [kind, common])) as Record<(typeof COMMON)[number], number>),
});

/** Records under one key beyond which it is generic whoever holds it: pairs grow with the square. */
const RECORDS_MAX = 400;

/**
 * The same where a key of names and places has fewer: what an authority, a bank or a platform gives one holder may stand in many of
 * its reports, and is found by that.
 */
export const recordsMaxOf =
  (common = RECORDS_MAX) =>
  (kind: KeyKind): number =>
    (COMMON as readonly KeyKind[]).includes(kind) ? common : RECORDS_MAX;

/** Records of one entity from which on a person is asked. */
export const SIZE_MAX = 200;
