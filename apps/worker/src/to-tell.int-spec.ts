// Rule P06: others were told of a case at once, so its subject is told the same day, and its publisher says that it did.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  EVENT_TYPES,
  loadWorkingDays,
  SUBMITTED_TYPES,
  type AlarmRaised,
  type CaseReminded,
  type Receipt,
} from '@liandun/contracts';
import { tellBy } from '@liandun/domain';
import { rebuildProjection } from '@liandun/event-log';
import { ensureMember, followMembers, kafkaAdmin, noticesTopic, Relay } from '@liandun/messaging';
import { generateVaultKeys } from '@liandun/vault';
import { coverage, ledgerProjection } from '@liandun/views';
import { parseNetworks, putEndpoint, Webhooks } from '@liandun/webhooks';
import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { env, firstKid, readTopic, until } from '../../../test/support/kafka.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { awayFromMidnight } from '../../../test/support/midnight.js';
import { Receiver } from '../../../test/support/receiver.js';
import { delisted, ending, organization, person, submission } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';

const HOUR_MS = 3_600_000;
const PUBLISHER = `tell-a-${randomInt(100_000)}`;
const OTHER = `tell-b-${randomInt(100_000)}`;
let ledger: TestLedger;
let serial = 0;

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [PUBLISHER, OTHER]) await ledger.admit(member);
});
beforeEach(() => awayFromMidnight()); // what is told of together is of one day
afterAll(() => ledger.stop());

async function tickAt(time: number): Promise<void> {
  const now = (): Promise<Date> => Promise.resolve(new Date(time));
  const parts = { pool: ledger.pool, log: ledger.log, workingDays: loadWorkingDays(), watchEveryMs: 0 };
  await new LifeClock({ ...parts, now }).tick();
  await ledger.settled();
}

const accepted = (receipts: Receipt[]): Receipt => {
  expect(receipts.map(({ status, problem }) => problem ?? status)).toEqual([expect.stringMatching(/accepted|held/)]);
  return receipts[0] as Receipt;
};

interface Filed {
  id: string;
  listing: string;
  /** When its day ends. */
  endMs: number;
}

