import { Buckets } from './buckets.js';
import { FeatureStore } from './feature-store.js';
import type { Edge, Matcher, Node, NodeKind, PairContext } from './types.js';

/** A matcher whose entities under a key can be estimated from what is kept of each record: records that share a mark are one. */
export type BatchMatcher<R, F> = Matcher<R, F> & { marks(features: F): string[] };

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
}

/** Compared pairs in columns: a million records have several millions of them. */
class Pairs {
  private columns: [Uint32Array, Uint32Array, Float32Array] = [
    new Uint32Array(1 << 16),
    new Uint32Array(1 << 16),
    new Float32Array(1 << 16),
  ];
  length = 0;

  push(a: number, b: number, bits: number): void {
    if (this.length === this.columns[0].length) {
      const [x, y, z] = this.columns;
      this.columns = [grown(x, Uint32Array), grown(y, Uint32Array), grown(z, Float32Array)];
    }
    this.columns[0][this.length] = a;
    this.columns[1][this.length] = b;
    this.columns[2][this.length++] = bits;
  }

  at(i: number): [number, number, number] {
    return [this.columns[0][i] as number, this.columns[1][i] as number, this.columns[2][i] as number];
  }
}

function grown<T extends Uint32Array | Float32Array>(old: T, Type: new (length: number) => T): T {
  const next = new Type(old.length * 2);
  next.set(old);
  return next;
}

class Batch<F extends { kind: NodeKind }> {
  readonly ids: string[] = [];
  readonly store: FeatureStore<F>;
  readonly buckets: Buckets;
  private readonly pairs = new Pairs();
  private readonly parent: Uint32Array;
  private readonly context: PairContext;

  constructor(
    private readonly matcher: Matcher<never, F>,
    loaded: Loaded<F>,
  ) {
    this.ids = loaded.ids;
    this.store = loaded.store;
    this.buckets = loaded.buckets;
    this.parent = Uint32Array.from({ length: this.ids.length }, (_, i) => i);
    this.context = { holders: (key) => this.buckets.holders(key) };
  }

  /** Compares every pair that shares a key that isn't generic, each once, and finds the components that may hold together. */
  compareAll(): void {
    for (const pair of this.buckets.pairs()) {
      const [a, b] = pair;
      const [x, y] = [this.store.get(a), this.store.get(b)];
      if (x.kind !== y.kind) continue;
      const comparison = this.matcher.compare(x, y, this.context);
      this.pairs.push(a, b, comparison.conflict ? -99 : comparison.bits);
      if (this.matcher.decide(comparison).outcome !== 'apart') this.join(a, b);
    }
  }

  private find(i: number): number {
    const { parent } = this;
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  }

  private join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.parent[Math.max(x, y)] = Math.min(x, y);
  }

  /** Components of several records, each with the pairs that were compared inside it. */
  *components(): Generator<{ nodes: Node<F>[]; edges: Edge[] }> {
    const members = new Map<number, number[]>();
    for (let i = 0; i < this.ids.length; i++) {
      const root = this.find(i);
      const list = members.get(root);
      if (list) list.push(i);
      else members.set(root, [i]);
    }
    const inside = new Map<number, number[]>();
    for (let p = 0; p < this.pairs.length; p++) {
      const [a, b] = this.pairs.at(p);
      const root = this.find(a);
      if (root !== this.find(b)) continue;
      const list = inside.get(root);
      if (list) list.push(p);
      else inside.set(root, [p]);
    }
    for (const [root, list] of members) {
      const nodes = list.map((i) => ({ id: this.ids[i] as string, features: this.store.get(i) }));
      yield { nodes, edges: (inside.get(root) ?? []).map((p) => this.edge(p)) };
    }
  }

  /** The pair again with all its evidence: kept for none of the millions that are compared. */
  private edge(p: number): Edge {
    const [i, j] = this.pairs.at(p);
    const comparison = this.matcher.compare(this.store.get(i), this.store.get(j), this.context);
    const [x, y] = [this.ids[i] as string, this.ids[j] as string];
    return { a: x < y ? x : y, b: x < y ? y : x, comparison, verdict: this.matcher.decide(comparison) };
  }

  get compared(): number {
    return this.pairs.length;
  }
}

interface Loaded<F> {
  ids: string[];
  store: FeatureStore<F>;
  buckets: Buckets;
}

async function load<R extends { recordId: string }, F>(
  matcher: BatchMatcher<R, F>,
  records: AsyncIterable<R> | Iterable<R>,
): Promise<Loaded<F>> {
  const ids: string[] = [];
  const store = new FeatureStore<F>();
  const buckets = new Buckets((kind) => matcher.capOf(kind));
  const seen = new Set<string>();
  for await (const record of records) {
    if (seen.has(record.recordId)) throw new Error(`recordId ${record.recordId} comes twice`);
    seen.add(record.recordId);
    const features = matcher.features(record);
    ids.push(record.recordId);
    store.push(features);
    buckets.push(matcher.keys(features), matcher.marks(features));
  }
  buckets.close();
  return { ids, store, buckets };
}

/** Reads all records, compares those that share a key, and partitions each component by `matcher.cluster`. */
export async function resolveBatch<R extends { recordId: string }, F extends { kind: NodeKind }>(
  matcher: BatchMatcher<R, F>,
  records: AsyncIterable<R> | Iterable<R>,
): Promise<BatchResult> {
  const loaded = await load(matcher, records);
  const batch = new Batch(matcher, loaded);
  batch.compareAll();
  const entityOf = new Map<string, string>();
  const [links, reviews]: [Edge[], Edge[]] = [[], []];
  let entities = 0;
  for (const { nodes, edges } of batch.components()) {
    if (nodes.length === 1) {
      entities++;
      continue;
    }
    const partition = matcher.cluster(nodes, edges, []);
    entities += partition.entities.length;
    for (const members of partition.entities)
      for (const id of members) if (members[0] !== id) entityOf.set(id, members[0] as string);
    for (const link of partition.links) links.push(link);
    for (const review of partition.reviews) reviews.push(review);
  }
  function* assignments(): Generator<{ recordId: string; entityId: string }> {
    for (const recordId of loaded.ids) yield { recordId, entityId: `e-${entityOf.get(recordId) ?? recordId}` };
  }
  return { assignments, entities, links, reviews, compared: batch.compared };
}
