import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { random } from './random.js';

/**
 * What keeps the key-encryption keys: it wraps the data keys, and nobody else sees its keys. Called for every event, so it must
 * answer from memory: one for a cloud KMS or an HSM keeps its key-encryption keys there, wrapped by a key that never leaves it,
 * and has them unwrapped once, when the process starts.
 */
export interface Kms {
  /** The key-encryption key that wraps from now on. */
  readonly keyVersion: number;
  /** The versions that it can unwrap with. */
  readonly versions: readonly number[];
  /** What the operator must know of it, said loudly at every start. */
  readonly warning?: string;
  /** Wraps 32 bytes for this record alone. */
  wrap(key: Buffer, record: Buffer): Buffer;
  /** The reverse; throws where it was wrapped for another record, or by a key that is gone. */
  unwrap(wrapped: Buffer, keyVersion: number, record: Buffer): Buffer;
}

/** A key-encryption key that this version names isn't there (any more). The message holds no key material. */
export class KeyVersionError extends Error {
  override readonly name = 'KeyVersionError';
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes). */
export function encrypt(key: KeyObject, plain: Buffer, bound: Buffer): Buffer {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** The reverse of `encrypt`. Throws where anything was altered, or key or binding are others. */
export function decrypt(key: KeyObject, sealed: Buffer, bound: Buffer): Buffer {
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), options);
  decipher.setAAD(bound).setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** Key-encryption keys held in this process, by version; the highest wraps. */
export function localKms(keys: ReadonlyMap<number, KeyObject>, warning?: string): Kms {
  const versions = [...keys.keys()].toSorted((a, b) => a - b);
  const keyVersion = versions.at(-1);
  const current = keyVersion === undefined ? undefined : keys.get(keyVersion);
  if (keyVersion === undefined || !current) throw new KeyVersionError('there is no key-encryption key');
  return {
    keyVersion,
    versions,
    ...(warning === undefined ? {} : { warning }),
    wrap: (key, record) => encrypt(current, key, record),
    unwrap: (wrapped, version, record) => {
      const key = keys.get(version);
      if (!key) throw new KeyVersionError(`key-encryption key ${version} is not there`);
      return decrypt(key, wrapped, record);
    },
  };
}
