import type { EntityRelation } from '@liandun/contracts';
import { gapsOf, saysTheSame, type Edge, type Features, type Node, type Resolution } from '@liandun/identity';
import { prepared } from '@liandun/event-log';
import { forgetDerived } from '@liandun/vault';
import type { ClientBase } from 'pg';
import { entriesAt, nodeId, type Generation, type MatchIndex, type ObservedEntry } from './match-index.js';
import { saveEdges, storedEdges } from './edges.js';
import { Explorer, type Explored } from './explore.js';
import { LiveLookup } from './live-lookup.js';
import { entitiesAt, keptRelations, relationAt, relationChanges, type RelationChanges } from './relations.js';
import { regroup, type Found, type PairEdge, type Regrouping } from './regroup.js';
import type { Alias } from './standings.js';

/** What follows: who is one, and how those that aren't are related. */
export interface Settled extends Regrouping {
  relations: RelationChanges & { entityOf: (position: number) => string | undefined; cause: number };
}

/**
 * Judges new observations, and the given old ones again, with everything that they touch: who is one entity by all that is
 * known now, against what the ledger holds. Keys and evidence are kept in the client's transaction; the regrouping is the
 * caller's to append.
 * @param again positions of observations of which something was decided
 */
export async function settle(
  client: ClientBase,
  index: MatchIndex,
  generations: readonly Generation[],
  entries: readonly ObservedEntry[],
  again: readonly number[] = [],
): Promise<Settled> {
  const nodes = await index.nodes(client, entries);
  const repeats = await index.place(client, nodes, generations);
  await saveAliases(
    client,
    [...repeats].map(([position, of]) => ({ position, of, grade: 'exact' })),
  );
  const active = generations.find(({ state }) => state === 'active') as Generation;
  const lookup = new LiveLookup(index, client, active);
  const fresh = nodes.filter(({ id }) => !repeats.has(Number(id)));
  const touched = [...new Set([...(await anchorsOf(client, again)), ...repeats.values()])];
  const older = [...(await index.nodesAt(client, touched)).values()];
  await lookup.prefetch([...fresh, ...older]);
  const isNew = new Set(entries.map(({ position }) => position));
  const changed = await unsettled(index, lookup, fresh);
  const given = [...fresh, ...older, ...changed];
  const anew = new Set([...fresh, ...changed].map(({ id }) => id));
  lookup.remember(anew);
  const cause = (positions: readonly number[]): number =>
    Math.max(
      ...positions.filter((position) => isNew.has(position)),
      ...(positions.some((p) => isNew.has(p)) ? [] : [-1]),
    );
  const ids = new Map<number, string>();
  const idOf = (position: number): string => {
    const id = ids.get(position) ?? index.entityId(position);
    ids.set(position, id);
    return id;
  };
  const naming = { isNew, idOf, cause };
  const explorer = new Explorer(client, index, lookup);
  let found = await judge(client, await explorer.explore(given), naming);
  // What an entity hid of its parts' relations, since it was shown once, may have to be shown.
  for (let more; lookup.memory && (more = partedBy(found, anew)).length > 0;) {
    for (const id of more) anew.add(id);
    found = await judge(client, await explorer.exploreAgain(found.explored, more), naming);
  }
  await keepEdges(client, found.explored, isNew);
  return {
    ...(await withReasons(client, found, { idOf, cause })),
    relations: { ...found.changes, entityOf: found.entityOf, cause: cause([...isNew]) },
  };
}

/** How entities are called, and what a regrouping of observations follows from. */
interface Naming {
  isNew: ReadonlySet<number>;
  idOf: (position: number) => string;
  cause: (positions: readonly number[]) => number;
}

/** What is found of records and of all that they touch, against what the ledger holds. */
interface Judged {
  explored: Explored;
  found: Found;
  regrouping: Regrouping;
  changes: RelationChanges;
  entityOf: (position: number) => string | undefined;
}

/** What follows from what was explored. */
async function judge(client: ClientBase, explored: Explored, naming: Naming): Promise<Judged> {
  const { isNew, idOf, cause } = naming;
  const { resolution, positions, was, aliases } = explored;
  const found = expanded(resolution, aliases, isNew);
  const kept = await keptRelations(client, positions);
  // Of two that weren't compared now nothing has changed.
  const standing = kept.filter(({ from, to }) => [from, to].every((at) => !resolution.compared.has(nodeId(at))));
  const because: EntityRelation['because'] = [];
  const relations = [...resolution.relations.map(relationAt), ...standing.map((each) => ({ ...each, because }))];
  const now = new Map(found.entities.flatMap((entity) => entity.map((at) => [at, idOf(Math.min(...entity))])));
  const others = [...relations, ...kept].flatMap(({ from, to }) => [from, to]).filter((at) => !now.has(at));
  const beside = await entitiesAt(client, [...new Set(others)]);
  const entityOf = (position: number): string | undefined => now.get(position) ?? beside.get(position);
  return {
    explored,
    found,
    regrouping: regroup(was, found, idOf, cause),
    changes: relationChanges(kept, relations, entityOf),
    entityOf,
  };
}

