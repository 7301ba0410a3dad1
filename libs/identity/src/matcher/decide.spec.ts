import { describe, expect, test } from '@jest/globals';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import { zhMatcher } from './zh.js';
import type { Comparison, MatchRecord, Verdict } from './types.js';

const uscc = makeUscc(FICTIONAL_REGION, 7);
const otherUscc = makeUscc(FICTIONAL_REGION, 8);
const operator = makeResidentId(FICTIONAL_REGION, '19900101', 3);
const masked = `${operator.slice(0, 6)}********${operator.slice(-4)}`;

type Identity = Omit<MatchRecord['identity'], 'kind'>;
interface Judged extends Verdict {
  comparison: Comparison;
}

function judged(kind: MatchRecord['identity']['kind'], a: Identity, b: Identity, holders = 1): Judged {
  const [x, y] = [a, b].map((identity) => zhMatcher.features({ recordId: 'r', identity: { kind, ...identity } }));
  const comparison = zhMatcher.compare(x as never, y as never, { holders: () => holders });
  return { comparison, ...zhMatcher.decide(comparison) };
}

const NAME = '杭州云溪虚构科技有限公司';
const NEIGHBOUR = '杭州云洲虚构科技有限公司';
const address = '浙江省杭州市余杭区虚构路1号501室';
const legalRepresentative = { name: '钱云溪' };
const phones = ['13900011001'];
const bankAccounts = ['33050012345678901'];

test('P14: an impostor is never the owner of the identity that it used, whatever it gave beside it', () => {
  const record = (identity: Identity, impostor?: true) =>
    zhMatcher.features({
      recordId: 'a04',
      identity: { kind: 'organization', ...identity },
      ...(impostor && { impostor }),
    });
  const outcome = (identity: Identity, impostor?: true): string => {
    const account = record({ name: '来路不明商行有限公司', uscc, phones, bankAccounts });
    const comparison = zhMatcher.compare(record(identity, impostor), account, { holders: () => 1 });
    return zhMatcher.decide(comparison).outcome;
  };
  const filed = { name: '来路不明商行有限公司', phones, bankAccounts };
  // The account that it opened under the stolen code is linked to the owner by that code.
  expect(outcome(filed)).toBe('link');
  expect(outcome(filed, true)).toBe('apart');
});

