import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, realpath, statfs } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lock } from './children.mjs';
import { writeWhole } from './keys.mjs';
import { Trouble } from './trouble.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where everything lies that outlives a start. */
export const home = resolve(root, process.env.LIANDUN_HOME || '.liandun');

const layout = '1';
const freeBytesMin = 500 * 1024 * 1024;

/**
 * Opens the state folder, alone: another launcher on it is refused, the rest of one that died is waited for.
 * @returns {Promise<{ home: string, isNew: boolean }>} `isNew`: nothing was ever started from it
 */
export async function openState({ onWait }) {
  await mkdir(home, { recursive: true });
  // PostgreSQL may run as another user, who has to get to its folder and no further.
  await chmod(home, 0o711);
  await lockState(onWait);
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < freeBytesMin) throw Object.assign(new Error('less than 500 MB are free'), { code: 'ENOSPC' });
  const isNew = await checkLayout();
  if (isNew) await writeWhole(`${home}/version`, `${layout}\n`);
  return { home, isNew };
}

async function lockState(onWait) {
  const name = `state ${await realpath(home)}`;
  for (let answer = await lock(name), waits = 0; answer !== 'locked'; answer = await lock(name), waits += 1) {
    if (answer !== 'reaping' || waits > 300) {
      throw new Trouble(
        `another launcher already runs on ${home}: stop it (Ctrl-C there), or set LIANDUN_HOME to another folder`,
        `${home} 上已有另一个启动程序在运行：请先停止它（在其终端按 Ctrl-C），或将 LIANDUN_HOME 设为其他文件夹`,
      );
    }
    if (waits === 0) onWait();
    await sleep(200);
  }
}

async function checkLayout() {
  const found = existsSync(`${home}/version`) ? (await readFile(`${home}/version`, 'utf8')).trim() : undefined;
  if (found === layout) return !existsSync(`${home}/postgres`) && !existsSync(`${home}/keys.json`);
  // The tests keep the broker's jars here; they belong to no version.
  const others = (await readdir(home)).filter((name) => !name.startsWith('kafka-jars-') && !name.startsWith('.'));
  if (found === undefined && others.length === 0) return true;
  throw new Trouble(
    `the state folder ${home} is damaged or of another version (version ${found ?? 'missing'}, ${layout} is needed): move it away, or set LIANDUN_HOME to a new folder`,
    `状态文件夹 ${home} 已损坏或版本不符（需要版本 ${layout}）：请将其移走，或将 LIANDUN_HOME 设为新的文件夹`,
  );
}

const quote = (value) => (/^[\w./:@+=,-]*$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`);

/** Writes `env`: lines KEY=value, quoted for a shell where they need it. */
export async function writeEnv(values) {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${quote(value)}\n`);
  await writeWhole(`${home}/env`, lines.join(''), 0o600);
}

/** Reads `env` as `writeEnv` wrote it; undefined before the first start. */
export async function readEnv() {
  if (!existsSync(`${home}/env`)) return undefined;
  const entries = (await readFile(`${home}/env`, 'utf8')).split('\n').filter(Boolean);
  return Object.fromEntries(
    entries.map((line) => {
      const at = line.indexOf('=');
      const value = line.slice(at + 1);
      const plain = value.startsWith("'") ? value.slice(1, -1).replaceAll(String.raw`'\''`, "'") : value;
      return [line.slice(0, at), plain];
    }),
  );
}
