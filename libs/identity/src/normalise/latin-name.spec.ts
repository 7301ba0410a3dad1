import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { existsSync, readFileSync } from 'node:fs';
import { LATIN_NAME_MATCH, latinNameSimilarity } from './latin-name.js';

describe('names in letters', () => {
  test.each([
    ['Yunxi Trading Co., Ltd.', 'YUNXI TRADING COMPANY LIMITED'],
    ['Lindqvist, Ada', 'Ada Lindqvist'],
    ['A. Lindqvist', 'Ada Lindqvist'],
    ['Ada Mária Lindqvist', 'Ada Lindqvist'],
    ['Иван Демидов', 'Ivan Demidov'],
    ['Yun Xi Trading', 'Yunxi Trading'],
    ['AdaLindqvist', 'Ada Lindqvist'],
  ])('%s may be %s', (a, b) => {
    expect(latinNameSimilarity(a, b)).toBeGreaterThanOrEqual(LATIN_NAME_MATCH);
    expect(latinNameSimilarity(a, b)).toBeCloseTo(latinNameSimilarity(b, a), 10);
  });
  test.each([
    ['Ada Lindqvist', 'Ada Bergman'],
    ['Ada Lindqvist', 'Olga Lindqvist'],
    ['Yunxi Trading', 'Luming Trading'],
    ['Omar bin Salim', 'Salim bin Omar'],
    ['', 'Ada'],
  ])('%j is not %j', (a, b) => expect(latinNameSimilarity(a, b)).toBeLessThan(LATIN_NAME_MATCH));
});

// Where the material lies; without it these tests are skipped, and say so.
const PAIRS = `${process.env.LIANDUN_SHARED ?? '../shared'}/data/entity-resolution/nomenklatura/name_bench_cases.csv`;

(existsSync(PAIRS) ? describe : describe.skip)('the public name pairs', () => {
  test('F1 is above 0.85', () => {
    const pairs: { name1: string; name2: string; is_match: string }[] = parse(readFileSync(PAIRS), { columns: true });
    let [right, wrong, missed] = [0, 0, 0];
    for (const { name1, name2, is_match } of pairs) {
      const same = latinNameSimilarity(name1, name2) >= LATIN_NAME_MATCH;
      if (same && is_match === 'true') right++;
      else if (same) wrong++;
      else if (is_match === 'true') missed++;
    }
    expect(pairs).toHaveLength(826);
    expect((2 * right) / (2 * right + wrong + missed)).toBeGreaterThan(0.85);
  });
});
