import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FSCK, FSCK_PACKAGE, SUMDB } from '../../../test/support/go-verifiers.js';
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
    fsck = await buildGo('fsck', FSCK, FSCK_PACKAGE);
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