/** Tier 1 unless told. */
async function file(more: object = {}, member = PUBLISHER): Promise<Filed> {
  serial += 1;
  const id = randomUUID();
  const event = delisted(member, `m-${serial}`, organization(70_000 + serial), { id, ...more });
  const { position, leafHash } = accepted(await ledger.submit(member, [event]));
  const listing = `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;
  const entry = await ledger.log.at(Number(position));
  return { id, listing, endMs: Date.parse(tellBy(entry!.acceptedAt)) };
}

const say = (caseId: string, atMs = Date.now() - 1_000, member = PUBLISHER): Promise<Receipt[]> =>
  ledger.submit(member, [
    submission(member, SUBMITTED_TYPES.caseNotified, {
      caseId,
      notifiedAt: new Date(atMs).toISOString(),
      notifiedBy: 'staff-7',
    }),
  ]);

async function reminders(member = PUBLISHER): Promise<CaseReminded[]> {
  const entries = await ledger.log.readStream(`reminders/${member}`, { limit: 1_000 });
  return entries.map(({ data }) => data as CaseReminded);
}
const remindedOf = async ({ id }: Filed): Promise<number> =>
  (await reminders()).filter(({ caseIds }) => caseIds.includes(id)).length;

async function alarms(member = PUBLISHER): Promise<AlarmRaised[]> {
  const entries = await ledger.log.readStream('alarms', { limit: 1_000 });
  return entries
    .map(({ data }) => data as AlarmRaised)
    .filter(({ alarm, about }) => alarm === 'subjectNotTold' && about === member);
}

describe('P06: the subject is told the same day', () => {
  test('P06: a publisher is reminded once of each case that it hasn’t told its subject of, before the day ends', async () => {
    const [silent, told] = [await file(), await file({ code: 'E01', urgency: 'fraud' })];
    accepted(await say(told.id));
    await tickAt(silent.endMs - 4 * HOUR_MS - 1_000);
    expect(await reminders()).toEqual([]);
    for (const leftMs of [4 * HOUR_MS, 3 * HOUR_MS, HOUR_MS]) await tickAt(silent.endMs - leftMs);
    expect(await reminders()).toEqual([
      { member: PUBLISHER, dueAt: tellBy(new Date(silent.endMs - 1).toISOString()), caseIds: [silent.id] },
    ]);
    // What is told of later in those hours has a reminder of its own.
    const late = await file({ code: 'C06' });
    await tickAt(silent.endMs - 1_000);
    expect([await remindedOf(silent), await remindedOf(late), await remindedOf(told)]).toEqual([1, 1, 0]);
    expect((await coverage(ledger.pool, told.listing))?.notifiedAt).toMatch(/\+08:00$/);
    expect(await coverage(ledger.pool, silent.listing)).toMatchObject({ tellBy: (await reminders())[0]?.dueAt });
  });

  test('P06: once the day is over the regulators hear of it, once for each publisher and day', async () => {
    await ledger.admit(`${OTHER}-late`);
    const member = `${OTHER}-late`;
    const [silent, late, inTime] = [await file({}, member), await file({}, member), await file({}, member)];
    accepted(await say(inTime.id, undefined, member));
    await tickAt(silent.endMs + 2 * HOUR_MS - 1_000);
    expect(await alarms(member)).toEqual([]);
    for (const lateMs of [2 * HOUR_MS, 3 * HOUR_MS, 30 * HOUR_MS]) await tickAt(silent.endMs + lateMs);
    const day = tellBy(new Date(silent.endMs - 25 * HOUR_MS).toISOString()).slice(0, 10);
    expect(await alarms(member)).toEqual([{ alarm: 'subjectNotTold', about: member, day, limit: 2 }]);
    // Said now, it no longer asks for anything, and stays on record as late.
    accepted(await say(late.id, undefined, member));
    await tickAt(silent.endMs + 31 * HOUR_MS);
    expect(await alarms(member)).toHaveLength(1);
  });

  test('P06: telling the subject on a later day is late all the same', async () => {
    const member = `${OTHER}-day`;
    await ledger.admit(member);
    const filed = await file({}, member);
    // The attestation of a later day, as it stands in the log; no member can say today that it told tomorrow.
    const owner = new pg.Pool({ connectionString: ledger.url, max: 1 });
    await owner.query('update view.listing set subject_told = $2 where listing_id = $1', [
      filed.listing,
      new Date(filed.endMs + 1_000),
    ]);
    await tickAt(filed.endMs + 2 * HOUR_MS);
    await owner.query('update view.listing set subject_told = null where listing_id = $1', [filed.listing]);
    await owner.end();
    expect(await alarms(member)).toMatchObject([{ limit: 1 }]);
  });

  test('P06: nothing is asked of cases whose subject was heard, is being heard, or that are over; nor of victims', async () => {
    const hearing = {
      notifiedAt: new Date(Date.now() - 30 * 24 * HOUR_MS).toISOString(),
      endedAt: new Date(Date.now() - HOUR_MS).toISOString(),
      answer: 'considered',
    };
    const none = [
      await file({ code: 'E01' }),
      await file({ code: 'E01', hearing }),
      await file({ hearing }),
      await file({ code: 'V01', identity: person(70) }),
    ];
    const over = await file();
    accepted(
      await ledger.submit(PUBLISHER, [
        ending(PUBLISHER, SUBMITTED_TYPES.merchantReinstated, { delistingId: over.id, cause: 'cured' }),
      ]),
    );
    await tickAt(over.endMs - HOUR_MS);
    expect(await Promise.all([...none, over].map(remindedOf))).toEqual([0, 0, 0, 0, 0]);
  });

  test('P06: it is said once, of a case of one’s own', async () => {
    const filed = await file();
    const code = async (receipts: Promise<Receipt[]>): Promise<unknown> => (await receipts)[0]?.problem?.errors?.[0];
    const missing = { pointer: '/data/caseId', code: 'CASE_NOT_FOUND' };
    expect(await code(say(filed.id, undefined, OTHER))).toMatchObject(missing);
    expect(await code(say('nothing-of-the-kind'))).toMatchObject(missing);
    accepted(await say(filed.id));
    expect(await code(say(filed.id))).toMatchObject({ pointer: '/data/caseId', code: 'CASE_ALREADY_NOTIFIED' });
    // The entry is about its subject, who sees it.
    const { rows } = await ledger.pool.query(
      `select a.type, a.entity_id = l.entity_id as his from view.audit a join view.listing l on l.notified_at = a.position
       where l.listing_id = $1`,
      [filed.listing],
    );
    expect(rows).toEqual([{ type: EVENT_TYPES.caseNotified, his: true }]);
  });

  test('P06: the reminder comes over Kafka and by webhook, the same bytes', async () => {
    const member = `${OTHER}-wire`;
    await ledger.admit(member);
    const filed = await file({}, member);
    await tickAt(filed.endMs - HOUR_MS);
    const [admin, superuser, receiver] = [
      kafkaAdmin(env('KAFKA_INTERNAL')),
      new pg.Client(ledger.url),
      await Receiver.start(),
    ];
    await superuser.connect();
    await superuser.query(`insert into access.member values ($1, $1, 'platform', 'active', '{}', 'optional', 0)`, [
      member,
    ]);
    const { kms } = generateVaultKeys();
    await ensureMember(admin, member, [firstKid(member)]);
    await followMembers(ledger.pool, [member]);
    const door = new pg.Pool({ connectionString: ledger.url, max: 1 });
    door.on('error', () => undefined);
    await putEndpoint(door, kms, member, { url: receiver.url, from: undefined, headSeq: -1 });
    const relay = new Relay({ pool: ledger.pool, brokers: env('KAFKA_INTERNAL'), leaseMs: 1_000 }).start();
    const allowed = parseNetworks('127.0.0.0/8');
    const webhooks = new Webhooks({ pool: ledger.pool, kms, allowed, leaseMs: 1_000 }).start();
    try {
      const isReminder = ({ body }: { body: string }): boolean => body.includes(EVENT_TYPES.caseReminder);
      await until('the reminder', () => receiver.posted.some(isReminder));
      const { body } = receiver.posted.find(isReminder)!;
      expect(JSON.parse(body)).toMatchObject({
        type: 'liandun.case.reminder.v1',
        data: { dueAt: expect.stringMatching(/T00:00:00\.000\+08:00$/), caseIds: [filed.id] },
      });
      await readTopic(noticesTopic(member), (records) => records.some(({ value }) => value === body));
    } finally {
      await Promise.all([relay.stop(), webhooks.stop(), receiver.stop()]);
      await Promise.all([admin.close(), superuser.end(), door.end()]);
    }
  });
});

test('I5: a rebuild folds all of this to the same rows', async () => {
  const owner = new pg.Pool({ connectionString: ledger.url, max: 2 });
  owner.on('error', () => undefined);
  const rows = async (): Promise<unknown[]> => (await owner.query('select * from view.listing order by position')).rows;
  const live = await rows();
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
  expect(await rows()).toEqual(live);
  await owner.end();
});
