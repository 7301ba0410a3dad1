import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  makeRegistrationNumber,
  makeResidentId,
  makeUscc,
  SUBJECT_KINDS,
  type Identity,
  type ScreeningMatched,
} from '@liandun/contracts';
import { DatabaseClock } from '@liandun/intake';
import { purgeInquiries } from '@liandun/matching';
import { randomUUID } from 'node:crypto';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, ending, reported } from '../../../test/support/submissions.js';
import { LedgerWriter } from './ledger-writer.js';
import { Door } from './pools.js';
import { Screenings, type Screening } from './screenings.js';

const [LISTER, ASKER, OTHER] = ['screen-a', 'screen-b', 'screen-c'] as const;
const ADDRESS = '示例省虚构市样例区联盾路88号3幢1201室';
const PHONE = '13958017436';
const EMAIL = 'contact@xugou-hailan.example';
const REGISTRATION = makeRegistrationNumber('990101', 4711);

/** The listed firm, as its platform knew it. */
const LISTED = {
  kind: 'organization',
  name: '虚构市海岚霁月服饰有限公司',
  uscc: makeUscc('990101', 4242),
  registrationNumber: REGISTRATION,
  phones: [PHONE],
  emails: [EMAIL],
  address: ADDRESS,
} as unknown as Identity;
const PERSON = {
  kind: 'person',
  name: '欧阳虚构',
  residentId: makeResidentId('990101', '19880808', 88),
  phones: ['13898765432'],
  emails: ['ouyang@xugou.example'],
} as unknown as Identity;

let ledger: TestLedger;
let screenings: Screenings;

const ask = (identity: object, member: string = ASKER): Promise<Screening> =>
  screenings.screen(member, identity as Identity, 'onboarding', [...SUBJECT_KINDS]);

const alerts = async (member: string): Promise<ScreeningMatched[]> => {
  await ledger.settled();
  return (await ledger.log.readStream(`matched/${member}`, { limit: 100 })).map(({ data }) => data as ScreeningMatched);
};

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [LISTER, ASKER, OTHER]) await ledger.admit(member);
  const writer = new LedgerWriter(ledger.log, ledger.vault, new DatabaseClock(ledger.pool));
  screenings = new Screenings(new Door(ledger.pool), ledger.vault, writer);
  const receipts = await ledger.submit(LISTER, [
    delisted(LISTER, 'listed-1', LISTED),
    delisted(LISTER, 'listed-2', PERSON),
  ]);
  if (receipts.some(({ status }) => status !== 'accepted')) throw new Error(JSON.stringify(receipts));
});
afterAll(async () => {
  await ledger?.stop();
});

