// Who takes part: members, their keys and subscriptions, and the approval of every change by a second administrator
// (rule P20: "admin actions need two persons").
import type {
  Agreement,
  ApprovalDecided,
  ApprovalRequested,
  ApprovedChange,
  EventType,
  MemberAdmitted,
  MemberAgreementChanged,
  MemberChanged,
  MemberKey,
  MemberKeyAdded,
  MemberKeyChanged,
  MemberLimits,
  MemberLimitsChanged,
  MembershipChange,
  MemberRole,
  MemberSignaturesChanged,
  MemberSubscriptionChanged,
  ProblemCode,
  Subscription,
} from '@liandun/contracts';

export const LIVE_KEYS_MAX = 3;

/** A suspension, of a member or in an emergency of a key, acts at once; the other administrator is asked to confirm it within this time. */
export const SUSPENSION_CONFIRMED_WITHIN_MS = 86_400_000;

/** Stopped in an emergency, until a second administrator revokes it, or lets it live: then each stop of it was refused. */
export interface StoppedKey {
  key: MemberKey;
  /** The requests that hold it, oldest first. */
  stoppedBy: string[];
}

export type Member =
  | { status: 'unknown' }
  | {
      status: 'active' | 'suspended' | 'removed';
      memberId: string;
      name: string;
      role: MemberRole;
      /** The live ones. */
      keys: MemberKey[];
      suspendedKeys: StoppedKey[];
      /** Key ids that were revoked; a kid is never used twice, so a signature always names one key. */
      revokedKids: string[];
      /** While it is suspended: the request that did it; only its refusal ends it, not that of an older one. */
      suspendedBy?: string;
      subscription: Subscription;
      /** What its disclosures rest on (rule P16). */
      agreement?: Agreement;
      limits?: MemberLimits;
    };

export type Approval =
  | { status: 'unknown' }
  | { status: 'pending'; approvalId: string; change: ApprovedChange; requestedBy: string }
  | {
      status: 'granted' | 'refused';
      approvalId: string;
      change: ApprovedChange;
      requestedBy: string;
      decidedBy: string;
    };

export interface Membership {
  member: Member;
  approval: Approval;
}

export const initialMembership: Membership = { member: { status: 'unknown' }, approval: { status: 'unknown' } };

export interface MembershipCommand {
  /** Active administrators besides the member that the change is about. */
  otherAdministrators: number;
}

export interface RequestChange extends MembershipCommand {
  kind: 'requestChange';
  approvalId: string;
  change: MembershipChange;
  requestedBy: string;
}

export interface DecideApproval extends MembershipCommand {
  kind: 'decideApproval';
  decision: 'approve' | 'refuse';
  decidedBy: string;
}

/** The facts of membership, by event type. */
interface MembershipFacts {
  'liandun.member.admitted.v1': MemberAdmitted;
  'liandun.member.suspended.v1': MemberChanged;
  'liandun.member.resumed.v1': MemberChanged;
  'liandun.member.removed.v1': MemberChanged;
  'liandun.member.keyadded.v1': MemberKeyAdded;
  'liandun.member.keysuspended.v1': MemberKeyChanged;
  'liandun.member.keyresumed.v1': MemberKeyChanged;
  'liandun.member.keyrevoked.v1': MemberKeyChanged;
  'liandun.member.subscriptionchanged.v1': MemberSubscriptionChanged;
  'liandun.member.agreementchanged.v1': MemberAgreementChanged;
  'liandun.member.signatureschanged.v1': MemberSignaturesChanged;
  'liandun.member.limitschanged.v1': MemberLimitsChanged;
  'liandun.approval.requested.v1': ApprovalRequested;
  'liandun.approval.granted.v1': ApprovalDecided;
  'liandun.approval.refused.v1': ApprovalDecided;
}

export type MembershipEvent = {
  [T in keyof MembershipFacts & EventType]: { type: T; data: MembershipFacts[T] };
}[keyof MembershipFacts & EventType];

