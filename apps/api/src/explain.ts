import {
  explainPair,
  pathBetween,
  type Comparison,
  type Edge,
  type Explanation,
  type Verdict,
} from '@liandun/identity';
import type { StoredEdge } from '@liandun/views';

/** Why two observations were linked, or doubted: from what the matcher stored, levels and weights without a value. */
export interface PairExplanation extends Explanation {
  a: number;
  b: number;
  /** Log2 of the odds that the two are one. */
  bits: number;
}

const edgeOf = ({ a, b, outcome, grade, rule, bits, evidence }: StoredEdge): Edge => ({
  a: String(a),
  b: String(b),
  comparison: { kind: 'legal', evidence: evidence as Comparison['evidence'], bits },
  verdict: { outcome, rule: rule as Verdict['rule'], ...(grade && { grade }) },
});

/** The evidence on two observations. */
export function explained(edge: StoredEdge): PairExplanation {
  const { comparison, verdict } = edgeOf(edge);
  return { a: edge.a, b: edge.b, bits: edge.bits, ...explainPair(comparison, verdict) };
}

/** By which links one observation hangs together with another; none where only a person's word ties them. */
export function pathOf(edges: readonly StoredEdge[], a: number, b: number): PairExplanation[] {
  const links = edges.filter(({ outcome }) => outcome === 'link');
  const byText = new Map(links.map((edge) => [`${edge.a} ${edge.b}`, edge]));
  return pathBetween(links.map(edgeOf), String(a), String(b)).map((edge) =>
    explained(byText.get(`${edge.a} ${edge.b}`) as StoredEdge),
  );
}
