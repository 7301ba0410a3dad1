// The index that says whom an entry concerns and whom it is about.
import { EVENT_TYPES, type Link } from '@liandun/contracts';
import { prepared, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import { linksOf } from './observations.js';
import { sender, bulk } from './run.js';

/** Whom an entry concerns besides its sender: the receiver of a notice, the member that a change is about. */
function concerned(event: StoredEvent): string[] {
  const data = event.data;
  const [kind, whose] = event.stream.split('/', 2);
  const others = [
    data.member,
    data.memberId,
    data.reader,
    data.requestedBy,
    // A reviewer's id is its member's own.
    event.type.startsWith('liandun.appeal.') || event.type === EVENT_TYPES.listingMalicious ? data.by : data.decidedBy,
    data.change?.memberId,
    // What the clock or an authority did to a listing concerns its publisher.
    ['screenings', 'merchant', 'report'].includes(kind ?? '') ? whose : undefined,
  ].filter((id): id is string => typeof id === 'string');
  // What a member was told is found by that member: it is most of the log, and all of it the ledger's own.
  return event.type === EVENT_TYPES.noticeIssued ? others : [...new Set([sender(event), ...others])];
}

/** Outcomes that name a listing or an observation and no entity. */
const ABOUT_OBSERVATIONS = new Set<string>([
  EVENT_TYPES.caseDeadlineSet,
  EVENT_TYPES.subjectStated,
  EVENT_TYPES.appealFiled,
  EVENT_TYPES.appealDecided,
  EVENT_TYPES.appealDeadlineSet,
  EVENT_TYPES.listingStayed,
  EVENT_TYPES.listingMalicious,
]);

/** The observation that such an outcome is about; a listing's id begins with the position of its own. */
function aboutOf({ type, data }: StoredEvent): number | undefined {
  if (!ABOUT_OBSERVATIONS.has(type)) return undefined;
  return data.about ?? Number(/^L(\d+)-/.exec(data.listingId ?? '')?.[1] ?? -1);
}

/** Outcomes about observations are about the entities that those are of; `observations`: only what is about these. */
const indexOutcomes = (
  client: ClientBase,
  schema: string,
  events: StoredEvent[],
  observations: number[],
): Promise<unknown> =>
  prepared(
    client,
    `update ${schema}.audit a set entity_id = o.entity_id from ${schema}.observation o
     where o.position = a.about and o.entity_id is not null and (a.position = any($1) or a.about = any($2))`,
    [events.filter((event) => ABOUT_OBSERVATIONS.has(event.type)).map(({ position }) => position), observations],
  );

const TOLD = new Set<string>([EVENT_TYPES.noticeIssued, EVENT_TYPES.noticeDisposed]);

/** Notices and answers are about whom their listing is about now: it may have moved before they came to be indexed. */
function indexTold(client: ClientBase, schema: string, events: StoredEvent[]): Promise<unknown> {
  return bulk(
    client,
    `update ${schema}.audit a set entity_id = l.entity_id
       from (select r.position, r."listingId" as listing_id
             from jsonb_to_recordset($1) r (position bigint, "listingId" text)
             union all select d.position, n.listing_id from jsonb_to_recordset($1) r (position bigint)
               join ${schema}.disposition d on d.position = r.position join ${schema}.notice n using (notice_id)) about
       join ${schema}.listing l using (listing_id)
       where a.position = about.position and l.entity_id is not null and a.entity_id is distinct from l.entity_id`,
    events
      .filter(({ type }) => TOLD.has(type))
      .map(({ type, position, data }) => ({
        position,
        ...(type === EVENT_TYPES.noticeIssued && { listingId: data.listingId }),
      })),
  );
}

const insertRows = (client: ClientBase, schema: string, events: StoredEvent[]): Promise<unknown> =>
  bulk(
    client,
    `insert into ${schema}.audit (position, member, type, entity_id, about, accepted_at)
     select r.position, r.member, r.type, coalesce(r."entityId", l.entity_id), r.about, r."acceptedAt"
     from jsonb_to_recordset($1) r (position bigint, member text, type text, "entityId" text, about bigint, "acceptedAt" timestamptz, ended text)
     left join ${schema}.listing l on l.listing_id = r.ended and l.ended_at = r.position
     on conflict do nothing`,
    events.flatMap((event) =>
      concerned(event).map((member) => ({
        position: event.position,
        member,
        type: event.type,
        entityId: event.data.entityId ?? event.data.entity?.entityId,
        about: aboutOf(event),
        acceptedAt: event.acceptedAt,
        // Spares the update that an ending by decision takes: these come by the thousand.
        ended: event.type === EVENT_TYPES.listingExpired ? event.data.listingId : undefined,
      })),
    ),
  );

export async function indexForAudit(client: ClientBase, schema: string, events: StoredEvent[]): Promise<void> {
  const indexed = insertRows(client, schema, events);
  const linked = bulk(
    client,
    `update ${schema}.audit a set entity_id = r."entityId"
     from jsonb_to_recordset($1) r (observation bigint, "entityId" text) where a.position = r.observation`,
    events.filter((event) => event.type === EVENT_TYPES.entityLinked).map((event) => event.data),
  );
  const regrouped = events.filter((event) => REGROUPING.has(event.type)).flatMap(linksOf);
  const positions = JSON.stringify(events.filter(({ type }) => !TOLD.has(type)).map(({ position }) => ({ position })));
  const observations = JSON.stringify(
    events.filter((event) => event.type === EVENT_TYPES.entityLinked).map((event) => event.data),
  );
  await Promise.all([
    indexed,
    linked,
    // What hears or ends a listing is about its entity, whichever of link and ending comes first.
    prepared(
      client,
      `update ${schema}.audit a set entity_id = found.entity_id
       from (select about.position, (array_agg(l.entity_id order by l.position))[1] as entity_id
             from (select l.ended_at as position from ${schema}.listing l
                     join jsonb_to_recordset($1) r (position bigint) on l.ended_at = r.position
                   union select l.heard_at from ${schema}.listing l
                     join jsonb_to_recordset($1) r (position bigint) on l.heard_at = r.position
                   union select l.notified_at from ${schema}.listing l
                     join jsonb_to_recordset($1) r (position bigint) on l.notified_at = r.position
                   union select moved.position from jsonb_to_recordset($2) r (observation bigint)
                     join ${schema}.listing l on l.position = r.observation
                     cross join lateral (values (l.ended_at), (l.heard_at), (l.notified_at)) moved (position)) about
             join ${schema}.listing l on l.ended_at = about.position or l.heard_at = about.position
               or l.notified_at = about.position
             where l.entity_id is not null group by about.position) found
       where a.position = found.position and a.entity_id is distinct from found.entity_id`,
      [positions, observations],
    ),
    indexTold(client, schema, events),
  ]);
  if (regrouped.length > 0) await indexRegrouped(client, schema, regrouped);
  const newlyLinked = events
    .filter((event) => event.type === EVENT_TYPES.entityLinked)
    .map(({ data }) => data.observation);
  await indexOutcomes(client, schema, events, [...newlyLinked, ...regrouped.map(({ observation }) => observation)]);
  const reviews = events.filter((event) => REVIEWS.has(event.type)).map(({ position }) => position);
  if (reviews.length > 0) await indexReviews(client, schema, reviews);
}

const REGROUPING = new Set<string>([EVENT_TYPES.entityMerged, EVENT_TYPES.entitySplit]);

const REVIEWS = new Set<string>([EVENT_TYPES.reviewDecided, EVENT_TYPES.reviewUndone]);

/** What was decided of two observations is about the entity that the older one was of. */
async function indexReviews(client: ClientBase, schema: string, positions: number[]): Promise<void> {
  await prepared(
    client,
    `update ${schema}.audit a set entity_id = s.entity_id
     from (select distinct on (position) position, entity_id from ${schema}.step where position = any($1)
           order by position, observation) s
     where a.position = s.position`,
    [positions],
  );
}

/** What observations that came to another entity said, and all that followed from their listings, is about that one. */
async function indexRegrouped(client: ClientBase, schema: string, links: Link[]): Promise<void> {
  await prepared(
    client,
    `update ${schema}.audit a set entity_id = about.entity_id
     from (select o.position, o.entity_id from jsonb_to_recordset($1) r (observation bigint)
             join ${schema}.observation o on o.position = r.observation
           union all
           select followed.position, l.entity_id from jsonb_to_recordset($1) r (observation bigint)
             join ${schema}.listing l on l.position = r.observation
             cross join lateral (select l.ended_at as position union all select l.heard_at union all select l.notified_at
               union all select n.position from ${schema}.notice n where n.listing_id = l.listing_id
               union all select d.position from ${schema}.notice n join ${schema}.disposition d using (notice_id)
                 where n.listing_id = l.listing_id) followed) about
     where a.position = about.position`,
    [JSON.stringify(links)],
  );
}
