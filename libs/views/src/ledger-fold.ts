import {
  DAY_MS,
  decisionKey,
  EVENT_TYPES,
  listingIdOf,
  memberOfSource,
  REGISTRY_CODES,
  termDays,
  type EntityMerged,
  type EntitySplit,
  type EventType,
  type Link,
  type ReasonCodeHistory,
  type RegistryList,
  type ReviewDecided,
  type ReviewUndone,
} from '@liandun/contracts';
import { FLOOD_CAUSE, isHeld, isOfficial, officialEnd, type EndState } from '@liandun/domain';
import { prepared, type Projection, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import { ledgerViewDdl } from './ledger-ddl.js';
import { reasonCodeHistory } from './reason-codes.js';

// Entries of every released version are read here, so their data is looked at field by field.
// oxlint-disable-next-line typescript/no-explicit-any
type Data = any;

type FoldRun = (client: ClientBase, schema: string, events: StoredEvent[]) => Promise<void>;

/** A personal name stands in an entry as `{ commitment, masked }`; an organization's in clear. */
const publicName = (name: Data): string => (typeof name === 'string' ? name : (name?.masked ?? '*'));
const inClear = (value: Data): string | undefined => (typeof value === 'string' ? value : undefined);
const sender = (event: StoredEvent): string => memberOfSource(event.source) ?? 'ledger';

/** Runs `sql` once with the rows as one JSON parameter: the set-based form of all bulk writes here. */
const bulk = (client: ClientBase, sql: string, rows: object[]): Promise<unknown> =>
  rows.length === 0 ? Promise.resolve() : prepared(client, sql, [JSON.stringify(rows)]);

const observe: FoldRun = (client, schema, events) =>
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

const keyOf = (decisionNo: string | undefined): string | undefined =>
  decisionNo === undefined ? undefined : decisionKey(decisionNo);

function listingRow(event: StoredEvent, history: ReasonCodeHistory): object {
  const data = event.data;
  const { version, codes } = history.at(event.position);
  const registry = event.type === EVENT_TYPES.registryListed;
  const code = codes.get(registry ? REGISTRY_CODES[data.list as RegistryList] : data.reason.code);
  if (!code) throw new Error(`entry ${event.position} names a reason code that the code table does not hold`);
  const standard = registry ? 'registerPush' : data.proof.standard;
  const stated = registry ? data.until : data.expiresAt;
  const term = new Date(Date.parse(event.acceptedAt) + termDays(code, standard) * DAY_MS).toISOString();
  return {
    listingId: listingIdOf(event),
    position: event.position,
    member: sender(event),
    eventId: event.id,
    origin: registry ? 'registry' : event.type === EVENT_TYPES.merchantDelisted ? 'delisting' : 'riskEntity',
    merchantId: data.merchantId,
    list: data.list,
    decisionNo: keyOf(registry ? data.decisionNo : data.proof.decisionNo),
    kind: data.identity.kind,
    streamer: data.subject === 'streamer',
    code: code.code,
    codesVersion: Number(version),
    tier: code.tier,
    official: isOfficial(standard) && (registry || data.proof.decisionNo !== undefined),
    ordersStop: !registry && data.proof.ordersStop === true,
    // What a publisher that is too often wrong finds by itself counts as tier 3, for tier 3's term (rules P11, P19).
    finding: standard === 'platformFinding' && code.code !== 'V01',
    decidedBy: data.decidedBy,
    hearing: !registry && isHeld(data, code.tier),
    victim: data.victim !== undefined,
    expiresAt: stated ?? term,
    acceptedAt: event.acceptedAt,
  };
}

const list: FoldRun = async (client, schema, events) => {
  const history = await reasonCodeHistory(client);
  const observing = observe(client, schema, events);
  const listing = bulk(
    client,
    `insert into ${schema}.listing (listing_id, position, source_member, source_event_id, origin, merchant_id,
       registry_list, decision_no, kind, streamer, code, codes_version, tier, official, orders_stop, decided_by, victim, status, hearing, flood, effective_at, expires_at, accepted_at)
     select "listingId", position, member, "eventId", origin, "merchantId", list, "decisionNo", kind, streamer, code,
       "codesVersion", case when lowered then 3 else tier end, official, "ordersStop", "decidedBy", victim, case when hearing or waits then 'held' else 'published' end, hearing, waits, "acceptedAt",
       case when lowered then least("expiresAt", "acceptedAt" + interval '90 days') else "expiresAt" end, "acceptedAt"
     from (select r.*, r.tier = 2 and r.finding and exists (select from ${schema}.receiver p
       where p.member_id = r.member and p.lowered) as lowered, exists (select from ${schema}.flood f where f.member = r.member and f.case_id = r."eventId"
       and r.origin <> 'registry') as waits from jsonb_to_recordset($1) r ("listingId" text, position bigint, member text, "eventId" text, origin text,
       "merchantId" text, list text, "decisionNo" text, kind text, streamer boolean, code text, "codesVersion" int, tier int,
       official boolean, "ordersStop" boolean, "decidedBy" text, victim boolean, finding boolean, hearing boolean, "expiresAt" timestamptz, "acceptedAt" timestamptz)) listed`,
    events.map((event) => listingRow(event, history)),
  );
  await Promise.all([observing, listing]);
};

/** A delisting also ends the sender's own hosting of that account. */
const delist: FoldRun = async (client, schema, events) => {
  await list(client, schema, events);
  await bulk(
    client,
    `update ${schema}.hosting h set active = false
     from jsonb_to_recordset($1) r (member text, "merchantId" text, position bigint)
     where h.member = r.member and h.merchant_id = r."merchantId" and h.observed_at < r.position`,
    events.map((event) => ({
      member: sender(event),
      merchantId: event.data.merchantId,
      position: event.position,
    })),
  );
};

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
const link: FoldRun = async (client, schema, events) => {
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
         -- A platform's listing that rests on the same status ends with it (rule P12).
         or l.code = ${CODE_OF_LIST})
       and l.ended_at is null and l.position < o.position`,
    // Filed anew on a decision that the register has taken back for this merchant: it ends where it becomes known.
    `update ${schema}.listing l set status = 'endedByDecision', ended_at = r.position, cause = 'removed'
     from ${LINK_ROWS} where l.position = r.observation and l.origin <> 'registry' and l.ended_at is null
       and exists (select from ${schema}.listing x where x.decision_no = l.decision_no and x.entity_id = l.entity_id
         and x.cause = 'removed')`,
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

const linksOf = (event: StoredEvent): (Link & { position: number })[] =>
  (event.data as EntityMerged | EntitySplit).links.map((moved) => ({ position: event.position, ...moved }));

/**
 * Entities became one, or observations left one: what was observed, hosted and listed goes where the links say, and the
 * entities that are left are described anew by the observations that they have.
 */
const regroup: FoldRun = async (client, schema, events) => {
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

/** A decision of a person, where the two observations stand now. */
async function noteReview(client: ClientBase, schema: string, event: StoredEvent): Promise<void> {
  const { a, b } = event.data as ReviewDecided;
  await prepared(
    client,
    `insert into ${schema}.step (observation, position, entity_id)
     select position, $1, entity_id from ${schema}.observation where position in ($2, $3) and entity_id is not null`,
    [event.position, a, b],
  );
}

/** Accounts of the two observations' entities are looked at again: what was told of the one may not concern the other. */
async function touchAccounts(client: ClientBase, schema: string, event: StoredEvent): Promise<void> {
  const { a, b } = event.data as ReviewDecided;
  await prepared(
    client,
    `update ${schema}.hosting h set linked_at = $1
     from ${schema}.observation a join ${schema}.observation b on b.position = $3 and b.entity_id <> a.entity_id
     where a.position = $2 and h.entity_id in (a.entity_id, b.entity_id)`,
    [event.position, a, b],
  );
}

/**
 * Two that are different are nothing possible to each other any more. Of two that are the same the merge says so that
 * follows, of two that nobody is sure of nothing changes.
 */
const reviewed: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { a, b, decision } = event.data as ReviewDecided;
    await noteReview(client, schema, event);
    if (decision !== 'different') continue;
    await prepared(
      client,
      `insert into ${schema}.parted (observation, other) values ($1::bigint, $2::bigint), ($2, $1) on conflict do nothing`,
      [a, b],
    );
    await touchAccounts(client, schema, event);
  }
};

const reviewUndone: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { a, b, decision } = event.data as ReviewUndone;
    await noteReview(client, schema, event);
    if (decision !== 'different') continue;
    await prepared(
      client,
      `delete from ${schema}.parted where (observation, other) in (($1::bigint, $2::bigint), ($2, $1))`,
      [a, b],
    );
    await touchAccounts(client, schema, event);
  }
};

const ends = (status: EndState): string => `set status = '${status}', ended_at = $1, cause = $2`;

const reinstate: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(
      client,
      `update ${schema}.listing ${ends('withdrawn')} where origin = 'delisting' and ended_at is null and source_member = $3
         and (source_event_id = $4 or merchant_id = $5)`,
      [event.position, data.cause, sender(event), data.delistingId ?? null, data.merchantId ?? null],
    );
  }
};

const withdraw: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(
      client,
      `update ${schema}.listing ${ends('withdrawn')} where origin = 'riskEntity' and ended_at is null and source_member = $3
         and source_event_id = $4`,
      [event.position, data.cause, sender(event), data.reportId],
    );
  }
};

/** What a held listing becomes that waits no longer for `waited`, unless it waits for `still` as well: published, and due where it is linked. */
const letOut = (waited: 'hearing' | 'flood', still: 'hearing' | 'flood', position: string, at: string): string =>
  `set ${waited} = false, status = case when l.${still} then l.status else 'published' end,
     effective_at = case when l.${still} then l.effective_at else ${at} end,
     due_at = case when not l.${still} and l.entity_id is not null then ${position} end`;

/** Cases over their publisher's limits: the next entries of theirs wait for a second person (rule P21). */
const flood: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `insert into ${schema}.flood (member, case_id, position)
     select member, "caseId", position from jsonb_to_recordset($1) r (member text, "caseId" text, position bigint)
     on conflict do nothing`,
    events.map(({ data, position }) => ({ member: data.memberId, caseId: data.caseId, position })),
  ) as Promise<void>;

/** A second person let waiting cases out, or refused them: then nobody is ever told. */
const decideFlood: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { memberId, decision, after, upTo } = event.data;
    const which = 'l.flood and l.ended_at is null and l.source_member = $3 and l.position > $4 and l.position <= $5';
    const set =
      decision === 'release'
        ? letOut('flood', 'hearing', '$1::bigint', '$2::timestamptz')
        : `set flood = false, status = 'withdrawn', ended_at = $1, cause = $2`;
    const said = decision === 'release' ? event.acceptedAt : FLOOD_CAUSE;
    await prepared(client, `update ${schema}.listing l ${set} where ${which}`, [
      event.position,
      said,
      memberId,
      after,
      upTo,
    ]);
  }
};

/** A heard case is published, and due at once where it is linked already; or withdrawn where the answer convinced. */
const hear: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    const whose = `l.source_member = $3 and l.source_event_id = $4 and l.status = 'held'`;
    if (data.cause !== undefined) {
      await prepared(client, `update ${schema}.listing l ${ends('withdrawn')} where ${whose}`, [
        event.position,
        data.cause,
        sender(event),
        data.caseId,
      ]);
      continue;
    }
    await prepared(
      client,
      `update ${schema}.listing l ${letOut('hearing', 'flood', '$1::bigint', '$2::timestamptz')}, heard_at = $1
       where ${whose} and l.hearing`,
      [event.position, event.acceptedAt, sender(event), data.caseId],
    );
  }
};

const endListing: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    const status = officialEnd(data.cause) === 'repair' ? 'repaired' : 'endedByDecision';
    await prepared(
      client,
      `update ${schema}.listing ${ends(status)} where ended_at is null and (listing_id = $3 or decision_no = $4)`,
      [event.position, data.cause, data.listingId ?? null, keyOf(data.decisionNo) ?? null],
    );
  }
};

const setDeadline: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l set held_until = r.due, hold = r.hold
     from jsonb_to_recordset($1) r ("listingId" text, due timestamptz, hold jsonb) where l.listing_id = r."listingId"`,
    events.map(({ data: { listingId, caseId: _caseId, ...hold } }) => ({ listingId, due: hold.due, hold })),
  ) as Promise<void>;

