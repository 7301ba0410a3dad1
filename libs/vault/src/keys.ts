import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What the vault needs of the ledger's keys: 32 bytes each, as key objects, which don't show them by accident. */
export interface VaultKeys {
  /** AES-256-GCM: seals the personal values and their salts. */
  seal: KeyObject;
  /** HMAC-SHA256: the blind index; without it an equal identifier can't be recognised. */
  blind: KeyObject;
  /** HMAC-SHA256: sameness of submissions. */
  fingerprint: KeyObject;
}

const KEY_NAMES = ['seal', 'blind', 'fingerprint'] as const;
const KEY_BYTES = 32;

/** The key file can't be used; the message names the file and what to do. */
export class VaultKeysError extends Error {
  override readonly name = 'VaultKeysError';
}

/**
 * The vault's keys from the JSON that LIANDUN_KEYS names: `seal`, `blind` and `fingerprint`, 32 bytes each in base64.
 * Other members of the file belong to others. Throws VaultKeysError, which never holds key material.
 */
export function parseVaultKeys(json: unknown, origin: string): VaultKeys {
  const keys: Partial<VaultKeys> = {};
  for (const name of KEY_NAMES) {
    const value = (json as Record<string, unknown> | null)?.[name];
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
    if (bytes?.length !== KEY_BYTES)
      throw new VaultKeysError(`${origin}: "${name}" must be ${KEY_BYTES} bytes in base64; see LIANDUN_KEYS`);
    keys[name] = createSecretKey(bytes);
  }
  return keys as VaultKeys;
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

/** New random keys, for a sandbox or a test. */
export const generateVaultKeys = (): VaultKeys => ({
  seal: createSecretKey(randomBytes(KEY_BYTES)),
  blind: createSecretKey(randomBytes(KEY_BYTES)),
  fingerprint: createSecretKey(randomBytes(KEY_BYTES)),
});

/** Keyed digest of a canonical submission: two are the same where these 32 bytes are equal. */
export const fingerprintOf = (canonicalSubmission: string, keys: Pick<VaultKeys, 'fingerprint'>): Buffer =>
  createHmac('sha256', keys.fingerprint).update(canonicalSubmission, 'utf8').digest();
