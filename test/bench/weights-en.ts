// Learns the English weights anew from the historical figures, without their truth, and writes the frozen file.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { learnEnglishWeights, weightsFile } from '@liandun/identity';
import { historical } from './entity-resolution/sets.js';
import type { BenchResult } from './result.js';

const VERSION = 'en-1';
const FILE = 'libs/identity/data/weights-en-1.ts';

export async function run({ root }: { root: string }): Promise<BenchResult> {
  const { records } = await historical();
  const began = performance.now();
  const weights = learnEnglishWeights(records, VERSION);
  const seconds = (performance.now() - began) / 1000;
  await writeFile(join(root, FILE), weightsFile(weights, 'WEIGHTS_EN_1', 'en-weights.ts'));
  return {
    name: 'weights-en',
    title: `Weights of ${VERSION}, learned from ${records.length} unlabelled records in ${seconds.toFixed(1)} s`,
    rows: Object.entries(weights.levels.person).flatMap(([field, levels]) =>
      Object.entries(levels).map(([level, [same, stranger, kin]]) => ({
        field,
        level,
        strangerBits: Math.log2(same / stranger).toFixed(1),
        kinBits: Math.log2(same / kin).toFixed(1),
      })),
    ),
    notes: [`${FILE}; format it with npx prettier --write`],
    json: weights,
  };
}
