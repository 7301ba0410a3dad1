import { describe, expect, test } from '@jest/globals';
import { brokenSubmissions } from './testing/broken-submissions.js';
import { examples } from './testing/examples.js';
import { PROBLEMS } from './errors.js';
import { SUBMITTED_TYPES } from './event-types.js';
import { validateIdentity, validateSubmission, type Submitter } from './validate.js';
import { exampleOrganization } from './testing/examples.js';
import { DAY_MS, toBeijingTime } from './time.js';
import { OUTCOME_TYPES } from './event-types.js';

const now = new Date('2026-02-03T01:30:00Z');
const valid = examples(now);
const rows = brokenSubmissions(now);

const errorsOf = (raw: unknown, submitter: Submitter): { pointer: string; code: string }[] => {
  const result = validateSubmission(raw, submitter);
  return 'problem' in result ? (result.problem.errors ?? []).map(({ pointer, code }) => ({ pointer, code })) : [];
};

const delisting = (change: (data: Record<string, any>) => void): unknown => {
  const event = structuredClone(valid[SUBMITTED_TYPES.merchantDelisted].event) as { data: Record<string, any> };
  change(event.data);
  return event;
};
const platform: Submitter = { memberId: 'platform-a', role: 'platform', now };
const regulator: Submitter = { memberId: 'regulator-beijing', role: 'regulator', now };
const inDays = (days: number): string => toBeijingTime(new Date(now.getTime() + days * DAY_MS));

describe('a valid event of every type is accepted as it came', () => {
  test.each(Object.entries(valid))('%s', (_type, { role, memberId, event }) => {
    const copy = structuredClone(event);
    expect(validateSubmission(event, { memberId, role, now })).toEqual({ event: copy });
  });
});

describe('every rule broken once gives its code at its place, and nothing else', () => {
  test.each(rows.map((row) => [row.name, row] as const))('%s', (_name, { event, memberId, role, code, pointer }) => {
    expect(errorsOf(event, { memberId, role, now })).toEqual([{ pointer, code }]);
  });

  test('the table breaks every rule that validation can report', () => {
    const reported = new Set(rows.map(({ code }) => code));
    const unreported = ['TOO_MANY_ERRORS'];
    const source = Object.keys(PROBLEMS).slice(
      Object.keys(PROBLEMS).indexOf('MISSING_FIELD'),
      Object.keys(PROBLEMS).indexOf('MERCHANT_NOT_FOUND'),
    );
    const byOthers = [
      'EVENT_ID_REUSED',
      'SIGNATURE_REQUIRED',
      'SIGNATURE_KEY_UNKNOWN',
      'SIGNATURE_INVALID',
      'PURPOSE_NOT_ALLOWED',
      'CODE_RETIRED',
      'VICTIM_MISSING',
      'HEARING_TOO_SHORT',
    ];
    expect(source.filter((code) => !reported.has(code as never) && !unreported.includes(code))).toEqual(byOthers);
  });
});

const named = (standard: string): unknown =>
  delisting((data) => {
    data.proof.standard = standard;
    data.proof.decisionNo = '(2020)虚0101民初12号';
    data.expiresAt = inDays(3650);
  });

describe('a signature and the salt of what it commits to go together', () => {
  const [signature, salt] = [`${'h'.repeat(90)}..${'s'.repeat(86)}`, 'x'.repeat(43)];
  const personal = valid[SUBMITTED_TYPES.merchantReported].event as object;
  const none = valid[SUBMITTED_TYPES.merchantReinstated].event as object;
  test.each<[string, object, Partial<Submitter>, object[]]>([
    ['both over personal values', { ...personal, signature, salt }, {}, []],
    ['no salt where nothing is personal', { ...none, signature }, {}, []],
    ['both where they are required', { ...personal, signature, salt }, { signatures: 'required' }, []],
    ['none where one is required', personal, { signatures: 'required' }, [['/signature', 'SIGNATURE_REQUIRED']]],
    ['a missing salt', { ...personal, signature }, {}, [['/salt', 'MISSING_FIELD']]],
    ['a salt for nothing', { ...none, signature, salt }, {}, [['/salt', 'FIELD_NOT_APPLICABLE']]],
    ['a salt alone', { ...personal, salt }, {}, [['/salt', 'FIELD_NOT_APPLICABLE']]],
    ['a salt of 31 bytes', { ...personal, signature, salt: 'x'.repeat(42) }, {}, [['/salt', 'INVALID_FORMAT']]],
    ['a whole JWS', { ...personal, signature: 'h.p.s', salt }, {}, [['/signature', 'INVALID_FORMAT']]],
    ['an object', { ...personal, signature: {}, salt }, {}, [['/signature', 'WRONG_TYPE']]],
  ])('%s', (_name, raw, more, expected) => {
    const found = errorsOf(raw, { ...platform, ...more }).map(({ pointer, code }) => [pointer, code]);
    expect(found).toEqual(expected);
  });
});

