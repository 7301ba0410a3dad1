import {
  ERASED_NAME,
  noticeErasedEvent,
  noticeEvent,
  reminderEvent,
  screeningMatchedEvent,
  type CloudEvent,
  type ErasedNotices,
  type Notice,
  type NoticeErased,
  type NoticeIssued,
  type MatchedScreening,
  type NoticePlace,
  type Reminded,
  type CaseReminder,
  type NoticeReminder,
  type ScreeningMatched,
} from '@liandun/contracts';
import type { StoredEvent } from '@liandun/event-log';
import type { ClientBase, Pool } from 'pg';
import { erasedNotices } from './erasures.js';

const placeOf = ({ position, leafHash, acceptedAt }: StoredEvent): NoticePlace => ({
  position,
  leafHash: leafHash.toString('base64'),
  acceptedAt,
});

function noticeOf(entry: StoredEvent, erased: Set<string>): CloudEvent<Notice> {
  const { member: _receiver, ...issued } = entry.data as NoticeIssued;
  const { entity } = issued;
  const content = erased.has(issued.noticeId)
    ? { ...issued, entity: { ...entity, name: ERASED_NAME }, erased: true }
    : issued;
  return noticeEvent(content, placeOf(entry));
}

/** The notices that these entries of a member's stream carry, the same bytes on every channel; of an erased person without the name. */
export async function noticesIn(db: Pool | ClientBase, entries: StoredEvent[]): Promise<CloudEvent<Notice>[]> {
  const erased = await erasedNotices(
    db,
    entries.map(({ data }) => (data as NoticeIssued).noticeId),
  );
  return entries.map((entry) => noticeOf(entry, erased));
}

/** What an entry of a member's stream of erasures tells it. */
export const erasureIn = (member: string, entry: StoredEvent): CloudEvent<ErasedNotices> =>
  noticeErasedEvent(member, entry.data as NoticeErased, placeOf(entry));

/** What an entry of a member's stream of reminders tells it. */
export const reminderIn = (entry: StoredEvent): CloudEvent<NoticeReminder | CaseReminder> =>
  reminderEvent(entry.type, entry.data as Reminded, placeOf(entry));

/** What an entry about a member's inquiries tells it. */
export const matchIn = (member: string, entry: StoredEvent): CloudEvent<MatchedScreening> =>
  screeningMatchedEvent(member, entry.data as ScreeningMatched, placeOf(entry));
