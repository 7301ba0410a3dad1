import { TransparencyLogError } from '../errors.js';
import { leafHash } from '../leaf-hash.js';
import { parseBundle } from './entry-bundle.js';
import { EMPTY_EDGE, edgeRoot, edgeTiles, growEdge, type FilledTile } from './growth.js';
import { TILE_WIDTH, tilePath, type Bundle, type Tile } from './tile.js';

/** A log as it is served. Both promise the bytes as they came: nothing about them is trusted. */
export interface LogSource {
  hashes(tile: Tile): Promise<Uint8Array>;
  entries(bundle: Bundle): Promise<Uint8Array>;
}

/** A bundle and its entries. They are in the log for certain only once the whole run has ended. */
export interface ReadBundle extends Bundle {
  entries: Buffer[];
}

/**
 * Reads a whole log of which a checkpoint was verified: hashes every entry, compares every tile that a tree of this size has, and
 * last the root. Yields each bundle as it goes, holding no more than one at a time. Throws ROOT_MISMATCH, TILE_MISMATCH or
 * MALFORMED_TILE, naming the place; what the source throws goes through.
 */
export async function* verifyLog(
  source: LogSource,
  { size, rootHash }: { size: number; rootHash: Uint8Array },
): AsyncGenerator<ReadBundle, void> {
  let edge = EMPTY_EDGE;
  while (edge.size < size) {
    const index = edge.size / TILE_WIDTH;
    const width = Math.min(TILE_WIDTH, size - edge.size);
    const entries = parseBundle(await source.entries({ index, width }), width);
    const grown = growEdge(
      edge,
      entries.map((entry) => leafHash(entry)),
    );
    // Partial tiles on the way are none of this tree's.
    await compareAll(
      source,
      grown.tiles.filter((tile) => tile.width === TILE_WIDTH),
    );
    edge = grown.edge;
    yield { index, width, entries };
  }
  await compareAll(
    source,
    edgeTiles(size).map((tile) => ({ ...tile, hashes: edge.partial[tile.level]! })),
  );
  if (Buffer.compare(edgeRoot(edge), rootHash) !== 0) {
    throw new TransparencyLogError(
      'ROOT_MISMATCH',
      `The ${size} entries don't hash to the checkpoint's root`,
      `${size} 条记录的哈希与检查点的根不符`,
    );
  }
}

async function compareAll(source: LogSource, tiles: FilledTile[]): Promise<void> {
  await Promise.all(
    tiles.map(async ({ hashes, ...tile }) => {
      if (Buffer.compare(await source.hashes(tile), hashes) === 0) return;
      throw new TransparencyLogError(
        'TILE_MISMATCH',
        `${tilePath(tile)} is not what the entries hash to`,
        `${tilePath(tile)} 与记录的哈希不符`,
      );
    }),
  );
}
