import { describe, expect, test } from '@jest/globals';
import type { Notice, NoticeAction } from '@liandun/contracts';
import { decide, type OwnShop } from './policy.js';

const notice = (action: NoticeAction, autoClosable = false, more: object = {}) =>
  ({
    action,
    autoClosable,
    reason: { code: 'G01' },
    entity: { kind: 'organization' },
    match: { grade: 'exact' },
    ...more,
  }) as unknown as Notice;
const shop = (more: Partial<OwnShop> = {}): OwnShop => ({
  shopId: 's1',
  merchantId: 'm1',
  status: 'open',
  closedBy: null,
  openOrders: 0,
  keepsOpen: false,
  ...more,
});
const closed = shop({ status: 'closed', closedBy: 'ledger' });

describe('a platform decides by itself what a notice leads to', () => {
  test('it closes its open shops and keeps their orders', () => {
    const own = [shop({ openOrders: 2 }), shop({ shopId: 's2', status: 'closed', closedBy: 'platform' })];
    expect(decide(notice('close'), own, [])).toMatchObject({ decision: 'closed', close: ['s1'], openOrders: 'kept' });
  });

  test('P01: a person decides unless the code is closable by machine', () => {
    expect(decide(notice('close'), [shop()], []).decidedBy).toBe('sandbox-reviewer-1');
    expect(decide(notice('close', true), [shop()], [])).toMatchObject({ decidedBy: 'sandbox-policy', automated: true });
    const sole = { entity: { kind: 'soleProprietor' } };
    const byPerson = decide(notice('close', true, sole), [shop()], []);
    expect(byPerson.decidedBy).toBe('sandbox-reviewer-1');
    expect(byPerson).not.toHaveProperty('automated');
  });

  test.each([
    ['declined', [shop({ keepsOpen: true })]],
    ['alreadyClosed', [closed]],
    ['noShop', []],
  ] as const)('%s closes nothing', (decision, own) => {
    expect(decide(notice('close'), [...own], [])).toMatchObject({ decision, close: [] });
  });

  test.each([
    ['restrictAdmission', 'restricted'],
    ['lift', 'noShop'],
    ['check', 'underReview'],
    ['protect', 'underReview'],
    ['registryStatus', 'underReview'],
    ['correct', 'underReview'],
    ['mark', 'underReview'],
  ] as const)('%s is answered with %s and changes no shop', (action, decision) => {
    expect(decide(notice(action), [shop()], [])).toMatchObject({ decision, close: [], reopen: [] });
  });

  test('a shop opens again only when no listing is left', () => {
    const still = [{ shopId: 's1', closedBy: ['L1-aaaaaaaaaaaa'] }];
    expect(decide(notice('reopen'), [closed], still)).toMatchObject({ decision: 'alreadyClosed', reopen: [] });
    const free = [{ shopId: 's1', closedBy: [] }];
    expect(decide(notice('reopen'), [closed], free)).toMatchObject({ decision: 'reopened', reopen: ['s1'] });
  });

  test('what the platform closed for its own reasons stays closed', () => {
    const own = [shop({ status: 'closed', closedBy: 'platform' })];
    const free = [{ shopId: 's1', closedBy: [] }];
    expect(decide(notice('reopen'), own, free)).toMatchObject({ decision: 'noShop', reopen: [] });
  });
});
