// Notices that nobody answers: their receiver is reminded, then its regulator sees it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  EVENT_TYPES,
  loadWorkingDays,
  SUBMITTED_TYPES,
  type AlarmRaised,
  type NoticeIssued,
  type NoticeReminded,
} from '@liandun/contracts';
import { deadlineOf } from '@liandun/domain';
import { kafkaAdmin, ensureMember, followMembers, noticesTopic, Relay } from '@liandun/messaging';
import { endpointPage, parseNetworks, putEndpoint, Webhooks } from '@liandun/webhooks';
import { verifyWebhook } from '@liandun/sdk';
import { generateVaultKeys } from '@liandun/vault';
import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { drawn } from '../../../test/support/drawn.js';
import { env, firstKid, readTopic, until } from '../../../test/support/kafka.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { Receiver } from '../../../test/support/receiver.js';
import { delisted, ending, organization, reported, submission } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';

const HOUR_MS = 3_600_000;
const HOST = `rem-b-${randomInt(100_000)}`;
const STRANGER = `rem-c-${randomInt(100_000)}`;
const workingDays = loadWorkingDays();
let ledger: TestLedger;
let serial = drawn(1_000, 100_000);

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', HOST, STRANGER]) await ledger.admit(member);
});
afterAll(() => ledger.stop());

/** A clock of its own, at a time of the database's that is so far from now: what it finds, a restarted one finds. */
async function tickAt(time: number | string): Promise<void> {
  const now = (): Promise<Date> => Promise.resolve(new Date(time));
  await new LifeClock({ pool: ledger.pool, log: ledger.log, workingDays, now, watchEveryMs: 0 }).tick();
  await ledger.settled();
}

async function told(): Promise<{ notice: NoticeIssued; delistingId: string; dueMs: number }> {
  const [merchantId, delistingId] = [`m-${randomUUID()}`, randomUUID()];
  serial += 1;
  await ledger.submit(HOST, [reported(HOST, merchantId, organization(serial))]);
  await ledger.submit('platform-a', [delisted('platform-a', merchantId, organization(serial), { id: delistingId })]);
  const notice = (await ledger.notices(HOST)).at(-1)!;
  expect(notice.action).toBe('close');
  return { notice, delistingId, dueMs: Date.parse(notice.respondBy) };
}

async function reminded(member: string, noticeId: string): Promise<NoticeReminded[]> {
  const entries = await ledger.log.readStream(`reminders/${member}`, { limit: 1_000 });
  return entries.map(({ data }) => data as NoticeReminded).filter((each) => each.noticeId === noticeId);
}

async function alarms(noticeId: string): Promise<AlarmRaised[]> {
  const entries = await ledger.log.readStream('alarms', { limit: 1_000 });
  return entries.map(({ data }) => data as AlarmRaised).filter((each) => each.noticeId === noticeId);
}

const answer = (noticeId: string): Promise<unknown> =>
  ledger.submit(HOST, [
    submission(HOST, SUBMITTED_TYPES.noticeDisposed, {
      noticeId,
      decision: 'underReview',
      shops: [],
      decidedAt: new Date().toISOString(),
      decidedBy: 'reviewer',
    }),
  ]);

