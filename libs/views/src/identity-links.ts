import {
  EVENT_TYPES,
  type EntityLinked,
  type EntityMerged,
  type EntityRelated,
  type EntitySplit,
  type SubjectErased,
} from '@liandun/contracts';
import { wall, type Projection, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import { foldRelations, forgetRelations, isRelation, relationDdl } from './relations.js';
import { foldDecisions } from './review-fold.js';

const LINK_ROWS = `jsonb_to_recordset($1) r (observation bigint, "entityId" text, kind text, "sameAs" bigint, "strongAs" bigint)`;

/**
 * Folds where observations stand: what `entity.linked` says of new ones, with their kind, and what `entity.merged` and
 * `entity.split` say of old ones. In the order of the log.
 */
export async function foldLinks(
  client: ClientBase,
  schema: string,
  { linked, moved }: { linked: readonly (EntityLinked & { kind: string })[]; moved: readonly EntityMerged['links'][] },
): Promise<void> {
  if (linked.length > 0) {
    await client.query(
      `insert into ${schema}.link (position, entity_id, kind, same_as, strong_as)
       select observation, "entityId", kind, "sameAs", "strongAs" from ${LINK_ROWS}`,
      [JSON.stringify(linked)],
    );
  }
  for (const links of moved) {
    await client.query(
      `update ${schema}.link l set entity_id = r."entityId", same_as = r."sameAs", strong_as = r."strongAs"
       from ${LINK_ROWS} where l.position = r.observation`,
      [JSON.stringify(links)],
    );
  }
}

/** Which entity each observation was found to speak of, and what was decided of pairs. */
export const identityLinksProjection: Projection = {
  name: 'identity',
  ddl: (schema) => `
create schema ${schema};
create table ${schema}.link (
  position bigint primary key,
  entity_id text not null,
  kind text not null,
  same_as bigint not null,
  strong_as bigint not null
);
create index on ${schema}.link (entity_id);
-- What persons decided of two observations; a < b.
create table ${schema}.decision (
  a bigint not null,
  b bigint not null,
  decision text not null check (decision in ('same', 'different')),
  primary key (a, b),
  check (a < b)
);
create index on ${schema}.decision (b);
grant usage on schema ${schema} to liandun_worker, liandun_door;
grant select on ${schema}.link to liandun_door;
${wall(`${schema}.link`)}
${wall(`${schema}.decision`)}
${relationDdl(schema)}grant select, insert, update, delete on all tables in schema ${schema} to liandun_worker;
`,
  // The reconcile reader folds its outcomes when it appends them.
  ahead: [
    EVENT_TYPES.entityLinked,
    EVENT_TYPES.entityMerged,
    EVENT_TYPES.entitySplit,
    EVENT_TYPES.entityRelated,
    EVENT_TYPES.entityUnrelated,
  ],
  async apply(client, schema, events) {
    for (const event of events) {
      if (event.type === EVENT_TYPES.entityLinked) {
        const link = event.data as EntityLinked;
        const kind = await kindAt(client, link.observation);
        await foldLinks(client, schema, { linked: [{ ...link, kind }], moved: [] });
      } else if (event.type === EVENT_TYPES.entityMerged || event.type === EVENT_TYPES.entitySplit) {
        await foldLinks(client, schema, { linked: [], moved: [(event.data as EntityMerged | EntitySplit).links] });
      } else if (isRelation(event)) {
        const { relations } = event.data as EntityRelated;
        const found = event.type === EVENT_TYPES.entityRelated;
        await foldRelations(client, schema, found ? { related: relations } : { unrelated: relations });
      } else if (event.type === EVENT_TYPES.subjectErased) {
        await forgetRelations(client, schema, event.data as SubjectErased);
      } else await foldDecisions(client, schema, [event]);
    }
  },
};

async function kindAt(client: ClientBase, position: number): Promise<StoredEvent['data']> {
  const { rows } = await client.query<{ kind: string }>(
    `select entry::jsonb #>> '{data,identity,kind}' as kind from log.entry where position = $1`,
    [position],
  );
  return rows[0]?.kind;
}
