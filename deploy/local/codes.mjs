import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * The sandbox's gateway for one-time codes: it prints what a real one would send by SMS or mail, and nothing else does.
 * @param {(line: string) => void} print
 * @returns {Promise<string>} its address, for LIANDUN_CODE_GATEWAY
 */
export async function openCodeGateway(print) {
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request);
    const { channel, to, code } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    print(`${channel} → ${to}: ${code}`);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return `http://127.0.0.1:${server.address().port}/codes`;
}
