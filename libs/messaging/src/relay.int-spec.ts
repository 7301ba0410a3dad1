import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { CloudEvent, Notice } from '@liandun/contracts';
import { EVENT_LOG_MIGRATIONS, EventLog, migrate } from '@liandun/event-log';
import { kafkaClient } from '@liandun/sdk';
import pg from 'pg';
import { createTestDatabase } from '../../../test/support/database.js';
import { env, firstKid, readTopic, until, type Received } from '../../../test/support/kafka.js';
import { issueNotices } from '../../../test/support/notices.js';
import {
  ensureMember,
  followMembers,
  kafkaAdmin,
  MESSAGING_MIGRATIONS,
  noticesTopic,
  Relay,
  relayLag,
} from './index.js';

let database: { url: string; drop: () => Promise<void> };
let pool: pg.Pool;
let log: EventLog;
const admin = kafkaAdmin(env('KAFKA_INTERNAL'));
const relays: Relay[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, [...EVENT_LOG_MIGRATIONS, ...MESSAGING_MIGRATIONS]);
  pool = new pg.Pool({ connectionString: database.url, max: 10 });
  pool.on('error', () => undefined);
  log = new EventLog({ pool });
});

afterEach(async () => {
  await Promise.all(relays.splice(0).map(async (relay) => relay.stop()));
});

afterAll(async () => {
  await log.close();
  await pool.end();
  await admin.close();
  await database.drop();
});

/** New members with topics and cursors. */
async function join(count: number): Promise<string[]> {
  const run = randomBytes(4).toString('hex');
  const members = Array.from({ length: count }, (_, index) => `m${run}-${index}`);
  for (const member of members) await ensureMember(admin, member, [firstKid(member)]);
  await followMembers(pool, members);
  return members;
}

function startRelay(over: { leaseMs?: number; pollMs?: number; backoffMaxMs?: number } = {}): Relay {
  const relay = new Relay({ pool, brokers: env('KAFKA_INTERNAL'), leaseMs: 1_000, ...over }).start();
  relays.push(relay);
  return relay;
}

/** A poll that no test lives to see, and a lease that none outlives: it sends what it is woken for. */
const ONLY_WOKEN = { pollMs: 3_600_000, leaseMs: 60_000 };

const seqOf = ({ value }: Received): number => (JSON.parse(value) as CloudEvent<Notice>).data.seq;
const distinct = (received: Received[]): number[] => [...new Set(received.map(seqOf))];
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const hasAll = (count: number) => (received: Received[]) => new Set(received.map(seqOf)).size >= count;

/** Each member's topic has notices 0 … count - 1, the first copies in this order. */
async function expectAll(members: string[], count: number): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      expect(distinct(await readTopic(noticesTopic(member), hasAll(count)))).toEqual(upTo(count));
    }),
  );
}

describe('the relay', () => {
  test('brings each notice to its member as a CloudEvent, keyed by listing', async () => {
    const [member] = await join(1);
    await issueNotices(log, [member!], 0, 3);
    startRelay();
    const received = await readTopic(noticesTopic(member!), hasAll(3));
    expect(received.map(seqOf)).toEqual([0, 1, 2]);
    const [entry] = await log.readStream(`notices/${member!}`, { limit: 1 });
    expect(received[0]).toMatchObject({
      key: 'L0-0123456789ab',
      headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    });
    expect(JSON.parse(received[0]!.value)).toMatchObject({
      specversion: '1.0',
      type: 'liandun.notice.v1',
      data: { noticeId: `${member!}.0`, position: entry!.position, leafHash: entry!.leafHash.toString('base64') },
    });
    expect(received[0]!.value).not.toContain('"member"');
  });

  test('sends at once what is issued while it waits', async () => {
    const [member] = await join(1);
    const relay = startRelay(ONLY_WOKEN);
    await until('the relay has the lease', () => relay.status().active);
    // More than the wake-ups that come of themselves: when it has the lease, and when it listens.
    for (let seq = 0; seq < 6; seq += 1) {
      await issueNotices(log, [member!], seq, seq + 1);
      await until(`notice ${seq} is relayed`, () => relay.status().relayed > seq);
    }
  });

  test('loses and reorders nothing when it is stopped and started in the middle, again and again', async () => {
    const members = await join(5);
    const issued = issueNotices(log, members, 0, 500);
    for (let round = 0; round < 4; round += 1) {
      const relay = startRelay();
      await until('some notices are relayed', () => relay.status().relayed > 50);
      await relay.stop();
    }
    await issued;
    startRelay();
    await expectAll(members, 500);
  });

  test('two relays of which each thinks that it is alone lose and reorder nothing', async () => {
    const members = await join(3);
    await issueNotices(log, members, 0, 500);
    const one = startRelay();
    await until('one relays', () => one.status().relayed > 0);
    // What a lease that ran out unnoticed would be.
    await pool.query('DELETE FROM relay.lease');
    const other = startRelay();
    await until('all is relayed', async () => (await relayLag(pool)).size === 0);
    await expectAll(members, 500);
    await until('one of them stands by', () => one.status().active !== other.status().active);
  });

  test('a second relay stands by and takes over when the first is gone', async () => {
    const [member] = await join(1);
    const one = startRelay();
    await until('one relays', () => one.status().active);
    const other = startRelay();
    await issueNotices(log, [member!], 0, 5);
    await until('one has relayed', () => one.status().relayed === 5);
    expect(other.status()).toMatchObject({ active: false, relayed: 0 });
    await one.stop();
    await issueNotices(log, [member!], 5, 10);
    await until('the other has relayed', () => other.status().relayed === 5);
    await expectAll([member!], 10);
  });

  test('connections to PostgreSQL that break in the middle cost nothing', async () => {
    const [member] = await join(1);
    const relay = startRelay();
    await until('it relays', () => relay.status().active);
    const issued = issueNotices(log, [member!], 0, 1_500);
    await until('some notices are relayed', () => relay.status().relayed > 50);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND (query LIKE '%relay.%' OR query LIKE 'LISTEN%')`,
    );
    await issued;
    await expectAll([member!], 1_500);
  });

  test('a topic that is gone stalls nobody else, is shown, and gets everything once it is back', async () => {
    const [bad, ...good] = await join(20);
    const kafkajs = kafkaClient({ brokers: env('KAFKA_INTERNAL'), clientId: 'test' }).admin();
    await kafkajs.connect();
    await kafkajs.deleteTopics({ topics: [noticesTopic(bad!)] });
    await kafkajs.disconnect();
    const relay = startRelay({ ...ONLY_WOKEN, backoffMaxMs: 500 });
    await issueNotices(log, [bad!, ...good], 0, 50);
    await until('the bad one is shown', () => relay.status().stalled.some(({ failures }) => failures > 1));
    await until('the others have theirs', async () => (await relayLag(pool)).size === 1);
    expect(relay.status().stalled).toMatchObject([{ member: bad }]);
    await expectAll(good.slice(0, 3), 50);
    // New notices of the others don't wait for it either: it has none until its topic is back, and there is no poll.
    await issueNotices(log, good, 50, 51);
    await until('the others have the next', async () => (await relayLag(pool)).size === 1);
    expect([...(await relayLag(pool)).keys()]).toEqual([bad]);
    await ensureMember(admin, bad!, [firstKid(bad!)]);
    await expectAll([bad!], 50);
    await until('nobody is stalled', () => relay.status().stalled.length === 0);
  });
});
