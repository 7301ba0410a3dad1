import { randomBytes } from 'node:crypto';
import { EVENT_LOG_MIGRATIONS, EventLog, migrate } from '@liandun/event-log';
import { followMembers, kafkaAdmin, MESSAGING_MIGRATIONS, noticesTopic, Relay, relayLag } from '@liandun/messaging';
import { kafkaClient } from '@liandun/sdk';
import type { Message, TopicMessages } from 'kafkajs';
import pg from 'pg';
import { createTestDatabase } from '../support/database.js';
import { issueNotices } from '../support/notices.js';
import type { BenchResult } from './result.js';

const TOPICS = 100;
const NOTICES_PER_TOPIC = 100;
/** What the relay puts of one member into one produce request when it has a backlog. */
const BATCH_RECORDS = 50;
const ROUNDS = 3;

/** Notices per second relayed from the log into 100 topics, against a bare kafkajs producer with the same bytes. */
export async function run({
  databaseUrl,
  kafkaInternal: internal,
}: {
  databaseUrl: string;
  kafkaInternal: string;
}): Promise<BenchResult> {
  const database = await createTestDatabase(databaseUrl);
  const pool = new pg.Pool({ connectionString: database.url, max: 8 });
  pool.on('error', () => undefined);
  const admin = kafkaAdmin(internal);
  try {
    await migrate(database.url, [...EVENT_LOG_MIGRATIONS, ...MESSAGING_MIGRATIONS]);
    const rounds: { relayed: number; bare: number }[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const members = await join(pool, admin);
      const relayed = await relayRate(pool, internal, members);
      const bare = await bareRate(internal, members, admin);
      if (round > 0) rounds.push({ relayed, bare }); // the first warms both up
    }
    return result(rounds);
  } finally {
    await admin.close();
    await pool.end();
    await database.drop();
  }
}

async function join(pool: pg.Pool, admin: ReturnType<typeof kafkaAdmin>): Promise<string[]> {
  const prefix = `b${randomBytes(4).toString('hex')}`;
  const members = Array.from({ length: TOPICS }, (_, index) => `${prefix}-${index}`);
  await openTopics(admin, members);
  await followMembers(pool, members);
  const log = new EventLog({ pool });
  await issueNotices(log, members, 0, NOTICES_PER_TOPIC);
  await log.close();
  return members;
}

async function openTopics(admin: ReturnType<typeof kafkaAdmin>, members: string[]): Promise<void> {
  await admin.createTopics(members.map((member) => ({ topic: noticesTopic(member), retentionMs: 3_600_000 })));
}

/** From the relay's start, with everything in the log, until every cursor has moved to the end. */
async function relayRate(pool: pg.Pool, brokers: string, members: string[]): Promise<number> {
  const total = members.length * NOTICES_PER_TOPIC;
  const began = performance.now();
  const relay = new Relay({ pool, brokers }).start();
  while (relay.status().relayed < total) await new Promise((resolve) => setTimeout(resolve, 2));
  while ((await relayLag(pool)).size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  const perSecond = (total / (performance.now() - began)) * 1000;
  await relay.stop();
  return perSecond;
}

/** The very records that the relay wrote, from memory, in requests of the same size, into as many fresh topics. */
async function bareRate(brokers: string, members: string[], admin: ReturnType<typeof kafkaAdmin>): Promise<number> {
  const records = await readBack(brokers, members);
  const bare = members.map((member) => `${member}-bare`);
  const topics = bare.map(noticesTopic);
  await openTopics(admin, bare);
  const producer = kafkaClient({ brokers, clientId: 'bench' }).producer({ idempotent: true, maxInFlightRequests: 1 });
  const began = performance.now();
  await producer.connect();
  for (let from = 0; from < NOTICES_PER_TOPIC; from += BATCH_RECORDS) {
    const topicMessages: TopicMessages[] = topics.map((topic, index) => ({
      topic,
      messages: records[index]!.slice(from, from + BATCH_RECORDS),
    }));
    await producer.sendBatch({ acks: -1, topicMessages });
  }
  const perSecond = ((members.length * NOTICES_PER_TOPIC) / (performance.now() - began)) * 1000;
  await producer.disconnect();
  return perSecond;
}

async function readBack(brokers: string, members: string[]): Promise<Message[][]> {
  const records = new Map<string, Message[]>(members.map((member) => [noticesTopic(member), []]));
  const consumer = kafkaClient({ brokers, clientId: 'bench' }).consumer({
    groupId: `bench-${randomBytes(4).toString('hex')}`,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...records.keys()], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    let left = members.length * NOTICES_PER_TOPIC;
    const eachBatch = async ({ batch }: { batch: import('kafkajs').Batch }): Promise<void> => {
      for (const { key, value, headers } of batch.messages) {
        records.get(batch.topic)!.push({ key, value, headers, partition: 0 });
        left -= 1;
      }
      if (left === 0) resolve();
    };
    consumer.run({ eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return members.map((member) => records.get(noticesTopic(member))!);
}

function result(rounds: { relayed: number; bare: number }[]): BenchResult {
  const ratios = rounds.map(({ relayed, bare }) => relayed / bare).toSorted((one, other) => one - other);
  const median = ratios[Math.floor(ratios.length / 2)]!;
  return {
    name: 'fanout',
    title: `Notices relayed into ${TOPICS} topics, ${NOTICES_PER_TOPIC} each, from the log, acknowledged and saved`,
    rows: rounds.map(({ relayed, bare }, index) => ({
      round: index + 1,
      'relay (notices/s)': Math.round(relayed),
      'bare kafkajs (notices/s)': Math.round(bare),
      ratio: Number((relayed / bare).toFixed(2)),
    })),
    notes: ['Aim: 0.7. Both start with connecting; the relay also reads PostgreSQL and moves its cursors there.'],
    json: { rounds, medianRatio: median },
  };
}