describe('what an applicant is answered', () => {
  const { name, uscc } = LISTED as unknown as { name: string; uscc: string };
  const firm = { kind: 'organization', name };
  const {
    name: personName,
    residentId,
    phones,
    emails,
  } = PERSON as unknown as {
    name: string;
    residentId: string;
    phones: string[];
    emails: string[];
  };
  const someone = { kind: 'person', name: personName };

  test.each<[string, object, Screening['result'], string | undefined]>([
    ['the credit code and the name', { ...firm, uscc }, 'listed', 'exact'],
    ['the registration number and the name', { ...firm, registrationNumber: REGISTRATION }, 'listed', 'exact'],
    ['two strong ones and the name', { ...firm, phones: [PHONE], emails: [EMAIL] }, 'listed', 'strong'],
    ['one strong one and the name', { ...firm, phones: [PHONE] }, 'possible', 'possible'],
    [
      'the credit code of another name',
      { kind: 'organization', name: '样例省青禾重型机械厂', uscc },
      'possible',
      'possible',
    ],
    [
      'another valid credit code',
      { ...firm, uscc: makeUscc('990101', 9), phones: [PHONE], emails: [EMAIL] },
      'clear',
      undefined,
    ],
    ['nothing in common', { kind: 'organization', name: '样例省青禾重型机械厂' }, 'clear', undefined],
    ['the resident number', { ...someone, residentId }, 'listed', 'exact'],
    ['two strong ones of a person', { ...someone, phones, emails }, 'listed', 'strong'],
    [
      'another resident number',
      { ...someone, residentId: makeResidentId('990101', '19770707', 7), phones, emails },
      'clear',
      undefined,
    ],
    ['the operator of a shop', { kind: 'soleProprietor', name: '虚构小吃店', residentId }, 'possible', 'possible'],
  ])('%s', async (_what, identity, result, grade) => {
    const screening = await ask(identity);
    expect([screening.result, screening.matches[0]?.grade]).toEqual([result, grade]);
  });

  test.each<[string, object]>([
    ['a name', firm],
    ['a phone', { kind: 'organization', name: '样例省青禾重型机械厂', phones: [PHONE] }],
    ['an address', { kind: 'organization', name: '样例省青禾重型机械厂', address: ADDRESS }],
    ["a person's name", someone],
    ["a person's phone", { kind: 'person', name: '司马样例', phones }],
    ["a person's name and phone", { ...someone, phones }],
    ['a name and an address', { ...firm, address: ADDRESS }],
  ])('P14: %s alone never lists', async (_what, identity) => {
    expect((await ask(identity)).result).not.toBe('listed');
  });

  test('each field has its grade, with what the ledger holds of it, masked, and the reason of the listing', async () => {
    const { matches } = await ask({ ...firm, uscc, phones: [PHONE] });
    expect(matches).toEqual([
      {
        listingId: expect.stringMatching(/^L\d+-/),
        code: 'F04',
        reason: {
          code: 'F04',
          labelZh: expect.any(String),
          labelEn: expect.any(String),
          legalBasis: expect.any(Array),
        },
        tier: 1,
        grade: 'exact',
        fields: { uscc: 'exact', phone: 'strong', name: 'possible' },
        because: expect.arrayContaining([{ field: 'uscc', en: expect.any(String), zh: '统一社会信用代码：相同' }]),
        values: { uscc, name, phone: expect.stringMatching(/^\+86\*+36$/) },
        effectiveAt: expect.stringMatching(/\+08:00$/),
        expiresAt: expect.stringMatching(/\+08:00$/),
      },
    ]);
    const ofPerson = await ask({ ...someone, residentId, phones });
    expect(JSON.stringify(ofPerson)).not.toContain(residentId);
    expect(JSON.stringify(ofPerson)).not.toContain(personName);
    expect(ofPerson.matches[0]?.values).toMatchObject({ name: '欧**' });
  });

  test('is asked of the database by the same statements, whether anything is found or nothing is', async () => {
    const asked = async (identity: object): Promise<string[]> => {
      const seen: string[] = [];
      const pool = Object.assign(Object.create(ledger.pool) as typeof ledger.pool, {
        query: (...args: Parameters<typeof ledger.pool.query>) => {
          seen.push((args[0] as unknown as { text?: string }).text ?? args[0]);
          return ledger.pool.query(...args);
        },
      });
      const clock = new DatabaseClock(ledger.pool);
      const one = new Screenings(new Door(pool), ledger.vault, new LedgerWriter(ledger.log, ledger.vault, clock));
      await one.screen(ASKER, identity as Identity, 'onboarding', [...SUBJECT_KINDS]);
      return seen;
    };
    const hit = await asked({ ...firm, uscc });
    expect(hit.length).toBeGreaterThan(1);
    expect(await asked({ ...firm, name: '样例省青禾重型机械厂', uscc: makeUscc('990101', 31) })).toEqual(hit);
  });

  test('what stands of it in the database names nobody', async () => {
    await ask({ ...someone, residentId, phones });
    const { rows } = await ledger.pool.query<{ line: string }>(
      `select i::text as line from screening.inquiry i union all select k::text from screening.inquiry_key k`,
    );
    const text = rows.map(({ line }) => line).join('\n');
    for (const value of [residentId, personName, phones[0] as string, 'features'])
      for (const form of [value, Buffer.from(value).toString('hex')]) expect(text).not.toContain(form);
  });
});

