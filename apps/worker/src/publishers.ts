// Lowers publishers whose listings are too often wrong, and restores them (rule P19).
import { EVENT_TYPES, type PublisherJudged } from '@liandun/contracts';
import { isLowered, publisherFigures, PUBLISHER_RULES } from '@liandun/domain';
import { EventLog, type ReaderDefinition } from '@liandun/event-log';
import { figuresOfPublishers, publishersToJudge } from '@liandun/views';
import { viewReached } from './matched.js';
import { ALL_BUT_NOTICES } from './notify.js';
import { outcomeEvent } from './outcome.js';

/**
 * The reader behind the notices that judges, at each event, whose listings it ended and who is lowered. What it finds is an outcome
 * in the log, and from there on the publisher's findings are folded a tier lower: a rebuild does the same.
 */
export const publishersReader = (log: EventLog): ReaderDefinition => ({
  name: 'publishers',
  batchMax: 500,
  types: ALL_BUT_NOTICES,
  patienceMs: 25,
  async handle(client, events) {
    const last = events.at(-1);
    if (!last) return;
    await viewReached(client, last.position);
    const judged = await publishersToJudge(
      client,
      events.map(({ position }) => position),
    );
    if (judged.size === 0) return;
    const figures = await figuresOfPublishers(client, last.acceptedAt, [...judged.keys()]);
    for (const [memberId, lowered] of judged) {
      const found = figures.get(memberId) ?? publisherFigures(0, []);
      if (isLowered(found) === lowered) continue;
      const data: PublisherJudged = { memberId, ...found, rules: PUBLISHER_RULES.version, at: last.acceptedAt };
      const id = `publisher:${lowered ? 'restored' : 'lowered'}:${memberId}:${last.position}`;
      const type = lowered ? EVENT_TYPES.publisherRestored : EVENT_TYPES.publisherLowered;
      await log.appendIn(client, [
        { events: [outcomeEvent(id, type, { time: last.acceptedAt, stream: `publisher/${memberId}`, data })] },
      ]);
    }
  },
});
