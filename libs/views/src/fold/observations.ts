// What was observed, and whose it is: observations, links, entities that become one or part.
import { EVENT_TYPES, REGISTRY_CODES, type EntityMerged, type EntitySplit, type Link } from '@liandun/contracts';
import { prepared, type StoredEvent } from '@liandun/event-log';
import { type FoldRun, publicName, inClear, sender, bulk } from './run.js';

export const observe: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `insert into ${schema}.observation
       (position, member, merchant_id, type, kind, name, uscc, shops, active, registry_list, accepted_at)
     select position, member, "merchantId", type, kind, name, uscc, shops, active, list, "acceptedAt"
     from jsonb_to_recordset($1) r (position bigint, member text, "merchantId" text, type text, kind text, name text,
       uscc text, shops jsonb, active boolean, list text, "acceptedAt" timestamptz)`,
    events.map((event) => {
      const data = event.data;
      return {
        position: event.position,
        member: sender(event),
        merchantId: data.merchantId,
        type: event.type,
        kind: data.identity.kind,
        name: publicName(data.identity.name),
        uscc: inClear(data.identity.uscc),
        shops: data.shops ?? [],
        active: event.type === EVENT_TYPES.merchantReported && data.status === 'active',
        list: data.list,
        acceptedAt: event.acceptedAt,
      };
    }),
  ) as Promise<void>;

const LINK_ROWS = `jsonb_to_recordset($1) r (position bigint, observation bigint, "entityId" text, founded boolean,
  because jsonb, "sameAs" bigint, "strongAs" bigint, possible jsonb)`;

/** An entity is called as its oldest observation calls it, with the first credit code that was seen. */
const ENTITY_OF_OBSERVATIONS = `o.entity_id, min(o.position) as founded_at, (array_agg(o.kind order by o.position))[1] as kind,
  (array_agg(o.name order by o.position))[1] as name,
  (array_agg(o.uscc order by o.position) filter (where o.uscc is not null))[1] as uscc`;

/** Codes that stand for one official list; A03 stands for two, and the removal from the one says nothing of the other. */
const CODE_OF_LIST = `case o.registry_list ${Object.entries(REGISTRY_CODES)
  .filter(([, code]) => code !== REGISTRY_CODES.revoked)
  .map(([name, code]) => `when '${name}' then '${code}'`)
  .join(' ')} end`;

/** The link gives an observation its entity; hosting, listings and official removals follow from what was observed. */
export const link: FoldRun = async (client, schema, events) => {
  const rows = events.map((event) => ({ position: event.position, ...(event.data as object) }));
  const steps = [
    `update ${schema}.observation o set entity_id = r."entityId", because = r.because, same_as = r."sameAs", strong_as = r."strongAs"
     from ${LINK_ROWS} where o.position = r.observation`,
    `with known as (
       insert into ${schema}.entity as e (entity_id, founded_at, kind, name, uscc)
       select ${ENTITY_OF_OBSERVATIONS} from ${LINK_ROWS} join ${schema}.observation o on o.position = r.observation
       group by o.entity_id
       on conflict (entity_id) do update set uscc = excluded.uscc where e.uscc is null and excluded.uscc is not null
       returning e.entity_id)
     -- Whom it is about became known to members that don't host it; those that are due now are told anyhow.
     update ${schema}.listing l set moved_at = r.position
     from known join ${LINK_ROWS} on r."entityId" = known.entity_id where l.entity_id = known.entity_id`,
    `insert into ${schema}.hosting as h
       (member, merchant_id, entity_id, active, shops, because, same_as, strong_as, observed_at, linked_at)
     select distinct on (o.member, o.merchant_id)
       o.member, o.merchant_id, r."entityId", o.active and not exists (select from ${schema}.listing l
         where l.origin = 'delisting' and l.source_member = o.member and l.merchant_id = o.merchant_id
           and l.position > o.position), o.shops, r.because, r."sameAs", r."strongAs", o.position, r.position
     from ${LINK_ROWS} join ${schema}.observation o on o.position = r.observation
     where o.type = '${EVENT_TYPES.merchantReported}'
     order by o.member, o.merchant_id, r.position desc
     on conflict (member, merchant_id) do update set entity_id = excluded.entity_id, active = excluded.active,
       shops = excluded.shops, because = excluded.because, same_as = excluded.same_as, strong_as = excluded.strong_as,
       observed_at = excluded.observed_at, linked_at = excluded.linked_at`,
    `update ${schema}.listing l set entity_id = r."entityId",
       due_at = case when l.stands then r.position end
     from ${LINK_ROWS} where l.position = r.observation`,
    `update ${schema}.listing l set status = 'endedByDecision', ended_at = r.position, cause = 'removed'
     from ${LINK_ROWS} join ${schema}.observation o on o.position = r.observation
     where o.type = '${EVENT_TYPES.registryRemoved}' and l.entity_id = r."entityId"
       and (l.origin = 'registry' and l.registry_list = o.registry_list
         -- A platform's listing that rests on the same status, or on the same decision, ends with it (rule P12).
         or l.code = ${CODE_OF_LIST}
         or exists (select from ${schema}.listing x where x.origin = 'registry' and x.registry_list = o.registry_list
           and x.entity_id = l.entity_id and x.decision_no = l.decision_no))
       and l.ended_at is null and l.position < o.position`,
    // Filed anew on a decision that the register has taken back for this merchant, and on which no register lists it again: it ends
    // where it becomes known.
    `update ${schema}.listing l set status = 'endedByDecision', ended_at = r.position, cause = 'removed'
     from ${LINK_ROWS} where l.position = r.observation and l.origin <> 'registry' and l.ended_at is null
       and exists (select from ${schema}.listing x where x.decision_no = l.decision_no and x.entity_id = l.entity_id
         and x.cause = 'removed')
       and not exists (select from ${schema}.listing s where s.origin = 'registry' and s.decision_no = l.decision_no
         and s.entity_id = l.entity_id and s.position < l.position and (s.ended_at is null or s.ended_at > r.position))`,
    `insert into ${schema}.possible (observation, other, because, position)
     select distinct on (1, 2) a, b, p->'because', r.position
     from ${LINK_ROWS} cross join lateral jsonb_array_elements(r.possible) p
     cross join lateral (values (r.observation, (p->>'observation')::bigint),
       ((p->>'observation')::bigint, r.observation)) pair (a, b)
     order by 1, 2, r.position
     on conflict do nothing`,
  ];
  // In this order, sent together: each sees what the one before has done.
  const json = JSON.stringify(rows);
  await Promise.all(steps.map((step) => prepared(client, step, [json])));
};

