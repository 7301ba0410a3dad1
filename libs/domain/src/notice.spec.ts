import { DISCLOSED_FIELDS, reasonCodes, SUBJECT_KINDS, type Agreement, type MatchGrade } from '@liandun/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deliveryOf } from './basis.js';
import { entitled, type Receiver, type Trigger } from './entitlement.js';
import type { Listing, ListingOrigin } from './listing.js';
import { mayCloseByItself } from './listing.js';
import { actionFor, decideEnded, decideListed, decideMoved, decideRenamed, type Hosting, type Told } from './notice.js';

const ORIGINS: ListingOrigin[] = ['delisting', 'riskEntity', 'registry'];
const GRADES: MatchGrade[] = ['exact', 'strong', 'possible'];

const listing = (changes: Partial<Listing> = {}): Listing =>
  ({
    listingId: 'L10-aaaaaaaaaaaa',
    origin: 'delisting',
    sourceMember: 'platform-a',
    position: 10,
    entityId: 'E3-bbbbbbbbbbbb',
    kind: 'organization',
    streamer: false,
    code: 'F04',
    tier: 1,
    identified: true,
    official: false,
    ordersStop: false,
    effectiveAt: '2020-02-01T00:00:00.000Z',
    expiresAt: '2023-02-01T00:00:00.000Z',
    status: 'published',
    ...changes,
  }) as Listing;

/** A basis for every field. */
const AGREEMENT: Agreement = {
  contractId: 'C-1',
  assessmentId: 'P-1',
  assessedUntil: '2022-01-01T00:00:00.000+08:00',
  bases: Object.fromEntries(DISCLOSED_FIELDS.map((field) => [field, { kind: 'article', ref: '电子商务法 第29条' }])),
};
const at = (position: number, acceptedAt = '2021-01-01T00:00:00.000Z'): Trigger => ({ position, acceptedAt });

const receiver = (changes: Partial<Receiver> = {}): Receiver => ({
  memberId: 'platform-b',
  role: 'platform',
  status: 'active',
  joinedPosition: 1,
  subscription: {},
  agreement: AGREEMENT,
  ...changes,
});

const hosting = (merchantId = 'm1', grade: MatchGrade = 'exact', shopIds = ['s1']): Hosting => ({
  memberId: 'platform-b',
  merchantId,
  shops: shopIds.map((shopId) => ({ shopId, name: 'shop', url: 'https://shop.example' })),
  grade,
  because: ['uscc'],
});

const told = (changes: Partial<Told> = {}): Told => ({
  memberId: 'platform-b',
  merchants: { m1: 'exact' },
  shopIds: ['s1'],
  because: ['uscc'],
  ended: false,
  ...changes,
});

const actions = (...args: Parameters<typeof decideListed>) => decideListed(...args).map((intent) => intent.action);

describe('the table of notices, design section 3', () => {
  const hosts = { hosts: true, grade: 'exact', riskEntities: false } as const;
  const stranger = { hosts: false, grade: 'exact', riskEntities: false } as const;
  const table: [string, Partial<Listing>, string | undefined, string | undefined][] = [
    ['delisting, tier 1', {}, 'close', 'restrictAdmission'],
    ['delisting, tier 2', { tier: 2, code: 'E01' }, 'close', 'restrictAdmission'],
    ['delisting of a person', { kind: 'person' }, 'close', undefined],
    ['delisting of a sole proprietor', { kind: 'soleProprietor' }, 'close', undefined],
    ['delisting of an organization whose USCC nobody knows', { identified: false }, 'close', undefined],
    ['tier 3', { tier: 3, code: 'E05' }, 'check', undefined],
    ['risk entity, organization', { origin: 'riskEntity', tier: 2, code: 'D01' }, 'close', undefined],
    ['risk entity, tier 3', { origin: 'riskEntity', tier: 3, code: 'E10' }, 'check', undefined],
    ['risk entity, person', { origin: 'riskEntity', kind: 'person' }, 'check', undefined],
    ['risk entity, streamer', { origin: 'riskEntity', streamer: true, code: 'H02' }, 'check', undefined],
    ['V01, a stolen licence', { code: 'V01', tier: 3 }, 'protect', undefined],
    ['registry list', { origin: 'registry', code: 'A03' }, 'registryStatus', undefined],
    [
      'K01, professional claimants',
      { origin: 'riskEntity', code: 'K01', tier: 0, kind: 'person' },
      undefined,
      undefined,
    ],
  ];
  test.each(table)('%s', (_name, changes, whereHosted, elsewhere) => {
    expect(actionFor(listing(changes), hosts)).toBe(whereHosted);
    expect(actionFor(listing(changes), stranger)).toBe(elsewhere);
  });

  test('a risk entity that the member does not host is sent by its agreement only', () => {
    const risk = listing({ origin: 'riskEntity', tier: 2, code: 'D01' });
    expect(actionFor(risk, { ...stranger, riskEntities: true })).toBe('restrictAdmission');
  });

  test.each([...reasonCodes().codes.values()].map((code) => [code.code, code] as const))(
    '%s: never close beyond tier 2, on a possible match, or of a person at risk',
    (_name, code) => {
      for (const origin of ORIGINS) {
        for (const kind of SUBJECT_KINDS) {
          for (const grade of GRADES) {
            for (const isHost of [true, false]) {
              const one = listing({ origin, kind, code: code.code, tier: code.tier });
              const action = actionFor(one, { hosts: isHost, grade, riskEntities: true });
              if (action === 'close') {
                expect([1, 2]).toContain(code.tier);
                expect(grade).not.toBe('possible');
                expect(origin).not.toBe('registry');
                expect(origin === 'riskEntity' && kind === 'person').toBe(false);
                expect(isHost).toBe(true);
              }
              if (code.tier === 0) expect(action).toBeUndefined();
              if (action === 'restrictAdmission') expect([kind, isHost]).toEqual(['organization', false]);
            }
          }
        }
      }
    },
  );
});

