import {
  EVENT_TYPES,
  loadWorkingDays,
  SUBMITTED_TYPES,
  type FloodDecision,
  type Identity,
  type MemberLimits,
  type Receipt,
} from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { floodStream, Intake } from '@liandun/intake';
import { BREAKER_GATE, breakerState, ledgerProjection, waitingFloods } from '@liandun/views';
import { zhMatcher } from '@liandun/identity';
import { identifiersOf, MatchIndex } from '@liandun/matching';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { TestLedger } from '../../../test/support/ledger.js';
import { awayFromMidnight } from '../../../test/support/midnight.js';
import { delisted, organization, reported, submission } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';
import { outcomeEvent } from './outcome.js';

const HOST = 'host';
const LIMITS: Record<string, MemberLimits | null> = {
  hourly: { timesMean: 1_000, subjectsPerHour: 5 },
  // Once or twice the least mean of 50 a day.
  daily: { timesMean: 0.08, subjectsPerHour: 1_000 },
  unset: null,
  half: { subjectsPerHour: 1_000 },
  crowd: { timesMean: 1_000, subjectsPerHour: 40 },
  refused: { timesMean: 1_000, subjectsPerHour: 0 },
  both: { timesMean: 1_000, subjectsPerHour: 0 },
  repeated: { timesMean: 1_000, subjectsPerHour: 2 },
};

let ledger: TestLedger;
let intake: Intake;
let serial = 0;

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [HOST, ...Object.keys(LIMITS)]) await ledger.admit(member);
  const owner = new pg.Client({ connectionString: ledger.url });
  await owner.connect();
  for (const [n, [member, limits]] of Object.entries(LIMITS).entries()) {
    await owner.query(
      `insert into access.member (member_id, name, role, status, subscription, limits, joined_position)
       values ($1, $1, 'platform', 'active', '{}', $2, $3)`,
      [member, limits && JSON.stringify(limits), n],
    );
  }
  await owner.end();
  const { log, vault } = ledger;
  intake = new Intake({ log, vault, clock: () => new Date(), keysOf: async () => [], breaker: BREAKER_GATE });
});
beforeEach(() => awayFromMidnight()); // cases are counted by the day
afterAll(() => ledger.stop());

interface Filing {
  merchant: string;
  event: { id: string };
}

/** Delistings of as many merchants, each hosted by HOST as well. */
async function filings(member: string, count: number, data: { [field: string]: unknown } = {}): Promise<Filing[]> {
  const made = Array.from({ length: count }, () => {
    serial += 1;
    const identity = organization(serial);
    const merchant = `host-${serial}`;
    const event = delisted(member, `m-${serial}`, identity, data) as { id: string };
    return { merchant, event, hosted: reported(HOST, merchant, identity) };
  });
  await ledger.submit(
    HOST,
    made.map(({ hosted }) => hosted),
  );
  return made;
}

async function file(member: string, raws: object[]): Promise<Receipt[]> {
  const receipts = await intake.submitAll({ memberId: member, role: 'platform' }, raws);
  await ledger.settled();
  return receipts;
}

const statuses = (receipts: Receipt[]): string[] => receipts.map(({ status }) => status);

/** Which of the merchants HOST was asked to close. */
async function told(some: Filing[]): Promise<string[]> {
  const closed = (await ledger.notices(HOST)).filter(({ action }) => action === 'close').flatMap((n) => n.merchantIds);
  return some.map(({ merchant }) => merchant).filter((merchant) => closed.includes(merchant));
}

async function decide(member: string, decision: FloodDecision): Promise<void> {
  const [flood] = await waitingFloods(ledger.pool, member);
  const decidedAt = new Date().toISOString();
  const data = {
    memberId: member,
    decision,
    after: -1,
    upTo: flood?.upTo,
    cases: flood?.cases,
    decidedBy: 'admin',
    decidedAt,
  };
  const event = outcomeEvent(`flood:${member}:${decision}:${flood?.upTo}`, EVENT_TYPES.floodDecided, {
    time: decidedAt,
    stream: floodStream(member),
    data,
  });
  await ledger.log.append({ events: [event] });
  await ledger.settled();
}

test('P21: a flood is held from the first event over the hourly limit, and nothing of it is delivered until a second person lets it out', async () => {
  const some = await filings('hourly', 9);
  const receipts = await file(
    'hourly',
    some.map(({ event }) => event),
  );
  expect(statuses(receipts)).toEqual([...Array(5).fill('accepted'), ...Array(4).fill('held')]);
  expect(receipts[5]).toMatchObject({ heldBecause: 'flood' });
  expect(await told(some)).toEqual(some.slice(0, 5).map(({ merchant }) => merchant));
  expect(await waitingFloods(ledger.pool, 'hourly')).toMatchObject([
    { memberId: 'hourly', cases: 4, upTo: receipts[8]?.position, codes: [{ code: 'F04', tier: 1, cases: 4 }] },
  ]);
  await decide('hourly', 'release');
  expect(await told(some)).toHaveLength(9);
  expect(await waitingFloods(ledger.pool, 'hourly')).toEqual([]);
});

