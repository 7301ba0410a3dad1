import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  makeRegistrationNumber,
  reasonCodes,
  SUBMITTED_TYPES,
  type EntityMerged,
  type EntitySplit,
  type Link,
  type Receipt,
} from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { auditEvents, coverage, identityLinksProjection, ledgerProjection } from '@liandun/views';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import {
  caseOf,
  delisted,
  ending,
  organization,
  person,
  reported,
  shopOf,
  submission,
} from '../../../test/support/submissions.js';

let ledger: TestLedger;
let serial = drawn(1_000, 100_000);
let merchant = '';

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of ['platform-a', 'platform-b', 'platform-c']) await ledger.admit(member);
  await ledger.admit('regulator-x', 'regulator');
});
afterAll(() => ledger.stop());
beforeEach(() => {
  serial += 1;
  merchant = `m-${randomUUID()}`;
});

const accepted = (receipts: Receipt[]): Receipt[] => {
  expect(receipts.map(({ status, problem }) => problem ?? status)).toEqual(
    receipts.map(() => expect.stringMatching(/accepted|held/)),
  );
  return receipts;
};
const listingOf = (receipt: Receipt | undefined): string =>
  `L${receipt?.position}-${Buffer.from(receipt?.leafHash ?? '', 'base64').toString('hex', 0, 6)}`;

/** What a member was told of one listing. */
async function told(member: string, listingId: string): Promise<string[]> {
  const notices = await ledger.notices(member);
  return notices.filter((notice) => notice.listingId === listingId).map(({ action }) => action);
}

async function report(member: string, identity: object, id = merchant, more: object = {}): Promise<void> {
  accepted(await ledger.submit(member, [reported(member, id, identity, more)]));
}
async function delist(member: string, identity: object, more: Record<string, unknown> = {}): Promise<string> {
  const [receipt] = accepted(await ledger.submit(member, [delisted(member, merchant, identity, more)]));
  return listingOf(receipt);
}

describe('one delisting, all shops closed', () => {
  test('hosts close, other platforms restrict admission, the sender and regulators hear nothing', async () => {
    await report('platform-b', organization(serial));
    const listing = await delist('platform-a', organization(serial));
    expect(await told('platform-b', listing)).toEqual(['close']);
    expect(await told('platform-c', listing)).toEqual(['restrictAdmission']);
    expect(await told('platform-a', listing)).toEqual([]);
    expect(await ledger.notices('regulator-x')).toEqual([]);
  });

  test('a notice shows the receiver only its own accounts and shops, and never who reported it', async () => {
    await report('platform-b', organization(serial), merchant, { shops: [shopOf('b1'), shopOf('b2')] });
    await report('platform-c', organization(serial), 'c-account');
    const listing = await delist('platform-a', organization(serial));
    const notice = (await ledger.notices('platform-b')).find(({ listingId }) => listingId === listing);
    expect(notice?.shops.map(({ shopId }) => shopId)).toEqual(['b1', 'b2']);
    expect(notice?.merchantIds).toEqual([merchant]);
    expect(JSON.stringify(notice)).not.toMatch(/platform-[ac]|c-account/);
  });

  test('persons: hosts are told with a masked name, others nothing', async () => {
    await report('platform-b', person(serial % 900));
    const listing = await delist('platform-a', person(serial % 900));
    expect(await told('platform-b', listing)).toEqual(['close']);
    expect(await told('platform-c', listing)).toEqual([]);
    const notice = (await ledger.notices('platform-b')).find(({ listingId }) => listingId === listing);
    expect(notice?.entity).toMatchObject({ kind: 'person', name: '虚**' });
    expect(notice?.entity.uscc).toBeUndefined();
  });

  test('a merchant reported after the listing gets its platform the notice then, and a later shop again', async () => {
    const listing = await delist('platform-a', organization(serial));
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission']);
    await report('platform-b', organization(serial));
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission', 'close']);
    await report('platform-b', organization(serial));
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission', 'close']);
    await report('platform-b', organization(serial), merchant, { shops: [shopOf('late')] });
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission', 'close', 'close']);
  });

  test('an equal 15-digit number under another name makes a possible match: check, never close', async () => {
    const shared = { registrationNumber: makeRegistrationNumber('990101', serial) };
    const teaHouse = { kind: 'organization', name: '望江亭茶庄', ...shared };
    await report('platform-b', teaHouse, merchant, { shops: [shopOf('tea')] });
    const listing = await delist('platform-a', organization(serial + 500_000, shared));
    expect(await told('platform-b', listing)).toEqual(['check']);
    const notice = (await ledger.notices('platform-b')).find(({ listingId }) => listingId === listing);
    expect(notice?.match).toEqual({ grade: 'possible', because: ['registrationNumber'] });
    expect(notice?.autoClosable).toBe(false);
  });

  test('firms with credit codes of their own are never taken for one, whatever they share', async () => {
    const shared = {
      name: '虚构双子商贸有限公司',
      bankAccounts: [`62220000${String(serial).padStart(8, '0')}`],
      phones: ['13900010001'],
    };
    await report('platform-b', organization(serial, shared));
    const listing = await delist('platform-a', organization(serial + 500_000, shared));
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission']);
  });

  test('an account that turns out to be another merchant is corrected', async () => {
    await report('platform-b', organization(serial));
    const listing = await delist('platform-a', organization(serial));
    await report('platform-b', organization(serial + 600_000));
    // It doesn't host the listed merchant, and hears what such a platform hears.
    expect(await told('platform-b', listing)).toEqual(['close', 'correct', 'restrictAdmission']);
  });
});