test.each([
  ['a code that allows it, an official decision, an organization', {}, true, true],
  ['a code that does not', {}, false, false],
  ['a finding of a platform', { official: false }, true, false],
  ['a sole proprietor', { kind: 'soleProprietor' }, true, false],
  ['P08: a streamer, whatever its kind', { streamer: true }, true, false],
  ['substandard drugs without an order to stop', { code: 'C02' }, true, false],
  ['substandard drugs with one', { code: 'C02', ordersStop: true }, true, true],
] as [string, Partial<Listing>, boolean, boolean][])(
  'closing by itself (P01): %s',
  (_name, changes, codeAllows, may) => {
    expect(mayCloseByItself(listing({ official: true, code: 'A11', ...changes }), codeAllows)).toBe(may);
  },
);

describe('entitled', () => {
  const cases: [string, Partial<Receiver>, Partial<Listing>, boolean, string | undefined][] = [
    ['a platform that joined before', {}, {}, false, undefined],
    ['a regulator', { role: 'regulator' }, {}, false, 'notAPlatform'],
    ['a suspended member', { status: 'suspended' }, {}, true, 'notActive'],
    ['a removed member', { status: 'removed' }, {}, true, 'notActive'],
    ['tier 0', {}, { tier: 0 }, true, 'regulatorsOnly'],
    ['its own listing', { memberId: 'platform-a' }, {}, true, 'ownListing'],
    ['a held case', {}, { status: 'held' }, true, 'notPublished'],
    ['a tier it did not subscribe to', { subscription: { tiers: [2] } }, {}, true, 'notSubscribed'],
    ['a code it did not subscribe to', { subscription: { codes: ['E01'] } }, {}, true, 'notSubscribed'],
    ['a kind it did not subscribe to', { subscription: { kinds: ['person'] } }, {}, true, 'notSubscribed'],
    ['an organization from before its joining', { joinedPosition: 11 }, {}, false, undefined],
    ['a person from before its joining', { joinedPosition: 11 }, { kind: 'person' }, false, 'beforeJoining'],
    ['the same person, whom it hosts', { joinedPosition: 11 }, { kind: 'person' }, true, undefined],
  ];
  test.each(cases)('%s', (_name, member, changes, hosts, because) => {
    expect(entitled(receiver(member), listing(changes), at(20), { hosts })).toEqual(
      because === undefined ? { granted: true } : { granted: false, because },
    );
  });

  test('nothing of a listing is granted at a position before it', () => {
    expect(entitled(receiver(), listing(), at(9), { hosts: true })).toEqual({
      granted: false,
      because: 'notPublished',
    });
  });
});

