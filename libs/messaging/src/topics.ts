import type { MemberRole } from '@liandun/contracts';
import type { Grant, KafkaAdmin, NewTopic } from './admin.js';

export const noticesTopic = (memberId: string): string => `notices.${memberId}`;
export const receiptsTopic = (memberId: string): string => `receipts.${memberId}`;
export const inboxTopic = (memberId: string): string => `inbox.${memberId}`;

export interface AccessMember {
  memberId: string;
  role: MemberRole;
  status: 'active' | 'suspended' | 'removed';
  /** Of its live keys. */
  kids: readonly string[];
}

const SEVEN_DAYS_MS = 7 * 24 * 3_600_000;

// The id is part of names that Kafka compares by prefix: a dot in it would open one member's groups to another.
const MEMBER_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * What a member may do in Kafka with a key, and nothing else: to read or write implies to describe, to write includes idempotently. Its
 * consumer groups are its own id, and whatever begins with its id and `.`, `_` or `-`; the last only as long as that can't
 * be the id of one of `others`.
 */
export function grantsOf(memberId: string, kid: string, others?: readonly string[]): Grant[] {
  const who = { memberId, kid };
  const separators = ['.', '_'];
  if (others && !others.some((other) => other.startsWith(`${memberId}-`))) separators.push('-');
  return [
    { ...who, operation: 'read', resource: { topic: noticesTopic(memberId) } },
    { ...who, operation: 'read', resource: { topic: receiptsTopic(memberId) } },
    { ...who, operation: 'write', resource: { topic: inboxTopic(memberId) } },
    { ...who, operation: 'read', resource: { group: memberId } },
    ...separators.map((separator): Grant => {
      return { ...who, operation: 'read', resource: { groupPrefix: `${memberId}${separator}` } };
    }),
  ];
}

/** Creates a member's topics and gives it its rights with these keys; harmless when repeated. */
export async function ensureMember(admin: KafkaAdmin, memberId: string, kids: readonly string[]): Promise<void> {
  if (!MEMBER_ID.test(memberId)) throw new Error(`Not a member id: ${memberId}`);
  await admin.createTopics(topicsOf(memberId));
  await admin.grant(kids.flatMap((kid) => grantsOf(memberId, kid)));
}

/** Takes a member's rights away. Its next request fails, also that of a consumer that is running; its topics stay. */
export async function revokeMember(admin: KafkaAdmin, memberId: string): Promise<void> {
  const granted = await admin.grants();
  await admin.revoke(granted.filter((grant) => grant.memberId === memberId));
}

/**
 * Brings topics and rights to what membership says: active platforms and regulators have theirs with each live
 * key, everybody and everything else of `members` has none. Principals that aren't among `members` are left alone. Harmless when repeated.
 */
export async function syncAccess(admin: KafkaAdmin, members: readonly AccessMember[]): Promise<void> {
  const known = new Set(members.map(({ memberId }) => memberId));
  const entitled = members.filter(
    ({ memberId, role, status }) => status === 'active' && role !== 'admin' && MEMBER_ID.test(memberId),
  );
  const everybody = [...known];
  const wanted = new Map(
    entitled
      .flatMap(({ memberId, kids }) => kids.flatMap((kid) => grantsOf(memberId, kid, everybody)))
      .map((grant) => [JSON.stringify(grant), grant]),
  );
  const present = new Map((await admin.grants()).map((grant) => [JSON.stringify(grant), grant]));
  // Rights go first: a suspension must not wait for another member's topics.
  await admin.revoke(
    [...present].filter(([key, { memberId }]) => known.has(memberId) && !wanted.has(key)).map(valueOf),
  );
  await admin.createTopics(entitled.flatMap(({ memberId }) => topicsOf(memberId)));
  await admin.grant([...wanted].filter(([key]) => !present.has(key)).map(valueOf));
}

const valueOf = ([, grant]: [string, Grant]): Grant => grant;

function topicsOf(memberId: string): NewTopic[] {
  return [
    { topic: noticesTopic(memberId), retentionMs: SEVEN_DAYS_MS },
    { topic: receiptsTopic(memberId), retentionMs: SEVEN_DAYS_MS },
    // Deleted once accepted, not by age: an event that nobody has read yet must not disappear.
    { topic: inboxTopic(memberId), retentionMs: -1 },
  ];
}
