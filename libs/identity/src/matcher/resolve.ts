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
  /** What was found before. Without it everything is compared anew. */
  memory?: Memory<F>;
}

/**
 * What was found of pairs when they were compared before, and would be found again: so a record that joins an entity of many is
 * compared with them, and they aren't with each other. The answer is the same with it and without.
 */
export interface Memory<F> {
  /**
   * Whether all is kept of the record and the others that hold too: every edge of theirs that isn't apart, and of those that are
   * apart the ones between records that links join, as `Resolution.edges` said them. And whether it would be the same now: nothing
   * changed of how many hold the keys that such a pair agrees in.
   */
  holds(id: string): boolean;
  /** The edges of these records. */
  edgesOf(ids: readonly string[]): Promise<Remembered<F>> | Remembered<F>;
}

export interface Remembered<F> {
  edges: readonly Edge[];
  /** The record at an end; at least of a link. */
  nodeOf: (id: string) => Node<F> | undefined;
}

export interface Resolution<F> extends Partition {
  /** Every record of the components, with the ones that were given. */
  nodes: Node<F>[];
  /** The ids of the records of each component: those that edges or decisions join, whether they are one or may be. */
  components: string[][];
  /** Every pair of them that was compared now and may be one, or is apart though links join the two to others. */
  edges: Edge[];
  /** The same of the pairs that were known: two records that weren't compared now. */
  remembered: Edge[];
  /** The records that were compared now, with all that share a key with them. */
  compared: ReadonlySet<string>;
  /** How records that were compared now are related to others, also outside the component: those that no link joins. */
  relations: Relation[];
  /** Whether a component reached `limit` and was left incomplete: then a person has to look. */
  cut: boolean;
}

/** Most records of one component; a larger one is cut, with what was nearest to the given records. However many are given. */
export const COMPONENT_MAX = 2000;

/** How often more records are taken. */
const BESIDE_MAX = 4;

const keyText = ({ kind, value }: Key): string => `${kind}:${value}`;

/** Which records are joined, each such group named by one of its own. */
class Roots {
  private readonly parents = new Map<string, string>();

  of(id: string): string {
    let at = id;
    for (let up; (up = this.parents.get(at)) !== undefined; at = up) {
      const above = this.parents.get(up);
      if (above !== undefined) this.parents.set(at, above);
    }
    return at;
  }

  /** The two components as they were called, where they weren't one. */
  unite(a: string, b: string): { kept: string; gone: string } | undefined {
    const [kept, gone] = [this.of(a), this.of(b)];
    if (kept === gone) return undefined;
    this.parents.set(gone, kept);
    return { kept, gone };
  }
}

/**
 * Explores the records that are joined to the given ones by links, breadth first, and those that may be the same as one that is
 * compared, with whom links join to them.
 */
class Exploration<F> {
  readonly nodes = new Map<string, Node<F>>();
  private readonly edges = new Map<string, Edge>();
  /** Those of the visited records that were compared with all that share a key with them. */
  readonly compared = new Set<string>();
  /** Edges that were found before, also of records that were compared since. */
  private readonly known = new Map<string, Edge>();
  /** What links joined before, and join now. */
  private readonly linkedBefore = new Roots();
  private readonly linked = new Roots();
  /** To be compared, whatever is known of them. */
  private readonly anew = new Set<string>();
  private readonly roots = new Roots();
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

  /** Whether what is known of the record will do. */
  isKnown(id: string): boolean {
    return !this.anew.has(id) && (this.lookup.memory?.holds(id) ?? false);
  }

  /** Whether the record was visited as it has to be. */
  isDone({ id }: Node<F>): boolean {
    return this.compared.has(id) || (this.nodes.has(id) && !this.anew.has(id));
  }

  private visit(node: Node<F>): void {
    if (this.nodes.has(node.id)) return;
    const root = this.rootOf(node.id);
    this.sizes.set(root, (this.sizes.get(root) ?? 0) + 1);
    this.nodes.set(node.id, node);
  }

  /**
   * Visits records of which the pairs are known: answers the ones not visited before that links join to them. Whom they are only
   * possibly the same as was found then, and changes nothing of who is one.
   */
  recall(records: readonly Node<F>[], { edges, nodeOf }: Remembered<F>): Node<F>[] {
    for (const node of records) this.visit(node);
    const found = new Map<string, Node<F>>();
    for (const edge of edges) {
      const { a, b, verdict } = edge;
      const isLink = verdict.outcome === 'link';
      if (isLink) this.linkedBefore.unite(a, b);
      // Of a record that is compared now that will be found, if it is still so.
      if (!this.isKnown(a) || !this.isKnown(b)) continue;
      this.known.set(pairText(a, b), edge);
      if (!isLink) continue;
      this.link(a, b);
      for (const id of [a, b]) {
        const end = nodeOf(id);
        if (end && !this.nodes.has(id)) found.set(id, end);
      }
    }
    return [...found.values()];
  }

