import {
  noticeErasedEvent,
  noticeEvent,
  reminderEvent,
  screeningMatchedEvent,
  type NoticeErased,
  type NoticeIssued,
  type Reminded,
  type ScreeningMatched,
} from '@liandun/contracts';
import type { Pool } from 'pg';
import type { OutgoingBatch, OutgoingRecord } from './sender.js';
import { noticesTopic } from './topics.js';

/** Notices of one member that follow each other, ready to be sent. */
export interface MemberBatch extends OutgoingBatch {
  member: string;
  /** The `seq` after the last of them. */
  nextSeq: number;
}

interface Row {
  member: string;
  position: string;
  version: number;
  entry: string;
  leaf_hash: Buffer;
}

// One produce request: at most this many members, records of each, and bytes. The broker takes 1 MB per topic.
const MEMBERS_MAX = 200;
const RECORDS_PER_MEMBER_MAX = 50;
const BYTES_PER_MEMBER_MAX = 500_000;
const BYTES_MAX = 4_000_000;
// Each names up to 500 notices.
const ERASED_PER_MEMBER_MAX = 10;

// Members that waited longest come first, so that none starves where more have a backlog than one request takes.
const READ = `
  SELECT c.member, e.position, e.version, e.entry, e.leaf_hash
  FROM (
    SELECT c.member, greatest(c.next_seq, ahead.next_seq) next_seq
    FROM relay.cursor c LEFT JOIN unnest($1::text[], $2::bigint[]) ahead (member, next_seq) USING (member)
    WHERE c.member <> ALL ($3::text[]) AND ($4::text IS NULL OR c.member = $4)
      AND EXISTS (SELECT FROM log.entry e WHERE e.stream = 'notices/' || c.member
                  AND e.version = greatest(c.next_seq, ahead.next_seq))
    ORDER BY c.moved_at LIMIT ${MEMBERS_MAX}
  ) c
  CROSS JOIN LATERAL (
    SELECT position, version, entry, leaf_hash FROM log.entry
    WHERE stream = 'notices/' || c.member AND version >= c.next_seq ORDER BY version LIMIT ${RECORDS_PER_MEMBER_MAX}
  ) e`;

/** What to read: where the cursors will be once what is under way is saved, whom to leave out, or whom alone to take. */
export interface BacklogQuery {
  ahead: ReadonlyMap<string, number>;
  without: readonly string[];
  only?: string;
}

/** The next notices of every member that has any, each member's in the order of `seq` without a gap. */
export async function readBacklog(pool: Pool, { ahead, without, only }: BacklogQuery): Promise<MemberBatch[]> {
  const { rows } = await pool.query<Row>({
    name: 'relay.backlog',
    text: READ,
    values: [[...ahead.keys()], [...ahead.values()], without, only ?? null],
  });
  const batches = new Map<string, MemberBatch & { bytes: number }>();
  let bytes = 0;
  for (const row of rows) {
    if (bytes > BYTES_MAX && !batches.has(row.member)) continue;
    const batch = batches.get(row.member) ?? newBatch(row);
    batches.set(row.member, batch);
    // Once one was left out for its size, those behind it must wait as well.
    if (batch.nextSeq !== row.version || batch.bytes > BYTES_PER_MEMBER_MAX) continue;
    batch.records.push(recordOf(row));
    batch.nextSeq = row.version + 1;
    batch.bytes += row.entry.length;
    bytes += row.entry.length;
  }
  return [...batches.values()];
}

/** Follows these members from now on: their notices from the first on are relayed to their topics, which must exist. */
export async function followMembers(pool: Pool, members: readonly string[]): Promise<void> {
  await pool.query('INSERT INTO relay.cursor (member) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [members]);
}

/** Moves the cursors behind what Kafka has acknowledged. They never go back, whoever comes late. */
export async function moveCursors(pool: Pool, batches: readonly MemberBatch[]): Promise<void> {
  await pool.query({
    name: 'relay.move',
    text: `UPDATE relay.cursor c SET next_seq = v.next_seq, moved_at = now()
           FROM unnest($1::text[], $2::bigint[]) v (member, next_seq)
           WHERE c.member = v.member AND c.next_seq < v.next_seq`,
    values: [batches.map(({ member }) => member), batches.map(({ nextSeq }) => nextSeq)],
  });
}

/** How many notices of each member are in the log and not yet acknowledged by Kafka. */
export async function relayLag(pool: Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ member: string; lag: string }>(
    `SELECT c.member, s.version + 1 - c.next_seq lag
     FROM relay.cursor c JOIN log.stream s ON s.stream = 'notices/' || c.member WHERE s.version >= c.next_seq`,
  );
  return new Map(rows.map(({ member, lag }) => [member, Number(lag)]));
}

