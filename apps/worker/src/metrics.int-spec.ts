import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SUBMITTED_TYPES, type Receipt } from '@liandun/contracts';
import { answersAfter, lastDisposition } from '@liandun/views';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, ending, organization, reported } from '../../../test/support/submissions.js';
import { WorkerMetrics } from './metrics.js';

const [PUBLISHER, HOST] = ['platform-a', 'platform-b'];
let ledger: TestLedger;

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [PUBLISHER, HOST]) await ledger.admit(member);
});
afterAll(() => ledger.stop());

const watched = (): WorkerMetrics => {
  const metrics = new WorkerMetrics();
  metrics.watchAnswers(
    () => lastDisposition(ledger.pool),
    (position, limit) => answersAfter(ledger.pool, position, limit),
  );
  return metrics;
};

/** How many first answers were observed, by action. */
async function counts({ registry }: WorkerMetrics): Promise<Record<string, number>> {
  const shown = await registry.getSingleMetricAsString('liandun_notice_acknowledged_seconds');
  const found = shown.matchAll(/^liandun_notice_acknowledged_seconds_count\{action="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, action, count]) => [action!, Number(count)]));
}

async function dispose(action: string, data: { decision: string; openOrders?: string }): Promise<void> {
  const { noticeId, shops } = (await ledger.notices(HOST)).findLast((notice) => notice.action === action)!;
  const [receipt] = await ledger.submit(HOST, [
    ending(HOST, SUBMITTED_TYPES.noticeDisposed, { noticeId, shops, ...data }),
  ]);
  expect(receipt?.problem ?? receipt?.status).toBe('accepted');
}

test('P09: how long members take to acknowledge is measured by action, each notice once, by its first answer', async () => {
  const identity = organization(6_100);
  await ledger.submit(HOST, [reported(HOST, 'm-1', identity)]);
  const filing = delisted(PUBLISHER, 'm-1', identity) as { id: string };
  const [receipt] = (await ledger.submit(PUBLISHER, [filing])) as [Receipt];
  expect(receipt.status).toBe('accepted');
  const metrics = watched();
  expect(await counts(metrics)).toEqual({});
  await dispose('close', { decision: 'underReview' });
  await dispose('close', { decision: 'closed', openOrders: 'kept' });
  expect(await counts(metrics)).toEqual({ close: 1 });
  const back = { delistingId: filing.id, cause: 'wrongFinding' };
  await ledger.submit(PUBLISHER, [ending(PUBLISHER, SUBMITTED_TYPES.merchantReinstated, back)]);
  await dispose('reopen', { decision: 'reopened' });
  // Two that look at once count it once.
  await Promise.all([counts(metrics), counts(metrics)]);
  expect(await counts(metrics)).toEqual({ close: 1, reopen: 1 });
  // A worker that starts now counts from now on.
  expect(await counts(watched())).toEqual({});
});
