import { createHash, randomUUID } from 'node:crypto';
import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  listingIdOf,
  loadWorkingDays,
  SUBMITTED_TYPES,
  toBeijingTime,
  type AlarmRaised,
  type AppealDecided,
  type NoticeIssued,
  type OutcomeType,
  type Receipt,
} from '@liandun/contracts';
import { appealDeadline } from '@liandun/domain';
import { rebuildProjection } from '@liandun/event-log';
import { coverage, ledgerProjection } from '@liandun/views';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, organization, reported, submission } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';

const DAY_MS = 86_400_000;
const PUBLISHER = 'platform-a';
const HOSTS = ['platform-b', 'platform-c'];
let ledger: TestLedger;
let serial = drawn(1_000, 100_000);

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [PUBLISHER, ...HOSTS, 'platform-d']) await ledger.admit(member);
});
afterAll(() => ledger.stop());

interface Listed {
  listingId: string;
  caseId: string;
  stream: string;
}

/** A merchant that two platforms host and a third one lists; a fourth is told to restrict its admission. */
async function listed(): Promise<Listed> {
  serial += 1;
  const merchant = `m-${randomUUID()}`;
  for (const host of HOSTS) await ledger.submit(host, [reported(host, merchant, organization(serial))]);
  const caseId = randomUUID();
  const event = delisted(PUBLISHER, merchant, organization(serial), { id: caseId });
  const [receipt] = await ledger.submit(PUBLISHER, [event]);
  expect(receipt?.status).toBe('accepted');
  const entry = await ledger.log.at((receipt as Receipt & { position: number }).position);
  return { listingId: listingIdOf(entry!), caseId, stream: entry!.stream };
}

async function say(type: OutcomeType, stream: string, data: object): Promise<void> {
  const id = randomUUID();
  const fingerprint = createHash('sha256').update(id).digest();
  const time = toBeijingTime(new Date());
  await ledger.log.append({ events: [{ id, source: LEDGER_SOURCE, type, time, stream, data, fingerprint }] });
  await ledger.settled();
}

const aboutOf = ({ listingId, caseId }: Listed): { listingId: string; caseId: string } => ({ listingId, caseId });

/** What the door appends when a subject appeals. */
async function appeal(of: Listed): Promise<{ appealId: string; due: string }> {
  const appealId = `A${randomUUID().replaceAll('-', '')}`;
  const filedAt = toBeijingTime(new Date());
  const about = { ...aboutOf(of), appealId };
  const filed = { ...about, grounds: 'wrongFinding', evidence: [], proved: 'code', filedAt };
  await say(EVENT_TYPES.appealFiled, of.stream, filed);
  const deadline = appealDeadline(loadWorkingDays(), filedAt);
  await say(EVENT_TYPES.appealDeadlineSet, of.stream, { ...about, ...deadline });
  return { appealId, due: deadline.due! };
}

const decided = (of: Listed, appealId: string, more: Partial<AppealDecided>): Promise<void> =>
  say(EVENT_TYPES.appealDecided, of.stream, {
    ...aboutOf(of),
    appealId,
    reasons: { commitment: 'c' },
    decidedBy: 'reviewer-9',
    by: PUBLISHER,
    decidedAt: toBeijingTime(new Date()),
    ...more,
  });

async function tick(at: string): Promise<void> {
  const now = (): Promise<Date> => Promise.resolve(new Date(at));
  await new LifeClock({
    pool: ledger.pool,
    log: ledger.log,
    workingDays: loadWorkingDays(),
    now,
    watchEveryMs: 0,
  }).tick();
  await ledger.settled();
}

const heard = async (member: string, { listingId }: Listed): Promise<NoticeIssued[]> =>
  (await ledger.notices(member)).filter((notice) => notice.listingId === listingId);
const actions = async (member: string, of: Listed): Promise<string[]> =>
  (await heard(member, of)).map(({ action, status }) => (status ? `${action} ${status}` : action));
const statusOf = async ({ listingId }: Listed): Promise<string | undefined> =>
  (await ledger.pool.query<{ status: string }>('select status from view.listing where listing_id = $1', [listingId]))
    .rows[0]?.status;
const later = (time: string, ms: number): string => new Date(Date.parse(time) + ms).toISOString();

