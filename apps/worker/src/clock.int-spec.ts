import {
  EVENT_TYPES,
  loadWorkingDays,
  SUBMITTED_TYPES,
  toBeijingTime,
  type AlarmRaised,
  type CaseDeadlineSet,
  type Receipt,
  type SubmittedType,
} from '@liandun/contracts';
import type { WorkingDayTable } from '@liandun/domain';
import { rebuildProjection, type EventLog } from '@liandun/event-log';
import { Intake } from '@liandun/intake';
import { coverage, ledgerProjection } from '@liandun/views';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { awayFromMidnight } from '../../../test/support/midnight.js';
import { delisted, ending, organization, reported, submission } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
let ledger: TestLedger;
let serial = drawn(1_000, 100_000);
let merchant = '';

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', 'platform-b', 'platform-c']) await ledger.admit(member);
  await ledger.admit('regulator-x', 'regulator');
});
afterAll(() => ledger.stop());
beforeEach(async () => {
  await awayFromMidnight(); // holidays are set around today
  serial += 1;
  merchant = `m-${randomUUID()}`;
});

/** The next `days` days are a holiday, the day after them is worked, whatever the weekday. */
function holidayAhead(days: number): { table: WorkingDayTable; workedDates: string[] } {
  const { firstYear } = loadWorkingDays();
  const date = (n: number): string => toBeijingTime(new Date(Date.now() + n * DAY_MS)).slice(0, 10);
  const workedDates = [1, 2, 3].map((n) => date(days + n));
  return {
    workedDates,
    table: {
      version: 'test 1',
      holidays: new Map(Array.from({ length: days }, (_, n) => [date(n + 1), '示例节'])),
      worked: new Map(workedDates.map((day) => [day, '示例节'])),
      firstYear,
      lastYear: 2100,
    },
  };
}

/** The clock at a time of the database's that is so far from now. */
const clockAt = (
  aheadMs: number,
  workingDays: WorkingDayTable = loadWorkingDays(),
  at: LifeClockMore = {},
): LifeClock =>
  new LifeClock({
    pool: ledger.pool,
    log: ledger.log,
    workingDays,
    now: () => Promise.resolve(new Date(Date.now() + aheadMs)),
    watchEveryMs: 0,
    ...at,
  });
type LifeClockMore = Partial<ConstructorParameters<typeof LifeClock>[0]>;
async function tick(aheadMs: number, table?: WorkingDayTable): Promise<void> {
  await clockAt(aheadMs, table).tick();
  await ledger.settled();
}

const accepted = (receipts: Receipt[]): Receipt => {
  expect(receipts.map(({ status, problem }) => problem ?? status)).toEqual([expect.stringMatching(/accepted|held/)]);
  return receipts[0] as Receipt;
};
const refused = (receipts: Receipt[]): object => {
  const { code, pointer, notBefore } = receipts[0]?.problem?.errors?.[0] ?? {};
  return { code, pointer, ...(notBefore && { notBefore }) };
};
const listingOf = ({ position, leafHash }: Receipt): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;
async function told(member: string, listingId: string): Promise<string[]> {
  const notices = await ledger.notices(member);
  return notices.filter((notice) => notice.listingId === listingId).map(({ action }) => action);
}
const host = (): Promise<Receipt[]> =>
  ledger.submit('platform-b', [reported('platform-b', merchant, organization(serial))]);
async function delist(more: Record<string, unknown> = {}): Promise<{ id: string; receipt: Receipt; listing: string }> {
  const id = randomUUID();
  const event = delisted('platform-a', merchant, organization(serial), { id, ...more });
  const receipt = accepted(await ledger.submit('platform-a', [event]));
  return { id, receipt, listing: listingOf(receipt) };
}
const statusOf = async (listing: string): Promise<string> =>
  (await ledger.pool.query<{ status: string }>('select status from view.listing where listing_id = $1', [listing]))
    .rows[0]?.status ?? '';
const outcomes = async (type: string, listing: string): Promise<unknown[]> =>
  (await ledger.log.read({ after: -1, limit: 10_000, types: [type] }))
    .map(({ data }) => data as { listingId: string })
    .filter(({ listingId }) => listingId === listing);
const reinstate = (id: string): Promise<Receipt[]> =>
  ledger.submit('platform-a', [
    ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: id, cause: 'cured' }),
  ]);

