import {
  EVENT_TYPES,
  listingIdOf,
  loadWorkingDays,
  SUBMITTED_TYPES,
  toBeijingTime,
  type ListingMalicious,
  type OutcomeType,
  type Receipt,
} from '@liandun/contracts';
import { publisherFigures } from '@liandun/domain';
import { rebuildProjection, type StoredEvent } from '@liandun/event-log';
import { ledgerProjection } from '@liandun/views';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, ending, organization, reported } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';
import { outcomeEvent } from './outcome.js';

const PUBLISHER = 'platform-a';
const HOST = 'platform-b';
const URGENT = { code: 'E01', urgency: 'fraud' };

let ledger: TestLedger;
let serial = 0;
beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [PUBLISHER, HOST]) await ledger.admit(member);
});
afterAll(() => ledger.stop());

/** Listings of tier 2 on the publisher's own finding, told at once. */
async function list(count: number): Promise<{ id: string; receipt: Receipt }[]> {
  const events = Array.from({ length: count }, () => {
    serial += 1;
    return delisted(PUBLISHER, `m-${serial}`, organization(serial), URGENT) as { id: string };
  });
  const receipts = await ledger.submit(PUBLISHER, events);
  return events.map(({ id }, n) => ({ id, receipt: receipts[n] as Receipt }));
}

const takeBack = (delistingId: string): Promise<Receipt[]> =>
  ledger.submit(PUBLISHER, [
    ending(PUBLISHER, SUBMITTED_TYPES.merchantReinstated, { delistingId, cause: 'wrongFinding' }),
  ]);

async function tierOf({ receipt }: { receipt: Receipt }): Promise<number> {
  const { rows } = await ledger.pool.query('select tier from view.listing where position = $1', [receipt.position]);
  return rows[0].tier;
}

/** What was judged of the publisher, oldest first. */
async function judged(): Promise<{ type: string; data: object }[]> {
  const entries = await ledger.log.readStream(`publisher/${PUBLISHER}`, { limit: 100 });
  return entries.map(({ type, data }) => ({ type, data }));
}

test('P19: a publisher over the threshold is lowered at the next event and restored below it, and a rebuild says the same', async () => {
  const first = await list(20);
  await takeBack(first[0]!.id);
  // One of twenty is the threshold itself.
  expect(await judged()).toEqual([]);
  await takeBack(first[1]!.id);
  expect(await judged()).toMatchObject([
    {
      type: EVENT_TYPES.publisherLowered,
      data: { memberId: PUBLISHER, published: 20, overturned: 2, rate: 0.1, rules: 2 },
    },
  ]);
  serial += 1;
  const identity = organization(serial);
  await ledger.submit(HOST, [reported(HOST, 'hosted', identity)]);
  const event = delisted(PUBLISHER, `m-${serial}`, identity, URGENT);
  const [receipt] = await ledger.submit(PUBLISHER, [event]);
  expect(await tierOf({ receipt: receipt as Receipt })).toBe(3);
  expect((await ledger.notices(HOST)).at(-1)).toMatchObject({ action: 'check', tier: 3 });
  // 2 of 40: back at the threshold.
  await list(19);
  expect((await judged()).at(-1)).toMatchObject({
    type: EVENT_TYPES.publisherRestored,
    data: { published: 40, overturned: 2, rate: 0.05 },
  });
  const [last] = await list(1);
  expect(await tierOf(last!)).toBe(2);
  // What was told while it was lowered stays as it was told.
  expect(await tierOf({ receipt: receipt as Receipt })).toBe(3);
  const rows = async (): Promise<object[]> =>
    (await ledger.pool.query('select * from view.listing order by position')).rows;
  const live = await rows();
  const owner = new pg.Pool({ connectionString: ledger.url });
  owner.on('error', () => undefined);
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' }).finally(() => owner.end());
  expect(await rows()).toEqual(live);
});