  /**
   * Records that links join now and didn't: of pairs of them that are apart nothing is known, and those speak against joining
   * groups. All but those of the largest part are to be compared anew.
   * @param decided pairs that are one by decision, which joins too
   */
  bridged(decided: readonly PairDecision[]): Node<F>[] {
    for (const { a, b, decision } of decided)
      if (decision === 'same' && this.nodes.has(a) && this.nodes.has(b)) this.link(a, b);
    const known = [...this.nodes.values()].filter((node) => !this.compared.has(node.id));
    const found: Node<F>[] = [];
    for (const component of Map.groupBy(known, ({ id }) => this.linked.of(id)).values()) {
      const parts = [...Map.groupBy(component, ({ id }) => this.linkedBefore.of(id)).values()];
      const [, ...smaller] = parts.toSorted((x, y) => y.length - x.length);
      found.push(...smaller.flat());
    }
    for (const { id } of found) this.anew.add(id);
    return found;
  }

  /** The records by component, after all were visited. */
  components(): string[][] {
    for (const { a, b, verdict } of this.known.values())
      if (verdict.outcome === 'review' && this.nodes.has(a) && this.nodes.has(b)) this.unite(a, b);
    return [...Map.groupBy(this.nodes.keys(), (id) => this.rootOf(id)).values()];
  }

  /** The edges that count, those compared now and those known before: without what is apart and isn't joined by links. */
  found(): Pick<Resolution<F>, 'edges' | 'remembered'> {
    const within = ({ a, b, verdict }: Edge): boolean =>
      this.nodes.has(a) &&
      this.nodes.has(b) &&
      (verdict.outcome !== 'apart' || this.linked.of(a) === this.linked.of(b));
    return {
      edges: [...this.edges.values()].filter(within),
      remembered: [...this.known.values()].filter(
        (edge) => within(edge) && !this.compared.has(edge.a) && !this.compared.has(edge.b),
      ),
    };
  }

  /** Visits the node: compares it with those that share a key, and answers the ones not visited before that may be the same. */
  async neighbours(node: Node<F>): Promise<Node<F>[]> {
    this.visit(node);
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
        // Whoever was compared has been compared with all that share a key with it.
        if (!this.compared.has(other.id) && this.joins(node, other)) found.push(other);
      }
    });
    this.compared.add(node.id);
    return found.filter((other) => !this.isDone(other));
  }

  /** Whether the record's component has as many as may be. */
  isFull(id: string, limit: number): boolean {
    return (this.sizes.get(this.rootOf(id)) ?? 0) >= limit;
  }

  private rootOf(id: string): string {
    return this.roots.of(id);
  }

  private link(a: string, b: string): void {
    this.linked.unite(a, b);
    this.unite(a, b);
  }

  private unite(a: string, b: string): void {
    const joined = this.roots.unite(a, b);
    if (joined) this.sizes.set(joined.kept, (this.sizes.get(joined.kept) ?? 0) + (this.sizes.get(joined.gone) ?? 0));
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
    if (verdict.outcome === 'link') this.link(node.id, other.id);
    else this.unite(node.id, other.id);
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
 * The components that the given records touch, and their partition into entities: what live calls for each fact, and a batch
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
  let decisions: readonly PairDecision[] = [];
  const fits = (node: Node<F>): boolean => {
    const isFull = !exploration.nodes.has(node.id) && exploration.isFull(node.id, limit);
    cut ||= isFull;
    return !isFull;
  };
  for (let asked = 0; front.length > 0;) {
    const next: Node<F>[] = [];
    const open = front.filter((node) => !exploration.isDone(node));
    const known = open.filter((node) => exploration.isKnown(node.id));
    const compared = open.filter((node) => !exploration.isKnown(node.id));
    await lookup.prefetch?.(compared);
    for (const node of compared)
      if (!exploration.isDone(node) && fits(node)) next.push(...(await exploration.neighbours(node)));
    const recalled = known.filter(fits);
    if (lookup.memory && recalled.length > 0)
      next.push(...exploration.recall(recalled, await lookup.memory.edgesOf(recalled.map(({ id }) => id))));
    front = next;
    if (front.length > 0) continue;
    const more = (await beside?.([...exploration.nodes.keys()])) ?? [];
    if (asked++ < BESIDE_MAX) front = more.filter(({ id }) => !exploration.nodes.has(id));
    if (front.length > 0) continue;
    decisions = await lookup.decisions([...exploration.nodes.keys()].toSorted());
    front = exploration.bridged(decisions);
  }
  const nodes = [...exploration.nodes.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const { edges, remembered } = exploration.found();
  const relations = [...exploration.relations.values()];
  const partition = matcher.cluster(nodes, [...edges, ...remembered], decisions);
  const { compared } = exploration;
  return { ...partition, nodes, components: exploration.components(), edges, remembered, compared, relations, cut };
}
