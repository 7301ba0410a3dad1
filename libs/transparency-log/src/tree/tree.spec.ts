import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, MemoryLog } from '../../../../test/support/tlog.js';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  tileNodes,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '../index.js';
import { nodeHash } from './node-hash.js';

const SIZE = 1000;
const entries = Array.from({ length: SIZE }, (_, i) => `entry ${i}`);
const log = new MemoryLog(entries);
// Of the whole log's tiles: those of an older tree are the starts of these.
const nodes = tileNodes(SIZE, log.readTiles);
const leaves = entries.map((entry) => leafHash(entry));

/** The tree hash as RFC 6962 section 2.1 defines it, by recursion. */
function rootByDefinition(hashes: Buffer[]): Buffer {
  if (hashes.length === 0) return EMPTY_ROOT;
  if (hashes.length === 1) return hashes[0]!;
  let middle = 1;
  while (middle * 2 < hashes.length) middle *= 2;
  return nodeHash(rootByDefinition(hashes.slice(0, middle)), rootByDefinition(hashes.slice(middle)));
}

const sizes = fc.integer({ min: 1, max: SIZE });
const indexAndSize = sizes.chain((size) => fc.record({ size: fc.constant(size), index: fc.nat({ max: size - 1 }) }));
const twoSizes = sizes.chain((size2) =>
  fc.record({ size1: fc.integer({ min: 1, max: size2 }), size2: fc.constant(size2) }),
);

/** One bit of one of these is flipped. */
function withFlippedBit(hashes: Buffer[], bit: number): Buffer[] {
  const copies = hashes.map((hash) => Buffer.from(hash));
  const copy = copies[Math.floor(bit / 256) % copies.length]!;
  copy[(bit % 256) >> 3]! ^= 1 << (bit % 8);
  return copies;
}

const inclusion = async ({ index, size }: { index: number; size: number }) => ({
  index,
  size,
  root: await treeRoot(size, nodes),
  leafHash: leaves[index]!,
  proof: await inclusionProof(index, size, nodes),
});
const consistency = async ({ size1, size2 }: { size1: number; size2: number }) => ({
  size1,
  root1: await treeRoot(size1, nodes),
  size2,
  root2: await treeRoot(size2, nodes),
  proof: await consistencyProof(size1, size2, nodes),
});

test('roots read from tiles are those of the definition', async () => {
  for (const size of [0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 767, 1000]) {
    expect(await treeRoot(size, nodes)).toEqual(rootByDefinition(leaves.slice(0, size)));
  }
});

describe('inclusion', () => {
  test('every leaf of a tree is in it', async () => {
    for (const size of [1, 2, 3, 255, 256, 257, 600]) {
      const root = await treeRoot(size, nodes);
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(index, size, nodes);
        verifyInclusion({ index, size, root, leafHash: leaves[index]!, proof });
      }
    }
  });

  test('a flipped bit anywhere fails', () =>
    fc.assert(
      fc.asyncProperty(indexAndSize, fc.nat(), async (place, bit) => {
        const claim = await inclusion(place);
        const [root, hash, ...proof] = withFlippedBit([claim.root, claim.leafHash, ...claim.proof], bit);
        expect(codeOf(() => verifyInclusion({ ...claim, root: root!, leafHash: hash!, proof }))).toBe('NOT_INCLUDED');
      }),
    ));

  test('at another index, or with a hash more or less, it fails', () =>
    fc.assert(
      fc.asyncProperty(indexAndSize, fc.nat({ max: SIZE - 1 }), async (place, other) => {
        const claim = await inclusion(place);
        const fails = (changes: object) =>
          expect(codeOf(() => verifyInclusion({ ...claim, ...changes }))).toMatch(/^(NOT_INCLUDED|OUTSIDE_TREE)$/);
        if (other !== place.index) fails({ index: other });
        fails({ proof: [...claim.proof, EMPTY_ROOT] });
        fails({ proof: [EMPTY_ROOT, ...claim.proof] });
        if (claim.proof.length > 0) fails({ proof: claim.proof.slice(1) });
        if (claim.proof.length > 0) fails({ proof: claim.proof.slice(0, -1) });
      }),
    ));

  test('of what the tree does not have there is none', async () => {
    for (const [index, size] of [
      [0, 0],
      [5, 5],
      [-1, 5],
      [0.5, 5],
      [Number.NaN, 5],
      [2 ** 53, 2 ** 54],
    ] as const) {
      await expect(inclusionProof(index, size, nodes)).rejects.toMatchObject({ code: 'OUTSIDE_TREE' });
      const claim = { index, size, root: EMPTY_ROOT, leafHash: EMPTY_ROOT, proof: [] };
      expect(codeOf(() => verifyInclusion(claim))).toBe('OUTSIDE_TREE');
    }
  });
});

