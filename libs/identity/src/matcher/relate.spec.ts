import { describe, expect, test } from '@jest/globals';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import fc from 'fast-check';
import { reconcileBatch } from '../batch.js';
import type { Features } from './features.js';
import { gapsOf, REISSUED_AFTER_DAYS } from './lives.js';
import { resolve, type Lookup } from './resolve.js';
import type { Key, MatchRecord, Node, PairContext, Relation } from './types.js';
import { zhMatcher } from './zh.js';

const few: PairContext = { holders: () => 2 };
const node = (recordId: string, identity: MatchRecord['identity'], more: object = {}): Node<Features> => ({
  id: recordId,
  features: zhMatcher.features({ recordId, identity, ...more }),
});
const relate = (a: Node<Features>, b: Node<Features>, context = few): Relation | undefined =>
  zhMatcher.relate?.(a, b, context);
const uscc = (n: number): string => makeUscc(FICTIONAL_REGION, n);
const residentId = makeResidentId(FICTIONAL_REGION, '19900101', 1);
const firm = (n: number, more: object = {}): MatchRecord['identity'] => ({
  kind: 'organization',
  name: `虚构云溪${n}科技有限公司`,
  uscc: uscc(n),
  ...more,
});

describe('how records that are not one are related', () => {
  const operator = node('p', { kind: 'person', name: '钱云溪', residentId, phones: ['13900011001'] });

  test('by number a person operates a sole proprietorship and represents a firm, in either order', () => {
    const shop = node('s', { kind: 'soleProprietor', name: '云溪面馆', uscc: uscc(1), residentId });
    expect(relate(operator, shop)).toMatchObject({ kind: 'operates', from: 'p', to: 's', grade: 'exact' });
    const one = node('f', firm(1, { legalRepresentative: { name: '钱云溪', residentId } }));
    expect(relate(one, operator)).toEqual(relate(operator, one));
    expect(relate(one, operator)).toMatchObject({ kind: 'legalRepresentativeOf', from: 'p', to: 'f' });
  });

  test('by name only beside a contact; a name alone, or another number, makes nobody a representative', () => {
    const named = { legalRepresentative: { name: '钱云溪' } };
    expect(relate(operator, node('f', firm(1, named)))).toBeUndefined();
    expect(relate(operator, node('f', firm(1, { ...named, phones: ['13900011001'] })))).toMatchObject({
      kind: 'legalRepresentativeOf',
      grade: 'strong',
    });
    const other = makeResidentId(FICTIONAL_REGION, '19900101', 2);
    const another = { legalRepresentative: { name: '钱云溪', residentId: other }, phones: ['13900011001'] };
    expect(relate(operator, node('f', firm(1, another)))?.kind).toBe('sharesPhone');
  });

  test('a branch belongs to its head office, an account that changed hands to its successor', () => {
    const head = node('h', firm(1, { name: '虚构市云溪科技有限公司' }));
    const branch = node('b', firm(2, { name: '虚构市云溪科技有限公司杭州分公司' }));
    expect(relate(head, branch)).toMatchObject({ kind: 'branchOf', from: 'b', to: 'h' });
    const account = { memberId: 'm', merchantId: '7' };
    const before = node('z', firm(1), { ...account, reportedAt: '2026-01-01' });
    const after = node('a', firm(2), { ...account, reportedAt: '2026-02-01' });
    expect(relate(before, after)).toMatchObject({ kind: 'successorOf', from: 'a', to: 'z', member: 'm' });
  });

  test('a phone that many hold relates nobody, nor does one that two persons share', () => {
    const [a, b] = [1, 2].map((n) => node(`f${n}`, firm(n, { phones: ['13900011001'] }))) as [
      Node<Features>,
      Node<Features>,
    ];
    expect(relate(a, b)).toMatchObject({ kind: 'sharesPhone', from: 'f1', to: 'f2', grade: 'possible' });
    expect(relate(a, b, { holders: () => 12 })).toBeUndefined();
    const kin = node('q', { kind: 'person', name: '钱云汐', phones: ['13900011001'] });
    expect(relate(operator, kin)).toBeUndefined();
  });
});

