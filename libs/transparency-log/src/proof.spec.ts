import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, MemoryLog, newSigner } from '../../../test/support/tlog.js';
import {
  cosign,
  formatCheckpoint,
  formatNote,
  formatProof,
  formatVerifierKey,
  inclusionProof,
  isQuorum,
  leafHash,
  parseNote,
  parsePolicy,
  parseProof,
  signNote,
  tileNodes,
  verifyProof,
  type SignerKey,
  type VerifiedSignature,
} from './index.js';

const log = newSigner('example.com/log', 'log');
const witnesses = ['x1', 'x2', 'x3', 'y1', 'y2'].map((name) => newSigner(`${name}.example`, 'witness'));
const vkeys = witnesses.map(formatVerifierKey);
const logLine = `log ${formatVerifierKey(log)} https://log.example/\n`;
const witnessLines = vkeys.map((vkey, i) => `witness w${i} ${vkey}\n`).join('');

const entries = Array.from({ length: 300 }, (_, i) => `entry ${i}`);
const tree = new MemoryLog(entries);

async function proofOf(index: number, cosigners: SignerKey[] = []): Promise<string> {
  const text = formatCheckpoint({ origin: log.name, size: tree.size, rootHash: tree.root });
  const { signatures } = parseNote(signNote(text, log));
  const cosignatures = cosigners.map((witness) => cosign(text, witness, 1_700_000_000));
  const checkpoint = formatNote({ text, signatures: [...signatures, ...cosignatures] });
  const hashes = await inclusionProof(index, tree.size, tileNodes(tree.size, tree.readTiles));
  return formatProof({ index, hashes, checkpoint });
}

const none = parsePolicy(`${logLine}quorum none\n`);
const two = parsePolicy(`${logLine}${witnessLines}group g 2 w0 w1 w2\nquorum g\n`);