describe('consistency', () => {
  test('any two sizes are consistent', async () => {
    for (let size2 = 1; size2 <= 40; size2 += 1) {
      for (let size1 = 1; size1 <= size2; size1 += 1) verifyConsistency(await consistency({ size1, size2 }));
    }
    await fc.assert(fc.asyncProperty(twoSizes, async (pair) => verifyConsistency(await consistency(pair))));
  });

  test('a flipped bit anywhere fails', () =>
    fc.assert(
      fc.asyncProperty(twoSizes, fc.nat(), async (pair, bit) => {
        const claim = await consistency(pair);
        const [root1, root2, ...proof] = withFlippedBit([claim.root1, claim.root2, ...claim.proof], bit);
        const flipped = { ...claim, root1: root1!, root2: root2!, proof };
        expect(codeOf(() => verifyConsistency(flipped))).toBe('NOT_CONSISTENT');
      }),
    ));

  test('of a tree that is another one from some leaf on, it fails', () =>
    fc.assert(
      fc.asyncProperty(twoSizes, fc.nat(), async ({ size1, size2 }, seed) => {
        const changed = seed % size1;
        const fork = new MemoryLog(entries.slice(0, size2).with(changed, 'another'));
        const forkNodes = tileNodes(size2, fork.readTiles);
        const claim = {
          size1,
          root1: await treeRoot(size1, nodes),
          size2,
          root2: fork.root,
          proof: await consistencyProof(size1, size2, forkNodes),
        };
        expect(codeOf(() => verifyConsistency(claim))).toBe('NOT_CONSISTENT');
      }),
      { numRuns: 30 },
    ));

  test('there is none from the empty tree, nor back', async () => {
    for (const [size1, size2] of [
      [0, 0],
      [0, 5],
      [6, 5],
      [-1, 5],
      [1.5, 5],
    ] as const) {
      await expect(consistencyProof(size1, size2, nodes)).rejects.toMatchObject({ code: 'OUTSIDE_TREE' });
      const claim = { size1, size2, root1: EMPTY_ROOT, root2: EMPTY_ROOT, proof: [] };
      expect(codeOf(() => verifyConsistency(claim))).toBe('OUTSIDE_TREE');
    }
  });
});

test('a proof that no tree can need, or hashes of another length, are refused before any hashing', () => {
  const claim = { index: 0, size: 2, root: EMPTY_ROOT, leafHash: EMPTY_ROOT };
  expect(codeOf(() => verifyInclusion({ ...claim, proof: Array(64).fill(EMPTY_ROOT) }))).toBe('MALFORMED_PROOF');
  expect(codeOf(() => verifyInclusion({ ...claim, proof: [Buffer.alloc(31)] }))).toBe('MALFORMED_PROOF');
  const pair = { size1: 1, size2: 2, root1: EMPTY_ROOT, root2: Buffer.alloc(33), proof: [EMPTY_ROOT] };
  expect(codeOf(() => verifyConsistency(pair))).toBe('MALFORMED_PROOF');
});
