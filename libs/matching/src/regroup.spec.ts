import type { Link } from '@liandun/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { becauseOf, regroup, type Found, type PairEdge, type Regrouping, type Standing } from './regroup.js';

const idOf = (position: number): string => `E${position}`;
const last = (positions: readonly number[]): number => Math.max(...positions);

const edge = (a: number, b: number, grade: 'exact' | 'strong' | 'possible' = 'exact', bits = 20): PairEdge => ({
  a: Math.min(a, b),
  b: Math.max(a, b),
  verdict: { outcome: 'link', rule: 'identifierAgrees', grade },
  comparison: {
    kind: 'legal',
    bits,
    evidence: [{ field: 'uscc', level: 'equal', group: 'identifier', stranger: bits, kin: bits }],
  },
});

/** Entities whose observations are linked one to the next. */
const found = (entities: number[][], reviews: PairEdge[] = []): Found => ({
  entities,
  edges: entities.flatMap((entity) => entity.slice(1).map((position, n) => edge(entity[n] as number, position))),
  reviews,
});

const standing = (entities: number[][]): Map<number, Standing> =>
  new Map(
    entities.flatMap((entity) => {
      const root = Math.min(...entity);
      return entity.map((observation) => [
        observation,
        { observation, entityId: idOf(root), sameAs: root, strongAs: root },
      ]);
    }),
  );

/** Folds the events as the ledger's views do. */
function fold(was: ReadonlyMap<number, Standing>, { splits, merges, linked }: Regrouping): Map<number, string> {
  const now = new Map([...was].map(([position, { entityId }]) => [position, entityId]));
  const move = ({ observation, entityId }: Link): void => void now.set(observation, entityId);
  for (const { links } of splits) links.forEach(move);
  for (const { links } of merges) links.forEach(move);
  linked.forEach(move);
  return now;
}

describe('regrouping', () => {
  it('founds an entity, and joins one', () => {
    const { linked, merges, splits } = regroup(standing([[1]]), found([[1, 5], [7]]), idOf, last);
    expect({ merges, splits }).toEqual({ merges: [], splits: [] });
    expect(linked).toEqual([
      {
        observation: 5,
        entityId: 'E1',
        founded: false,
        because: [{ field: 'uscc', grade: 'exact' }],
        sameAs: 1,
        strongAs: 1,
        possible: [],
      },
      { observation: 7, entityId: 'E7', founded: true, because: [], sameAs: 7, strongAs: 7, possible: [] },
    ]);
  });

  it('merges what a new observation shows to be one: the oldest name stays', () => {
    const { linked, merges, splits } = regroup(standing([[1, 2], [4]]), found([[1, 2, 4, 9]]), idOf, last);
    expect(splits).toEqual([]);
    expect(merges).toMatchObject([{ entityId: 'E1', retired: ['E4'], cause: 9, links: [{ observation: 4 }] }]);
    expect(linked).toMatchObject([{ observation: 9, entityId: 'E1', founded: false }]);
  });

  it('splits what turns out to be two: who keeps the oldest observation keeps the name', () => {
    const { merges, splits } = regroup(standing([[1, 2, 3]]), found([[1, 3], [2]]), idOf, last);
    expect(merges).toEqual([]);
    expect(splits).toMatchObject([{ entityId: 'E1', into: ['E2'], links: [{ observation: 2, entityId: 'E2' }] }]);
  });

  it('moves an observation to another entity by a split and a merge', () => {
    const { merges, splits } = regroup(
      standing([
        [1, 2],
        [3, 4],
      ]),
      found([[1], [2, 3, 4]]),
      idOf,
      last,
    );
    expect(splits).toMatchObject([{ entityId: 'E1', into: ['E2'] }]);
    expect(merges).toMatchObject([{ entityId: 'E2', retired: ['E3'] }]);
  });

  it('says so where observations of one entity match more surely than before, and nothing where nothing changed', () => {
    const was = standing([[1, 2]]);
    was.set(2, { observation: 2, entityId: 'E1', sameAs: 2, strongAs: 1 });
    const surer = regroup(was, found([[1, 2]]), idOf, last);
    expect(surer.merges).toMatchObject([{ entityId: 'E1', retired: [], links: [{ observation: 2, sameAs: 1 }] }]);
    const same = regroup(standing([[1, 2]]), found([[1, 2]]), idOf, last);
    expect(same).toEqual({ splits: [], merges: [], linked: [] });
  });

  it('grades by what connects: exactly, strongly, or only possibly', () => {
    const edges = [edge(1, 2, 'strong'), edge(2, 3, 'exact'), edge(3, 4, 'possible')];
    const { linked } = regroup(new Map(), { entities: [[1, 2, 3, 4]], edges, reviews: [] }, idOf, last);
    expect(linked.map(({ sameAs, strongAs }) => [sameAs, strongAs])).toEqual([
      [1, 1],
      [2, 1],
      [2, 1],
      [4, 4],
    ]);
  });

  it('names the pairs that a person should look at', () => {
    const { linked } = regroup(standing([[1]]), found([[1], [8]], [edge(1, 8)]), idOf, last);
    expect(linked[0]?.possible).toEqual([
      { observation: 1, entityId: 'E1', because: [{ field: 'uscc', grade: 'possible' }] },
    ]);
  });

  it('puts the weightiest field first, and takes what a person decided for the only reason', () => {
    const { comparison, verdict } = edge(1, 2, 'strong');
    const evidence = [
      { field: 'phone', level: 'equal', group: 'contact' as const, stranger: 9, kin: 2 },
      { field: 'name', level: 'differs', group: 'name' as const, stranger: -4, kin: -1 },
      { field: 'bankAccount', level: 'equal', group: 'account' as const, stranger: 14, kin: 8 },
    ];
    const fields = (because: { field: string }[]): string[] => because.map(({ field }) => field);
    expect(fields(becauseOf({ verdict, comparison: { ...comparison, evidence } }))).toEqual(['bankAccount', 'phone']);
    const decided = becauseOf({ verdict: { ...verdict, rule: 'decidedSame' }, comparison });
    expect(fields(decided)).toEqual(['decided']);
  });

  it('leads from any grouping to any other, and names every entity by its oldest observation', () => {
    const grouping = fc.array(fc.nat(5), { minLength: 1, maxLength: 12 });
    const entitiesOf = (labels: number[]): number[][] => [...Map.groupBy(labels.keys(), (at) => labels[at]).values()];
    fc.assert(
      fc.property(grouping, fc.nat(12), fc.infiniteStream(fc.nat(5)), (before, more, stream) => {
        const after = [...before, ...Array(more)].map(() => stream.next().value as number);
        const was = standing(entitiesOf(before));
        const result = regroup(was, found(entitiesOf(after)), idOf, last);
        const expected = entitiesOf(after).flatMap((entity) =>
          entity.map((position): [number, string] => [position, idOf(Math.min(...entity))]),
        );
        expect(fold(was, result)).toEqual(new Map(expected));
        expect(result.linked).toHaveLength(more);
      }),
    );
  });
});
