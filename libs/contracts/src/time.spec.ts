import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTime, timeMs, timeOrDateMs, toBeijingTime } from './time.js';

test('a time goes out in Beijing time and comes back the same', () => {
  expect(toBeijingTime(new Date('2020-02-03T16:30:00.007Z'))).toBe('2020-02-04T00:30:00.007+08:00');
  const dates = fc.date({ min: new Date('1900-01-02'), max: new Date('9999-12-30'), noInvalidDate: true });
  fc.assert(fc.property(dates, (date) => expect(parseTime(toBeijingTime(date))).toEqual(date)));
});

test.each([
  ['2020-02-03T09:30:00+08:00', '2020-02-03T01:30:00.000Z'],
  ['2020-02-03T01:30:00Z', '2020-02-03T01:30:00.000Z'],
  ['2020-02-03t01:30:00.5z', '2020-02-03T01:30:00.500Z'],
  ['2020-02-03T01:30:00.123456789Z', '2020-02-03T01:30:00.123Z'],
  ['2020-02-02T20:00:00-05:30', '2020-02-03T01:30:00.000Z'],
  ['2020-02-29T00:00:00+08:00', '2020-02-28T16:00:00.000Z'],
])('%s is %s', (text, utc) => {
  expect(parseTime(text).toISOString()).toBe(utc);
});

test.each([
  '',
  '2020-02-03',
  '2020-02-03T09:30:00',
  '2020-02-03 09:30:00+08:00',
  '2020-02-30T09:30:00+08:00',
  '2021-02-29T09:30:00+08:00',
  '2020-13-01T09:30:00+08:00',
  '2020-02-03T24:00:00+08:00',
  '2020-02-03T09:60:00+08:00',
  '2020-02-03T09:30:60+08:00',
  '2020-02-03T09:30:00+24:00',
  '2020-02-03T09:30:00+0800',
  '0020-02-03T09:30:00Z',
  '1580693400000',
])('%j is no RFC 3339 time', (text) => {
  expect(timeMs(text)).toBeUndefined();
  expect(() => parseTime(text)).toThrow(RangeError);
});

test('a bare date begins in Beijing', () => {
  expect(timeOrDateMs('2020-01-20')).toBe(Date.parse('2020-01-19T16:00:00Z'));
  expect(timeOrDateMs('2020-02-30')).toBeUndefined();
});
