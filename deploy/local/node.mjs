// node deploy/local/node.mjs ARGS...: installs what package-lock.json asks for, then runs our own Node with ARGS.
// It runs under the host's Node, whatever its version, before there is a node_modules: built-in modules only.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(root);
const bin = `${root}node_modules/.bin`;
const parent = process.ppid;
const hostPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((dir) => !dir.includes('node_modules'))
  .join(delimiter);

/** Runs a command to its end, passes our signals on and ends it when our parent is gone. */
function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    const watch = setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500);
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on('exit', (code) => {
      clearInterval(watch);
      resolve(code ?? 1);
    });
  });
}

const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/**
 * Whether node_modules holds what the lockfile names. npm writes its hidden lockfile last, so an installation that was
 * broken off doesn't count. Only packages for other platforms may be missing.
 */
function installed() {
  if (!existsSync(`${bin}/node`) || !existsSync('node_modules/.package-lock.json')) return false;
  const present = packages('node_modules/.package-lock.json');
  return Object.entries(packages('package-lock.json')).every(
    ([path, wanted]) =>
      path === '' ||
      (present[path] ? present[path].version === wanted.version : Boolean(wanted.optional || wanted.devOptional)),
  );
}

if (!installed()) {
  console.error('installing packages: a minute or two · 正在安装依赖，约一两分钟');
  // npm runs under the host's Node, since it deletes ours.
  const code = await run('npm', ['ci', '--no-audit', '--no-fund'], { PATH: hostPath, npm_config_loglevel: 'error' });
  if (code !== 0) {
    console.error(
      'packages could not be installed: check the network, the free disk space and npm (see above), then try again · ' +
        '依赖安装失败：请检查网络、磁盘空间和 npm（见上），然后重试',
    );
    process.exit(code);
  }
}
process.exit(await run(`${bin}/node`, process.argv.slice(2), { PATH: `${bin}${delimiter}${hostPath}` }));
