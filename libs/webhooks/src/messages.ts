import { randomUUID } from 'node:crypto';
import { LEDGER_SOURCE, toBeijingTime, type NoticeErased, type Reminded } from '@liandun/contracts';
import { readStream } from '@liandun/event-log';
import { erasureIn, matchIn, noticesIn, reminderIn } from '@liandun/views';
import type { Pool } from 'pg';

/** What a member is told, each kind in a stream of its own. */
export const KINDS = {
  notice: { stream: 'notices', cursor: 'next_notice' },
  erased: { stream: 'erased', cursor: 'next_erased' },
  reminder: { stream: 'reminders', cursor: 'next_reminder' },
  matched: { stream: 'matched', cursor: 'next_matched' },
} as const;
export type Kind = keyof typeof KINDS;

export type Cursors = Record<(typeof KINDS)[Kind]['cursor'], number>;

/** One message to a member. */
export interface Message {
  kind: Kind;
  /** Its number in its stream. */
  seq: number;
  /** The same for every attempt. */
  webhookId: string;
  body: string;
}

export const WEBHOOK_TEST_TYPE = 'liandun.webhook.test.v1';

/** A point would end the id in what is signed, so there is none in it. */
const webhookIdOf = (eventId: string): string => eventId.replaceAll('.', '_');

const messageOf = (kind: Kind, seq: number, event: { id: string }): Message => ({
  kind,
  seq,
  webhookId: webhookIdOf(event.id),
  body: JSON.stringify(event),
});

/** A member's ids of notices end in their seq. */
const lastSeq = (noticeIds: string[]): number => Number(noticeIds.at(-1)?.split('.').at(-1) ?? -1);

/**
 * The message that a member is to get next; undefined where it has had all. Notices come in the order of `seq`; what is said about
 * notices comes once the member has had those, and then at once.
 */
export async function nextMessage(pool: Pool, member: string, cursors: Cursors): Promise<Message | undefined> {
  const next = async (kind: Kind) =>
    (
      await readStream(pool, `${KINDS[kind].stream}/${member}`, { after: cursors[KINDS[kind].cursor] - 1, limit: 1 })
    )[0];
  const [erasure, reminder, match, notice] = await Promise.all(
    (['erased', 'reminder', 'matched', 'notice'] as const).map(next),
  );
  if (erasure && lastSeq((erasure.data as NoticeErased).noticeIds) < cursors.next_notice)
    return messageOf('erased', erasure.version, erasureIn(member, erasure));
  const reminded = reminder?.data as Reminded | undefined;
  if (reminder && reminded && (!('seq' in reminded) || reminded.seq < cursors.next_notice))
    return messageOf('reminder', reminder.version, reminderIn(reminder));
  if (match) return messageOf('matched', match.version, matchIn(member, match));
  if (!notice) return undefined;
  const [event] = await noticesIn(pool, [notice]);
  return event && messageOf('notice', notice.version, event);
}

/** A message that says nothing but that webhooks arrive. */
export function testMessage(member: string, testId: string, now: Date): { webhookId: string; body: string } {
  const id = `${member}.test.${testId}`;
  const event = {
    specversion: '1.0',
    id,
    source: LEDGER_SOURCE,
    type: WEBHOOK_TEST_TYPE,
    time: toBeijingTime(now),
    datacontenttype: 'application/json',
    data: { testId },
  };
  return { webhookId: webhookIdOf(id), body: JSON.stringify(event) };
}

export const newTestId = (): string => randomUUID();
