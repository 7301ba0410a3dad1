import { expect, test } from '@jest/globals';
import { isLowered, maliceRefusal, publisherFigures } from './publishers.js';

const after = (days: number): { from: Date; to: Date } => ({ from: new Date(0), to: new Date(days * 86_400_000) });

test('P19: the rate is of what was published, and half of the overturned took longer than the median', () => {
  expect(publisherFigures(0, [])).toEqual({ published: 0, overturned: 0, rate: 0 });
  expect(publisherFigures(40, [after(9), after(1), after(2)])).toEqual({
    published: 40,
    overturned: 3,
    rate: 0.075,
    medianDaysToFix: 2,
  });
  expect(publisherFigures(3, [after(1), after(4)]).medianDaysToFix).toBe(2.5);
});

test.each([
  [19, 19, false],
  [20, 1, false],
  [20, 2, true],
  [100, 5, false],
  [100, 6, true],
])('P19: of %d published, %d overturned: lowered is %p', (published, overturned, lowered) => {
  expect(isLowered(publisherFigures(published, Array(overturned).fill(after(1))))).toBe(lowered);
});

test('P19: a malicious error counts twice', () => {
  const malicious = { ...after(1), malicious: true };
  expect(publisherFigures(20, [malicious])).toMatchObject({ overturned: 1, rate: 0.05, malicious: 1 });
  expect(isLowered(publisherFigures(20, [after(1)]))).toBe(false);
  expect(isLowered(publisherFigures(20, [malicious]))).toBe(true);
  expect(isLowered(publisherFigures(40, [malicious]))).toBe(false);
});

test('P19: malice is found of what ended as wrong, by somebody else than who filed or ended it', () => {
  const ended = { publisher: 'a', cause: 'appealUpheld', endedBy: { member: 'r', decidedBy: 'officer-1' } };
  expect(maliceRefusal(ended, { member: 'r', decidedBy: 'officer-2' })).toBeUndefined();
  expect(maliceRefusal(ended, { member: 's', decidedBy: 'officer-1' })).toBeUndefined();
  expect(maliceRefusal(ended, { member: 'r', decidedBy: 'officer-1' })).toBe('FINDER_IS_DECIDER');
  expect(maliceRefusal(ended, { member: 'a', decidedBy: 'officer-3' })).toBe('FINDER_IS_DECIDER');
  for (const cause of ['cured', 'repaired', 'expired'])
    expect(maliceRefusal({ ...ended, cause }, { member: 's', decidedBy: 'x' })).toBe('LISTING_NOT_WRONG');
  expect(maliceRefusal({ publisher: 'a' }, { member: 's', decidedBy: 'x' })).toBe('LISTING_NOT_WRONG');
});