describe('firms', () => {
  const rows: [string, Identity, Identity, Partial<Verdict>][] = [
    [
      'one code',
      { name: NAME, uscc },
      { name: NAME, uscc },
      { outcome: 'link', grade: 'exact', rule: 'identifierAgrees' },
    ],
    ['one code, nothing else', { uscc }, { uscc }, { outcome: 'link', grade: 'exact' }],
    [
      'one code with incompatible names',
      { name: NAME, uscc },
      { name: '北岸食品有限公司', uscc },
      { outcome: 'review', rule: 'identifierNameDiffers' },
    ],
    [
      'two valid codes, all else equal',
      { name: NAME, uscc, phones, address, bankAccounts, legalRepresentative },
      { name: NAME, uscc: otherUscc, phones, address, bankAccounts, legalRepresentative },
      { outcome: 'apart', rule: 'conflict' },
    ],
    [
      'renamed under one code',
      { name: NAME, uscc, phones, legalRepresentative },
      { name: '杭州北岸食品有限公司', uscc, phones, legalRepresentative },
      { outcome: 'link', grade: 'exact' },
    ],
    [
      'name, phone and representative',
      { name: NAME, phones, legalRepresentative },
      { name: NAME, phones, legalRepresentative },
      { outcome: 'link', grade: 'strong', rule: 'weightOfGroups' },
    ],
    ['a name of common characters alone', { name: NAME }, { name: NAME }, { outcome: 'apart', rule: 'nameAlone' }],
    [
      'traditional characters and a moved place',
      { name: '雲溪虛構科技（杭州）有限公司', phones },
      { name: NAME, phones },
      { outcome: 'link' },
    ],
  ];
  test.each(rows)('%s', (_, a, b, verdict) => {
    expect(judged('organization', a, b)).toMatchObject(verdict);
  });

  test('a neighbour by one character at one address under one representative is not linked, and is with an account', () => {
    const a = { name: NAME, address, legalRepresentative };
    const b = { name: NEIGHBOUR, address, legalRepresentative };
    expect(judged('organization', a, b).outcome).not.toBe('link');
    expect(judged('organization', { ...a, phones }, { ...b, phones }).outcome).not.toBe('link');
    expect(judged('organization', { ...a, bankAccounts }, { ...b, bankAccounts }).outcome).toBe('link');
  });

  test('one bank account under two names is for a person, unless the account is generic', () => {
    const pair = [
      { name: NAME, bankAccounts, legalRepresentative },
      { name: '杭州北岸食品有限公司', bankAccounts, legalRepresentative: { name: '欧阳远山' } },
    ] as const;
    expect(judged('organization', ...pair)).toMatchObject({ outcome: 'review', rule: 'identifierNameDiffers' });
    expect(judged('organization', ...pair, 10).outcome).toBe('apart');
  });

  test('firms of other names never join by address, representative and phone', () => {
    const shared = { address, legalRepresentative, phones };
    expect(
      judged('organization', { name: NAME, ...shared }, { name: '杭州北岸食品有限公司', ...shared }).outcome,
    ).not.toBe('link');
  });

  test('a branch is not its head office', () => {
    const shared = { phones, legalRepresentative, bankAccounts };
    expect(
      judged('organization', { name: NAME, ...shared }, { name: `${NAME}新疆分公司`, ...shared }).outcome,
    ).not.toBe('link');
  });

  test('a generic key weighs nothing', () => {
    const { comparison } = judged('organization', { name: NAME, phones }, { name: NAME, phones }, 12);
    expect(comparison.evidence.map(({ field }) => field)).not.toContain('phone');
  });
});

describe('persons', () => {
  const name = '钱云溪';
  const rows: [string, Identity, Identity, Partial<Verdict>][] = [
    [
      'one resident id',
      { name, residentId: operator },
      { name, residentId: operator },
      { outcome: 'link', grade: 'exact' },
    ],
    [
      'two resident ids',
      { name, residentId: operator, phones, bankAccounts },
      { name, residentId: makeResidentId(FICTIONAL_REGION, '19900101', 4), phones, bankAccounts },
      { outcome: 'apart', rule: 'conflict' },
    ],
    ['name and phone are possible only', { name, phones }, { name, phones }, { outcome: 'link', grade: 'possible' }],
    [
      'phone and account are strong',
      { name, phones, bankAccounts },
      { name, phones, bankAccounts },
      { outcome: 'link', grade: 'strong' },
    ],
    [
      'a masked number that agrees, and the phone',
      { name, residentId: masked, phones },
      { name, residentId: operator, phones },
      { outcome: 'link', grade: 'possible' },
    ],
    ['a name alone', { name }, { name }, { outcome: 'apart' }],
  ];
  test.each(rows)('%s', (_, a, b, verdict) => {
    expect(judged('person', a, b)).toMatchObject(verdict);
  });

  test('a masked number that contradicts outweighs the name', () => {
    const other = makeResidentId(FICTIONAL_REGION, '19900101', 4);
    expect(judged('person', { name, residentId: masked }, { name, residentId: other }).outcome).toBe('apart');
  });
});

test('compare is symmetric, and a comparison is its own JSON', () => {
  const pairs: [Identity, Identity][] = [
    [
      { name: NAME, uscc, phones, address },
      { name: NEIGHBOUR, phones, address, legalRepresentative },
    ],
    [
      { name: '云溪旗舰店', phones },
      { name: NAME, phones, bankAccounts },
    ],
  ];
  for (const [a, b] of pairs) {
    const there = judged('organization', a, b);
    expect(judged('organization', b, a)).toEqual(there);
    expect(JSON.parse(JSON.stringify(there.comparison))).toEqual(there.comparison);
  }
});
