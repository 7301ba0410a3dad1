import {
  edgeFrom,
  edgeTiles,
  type FilledTile,
  type ReadTiles,
  type Tile,
  type TreeEdge,
} from '@liandun/transparency-log';
import type pg from 'pg';
import { TlogError } from './errors.js';

export type Queryable = pg.Pool | pg.ClientBase;

/** The edge of the tree as it is committed; with `lock`, nobody else grows it until the transaction ends. */
export async function loadEdge(db: Queryable, { lock = false } = {}): Promise<TreeEdge> {
  const { rows } = await db.query<{ size: string }>(`select size from tlog.tree ${lock ? 'for update' : ''}`);
  const size = Number(rows[0]!.size);
  const tiles = edgeTiles(size);
  const hashes = await readTiles(db)(tiles);
  // Tiles may have grown since the size was read: their starts are those of this size.
  return edgeFrom(
    size,
    tiles.map((tile, i) => ({ ...tile, hashes: Buffer.from(hashes[i]!) })),
  );
}

/** Stores the tree's new size and what changed in its tiles, in the caller's transaction. */
export async function saveGrowth(client: pg.ClientBase, size: number, tiles: readonly FilledTile[]): Promise<void> {
  await client.query({
    name: 'tlog.save_tiles',
    text: `insert into tlog.tile (level, index, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
      on conflict (level, index) do update set hashes = excluded.hashes`,
    values: [tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ hashes }) => hashes)],
  });
  await client.query({ name: 'tlog.save_size', text: 'update tlog.tree set size = $1', values: [size] });
}

/** Reads tiles of the stored tree: at least as wide as asked for. Rejects if one is not there. */
export function readTiles(db: Queryable): ReadTiles {
  return async (tiles) => {
    if (tiles.length === 0) return [];
    const { rows } = await db.query<{ level: number; index: string; hashes: Buffer }>({
      name: 'tlog.read_tiles',
      text: `select t.level, t.index, t.hashes from unnest($1::smallint[], $2::bigint[]) as asked (level, index)
        join tlog.tile t using (level, index)`,
      values: [tiles.map(({ level }) => level), tiles.map(({ index }) => index)],
    });
    const found = new Map(rows.map(({ level, index, hashes }) => [`${level}/${index}`, hashes]));
    return tiles.map((tile) => found.get(`${tile.level}/${tile.index}`) ?? missing(tile));
  };
}

function missing({ level, index }: Tile): never {
  throw new TlogError('POSITION_MISSING', `The database lacks tile ${level}/${index} of the tree`);
}
