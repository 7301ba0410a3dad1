import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LIMITS } from '@liandun/contracts';
import { TestApi, type Answer } from '../../../test/support/api.js';
import { organization, reported } from '../../../test/support/submissions.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

const EVENT = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const NDJSON = 'application/x-ndjson';

const event = (more: object = {}): Record<string, unknown> => ({
  ...reported('platform-a', 'm-1', organization(1)),
  ...more,
});
/** The event with something written into its text, behind the first `"data":{`. */
const withData = (text: string): string => JSON.stringify(event()).replace('"data":{', `"data":{${text}`);
const send = (type: string, body: string, path = '/v1/events'): Promise<Answer> =>
  api.call(type === 'application/json' && path === '/v1/members' ? 'admin' : 'platform-a', 'POST', path, {
    body,
    type,
  });
const told = ({ status, body }: Answer): unknown[] => [status, body.code, body.errors?.[0].pointer];

const deep = (depth: number): string => `{"a":`.repeat(depth) + '1' + '}'.repeat(depth);

// [what, the event's text, status alone, code, pointer in the event]
const ROWS: [string, () => string, number, string, string][] = [
  ['a name twice', () => withData('"merchantId":"m-2",'), 400, 'DUPLICATE_NAME', '/data/merchantId'],
  [
    'a name twice, once escaped',
    () => withData('"\\u006derchantId":"m-2",'),
    400,
    'DUPLICATE_NAME',
    '/data/merchantId',
  ],
  ['an unknown name', () => withData('"note":"x",'), 422, 'UNKNOWN_FIELD', '/data/note'],
  ['__proto__', () => withData('"__proto__":{"status":"closed"},'), 422, 'UNKNOWN_FIELD', '/data/__proto__'],
  ['constructor', () => withData('"constructor":1,'), 422, 'UNKNOWN_FIELD', '/data/constructor'],
  ['a number without end', () => withData('"n":1e999,'), 400, 'NUMBER_OUT_OF_RANGE', '/data/n'],
  ['nesting without end', () => withData(`"n":${deep(100_000)},`), 400, 'NESTED_TOO_DEEP', ''],
  ['more values than an event has', () => withData(`"n":[${'0,'.repeat(20_000)}0],`), 413, 'TOO_MANY_VALUES', ''],
  ['no JSON', () => '{"id":', 400, 'MALFORMED_JSON', ''],
  ['a byte order mark', () => `\uFEFF${JSON.stringify(event())}`, 400, 'MALFORMED_JSON', ''],
  [
    'a list that is too long',
    () => {
      const shops = Array.from({ length: 501 }, (_, i) => ({
        shopId: `s-${i}`,
        name: '店',
        url: 'https://s.example/',
      }));
      return JSON.stringify(event({ data: { ...(event()['data'] as object), shops } }));
    },
    422,
    'TOO_MANY_ITEMS',
    '/data/shops',
  ],
  ['an id that is too long', () => JSON.stringify(event({ id: 'x'.repeat(129) })), 422, 'INVALID_FORMAT', '/id'],
  ['a half character', () => withData('"merchantId2":"\\ud800",'), 422, 'UNKNOWN_FIELD', '/data/merchantId2'],
];
// Where these stand, nobody can say where the next event begins.
const OF_THE_DOCUMENT = new Set(['MALFORMED_JSON', 'NESTED_TOO_DEEP']);

test.each(ROWS)('one event, %s', async (_name, text, status, code, pointer) => {
  const answer = await send(EVENT, text());
  expect(told(answer)).toEqual([status, code, pointer]);
  expect(answer.body.errors[0]).toMatchObject({ message: expect.any(String), messageZh: expect.any(String) });
});

test.each(ROWS)('a line of a stream hinders no other: %s', async (_name, text, _status, code, pointer) => {
  const [before, bad, after] = await api.stream('platform-a', [event({ id: 'x-1' }), text(), event({ id: 'x-2' })]);
  for (const { status } of [before, after]) expect(['accepted', 'duplicate', 'rejected']).toContain(status);
  expect([bad.status, bad.problem.code, bad.problem.errors[0].pointer]).toEqual(['rejected', code, pointer]);
});

test.each(ROWS)('a batch: %s', async (_name, text, status, code, pointer) => {
  const [good, next] = [event(), event()];
  const answer = await send(BATCH, `[${JSON.stringify(good)},${text()},${JSON.stringify(next)}]`);
  if (OF_THE_DOCUMENT.has(code)) {
    expect(told(answer)).toEqual([status, code, '']);
    return;
  }
  const [first, second, third] = answer.body;
  expect([first.status, second.status, third.status]).toEqual(['accepted', 'rejected', 'accepted']);
  // A batch has room for so many values: the event itself says what is wrong.
  if (code === 'TOO_MANY_VALUES') expect(second.problem.code).toBe('UNKNOWN_FIELD');
  else expect([second.problem.code, second.problem.errors[0].pointer]).toEqual([code, pointer]);
});

test('bodies that are too large, by media type', async () => {
  const spaces = (bytes: number): string => ' '.repeat(bytes);
  expect((await send(EVENT, spaces(LIMITS.eventBytes + 1))).body.code).toBe('BODY_TOO_LARGE');
  expect((await send(BATCH, `[${spaces(LIMITS.batchBytes)}]`)).status).toBe(413);
  expect((await send('application/json', spaces(LIMITS.bodyBytes + 1), '/v1/screenings')).status).toBe(413);
  const [line, next] = await api.stream('platform-a', [`{${spaces(LIMITS.eventBytes)}}`, event()]);
  expect([line.problem.code, next.status]).toEqual(['BODY_TOO_LARGE', 'accepted']);
  const batch = Array.from({ length: LIMITS.batchEvents + 1 }, () => ({}));
  expect((await send(BATCH, JSON.stringify(batch))).body.code).toBe('TOO_MANY_EVENTS');
});

test('a compressed body is not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
  for (const [type, coding] of [
    [EVENT, 'gzip'],
    [NDJSON, 'br'],
    [BATCH, 'identity, gzip'],
  ] as const) {
    const response = await fetch(`${api.api.url}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await api.token('platform-a')}`,
        'content-type': type,
        'content-encoding': coding,
      },
      body: bomb,
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      415,
      'UNSUPPORTED_CONTENT_ENCODING',
    ]);
  }
});

test('other bodies are read by the same rules', async () => {
  const screening = (text: string): Promise<Answer> => send('application/json', text, '/v1/screenings');
  expect(told(await screening('{"purpose":"onboarding","purpose":"compliance"}'))).toEqual([
    400,
    'DUPLICATE_NAME',
    '/purpose',
  ]);
  expect(told(await send('application/json', '{"memberId":"x","constructor":{}}', '/v1/members'))).toEqual([
    422,
    'UNKNOWN_FIELD',
    '/constructor',
  ]);
});

test('the documents say what the limits are', async () => {
  const { body } = await api.call(undefined, 'GET', '/openapi.json');
  const content = body.paths['/v1/events'].post.requestBody.content;
  expect(content[BATCH].schema.maxItems).toBe(LIMITS.batchEvents);
  expect(content[EVENT]['x-liandun-limits']).toMatchObject({ bytes: LIMITS.eventBytes, nesting: LIMITS.nestingDepth });
});