/** Keeps what was found of pairs that were compared now. */
async function keepEdges(
  client: ClientBase,
  { resolution: { edges, remembered, compared }, positions }: Explored,
  isNew: ReadonlySet<number>,
): Promise<void> {
  const explored = new Set(positions);
  const again = positions.filter((position) => compared.has(nodeId(position)) && !isNew.has(position));
  const before = await storedEdges(client, again);
  await saveEdges(
    client,
    before.filter(({ a, b }) => explored.has(a) && explored.has(b)),
    edges,
    remembered,
  );
}

/** The regrouping with what each link rests on, also where that wasn't compared now. */
async function withReasons(
  client: ClientBase,
  { explored: { resolution, was }, found, regrouping }: Judged,
  { idOf, cause }: Pick<Naming, 'idOf' | 'cause'>,
): Promise<Regrouping> {
  const moved = new Set(regrouping.merges.flatMap(({ links }) => links.map(({ observation }) => observation)));
  const bare = resolution.remembered.filter(({ a, b }) => moved.has(Number(a)) || moved.has(Number(b)));
  if (bare.length === 0) return regrouping;
  return regroup(was, await withEvidence(client, found, bare.map(positionsIn)), idOf, cause);
}

/** The records that are parted, or whose relations end, but for those that are compared anew: what is kept of their pairs is too little. */
function partedBy({ explored: { positions, was }, regrouping, changes }: Judged, anew: ReadonlySet<string>): string[] {
  const ended = changes.unrelated
    .flatMap(({ from, to }) => [from, to])
    .flatMap((position) => was.get(position)?.entityId ?? []);
  const parted = new Set([...regrouping.splits.map(({ entityId }) => entityId), ...ended]);
  return positions
    .filter((position) => parted.has(was.get(position)?.entityId ?? ''))
    .map(nodeId)
    .filter((id) => !anew.has(id));
}

/** Older records under a key of which others hold it now, or others show it, so that what they agree in says more or less. */
async function unsettled(
  index: MatchIndex,
  lookup: LiveLookup,
  fresh: readonly Node<Features>[],
): Promise<Node<Features>[]> {
  const { matcher } = index;
  const added = new Set(fresh.map(({ id }) => Number(id)));
  const again = new Map<string, Node<Features>>();
  for (const { features } of fresh) {
    const keys = index.allKeys(features);
    const buckets = await lookup.under(keys);
    for (const [n, { kind }] of keys.entries()) {
      const bucket = buckets[n];
      const cap = matcher.capOf(kind);
      if (!bucket) continue;
      const says = saysTheSame(kind, lookup.holdersBefore(bucket, added), bucket.holders, cap);
      if (says && (kind !== 'phone' || bucket.holders >= cap)) continue;
      const records = await lookup.recordsUnder(bucket);
      const older = records.filter(({ id }) => !added.has(Number(id)));
      if (says && gapsIn(older) === gapsIn(records)) continue;
      for (const record of older) again.set(record.id, record);
    }
  }
  return [...again.values()];
}

const gapsIn = (nodes: readonly Node<Features>[]): string =>
  gapsOf(nodes.flatMap(({ features }) => features.day ?? [])).join();

/** What was found, with the evidence of the given pairs, which weren't compared now. */
async function withEvidence(client: ClientBase, found: Found, bare: readonly PairEdge[]): Promise<Found> {
  const { rows } = await prepared<{ a: string; b: string; evidence: PairEdge['comparison']['evidence'] }>(
    client,
    'select a, b, evidence from match.edge join unnest($1::bigint[], $2::bigint[]) g (a, b) using (a, b)',
    [bare.map(({ a }) => a), bare.map(({ b }) => b)],
  );
  const evidenceOf = new Map(rows.map(({ a, b, evidence }) => [`${a} ${b}`, evidence]));
  const edges = found.edges.map((edge) => {
    const evidence = evidenceOf.get(`${edge.a} ${edge.b}`);
    return evidence && edge.verdict.rule !== 'decidedSame'
      ? { ...edge, comparison: { ...edge.comparison, evidence } }
      : edge;
  });
  return { ...found, edges };
}

/** An edge between two records as one between their observations. */
export const positionsIn = ({ a, b, comparison, verdict }: Edge): PairEdge => ({
  a: Number(a),
  b: Number(b),
  comparison,
  verdict,
});

