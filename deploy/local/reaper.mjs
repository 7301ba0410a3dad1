// Ends the services of a parent that could not end them itself: kill -9, a crash, out of memory.
// It reads "+pid" and "-pid" lines from the parent; the pipe closes when the parent is gone, whatever ended it.
// With a name as argument it holds the lock of that name for as long as the parent or one of the services lives.
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
const alive = (signal) => [...pids].filter((pid) => send(pid, signal));
alive('SIGINT');
for (let i = 0; i < 100 && alive(0).length > 0; i += 1) await sleep(100);
alive('SIGKILL');
process.exit(0);

function send(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
