// What runs by the clock, asked of the folded ledger. One statement is one snapshot: what is folded and how far belong together.
import { EVENT_TYPES, reasonAsListed } from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import { reasonAsListedSql } from './reason-codes.js';
import type { ClientBase, Pool } from 'pg';

/** A listing that is due, with the version of its stream up to which it is folded: a newer one means that it may have changed. */
export interface DueListing {
  listingId: string;
  /** The CloudEvents id of its filing. */
  caseId: string;
  code: string;
  /** For how many days a law gives its subject the right to answer first, by the table that it was listed under. */
  holdDays: number;
  status: string;
  stream: string;
  version: number;
  acceptedAt: string;
  heldUntil?: string;
  expiresAt: string;
  calendar?: string;
}

// oxlint-disable-next-line typescript/no-explicit-any
type Row = any;

const LEDGER = `'urn:liandun:ledger'`;

const dueListings = async (db: Pool | ClientBase, where: string, values: unknown[]): Promise<DueListing[]> => {
  const { rows } = await db.query(
    `select ${reasonAsListedSql('l')} as reason, l.listing_id, l.source_event_id, l.code, l.status, l.accepted_at, l.held_until, l.expires_at,
       l.hold->>'calendar' as calendar, e.stream,
       (select max(s.version) from log.entry s where s.stream = e.stream and s.position <= r.position) as version
     from view.listing l join log.entry e on e.position = l.position, log.reader r
     where r.name = 'notify' and ${where}`,
    values,
  );
  return rows.map(toDue);
};

const toDue = (row: Row): DueListing => ({
  listingId: row.listing_id,
  caseId: row.source_event_id,
  code: row.code,
  holdDays: reasonAsListed(row.code, row.reason).statutoryHoldDays,
  status: row.status,
  stream: row.stream,
  version: Number(row.version),
  acceptedAt: row.accepted_at.toISOString(),
  ...(row.held_until && { heldUntil: row.held_until.toISOString() }),
  expiresAt: row.expires_at.toISOString(),
  ...(row.calendar && { calendar: row.calendar }),
});

const notYet = (idPrefix: string): string =>
  `not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || l.listing_id)`;

/** Held cases whose deadline isn't set yet, oldest first; `idPrefix` and the listing's id make the id of what sets it. */
export const heldWithoutDeadline = (db: Pool | ClientBase, idPrefix: string, limit: number): Promise<DueListing[]> =>
  dueListings(
    db,
    `l.status = 'held' and l.hearing and l.hold is null and ${notYet(idPrefix)} order by l.position limit $1`,
    [limit],
  );

/** Held cases whose deadline is over at `now` (RFC 3339). */
export const heldOver = (db: Pool | ClientBase, idPrefix: string, now: string, limit: number): Promise<DueListing[]> =>
  dueListings(
    db,
    `l.status = 'held' and l.hearing and l.held_until <= $1 and ${notYet(idPrefix)} order by l.held_until, l.position limit $2`,
    [now, limit],
  );

/** Listings whose term is over at `now` (RFC 3339) and that nothing has ended. */
export const termOver = (db: Pool | ClientBase, idPrefix: string, now: string, limit: number): Promise<DueListing[]> =>
  dueListings(
    db,
    `l.ended_at is null and l.expires_at <= $1 and ${notYet(idPrefix)} order by l.expires_at, l.position limit $2`,
    [now, limit],
  );

/** The publishers of whose cases some wait for a second person, and the days in China on which those were accepted. */
export async function floodDays(db: Pool, idPrefix: string): Promise<{ member: string; day: string }[]> {
  const { rows } = await db.query<{ member: string; day: string }>(
    `select distinct l.source_member as member, to_char(l.accepted_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD') as day
     from view.listing l where l.flood and not exists (select from log.event_id i where i.source = ${LEDGER}
       and i.id = '${idPrefix}' || l.source_member || ':' || to_char(l.accepted_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD'))
     order by 2, 1`,
  );
  return rows;
}

