import { EMPTY_ROOT, nodeHash } from './node-hash.js';

/** The root of a complete subtree: the one over the 2^level leaves from index * 2^level on. */
export interface Node {
  level: number;
  index: number;
}

/**
 * The fewest complete subtrees that cover the leaves from `start` up to, not including, `end`, left to right. `start` must be
 * where RFC 6962 divides a tree: a multiple of the smallest power of two that is at least `end - start`, as 0 always is.
 */
export function nodesOfRange(start: number, end: number): Node[] {
  const nodes: Node[] = [];
  for (let at = start; at < end;) {
    const level = Math.floor(Math.log2(end - at));
    // log2 rounds: near a power of two it may say one more than fits.
    const fits = 2 ** level <= end - at ? level : level - 1;
    nodes.push({ level: fits, index: at / 2 ** fits });
    at += 2 ** fits;
  }
  return nodes;
}

/** The hash over the leaves of `nodesOfRange`, from the hashes of these nodes in the same order (RFC 6962 section 2.1). */
export function foldNodes(hashes: readonly Uint8Array[]): Buffer {
  const last = hashes.at(-1);
  if (!last) return EMPTY_ROOT;
  let folded = Buffer.from(last);
  for (let i = hashes.length - 2; i >= 0; i -= 1) folded = nodeHash(hashes[i]!, folded) as Buffer<ArrayBuffer>;
  return folded;
}

/** The largest power of two below `count`, which is at least 2: where RFC 6962 divides a tree. */
export function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
