import { createHmac } from 'node:crypto';
import type { Identity } from '@liandun/contracts';
import { keysOf, observe } from '@liandun/identity';
import type { BlindKey, TokenKind } from './keys.js';

/** A keyed blind index of one identifier: equal identifiers of a kind have equal tokens, nothing else can be read. */
export interface Token {
  kind: TokenKind;
  token: Buffer;
  /** The version of the key that it was made with; tokens of different versions are never equal. */
  keyVersion: number;
}

/** One identifier under each of the keys: while they rotate, all are live. */
const tokensUnder = (kind: TokenKind, value: string, keys: readonly BlindKey[]): Token[] =>
  keys.map(({ version, byKind }) => ({
    kind,
    token: createHmac('sha256', byKind[kind]).update(value, 'utf8').digest(),
    keyVersion: version,
  }));

/**
 * The tokens of the subject's own identifiers: what the matcher observes, so that live and batch never differ. A
 * representative's id is never one of them; a masked, damaged or placeholder value gives none (rule P14).
 */
export const tokensOf = (identity: Identity, keys: readonly BlindKey[]): Token[] =>
  keysOf(observe(identity)).flatMap(({ kind, value }) => tokensUnder(kind, value, keys));

/** The tokens of a whole resident number, normalised and tested as the matcher does. */
const residentTokens = (kind: TokenKind, residentId: unknown, keys: readonly BlindKey[]): Token[] => {
  if (typeof residentId !== 'string') return [];
  const { residentId: valid } = observe({ kind: 'person', residentId }).own;
  return valid === undefined ? [] : tokensUnder(kind, valid, keys);
};

/**
 * The tokens by which a person other than the matched subject is found for an erasure, and for nothing else (rule P13): the
 * representative, and whoever's resident number stands in an organization's entry.
 */
export const personTokensOf = (identity: Identity, keys: readonly BlindKey[]): Token[] => [
  ...residentTokens('representative', identity.legalRepresentative?.residentId, keys),
  ...(identity.kind === 'organization' ? residentTokens('residentId', identity.residentId, keys) : []),
];

/** Everything that a person may be found by, as a subject and as a representative. */
export const wantedTokens = (
  person: Pick<Identity, 'residentId' | 'uscc' | 'registrationNumber'>,
  keys: readonly BlindKey[],
): Token[] => [
  ...tokensOf({ kind: 'soleProprietor', name: '', ...person }, keys),
  ...residentTokens('representative', person.residentId, keys),
];