/** A listing whose appeal is due, with that. */
export interface DueAppeal extends DueListing {
  appealId: string;
  due: string;
}

/** Appeals that are not decided by `now` (RFC 3339) and whose listings stand: these are stayed (rule P07). */
export async function appealsOver(
  db: Pool | ClientBase,
  idPrefix: string,
  now: string,
  limit: number,
): Promise<DueAppeal[]> {
  const { rows } = await db.query(
    `select ${reasonAsListedSql('l')} as reason, l.listing_id, l.source_event_id, l.code, l.status, l.accepted_at, l.expires_at, a.appeal_id, a.due,
       a.deadline->>'calendar' as calendar, e.stream,
       (select max(s.version) from log.entry s where s.stream = e.stream and s.position <= r.position) as version
     from view.appeal a join view.listing l using (listing_id) join log.entry e on e.position = l.position, log.reader r
     where r.name = 'notify' and a.decision is null and a.stayed_at is null and a.due <= $1 and l.stands
       and not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || a.appeal_id)
     order by a.due, a.position limit $2`,
    [now, limit],
  );
  return rows.map((row: Row) => ({ ...toDue(row), appealId: row.appeal_id, due: row.due.toISOString() }));
}

/** A shop whose platform was told to reopen it after an official ending, a stay or an appeal, and hasn't said that it did. */
export interface SilentReopening {
  noticeId: string;
  member: string;
  /** When the ending or stay was accepted, RFC 3339. */
  endedAt: string;
}

/**
 * Reopenings that nothing has followed on, after what was accepted before `before` (RFC 3339): an official ending (rule P12), a stay
 * that holds, an appeal that was successful (rule P07).
 */
export async function silentReopenings(
  db: Pool,
  idPrefix: string,
  before: string,
  limit: number,
): Promise<SilentReopening[]> {
  const { rows } = await db.query(
    `select n.notice_id, n.member, e.accepted_at
     from view.listing l join view.notice n on n.listing_id = l.listing_id and n.action = 'reopen'
     join log.entry e on e.position = (select max(at) from (select l.ended_at as at union all
       select a.stayed_at from view.appeal a where a.listing_id = l.listing_id) back where at < n.position)
     where l.status in ('endedByDecision', 'repaired', 'overturned', 'stayed') and e.accepted_at < $1
       and not exists (select from view.disposition d where d.notice_id = n.notice_id)
       and not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || n.notice_id)
     order by n.position limit $2`,
    [before, limit],
  );
  return rows.map((row: Row) => ({
    noticeId: row.notice_id,
    member: row.member,
    endedAt: row.accepted_at.toISOString(),
  }));
}

/**
 * Reopenings that were issued after `after` and by `by` (RFC 3339), that still hold, and that their platform has answered nothing to;
 * the oldest first.
 */
export async function unansweredReopenings(
  db: Pool,
  idPrefix: string,
  { after, by }: { after: string; by: string },
  limit: number,
): Promise<{ noticeId: string; member: string }[]> {
  const { rows } = await db.query(
    `select n.notice_id, n.member from view.notice n join view.told t using (listing_id, member)
     where n.issued_at > $1 and n.issued_at <= $2 and n.action = 'reopen' and t.ended
       and not exists (select from view.disposition d where d.notice_id = n.notice_id)
       and not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || n.notice_id)
     order by n.issued_at, n.position limit $3`,
    [after, by, limit],
  );
  return rows.map((row: Row) => ({ noticeId: row.notice_id, member: row.member }));
}

/** A notice to a platform that hosts the merchant, and that it hasn't answered. */
export interface UnansweredNotice {
  noticeId: string;
  member: string;
  seq: number;
  /** RFC 3339. */
  respondBy: string;
}

const unanswered = (row: Row): UnansweredNotice => ({
  noticeId: row.notice_id,
  member: row.member,
  seq: Number(row.seq),
  respondBy: row.respond_by.toISOString(),
});