export const linksOf = (event: StoredEvent): (Link & { position: number })[] =>
  (event.data as EntityMerged | EntitySplit).links.map((moved) => ({ position: event.position, ...moved }));

/**
 * Entities became one, or observations left one: what was observed, hosted and listed goes where the links say, and the
 * entities that are left are described anew by the observations that they have.
 */
export const regroup: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { entityId, retired = [], into = [] } = event.data as Partial<EntityMerged & EntitySplit>;
    const links = JSON.stringify(linksOf(event));
    const touched = [[...new Set([entityId, ...retired, ...into])], event.position];
    const steps: [string, unknown[]][] = [
      [
        `insert into ${schema}.step (observation, position, entity_id)
         select o.position, r.position, o.entity_id from ${LINK_ROWS} join ${schema}.observation o on o.position = r.observation
         on conflict do nothing`,
        [links],
      ],
      [
        `update ${schema}.observation o set entity_id = r."entityId", because = r.because, same_as = r."sameAs", strong_as = r."strongAs"
         from ${LINK_ROWS} where o.position = r.observation`,
        [links],
      ],
      [
        `update ${schema}.hosting h set entity_id = r."entityId", because = r.because, same_as = r."sameAs", strong_as = r."strongAs",
           linked_at = r.position
         from ${LINK_ROWS} join ${schema}.observation o on o.position = r.observation
         where h.member = o.member and h.merchant_id = o.merchant_id and h.observed_at = o.position`,
        [links],
      ],
      [
        `update ${schema}.listing l set entity_id = r."entityId", moved_at = r.position
         from ${LINK_ROWS} where l.position = r.observation and l.entity_id <> r."entityId"`,
        [links],
      ],
      [
        `delete from ${schema}.entity e where e.entity_id = any($1)
           and not exists (select from ${schema}.observation o where o.entity_id = e.entity_id)`,
        [touched[0]],
      ],
      [
        `with was as (select entity_id, uscc from ${schema}.entity where entity_id = any($1)),
         now as (
           insert into ${schema}.entity as e (entity_id, founded_at, kind, name, uscc, erased)
           select ${ENTITY_OF_OBSERVATIONS}, bool_and(o.erased) from ${schema}.observation o
           where o.entity_id = any($1) group by o.entity_id
           on conflict (entity_id) do update set founded_at = excluded.founded_at, kind = excluded.kind,
             name = excluded.name, uscc = excluded.uscc, erased = excluded.erased
           returning e.entity_id, e.uscc)
         update ${schema}.listing l set moved_at = $2
         from now left join was using (entity_id)
         where l.entity_id = now.entity_id and now.uscc is distinct from was.uscc`,
        touched,
      ],
    ];
    await Promise.all(steps.map(([step, values]) => prepared(client, step, values)));
  }
};