describe('a match that a platform found to be somebody else', () => {
  const name = '样例省榆林晨曦家居用品有限公司';
  const phones = ['13711112222'];
  const applicant = { kind: 'organization', name, phones };

  test('is not shown to it again, also when the entity grows, until more speaks for it', async () => {
    const uscc = makeUscc('990101', 5151);
    await ledger.submit(LISTER, [delisted(LISTER, 'grown-1', { ...applicant, uscc })]);
    const first = await ask(applicant);
    expect(first.result).toBe('possible');
    const listingId = first.matches[0]?.listingId as string;
    const about = { screeningId: first.screeningId, listingId };
    const body = { decision: 'notSame', decidedBy: 'reviewer-3' } as const;
    await expect(screenings.decide(OTHER, about, body)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(screenings.decide(ASKER, { ...about, screeningId: randomUUID() }, body)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await screenings.decide(ASKER, about, body);
    expect((await ask(applicant)).result).toBe('clear');
    await ledger.submit(OTHER, [reported(OTHER, 'grown-2', { ...applicant, uscc })]);
    expect((await ask(applicant)).result).toBe('clear');
    expect((await ask(applicant, OTHER)).result).toBe('possible');
    expect((await ask({ ...applicant, uscc })).result).toBe('listed');
    expect((await alerts(ASKER)).filter((alert) => alert.listingId === listingId)).toEqual([]);
  });
});

describe('a listing that comes later', () => {
  const identity = (serial: number): object => ({
    kind: 'organization',
    name: `样例市砚池${'甲乙丙丁戊己'[serial]}文化传媒有限公司`,
    uscc: makeUscc('990101', 6000 + serial),
  });

  test('is told to who asked before, once, under the latest of its inquiries', async () => {
    await ask(identity(0));
    const { screeningId, result } = await ask(identity(0));
    expect(result).toBe('clear');
    const before = (await alerts(ASKER)).length;
    await ledger.submit(LISTER, [delisted(LISTER, 'later-1', identity(0))]);
    const told = await alerts(ASKER);
    expect(told.slice(before)).toEqual([
      expect.objectContaining({
        member: ASKER,
        no: before,
        screeningId,
        grade: 'exact',
        tier: 1,
        reason: expect.objectContaining({ code: 'F04' }),
      }),
    ]);
    await ledger.submit(OTHER, [reported(OTHER, 'later-2', identity(0))]);
    expect(await alerts(ASKER)).toHaveLength(told.length);
    expect(JSON.stringify(told)).not.toContain('砚池');
  });

  test('is told only to whom it may be told', async () => {
    await ask(identity(1), OTHER);
    await ask(identity(1), LISTER);
    const before = (await alerts(OTHER)).length;
    await ledger.membership('liandun.member.suspended.v1', { memberId: OTHER });
    await ledger.submit(LISTER, [delisted(LISTER, 'later-3', identity(1))]);
    expect(await alerts(OTHER)).toHaveLength(before);
    expect(await alerts(LISTER)).toEqual([]);
    await ledger.membership('liandun.member.resumed.v1', { memberId: OTHER });
  });

  test('is told when an observation that says more joins what stood already', async () => {
    await ledger.submit(LISTER, [delisted(LISTER, 'later-4', { ...identity(2), phones: ['13655556666'] })]);
    const applicant = {
      kind: 'organization',
      name: (identity(2) as { name: string }).name,
      emails: ['a@yanchi.example'],
    };
    const { result } = await ask(applicant);
    expect(result).not.toBe('listed');
    const before = (await alerts(ASKER)).length;
    await ledger.submit(OTHER, [
      reported(OTHER, 'later-5', { ...identity(2), phones: ['13655556666'], emails: ['a@yanchi.example'] }),
    ]);
    const told = (await alerts(ASKER)).slice(before);
    expect(told.length).toBeLessThanOrEqual(1);
    expect(told.every(({ grade }) => grade === 'possible')).toBe(true);
  });

  test('is not told once the inquiry is forgotten', async () => {
    await ask(identity(3));
    const before = (await alerts(ASKER)).length;
    await ledger.pool.query(
      `update screening.inquiry set expires_at = now() - interval '1 second' where screening_id =
         (select screening_id from screening.inquiry order by asked_at desc limit 1)`,
    );
    await ledger.submit(LISTER, [delisted(LISTER, 'later-6', identity(3))]);
    expect(await alerts(ASKER)).toHaveLength(before);
    expect(await purgeInquiries(ledger.pool)).toBe(1);
    const { rows } = await ledger.pool.query(
      'select from screening.inquiry_key k where not exists (select from screening.inquiry i where i.screening_id = k.screening_id)',
    );
    expect(rows).toEqual([]);
  });
});

test('a listing that ended is answered no more', async () => {
  const identity = { kind: 'organization', name: '样例市渡口七号食品有限公司', uscc: makeUscc('990101', 7001) };
  await ledger.submit(LISTER, [delisted(LISTER, 'ended-1', identity)]);
  expect((await ask(identity)).result).toBe('listed');
  await ledger.submit(LISTER, [
    ending(LISTER, 'liandun.merchant.reinstated.v1', { merchantId: 'ended-1', cause: 'wrongFinding' }),
  ]);
  expect((await ask(identity)).result).toBe('clear');
});