test('P21: the limit holds within one event however many batches file at the same moment', async () => {
  const some = await filings('crowd', 60);
  const groups = Array.from({ length: 12 }, (_, n) => some.slice(5 * n, 5 * n + 5).map(({ event }) => event));
  const receipts = await Promise.all(
    groups.map((raws) => intake.submitAll({ memberId: 'crowd', role: 'platform' }, raws)),
  );
  await ledger.settled();
  expect(statuses(receipts.flat()).filter((status) => status === 'accepted')).toHaveLength(40);
  expect(await told(some)).toHaveLength(40);
});

test('P21: a day over its multiple of the 30-day mean is held', async () => {
  const some = await filings('daily', 6);
  const receipts = await file(
    'daily',
    some.map(({ event }) => event),
  );
  expect(statuses(receipts)).toEqual(['accepted', 'accepted', 'accepted', 'accepted', 'held', 'held']);
});

test.each(['unset', 'half'])('P21: unset limits hold (%s)', async (member) => {
  const some = await filings(member, 1);
  expect(statuses(await file(member, [some[0]!.event]))).toEqual(['held']);
  expect(await told(some)).toEqual([]);
});

test('P21: of a refused flood nobody ever hears, and it is over', async () => {
  const some = await filings('refused', 2);
  await file(
    'refused',
    some.map(({ event }) => event),
  );
  await decide('refused', 'refuse');
  expect(await told(some)).toEqual([]);
  const back = submission('refused', SUBMITTED_TYPES.merchantReinstated, {
    delistingId: some[0]!.event.id,
    cause: 'wrongFinding',
    decidedAt: new Date().toISOString(),
    decidedBy: 'reviewer-7',
  });
  expect(statuses(await file('refused', [back]))).toEqual(['rejected']);
});

test('P21: what also waits for its hearing is published only when both are over, and the clock lets out no flood', async () => {
  const some = await filings('both', 1, { code: 'E01' });
  const [filing] = some;
  expect(statuses(await file('both', [filing!.event]))).toEqual(['held']);
  const DAY_MS = 86_400_000;
  const clock = new LifeClock({
    pool: ledger.pool,
    log: ledger.log,
    workingDays: loadWorkingDays(),
    now: () => Promise.resolve(new Date(Date.now() + 40 * DAY_MS)),
  });
  for (let n = 0; n < 3; n += 1) {
    await clock.tick();
    await ledger.settled();
  }
  const { rows } = await ledger.pool.query(
    "select status, hearing, flood from view.listing where source_member = 'both'",
  );
  expect(rows).toEqual([{ status: 'held', hearing: false, flood: true }]);
  expect(await told(some)).toEqual([]);
  const alarms = await ledger.log.readStream('alarms', { limit: 100 });
  expect(alarms.filter(({ data }) => data.alarm === 'publisherFlood' && data.about === 'both')).toHaveLength(1);
  await decide('both', 'release');
  expect((await ledger.notices(HOST)).filter(({ merchantIds }) => merchantIds.includes(filing!.merchant))).toHaveLength(
    1,
  );
});

test('P21: what is sent again counts once', async () => {
  const some = await filings('repeated', 3);
  const [first, second, third] = some.map(({ event }) => event);
  expect(statuses(await file('repeated', [first!]))).toEqual(['accepted']);
  expect(statuses(await file('repeated', [first!, first!, second!, third!]))).toEqual([
    'duplicate',
    'duplicate',
    'accepted',
    'held',
  ]);
  expect(await breakerState(ledger.pool, 'repeated')).toMatchObject({ lastHour: 3, today: 3, mean: 0 });
});

test('P21: an identifier that very many records share is a hub; one that few or none share shows nothing', async () => {
  const phones = ['13800000009'];
  const index = new MatchIndex(zhMatcher, ledger.vault);
  const asked = async (n: number): Promise<object[]> =>
    identifiersOf(ledger.pool, index, organization(n, { phones }) as Identity);
  const reports = Array.from({ length: 50 }, (_, n) =>
    reported(HOST, `hub-${n}`, organization(70_000 + n, { phones })),
  );
  await ledger.submit(HOST, reports.slice(0, 49));
  const unmarked = [
    { field: 'uscc', hub: false },
    { field: 'phones', hub: false },
  ];
  expect(await asked(70_000)).toEqual(unmarked);
  expect(await asked(80_000)).toEqual(unmarked);
  await ledger.submit(HOST, reports.slice(49));
  expect(await asked(80_000)).toEqual([unmarked[0], { field: 'phones', hub: true }]);
});

test('I5: a rebuild holds and lets out the same', async () => {
  const listings = async (schema: string): Promise<object[]> =>
    (await ledger.pool.query(`select * from ${schema}.listing order by position`)).rows;
  const live = await listings('view');
  const owner = new pg.Pool({ connectionString: ledger.url });
  owner.on('error', () => undefined);
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' }).finally(() => owner.end());
  expect(await listings('view')).toEqual(live);
});