describe('what is near a limit', () => {
  test('a clock up to three hours ahead is kept and marked', () => {
    const event = delisting((data) => (data.decidedAt = inDays(3 / 24)));
    expect(validateSubmission(event, platform)).toMatchObject({ clockAhead: true });
  });

  test.each([
    ['tier 2 on a finding', 'E01', 'platformFinding', 365],
    ['tier 2 with an official decision', 'E01', 'administrativeDecision', 1095],
    ['tier 2 with a judgment', 'E01', 'judgment', 1095],
    ['tier 3', 'E05', 'platformFinding', 90],
    ['tier 1', 'C01', 'platformFinding', 1095],
    ['a bar of the food law', 'C10', 'administrativeDecision', 1825],
    ['the list of defaulters', 'A07', 'registerPush', 730],
  ])('%s lasts its term to the day', (_name, code, standard, days) => {
    const lasting = (term: number): unknown =>
      delisting((data) => {
        data.reason.code = code;
        data.proof.standard = standard;
        data.expiresAt = inDays(term);
      });
    expect(errorsOf(lasting(days), platform)).toEqual([]);
    expect(errorsOf(lasting(days + 1), platform)).toEqual([{ pointer: '/data/expiresAt', code: 'EXPIRES_PAST_TERM' }]);
  });

  test('a named official decision may set a longer term, a platform finding may not', () => {
    expect(errorsOf(named('judgment'), platform)).toEqual([]);
    expect(errorsOf(named('platformFinding'), platform)).toHaveLength(1);
  });

  test('a register status is proven by the push, or by what it rests on', () => {
    for (const standard of ['registerPush', 'administrativeDecision', 'judgment'])
      expect(
        errorsOf(
          delisting((data) => {
            data.reason.code = 'A03';
            data.proof.standard = standard;
          }),
          platform,
        ),
      ).toEqual([]);
  });

  test('ids that merely hold many digits are opaque', () => {
    for (const id of ['0192f3a4-7c1e-7d2b-9a13-a13812345678', '1700000000000', '20200203000000000123', 's13800000000x'])
      expect(
        errorsOf(
          delisting((data) => (data.merchantId = id)),
          platform,
        ),
      ).toEqual([]);
  });

  test('a regulator may report a professional claimant under K01', () => {
    const event = structuredClone(valid[SUBMITTED_TYPES.riskEntityReported].event) as Record<string, any>;
    event.source = 'urn:liandun:member:regulator-beijing';
    event.data.subject = 'professionalClaimant';
    event.data.reason.code = 'K01';
    event.data.proof.standard = 'administrativeDecision';
    event.data.expiresAt = inDays(80);
    expect(errorsOf(event, regulator)).toEqual([]);
  });
});

describe('what is wrong is told completely and safely', () => {
  test('several mistakes are reported together', () => {
    const event = delisting((data) => {
      data.comment = 'x';
      data.identity.uscc = 'x';
      data.attestation.code = false;
      delete data.proof;
      data.shops[0].url = 'x';
    });
    expect(
      errorsOf(event, platform)
        .map(({ pointer }) => pointer)
        .toSorted(),
    ).toEqual(['/data/attestation/code', '/data/comment', '/data/identity/uscc', '/data/proof', '/data/shops/0/url']);
  });

  test('at most fifty, and a word that there are more', () => {
    const event = delisting((data) => {
      for (let i = 0; i < 60; i++) data[`field${i}`] = i;
    });
    const errors = errorsOf(event, platform);
    expect(errors).toHaveLength(51);
    expect(errors.at(-1)).toEqual({ pointer: '', code: 'TOO_MANY_ERRORS' });
  });

  test('no submitted value is repeated, in either language', () => {
    const canary = '甲乙丙丁canary';
    for (const { event, memberId, role } of rows) {
      const result = validateSubmission(
        { ...event, data: { identity: { name: `${canary}\n`, uscc: canary } } },
        { memberId, role, now },
      );
      expect(JSON.stringify(result)).not.toContain(canary);
    }
  });

  test('a pointer escapes ~ and /', () => {
    expect(
      errorsOf(
        delisting((data) => (data['a/b~c'] = 1)),
        platform,
      ),
    ).toEqual([{ pointer: '/data/a~1b~0c', code: 'UNKNOWN_FIELD' }]);
  });

  test.each([null, 1, 'text', [], [{}]])('%j is no event', (raw) => {
    expect(errorsOf(raw, platform)).toEqual([{ pointer: '', code: 'WRONG_TYPE' }]);
  });

  test('an administrator sends nothing', () => {
    for (const { event } of Object.values(valid))
      expect(
        errorsOf({ ...event, source: 'urn:liandun:member:admin' }, { memberId: 'admin', role: 'admin', now }),
      ).toContainEqual({ pointer: '/type', code: 'TYPE_NOT_ALLOWED' });
  });

  test('no outcome of the ledger can be submitted', () => {
    for (const type of Object.values(OUTCOME_TYPES))
      expect(errorsOf({ ...valid[SUBMITTED_TYPES.merchantReported].event, type }, platform)).toEqual([
        { pointer: '/type', code: 'UNKNOWN_TYPE' },
      ]);
  });
});

describe('a screening', () => {
  const identity = exampleOrganization();
  test('P15: has one of two purposes', () => {
    expect(validateIdentity({ identity, purpose: 'onboarding' })).toEqual({
      value: { identity, purpose: 'onboarding' },
    });
    expect(validateIdentity({ identity, purpose: 'compliance' })).toHaveProperty('value');
    for (const purpose of ['lending', 'hiring', '', 'Onboarding'])
      expect(validateIdentity({ identity, purpose })).toMatchObject({ problem: { code: 'PURPOSE_NOT_ALLOWED' } });
    expect(validateIdentity({ identity })).toMatchObject({
      problem: { code: 'MISSING_FIELD', errors: [{ pointer: '/purpose' }] },
    });
  });

  test('checks the identity like an event', () => {
    expect(validateIdentity({ identity: { ...identity, uscc: 'x' }, purpose: 'onboarding' })).toMatchObject({
      problem: { code: 'BAD_USCC', errors: [{ pointer: '/identity/uscc' }] },
    });
  });
});