describe('a proof', () => {
  test('is enough to believe that an entry is in the log', async () => {
    for (const index of [0, 1, 255, 256, 299]) {
      const proof = parseProof(Buffer.from(await proofOf(index)));
      expect(verifyProof(proof, leafHash(entries[index]!), none)).toMatchObject({ size: 300, rootHash: tree.root });
    }
  });

  test('has the form of C2SP tlog-proof', () => {
    const text = formatProof({ index: 7, hashes: [Buffer.alloc(32)], checkpoint: 'note\n', extra: Buffer.from('x') });
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nextra eA==\nindex 7\n${Buffer.alloc(32).toString('base64')}\n\nnote\n`);
    expect(parseProof(text)).toEqual({
      index: 7,
      hashes: [Buffer.alloc(32)],
      checkpoint: 'note\n',
      extra: Buffer.from('x'),
    });
  });

  test('with a flipped bit anywhere is not accepted', async () => {
    const proof = Buffer.from(await proofOf(123));
    fc.assert(
      fc.property(fc.nat({ max: proof.length * 8 - 1 }), (bit) => {
        const changed = Buffer.from(proof);
        changed[bit >> 3]! ^= 1 << (bit % 8);
        expect(codeOf(() => verifyProof(parseProof(changed), leafHash(entries[123]!), none))).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  test('is about one entry', async () => {
    const proof = parseProof(await proofOf(5));
    expect(codeOf(() => verifyProof(proof, leafHash(entries[6]!), none))).toBe('NOT_INCLUDED');
    expect(codeOf(() => verifyProof({ ...proof, index: 6 }, leafHash(entries[5]!), none))).toBe('NOT_INCLUDED');
    expect(codeOf(() => verifyProof({ ...proof, index: 300 }, leafHash(entries[5]!), none))).toBe('OUTSIDE_TREE');
  });

  test('needs as many cosignatures as the policy says', async () => {
    const [x1, , x3, y1] = witnesses;
    const verify = async (cosigners: SignerKey[]) => {
      const proof = parseProof(await proofOf(5, cosigners));
      return codeOf(() => verifyProof(proof, leafHash(entries[5]!), two));
    };
    expect(await verify([])).toBe('QUORUM_NOT_REACHED');
    expect(await verify([x1!])).toBe('QUORUM_NOT_REACHED');
    expect(await verify([x1!, x1!])).toBe('QUORUM_NOT_REACHED');
    expect(await verify([x1!, y1!])).toBe('QUORUM_NOT_REACHED');
    expect(await verify([x1!, newSigner(x3!.name, 'witness')])).toBe('QUORUM_NOT_REACHED');
    expect(await verify([x1!, x3!])).toBeUndefined();
  });

  const head = 'c2sp.org/tlog-proof@v1\n';
  const hash = `${Buffer.alloc(32).toString('base64')}\n`;
  test.each([
    '',
    'c2sp.org/tlog-proof@v2\nindex 0\n\nnote\n',
    `${head}index 0\n`,
    `${head}\nnote\n`,
    `${head}index 00\n\nnote\n`,
    `${head}index 18446744073709551615\n\nnote\n`,
    `${head}index 0\nextra eA==\n\nnote\n`,
    `${head}extra eA\nindex 0\n\nnote\n`,
    `${head}index 0\nAAAA\n\nnote\n`,
    `${head}index 0\n${hash.repeat(64)}\nnote\n`,
    `${head}index 0\n\n${'x'.repeat(600_000)}`,
  ])('is refused when malformed (%#)', (text) => {
    expect(codeOf(() => parseProof(text))).toBe('MALFORMED_PROOF');
  });
});

describe('a policy', () => {
  const cosigned = (...which: number[]): VerifiedSignature[] =>
    which.map((i) => ({ key: witnesses[i]!, signature: { ...witnesses[i]!, signature: Buffer.alloc(0) } }));

  test('names its logs, witnesses and where they are reached', () => {
    const policy = parsePolicy(`# ours\n\n\t${logLine}witness\tw ${vkeys[0]} https://w.example/\n quorum w \n`);
    expect(policy.logs.map(formatVerifierKey)).toEqual([formatVerifierKey(log)]);
    expect(policy.urls.get(policy.logs[0]!)).toBe('https://log.example/');
    expect(policy.urls.get(policy.witnesses.get('w')!)).toBe('https://w.example/');
    expect(isQuorum(policy, cosigned(0))).toBe(true);
    expect(isQuorum(policy, cosigned(1))).toBe(false);
  });

  test('divides its witnesses into groups of groups', () => {
    const policy = parsePolicy(
      `${witnessLines}group X 2 w0 w1 w2\ngroup Y any w3 w4\ngroup both all X Y\nquorum both\n`,
    );
    expect([cosigned(0, 1, 3), cosigned(0, 2, 4), cosigned(0, 1, 2, 3, 4)].map((s) => isQuorum(policy, s))).toEqual([
      true,
      true,
      true,
    ]);
    expect([cosigned(), cosigned(0, 1), cosigned(0, 3, 4), cosigned(3, 4)].some((s) => isQuorum(policy, s))).toBe(
      false,
    );
  });

  test.each([
    ['', 'nothing'],
    [witnessLines, 'no quorum'],
    ['quorum none\nquorum none\n', 'two quorums'],
    ['quorum w0\n', 'an unknown name'],
    [`${witnessLines}quorum w0 w1\n`, 'two names'],
    [`${witnessLines}${witnessLines}quorum none\n`, 'a name twice'],
    [`witness a ${vkeys[0]}\nwitness b ${vkeys[0]}\nquorum none\n`, 'a key twice'],
    [`${logLine}${logLine}quorum none\n`, 'a log twice'],
    [`witness none ${vkeys[0]}\nquorum none\n`, 'the name none'],
    [`witness w ${formatVerifierKey(log)}\nquorum none\n`, "a log's key for a witness"],
    [`log ${vkeys[0]}\nquorum none\n`, "a witness's key for a log"],
    [`${logLine.trim()} more\nquorum none\n`, 'a word too many'],
    [`${witnessLines}group g 0 w0\nquorum g\n`, 'a threshold of 0'],
    [`${witnessLines}group g 2 w0\nquorum g\n`, 'a threshold above the members'],
    [`${witnessLines}group g constructor w0\nquorum g\n`, 'a threshold that is none'],
    [`${witnessLines}group g any\nquorum g\n`, 'an empty group'],
    [`${witnessLines}group g any w0 w0\nquorum g\n`, 'a member twice'],
    [`${witnessLines}group g any w0\ngroup h all g w0\nquorum h\n`, 'a witness in two groups'],
    [`${witnessLines}group g any h\ngroup h any w0\nquorum g\n`, 'a group below its use'],
    ['quorums none\n', 'an unknown word'],
    [`quorum none\n#${'x'.repeat(70_000)}`, 'too much'],
  ])('is refused (%#, %s)', (text) => {
    expect(codeOf(() => parsePolicy(text))).toBe('MALFORMED_POLICY');
  });
});