describe('one listing, one member', () => {
  test('sure accounts and possible ones are told apart: only the sure ones close', () => {
    expect(
      actions(listing(), receiver(), [hosting('m1'), hosting('m2', 'possible', ['s2'])], undefined, at(20)),
    ).toEqual(['close', 'check']);
  });

  test('what was told is not told again', () => {
    expect(actions(listing(), receiver(), [hosting()], told(), at(20))).toEqual([]);
    expect(actions(listing(), receiver(), [], told({ merchants: {}, shopIds: [] }), at(20))).toEqual([]);
  });

  test('a shop opened after the listing, another account, a surer match: told', () => {
    expect(actions(listing(), receiver(), [hosting('m1', 'exact', ['s1', 's9'])], told(), at(20))).toEqual(['close']);
    expect(actions(listing(), receiver(), [hosting(), hosting('m2')], told(), at(20))).toEqual(['close']);
    expect(actions(listing(), receiver(), [hosting()], told({ merchants: { m1: 'possible' } }), at(20))).toEqual([
      'close',
    ]);
    expect(actions(listing(), receiver(), [hosting()], told({ merchants: {}, shopIds: [] }), at(20))).toEqual([
      'close',
    ]);
  });

  test('an ending reopens where the merchant is hosted and lifts elsewhere, once', () => {
    const ended = (was: Told) => decideEnded(receiver(), was, [], listing(), at(20)).map((intent) => intent.action);
    expect(ended(told())).toEqual(['reopen']);
    expect(ended(told({ merchants: {} }))).toEqual(['lift']);
    expect(ended(told({ ended: true }))).toEqual([]);
    expect(decideEnded(receiver({ status: 'suspended' }), told(), [], listing(), at(20))).toEqual([]);
  });

  test('an account that is found to be another merchant is corrected where it was told of', () => {
    const moved = (merchantId: string) => decideMoved(receiver(), told(), { merchantId, shops: [] }, listing(), at(20));
    expect(moved('m1').map((intent) => intent.action)).toEqual(['correct']);
    expect(moved('m7')).toEqual([]);
  });

  test('no member is told anything that it is not entitled to (I7)', () => {
    const members = fc.record({
      memberId: fc.constantFrom('platform-a', 'platform-b'),
      role: fc.constantFrom('platform', 'regulator', 'admin'),
      status: fc.constantFrom('active', 'suspended', 'removed'),
      joinedPosition: fc.nat(30),
      agreement: fc.option(fc.constantFrom(AGREEMENT, { ...AGREEMENT, bases: {} }), { nil: undefined }),
      subscription: fc.record(
        { tiers: fc.subarray([1, 2, 3]), codes: fc.subarray(['F04', 'E01']), riskEntities: fc.boolean() },
        { requiredKeys: [] },
      ),
    }) as fc.Arbitrary<Receiver>;
    const listings = fc
      .record({
        origin: fc.constantFrom(...ORIGINS),
        kind: fc.constantFrom(...SUBJECT_KINDS),
        tier: fc.nat(3),
        code: fc.constantFrom('F04', 'E01', 'V01'),
        status: fc.constantFrom('held', 'published'),
      })
      .map((changes) => listing(changes as Partial<Listing>));
    fc.assert(
      fc.property(
        members,
        listings,
        fc.subarray([hosting('m1'), hosting('m2', 'possible')]),
        fc.nat(30),
        (m, l, h, position) => {
          const hosts = h.length > 0;
          if (!entitled(m, l, at(position), { hosts }).granted)
            expect(decideListed(l, m, h, undefined, at(position))).toEqual([]);
        },
      ),
    );
  });
});

describe('P16: a basis for each recipient and field', () => {
  const without = (...fields: string[]): Agreement => ({
    ...AGREEMENT,
    bases: Object.fromEntries(Object.entries(AGREEMENT.bases).filter(([field]) => !fields.includes(field))),
  });
  const person = listing({ kind: 'person' });
  const because = (agreement: Agreement | undefined, about: Listing, when = at(20), screening = false) => {
    const { agreement: _full, ...member } = receiver();
    const answer = entitled({ ...member, ...(agreement && { agreement }) }, about, when, { hosts: true, screening });
    return answer.granted ? 'granted' : answer.because;
  };

  test('P16: no agreement, no notice', () => {
    expect(because(undefined, listing())).toBe('noAgreement');
    expect(because(AGREEMENT, listing())).toBe('granted');
  });

  test('P16: an assessment counts until it expires, by the time of the event', () => {
    expect(because(AGREEMENT, listing(), at(20, '2021-12-31T15:59:59.999Z'))).toBe('granted');
    expect(because(AGREEMENT, listing(), at(20, '2021-12-31T16:00:00.000Z'))).toBe('assessmentExpired');
  });

  test('P16: one field without a basis stops what contains it and nothing else', () => {
    expect(because(without('person'), person)).toBe('noBasis');
    expect(because(without('person'), listing())).toBe('granted');
    expect(because(without('organization'), listing())).toBe('noBasis');
    expect(because(without('organization'), person)).toBe('granted');
    for (const field of ['match', 'reason'])
      for (const about of [person, listing()]) expect(because(without(field), about)).toBe('noBasis');
    expect(because(without('screening'), listing())).toBe('granted');
    expect(because(without('screening'), listing(), at(20), true)).toBe('noBasis');
  });

  test('P16: endings and corrections wait as well, until there is a basis again', () => {
    const none = receiver({ agreement: without('reason') });
    expect(decideEnded(none, told(), [], listing(), at(20))).toEqual([]);
    expect(decideMoved(none, told(), { merchantId: 'm1', shops: [] }, listing(), at(20))).toEqual([]);
    expect(decideRenamed(none, told({ merchants: {}, uscc: 'A' }), 'B', listing(), at(20))).toEqual([]);
    expect(decideRenamed(receiver(), told({ merchants: {}, uscc: 'A' }), 'B', listing(), at(20))).toHaveLength(1);
  });

  test('P16: administrators are told what a member will not receive', () => {
    const now = '2021-01-01T00:00:00.000Z';
    expect(deliveryOf(AGREEMENT, now)).toEqual({ open: true, missing: [] });
    expect(deliveryOf(undefined, now)).toMatchObject({ open: false, because: 'noAgreement' });
    expect(deliveryOf(AGREEMENT, '2030-01-01T00:00:00Z')).toEqual({
      open: false,
      because: 'assessmentExpired',
      missing: [],
    });
    expect(deliveryOf(without('person'), now)).toEqual({ open: true, because: 'noBasis', missing: ['person'] });
    expect(deliveryOf(without('reason'), now)).toEqual({ open: false, because: 'noBasis', missing: ['reason'] });
  });
});