export type MembershipRefusal = Extract<
  ProblemCode,
  | 'MEMBER_EXISTS'
  | 'MEMBER_NOT_FOUND'
  | 'MEMBER_NOT_ACTIVE'
  | 'KEY_EXISTS'
  | 'KEY_LIMIT'
  | 'KEY_NOT_FOUND'
  | 'LAST_KEY'
  | 'FIELD_NOT_APPLICABLE'
  | 'ADMINISTRATORS_TOO_FEW'
  | 'APPROVAL_NOT_FOUND'
  | 'APPROVAL_DECIDED'
  | 'SECOND_PERSON_NEEDED'
>;

export type MembershipDecision = { events: MembershipEvent[] } | { refused: MembershipRefusal };

const refused = (code: MembershipRefusal): { refused: MembershipRefusal } => ({ refused: code });

/** Two administrators have to stay, or nothing could be approved any more. */
const ADMINISTRATORS_MIN = 2;

type KnownMember = Exclude<Member, { status: 'unknown' }>;

function keyRefusal({ keys, suspendedKeys, revokedKids }: KnownMember, key: MemberKey): MembershipRefusal | undefined {
  const kept = [...keys, ...suspendedKeys.map((stopped) => stopped.key)];
  if (revokedKids.includes(key.kid) || kept.some(({ kid }) => kid === key.kid)) return 'KEY_EXISTS';
  return kept.length >= LIVE_KEYS_MAX ? 'KEY_LIMIT' : undefined;
}

function revocationRefusal({ keys, suspendedKeys }: KnownMember, kid: string): MembershipRefusal | undefined {
  if (suspendedKeys.some(({ key }) => key.kid === kid)) return undefined;
  if (!keys.some((key) => key.kid === kid)) return 'KEY_NOT_FOUND';
  // A member whose only key leaked is suspended; without a key it could never come back by itself.
  return keys.length === 1 ? 'LAST_KEY' : undefined;
}

/** Why the change can't be made to the member as it stands; undefined where it can. */
function changeRefusal(member: Member, change: MembershipChange, others: number): MembershipRefusal | undefined {
  if (change.action === 'admit') {
    if (member.status !== 'unknown') return 'MEMBER_EXISTS';
    if (change.keys.length > LIVE_KEYS_MAX) return 'KEY_LIMIT';
    if (change.agreement && change.role !== 'platform') return 'FIELD_NOT_APPLICABLE';
    return new Set(change.keys.map(({ kid }) => kid)).size < change.keys.length ? 'KEY_EXISTS' : undefined;
  }
  if (member.status === 'unknown') return 'MEMBER_NOT_FOUND';
  if (member.status === 'removed') return 'MEMBER_NOT_ACTIVE';
  const closesAdministrator =
    member.role === 'admin' &&
    (change.action === 'suspend' || change.action === 'remove') &&
    others < ADMINISTRATORS_MIN;
  switch (change.action) {
    case 'suspend':
      if (member.status !== 'active') return 'MEMBER_NOT_ACTIVE';
      return closesAdministrator ? 'ADMINISTRATORS_TOO_FEW' : undefined;
    case 'resume':
      return member.status === 'suspended' ? undefined : 'MEMBER_NOT_ACTIVE';
    case 'remove':
      return closesAdministrator ? 'ADMINISTRATORS_TOO_FEW' : undefined;
    case 'addKey':
      return keyRefusal(member, change.key);
    case 'revokeKey':
      return revocationRefusal(member, change.kid);
    case 'changeSubscription':
    // What regulators read rests on the law (电子商务法 第25条), reading by reading; administrators are told of nobody.
    case 'changeAgreement':
      return member.role === 'platform' ? undefined : 'FIELD_NOT_APPLICABLE';
    case 'changeSignatures':
    case 'changeLimits':
      // An administrator sends no events.
      return member.role === 'admin' ? 'FIELD_NOT_APPLICABLE' : undefined;
  }
}

