import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, MemoryLog } from '../../../../test/support/tlog.js';
import {
  bundlePath,
  edgeFrom,
  edgeRoot,
  edgeTiles,
  EMPTY_EDGE,
  encodeBundle,
  growEdge,
  leafHash,
  parseBundle,
  parseTilePath,
  TILE_WIDTH,
  tileNodes,
  tilePath,
  tilesBetween,
  treeRoot,
  verifyLog,
  type LogSource,
} from '../index.js';

const entriesOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `entry ${i}`);

describe('paths', () => {
  test.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 0, index: 0, width: 255 }, 'tile/0/000.p/255'],
    [{ level: 1, index: 1234067, width: 256 }, 'tile/1/x001/x234/067'],
    [{ level: 63, index: 1000, width: 1 }, 'tile/63/x001/000.p/1'],
  ])('of tile %p', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual({ kind: 'hashes', ...tile });
  });

  test('are read back, for every tile and every bundle', () => {
    const index = fc.nat({ max: 2 ** 45 });
    const width = fc.integer({ min: 1, max: TILE_WIDTH });
    fc.assert(
      fc.property(fc.record({ level: fc.nat({ max: 63 }), index, width }), (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual({ kind: 'hashes', ...tile });
        const bundle = { index: tile.index, width: tile.width };
        expect(parseTilePath(bundlePath(bundle))).toEqual({ kind: 'entries', ...bundle });
      }),
    );
  });

  test.each([
    'tile/64/000',
    'tile/00/000',
    'tile/-1/000',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001/x002',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/257',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/entries/000.p/256',
    'tile/8/0/000',
    'tile/0/../000',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    '',
  ])('that are of no tile: %p', (path) => {
    expect(codeOf(() => parseTilePath(path))).toBe('MALFORMED_TILE_PATH');
  });
});

describe('growth', () => {
  test('the tiles of a tree of 70,000 are those of the standard', () => {
    const tiles = tilesBetween(0, 70_000);
    const at = (level: number) => tiles.filter((tile) => tile.level === level);
    expect([at(0).length, at(1).length, at(2).length, tiles.length]).toEqual([274, 2, 1, 277]);
    expect(tiles.filter(({ width }) => width < TILE_WIDTH)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect(tilesBetween(255, 256)).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(tilesBetween(5, 5)).toEqual([]);
    expect(tilesBetween(6, 5)).toEqual([]);
  });

  test('growing by steps gives, at each, the tiles between the sizes and the root of the whole', () => {
    const leaves = entriesOf(1200).map((entry) => leafHash(entry));
    const steps = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(steps, (counts) => {
        let edge = EMPTY_EDGE;
        for (const count of counts) {
          const grown = growEdge(edge, leaves.slice(edge.size, edge.size + count));
          expect(grown.tiles.map(({ level, index, width }) => ({ level, index, width }))).toEqual(
            tilesBetween(edge.size, grown.edge.size),
          );
          for (const { hashes, width } of grown.tiles) expect(hashes).toHaveLength(width * 32);
          edge = grown.edge;
        }
        expect(edgeRoot(edge)).toEqual(edgeRoot(growEdge(EMPTY_EDGE, leaves.slice(0, edge.size)).edge));
      }),
      { numRuns: 30 },
    );
  });

  test('an edge is found again in the tiles, also in wider ones', () => {
    const log = new MemoryLog();
    for (const entry of entriesOf(515)) {
      log.append([entry]);
      const tiles = edgeTiles(log.size).map((tile) => ({ ...tile, hashes: log.files.get(tilePath(tile))! }));
      expect(edgeRoot(edgeFrom(log.size, tiles))).toEqual(log.root);
    }
    const wide = log.files.get('tile/0/002.p/3')!;
    const edge = edgeFrom(513, [
      { level: 0, index: 2, width: 1, hashes: wide },
      { level: 1, index: 0, width: 2, hashes: log.files.get('tile/1/000.p/2')! },
    ]);
    expect(edgeRoot(edge)).toEqual(new MemoryLog(entriesOf(513)).root);
  });

  test('past 65,536 entries there is a third level', async () => {
    const log = new MemoryLog(entriesOf(65_537));
    expect([...log.files.keys()].filter((path) => !/^tile\/(0|entries)\//.test(path))).toEqual([
      'tile/1/000',
      'tile/2/000.p/1',
    ]);
    expect(await treeRoot(65_537, tileNodes(65_537, log.readTiles))).toEqual(log.root);
  });
});

describe('bundles', () => {
  test('give back their entries', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (entries) => {
        const parsed = parseBundle(encodeBundle(entries), entries.length);
        expect(parsed.map((entry) => [...entry])).toEqual(entries.map((entry) => [...entry]));
      }),
    );
    const largest = Buffer.alloc(65_535, 7);
    expect(parseBundle(encodeBundle([largest]), 1)).toEqual([largest]);
  });

  test('of another width, cut off or longer are refused', () => {
    const bytes = encodeBundle(['a', 'bc']);
    for (const [changed, width] of [
      [bytes, 1],
      [bytes, 3],
      [bytes.subarray(0, -1), 2],
      [bytes.subarray(0, 4), 2],
      [Buffer.concat([bytes, Buffer.of(0)]), 2],
    ] as const) {
      expect(codeOf(() => parseBundle(changed, width))).toBe('MALFORMED_TILE');
    }
    expect(codeOf(() => encodeBundle([Buffer.alloc(65_536)]))).toBe('MALFORMED_TILE');
  });
});

describe('a reader of a whole log', () => {
  const log = new MemoryLog(entriesOf(600));
  const verify = async (source: LogSource, size: number, rootHash: Uint8Array): Promise<string[]> => {
    const entries: string[] = [];
    for await (const bundle of verifyLog(source, { size, rootHash })) entries.push(...bundle.entries.map(String));
    return entries;
  };

  test.each([0, 1, 255, 256, 257, 512, 600])('reads all of %p entries', async (size) => {
    const { source, root } = new MemoryLog(entriesOf(size));
    expect(await verify(source, size, root)).toEqual(entriesOf(size));
  });

  test('notices a changed byte in any file', async () => {
    for (const [path, bytes] of log.files) {
      for (const at of [0, 1, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1;
        log.files.set(path, changed);
        await expect(verify(log.source, 600, log.root)).rejects.toMatchObject({
          code: expect.stringMatching(/^(TILE_MISMATCH|MALFORMED_TILE)$/) as unknown,
        });
      }
      log.files.set(path, bytes);
    }
    expect(await verify(log.source, 600, log.root)).toHaveLength(600);
  });

  test('notices that the checkpoint is of other entries', async () => {
    const other = new MemoryLog(entriesOf(600).with(17, 'another'));
    await expect(verify(log.source, 600, other.root)).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    await expect(verify(log.source, 0, other.root)).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
  });

  test('gives up on a tile that is too short to read from', async () => {
    const nodes = tileNodes(600, async (tiles) => tiles.map(() => Buffer.alloc(32)));
    await expect(treeRoot(600, nodes)).rejects.toMatchObject({ code: 'MALFORMED_TILE' });
  });
});
