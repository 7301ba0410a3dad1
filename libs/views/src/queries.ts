// What the HTTP side asks of the folded ledger. Times come back as RFC 3339 with +08:00.
import { toBeijingTime, type Because, type PossibleLink, type Shop, type SubjectKind } from '@liandun/contracts';
import { tellBy } from '@liandun/domain';
import type { ClientBase, Pool } from 'pg';
import { NOT_PARTED } from './fan-out.js';
import { relatedTo, type RelatedEntity } from './relations.js';

/** Where it reads in a caller's name, the database shows that one's rows only: what follows narrows what is asked for, not what may be seen. */
type Walled = Pool | ClientBase;

// oxlint-disable-next-line typescript/no-explicit-any
type Row = any;

const time = (value: Date | null): string | undefined => (value === null ? undefined : toBeijingTime(value));

/** One observation of an entity on its page: an entry of the log and why it was taken for this entity. */
export interface ObservedFact {
  position: number;
  member: string;
  merchantId?: string;
  type: string;
  name: string;
  shops: Shop[];
  because: Because[];
  acceptedAt: string;
}

export interface ListingSummary {
  listingId: string;
  origin: string;
  member: string;
  code: string;
  tier: number;
  status: string;
  effectiveAt: string;
  expiresAt: string;
  /** While it is held, unless that is paused (rule P06). */
  heldUntil?: string;
  cause?: string;
}

export interface EntityPage {
  entityId: string;
  kind: SubjectKind;
  name: string;
  uscc?: string;
  observations: ObservedFact[];
  listings: ListingSummary[];
  possible: PossibleLink[];
  /** Other entities that it is related to; a relation closes nothing (rule P13). */
  related: RelatedEntity[];
  /** The id that was asked for, where its entity became another one since. */
  retiredFrom?: string;
}

const PAGE_FACTS_MAX = 500;

/** By the index alone: of what another member sent, no row is read. */
const observationsOf = (db: Walled, entityId: string, member?: string): Promise<{ rows: Row[] }> =>
  db.query(
    `select * from view.observation where entity_id = $1 ${member === undefined ? '' : 'and member = $2'}
     order by position limit ${PAGE_FACTS_MAX}`,
    member === undefined ? [entityId] : [entityId, member],
  );

/**
 * What is known of an entity, also by an id that it had before. For a regulator everything; for a platform (`member`) only what it
 * sent itself, and undefined where it sent nothing, just as for an entity that doesn't exist (rule P18).
 */
export async function entityPage(db: Walled, entityId: string, member?: string): Promise<EntityPage | undefined> {
  const page = await pageOf(db, entityId, member);
  if (page) return page;
  const now = await movedTo(db, entityId);
  const moved = now === undefined ? undefined : await pageOf(db, now, member);
  return moved && { ...moved, retiredFrom: entityId };
}

/** The entity that the first observation of a former one is of now. */
async function movedTo(db: Walled, entityId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ entity_id: string }>(
    `select o.entity_id from view.step s join view.observation o on o.position = s.observation and o.entity_id <> s.entity_id
     where s.entity_id = $1 order by s.observation limit 1`,
    [entityId],
  );
  return rows[0]?.entity_id;
}

/** The id that an entity has now: the given one while it has observations, else that of the entity that it became. */
export async function currentEntity(db: Walled, entityId: string): Promise<string> {
  const own = await db.query('select from view.observation where entity_id = $1 limit 1', [entityId]);
  return own.rows.length > 0 ? entityId : ((await movedTo(db, entityId)) ?? entityId);
}

