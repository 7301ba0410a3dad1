import {
  DISPOSITIONS,
  NOTICE_ACTIONS,
  SUBJECT_KINDS,
  type DispositionDecision,
  type NoticeAction,
} from '@liandun/contracts';
import { describe, expect, test } from '@jest/globals';
import { dispositionRefusal } from './disposition.js';

const shops = [{ shopId: 's1' }, { shopId: 's2' }];
const NOTICE = { autoClosable: false, entity: { kind: 'person' } } as const;
const refusal = (action: NoticeAction, decision: DispositionDecision): string | undefined =>
  dispositionRefusal({ decision, shops: [] }, { action, shops, ...NOTICE })?.wrong;

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
  ])('of a notice to %s: that it closed is taken: %s; that it reopened: %s', (action, closes, reopens) => {
    expect(refusal(action, 'closed')).toBe(closes ? undefined : 'decision');
    expect(refusal(action, 'reopened')).toBe(reopens ? undefined : 'decision');
    // Declining is the receiver's own affair, whatever the notice (rule P10).
    expect(refusal(action, 'declined')).toBeUndefined();
  });

  test('its shops are the notice’s', () => {
    const close = { action: 'close', shops, ...NOTICE } as const;
    expect(dispositionRefusal({ decision: 'closed', shops: [{ shopId: 's2' }] }, close)).toBeUndefined();
    expect(dispositionRefusal({ decision: 'closed', shops: [shops[0]!, { shopId: 's9' }] }, close)).toEqual({
      wrong: 'shop',
      index: 1,
    });
  });
});

describe('P08: no machine alone closes a person’s shop', () => {
  test('P08: over all kinds, actions and decisions only an organization’s autoClosable notice is closed without a person', () => {
    const automatic = [...SUBJECT_KINDS].flatMap((kind) =>
      [true, false].flatMap((autoClosable) =>
        NOTICE_ACTIONS.flatMap((action) =>
          DISPOSITIONS.flatMap((decision) => {
            const notice = { action, shops, autoClosable, entity: { kind } };
            const byPerson = dispositionRefusal({ decision, shops: [] }, notice);
            expect(dispositionRefusal({ decision, shops: [], automated: false }, notice)).toEqual(byPerson);
            const byPolicy = dispositionRefusal({ decision, shops: [], automated: true }, notice);
            if (decision !== 'closed') expect(byPolicy).toEqual(byPerson);
            else if (!byPerson && byPolicy) expect(byPolicy).toEqual({ wrong: 'automated' });
            return decision === 'closed' && !byPolicy ? [`${kind} ${autoClosable}`] : [];
          }),
        ),
      ),
    );
    expect(new Set(automatic)).toEqual(new Set(['organization true']));
  });

  test.each(['soleProprietor', 'person'] as const)('P08: a %s is closed by a person', (kind) => {
    const notice = { action: 'close', shops, autoClosable: true, entity: { kind } } as const;
    expect(dispositionRefusal({ decision: 'closed', shops: [], automated: true }, notice)).toEqual({
      wrong: 'automated',
    });
    expect(dispositionRefusal({ decision: 'closed', shops: [] }, notice)).toBeUndefined();
  });
});
