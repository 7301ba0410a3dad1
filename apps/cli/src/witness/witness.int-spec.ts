import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  consistencyProof,
  formatAddCheckpoint,
  formatCheckpoint,
  formatVerifierKey,
  openCheckpoint,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
  signNote,
  tileNodes,
  verifyNote,
} from '@liandun/transparency-log';
import { createHash } from 'node:crypto';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newLogKey } from '../../../../test/support/tlog-database.js';
import { MemoryLog } from '../../../../test/support/tlog.js';
import { WitnessProcess } from '../../../../test/support/witness.js';
import { liandun } from '../testing/terminal.js';

const key = newLogKey();
const entries = Array.from({ length: 700 }, (_, i) => `entry ${i}`);
const treeOf = (size: number, changed?: number): MemoryLog =>
  new MemoryLog(entries.slice(0, size).map((entry, i) => (i === changed ? 'another' : entry)));
const signed = (tree: MemoryLog, signer = key): string =>
  signNote(formatCheckpoint({ origin: signer.name, size: tree.size, rootHash: tree.root }), signer);

let witness: WitnessProcess;
beforeEach(async () => {
  witness = await WitnessProcess.start(formatVerifierKey(key));
});
afterEach(() => witness.end());

async function bodyOf(oldSize: number, tree: MemoryLog, signer = key): Promise<string> {
  const proof =
    oldSize > 0 && oldSize <= tree.size
      ? await consistencyProof(oldSize, tree.size, tileNodes(tree.size, tree.readTiles))
      : [];
  return formatAddCheckpoint({ oldSize, proof, note: parseNote(signed(tree, signer)) });
}