/** The time to answer ran out: published, and due at once where it is linked already. */
const release: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l ${letOut('hearing', 'flood', 'r.position', 'r."acceptedAt"')}, heard_at = r.position
     from jsonb_to_recordset($1) r ("listingId" text, position bigint, "acceptedAt" timestamptz)
     where l.listing_id = r."listingId" and l.status = 'held' and l.hearing`,
    events.map(({ data, position, acceptedAt }) => ({ listingId: data.listingId, position, acceptedAt })),
  ) as Promise<void>;

const expire: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.listing l set status = 'expired', ended_at = r.position, cause = 'expired'
     from jsonb_to_recordset($1) r ("listingId" text, position bigint)
     where l.listing_id = r."listingId" and l.ended_at is null`,
    events.map(({ data, position }) => ({ listingId: data.listingId, position })),
  ) as Promise<void>;

/** An appeal marks what it is against. */
const fileAppeal: FoldRun = async (client, schema, events) => {
  for (const { data, position } of events) {
    const { appealId, listingId, grounds, proved, filedAt } = data;
    await prepared(
      client,
      `insert into ${schema}.appeal (appeal_id, position, listing_id, grounds, proved, filed_at, publisher, decider)
       select $1, $2, listing_id, $4, $5, $6, source_member, decided_by from ${schema}.listing where listing_id = $3`,
      [appealId, position, listingId, grounds, proved, filedAt],
    );
    await prepared(
      client,
      `update ${schema}.listing set status = 'disputed', marked_at = $1 where listing_id = $2 and stands`,
      [position, listingId],
    );
  }
};

