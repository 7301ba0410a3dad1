import { createHmac } from 'node:crypto';
import { isRegistrationNumber, isResidentId, isUscc, type Identity } from '@liandun/contracts';
import type { VaultKeys } from './keys.js';

export const TOKEN_KINDS = ['uscc', 'residentId', 'registrationNumber', 'bankAccount'] as const;
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
 * The tokens of the subject's own identifiers. A representative's id is never one of them; an identifier that is masked
 * or whose check digit is wrong gives none, since it would join strangers (rule P14).
 */
export function tokensOf(identity: Identity, keys: Pick<VaultKeys, 'blind'>): Token[] {
  const tokens: Token[] = [];
  const uscc = identity.uscc?.trim().toUpperCase();
  if (uscc !== undefined && isUscc(uscc)) tokens.push(tokenOf('uscc', uscc, keys));
  const residentId = identity.residentId?.trim().toUpperCase();
  if (residentId !== undefined && isResidentId(residentId)) tokens.push(tokenOf('residentId', residentId, keys));
  const number = identity.registrationNumber?.trim();
  if (number !== undefined && isRegistrationNumber(number)) tokens.push(tokenOf('registrationNumber', number, keys));
  const accounts = (identity.bankAccounts ?? []).map((account) => account.replaceAll(/[\s-]/g, ''));
  for (const account of new Set(accounts))
    if (/^\d{8,32}$/.test(account)) tokens.push(tokenOf('bankAccount', account, keys));
  return tokens;
}
