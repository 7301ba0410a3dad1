import type { Edge, Node, PairDecision, Partition } from './types.js';

/** What one entity may hold only one of. */
export interface Identity {
  uscc?: string | undefined;
  residentId?: string | undefined;
}

export interface ClusterOptions<F> {
  identityOf(features: F): Identity;
  /** Records of one entity from which a person is asked before it grows by anything but an equal identifier. */
  sizeMax: number;
}

/** The same for a pair in either order. */
export const pairText = (a: string, b: string): string => (a < b ? `${a}\t${b}` : `${b}\t${a}`);
const byStrength = (x: Edge, y: Edge): number =>
  y.comparison.bits - x.comparison.bits || (x.a < y.a ? -1 : x.a > y.a ? 1 : x.b < y.b ? -1 : x.b > y.b ? 1 : 0);

class Groups<F> {
  readonly root = new Map<string, string>();
  readonly members = new Map<string, string[]>();
  private readonly uscc = new Map<string, string>();
  private readonly residentId = new Map<string, string>();

  constructor(
    nodes: readonly Node<F>[],
    private readonly options: ClusterOptions<F>,
    private readonly different: ReadonlyMap<string, ReadonlySet<string>>,
  ) {
    for (const { id, features } of nodes) {
      this.root.set(id, id);
      this.members.set(id, [id]);
      const { uscc, residentId } = options.identityOf(features);
      if (uscc) this.uscc.set(id, uscc);
      if (residentId) this.residentId.set(id, residentId);
    }
  }

  of(id: string): string {
    return this.root.get(id) as string;
  }

  /** Why the two groups can't be one. */
  obstacle(p: string, q: string): 'conflict' | 'decidedDifferent' | 'tooLarge' | undefined {
    if (contradicts(this.uscc.get(p), this.uscc.get(q)) || contradicts(this.residentId.get(p), this.residentId.get(q)))
      return 'conflict';
    const [few, many] = this.sizes(p) <= this.sizes(q) ? [p, q] : [q, p];
    for (const id of this.members.get(few) as string[])
      for (const other of this.different.get(id) ?? []) if (this.root.get(other) === many) return 'decidedDifferent';
    return this.sizes(p) + this.sizes(q) > this.options.sizeMax ? 'tooLarge' : undefined;
  }

  sizes(p: string): number {
    return (this.members.get(p) as string[]).length;
  }

  merge(p: string, q: string): void {
    const [keep, gone] = this.sizes(p) >= this.sizes(q) ? [p, q] : [q, p];
    const moved = this.members.get(gone) as string[];
    for (const id of moved) this.root.set(id, keep);
    (this.members.get(keep) as string[]).push(...moved);
    this.members.delete(gone);
    for (const held of [this.uscc, this.residentId]) {
      const value = held.get(keep) ?? held.get(gone);
      if (value) held.set(keep, value);
    }
  }
}

const contradicts = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;

/** Cross pairs between two groups: what speaks against a bridge of one edge. */
class Cross {
  private readonly at = new Map<string, Edge[]>();

  constructor(edges: readonly Edge[]) {
    for (const edge of edges)
      for (const id of [edge.a, edge.b]) {
        const list = this.at.get(id);
        if (list) list.push(edge);
        else this.at.set(id, [edge]);
      }
  }

  /** Mean of the bits over all compared pairs between the groups, each pair counted within ±CLIP. */
  mean<F>(groups: Groups<F>, p: string, q: string): number {
    let [sum, count] = [0, 0];
    const [few, many] = groups.sizes(p) <= groups.sizes(q) ? [p, q] : [q, p];
    for (const id of groups.members.get(few) as string[])
      for (const edge of this.at.get(id) ?? []) {
        const other = edge.a === id ? edge.b : edge.a;
        if (groups.of(other) !== many) continue;
        sum += Math.max(-CLIP, Math.min(CLIP, edge.comparison.conflict ? -CLIP : edge.comparison.bits));
        count++;
      }
    return count === 0 ? 0 : sum / count;
  }
}
const CLIP = 12;

/**
 * Joins the strongest pairs first, never against an identifier or a reviewer's `different`, and two groups of several
 * records only where the pairs between them agree on the whole. Edges may include pairs that are apart: they are what
 * speaks against. A pure function of the sets.
 */
export function clusterNodes<F>(
  nodes: readonly Node<F>[],
  edges: readonly Edge[],
  decisions: readonly PairDecision[],
  options: ClusterOptions<F>,
): Partition {
  const decided = new Map(decisions.map(({ a, b, decision }) => [pairText(a, b), decision]));
  const different = new Map<string, Set<string>>();
  for (const { a, b, decision } of decisions)
    if (decision === 'different')
      for (const [x, y] of [
        [a, b],
        [b, a],
      ] as const)
        different.set(x, (different.get(x) ?? new Set()).add(y));
  const groups = new Groups(nodes, options, different);
  const cross = new Cross(edges);
  const links: Edge[] = [];
  const doubted: Edge[] = [];
  const sorted = edges.toSorted(byStrength);
  const same = decisions
    .filter(({ decision }) => decision === 'same')
    .map(({ a, b }) => pairText(a, b))
    .toSorted();
  for (const pair of same) {
    const [a, b] = pair.split('\t') as [string, string];
    if (!groups.root.has(a) || !groups.root.has(b)) continue;
    const [p, q] = [groups.of(a), groups.of(b)];
    if (p === q || groups.obstacle(p, q) === 'conflict') continue;
    const edge = edges.find((known) => known.a === a && known.b === b);
    links.push({
      a,
      b,
      comparison: edge?.comparison ?? { kind: 'legal', evidence: [], bits: 0 },
      verdict: { outcome: 'link', grade: 'exact', rule: 'decidedSame' },
    });
    groups.merge(p, q);
  }
  for (const edge of sorted) {
    if (edge.verdict.outcome === 'apart') continue;
    const [p, q] = [groups.of(edge.a), groups.of(edge.b)];
    if (p === q) continue;
    if (edge.verdict.outcome === 'review') {
      doubted.push(edge);
      continue;
    }
    const obstacle = groups.obstacle(p, q);
    if (obstacle === 'conflict' || obstacle === 'decidedDifferent') continue;
    const several = groups.sizes(p) > 1 && groups.sizes(q) > 1;
    if (obstacle || (several && cross.mean(groups, p, q) < 0))
      doubted.push({ ...edge, verdict: { outcome: 'review', rule: obstacle ?? 'ambiguous' } });
    else {
      links.push(edge);
      groups.merge(p, q);
    }
  }
  return { entities: entitiesOf(groups), links, reviews: reviewsOf(doubted, groups, decided) };
}

const entitiesOf = <F>(groups: Groups<F>): string[][] =>
  [...groups.members.values()]
    .map((members) => members.toSorted())
    .toSorted((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1));

/** The strongest doubt between each two entities that may be one; what was decided stays decided. */
function reviewsOf<F>(doubted: readonly Edge[], groups: Groups<F>, decided: ReadonlyMap<string, string>): Edge[] {
  const kept = new Map<string, Edge>();
  for (const edge of doubted.toSorted(byStrength)) {
    const [p, q] = [groups.of(edge.a), groups.of(edge.b)];
    if (p === q || decided.has(pairText(edge.a, edge.b))) continue;
    const obstacle = groups.obstacle(p, q);
    if (obstacle === 'conflict' || obstacle === 'decidedDifferent' || kept.has(pairText(p, q))) continue;
    kept.set(pairText(p, q), edge);
  }
  return [...kept.values()];
}