/**
 * Notices whose answer was due after `after` and by `by` (RFC 3339), that ask a platform which hosts the merchant for something still,
 * and that nothing has followed on; the longest due first.
 */
export async function overdueNotices(
  db: Pool,
  idPrefix: string,
  { after, by }: { after: string; by: string },
  limit: number,
): Promise<UnansweredNotice[]> {
  const { rows } = await db.query(
    `select n.notice_id, n.member, n.seq, n.respond_by
     from view.notice n join view.receiver r on r.member_id = n.member and r.status = 'active'
       join view.listing l using (listing_id)
     where n.respond_by > $1 and n.respond_by <= $2 and n.merchant_ids <> '[]'
       and (n.action = 'reopen' or (n.action not in ('lift', 'correct', 'mark') and l.stands))
       and not exists (select from view.disposition d where d.notice_id = n.notice_id)
       and not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || n.notice_id)
     order by n.respond_by, n.position limit $3`,
    [after, by, limit],
  );
  return rows.map(unanswered);
}

/** Of the notices that members were reminded of since (RFC 3339), those that nothing has followed on; reopenings have alarms of their own. */
export async function silentNotices(
  db: Pool,
  idPrefix: string,
  since: string,
  limit: number,
): Promise<UnansweredNotice[]> {
  const { rows } = await db.query(
    `select n.notice_id, n.member, n.seq, n.respond_by
     from view.audit a join log.entry e using (position)
       join view.notice n on n.notice_id = e.entry::jsonb #>> '{data,noticeId}' and n.member = a.member
     where a.type = '${EVENT_TYPES.noticeReminder}' and a.accepted_at > $1 and n.action not in ('reopen', 'mark')
       and not exists (select from view.disposition d where d.notice_id = n.notice_id)
       and not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || n.notice_id)
     order by a.position limit $2`,
    [since, limit],
  );
  return rows.map(unanswered);
}

/** Cases of one publisher, of one day in China, whose subjects are to be told; `version`: of its reminders, as far as they are folded. */
export interface UntoldCases {
  member: string;
  /** RFC 3339: when the first of them was told of. */
  since: string;
  caseIds: string[];
  version: number;
}

/**
 * Cases of active platforms that others were told of at once, after `after` and before `before` (RFC 3339), whose publisher hasn't said
 * that it told the subject, and wasn't reminded (rule P06): by publisher and day, at most `casesMax` of each. A subject who has
 * appealed knows.
 */
export async function subjectsToTell(
  db: Pool,
  { after, before }: { after: string; before: string },
  casesMax: number,
  limit: number,
): Promise<UntoldCases[]> {
  const { rows } = await db.query(
    `select l.source_member as member, min(l.effective_at) as since, (array_agg(l.source_event_id order by l.position))[1:$3] as cases,
       coalesce((select max(s.version) from log.entry s, log.reader r where r.name = 'notify'
         and s.stream = 'reminders/' || l.source_member and s.position <= r.position), -1) as version
     from view.listing l join view.receiver p on p.member_id = l.source_member and p.role = 'platform' and p.status = 'active'
     where l.told_at_once and l.subject_told is null and l.status = 'published' and l.tell_reminded_at is null
       and l.effective_at > $1 and l.effective_at < $2
     group by l.source_member, ${DAY_TOLD} order by min(l.position) limit $4`,
    [after, before, casesMax, limit],
  );
  return rows.map((row: Row) => ({
    member: row.member,
    since: row.since.toISOString(),
    caseIds: row.cases,
    version: Number(row.version),
  }));
}

const DAY_TOLD = `to_char(l.effective_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD')`;

