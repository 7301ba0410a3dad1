// npm run liandun -- ARGS: the command-line tool against the running sandbox, built first if the sources have changed.
import { spawn } from 'node:child_process';
import { build } from './build.mjs';
import { stopAll } from './children.mjs';
import { home, readEnv, root } from './state.mjs';
import { Trouble, troubleOf } from './trouble.mjs';

try {
  await build();
} catch (error) {
  const trouble = error instanceof Trouble ? error : troubleOf(error, home);
  console.error(`✗ ${trouble?.message ?? error.message}`);
  await stopAll();
  process.exit(1);
}
await stopAll();
// What npm start wrote are defaults: the environment of the caller wins.
const env = { ...(await readEnv()), ...process.env, LIANDUN_HOME: home };
const args = ['--enable-source-maps', `${root}dist/apps/cli/src/main.js`, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: 'inherit', env, cwd: process.env.INIT_CWD ?? root });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
const parent = process.ppid;
const watch = setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500);
child.on('exit', (code) => {
  clearInterval(watch);
  process.exitCode = code ?? 130;
});
