import { createServer } from 'node:net';
import { Trouble } from './trouble.mjs';

// Below the range that the system takes for outgoing connections, so that none of those can slip in before the server.
const lowest = 20_000;
const span = 12_000;

const listen = (port) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });

/**
 * Ports on the loopback: each wanted one if it is free (else a Trouble naming the variable), a free one for each undefined.
 * All are held open together before they are handed out, so no two are the same.
 * @param {{ name: string, wanted?: string }[]} wishes
 * @returns {Promise<number[]>}
 */
export async function claimPorts(wishes) {
  const servers = [];
  try {
    for (const wish of wishes) servers.push(await claim(wish));
    return servers.map((server) => server.address().port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function claim({ name, wanted }) {
  if (wanted === undefined || wanted === '') return claimAny();
  const port = Number(wanted);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Trouble(
      `${name}=${wanted} is not a port: give a number up to 65535`,
      `${name}=${wanted} 不是有效端口：请填不超过 65535 的数字`,
    );
  }
  try {
    return await listen(port);
  } catch (error) {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new Trouble(
      `port ${port} (${name}) is taken: stop the program that uses it, or set ${name} to another port, or leave it out for a free one`,
      `端口 ${port}（${name}）已被占用：请停止占用它的程序，或将 ${name} 改为其他端口，或不设置以使用空闲端口`,
    );
  }
}

async function claimAny() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const server = await listen(lowest + Math.floor(Math.random() * span)).catch(() => undefined);
    if (server) return server;
  }
  return listen(0);
}

/** @param {number} count */
export const freePorts = (count) => claimPorts(Array.from({ length: count }, () => ({ name: 'port' })));
