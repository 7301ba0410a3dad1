import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { codeOf, MemoryLog } from '../../../test/support/tlog.js';
import {
  formatCheckpoint,
  openCheckpoint,
  parseSignerKey,
  parseVerifierKey,
  signNote,
  verifyConsistency,
  verifyInclusion,
} from './index.js';

const shared = process.env['LIANDUN_SHARED'] ?? join(process.cwd(), '../shared');
const vectors = join(shared, 'data/transparency-log');

// They lie outside the repository: where they are missing, these tests are skipped and say so.
const found = existsSync(vectors);
// oxlint-disable-next-line jest/no-disabled-tests
const describeFound = found ? describe : describe.skip;

const json = (name: string): unknown => (found ? JSON.parse(readFileSync(join(vectors, name), 'utf8')) : []);
const bytes = (text: string) => Buffer.from(text, 'base64');

interface Vector {
  name: string;
  proof: string[] | null;
  wantErr: boolean;
}
type InclusionVector = Vector & { leafIdx: number; treeSize: number; root: string; leafHash: string };
type ConsistencyVector = Vector & { size1: number; root1: string; size2: number; root2: string };

describeFound('the vectors of transparency-dev/merkle', () => {
  const inclusion = json('inclusion-vectors.json') as InclusionVector[];
  const consistency = json('consistency-vectors.json') as ConsistencyVector[];

  test('are all here', () => {
    expect([inclusion, consistency].map((list) => list.length)).toEqual([98, 98]);
    expect([...inclusion, ...consistency].filter(({ wantErr }) => wantErr)).toHaveLength(184);
  });

  test.each(inclusion)('inclusion $name: must fail: $wantErr', (v) => {
    const claim = { root: bytes(v.root), leafHash: bytes(v.leafHash), proof: (v.proof ?? []).map(bytes) };
    const code = codeOf(() => verifyInclusion({ index: v.leafIdx, size: v.treeSize, ...claim }));
    expect(code !== undefined).toBe(v.wantErr);
  });

  test.each(consistency)('consistency $name: must fail: $wantErr', (v) => {
    const claim = { root1: bytes(v.root1), root2: bytes(v.root2), proof: (v.proof ?? []).map(bytes) };
    const code = codeOf(() => verifyConsistency({ size1: v.size1, size2: v.size2, ...claim }));
    expect(code !== undefined).toBe(v.wantErr);
  });
});

describeFound('the golden log of transparency-dev/tessera, rebuilt', () => {
  const golden = join(vectors, 'golden-log');
  const entries = 'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'.split(' ');
  const signer = parseSignerKey(
    'PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg',
  );
  const vkey = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
  const log = new MemoryLog();
  const checkpoints = new Map<string, string>();
  for (let size = 0; size <= entries.length; size += 1) {
    if (size > 0) log.append([entries[size - 1]!]);
    const text = formatCheckpoint({ origin: signer.name, size, rootHash: log.root });
    checkpoints.set(`checkpoint.${size}`, signNote(text, signer));
  }
  const names = found ? readdirSync(golden) : [];

  test('has the same 16 checkpoints, byte for byte', () => {
    expect([...checkpoints.keys()].toSorted()).toEqual(names.filter((name) => name.includes('.')).toSorted());
    for (const [name, note] of checkpoints) expect(note).toBe(readFileSync(join(golden, name), 'utf8'));
    expect(checkpoints.get('checkpoint.15')).toBe(readFileSync(join(golden, 'checkpoint'), 'utf8'));
  });

  test('has the same tiles and bundles, byte for byte, and no others', () => {
    const paths = readdirSync(golden, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && !file.name.startsWith('checkpoint'))
      .map((file) => join(file.parentPath, file.name).slice(golden.length + 1));
    expect([...log.files.keys()].toSorted()).toEqual(paths.toSorted());
    for (const [path, content] of log.files) expect(content).toEqual(readFileSync(join(golden, path)));
  });

  test('is opened with the published key alone', () => {
    for (const [name, note] of checkpoints) {
      expect(openCheckpoint(note, { logs: [parseVerifierKey(vkey)] }).size).toBe(Number(name.split('.')[1]));
    }
  });
});
