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

/** By what a person may be found. A number names its holder; a contact does so only together with the name. */
export type PersonIdentifiers = Partial<
  Pick<Identity, 'residentId' | 'uscc' | 'registrationNumber' | 'name' | 'phones' | 'emails' | 'bankAccounts'>
>;

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

const PHONE = /^[0-9]{6,20}$/;

/** The digits of a telephone number, without China's own code; a masked one is none. */
export const phoneOf = (text: string): string | undefined => {
  const value = text
    .normalize('NFKC')
    .replaceAll(/[\s()\p{Pd}]/gu, '')
    .replace(/^(?:\+|00)86/, '')
    .replace(/^\+/, '');
  return PHONE.test(value) ? value : undefined;
};

/** A mail address as it is compared; a masked one is none. */
export const emailOf = (text: string): string | undefined =>
  text.includes('*') ? undefined : text.normalize('NFKC').trim().toLowerCase();

const contactTokens = ({ phones = [], emails = [] }: PersonIdentifiers, keys: readonly BlindKey[]): Token[] => {
  const under = (kind: TokenKind, values: (string | undefined)[]): Token[] =>
    [...new Set(values)].flatMap((value) => (value === undefined ? [] : tokensUnder(kind, value, keys)));
  return [...under('phone', phones.map(phoneOf)), ...under('email', emails.map(emailOf))];
};

/**
 * The tokens by which an erasure finds a person, and nobody else does (rule P13): the representative, whoever's resident
 * number stands in an organization's entry, telephone numbers and mail addresses.
 */
export const personTokensOf = (identity: Identity, keys: readonly BlindKey[]): Token[] => [
  ...residentTokens('representative', identity.legalRepresentative?.residentId, keys),
  ...(identity.kind === 'organization' ? residentTokens('residentId', identity.residentId, keys) : []),
  ...contactTokens(identity, keys),
];

/** Everything that a person may be found by, as a subject and as a representative. */
export const wantedTokens = (person: PersonIdentifiers, keys: readonly BlindKey[]): Token[] => [
  ...tokensOf({ kind: 'soleProprietor', ...person, name: '' }, keys),
  ...residentTokens('representative', person.residentId, keys),
  ...contactTokens(person, keys),
];
