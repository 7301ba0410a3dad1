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
  /** Records of one entity from which on a person is asked. */
  sizeMax: number;
}

/**
 * From how many entities on a key says nothing, in any language. An official identifier is doubted only where very many hold it;
 * a phone, a mailbox or an account of a dozen is an agency's or a household's.
 */
export const CAPS: Record<KeyKind, number> = {
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
  controller: 20,
};

/** Keys by which much of a city may be found: names, places, brands. */
const COMMON: ReadonlySet<KeyKind> = new Set([
  'name',
  'nameAtPlace',
  'nameSound',
  'representative',
  'address',
  'brand',
  'birth',
]);

/**
 * Records under one key beyond which it is generic whoever holds it: pairs grow with the square. Four of each of as many entities as may
 * hold a common key; what an authority, a bank or a platform gives one holder may stand in many of its reports.
 */
export const recordsMaxOf = (kind: KeyKind): number => (COMMON.has(kind) ? 100 : 400);

/** Records of one entity from which on a person is asked. */
export const SIZE_MAX = 200;