const setAppealDeadline: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `update ${schema}.appeal a set due = r.due, deadline = r.deadline
     from jsonb_to_recordset($1) r ("appealId" text, due timestamptz, deadline jsonb) where a.appeal_id = r."appealId"`,
    events.map(({ data: { appealId, listingId: _listingId, caseId: _caseId, ...deadline } }) => ({
      appealId,
      due: deadline.due,
      deadline,
    })),
  ) as Promise<void>;

/** Suspended everywhere until the appeal is decided. */
const stay: FoldRun = async (client, schema, events) => {
  const rows = events.map(({ data, position }) => ({ appealId: data.appealId, listingId: data.listingId, position }));
  const ROWS = `jsonb_to_recordset($1) r ("appealId" text, "listingId" text, position bigint)`;
  await bulk(
    client,
    `update ${schema}.appeal a set stayed_at = r.position from ${ROWS} where a.appeal_id = r."appealId"`,
    rows,
  );
  await bulk(
    client,
    `update ${schema}.listing l set status = 'stayed', marked_at = r.position from ${ROWS}
     where l.listing_id = r."listingId" and l.stands`,
    rows,
  );
};

/** What was decided of an appeal. After a stay the listing is due again: those who may hear are told anew. */
const decideAppeal: FoldRun = async (client, schema, events) => {
  for (const { data, position } of events) {
    const { appealId, listingId, decision, decidedBy, by, decidedAt, expiresAt, cause = 'appealUpheld' } = data;
    await prepared(
      client,
      `update ${schema}.appeal set decision = $2, decided_by = $3, reviewing_member = $4, decided_at = $5, concluded_at = $6
       where appeal_id = $1 and decision is null`,
      [appealId, decision, decidedBy, by, decidedAt, position],
    );
    await (decision === 'overturned'
      ? prepared(client, `update ${schema}.listing ${ends('overturned')} where ended_at is null and listing_id = $3`, [
          position,
          cause,
          listingId,
        ])
      : prepared(
          client,
          `update ${schema}.listing set status = $2, expires_at = least(expires_at, $4::timestamptz),
             marked_at = case when status = 'stayed' then marked_at else $1::bigint end,
             due_at = case when status = 'stayed' and entity_id is not null then $1::bigint else due_at end
           where listing_id = $3 and ended_at is null and status in ('disputed', 'stayed')`,
          [position, decision, listingId, expiresAt ?? null],
        ));
  }
};

