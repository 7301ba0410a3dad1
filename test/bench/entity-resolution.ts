// The engine in English on the public sets: what it finds, beside what is true of them, and the same from a stream in any order.
import { enMatcher, explainApart, explainPair, resolveBatch, type BatchResult, type Edge } from '@liandun/identity';
import { atHand, febrl, folder, historical, senzing, type LabelledSet } from './entity-resolution/sets.js';
import { partitionText, shuffled, Stream } from './entity-resolution/stream.js';
import { measuresOf, type Measures } from './reconcile/measures.js';
import type { BenchResult } from './result.js';

interface Found extends Measures {
  set: string;
  records: number;
  entities: number;
  /** Of the set's truth. */
  known: number;
  reviews: number;
  compared: number;
  recordsPerSecond: number;
}

const entityMap = (result: BatchResult): Map<string, string> =>
  new Map([...result.assignments()].map(({ recordId, entityId }) => [recordId, entityId]));

async function measured(set: LabelledSet): Promise<{ found: Found; result: BatchResult }> {
  const began = performance.now();
  const result = await resolveBatch(enMatcher, set.records);
  const seconds = (performance.now() - began) / 1000;
  const found = {
    set: set.name,
    records: set.records.length,
    entities: result.entities,
    known: new Set(set.truth.values()).size,
    reviews: result.reviews.length,
    compared: result.compared,
    recordsPerSecond: Math.round(set.records.length / seconds),
    ...measuresOf(set.truth, entityMap(result)),
  };
  return { found, result };
}

interface Streamed {
  order: string;
  recordsPerSecond: number;
  asBatch: boolean;
  largestComponent: number;
}

/** The set once more, record by record, in three orders: minutes. */
async function streamed(set: LabelledSet, batch: string): Promise<Streamed[]> {
  const orders = { given: set.records, reversed: set.records.toReversed(), shuffled: shuffled(set.records) };
  const runs: Streamed[] = [];
  for (const [order, records] of Object.entries(orders)) {
    const stream = new Stream(enMatcher);
    const began = performance.now();
    for (const record of records) await stream.add([record]);
    const seconds = (performance.now() - began) / 1000;
    runs.push({
      order,
      recordsPerSecond: Math.round(records.length / seconds),
      asBatch: partitionText(stream.entities()) === batch,
      largestComponent: stream.largest,
    });
  }
  return runs;
}

const grouped = (ids: readonly string[], of: ReadonlyMap<string, string>): string[][] => [
  ...Map.groupBy(ids, (id) => of.get(id)).values(),
];
const sentence = (edge: Edge): string => {
  const { because, fields } = explainPair(edge.comparison, edge.verdict);
  return `${edge.a} and ${edge.b}: ${because.en} (${fields.map(({ en }) => en).join('; ')})`;
};

/** Where the partition isn't the truth's, each with the engine's own explanation. */
export function differences(set: LabelledSet, result: BatchResult): string[] {
  const entityOf = entityMap(result);
  const ids = set.records.map(({ recordId }) => recordId);
  const features = new Map(set.records.map((record) => [record.recordId, enMatcher.features(record)]));
  const joined = result.links
    .filter(({ a, b }) => set.truth.get(a) !== set.truth.get(b))
    .map((link) => `joined ${sentence(link)}`);
  const split = grouped(ids, set.truth).flatMap((truth) => {
    const [main = [], ...others] = grouped(truth, entityOf).toSorted((x, y) => y.length - x.length);
    return others.map((other) => {
      const pairs = main.flatMap((a) => other.map((b) => ({ a, b, ...apart(features.get(a), features.get(b)) })));
      const { a, b, text } = pairs.toSorted((x, y) => y.bits - x.bits)[0] ?? { a: '', b: '', text: '' };
      return `left apart ${a} and ${b}: ${text}`;
    });
  });
  return [...joined, ...split];
}

type Known = ReturnType<typeof enMatcher.features> | undefined;

function apart(a: Known, b: Known): { bits: number; text: string } {
  if (!a || !b) return { bits: -Infinity, text: '' };
  const context = { holders: () => 1 };
  const { because, fields } = explainApart(enMatcher, a, b, context);
  const { bits } = enMatcher.compare(a, b, context);
  return { bits, text: `${because.en} (${fields.map(({ en }) => en).join('; ')})` };
}

const shown = ({ precision, recall, f1 }: Measures['bcubed']): string =>
  [precision, recall, f1].map((value) => value.toFixed(3)).join(' ');

/** B-cubed and pairwise precision, recall and F1 of each set; the historical set also as a stream. */
export async function run(): Promise<BenchResult> {
  const title = 'Public sets for entity resolution, by the engine in English (weights learned without labels)';
  if (!atHand()) return { name: 'entity-resolution', title, rows: [], notes: [`${folder()} is not at hand`], json: {} };
  const figures = await historical();
  const truthSet = senzing();
  const sets = [
    figures,
    febrl('Febrl 3', ['dataset3.csv']),
    febrl('Febrl 4', ['dataset4a.csv', 'dataset4b.csv']),
    truthSet,
  ];
  const all = [];
  for (const set of sets) all.push(await measured(set));
  const [first, last] = [all[0] as (typeof all)[number], all.at(-1) as (typeof all)[number]];
  const runs = await streamed(figures, partitionText(entityMap(first.result)));
  const unlike = differences(truthSet, last.result);
  return {
    name: 'entity-resolution',
    title,
    rows: all.map(({ found }) => ({
      set: found.set,
      records: found.records,
      'entities (true)': `${found.entities} (${found.known})`,
      'B-cubed P R F1': shown(found.bcubed),
      'pairwise P R F1': shown(found.pairwise),
      reviews: found.reviews,
      'records/s': found.recordsPerSecond,
    })),
    notes: [
      ...runs.map(
        ({ order, recordsPerSecond, asBatch, largestComponent }) =>
          `${figures.name} streamed, ${order}: ${asBatch ? 'the entities of the batch' : 'OTHER ENTITIES than the batch'}, ${recordsPerSecond} records/s, largest component ${largestComponent}`,
      ),
      `${truthSet.name}: ${unlike.length} differences from its key`,
      ...unlike,
    ],
    json: { sets: all.map(({ found }) => found), streamed: runs, differences: unlike },
  };
}