/** By publisher and day, how many such cases have subjects who weren't told on that day, or nothing was said of it (rule P06). */
export async function subjectsNotTold(
  db: Pool,
  idPrefix: string,
  { after, before }: { after: string; before: string },
): Promise<{ member: string; day: string; cases: number }[]> {
  const { rows } = await db.query<{ member: string; day: string; cases: number }>(
    `select member, day, cases from (
       select l.source_member as member, ${DAY_TOLD} as day, count(*)::int as cases
       from view.listing l join view.receiver p on p.member_id = l.source_member and p.role = 'platform'
       where l.told_at_once and l.effective_at > $1 and l.effective_at < $2
         and (l.subject_told is null and l.status = 'published' or ${DAY_TOLD} < to_char(l.subject_told at time zone 'Asia/Shanghai', 'YYYY-MM-DD'))
       group by 1, 2) late
     where not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || member || ':' || day)
     order by day, member`,
    [after, before],
  );
  return rows;
}

/** The position of the newest disposition that is folded; -1 where there is none. */
export async function lastDisposition(db: Pool): Promise<number> {
  const { rows } = await db.query<{ last: string }>('select coalesce(max(position), -1) as last from view.disposition');
  return Number(rows[0]!.last);
}

/** Answers to notices after a position, oldest first: to which action, how long after the notice each was accepted, whether the first. */
export async function answersAfter(
  db: Pool,
  after: number,
  limit: number,
): Promise<{ position: number; action: string; seconds: number; first: boolean }[]> {
  const { rows } = await db.query(
    `select d.position, n.action, extract(epoch from d.accepted_at - n.issued_at)::float8 as seconds,
       not exists (select from view.disposition e where e.notice_id = d.notice_id and e.position < d.position) as first
     from view.disposition d join view.notice n using (notice_id) where d.position > $1 order by d.position limit $2`,
    [after, limit],
  );
  return rows.map((row: Row) => ({ ...row, position: Number(row.position) }));
}

/** Whether any listing rests on an official decision, by its key. */
export async function restsOnDecision(db: Pool, decision: string): Promise<boolean> {
  const { rows } = await db.query('select from view.listing where decision_no = $1 limit 1', [decision]);
  return rows.length > 0;
}

/** How many subjects are listed on an official decision, by its key, and not over. */
export async function listedOn(db: Pool, decision: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(distinct coalesce(entity_id, listing_id))::int as count from view.listing
     where decision_no = $1 and ended_at is null`,
    [decision],
  );
  return rows[0]?.count ?? 0;
}

/** Platforms' filings among these listings that an official removal ended. */
export async function overriddenFilings(
  client: ClientBase,
  listingIds: string[],
): Promise<{ listingId: string; caseId: string; stream: string; decision?: string }[]> {
  const { rows } = await prepared<Row>(
    client,
    `select l.listing_id, l.source_event_id, l.decision_no, e.stream
     from view.listing l join log.entry e on e.position = l.position
     where l.listing_id = any($1) and l.origin <> 'registry' and l.cause = 'removed' order by l.position`,
    [listingIds],
  );
  return rows.map((row: Row) => ({
    listingId: row.listing_id,
    caseId: row.source_event_id,
    stream: row.stream,
    ...(row.decision_no !== null && { decision: row.decision_no }),
  }));
}

/**
 * Active platforms whose impact assessment is over by `by` (RFC 3339), with a number that is that assessment's own; without those of
 * which an entry with this id says so already.
 */
export async function assessmentsOver(
  db: Pool,
  idPrefix: string,
  by: string,
): Promise<{ member: string; no: string }[]> {
  const { rows } = await db.query<{ member: string; no: string }>(
    `select member, no
     from (select member_id as member, member_id || ':' || (agreement ->> 'assessmentId') || ':' || (agreement ->> 'assessedUntil') as no
           from view.receiver where role = 'platform' and status = 'active' and agreement is not null
             and (agreement ->> 'assessedUntil')::timestamptz <= $1) over_by
     where not exists (select from log.event_id i where i.source = ${LEDGER} and i.id = '${idPrefix}' || no)
     order by member`,
    [by],
  );
  return rows;
}