describe('entities that turn out to be one, or several', () => {
  /** The ledger's own decision about entities, as the reconcile reader appends it. */
  type Decided = Omit<EntityMerged, 'matcher' | 'cause'> | Omit<EntitySplit, 'matcher' | 'cause'>;
  const regroup = async (type: string, data: Decided): Promise<void> => {
    const id = randomUUID();
    await ledger.log.append({
      events: [
        {
          id,
          source: LEDGER_SOURCE,
          type,
          time: new Date().toISOString(),
          stream: `entity/${data.entityId}`,
          data: { ...data, matcher: 'test', cause: 0 },
          fingerprint: createHash('sha256').update(id).digest(),
        },
      ],
    });
    await ledger.settled();
  };
  interface Observed {
    position: number;
    entityId: string;
  }
  const observed = async (member: string, raw: object): Promise<Observed> => {
    const [receipt] = accepted(await ledger.submit(member, [raw]));
    const { rows } = await ledger.pool.query('select entity_id from view.observation where position = $1', [
      receipt?.position,
    ]);
    return { position: receipt?.position ?? -1, entityId: rows[0].entity_id };
  };
  const link = (of: Observed, to: Observed, because: Link['because'] = [], sameAs = of.position): Link => ({
    observation: of.position,
    entityId: to.entityId,
    because,
    sameAs,
    strongAs: to.position,
  });
  const byPhone: Link['because'] = [{ field: 'phone', grade: 'strong' }];
  const merge = (older: Observed, younger: Observed, because = byPhone): Promise<void> =>
    regroup(EVENT_TYPES.entityMerged, {
      entityId: older.entityId,
      retired: [younger.entityId],
      links: [link(younger, older, because)],
    });
  const split = (older: Observed, younger: Observed): Promise<void> =>
    regroup(EVENT_TYPES.entitySplit, {
      entityId: older.entityId,
      into: [younger.entityId],
      links: [link(younger, younger)],
    });
  const unidentified = (name: string): object => ({ kind: 'organization', name });

  test('a merge closes at whom it shows to host the merchant; a split corrects exactly those', async () => {
    const hosted = await observed('platform-b', reported('platform-b', merchant, unidentified('虚构·云栖贸易')));
    const stays = await observed('platform-c', reported('platform-c', merchant, organization(serial)));
    const { position, entityId } = await observed('platform-a', delisted('platform-a', merchant, organization(serial)));
    expect(entityId).toBe(stays.entityId);
    const { rows } = await ledger.pool.query('select listing_id from view.listing where position = $1', [position]);
    const listing = rows[0].listing_id as string;
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission']);
    expect(await told('platform-c', listing)).toEqual(['close']);

    await regroup(EVENT_TYPES.entityMerged, {
      entityId: hosted.entityId,
      retired: [stays.entityId],
      links: [link(stays, hosted, byPhone), link({ position, entityId }, hosted, byPhone, stays.position)],
    });
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission', 'close']);
    expect(await told('platform-c', listing)).toEqual(['close']);
    const close = (await ledger.notices('platform-b')).findLast((notice) => notice.listingId === listing);
    expect(close?.match).toEqual({ grade: 'strong', because: ['phone'] });
    expect(close?.autoClosable).toBe(false);

    await regroup(EVENT_TYPES.entitySplit, {
      entityId: hosted.entityId,
      into: [stays.entityId],
      links: [link(stays, stays), link({ position, entityId }, stays, [], stays.position)],
    });
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission', 'close', 'correct', 'restrictAdmission']);
    expect(await told('platform-c', listing)).toEqual(['close']);
    const correction = (await ledger.notices('platform-b')).findLast(
      (notice) => notice.listingId === listing && notice.action === 'correct',
    );
    expect(correction).toMatchObject({ merchantIds: [merchant], stillListed: false });
  });

  test('whoever restricted admission by a credit code that is not the listed merchant’s is told to lift it', async () => {
    const named = await observed('platform-c', reported('platform-c', merchant, organization(serial)));
    const { position, entityId } = await observed(
      'platform-a',
      delisted('platform-a', `${merchant}-2`, unidentified('虚构·云栖商行')),
    );
    const { rows } = await ledger.pool.query('select listing_id from view.listing where position = $1', [position]);
    const listing = rows[0].listing_id as string;
    expect(await told('platform-b', listing)).toEqual([]);

    await merge(named, { position, entityId });
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission']);
    expect(await told('platform-c', listing)).toEqual(['close']);
    await split(named, { position, entityId });
    expect(await told('platform-b', listing)).toEqual(['restrictAdmission', 'lift']);
    expect(await told('platform-c', listing)).toEqual(['close', 'correct']);
    const lift = (await ledger.notices('platform-b')).findLast((notice) => notice.listingId === listing);
    expect(lift?.entity.uscc).toBe((organization(serial) as { uscc: string }).uscc);
  });

  test('a listing that ends after the split is not ended again for whom it never concerned', async () => {
    const hosted = await observed('platform-b', reported('platform-b', merchant, unidentified('虚构·望江商行')));
    const { position, entityId } = await observed(
      'platform-a',
      delisted('platform-a', `${merchant}-3`, unidentified('虚构·望江贸易')),
    );
    const { rows } = await ledger.pool.query('select listing_id from view.listing where position = $1', [position]);
    const listing = rows[0].listing_id as string;
    await merge(hosted, { position, entityId });
    expect(await told('platform-b', listing)).toEqual(['close']);
    await split(hosted, { position, entityId });
    accepted(
      await ledger.submit('platform-a', [
        submission('platform-a', SUBMITTED_TYPES.merchantReinstated, {
          merchantId: `${merchant}-3`,
          cause: 'wrongFinding',
          decidedAt: new Date().toISOString(),
          decidedBy: 'reviewer-07',
        }),
      ]),
    );
    expect(await told('platform-b', listing)).toEqual(['close', 'correct']);
  });
});

