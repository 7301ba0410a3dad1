import type { EntityRelation, RelationRef } from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import type { Relation } from '@liandun/identity';
import type { ClientBase } from 'pg';

/** A relation that the ledger keeps. */
export type KeptRelation = Omit<EntityRelation, 'because'>;

/** Relations of one entity beyond which no more are kept: what is related to so many says nothing of any. */
export const RELATIONS_MAX = 50;

/** What changes of the relations of the observations that were looked at. */
export interface RelationChanges {
  related: EntityRelation[];
  unrelated: RelationRef[];
}

const refText = ({ kind, from, to }: RelationRef): string => `${kind} ${from} ${to}`;

/** What the matcher found of two records, by their positions. */
export const relationAt = ({ kind, from, to, fields, grade, member }: Relation): EntityRelation => ({
  kind,
  from: Number(from),
  to: Number(to),
  because: fields.map((field) => ({ field, grade })),
  ...(member !== undefined && { member }),
});

const byPositions = (x: RelationRef, y: RelationRef): number =>
  Math.max(x.from, x.to) - Math.max(y.from, y.to) || x.from - y.from || x.to - y.to || (x.kind < y.kind ? -1 : 1);

/**
 * From the relations that are kept of the observations that were looked at to those that were found of them. Between two
 * entities each kind is kept once, and once more for each member whose own reports show it: a merchant that is reported daily adds
 * nothing. Pure.
 * @param entityOf the entity that an observation is of now
 */
export function relationChanges(
  kept: readonly KeptRelation[],
  found: readonly EntityRelation[],
  entityOf: (position: number) => string | undefined,
): RelationChanges {
  const stands = new Set(found.map(refText));
  const unrelated = kept.filter((relation) => !stands.has(refText(relation)));
  const counts = new Map<string, number>();
  const shown = new Set<string>();
  const slot = ({ kind, from, to, member }: KeptRelation, x: string, y: string): string => {
    const pair = kind === 'sharesPhone' && x > y ? `${y} ${x}` : `${x} ${y}`;
    return from === to ? '' : `${kind} ${pair} ${member ?? ''}`;
  };
  const show = (relation: KeptRelation, x: string, y: string): void => {
    shown.add(slot(relation, x, y));
    for (const id of [x, y]) counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  for (const relation of kept) {
    const [x, y] = [entityOf(relation.from), entityOf(relation.to)];
    if (stands.has(refText(relation)) && x !== undefined && y !== undefined && x !== y) show(relation, x, y);
  }
  const known = new Set(kept.map(refText));
  const related = found.toSorted(byPositions).filter((relation) => {
    const [x, y] = [entityOf(relation.from), entityOf(relation.to)];
    if (x === undefined || y === undefined || x === y || known.has(refText(relation))) return false;
    if (shown.has(slot(relation, x, y)) || [x, y].some((id) => (counts.get(id) ?? 0) >= RELATIONS_MAX)) return false;
    show(relation, x, y);
    return true;
  });
  return { related, unrelated: unrelated.map(({ kind, from, to }) => ({ kind, from, to })) };
}

/** The relations that the given observations show. */
export async function keptRelations(client: ClientBase, positions: readonly number[]): Promise<KeptRelation[]> {
  const { rows } = await prepared<{ kind: KeptRelation['kind']; from: string; to: string; member: string | null }>(
    client,
    `select kind, shown_by as from, shown_of as to, member from identity.relation where shown_by = any($1)
     union select kind, shown_by, shown_of, member from identity.relation where shown_of = any($1)`,
    [positions],
  );
  return rows.map(({ kind, from, to, member }) => ({
    kind,
    from: Number(from),
    to: Number(to),
    ...(member !== null && { member }),
  }));
}

/** Which entities observations are of. */
export async function entitiesAt(client: ClientBase, positions: readonly number[]): Promise<Map<number, string>> {
  if (positions.length === 0) return new Map();
  const { rows } = await prepared<{ position: string; entity_id: string }>(
    client,
    'select position, entity_id from identity.link where position = any($1)',
    [positions],
  );
  return new Map(rows.map((row) => [Number(row.position), row.entity_id]));
}
