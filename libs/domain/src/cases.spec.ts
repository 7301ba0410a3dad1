import { describe, expect, test } from '@jest/globals';
import { caseRefusal, foldCases, isHeld, isToldAtOnce, type CaseCommand, type CaseEvent } from './cases.js';

const tierOf = (code: string): number => (code === 'C06' ? 1 : 2);
const delisted = (id: string, code: string, more: object = {}): CaseEvent => ({
  id,
  type: 'liandun.merchant.delisted.v1',
  data: { reason: { code }, ...more },
});
const hearing = { notifiedAt: 'x', endedAt: 'y', answer: 'none' as const };
const heard = (caseId: string, cause?: 'appealUpheld'): CaseCommand & CaseEvent => ({
  id: `heard-${caseId}`,
  type: 'liandun.case.heard.v1',
  data: { caseId, hearing, ...(cause ? { cause } : {}) },
});
const decided = { cause: 'wrongIdentity' as const, decidedAt: 'x', decidedBy: 'p' };
const reinstated = (target: { delistingId: string } | { merchantId: string }): CaseCommand & CaseEvent => ({
  id: 'r',
  type: 'liandun.merchant.reinstated.v1',
  data: { ...decided, ...target },
});
const statuses = (events: CaseEvent[]): string[] =>
  [...foldCases(events, tierOf).values()].map(({ life }) => life.status);
const given = (...events: CaseEvent[]) => ({
  when: (command: CaseCommand) => caseRefusal(command, foldCases(events, tierOf)),
});

test.each([
  ['tier 1', 'C06', 1, {}, false],
  ['tier 2', 'E01', 2, {}, true],
  ['tier 3', 'A01', 3, {}, true],
  ['tier 2 in danger', 'E01', 2, { urgency: 'danger' as const }, false],
  ['tier 2 after a hearing', 'E01', 2, { hearing }, false],
  ['a victim', 'V01', 3, {}, false],
])('held before the hearing (P06): %s', (_, code, tier, more, held) => {
  expect(isHeld({ reason: { code }, ...more }, tier)).toBe(held);
});

test('only a held case is heard, and once', () => {
  expect(given(delisted('d', 'E01')).when(heard('d'))).toBeUndefined();
  expect(given(delisted('d', 'E01'), heard('d')).when(heard('d'))).toBe('CASE_NOT_HELD');
  expect(given(delisted('d', 'C06')).when(heard('d'))).toBe('CASE_NOT_HELD');
  expect(given().when(heard('d'))).toBe('UNKNOWN_CASE');
});

test('P06: that a subject was told is said once, of a case that there is', () => {
  const notified = (caseId: string): CaseCommand & CaseEvent => ({
    id: `notified-${caseId}`,
    type: 'liandun.case.notified.v1',
    data: { caseId, notifiedAt: 'x', notifiedBy: 'p' },
  });
  expect(given(delisted('d', 'C06')).when(notified('d'))).toBeUndefined();
  expect(given(delisted('d', 'C06'), notified('d')).when(notified('d'))).toBe('ALREADY_NOTIFIED');
  expect(given(delisted('d', 'C06')).when(notified('other'))).toBe('UNKNOWN_CASE');
  // It changes nothing else.
  expect(statuses([delisted('d', 'C06'), notified('d'), delisted('e', 'E01'), notified('e')])).toEqual([
    'published',
    'held',
  ]);
});

test.each([
  ['tier 1', 'C06', 1, {}, true],
  ['tier 2', 'E01', 2, {}, false],
  ['tier 2 in danger', 'E01', 2, { urgency: 'danger' as const }, true],
  ['tier 2 after a hearing', 'E01', 2, { hearing }, false],
  ['tier 1 after a hearing', 'C06', 1, { hearing }, false],
  ['a victim', 'V01', 3, {}, false],
  ['what no platform is told of', 'K01', 0, {}, false],
])('P06: others are told before the subject: %s', (_, code, tier, more, atOnce) => {
  expect(isToldAtOnce({ reason: { code }, ...more }, tier)).toBe(atOnce);
});