const dispose: FoldRun = (client, schema, events) =>
  bulk(
    client,
    `insert into ${schema}.disposition (position, notice_id, member, decision, reason_code, open_orders, shops,
       decided_at, decided_by, accepted_at)
     select position, "noticeId", member, decision, "reasonCode", "openOrders", shops, "decidedAt", "decidedBy", "acceptedAt"
     from jsonb_to_recordset($1) r (position bigint, "noticeId" text, member text, decision text, "reasonCode" text,
       "openOrders" text, shops jsonb, "decidedAt" timestamptz, "decidedBy" text, "acceptedAt" timestamptz)`,
    events.map((event) => ({
      ...(event.data as object),
      position: event.position,
      member: sender(event),
      acceptedAt: event.acceptedAt,
    })),
  ) as Promise<void>;

const NOTICE_ROWS = `jsonb_to_recordset($1) r ("noticeId" text, member text, seq bigint, action text,
  "listingId" text, "entityId" text, uscc text, status text, "merchantIds" jsonb, merchants jsonb, shops jsonb, because jsonb,
  position bigint, "acceptedAt" timestamptz, "respondBy" timestamptz, "expiresAt" timestamptz)`;

function noticeRow(event: StoredEvent): { noticeId: string; action: string; key: string } {
  const data = event.data;
  return {
    ...data,
    key: `${data.listingId} ${data.member}`,
    entityId: data.entity.entityId,
    uscc: data.entity.uscc,
    because: data.match.because,
    merchants: Object.fromEntries(data.merchantIds.map((id: string) => [id, data.match.grade])),
    position: event.position,
    acceptedAt: event.acceptedAt,
  };
}

