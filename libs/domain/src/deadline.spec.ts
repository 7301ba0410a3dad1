import { loadWorkingDays } from '@liandun/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deadlineOf, isWorkingDay, type Term } from './deadline.js';

const table = loadWorkingDays();
const THREE: Term = { count: 3, unit: 'workingDay' };
const FIFTEEN: Term = { count: 15, unit: 'day' };
const due = (from: string, term: Term): string | undefined => deadlineOf(table, from, term).due;

describe('working days', () => {
  it.each([
    ['2026-11-20', true, 'a Friday'],
    ['2026-11-21', false, 'a Saturday'],
    ['2026-02-14', true, 'a Saturday worked before the Spring Festival'],
    ['2026-02-17', false, 'a Tuesday in the Spring Festival'],
    ['2026-10-10', true, 'a Saturday worked after the National Day'],
  ])('%s is a working day: %s (%s)', (date, expected) => {
    expect(isWorkingDay(table, date)).toBe(expected);
  });
});

describe('a deadline', () => {
  it.each([
    ['three working days of a plain week', '2026-11-16T09:00:00+08:00', THREE, '2026-11-20T00:00:00.000+08:00'],
    ['over a weekend', '2026-11-19T23:59:59+08:00', THREE, '2026-11-25T00:00:00.000+08:00'],
    ['the day is Beijing’s, not London’s', '2026-11-15T16:30:00Z', THREE, '2026-11-20T00:00:00.000+08:00'],
    [
      'over the Spring Festival, a Saturday worked',
      '2026-02-13T10:00:00+08:00',
      THREE,
      '2026-02-26T00:00:00.000+08:00',
    ],
    ['fifteen days', '2026-11-16T09:00:00+08:00', FIFTEEN, '2026-12-02T00:00:00.000+08:00'],
    ['a last day on a Sunday moves to Monday', '2026-11-14T09:00:00+08:00', FIFTEEN, '2026-12-01T00:00:00.000+08:00'],
    ['a last day in the National Day', '2026-09-18T09:00:00+08:00', FIFTEEN, '2026-10-09T00:00:00.000+08:00'],
  ])('%s', (_name, from, term, expected) => {
    expect(due(from, term)).toBe(expected);
  });

  it('shows each day and what it counted for', () => {
    expect(deadlineOf(table, '2026-11-19T09:00:00+08:00', THREE).days).toEqual([
      { date: '2026-11-20', verdict: 'counted' },
      { date: '2026-11-21', verdict: 'weekend' },
      { date: '2026-11-22', verdict: 'weekend' },
      { date: '2026-11-23', verdict: 'counted' },
      { date: '2026-11-24', verdict: 'counted' },
    ]);
  });

  it('stands still while it is paused, and has no end until the pause has one', () => {
    const from = '2026-11-16T09:00:00+08:00';
    const pause = { from: '2026-11-17T09:00:00+08:00', reason: 'the subject asked for the evidence list' };
    expect(deadlineOf(table, from, THREE, { pauses: [pause] }).due).toBeUndefined();
    const over = { ...pause, until: '2026-11-18T10:00:00+08:00' };
    const deadline = deadlineOf(table, from, THREE, { pauses: [over] });
    expect(deadline.days.map(({ verdict }) => verdict)).toEqual([
      'paused',
      'paused',
      'counted',
      'counted',
      'weekend',
      'weekend',
      'counted',
    ]);
    expect(deadline.due).toBe('2026-11-24T00:00:00.000+08:00');
  });

  it('grows by an extension', () => {
    const extended = deadlineOf(table, '2026-11-16T09:00:00+08:00', THREE, {
      extensions: [{ days: 2, reason: 'evidence abroad' }],
    });
    expect(extended.due).toBe('2026-11-24T00:00:00.000+08:00');
  });

  it('names the years of which the moved days are not known, once it counts into them', () => {
    const last = table.lastYear;
    expect(deadlineOf(table, `${last}-12-30T09:00:00+08:00`, FIFTEEN).unknownYears).toEqual([last + 1]);
    expect(deadlineOf(table, `${last}-11-02T09:00:00+08:00`, FIFTEEN).unknownYears).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a term of %s days', (count) => {
    expect(() => due('2026-11-16T09:00:00+08:00', { count, unit: 'day' })).toThrow(RangeError);
  });

  it('counts exactly its days, ends on a working day, and never ends sooner for beginning later', () => {
    const moment = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2026, 8, 1) });
    fc.assert(
      fc.property(moment, moment, fc.integer({ min: 1, max: 40 }), (a, b, count) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)].map((ms) => new Date(ms).toISOString());
        const term: Term = { count, unit: 'workingDay' };
        const { days, due: end } = deadlineOf(table, first as string, term);
        expect(days.filter(({ verdict }) => verdict === 'counted')).toHaveLength(count);
        expect(isWorkingDay(table, days.at(-1)?.date ?? '')).toBe(true);
        expect(Date.parse(due(second as string, term) ?? '')).toBeGreaterThanOrEqual(Date.parse(end ?? ''));
      }),
    );
  });
});
