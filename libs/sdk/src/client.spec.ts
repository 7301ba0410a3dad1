import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { noticeEvent, type CloudEvent, type Receipt } from '@liandun/contracts';
import { noticeIssued } from '../../../test/support/notices.js';
import { memberKey, Wire } from '../../../test/support/wire.js';
import { LiandunClient } from './index.js';

let wire: Wire;
let client: LiandunClient;

beforeEach(async () => {
  wire = await new Wire().start();
  client = new LiandunClient(settings());
});

afterEach(async () => wire.stop());

const settings = () => ({ url: wire.url, memberId: wire.memberId, key: wire.key.privateKey, timeoutMs: 60_000 });
const hearing = {
  notifiedAt: '2020-02-01T00:00:00+08:00',
  endedAt: '2020-02-02T00:00:00+08:00',
  answer: 'none' as const,
};
const event = (id: string): CloudEvent =>
  client.event({ id, type: 'liandun.case.heard.v1', data: { caseId: 'c', hearing } });
const events = (count: number): CloudEvent[] => Array.from({ length: count }, (_, index) => event(`e-${index}`));
const notice = (seq: number) =>
  noticeEvent(noticeIssued(wire.memberId, seq), {
    position: seq,
    leafHash: 'x',
    acceptedAt: '2020-02-03T10:00:00+08:00',
  });

describe('tokens', () => {
  test('one serves many calls at once and after each other', async () => {
    await Promise.all(events(10).map(async (each) => client.publish(each)));
    await client.publish(event('later'));
    expect(wire.tokensIssued).toBe(1);
  });

  test('each audience has its own, and one that is about to expire is renewed', async () => {
    expect(await client.token('liandun-kafka')).toBe('kafka');
    const first = await client.token();
    expect(await client.token()).toBe(first);
    wire.expiresIn = 0;
    const other = new LiandunClient(settings());
    expect(await other.token()).not.toBe(await other.token());
  });

  test('a token that the ledger refuses is replaced once', async () => {
    await client.publish(event('one'));
    wire.forgetTokens();
    expect(await client.publish(event('two'))).toMatchObject({ status: 'accepted' });
    expect(wire.tokensIssued).toBe(2);
  });

  test("another member's key is refused with OAuth's own code", async () => {
    const stranger = new LiandunClient({ ...settings(), key: memberKey().privateKey });
    await expect(stranger.publish(event('x'))).rejects.toMatchObject({ code: 'invalid_client', status: 400 });
    expect(wire.taken.size).toBe(0);
  });
});