async function pageOf(db: Walled, entityId: string, member?: string): Promise<EntityPage | undefined> {
  const observations = await observationsOf(db, entityId, member);
  // Nothing else is asked for what is another's, so that takes no longer than what doesn't exist.
  if (member !== undefined && observations.rows.length === 0) return undefined;
  const [entity, listings, possible, related] = await Promise.all([
    db.query('select * from view.entity where entity_id = $1', [entityId]),
    db.query(
      `select * from view.listing where entity_id = $1 and ($2::text is null or source_member = $2)
       order by position limit ${PAGE_FACTS_MAX}`,
      [entityId, member ?? null],
    ),
    db.query(
      `select distinct on (b.entity_id) b.position, b.entity_id, p.because
       from view.observation a join view.possible p on p.observation = a.position
         join view.observation b on b.position = p.other and b.entity_id <> a.entity_id and ${NOT_PARTED}
       where a.entity_id = $1 and $2::text is null order by b.entity_id, b.position`,
      [entityId, member ?? null],
    ),
    relatedTo(db, entityId, member),
  ]);
  const found: Row = entity.rows[0];
  if (!found) return undefined;
  return {
    entityId,
    kind: found.kind,
    // A platform sees the merchant as it named it itself.
    name: member === undefined ? found.name : observations.rows.at(-1).name,
    ...(found.uscc && (member === undefined || observations.rows.some((row: Row) => row.uscc !== null))
      ? { uscc: found.uscc }
      : {}),
    observations: observations.rows.map((row: Row) => ({
      position: Number(row.position),
      member: row.member,
      ...(row.merchant_id === null ? {} : { merchantId: row.merchant_id }),
      type: row.type,
      name: row.name,
      shops: row.shops,
      // What ties it to another member's observation would tell that there is one (rule P18).
      because: member === undefined ? (row.because ?? []) : [],
      acceptedAt: toBeijingTime(row.accepted_at),
    })),
    listings: listings.rows.map((row: Row) => ({
      listingId: row.listing_id,
      origin: row.origin,
      member: row.source_member,
      code: row.code,
      tier: row.tier,
      status: row.status,
      effectiveAt: toBeijingTime(row.effective_at),
      expiresAt: toBeijingTime(row.expires_at),
      ...(row.status !== 'held' || row.held_until === null ? {} : { heldUntil: toBeijingTime(row.held_until) }),
      ...(row.cause === null ? {} : { cause: row.cause }),
    })),
    possible: possible.rows.map((row: Row) => ({
      observation: Number(row.position),
      entityId: row.entity_id,
      because: row.because,
    })),
    related,
  };
}

/** The entity that a listing, or the entry of an accepted event, is about; undefined where there is none. */
export async function entityAbout(
  db: Walled,
  { listingId, receipt }: { listingId?: string | undefined; receipt?: { source: string; id: string } | undefined },
): Promise<string | undefined> {
  const { rows } = await db.query<{ entity_id: string | null }>(
    `select entity_id from view.listing where listing_id = $1
     union all
     select a.entity_id from log.event_id i join view.audit a using (position)
     where i.source = $2 and i.id = $3 and a.entity_id is not null limit 1`,
    [listingId ?? null, receipt?.source ?? null, receipt?.id ?? null],
  );
  return rows[0]?.entity_id ?? undefined;
}

/** One member's notices of a listing and what it did. */
export interface CoverageRow {
  member: string;
  merchantIds: string[];
  action: string;
  noticeId: string;
  toldAt: string;
  decision?: string;
  reasonCode?: string;
  decidedAt?: string;
  /** From the acceptance of the listing (of its ending, for `reopen` and `lift`) to the accepted disposition. */
  tookMs?: number;
}

export interface Coverage {
  listingId: string;
  status: string;
  /** Of a case that is or was held: until when its subject may answer, and how that was counted (rule P06). */
  hold?: object;
  /** Of what others were told of at once: until when its publisher tells the subject, and when it did (rule P06). */
  tellBy?: string;
  notifiedAt?: string;
  /** The appeals against it, oldest first; absent where there was none. */
  appeals?: AppealSummary[];
  /** Members that were told, those of them that host the merchant, and how they answered. */
  told: number;
  hosts: number;
  closed: number;
  restricted: number;
  declined: number;
  silent: number;
  reopened: number;
  /** Members that were asked to reopen (after an ending or a stay), and those of them that haven't said what they did. */
  reopenAsked: number;
  reopenSilent: number;
  /** Merchant-instances (户次): accounts at other members that were told of, and of these closed. */
  instancesTold: number;
  instancesClosed: number;
  medianMsToClose?: number;
  longestMsToClose?: number;
  medianMsToReopen?: number;
  longestMsToReopen?: number;
  members: CoverageRow[];
}

/** An appeal without its texts. Times are RFC 3339. */
export interface AppealSummary {
  appealId: string;
  listingId: string;
  /** The member that published the listing. */
  publisher: string;
  grounds: string;
  proved: string;
  filedAt: string;
  /** `open`, `paused`, `stayed` (open still), `decided`, or `moot`: its listing ended before. */
  status: string;
  due?: string;
  /** How the deadline was counted, with its pauses and extensions. */
  deadline?: object;
  decision?: string;
  decidedBy?: string;
  by?: string;
  decidedAt?: string;
}