describe('what a notice says of its match', () => {
  const noticeOf = async (member: string, listingId: string, action?: string) =>
    (await ledger.notices(member)).findLast(
      (notice) => notice.listingId === listingId && (action === undefined || notice.action === action),
    );
  const official = { standard: 'administrativeDecision', decisionNo: '示例罚〔2026〕7号', ordersStop: true };
  const proof = { ...(caseOf() as { proof: object }).proof, ...official };

  test('more that agrees never makes it less sure, and the reasons are there whoever was first', async () => {
    const all = organization(serial, {
      registrationNumber: makeRegistrationNumber('990101', serial),
      bankAccounts: [`62220001${String(serial).padStart(8, '0')}`],
    });
    await report('platform-b', all);
    const listing = await delist('platform-a', all, { code: 'C02', proof, emergency: undefined });
    const notice = await noticeOf('platform-b', listing);
    expect(notice?.match.grade).toBe('exact');
    expect(notice?.match.because).toContain('uscc');
    expect(notice?.autoClosable).toBe(true);
  });

  test('P01: an official standard without the decision itself does not let a policy close', async () => {
    await report('platform-b', organization(serial));
    const { decisionNo: _, ...without } = proof;
    const listing = await delist('platform-a', organization(serial), {
      code: 'A11',
      proof: without,
      emergency: undefined,
    });
    expect((await noticeOf('platform-b', listing))?.autoClosable).toBe(false);
  });

  test('an organization that nobody could recognise is told to its hosts only', async () => {
    const listing = await delist('platform-a', { kind: 'organization', name: `虚构无证公司${serial}` });
    expect(await told('platform-b', listing)).toEqual([]);
  });

  test('a term counts from acceptance, however old the decision is', async () => {
    await report('platform-b', organization(serial));
    const listing = await delist('platform-a', organization(serial), { decidedAt: '2020-02-10T08:00:00+08:00' });
    expect(await told('platform-b', listing)).toEqual(['close']);
  });

  test('a correction says what covers the merchant that the account is, and takes its shops along', async () => {
    await report('platform-b', organization(serial));
    const first = await delist('platform-a', organization(serial));
    const second = await delist('platform-c', organization(serial));
    await report('platform-b', organization(serial + 800_000), merchant, { shops: [shopOf('other')] });
    for (const listing of [first, second]) {
      const notice = await noticeOf('platform-b', listing, 'correct');
      expect(notice).toMatchObject({ stillListed: false });
      expect(notice?.shops.map(({ shopId }) => shopId)).toEqual([`${merchant}-s1`]);
    }
    accepted(
      await ledger.submit('platform-a', [
        ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { merchantId: merchant, cause: 'cured' }),
      ]),
    );
    expect(await noticeOf('platform-b', first)).toMatchObject({ action: 'lift', shops: [] });
  });

  test('a possible match that turns out to be somebody else is corrected too', async () => {
    const registrationNumber = makeRegistrationNumber('990101', serial);
    const teaHouse = { kind: 'organization', name: '望江亭茶庄', registrationNumber };
    await report('platform-b', teaHouse, merchant, { shops: [shopOf('tea')] });
    const listing = await delist('platform-a', organization(serial, { registrationNumber }));
    expect(await told('platform-b', listing)).toEqual(['check']);
    await report('platform-b', organization(serial + 900_000));
    expect(await told('platform-b', listing)).toEqual(['check', 'correct', 'restrictAdmission']);
  });

  test('two listings in one batch know of each other', async () => {
    await report('platform-b', organization(serial));
    const [one, two] = accepted(
      await ledger.submit('platform-a', [
        delisted('platform-a', merchant, organization(serial)),
        delisted('platform-a', `${merchant}-2`, organization(serial)),
      ]),
    );
    expect((await noticeOf('platform-b', listingOf(one)))?.stillListed).toBe(false);
    expect((await noticeOf('platform-b', listingOf(two)))?.stillListed).toBe(true);
  });
});

