// What takes back, decided at once wherever the fold is: it never waits for what is told of delistings (rule P09).
import { EVENT_TYPES, type ListingOverridden } from '@liandun/contracts';
import { EventLog, type NewEvent, type StoredEvent } from '@liandun/event-log';
import { endedUntold, markedUntold, overriddenFilings, takenBackAt, type LinkedListing } from '@liandun/views';
import type { ClientBase } from 'pg';
import { outcomeEvent } from '../outcome.js';
import { CATCHING_UP, type Draft } from './draft.js';
import { endings, marks } from './listed.js';

/** One notice for each listing that the run ended, stayed or marked and each member that was told of it, or that can be told again. */
export async function restore(client: ClientBase, log: EventLog, run: StoredEvent[]): Promise<Draft[]> {
  const first = run[0];
  if (!first || first.type === EVENT_TYPES.merchantReported) return [];
  if (CATCHING_UP.has(first.type)) return missedEndings(client, run);
  const positions = run.map((event) => event.position);
  const { ended, marked } = await takenBackAt(client, positions);
  const byPosition = new Map(run.map((event) => [event.position, event]));
  const triggerAt = (position: number): StoredEvent => byPosition.get(position) ?? first;
  if (marked.length > 0) return marks(client, marked, (about) => triggerAt(about.markedAt));
  if (ended.length === 0) return [];
  const drafts = await endings(client, ended, (about) => triggerAt(about.endedAt));
  if (first.type === EVENT_TYPES.entityLinked) await override(client, log, ended, triggerAt);
  return drafts;
}

async function missedEndings(client: ClientBase, run: StoredEvent[]): Promise<Draft[]> {
  const drafts: Draft[] = [];
  for (const trigger of run) {
    const { memberId } = trigger.data as { memberId: string };
    const ended = (await endedUntold(client, memberId)).map((about) => ({ ...about, endedAt: trigger.position }));
    const back = await endings(client, ended, () => trigger);
    const marked = (await markedUntold(client, memberId)).map((about) => ({ ...about, markedAt: trigger.position }));
    back.push(...(await marks(client, marked, () => trigger)));
    drafts.push(...back.filter(({ intent }) => intent.memberId === memberId));
  }
  return drafts;
}

/** An official removal that ended platforms' filings is put where those platforms' further steps see it (rule P12). */
async function override(
  client: ClientBase,
  log: EventLog,
  ended: (LinkedListing & { endedAt: number })[],
  triggerAt: (position: number) => StoredEvent,
): Promise<void> {
  const removals = new Map(ended.map(({ listing, endedAt }) => [listing.listingId, endedAt]));
  const events = (await overriddenFilings(client, [...removals.keys()])).map(
    ({ listingId, caseId, stream, decision }): NewEvent => {
      const trigger = triggerAt(removals.get(listingId) as number);
      const data: ListingOverridden = {
        listingId,
        caseId,
        ...(decision !== undefined && { decisionNo: decision }),
        cause: 'removed',
        removal: (trigger.data as { observation: number }).observation,
      };
      const id = `notify:overridden:${listingId}`;
      return outcomeEvent(id, EVENT_TYPES.listingOverridden, {
        time: trigger.acceptedAt,
        stream: decision === undefined ? stream : `decision/${decision}`,
        data,
      });
    },
  );
  if (events.length > 0) await log.appendIn(client, [{ events }]);
}
