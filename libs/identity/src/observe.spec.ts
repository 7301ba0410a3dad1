import { expect, test } from '@jest/globals';
import { keysOf, observe } from './observe.js';

const USCC = '91340700774967960L';

test.each([
  ['as it is', USCC],
  ['in lower case, with spaces', ' 9134 0700 7749 6796 0l '],
  ['full-width', '９１３４０７００７７４９６７９６０Ｌ'],
  ['with hyphens and a zero-width space', '91340700-77496796-0\u200BL'],
])('a USCC is read %s', (_, uscc) => expect(observe({ kind: 'organization', uscc }).own).toEqual({ uscc: USCC }));

test.each([
  ['eighteen zeros', '000000000000000000'],
  ['eighteen ones', '111111111111111111'],
  ['a wrong check character', '91340700774967960M'],
  ['masked', '9134070077****960L'],
  ['a word', '无'],
  ['empty', ''],
])('no key comes from a USCC that is %s', (_, uscc) =>
  expect(keysOf(observe({ kind: 'organization', uscc }))).toEqual([]),
);

test.each([
  ['person', { residentId: '11010519491231002X' }],
  ['soleProprietor', { residentId: '11010519491231002X' }],
  ['organization', {}],
] as const)('the resident id of a %s', (kind, own) =>
  expect(observe({ kind, residentId: '11010519491231002x' }).own).toEqual(own),
);

test.each(['110105********002X', '110105194912310021', '000000000000000000', '110105194913310021'])(
  'a resident id that is masked, damaged or a placeholder gives no key: %s',
  (residentId) => expect(observe({ kind: 'person', residentId }).own).toEqual({}),
);

test("a representative's resident id is nobody's key", () => {
  const identity = { kind: 'organization' as const, legalRepresentative: { residentId: '11010519491231002X' } };
  expect(keysOf(observe(identity))).toEqual([]);
});

test('a person has no USCC and no registration number', () =>
  expect(keysOf(observe({ kind: 'person', uscc: USCC, registrationNumber: '110108000000016' }))).toEqual([]));

test('a 15-digit number counts also where it stands in the place of the USCC, once', () =>
  expect(
    observe({ kind: 'organization', uscc: '110108000000016', registrationNumber: '１１０１０８０００００００１６' })
      .weak,
  ).toEqual({ registrationNumber: ['110108000000016'], bankAccounts: [] }));

test('accounts are normalised; masked, short and filler ones are left out', () =>
  expect(
    observe({
      kind: 'person',
      bankAccounts: [
        '6228 4825 6273 2888 950',
        '6228482562732888950',
        '6228****8950',
        '88888888',
        '12345678',
        '无',
        '123',
      ],
    }).weak.bankAccounts,
  ).toEqual(['6228482562732888950']));