/**
 * How many notices wait for Kafka. One member counts for no more than its double share of `max`, so that one whose topic is broken
 * makes nobody else wait.
 */
export async function unsentNotices(pool: Pool, max: number): Promise<number> {
  const { rows } = await pool.query<{ unsent: string }>({
    name: 'relay.unsent',
    text: `SELECT coalesce(sum(least(lag, ceil(2.0 * $1 / (members + 1)))), 0) unsent FROM (
        SELECT greatest(s.version + 1 - c.next_seq, 0) lag, count(*) OVER () members
        FROM relay.cursor c LEFT JOIN log.stream s ON s.stream = 'notices/' || c.member) each`,
    values: [max],
  });
  return Number(rows[0]?.unsent ?? 0);
}

const newBatch = ({ member, version }: Row) => ({
  member,
  topic: noticesTopic(member),
  records: [],
  nextSeq: version,
  bytes: 0,
});

const HEADERS = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };

function recordOf({ position, entry, leaf_hash }: Row): OutgoingRecord {
  const { acceptedAt, data } = JSON.parse(entry) as { acceptedAt: string; data: NoticeIssued };
  const { member: _receiver, ...content } = data;
  const placed = { position: Number(position), leafHash: leaf_hash.toString('base64'), acceptedAt };
  return { key: content.listingId, value: JSON.stringify(noticeEvent(content, placed)), headers: HEADERS };
}

/** What one member is told about erased persons, ready to be sent. */
export interface ErasedBatch extends OutgoingBatch {
  member: string;
  /** The `no` after the last of them. */
  nextNo: number;
}

/** The last of the notices that it names: a member's ids end in their `seq`. */
const lastSeqIn = ({ member, noticeIds }: NoticeErased): number =>
  Number(noticeIds.at(-1)?.slice(member.length + 1) ?? -1);

/** What every member is yet to be told about erased persons; never before Kafka has the notices that it names. */
export async function readErased(pool: Pool): Promise<ErasedBatch[]> {
  const { rows } = await pool.query<Row & { next_seq: string }>({
    name: 'relay.erased',
    text: `SELECT c.member, c.next_seq, e.position, e.version, e.entry, e.leaf_hash
      FROM (SELECT c.* FROM relay.cursor c JOIN log.stream s ON s.stream = 'erased/' || c.member
            WHERE s.version >= c.next_erased LIMIT ${MEMBERS_MAX}) c
      CROSS JOIN LATERAL (
        SELECT position, version, entry, leaf_hash FROM log.entry
        WHERE stream = 'erased/' || c.member AND version >= c.next_erased ORDER BY version LIMIT ${ERASED_PER_MEMBER_MAX}
      ) e`,
  });
  const batches = new Map<string, ErasedBatch>();
  const waiting = new Set<string>();
  for (const { member, next_seq, position, version, entry, leaf_hash } of rows) {
    const { acceptedAt, data } = JSON.parse(entry) as { acceptedAt: string; data: NoticeErased };
    if (lastSeqIn(data) >= Number(next_seq)) waiting.add(member);
    if (waiting.has(member)) continue;
    const batch = batches.get(member) ?? { member, topic: noticesTopic(member), records: [], nextNo: version };
    batches.set(member, batch);
    const placed = { position: Number(position), leafHash: leaf_hash.toString('base64'), acceptedAt };
    batch.records.push({ value: JSON.stringify(noticeErasedEvent(member, data, placed)), headers: HEADERS });
    batch.nextNo = version + 1;
  }
  return [...batches.values()];
}

/** Moves the cursor behind what Kafka has acknowledged; it never goes back. */
export async function moveErased(pool: Pool, { member, nextNo }: ErasedBatch): Promise<void> {
  const sql = 'UPDATE relay.cursor SET next_erased = $2 WHERE member = $1 AND next_erased < $2';
  await pool.query(sql, [member, nextNo]);
}

