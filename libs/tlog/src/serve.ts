import { encodeBundle, TILE_WIDTH, tileWidth, type Bundle, type LogSource, type Tile } from '@liandun/transparency-log';
import { TlogError } from './errors.js';
import { latestCheckpoint, type PublishedCheckpoint } from './published.js';
import { readTiles, type Queryable } from './tree-store.js';

/** The hashes of a tile as it is served, 32 bytes each; undefined if no published checkpoint covers it. Public. */
export async function readHashTile(db: Queryable, tile: Tile): Promise<Buffer | undefined> {
  if (!(await isPublished(db, tile))) return undefined;
  const [hashes] = await readTiles(db)([tile]);
  return Buffer.from(hashes!.subarray(0, tile.width * 32));
}

/** A bundle of entries as it is served; undefined if no published checkpoint covers it. Not public: who may read it is decided before. */
export async function readEntryBundle(db: Queryable, bundle: Bundle): Promise<Buffer | undefined> {
  if (!(await isPublished(db, { level: 0, ...bundle }))) return undefined;
  const first = bundle.index * TILE_WIDTH;
  const { rows } = await db.query<{ entry: string }>({
    name: 'tlog.read_entries',
    text: 'select entry from log.entry where position between $1 and $2 order by position',
    values: [first, first + bundle.width - 1],
  });
  return encodeBundle(rows.map(({ entry }) => entry));
}

async function isPublished(db: Queryable, tile: Tile): Promise<boolean> {
  const published = await latestCheckpoint(db);
  return published !== undefined && tile.width > 0 && tile.width <= tileWidth(tile, published.size);
}

/** The published log of this database, for whoever reads all of it: a verifier, an export. Rejects where a tile is missing. */
export function publishedLog(db: Queryable): LogSource & { checkpoint(): Promise<PublishedCheckpoint | undefined> } {
  return {
    checkpoint: () => latestCheckpoint(db),
    hashes: async (tile) => (await readHashTile(db, tile)) ?? unpublished(),
    entries: async (bundle) => (await readEntryBundle(db, bundle)) ?? unpublished(),
  };
}

function unpublished(): never {
  throw new TlogError('POSITION_MISSING', 'No published checkpoint covers this');
}