describe('P06: heard before fan-out', () => {
  test('P06: a held case is published when its time to answer is over, across a holiday, and once', async () => {
    const { table, workedDates } = holidayAhead(9);
    await host();
    const { id, listing } = await delist({ code: 'E01' });
    await tick(0, table);
    const [deadline] = (await outcomes(EVENT_TYPES.caseDeadlineSet, listing)) as CaseDeadlineSet[];
    expect(deadline).toMatchObject({ caseId: id, calendar: 'test 1', term: { count: 3, unit: 'workingDay' } });
    expect(deadline?.days.filter(({ verdict }) => verdict === 'counted').map(({ date }) => date)).toEqual(workedDates);
    expect(await coverage(ledger.pool, listing)).toMatchObject({ hold: { due: deadline?.due, days: deadline?.days } });
    const dueIn = Date.parse(deadline?.due ?? '') - Date.now();
    await tick(dueIn - HOUR_MS / 60, table);
    expect([await statusOf(listing), await told('platform-b', listing)]).toEqual(['held', []]);
    await tick(dueIn + 1_000, table);
    await tick(dueIn + 2 * HOUR_MS, table);
    expect([await statusOf(listing), await told('platform-b', listing)]).toEqual(['published', ['close']]);
    expect(await outcomes(EVENT_TYPES.caseReleased, listing)).toMatchObject([{ by: 'deadline', calendar: 'test 1' }]);
    // It was published, so it can't be heard any more, and can be taken back.
    const hearing = { notifiedAt: past(20), endedAt: past(1), answer: 'considered' };
    const heard = submission('platform-a', SUBMITTED_TYPES.caseHeard, { caseId: id, hearing });
    expect(refused(await ledger.submit('platform-a', [heard]))).toEqual({
      code: 'CASE_NOT_HELD',
      pointer: '/data/caseId',
    });
    accepted(await reinstate(id));
    expect(await told('platform-b', listing)).toEqual(['close', 'reopen']);
  });

  test('P06: another calendar afterwards changes nothing that was counted', async () => {
    const { listing } = await delist({ code: 'E01' });
    await tick(0, holidayAhead(9).table);
    const before = await outcomes(EVENT_TYPES.caseDeadlineSet, listing);
    await tick(0, holidayAhead(2).table);
    expect(await outcomes(EVENT_TYPES.caseDeadlineSet, listing)).toEqual(before);
    await tick(8 * DAY_MS, holidayAhead(2).table);
    expect(await statusOf(listing)).toBe('held');
  });

  test('P06: the receipt of a held case says until when; a law’s 15 days hold longer', async () => {
    const three = await delist({ code: 'E01' });
    merchant = `m-${randomUUID()}`;
    const fifteen = await delist({ code: 'D01' });
    await tick(0);
    for (const { receipt, listing } of [three, fifteen]) {
      const [deadline] = (await outcomes(EVENT_TYPES.caseDeadlineSet, listing)) as CaseDeadlineSet[];
      expect(Date.parse(receipt.heldUntil ?? '')).toBe(Date.parse(deadline?.due ?? ''));
    }
    expect(Date.parse(fifteen.receipt.heldUntil ?? '') - Date.now()).toBeGreaterThan(14 * DAY_MS);
  });

  test('P06: an answer that convinced before the deadline means no fan-out, ever', async () => {
    await host();
    const { id, listing } = await delist({ code: 'E01' });
    const hearing = { notifiedAt: past(2), endedAt: past(1), answer: 'considered' };
    const heard = submission('platform-a', SUBMITTED_TYPES.caseHeard, { caseId: id, hearing, cause: 'appealUpheld' });
    accepted(await ledger.submit('platform-a', [heard]));
    await tick(30 * DAY_MS);
    expect([await statusOf(listing), await told('platform-b', listing)]).toEqual(['withdrawn', []]);
  });

  test('P06: that nobody answered can be said once the time to answer is over, and the refusal says when', async () => {
    const hearing = { notifiedAt: past(1), endedAt: past(0), answer: 'none' };
    const event = delisted('platform-a', merchant, organization(serial), { code: 'E01', hearing });
    const answer = { pointer: '/data/hearing/answer', code: 'HEARING_TOO_SHORT' };
    expect(refused(await ledger.submit('platform-a', [event]))).toEqual({
      ...answer,
      notBefore: expect.stringMatching(/T00:00:00(\.000)?\+08:00$/),
    });
    const { id } = await delist({ code: 'D01' });
    const heard = submission('platform-a', SUBMITTED_TYPES.caseHeard, {
      caseId: id,
      hearing: { ...hearing, notifiedAt: past(13) },
    });
    expect(refused(await ledger.submit('platform-a', [heard]))).toMatchObject(answer);
    const later = { ...hearing, notifiedAt: past(25) };
    accepted(
      await ledger.submit('platform-a', [
        submission('platform-a', SUBMITTED_TYPES.caseHeard, { caseId: id, hearing: later }),
      ]),
    );
  });

  test('P06: a deadline that runs into a year without known working days is said, and kept', async () => {
    const years: number[][] = [];
    const { listing } = await delist({ code: 'E01' });
    const table = { ...loadWorkingDays(), lastYear: 2020 };
    const clock = clockAt(0, table, { onUnknownYears: (found) => years.push(found) });
    await clock.tick();
    await ledger.settled();
    expect(years[0]?.length).toBeGreaterThan(0);
    expect(clock.status()).toMatchObject({ knownUntil: 2020, unknownYears: years[0] });
    const [deadline] = (await outcomes(EVENT_TYPES.caseDeadlineSet, listing)) as CaseDeadlineSet[];
    expect(deadline?.unknownYears).toEqual(years[0]);
  });
});

