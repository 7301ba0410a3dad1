// What the matched reader asks of the folded ledger.
import type { MatchGrade } from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import type { ClientBase } from 'pg';

const OBSERVATIONS_MAX = 5_000;

/**
 * The observations of entities with a listing in force where the listing became due or moved at these positions, or that are
 * among the given ones.
 */
export async function listingsTouchedAt(
  client: ClientBase,
  positions: readonly number[],
  entityIds: readonly string[],
): Promise<number[]> {
  const { rows } = await prepared<{ position: string }>(
    client,
    `with touched as (
       select entity_id from view.listing where due_at = any($1) or moved_at = any($1)
       union select entity_id from view.listing where entity_id = any($2)),
     standing as (
       select entity_id from touched t where exists (select from view.listing l where l.entity_id = t.entity_id
         and l.stands and l.tier > 0 and l.expires_at > now()))
     select i.position from standing join identity.link i using (entity_id) order by i.position limit ${OBSERVATIONS_MAX}`,
    [positions, entityIds],
  );
  return rows.map(({ position }) => Number(position));
}

/** With which grade members were told of matches; by member, inquiry (hex) and listing, a space between. */
export async function toldMatches(
  client: ClientBase,
  asked: readonly { member: string; said: Buffer; match: { listingId: string } }[],
): Promise<Map<string, MatchGrade>> {
  const { rows } = await prepared<{ member: string; said: Buffer; listing_id: string; grade: MatchGrade }>(
    client,
    `select t.* from unnest($1::text[], $2::bytea[], $3::text[]) a (member, said, listing_id)
     join screening.told t using (member, said, listing_id)`,
    [asked.map(({ member }) => member), asked.map(({ said }) => said), asked.map(({ match }) => match.listingId)],
  );
  return new Map(rows.map((row) => [`${row.member} ${row.said.toString('hex')} ${row.listing_id}`, row.grade]));
}
