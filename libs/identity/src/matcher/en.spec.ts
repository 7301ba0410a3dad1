import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { resolveBatch } from './batch.js';
import { englishFeatures, readBirth, type EnglishRecord } from './en-features.js';
import { englishKeys } from './en-keys.js';
import { englishLevels } from './en-levels.js';
import { compareEnglishNames, soundOf, wholeName } from './en-names.js';
import { enMatcher } from './en.js';
import { explainApart } from './explain.js';
import { KEYS_MAX } from './types.js';

const nameOf = (full: string) => {
  const [name] = englishFeatures({ recordId: 'r', kind: 'person', names: [{ full }] }).names;
  if (!name) throw new Error(full);
  return name;
};

describe('names of persons', () => {
  test.each([
    ['William Marlow', 'William Marlow', 'equal equal none'],
    ['Bill Marlow', 'William Marlow', 'alike equal none'],
    ['W. Marlow', 'William Marlow', 'initial equal none'],
    ['Marlow, William', 'William Marlow', 'equal equal none'],
    ['Marlow William', 'William Marlow', 'turned'],
    ['William Marlwo', 'William Marlow', 'equal alike none'],
    ['William Henry Marlow', 'William Hy Marlow', 'equal equal different'],
    ['Sir William Marlow', 'William Marlow', 'equal equal none'],
    ['Mary Marlow', 'Mark Marlow', 'different equal none'],
    ['Agnes Holt', 'William Marlow', 'different'],
    ['王杰', 'Jie Wang', 'equal equal none'],
  ])('%s beside %s: %s', (a, b, level) => expect(compareEnglishNames(nameOf(a), nameOf(b)).level).toBe(level));

  test('a rare surname says more than a common one', () => {
    const rarity = (full: string) => compareEnglishNames(nameOf(full), nameOf(full)).rarity;
    expect(rarity('John Quillinan')).toBeGreaterThan(rarity('John Smith'));
  });
  test('a short name stands for the commonest whole one', () => expect(wholeName('bob')).toBe('robert'));
  test('spellings of one sound are one', () => expect(soundOf('catherine')).toBe(soundOf('katharine')));
});

test.each([
  ['1861-04-09', '18610409'],
  ['19560409', '19560409'],
  ['4/9/1861', '18610409'],
  ['20/8/1991', '19910820'],
  ['15-Mar-92', '19920315'],
  ['Mar 1 1970', '19700301'],
  ['some day', undefined],
])('the date %s is %s', (text, birth) => expect(readBirth(text)).toBe(birth));

const records = fc
  .array(
    fc.record(
      {
        names: fc.subarray([{ full: 'Ann Marlow' }, { given: 'Bill', surname: 'Marlow' }, { full: 'W H Marlow' }]),
        births: fc.subarray(['1861-04-09', '1861-09-04', '1890-01-01']),
        addresses: fc.subarray([
          { text: '7 Mill Lane', postcode: 'ZZ1 1AA' },
          { text: '7 Mill Ln Mill', postcode: 'ZZ1 1AB' },
          { postcode: 'ZZ1 1AA' },
        ]),
        phones: fc.subarray(['555-0100', '702-555-0100']),
        emails: fc.subarray(['marlow@example.org', 'w@example.org']),
        numbers: fc.subarray([
          { kind: 'ssn', value: '000111' },
          { kind: 'ssn', value: '000112' },
          { kind: 'passport', issuer: 'US', value: '1' },
        ]),
      },
      { requiredKeys: ['names'] },
    ),
    { minLength: 2, maxLength: 10 },
  )
  .map((list): EnglishRecord[] => list.map((one, i) => ({ ...one, recordId: `r${i}`, kind: 'person' })));

describe('the English matcher', () => {
  test('compares symmetrically, with bounded keys, and its features are their own JSON', () => {
    fc.assert(
      fc.property(records, ([one, other]) => {
        const [a, b] = [one, other].map((record) => englishFeatures(record as EnglishRecord));
        if (!a || !b) throw new Error('two records');
        expect(englishLevels(a, b)).toEqual(englishLevels(b, a));
        expect(englishKeys(a).length).toBeLessThanOrEqual(KEYS_MAX);
        expect(JSON.parse(JSON.stringify(a))).toEqual(a);
      }),
    );
  });

  test('gives the same entities in any order', async () => {
    const entities = async (list: EnglishRecord[]) =>
      [...(await resolveBatch(enMatcher, list)).assignments()].toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1));
    await fc.assert(
      fc.asyncProperty(records, async (list) =>
        expect(await entities(list.toReversed())).toEqual(await entities(list)),
      ),
      { numRuns: 50 },
    );
  });

  test('keeps relatives of one house apart, and a moved woman of one number together', async () => {
    const house = {
      kind: 'person' as const,
      addresses: [{ text: '7 Mill Lane, Elsewhere 99999' }],
      emails: ['m@example.org'],
    };
    const result = await resolveBatch(enMatcher, [
      { recordId: 'a', ...house, names: [{ full: 'Ann Marlow' }], births: ['1961-04-09'] },
      { recordId: 'b', ...house, names: [{ full: 'William Marlow' }], births: ['1959-01-30'] },
      {
        recordId: 'c',
        kind: 'person',
        names: [{ full: 'Ann Holt' }],
        births: ['1961-04-09'],
        numbers: [{ kind: 'licence', issuer: 'NV', value: '7001' }],
      },
      {
        recordId: 'd',
        ...house,
        names: [{ full: 'Ann Marlow' }],
        births: ['1961-04-09'],
        numbers: [{ kind: 'licence', issuer: 'NV', value: '7001' }],
      },
    ]);
    const entityOf = new Map([...result.assignments()].map(({ recordId, entityId }) => [recordId, entityId]));
    expect(entityOf.get('a')).toBe(entityOf.get('d'));
    expect(entityOf.get('c')).toBe(entityOf.get('d'));
    expect(entityOf.get('b')).not.toBe(entityOf.get('a'));
  });

  test('tells in both languages why two are apart', () => {
    const [a, b] = ['William Marlow', 'Bill Holt'].map((full) =>
      englishFeatures({ recordId: full, kind: 'person', names: [{ full }], births: ['1861-04-09'] }),
    );
    if (!a || !b) throw new Error('two records');
    const { outcome, fields } = explainApart(enMatcher, a, b, { holders: () => 1 });
    expect(outcome).not.toBe('link');
    expect(fields.map(({ en }) => en)).toContain('name: given name alike, surname different, between missing');
    expect(fields.map(({ zh }) => zh)).toContain('出生日期：相同');
  });
});