const appealOf = (row: Row): AppealSummary & { concludedAt?: number } => ({
  appealId: row.appeal_id,
  listingId: row.listing_id,
  publisher: row.publisher,
  grounds: row.grounds,
  proved: row.proved,
  filedAt: toBeijingTime(row.filed_at),
  status: row.state,
  ...(row.due !== null && { due: toBeijingTime(row.due) }),
  ...(row.deadline !== null && { deadline: row.deadline }),
  ...(row.decision !== null && {
    decision: row.decision,
    decidedBy: row.decided_by,
    by: row.reviewing_member,
    decidedAt: toBeijingTime(row.decided_at),
    concludedAt: Number(row.concluded_at),
  }),
});

const SELECT_APPEAL = `select a.*, case when a.decision is not null then 'decided' when l.ended_at is not null then 'moot'
    when a.stayed_at is not null then 'stayed' when a.due is null then 'paused' else 'open' end as state
  from view.appeal a join view.listing l using (listing_id)`;

const appealsOf = async (db: Walled, listingId: string): Promise<(AppealSummary & { concludedAt?: number })[]> =>
  (await db.query(`${SELECT_APPEAL} where a.listing_id = $1 order by a.position`, [listingId])).rows.map(appealOf);

/** Where a page of appeals ended: what was due last (RFC 3339, or `infinity` while paused), and its position. */
export interface AppealCursor {
  due: string;
  position: number;
}

/**
 * Appeals that the caller may see, those that wait first, the longest due first; decided and moot ones after them only with
 * `all`. What is paused is due last.
 */
export async function appealsOfCaller(
  db: Walled,
  { after, limit, all }: { after?: AppealCursor | undefined; limit: number; all: boolean },
): Promise<{ items: AppealSummary[]; next: AppealCursor | null }> {
  const { rows } = await db.query(
    `select * from (${SELECT_APPEAL}) a  
     where ($3 or a.state not in ('decided', 'moot'))
       and ($1::text is null or (coalesce(a.due, 'infinity'), a.position) > ($1::timestamptz, $2::bigint))
     order by coalesce(a.due, 'infinity'), a.position limit $4`,
    [after?.due ?? null, after?.position ?? null, all, limit],
  );
  const last: Row = rows.length < limit ? undefined : rows.at(-1);
  const items = rows.map((row: Row) => {
    const { concludedAt: _at, ...appeal } = appealOf(row);
    return appeal;
  });
  return { items, next: last ? { due: last.due?.toISOString() ?? 'infinity', position: Number(last.position) } : null };
}

/** One appeal with the position of its filing, if the caller may see it. */
export async function appealById(
  db: Walled,
  appealId: string,
): Promise<(AppealSummary & { position: number; concludedAt?: number; stayedAt?: number }) | undefined> {
  const { rows } = await db.query(`${SELECT_APPEAL} where a.appeal_id = $1`, [appealId]);
  const row: Row = rows[0];
  if (!row) return undefined;
  return {
    ...appealOf(row),
    position: Number(row.position),
    ...(row.stayed_at !== null && { stayedAt: Number(row.stayed_at) }),
  };
}

const CLOSED = new Set(['closed', 'alreadyClosed']);
const ENDING = new Set(['reopen', 'lift']);

function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return undefined;
  return Number.isInteger(middle)
    ? ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
    : sorted[Math.floor(middle)];
}

const spread = (values: number[], name: string): Record<string, number> =>
  values.length === 0
    ? {}
    : { [`medianMsTo${name}`]: median(values) ?? 0, [`longestMsTo${name}`]: Math.max(...values) };

/** How a listing was followed: who was told, what each decided, and how long it took; undefined if there is none. */
export async function coverage(db: Walled, listingId: string): Promise<Coverage | undefined> {
  const listing = await db.query('select * from view.listing where listing_id = $1', [listingId]);
  const found: Row = listing.rows[0];
  if (!found) return undefined;
  const appeals = await appealsOf(db, listingId);
  const { rows } = await db.query(
    `select n.*, d.decision, d.reason_code, d.decided_at, d.accepted_at as disposed_at, started.accepted_at as started_at
     from view.notice n
     left join lateral (select * from view.disposition d where d.notice_id = n.notice_id order by d.position desc limit 1) d on true
     left join lateral (select e.accepted_at from log.entry e where e.position = case
       when n.action in ('reopen', 'lift') then (select max(at) from (select $2::bigint as at
         union all select a.stayed_at from view.appeal a where a.listing_id = $1) back where at < n.position)
       when n.position > $3::bigint then $3::bigint else $4::bigint end) started on true
     where n.listing_id = $1 order by n.position`,
    [listingId, found.ended_at, startOf(found, appeals), found.heard_at ?? found.position],
  );
  const members: CoverageRow[] = rows.map((row: Row) => ({
    member: row.member,
    merchantIds: row.merchant_ids,
    action: row.action,
    noticeId: row.notice_id,
    toldAt: toBeijingTime(row.issued_at),
    ...(row.decision === null
      ? {}
      : {
          decision: row.decision,
          ...(row.reason_code === null ? {} : { reasonCode: row.reason_code }),
          decidedAt: time(row.decided_at),
          tookMs: row.disposed_at - (row.started_at ?? row.issued_at),
        }),
  }));
  const hold = found.hold === null ? {} : { hold: found.hold };
  const said = appeals.length === 0 ? {} : { appeals: appeals.map(({ concludedAt: _at, ...appeal }) => appeal) };
  const told = {
    ...(found.told_at_once && found.status !== 'held' && { tellBy: tellBy(found.effective_at.toISOString()) }),
    ...(found.subject_told !== null && { notifiedAt: toBeijingTime(found.subject_told) }),
  };
  return { listingId, status: found.status, ...hold, ...told, ...said, ...summary(members), members };
}

