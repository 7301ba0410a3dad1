import { describe, expect, test } from '@jest/globals';
import { FICTIONAL_REGION, makeRegistrationNumber, makeResidentId, makeUscc } from '@liandun/contracts';
import fc from 'fast-check';
import { maskedAgrees, readResidentId } from './resident-id.js';
import { isOrganizationCode, readRegistrationNumber, readUscc, repairUscc, usccParts, usccSlip } from './uscc.js';

const CODE = makeUscc(FICTIONAL_REGION, 4711);
const ENDS_IN_ZERO = Array.from({ length: 200 }, (_, i) => makeUscc(FICTIONAL_REGION, i)).find((c) => c.endsWith('0'))!;
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXYIOZSV';

describe('unified social credit codes (GB 32100-2015)', () => {
  test.each([
    ['as it is', CODE],
    ['spaced', `${CODE.slice(0, 6)} ${CODE.slice(6)}`],
    ['in lower case', CODE.toLowerCase()],
    ['full-width', CODE.replaceAll(/./g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))],
    ['with hyphens', `${CODE.slice(0, 2)}-${CODE.slice(2)}`],
    ['with its name before it', `统一社会信用代码：${CODE}`],
  ])('%s it reads the same', (_, text) => expect(readUscc(text)).toEqual({ status: 'valid', code: CODE }));

  test('a code that ends in 0 is valid', () =>
    expect(readUscc(ENDS_IN_ZERO)).toEqual({ status: 'valid', code: ENDS_IN_ZERO }));

  test.each(['000000000000000000', '无', '', '111111111111111111', '123456789012345678', '91000000000000000X', '——'])(
    'nobody is named by %j',
    (text) => expect(readUscc(text)).toEqual({ status: 'placeholder' }),
  );

  test('has its parts', () =>
    expect(usccParts(CODE)).toEqual({
      authority: '9',
      category: '1',
      regionCode: FICTIONAL_REGION,
      organizationCode: CODE.slice(8, 17),
    }));

  test('the organization code inside checks by itself (GB 11714)', () => {
    expect(isOrganizationCode(CODE.slice(8, 17))).toBe(true);
    expect(readUscc(CODE.slice(8, 17))).toEqual({ status: 'organizationCode', organizationCode: CODE.slice(8, 17) });
  });

  test('the 15-digit number in its place is recognised, and the other way round', () => {
    const number = makeRegistrationNumber('110108', 12_345);
    expect(readUscc(number)).toEqual({ status: 'registrationNumber', number });
    expect(readRegistrationNumber(CODE)).toEqual({ status: 'uscc', code: CODE });
    expect(readRegistrationNumber(number)).toEqual({ status: 'valid', number, regionCode: '110108' });
    expect(readRegistrationNumber('000000000000000')).toEqual({ status: 'placeholder' });
  });

  test('letters for the digits they look like are one answer, however many', () => {
    const written = CODE.replaceAll('0', 'O').replaceAll('1', 'I');
    expect(readUscc(written)).toEqual({ status: 'repaired', code: CODE, slip: 'lookAlike' });
  });

  const codes = fc
    .tuple(fc.constantFrom('990101', '110108', '330106', '440305', '510100'), fc.nat(99_999_999), fc.boolean())
    .map(([region, serial, sole]) => makeUscc(region, serial, sole ? 'soleProprietor' : 'organization'));
  const slip = fc.oneof(
    fc.record({ kind: fc.constant('substitute'), at: fc.nat(17), char: fc.constantFrom(...ALPHABET) }),
    fc.record({ kind: fc.constantFrom('swap', 'drop', 'double'), at: fc.nat(16), char: fc.constant('') }),
  );
  const slipped = (code: string, { kind, at, char }: { kind: string; at: number; char: string }): string => {
    if (kind === 'substitute') return code.slice(0, at) + char + code.slice(at + 1);
    if (kind === 'swap') return code.slice(0, at) + code[at + 1] + code[at] + code.slice(at + 2);
    return kind === 'drop' ? code.slice(0, at) + code.slice(at + 1) : code.slice(0, at + 1) + code.slice(at);
  };

  test('a slip in a valid code is repaired to that code or to nothing, never to another', () =>
    fc.assert(
      fc.property(codes, slip, (code, change) => {
        const text = slipped(code, change);
        const repaired = repairUscc(text);
        if (text === code) expect(repaired).toBeUndefined();
        else if (repaired) expect(repaired.code).toBe(code);
      }),
      { numRuns: 300 },
    ));

  test('a doubled character is repaired wherever only one deletion gives a code, and beside the code every slip is named', () =>
    fc.assert(
      fc.property(codes, slip, (code, change) => {
        const text = slipped(code, change);
        if (text === code) expect(usccSlip(text, code)).toBeUndefined();
        else expect(usccSlip(text, code)).toBeDefined();
      }),
    ));

  test('two unrelated codes are no slip of each other', () =>
    expect(usccSlip(makeUscc('110108', 11_111), makeUscc('110108', 22_222))).toBeUndefined());
});

