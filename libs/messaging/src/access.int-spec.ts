import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kafkaPrincipal } from '@liandun/contracts';
import { kafkaClient } from '@liandun/sdk';
import { base64url, exportJWK, SignJWT, UnsecuredJWT, type JWK } from 'jose';
import type { Kafka } from 'kafkajs';
import { env, firstKid, kafkaToken, memberKafka, until } from '../../../test/support/kafka.js';
import {
  ensureMember,
  inboxTopic,
  kafkaAdmin,
  noticesTopic,
  receiptsTopic,
  revokeMember,
  syncAccess,
  type AccessMember,
} from './index.js';

const admin = kafkaAdmin(env('KAFKA_INTERNAL'));
const run = randomBytes(4).toString('hex');
const members = ['a', 'b', 'c', 'd', 'e'].map((name) => `x${run}-${name}`);
// One whose name begins like another's: a prefix of names must not open its groups.
const [first] = members as [string];
const sibling = `${first}-2`;
const everybody = [...members, sibling];

beforeAll(async () => {
  await syncAccess(
    admin,
    everybody.map((memberId) => ({ memberId, role: 'platform', status: 'active', kids: [firstKid(memberId)] })),
  );
  const ledger = kafkaClient({ brokers: env('KAFKA_INTERNAL'), clientId: 'test' }).producer();
  await ledger.connect();
  for (const member of everybody) {
    for (const topic of [noticesTopic(member), receiptsTopic(member)]) {
      await ledger.send({ topic, messages: [{ value: 'secret' }] });
    }
  }
  await ledger.disconnect();
});

afterAll(async () => admin.close());

/** 'ok', or the type of the broker's refusal. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'ok';
  } catch (thrown) {
    for (let error = thrown as { type?: string; cause?: unknown; message: string }; ;) {
      if (error.type) return error.type;
      if (!error.cause) return error.message;
      error = error.cause as typeof error;
    }
  }
}

/** Reads a topic's first record in a group of this name. */
async function read(kafka: Kafka, topic: string, groupId: string): Promise<string> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, retry: { retries: 1, initialRetryTime: 50 } });
  try {
    return await outcome(async () => {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
        consumer.run({ eachMessage: async () => resolve() }).catch(reject);
      });
    });
  } finally {
    await consumer.disconnect();
  }
}

async function write(kafka: Kafka, topic: string, idempotent = false): Promise<string> {
  const producer = kafka.producer({ idempotent, retry: { retries: 1, initialRetryTime: 50 } });
  try {
    return await outcome(async () => {
      await producer.connect();
      await producer.send({ topic, messages: [{ value: 'x' }] });
    });
  } finally {
    await producer.disconnect();
  }
}

const claims = async (more: object = {}): Promise<string> => kafkaToken(first, { ...more });

