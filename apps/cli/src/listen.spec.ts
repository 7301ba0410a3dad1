import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyWebhook } from '@liandun/sdk';
import { Receiver } from '../../../test/support/receiver.js';
import { until } from '../../../test/support/until.js';
import { EXIT } from './exit-codes.js';
import { memberKey } from './testing/door.js';
import { liandun, type Ran } from './testing/terminal.js';

const notice = (seq: number): object => ({
  specversion: '1.0',
  id: `platform-a.${seq}`,
  type: 'liandun.notice.v1',
  data: { seq, action: 'close', entity: { name: '虚构市某某贸易有限公司' } },
});

/** A ledger's stream that breaks after two notices, as one whose token has ended does. */
class Stream {
  readonly asked: string[] = [];
  private constructor(readonly server: Server) {}

  static async open(count: number): Promise<Stream> {
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/oauth/token')) {
        response.end(JSON.stringify({ access_token: 'token', token_type: 'Bearer', expires_in: 300 }));
        return;
      }
      const after = String(request.headers['last-event-id']);
      stream.asked.push(after);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const from = Number(after) + 1;
      for (let seq = from; seq < Math.min(from + 2, count); seq += 1)
        response.write(`id: ${seq}\ndata: ${JSON.stringify(notice(seq))}\n\n`);
      if (from + 2 < count) response.end();
    });
    const stream = new Stream(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return stream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let folder: string;
let stream: Stream;
let receiver: Receiver;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'liandun-cli-'));
  writeFileSync(join(folder, 'a.jwk'), memberKey('a'));
  stream = await Stream.open(5);
  receiver = await Receiver.start();
});
afterAll(async () => {
  stream.close();
  await receiver.stop();
  rmSync(folder, { recursive: true });
});

/** Runs until it has told of so many answers of the receiver. */
async function listen(count: number, ...more: string[]): Promise<Ran> {
  const interrupted = new AbortController();
  const env = { LIANDUN_URL: stream.url, PLATFORM_A_KEY: join(folder, 'a.jwk') };
  receiver.posted.length = 0;
  let out = '';
  const ran = liandun(['listen', '--as', 'platform-a', '--forward-to', receiver.url, ...more], {
    env,
    cwd: folder,
    interrupted: interrupted.signal,
    heard: (text) => (out += text),
  });
  await until(`${count} answers are told`, () => (out.match(/^(✓|✗|{.*"answer")/gm) ?? []).length >= count);
  interrupted.abort();
  return ran;
}

describe('listen', () => {
  test('posts every notice once and in order as a webhook would be, over a stream that breaks', async () => {
    const { code, out, err } = await listen(5);
    expect(receiver.posted.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4].map((seq) => `platform-a_${seq}`));
    expect(stream.asked).toEqual(['-1', '1', '3']);
    const [publicKey, secret] = [/whpk_\S+/.exec(out)?.[0] ?? '', /whsec_\S+/.exec(out)?.[0] ?? ''];
    for (const [seq, { headers, body }] of receiver.posted.entries())
      for (const key of [publicKey, secret]) expect(verifyWebhook(headers, body, key)).toEqual(notice(seq));
    expect(out.match(/✓ .* #\d close .*204/g)).toHaveLength(5);
    expect(err).toContain('--after 4');
    expect(code).toBe(EXIT.done);
  });

  test('tries again what failed, says so in Chinese, and keeps its key where it is told to', async () => {
    receiver.answer = (n) => ({ status: n === 0 ? 500 : 204 });
    const one = await listen(3, '--after', '2', '--key', 'hook.key', '--lang', 'zh');
    expect(receiver.posted.map(({ id }) => id)).toEqual(['platform-a_3', 'platform-a_3', 'platform-a_4']);
    expect(one.out).toMatch(/✗ .* #3 .*失败：500\n✓ .* #3/);
    receiver.answer = () => ({ status: 204 });
    const again = await listen(1, '--after', '3', '--key', 'hook.key', '--json');
    const [started, ...lines] = again.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(started).toMatchObject({ event: 'listening', publicKey: /whpk_\S+/.exec(one.out)?.[0] });
    expect(lines).toEqual([{ event: 'delivered', id: 'platform-a_4', seq: 4, answer: '204' }]);
  });

  test.each([
    [['--forward-to', 'localhost:3000'], /--forward-to localhost:3000.*http:\/\/127/],
    [['--forward-to', 'http://127.0.0.1:9/', '--key', 'a.jwk'], /not a key that listen made/],
    [[], /--forward-to <url>/],
  ])('%j is refused with what to do', async (argv, pattern) => {
    const env = { LIANDUN_URL: stream.url, PLATFORM_A_KEY: join(folder, 'a.jwk') };
    const { code, err } = await liandun(['listen', '--as', 'platform-a', ...argv], { env, cwd: folder });
    expect(err).toMatch(pattern);
    expect(code).toBe(EXIT.usage);
  });
});
