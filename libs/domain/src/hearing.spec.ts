import { loadWorkingDays } from '@liandun/contracts';
import { describe, expect, test } from '@jest/globals';
import { hearingDeadline, tellBy, tellOverdueBefore, tellRemindedBefore } from './hearing.js';

const table = loadWorkingDays();
// Spring Festival of 2020: off from 24 January to 2 February, Sunday 19 January worked.
const BEFORE_THE_FESTIVAL = '2020-01-22T16:00:00+08:00';

describe('P06: how long a case is held', () => {
  test('three working days, across a holiday', () => {
    const { due, days, calendar } = hearingDeadline(table, BEFORE_THE_FESTIVAL, 0);
    expect(due).toBe('2020-02-05T00:00:00.000+08:00');
    expect(days.filter(({ verdict }) => verdict === 'counted').map(({ date }) => date)).toEqual([
      '2020-01-23',
      '2020-02-03',
      '2020-02-04',
    ]);
    expect(days.filter(({ verdict }) => verdict === 'holiday')).toHaveLength(10);
    expect(calendar).toMatch(/^chinese-days /);
  });

  test('a law’s fifteen days are calendar days and end later', () => {
    expect(hearingDeadline(table, BEFORE_THE_FESTIVAL, 15)).toMatchObject({
      due: '2020-02-07T00:00:00.000+08:00',
      term: { count: 15, unit: 'day' },
    });
  });

  test('where the working days end later than the law’s days, they count', () => {
    expect(hearingDeadline(table, BEFORE_THE_FESTIVAL, 2).term.unit).toBe('workingDay');
  });

  test('an extension and a pause move it, each with its reason; an open pause leaves no deadline', () => {
    const extended = hearingDeadline(table, '2026-03-02T09:00:00+08:00', 0, {
      extensions: [{ days: 2, reason: 'evidenceRequested' }],
    });
    expect(extended.due).toBe('2026-03-10T00:00:00.000+08:00');
    const pause = { from: '2026-03-03T09:00:00+08:00', reason: 'evidenceRequested' };
    expect(hearingDeadline(table, '2026-03-02T09:00:00+08:00', 0, { pauses: [pause] }).due).toBeUndefined();
  });
});

describe('P06: when the subject is told of what others were told of at once', () => {
  test.each([
    ['2026-03-02T00:00:00+08:00', '2026-03-03T00:00:00.000+08:00'],
    ['2026-03-02T23:59:59+08:00', '2026-03-03T00:00:00.000+08:00'],
    ['2026-03-02T16:30:00Z', '2026-03-04T00:00:00.000+08:00'],
  ])('P06: told of at %s, by the end of the same day in China, whatever the server’s offset', (at, by) => {
    expect(tellBy(at)).toBe(by);
  });

  test('P06: its publisher is reminded in the last hours of that day, and late some hours after it', () => {
    const at = (time: string) => new Date(`2026-03-02T${time}+08:00`);
    expect(tellRemindedBefore(at('19:59:59'))).toBe('2026-03-02T00:00:00.000+08:00');
    expect(tellRemindedBefore(at('20:00:00'))).toBe('2026-03-03T00:00:00.000+08:00');
    expect(tellOverdueBefore(at('01:59:59'))).toBe('2026-03-01T00:00:00.000+08:00');
    expect(tellOverdueBefore(at('02:00:00'))).toBe('2026-03-02T00:00:00.000+08:00');
  });
});
