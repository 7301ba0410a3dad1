// What persons decided of observations that may be the same.
import type { ReviewDecided, ReviewUndone } from '@liandun/contracts';
import { prepared, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import type { FoldRun } from './run.js';

/** A decision of a person, where the two observations stand now. */
async function noteReview(client: ClientBase, schema: string, event: StoredEvent): Promise<void> {
  const { a, b } = event.data as ReviewDecided;
  await prepared(
    client,
    `insert into ${schema}.step (observation, position, entity_id)
     select position, $1, entity_id from ${schema}.observation where position in ($2, $3) and entity_id is not null`,
    [event.position, a, b],
  );
}

/** Accounts of the two observations' entities are looked at again: what was told of the one may not concern the other. */
async function touchAccounts(client: ClientBase, schema: string, event: StoredEvent): Promise<void> {
  const { a, b } = event.data as ReviewDecided;
  await prepared(
    client,
    `update ${schema}.hosting h set linked_at = $1
     from ${schema}.observation a join ${schema}.observation b on b.position = $3 and b.entity_id <> a.entity_id
     where a.position = $2 and h.entity_id in (a.entity_id, b.entity_id)`,
    [event.position, a, b],
  );
}

/**
 * Two that are different are nothing possible to each other any more. Of two that are the same the merge says so that
 * follows, of two that nobody is sure of nothing changes.
 */
export const reviewed: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { a, b, decision } = event.data as ReviewDecided;
    await noteReview(client, schema, event);
    if (decision !== 'different') continue;
    await prepared(
      client,
      `insert into ${schema}.parted (observation, other) values ($1::bigint, $2::bigint), ($2, $1) on conflict do nothing`,
      [a, b],
    );
    await touchAccounts(client, schema, event);
  }
};

export const reviewUndone: FoldRun = async (client, schema, events) => {
  for (const event of events) {
    const { a, b, decision } = event.data as ReviewUndone;
    await noteReview(client, schema, event);
    if (decision !== 'different') continue;
    await prepared(
      client,
      `delete from ${schema}.parted where (observation, other) in (($1::bigint, $2::bigint), ($2, $1))`,
      [a, b],
    );
    await touchAccounts(client, schema, event);
  }
};
