// Ends the services of a parent that could not end them itself: kill -9, a crash, out of memory.
// It reads "+pid" and "-pid" lines from the parent; the pipe closes when the parent is gone, whatever ended it.
// With a name as argument it holds the lock of that name for as long as the parent or one of the services lives.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from './locks.mjs';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdout.on('error', () => {}); // the parent is gone: the pipe below says so
const [name] = process.argv.slice(2);
let state = 'running';
if (name !== undefined) {
  const held = await tryLock(name, () => state);
  console.log(held.takenBy ?? 'locked');
  if (held.takenBy !== undefined) process.exit(0);
}

const pids = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line);
  if (pid > 0) pids.add(pid);
  else pids.delete(-pid);
}

state = 'reaping';
// A busy machine may need long for an orderly end; nothing but the next start waits for it.
await endAll('SIGINT', 40_000);
await endAll('SIGKILL', 10_000);
process.exit(0);

async function endAll(signal, withinMs) {
  for (const pid of pids) send(pid, signal);
  for (const deadline = Date.now() + withinMs; [...pids].some(isAlive) && Date.now() < deadline;) await sleep(100);
}

/** A zombie is dead: who should have waited for it is gone, and its new parent may not care. */
function isAlive(pid) {
  if (!send(pid, 0)) return false;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

function send(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
