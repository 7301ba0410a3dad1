import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { noticeEvent, type CloudEvent, type Notice, type NoticeAction, type NoticeIssued } from '@liandun/contracts';
import { ensureMember, kafkaAdmin, KafkaSender, noticesTopic, revokeMember } from '@liandun/messaging';
import pg from 'pg';
import { createTestDatabase } from '../../../test/support/database.js';
import { env, firstKid, kafkaToken, until } from '../../../test/support/kafka.js';
import { noticeIssued } from '../../../test/support/notices.js';
import { Wire } from '../../../test/support/wire.js';
import {
  closedShops,
  consumeNotices,
  kafkaClient,
  LiandunClient,
  pgNoticeStore,
  type NoticeConsumer,
} from './index.js';

const admin = kafkaAdmin(env('KAFKA_INTERNAL'));
const sender = new KafkaSender(env('KAFKA_INTERNAL'), 'test');
let database: { url: string; drop: () => Promise<void> };
let pool: pg.Pool;
let wire: Wire;
let member: string;
const consumers: NoticeConsumer<pg.ClientBase>[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
  await pool.query('CREATE TABLE effect (member text, seq int, at bigserial)');
});

beforeEach(async () => {
  member = `c${randomBytes(4).toString('hex')}`;
  wire = await new Wire(member).start();
  wire.kafkaToken = async (memberId) => kafkaToken(memberId);
  await ensureMember(admin, member, [firstKid(member)]);
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map(async (consumer) => consumer.stop()));
  await wire.stop();
});

afterAll(async () => {
  await sender.close();
  await admin.close();
  await pool.end();
  await database.drop();
});

const placed = {
  leafHash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  acceptedAt: '2020-02-03T10:00:00.000+08:00',
};

function notice(seq: number, over: Partial<NoticeIssued> = {}): CloudEvent<Notice> {
  return noticeEvent(noticeIssued(member, seq, over), { position: seq, ...placed });
}

async function onTopic(...events: unknown[]): Promise<void> {
  const records = events.map((event) => ({ value: JSON.stringify(event) }));
  await sender.send([{ topic: noticesTopic(member), records }]);
}

type Handle = (seen: Notice, tx: pg.ClientBase) => Promise<void>;

const store: Handle = async ({ seq }, tx) => {
  await tx.query('INSERT INTO effect (member, seq) VALUES ($1, $2)', [member, seq]);
};

function consume(from: 'kafka' | 'feed', handle: Handle = store): NoticeConsumer<pg.ClientBase> {
  const consumer = consumeNotices({
    client: new LiandunClient({ url: wire.url, memberId: member, key: wire.key.privateKey }),
    name: `shops-${member}`,
    store: pgNoticeStore(pool),
    handler: { handle },
    ...(from === 'kafka' && { kafka: { brokers: env('KAFKA_BROKERS') } }),
    attemptsMax: 2,
    retryFailedEveryMs: 0,
  });
  consumers.push(consumer);
  return consumer;
}

async function effects(): Promise<number[]> {
  const { rows } = await pool.query<{ seq: number }>('SELECT seq FROM effect WHERE member = $1 ORDER BY at', [member]);
  return rows.map(({ seq }) => seq);
}

const reaches = async (consumer: NoticeConsumer<pg.ClientBase>, seq: number): Promise<void> =>
  until(`seq ${seq}`, () => consumer.status().seq >= seq);