/** A listing starts when it was accepted; one that was held when it was published, one that was stayed when that was over. */
const startOf = (row: Row, appeals: { concludedAt?: number }[]): unknown =>
  row.due_at !== null &&
  (row.effective_at > row.accepted_at || appeals.some(({ concludedAt }) => concludedAt === Number(row.due_at)))
    ? row.due_at
    : row.position;

function summary(
  rows: CoverageRow[],
): Omit<Coverage, 'listingId' | 'status' | 'hold' | 'tellBy' | 'notifiedAt' | 'appeals' | 'members'> {
  const told = rows.filter((row) => !ENDING.has(row.action) && row.action !== 'correct' && row.action !== 'mark');
  const asked = rows.filter((row) => row.action === 'reopen');
  const hosting = told.filter((row) => row.merchantIds.length > 0);
  const closing = hosting.filter((row) => CLOSED.has(row.decision ?? ''));
  const reopening = rows.filter((row) => row.decision === 'reopened');
  const members = (some: CoverageRow[]): number => new Set(some.map((row) => row.member)).size;
  const instances = (some: CoverageRow[]): number =>
    new Set(some.flatMap((row) => row.merchantIds.map((id) => `${row.member} ${id}`))).size;
  return {
    told: members(told),
    hosts: members(hosting),
    closed: members(closing),
    restricted: members(rows.filter((row) => row.decision === 'restricted')),
    declined: members(rows.filter((row) => row.decision === 'declined')),
    silent: members(told.filter((row) => row.decision === undefined)),
    reopened: members(reopening),
    reopenAsked: members(asked),
    reopenSilent: members(asked.filter((row) => row.decision === undefined)),
    instancesTold: instances(hosting),
    instancesClosed: instances(closing),
    ...spread(
      closing.map((row) => row.tookMs ?? 0),
      'Close',
    ),
    ...spread(
      reopening.map((row) => row.tookMs ?? 0),
      'Reopen',
    ),
  };
}

export interface AuditFilter {
  member?: string;
  type?: string;
  entityId?: string;
  /** RFC 3339, inclusive. */
  from?: string;
  /** RFC 3339, exclusive. */
  to?: string;
  /** The position after which to go on; -1 from the start. */
  after: number;
  limit: number;
}

export interface AuditEvent {
  position: number;
  /** base64 */
  leafHash: string;
  entityId?: string;
  /** The entry as it is in the log, version 1. */
  entry: unknown;
}

/** Entries by member (what it sent, received or was changed by), type, entity and time, in the order of the log. */
export async function auditEvents(db: Walled, filter: AuditFilter): Promise<{ items: AuditEvent[]; next: number }> {
  const { rows } = await db.query(
    `select distinct on (a.position) a.position, a.entity_id, e.entry, e.leaf_hash
     from view.audit a join log.entry e using (position)
     where a.position > $1 and ($2::text is null or a.member = $2) and ($3::text is null or a.type = $3)
       and ($4::text is null or a.entity_id = $4) and ($5::timestamptz is null or a.accepted_at >= $5)
       and ($6::timestamptz is null or a.accepted_at < $6)
     order by a.position limit $7`,
    [
      filter.after,
      filter.member ?? null,
      filter.type ?? null,
      filter.entityId ?? null,
      filter.from ?? null,
      filter.to ?? null,
      filter.limit,
    ],
  );
  const items = rows.map((row: Row) => ({
    position: Number(row.position),
    leafHash: row.leaf_hash.toString('base64'),
    ...(row.entity_id === null ? {} : { entityId: row.entity_id }),
    entry: JSON.parse(row.entry) as unknown,
  }));
  return { items, next: items.at(-1)?.position ?? filter.after };
}
