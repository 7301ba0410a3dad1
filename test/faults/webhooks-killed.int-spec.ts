// Webhooks of the built product, whose worker is killed in the middle.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CloudEvent } from '@liandun/contracts';
import { verifyWebhook } from '@liandun/sdk';
import type pg from 'pg';
import { canary } from '../support/canaries.js';
import { until } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { Receiver } from '../support/receiver.js';
import { delisted, organization, reported } from '../support/submissions.js';

const [SENDER, HOST] = ['wh-a', 'wh-b'];
const MERCHANTS = 40;
let product: Product;
let receiver: Receiver;
let pool: pg.Pool;
let publicKey: string;

const client = (member: string): ReturnType<Product['client']> => product.client(member);

// oxlint-disable-next-line typescript/no-explicit-any
async function webhook(method: string, path = '', body?: object): Promise<any> {
  const answer = await fetch(`${product.url}/v1/webhook${path}`, {
    method,
    headers: { authorization: `Bearer ${await client(HOST).token()}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  expect(answer.status).toBeLessThan(300);
  return answer.json();
}

beforeAll(async () => {
  const members = [SENDER, HOST].map((memberId) => ({ memberId, role: 'platform' as const }));
  product = await Product.start(members, undefined, undefined, { LIANDUN_WEBHOOK_ALLOW: '127.0.0.0/8' });
  receiver = await Receiver.start();
  pool = product.pool();
}, 180_000);

afterAll(async () => {
  await pool?.end();
  await receiver?.stop();
  await product?.stop();
});

test('a platform without Kafka gets a test event', async () => {
  const page = await webhook('PUT', '', { url: receiver.url });
  publicKey = page.publicKeys[0].publicKey;
  await webhook('POST', '/test', {});
  await until('the test event', () => receiver.posted.length === 1);
  const { headers, body } = receiver.posted[0]!;
  expect(verifyWebhook(headers, body, publicKey)).toMatchObject({ type: 'liandun.webhook.test.v1' });
  receiver.posted.length = 0;
});

test('and every notice, in order, the very bytes of the feed, over two kills of the worker', async () => {
  receiver.answer = (n) => ({ status: n % 7 === 6 ? 503 : 200, afterMs: 10 });
  const merchants = Array.from({ length: MERCHANTS }, (_, n) => [`m-${n}`, organization(2_000 + n)] as const);
  await client(HOST).publish(merchants.map(([id, identity]) => reported(HOST, id, identity) as unknown as CloudEvent));
  const person = canary(0);
  await client(HOST).publish(reported(HOST, 'm-person', person.identity) as unknown as CloudEvent);
  await client(SENDER).publish([
    ...merchants.map(([id, identity]) => delisted(SENDER, id, identity) as unknown as CloudEvent),
    delisted(SENDER, 'm-person', person.identity) as unknown as CloudEvent,
  ]);
  for (const count of [3, 15]) {
    await until(`${count} webhooks`, () => receiver.ids.length >= count, 60_000);
    await product.kill('worker');
    await product.run('worker');
  }
  await product.settled();
  const feed = (await client(HOST).notices(-1, 1_000)).items;
  expect(feed.length).toBeGreaterThanOrEqual(MERCHANTS);
  await until('all webhooks', () => receiver.ids.length >= feed.length, 100_000);
  expect(receiver.ids).toEqual(feed.map(({ id }) => id.replaceAll('.', '_')));
  expect(receiver.atOnce).toBe(1);
  const bodies = new Map<string, Set<string>>();
  for (const { id, body, headers } of receiver.posted) {
    verifyWebhook(headers, body, publicKey);
    bodies.set(id, (bodies.get(id) ?? new Set()).add(body));
  }
  expect([...bodies.values()].map((all) => [...all])).toEqual(feed.map((event) => [JSON.stringify(event)]));
  // Only what was answered 503, and what was under way at a kill, came again.
  const refused = receiver.posted.filter((_, n) => n % 7 === 6).length;
  expect(receiver.posted.length - feed.length).toBeLessThanOrEqual(refused + 2);
  const everything = receiver.posted.map(({ body }) => body).join('\n');
  for (const value of person.values) expect(everything).not.toContain(value);
}, 240_000);

test('and again from a seq, under the same ids', async () => {
  receiver.answer = () => ({ status: 200 });
  const before = receiver.ids;
  receiver.posted.length = 0;
  await webhook('POST', '/replay', { from: 30 });
  await until('the replay', () => receiver.ids.length === before.length - 30);
  expect(receiver.ids).toEqual(before.slice(30));
  // The answer is written down after it came.
  await until('the last answer', async () => (await webhook('GET')).next === before.length);
  expect(await webhook('GET')).toMatchObject({ status: 'active', next: before.length, lastStatus: 200 });
});