/**
 * A notice is folded when it is issued and met again when the reader comes to its own entry: the second time changes
 * nothing, because only rows that were new move what a member was told.
 */
const tell: FoldRun = async (client, schema, events) => {
  const rows = events.map(noticeRow);
  const { rows: inserted } = await prepared<{ notice_id: string }>(
    client,
    `insert into ${schema}.notice
       (notice_id, member, seq, action, listing_id, entity_id, merchant_ids, position, issued_at, respond_by)
     select "noticeId", member, seq, action, "listingId", "entityId", "merchantIds", position, "acceptedAt", "respondBy"
     from ${NOTICE_ROWS} on conflict do nothing returning notice_id`,
    [JSON.stringify(rows)],
  );
  const isNew = new Set(inserted.map((row) => row.notice_id));
  // One after the other for notices to one member of one listing; all others together.
  const waves: (typeof rows)[] = [];
  const depth = new Map<string, number>();
  for (const row of rows.filter(({ noticeId }) => isNew.has(noticeId))) {
    const wave = depth.get(row.key) ?? 0;
    depth.set(row.key, wave + 1);
    (waves[wave] ??= []).push(row);
  }
  for (const wave of waves) await foldTold(client, schema, wave);
};

const ENDING_ACTIONS = new Set(['reopen', 'lift']);

async function foldTold(client: ClientBase, schema: string, rows: { action: string }[]): Promise<void> {
  const whose = 't.listing_id = r."listingId" and t.member = r.member';
  const ended = rows.filter(({ action }) => ENDING_ACTIONS.has(action));
  await bulk(client, `update ${schema}.told t set ended = true from ${NOTICE_ROWS} where ${whose}`, ended);
  // A mark says nothing of whom it is about.
  const marked = rows.filter(({ action }) => action === 'mark');
  await bulk(
    client,
    `update ${schema}.told t set status = r.status, expires_at = r."expiresAt" from ${NOTICE_ROWS} where ${whose}`,
    marked,
  );
  const corrected = rows.filter(({ action }) => action === 'correct');
  // Whose last account was corrected was told of nothing that still holds.
  await bulk(
    client,
    `update ${schema}.told t
     set merchants = t.merchants - (select array_agg(id) from jsonb_array_elements_text(r."merchantIds") id),
       ended = t.ended or not exists (select from jsonb_object_keys(t.merchants) id where not r."merchantIds" ? id),
       shops = (select coalesce(jsonb_agg(s order by s), '[]') from jsonb_array_elements(t.shops) s
                where s->>'shopId' not in (select c->>'shopId' from jsonb_array_elements(r.shops) c))
     from ${NOTICE_ROWS} where ${whose}`,
    corrected,
  );
  await bulk(
    client,
    `insert into ${schema}.told as t (listing_id, member, merchants, shops, because, uscc, status, expires_at, ended)
     select "listingId", member, merchants, shops, because, uscc, status, "expiresAt", false from ${NOTICE_ROWS}
     on conflict (listing_id, member) do update set ended = false, because = excluded.because, uscc = excluded.uscc,
       status = excluded.status, expires_at = excluded.expires_at,
       merchants = case when t.ended then excluded.merchants else t.merchants || excluded.merchants end,
       shops = (select coalesce(jsonb_agg(distinct s order by s), '[]')
                from jsonb_array_elements(case when t.ended then excluded.shops else t.shops || excluded.shops end) s)`,
    rows.filter(({ action }) => !ENDING_ACTIONS.has(action) && action !== 'correct' && action !== 'mark'),
  );
}