describe('publish', () => {
  test('puts an event into its envelope', async () => {
    const receipt = await client.recordHearing({ caseId: 'c', hearing }, { id: 'mine' });
    expect(receipt).toMatchObject({ id: 'mine', status: 'accepted' });
    expect(wire.taken.get('mine')).toMatchObject({
      specversion: '1.0',
      source: 'urn:liandun:member:platform-a',
      type: 'liandun.case.heard.v1',
      data: { caseId: 'c' },
    });
  });

  test('a refused event is a receipt with its problem, not an exception', async () => {
    expect(await client.publish(event('x-bad'))).toMatchObject({
      id: 'x-bad',
      status: 'rejected',
      problem: { code: 'MISSING_FIELD' },
    });
  });

  test('a list goes out in batches of 1,000 and the receipts come in its order', async () => {
    const receipts = await client.publish(events(2_500));
    expect(receipts.map(({ id }) => id)).toEqual(events(2_500).map(({ id }) => id));
    expect(wire.requests.filter(({ path }) => path === '/v1/events')).toHaveLength(3);
  });

  test('waits as long as the ledger asks before it tries again', async () => {
    wire.faults.push((_request, response) => response.writeHead(429, { 'retry-after': '1' }).end());
    const beganAtMs = performance.now();
    expect(await client.publish(event('x'))).toMatchObject({ status: 'accepted' });
    expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(990);
  });

  test('after an answer that was lost, the same id makes a duplicate', async () => {
    const lose = (request: import('node:http').IncomingMessage): void => {
      wire.take(event('x'));
      request.socket.destroy();
    };
    wire.faults.push(lose, (_request, response) => response.writeHead(503).end());
    expect(await client.publish(event('x'))).toMatchObject({ status: 'duplicate' });
    expect(wire.taken.size).toBe(1);
  });

  test('other refusals are thrown with code, status and problem', async () => {
    await expect(client.get('/v1/nowhere')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
      problem: { detailZh: 'NOT_FOUND' },
    });
  });

  test('gives up after so many attempts, with the cause', async () => {
    for (let times = 0; times < 3; times += 1) wire.faults.push((request) => request.socket.destroy());
    const hasty = new LiandunClient({ ...settings(), attemptsMax: 2 });
    await expect(hasty.publish(event('x'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(wire.faults).toHaveLength(1);
  });
});

async function collect(source: AsyncIterable<CloudEvent> | Iterable<CloudEvent>): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for await (const receipt of client.publishStream(source)) receipts.push(receipt);
  return receipts;
}

describe('publishStream', () => {
  test('gives a receipt for each of many events', async () => {
    const receipts = await collect(events(20_000));
    expect(receipts).toHaveLength(20_000);
    expect(receipts.every(({ status }) => status === 'accepted')).toBe(true);
    expect(wire.requests.filter(({ path }) => path === '/v1/events')).toHaveLength(1);
  });

  test('gives receipts while the source is still being read', async () => {
    // The source has no next event before the last one's receipt is here: without it, this never ends.
    const received = events(3).map(() => Promise.withResolvers<void>());
    async function* waiting(): AsyncGenerator<CloudEvent> {
      for (const [index, each] of events(3).entries()) {
        yield each;
        await received[index]!.promise;
      }
    }
    const ids: string[] = [];
    for await (const { id, status } of client.publishStream(waiting())) {
      expect(status).toBe('accepted');
      received[ids.push(id) - 1]!.resolve();
    }
    expect(ids).toEqual(events(3).map(({ id }) => id));
  });

  test('after a lost connection sends again only what has no receipt, and each event is stored once', async () => {
    wire.dropAfter = 7_000;
    const receipts = await collect(events(10_000));
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(10_000);
    expect(receipts).toHaveLength(10_000);
    expect(wire.taken.size).toBe(10_000);
    expect(wire.arrived).toBeLessThan(14_001); // at most what was under way came twice
    expect(wire.requests.filter(({ path }) => path === '/v1/events')).toHaveLength(2);
  });

  test('an empty stream sends one empty request at most', async () => {
    expect(await collect([])).toEqual([]);
  });

  test('what the source throws comes out as it is', async () => {
    const broken = (function* (): Generator<CloudEvent> {
      yield event('one');
      throw new Error('The file is damaged');
    })();
    await expect(collect(broken)).rejects.toThrow('The file is damaged');
  });

  test('a refusal of the whole stream is thrown at once', async () => {
    wire.faults.push((_request, response) =>
      response.writeHead(403).end(JSON.stringify({ code: 'SUSPENDED', detail: 'x' })),
    );
    await expect(collect(events(10))).rejects.toMatchObject({ code: 'SUSPENDED', status: 403 });
  });
});

describe('notices', () => {
  test('come in pages', async () => {
    wire.notices = [0, 1, 2].map(notice);
    const { items } = await client.notices(0, 1);
    expect(items.map(({ data }) => data.seq)).toEqual([1]);
  });

  test('come as a stream that goes on where it broke, even within an event', async () => {
    wire.notices = [0, 1, 2, 3, 4].map(notice);
    wire.dropAfter = 3;
    const stop = new AbortController();
    const seqs: number[] = [];
    for await (const { data } of client.streamNotices(-1, stop.signal)) {
      seqs.push(data.seq);
      if (data.seq === 4) stop.abort();
    }
    expect(seqs).toEqual([0, 1, 2, 3, 4]);
    expect(wire.requests.at(-1)?.headers['last-event-id']).toBe('2');
  });

  test('a suspended member is told so', async () => {
    wire.faults.push((_request, response) =>
      response.writeHead(403).end(JSON.stringify({ code: 'SUSPENDED', detail: 'x' })),
    );
    await expect(client.streamNotices().next()).rejects.toMatchObject({ code: 'SUSPENDED' });
  });
});

test("a regulator's reads carry purpose and case", async () => {
  wire.faults.push((_request, response) => response.writeHead(200).end('{}'));
  await client.coverage('L1-0123456789ab', { purpose: 'supervision', caseNo: 'BJ-1' });
  expect(wire.requests.at(-1)).toMatchObject({
    path: '/v1/listings/L1-0123456789ab/coverage',
    headers: { 'liandun-purpose': 'supervision', 'liandun-case': 'BJ-1' },
  });
  wire.faults.push((_request, response) => response.writeHead(200).end('{}'));
  await client.coverage('L1-0123456789ab', { purpose: 'supervision', caseNo: '京〔2026〕17号' });
  expect(wire.requests.at(-1)?.headers['liandun-case']).toBe(encodeURIComponent('京〔2026〕17号'));
});
