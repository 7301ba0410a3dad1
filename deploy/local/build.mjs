import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { start } from './children.mjs';
import { withLock } from './locks.mjs';
import { root } from './state.mjs';

const stamp = `${root}dist/.sources`;
const inputs = [
  '{apps,libs,test}/**/*.ts',
  'apps/api/src/page/*',
  'tsconfig*.json',
  'nest-cli.json',
  'package-lock.json',
];

async function digestOfSources() {
  const hash = createHash('sha256');
  const files = await Array.fromAsync(glob(inputs, { cwd: root, exclude: ['**/node_modules/**', '**/*spec.ts'] }));
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(await readFile(`${root}${file}`));
  return hash.digest('hex');
}

/**
 * Compiles apps and libs into `dist`, unless that is what lies there already.
 * @returns {Promise<boolean>} whether anything had to be done
 */
export function build() {
  return withLock(`build ${root}`, async () => {
    const digest = await digestOfSources();
    if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === digest) return false;
    const service = start('build', `${root}node_modules/.bin/nest`, ['build'], { cwd: root });
    const how = await service.ended;
    if (how !== 0) throw new Error(service.report(how));
    await mkdir(`${root}dist`, { recursive: true });
    await writeFile(stamp, digest);
    return true;
  });
}