/** The fact that an approved change is. */
function factOf(change: MembershipChange): MembershipEvent {
  switch (change.action) {
    case 'admit': {
      const { action: _admit, ...data } = change;
      return { type: 'liandun.member.admitted.v1', data };
    }
    case 'suspend':
      return { type: 'liandun.member.suspended.v1', data: { memberId: change.memberId } };
    case 'resume':
      return { type: 'liandun.member.resumed.v1', data: { memberId: change.memberId } };
    case 'remove':
      return { type: 'liandun.member.removed.v1', data: { memberId: change.memberId } };
    case 'addKey':
      return { type: 'liandun.member.keyadded.v1', data: { memberId: change.memberId, key: change.key } };
    case 'revokeKey':
      return { type: 'liandun.member.keyrevoked.v1', data: { memberId: change.memberId, kid: change.kid } };
    case 'changeSubscription':
      return {
        type: 'liandun.member.subscriptionchanged.v1',
        data: { memberId: change.memberId, subscription: change.subscription },
      };
    case 'changeAgreement':
      return {
        type: 'liandun.member.agreementchanged.v1',
        data: { memberId: change.memberId, agreement: change.agreement },
      };
    case 'changeSignatures':
      return {
        type: 'liandun.member.signatureschanged.v1',
        data: { memberId: change.memberId, signatures: change.signatures },
      };
    case 'changeLimits':
      return {
        type: 'liandun.member.limitschanged.v1',
        data: { memberId: change.memberId, limits: change.limits },
      };
  }
}

function decideRequest(command: RequestChange, { member }: Membership): MembershipDecision {
  const { approvalId, change, requestedBy } = command;
  const refusal = changeRefusal(member, change, command.otherAdministrators);
  if (refusal) return refused(refusal);
  const requested: MembershipEvent = {
    type: 'liandun.approval.requested.v1',
    data: { approvalId, change, requestedBy },
  };
  // What protects the others doesn't wait for the second person.
  if (change.action === 'suspend')
    return {
      events: [requested, { type: 'liandun.member.suspended.v1', data: { memberId: change.memberId, approvalId } }],
    };
  if (change.action !== 'revokeKey' || !change.emergency) return { events: [requested] };
  // One that stopped already may be asked for again: then both requests hold it.
  return { events: [requested, heldBy([...stopsOf(member, change.kid), approvalId], change)] };
}

/** The requests that hold a key now; none where it lives, or is gone. */
const stopsOf = (member: Member, kid: string): string[] =>
  (member.status !== 'unknown' && member.suspendedKeys.find(({ key }) => key.kid === kid)?.stoppedBy) || [];

const heldBy = (approvalIds: string[], { memberId, kid }: MemberKeyChanged): MembershipEvent => ({
  type: 'liandun.member.keysuspended.v1',
  data: { memberId, kid, approvalIds },
});

/** What the refusal of a key's stop leads to: it lives again, unless another stop holds it still. */
function releasedBy(approvalId: string, { memberId, kid }: MemberKeyChanged, member: Member): MembershipEvent[] {
  if (member.status === 'unknown' || !member.suspendedKeys.some(({ key }) => key.kid === kid)) return [];
  const others = stopsOf(member, kid).filter((each) => each !== approvalId);
  if (others.length > 0) return [heldBy(others, { memberId, kid })];
  return [{ type: 'liandun.member.keyresumed.v1', data: { memberId, kid } }];
}

/** What a refusal lets go on that the request had stopped. */
function resumedBy(change: MembershipChange, approvalId: string, member: Member): MembershipEvent[] {
  const { memberId } = change;
  if (change.action === 'suspend' && member.status === 'suspended' && member.suspendedBy === approvalId)
    return [{ type: 'liandun.member.resumed.v1', data: { memberId } }];
  return change.action === 'revokeKey' && change.emergency ? releasedBy(approvalId, change, member) : [];
}

const isMembershipChange = (change: ApprovedChange): change is MembershipChange =>
  !['erase', 'decideReview', 'undoReview'].includes(change.action);

/** Whether another request revoked this key since: then a second stop of it is confirmed without effect. */
const isRevoked = (member: Member, change: MembershipChange): boolean =>
  change.action === 'revokeKey' && member.status !== 'unknown' && member.revokedKids.includes(change.kid);

function decideApproval(command: DecideApproval, { member, approval }: Membership): MembershipDecision {
  if (approval.status === 'unknown') return refused('APPROVAL_NOT_FOUND');
  if (approval.status !== 'pending') return refused('APPROVAL_DECIDED');
  if (approval.requestedBy === command.decidedBy) return refused('SECOND_PERSON_NEEDED');
  const { approvalId, change } = approval;
  if (!isMembershipChange(change)) return refused('APPROVAL_NOT_FOUND');
  const data = { approvalId, decidedBy: command.decidedBy };
  if (command.decision === 'refuse')
    return { events: [{ type: 'liandun.approval.refused.v1', data }, ...resumedBy(change, approvalId, member)] };
  const granted: MembershipEvent = { type: 'liandun.approval.granted.v1', data };
  if (change.action === 'suspend' || isRevoked(member, change)) return { events: [granted] };
  // The member may have changed since the request.
  const refusal = changeRefusal(member, change, command.otherAdministrators);
  return refusal ? refused(refusal) : { events: [granted, factOf(change)] };
}

