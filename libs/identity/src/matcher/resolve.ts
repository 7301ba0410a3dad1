import { pairText } from './cluster.js';
import { gapsOf } from './lives.js';
import type { Edge, Key, Matcher, Node, PairContext, PairDecision, Partition, Relation } from './types.js';

/** The records under a key that the caller knows. */
export interface Bucket<F> {
  /** How many entities hold the key, by `Matcher.holders` or the caller's own count. */
  holders: number;
  /**
   * All of them, or, where `holders` reaches the matcher's cap, none are needed; nor are any that can neither be the same as the record
   * that is asked for nor be related to it.
   */
  records: readonly Node<F>[];
}

/** How a component is looked up: by a map in memory, or by the blind index and the vault. */
export interface Lookup<F> {
  /** Called once for each touched record with its keys; answers in their order. */
  buckets(keys: readonly Key[], of: Node<F>): Promise<readonly Bucket<F>[]> | readonly Bucket<F>[];
  /** Before the keys of these records are looked up one record after the other: all of them at once. */
  prefetch?(nodes: readonly Node<F>[]): Promise<void>;
  /** What reviewers decided of pairs of these records. */
  decisions(records: readonly string[]): Promise<readonly PairDecision[]> | readonly PairDecision[];
}

export interface Resolution<F> extends Partition {
  /** Every record of the component, with the ones that were given. */
  nodes: Node<F>[];
  /** Every pair of them that was compared. */
  edges: Edge[];
  /** How records of the component are related to others, also outside it: those that no link joins. */
  relations: Relation[];
  /** Whether a component reached `limit` and was left incomplete: then a person has to look. */
  cut: boolean;
}

/** Most records of one component; a larger one is cut, with what was nearest to the given records. However many are given. */
export const COMPONENT_MAX = 2000;

/** How often more records are taken. */
const BESIDE_MAX = 4;

const keyText = ({ kind, value }: Key): string => `${kind}:${value}`;

/** Explores the records that are joined to the given ones by links or reviews, breadth first. */
class Exploration<F> {
  readonly nodes = new Map<string, Node<F>>();
  readonly edges = new Map<string, Edge>();
  /** Of each record that was reached another one of its component, up to one that is its own. */
  private readonly parents = new Map<string, string>();
  private readonly sizes = new Map<string, number>();
  private readonly holders = new Map<string, number>();
  /** Of phones that nobody showed for long: when. */
  private readonly gaps = new Map<string, [from: number, to: number][]>();
  readonly relations = new Map<string, Relation>();
  private readonly context: PairContext = {
    holders: (key) => this.holders.get(keyText(key)) ?? 1,
    reissued: (key, from, to) => this.gaps.get(keyText(key))?.some((gap) => from <= gap[0] && gap[1] <= to) ?? false,
  };

  constructor(
    private readonly matcher: Matcher<never, F>,
    private readonly lookup: Lookup<F>,
  ) {}

  /** Visits the node: compares it with those that share a key, and answers the ones not visited before that may be the same. */
  async neighbours(node: Node<F>): Promise<Node<F>[]> {
    const root = this.rootOf(node.id);
    this.sizes.set(root, (this.sizes.get(root) ?? 0) + 1);
    const keys = this.matcher.keys(node.features);
    const relating = this.matcher.relationKeys?.(node.features) ?? [];
    const buckets = await this.lookup.buckets([...keys, ...relating], node);
    keys.forEach((key, i) => {
      this.holders.set(keyText(key), buckets[i]?.holders ?? 1);
      if (key.kind === 'phone') this.gaps.set(keyText(key), gapsOf((buckets[i]?.records ?? []).flatMap(dayOf)));
    });
    relating.forEach((key, i) => {
      const bucket = buckets[keys.length + i];
      if (!bucket || bucket.holders >= this.matcher.capOf(key.kind)) return;
      for (const other of bucket.records) this.relate(node, other);
    });
    const found: Node<F>[] = [];
    const seen = new Set([node.id]);
    buckets.forEach((bucket, i) => {
      const key = keys[i];
      if (!key || bucket.holders >= this.matcher.capOf(key.kind)) return;
      for (const other of bucket.records) {
        if (seen.has(other.id)) continue;
        seen.add(other.id);
        // Whoever was visited has been compared with all that share a key with it.
        if (!this.nodes.has(other.id) && this.joins(node, other)) found.push(other);
      }
    });
    this.nodes.set(node.id, node);
    return found;
  }

