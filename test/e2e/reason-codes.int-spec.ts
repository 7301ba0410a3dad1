import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  noticeEvent,
  reasonCodes,
  type NoticeIssued,
  type OutcomeType,
  type ReasonCode,
} from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { checkNotice } from '@liandun/sdk';
import { ACCESS_RIDER, accessProjection, ledgerProjection } from '@liandun/views';
import pg from 'pg';
import { TestLedger } from '../support/ledger.js';
import { delisted, organization, reported } from '../support/submissions.js';

let ledger: TestLedger;
let version = 2;
beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', 'platform-b']) await ledger.admit(member);
});
afterAll(() => ledger.stop());

/** As two persons would have changed it over HTTP. */
async function changed(code: string, more: object): Promise<void> {
  version += 1;
  const codes = [{ ...(reasonCodes().codes.get(code) as ReasonCode), ...more }];
  const approvalId = randomUUID();
  const change = { action: 'changeReasonCodes', memberId: 'one', version, codes };
  const facts: [OutcomeType, string, object][] = [
    [EVENT_TYPES.approvalRequested, `approval/${approvalId}`, { approvalId, change, requestedBy: 'one' }],
    [EVENT_TYPES.approvalGranted, `approval/${approvalId}`, { approvalId, decidedBy: 'two' }],
    [
      EVENT_TYPES.reasonCodesChanged,
      'reason-codes',
      { version, codes, approvalId, requestedBy: 'one', approvedBy: 'two' },
    ],
  ];
  await ledger.log.append({
    events: facts.map(([type, stream, data]) => ({
      id: randomUUID(),
      source: LEDGER_SOURCE,
      type,
      time: new Date().toISOString(),
      stream,
      data,
      fingerprint: randomBytes(32),
      riders: { [ACCESS_RIDER]: { type, data } },
    })),
  });
}

let serial = 0;
/** Files against a merchant that platform-b hosts; the last notice to it, once the code is taken. */
async function told(code: string): Promise<NoticeIssued> {
  serial += 1;
  const [mine, theirs] = [`a-${serial}`, `b-${serial}`];
  await ledger.submit('platform-b', [reported('platform-b', theirs, organization(serial))]);
  for (;;) {
    const [receipt] = await ledger.submit('platform-a', [delisted('platform-a', mine, organization(serial), { code })]);
    if (receipt?.status === 'accepted') return (await ledger.notices('platform-b')).at(-1) as NoticeIssued;
    // A process knows of a change a moment later.
    expect(receipt?.problem?.errors?.[0]?.code).toBe('UNKNOWN_CODE');
  }
}

const listings = async (): Promise<Record<string, unknown>[]> =>
  (await ledger.pool.query('select * from view.listing order by position')).rows;

test('P05: a listing keeps the version it was made under', async () => {
  const before = await told('B01');
  expect([before.tier, before.reason.version, before.reason.labelEn]).toEqual([
    1,
    '2',
    'Goods or services prohibited by law',
  ]);
  await changed('B01', { labelEn: 'Other words', defaultRetentionDays: 30 });
  const after = await told('B01');
  expect([after.tier, after.reason.version, after.reason.labelEn]).toEqual([1, '3', 'Other words']);
  const [old, young] = await listings();
  const days = (row: Record<string, unknown> | undefined): number =>
    (Number(row?.['expires_at']) - Number(row?.['accepted_at'])) / 86_400_000;
  expect([old?.['codes_version'], days(old)]).toEqual([2, 1095]);
  expect([young?.['codes_version'], days(young)]).toEqual([3, 30]);
  // What is told of the old one later, as that it ended, is told in the words of its version.
  await changed('B01', { labelEn: 'Words of version 4', tier: 3, autoClosable: false });
  expect((await listings())[0]).toEqual(old);
});

test('R08: a code that was added by data only reaches a subscriber that does not know it', async () => {
  await changed('B01', { code: 'B09', labelZh: '新事由', labelEn: 'A new reason' });
  const issued = await told('B09');
  expect(issued.reason).toMatchObject({ code: 'B09', labelZh: '新事由', labelEn: 'A new reason', version: '5' });
  const { member: _member, ...content } = issued;
  const sent = noticeEvent(content, { position: 1, leafHash: 'x', acceptedAt: new Date().toISOString() });
  expect(checkNotice(JSON.parse(JSON.stringify(sent)), 'platform-b').data.reason.code).toBe('B09');
});

test('P05: a rebuild from the log gives each listing the version it was made under (I5)', async () => {
  await ledger.settled();
  const dump = async (): Promise<unknown[]> =>
    Promise.all(
      ['view.listing', 'view.notice', 'access.reason_code'].map(
        async (name) => (await ledger.pool.query(`select t::text from ${name} t order by 1`)).rows,
      ),
    );
  const live = await dump();
  const owner = new pg.Pool({ connectionString: ledger.url });
  owner.on('error', () => undefined);
  await rebuildProjection(owner, accessProjection);
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' }).finally(() => owner.end());
  expect(await dump()).toEqual(live);
});
