import type {
  Because,
  EntityLinked,
  EntityMerged,
  EntitySplit,
  Link,
  MatchField,
  PossibleLink,
} from '@liandun/contracts';
import type { Edge } from '@liandun/identity';

/** What the ledger holds of an observation so far. */
export type Standing = Omit<Link, 'because'>;

/** What the matcher found: the observations of each entity, what holds them together, and what a person should look at. */
export interface Found {
  entities: number[][];
  /** Every link between observations of one entity. */
  edges: PairEdge[];
  reviews: PairEdge[];
}

/** An edge between two observations, by their positions. */
export interface PairEdge extends Pick<Edge, 'comparison' | 'verdict'> {
  a: number;
  b: number;
}

/** What the ledger decides of it, in the order in which it is appended. */
export interface Regrouping {
  splits: Omit<EntitySplit, 'matcher'>[];
  merges: Omit<EntityMerged, 'matcher'>[];
  linked: Omit<EntityLinked, 'matcher'>[];
}

/** The smallest position that is connected to each by the given pairs. */
function groups(positions: readonly number[], pairs: readonly { a: number; b: number }[]): Map<number, number> {
  const parent = new Map(positions.map((position) => [position, position]));
  const root = (position: number): number => {
    let at = position;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    parent.set(position, at);
    return at;
  };
  for (const { a, b } of pairs) {
    const [x, y] = [root(a), root(b)];
    parent.set(Math.max(x, y), Math.min(x, y));
  }
  return new Map(positions.map((position) => [position, root(position)]));
}

const FIELD_OF: Readonly<Record<string, MatchField>> = {
  uscc: 'uscc',
  organizationCode: 'uscc',
  residentId: 'residentId',
  registrationNumber: 'registrationNumber',
  bankAccount: 'bankAccount',
  name: 'name',
  phone: 'phone',
  email: 'email',
  address: 'address',
  representative: 'representative',
  account: 'account',
  shop: 'shop',
  decided: 'decided',
};

/** Which fields spoke for a pair, the weightiest first, each graded as the pair is. */
export function becauseOf({ comparison, verdict }: Pick<PairEdge, 'comparison' | 'verdict'>): Because[] {
  const grade = verdict.grade ?? 'possible';
  if (verdict.rule === 'decidedSame') return [{ field: 'decided', grade }];
  const fields = comparison.evidence
    .filter(({ stranger }) => stranger > 0)
    .toSorted((x, y) => y.stranger - x.stranger || (x.field < y.field ? -1 : 1))
    .map(({ field }) => FIELD_OF[field])
    .filter((field) => field !== undefined);
  return [...new Set(fields)].map((field) => ({ field, grade }));
}

/** The weightiest first. */
const byWeight = (x: PairEdge, y: PairEdge): number => y.comparison.bits - x.comparison.bits || x.a - y.a || x.b - y.b;

/** Where every observation stands by what was found; an entity is called by the oldest observation in it. */
function standings(found: Found, idOf: (position: number) => string): Map<number, Link> {
  const entityOf = new Map<number, number>();
  for (const entity of found.entities) {
    const root = Math.min(...entity);
    for (const position of entity) entityOf.set(position, root);
  }
  const positions = [...entityOf.keys()];
  const within = found.edges.filter(({ a, b }) => entityOf.get(a) === entityOf.get(b));
  const exact = within.filter(({ verdict }) => verdict.grade === 'exact');
  const strong = within.filter(({ verdict }) => verdict.grade === 'exact' || verdict.grade === 'strong');
  const sameAs = groups(positions, exact);
  const strongAs = groups(positions, strong);
  const surest = new Map<number, PairEdge>();
  for (const edge of within)
    for (const position of [edge.a, edge.b]) {
      const other = surest.get(position);
      if (!other || byWeight(edge, other) < 0) surest.set(position, edge);
    }
  return new Map(
    positions.map((position) => {
      const root = entityOf.get(position) as number;
      const edge = surest.get(position);
      return [
        position,
        {
          observation: position,
          entityId: idOf(root),
          because: edge && position !== root ? becauseOf(edge) : [],
          sameAs: sameAs.get(position) as number,
          strongAs: strongAs.get(position) as number,
        },
      ];
    }),
  );
}

