import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leafHash } from '@liandun/transparency-log';
import { brokenSubmissions } from '../../libs/contracts/src/testing/broken-submissions.js';
import { examples, type Example } from '../../libs/contracts/src/testing/examples.js';
import { TestApi, type Answer, type TestMember } from '../support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

type Event = Example['event'];
const example = (type: string): Event => {
  const { event } = examples(new Date(), { run: randomUUID() })[`liandun.${type}.v1` as Event['type']];
  return structuredClone(event);
};
const withData = (event: Event, data: object): Event =>
  Object.assign({}, event, { data: Object.assign({}, event.data, data) });
const count = async (): Promise<number> =>
  Number((await api.pool.query('select count(*) from log.entry')).rows[0].count);
const codes = ({ body }: Answer): unknown => [body.code, body.errors?.[0]?.pointer];

const delist = async (data: object = {}): Promise<Event> => {
  const event = withData(example('merchant.delisted'), { merchantId: `m-${randomUUID()}`, ...data });
  expect((await api.publish('platform-a', event)).status).toBe(201);
  return event;
};
const follow = (type: string, data: object, member: TestMember = 'platform-a'): Promise<Answer> => {
  const event = example(type);
  return api.publish(member, { ...event, source: `urn:liandun:member:${member}`, data });
};
const merchants = (n: number): Event[] => {
  const event = example('merchant.reported');
  return Array.from({ length: n }, () => ({
    ...withData(event, { merchantId: `m-${randomUUID()}` }),
    id: randomUUID(),
  }));
};

describe('one event', () => {
  test('is accepted once, and answered alike when it comes again (I2)', async () => {
    const event = example('merchant.reported');
    const first = await api.publish('platform-a', event);
    expect([first.status, first.body.status, first.body.id]).toEqual([201, 'accepted', event.id]);
    const { rows } = await api.pool.query('select entry from log.entry where position = $1', [first.body.position]);
    expect(leafHash(rows[0].entry).toString('base64')).toBe(first.body.leafHash);
    const again = await api.publish('platform-a', event);
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'duplicate' });
    const before = await count();
    const other = await api.publish('platform-a', withData(event, { status: 'closed' }));
    expect([other.status, ...(codes(other) as unknown[])]).toEqual([409, 'EVENT_ID_REUSED', '/id']);
    expect(await count()).toBe(before);
  });

  test('leaves no personal value in the log, and the vault gives it back', async () => {
    const event = example('merchant.reported');
    const { body } = await api.publish('platform-a', event);
    const { rows } = await api.pool.query('select entry from log.entry where position = $1', [body.position]);
    const { identity } = event.data as {
      identity: { legalRepresentative: { name: string; residentId: string }; phones: string[] };
    };
    for (const value of [
      identity.legalRepresentative.name,
      identity.legalRepresentative.residentId,
      ...identity.phones,
    ])
      expect(rows[0].entry).not.toContain(value);
    const tokens = await api.pool.query('select kind from vault.token where position = $1 order by kind', [
      body.position,
    ]);
    expect(tokens.rows.map(({ kind }) => kind)).toEqual(['bankAccount', 'registrationNumber', 'uscc']);
  });

  test.each([
    ['not JSON', 'application/cloudevents+json', '{', 400, 'MALFORMED_JSON'],
    ['not UTF-8 JSON but a list', 'application/cloudevents+json', '[]', 422, 'WRONG_TYPE'],
    ['plain JSON', 'application/json', '{}', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['text', 'text/plain', 'x', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['too large a body', 'application/cloudevents+json', `"${'x'.repeat(2_100_000)}"`, 413, 'BODY_TOO_LARGE'],
    ['a batch that is no list', 'application/cloudevents-batch+json', '{}', 422, 'WRONG_TYPE'],
    [
      'a batch of 1,001',
      'application/cloudevents-batch+json',
      JSON.stringify(Array.from({ length: 1001 }, () => ({}))),
      422,
      'TOO_MANY_EVENTS',
    ],
  ])('%s is refused as a problem', async (_, type, body, status, code) => {
    const answer = await api.call('platform-a', 'POST', '/v1/events', { type, body });
    expect([answer.status, answer.body.code, answer.body.status]).toEqual([status, code, status]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.detailZh).toMatch(/\p{Script=Han}/u);
  });

  test('an entry past 60,000 bytes is refused', async () => {
    const shops = Array.from({ length: 300 }, (_, i) => ({
      shopId: `s${i}`,
      name: '店'.repeat(60),
      url: 'https://x.example/',
    }));
    const answer = await api.publish('platform-a', withData(example('merchant.reported'), { shops }));
    expect([answer.status, answer.body.code]).toEqual([422, 'EVENT_TOO_LARGE']);
  });
});

