import { EVENT_TYPES } from '@liandun/contracts';
import type { ReaderDefinition } from '@liandun/event-log';
import { followMembers, syncAccess, type AccessMember, type KafkaAdmin } from '@liandun/messaging';
import type { ClientBase, Pool } from 'pg';

const MEMBERSHIP = [
  EVENT_TYPES.memberAdmitted,
  EVENT_TYPES.memberSuspended,
  EVENT_TYPES.memberResumed,
  EVENT_TYPES.memberRemoved,
  EVENT_TYPES.memberKeyAdded,
  EVENT_TYPES.memberKeySuspended,
  EVENT_TYPES.memberKeyResumed,
  EVENT_TYPES.memberKeyRevoked,
];

/** The platforms and regulators: those that have topics now. */
export async function activeSenders(db: ClientBase | Pool): Promise<string[]> {
  const { rows } = await db.query<{ member_id: string }>(
    `select member_id from access.member where role <> 'admin' and status = 'active' order by member_id`,
  );
  return rows.map((row) => row.member_id);
}

/**
 * Brings Kafka's topics and rights to what membership says now, and says who may be relayed to and whose inbox is read.
 * Doing it again changes nothing.
 */
export async function applyMembership(pool: Pool, admin: KafkaAdmin, follow: Follow): Promise<void> {
  const { rows } = await pool.query<AccessMember>(
    `select m.member_id as "memberId", m.role, m.status, array(select k.kid from access.member_key k
       where k.member_id = m.member_id and k.status = 'live' order by k.kid) as kids
     from access.member m order by m.member_id`,
  );
  await syncAccess(admin, rows);
  const active = await activeSenders(pool);
  await followMembers(pool, active);
  follow(active);
}

export type Follow = (members: string[]) => void;

/** Whatever Kafka refuses now is tried until it succeeds: a suspension that was set aside would leave a door open. */
async function persistently(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    throw Object.assign(new Error(`membership could not be applied: ${String(error)}`, { cause: error }), {
      transient: true,
    });
  });
}

/**
 * Applies membership whenever it changes. Kafka is no part of the transaction: a crash in between only applies the same
 * state again.
 */
export const accessReader = (pool: Pool, admin: KafkaAdmin, follow: Follow): ReaderDefinition => ({
  name: 'access',
  batchMax: 500,
  types: MEMBERSHIP,
  handle: (_client, events) =>
    events.length === 0 ? Promise.resolve() : persistently(applyMembership(pool, admin, follow)),
});
