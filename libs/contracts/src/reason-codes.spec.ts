import { describe, expect, test } from '@jest/globals';
import { loadReasonCodes, reasonCodes, ReasonCodesError, termDays, type ReasonCode } from './reason-codes.js';

const HEADER =
  'code,labelZh,labelEn,subjectKinds,legalBasis,proofFloor,tier,defaultRetentionDays,autoClosable,notes,statutoryHoldDays,emergency\n';
const GOOD = 'A01,甲,A,organization|person,电子商务法 第10条,platformFinding,3,90,false,,0,false'.split(',');
const rowWith = (column: number, text: string): string => GOOD.with(column, text).join(',');

describe('the product’s own table', () => {
  const { version, codes } = reasonCodes();

  test('has 59 codes and a version', () => {
    expect([version, codes.size]).toEqual(['2', 59]);
  });

  test('gives each letter its area', () => {
    const areas = new Map([...codes.values()].map(({ code, area }) => [code.charAt(0), area]));
    expect(Object.fromEntries(areas)).toEqual({
      A: 'identity',
      B: 'trade',
      C: 'quality',
      D: 'trade',
      E: 'advertising',
      F: 'price',
      G: 'crime',
      H: 'trade',
      K: 'claimants',
      V: 'victims',
      X: 'platformRules',
    });
  });

  test('is read as it stands', () => {
    expect(codes.get('F04')).toMatchObject({
      labelZh: '应急期间哄抬防疫等应急物资价格',
      subjectKinds: ['organization', 'soleProprietor', 'person'],
      legalBasis: ['价格法 第14条', '价格法 第40条', '价格违法行为行政处罚规定 第6条', '突发事件应对法 第73条'],
      proofFloor: 'platformFinding',
      tier: 1,
      defaultRetentionDays: 1095,
      autoClosable: false,
    });
  });

  test('P01: closes by itself only on an official finding of tier 1', () => {
    const closing = [...codes.values()].filter(({ autoClosable }) => autoClosable);
    expect(closing.map(({ code }) => code)).toEqual(['A03', 'A11', 'C02', 'C10', 'G01', 'G03']);
  });
});

test('statutory holds and emergencies are data (P06)', () => {
  const codes = [...reasonCodes().codes.values()];
  const holds = codes.filter(({ statutoryHoldDays }) => statutoryHoldDays > 0);
  expect(holds.map(({ code, statutoryHoldDays }) => [code, statutoryHoldDays])).toEqual([
    ['C08', 15],
    ['D01', 15],
    ['D02', 15],
  ]);
  expect(codes.filter(({ emergency }) => emergency).map(({ code }) => code)).toEqual(['C06', 'F04']);
});

describe('a damaged table names its row and column', () => {
  const damage: [string, string, number, string][] = [
    ['an unknown letter', HEADER + rowWith(0, 'Q01'), 2, 'code'],
    ['a code twice', `${HEADER}${GOOD.join(',')}\n${GOOD.join(',')}`, 3, 'code'],
    ['no label', HEADER + rowWith(1, ''), 2, 'labelZh'],
    ['an English label with spaces around', HEADER + rowWith(2, ' A '), 2, 'labelEn'],
    ['an unknown kind', HEADER + rowWith(3, 'company'), 2, 'subjectKinds'],
    ['an empty article', HEADER + rowWith(4, '电子商务法 第10条|'), 2, 'legalBasis'],
    ['an unknown proof', HEADER + rowWith(5, 'rumour'), 2, 'proofFloor'],
    ['tier 4', HEADER + rowWith(6, '4'), 2, 'tier'],
    ['a term in words', HEADER + rowWith(7, 'long'), 2, 'defaultRetentionDays'],
    ['no term', HEADER + rowWith(7, '0'), 2, 'defaultRetentionDays'],
    ['closing by itself on a platform finding', HEADER + rowWith(8, 'true'), 2, 'autoClosable'],
    ['a hold in words', HEADER + rowWith(10, 'two weeks'), 2, 'statutoryHoldDays'],
    ['a hold of tier 1', HEADER + GOOD.with(6, '1').with(10, '15').join(','), 2, 'statutoryHoldDays'],
    ['an emergency in words', HEADER + rowWith(11, 'maybe'), 2, 'emergency'],
    ['a cell too many', `${HEADER}${GOOD.join(',')},x`, 2, 'emergency'],
    ['a column missing', 'code,labelZh\n', 1, 'labelEn'],
    ['no rows', HEADER, 2, 'code'],
  ];
  test.each(damage)('%s', (_name, csv, row, column) => {
    let caught: unknown;
    try {
      loadReasonCodes(csv);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ReasonCodesError);
    expect(caught).toMatchObject({ row, column });
  });
});

const of = (code: string): ReasonCode => reasonCodes().codes.get(code) as ReasonCode;

test('terms follow rule P11', () => {
  expect(termDays(of('E01'), 'platformFinding')).toBe(365);
  expect(termDays(of('E01'), 'registerPush')).toBe(365);
  expect(termDays(of('E01'), 'administrativeDecision')).toBe(1095);
  expect(termDays(of('E05'), 'judgment')).toBe(90);
  expect(termDays(of('C10'), 'administrativeDecision')).toBe(1825);
});
