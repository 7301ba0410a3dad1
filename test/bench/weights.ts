// Learns the matcher's weights anew from the identity test data, without its truth, and writes the frozen file.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { learnWeights, weightsFile, type MatchRecord } from '@liandun/identity';
import type { BenchResult } from './result.js';

const VERSION = 'zh-1';

export async function run({ root }: { root: string }): Promise<BenchResult> {
  const data = join(process.env.LIANDUN_SHARED ?? join(root, '../shared'), 'data/identity/full.jsonl.gz');
  const lines = gunzipSync(await readFile(data))
    .toString('utf8')
    .trim()
    .split('\n');
  const records = lines.map((line) => JSON.parse(line) as MatchRecord);
  const began = performance.now();
  const weights = learnWeights(records, VERSION);
  const seconds = (performance.now() - began) / 1000;
  await writeFile(join(root, 'libs/identity/data/weights-1.ts'), weightsFile(weights));
  return {
    name: 'weights',
    title: `Weights of ${VERSION}, learned from ${records.length} unlabelled records in ${seconds.toFixed(1)} s`,
    rows: Object.entries(weights.levels).flatMap(([kind, fields]) =>
      Object.entries(fields).flatMap(([field, levels]) =>
        Object.entries(levels).map(([level, [same, stranger, kin]]) => ({
          kind,
          field,
          level,
          strangerBits: Math.log2(same / stranger).toFixed(1),
          kinBits: Math.log2(same / kin).toFixed(1),
        })),
      ),
    ),
    notes: ['libs/identity/data/weights-1.ts'],
    json: weights,
  };
}
