// What is held about one subject, asked in his name: the walls show him his own rows, the conditions below say which he asks for.
import { EVENT_TYPES, reasonAsListed, type ReasonCode } from '@liandun/contracts';
import type { ClientBase, Pool } from 'pg';
import { reasonAsListedSql } from './reason-codes.js';

// oxlint-disable-next-line typescript/no-explicit-any
type Row = any;

/** An entry of the log about a subject. */
export interface SubjectEntry {
  position: number;
  id: string;
  source: string;
  type: string;
  stream: string;
  acceptedAt: string;
  leafHash: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- entries of every released version
  data: any;
}

const entryOf = (row: Row): SubjectEntry => {
  const { id, source, type, stream, acceptedAt, data } = JSON.parse(row.entry);
  return {
    position: Number(row.position),
    id,
    source,
    type,
    stream,
    acceptedAt,
    leafHash: row.leaf_hash.toString('base64'),
    data,
  };
};

/** Every entry about these entities that their subject may see, in the order of the log. */
export async function entriesOfSubject(db: ClientBase, entities: readonly string[]): Promise<SubjectEntry[]> {
  const { rows } = await db.query(
    `select e.position, e.entry, e.leaf_hash from (select distinct position from view.audit where entity_id = any($1)) a
     join log.entry e using (position) order by e.position`,
    [entities],
  );
  return rows.map(entryOf);
}

/** A listing of a subject as it stands. */
export interface SubjectListing {
  listingId: string;
  position: number;
  caseId: string;
  publisher: string;
  origin: string;
  /** As the version of the table has it that it was made under. */
  reason: ReasonCode;
  tier: number;
  status: string;
  since: Date;
  until: Date;
  heldUntil?: Date;
  hold?: object;
  /** Others were told of it before its subject was. */
  toldAtOnce: boolean;
  /** When its subject was told, as its publisher says. */
  notifiedAt?: Date;
  cause?: string;
  endedAt?: number;
}

const listingOf = (row: Row): SubjectListing => ({
  listingId: row.listing_id,
  position: Number(row.position),
  caseId: row.source_event_id,
  publisher: row.source_member,
  origin: row.origin,
  reason: reasonAsListed(row.code, row.reason),
  tier: row.tier,
  status: row.status,
  since: row.effective_at,
  until: row.expires_at,
  ...(row.status === 'held' && row.held_until !== null && { heldUntil: row.held_until }),
  ...(row.hold !== null && { hold: row.hold }),
  toldAtOnce: row.told_at_once,
  ...(row.subject_told !== null && { notifiedAt: row.subject_told }),
  ...(row.cause !== null && { cause: row.cause }),
  ...(row.ended_at !== null && { endedAt: Number(row.ended_at) }),
});

/** The listings of these entities, the newest first. */
export async function listingsOfSubject(db: ClientBase, entities: readonly string[]): Promise<SubjectListing[]> {
  const { rows } = await db.query(
    `select l.*, ${reasonAsListedSql('l')} as reason from view.listing l where entity_id = any($1) order by position desc`,
    [entities],
  );
  return rows.map(listingOf);
}

/** One listing by its id, if the caller may see it. */
export async function listingById(db: ClientBase, listingId: string): Promise<SubjectListing | undefined> {
  const { rows } = await db.query(
    `select l.*, ${reasonAsListedSql('l')} as reason from view.listing l where listing_id = $1`,
    [listingId],
  );
  return rows[0] && listingOf(rows[0]);
}

/** A member's own case by the CloudEvents id of its filing. */
export async function caseOfMember(
  db: ClientBase,
  member: string,
  caseId: string,
): Promise<SubjectListing | undefined> {
  const { rows } = await db.query(
    `select l.*, ${reasonAsListedSql('l')} as reason from view.listing l where source_member = $1 and source_event_id = $2`,
    [member, caseId],
  );
  return rows[0] && listingOf(rows[0]);
}

/** One entry by its position, if the caller may see it. */
export async function entryAt(db: ClientBase, position: number): Promise<SubjectEntry | undefined> {
  const { rows } = await db.query('select position, entry, leaf_hash from log.entry where position = $1', [position]);
  return rows[0] && entryOf(rows[0]);
}

/** What subjects said of entries, after a position: of one member's entries, or of all that the caller may see. */
export async function statementsAfter(
  db: ClientBase,
  { member, about, after, limit }: { member?: string; about?: number; after: number; limit: number },
): Promise<SubjectEntry[]> {
  const { rows } = await db.query(
    `select e.position, e.entry, e.leaf_hash
     from (select distinct position from view.audit where type = '${EVENT_TYPES.subjectStated}' and position > $1
       and ($2::text is null or member = $2) and ($3::bigint is null or about = $3) order by position limit $4) a
     join log.entry e using (position) order by e.position`,
    [after, member ?? null, about ?? null, limit],
  );
  return rows.map(entryOf);
}

/** The names of members, whoever asks: for a subject, who is told who published and who heard. */
export async function memberNames(door: Pool, memberIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await door.query<{ member_id: string; name: string }>(
    'select member_id, name from access.member where member_id = any($1)',
    [memberIds],
  );
  return new Map(rows.map((row) => [row.member_id, row.name]));
}

/** What the log says of screenings: who asked, when and for what. */
export async function screeningsMade(
  door: Pool,
  screeningIds: readonly string[],
): Promise<
  { position: number; screeningId: string; member: string; askedAt: string; purpose: string; result: string }[]
> {
  const { rows } = await door.query(
    `select e.position, e.entry from log.event_id i join log.entry e using (position)
     where i.source = 'urn:liandun:ledger' and i.id = any($1) and e.type = '${EVENT_TYPES.screeningMade}' order by e.position`,
    [screeningIds.map((id) => `screening:${id}`)],
  );
  return rows.map((row: Row) => {
    const { stream, acceptedAt, data } = JSON.parse(row.entry);
    const { screeningId, purpose, result } = data;
    return {
      position: Number(row.position),
      screeningId,
      member: stream.slice('screenings/'.length),
      askedAt: acceptedAt,
      purpose,
      result,
    };
  });
}
