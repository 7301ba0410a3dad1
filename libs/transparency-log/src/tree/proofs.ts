import { TransparencyLogError } from '../errors.js';
import { isCount } from '../text.js';
import { foldNodes, nodesOfRange, split, type Node } from './nodes.js';

/** Reads the hashes of complete subtrees, in the order asked for: from tiles, from memory. */
export type ReadNodes = (nodes: Node[]) => Promise<Uint8Array[]>;

/** The root of the first `size` leaves (RFC 6962 section 2.1). */
export async function treeRoot(size: number, readNodes: ReadNodes): Promise<Buffer> {
  return foldNodes(await readNodes(nodesOfRange(0, size)));
}

/** The inclusion proof of a leaf in the tree of `size` leaves, from its sibling up (RFC 6962 section 2.1.1). */
export async function inclusionProof(index: number, size: number, readNodes: ReadNodes): Promise<Buffer[]> {
  if (!isCount(index) || !isCount(size) || index >= size) {
    throw new TransparencyLogError(
      'OUTSIDE_TREE',
      `A tree of ${size} leaves has no leaf ${index}`,
      `共 ${size} 条记录的树中没有第 ${index} 条`,
    );
  }
  const ranges: Node[][] = [];
  for (let start = 0, end = size; end - start > 1;) {
    const middle = start + split(end - start);
    // From the root down, so each sibling goes before those already there.
    if (index < middle) {
      ranges.unshift(nodesOfRange(middle, end));
      end = middle;
    } else {
      ranges.unshift(nodesOfRange(start, middle));
      start = middle;
    }
  }
  return foldRanges(ranges, readNodes);
}

/** The proof that the tree of `size1` leaves is the start of the one of `size2` (RFC 6962 section 2.1.2); 0 < size1 <= size2. */
export async function consistencyProof(size1: number, size2: number, readNodes: ReadNodes): Promise<Buffer[]> {
  if (!isCount(size1) || !isCount(size2) || size1 === 0 || size1 > size2) {
    throw new TransparencyLogError(
      'OUTSIDE_TREE',
      `There is no consistency proof from ${size1} to ${size2} leaves`,
      `不存在从 ${size1} 条到 ${size2} 条的一致性证明`,
    );
  }
  const ranges: Node[][] = [];
  let start = 0;
  let end = size2;
  while (end !== size1) {
    const middle = start + split(end - start);
    if (size1 <= middle) {
      ranges.unshift(nodesOfRange(middle, end));
      end = middle;
    } else {
      ranges.unshift(nodesOfRange(start, middle));
      start = middle;
    }
  }
  // The older tree's root is known to who checks, unless the older tree ends with a part of its own.
  if (start > 0) ranges.unshift(nodesOfRange(start, size1));
  return foldRanges(ranges, readNodes);
}

async function foldRanges(ranges: Node[][], readNodes: ReadNodes): Promise<Buffer[]> {
  const hashes = await readNodes(ranges.flat());
  let taken = 0;
  return ranges.map((nodes) => foldNodes(hashes.slice(taken, (taken += nodes.length))));
}
