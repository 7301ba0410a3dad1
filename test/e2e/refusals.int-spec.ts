import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { holdsPersonalData, type CloudEvent, type Receipt } from '@liandun/contracts';
import { InboxPublisher, kafkaClient } from '@liandun/sdk';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { brokenSubmissions, type BrokenSubmission } from '../../libs/contracts/src/testing/broken-submissions.js';
import { env, readTopic } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { organization, person, reported } from '../support/submissions.js';

const PLATFORM = 'refusals-platform';
const REGULATOR = 'refusals-regulator';
const members = { platform: PLATFORM, regulator: REGULATOR };

let product: Product;
let pool: pg.Pool;
const publishers = new Map<string, InboxPublisher>();

const table = (): BrokenSubmission[] => brokenSubmissions(new Date(), { ...members, run: randomUUID() });
const rows = table();
const bySender = Map.groupBy(rows, ({ memberId }) => memberId);

beforeAll(async () => {
  product = await Product.start([
    { memberId: PLATFORM, role: 'platform' },
    { memberId: REGULATOR, role: 'regulator' },
  ]);
  pool = product.pool();
  for (const memberId of [PLATFORM, REGULATOR]) {
    const publisher = new InboxPublisher({ client: product.client(memberId), brokers: env('KAFKA_BROKERS') });
    publishers.set(memberId, await publisher.open());
  }
}, 180_000);

afterAll(async () => {
  await Promise.all([...publishers.values()].map((each) => each.close()));
  await pool?.end();
  await product?.stop();
});

/** What members have put into the log. */
async function stored(): Promise<number> {
  const { rows: found } = await pool.query<{ count: number }>(
    "select count(*)::int as count from log.entry where source like 'urn:liandun:member:%'",
  );
  return found[0]?.count ?? -1;
}

interface Refusal {
  name: string;
  status: string;
  refused: { code: string; pointer: string } | undefined;
}

const expected = (sent: BrokenSubmission[]): Refusal[] =>
  sent.map(({ name, code, pointer }) => ({ name, status: 'rejected', refused: { code, pointer } }));

/** Of each receipt what the table says of its row; another error besides it may be named too. */
const refusals = (sent: BrokenSubmission[], receipts: Receipt[]): Refusal[] =>
  sent.map(({ name, code, pointer }, n) => {
    const { status = 'rejected', problem } = receipts[n] ?? {};
    const errors = problem?.errors?.map((each) => ({ code: each.code, pointer: each.pointer })) ?? [];
    return {
      name,
      status,
      refused: errors.find((each) => each.code === code && each.pointer === pointer) ?? errors[0],
    };
  });

