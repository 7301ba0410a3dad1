import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import { InboxPublisher, kafkaClient, LiandunClient, sealEvent } from '@liandun/sdk';
import type { JWK } from 'jose';
import { env, firstKid, kafkaToken, readTopic, until } from '../../../test/support/kafka.js';
import { Wire } from '../../../test/support/wire.js';
import { ensureMember, Inbox, inboxTopic, kafkaAdmin, KafkaSender, receiptsTopic } from './index.js';

const admin = kafkaAdmin(env('KAFKA_INTERNAL'));
const sender = new KafkaSender(env('KAFKA_INTERNAL'), 'test');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const names = { kid: 'inbox-1', alg: 'ECDH-ES+A256KW', use: 'enc' };
const inboxKey: JWK = { ...(privateKey.export({ format: 'jwk' }) as JWK), ...names };
const published: JWK = { ...(publicKey.export({ format: 'jwk' }) as JWK), ...names };

let member: string;
let wire: Wire;
let client: LiandunClient;
let submitted: unknown[];
let fails = 0;
let inbox: Inbox;

beforeEach(async () => {
  member = `i${randomBytes(4).toString('hex')}`;
  wire = await new Wire(member).start();
  wire.kafkaToken = async (memberId) => kafkaToken(memberId);
  wire.jwks = [published];
  client = new LiandunClient({ url: wire.url, memberId: member, key: wire.key.privateKey });
  submitted = [];
  fails = 0;
  await ensureMember(admin, member, [firstKid(member)]);
  inbox = newInbox();
});

afterEach(async () => {
  await inbox.stop();
  await wire.stop();
});

afterAll(async () => {
  await sender.close();
  await admin.close();
});

function newInbox(): Inbox {
  return new Inbox({
    brokers: env('KAFKA_INTERNAL'),
    keys: [inboxKey],
    submit: async (memberId, events) => {
      if (fails > 0) {
        fails -= 1;
        throw new Error('The database is away');
      }
      expect(memberId).toBe(member);
      submitted.push(...events);
      return (events as CloudEvent[]).map(({ id }): Receipt => ({ id, status: 'accepted', position: 1 }));
    },
    onFatal: (error) => {
      throw error;
    },
  });
}

const personal = (id: string): CloudEvent =>
  client.event({
    id,
    type: 'liandun.merchant.reported.v1',
    data: { merchantId: 'm', identity: { kind: 'person', name: '虚构某' }, shops: [], status: 'active' },
  });
const impersonal = (id: string): CloudEvent =>
  client.event({ id, type: 'liandun.case.heard.v1', data: { caseId: 'c', hearing: {} } });

async function put(...values: string[]): Promise<void> {
  await sender.send([{ topic: inboxTopic(member), records: values.map((value) => ({ value })) }]);
}

async function receipts(count: number): Promise<Receipt[]> {
  const received = await readTopic(receiptsTopic(member), (records) => records.length >= count);
  return received.map(({ value }) => JSON.parse(value) as Receipt);
}

async function isEmpty(): Promise<boolean> {
  const kafkajs = kafkaClient({ brokers: env('KAFKA_INTERNAL'), clientId: 'test' }).admin();
  await kafkajs.connect();
  const [offsets] = await kafkajs.fetchTopicOffsets(inboxTopic(member));
  await kafkajs.disconnect();
  return offsets !== undefined && offsets.low === offsets.high && offsets.high !== '0';
}

describe('the inbox', () => {
  test('takes events of a member by its own token, sealed where they are personal, gives receipts and keeps nothing', async () => {
    await inbox.follow([member]);
    const publisher = await new InboxPublisher({ client, brokers: env('KAFKA_BROKERS') }).open();
    const events = [personal('p-1'), impersonal('q-1'), personal('p-2')];
    expect(await publisher.publish(events)).toMatchObject([
      { id: 'p-1', status: 'accepted' },
      { id: 'q-1', status: 'accepted' },
      { id: 'p-2', status: 'accepted' },
    ]);
    expect(submitted).toEqual(events);
    await until('the records are gone', isEmpty);
    await publisher.close();
  });

  test('refuses personal fields in the clear, what it can not open and what is no JSON, and submits none of it', async () => {
    const sealed = await sealEvent(personal('s'), published);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) as JWK;
    const foreign = await sealEvent(personal('s'), { ...other, ...names });
    expect(sealed).not.toContain('虚构某');
    await put(JSON.stringify(personal('clear')), foreign, `${sealed.slice(0, -4)}AAAA`, '{"half', sealed);
    await inbox.follow([member]);
    expect((await receipts(5)).map(({ id, status, problem }) => [id, status, problem?.code])).toEqual([
      ['clear', 'rejected', 'PERSONAL_DATA_IN_CLEAR'],
      ['', 'rejected', 'MALFORMED_JWE'],
      ['', 'rejected', 'MALFORMED_JWE'],
      ['', 'rejected', 'MALFORMED_JSON'],
      ['s', 'accepted', undefined],
    ]);
    expect(submitted).toEqual([personal('s')].map((event) => ({ ...event, time: (submitted[0] as CloudEvent).time })));
  });

  test('waits while intake fails and loses nothing', async () => {
    fails = 3;
    await put(JSON.stringify(impersonal('a')), JSON.stringify(impersonal('b')));
    await inbox.follow([member]);
    expect((await receipts(2)).map(({ id }) => id)).toEqual(['a', 'b']);
    await until('nothing is stalled', () => inbox.status().stalled.length === 0);
  });

  test('after a crash between receipt and offset only receipts are repeated', async () => {
    await put(JSON.stringify(impersonal('a')));
    // What such a crash leaves: the event is taken and its receipt sent, the group has no offset and the record is there.
    await sender.send([{ topic: receiptsTopic(member), records: [{ value: '{"id":"a","status":"accepted"}' }] }]);
    await inbox.follow([member]);
    expect((await receipts(2)).map(({ id }) => id)).toEqual(['a', 'a']);
    await until('the record is gone', isEmpty);
    await inbox.stop();
    inbox = newInbox();
    await inbox.follow([member]);
    await put(JSON.stringify(impersonal('b')));
    expect((await receipts(3)).map(({ id }) => id)).toEqual(['a', 'a', 'b']);
  });

  test('picks up a member that joins later, and passes over one without a topic', async () => {
    await inbox.follow([member]);
    const later = member;
    const first = `${later}-x`;
    await inbox.follow([first]);
    expect(inbox.status().following).toEqual([]);
    await inbox.follow([first, later]);
    expect(inbox.status().following).toEqual([later]);
    await put(JSON.stringify(impersonal('a')));
    expect((await receipts(1)).map(({ id }) => id)).toEqual(['a']);
  });
});
