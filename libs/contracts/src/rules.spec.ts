import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SUBMITTED_TYPES } from './event-types.js';
import { PROOF_STANDARDS } from './payloads.events.js';
import { codeExample, codeExamples, shareableCodes } from './testing/every-code.js';
import { exampleOrganization, examples } from './testing/examples.js';
import { validateIdentity, validateSubmission, type Submitter } from './validate.js';

const now = new Date('2026-02-03T01:30:00Z');

interface Found {
  pointer: string;
  code: string;
}
const errorsOf = (raw: unknown, { memberId, role }: Pick<Submitter, 'memberId' | 'role'>): Found[] => {
  const result = validateSubmission(raw, { memberId, role, now });
  return 'problem' in result ? (result.problem.errors ?? []).map(({ pointer, code }) => ({ pointer, code })) : [];
};

/** Every type once, and the fields that only some codes have. */
const everyType = [
  ...Object.values(examples(now)),
  ...['F04', 'B06'].map((code) => {
    const reason = shareableCodes().find((each) => each.code === code)!;
    return codeExample(reason, reason.subjectKinds[0]!, { now });
  }),
].map((example) => ({ ...example, name: example.event.type.replace(/^liandun\.|\.v1$/g, '') }));

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const step = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The pointers of all objects in a document, and of all other values. */
function places(value: unknown, at = ''): { objects: string[]; leaves: string[] } {
  if (typeof value !== 'object' || value === null) return { objects: [], leaves: [at] };
  const inner = Object.entries(value).map(([key, each]) => places(each, at + step(key)));
  return {
    objects: [...(isObject(value) ? [at] : []), ...inner.flatMap(({ objects }) => objects)],
    leaves: inner.flatMap(({ leaves }) => leaves),
  };
}

/** A copy of `document` with `change` done to what holds the place, and to its last key. */
function changed(document: unknown, pointer: string, change: (holder: Json, key: string) => void): unknown {
  const copy = structuredClone(document);
  const path = pointer.split('/').slice(1);
  const key = path.pop() ?? '';
  change(
    path.reduce((holder, each) => holder[each] as Json, copy as Json),
    key,
  );
  return copy;
}

const put = (document: unknown, pointer: string, name: string, value: unknown): unknown =>
  changed(document, `${pointer}/${name.replaceAll('/', '')}`, (holder) =>
    Object.defineProperty(holder, name, { value, enumerable: true }),
  );

