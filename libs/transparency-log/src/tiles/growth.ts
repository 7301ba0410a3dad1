import { HASH_BYTES } from '../text.js';
import { foldNodes, nodesOfRange } from '../tree/nodes.js';
import { completeRoot } from './tile-nodes.js';
import { hashesAtLevel, TILE_WIDTH, type Tile } from './tile.js';

/** A tile and its hashes, 32 bytes each. */
export interface FilledTile extends Tile {
  hashes: Buffer;
}

/**
 * All that a tree must know to grow and to tell its root: its size, and the hashes of the partial tile of each level, lowest
 * first (empty where the level's last tile is full). A value: growing makes another.
 */
export interface TreeEdge {
  readonly size: number;
  readonly partial: readonly Buffer[];
}

export const EMPTY_EDGE: TreeEdge = { size: 0, partial: [] };

/** The partial tiles of a tree of `size` leaves, one each level that has one: what makes up its edge. */
export function edgeTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAtLevel(level, size) > 0; level += 1) {
    const hashes = hashesAtLevel(level, size);
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: (hashes - width) / TILE_WIDTH, width });
  }
  return tiles;
}

/** The edge of a tree of `size` leaves, from `edgeTiles(size)` and their hashes; wider ones are cut. */
export function edgeFrom(size: number, tiles: readonly FilledTile[]): TreeEdge {
  const partial: Buffer[] = [];
  for (const { level, width, hashes } of tiles) partial[level] = hashes.subarray(0, width * HASH_BYTES);
  return { size, partial: Array.from(partial, (hashes) => hashes ?? Buffer.alloc(0)) };
}

/** Appends leaves: the new edge, and every tile that is new or wider than before, whole, in the order of `tilesBetween`. */
export function growEdge(edge: TreeEdge, leafHashes: readonly Uint8Array[]): { edge: TreeEdge; tiles: FilledTile[] } {
  const tiles: FilledTile[] = [];
  const partial: Buffer[] = [];
  let added: readonly Uint8Array[] = leafHashes;
  for (let level = 0; added.length > 0 || level < edge.partial.length; level += 1) {
    const before = hashesAtLevel(level, edge.size);
    const hashes = Buffer.concat([edge.partial[level] ?? Buffer.alloc(0), ...added]);
    const complete: Buffer[] = [];
    let index = Math.floor(before / TILE_WIDTH);
    let at = 0;
    for (; hashes.length - at >= TILE_BYTES; at += TILE_BYTES, index += 1) {
      const tile = hashes.subarray(at, at + TILE_BYTES);
      tiles.push({ level, index, width: TILE_WIDTH, hashes: tile });
      complete.push(completeRoot(tile));
    }
    const rest = hashes.subarray(at);
    if (added.length > 0 && rest.length > 0)
      tiles.push({ level, index, width: rest.length / HASH_BYTES, hashes: rest });
    partial.push(rest);
    added = complete;
  }
  return { edge: { size: edge.size + leafHashes.length, partial }, tiles };
}

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/** The root of the tree (RFC 6962 section 2.1). */
export function edgeRoot({ partial }: TreeEdge): Buffer {
  // The highest level covers the leaves furthest left, so its subtrees come first.
  return foldNodes(
    partial.toReversed().flatMap((hashes) =>
      nodesOfRange(0, hashes.length / HASH_BYTES).map(({ level, index }) => {
        const bytes = 2 ** level * HASH_BYTES;
        return completeRoot(hashes.subarray(index * bytes, (index + 1) * bytes));
      }),
    ),
  );
}