describe.each(['kafka', 'feed'] as const)('a consumer of the %s', (channel) => {
  /** Puts notices where this channel finds them; the feed has everything in any case. */
  async function issue(...events: CloudEvent<Notice>[]): Promise<void> {
    wire.notices.push(...events);
    if (channel === 'kafka') await onTopic(...events);
  }

  test('handles each notice once, in order, and goes on where it stopped', async () => {
    await issue(...[0, 1, 2].map((seq) => notice(seq)));
    const consumer = consume(channel);
    await reaches(consumer, 2);
    await consumer.stop();
    await issue(notice(3));
    await reaches(consume(channel), 3);
    expect(await effects()).toEqual([0, 1, 2, 3]);
  });

  test('sets aside what can not be handled, keeps later notices of the same listing behind it, and tries again', async () => {
    let broken = true;
    await issue(
      notice(0, { listingId: 'L1-aaaaaaaaaaaa' }),
      notice(1, { listingId: 'L2-bbbbbbbbbbbb' }),
      notice(2, { listingId: 'L1-aaaaaaaaaaaa', action: 'reopen' }),
    );
    const consumer = consume(channel, async (seen, tx) => {
      await store(seen, tx);
      if (broken && seen.seq === 0) throw new Error('The shop system is down');
    });
    await reaches(consumer, 2);
    expect(await effects()).toEqual([1]);
    const failed = await pgNoticeStore(pool).failed(`shops-${member}`);
    expect(failed.map(({ notice: { data }, error }) => [data.seq, error])).toEqual([
      [0, 'The shop system is down'],
      [2, 'Waits behind an earlier notice of its listing'],
    ]);
    expect(await consumer.retryFailed()).toBe(2);
    broken = false;
    expect(await consumer.retryFailed()).toBe(0);
    expect(await effects()).toEqual([1, 0, 2]);
  });

  test('R08: what a later ledger says reaches the handler or is passed over, and nothing waits behind it', async () => {
    const told: unknown[] = [];
    const later = notice(1, { action: 'suspend' as NoticeAction, status: 'escalated' as never });
    await issue(notice(0), { ...later, data: { ...later.data, future: { of: 'a later ledger' } } as Notice });
    if (channel === 'kafka') await onTopic({ ...notice(9), type: 'liandun.future.v1', data: { no: 0 } });
    await issue(notice(2));
    const consumer = consume(channel, async (seen, tx) => {
      told.push(seen);
      await store(seen, tx);
    });
    await reaches(consumer, 2);
    expect(await effects()).toEqual([0, 1, 2]);
    expect(told[1]).toMatchObject({ action: 'suspend', status: 'escalated', future: { of: 'a later ledger' } });
    expect(await consumer.retryFailed()).toBe(0);
  });

  test('a shop stays closed until the last of its listings ends', async () => {
    const shops = [{ shopId: 's-1', name: '某店', url: 'https://a.example/s-1' }];
    const one = { listingId: 'L1-aaaaaaaaaaaa', shops };
    const other = { listingId: 'L2-bbbbbbbbbbbb', shops };
    await issue(notice(0, one), notice(1, other), notice(2, { ...one, action: 'reopen', stillListed: true }));
    const consumer = consume(channel);
    await reaches(consumer, 2);
    expect(await closedShops(pool, `shops-${member}`)).toEqual([{ shopId: 's-1', closedBy: ['L2-bbbbbbbbbbbb'] }]);
    await consumer.stop();
    await issue(notice(3, { ...other, action: 'reopen', stillListed: false }));
    await reaches(consume(channel), 3);
    expect(await closedShops(pool, `shops-${member}`)).toEqual([]);
  });
});

describe('a consumer of Kafka', () => {
  test('repeats nothing in its store when it is cut off between effect and offset', async () => {
    const events = Array.from({ length: 50 }, (_, seq) => notice(seq));
    wire.notices = events;
    // Some come twice, as after a crash of the relay.
    await onTopic(...events.slice(0, 20), ...events.slice(10, 50));
    await reaches(consume('kafka'), 5);
    await consumers.pop()!.stop();
    // The effects are stored and no offset is: what a kill between the two leaves behind.
    const groups = kafkaClient({ brokers: env('KAFKA_INTERNAL'), clientId: 'test' }).admin();
    await groups.connect();
    await groups.resetOffsets({ groupId: `${member}.shops-${member}`, topic: noticesTopic(member), earliest: true });
    await groups.disconnect();
    await reaches(consume('kafka'), 49);
    expect(await effects()).toEqual(events.map(({ data }) => data.seq));
  });

  test('fetches from the feed what the topic no longer has, and what on it is malformed', async () => {
    wire.notices = [0, 1, 2, 3, 4].map((seq) => notice(seq));
    await onTopic(notice(2), { ...notice(3), type: 'liandun.something.v1' }, notice(4));
    await reaches(consume('kafka'), 4);
    expect(await effects()).toEqual([0, 1, 2, 3, 4]);
  });

  test("does not skip a gap that nobody can fill, nor take another member's notice", async () => {
    wire.notices = [notice(0)];
    const foreign = { ...notice(1), data: { ...notice(1).data, noticeId: 'platform-z.1' } };
    await onTopic(notice(0), foreign, notice(2));
    const consumer = consume('kafka');
    await until(
      'it says what is missing',
      () => consumer.status().lastError?.startsWith('Notice 1 is neither') ?? false,
    );
    expect(await effects()).toEqual([0]);
    wire.notices = [notice(0), notice(1), notice(2)];
    await reaches(consumer, 2);
    expect(await effects()).toEqual([0, 1, 2]);
  });

  test('stops within a minute of a suspension and goes on by itself after it', async () => {
    wire.notices = [notice(0), notice(1)];
    await onTopic(notice(0));
    const consumer = consume('kafka');
    await reaches(consumer, 0);
    await revokeMember(admin, member);
    await until('it is refused', () => consumer.status().state === 'retrying', 60_000);
    await onTopic(notice(1));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await effects()).toEqual([0]);
    await ensureMember(admin, member, [firstKid(member)]);
    await reaches(consumer, 1);
  });
});
