// How entities are related: kept by the observations that show it, so that merges and splits carry it along by themselves.
import {
  EVENT_TYPES,
  type Because,
  type EntityRelation,
  type RelationKind,
  type RelationRef,
  type SubjectErased,
} from '@liandun/contracts';
import { CALLER, CALLERS_ROLE, prepared, wall } from '@liandun/event-log';
import type { ClientBase, Pool } from 'pg';

export const relationDdl = (schema: string): string => `
-- An observation that shows a relation of its entity to the other's; within one entity it says nothing.
create table ${schema}.relation (
  kind text not null,
  shown_by bigint not null,
  shown_of bigint not null,
  because jsonb not null,
  -- The member that reported both: its own facts show it.
  member text,
  primary key (shown_by, shown_of, kind)
);
create index on ${schema}.relation (shown_of);
grant usage on schema ${schema} to liandun_api;
grant select on ${schema}.relation to liandun_api;
${wall(`${schema}.relation`, `${CALLERS_ROLE} = 'regulator' or member = ${CALLER}`)}
`;

/** Folds relations that were found, after those that are gone. */
export async function foldRelations(
  client: ClientBase,
  schema: string,
  { related = [], unrelated = [] }: { related?: readonly EntityRelation[]; unrelated?: readonly RelationRef[] },
): Promise<void> {
  if (unrelated.length > 0) {
    await prepared(
      client,
      `delete from ${schema}.relation x using jsonb_to_recordset($1) r (kind text, "from" bigint, "to" bigint)
       where x.kind = r.kind and x.shown_by = r."from" and x.shown_of = r."to"`,
      [JSON.stringify(unrelated)],
    );
  }
  if (related.length > 0) {
    await prepared(
      client,
      `insert into ${schema}.relation (kind, shown_by, shown_of, because, member)
       select kind, "from", "to", because, member
       from jsonb_to_recordset($1) r (kind text, "from" bigint, "to" bigint, because jsonb, member text)
       on conflict do nothing`,
      [JSON.stringify(related)],
    );
  }
}

/** An erased person is related to nobody. */
export async function forgetRelations(
  client: ClientBase,
  schema: string,
  { positions, asRepresentative }: Pick<SubjectErased, 'positions' | 'asRepresentative'>,
): Promise<void> {
  await prepared(client, `delete from ${schema}.relation where shown_by = any($1) or shown_of = any($1)`, [
    [...positions, ...asRepresentative],
  ]);
}

/** Another entity that one is related to. */
export interface RelatedEntity {
  entityId: string;
  kind: RelationKind;
  /** `from`: the entity asked for operates, represents, is the branch, or succeeds. */
  direction: 'from' | 'to' | 'both';
  because: Because[];
  observations: number[];
}

const RELATED_MAX = 100;

/**
 * Whom an entity is related to. In a platform's name only what its own observations on both sides show (rule P18); nothing follows
 * from it for anybody (rule P13).
 */
export async function relatedTo(db: Pool | ClientBase, entityId: string, member?: string): Promise<RelatedEntity[]> {
  const { rows } = await db.query<{
    entity_id: string;
    kind: RelationKind;
    direction: 'from' | 'to' | 'both';
    because: Because[];
    observations: string[];
  }>(
    `select distinct on (other.entity_id, r.kind, direction) other.entity_id, r.kind,
       case when r.kind = 'sharesPhone' then 'both' else r.direction end as direction, r.because,
       array[o.position, other.position] as observations
     from view.observation o
     cross join lateral (
       select kind, shown_of as other, because, member, 'from' as direction from identity.relation where shown_by = o.position
       union all
       select kind, shown_by, because, member, 'to' from identity.relation where shown_of = o.position) r
     join view.observation other on other.position = r.other and other.entity_id <> o.entity_id
     where o.entity_id = $1 and ($2::text is null or r.member = $2 and o.member = $2 and other.member = $2)
     order by other.entity_id, r.kind, direction, o.position, other.position limit ${RELATED_MAX}`,
    [entityId, member ?? null],
  );
  return rows.map((row) => ({
    entityId: row.entity_id,
    kind: row.kind,
    direction: row.direction,
    because: row.because,
    observations: row.observations.map(Number),
  }));
}

/** A listing in force, and an entity related to the listed one that no regulator was alarmed of. */
export interface RelatedListing {
  listingId: string;
  publisher: string;
  entityId: string;
  kind: RelationKind;
}

const ALARMED_MAX = 500;
/** The id of the alarm about a listing and an entity that is related to the listed one. */
export const relatedAlarmId = ({ listingId, entityId }: Pick<RelatedListing, 'listingId' | 'entityId'>): string =>
  `alarm:relatedListed:${listingId}:${entityId}`;

/**
 * Who is related to an entity with a listing in force, where the listing became due or moved at these positions, or where it or
 * the other is among the given entities.
 */
export async function relatedToListed(
  client: ClientBase,
  positions: readonly number[],
  entityIds: readonly string[],
): Promise<RelatedListing[]> {
  const { rows } = await prepared<{ listing_id: string; source_member: string; entity_id: string; kind: RelationKind }>(
    client,
    `with touched as (
       select entity_id from view.listing where due_at = any($1) or moved_at = any($1) union select unnest($2::text[])),
     related as (
       select i.entity_id as one, j.entity_id as other, r.kind from touched
         join identity.link i using (entity_id)
         cross join lateral (
           select kind, shown_of as at from identity.relation where shown_by = i.position
           union all select kind, shown_by from identity.relation where shown_of = i.position) r
         join identity.link j on j.position = r.at and j.entity_id <> i.entity_id)
     select distinct on (l.listing_id, about.other) l.listing_id, l.source_member, about.other as entity_id, about.kind
     from (select one, other, kind from related union select other, one, kind from related) about
     join view.listing l on l.entity_id = about.one and l.stands and l.tier > 0 and l.code <> 'V01'
       and l.expires_at > now()
     where not exists (select from log.event_id e
       where e.id = 'alarm:relatedListed:' || l.listing_id || ':' || about.other)
     order by l.listing_id, about.other, about.kind limit ${ALARMED_MAX}`,
    [positions, entityIds],
  );
  return rows.map((row) => ({
    listingId: row.listing_id,
    publisher: row.source_member,
    entityId: row.entity_id,
    kind: row.kind,
  }));
}

/** What of the log changes relations besides erasures. */
export const isRelation = ({ type }: { type: string }): boolean =>
  type === EVENT_TYPES.entityRelated || type === EVENT_TYPES.entityUnrelated;
