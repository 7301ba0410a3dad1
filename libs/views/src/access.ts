// Who may do what now: folded inline, in the append's own transaction, because a suspension must stop the next call.
import {
  EVENT_TYPES,
  type Agreement,
  type ApprovalDecided,
  type ApprovalRequested,
  type ApprovedChange,
  type MemberAdmitted,
  type MemberAgreementChanged,
  type MemberKey,
  type MemberKeyAdded,
  type MemberKeyChanged,
  type MemberLimits,
  type MemberLimitsChanged,
  type MemberRole,
  type MemberSignaturesChanged,
  type MemberSubscriptionChanged,
  type ReasonCodesChanged,
  type ReviewDecided,
  type ReviewUndone,
  type SignaturePolicy,
  type Subscription,
} from '@liandun/contracts';
import { CALLER, CALLERS_ROLE, tellAccessEnded, wall, type Projection, type StoredEvent } from '@liandun/event-log';
import type pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CompleteEntries1763800400000 } from './complete-entries.js';
import { CreateIdentifications1763900200000 } from './identifications.js';
import { reviewsDdl, saveReview } from './review-decisions.js';
import { reasonCodesDdl, saveReasonCodes } from './reason-codes.js';
import { CreateTwoPersonRule1763800150000, twoPersonsDdl } from './two-persons.js';

type FoldedEvent = Pick<StoredEvent, 'position' | 'type' | 'acceptedAt' | 'data'>;

/** A pool, or a connection that reads in a caller's name. */
type Queryable = pg.Pool | pg.ClientBase;

/** The name under which events carry an AccessRow to `accessRider`. */
export const ACCESS_RIDER = 'access';

/** What the rider needs of an event: the entry is not stored yet when it runs. */
export interface AccessRow {
  type: string;
  data: object;
}

/** Who is who is the regulators' matter: no administrator sees whom they look at (rule P18). */
const NOT_OF_REVIEWS = `change ->> 'action' not in ('decideReview', 'undoReview')`;

const accessDdl = (schema: string): string => `
create schema ${schema};
create table ${schema}.member (
  member_id text primary key,
  name text not null,
  role text not null check (role in ('platform', 'regulator', 'admin')),
  status text not null check (status in ('active', 'suspended', 'removed')),
  subscription jsonb not null,
  signatures text not null default 'optional' check (signatures in ('optional', 'required')),
  joined_position bigint not null unique,
  -- What its disclosures rest on; null: it is told nothing (rule P16).
  agreement jsonb,
  -- Without them whatever the member files waits for a second person (rule P21).
  limits jsonb
);
create table ${schema}.member_key (
  member_id text not null references ${schema}.member,
  kid text not null,
  jwk jsonb not null,
  status text not null check (status in ('live', 'suspended', 'revoked')),
  added_at timestamptz not null,
  -- When the status became what it is.
  since timestamptz not null,
  primary key (member_id, kid)
);
create table ${schema}.approval (
  approval_id text primary key,
  change jsonb not null,
  requested_by text not null,
  status text not null check (status in ('pending', 'granted', 'refused')),
  decided_by text,
  requested_at timestamptz not null,
  decided_at timestamptz,
  -- Of a review: the second person.
  reviewer text,
  -- Two persons (rule P20), also where the code above should fail.
  check (decided_by <> requested_by),
  check ((status = 'pending') = (decided_by is null)),
  check ((status = 'pending') = (decided_at is null))
);
create index on ${schema}.approval (requested_at);
create index on ${schema}.approval ((change ->> 'memberId'));
create index on ${schema}.approval ((change ->> 'reviewId')) where status = 'pending';
create index on ${schema}.approval (requested_at) where status = 'pending' and change ->> 'action' = 'changeReasonCodes';
${reviewsDdl(schema)}
${reasonCodesDdl(schema)}
${twoPersonsDdl(schema)}
grant usage on schema ${schema} to liandun_worker, liandun_door, liandun_api;
grant select, insert, update on all tables in schema ${schema} to liandun_worker, liandun_door;
grant select on all tables in schema ${schema} to liandun_api;
${wall(`${schema}.member`, `${CALLERS_ROLE} = 'admin' or member_id = ${CALLER}`)}
${wall(`${schema}.member_key`, `${CALLERS_ROLE} = 'admin' or member_id = ${CALLER}`)}
${wall(
  `${schema}.approval`,
  `requested_by = ${CALLER} or (${CALLERS_ROLE} = 'admin' and ${NOT_OF_REVIEWS})
   or (${CALLERS_ROLE} = 'regulator' and change ->> 'action' in ('erase', 'decideReview', 'undoReview', 'changeReasonCodes'))`,
)}
${wall(`${schema}.review`, `${CALLERS_ROLE} = 'regulator'`)}
`;

