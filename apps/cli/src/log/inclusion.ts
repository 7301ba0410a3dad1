import {
  inclusionProof,
  TILE_WIDTH,
  tileNodes,
  tilePath,
  tileWidth,
  verifyInclusion,
  type OpenedCheckpoint,
  type Tile,
} from '@liandun/transparency-log';
import { CliError, EXIT } from '../exit-codes.js';
import type { ReadFile } from './source.js';

const HASH_BYTES = 32;
const TILES_AT_ONCE = 8;

/**
 * Proves from hash tiles alone that these leaves (position to leaf hash, base 64) are in the checkpoint's tree. One proof for each
 * tile: its siblings are computed from the tile's own hashes, so it binds all of them. NOTICE_NOT_IN_LOG, and what is wrong with
 * the tiles as TransparencyLogError.
 */
export async function proveIncluded(
  read: ReadFile,
  checkpoint: OpenedCheckpoint,
  leaves: ReadonlyMap<number, string>,
): Promise<void> {
  const positions = Map.groupBy(leaves.keys(), (position) => Math.floor(position / TILE_WIDTH));
  const groups = [...positions.values()];
  const cached = keeping(read);
  for (let at = 0; at < groups.length; at += TILES_AT_ONCE) {
    await Promise.all(
      groups.slice(at, at + TILES_AT_ONCE).map((group) => proveTile(cached, checkpoint, leaves, group)),
    );
  }
}

async function proveTile(
  read: (tile: Tile) => Promise<Uint8Array>,
  { size, rootHash: root }: OpenedCheckpoint,
  leaves: ReadonlyMap<number, string>,
  positions: number[],
): Promise<void> {
  const index = Math.floor(positions[0]! / TILE_WIDTH);
  const bytes = await read({ level: 0, index, width: tileWidth({ level: 0, index }, size) });
  // The very bytes that are compared are those of the proof.
  const nodes = tileNodes(size, (tiles) =>
    Promise.all(tiles.map(async (tile) => (tile.level === 0 && tile.index === index ? bytes : read(tile)))),
  );
  const [first] = positions as [number];
  const hashAt = (position: number): Buffer => {
    const start = (position % TILE_WIDTH) * HASH_BYTES;
    return Buffer.from(bytes.subarray(start, start + HASH_BYTES));
  };
  const proof = await inclusionProof(first, size, nodes);
  verifyInclusion({ index: first, size, root, leafHash: hashAt(first), proof });
  const missing = positions.find((position) => hashAt(position).toString('base64') !== leaves.get(position));
  if (missing !== undefined) throw notInLog(missing);
}

/** Keeps the tiles that many proofs need: those above the lowest level, and the partial ones of the edge. */
function keeping(read: ReadFile): (tile: Tile) => Promise<Uint8Array> {
  const kept = new Map<string, Promise<Uint8Array>>();
  return (tile) => {
    const path = tilePath(tile);
    if (tile.level === 0 && tile.width === TILE_WIDTH) return read(path);
    const bytes = kept.get(path) ?? read(path);
    kept.set(path, bytes);
    return bytes;
  };
}

export const notInLog = (position: number): CliError =>
  new CliError(
    EXIT.failed,
    'NOTICE_NOT_IN_LOG',
    `A notice that was received is not in the log: position ${position}. Keep it, and ask the operator and another member.`,
    `收到的通知不在日志中：位置 ${position}。请保存该通知，并向运营方及其他成员核实。`,
  );