describe('held until heard (P06)', () => {
  test('tier 2 without a hearing is held; the hearing releases it', async () => {
    await report('platform-b', organization(serial));
    const id = randomUUID();
    const receipts = await ledger.submit('platform-a', [
      delisted('platform-a', merchant, organization(serial), { id, code: 'E01' }),
    ]);
    expect(receipts[0]?.status).toBe('held');
    const listing = listingOf(receipts[0]);
    expect(await told('platform-b', listing)).toEqual([]);
    const now = Date.now();
    const hearing = {
      notifiedAt: new Date(now - 4 * 86_400_000).toISOString(),
      endedAt: new Date(now - 60_000).toISOString(),
      answer: 'considered',
    };
    accepted(
      await ledger.submit('platform-a', [submission('platform-a', SUBMITTED_TYPES.caseHeard, { caseId: id, hearing })]),
    );
    expect(await told('platform-b', listing)).toEqual(['close']);
  });

  test('an answer that convinced means that nobody is told', async () => {
    await report('platform-b', organization(serial));
    const id = randomUUID();
    const [receipt] = await ledger.submit('platform-a', [
      delisted('platform-a', merchant, organization(serial), { id, code: 'E01' }),
    ]);
    const hearing = {
      notifiedAt: new Date(Date.now() - 86_400_000).toISOString(),
      endedAt: new Date(Date.now() - 60_000).toISOString(),
      answer: 'considered',
    };
    accepted(
      await ledger.submit('platform-a', [
        submission('platform-a', SUBMITTED_TYPES.caseHeard, { caseId: id, hearing, cause: 'appealUpheld' }),
      ]),
    );
    expect(await told('platform-b', listingOf(receipt))).toEqual([]);
    expect(await told('platform-c', listingOf(receipt))).toEqual([]);
  });
});

