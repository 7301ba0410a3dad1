import { createHmac, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { localKms, type Kms } from './kms.js';

export const TOKEN_KINDS = [
  'uscc',
  'residentId',
  'registrationNumber',
  'bankAccount',
  'representative',
  'phone',
  'email',
  // What the matcher looks candidates up by; see `Vault.blocking`.
  'blocking',
] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** A version of the blind index's key: one HMAC key for each kind of identifier. */
export interface BlindKey {
  version: number;
  byKind: Readonly<Record<TokenKind, KeyObject>>;
}

/** What the vault needs of the ledger's keys, as key objects, which don't show them by accident. */
export interface VaultKeys {
  /** Wraps the data keys that seal the personal values and their salts. */
  kms: Kms;
  /** HMAC-SHA256: the blind index; without it an equal identifier can't be recognised. All live versions, oldest first. */
  blind: readonly BlindKey[];
  /** HMAC-SHA256: sameness of submissions. */
  fingerprint: KeyObject;
}

const KEY_BYTES = 32;
const VERSION = /^[1-9]\d{0,3}$/;

const WARNING =
  'THE KEY-ENCRYPTION KEYS LIE IN A FILE: fit for a sandbox only. Whoever copies it can open every personal value; keep them in a KMS or an HSM';

/** The key file can't be used; the message names the file and what to do. */
export class VaultKeysError extends Error {
  override readonly name = 'VaultKeysError';
}

function keyOf(value: unknown, name: string, origin: string): KeyObject {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
  if (bytes?.length !== KEY_BYTES)
    throw new VaultKeysError(`${origin}: "${name}" must be ${KEY_BYTES} bytes in base64; see LIANDUN_KEYS`);
  return createSecretKey(bytes);
}

/** A key alone is version 1; an object holds one for each version. */
function versionsOf(value: unknown, name: string, origin: string): Map<number, KeyObject> {
  if (typeof value !== 'object' || value === null) return new Map([[1, keyOf(value, name, origin)]]);
  const entries = Object.entries(value);
  if (entries.length === 0 || !entries.every(([version]) => VERSION.test(version)))
    throw new VaultKeysError(`${origin}: "${name}" must be a key or an object of keys by version, 1 or more`);
  return new Map(entries.map(([version, key]) => [Number(version), keyOf(key, `${name}.${version}`, origin)]));
}

/** A key for each kind, so that equal digits of two kinds have nothing in common (HKDF, RFC 5869). */
function blindKey(version: number, key: KeyObject): BlindKey {
  const derived = TOKEN_KINDS.map((kind) => {
    const bytes = hkdfSync('sha256', key, '', `liandun blind index ${kind}`, KEY_BYTES);
    return [kind, createSecretKey(Buffer.from(bytes))];
  });
  return { version, byKind: Object.fromEntries(derived) as BlindKey['byKind'] };
}

/**
 * The vault's keys from the JSON that LIANDUN_KEYS names: `seal`, `blind` and `fingerprint`, 32 bytes each in base64; the first
 * two may be objects `{ "1": …, "2": … }` of keys by version while they rotate. Other members of the file belong to others.
 * Throws VaultKeysError, which never holds key material.
 */
export function parseVaultKeys(json: unknown, origin: string): VaultKeys {
  const { seal, blind, fingerprint } = (json ?? {}) as Record<string, unknown>;
  return {
    kms: localKms(versionsOf(seal, 'seal', origin), WARNING),
    blind: [...versionsOf(blind, 'blind', origin)]
      .toSorted(([a], [b]) => a - b)
      .map(([version, key]) => blindKey(version, key)),
    fingerprint: keyOf(fingerprint, 'fingerprint', origin),
  };
}

/** Reads the file that LIANDUN_KEYS names. Throws VaultKeysError with the cause where it can't be read. */
export function loadVaultKeys(path: string | undefined): VaultKeys {
  if (!path) throw new VaultKeysError('LIANDUN_KEYS is not set: it names the JSON file with the ledger keys');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new VaultKeysError(`LIANDUN_KEYS: ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new VaultKeysError(`LIANDUN_KEYS: ${path} is not JSON`);
  }
  return parseVaultKeys(json, path);
}

/** A new random key as the key file holds it. */
export const newKey = (): string => randomBytes(KEY_BYTES).toString('base64');

/** New random keys, for a sandbox or a test. */
export const generateVaultKeys = (): VaultKeys =>
  parseVaultKeys({ seal: newKey(), blind: newKey(), fingerprint: newKey() }, 'generated');

/** Keyed digest of a canonical submission: two are the same where these 32 bytes are equal. */
export const fingerprintOf = (canonicalSubmission: string, keys: Pick<VaultKeys, 'fingerprint'>): Buffer =>
  createHmac('sha256', keys.fingerprint).update(canonicalSubmission, 'utf8').digest();

/**
 * The id of the entity that the observation at a position founds. A keyed digest: who is handed it can't tell whether the
 * entity was known before his own observation, so a member doesn't learn that others have the merchant (rule P18).
 */
export const entityIdOf = (position: number, keys: Pick<VaultKeys, 'fingerprint'>): string => {
  const digest = createHmac('sha256', keys.fingerprint).update(`entity\n${position}`).digest();
  return `E${digest.readUIntBE(0, 6)}-${digest.toString('hex', 6, 12)}`;
};
