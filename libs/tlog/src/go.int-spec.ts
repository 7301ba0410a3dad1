import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildGo, hasGo, runProgram, serveFiles } from '../../../test/support/go.js';
import { MemoryLog } from '../../../test/support/tlog.js';
import { newLogKey, TlogDatabase } from '../../../test/support/tlog-database.js';
import {
  formatCheckpoint,
  formatVerifierKey,
  parseTilePath,
  signNote,
  TransparencyLogError,
  type SignerKey,
} from '@liandun/transparency-log';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latestCheckpoint, readEntryBundle, readHashTile } from './index.js';

// Verifiers that nobody here wrote: golang.org/x/mod/sumdb/{note,tlog}, driven by the few lines below, and the command fsck of
// github.com/transparency-dev/tessera. Both come from the Go module proxy and are built once.

const SUMDB = {
  'go.mod': 'module verify\n\ngo 1.23\n\nrequire golang.org/x/mod v0.33.0\n',
  'main.go': `package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func get(path string) []byte {
	response, err := http.Get(os.Args[1] + path)
	check(err)
	defer response.Body.Close()
	if response.StatusCode != 200 {
		check(fmt.Errorf("%s: %s", path, response.Status))
	}
	body, err := io.ReadAll(response.Body)
	check(err)
	return body
}

// The paths of tlog-tiles are those of sumdb without the height.
func tilePath(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }

type tiles struct{ read map[string][]byte }

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte)     {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := tilePath(tile)
		if t.read[path] == nil {
			t.read[path] = get(path)
		}
		all = append(all, t.read[path])
	}
	return all, nil
}

func main() {
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	checkpoint, err := note.Open(get("checkpoint"), note.VerifierList(verifier))
	check(err)
	lines := strings.Split(checkpoint.Text, "\\n")
	if lines[0] != verifier.Name() {
		check(fmt.Errorf("origin %q", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	var root tlog.Hash
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	copy(root[:], hash)

	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{map[string][]byte{}})
	treeHash, err := tlog.TreeHash(size, reader)
	check(err)
	if treeHash != root {
		check(fmt.Errorf("the root differs"))
	}
	var indexes []int64
	for i := int64(0); i < size; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	leaves, err := reader.ReadHashes(indexes)
	check(err)
	for first := int64(0); first < size; first += 256 {
		width := min(256, int(size-first))
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: width}
		bundle := get(strings.Replace(tilePath(tile), "tile/data/", "tile/entries/", 1))
		for i := first; i < first+int64(width); i++ {
			length := binary.BigEndian.Uint16(bundle)
			if tlog.RecordHash(bundle[2:2+length]) != leaves[i] {
				check(fmt.Errorf("entry %d is not in the tree", i))
			}
			bundle = bundle[2+length:]
		}
		if len(bundle) > 0 {
			check(fmt.Errorf("the bundle at %d is too long", first))
		}
	}
	for i := int64(0); i < size; i += 1 + size/50 {
		proof, err := tlog.ProveRecord(size, i, reader)
		check(err)
		check(tlog.CheckRecord(proof, size, root, i, leaves[i]))
		older, err := tlog.TreeHash(i+1, reader)
		check(err)
		growth, err := tlog.ProveTree(size, i+1, reader)
		check(err)
		check(tlog.CheckTree(growth, size, root, i+1, older))
	}
	fmt.Println("verified", size)
}
`,
};

const FSCK = {
  'go.mod': 'module fsck\n\ngo 1.24.0\n\nrequire github.com/transparency-dev/tessera v1.0.4\n',
  'tools.go': '//go:build tools\n\npackage tools\n\nimport _ "github.com/transparency-dev/tessera/cmd/fsck"\n',
};

type Files = (path: string) => Promise<Uint8Array | string | undefined>;

let sumdb: string;
let fsck: string;
let dir: string;