type Fold = (client: pg.ClientBase, schema: string, event: FoldedEvent) => Promise<unknown>;

const setStatus =
  (status: 'active' | 'suspended' | 'removed'): Fold =>
  (client, schema, { data }) =>
    client.query(`update ${schema}.member set status = $2 where member_id = $1`, [data.memberId, status]);

const setKeyStatus =
  (status: 'live' | 'suspended' | 'revoked'): Fold =>
  (client, schema, { data, acceptedAt }) => {
    const { memberId, kid } = data as MemberKeyChanged;
    return client.query(
      `update ${schema}.member_key set status = $3, since = case when status = $3 then since else $4 end
       where member_id = $1 and kid = $2`,
      [memberId, kid, status, acceptedAt],
    );
  };

const decideApproval =
  (status: 'granted' | 'refused'): Fold =>
  (client, schema, { data, acceptedAt }) => {
    const { approvalId, decidedBy, reviewer } = data as ApprovalDecided;
    return client.query(
      `update ${schema}.approval set status = $2, decided_by = $3, decided_at = $4, reviewer = $5 where approval_id = $1`,
      [approvalId, status, decidedBy, acceptedAt, reviewer ?? null],
    );
  };

const insertKey = (
  client: pg.ClientBase,
  schema: string,
  { memberId, key, addedAt }: MemberKeyAdded & { addedAt: string },
): Promise<unknown> =>
  client.query(
    `insert into ${schema}.member_key (member_id, kid, jwk, status, added_at, since) values ($1, $2, $3, 'live', $4, $4)`,
    [memberId, key.kid, JSON.stringify(key), addedAt],
  );

const stated = (value: object | undefined): string | null => (value ? JSON.stringify(value) : null);

const FOLDS: Record<string, Fold> = {
  'liandun.member.admitted.v1': async (client, schema, { data, position, acceptedAt }) => {
    const { memberId, name, role, keys, subscription, agreement, limits } = data as MemberAdmitted;
    await client.query(
      `insert into ${schema}.member (member_id, name, role, status, subscription, joined_position, agreement, limits)
       values ($1, $2, $3, 'active', $4, $5, $6, $7)`,
      [memberId, name, role, JSON.stringify(subscription), position, stated(agreement), stated(limits)],
    );
    for (const key of keys) await insertKey(client, schema, { memberId, key, addedAt: acceptedAt });
  },
  'liandun.member.suspended.v1': setStatus('suspended'),
  'liandun.member.resumed.v1': setStatus('active'),
  'liandun.member.removed.v1': setStatus('removed'),
  'liandun.member.keyadded.v1': (client, schema, { data, acceptedAt }) =>
    insertKey(client, schema, { ...(data as MemberKeyAdded), addedAt: acceptedAt }),
  'liandun.member.keysuspended.v1': setKeyStatus('suspended'),
  'liandun.member.keyresumed.v1': setKeyStatus('live'),
  'liandun.member.keyrevoked.v1': setKeyStatus('revoked'),
  'liandun.member.subscriptionchanged.v1': (client, schema, { data }) => {
    const { memberId, subscription } = data as MemberSubscriptionChanged;
    return client.query(`update ${schema}.member set subscription = $2 where member_id = $1`, [
      memberId,
      JSON.stringify(subscription),
    ]);
  },
  'liandun.member.signatureschanged.v1': (client, schema, { data }) => {
    const { memberId, signatures } = data as MemberSignaturesChanged;
    return client.query(`update ${schema}.member set signatures = $2 where member_id = $1`, [memberId, signatures]);
  },
  'liandun.member.agreementchanged.v1': (client, schema, { data }) => {
    const { memberId, agreement } = data as MemberAgreementChanged;
    return client.query(`update ${schema}.member set agreement = $2 where member_id = $1`, [
      memberId,
      JSON.stringify(agreement),
    ]);
  },
  'liandun.member.limitschanged.v1': (client, schema, { data }) => {
    const { memberId, limits } = data as MemberLimitsChanged;
    return client.query(`update ${schema}.member set limits = $2 where member_id = $1`, [
      memberId,
      JSON.stringify(limits),
    ]);
  },
  'liandun.approval.requested.v1': (client, schema, { data, acceptedAt }) => {
    const { approvalId, change, requestedBy } = data as ApprovalRequested;
    return client.query(
      `insert into ${schema}.approval (approval_id, change, requested_by, status, requested_at)
       values ($1, $2, $3, 'pending', $4)`,
      [approvalId, JSON.stringify(change), requestedBy, acceptedAt],
    );
  },
  'liandun.review.decided.v1': (client, schema, { data, position, acceptedAt }) =>
    saveReview(client, schema, data as ReviewDecided, { undone: false, position, acceptedAt }),
  'liandun.review.undone.v1': (client, schema, { data, position, acceptedAt }) =>
    saveReview(client, schema, data as ReviewUndone, { undone: true, position, acceptedAt }),
  'liandun.reasoncodes.changed.v1': (client, schema, { data, position }) =>
    saveReasonCodes(client, schema, data as ReasonCodesChanged, position),
  'liandun.approval.granted.v1': decideApproval('granted'),
  'liandun.approval.refused.v1': decideApproval('refused'),
};

