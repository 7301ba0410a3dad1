import { describe, expect, test } from '@jest/globals';
import { ATTEMPTS_MAX, retryAfterMs, retryDelayMs } from './schedule.js';

const HOUR_MS = 3_600_000;
const waits = (random: number): number[] =>
  Array.from({ length: ATTEMPTS_MAX - 1 }, (_, index) => retryDelayMs(index + 1, random));
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

describe('attempts', () => {
  test('come further and further apart, over about a day', () => {
    expect(waits(0).slice(0, 4)).toEqual([5_000, 15_000, 45_000, 135_000]);
    expect(waits(0)).toEqual(waits(0).toSorted((a, b) => a - b));
    expect(sum(waits(0)) / HOUR_MS).toBeGreaterThan(20);
    expect(sum(waits(1)) / HOUR_MS).toBeLessThan(26);
  });

  test('are spread, so that what failed together does not come back together', () => {
    expect(retryDelayMs(1, 1)).toBe(6_000);
    expect(retryDelayMs(1, 0.5)).toBe(5_500);
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-01-05T10:00:00Z');
  test.each([
    ['seconds', '120', 120_000],
    ['a date (RFC 9110)', 'Mon, 05 Jan 2026 10:02:00 GMT', 120_000],
    ['a date that has passed', 'Mon, 05 Jan 2026 09:00:00 GMT', 0],
    ['longer than a day', '9999999', 24 * HOUR_MS],
    ['nothing that can be read', 'soon', 0],
    ['a negative number', '-5', 0],
    ['nothing', undefined, 0],
  ])('%s', (_, header, ms) => expect(retryAfterMs(header, now)).toBe(ms));
});