describe('the way back', () => {
  test('a reinstatement reopens where the merchant is hosted and lifts elsewhere; a second is refused', async () => {
    await report('platform-b', organization(serial));
    const id = randomUUID();
    const listing = await delist('platform-a', organization(serial), { id });
    const back = () =>
      ledger.submit('platform-a', [
        ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: id, cause: 'wrongIdentity' }),
      ]);
    accepted(await back());
    expect(await told('platform-b', listing)).toEqual(['close', 'reopen']);
    expect(await told('platform-c', listing)).toEqual(['restrictAdmission', 'lift']);
    expect((await back())[0]?.problem?.code).toBe('DELISTING_NOT_FOUND');
  });

  test('two listings on one merchant: the first ending says that the other still covers it', async () => {
    await report('platform-b', organization(serial));
    const first = await delist('platform-a', organization(serial));
    const second = await delist('platform-c', organization(serial));
    accepted(
      await ledger.submit('platform-a', [
        ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { merchantId: merchant, cause: 'cured' }),
      ]),
    );
    const notices = await ledger.notices('platform-b');
    const reopen = notices.find(({ listingId, action }) => listingId === first && action === 'reopen');
    expect(reopen?.stillListed).toBe(true);
    accepted(
      await ledger.submit(
        'regulator-x',
        [ending('regulator-x', SUBMITTED_TYPES.listingEnded, { listingId: second, cause: 'annulled' })],
        'regulator',
      ),
    );
    const last = (await ledger.notices('platform-b')).find(
      ({ listingId, action }) => listingId === second && action === 'reopen',
    );
    expect(last?.stillListed).toBe(false);
  });

  test('official lists: registryStatus to hosts only, ended at once on removal', async () => {
    await report('platform-b', organization(serial));
    const decidedAt = new Date(Date.now() - 60_000).toISOString();
    const [receipt] = accepted(
      await ledger.submit(
        'regulator-x',
        [
          submission('regulator-x', SUBMITTED_TYPES.registryListed, {
            list: 'abnormalOperation',
            identity: organization(serial),
            decisionNo: `示例异〔2026〕${serial}号`,
            decidedBy: 'officer-1',
            decidedAt,
          }),
        ],
        'regulator',
      ),
    );
    const listing = listingOf(receipt);
    expect(await told('platform-b', listing)).toEqual(['registryStatus']);
    expect(await told('platform-c', listing)).toEqual([]);
    accepted(
      await ledger.submit(
        'regulator-x',
        [
          submission('regulator-x', SUBMITTED_TYPES.registryRemoved, {
            list: 'abnormalOperation',
            identity: organization(serial),
            decidedAt,
          }),
        ],
        'regulator',
      ),
    );
    expect(await told('platform-b', listing)).toEqual(['registryStatus', 'reopen']);
  });
});

describe('members that come and go', () => {
  test('joining gives what stands of organizations, a suspended member nothing, coming back the current state', async () => {
    const company = await delist('platform-a', organization(serial));
    const someone = await delist('platform-a', person(serial % 900));
    const late = `platform-${serial}`;
    await ledger.admit(late);
    await ledger.settled();
    expect(await told(late, company)).toEqual(['restrictAdmission']);
    expect(await told(late, someone)).toEqual([]);

    await ledger.membership(EVENT_TYPES.memberSuspended, { memberId: late });
    merchant = `m-${randomUUID()}`;
    const missed = await delist('platform-a', organization(serial + 700_000));
    const endedMeanwhile = ending('regulator-x', SUBMITTED_TYPES.listingEnded, {
      listingId: company,
      cause: 'judgment',
    });
    accepted(await ledger.submit('regulator-x', [endedMeanwhile], 'regulator'));
    expect(await told(late, missed)).toEqual([]);
    expect(await told(late, company)).toEqual(['restrictAdmission']);

    await ledger.membership(EVENT_TYPES.memberResumed, { memberId: late });
    await ledger.settled();
    expect(await told(late, missed)).toEqual(['restrictAdmission']);
    expect(await told(late, company)).toEqual(['restrictAdmission', 'lift']);
  });
});