describe('P11: terms end by themselves', () => {
  const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

  test('P11: at its term a listing expires once, hosts reopen, others lift, and nothing is told of it afterwards', async () => {
    await host();
    const { id, listing } = await delist({ expiresAt: inDays(100) });
    await tick(100 * DAY_MS - HOUR_MS);
    expect(await statusOf(listing)).toBe('published');
    await tick(100 * DAY_MS + 1_000);
    await tick(101 * DAY_MS);
    expect(await statusOf(listing)).toBe('expired');
    expect(await outcomes(EVENT_TYPES.listingExpired, listing)).toHaveLength(1);
    expect([await told('platform-b', listing), await told('platform-c', listing)]).toEqual([
      ['close', 'reopen'],
      ['restrictAdmission', 'lift'],
    ]);
    await ledger.submit('platform-c', [reported('platform-c', merchant, organization(serial))]);
    await ledger.admit(`late-${serial}`);
    await ledger.settled();
    expect([await told('platform-c', listing), await told(`late-${serial}`, listing)]).toEqual([
      ['restrictAdmission', 'lift'],
      [],
    ]);
    expect(refused(await reinstate(id))).toEqual({ code: 'DELISTING_NOT_FOUND', pointer: '/data/delistingId' });
  });

  test('P11: this machine’s clock decides nothing: two hours off, the database’s time counts', async () => {
    const { listing } = await delist({ expiresAt: new Date(Date.now() + HOUR_MS).toISOString() });
    const own = Date.now;
    try {
      Date.now = () => own() + 2 * HOUR_MS;
      await new LifeClock({ pool: ledger.pool, log: ledger.log, workingDays: loadWorkingDays() }).tick();
    } finally {
      Date.now = own;
    }
    await ledger.settled();
    expect(await statusOf(listing)).toBe('published');
    await tick(HOUR_MS + 1_000);
    expect(await statusOf(listing)).toBe('expired');
  });

  test('P11: a longer term is a new decision: the old listing ends at its own term, the new one stays', async () => {
    await host();
    const first = await delist({ expiresAt: inDays(200) });
    const second = await delist({ expiresAt: inDays(300) });
    await tick(201 * DAY_MS);
    expect([await statusOf(first.listing), await statusOf(second.listing)]).toEqual(['expired', 'published']);
    const last = (await ledger.notices('platform-b')).findLast(({ listingId }) => listingId === first.listing);
    expect(last).toMatchObject({ action: 'reopen', stillListed: true });
  });

  test('P11: two clocks at once and a clock that died in the middle expire each listing once', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) {
      serial += 1;
      merchant = `m-${randomUUID()}`;
      ids.push((await delist({ expiresAt: inDays(400) })).listing);
    }
    // One that dies after its append.
    const dying = {
      appendAll: async (...given: Parameters<EventLog['appendAll']>) => {
        await ledger.log.appendAll(given[0].slice(0, 10));
        throw new Error('killed');
      },
    };
    await expect(clockAt(401 * DAY_MS, undefined, { log: dying }).tick()).rejects.toThrow('killed');
    await Promise.all([clockAt(401 * DAY_MS).tick(), clockAt(401 * DAY_MS).tick()]);
    await tick(401 * DAY_MS);
    const all = await ledger.log.read({ after: -1, limit: 10_000, types: [EVENT_TYPES.listingExpired] });
    const expired = all.map(({ data }) => (data as { listingId: string }).listingId);
    expect(ids.map((id) => expired.filter((other) => other === id).length)).toEqual(ids.map(() => 1));
  });

  test('P11: what was taken back before the clock came is not expired', async () => {
    const { id, listing } = await delist({ expiresAt: inDays(500) });
    accepted(await reinstate(id));
    await tick(501 * DAY_MS);
    expect([await statusOf(listing), await outcomes(EVENT_TYPES.listingExpired, listing)]).toEqual(['withdrawn', []]);
  });
});

