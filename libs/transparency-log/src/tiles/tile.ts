import { isCount } from '../text.js';
import { TransparencyLogError } from '../errors.js';

/** A full tile is this many hashes wide, a full bundle holds this many entries. */
export const TILE_WIDTH = 256;
/** Each tile level spans this many levels of the tree. */
export const TILE_HEIGHT = 8;
const LEVEL_MAX = 63;

/** A tile of hashes (C2SP tlog-tiles): `width` hashes, each the root of 256^level leaves, from hash `index` * 256 of its level on. */
export interface Tile {
  level: number;
  index: number;
  /** 1 to 256; below 256 the tile is partial. */
  width: number;
}

/** A bundle of entries: those under the tile of level 0 with the same index and width. */
export type Bundle = Omit<Tile, 'level'>;

/** How many hashes a level has in a tree of `size` leaves. */
export function hashesAtLevel(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** How wide a tile is in a tree of `size` leaves: 0 if the tree doesn't have it. */
export function tileWidth({ level, index }: Pick<Tile, 'level' | 'index'>, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAtLevel(level, size) - index * TILE_WIDTH));
}

/** The tiles that a tree of `to` leaves has and one of `from` leaves doesn't have or has narrower: lowest level first, then by index. */
export function tilesBetween(from: number, to: number): Tile[] {
  if (!isCount(from) || !isCount(to))
    throw new TransparencyLogError('OUTSIDE_TREE', 'A size is a whole number', '大小须为整数');
  const tiles: Tile[] = [];
  for (let level = 0; hashesAtLevel(level, to) > 0; level += 1) {
    const [before, after] = [hashesAtLevel(level, from), hashesAtLevel(level, to)];
    if (before >= after) continue;
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index += 1) {
      tiles.push({ level, index, width: tileWidth({ level, index }, to) });
    }
  }
  return tiles;
}

/** Where a tile lies below the log's prefix: `tile/1/x001/x234/067`, with `.p/5` behind if it is 5 wide. */
export function tilePath({ level, ...tile }: Tile): string {
  return `tile/${level}/${suffix(tile)}`;
}

/** Where a bundle of entries lies below the log's prefix: `tile/entries/000.p/5`. */
export function bundlePath(bundle: Bundle): string {
  return `tile/entries/${suffix(bundle)}`;
}

function suffix({ index, width }: Bundle): string {
  const groups = [String(index % 1000).padStart(3, '0')];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  }
  return groups.join('/') + (width === TILE_WIDTH ? '' : `.p/${width}`);
}

const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** Reads `tilePath` or `bundlePath`; each tile has one path: MALFORMED_TILE_PATH for every other text. */
export function parseTilePath(path: string): ({ kind: 'hashes' } & Tile) | ({ kind: 'entries' } & Bundle) {
  const [, levelText, digits, widthText] = PATH.exec(path) ?? [];
  const index = Number(digits?.replaceAll(/[x/]/g, ''));
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  if (levelText === 'entries' && path === bundlePath({ index, width })) return { kind: 'entries', index, width };
  const level = Number(levelText);
  // Zero groups in front, a width of 256 or more: a second path for a tile, or a path for none.
  if (!isCount(index) || !(level <= LEVEL_MAX) || width > TILE_WIDTH || path !== tilePath({ level, index, width })) {
    throw new TransparencyLogError('MALFORMED_TILE_PATH', 'Not the path of a tile', '不是分片的路径');
  }
  return { kind: 'hashes', level, index, width };
}
