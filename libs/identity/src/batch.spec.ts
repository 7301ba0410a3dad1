import { describe, expect, test } from '@jest/globals';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import fc from 'fast-check';
import { reconcileBatch } from './batch.js';
import {
  resolve,
  zhMatcher,
  type Bucket,
  type Features,
  type Key,
  type MatchRecord,
  type Node,
  type PairDecision,
} from './matcher/index.js';

const usccs = [0, 1, 2].map((n) => makeUscc(FICTIONAL_REGION, n));
const residents = [0, 1].map((n) => makeResidentId(FICTIONAL_REGION, '19900101', n));

/** Records from so few values that they agree, contradict and chain in every way. */
const identities = fc.record(
  {
    kind: fc.constantFrom('organization', 'soleProprietor', 'person'),
    name: fc.constantFrom(
      '云溪虚构科技有限公司',
      '云汐虚构科技有限公司',
      '云溪虚构食品有限公司',
      '钱云溪',
      '云溪旗舰店',
    ),
    uscc: fc.constantFrom(...usccs),
    residentId: fc.constantFrom(
      ...residents,
      `${(residents[0] as string).slice(0, 6)}********${(residents[0] as string).slice(-4)}`,
    ),
    phones: fc.constantFrom(['13900011001'], ['13900011002'], ['13900011001', '13900011002']),
    bankAccounts: fc.constantFrom(['33050012345678901'], ['33050012345678902']),
    legalRepresentative: fc.constantFrom({ name: '钱云溪' }, { name: '孙山' }),
  },
  { requiredKeys: ['kind'] },
);
const batches = fc
  .array(identities, { maxLength: 14 })
  .map((list) => list.map((identity, i) => ({ recordId: `r${String(i).padStart(2, '0')}`, identity }) as MatchRecord));

async function entities(records: readonly MatchRecord[]): Promise<string[]> {
  const members = new Map<string, string[]>();
  for (const { recordId, entityId } of (await reconcileBatch(records)).assignments())
    members.set(entityId, [...(members.get(entityId) ?? []), recordId]);
  return [...members.values()].map((ids) => ids.toSorted().join(' ')).toSorted();
}

/** The live side of `resolve` in memory. */
function lookup(records: readonly MatchRecord[], decisions: readonly PairDecision[] = []) {
  const nodes = records.map((record): Node<Features> => ({
    id: record.recordId,
    features: zhMatcher.features(record),
  }));
  const under = (key: Key): Node<Features>[] =>
    nodes.filter(({ features }) =>
      zhMatcher.keys(features).some(({ kind, value }) => kind === key.kind && value === key.value),
    );
  const bucket = (key: Key): Bucket<Features> => ({
    holders: zhMatcher.holders(under(key).map(({ features }) => features)),
    records: under(key),
  });
  return { nodes, buckets: (keys: readonly Key[]) => keys.map(bucket), decisions: () => decisions };
}

describe('a batch is a pure function of the set of records', () => {
  test('any order gives the same entities', async () => {
    await fc.assert(
      fc.asyncProperty(
        batches.chain((records) =>
          fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })),
        ),
        async ([records, shuffled]) => {
          expect(await entities(shuffled)).toEqual(await entities(records));
        },
      ),
      { numRuns: 60 },
    );
  }, 300_000);

  test('no entity holds two valid codes, nor a person two resident ids, nor persons and firms', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (records) => {
        const byId = new Map(records.map((record) => [record.recordId, zhMatcher.features(record)]));
        for (const members of await entities(records)) {
          const features = members.split(' ').map((id) => byId.get(id) as Features);
          expect(new Set(features.flatMap(({ uscc }) => uscc ?? [])).size).toBeLessThanOrEqual(1);
          expect(new Set(features.map(({ kind }) => kind)).size).toBe(1);
          if (features[0]?.kind === 'person')
            expect(new Set(features.flatMap(({ residentId }) => residentId ?? [])).size).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 60 },
    );
  }, 300_000);

  test('a recordId that comes twice is refused', async () => {
    const record = { recordId: 'r1', identity: { kind: 'person' as const } };
    await expect(reconcileBatch([record, record])).rejects.toThrow('r1 comes twice');
  });
});

describe('live and batch give the same', () => {
  test('the component of any record is its part of the batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        batches.filter((records) => records.length > 0),
        fc.nat(),
        async (records, at) => {
          const known = lookup(records);
          const given = known.nodes[at % known.nodes.length] as Node<Features>;
          const resolution = await resolve(zhMatcher, [given], known);
          const found = resolution.entities.map((ids) => ids.join(' '));
          const whole = await entities(records);
          expect(found.filter((ids) => !whole.includes(ids))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  }, 300_000);

  test('a component is bounded by its own size, however many others are looked at together with it', async () => {
    const named = (of: number, count: number): MatchRecord[] =>
      Array.from({ length: count }, (_, n) => ({
        recordId: `c${of}-${n}`,
        identity: { kind: 'organization', name: '云溪虚构科技有限公司', uscc: usccs[of] as string },
      }));
    const [pair, other, three] = [named(0, 2), named(1, 2), named(2, 3)];
    const small = lookup([...pair, ...other]);
    const both = await resolve(zhMatcher, small.nodes, small, 2);
    expect(both).toMatchObject({ cut: false, entities: [['c0-0', 'c0-1'], ['c1-0', 'c1-1']] }); // prettier-ignore
    const all = lookup([...pair, ...three]);
    const some = await resolve(zhMatcher, all.nodes, all, 2);
    expect(some.cut).toBe(true);
    expect(some.entities).toContainEqual(['c0-0', 'c0-1']);
  });

  test('two that a reviewer told apart are never one, and two that he joined are, unless identifiers contradict', async () => {
    await fc.assert(
      fc.asyncProperty(
        batches.filter((records) => records.length > 1),
        fc.constantFrom('same' as const, 'different' as const),
        async (records, decision) => {
          const known = lookup(records, [{ a: 'r00', b: 'r01', decision }]);
          const { entities: found, reviews } = await resolve(zhMatcher, known.nodes, known);
          const together = found.some((ids) => ids.includes('r00') && ids.includes('r01'));
          const [one, other] = known.nodes.map(({ features }) => features) as [Features, Features];
          const contradict = (a: string | undefined, b: string | undefined): boolean => !!a && !!b && a !== b;
          // An ID number is a person's own only where the record is of a person; elsewhere it may be a representative's.
          const own = ({ kind, residentId }: Features): string | undefined =>
            kind === 'person' ? residentId : undefined;
          const impossible = contradict(one.uscc, other.uscc) || contradict(own(one), own(other));
          expect(together).toBe(decision === 'same' && !impossible);
          expect(reviews.filter(({ a, b }) => a === 'r00' && b === 'r01')).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