test.each([...reasonCodes().codes.values()].filter(({ tier }) => tier > 0).map((code) => [code.code, code] as const))(
  'reason %s goes through the table of notices',
  async (_name, code) => {
    if (code.code === 'X01') return;
    const kind = code.subjectKinds.includes('organization') ? organization(serial) : person(serial % 900);
    const register = code.proofFloor === 'registerPush';
    await report('platform-b', kind);
    const standard = code.proofFloor === 'judgment' ? 'judgment' : 'administrativeDecision';
    const proof = {
      ...(caseOf() as { proof: object }).proof,
      standard: register ? 'registerPush' : standard,
      decisionNo: `示例罚〔2026〕${serial}号`,
    };
    const emergency = ['F04', 'C06'].includes(code.code) ? {} : { emergency: undefined };
    const more = {
      code: code.code,
      proof,
      urgency: 'danger',
      ...emergency,
      ...(code.code === 'B06' ? { itemRule: '示例规定第1条' } : {}),
    };
    const clean = JSON.parse(JSON.stringify(more)) as Record<string, unknown>;
    const listing = await delist('platform-a', kind, clean);
    const expected = code.code === 'V01' ? 'protect' : code.tier === 3 ? 'check' : 'close';
    expect(await told('platform-b', listing)).toEqual([expected]);
  },
);

test('coverage counts who was told and what they did', async () => {
  await report('platform-b', organization(serial));
  await report('platform-c', organization(serial));
  const listing = await delist('platform-a', organization(serial));
  const notices = await ledger.notices('platform-b');
  const notice = notices.find(({ listingId }) => listingId === listing);
  accepted(
    await ledger.submit('platform-b', [
      ending('platform-b', SUBMITTED_TYPES.noticeDisposed, {
        noticeId: notice?.noticeId,
        decision: 'closed',
        shops: notice?.shops,
        openOrders: 'kept',
      }),
    ]),
  );
  const report2 = await coverage(ledger.pool, listing);
  expect(report2).toMatchObject({ hosts: 2, closed: 1, declined: 0, instancesTold: 2, instancesClosed: 1 });
  expect(report2?.silent).toBe((report2?.told ?? 0) - 1);
  expect(report2?.medianMsToClose).toBeGreaterThanOrEqual(0);
});

test('the audit finds everything about an entity, also what names only a listing or a notice', async () => {
  await report('platform-b', organization(serial));
  const id = randomUUID();
  const listing = await delist('platform-a', organization(serial), { id });
  const notice = (await ledger.notices('platform-b')).find(({ listingId }) => listingId === listing);
  accepted(
    await ledger.submit('platform-b', [
      ending('platform-b', SUBMITTED_TYPES.noticeDisposed, {
        noticeId: notice?.noticeId,
        decision: 'closed',
        shops: notice?.shops,
        openOrders: 'kept',
      }),
    ]),
  );
  accepted(
    await ledger.submit('platform-a', [
      ending('platform-a', SUBMITTED_TYPES.merchantReinstated, { delistingId: id, cause: 'wrongIdentity' }),
    ]),
  );
  const entityId = notice?.entity.entityId ?? '';
  const { items } = await auditEvents(ledger.pool, { entityId, after: -1, limit: 100 });
  const types = new Set(items.map(({ entry }) => (entry as { type: string }).type));
  expect(types).toEqual(
    new Set([
      EVENT_TYPES.merchantReported,
      EVENT_TYPES.merchantDelisted,
      EVENT_TYPES.entityLinked,
      EVENT_TYPES.noticeIssued,
      EVENT_TYPES.noticeDisposed,
      EVENT_TYPES.merchantReinstated,
    ]),
  );
});

test('a rebuild from the log gives every table as it was, byte for byte (I5)', async () => {
  await ledger.settled();
  const owner = new pg.Pool({ connectionString: ledger.url, max: 2, ...({ pipeline: true } as object) });
  const dump = async (): Promise<Record<string, unknown[]>> => {
    const { rows } = await owner.query<{ name: string }>(
      `select table_schema || '.' || table_name as name from information_schema.tables
       where table_schema in ('view', 'identity') order by 1`,
    );
    const tables: Record<string, unknown[]> = {};
    for (const { name } of rows) tables[name] = (await owner.query(`select t::text from ${name} t order by 1`)).rows;
    return tables;
  };
  const live = await dump();
  expect(Object.keys(live).length).toBeGreaterThan(9);
  expect(live['view.notice']?.length).toBeGreaterThan(50);
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
  await rebuildProjection(owner, identityLinksProjection, { reader: 'reconcile' });
  expect(await dump()).toEqual(live);
  await owner.end();
  await report('platform-b', organization(serial));
  expect(await told('platform-b', await delist('platform-a', organization(serial)))).toEqual(['close']);
});