/** Sends one request with this token: connect() succeeds with any, since kafkajs doesn't read the broker's refusal. */
async function asks(token: string): Promise<string> {
  const client = memberKafka(first, async () => token).admin({ retry: { retries: 0 } });
  try {
    return await outcome(async () => {
      await client.connect();
      await client.listTopics();
    });
  } finally {
    await client.disconnect();
  }
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const valid = (): object => ({
  iss: env('LIANDUN_ISSUER'),
  sub: kafkaPrincipal(first, firstKid(first)),
  aud: 'liandun-kafka',
  exp: seconds() + 300,
});
const kid = (): string => (JSON.parse(env('KAFKA_KEY')) as JWK).kid!;

describe("P18: a member's token", () => {
  test('reads its own notices and receipts and writes its own inbox', async () => {
    const kafka = memberKafka(first);
    expect(await read(kafka, noticesTopic(first), `${first}.shops`)).toBe('ok');
    expect(await read(kafka, receiptsTopic(first), `${first}.receipts`)).toBe('ok');
    expect(await write(kafka, inboxTopic(first))).toBe('ok');
    expect(await write(kafka, inboxTopic(first), true)).toBe('ok');
  });

  test('never does anything else: every member against every topic and group of every other', async () => {
    const verdicts: string[] = [];
    const expected: string[] = [];
    for (const member of everybody) {
      const kafka = memberKafka(member);
      const expectRefusal = async (what: string, result: Promise<string>, refusal: string): Promise<void> => {
        verdicts.push(`${member} ${what}: ${await result}`);
        expected.push(`${member} ${what}: ${refusal}`);
      };
      const refused = 'TOPIC_AUTHORIZATION_FAILED';
      await expectRefusal('reads its inbox', read(kafka, inboxTopic(member), `${member}.g`), refused);
      await expectRefusal('writes its notices', write(kafka, noticesTopic(member)), refused);
      await expectRefusal('writes its receipts', write(kafka, receiptsTopic(member)), refused);
      for (const other of everybody.filter((each) => each !== member)) {
        for (const topic of [noticesTopic(other), receiptsTopic(other), inboxTopic(other)]) {
          await expectRefusal(`reads ${topic}`, read(kafka, topic, `${member}.g`), refused);
          await expectRefusal(`writes ${topic}`, write(kafka, topic), refused);
        }
        const group = `${other}.shops`;
        // What kafkajs makes of GROUP_AUTHORIZATION_FAILED when it asks for the coordinator.
        const noGroup = 'Failed to find group coordinator';
        await expectRefusal(`joins ${group}`, read(kafka, noticesTopic(member), group), noGroup);
      }
    }
    expect(verdicts).toEqual(expected);
  }, 240_000);

  test('sees no other topics and administers nothing', async () => {
    const client = memberKafka(first).admin({ retry: { retries: 1 } });
    await client.connect();
    expect((await client.listTopics()).toSorted()).toEqual(
      [first].flatMap((m) => [inboxTopic(m), noticesTopic(m), receiptsTopic(m)]),
    );
    expect(await outcome(async () => client.createTopics({ topics: [{ topic: `mine-${run}` }] }))).not.toBe('ok');
    expect(await outcome(async () => client.deleteTopics({ topics: [noticesTopic(first)] }))).not.toBe('ok');
    const own = { topic: noticesTopic(first), partitions: [{ partition: 0, offset: '1' }] };
    expect(await outcome(async () => client.deleteTopicRecords(own))).not.toBe('ok');
    await client.disconnect();
  });
});

describe('the broker', () => {
  const forgeries: [string, () => Promise<string>][] = [
    [
      'another key under the same kid',
      async () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        return new SignJWT({ ...valid() }).setProtectedHeader({ alg: 'ES256', kid: kid() }).sign(privateKey);
      },
    ],
    [
      'a flipped signature',
      async () => {
        const [header, payload, signature] = (await claims()).split('.');
        const bytes = base64url.decode(signature!);
        bytes[10]! ^= 1;
        return `${header!}.${payload!}.${base64url.encode(bytes)}`;
      },
    ],
    [
      'another subject under the same signature',
      async () => {
        const [header, , signature] = (await claims()).split('.');
        return `${header!}.${base64url.encode(JSON.stringify({ ...valid(), sub: kafkaPrincipal(members[1]!, firstKid(members[1]!)) }))}.${signature!}`;
      },
    ],
    ['another issuer', async () => claims({ iss: 'https://elsewhere.example' })],
    ['another audience', async () => claims({ aud: 'liandun' })],
    ['an expired token', async () => claims({ exp: seconds() - 120 })],
    ['alg none', async () => new UnsecuredJWT({ ...valid() }).setIssuedAt().encode()],
    [
      'HS256 with the public key as the secret',
      async () => {
        const { d: _private, ...publicKey } = JSON.parse(env('KAFKA_KEY')) as JWK;
        const head = base64url.encode(JSON.stringify({ alg: 'HS256', kid: kid() }));
        const body = base64url.encode(JSON.stringify({ ...valid(), iat: seconds() }));
        const mac = createHmac('sha256', JSON.stringify(publicKey)).update(`${head}.${body}`).digest();
        return `${head}.${body}.${base64url.encode(mac)}`;
      },
    ],
    [
      'a key of its own in the header',
      async () => {
        const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const jwk = await exportJWK(publicKey);
        return new SignJWT({ ...valid() }).setProtectedHeader({ alg: 'ES256', jwk }).setIssuedAt().sign(privateKey);
      },
    ],
    ['no token', async () => 'nothing.to.see'],
  ];

  test.each(forgeries)('refuses %s', async (_name, forge) => {
    // The broker closes the connection; that it is up and takes a good token is asked right after.
    expect(await asks(await forge())).toBe('No brokers in the broker pool');
    expect(await asks(await claims())).toBe('ok');
  });
});