describe('P12: official repair wins', () => {
  const official = (decisionNo: string, more: object = {}): Record<string, unknown> => ({
    proof: {
      standard: 'administrativeDecision',
      decisionNo,
      evidence: [{ sha256: 'ab'.repeat(32), mediaType: 'application/pdf', capturedAt: past(2) }],
    },
    ...more,
  });
  const end = (data: object): Promise<Receipt[]> =>
    ledger.submit(
      'regulator-x',
      [ending('regulator-x', SUBMITTED_TYPES.listingEnded, { cause: 'annulled', ...data })],
      'regulator',
    );
  const file = (more: Record<string, unknown>): Promise<Receipt[]> =>
    ledger.submit('platform-a', [delisted('platform-a', merchant, organization(serial), more)]);

  test.each([
    ['by its number', (decisionNo: string) => ({ decisionNo })],
    [
      'by its number as another office writes it',
      (decisionNo: string) => ({ decisionNo: decisionNo.replace('〔', '[').replace('〕', ']') }),
    ],
    ['by the listing', (_: string, listingId: string) => ({ listingId })],
  ])(
    'P12: a decision that ended %s ends its listing at all recipients and bars filing on it anew',
    async (_, target) => {
      const decisionNo = `京市监处罚〔2026〕${serial}号`;
      await host();
      const id = randomUUID();
      const filing = delisted('platform-a', merchant, organization(serial), { id, ...official(decisionNo) });
      const listing = listingOf(accepted(await ledger.submit('platform-a', [filing])));
      accepted(await end(target(decisionNo, listing)));
      expect([await statusOf(listing), await told('platform-b', listing), await told('platform-c', listing)]).toEqual([
        'endedByDecision',
        ['close', 'reopen'],
        ['restrictAdmission', 'lift'],
      ]);
      const barred = { code: 'DECISION_ENDED', pointer: '/data/proof/decisionNo' };
      expect(refused(await file(official(decisionNo)))).toEqual(barred);
      expect(refused(await reinstate(id))).toEqual({ code: 'DELISTING_NOT_FOUND', pointer: '/data/delistingId' });
      // The first filing sent again is a repetition all the same, and another decision is another.
      expect((await ledger.submit('platform-a', [filing]))[0]?.status).toBe('duplicate');
      accepted(await file(official(`${decisionNo}之二`)));
    },
  );

  test('P12: a listing that named the wrong merchant leaves the decision open for the right one', async () => {
    const decisionNo = `沪监罚${serial}`;
    const { listing } = await delist(official(decisionNo));
    accepted(await end({ listingId: listing, cause: 'wrongIdentity' }));
    accepted(await file(official(decisionNo)));
  });

  test('P12: filings and the ending at once: whatever came first in the log, nothing rests on the decision', async () => {
    const decisionNo = `并发〔2026〕${serial}号`;
    const filings = Array.from({ length: 6 }, (_, n) => file(official(decisionNo, { id: `race-${serial}-${n}` })));
    const [ended, ...receipts] = await Promise.all([end({ decisionNo }), ...filings]);
    accepted(ended);
    await ledger.settled();
    for (const [receipt] of receipts) {
      if (receipt?.status === 'rejected') expect(refused([receipt])).toMatchObject({ code: 'DECISION_ENDED' });
      else expect(await statusOf(listingOf(receipt as Receipt))).toBe('endedByDecision');
    }
  });

  test('P12: an ending of a decision that nothing rests on says so, and bars filings from then on', async () => {
    const decisionNo = `未见〔2026〕${serial}号`;
    expect(accepted(await end({ decisionNo }))).toMatchObject({ nothingToEnd: true });
    expect(refused(await file(official(decisionNo)))).toMatchObject({ code: 'DECISION_ENDED' });
  });

  test('P12: a listing without a decision ends in its publisher’s own case', async () => {
    const { id, listing } = await delist();
    accepted(await end({ listingId: listing, cause: 'repaired' }));
    expect(await statusOf(listing)).toBe('repaired');
    expect(refused(await reinstate(id))).toMatchObject({ code: 'DELISTING_NOT_FOUND' });
  });

  test.each([
    ['seriousDishonest', 'A06'],
    ['revoked', 'A03'],
  ])(
    'P12: a removal from the register ends the platforms’ listings on it, and they can’t be filed anew (%s, %s)',
    async (register, code) => {
      const decisionNo = `列严〔2026〕${serial}号`;
      const proof = {
        standard: 'registerPush',
        decisionNo,
        evidence: [{ sha256: 'ab'.repeat(32), mediaType: 'application/pdf', capturedAt: past(2) }],
      };
      const registry = { list: register, identity: organization(serial), decidedAt: past(3) };
      const list = (): Promise<Receipt[]> => {
        const entry = { ...registry, decisionNo, decidedBy: 'office-1' };
        const event = submission('regulator-x', SUBMITTED_TYPES.registryListed, entry);
        return ledger.submit('regulator-x', [event], 'regulator');
      };
      accepted(await list());
      await host();
      const { id, listing } = await delist({ code, proof });
      expect(await told('platform-b', listing)).toEqual(['close']);
      const removal = submission('regulator-x', SUBMITTED_TYPES.registryRemoved, registry);
      accepted(await ledger.submit('regulator-x', [removal], 'regulator'));
      expect([await statusOf(listing), await told('platform-b', listing)]).toEqual([
        'endedByDecision',
        ['close', 'reopen'],
      ]);
      expect(refused(await file({ code, proof }))).toMatchObject({ code: 'DECISION_ENDED' });
      expect(refused(await reinstate(id))).toMatchObject({ code: 'DELISTING_NOT_FOUND' });
      // Another platform's is refused as well, by the same subject's identifiers.
      const other = () => delisted('platform-c', `c-${serial}`, organization(serial), { code, proof });
      expect(refused(await ledger.submit('platform-c', [other()]))).toEqual({
        code: 'DECISION_ENDED',
        pointer: '/data/proof/decisionNo',
      });
      // Past the door it ends as soon as it is known whom it is about, and nobody is told.
      const { log, vault } = ledger;
      const open = new Intake({ log, vault, clock: () => new Date(), keysOf: async () => [] });
      const slipped = accepted(await open.submitAll({ memberId: 'platform-c', role: 'platform' }, [other()]));
      await ledger.settled();
      expect([await statusOf(listingOf(slipped)), await told('platform-b', listingOf(slipped))]).toEqual([
        'endedByDecision',
        [],
      ]);
      // Listed anew on the decision, the merchant may be filed on it again, by whom nothing was ended.
      accepted(await list());
      const anew = delisted('platform-b', merchant, organization(serial), { code, proof });
      expect(await statusOf(listingOf(accepted(await ledger.submit('platform-b', [anew]))))).toBe('published');
    },
  );

  test('P12: a removal bars its own subject alone: another merchant may be filed on a like number, and the same one on another', async () => {
    const decisionNo = `列异〔2026〕${serial}号`;
    const proof = official(decisionNo)['proof'];
    const registry = { list: 'abnormalOperation', identity: organization(serial), decidedAt: past(3) };
    const tell = async (type: SubmittedType, more: object): Promise<void> => {
      accepted(await ledger.submit('regulator-x', [submission('regulator-x', type, more)], 'regulator'));
    };
    await tell(SUBMITTED_TYPES.registryListed, { ...registry, decisionNo, decidedBy: 'office-1' });
    await tell(SUBMITTED_TYPES.registryRemoved, registry);
    const innocent = serial;
    serial += 1;
    merchant = `m-${randomUUID()}`;
    await host();
    const { listing } = await delist({ proof });
    expect([await statusOf(listing), await told('platform-b', listing)]).toEqual(['published', ['close']]);
    serial = innocent;
    merchant = `m-${randomUUID()}`;
    expect(refused(await file({ proof }))).toMatchObject({ code: 'DECISION_ENDED' });
    const { listing: onAnother } = await delist(official(`${decisionNo}之二`));
    expect(await statusOf(onAnother)).toBe('published');
    // The same decision put it on a second register, which stands.
    const second = { list: 'seriousDishonest', identity: organization(serial), decisionNo, decidedBy: 'office-1' };
    await tell(SUBMITTED_TYPES.registryListed, { ...second, decidedAt: past(2) });
    const { listing: onSecond } = await delist({ proof });
    expect(await statusOf(onSecond)).toBe('published');
    serial += 1;
  });

  test('P12: a reopening that doesn’t come is an alarm before the statute’s three working days, and escalated after', async () => {
    const { table } = holidayAhead(4);
    await host();
    const { listing } = await delist();
    accepted(await end({ listingId: listing }));
    const reopening = (await ledger.notices('platform-b')).find(
      ({ listingId, action }) => listingId === listing && action === 'reopen',
    );
    const raised = async (): Promise<string[]> =>
      (await ledger.log.readStream('alarms', { limit: 1_000 }))
        .map(({ data }) => data as AlarmRaised)
        .filter(({ alarm, noticeId }) => noticeId === reopening?.noticeId && alarm !== 'reopeningUnanswered')
        .map(({ alarm, about }) => `${alarm} ${about}`);
    await tick(5.5 * DAY_MS, table);
    expect(await raised()).toEqual([]);
    await tick(7 * DAY_MS, table);
    expect(await raised()).toEqual(['reopeningDue platform-b']);
    await tick(8 * DAY_MS, table);
    await tick(9 * DAY_MS, table);
    expect(await raised()).toEqual(['reopeningDue platform-b', 'reopeningOverdue platform-b']);
  });
});

