import {
  EVENT_TYPES,
  loadWorkingDays,
  toBeijingTime,
  type Agreement,
  type AlarmRaised,
  type DisclosedField,
  type Receipt,
} from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { ledgerProjection } from '@liandun/views';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { AGREEMENT } from '../../../test/support/agreement.js';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, ending, organization, person, reported } from '../../../test/support/submissions.js';
import { LifeClock } from './clock.js';

const DAY_MS = 86_400_000;
let ledger: TestLedger;
let serial = drawn(1_000, 100_000);
let merchant = '';

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', 'platform-b', 'platform-c']) await ledger.admit(member);
});
afterAll(() => ledger.stop());
beforeEach(async () => {
  serial += 1;
  merchant = `m-${randomUUID()}`;
  for (const member of ['platform-b', 'platform-c']) await agree(member, AGREEMENT);
});

const agree = async (memberId: string, agreement: Agreement): Promise<void> => {
  await ledger.membership(EVENT_TYPES.memberAgreementChanged, { memberId, agreement });
  await ledger.settled();
};
const without = (...fields: DisclosedField[]): Agreement => ({
  ...AGREEMENT,
  bases: Object.fromEntries(Object.entries(AGREEMENT.bases).filter(([field]) => !fields.some((one) => one === field))),
});
const until = (time: number): Agreement => ({ ...AGREEMENT, assessedUntil: toBeijingTime(new Date(time)) });

const listingOf = ({ position, leafHash }: Receipt): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;
async function delist(identity: object): Promise<{ listingId: string; delistingId: string }> {
  const event = delisted('platform-a', merchant, identity) as { id: string };
  const [receipt] = await ledger.submit('platform-a', [event]);
  expect(receipt?.status).toBe('accepted');
  return { listingId: listingOf(receipt as Receipt), delistingId: event.id };
}
const reinstate = (delistingId: string): Promise<Receipt[]> =>
  ledger.submit('platform-a', [
    ending('platform-a', 'liandun.merchant.reinstated.v1', { delistingId, cause: 'wrongFinding' }),
  ]);
const host = (member: string, identity: object): Promise<Receipt[]> =>
  ledger.submit(member, [reported(member, merchant, identity)]);
async function told(member: string, listingId: string): Promise<string[]> {
  const notices = await ledger.notices(member);
  return notices.filter((notice) => notice.listingId === listingId).map(({ action }) => action);
}

describe('P16: no basis, no sending', () => {
  test('P16: without the basis for one recipient it gets nothing, the others do; with it again it catches up', async () => {
    for (const member of ['platform-b', 'platform-c']) await host(member, organization(serial));
    await agree('platform-b', without('reason'));
    const { listingId } = await delist(organization(serial));
    expect([await told('platform-b', listingId), await told('platform-c', listingId)]).toEqual([[], ['close']]);
    await agree('platform-b', AGREEMENT);
    expect(await told('platform-b', listingId)).toEqual(['close']);
    await agree('platform-b', { ...AGREEMENT, contractId: 'TEST-CONTRACT-2' });
    expect(await told('platform-b', listingId)).toEqual(['close']);
  });

  test('P16: an expired assessment stops delivery; what ended meanwhile is told with the next one', async () => {
    await host('platform-b', organization(serial));
    const before = await delist(organization(serial));
    expect(await told('platform-b', before.listingId)).toEqual(['close']);
    await agree('platform-b', until(Date.now() - 1));
    await reinstate(before.delistingId);
    merchant = `m-${randomUUID()}`;
    const after = await delist(organization(serial + 50_000));
    expect([await told('platform-b', before.listingId), await told('platform-b', after.listingId)]).toEqual([
      ['close'],
      [],
    ]);
    expect(await told('platform-c', after.listingId)).toEqual(['restrictAdmission']);
    await agree('platform-b', AGREEMENT);
    // What ended meanwhile is told as well: nothing that was closed stays closed.
    expect(await told('platform-b', before.listingId)).toEqual(['close', 'reopen']);
    expect(await told('platform-b', after.listingId)).toEqual(['restrictAdmission']);
  });

  test('P16: a missing basis for persons stops notices about persons and nothing else', async () => {
    await agree('platform-b', without('person'));
    const one = person(serial % 900);
    await host('platform-b', one);
    await host('platform-c', one);
    const listed = await delist(one);
    expect([await told('platform-b', listed.listingId), await told('platform-c', listed.listingId)]).toEqual([
      [],
      ['close'],
    ]);
    merchant = `m-${randomUUID()}`;
    await host('platform-b', organization(serial));
    const other = await delist(organization(serial));
    expect(await told('platform-b', other.listingId)).toEqual(['close']);
  });

  test('P16: a platform that is admitted without an agreement gets nothing until it has one', async () => {
    const { listingId } = await delist(organization(serial));
    const late = `platform-${randomUUID().slice(0, 8)}`;
    await ledger.admit(late, 'platform', {}, { agreement: undefined });
    await ledger.settled();
    expect(await ledger.notices(late)).toEqual([]);
    await agree(late, AGREEMENT);
    expect(await told(late, listingId)).toEqual(['restrictAdmission']);
  });
});

test('P16: administrators are told 30 days before an assessment ends, and when it has', async () => {
  const untilMs = Date.now() + 40 * DAY_MS;
  await agree('platform-c', until(untilMs));
  const tick = (aheadMs: number): Promise<void> =>
    new LifeClock({
      pool: ledger.pool,
      log: ledger.log,
      workingDays: loadWorkingDays(),
      now: async () => new Date(Date.now() + aheadMs),
    }).tick();
  const raised = async (): Promise<object[]> =>
    (await ledger.log.readStream('alarms', { limit: 1_000 }))
      .map(({ data }) => data as AlarmRaised)
      .filter(({ alarm, about }) => alarm.startsWith('assessment') && about === 'platform-c')
      .map(({ alarm, limit }) => ({ alarm, limit }));
  await tick(9 * DAY_MS);
  expect(await raised()).toEqual([]);
  await tick(11 * DAY_MS);
  await tick(39 * DAY_MS);
  expect(await raised()).toEqual([{ alarm: 'assessmentEnding', limit: 30 }]);
  await tick(41 * DAY_MS);
  await tick(42 * DAY_MS);
  expect(await raised()).toEqual([
    { alarm: 'assessmentEnding', limit: 30 },
    { alarm: 'assessmentEnded', limit: 0 },
  ]);
});

test('the agreements, rebuilt from the log, are the live ones (I5)', async () => {
  await ledger.settled();
  const owner = new pg.Pool({ connectionString: ledger.url, max: 1 });
  const rows = async (): Promise<unknown[]> =>
    (await owner.query('select * from view.receiver order by member_id')).rows;
  const live = await rows();
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
  expect(await rows()).toEqual(live);
  await owner.end();
});
