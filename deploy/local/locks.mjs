import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** A socket name stands for the lock: the system lets it go when its holder dies. On Linux it leaves no file behind. */
function addressOf(name) {
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 32);
  return process.platform === 'linux' ? `\0liandun-${digest}` : `${tmpdir()}/liandun-${digest}.sock`;
}

/**
 * Takes a lock if it is free.
 * @param {string} name
 * @param {() => string} tell what a process that finds it taken is told
 * @returns {Promise<{ release(): void } | { takenBy: string }>}
 */
export async function tryLock(name, tell) {
  const address = addressOf(name);
  const server = createServer((socket) => socket.on('error', () => {}).end(tell()));
  for (;;) {
    const taken = await new Promise((resolve, reject) => {
      server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(true) : reject(error)));
      server.listen(address, () => resolve(false));
    });
    if (!taken) return { release: () => server.close() };
    const takenBy = await ask(address);
    if (takenBy !== undefined) return { takenBy };
    // Its holder died: only where the name is a file is something left.
    if (process.platform !== 'linux') rmSync(address, { force: true });
    server.removeAllListeners('error');
  }
}

const ask = (address) =>
  new Promise((resolve) => {
    let answer = '';
    connect(address)
      .setEncoding('utf8')
      .on('data', (chunk) => (answer += chunk))
      .on('end', () => resolve(answer))
      .on('error', () => resolve(undefined));
  });

/** Runs `work` while no other process holds the lock of that name, and waits for it as long as it takes. */
export async function withLock(name, work) {
  for (;;) {
    const held = await tryLock(name, () => 'busy');
    if ('release' in held) {
      try {
        return await work();
      } finally {
        held.release();
      }
    }
    await sleep(200);
  }
}
