// Ends the services of a parent that could not end them itself: kill -9, a crash, out of memory.
// It reads "+pid" and "-pid" lines from the parent; the pipe closes when the parent is gone, whatever ended it.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
const pids = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line);
  if (pid > 0) pids.add(pid);
  else pids.delete(-pid);
}

const alive = (signal) => [...pids].filter((pid) => send(pid, signal));
alive('SIGINT');
for (let i = 0; i < 100 && alive(0).length > 0; i += 1) await sleep(100);
alive('SIGKILL');

function send(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
