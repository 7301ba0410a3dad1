import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

// Long enough for a broker and a database on a busy machine to end in order.
const graceMs = 30_000;
const services = [];
let reaper;
let closed = false;

/**
 * Starts a service in its own process group: Ctrl-C reaches only us, so we choose the order of stopping.
 * `log` is a file that gets its output; `isServer` says that others need it to stop in order; `inherit: true` gives it our terminal instead. `ended` never rejects: it resolves
 * to the exit code, the signal, or the system's error code when it couldn't be started.
 */
export function start(
  name,
  command,
  args,
  { log, onLine = () => {}, inherit = false, isServer = false, ...options } = {},
) {
  if (closed) throw new Error(`${name} is not started: everything is being stopped`);
  reaper ??= startReaper([]);
  const stdio = inherit ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
  const child = spawn(command, args, { ...options, detached: true, stdio });
  const tail = [];
  const file = log && createWriteStream(log, { flags: 'a' }).on('error', () => {}); // a full disk shows elsewhere
  for (const stream of inherit ? [] : [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      file?.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (tail.push(line) > 20) tail.shift();
        onLine(line);
      }
    });
  }
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.code));
    child.once('close', (code, signal) => {
      file?.end();
      resolve(code ?? signal);
    });
  });
  if (child.pid) {
    reaper.stdin.write(`+${child.pid}\n`);
    child.once('exit', () => reaper?.stdin.write(`-${child.pid}\n`));
  }
  const report = (how) => `${name} ended (${how})\n${stripVTControlCharacters(tail.join('\n'))}`;
  const service = { name, child, ended, isServer, report };
  services.push(service);
  return service;
}

/** Resolves on the first line that matches; rejects, with the last lines, when the service ends first. */
export function startUntil(ready, name, command, args, options) {
  return new Promise((resolve, reject) => {
    const onLine = (line) => ready.test(line) && resolve(service);
    const service = start(name, command, args, { ...options, onLine });
    void service.ended.then((how) => reject(new Error(service.report(how))));
  });
}

/** How many of the services that were started still run. */
export const running = () =>
  services.filter(({ child }) => child.pid && child.exitCode === null && child.signalCode === null).length;

/** Ends one service: SIGINT, and SIGKILL when it takes longer than the grace period. */
async function stop({ child, ended }) {
  if (!child.pid || child.exitCode !== null || child.signalCode !== null) return;
  send(child.pid, 'SIGINT');
  const timer = setTimeout(send, graceMs, child.pid, 'SIGKILL');
  await ended;
  clearTimeout(timer);
}

/** Ends everything that was started, the servers after those who use them; nothing can be started after it. */
export async function stopAll() {
  closed = true;
  const started = services.splice(0);
  for (const isServer of [false, true]) {
    await Promise.all(started.filter((service) => service.isServer === isServer).map(stop));
  }
  if (reaper?.exitCode === null && reaper.signalCode === null) {
    reaper.stdin.end();
    await once(reaper, 'exit');
  }
  reaper = undefined;
}

function send(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

function startReaper(args) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('reaper.mjs', import.meta.url)), ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {}); // somebody ended it: go on without
  child.stdout.setEncoding('utf8');
  return child;
}

/**
 * Takes the lock of that name before anything is started. The reaper holds it, so it is free again only when every
 * service has ended, even after kill -9 of this process; the system frees it, so it never goes stale.
 * @returns {Promise<'locked' | 'running' | 'reaping'>} `running`: another process holds it; `reaping`: that one died and
 *   its services are being stopped
 */
export async function lock(name) {
  reaper = startReaper([name]);
  const [answer] = await once(reaper.stdout, 'data');
  if (answer.trim() !== 'locked') reaper = undefined;
  return answer.trim();
}