test('P19: a listing found malicious counts twice at the next event, and a rebuild and the log say the same', async () => {
  const another = 'platform-c';
  await ledger.admit(another);
  const events = Array.from({ length: 20 }, () => {
    serial += 1;
    return delisted(another, `m-${serial}`, organization(serial), URGENT) as { id: string };
  });
  const receipts = await ledger.submit(another, events);
  const ended = ending(another, SUBMITTED_TYPES.merchantReinstated, {
    delistingId: events[0]!.id,
    cause: 'wrongFinding',
  });
  await ledger.submit(another, [ended]);
  const outcomes = (): Promise<StoredEvent[]> => ledger.log.readStream(`publisher/${another}`, { limit: 100 });
  expect(await outcomes()).toEqual([]);
  const filing = (await ledger.log.at(receipts[0]!.position!))!;
  const found: ListingMalicious = {
    listingId: listingIdOf(filing),
    caseId: filing.id,
    memberId: another,
    caseNo: '2026-19',
    reasons: { commitment: 'c' },
    foundBy: 'officer-2',
    by: 'regulator-beijing',
    foundAt: toBeijingTime(new Date()),
  };
  const fact = { time: found.foundAt, stream: filing.stream, data: found };
  await ledger.log.append({ events: [outcomeEvent('malice:1', EVENT_TYPES.listingMalicious, fact)] });
  await ledger.settled();
  const [lowered] = await outcomes();
  expect(lowered).toMatchObject({
    type: EVENT_TYPES.publisherLowered,
    data: { memberId: another, published: 20, overturned: 1, malicious: 1, rate: 0.05, rules: 2 },
  });
  // The same from the log alone.
  const entries = await ledger.log.read({ after: -1, limit: 10_000 });
  const own = entries.filter(({ position, source }) => position < lowered!.position && source.endsWith(another));
  const malicious = entries.some(
    ({ type, data }) => type === EVENT_TYPES.listingMalicious && data.caseId === filing.id,
  );
  const errors = own
    .filter(({ type }) => type === SUBMITTED_TYPES.merchantReinstated)
    .map(({ acceptedAt }) => ({ from: new Date(filing.acceptedAt), to: new Date(acceptedAt), malicious }));
  const published = own.filter(({ type }) => type === SUBMITTED_TYPES.merchantDelisted).length;
  expect(lowered!.data).toMatchObject(publisherFigures(published, errors));
  const rows = async (): Promise<object[]> =>
    (await ledger.pool.query('select listing_id, malicious_at from view.listing order by position')).rows;
  const live = await rows();
  const owner = new pg.Pool({ connectionString: ledger.url });
  owner.on('error', () => undefined);
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' }).finally(() => owner.end());
  expect(await rows()).toEqual(live);
});

test('P19: the database takes no finding of malice by who ended the listing, or by its publisher, whatever program writes it', async () => {
  const [publisher, regulator] = ['platform-d', 'regulator-x'];
  await ledger.admit(publisher);
  await ledger.admit(regulator, 'regulator');
  const filed = async (): Promise<{ id: string; entry: StoredEvent }> => {
    serial += 1;
    const event = delisted(publisher, `m-${serial}`, organization(serial), URGENT) as { id: string };
    const [receipt] = await ledger.submit(publisher, [event]);
    return { id: event.id, entry: (await ledger.log.at(receipt!.position!))! };
  };
  const find = async ({ entry }: { entry: StoredEvent }, foundBy: string, by = regulator): Promise<unknown> => {
    const foundAt = toBeijingTime(new Date());
    const reasons = { commitment: 'c' };
    const about = { listingId: listingIdOf(entry), caseId: entry.id, memberId: publisher };
    const data: ListingMalicious = { ...about, caseNo: '2026-19', reasons, foundBy, by, foundAt };
    const fact = { time: foundAt, stream: entry.stream, data };
    const id = `malice:${about.listingId}`;
    const appended = ledger.log.append({ events: [outcomeEvent(id, EVENT_TYPES.listingMalicious, fact)] });
    return appended.then(
      ({ status }) => status,
      (error: { constraint?: string }) => error.constraint,
    );
  };
  const refused = 'finder_is_not_decider';

  // Ended by a regulator: its decider is ending('…')’s reviewer-8.
  const annulled = await filed();
  expect(await find(annulled, 'officer-2')).toBe(refused);
  const end = { listingId: listingIdOf(annulled.entry), cause: 'annulled' };
  await ledger.submit(regulator, [ending(regulator, SUBMITTED_TYPES.listingEnded, end)], 'regulator');
  expect(await find(annulled, 'reviewer-8')).toBe(refused);
  expect(await find(annulled, 'officer-2', publisher)).toBe(refused);
  expect(await find(annulled, '')).toBe(refused);
  expect(await find({ entry: { ...annulled.entry, stream: 'merchant/other/m' } }, 'officer-2')).toBe(refused);
  expect(await find(annulled, 'officer-2')).toBe('appended');

  // Overturned on appeal: the reviewer may be at another member than who sent it.
  const appealed = await filed();
  const about = { appealId: 'A1', caseId: appealed.id, listingId: listingIdOf(appealed.entry) };
  const at = toBeijingTime(new Date());
  const say = async (id: string, type: OutcomeType, data: object): Promise<void> => {
    await ledger.log.append({ events: [outcomeEvent(id, type, { time: at, stream: appealed.entry.stream, data })] });
  };
  const filing = { ...about, grounds: 'wrongFinding', evidence: [], proved: 'code', filedAt: at };
  await say('malice:appeal', EVENT_TYPES.appealFiled, filing);
  const decision = {
    decision: 'overturned',
    cause: 'appealUpheld',
    by: regulator,
    decidedBy: 'officer-3',
    decidedAt: at,
  };
  await say('malice:decided', EVENT_TYPES.appealDecided, { ...about, ...decision });
  await ledger.settled();
  expect(await find(appealed, 'officer-3')).toBe(refused);
  expect(await find(appealed, 'officer-2')).toBe('appended');
});

