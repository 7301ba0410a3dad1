import { createHmac } from 'node:crypto';
import type { Identity } from '@liandun/contracts';
import { keysOf, observe } from '@liandun/identity';
import type { VaultKeys } from './keys.js';

const TOKEN_KINDS = ['uscc', 'residentId', 'registrationNumber', 'bankAccount'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** A keyed blind index of one identifier: equal identifiers of a kind have equal tokens, nothing else can be read. */
export interface Token {
  kind: TokenKind;
  token: Buffer;
}

const tokenOf = (kind: TokenKind, value: string, { blind }: Pick<VaultKeys, 'blind'>): Token => ({
  kind,
  token: createHmac('sha256', blind).update(`${kind}\0${value}`, 'utf8').digest(),
});

/**
 * The tokens of the subject's own identifiers: what the matcher observes, so that live and batch never differ. A
 * representative's id is never one of them; a masked, damaged or placeholder value gives none (rule P14).
 */
export const tokensOf = (identity: Identity, keys: Pick<VaultKeys, 'blind'>): Token[] =>
  keysOf(observe(identity)).map(({ kind, value }) => tokenOf(kind, value, keys));
