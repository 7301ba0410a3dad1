import { expect, test } from '@jest/globals';
import { caseRefusal, foldCases, isHeld, type CaseCommand, type CaseEvent } from './cases.js';

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
  expect([...foldCases(all, tierOf).values()]).toEqual(['ended', 'ended']);
  expect([...foldCases([...all, delisted('d3', 'C06')], tierOf)]).toContainEqual(['d3', 'published']);
});

test('an answer that convinced ends the case', () => {
  expect(foldCases([delisted('d', 'E01'), heard('d', 'appealUpheld')], tierOf).get('d')).toBe('ended');
});
