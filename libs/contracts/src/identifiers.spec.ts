import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  FICTIONAL_REGION,
  isMaskedResidentId,
  isRegistrationNumber,
  isResidentId,
  isUscc,
  makeRegistrationNumber,
  makeResidentId,
  makeUscc,
} from './identifiers.js';

const serial = fc.integer({ min: 0, max: 99_999_999 });
const usccs = serial.map((n) => makeUscc(FICTIONAL_REGION, n));
const registrationNumbers = fc
  .integer({ min: 1, max: 99_999_999 })
  .map((n) => makeRegistrationNumber(FICTIONAL_REGION, n));
const residentIds = fc
  .tuple(
    fc.date({ min: new Date('1930-01-01'), max: new Date('2008-12-31'), noInvalidDate: true }),
    fc.integer({ min: 0, max: 999 }),
  )
  .map(([born, n]) => makeResidentId(FICTIONAL_REGION, born.toISOString().slice(0, 10).replaceAll('-', ''), n));

const replaced = (text: string, at: number, by: string): string => text.slice(0, at) + by + text.slice(at + 1);
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';

describe('every number that a maker gives is valid, and no longer after one character is changed', () => {
  const laws: [string, fc.Arbitrary<string>, (text: string) => boolean, string][] = [
    ['USCC', usccs, isUscc, ALPHABET],
    ['registration number', registrationNumbers, isRegistrationNumber, '0123456789'],
    ['resident id', residentIds, isResidentId, '0123456789X'],
  ];
  test.each(laws)('%s', (_name, numbers, isValid, alphabet) => {
    fc.assert(
      fc.property(numbers, fc.nat(17), fc.constantFrom(...alphabet), (number, place, character) => {
        expect(isValid(number)).toBe(true);
        const at = place % number.length;
        expect(isValid(replaced(number, at, character))).toBe(number[at] === character);
      }),
    );
  });

  test('two neighbours exchanged are noticed in a USCC and a resident id', () => {
    fc.assert(
      fc.property(fc.oneof(usccs, residentIds), fc.nat(15), (number, at) => {
        const [a, b] = [number.charAt(at), number.charAt(at + 1)];
        fc.pre(a !== b);
        const swapped = replaced(replaced(number, at, b), at + 1, a);
        // By its own kind: exchanged digits of a resident id may by chance be somebody's USCC.
        expect((isResidentId(number) ? isResidentId : isUscc)(swapped)).toBe(false);
      }),
    );
  });
});

describe('known numbers', () => {
  test('USCC: real ones of public bodies, and the traps', () => {
    expect(isUscc('91110108551385082Q')).toBe(true);
    expect(isUscc('911101085513850820')).toBe(false);
    expect(isUscc('000000000000000000')).toBe(false);
    expect(isUscc('91110108551385082q')).toBe(false);
    expect(isUscc(' 91110108551385082Q')).toBe(false);
    expect(isUscc('')).toBe(false);
  });

  test('USCC: the inner check of GB 11714 counts even where the outer one is right', () => {
    const good = makeUscc(FICTIONAL_REGION, 12_345);
    const inner = good.charAt(16) === '0' ? '1' : '0';
    const outerRight = ALPHABET.split('').map((check) => `${good.slice(0, 16)}${inner}${check}`);
    expect(outerRight.filter((text) => isUscc(text))).toEqual([]);
  });

  test('resident id: the example of GB 11643-1999, and impossible dates', () => {
    expect(isResidentId('11010519491231002X')).toBe(true);
    expect(isResidentId('440524188001010014')).toBe(true);
    expect(isResidentId('11010519491231002x')).toBe(false);
    expect(isResidentId(makeResidentId(FICTIONAL_REGION, '19900229', 1))).toBe(false);
    expect(isResidentId(makeResidentId(FICTIONAL_REGION, '19920229', 1))).toBe(true);
    expect(isResidentId(makeResidentId(FICTIONAL_REGION, '19901301', 1))).toBe(false);
  });

  test('masked resident ids are told apart from broken ones', () => {
    for (const text of ['623021********3053', '623***********305X', '6230****3053'])
      expect(isMaskedResidentId(text)).toBe(true);
    for (const text of ['11010519491231002X', '****', '110105194912310021', '110105********12345', '1*'])
      expect(isMaskedResidentId(text)).toBe(false);
  });

  test('a serial that does not fit is refused, never cut', () => {
    expect(() => makeUscc(FICTIONAL_REGION, 123_456_789)).toThrow(RangeError);
    expect(makeUscc(FICTIONAL_REGION, '000000042')).toBe(makeUscc(FICTIONAL_REGION, 42));
  });
});

const shared = process.env.LIANDUN_SHARED ?? join(process.cwd(), '../shared');
const golden = join(shared, 'data/identity/small.jsonl.gz');
const read = (name: string): string[] =>
  gunzipSync(readFileSync(join(shared, 'data/identity', name)))
    .toString('utf8')
    .split('\n')
    .filter(Boolean);

// oxlint-disable-next-line jest/no-disabled-tests -- the register extract lies outside the repository
(existsSync(golden) ? describe : describe.skip)('the register extract', () => {
  test('every number of a public register passes, and no typing error does', () => {
    const tags = new Map(read('small.categories.tsv.gz').map((line) => line.split('\t') as [string, string]));
    const seen = { uscc: 0, typo: 0, registrationNumber: 0, residentId: 0 };
    for (const line of read('small.jsonl.gz')) {
      const { recordId, identity } = JSON.parse(line) as { recordId: string; identity: Record<string, string> };
      const tag = tags.get(recordId) ?? '';
      const { uscc, registrationNumber, residentId } = identity;
      if (uscc && tag.includes('usccTypo')) {
        seen.typo++;
        expect(isUscc(uscc)).toBe(false);
      } else if (uscc && !/usccSpelling|regnoInUsccField|junk/.test(tag)) {
        seen.uscc++;
        expect(isUscc(uscc)).toBe(true);
      }
      if (registrationNumber) {
        seen.registrationNumber++;
        expect(isRegistrationNumber(registrationNumber)).toBe(true);
      }
      if (residentId && /^\d{17}[\dX]$/.test(residentId)) {
        seen.residentId++;
        expect(isResidentId(residentId)).toBe(true);
      }
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });
});
