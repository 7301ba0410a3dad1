import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  canonicalJson,
  cosign,
  formatCheckpoint,
  formatNote,
  formatProof,
  formatVerifierKey,
  inclusionProof,
  parseNote,
  signNote,
  tileNodes,
} from '@liandun/transparency-log';
import { MemoryLog, newSigner } from '../../../../test/support/tlog.js';
import { liandun, type Ran } from '../testing/terminal.js';

const log = newSigner('example.com/log', 'log');
const witness = newSigner('witness.example', 'witness');
const AT = 5;
const entries = Array.from({ length: 9 }, (_, i) =>
  canonicalJson({
    id: `e-${i}`,
    source: 'urn:liandun:member:platform-a',
    type: 'liandun.merchant.reported.v1',
    data: {},
  }),
);
const entry = entries[AT] as string;
let folder: string;
let proof: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'liandun-proof-'));
  const tree = new MemoryLog(entries);
  const text = formatCheckpoint({ origin: log.name, size: tree.size, rootHash: tree.root });
  const signatures = [...parseNote(signNote(text, log)).signatures, cosign(text, witness, 1_700_000_000)];
  const hashes = await inclusionProof(AT, tree.size, tileNodes(tree.size, tree.readTiles));
  proof = formatProof({ index: AT, hashes, checkpoint: formatNote({ text, signatures }) });
  const lines = [`log ${formatVerifierKey(log)}`, `witness w ${formatVerifierKey(witness)}`, 'quorum w', ''];
  file('policy', lines.join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return name;
};
const check = async (files: string[], ...options: string[]): Promise<Ran> =>
  liandun(['log', 'proof', ...files, ...(options.length > 0 ? options : ['--policy', 'policy'])], { cwd: folder });
const both = (): string[] => [file('entry', entry), file('proof', proof)];

describe('log proof', () => {
  test('says what was proven, to whom it was cosigned, and that nobody was asked', async () => {
    const { code, out } = await check(both());
    expect(out).toContain(
      '✓ This entry stands at position 5 of the log example.com/log, whose operator signed a checkpoint over 9 entries',
    );
    expect(out).toContain('cosigned by witness.example at 2023-11-15 06:13:20 +08:00');
    expect(out).toContain('no ledger was asked');
    expect(code).toBe(0);
    expect((await check(both(), '--policy', 'policy', '--lang', 'zh')).out).toContain(
      '✓ 该记录位于日志 example.com/log 的位置 5',
    );
  });

  test('takes the whole answer of the ledger as one file, and the log by its key alone', async () => {
    const answer = file(
      'answer.json',
      JSON.stringify({ status: 'included', position: AT, entry, proof }, undefined, 2),
    );
    const { code, out } = await check([answer], '--vkey', formatVerifierKey(log), '--json');
    expect(JSON.parse(out)).toMatchObject({ proven: true, position: AT, entries: 9, cosigned: [], unchecked: 1 });
    expect(code).toBe(0);
  });

  test('takes files to which a tool added the end of a line', async () => {
    const files = [file('entry', `${entry}\n`), file('proof', `${proof}\n`)];
    expect(await check(files)).toMatchObject({ code: 0 });
  });

  test('refuses each single byte that is changed, in the entry and in the proof, and names where', async () => {
    const changed = function* (text: string): Generator<Buffer> {
      const bytes = Buffer.from(text);
      for (const [at, byte] of bytes.entries()) {
        const copy = Buffer.from(bytes);
        copy[at] = byte ^ 1;
        yield copy;
      }
    };
    const files = both();
    for (const copy of changed(entry)) {
      const { code, err } = await check([file('other', copy), files[1] as string]);
      expect(err).toMatch(/NOT_INCLUDED: .*ENTRY was changed/);
      expect(code).toBe(1);
    }
    for (const copy of changed(proof)) {
      const { code, err } = await check([files[0] as string, file('other', copy)]);
      expect(err).toMatch(/^Not proven\.\n✗ [A-Z_]+: .*(?:PROOF|policy asks for)/);
      expect(code).toBe(1);
    }
  });

  test('says in Chinese what is wrong, its details too', async () => {
    const files = both();
    const STRIDE = 7;
    for (let at = 0; at < proof.length; at += STRIDE) {
      const copy = Buffer.from(proof);
      copy[at] = (copy[at] as number) ^ 1;
      const { err } = await check([files[0] as string, file('other', copy)], '--policy', 'policy', '--lang', 'zh');
      expect(err).toMatch(/^未能证明。\n✗ [A-Z_]+：.*\p{Script=Han}.*（.*\p{Script=Han}.*）。/u);
      expect(err).not.toMatch(/[a-z]{2,} [a-z]{2,} [a-z]{2,}/i);
    }
  });

  test('tells an entry that was only written in another form from one that was changed', async () => {
    const { code, err } = await check([
      file('pretty', JSON.stringify(JSON.parse(entry), undefined, 2)),
      both()[1] as string,
    ]);
    expect(err).toContain('byte for byte');
    expect(code).toBe(2);
  });

  test.each([
    ['{"status":"pending","entry":"{}"}', /asked for too early/],
    ['{}', /holds no proof/],
    ['no json', /holds no proof/],
  ])('of %s alone it says what is missing', async (text, pattern) => {
    const { code, err } = await check([file('answer.json', text)]);
    expect(err).toMatch(pattern);
    expect(code).toBe(2);
  });

  test.each([
    [['--vkey', 'abc'], 2, /--vkey abc: /],
    [['--vkey', formatVerifierKey(newSigner('other.example/log', 'log'))], 1, /UNTRUSTED_SIGNATURE: .*another log's/],
    [['--json'], 2, /Say which log you trust/],
  ])('with %j it says whom it would have to trust', async (options, exitCode, pattern) => {
    const { code, err } = await check(both(), ...options);
    expect(err).toMatch(pattern);
    expect(code).toBe(exitCode);
  });
});