test('P09: a reopening that its platform has said nothing of for 24 hours goes to the regulators, once', async () => {
  await host();
  const silent = await delist();
  merchant = `m-${randomUUID()}`;
  serial += 1;
  await host();
  const answered = await delist();
  for (const { id } of [silent, answered])
    accepted(
      await ledger.submit('platform-a', [
        ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: id, cause: 'wrongFinding' }),
      ]),
    );
  const reopenings = (await ledger.notices('platform-b')).filter(({ action }) => action === 'reopen').slice(-2);
  expect(reopenings.map(({ listingId }) => listingId)).toEqual([silent.listing, answered.listing]);
  const { noticeId, shops } = reopenings[1]!;
  const disposed = { noticeId, shops, decision: 'reopened' };
  accepted(await ledger.submit('platform-b', [ending('platform-b', SUBMITTED_TYPES.noticeDisposed, disposed)]));
  const raised = async (): Promise<unknown[]> =>
    (await ledger.log.readStream('alarms', { limit: 1_000 }))
      .map(({ data }) => data as AlarmRaised)
      .filter(
        (alarm) => alarm.alarm === 'reopeningUnanswered' && reopenings.some((one) => one.noticeId === alarm.noticeId),
      )
      .map(({ about, limit, noticeId: of }) => [about, limit, of]);
  await tick(23 * HOUR_MS);
  expect(await raised()).toEqual([]);
  await tick(25 * HOUR_MS);
  await tick(26 * HOUR_MS);
  expect(await raised()).toEqual([['platform-b', 24, reopenings[0]!.noticeId]]);
});