describe('every rule, broken once', () => {
  const rows = brokenSubmissions(new Date(), { run: randomUUID() });
  test.each(rows.map((row) => [row.name, row] as const))('%s', async (_, { role, event, code, pointer }) => {
    const before = await count();
    const member: TestMember = role === 'platform' ? 'platform-a' : 'regulator-beijing';
    const answer = await api.publish(member, event);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ code, pointer }));
    expect(await count()).toBe(before);
  });
});

describe("what follows on a member's own cases", () => {
  const unheard = { hearing: undefined, urgency: undefined };
  const decided = { cause: 'wrongFinding', decidedAt: new Date().toISOString(), decidedBy: 'staff-1' };
  const hearing = {
    notifiedAt: '2020-02-03T09:30:00+08:00',
    endedAt: '2020-02-08T09:30:00+08:00',
    answer: 'considered',
  };

  test('without hearing or urgency a tier-2 case is held, and is heard once', async () => {
    const event = withData(example('merchant.delisted'), { merchantId: `m-${randomUUID()}`, ...unheard });
    const { status, body } = await api.publish('platform-a', event);
    expect([status, body.status]).toEqual([201, 'held']);
    expect((await follow('case.heard', { caseId: event.id, hearing }, 'platform-b')).body.code).toBe('CASE_NOT_HELD');
    expect((await follow('case.heard', { caseId: event.id, hearing })).status).toBe(201);
    const twice = await follow('case.heard', { caseId: event.id, hearing });
    expect(codes(twice)).toEqual(['CASE_NOT_HELD', '/data/caseId']);
  });

  test('a delisting is reinstated once; the same event again is a duplicate', async () => {
    const { id } = await delist();
    const event = { ...example('merchant.reinstated'), data: { delistingId: id, ...decided } };
    const first = await api.publish('platform-a', event);
    expect(first.status).toBe(201);
    const again = await api.publish('platform-a', event);
    expect([again.status, again.body]).toEqual([200, { ...first.body, status: 'duplicate' }]);
    const other = await follow('merchant.reinstated', { delistingId: id, ...decided });
    expect(codes(other)).toEqual(['DELISTING_NOT_FOUND', '/data/delistingId']);
  });

  test("P18: another member's delisting looks like one that doesn't exist", async () => {
    const { id, data } = await delist();
    const foreign = await follow('merchant.reinstated', { delistingId: id, ...decided }, 'platform-b');
    const missing = await follow('merchant.reinstated', { delistingId: 'nothing', ...decided }, 'platform-b');
    expect(foreign.body).toEqual(missing.body);
    const { merchantId } = data as { merchantId: string };
    const byMerchant = await follow('merchant.reinstated', { merchantId, ...decided }, 'platform-b');
    expect(codes(byMerchant)).toEqual(['MERCHANT_NOT_FOUND', '/data/merchantId']);
  });

  test('of many that end one delisting at the same moment one wins', async () => {
    const { id } = await delist();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => follow('merchant.reinstated', { delistingId: id, ...decided })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...Array(7).fill(422)]);
  });

  test('a report is withdrawn by its reporter', async () => {
    const report = example('riskentity.reported');
    expect((await api.publish('platform-a', report)).status).toBe(201);
    const foreign = await follow('riskentity.withdrawn', { reportId: report.id, ...decided }, 'platform-b');
    expect(codes(foreign)).toEqual(['REPORT_NOT_FOUND', '/data/reportId']);
    expect((await follow('riskentity.withdrawn', { reportId: report.id, ...decided })).status).toBe(201);
  });

  test('a notice that was never sent to the caller is not disposed of', async () => {
    for (const noticeId of ['platform-a.0', 'platform-b.0', 'x']) {
      const answer = await api.publish('platform-a', withData(example('notice.disposed'), { noticeId }));
      expect(codes(answer)).toEqual(['NOTICE_NOT_FOUND', '/data/noticeId']);
    }
  });

  test('a regulator ends a listing by its id, and no other entry', async () => {
    const { body } = await api.publish(
      'platform-a',
      withData(example('merchant.delisted'), { merchantId: `m-${randomUUID()}` }),
    );
    const leaf = Buffer.from(body.leafHash, 'base64').toString('hex', 0, 6);
    const more = { cause: 'annulled', decidedAt: decided.decidedAt, decidedBy: 'r-1' };
    const wrong = { listingId: `L${body.position}-000000000000`, ...more };
    expect(codes(await follow('listing.ended', wrong, 'regulator-beijing'))).toEqual([
      'LISTING_NOT_FOUND',
      '/data/listingId',
    ]);
    const right = { listingId: `L${body.position}-${leaf}`, ...more };
    expect((await follow('listing.ended', right, 'regulator-beijing')).status).toBe(201);
  });
});

