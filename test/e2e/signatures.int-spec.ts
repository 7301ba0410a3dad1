import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signedTextOfEntry, signEvent } from '@liandun/commitments';
import type { CloudEvent } from '@liandun/contracts';
import { InboxPublisher, LiandunClient } from '@liandun/sdk';
import { drawn } from '../support/drawn.js';
import { env } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { person, reported } from '../support/submissions.js';

const MEMBER = 'sig-a';
let product: Product;
let client: LiandunClient;
let publisher: InboxPublisher;
let serial = drawn(1, 900);

beforeAll(async () => {
  product = await Product.start([{ memberId: MEMBER, role: 'platform' }]);
  const key = product.keys.get(MEMBER)!;
  client = new LiandunClient({ url: product.url, memberId: MEMBER, key, sign: true });
  publisher = await new InboxPublisher({ client, brokers: env('KAFKA_BROKERS') }).open();
});
afterAll(async () => {
  await publisher.close();
  await product.stop();
});

const report = (): CloudEvent => {
  serial += 1;
  return reported(MEMBER, `m-${serial}`, person(serial)) as CloudEvent;
};

test('what comes through the inbox is signed, verified and kept as over HTTP; the same event over HTTP is a duplicate', async () => {
  const event = report();
  const [taken] = await publisher.publish([event]);
  expect(taken?.status).toBe('accepted');
  expect(await client.publish(event)).toMatchObject({ status: 'duplicate', position: taken?.position });
  const pool = product.pool();
  const { rows } = await pool.query('select entry from log.entry where position = $1', [taken?.position]);
  await pool.end();
  expect(signedTextOfEntry(JSON.parse(Buffer.from(rows[0].entry).toString('utf8')))).toBeDefined();
  const altered = { ...(await signEvent(report(), product.keys.get(MEMBER)!)), id: 'another' };
  const receipts = await publisher.publish([altered, report()]);
  expect(receipts.map(({ status, problem }) => problem?.code ?? status)).toEqual(['SIGNATURE_INVALID', 'accepted']);
});