test('a delisting is reinstated once, also while it is held', () => {
  expect(given(delisted('d', 'C06')).when(reinstated({ delistingId: 'd' }))).toBeUndefined();
  expect(given(delisted('d', 'E01')).when(reinstated({ delistingId: 'd' }))).toBeUndefined();
  const ended = given(delisted('d', 'C06'), reinstated({ delistingId: 'd' }));
  expect(ended.when(reinstated({ delistingId: 'd' }))).toBe('LISTING_NOT_ACTIVE');
  expect(ended.when(reinstated({ merchantId: 'm' }))).toBe('LISTING_NOT_ACTIVE');
  expect(given(delisted('d', 'C06')).when(reinstated({ delistingId: 'other' }))).toBe('UNKNOWN_CASE');
});

test('reinstating a merchant ends all of its delistings, and a later one stands by itself', () => {
  const all = [delisted('d1', 'C06'), delisted('d2', 'E01'), reinstated({ merchantId: 'm' })];
  expect(statuses(all)).toEqual(['withdrawn', 'withdrawn']);
  expect(statuses([...all, delisted('d3', 'C06')])).toEqual(['withdrawn', 'withdrawn', 'published']);
});

test('an answer that convinced ends the case', () => {
  expect(statuses([delisted('d', 'E01'), heard('d', 'appealUpheld')])).toEqual(['withdrawn']);
});

describe('P12: an official ending is in the publisher’s own cases', () => {
  const filed: CaseEvent = { ...delisted('d', 'C06'), listingId: 'L1-a', decision: 'NO.1' };
  const other: CaseEvent = { ...delisted('e', 'C06'), listingId: 'L2-b', decision: 'NO.2' };
  const ended = (data: object, decision?: string): CaseEvent => ({
    id: 'r',
    type: 'liandun.listing.ended.v1',
    data: { cause: 'annulled', ...data },
    ...(decision && { decision }),
  });

  test('by the listing, by the decision, and by a removal: a later reinstatement is refused', () => {
    const overridden = { listingId: 'L1-a', cause: 'removed' };
    for (const ending of [
      ended({ listingId: 'L1-a' }, 'NO.1'),
      ended({ decisionNo: 'no.1' }, 'NO.1'),
      { id: 'o', type: 'liandun.listing.overridden.v1', data: overridden },
    ]) {
      expect(statuses([filed, other, ending])).toEqual(['endedByDecision', 'published']);
      expect(given(filed, ending).when(reinstated({ delistingId: 'd' }))).toBe('LISTING_NOT_ACTIVE');
    }
  });

  test('an official repair is told apart, and ends a case that is still held', () => {
    const held: CaseEvent = { ...delisted('h', 'E01'), listingId: 'L3-c' };
    expect(statuses([held, ended({ listingId: 'L3-c', cause: 'repaired' })])).toEqual(['repaired']);
    expect(given(held, ended({ listingId: 'L3-c' })).when(heard('h'))).toBe('CASE_NOT_HELD');
  });
});

test('P06, P11: what the clock did is in the cases too', () => {
  const released = { id: 'c', type: 'liandun.case.released.v1', data: { caseId: 'd' } };
  const expired = { id: 'x', type: 'liandun.listing.expired.v1', data: { caseId: 'd' } };
  const set = { id: 's', type: 'liandun.case.deadlineset.v1', data: { caseId: 'd', due: '2026-02-25T16:00:00Z' } };
  const held = delisted('d', 'E01');
  expect(foldCases([held, set], tierOf).get('d')?.life).toEqual({ status: 'held', heldUntil: '2026-02-25T16:00:00Z' });
  expect(given(held, released).when(heard('d'))).toBe('CASE_NOT_HELD');
  expect(given(held, released).when(reinstated({ delistingId: 'd' }))).toBeUndefined();
  expect(given(held, released, expired).when(reinstated({ delistingId: 'd' }))).toBe('LISTING_NOT_ACTIVE');
});
