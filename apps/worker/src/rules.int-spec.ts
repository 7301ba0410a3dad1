import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reasonCodes, SUBMITTED_TYPES, type NoticeIssued } from '@liandun/contracts';
import { codeExamples, type CodeExample } from '../../../test/support/examples.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { organization, person, reported, submission } from '../../../test/support/submissions.js';

/** Identities that agree in nothing with each other. */
const identityOf = (kind: string, serial: number): object => {
  if (kind === 'organization') return organization(serial);
  if (kind === 'soleProprietor') return organization(serial, { kind, name: `虚构小店${serial}` });
  return person(serial, { name: `虚构人${String.fromCodePoint(0x4e00 + serial)}` });
};

describe('P01: notice, not order', () => {
  let ledger: TestLedger;
  let every: CodeExample[];
  let notices: NoticeIssued[];
  const refused: object[] = [];
  beforeAll(async () => {
    ledger = await TestLedger.start();
    for (const platform of ['platform-a', 'platform-b'])
      await ledger.admit(platform, 'platform', { riskEntities: true });
    await ledger.admit('regulator-beijing', 'regulator');
    every = codeExamples(new Date());
    for (const [n, { event, kind }] of every.entries()) {
      const { data } = event;
      data['identity'] = identityOf(kind, 100 + n);
      if (data['accounts']) data['accounts'][0].accountId = `live-${n}`;
      // The strongest proof that there is: what closes nothing now, closes never.
      data['proof'] = {
        ...data['proof'],
        standard: 'judgment',
        ordersStop: true,
        decisionNo: `(2020)虚0101刑初${n + 1}号`,
      };
    }
    await ledger.submit(
      'platform-b',
      every.map(({ kind }, n) => reported('platform-b', `b-${n}`, identityOf(kind, 100 + n))),
    );
    for (const memberId of ['platform-a', 'regulator-beijing']) {
      const role = memberId === 'platform-a' ? 'platform' : 'regulator';
      const own = every.filter((each) => each.memberId === memberId);
      const receipts = await ledger.submit(
        memberId,
        own.map(({ event }) => event),
        role,
      );
      refused.push(...receipts.flatMap(({ problem }) => problem ?? []));
    }
    notices = await ledger.notices('platform-b');
  });
  afterAll(() => ledger.stop());

  const decisions = async (): Promise<Record<string, any>[]> => {
    const { rows } = await ledger.pool.query<{ source: string; entry: string }>(
      'select source, entry from log.entry where type = $1 order by position',
      [SUBMITTED_TYPES.noticeDisposed],
    );
    return rows.map(({ source, entry }) => ({ source, ...JSON.parse(entry).data }));
  };

  test('P01: over all codes and kinds the notice lets a policy close only organizations on closable codes', () => {
    expect(refused).toEqual([]);
    const told = (code: string): NoticeIssued[] => notices.filter((notice) => notice.reason.code === code);
    const silent = every.filter(
      ({ reason, kind }) => kind === 'organization' && reason.tier > 0 && told(reason.code).length === 0,
    );
    expect(silent.map(({ reason }) => reason.code)).toEqual([]);
    for (const { reason, entity, action, autoClosable } of notices) {
      const may = reasonCodes().codes.get(reason.code)!.autoClosable && entity.kind === 'organization';
      expect([reason.code, entity.kind, action, autoClosable]).toEqual([reason.code, entity.kind, action, may]);
    }
    expect(notices.filter(({ autoClosable }) => autoClosable).length).toBe(6);
  });

  test('P01: tier 3 only asks to look or to protect a victim, tier 0 is not sent', () => {
    for (const { action } of notices.filter((notice) => notice.tier === 3))
      expect(['check', 'protect']).toContain(action);
    expect(notices.filter(({ tier }) => tier === 0 || tier > 3)).toEqual([]);
    expect(notices.filter(({ reason }) => reason.code === 'K01')).toEqual([]);
  });

  test('P01: over all codes and kinds the ledger never decides: closed is there only once the subscriber itself says so', async () => {
    expect(await decisions()).toEqual([]);
    const closing = notices.filter(({ action }) => action === 'close');
    expect(closing.length).toBeGreaterThan(50);
    const { noticeId, shops } = closing.find(({ autoClosable }) => autoClosable)!;
    const closed = {
      noticeId,
      decision: 'closed',
      shops,
      decidedAt: new Date().toISOString(),
      decidedBy: 'policy-1',
      openOrders: 'kept',
    };
    // Another member's word about it is none.
    const [stranger] = await ledger.submit('platform-a', [
      submission('platform-a', SUBMITTED_TYPES.noticeDisposed, closed),
    ]);
    expect(stranger?.problem?.code).toBe('NOTICE_NOT_FOUND');
    expect(await decisions()).toEqual([]);
    await ledger.submit('platform-b', [submission('platform-b', SUBMITTED_TYPES.noticeDisposed, closed)]);
    expect(await decisions()).toEqual([{ source: 'urn:liandun:member:platform-b', ...closed }]);
  });

  test('P08: over all codes and kinds a closing that no person decided is taken only on an organization’s autoClosable notice', async () => {
    const closing = notices.filter(({ action }) => action === 'close');
    expect(new Set(closing.map(({ entity }) => entity.kind))).toEqual(
      new Set(['organization', 'soleProprietor', 'person']),
    );
    const before = (await decisions()).length;
    const receipts = await ledger.submit(
      'platform-b',
      closing.map(({ noticeId, shops }) =>
        submission('platform-b', SUBMITTED_TYPES.noticeDisposed, {
          noticeId,
          decision: 'closed',
          shops,
          decidedAt: new Date().toISOString(),
          decidedBy: 'policy-1',
          automated: true,
          openOrders: 'kept',
        }),
      ),
    );
    const may = closing.map(({ autoClosable, entity }) => autoClosable && entity.kind === 'organization');
    expect(receipts.map(({ status }) => status === 'accepted')).toEqual(may);
    const problems = receipts.flatMap(({ problem }) => problem?.errors ?? []);
    expect(problems.every(({ code }) => code === 'CLOSED_WITHOUT_PERSON')).toBe(true);
    expect(new Set(problems.map(({ pointer }) => pointer))).toEqual(new Set(['/data/automated']));
    expect((await decisions()).length - before).toBe(may.filter(Boolean).length);
  });
});
