import { loadWorkingDays } from '@liandun/contracts';
import { describe, expect, test } from '@jest/globals';
import { hearingDeadline } from './hearing.js';

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
