import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS, identifiersPerDay, parseLimits } from './limits.js';

describe('limits as an operator writes them down', () => {
  test('what is absent is as usual; a member has its own on top of the others', () => {
    const table = parseLimits({
      rates: { read: 100 },
      missesPerDay: 7,
      members: { 'platform-a': { rates: { screening: 5 }, identifiersPerDay: 9 } },
    });
    const usual = { ...DEFAULT_LIMITS, missesPerDay: 7, rates: { ...DEFAULT_LIMITS.rates, read: 100 } };
    expect(table.of('platform-b')).toEqual(usual);
    expect(table.of(undefined)).toEqual(usual);
    expect(table.of('platform-a')).toEqual({
      ...usual,
      identifiersPerDay: 9,
      rates: { ...usual.rates, screening: 5 },
    });
  });

  test.each<[unknown, string]>([
    [[], 'the file must be a JSON object'],
    [{ rate: {} }, '/rate is not known: use rates'],
    [{ rates: { all: 1 } }, '/rates/all is not known'],
    [{ rates: { read: 0 } }, '/rates/read must be a whole number from 1 up'],
    [{ rates: { read: '9' } }, '/rates/read must be a whole number'],
    [{ members: [] }, '/members must be a JSON object'],
    [{ members: { a: { members: {} } } }, '/members/a/members is not known'],
    [{ members: { a: { missesPerDay: 1.5 } } }, '/members/a/missesPerDay must be a whole number'],
  ])('%j is refused by name', (value, message) => {
    expect(() => parseLimits(value)).toThrow(message);
  });

  test('a platform screens in a day a share of what it hosts, a small one enough to begin with', () => {
    expect([0, 50_000, 50_001, 1_000_000].map((merchants) => identifiersPerDay(DEFAULT_LIMITS, merchants))).toEqual([
      5_000, 5_000, 5_001, 100_000,
    ]);
    expect(identifiersPerDay({ ...DEFAULT_LIMITS, identifiersPerDay: 10 }, 1_000_000)).toBe(10);
  });
});