describe('a number is valid from, to', () => {
  test('it starts a new life where nobody showed it for longer than numbers rest', () => {
    expect(gapsOf([200, 0, 50, 90])).toEqual([[90, 200]]);
    expect(gapsOf([0, REISSUED_AFTER_DAYS])).toEqual([]);
  });

  const other = { kind: 'organization' as const, name: '望江亭茶叶商行', phones: ['13900011001'] };
  const one = { kind: 'organization' as const, name: '虚构云溪科技有限公司', phones: ['13900011001'] };
  const compared = (days: string[]): boolean => {
    const [a, b] = [node('a', one, { reportedAt: days[0] }), node('b', other, { reportedAt: days.at(-1) })] as const;
    const gaps = gapsOf(days.map((day) => Date.parse(day) / 86_400_000));
    const context: PairContext = {
      holders: () => 2,
      reissued: (_key, from, to) => gaps.some((gap) => from <= gap[0] && gap[1] <= to),
    };
    return zhMatcher.compare(a.features, b.features, context).evidence.some(({ field }) => field === 'phone');
  };

  test('under another name after the gap it weighs nothing; while somebody shows it, it does', () => {
    expect(compared(['2026-01-01', '2026-06-01'])).toBe(false);
    expect(compared(['2026-01-01', '2026-02-01'])).toBe(true);
    expect(compared(['2026-01-01', '2026-03-15', '2026-05-01', '2026-06-01'])).toBe(true);
  });

  test('a firm that bears another name under the same code is the same firm, whatever the gap', async () => {
    const renamed = { ...one, name: '虚构云海科技有限公司', uscc: uscc(1), address: '虚构市望江路9号' };
    const result = await reconcileBatch([
      { recordId: 'a', identity: { ...one, uscc: uscc(1), address: '虚构市望江路9号' }, reportedAt: '2024-01-01' },
      { recordId: 'b', identity: renamed, reportedAt: '2026-06-01' },
    ]);
    expect(result.entities).toBe(1);
  });
});

const people = fc.record(
  {
    kind: fc.constantFrom('organization' as const, 'soleProprietor' as const, 'person' as const),
    name: fc.constantFrom('云溪虚构科技有限公司', '云溪虚构科技有限公司杭州分公司', '钱云溪', '孙山'),
    uscc: fc.constantFrom(uscc(0), uscc(1), uscc(2)),
    residentId: fc.constantFrom(residentId, makeResidentId(FICTIONAL_REGION, '19900101', 2)),
    phones: fc.constantFrom(['13900011001'], ['13900011002']),
    legalRepresentative: fc.constantFrom({ name: '钱云溪', residentId }, { name: '孙山' }),
  },
  { requiredKeys: ['kind'] },
);
const graphs = fc
  .array(fc.tuple(people, fc.constantFrom('2026-01-01', '2026-02-01', '2026-09-01')), { maxLength: 12 })
  .map((list) =>
    list.map(([identity, reportedAt], i): MatchRecord => ({
      recordId: `r${i + 10}`,
      identity: identity as MatchRecord['identity'],
      reportedAt,
    })),
  );

function lookup(nodes: readonly Node<Features>[]): Lookup<Features> {
  const all = (features: Features): Key[] => [
    ...zhMatcher.keys(features),
    ...(zhMatcher.relationKeys?.(features) ?? []),
  ];
  const under = (key: Key): Node<Features>[] =>
    nodes.filter(({ features }) => all(features).some(({ kind, value }) => kind === key.kind && value === key.value));
  return {
    buckets: (keys) =>
      keys.map((key) => ({
        holders: zhMatcher.holders(under(key).map(({ features }) => features)),
        records: under(key),
      })),
    decisions: () => [],
  };
}
const text = ({ kind, from, to }: Relation): string => `${kind} ${from} ${to}`;

describe('relations are a function of the set', () => {
  test('P13: on random link graphs nobody becomes one by a relation, and the order of the records changes none', async () => {
    await fc.assert(
      fc.asyncProperty(
        graphs.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        async ([list, shuffled]) => {
          const of = (records: readonly MatchRecord[]): Node<Features>[] =>
            records.map((record) => ({ id: record.recordId, features: zhMatcher.features(record) }));
          const found = await resolve(zhMatcher, of(list), lookup(of(list)));
          const again = await resolve(zhMatcher, of(shuffled), lookup(of(shuffled)));
          expect(again.relations.map(text).toSorted()).toEqual(found.relations.map(text).toSorted());
          const blind = { ...zhMatcher, relate: undefined, relationKeys: undefined };
          expect((await resolve(blind, of(list), lookup(of(list)))).entities).toEqual(found.entities);
          // Seen from any one record: what it shows is what all show of it.
          for (const seed of of(list)) {
            const own = await resolve(zhMatcher, [seed], lookup(of(list)));
            const mine = ({ from, to }: Relation): boolean => from === seed.id || to === seed.id;
            expect(own.relations.filter(mine).map(text).toSorted()).toEqual(
              found.relations.filter(mine).map(text).toSorted(),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
