// Tells members which of their notices name a person who was erased (个人信息保护法 第47条).
import { EVENT_TYPES, NOTICES_PER_ERASED_MAX, type NoticeErased, type SubjectErased } from '@liandun/contracts';
import { EventLog, type NewEvent, type StoredEvent } from '@liandun/event-log';
import { foldRun, lastErasedNos, noticesToErase } from '@liandun/views';
import type { ClientBase } from 'pg';
import { outcomeEvent } from './outcome.js';

function eventsOf(trigger: StoredEvent, notices: Map<string, string[]>, last: Map<string, number>): NewEvent[] {
  return [...notices].flatMap(([member, noticeIds]) => {
    const first = (last.get(member) ?? -1) + 1;
    const parts = Math.ceil(noticeIds.length / NOTICES_PER_ERASED_MAX);
    return Array.from({ length: parts }, (_, n): NewEvent => {
      const from = n * NOTICES_PER_ERASED_MAX;
      const id = `notify:${trigger.position}:erased:${member}:${n}`;
      const data: NoticeErased = {
        member,
        no: first + n,
        noticeIds: noticeIds.slice(from, from + NOTICES_PER_ERASED_MAX),
      };
      return outcomeEvent(id, EVENT_TYPES.noticeErased, {
        time: trigger.acceptedAt,
        stream: `erased/${member}`,
        data,
      });
    });
  });
}

/**
 * Appends a `notice.erased` to exactly the members that hold notices about persons of whom nothing is left after these
 * erasures, suspended ones too: it says nothing but which of their own notices it is about. Folded at once, so that a
 * second erasure of the person tells nobody again.
 */
export async function tellErased(client: ClientBase, log: EventLog, erasures: StoredEvent[]): Promise<void> {
  for (const erasure of erasures) {
    const notices = await noticesToErase(client, (erasure.data as SubjectErased).positions);
    if (notices.size === 0) continue;
    const events = eventsOf(erasure, notices, await lastErasedNos(client, [...notices.keys()]));
    const [outcome] = await log.appendIn(client, [{ events }]);
    if (outcome?.status !== 'appended') throw new Error(`members could not be told: ${outcome?.status ?? 'none'}`);
    await foldRun(client, 'view', events as unknown as StoredEvent[]);
  }
}