describe('many events', () => {
  test('a batch has a receipt for each, in order', async () => {
    const [a, b] = merchants(2) as [Event, Event];
    const bad = { ...a, id: 'bad', type: 'liandun.unknown.v1' };
    const answer = await api.call('platform-a', 'POST', '/v1/events', {
      type: 'application/cloudevents-batch+json',
      body: [a, bad, b, a],
    });
    expect(answer.status).toBe(200);
    expect(answer.body.map(({ id, status }: Answer['body']) => [id, status])).toEqual([
      [a.id, 'accepted'],
      ['bad', 'rejected'],
      [b.id, 'accepted'],
      [a.id, 'duplicate'],
    ]);
  });

  test('5,000 events twice, both streams at once: each is accepted once, positions are dense (I1, I2)', async () => {
    const events = merchants(5_000);
    const before = await count();
    const [one, two] = await Promise.all([api.stream('platform-a', events), api.stream('platform-a', events)]);
    expect(one.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    const statuses = [...one, ...two].map(({ status }) => status);
    expect(statuses.filter((status) => status === 'accepted')).toHaveLength(5_000);
    expect(statuses.filter((status) => status === 'duplicate')).toHaveLength(5_000);
    expect(one.map(({ position }) => position)).toEqual(two.map(({ position }) => position));
    expect(await count()).toBe(before + 5_000);
    const { rows } = await api.pool.query('select max(position)::int as max, count(*)::int as count from log.entry');
    expect(rows[0].max).toBe(rows[0].count - 1);
  });

  test('in a stream a decision sees what stands before it', async () => {
    const delisted = withData(example('merchant.delisted'), { merchantId: `m-${randomUUID()}` });
    const reinstated = {
      ...example('merchant.reinstated'),
      data: { delistingId: delisted.id, cause: 'wrongFinding', decidedAt: new Date().toISOString(), decidedBy: 's' },
    };
    const receipts = await api.stream('platform-a', [...merchants(600), delisted, reinstated, ...merchants(600)]);
    expect(receipts.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(receipts).toHaveLength(1202);
  });

  test('a line that is no event is refused by its own receipt, which names it', async () => {
    const [a, b] = merchants(2) as [Event, Event];
    const receipts = await api.stream('platform-a', [a, '{ not json', '', `"${'x'.repeat(2_100_000)}"`, b]);
    expect(receipts.map(({ status, problem }) => [status, problem?.code])).toEqual([
      ['accepted', undefined],
      ['rejected', 'MALFORMED_JSON'],
      ['rejected', 'BODY_TOO_LARGE'],
      ['accepted', undefined],
    ]);
    expect(receipts[1].problem.detail).toContain('Line 2');
    expect(receipts[2].problem.detail).toContain('Line 4');
  });

  test('a client that goes away in the middle and sends all again leaves each event once (I1, I2)', async () => {
    const events = merchants(3_000);
    const before = await count();
    const call = request(`${api.api.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await api.token('platform-a')}`, 'content-type': 'application/x-ndjson' },
    });
    call.on('error', () => undefined); // it goes away on purpose
    call.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    await once(response, 'data');
    call.destroy();
    const receipts = await api.stream('platform-a', events);
    expect(new Set(receipts.map(({ status }) => status))).not.toContain('rejected');
    expect(receipts.some(({ status }) => status === 'duplicate')).toBe(true);
    expect(new Set(receipts.map(({ position }) => position)).size).toBe(events.length);
    expect(await count()).toBe(before + events.length);
  });

  test('a sender that waits for its receipts has them before it sends more', async () => {
    const events = merchants(3);
    const call = request(`${api.api.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await api.token('platform-a')}`, 'content-type': 'application/x-ndjson' },
    });
    call.write(`${JSON.stringify(events[0])}\n`);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const receipts = createInterface({ input: response })[Symbol.asyncIterator]();
    for (const [i, { id }] of events.entries()) {
      if (i > 0) call.write(`${JSON.stringify(events[i])}\n`);
      const { value } = await receipts.next();
      expect(JSON.parse(String(value))).toMatchObject({ id, status: 'accepted' });
    }
    call.end();
    expect((await receipts.next()).done).toBe(true);
  });

  test('a suspension ends a stream that goes on', async () => {
    const call = request(`${api.api.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await api.token('platform-b')}`, 'content-type': 'application/x-ndjson' },
    });
    call.on('error', () => undefined); // the ledger ends it
    const event = merchants(1)[0] as Event;
    const line = (): string =>
      `${JSON.stringify({ ...event, id: randomUUID(), source: 'urn:liandun:member:platform-b' })}\n`;
    call.write(line());
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const closed = new Promise<void>((resolve) => response.once('close', () => resolve()));
    expect((await api.call('admin', 'POST', '/v1/members/platform-b/suspension')).status).toBe(202);
    const writing = setInterval(() => call.write(line()), 200);
    await closed;
    clearInterval(writing);
    expect(response.complete).toBe(false);
    const after = await count();
    expect(text.split('\n').length).toBeGreaterThan(1);
    expect((await api.publish('platform-b', event)).status).toBe(403);
    expect(await count()).toBe(after);
  });
});