const admit: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(
      client,
      `insert into ${schema}.receiver (member_id, role, status, joined_position, subscription, agreement)
       values ($1, $2, 'active', $3, $4, $5)
       on conflict (member_id) do update set role = excluded.role, status = 'active',
         joined_position = excluded.joined_position, subscription = excluded.subscription, agreement = excluded.agreement`,
      [
        data.memberId,
        data.role,
        event.position,
        JSON.stringify(data.subscription),
        data.agreement === undefined ? null : JSON.stringify(data.agreement),
      ],
    );
  }
};

const setStatus =
  (status: string): FoldRun =>
  async (client, schema, events) => {
    await prepared(client, `update ${schema}.receiver set status = $1 where member_id = any($2)`, [
      status,
      events.map((event) => event.data.memberId),
    ]);
  };

/** A publisher's findings count a tier lower from here on, or as they are (rule P19). */
const judgePublisher =
  (lowered: boolean): FoldRun =>
  async (client, schema, events) => {
    await prepared(client, `update ${schema}.receiver set lowered = $1 where member_id = any($2)`, [
      lowered,
      events.map((event) => event.data.memberId),
    ]);
  };

const subscribe: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const data = event.data;
    await prepared(client, `update ${schema}.receiver set subscription = $2 where member_id = $1`, [
      data.memberId,
      JSON.stringify(data.subscription),
    ]);
  }
};

const agree: FoldRun = async (client, schema, events) => {
  for (const { data } of events) {
    await prepared(client, `update ${schema}.receiver set agreement = $2 where member_id = $1`, [
      data.memberId,
      JSON.stringify(data.agreement),
    ]);
  }
};

/** Of an erased person not even the mask stays, nor of an entity of which every entry was erased. */
const forget: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const positions = [event.data.positions];
    await prepared(
      client,
      `update ${schema}.observation set name = '*', uscc = null, erased = true
       where position = any($1) and kind <> 'organization'`,
      positions,
    );
    await prepared(
      client,
      `update ${schema}.entity e set name = '*', uscc = null, erased = true
       where e.entity_id in (select entity_id from ${schema}.observation where position = any($1))
         and e.kind <> 'organization'
         and not exists (select from ${schema}.observation o where o.entity_id = e.entity_id and not o.erased)`,
      positions,
    );
  }
};

/** Folded when it is appended and met again at its own position: the second time changes nothing. */
const redact: FoldRun = async (client, schema, events) => {
  await prepared(client, `update ${schema}.notice set erased = true where notice_id = any($1)`, [
    events.flatMap((event) => event.data.noticeIds),
  ]);
};

