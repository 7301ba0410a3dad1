import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import { EVENT_LOG_MIGRATIONS } from './index.js';

/** Of the SQL of each released migration: databases have run it, so a change of it needs a migration of its own. */
const RELEASED = {
  CreateLog1760000000000: 'd45df8f3499b4431e0d96356d3867b920a08ed8256711904615f81b6620dd5d7',
};

test('a released migration stays as it was', async () => {
  const hashes: Record<string, string> = {};
  for (const Migration of EVENT_LOG_MIGRATIONS) {
    const sql: string[] = [];
    await new Migration().up({ query: async (text: string) => void sql.push(text) } as unknown as QueryRunner);
    hashes[Migration.name] = createHash('sha256').update(sql.join('\n')).digest('hex');
  }
  expect(hashes).toEqual(RELEASED);
});
