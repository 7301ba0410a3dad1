import { describe, expect, test } from '@jest/globals';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import fc from 'fast-check';
import { saysTheSame } from './compare.js';
import { capsOf } from './config.js';
import type { Features } from './features.js';
import { gapsOf } from './lives.js';
import { COMPONENT_MAX, resolve, type Bucket, type Lookup, type Memory, type Resolution } from './resolve.js';
import type { Edge, Key, KeyKind, MatchRecord, Node, PairDecision } from './types.js';
import { matcherOf, ZH_1 } from './zh.js';

/** Keys become generic, and stop being so, among a dozen records. */
const RECORDS_MAX = 9;
const caps = Object.fromEntries(Object.keys(capsOf(5)).map((kind) => [kind, 5])) as Record<KeyKind, number>;
const matcher = matcherOf({ ...ZH_1, caps, recordsMaxOf: () => RECORDS_MAX });

const usccs = [0, 1, 2].map((n) => makeUscc(FICTIONAL_REGION, n));
const resident = makeResidentId(FICTIONAL_REGION, '19900101', 0);

/** So few values that records agree, contradict and chain in every way, and numbers are given out again. */
const records = fc
  .array(
    fc.record({
      identity: fc.record(
        {
          kind: fc.constantFrom('organization', 'soleProprietor', 'person'),
          name: fc.constantFrom(
            '云溪虚构科技有限公司',
            '云汐虚构科技有限公司',
            '云溪虚构食品有限公司',
            '钱云溪',
            '钱云汐',
            '云溪旗舰店',
          ),
          uscc: fc.constantFrom(...usccs),
          residentId: fc.constant(resident),
          phones: fc.subarray(['13900011001', '13900011002', '13900011003'], { minLength: 1 }),
          emails: fc.constantFrom(['a@example.com'], ['b@example.com'], ['c@example.com']),
          bankAccounts: fc.constantFrom(['33050012345678901'], ['33050012345678902'], ['33050012345678903']),
          legalRepresentative: fc.constantFrom({ name: '钱云溪' }, { name: '孙山' }),
        },
        { requiredKeys: ['kind', 'name'] },
      ),
      reportedAt: fc.constantFrom('2025-01-01', '2025-03-01', '2025-06-01', '2026-01-01'),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((list) => list.map((rest, i) => ({ recordId: `r${String(i).padStart(2, '0')}`, ...rest }) as MatchRecord));

const textOf = ({ kind, value }: Key): string => `${kind}:${value}`;
const keysOf = ({ features }: Node<Features>): Key[] => [
  ...matcher.keys(features),
  ...(matcher.relationKeys?.(features) ?? []),
];
const holdersOf = (nodes: readonly Node<Features>[]): number =>
  nodes.length > RECORDS_MAX ? Number.POSITIVE_INFINITY : matcher.holders(nodes.map(({ features }) => features));
const gapsIn = (nodes: readonly Node<Features>[]): string =>
  gapsOf(nodes.flatMap(({ features }) => features.day ?? [])).join();

/** Records as they come: what was found of pairs is kept, and records whose keys say something else now are compared anew. */
class Stream {
  private readonly nodes: Node<Features>[] = [];
  private readonly kept = new Map<string, Edge>();
  private readonly entityOf = new Map<string, string>();
  /** How often a pair was compared. */
  compared = 0;

  constructor(private readonly decisions: readonly PairDecision[]) {}

  private under(key: Key): Node<Features>[] {
    return this.nodes.filter((node) => keysOf(node).some((own) => textOf(own) === textOf(key)));
  }

  private lookup(memory?: Memory<Features>): Lookup<Features> {
    const bucket = (key: Key): Bucket<Features> => ({ holders: holdersOf(this.under(key)), records: this.under(key) });
    const known = new Set(this.nodes.map(({ id }) => id));
    return {
      buckets: (keys) => keys.map(bucket),
      decisions: () => this.decisions.filter(({ a, b }) => known.has(a) && known.has(b)),
      ...(memory && { memory }),
    };
  }

  /** Answers what a person should look at of them. */
  async add(arrived: readonly MatchRecord[]): Promise<object[]> {
    const fresh = arrived.map((record) => ({ id: record.recordId, features: matcher.features(record) }));
    const before = new Set(this.nodes.map(({ id }) => id));
    this.nodes.push(...fresh);
    const given = new Map(fresh.map((node) => [node.id, node]));
    for (const key of fresh.flatMap(keysOf)) {
      const all = this.under(key);
      const older = all.filter(({ id }) => before.has(id));
      const says = saysTheSame(key.kind, holdersOf(older), holdersOf(all), matcher.capOf(key.kind));
      if (!says || (key.kind === 'phone' && gapsIn(older) !== gapsIn(all)))
        for (const node of older) given.set(node.id, node);
    }
    const memory: Memory<Features> = {
      holds: (id) => !given.has(id),
      edgesOf: (ids) => ({
        edges: [...this.kept.values()].filter(({ a, b }) => ids.includes(a) || ids.includes(b)),
        nodeOf: (id) => this.nodes.find((node) => node.id === id),
      }),
    };
    // A decision joins and parts what no edge does.
    const decided = this.decisions.flatMap(({ a, b }) => [a, b]);
    const touched = this.nodes.filter(({ id }) => given.has(id) || decided.includes(id));
    const found = await resolve(matcher, touched, this.lookup(memory), COMPONENT_MAX, async (ids) => {
      const entities = new Set(ids.map((id) => this.entityOf.get(id)));
      return this.nodes.filter(({ id }) => this.entityOf.has(id) && entities.has(this.entityOf.get(id)));
    });
    this.keep(found);
    return doubtsOf(arrived, found);
  }

  private keep({ nodes, edges, remembered, entities, compared }: Resolution<Features>): void {
    const explored = new Set(nodes.map(({ id }) => id));
    for (const [pair, { a, b }] of this.kept) if (explored.has(a) && explored.has(b)) this.kept.delete(pair);
    for (const edge of [...edges, ...remembered]) this.kept.set(`${edge.a} ${edge.b}`, edge);
    for (const ids of entities) for (const id of ids) this.entityOf.set(id, ids[0] as string);
    this.compared += compared.size;
  }

  get entities(): string[] {
    const members = Map.groupBy(this.entityOf.keys(), (id) => this.entityOf.get(id));
    return [...members.values()].map((ids) => ids.toSorted().join(' ')).toSorted();
  }

  /** Everything compared at once. */
  whole(): Promise<Resolution<Features>> {
    return resolve(matcher, this.nodes, this.lookup());
  }

  /** All that is kept but pairs that are apart and aren't joined by others any more. */
  edgesBeside(whole: readonly Edge[]): object[] {
    const pairs = new Set(whole.map(({ a, b }) => `${a} ${b}`));
    return summary([...this.kept.values()].filter((edge) => !isApart(edge) || pairs.has(`${edge.a} ${edge.b}`)));
  }
}

const isApart = ({ verdict }: Edge): boolean => verdict.outcome === 'apart';

const summary = (edges: readonly Edge[]): object[] =>
  edges
    .map(({ a, b, comparison: { bits }, verdict }) => ({ a, b, bits, ...verdict }))
    .toSorted((x, y) => (x.a + x.b < y.a + y.b ? -1 : 1));

/** The reviews of these records. */
function doubtsOf(arrived: readonly MatchRecord[], { reviews }: Resolution<Features>): object[] {
  const ids = new Set(arrived.map(({ recordId }) => recordId));
  return summary(reviews.filter(({ a, b }) => ids.has(a) || ids.has(b)));
}

describe('what was found before', () => {
  test('is what would be found again, whatever comes and in whatever parts', async () => {
    let remembered = 0;
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
        fc.option(fc.constantFrom('same' as const, 'different' as const)),
        async (all, sizes, decision) => {
          const stream = new Stream(decision && all.length > 1 ? [{ a: 'r00', b: 'r01', decision }] : []);
          for (let from = 0, size; from < all.length; from += size) {
            size = sizes.next().value as number;
            const arrived = all.slice(from, from + size);
            const doubts = await stream.add(arrived);
            const whole = await stream.whole();
            expect(doubts).toEqual(doubtsOf(arrived, whole));
            expect(stream.entities).toEqual(whole.entities.map((ids) => ids.join(' ')).toSorted());
            expect(stream.edgesBeside(whole.edges)).toEqual(summary(whole.edges));
          }
          if (stream.compared < all.length * 1.5) remembered++;
        },
      ),
      { numRuns: 300, seed: Number(process.env.FC_SEED ?? 1) },
    );
    expect(remembered).toBeGreaterThan(0);
  }, 300_000);
});