const FOLDS: Partial<Record<string, FoldRun>> = {
  [EVENT_TYPES.merchantReported]: observe,
  [EVENT_TYPES.merchantDelisted]: delist,
  [EVENT_TYPES.riskEntityReported]: list,
  [EVENT_TYPES.registryListed]: list,
  [EVENT_TYPES.registryRemoved]: observe,
  [EVENT_TYPES.merchantReinstated]: reinstate,
  [EVENT_TYPES.riskEntityWithdrawn]: withdraw,
  [EVENT_TYPES.caseHeard]: hear,
  [EVENT_TYPES.listingEnded]: endListing,
  [EVENT_TYPES.listingExpired]: expire,
  [EVENT_TYPES.publisherLowered]: judgePublisher(true),
  [EVENT_TYPES.publisherRestored]: judgePublisher(false),
  [EVENT_TYPES.caseHeld]: flood,
  [EVENT_TYPES.floodDecided]: decideFlood,
  [EVENT_TYPES.caseDeadlineSet]: setDeadline,
  [EVENT_TYPES.caseReleased]: release,
  [EVENT_TYPES.appealFiled]: fileAppeal,
  [EVENT_TYPES.appealDeadlineSet]: setAppealDeadline,
  [EVENT_TYPES.listingStayed]: stay,
  [EVENT_TYPES.appealDecided]: decideAppeal,
  [EVENT_TYPES.noticeDisposed]: dispose,
  [EVENT_TYPES.entityLinked]: link,
  [EVENT_TYPES.entityMerged]: regroup,
  [EVENT_TYPES.entitySplit]: regroup,
  [EVENT_TYPES.reviewDecided]: reviewed,
  [EVENT_TYPES.reviewUndone]: reviewUndone,
  [EVENT_TYPES.noticeIssued]: tell,
  [EVENT_TYPES.noticeErased]: redact,
  [EVENT_TYPES.memberAdmitted]: admit,
  [EVENT_TYPES.memberSuspended]: setStatus('suspended'),
  [EVENT_TYPES.memberResumed]: setStatus('active'),
  [EVENT_TYPES.memberRemoved]: setStatus('removed'),
  [EVENT_TYPES.memberSubscriptionChanged]: subscribe,
  [EVENT_TYPES.memberAgreementChanged]: agree,
  [EVENT_TYPES.subjectErased]: forget,
} satisfies Partial<Record<EventType, FoldRun>>;

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
    event.type.startsWith('liandun.appeal.') ? data.by : data.decidedBy,
    data.change?.memberId,
    // What the clock or an authority did to a listing concerns its publisher.
    ['screenings', 'merchant', 'report'].includes(kind ?? '') ? whose : undefined,
  ].filter((id): id is string => typeof id === 'string');
  return [...new Set([sender(event), ...others])];
}

/** Outcomes that name a listing or an observation and no entity. */
const ABOUT_OBSERVATIONS = new Set<string>([
  EVENT_TYPES.caseDeadlineSet,
  EVENT_TYPES.subjectStated,
  EVENT_TYPES.appealFiled,
  EVENT_TYPES.appealDecided,
  EVENT_TYPES.appealDeadlineSet,
  EVENT_TYPES.listingStayed,
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

/** Notices and answers are about whom their listing is about now: it may have moved before they came to be indexed. */
function indexTold(client: ClientBase, schema: string, events: StoredEvent[]): Promise<unknown> {
  const told = JSON.stringify(
    events.map(({ type, position, data }) => ({
      position,
      ...(type === EVENT_TYPES.noticeIssued && { listingId: data.listingId }),
    })),
  );
  return prepared(
    client,
    `update ${schema}.audit a set entity_id = l.entity_id
       from (select r.position, r."listingId" as listing_id
             from jsonb_to_recordset($1) r (position bigint, "listingId" text)
             union all select d.position, n.listing_id from jsonb_to_recordset($1) r (position bigint)
               join ${schema}.disposition d on d.position = r.position join ${schema}.notice n using (notice_id)) about
       join ${schema}.listing l using (listing_id)
       where a.position = about.position and l.entity_id is not null`,
    [told],
  );
}

async function indexForAudit(client: ClientBase, schema: string, events: StoredEvent[]): Promise<void> {
  const indexed = bulk(
    client,
    `insert into ${schema}.audit (position, member, type, entity_id, about, accepted_at)
     select position, member, type, "entityId", about, "acceptedAt"
     from jsonb_to_recordset($1) r (position bigint, member text, type text, "entityId" text, about bigint, "acceptedAt" timestamptz)
     on conflict do nothing`,
    events.flatMap((event) =>
      concerned(event).map((member) => ({
        position: event.position,
        member,
        type: event.type,
        entityId: event.data.entityId ?? event.data.entity?.entityId,
        about: aboutOf(event),
        acceptedAt: event.acceptedAt,
      })),
    ),
  );
  const linked = bulk(
    client,
    `update ${schema}.audit a set entity_id = r."entityId"
     from jsonb_to_recordset($1) r (observation bigint, "entityId" text) where a.position = r.observation`,
    events.filter((event) => event.type === EVENT_TYPES.entityLinked).map((event) => event.data),
  );
  const regrouped = events.filter((event) => REGROUPING.has(event.type)).flatMap(linksOf);
  const positions = JSON.stringify(events.map(({ position }) => ({ position })));
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
                   union select moved.position from jsonb_to_recordset($2) r (observation bigint)
                     join ${schema}.listing l on l.position = r.observation
                     cross join lateral (values (l.ended_at), (l.heard_at)) moved (position)) about
             join ${schema}.listing l on l.ended_at = about.position or l.heard_at = about.position
             where l.entity_id is not null group by about.position) found
       where a.position = found.position`,
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
             cross join lateral (select l.ended_at as position union all select l.heard_at
               union all select n.position from ${schema}.notice n where n.listing_id = l.listing_id
               union all select d.position from ${schema}.notice n join ${schema}.disposition d using (notice_id)
                 where n.listing_id = l.listing_id) followed) about
     where a.position = about.position`,
    [JSON.stringify(links)],
  );
}

