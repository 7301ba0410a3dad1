import { createHash, hash } from 'node:crypto';

const NODE_PREFIX = Buffer.of(1);

/** SHA-256 over 0x01 and the two children, the hash of an inner node (RFC 6962 section 2.1): 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest();
}

/** The root of the tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1). */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');
