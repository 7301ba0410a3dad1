import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildGo, hasGo, runProgram } from '../../../test/support/go.js';
import { MemoryLog, newSigner } from '../../../test/support/tlog.js';
import {
  cosign,
  formatCheckpoint,
  formatNote,
  formatProof,
  formatVerifierKey,
  inclusionProof,
  openCheckpoint,
  parseNote,
  parseVerifierKey,
  signNote,
  tileNodes,
  type SignerKey,
} from './index.js';

// filippo.io/torchwood, which nobody here wrote, verifies our proofs, cosignatures and policies, and cosigns for us.

const TORCHWOOD = {
  'go.mod': 'module torchwood\n\ngo 1.24.0\n\nrequire filippo.io/torchwood v0.9.0\n',
  'main.go': `package main

import (
	"crypto/ed25519"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	bytes, err := os.ReadFile(path)
	check(err)
	return bytes
}

func main() {
	switch os.Args[1] {
	case "verify":
		policy, err := torchwood.ParsePolicy(read(os.Args[2]))
		check(err)
		check(torchwood.VerifyProof(policy, tlog.RecordHash([]byte(os.Args[4])), read(os.Args[3])))
		fmt.Println("verified")
	case "cosign":
		_, key, err := ed25519.GenerateKey(nil)
		check(err)
		signer, err := torchwood.NewCosignatureSigner(os.Args[2], key)
		check(err)
		signed, err := note.Sign(&note.Note{Text: string(read(os.Args[3]))}, signer)
		check(err)
		fmt.Println(signer.Verifier())
		fmt.Print(string(signed))
	}
}
`,
};

// oxlint-disable-next-line jest/no-disabled-tests -- Go is not needed for anything else
(hasGo ? describe : describe.skip)('torchwood (skipped where Go is not installed)', () => {
  const log = newSigner('example.com/log', 'log');
  const witnesses = ['a', 'b', 'c'].map((name) => newSigner(`witness.example/${name}`, 'witness'));
  const tree = new MemoryLog(Array.from({ length: 300 }, (_, i) => `entry ${i}`));
  const text = formatCheckpoint({ origin: log.name, size: tree.size, rootHash: tree.root });
  const policy =
    `log ${formatVerifierKey(log)}\n` +
    witnesses.map((key, i) => `witness w${i} ${formatVerifierKey(key)}\n`).join('') +
    'group two 2 w0 w1 w2\nquorum two\n';
  let torchwood: string;
  let dir: string;

  beforeAll(async () => {
    torchwood = await buildGo('torchwood', TORCHWOOD);
    dir = await mkdtemp(join(tmpdir(), 'liandun-test-torchwood-'));
  }, 600_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function verify(index: number, entry: string, cosigners: SignerKey[]): Promise<string> {
    const { signatures } = parseNote(signNote(text, log));
    const cosignatures = cosigners.map((key) => cosign(text, key, 1_700_000_000));
    const checkpoint = formatNote({ text, signatures: [...signatures, ...cosignatures] });
    const hashes = await inclusionProof(index, tree.size, tileNodes(tree.size, tree.readTiles));
    await writeFile(join(dir, 'policy'), policy);
    await writeFile(join(dir, 'entry.tlog-proof'), formatProof({ index, hashes, checkpoint }));
    return (await runProgram(torchwood, ['verify', join(dir, 'policy'), join(dir, 'entry.tlog-proof'), entry])).output;
  }

  test.each([0, 7, 255, 256, 299])('believes our proof that entry %p is in the log', async (index) => {
    expect(await verify(index, `entry ${index}`, witnesses.slice(0, 2))).toBe('verified\n');
  });

  test('does not believe it of another entry, or with too few cosignatures', async () => {
    expect(await verify(7, 'entry 8', witnesses)).toMatch('FAILED: tlog record inclusion proof verification failed');
    expect(await verify(7, 'entry 7', witnesses.slice(0, 1))).toMatch('FAILED');
    expect(await verify(7, 'entry 7', [witnesses[0]!, newSigner(witnesses[1]!.name, 'witness')])).toMatch('FAILED');
  });

  test('cosigns what we then believe', async () => {
    await writeFile(join(dir, 'text'), text);
    const { output } = await runProgram(torchwood, ['cosign', 'witness.example/go', join(dir, 'text')]);
    const [vkey] = output.split('\n', 1);
    const cosigned = parseNote(output.slice(vkey!.length + 1));
    const { signatures } = parseNote(signNote(text, log));
    const both = formatNote({ text, signatures: [...signatures, ...cosigned.signatures] });
    const opened = openCheckpoint(both, { logs: [log], witnesses: [parseVerifierKey(vkey!)] });
    expect(opened.signatures.map(({ key }) => key.name)).toEqual([log.name, 'witness.example/go']);
    expect(opened.signatures[1]!.timeSec).toBeGreaterThan(1_700_000_000);
  });
});
