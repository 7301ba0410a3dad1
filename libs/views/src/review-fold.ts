import { EVENT_TYPES, type ReviewDecided } from '@liandun/contracts';
import { prepared, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';

const REVIEWS = new Set<string>([EVENT_TYPES.reviewDecided, EVENT_TYPES.reviewUndone]);

/** Whether an event says what persons decided of two observations, or that it holds no more. */
export const isReview = (event: Pick<StoredEvent, 'type'>): boolean => REVIEWS.has(event.type);

/**
 * Folds what persons decided into the matcher's decisions, in the order of the log; other events change nothing. `unsure` decides
 * nothing.
 * @returns the observations that are to be judged again
 */
export async function foldDecisions(
  client: ClientBase,
  schema: string,
  events: readonly StoredEvent[],
): Promise<number[]> {
  const again = new Set<number>();
  for (const event of events.filter(isReview)) {
    const { a, b, decision } = event.data as ReviewDecided;
    if (decision === 'unsure') continue;
    const holds = event.type === EVENT_TYPES.reviewDecided;
    await prepared(
      client,
      holds
        ? `insert into ${schema}.decision (a, b, decision) values ($1, $2, $3)
           on conflict (a, b) do update set decision = excluded.decision`
        : `delete from ${schema}.decision where a = $1 and b = $2 and decision = $3`,
      [a, b, decision],
    );
    for (const position of [a, b]) again.add(position);
  }
  return [...again];
}
