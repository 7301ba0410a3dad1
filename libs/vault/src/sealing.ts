import { createCipheriv, createDecipheriv, createHash, randomFillSync } from 'node:crypto';
import type { VaultKeys } from './keys.js';

/** In the entry's `data`, in the place of a personal value. */
export interface Commitment {
  /** base64url of SHA-256 over 32 random bytes and the value in UTF-8: without the salt nothing can be guessed. */
  commitment: string;
}

/** A personal value with what opens its commitment. */
export interface SealedValue {
  /** RFC 6901, into the event's `data`. */
  pointer: string;
  /** 32 bytes, base64url. */
  salt: string;
  value: string;
}

/** What a sealed record is bound to: it opens for no other event. */
export interface EventRef {
  source: string;
  id: string;
}

export const KEY_VERSION = 1;

const SALT_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

// Drawn from the system in larger pieces: one call for each value costs more than the hash. No byte is given out twice.
const pool = Buffer.alloc(8192);
let used = pool.length;

function random(bytes: number): Buffer {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = Buffer.from(pool.subarray(used, used + bytes));
  pool.fill(0, used, used + bytes);
  used += bytes;
  return drawn;
}

const digest = (salt: Buffer, value: string): string =>
  createHash('sha256').update(salt).update(value, 'utf8').digest('base64url');

/** Commits to a value with a fresh salt. */
export function commit(pointer: string, value: string): { commitment: Commitment; sealed: SealedValue } {
  const salt = random(SALT_BYTES);
  return {
    commitment: { commitment: digest(salt, value) },
    sealed: { pointer, salt: salt.toString('base64url'), value },
  };
}

/** Whether the opened value is the one that the entry committed to. */
export const opensCommitment = ({ salt, value }: SealedValue, { commitment }: Commitment): boolean =>
  digest(Buffer.from(salt, 'base64url'), value) === commitment;

const boundTo = ({ source, id }: EventRef): Buffer => Buffer.from(`${source}\0${id}`, 'utf8');

/** nonce (12 bytes), AES-256-GCM ciphertext, tag (16 bytes); the event's source and id are the additional data. */
export function seal(values: SealedValue[], event: EventRef, keys: Pick<VaultKeys, 'seal'>): Buffer {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keys.seal, nonce).setAAD(boundTo(event));
  const plain = JSON.stringify(values.map(({ pointer, salt, value }) => [pointer, salt, value]));
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** The reverse of `seal`. Throws where the record was altered, is another event's, or the key is another. */
export function unseal(record: Buffer, event: EventRef, keys: Pick<VaultKeys, 'seal'>): SealedValue[] {
  const decipher = createDecipheriv('aes-256-gcm', keys.seal, record.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(event)).setAuthTag(record.subarray(-TAG_BYTES));
  const plain = decipher.update(record.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  const rows = JSON.parse(plain) as [string, string, string][];
  return rows.map(([pointer, salt, value]) => ({ pointer, salt, value }));
}
