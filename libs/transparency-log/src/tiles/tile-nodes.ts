import { TransparencyLogError } from '../errors.js';
import { HASH_BYTES } from '../text.js';
import { nodeHash } from '../tree/node-hash.js';
import type { Node } from '../tree/nodes.js';
import type { ReadNodes } from '../tree/proofs.js';
import { TILE_HEIGHT, TILE_WIDTH, tileWidth, type Tile } from './tile.js';

/** Reads tiles, in the order asked for. Each must hold at least `width` hashes of 32 bytes. */
export type ReadTiles = (tiles: Tile[]) => Promise<Uint8Array[]>;

/** Reads complete subtrees from the tiles of a tree of `size` leaves: one read of all that is needed, no tile twice. */
export function tileNodes(size: number, readTiles: ReadTiles): ReadNodes {
  return async (nodes) => {
    const tiles = new Map<string, Tile>();
    for (const node of nodes) {
      const tile = tileOf(node, size);
      tiles.set(keyOf(tile), tile);
    }
    const wanted = [...tiles.values()];
    const bytes = wanted.length > 0 ? await readTiles(wanted) : [];
    const read = new Map(wanted.map((tile, i) => [keyOf(tile), checked(tile, bytes[i])]));
    return nodes.map((node) => hashWithin(node, read.get(keyOf(tileOf(node, size)))!));
  };
}

const keyOf = ({ level, index }: Tile): string => `${level}/${index}`;

/** The tile whose hashes fold to the node. */
function tileOf({ level: treeLevel, index: nodeIndex }: Node, size: number): Tile {
  const level = Math.floor(treeLevel / TILE_HEIGHT);
  const index = Math.floor((nodeIndex * 2 ** (treeLevel % TILE_HEIGHT)) / TILE_WIDTH);
  return { level, index, width: tileWidth({ level, index }, size) };
}

function checked({ level, index, width }: Tile, bytes: Uint8Array | undefined): Uint8Array {
  if (!bytes || bytes.length < width * HASH_BYTES) {
    throw new TransparencyLogError(
      'MALFORMED_TILE',
      `Tile ${level}/${index} has fewer than ${width} hashes`,
      `分片 ${level}/${index} 的哈希少于 ${width} 个`,
    );
  }
  return bytes;
}

function hashWithin({ level, index }: Node, tile: Uint8Array): Buffer {
  const span = 2 ** (level % TILE_HEIGHT);
  const first = (index * span) % TILE_WIDTH;
  return completeRoot(tile.subarray(first * HASH_BYTES, (first + span) * HASH_BYTES));
}

/** The root over a power of two of hashes that lie one after the other. */
export function completeRoot(hashes: Uint8Array): Buffer {
  if (hashes.length === HASH_BYTES) return Buffer.from(hashes);
  const middle = hashes.length / 2;
  return nodeHash(completeRoot(hashes.subarray(0, middle)), completeRoot(hashes.subarray(middle)));
}
