import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decideLife,
  evolveLife,
  isOver,
  LISTING_STATES,
  officialEnd,
  stands,
  type LifeCommand,
  type LifeEvent,
  type ListingLife,
  type ListingState,
} from './life.js';

const NOW = '2026-02-25T00:00:00+08:00';
const BEFORE = '2026-02-24T23:59:59+08:00';
const AFTER = '2026-02-25T00:00:01+08:00';
const ENDS: Partial<Record<ListingState, true>> = {
  withdrawn: true,
  overturned: true,
  repaired: true,
  endedByDecision: true,
  expired: true,
};
const inState = (status: ListingState): ListingLife =>
  (ENDS[status]
    ? { status, cause: 'annulled' }
    : { status, expiresAt: NOW, ...(status === 'held' && { heldUntil: NOW }) }) as ListingLife;

const commands: LifeCommand[] = [
  { type: 'setDeadline', heldUntil: AFTER },
  { type: 'release', by: 'answered' },
  { type: 'release', by: 'attested' },
  { type: 'release', by: 'deadline', now: NOW },
  { type: 'dispute' },
  { type: 'stay' },
  { type: 'correct' },
  { type: 'uphold' },
  { type: 'overturn', cause: 'appealUpheld' },
  { type: 'withdraw', cause: 'wrongFinding' },
  { type: 'repair', cause: 'repaired' },
  { type: 'endByDecision', cause: 'annulled' },
  { type: 'expire', now: NOW },
];
const after = (life: ListingLife, command: LifeCommand): string => {
  const decided = decideLife(life, command);
  return 'event' in decided ? evolveLife(life, decided.event).status : decided.refusal;
};

// Every state and every step. `-`: refused.
const TABLE: [ListingState, string][] = [
  ['held', 'held published published published - - - - - withdrawn repaired endedByDecision expired'],
  ['published', '- - - - disputed stayed corrected - - withdrawn repaired endedByDecision expired'],
  ['disputed', '- - - - - stayed corrected upheld overturned withdrawn repaired endedByDecision expired'],
  ['corrected', '- - - - disputed stayed - - overturned withdrawn repaired endedByDecision expired'],
  ['upheld', '- - - - disputed stayed - - overturned withdrawn repaired endedByDecision expired'],
  ['stayed', '- - - - - - corrected upheld overturned withdrawn repaired endedByDecision expired'],
  ...Object.keys(ENDS).map((state): [ListingState, string] => [state as ListingState, '- - - - - - - - - - - - -']),
];

describe('a listing’s life', () => {
  test.each(TABLE)('what may follow when it is %s (P06, P07, P11, P12)', (state, row) => {
    const seen = commands.map((command) => after(inState(state), command));
    expect(seen.map((status) => (/^[A-Z_]+$/.test(status) ? '-' : status)).join(' ')).toBe(row);
  });

  test('the table names every state', () => {
    expect(TABLE.map(([state]) => state).toSorted()).toEqual([...LISTING_STATES].toSorted());
  });

  test('a refused step says why', () => {
    expect(after(inState('published'), { type: 'release', by: 'answered' })).toBe('CASE_NOT_HELD');
    expect(after(inState('expired'), { type: 'withdraw', cause: 'cured' })).toBe('LISTING_NOT_ACTIVE');
    expect(after({ status: 'unlisted' }, { type: 'withdraw', cause: 'cured' })).toBe('LISTING_NOT_ACTIVE');
  });

  test('P06: the deadline releases when it is due, not a second before, and never while it is paused', () => {
    const held = inState('held');
    expect(after(held, { type: 'release', by: 'deadline', now: BEFORE })).toBe('NOT_DUE');
    expect(after(held, { type: 'release', by: 'deadline', now: NOW })).toBe('published');
    const paused = evolveLife(held, { type: 'deadlineSet' });
    expect(after(paused, { type: 'release', by: 'deadline', now: AFTER })).toBe('NOT_DUE');
    expect(after(paused, { type: 'release', by: 'answered' })).toBe('published');
  });

  test('P11: a listing expires at its term, not a second before, and a stay or a mark doesn’t prolong it', () => {
    for (const state of ['published', 'disputed', 'stayed', 'corrected', 'upheld', 'held'] as const) {
      expect(after(inState(state), { type: 'expire', now: BEFORE })).toBe('NOT_DUE');
      expect(after(inState(state), { type: 'expire', now: NOW })).toBe('expired');
    }
  });

  test('P12: an official repair and any other official ending are told apart', () => {
    expect([officialEnd('repaired'), officialEnd('annulled'), officialEnd('judgment')]).toEqual([
      'repair',
      'endByDecision',
      'endByDecision',
    ]);
  });

  test('what is over stays over, whatever is recorded later, and nothing both stands and is over', () => {
    const events = fc.constantFrom<LifeEvent>(
      { type: 'listed', held: true, expiresAt: NOW },
      { type: 'deadlineSet', heldUntil: NOW },
      { type: 'released', by: 'deadline' },
      { type: 'disputed' },
      { type: 'stayed' },
      { type: 'corrected' },
      { type: 'upheld' },
      { type: 'withdrawn', cause: 'cured' },
      { type: 'overturned', cause: 'appealUpheld' },
      { type: 'repaired', cause: 'repaired' },
      { type: 'endedByDecision', cause: 'annulled' },
      { type: 'expired', cause: 'expired' },
    );
    fc.assert(
      fc.property(fc.array(events), (history) => {
        let life: ListingLife = { status: 'unlisted' };
        for (const event of history) {
          const next = evolveLife(life, event);
          if (isOver(life)) expect(next).toBe(life);
          expect(stands(next) && isOver(next)).toBe(false);
          life = next;
        }
      }),
    );
  });
});
