import type { DispositionDecision, NoticeAction } from '@liandun/contracts';
import { describe, expect, test } from '@jest/globals';
import { dispositionRefusal } from './disposition.js';

const shops = [{ shopId: 's1' }, { shopId: 's2' }];
const refusal = (action: NoticeAction, decision: DispositionDecision): string | undefined =>
  dispositionRefusal({ decision, shops: [] }, { action, shops })?.wrong;

describe('P22: a disposition answers its notice', () => {
  test.each<[NoticeAction, boolean, boolean]>([
    ['close', true, false],
    ['check', true, false],
    ['registryStatus', true, false],
    ['restrictAdmission', false, false],
    ['protect', false, false],
    ['reopen', false, true],
    ['lift', false, true],
    ['correct', false, true],
    ['mark', true, true],
  ])('%s: closed %s, reopened %s', (action, closes, reopens) => {
    expect(refusal(action, 'closed')).toBe(closes ? undefined : 'decision');
    expect(refusal(action, 'reopened')).toBe(reopens ? undefined : 'decision');
    // Declining is the receiver's own affair, whatever the notice (rule P10).
    expect(refusal(action, 'declined')).toBeUndefined();
  });

  test('its shops are the notice’s', () => {
    const close = { action: 'close', shops } as const;
    expect(dispositionRefusal({ decision: 'closed', shops: [{ shopId: 's2' }] }, close)).toBeUndefined();
    expect(dispositionRefusal({ decision: 'closed', shops: [shops[0]!, { shopId: 's9' }] }, close)).toEqual({
      wrong: 'shop',
      index: 1,
    });
  });
});
