import { expect, test } from '@jest/globals';
import { isLowered, publisherFigures } from './publishers.js';

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