describe('P07: one appeal, effective everywhere', () => {
  test('P07: every recipient shows the mark, on day 15 without a decision a stay reaches all, and once', async () => {
    const of = await listed();
    expect(await actions('platform-d', of)).toEqual(['restrictAdmission']);
    const { appealId, due } = await appeal(of);
    expect(await statusOf(of)).toBe('disputed');
    for (const host of HOSTS) expect(await actions(host, of)).toEqual(['close', 'mark disputed']);
    expect(await actions('platform-d', of)).toEqual(['restrictAdmission', 'mark disputed']);
    // Whoever hears of it later hears that it is disputed.
    await ledger.admit(`platform-${serial}`);
    await ledger.settled();
    expect(await actions(`platform-${serial}`, of)).toEqual(['restrictAdmission disputed']);
    await tick(later(due, -1_000));
    expect(await statusOf(of)).toBe('disputed');
    await tick(later(due, 1_000));
    await tick(later(due, DAY_MS));
    expect(await statusOf(of)).toBe('stayed');
    for (const host of HOSTS) expect(await actions(host, of)).toEqual(['close', 'mark disputed', 'reopen stayed']);
    expect(await actions('platform-d', of)).toEqual(['restrictAdmission', 'mark disputed', 'lift stayed']);
    const stays = await ledger.log.readStream(of.stream, { limit: 1_000 });
    expect(stays.filter(({ type }) => type === EVENT_TYPES.listingStayed).map(({ data }) => data)).toMatchObject([
      { by: 'deadline', appealId },
    ]);
    // Upheld, it is told anew; whoever joins while it is stayed hears nothing.
    await decided(of, appealId, { decision: 'upheld' });
    expect((await actions('platform-b', of)).at(-1)).toBe('close upheld');
    expect((await actions('platform-d', of)).at(-1)).toBe('restrictAdmission upheld');
  });

  test('P07: one decision reopens everywhere; whose reopening doesn’t come is seen by regulators', async () => {
    const of = await listed();
    const { appealId } = await appeal(of);
    await decided(of, appealId, { decision: 'overturned' });
    expect(await statusOf(of)).toBe('overturned');
    for (const host of HOSTS) expect((await actions(host, of)).at(-1)).toBe('reopen overturned');
    const [, , reopen] = await heard('platform-b', of);
    const disposed = { noticeId: reopen!.noticeId, decision: 'reopened', shops: reopen!.shops, decidedBy: 'staff-2' };
    const answer = submission('platform-b', SUBMITTED_TYPES.noticeDisposed, {
      ...disposed,
      decidedAt: toBeijingTime(new Date()),
    });
    expect((await ledger.submit('platform-b', [answer]))[0]?.status).toBe('accepted');
    await tick(later(new Date().toISOString(), 20 * DAY_MS));
    const silent = (await heard('platform-c', of)).at(-1)!.noticeId;
    const alarms = (await ledger.log.readStream('alarms', { limit: 10_000 })).map(({ data }) => data as AlarmRaised);
    expect(alarms.filter(({ noticeId }) => noticeId === silent).map(({ alarm }) => alarm)).toEqual(
      expect.arrayContaining(['reopeningDue', 'reopeningOverdue']),
    );
    expect(alarms.filter(({ noticeId }) => noticeId === reopen!.noticeId)).toEqual([]);
    expect(await coverage(ledger.pool, of.listingId)).toMatchObject({
      reopened: 1,
      reopenAsked: 2,
      reopenSilent: 1,
      appeals: [{ appealId, decision: 'overturned' }],
    });
  });

  test('P07: upheld or corrected while it is disputed, the mark alone changes', async () => {
    const of = await listed();
    const { appealId } = await appeal(of);
    const expiresAt = toBeijingTime(new Date(Date.now() + 5 * DAY_MS));
    await decided(of, appealId, { decision: 'corrected', expiresAt });
    const last = (await heard('platform-b', of)).at(-1);
    expect(last).toMatchObject({ action: 'mark', status: 'corrected', expiresAt, autoClosable: false });
    const other = await listed();
    await decided(other, (await appeal(other)).appealId, { decision: 'upheld' });
    expect(await actions('platform-b', other)).toEqual(['close', 'mark disputed', 'mark upheld']);
  });

  test('P07: a member that couldn’t be told of a mark hears of it when it is back', async () => {
    const of = await listed();
    await ledger.membership(EVENT_TYPES.memberSuspended, { memberId: 'platform-c' });
    await appeal(of);
    expect(await actions('platform-c', of)).toEqual(['close']);
    await ledger.membership(EVENT_TYPES.memberResumed, { memberId: 'platform-c' });
    await ledger.settled();
    expect(await actions('platform-c', of)).toEqual(['close', 'mark disputed']);
  });

  test('P08: the database takes no decision on an appeal by who decided on the listing, neither as a row nor as an entry', async () => {
    const of = await listed();
    const { appealId } = await appeal(of);
    const { rows } = await ledger.pool.query<{ decided_by: string }>(
      'select decided_by from view.listing where listing_id = $1',
      [of.listingId],
    );
    const decidedBy = rows[0]!.decided_by;
    const update = `update view.appeal set decision = 'upheld', decided_by = $2, reviewing_member = $3, decided_at = now() where appeal_id = $1`;
    await expect(ledger.pool.query(update, [appealId, decidedBy, PUBLISHER])).rejects.toMatchObject({
      constraint: 'reviewer_is_not_decider',
    });
    await expect(decided(of, appealId, { decision: 'upheld', decidedBy })).rejects.toThrow(/reviewer/);
    expect(await statusOf(of)).toBe('disputed');
  });

  test('I5: appeals and what they did are rebuilt from the log alone', async () => {
    const tables = ['listing', 'appeal', 'told'];
    const rowsOf = (schema: string): Promise<unknown[]> =>
      Promise.all(
        tables.map(
          async (table) => (await ledger.pool.query(`select t::text from ${schema}.${table} t order by 1`)).rows,
        ),
      );
    const before = await rowsOf('view');
    const owner = new pg.Pool({ connectionString: ledger.url });
    owner.on('error', () => undefined);
    await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
    await owner.end();
    expect(await rowsOf('view')).toEqual(before);
  });
});