describe('resident identity numbers (GB 11643-1999)', () => {
  const ID = makeResidentId('330106', '19850412', 27);

  test('gives birthday, division and sex', () =>
    expect(readResidentId(` ${ID.toLowerCase()}`)).toEqual({
      status: 'valid',
      id: ID,
      regionCode: '330106',
      birthday: '19850412',
      sex: 'male',
      short: false,
    }));

  test('fifteen digits are lengthened by the century, and by 18 for the serials of centenarians', () => {
    expect(readResidentId(ID.slice(0, 6) + ID.slice(8, 17))).toMatchObject({ status: 'valid', id: ID, short: true });
    expect(readResidentId(`330106990412997`)).toMatchObject({ birthday: '18990412' });
  });

  test.each(['111111111111111111', '无', '000000000000000', ''])('nobody is %j', (text) =>
    expect(readResidentId(text).status).toBe('placeholder'),
  );

  test.each([
    ['a wrong check', ID.slice(0, 17) + (ID[17] === '1' ? '2' : '1')],
    ['a day the calendar has not', '33010619850231027X'],
    ['letters', '33010619850412ABCD'],
  ])('%s is invalid', (_, text) => expect(readResidentId(text).status).toBe('invalid'));

  const masked = (text: string): string => {
    const reading = readResidentId(text);
    if (reading.status !== 'masked') throw new Error(`${text} is ${reading.status}`);
    return reading.pattern;
  };

  test.each([
    ['330106********0270', '330106********0270'],
    ['330106****0270', '330106********0270'],
    ['３３０１０６＊＊＊＊＊＊＊＊０２７０', '330106********0270'],
    ['330106xxxxxxxx0270', '330106********0270'],
    ['330***', '330***************'],
    ['330106●●●●●●●●027X', '330106********027X'],
  ])('%s is the pattern %s', (text, pattern) => expect(masked(text)).toBe(pattern));

  test('agrees, contradicts, or says nothing beyond the division', () => {
    const own = `${ID.slice(0, 6)}********${ID.slice(14)}`;
    expect(maskedAgrees(own, ID)).toEqual({ verdict: 'agree', compared: 10, beyondRegion: 4 });
    const other = makeResidentId('330106', '19850412', 28);
    expect(maskedAgrees(own, other).verdict).toBe('contradict');
    expect(maskedAgrees('330***************', ID)).toEqual({ verdict: 'unknown', compared: 3, beyondRegion: 0 });
    expect(maskedAgrees('110***************', ID).verdict).toBe('contradict');
  });

  test('every masking of a number agrees with it or leaves it open', () =>
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 10 }), fc.integer({ min: 0, max: 4 }), (head, tail) => {
        const pattern = masked(`${ID.slice(0, head)}****${tail === 0 ? '' : ID.slice(-tail)}`);
        expect(pattern).toHaveLength(18);
        expect(maskedAgrees(pattern, ID).verdict).not.toBe('contradict');
      }),
    ));
});
