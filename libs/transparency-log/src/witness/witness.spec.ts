import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, MemoryLog, newSigner } from '../../../../test/support/tlog.js';
import {
  consistencyProof,
  decideCosign,
  formatAddCheckpoint,
  formatCheckpoint,
  formatConflict,
  parseAddCheckpoint,
  parseConflict,
  parseNote,
  signNote,
  tileNodes,
  type AddCheckpoint,
  type WitnessedLog,
} from '../index.js';

const key = newSigner('example.com/log');
const entries = Array.from({ length: 300 }, (_, i) => `entry ${i}`);
const treeOf = (size: number, changed?: number) =>
  new MemoryLog(entries.slice(0, size).map((entry, i) => (i === changed ? 'another' : entry)));

async function ask(oldSize: number, tree: MemoryLog, signer = key, origin = signer.name): Promise<AddCheckpoint> {
  const { size, root: rootHash } = tree;
  const proof =
    oldSize > 0 && oldSize <= size ? await consistencyProof(oldSize, size, tileNodes(size, tree.readTiles)) : [];
  const note = parseNote(signNote(formatCheckpoint({ origin, size, rootHash }), signer));
  // As it comes over the wire.
  return parseAddCheckpoint(formatAddCheckpoint({ oldSize, proof, note }));
}

const knowing = (tree?: MemoryLog): WitnessedLog => ({
  keys: [key],
  ...(tree && { latest: { size: tree.size, rootHash: tree.root } }),
});

describe('a witness', () => {
  test('cosigns what grows from what it has cosigned', async () => {
    let log = knowing();
    for (const size of [0, 1, 1, 5, 256, 300]) {
      const decision = decideCosign(log, await ask(log.latest?.size ?? 0, treeOf(size)));
      expect(decision).toEqual({ decision: 'cosign', size, rootHash: treeOf(size).root });
      log = knowing(treeOf(size));
    }
  });

  test('tells its size to a log that believes another one', async () => {
    const conflict = { decision: 'conflict', size: 256, forked: false };
    expect(decideCosign(knowing(treeOf(256)), await ask(0, treeOf(300)))).toEqual(conflict);
    expect(decideCosign(knowing(treeOf(256)), await ask(255, treeOf(300)))).toEqual(conflict);
    expect(decideCosign(knowing(), await ask(5, treeOf(300)))).toEqual({ ...conflict, size: 0 });
  });

  test('never goes back', async () => {
    const log = knowing(treeOf(256));
    expect(decideCosign(log, await ask(100, treeOf(200)))).toMatchObject({ decision: 'conflict', size: 256 });
    expect(decideCosign(log, await ask(256, treeOf(200)))).toEqual({ decision: 'refuse', because: 'oldSizeTooLarge' });
  });

  test('refuses a fork, and says so where it has proof of it', async () => {
    const log = knowing(treeOf(256));
    const inconsistent = { decision: 'refuse', because: 'inconsistent', forked: false };
    expect(decideCosign(log, await ask(256, treeOf(256, 17)))).toEqual({ ...inconsistent, forked: true });
    expect(decideCosign(log, await ask(0, treeOf(256, 17)))).toEqual({ decision: 'conflict', size: 256, forked: true });
    expect(decideCosign(log, await ask(256, treeOf(300, 17)))).toEqual(inconsistent);
  });

  test('whatever a log does, what it cosigns is one history', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 }), fc.option(fc.nat({ max: 59 })))),
        async (requests) => {
          let log = knowing();
          let cosigned: MemoryLog | undefined;
          for (const [old, size, changed] of requests) {
            const tree = treeOf(size, changed ?? undefined);
            if (decideCosign(log, await ask(old, tree)).decision !== 'cosign') continue;
            expect(tree.entries.slice(0, cosigned?.size ?? 0)).toEqual(cosigned?.entries ?? []);
            cosigned = tree;
            log = knowing(tree);
          }
        },
      ),
    ));

  test('refuses proofs that prove nothing', async () => {
    const request = await ask(256, treeOf(300));
    const inconsistent = { decision: 'refuse', because: 'inconsistent', forked: false };
    expect(decideCosign(knowing(treeOf(256)), { ...request, proof: [] })).toEqual(inconsistent);
    const first = await ask(0, treeOf(300));
    expect(decideCosign(knowing(), { ...first, proof: request.proof })).toEqual(inconsistent);
  });

  test('knows the root of the empty tree', async () => {
    const request = await ask(0, { size: 0, root: Buffer.alloc(32) } as MemoryLog);
    expect(decideCosign(knowing(), request)).toEqual({ decision: 'refuse', because: 'inconsistent', forked: false });
  });

  test('knows its logs by origin, and them by their keys', async () => {
    const untrusted = { decision: 'refuse', because: 'untrustedSignature' };
    expect(decideCosign(undefined, await ask(0, treeOf(5)))).toEqual({ decision: 'refuse', because: 'unknownOrigin' });
    expect(decideCosign(knowing(), await ask(0, treeOf(5), newSigner(key.name)))).toEqual(untrusted);
    expect(decideCosign(knowing(), await ask(0, treeOf(5), key, 'example.com/other'))).toEqual(untrusted);
    const request = await ask(0, treeOf(5));
    const forged = { ...request, note: { ...request.note, text: request.note.text.replace('\n5\n', '\n6\n') } };
    expect(decideCosign(knowing(), forged)).toEqual(untrusted);
  });
});

describe('the body of a request', () => {
  test('is read back as it was written', async () => {
    const request = await ask(256, treeOf(300));
    expect(parseAddCheckpoint(Buffer.from(formatAddCheckpoint(request)))).toEqual(request);
  });

  const hash = `${Buffer.alloc(32).toString('base64')}\n`;
  const note = signNote(formatCheckpoint({ origin: 'o', size: 5, rootHash: Buffer.alloc(32) }), key);
  test.each([
    ['', 'MALFORMED_REQUEST'],
    [`old 5\n${note}`, 'MALFORMED_NOTE'],
    [`old 05\n\n${note}`, 'MALFORMED_REQUEST'],
    [`old  5\n\n${note}`, 'MALFORMED_REQUEST'],
    [`old -1\n\n${note}`, 'MALFORMED_REQUEST'],
    [`5\n\n${note}`, 'MALFORMED_REQUEST'],
    [`old 5\nAAAA\n\n${note}`, 'MALFORMED_REQUEST'],
    [`old 5\n${hash.repeat(64)}\n${note}`, 'MALFORMED_REQUEST'],
    [`old 5\n${hash}\n`, 'MALFORMED_NOTE'],
    [`old 5\n\n${signNote('no checkpoint\n', key)}`, 'MALFORMED_CHECKPOINT'],
    [`old 5\n\n${'x'.repeat(600_000)}`, 'MALFORMED_REQUEST'],
  ])('is refused when malformed (%#)', (body, code) => {
    expect(codeOf(() => parseAddCheckpoint(body))).toBe(code);
  });

  test('that conflicts is answered with a size', () => {
    expect(parseConflict(formatConflict(20852163))).toBe(20852163);
    for (const body of ['', '5', '05\n', '5\n\n', 'x\n']) {
      expect(codeOf(() => parseConflict(body))).toBe('MALFORMED_REQUEST');
    }
  });
});