async function fold(client: pg.ClientBase, schema: string, events: FoldedEvent[]): Promise<void> {
  for (const event of events) await FOLDS[event.type]?.(client, schema, event);
}

/** What may end somebody's access: streams that are open look at once whether they still may. */
const ENDS_ACCESS = new Set<string>([
  EVENT_TYPES.memberSuspended,
  EVENT_TYPES.memberRemoved,
  EVENT_TYPES.memberKeySuspended,
  EVENT_TYPES.memberKeyRevoked,
]);

/** Members, their keys, approvals. Live by `accessRider`; the same fold rebuilds it from the log. */
export const accessProjection: Projection = { name: 'access', ddl: accessDdl, apply: fold, inline: true };

/** Folds the events of one append into schema `access`, in its transaction, and tells every process whose access may have ended. */
export async function accessRider(
  client: pg.ClientBase,
  rows: { position: number; acceptedAt: string; row: unknown }[],
): Promise<void> {
  const events = rows.map(({ position, acceptedAt, row }) => ({ position, acceptedAt, ...(row as AccessRow) }));
  await fold(client, 'access', events);
  if (events.some(({ type }) => ENDS_ACCESS.has(type))) await tellAccessEnded(client);
}

export class CreateAccess1763800200000 implements MigrationInterface {
  name = 'CreateAccess1763800200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(accessDdl('access'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema access cascade');
  }
}

/** What was presented once and must not be again. Beside the projection: a rebuild must not forget it. */
export class CreateUsedAssertions1763800300000 implements MigrationInterface {
  name = 'CreateUsedAssertions1763800300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create schema auth;
create table auth.used_jti (
  member_id text not null,
  jti text not null,
  expires_at timestamptz not null,
  primary key (member_id, jti)
);
create index on auth.used_jti (expires_at);
grant usage on schema auth to liandun_door;
grant select, insert, delete on auth.used_jti to liandun_door;
${wall('auth.used_jti')}
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema auth cascade');
  }
}

export const ACCESS_MIGRATIONS = [
  CreateTwoPersonRule1763800150000,
  CreateAccess1763800200000,
  CreateUsedAssertions1763800300000,
  CompleteEntries1763800400000,
  CreateIdentifications1763900200000,
];

/**
 * Marks the `jti` of a member's assertion as used (RFC 7523 section 3, item 7); false where it was used before. Those
 * that have expired are forgotten: their expiry refuses them.
 */
export async function useJti(db: pg.Pool, memberId: string, jti: string, expiresAt: Date): Promise<boolean> {
  await db.query("delete from auth.used_jti where expires_at < now() - interval '5 minutes'");
  const { rowCount } = await db.query(
    'insert into auth.used_jti (member_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing',
    [memberId, jti, expiresAt],
  );
  return rowCount === 1;
}

export interface MemberRow {
  memberId: string;
  name: string;
  role: MemberRole;
  status: 'active' | 'suspended' | 'removed';
  subscription: Subscription;
  signatures: SignaturePolicy;
  /** Null where none was ever set. */
  limits: MemberLimits | null;
  joinedPosition: number;
  agreement: Agreement | null;
  /** The live ones. */
  keys: MemberKey[];
}

export interface ApprovalRow {
  approvalId: string;
  change: ApprovedChange;
  requestedBy: string;
  status: 'pending' | 'granted' | 'refused';
  decidedBy: string | null;
  /** Of a review: the second person's opaque id. */
  reviewer: string | null;
  requestedAt: Date;
  decidedAt: Date | null;
}

const MEMBER_COLUMNS = `m.member_id as "memberId", m.name, m.role, m.status, m.subscription, m.signatures, m.limits,
  m.joined_position::float8 as "joinedPosition", m.agreement,
  coalesce((select jsonb_agg(k.jwk order by k.kid) from access.member_key k
            where k.member_id = m.member_id and k.status = 'live'), '[]') as keys`;