describe('P03: facts only', () => {
  const text = fc.constantFrom('销售额 500 万', 'score 3.2', '该商家多次被投诉，建议各平台不要与其合作', '');
  const extra = fc.oneof(
    text,
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(text),
    fc.dictionary(fc.string({ maxLength: 8 }), fc.oneof(text, fc.integer()), { maxKeys: 3 }),
  );
  const names = fc.oneof(
    fc.constantFrom('comment', 'score', 'grade', 'sales', 'rank', 'fee', 'note', 'constructor', '__proto__'),
    fc.string({ minLength: 1, maxLength: 30 }),
  );

  test.each(everyType)(
    'P03: $name: a field of any other name, at any level, with any value is refused by its name',
    (each) => {
      const { objects } = places(each.event);
      fc.assert(
        fc.property(fc.constantFrom(...objects), names, extra, (place, name, value) => {
          const holder =
            place === ''
              ? each.event
              : (place
                  .split('/')
                  .slice(1)
                  .reduce((at: any, key) => at[key], each.event) as Json);
          // What the type itself may hold there is no extra; a type that holds it nowhere is tried with it above.
          fc.pre(!Object.hasOwn(holder, name) && !KNOWN.has(name));
          const found = errorsOf(put(each.event, place, name, value), each);
          expect(found).toContainEqual({ pointer: place + step(name), code: 'UNKNOWN_FIELD' });
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(everyType)(
    'P03: $name: text, a number, an object or a list in the place of a fact is refused at that place',
    (each) => {
      const { leaves, objects } = places(each.event);
      const wrong = fc.constantFrom<unknown>(12.5, -1, { text: '自由文本' }, ['自由文本'], [[]], null);
      fc.assert(
        fc.property(fc.constantFrom(...leaves, ...objects.filter((place) => place !== '')), wrong, (place, value) => {
          const raw = changed(each.event, place, (holder, key) => (holder[key] = value));
          const found = errorsOf(raw, each);
          expect(found.map(({ pointer }) => pointer).some((pointer) => pointer.startsWith(place))).toBe(true);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('P03: a sentence fits nowhere but in names and addresses, which say who is meant and which law or emergency', () => {
    const sentence = '该商家上月销售额 500 万元，信用评分 3.2 分，建议不要合作';
    const taken = everyType.flatMap((each) =>
      places(each.event).leaves.flatMap((place) =>
        errorsOf(
          changed(each.event, place, (holder, key) => (holder[key] = sentence)),
          each,
        ).length === 0
          ? [place.replace(/\/\d+/g, '/*')]
          : [],
      ),
    );
    expect([...new Set(taken)].toSorted()).toEqual([
      '/data/accounts/*/accountId',
      '/data/accounts/*/platform',
      '/data/emergency/name',
      '/data/identity/address',
      '/data/identity/legalRepresentative/name',
      '/data/identity/name',
      '/data/itemRule',
      '/data/shops/*/name',
    ]);
  });

  test('P03: an inquiry says who and what for, and nothing else', () => {
    const body = { identity: exampleOrganization(), purpose: 'onboarding' };
    fc.assert(
      fc.property(
        fc.constantFrom('', '/identity', '/identity/legalRepresentative'),
        names,
        extra,
        (place, name, value) => {
          fc.pre(!KNOWN.has(name));
          const result = validateIdentity(put(body, place, name, value));
          const errors = 'problem' in result ? result.problem.errors : [];
          expect(errors).toContainEqual(
            expect.objectContaining({ pointer: place + step(name), code: 'UNKNOWN_FIELD' }),
          );
        },
      ),
    );
  });
});

/** Names that some type has somewhere. */
const KNOWN = new Set(
  everyType.flatMap(({ event }) => [...JSON.stringify(event).matchAll(/"(\w+)":/g)].map(([, name]) => name)),
);
for (const optional of [
  'salt',
  'signature',
  'subject',
  'datacontenttype',
  'residentId',
  'reasonCode',
  'merchantId',
  'listingId',
  'cause',
  'urgency',
  'decisionNo',
  'ordersStop',
])
  KNOWN.add(optional);

describe('P04: standard of proof', () => {
  const every = codeExamples(now);
  const codes = shareableCodes();

  test('P04: every code on every kind is accepted on its floor, so that what is refused below is refused for the proof', () => {
    expect(every.length).toBeGreaterThan(100);
    for (const each of every) expect([each.event.id, errorsOf(each.event, each)]).toEqual([each.event.id, []]);
  });

  test('P04: over all codes each standard of proof below the floor is refused, each from it on accepted', () => {
    // From the weakest to the strongest: a platform's finding, a register's push, an official decision, a judgment.
    const order = ['platformFinding', 'registerPush', 'administrativeDecision', 'judgment'] as const;
    expect(order.toSorted()).toEqual(PROOF_STANDARDS.toSorted());
    for (const reason of codes)
      for (const standard of order) {
        const each = codeExample(reason, reason.subjectKinds[0]!, { now, standard });
        const weaker = order.indexOf(standard) < order.indexOf(reason.proofFloor);
        expect([reason.code, standard, errorsOf(each.event, each)]).toEqual([
          reason.code,
          standard,
          weaker ? [{ pointer: '/data/proof/standard', code: 'PROOF_BELOW_FLOOR' }] : [],
        ]);
      }
  });

  test.each(['grounds', 'evidence', 'code', 'terminated'])(
    'P04: over all codes the attestation of %s denied or left out is refused',
    (point) => {
      const pointer = `/data/attestation/${point}`;
      for (const each of every) {
        const denied = changed(each.event, pointer, (holder, key) => (holder[key] = false));
        expect(errorsOf(denied, each)).toEqual([{ pointer, code: 'ATTESTATION_INCOMPLETE' }]);
        const missing = changed(each.event, pointer, (holder, key) => delete holder[key]);
        expect(errorsOf(missing, each)).toEqual([{ pointer, code: 'MISSING_FIELD' }]);
      }
    },
  );

  test('P04: a delisting without the time at which service was terminated is refused, whatever the code', () => {
    const pointer = '/data/terminatedAt';
    const delistings = every.filter(({ event }) => event.type === SUBMITTED_TYPES.merchantDelisted);
    expect(new Set(delistings.map(({ reason }) => reason.code)).size).toBeGreaterThan(50);
    for (const each of delistings) {
      const without = changed(each.event, pointer, (holder, key) => delete holder[key]);
      expect(errorsOf(without, each)).toEqual([{ pointer, code: 'MISSING_FIELD' }]);
    }
  });
});

describe('P22: consumers first on closing', () => {
  test('P22: closed without a word on open orders is refused; each word is accepted', () => {
    const each = examples(now)[SUBMITTED_TYPES.noticeDisposed];
    const pointer = '/data/openOrders';
    const without = changed(each.event, pointer, (holder, key) => delete holder[key]);
    expect(errorsOf(without, each)).toEqual([{ pointer, code: 'OPEN_ORDERS_MISSING' }]);
    for (const word of ['kept', 'none'])
      expect(
        errorsOf(
          changed(each.event, pointer, (holder, key) => (holder[key] = word)),
          each,
        ),
      ).toEqual([]);
    for (const word of ['cancelled', '', null, true])
      expect(
        errorsOf(
          changed(each.event, pointer, (holder, key) => (holder[key] = word)),
          each,
        ),
      ).not.toEqual([]);
  });
});

describe('P20: watching the watchers', () => {
  const regulator = { memberId: 'regulator-beijing', role: 'regulator' as const };
  const source = 'urn:liandun:member:regulator-beijing';

  test('P20: a regulator sends registry, risk-entity and listing-ended events, with what follows on its own cases, and nothing else', () => {
    const taken = Object.values(examples(now)).filter(
      ({ event }) => !errorsOf({ ...event, source }, regulator).some(({ code }) => code === 'TYPE_NOT_ALLOWED'),
    );
    expect(taken.map(({ event }) => event.type)).toEqual([
      SUBMITTED_TYPES.riskEntityReported,
      SUBMITTED_TYPES.riskEntityWithdrawn,
      SUBMITTED_TYPES.caseHeard,
      SUBMITTED_TYPES.caseNotified,
      SUBMITTED_TYPES.registryListed,
      SUBMITTED_TYPES.registryRemoved,
      SUBMITTED_TYPES.listingEnded,
    ]);
  });

  test('P20: under its own source only, whatever the type', () => {
    for (const each of Object.values(examples(now)))
      for (const other of [
        'urn:liandun:member:platform-a',
        'urn:liandun:member:regulator-hangzhou',
        'urn:liandun:ledger',
      ])
        expect(errorsOf({ ...each.event, source: other }, regulator)).toContainEqual({
          pointer: '/source',
          code: 'SOURCE_NOT_YOURS',
        });
  });
});