const post = (body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
const add = async (oldSize: number, tree: MemoryLog, signer = key): Promise<Response> =>
  post(await bodyOf(oldSize, tree, signer));
const shown = (): Promise<Response> =>
  fetch(`${witness.url}/${createHash('sha256').update(key.name).digest('hex')}/checkpoint`);

describe('add-checkpoint', () => {
  test('200: the cosignature of what goes on from the last one, also of the same again', async () => {
    let old = 0;
    for (const size of [5, 5, 256, 700]) {
      const tree = treeOf(size);
      const answer = await add(old, tree);
      expect(answer.status).toBe(200);
      const signatures = parseSignatureLines(await answer.text());
      const { text } = parseNote(signed(tree));
      const [verified] = verifyNote({ text, signatures }, [parseVerifierKey(witness.vkey)]);
      expect(Math.abs(verified!.timeSec! - Date.now() / 1000)).toBeLessThan(60);
      old = size;
    }
  });

  test('409: another old size is answered with its own', async () => {
    await add(0, treeOf(5));
    const answer = await add(0, treeOf(256));
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      409,
      'text/x.tlog.size',
      '5\n',
    ]);
  });

  test('422: a fork is refused, told and kept', async () => {
    await add(0, treeOf(256));
    expect((await add(256, treeOf(256, 17))).status).toBe(422);
    expect((await add(256, treeOf(700, 17))).status).toBe(422);
    expect((await add(256, treeOf(700, 17))).status).toBe(422);
    expect(witness.events().map(({ event, size }) => [event, size])).toEqual([
      ['listening', undefined],
      ['cosigned', 256],
      ['forked', 256],
      ['inconsistent', 700],
    ]);
    expect((await add(256, treeOf(700))).status).toBe(200);
  });

  test('404, 403, 400: logs, keys and requests that it does not know', async () => {
    expect((await add(0, treeOf(5), newLogKey('example.com/other'))).status).toBe(404);
    expect((await add(0, treeOf(5), newLogKey())).status).toBe(403);
    expect((await post((await bodyOf(0, treeOf(5))).replace('\n5\n', '\n6\n'))).status).toBe(403);
    expect((await add(9, treeOf(5))).status).toBe(400);
    for (const body of ['', 'old 0', 'old 00\n\n', `old 0\n\n${'x'.repeat(300_000)}`]) {
      expect((await post(body)).status).toBe(400);
    }
    expect((await post(new Uint8Array(600_000))).status).toBe(413);
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${witness.url}/other`)).status).toBe(404);
  });

  test('at the same time: one history, whatever is asked', async () => {
    const sizes = Array.from({ length: 40 }, (_, i) => 10 + i);
    const answers = await Promise.all(
      sizes.flatMap((size) => [add(0, treeOf(size)), add(0, treeOf(size, 3)), add(0, treeOf(5))]),
    );
    const cosigned = answers.filter(({ status }) => status === 200);
    expect(cosigned).toHaveLength(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });
});

test('shows the newest checkpoint that it has cosigned, with both signatures', async () => {
  expect((await shown()).status).toBe(404);
  await add(0, treeOf(5));
  await add(5, treeOf(256));
  const answer = await shown();
  const opened = openCheckpoint(await answer.text(), { logs: [key], witnesses: [parseVerifierKey(witness.vkey)] });
  expect([opened.size, opened.signatures.length]).toEqual([256, 2]);
});

test('keeps its promise through kill -9', async () => {
  const forks: Promise<Response | undefined>[] = [];
  for (let size = 10; size < 200; size += 10) {
    // Killed in the midst of requests: what was answered must be remembered, what was not may be.
    const asked = add(size === 10 ? 0 : size - 10, treeOf(size)).catch(() => undefined);
    if (size % 50 === 0) await witness.stop('SIGKILL');
    const answer = await asked;
    if (size % 50 === 0) await witness.run();
    const again = await add(size, treeOf(size));
    if (answer?.status === 200) expect(again.status).toBe(200);
    if (again.status === 409) expect((await add(size - 10, treeOf(size))).status).toBe(200);
    forks.push(add(size, treeOf(size, 3)));
    expect((await forks.at(-1))?.status).toBe(422);
  }
});

test('stops on Ctrl-C, and goes on where it was', async () => {
  await add(0, treeOf(256));
  expect(await witness.stop('SIGINT')).toBe(0);
  await witness.run();
  expect(witness.events()[0]).toMatchObject({ logs: [{ origin: key.name, size: 256 }] });
  expect((await add(256, treeOf(700))).status).toBe(200);
});

describe('liandun witness', () => {
  const run = (...argv: string[]) =>
    liandun(['witness', '--log', formatVerifierKey(key), '--listen', '127.0.0.1:0', ...argv], {
      cwd: witness.folder,
    });

  test('holds its store alone', async () => {
    const ran = await run('--key', 'key.jwk', '--store', 'store.db');
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('Another witness runs on') as unknown });
  });

  test('refuses a key without the promises that were made with it, and a damaged store', async () => {
    await add(0, treeOf(256));
    await witness.stop();
    await copyFile(join(witness.folder, 'store.db'), join(witness.folder, 'kept.db'));
    expect(await run('--key', 'key.jwk', '--store', 'other.db')).toMatchObject({
      code: 1,
      err: expect.stringContaining('used with another store') as unknown,
    });
    await writeFile(join(witness.folder, 'store.db'), 'no store');
    const damaged = await run('--lang', 'zh', '--key', 'key.jwk', '--store', 'store.db');
    expect([damaged.code, damaged.err]).toEqual([1, expect.stringContaining('已损坏')]);
    await rm(join(witness.folder, 'store.db'));
    await copyFile(join(witness.folder, 'kept.db'), join(witness.folder, 'store.db'));
    await witness.run();
    expect((await add(256, treeOf(700))).status).toBe(200);
  });

  test.each([
    [['--listen', '0.0.0.0:7380'], 'outside loopback'],
    [['--listen', '7380'], 'HOST:PORT'],
    [['--log', 'example.com+1+x'], '--log example.com+1+x'],
    [['--name', 'other', '--key', 'key.jwk', '--store', 'store.db'], 'a name can'],
  ])('says what is wrong with %p', async (argv, expected) => {
    await witness.stop();
    const ran = await run(...argv);
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(expected)]);
  });
});