describe('P22: consumers first on closing', () => {
  test('P22: a disposition answers its notice and names that notice’s shops', async () => {
    await host();
    const { listing } = await delist();
    const notice = (await ledger.notices('platform-b')).find(({ listingId }) => listingId === listing);
    const dispose = (data: object): Promise<Receipt[]> =>
      ledger.submit('platform-b', [
        ending('platform-b', SUBMITTED_TYPES.noticeDisposed, { noticeId: notice?.noticeId, shops: [], ...data }),
      ]);
    expect(refused(await dispose({ decision: 'reopened' }))).toEqual({
      code: 'DISPOSITION_NOT_APPLICABLE',
      pointer: '/data/decision',
    });
    const closed = { decision: 'closed', shops: notice?.shops };
    expect(refused(await dispose(closed))).toEqual({ code: 'OPEN_ORDERS_MISSING', pointer: '/data/openOrders' });
    const foreign = [...(notice?.shops ?? []), { shopId: 'other', name: '店', url: 'https://shop.example/other' }];
    expect(refused(await dispose({ ...closed, shops: foreign, openOrders: 'kept' }))).toEqual({
      code: 'SHOP_NOT_OF_NOTICE',
      pointer: '/data/shops/1/shopId',
    });
    accepted(await dispose({ ...closed, openOrders: 'kept' }));
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

function past(days: number): string {
  return new Date(Date.now() - days * DAY_MS - 60_000).toISOString();
}
