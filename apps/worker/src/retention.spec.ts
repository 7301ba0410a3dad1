import { describe, expect, test } from '@jest/globals';
import { keptUntil, RETENTION } from './retention.js';

describe('P20: what is kept how long', () => {
  test('P20: logs 6 months at least, disclosure records 3 years', () => {
    const now = new Date('2029-08-31T12:00:00Z');
    expect(keptUntil('endedCases', now).toISOString()).toBe('2026-08-31T12:00:00.000Z');
    expect(keptUntil('closedAccounts', now).toISOString()).toBe('2026-08-31T12:00:00.000Z');
    // February has no 31st: its last day, so that nothing is deleted early.
    expect(keptUntil('deadLetters', now).toISOString()).toBe('2029-02-28T12:00:00.000Z');
    expect(keptUntil('inquiries', now).toISOString()).toBe('2028-09-05T12:00:00.000Z');
  });

  test('P20: each row says by which law', () => {
    for (const { what, law } of RETENTION) expect([what, law]).toEqual([what, expect.stringMatching(/第\d+|RFC/)]);
  });
});