const MATCHED_PER_MEMBER_MAX = 50;

/** What one member is told about its inquiries, ready to be sent. */
export interface MatchedBatch extends OutgoingBatch {
  member: string;
  /** The `no` after the last of them. */
  nextNo: number;
}

/** What every member is yet to be told about later listings that match its inquiries, in the order of `no`. */
export async function readMatched(pool: Pool): Promise<MatchedBatch[]> {
  const { rows } = await pool.query<Row>({
    name: 'relay.matched',
    text: `SELECT c.member, e.position, e.version, e.entry, e.leaf_hash
      FROM (SELECT c.* FROM relay.cursor c JOIN log.stream s ON s.stream = 'matched/' || c.member
            WHERE s.version >= c.next_matched LIMIT ${MEMBERS_MAX}) c
      CROSS JOIN LATERAL (
        SELECT position, version, entry, leaf_hash FROM log.entry
        WHERE stream = 'matched/' || c.member AND version >= c.next_matched ORDER BY version LIMIT ${MATCHED_PER_MEMBER_MAX}
      ) e`,
  });
  return [...Map.groupBy(rows, ({ member }) => member)].map(([member, own]) => ({
    member,
    topic: noticesTopic(member),
    records: own.map(({ position, entry, leaf_hash }): OutgoingRecord => {
      const { acceptedAt, data } = JSON.parse(entry) as { acceptedAt: string; data: ScreeningMatched };
      const placed = { position: Number(position), leafHash: leaf_hash.toString('base64'), acceptedAt };
      return { value: JSON.stringify(screeningMatchedEvent(member, data, placed)), headers: HEADERS };
    }),
    nextNo: Math.max(...own.map(({ version }) => version)) + 1,
  }));
}

/** Moves the cursor behind what Kafka has acknowledged; it never goes back. */
export async function moveMatched(pool: Pool, { member, nextNo }: MatchedBatch): Promise<void> {
  const sql = 'UPDATE relay.cursor SET next_matched = $2 WHERE member = $1 AND next_matched < $2';
  await pool.query(sql, [member, nextNo]);
}

/** What every member is yet to be reminded of; never before Kafka has the notice itself. */
export async function readReminders(pool: Pool): Promise<ErasedBatch[]> {
  const { rows } = await pool.query<Row & { next_seq: string }>({
    name: 'relay.reminders',
    text: `SELECT c.member, c.next_seq, e.position, e.version, e.entry, e.leaf_hash
      FROM (SELECT c.* FROM relay.cursor c JOIN log.stream s ON s.stream = 'reminders/' || c.member
            WHERE s.version >= c.next_reminder LIMIT ${MEMBERS_MAX}) c
      CROSS JOIN LATERAL (
        SELECT position, version, entry, leaf_hash FROM log.entry e
        WHERE stream = 'reminders/' || c.member AND version >= c.next_reminder
        ORDER BY version LIMIT ${MATCHED_PER_MEMBER_MAX}
      ) e`,
  });
  const batches = new Map<string, ErasedBatch>();
  const waiting = new Set<string>();
  for (const { member, next_seq, position, version, entry, leaf_hash } of rows) {
    const { acceptedAt, type, data } = JSON.parse(entry) as { acceptedAt: string; type: string; data: Reminded };
    if ('seq' in data && data.seq >= Number(next_seq)) waiting.add(member);
    if (waiting.has(member)) continue;
    const batch = batches.get(member) ?? { member, topic: noticesTopic(member), records: [], nextNo: version };
    batches.set(member, batch);
    const placed = { position: Number(position), leafHash: leaf_hash.toString('base64'), acceptedAt };
    batch.records.push({ value: JSON.stringify(reminderEvent(type, data, placed)), headers: HEADERS });
    batch.nextNo = version + 1;
  }
  return [...batches.values()];
}

/** Moves the cursor behind what Kafka has acknowledged; it never goes back. */
export async function moveReminders(pool: Pool, { member, nextNo }: ErasedBatch): Promise<void> {
  const sql = 'UPDATE relay.cursor SET next_reminder = $2 WHERE member = $1 AND next_reminder < $2';
  await pool.query(sql, [member, nextNo]);
}
