import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { noticeEvent, type NoticeIssued } from '@liandun/contracts';
import { EventLog } from '@liandun/event-log';
import { TestApi, type TestMember } from '../../../test/support/api.js';

let api: TestApi;
let log: EventLog;
beforeAll(async () => {
  api = await TestApi.start();
  log = new EventLog({ pool: api.pool });
});
afterAll(async () => {
  await log.close();
  await api.stop();
});

const contentOf = (member: TestMember, seq: number): NoticeIssued => ({
  member,
  noticeId: `${member}.${seq}`,
  seq,
  action: 'close',
  listingId: 'L1-0123456789ab',
  stillListed: true,
  entity: { entityId: 'E0-0123456789ab', kind: 'organization', name: '示例公司' },
  merchantIds: ['m1'],
  shops: [{ shopId: 's1', name: '店', url: 'https://s1.example/' }],
  match: { grade: 'exact', because: ['uscc'] },
  reason: { code: 'C06', labelZh: '甲', labelEn: 'a', legalBasis: ['x'] },
  tier: 1,
  autoClosable: false,
  effectiveAt: '2020-02-03T09:30:00.000+08:00',
  expiresAt: '2023-02-03T09:30:00.000+08:00',
  respondBy: '2020-02-04T09:30:00.000+08:00',
});

async function issue(member: TestMember, from: number, count: number): Promise<void> {
  const seqs = Array.from({ length: count }, (_, i) => from + i);
  const outcome = await log.append({
    events: seqs.map((seq) => ({
      id: `notify:${member}:${seq}`,
      source: 'urn:liandun:ledger',
      type: 'liandun.notice.issued.v1',
      time: '2020-02-03T09:30:00.000+08:00',
      stream: `notices/${member}`,
      data: contentOf(member, seq),
      fingerprint: Buffer.from(`${member}.${seq}`),
    })),
  });
  expect(outcome.status).toBe('appended');
}

/** The bytes that Kafka carries. */
async function onKafka(member: TestMember): Promise<string[]> {
  const entries = await log.readStream(`notices/${member}`, { limit: 1_000 });
  return entries.map(({ data, position, leafHash, acceptedAt }) => {
    const { member: _receiver, ...content } = data as NoticeIssued;
    return JSON.stringify(noticeEvent(content, { position, leafHash: leafHash.toString('base64'), acceptedAt }));
  });
}

/** Reads `count` messages of a stream that is open. */
async function take(response: Response, count: number): Promise<{ id: number; data: string }[]> {
  const messages: { id: number; data: string }[] = [];
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (messages.length < count) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream ended');
    text += value;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(part) ?? [];
      if (id !== undefined && data !== undefined) messages.push({ id: Number(id), data });
    }
  }
  await reader.cancel();
  return messages;
}

const open = async (member: TestMember, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${api.api.url}/v1/notices/stream`, {
    headers: { authorization: `Bearer ${await api.token(member)}`, ...headers },
  });

test('the feed gives the same bytes as Kafka, page by page, and each member its own', async () => {
  await issue('platform-a', 0, 25);
  await issue('platform-b', 0, 1);
  const items: string[] = [];
  for (let after = -1, more = true; more;) {
    const { status, body } = await api.call('platform-a', 'GET', `/v1/notices?after=${after}&limit=10`);
    expect(status).toBe(200);
    items.push(...body.items.map((item: object) => JSON.stringify(item)));
    more = body.items.length > 0;
    expect(body.next).toBeGreaterThanOrEqual(after);
    after = body.next;
  }
  expect(items).toEqual(await onKafka('platform-a'));
  const { body } = await api.call('platform-b', 'GET', '/v1/notices');
  expect(body.items.map(({ id }: { id: string }) => id)).toEqual(['platform-b.0']);
});

test('the stream goes on behind Last-Event-ID, and brings what comes within a moment', async () => {
  const response = await open('platform-a', { 'last-event-id': '9' });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const taken = take(response, 20);
  await issue('platform-a', 25, 5);
  const messages = await taken;
  expect(messages.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => 10 + i));
  expect(messages.map(({ data }) => data)).toEqual((await onKafka('platform-a')).slice(10));
});

/** The first thing that a stream says once it is open. */
async function firstOf(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; ;) {
    const [, first] = /^: open\n\n([^\n]+)\n/.exec(text) ?? [];
    if (first !== undefined) {
      await reader.cancel();
      return first;
    }
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream ended');
    text += value;
  }
}

test('a notice wakes an open stream: it does not wait for the look that comes with a heartbeat', async () => {
  // A machine that stood still until the heartbeat says nothing of it: then the next notice is waited for.
  const TRIES_MAX = 5;
  const said: string[] = [];
  for (let seq = 1; seq <= TRIES_MAX && said.at(-1) !== `id: ${seq - 1}`; seq += 1) {
    const first = firstOf(await open('platform-b', { 'last-event-id': String(seq - 1) }));
    await issue('platform-b', seq, 1);
    said.push(await first);
  }
  expect(said.at(-1)).toBe(`id: ${said.length}`);
});

const dispose = (noticeId: string): ReturnType<TestApi['publish']> =>
  api.publish('platform-a', {
    specversion: '1.0',
    id: `dispose-${noticeId}`,
    source: 'urn:liandun:member:platform-a',
    type: 'liandun.notice.disposed.v1',
    time: '2020-02-03T10:00:00+08:00',
    data: {
      noticeId,
      decision: 'closed',
      shops: [],
      decidedAt: '2020-02-03T10:00:00+08:00',
      decidedBy: 's-1',
      openOrders: 'none',
    },
  });

test("a disposition of one's own notice is accepted, of another's or of none it isn't", async () => {
  expect((await dispose('platform-a.29')).status).toBe(201);
  for (const noticeId of ['platform-a.30', 'platform-b.0', 'platform-a.029'])
    expect((await dispose(noticeId)).body.code).toBe('NOTICE_NOT_FOUND');
});
