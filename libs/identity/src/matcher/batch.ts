import { Buckets } from './buckets.js';
import type { Candidates } from './candidates.js';
import { pathBetween } from './explain.js';
import { FeatureStore } from './feature-store.js';
import type { Edge, Evidence, Matcher, Node, NodeKind, PairContext, Partition } from './types.js';
import { whyApart, type EntitiesApart } from './why-apart.js';

export interface BatchMatcher<R, F> extends Matcher<R, F> {
  /** What `holders` compares: records that share a mark are taken for one entity. */
  marks(features: F): string[];
  /** The same features as an object that is quick to compare: for those that come back from storage. */
  shaped?(features: F): F;
}

/** A pair with what was found of it, by recordIds. */
export type BatchLink = Edge;

export interface BatchEntity {
  entityId: string;
  records: string[];
}

export interface BatchResult {
  /** In the order in which the records came. */
  assignments(): Iterable<{ recordId: string; entityId: string }>;
  entities: number;
  /** What holds the entities together, with the evidence. */
  links: Edge[];
  /** Pairs for a person to look at. */
  reviews: Edge[];
  compared: number;
  /** Why two records aren't of one entity, or by which links they are; undefined where either isn't in the batch. */
  whyApart(one: string, other: string): BatchApart | undefined;
}

/** Two records' entities, and why they are two; where they are one, the links that lead from the one record to the other. */
export interface BatchApart {
  entities: [BatchEntity, BatchEntity];
  /** How many records of each were compared. */
  compared: [number, number];
  apart?: EntitiesApart;
  path?: Edge[];
}

/** Records of an entity that are compared where it is asked why it isn't one with another. */
const RECORDS_ASKED_MAX = 40;

class Batch<F extends { kind: NodeKind }> {
  private readonly parent: Uint32Array;
  private readonly context: PairContext;
  private readonly candidates: Candidates;
  /** Records in an order in which those to be compared mostly stand near each other. */
  private readonly order: Uint32Array;
  compared = 0;

  constructor(
    private readonly matcher: BatchMatcher<never, F>,
    private readonly loaded: Loaded<F>,
  ) {
    this.parent = Uint32Array.from({ length: loaded.ids.length }, (_, i) => i);
    this.context = {
      holders: (key) => loaded.buckets.holders(key),
      reissued: (key, from, to) => loaded.buckets.reissued(key, from, to),
    };
    this.candidates = loaded.buckets.candidates();
    this.order = this.candidates.order();
  }

  /** Compares every pair that shares a key that isn't generic, each once, and finds the components that may hold together. */
  compareAll(): void {
    // A pair that shares several keys comes several times: for each record, at which one it was met last.
    const met = new Uint32Array(this.order.length);
    const done = new Uint8Array(this.order.length);
    this.order.forEach((i, n) => {
      for (const j of this.candidates.of(i)) {
        if (!done[j] || met[j] === n) continue;
        met[j] = n;
        if (this.mayBeOne(Math.min(i, j), Math.max(i, j))) this.join(i, j);
      }
      done[i] = 1;
    });
  }

  private mayBeOne(i: number, j: number): boolean {
    const { matcher } = this;
    const [a, b] = [this.loaded.store.get(i), this.loaded.store.get(j)];
    if (a.kind !== b.kind) return false;
    this.compared++;
    if (matcher.conflict?.(a, b)) return false;
    return matcher.decide(matcher.compare(a, b, this.context)).outcome !== 'apart';
  }

  private find(i: number): number {
    const { parent } = this;
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  }

  /** Why the records of two entities aren't one. */
  whyApart(one: readonly number[], other: readonly number[]): EntitiesApart {
    const nodesOf = (list: readonly number[]): Node<F>[] =>
      list.map((i) => ({ id: this.loaded.ids[i] as string, features: this.loaded.store.get(i) }));
    return whyApart(this.matcher, nodesOf(one), nodesOf(other), this.context);
  }

  private join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.parent[Math.max(x, y)] = Math.min(x, y);
  }

  /** Components of several records by their first one, each with the pairs that were compared inside it. */
  *components(): Generator<{ first: number; nodes: Node<F>[]; edges: Edge[] }> {
    const members = new Map<number, number[]>();
    for (const i of this.order) {
      const root = this.find(i);
      const list = members.get(root);
      if (list) list.push(i);
      else if (this.candidates.of(i).length > 0) members.set(root, [i]);
    }
    for (const [first, unsorted] of members) {
      if (unsorted.length === 1) continue;
      const list = unsorted.toSorted((i, j) => i - j);
      const nodes = list.map((i) => ({ id: this.loaded.ids[i] as string, features: this.loaded.store.get(i) }));
      yield { first, nodes, edges: list.flatMap((i) => this.edgesOf(i)) };
    }
  }

  /** The pairs of a record with later ones of its component. */
  private edgesOf(i: number): Edge[] {
    const root = this.find(i);
    const later = this.candidates.of(i).filter((j) => j > i && this.find(j) === root);
    return [...new Set(later.toSorted())].map((j) => this.edge(i, j));
  }

  /** The pair again with all its evidence: kept for none of the millions that are compared. */
  private edge(i: number, j: number): Edge {
    const { ids, store } = this.loaded;
    const comparison = this.matcher.compare(store.get(i), store.get(j), this.context);
    const [x, y] = [ids[i] as string, ids[j] as string];
    return { a: x < y ? x : y, b: x < y ? y : x, comparison, verdict: this.matcher.decide(comparison) };
  }
}