async function verify(program: 'sumdb' | 'fsck', files: Files, key: SignerKey): Promise<string> {
  const vkey = formatVerifierKey(key);
  if (program === 'sumdb') {
    const { url, close } = await serveFiles(files);
    const { output } = await runProgram(sumdb, [url, vkey]).finally(close);
    return output;
  }
  const { url, close } = await serveFiles(files, 'secret');
  const keyFile = join(dir, 'log.vkey');
  await writeFile(keyFile, vkey);
  const options = ['-ui=false', `-storage_url=${url}`, `-public_key=${keyFile}`, '-bearer_token=secret', '-N=4'];
  const { output } = await runProgram(fsck, options).finally(close);
  return output;
}

// fsck ends with 0 whatever it finds: only its word counts.
const SUCCESS = { sumdb: /^verified [0-9]+$/m, fsck: /Successfully fsck'd/ };
const REPORT = { sumdb: /^FAILED: /m, fsck: /fsck failed: / };

function memoryFiles(log: MemoryLog, key: SignerKey): Files {
  const text = formatCheckpoint({ origin: key.name, size: log.size, rootHash: log.root });
  return async (path) => (path === 'checkpoint' ? signNote(text, key) : log.files.get(path));
}

function databaseFiles({ pool }: TlogDatabase): Files {
  return async (path) => {
    if (path === 'checkpoint') return (await latestCheckpoint(pool))?.note;
    try {
      const tile = parseTilePath(path);
      return await (tile.kind === 'entries' ? readEntryBundle(pool, tile) : readHashTile(pool, tile));
    } catch (error) {
      if (error instanceof TransparencyLogError) return undefined;
      throw error;
    }
  };
}

// oxlint-disable-next-line jest/no-disabled-tests -- Go is not needed for anything else
(hasGo ? describe : describe.skip)('verifiers from the Go module proxy (skipped where Go is not installed)', () => {
  const key = newLogKey();
  const entries = Array.from({ length: 65_800 }, (_, i) => `entry ${i}`);

  beforeAll(async () => {
    sumdb = await buildGo('sumdb', SUMDB);
    fsck = await buildGo('fsck', FSCK, 'github.com/transparency-dev/tessera/cmd/fsck');
    dir = await mkdtemp(join(tmpdir(), 'liandun-test-fsck-'));
  }, 600_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  describe.each(['sumdb', 'fsck'] as const)('%s', (program) => {
    test.each([1, 255, 256, 257, 65_536, 65_800])('accepts a log of %p entries', async (size) => {
      const log = new MemoryLog(entries.slice(0, size));
      expect(await verify(program, memoryFiles(log, key), key)).toMatch(SUCCESS[program]);
    });

    test('accepts what the database serves, as it grows', async () => {
      const database = await TlogDatabase.create(key);
      try {
        for (const count of [7, 249, 300]) {
          await database.append(count);
          await database.publish();
          expect(await verify(program, databaseFiles(database), key)).toMatch(SUCCESS[program]);
        }
      } finally {
        await database.end();
      }
    });

    test.each([
      'checkpoint',
      'tile/entries/000',
      'tile/entries/001.p/44',
      'tile/0/000',
      'tile/0/001.p/44',
      'tile/1/000.p/1',
    ])('reports one changed byte in %s', async (changed) => {
      const files = memoryFiles(new MemoryLog(entries.slice(0, 300)), key);
      const output = await verify(
        program,
        async (path) => {
          const bytes = await files(path);
          if (path !== changed || bytes === undefined) return bytes;
          const copy = Buffer.from(bytes as Uint8Array);
          copy[Math.min(40, copy.length - 1)]! ^= 1;
          return copy;
        },
        key,
      );
      expect(output).not.toMatch(SUCCESS[program]);
      expect(output).toMatch(REPORT[program]);
    });

    test('refuses the log under another key', async () => {
      const log = new MemoryLog(entries.slice(0, 5));
      expect(await verify(program, memoryFiles(log, key), newLogKey())).not.toMatch(SUCCESS[program]);
    });
  });
});
