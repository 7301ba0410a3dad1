import { describe, expect, test } from '@jest/globals';
import { checkChangedCodes, ReasonCodeHistory } from './reason-code-changes.js';
import { reasonCodes, type ReasonCode } from './reason-codes.js';

const table = reasonCodes();
const shareable = [...table.codes.values()].filter(({ area }) => area !== 'platformRules');
const row = ({ area: _area, ...rest }: ReasonCode, more: object = {}): object => ({ ...rest, ...more });

describe('P05: rows of a change', () => {
  test('P05: every released row but X may be worded anew, and says the same otherwise', () => {
    const rows = shareable.map((reason) => row(reason, { labelEn: 'Other words' }));
    expect(checkChangedCodes(rows, table)).toEqual({
      codes: shareable.map((reason) => ({ ...reason, labelEn: 'Other words' })),
    });
  });

  test('P05: each wrong row is named with its place; two of one code are refused', () => {
    const [first, second] = shareable as [ReasonCode, ReasonCode];
    const rows = [row(first, { labelZh: ' ' }), row(second, { notes: 'a' }), row(second, { notes: 'b' }), 'A01'];
    const checked = checkChangedCodes(rows, table);
    expect('errors' in checked && checked.errors.map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/codes/0/labelZh', 'CODE_ROW_NOT_ALLOWED'],
      ['/codes/2', 'CODE_ROW_CHANGES_NOTHING'],
      ['/codes/3', 'WRONG_TYPE'],
    ]);
  });

  test.each([
    ['nothing', undefined, 'MISSING_FIELD'],
    ['a row that stands in no list', {}, 'WRONG_TYPE'],
    ['an empty list', [], 'INVALID_VALUE'],
    ['a list of 201 rows', Array.from({ length: 201 }, () => ({})), 'TOO_MANY_ITEMS'],
  ])('P05: %s is no change', (_what, rows, code) => {
    expect(checkChangedCodes(rows, table)).toEqual({ errors: [expect.objectContaining({ pointer: '/codes', code })] });
  });
});

test('P05: the table in force at a position is the released one and all changes before it', () => {
  const [reason] = shareable as [ReasonCode];
  const at = (version: number, position: number, labelEn: string): never =>
    ({ version, position, row: { ...reason, labelEn } }) as never;
  const history = new ReasonCodeHistory([at(3, 10, 'three'), at(4, 20, 'four')]);
  const seen = [0, 10, 11, 20, 21].map((position) => {
    const { version, codes } = history.at(position);
    return [version, codes.get(reason.code)?.labelEn];
  });
  expect(seen).toEqual([
    ['2', reason.labelEn],
    ['2', reason.labelEn],
    ['3', 'three'],
    ['3', 'three'],
    ['4', 'four'],
  ]);
  expect(history.current.version).toBe('4');
  expect(new ReasonCodeHistory().current).toEqual({ version: table.version, codes: table.codes });
});
