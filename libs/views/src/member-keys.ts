import type { MemberKey } from '@liandun/contracts';
import type pg from 'pg';

/** A key that a member has or had. */
export interface MemberKeyRow {
  key: MemberKey;
  status: 'live' | 'suspended' | 'revoked';
  addedAt: Date;
  /** When its status became what it is. */
  since: Date;
  /** Who asked that it be revoked and awaits a second administrator; oldest first. */
  requests: { approvalId: string; requestedBy: string; requestedAt: string; emergency: boolean }[];
}

/**
 * All keys that a member has or had, oldest first; none where there is no such member: each was admitted with one. The walls show
 * a member its own, and administrators alone what is asked for.
 */
export async function keysOfMember(db: pg.ClientBase, memberId: string): Promise<MemberKeyRow[]> {
  const { rows } = await db.query<MemberKeyRow>(
    `select k.jwk as key, k.status, k.added_at as "addedAt", k.since, coalesce((
       select jsonb_agg(jsonb_build_object('approvalId', a.approval_id, 'requestedBy', a.requested_by,
                'requestedAt', a.requested_at, 'emergency', coalesce((a.change ->> 'emergency')::boolean, false))
                order by a.requested_at, a.approval_id)
       from access.approval a
       where a.change ->> 'memberId' = k.member_id and a.status = 'pending'
         and a.change ->> 'action' = 'revokeKey' and a.change ->> 'kid' = k.kid), '[]') as requests
     from access.member_key k where k.member_id = $1 order by k.added_at, k.kid`,
    [memberId],
  );
  return rows;
}