const differs = (was: Standing, now: Link): boolean =>
  was.entityId !== now.entityId || was.sameAs !== now.sameAs || was.strongAs !== now.strongAs;

/**
 * From where observations stood to where they were found to stand. `was` holds those that the ledger has linked before; any
 * other is new and gets its `linked`. First entities are split to what is common to both, then merged, so that each event
 * says one thing; everything is named by the oldest observation in it, so no order of arrival shows. Pure.
 * @param idOf the id of the entity that an observation would found
 * @param cause of a split or a merge of the given observations
 */
export function regroup(
  was: ReadonlyMap<number, Standing>,
  found: Found,
  idOf: (position: number) => string,
  cause: (positions: readonly number[]) => number,
): Regrouping {
  const now = standings(found, idOf);
  const old = [...now.values()].filter(({ observation }) => was.has(observation));
  // What stays together: the observations of one entity before that are of one entity now.
  const parts = Map.groupBy(old, ({ observation, entityId }) => `${was.get(observation)?.entityId}\t${entityId}`);
  const partId = (part: readonly Link[]): string => idOf(Math.min(...part.map(({ observation }) => observation)));
  const nameOf = (key: string): string => {
    const before = key.split('\t')[0] as string;
    const part = parts.get(key) as Link[];
    return part.some(({ observation }) => idOf(observation) === before) ? before : partId(part);
  };
  const byBefore = Map.groupBy(parts.keys(), (key) => key.split('\t')[0] as string);
  const splits = [...byBefore].flatMap(([entityId, keys]) => {
    const leaving = keys.filter((key) => nameOf(key) !== entityId);
    if (leaving.length === 0) return [];
    const links = leaving.flatMap((key) =>
      (parts.get(key) as Link[]).map((link) => ({ ...link, entityId: nameOf(key) })),
    );
    const into = leaving.map(nameOf);
    return [{ entityId, into, links, cause: cause(keys.flatMap((key) => positionsOf(parts.get(key) as Link[]))) }];
  });
  const byNow = Map.groupBy(parts.keys(), (key) => key.split('\t')[1] as string);
  const merges = [...byNow].flatMap(([entityId, keys]) => {
    const retired = keys.map(nameOf).filter((id) => id !== entityId);
    const moved = new Set(
      keys.filter((key) => nameOf(key) !== entityId).flatMap((key) => positionsOf(parts.get(key) as Link[])),
    );
    const links = keys
      .flatMap((key) => parts.get(key) as Link[])
      .filter((link) => moved.has(link.observation) || differs(was.get(link.observation) as Standing, link));
    if (retired.length === 0 && !regraded(links, was)) return [];
    const all = [...now.values()].filter((link) => link.entityId === entityId);
    return [{ entityId, retired, links, cause: cause(positionsOf(all)) }];
  });
  const linked = [...now.values()]
    .filter(({ observation }) => !was.has(observation))
    .toSorted((x, y) => x.observation - y.observation)
    .map((link) => ({
      ...link,
      founded: idOf(link.observation) === link.entityId,
      possible: possibleOf(link, found.reviews, now),
    }));
  return { splits, merges, linked };
}

const positionsOf = (links: readonly Link[]): number[] => links.map(({ observation }) => observation);

/** Whether an observation that stays in its entity matches others of it more or less surely than before. */
const regraded = (links: readonly Link[], was: ReadonlyMap<number, Standing>): boolean =>
  links.some((link) => was.get(link.observation)?.entityId === link.entityId);

const POSSIBLE_MAX = 20;

function possibleOf(link: Link, reviews: readonly PairEdge[], now: ReadonlyMap<number, Link>): PossibleLink[] {
  return reviews
    .filter(({ a, b }) => a === link.observation || b === link.observation)
    .toSorted(byWeight)
    .slice(0, POSSIBLE_MAX)
    .map((edge) => {
      const observation = edge.a === link.observation ? edge.b : edge.a;
      const because = becauseOf(edge).map(({ field }) => ({ field, grade: 'possible' as const }));
      return { observation, entityId: now.get(observation)?.entityId ?? '', because };
    });
}