describe('suspension', () => {
  test('stops a consumer that is running, and resumption lets it in again', async () => {
    const member = `x${run}-s`;
    await ensureMember(admin, member, [firstKid(member)]);
    const consumer = memberKafka(member).consumer({
      groupId: `${member}.shops`,
      maxWaitTimeInMs: 100,
      retry: { retries: 1, restartOnFailure: async () => false },
    });
    let ended: string | undefined;
    consumer.on(consumer.events.CRASH, ({ payload }) => (ended = payload.error.message));
    let joined = false;
    consumer.on(consumer.events.GROUP_JOIN, () => (joined = true));
    let fetched = 0;
    consumer.on(consumer.events.FETCH, () => (fetched += 1));
    await consumer.connect();
    await consumer.subscribe({ topic: noticesTopic(member) });
    await consumer.run({ eachMessage: async () => undefined });
    await until('the consumer is in its group and reads', () => joined && fetched > 0);
    expect(ended).toBeUndefined();
    const kids = [firstKid(member)];
    const suspended: AccessMember = { memberId: member, role: 'platform', status: 'suspended', kids };
    await syncAccess(admin, [suspended]);
    await until('the consumer is refused', () => ended !== undefined);
    expect(ended).toMatch(/authori[sz]/i);
    await consumer.disconnect();
    expect(await write(memberKafka(member), inboxTopic(member))).toBe('TOPIC_AUTHORIZATION_FAILED');
    await syncAccess(admin, [{ ...suspended, status: 'active' }]);
    expect(await write(memberKafka(member), inboxTopic(member))).toBe('ok');
  });

  test("stops what came with one key of a member's, at once and on an open connection, and leaves its others alone", async () => {
    const member = `x${run}-k`;
    const [stolen, kept] = [`${member}-1`, `${member}-2`];
    const both: AccessMember = { memberId: member, role: 'platform', status: 'active', kids: [stolen, kept] };
    await syncAccess(admin, [both]);
    // Tokens that stay good for five minutes: the broker doesn't ask the ledger again.
    const [thief, owner] = [stolen, kept].map((each) =>
      memberKafka(member, async () => kafkaToken(member, { sub: kafkaPrincipal(member, each) })),
    ) as [Kafka, Kafka];
    const open = thief.producer({ retry: { retries: 0 } });
    await open.connect();
    const send = (): Promise<string> =>
      outcome(async () => open.send({ topic: inboxTopic(member), messages: [{ value: 'x' }] }));
    expect(await send()).toBe('ok');
    expect(await write(owner, inboxTopic(member))).toBe('ok');
    await syncAccess(admin, [{ ...both, kids: [kept] }]);
    expect(await send()).toBe('TOPIC_AUTHORIZATION_FAILED');
    await open.disconnect();
    expect(await write(thief, inboxTopic(member))).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(await read(thief, noticesTopic(member), `${member}.g`)).not.toBe('ok');
    expect(await write(owner, inboxTopic(member))).toBe('ok');
    await syncAccess(admin, [both]);
    expect(await write(thief, inboxTopic(member))).toBe('ok');
  });

  test("takes away one member's rights and nobody else's; repeated, it changes nothing", async () => {
    const [, second] = members as [string, string];
    const before = (await admin.grants()).filter(({ memberId }) => memberId !== second);
    await revokeMember(admin, second);
    await revokeMember(admin, second);
    const after = await admin.grants();
    expect(after.filter(({ memberId }) => memberId === second)).toEqual([]);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length);
  });

  test('a name that would open the groups of others is no member id', async () => {
    await expect(ensureMember(admin, `${first}.shops`, ['k'])).rejects.toThrow('Not a member id');
  });
});