/** All members, the removed ones too, by id after the cursor. */
export async function memberList(db: Queryable, page: { after: string; limit: number }): Promise<MemberRow[]> {
  const { rows } = await db.query<MemberRow>(
    `select ${MEMBER_COLUMNS} from access.member m where m.member_id > $1 order by m.member_id limit $2`,
    [page.after, page.limit],
  );
  return rows;
}

/** One member with its live keys. */
export async function memberById(db: Queryable, memberId: string): Promise<MemberRow | undefined> {
  const { rows } = await db.query<MemberRow>(`select ${MEMBER_COLUMNS} from access.member m where m.member_id = $1`, [
    memberId,
  ]);
  return rows[0];
}

/** What a member may do and has to. */
export interface ActiveMember {
  role: MemberRole;
  signatures: SignaturePolicy;
}

/** What an active member may do and has to; undefined for any other. */
export async function activeMember(db: Queryable, memberId: string): Promise<ActiveMember | undefined> {
  const { rows } = await db.query<ActiveMember>({
    name: 'access_active_member',
    text: "select role, signatures from access.member where member_id = $1 and status = 'active'",
    values: [memberId],
  });
  return rows[0];
}

/**
 * The same for who came with this key, and whether it is live: the stop of a key ends what it was exchanged for. One statement,
 * two look-ups by primary key: every request asks.
 */
export async function activeCaller(
  db: Queryable,
  memberId: string,
  kid: string,
): Promise<(ActiveMember & { keyIsLive: boolean }) | undefined> {
  const { rows } = await db.query<ActiveMember & { keyIsLive: boolean }>({
    name: 'access_active_caller',
    text: `select role, signatures, exists (select from access.member_key k
             where k.member_id = m.member_id and k.kid = $2 and k.status = 'live') as "keyIsLive"
           from access.member m where member_id = $1 and status = 'active'`,
    values: [memberId, kid],
  });
  return rows[0];
}

/** What a member's disclosures rest on now (rule P16). */
export async function agreementOf(db: Queryable, memberId: string): Promise<Agreement | undefined> {
  const { rows } = await db.query<{ agreement: Agreement | null }>({
    name: 'access_agreement',
    text: 'select agreement from access.member where member_id = $1',
    values: [memberId],
  });
  return rows[0]?.agreement ?? undefined;
}

/** The keys that a member may sign with now. */
export async function liveKeys(db: Queryable, memberId: string): Promise<MemberKey[]> {
  const { rows } = await db.query<{ jwk: MemberKey }>({
    name: 'access_live_keys',
    text: "select jwk from access.member_key where member_id = $1 and status = 'live'",
    values: [memberId],
  });
  return rows.map(({ jwk }) => jwk);
}

/** How many administrators are active besides the given member. */
export async function otherAdministrators(db: Queryable, memberId: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from access.member
     where role = 'admin' and status = 'active' and member_id <> $1`,
    [memberId],
  );
  return rows[0]?.count ?? 0;
}

const APPROVAL_COLUMNS = `approval_id as "approvalId", change, requested_by as "requestedBy", status,
  decided_by as "decidedBy", reviewer, requested_at as "requestedAt", decided_at as "decidedAt"`;

/** One approval. */
export async function approvalById(db: Queryable, approvalId: string): Promise<ApprovalRow | undefined> {
  const { rows } = await db.query<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from access.approval where approval_id = $1`,
    [approvalId],
  );
  return rows[0];
}

/** Changes of the reason codes that wait for a second person, oldest first: what the caller may see of them. */
export async function proposedCodes(db: Queryable): Promise<ApprovalRow[]> {
  const { rows } = await db.query<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from access.approval
     where status = 'pending' and change ->> 'action' = 'changeReasonCodes' order by requested_at limit 100`,
  );
  return rows;
}

/** Approvals, newest first, before the cursor (an approval's id). */
export async function approvalList(
  db: Queryable,
  page: { before?: string | undefined; status?: ApprovalRow['status'] | undefined; limit: number },
): Promise<ApprovalRow[]> {
  const { rows } = await db.query<ApprovalRow>(
    `select ${APPROVAL_COLUMNS} from access.approval
     where ($1::text is null or (requested_at, approval_id) <
            (select requested_at, approval_id from access.approval where approval_id = $1))
       and ($2::text is null or status = $2)
     order by requested_at desc, approval_id desc limit $3`,
    [page.before ?? null, page.status ?? null, page.limit],
  );
  return rows;
}