interface Loaded<F> {
  ids: string[];
  store: FeatureStore<F>;
  buckets: Buckets;
}

/** The day of a record's report, where its features have one. */
const dayOf = (features: unknown): number | undefined => (features as { day?: number }).day;

async function load<R extends { recordId: string }, F>(
  matcher: BatchMatcher<R, F>,
  records: AsyncIterable<R> | Iterable<R>,
): Promise<Loaded<F>> {
  const ids: string[] = [];
  const store = new FeatureStore<F>((features) => matcher.shaped?.(features) ?? features);
  const buckets = new Buckets(matcher);
  const seen = new Set<string>();
  for await (const record of records) {
    if (seen.has(record.recordId)) throw new Error(`recordId ${record.recordId} comes twice`);
    seen.add(record.recordId);
    const features = matcher.features(record);
    ids.push(record.recordId);
    store.push(features);
    buckets.push(matcher.keys(features), matcher.marks(features), dayOf(features));
  }
  buckets.close();
  return { ids, store, buckets };
}

/** Edges with one object for all equal evidence: there are few levels, and a million records have millions of agreements. */
function sharing(): (edge: Edge) => Edge {
  const known = new Map<string, Evidence>();
  const shared = (item: Evidence): Evidence => {
    const key = `${item.group} ${item.field} ${item.level} ${item.stranger} ${item.kin}`;
    const same = known.get(key);
    if (!same) known.set(key, item);
    return same ?? item;
  };
  return (edge) => ({
    ...edge,
    comparison: { ...edge.comparison, evidence: edge.comparison.evidence.map(shared) },
  });
}

/** A component of several records as it was partitioned, with every pair that was compared inside it. */
export type BatchComponent = Partition & { edges: Edge[] };

/**
 * Reads all records, compares those that share a key, and partitions each component by `matcher.cluster`.
 * @param each called with every component: of its edges nothing is kept but what the result has
 */
export async function resolveBatch<R extends { recordId: string }, F extends { kind: NodeKind }>(
  matcher: BatchMatcher<R, F>,
  records: AsyncIterable<R> | Iterable<R>,
  each?: (component: BatchComponent) => void,
): Promise<BatchResult> {
  const loaded = await load(matcher, records);
  const batch = new Batch(matcher, loaded);
  batch.compareAll();
  const entityOf = new Map<string, string>();
  const shared = sharing();
  const found: (Pick<Partition, 'links' | 'reviews'> & { first: number })[] = [];
  let entities = loaded.ids.length;
  for (const { first, nodes, edges } of batch.components()) {
    const partition = matcher.cluster(nodes, edges, []);
    each?.({ ...partition, edges });
    entities += partition.entities.length - nodes.length;
    for (const members of partition.entities)
      for (const id of members) if (members[0] !== id) entityOf.set(id, members[0] as string);
    found.push({ first, links: partition.links.map(shared), reviews: partition.reviews.map(shared) });
  }
  found.sort((x, y) => x.first - y.first);
  const links = found.flatMap((part) => part.links);
  const reviews = found.flatMap((part) => part.reviews);
  const entityIdOf = (recordId: string): string => entityOf.get(recordId) ?? recordId;
  function* assignments(): Generator<{ recordId: string; entityId: string }> {
    for (const recordId of loaded.ids) yield { recordId, entityId: `e-${entityIdOf(recordId)}` };
  }
  const membersOf = (recordId: string): number[] => {
    const own = entityIdOf(recordId);
    const members = [...loaded.ids.keys()].filter((i) => entityIdOf(loaded.ids[i] as string) === own);
    // Whoever was asked about is among those that are compared.
    return members.toSorted((i, j) => Number(loaded.ids[j] === recordId) - Number(loaded.ids[i] === recordId));
  };
  const entity = (recordId: string, members: number[]): BatchEntity => ({
    entityId: `e-${entityIdOf(recordId)}`,
    records: members.map((i) => loaded.ids[i] as string),
  });
  const whyTwo = (one: string, other: string): BatchApart | undefined => {
    if (![one, other].every((id) => loaded.ids.includes(id))) return undefined;
    const [a, b] = [membersOf(one), membersOf(other)];
    const both: BatchApart['entities'] = [entity(one, a), entity(other, b)];
    const [x, y] = [a.slice(0, RECORDS_ASKED_MAX), b.slice(0, RECORDS_ASKED_MAX)];
    const compared: BatchApart['compared'] = [x.length, y.length];
    if (both[0].entityId === both[1].entityId)
      return { entities: both, compared, path: pathBetween(links, one, other) };
    return { entities: both, compared, apart: batch.whyApart(x, y) };
  };
  return { assignments, entities, links, reviews, compared: batch.compared, whyApart: whyTwo };
}
