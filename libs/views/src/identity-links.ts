import { wall, type Projection, type StoredEvent } from '@liandun/event-log';
import { EVENT_TYPES, type EntityLinked } from '@liandun/contracts';

/** Which entity each observation was found to speak of; with the vault's tokens, the matcher's index. */
export const identityLinksProjection: Projection = {
  name: 'identity',
  ddl: (schema) => `
create schema ${schema};
create table ${schema}.link (position bigint primary key, entity_id text not null, kind text not null);
create index on ${schema}.link (entity_id);
grant usage on schema ${schema} to liandun_worker, liandun_door;
grant select, insert on ${schema}.link to liandun_worker;
grant select on ${schema}.link to liandun_door;
${wall(`${schema}.link`)}
`,
  // The reconcile reader folds its links when it appends them.
  ahead: [EVENT_TYPES.entityLinked],
  async apply(client, schema, events) {
    const links = events.filter((event: StoredEvent) => event.type === EVENT_TYPES.entityLinked);
    if (links.length === 0) return;
    await client.query(
      `insert into ${schema}.link (position, entity_id, kind)
       select observation, "entityId", e.entry::jsonb #>> '{data,identity,kind}'
       from jsonb_to_recordset($1) r (observation bigint, "entityId" text)
       join log.entry e on e.position = r.observation`,
      [JSON.stringify(links.map((event) => event.data as EntityLinked))],
    );
  },
};
