// Why two entities aren't one, asked of the live ledger: the records of both as they are now, and who else holds what they share.
import {
  gapsOf,
  whyApart,
  type ApartExplanation,
  type EntitiesApart,
  type Features,
  type Key,
  type Node,
} from '@liandun/identity';
import type { Vault } from '@liandun/vault';
import type { Pool } from 'pg';
import { nodeId, recordOf, type Generation, type MatchIndex } from './match-index.js';
import { holdersUnder } from './outlines.js';

/** A record of the one entity beside a record of the other, by the positions of their entries. */
export interface PairApart extends ApartExplanation {
  a: number;
  b: number;
}

/** Why two entities of the ledger are apart, without a value. */
export interface LedgerApart extends Omit<EntitiesApart, 'pairs'> {
  pairs: PairApart[];
  /** How many records of each were compared, and how many each has. */
  compared: { records: number; of: number }[];
}

/** Records of each entity that are compared, those first that share a key with the other: work without an end is no answer. */
const RECORDS_MAX = 40;

/** The records of two entities; one that says what another says isn't compared twice. */
const RECORDS = `
with record as materialized (
   select l.position, l.entity_id from unnest($1::text[]) e join identity.link l on l.entity_id = e
   where not exists (select from match.alias a where a.position = l.position)),
 held as materialized (
   select k.token, r.position, r.entity_id from record r join match.key k on k.position = r.position and k.generation = $2),
 shared as (select token from held group by token having count(distinct entity_id) > 1),
 near as (select distinct position from held join shared using (token))
select asked.n::int as n, count(r.position)::int as of,
  (array_agg(r.position order by near.position is null, r.position desc) filter (where r.position is not null))[1:${RECORDS_MAX}] as positions
from unnest($1::text[]) with ordinality asked (entity_id, n)
  left join record r on r.entity_id = asked.entity_id left join near on near.position = r.position
group by asked.n order by asked.n`;

/** What stands under each key, and when it was shown; none of it is opened. */
const HOLDERS = `
select asked.n::int as n, count(*)::int as records, string_agg(k.position || ' ' || k.outline, ',') as held,
  array_agg(distinct floor(extract(epoch from e.accepted_at) / 86400)::int) as days
from unnest($1::bigint[], $2::int[]) with ordinality asked (token, most, n)
  cross join lateral (select position, outline from match.key where token = asked.token limit asked.most + 1) k
  join log.entry e on e.position = k.position
group by asked.n`;

interface Held {
  n: number;
  records: number;
  held: string;
  days: number[];
}

const textOf = ({ kind, value }: Key): string => `${kind}:${value}`;

/**
 * Why two entities aren't one, by the matcher and the keys of a generation. Features of persons are held no longer than the
 * answer takes.
 * @param different whether a reviewer's `different` stands between them
 */
export async function ledgerApart(
  db: Pool,
  index: MatchIndex,
  vault: Vault,
  generation: Generation,
  entities: readonly [one: string, other: string],
  different: boolean,
): Promise<LedgerApart> {
  const { matcher } = index;
  const { rows } = await db.query<{ of: number; positions: string[] | null }>(RECORDS, [entities, generation.id]);
  const positions = rows.map((row) => (row.positions ?? []).map(Number));
  const opened = await vault.openEntries(db, positions.flat());
  const [one = [], other = []] = positions.map((own) =>
    own.flatMap((position): Node<Features>[] => {
      const entry = opened.get(position);
      if (!entry) return [];
      return [{ id: nodeId(position), features: matcher.features(recordOf({ position, ...entry }, entry.data)) }];
    }),
  );
  const keys = sharedKeys(matcher.keys.bind(matcher), one, other);
  const held = await db.query<Held>(HOLDERS, [
    index.tokens(keys, generation),
    keys.map(({ kind }) => matcher.recordsMaxOf(kind)),
  ]);
  const known = new Map(held.rows.map((row) => [textOf(keys[row.n - 1] as Key), row]));
  // What more records hold than are looked at is generic, whatever they show.
  const holders = (key: Key): number => {
    const row = known.get(textOf(key));
    if (!row) return 1;
    return row.records > matcher.recordsMaxOf(key.kind) ? row.records : holdersUnder(row.held);
  };
  const reissued = (key: Key, from: number, to: number): boolean =>
    gapsOf(known.get(textOf(key))?.days ?? []).some((gap) => from <= gap[0] && gap[1] <= to);
  const { pairs, ...apart } = whyApart(matcher, one, other, { holders, reissued }, different);
  return {
    ...apart,
    pairs: pairs.map((pair) => ({ ...pair, a: Number(pair.a), b: Number(pair.b) })),
    compared: [one, other].map((nodes, n) => ({ records: nodes.length, of: rows[n]?.of ?? 0 })),
  };
}

function sharedKeys(
  keysOf: (features: Features) => Key[],
  one: readonly Node<Features>[],
  other: readonly Node<Features>[],
): Key[] {
  const keysAmong = (nodes: readonly Node<Features>[]): Map<string, Key> =>
    new Map(nodes.flatMap(({ features }) => keysOf(features)).map((key) => [textOf(key), key]));
  const theirs = keysAmong(other);
  return [...keysAmong(one)].filter(([text]) => theirs.has(text)).map(([, key]) => key);
}
