import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * The sandbox's gateway for one-time codes: it prints what a real one would send by SMS or mail, and nothing else does. It stands
 * for the receiver's phone, too: `GET ?to=…` gives the last code that was sent there.
 * @param {(line: string) => void} print
 * @returns {Promise<string>} its address, for LIANDUN_CODE_GATEWAY
 */
export async function openCodeGateway(print) {
  const codes = new Map();
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      const code = codes.get(new URL(request.url, 'http://gateway').searchParams.get('to'));
      response.statusCode = code === undefined ? 404 : 200;
      return response.end(JSON.stringify({ code }));
    }
    const chunks = await Array.fromAsync(request);
    const { channel, to, code } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    codes.set(to, code);
    print(`${channel} → ${to}: ${code}`);
    return response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return `http://127.0.0.1:${server.address().port}/codes`;
}