/** Consecutive events of one type, so that each run is one bulk write. */
export function* runsByType(events: StoredEvent[]): Generator<StoredEvent[]> {
  let run: StoredEvent[] = [];
  for (const event of events) {
    if (run.length > 0 && run[0]?.type !== event.type) {
      yield run;
      run = [];
    }
    run.push(event);
  }
  if (run.length > 0) yield run;
}

/** Types whose order among each other changes nothing in the end, in the order in which they are folded together. */
const COMMUTING = [
  EVENT_TYPES.caseHeld,
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
  EVENT_TYPES.entityLinked,
  EVENT_TYPES.noticeIssued,
  EVENT_TYPES.noticeDisposed,
] as const;
const COMMUTE = new Set<string>(COMMUTING);
/** What the clock appends many of at once: one after the other of a type is one run. */
const BY_THE_CLOCK = new Set<string>([
  EVENT_TYPES.caseDeadlineSet,
  EVENT_TYPES.caseReleased,
  EVENT_TYPES.listingExpired,
  EVENT_TYPES.listingStayed,
]);

/**
 * A batch as few runs of one type. What was observed, linked, told and answered commutes and is brought together; all
 * that ends a listing or changes a member stands between, in its place. Types that nothing is folded from are left out.
 */
export function* runsTogether(events: StoredEvent[]): Generator<StoredEvent[]> {
  let together: StoredEvent[] = [];
  let kind: string | number | undefined;
  const flush = (): StoredEvent[][] => {
    const byType = Map.groupBy(together, (event) => event.type);
    together = [];
    return byType.size < 2
      ? [...byType.values()]
      : COMMUTING.flatMap((type) => (byType.has(type) ? [byType.get(type) as StoredEvent[]] : []));
  };
  for (const event of events) {
    const { type, position } = event;
    if (!FOLDS[type]) continue;
    const next = COMMUTE.has(type) ? 'commuting' : BY_THE_CLOCK.has(type) ? type : position;
    if (next !== kind) yield* flush();
    kind = next;
    together.push(event);
  }
  yield* flush();
}

/** Folds one run of events of the same type, without the audit's index. */
export async function foldRun(client: ClientBase, schema: string, run: StoredEvent[]): Promise<void> {
  const fold = FOLDS[run[0]?.type ?? ''];
  if (fold) await fold(client, schema, run);
}

/** Everything that the ledger's readers know, folded from the log alone: no matcher, no vault (invariant I5). */
export const ledgerProjection: Projection & {
  index(client: ClientBase, schema: string, events: StoredEvent[]): Promise<void>;
} = {
  name: 'view',
  ddl: ledgerViewDdl,
  // The notify reader folds its notices, and what it says of them, when it appends them.
  ahead: [EVENT_TYPES.noticeIssued, EVENT_TYPES.noticeErased],
  async apply(client, schema, events) {
    for (const run of runsByType(events)) await foldRun(client, schema, run);
    await indexForAudit(client, schema, events);
  },
  index: indexForAudit,
};