/** What a request or a decision of an administrator leads to, given the member and the approval that it is about. */
export function decideMembership(command: RequestChange | DecideApproval, membership: Membership): MembershipDecision {
  return command.kind === 'requestChange' ? decideRequest(command, membership) : decideApproval(command, membership);
}

/** The keys of a member after one of them was suspended, resumed or revoked. */
function movedKey(
  member: KnownMember,
  { type, data: { kid, approvalIds = [] } }: { type: string; data: MemberKeyChanged },
): Pick<KnownMember, 'keys' | 'suspendedKeys' | 'revokedKids'> {
  const keys = member.keys.filter((key) => key.kid !== kid);
  const suspendedKeys = member.suspendedKeys.filter(({ key }) => key.kid !== kid);
  const { revokedKids } = member;
  if (type === 'liandun.member.keyrevoked.v1') return { keys, suspendedKeys, revokedKids: [...revokedKids, kid] };
  const moved = [...member.keys, ...member.suspendedKeys.map(({ key }) => key)].filter((key) => key.kid === kid);
  return type === 'liandun.member.keyresumed.v1'
    ? { keys: [...keys, ...moved], suspendedKeys, revokedKids }
    : {
        keys,
        suspendedKeys: [...suspendedKeys, ...moved.map((key) => ({ key, stoppedBy: approvalIds }))],
        revokedKids,
      };
}

function evolveMember(member: Member, event: MembershipEvent): Member {
  if (event.type === 'liandun.member.admitted.v1') {
    return { status: 'active', ...event.data, suspendedKeys: [], revokedKids: [] };
  }
  if (member.status === 'unknown') return member;
  switch (event.type) {
    case 'liandun.member.suspended.v1':
      return { ...member, status: 'suspended', ...(event.data.approvalId && { suspendedBy: event.data.approvalId }) };
    case 'liandun.member.resumed.v1':
    case 'liandun.member.removed.v1': {
      const { suspendedBy: _ended, ...rest } = member;
      return { ...rest, status: event.type === 'liandun.member.resumed.v1' ? 'active' : 'removed' };
    }
    case 'liandun.member.keyadded.v1':
      return { ...member, keys: [...member.keys, event.data.key] };
    case 'liandun.member.keysuspended.v1':
    case 'liandun.member.keyresumed.v1':
    case 'liandun.member.keyrevoked.v1':
      return { ...member, ...movedKey(member, event) };
    case 'liandun.member.subscriptionchanged.v1':
      return { ...member, subscription: event.data.subscription };
    case 'liandun.member.agreementchanged.v1':
      return { ...member, agreement: event.data.agreement };
    case 'liandun.member.limitschanged.v1':
      return { ...member, limits: event.data.limits };
    // Whoever submits is told by the access tables; the decisions here don't depend on it.
    case 'liandun.member.signatureschanged.v1':
    case 'liandun.approval.requested.v1':
    case 'liandun.approval.granted.v1':
    case 'liandun.approval.refused.v1':
      return member;
  }
}

/** Folds one fact of an approval's stream; others change nothing. */
export function evolveApproval(approval: Approval, { type, data }: { type: string; data: object }): Approval {
  if (type === 'liandun.approval.requested.v1') return { status: 'pending', ...(data as ApprovalRequested) };
  if (approval.status !== 'pending') return approval;
  const { decidedBy } = data as ApprovalDecided;
  if (type === 'liandun.approval.granted.v1') return { ...approval, status: 'granted', decidedBy };
  if (type === 'liandun.approval.refused.v1') return { ...approval, status: 'refused', decidedBy };
  return approval;
}

/** Folds one fact of a member's or an approval's stream. */
export const evolveMembership = (membership: Membership, event: MembershipEvent): Membership => ({
  member: evolveMember(membership.member, event),
  approval: evolveApproval(membership.approval, event),
});