  /** Whether the record's component has as many as may be. */
  isFull(id: string, limit: number): boolean {
    return (this.sizes.get(this.rootOf(id)) ?? 0) >= limit;
  }

  private rootOf(id: string): string {
    let at = id;
    for (let up; (up = this.parents.get(at)) !== undefined; at = up) {
      const above = this.parents.get(up);
      if (above !== undefined) this.parents.set(at, above);
    }
    return at;
  }

  private unite(a: string, b: string): void {
    const [p, q] = [this.rootOf(a), this.rootOf(b)];
    if (p === q) return;
    this.parents.set(q, p);
    this.sizes.set(p, (this.sizes.get(p) ?? 0) + (this.sizes.get(q) ?? 0));
  }

  private joins(node: Node<F>, other: Node<F>): boolean {
    const conflict = this.matcher.conflict?.(node.features, other.features);
    if (conflict === 'kind' || conflict === 'uscc') {
      // What it says against a bridge between their groups, those groups' own kinds and codes say.
      this.relate(node, other);
      return false;
    }
    const comparison = this.matcher.compare(node.features, other.features, this.context);
    const verdict = this.matcher.decide(comparison);
    const [a, b] = node.id < other.id ? [node.id, other.id] : [other.id, node.id];
    const pair = `${a}\t${b}`;
    this.edges.set(pair, { a, b, comparison, verdict });
    if (verdict.outcome === 'link') this.relations.delete(pair);
    else this.relate(node, other);
    if (verdict.outcome === 'apart') return false;
    this.unite(node.id, other.id);
    return true;
  }

  private relate(node: Node<F>, other: Node<F>): void {
    if (node.id === other.id || !this.matcher.relate) return;
    const pair = pairText(node.id, other.id);
    if (this.relations.has(pair) || this.edges.get(pair)?.verdict.outcome === 'link') return;
    const relation = this.matcher.relate(node, other, this.context);
    if (relation) this.relations.set(pair, relation);
  }
}

/** The day of a record's report, where its features have one. */
const dayOf = ({ features }: Node<unknown>): number[] => {
  const { day } = features as { day?: number };
  return day === undefined ? [] : [day];
};

/**
 * The component that the given records touch, and its partition into entities: what live calls for each fact, and a batch
 * for each component. The answer depends on what the lookup knows as a set, not on which records of the component were
 * given nor on any order.
 * @param beside asked of all records that were reached which others have to be looked at with them, whatever is found of those; the
 *   last time of the very records that are answered
 */
export async function resolve<F>(
  matcher: Matcher<never, F>,
  given: readonly Node<F>[],
  lookup: Lookup<F>,
  limit = COMPONENT_MAX,
  beside?: (records: readonly string[]) => Promise<readonly Node<F>[]>,
): Promise<Resolution<F>> {
  const exploration = new Exploration(matcher, lookup);
  let front: readonly Node<F>[] = given;
  let cut = false;
  for (let asked = 0; front.length > 0;) {
    const next: Node<F>[] = [];
    await lookup.prefetch?.(front.filter(({ id }) => !exploration.nodes.has(id)));
    for (const node of front) {
      if (exploration.nodes.has(node.id)) continue;
      if (exploration.isFull(node.id, limit)) cut = true;
      else next.push(...(await exploration.neighbours(node)));
    }
    front = next;
    if (front.length > 0 || !beside) continue;
    const more = await beside([...exploration.nodes.keys()]);
    if (asked++ < BESIDE_MAX) front = more.filter(({ id }) => !exploration.nodes.has(id));
  }
  const nodes = [...exploration.nodes.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const edges = [...exploration.edges.values()].filter(
    ({ a, b }) => exploration.nodes.has(a) && exploration.nodes.has(b),
  );
  const decisions = await lookup.decisions(nodes.map(({ id }) => id));
  const relations = [...exploration.relations.values()];
  return { ...matcher.cluster(nodes, edges, decisions), nodes, edges, relations, cut };
}