describe('a notice that is not answered', () => {
  test('is reminded of once when its time is over, whoever has the clock, then alarms once', async () => {
    const { notice, dueMs } = await told();
    await tickAt(dueMs - 1_000);
    expect(await reminded(HOST, notice.noticeId)).toEqual([]);
    for (const lateMs of [1_000, 2_000, HOUR_MS]) await tickAt(dueMs + lateMs);
    const { noticeId, seq, respondBy } = notice;
    expect(await reminded(HOST, noticeId)).toEqual([{ member: HOST, noticeId, seq, respondBy }]);
    expect(await alarms(noticeId)).toEqual([]);
    const overAt = Date.parse(deadlineOf(workingDays, respondBy, { count: 1, unit: 'workingDay' }).due!);
    await tickAt(overAt - 1_000);
    expect(await alarms(noticeId)).toEqual([]);
    for (const lateMs of [1_000, HOUR_MS]) await tickAt(overAt + lateMs);
    expect(await alarms(noticeId)).toEqual([
      { alarm: 'noticeUnanswered', about: HOST, day: expect.any(String), limit: 1, noticeId },
    ]);
  });

  test('is only reminded of where something is still asked: not once it was answered or has ended, nor of a stranger', async () => {
    const [answered, ended, last] = [await told(), await told(), await told()];
    await answer(answered.notice.noticeId);
    await ledger.submit('platform-a', [
      ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: ended.delistingId, cause: 'cured' }),
    ]);
    await tickAt(last.dueMs + 1_000);
    expect(await reminded(HOST, answered.notice.noticeId)).toEqual([]);
    expect(await reminded(HOST, ended.notice.noticeId)).toEqual([]);
    expect(await reminded(HOST, last.notice.noticeId)).toHaveLength(1);
    expect(await ledger.log.streamVersion(`reminders/${STRANGER}`)).toBe(-1);
    await answer(last.notice.noticeId);
    await tickAt(last.dueMs + 20 * 24 * HOUR_MS);
    expect(await alarms(last.notice.noticeId)).toEqual([]);
  });

  test('of a suspended member waits until it comes back', async () => {
    const { notice, dueMs } = await told();
    await ledger.membership(EVENT_TYPES.memberSuspended, { memberId: HOST });
    await ledger.settled();
    await tickAt(dueMs + 1_000);
    expect(await reminded(HOST, notice.noticeId)).toEqual([]);
    await ledger.membership(EVENT_TYPES.memberResumed, { memberId: HOST });
    await ledger.settled();
    await tickAt(dueMs + 2_000);
    expect(await reminded(HOST, notice.noticeId)).toHaveLength(1);
  });
});

test('the reminder comes over Kafka and by webhook, the same bytes, after its notice', async () => {
  const { notice, dueMs } = await told();
  await tickAt(dueMs + 1_000);
  const [admin, superuser, receiver] = [
    kafkaAdmin(env('KAFKA_INTERNAL')),
    new pg.Client(ledger.url),
    await Receiver.start(),
  ];
  await superuser.connect();
  const { kms } = generateVaultKeys();
  await superuser.query(`insert into access.member values ($1, $1, 'platform', 'active', '{}', 'optional', 0)`, [HOST]);
  await ensureMember(admin, HOST, [firstKid(HOST)]);
  await followMembers(ledger.pool, [HOST]);
  const door = new pg.Pool({ connectionString: ledger.url, max: 1 });
  door.on('error', () => undefined);
  await putEndpoint(door, kms, HOST, { url: receiver.url, from: undefined, headSeq: notice.seq });
  const relay = new Relay({ pool: ledger.pool, brokers: env('KAFKA_INTERNAL'), leaseMs: 1_000 }).start();
  const webhooks = new Webhooks({
    pool: ledger.pool,
    kms,
    allowed: parseNetworks('127.0.0.0/8'),
    leaseMs: 1_000,
  }).start();
  try {
    const id = `${notice.noticeId}.reminder`;
    await until('the reminder', () => receiver.posted.some((each) => each.id === id.replaceAll('.', '_')));
    const order = receiver.posted.map((each) => each.id);
    expect(order.indexOf(`${HOST}_${notice.seq}`)).toBeLessThan(order.indexOf(id.replaceAll('.', '_')));
    const { headers, body } = receiver.posted.find((each) => each.id === id.replaceAll('.', '_'))!;
    // oxlint-disable-next-line typescript/no-explicit-any
    const [{ publicKey }] = ((await endpointPage(superuser, HOST)) as any).publicKeys;
    expect(verifyWebhook(headers, body, publicKey)).toMatchObject({
      id,
      type: 'liandun.notice.reminder.v1',
      data: { noticeId: notice.noticeId, seq: notice.seq, respondBy: notice.respondBy },
    });
    const received = await readTopic(noticesTopic(HOST), (records) => records.some(({ value }) => value === body));
    expect(received.filter(({ value }) => value === body)).toHaveLength(1);
  } finally {
    await Promise.all([relay.stop(), webhooks.stop(), receiver.stop()]);
    await Promise.all([admin.close(), superuser.end(), door.end()]);
  }
});