/** The matcher's answer with the observations that stay with others beside those. */
function expanded(
  { entities, edges, remembered, links, reviews }: Resolution<Features>,
  aliases: readonly Alias[],
  isNew: ReadonlySet<number>,
): Found {
  const following = Map.groupBy(aliases, ({ of }) => of);
  const tied = aliases.map(({ position, of, grade }): PairEdge => ({
    a: Math.min(position, of),
    b: Math.max(position, of),
    comparison: { kind: 'legal', evidence: [], bits: Number.POSITIVE_INFINITY },
    verdict: { outcome: 'link', rule: 'identifierAgrees', grade },
  }));
  // What a person says of a pair counts, whatever the matcher found of it.
  const decided = links.filter(({ verdict }) => verdict.rule === 'decidedSame');
  const found = [...edges, ...remembered].filter(
    (edge) => edge.verdict.outcome === 'link' && !decided.some(({ a, b }) => a === edge.a && b === edge.b),
  );
  return {
    entities: entities.map((entity) =>
      entity
        .map(Number)
        .flatMap((position) => [position, ...(following.get(position) ?? []).map((alias) => alias.position)]),
    ),
    edges: [...[...found, ...decided].map(positionsIn), ...tied],
    reviews: reviews.map(positionsIn).filter(({ a, b }) => isNew.has(a) || isNew.has(b)),
  };
}

/** The given observations; in the place of one that stays with another, that one. */
async function anchorsOf(client: ClientBase, positions: readonly number[]): Promise<number[]> {
  if (positions.length === 0) return [];
  const { rows } = await prepared<{ position: string }>(
    client,
    `select coalesce(a.of, p) as position from unnest($1::bigint[]) p left join match.alias a on a.position = p`,
    [positions],
  );
  return rows.map(({ position }) => Number(position));
}

async function saveAliases(client: ClientBase, aliases: readonly Alias[]): Promise<void> {
  if (aliases.length === 0) return;
  await prepared(
    client,
    `insert into match.alias (position, of, grade) select * from unnest($1::bigint[], $2::bigint[], $3::text[])`,
    [aliases.map(({ position }) => position), aliases.map(({ of }) => of), aliases.map(({ grade }) => grade)],
  );
}

const isOrganization = ({ data }: ObservedEntry): boolean =>
  (data as { identity?: { kind?: string } }).identity?.kind === 'organization';

/**
 * What an erasure leaves of matching: nobody finds the erased persons any more, and what was decided with them stands. Each of
 * their observations stays with the surest of its neighbours, and what it held together stays together. What an
 * organization's entry still says of the organization is looked up by as before.
 */
export async function letGo(
  client: ClientBase,
  index: MatchIndex,
  generations: readonly Generation[],
  positions: readonly number[],
): Promise<void> {
  index.forget(positions);
  const entries = await entriesAt(client, positions);
  const organizations = entries.filter(isOrganization);
  const nodes = await index.nodes(client, organizations);
  await client.query('delete from match.key where position = any($1)', [positions]);
  await forgetDerived(client, positions);
  for (const generation of generations) await index.add(client, nodes, generation);
  const gone = new Set(entries.filter((entry) => !isOrganization(entry)).map(({ position }) => position));
  for (const position of gone) await anchor(client, position, gone);
}

async function anchor(client: ClientBase, position: number, gone: ReadonlySet<number>): Promise<void> {
  const { rows } = await client.query<{ other: string; grade: Alias['grade'] | null }>(
    `select e.other, e.grade from (
       select b as other, grade, bits from match.edge where a = $1 and outcome = 'link'
       union all select a, grade, bits from match.edge where b = $1 and outcome = 'link') e
     join identity.link l on l.position = e.other join identity.link mine on mine.position = $1
     where l.entity_id = mine.entity_id order by e.bits desc, e.other`,
    [position],
  );
  await client.query('delete from match.edge where a = $1 or b = $1', [position]);
  const [surest, ...others] = rows.filter(({ other }) => !gone.has(Number(other)));
  if (!surest) return;
  await client.query(
    `insert into match.alias (position, of, grade) values ($1, $2, $3)
     on conflict (position) do update set of = excluded.of, grade = excluded.grade`,
    [position, surest.other, surest.grade ?? 'possible'],
  );
  await client.query('update match.alias set of = $2 where of = $1', [position, surest.other]);
  for (const { other } of others) {
    const pair = [Number(surest.other), Number(other)].toSorted((x, y) => x - y);
    await client.query('insert into match.kept (a, b) values ($1, $2) on conflict do nothing', pair);
  }
}
