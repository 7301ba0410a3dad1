import { TransparencyLogError } from '../errors.js';
import { HASH_BYTES, isCount } from '../text.js';
import { nodeHash } from './node-hash.js';

/** No tree that can be written down is higher. */
export const PROOF_HASHES_MAX = 63;

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

export interface InclusionClaim {
  index: number;
  size: number;
  root: Uint8Array;
  leafHash: Uint8Array;
  proof: readonly Uint8Array[];
}

/** Returns if the proof leads from the leaf to the root (RFC 9162 section 2.1.3.2); NOT_INCLUDED, OUTSIDE_TREE or MALFORMED_PROOF else. */
export function verifyInclusion({ index, size, root, leafHash, proof }: InclusionClaim): void {
  requireHashes([root, leafHash, ...proof], proof.length);
  if (!isCount(index) || !isCount(size) || index >= size) {
    throw new TransparencyLogError(
      'OUTSIDE_TREE',
      `A tree of ${size} leaves has no leaf ${index}`,
      `共 ${size} 条记录的树中没有第 ${index} 条`,
    );
  }
  let node = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0) throw notIncluded('The proof is too long', '证明过长');
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw notIncluded('The proof is too short', '证明过短');
  if (!same(hash, root))
    throw notIncluded(
      `Leaf ${index} is not in the tree of ${size} leaves`,
      `第 ${index} 条记录不在共 ${size} 条的树中`,
    );
}

export interface ConsistencyClaim {
  size1: number;
  root1: Uint8Array;
  size2: number;
  root2: Uint8Array;
  proof: readonly Uint8Array[];
}

/**
 * Returns if the proof leads from the older root to the newer one (RFC 9162 section 2.1.4.2); NOT_CONSISTENT, OUTSIDE_TREE or
 * MALFORMED_PROOF else. Nothing can be said of an older tree without leaves: OUTSIDE_TREE.
 */
export function verifyConsistency({ size1, root1, size2, root2, proof }: ConsistencyClaim): void {
  if (!isCount(size1) || !isCount(size2) || size1 === 0 || size1 > size2) {
    throw new TransparencyLogError(
      'OUTSIDE_TREE',
      `There is no consistency proof from ${size1} to ${size2} leaves`,
      `不存在从 ${size1} 条到 ${size2} 条的一致性证明`,
    );
  }
  if (size1 === size2) {
    if (proof.length > 0) throw notConsistent('The proof is too long', '证明过长');
    if (!same(root1, root2))
      throw notConsistent(`There are two trees of ${size1} leaves`, `存在两棵同为 ${size1} 条的树`);
    return;
  }
  requireHashes([root1, root2, ...proof], proof.length);
  let node = size1 - 1;
  let last = size2 - 1;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  // The older tree is one complete subtree: its root starts the proof.
  const [first, ...rest] = node === 0 ? [root1, ...proof] : proof;
  if (!first) throw notConsistent('The proof is too short', '证明过短');
  let older = first;
  let newer = first;
  for (const sibling of rest) {
    if (last === 0) throw notConsistent('The proof is too long', '证明过长');
    if (isOdd(node) || node === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newer = nodeHash(newer, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw notConsistent('The proof is too short', '证明过短');
  if (!same(older, root1)) throw notConsistent('The proof does not lead to the older root', '证明不能推导至较早的根');
  if (!same(newer, root2)) throw notConsistent('The proof does not lead to the newer root', '证明不能推导至较新的根');
}

function requireHashes(hashes: Uint8Array[], proofLength: number): void {
  if (proofLength > PROOF_HASHES_MAX || hashes.some(({ length }) => length !== HASH_BYTES)) {
    throw new TransparencyLogError(
      'MALFORMED_PROOF',
      `A proof is at most ${PROOF_HASHES_MAX} hashes of 32 bytes`,
      `证明最多含 ${PROOF_HASHES_MAX} 个 32 字节的哈希`,
    );
  }
}

const notIncluded = (message: string, messageZh: string) =>
  new TransparencyLogError('NOT_INCLUDED', message, messageZh);
const notConsistent = (message: string, messageZh: string) =>
  new TransparencyLogError('NOT_CONSISTENT', message, messageZh);