test('P19: the figures recompute from the log alone', async () => {
  const entries = await ledger.log.read({ after: -1, limit: 10_000 });
  const lowered = entries.find(
    ({ type, data }) => type === EVENT_TYPES.publisherLowered && data.memberId === PUBLISHER,
  )!;
  const before = entries.filter(({ position }) => position < lowered.position);
  const filed = new Map(
    before.filter(({ type }) => type === SUBMITTED_TYPES.merchantDelisted).map((entry) => [entry.id, entry]),
  );
  const errors = before
    .filter(({ type }) => type === SUBMITTED_TYPES.merchantReinstated)
    .map(({ data, acceptedAt }) => ({
      from: new Date(filed.get(data.delistingId)!.acceptedAt),
      to: new Date(acceptedAt),
    }));
  expect(lowered.data).toMatchObject(publisherFigures(filed.size, errors));
});

test('P19: a lowered publisher is restored by the clock once its errors are older than the window, with no event of its own', async () => {
  const quiet = 'platform-d';
  await ledger.admit(quiet);
  const events = Array.from({ length: 20 }, () => {
    serial += 1;
    return delisted(quiet, `m-${serial}`, organization(serial), URGENT) as { id: string };
  });
  await ledger.submit(quiet, events);
  for (const { id: delistingId } of events.slice(0, 2)) {
    const data = { delistingId, cause: 'wrongFinding' };
    await ledger.submit(quiet, [ending(quiet, SUBMITTED_TYPES.merchantReinstated, data)]);
  }
  const parts = { pool: ledger.pool, log: ledger.log, workingDays: loadWorkingDays(), watchEveryMs: 0 };
  const clock = new LifeClock(parts);
  const types = async (): Promise<string[]> => {
    await clock.tick();
    await ledger.settled();
    return (await ledger.log.readStream(`publisher/${quiet}`, { limit: 100 })).map(({ type }) => type);
  };
  expect(await types()).toEqual([EVENT_TYPES.publisherLowered]);
  // A year later, as far as these listings go.
  await ledger.pool.query(
    "update view.listing set effective_at = effective_at - interval '366 days' where source_member = $1",
    [quiet],
  );
  const both = [EVENT_TYPES.publisherLowered, EVENT_TYPES.publisherRestored];
  expect(await types()).toEqual(both);
  expect(await types()).toEqual(both);
  const { rows } = await ledger.pool.query('select lowered from view.receiver where member_id = $1', [quiet]);
  expect(rows).toEqual([{ lowered: false }]);
});
