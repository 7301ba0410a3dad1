// Notices as they are issued: folded and indexed in the transaction that has just appended them.
import { EVENT_TYPES } from '@liandun/contracts';
import { int4Array, prepared, textArray, type StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import { foldTold } from './notices.js';

/**
 * Folds notices that were appended together: they follow each other in the log, all are new, and each names the entity that its
 * listing is about now. So nothing is looked up or waited for, and nobody has to read them again. A rebuild folds the same from
 * their entries.
 */
export async function foldIssued(client: ClientBase, schema: string, issued: StoredEvent[]): Promise<void> {
  const [first] = issued;
  if (!first) return;
  const data = issued.map((event) => event.data);
  const members = textArray(data.map(({ member }) => member));
  const entities = textArray(data.map(({ entity }) => entity.entityId));
  await Promise.all([
    prepared(
      client,
      `insert into ${schema}.notice
         (notice_id, member, seq, action, listing_id, entity_id, merchant_ids, position, issued_at, respond_by)
       select id, member, seq, action, listing, entity, merchants::jsonb, $1::bigint + n - 1, $2::timestamptz, "by"::timestamptz
       from unnest($3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
         with ordinality as r (id, member, seq, action, listing, entity, merchants, "by", n)`,
      [
        first.position,
        first.acceptedAt,
        textArray(data.map(({ noticeId }) => noticeId)),
        members,
        int4Array(data.map(({ seq }) => seq)),
        textArray(data.map(({ action }) => action)),
        textArray(data.map(({ listingId }) => listingId)),
        entities,
        textArray(data.map(({ merchantIds }) => JSON.stringify(merchantIds))),
        textArray(data.map(({ respondBy }) => respondBy)),
      ],
    ),
    prepared(
      client,
      `insert into ${schema}.audit (position, member, type, entity_id, accepted_at)
       select $1::bigint + n - 1, member, '${EVENT_TYPES.noticeIssued}', entity, $2::timestamptz
       from unnest($3::text[], $4::text[]) with ordinality as r (member, entity, n)`,
      [first.position, first.acceptedAt, members, entities],
    ),
    foldTold(client, schema, issued),
  ]);
}
