import { prepared } from '@liandun/event-log';
import type { Edge, Outcome, Rule, Verdict } from '@liandun/identity';
import type { ClientBase, Pool } from 'pg';
import { nodeId } from './match-index.js';

/** An edge that was found before, without its evidence. */
export interface StoredEdge {
  a: number;
  b: number;
  outcome: Outcome;
  grade: Verdict['grade'] | null;
  rule: Rule;
  bits: number;
}

/** The edges of the given records as they were found last, with whomever but the others that are named. */
export async function storedEdges(
  client: ClientBase | Pool,
  positions: readonly number[],
  others: readonly number[] = [],
): Promise<StoredEdge[]> {
  if (positions.length === 0) return [];
  // Not `a = any and b = any`: that is looked up for each pair of them. Nor `<> all`, which goes through the list for each row.
  const { rows } = await prepared<Omit<StoredEdge, 'a' | 'b'> & { a: string; b: string }>(
    client,
    `select a, b, outcome, grade, rule, bits from match.edge where a = any($1) and b not in (select unnest($2::bigint[]))
     union all select a, b, outcome, grade, rule, bits from match.edge
       where b = any($1) and a not in (select unnest($1 || $2::bigint[]))`,
    [positions, others],
  );
  return rows.map((row) => ({ ...row, a: Number(row.a), b: Number(row.b) }));
}

const pairText = (a: number | string, b: number | string): string => `${Number(a)} ${Number(b)}`;

/** An edge as it is kept. */
export const edgeRow = ({ a, b, verdict, comparison }: Edge): object => ({
  a: Number(a),
  b: Number(b),
  outcome: verdict.outcome,
  grade: verdict.grade,
  rule: verdict.rule,
  bits: comparison.bits,
  evidence: verdict.outcome === 'apart' ? [] : comparison.evidence,
});

/** An edge as the matcher knows it, from what is kept. */
export function edgeOf({ a, b, outcome, grade, rule, bits }: StoredEdge): Edge {
  const conflict = rule === 'conflict' && { conflict: 'residentId' as const };
  return {
    a: nodeId(a),
    b: nodeId(b),
    comparison: { kind: 'legal', evidence: [], bits, ...conflict },
    verdict: { outcome, rule, ...(grade && { grade }) },
  };
}

/** Keeps the edges that were found among the given records, and drops what isn't found any more. */
export async function saveEdges(
  client: ClientBase,
  before: readonly StoredEdge[],
  found: readonly Edge[],
  unchanged: readonly Edge[],
): Promise<void> {
  const was = new Map(before.map((edge) => [pairText(edge.a, edge.b), edge]));
  const now = new Set([...found, ...unchanged].map(({ a, b }) => pairText(a, b)));
  const gone = before.filter(({ a, b }) => !now.has(pairText(a, b)));
  const changed = found.filter(({ a, b, verdict, comparison }) => {
    const old = was.get(pairText(a, b));
    return old?.outcome !== verdict.outcome || Math.abs(old.bits - comparison.bits) > 0.01;
  });
  if (gone.length > 0) {
    await prepared(
      client,
      'delete from match.edge e using unnest($1::bigint[], $2::bigint[]) g (a, b) where e.a = g.a and e.b = g.b',
      [gone.map(({ a }) => a), gone.map(({ b }) => b)],
    );
  }
  if (changed.length === 0) return;
  await prepared(
    client,
    `insert into match.edge (a, b, outcome, grade, rule, bits, evidence)
     select a, b, outcome, grade, rule, bits, evidence from jsonb_to_recordset($1)
       r (a bigint, b bigint, outcome text, grade text, rule text, bits real, evidence jsonb)
     on conflict (a, b) do update set outcome = excluded.outcome, grade = excluded.grade, rule = excluded.rule,
       bits = excluded.bits, evidence = excluded.evidence`,
    [JSON.stringify(changed.map(edgeRow))],
  );
}