const doors: Record<string, (memberId: string, events: CloudEvent[]) => Promise<Receipt[]>> = {
  'one HTTP request each': async (memberId, events) => {
    const client = product.client(memberId);
    const receipts: Receipt[] = [];
    for (const event of events) receipts.push(await client.publish(event));
    return receipts;
  },
  'a batch over HTTP': async (memberId, events) => product.client(memberId).publish(events),
  'a stream over HTTP': async (memberId, events) => {
    const token = await product.client(memberId).token();
    const answer = await fetch(`${product.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
      body: events.map((event) => JSON.stringify(event)).join('\n'),
    });
    const lines = (await answer.text()).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Receipt);
  },
  'the Kafka inbox, encrypted where personal': async (memberId, events) =>
    (publishers.get(memberId) as InboxPublisher).publish(events),
};

describe.each(Object.keys(doors))('every rule broken once, by %s', (door) => {
  test.each([PLATFORM, REGULATOR])(
    'as %s: each is refused with its code and pointer, and nothing is stored',
    async (memberId) => {
      const sent = bySender.get(memberId) ?? [];
      expect(sent.length).toBeGreaterThan(memberId === PLATFORM ? 80 : 5);
      const before = await stored();
      const send = doors[door] as (typeof doors)[string];
      const receipts = await send(
        memberId,
        sent.map(({ event }) => event as unknown as CloudEvent),
      );
      expect(receipts).toHaveLength(sent.length);
      expect(refusals(sent, receipts)).toEqual(expected(sent));
      expect(await stored()).toBe(before);
    },
    120_000,
  );
});

describe.each(Object.keys(doors).filter((door) => door !== 'one HTTP request each'))('by %s', (door) => {
  test.each(['__proto__', 'constructor'])(
    'an event with the field %s is refused by its id, with the place and a remedy, and those around it are taken',
    async (name) => {
      const merchantId = randomUUID();
      const [before, broken, after] = [1, 2, 3].map(
        () => reported(PLATFORM, merchantId, organization(7)) as CloudEvent,
      );
      const data = { ...(broken?.data as object) };
      // Assigned, it would be the prototype: no own field, and nothing to send.
      Object.defineProperty(data, name, { value: { admin: true }, enumerable: true });
      const sent = [before, { ...broken, data }, after] as CloudEvent[];
      const already = await stored();
      const receipts = await (doors[door] as (typeof doors)[string])(PLATFORM, sent);
      expect(receipts.map(({ id, status }) => [id, status])).toEqual([
        [before?.id, 'accepted'],
        [broken?.id, 'rejected'],
        [after?.id, 'accepted'],
      ]);
      const [error] = receipts[1]?.problem?.errors ?? [];
      expect(error).toMatchObject({ code: 'UNKNOWN_FIELD', pointer: `/data/${name}` });
      expect(error?.message).toMatch(/Remove|Take it out|Leave/);
      expect(error?.messageZh).toMatch(/[\u4e00-\u9fff]/);
      expect(await stored()).toBe(already + 2);
    },
  );
});

describe('what only the inbox can be sent', () => {
  /** Puts raw records into the platform's inbox and gives their receipts. */
  async function put(values: string[]): Promise<Receipt[]> {
    const client = product.client(PLATFORM);
    const token = async (): Promise<string> => client.token('liandun-kafka');
    const producer = kafkaClient({ brokers: env('KAFKA_BROKERS'), clientId: PLATFORM, token }).producer();
    await producer.connect();
    const messages = values.map((value) => ({ value, partition: 0 }));
    const [placed] = await producer.send({ topic: `inbox.${PLATFORM}`, messages, acks: -1 });
    await producer.disconnect();
    const offsets = values.map((_, n) => String(Number(placed?.baseOffset) + n));
    const receipts = await readTopic(`receipts.${PLATFORM}`, (received) =>
      offsets.every((offset) => received.some(({ headers }) => headers['inbox-offset'] === offset)),
    );
    return offsets.map((offset) => {
      const record = receipts.find(({ headers }) => headers['inbox-offset'] === offset);
      return JSON.parse(record?.value ?? '{}') as Receipt;
    });
  }

  test('personal values in the clear, what is no JWE and what is no JSON are refused; an organization passes', async () => {
    const merchantId = randomUUID();
    const personal = [
      reported(PLATFORM, merchantId, person(5)),
      reported(PLATFORM, merchantId, organization(5, { legalRepresentative: { name: '甄虚构' } })),
      reported(PLATFORM, merchantId, organization(5, { phones: ['13800000000'] })),
    ] as CloudEvent[];
    expect(personal.map(({ data }) => holdsPersonalData(data))).toEqual([true, true, true]);
    const open = reported(PLATFORM, merchantId, organization(5)) as CloudEvent;
    const before = await stored();
    const sent = [...personal.map((event) => JSON.stringify(event)), 'a.b.c.d.e', '{', '', JSON.stringify(open)];
    const receipts = await put(sent);
    expect(receipts.map(({ status, problem }) => problem?.code ?? status)).toEqual([
      ...personal.map(() => 'PERSONAL_DATA_IN_CLEAR'),
      'MALFORMED_JWE',
      'MALFORMED_JSON',
      'MALFORMED_JSON',
      'accepted',
    ]);
    expect(receipts.map(({ id }) => id)).toEqual([...personal.map(({ id }) => id), '', '', '', open.id]);
    expect(await stored()).toBe(before + 1);
    const { rows: kept } = await pool.query("select from log.entry where entry like '%13800000000%'");
    expect(kept).toEqual([]);
  });
});
