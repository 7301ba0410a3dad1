import { createHash } from 'node:crypto';

const LEAF_PREFIX = Buffer.of(0);

/** SHA-256 over 0x00 and the entry's bytes, the hash of a leaf (RFC 6962 section 2.1): 32 bytes. A string is taken as UTF-8. */
export function leafHash(entry: Uint8Array | string): Buffer {
  return createHash('sha256').update(LEAF_PREFIX).update(entry).digest();
}
