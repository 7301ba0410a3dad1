import type { Agreement, BasisRefusal, MemberRole, Subscription } from '@liandun/contracts';
import { basisRefusal, noticeFields, screeningFields } from './basis.js';
import { stands } from './life.js';
import type { Listing } from './listing.js';

/** A member as it stands at one position of the log. */
export interface Receiver {
  memberId: string;
  role: MemberRole;
  status: 'active' | 'suspended' | 'removed';
  /** The position at which it was admitted. */
  joinedPosition: number;
  subscription: Subscription;
  /** What may be disclosed to it, and on what basis (rule P16). */
  agreement?: Agreement;
}

export type Refusal =
  | 'notAPlatform'
  | 'notActive'
  | BasisRefusal
  | 'regulatorsOnly'
  | 'ownListing'
  | 'notSubscribed'
  | 'beforeJoining'
  | 'notPublished';

/** The event that triggers a notice: where it stands in the log, and since when. */
export interface Trigger {
  position: number;
  /** RFC 3339, the database's time. */
  acceptedAt: string;
}

export type Entitlement = { granted: true } | { granted: false; because: Refusal };

const refused = (because: Refusal): Entitlement => ({ granted: false, because });
const excludes = <T>(list: T[] | undefined, value: T): boolean => list !== undefined && !list.includes(value);

/**
 * Whether `member` may be told of `listing` at `trigger`, the event that triggers the notice. `hosts`: it reported that
 * merchant itself, so it knows the person already; without that, a listing from before its admission is given of
 * organizations only. `screening`: it is the answer to an inquiry of its own, which says more (design section 1,
 * "Entitlement"; rules P16, P18; requirement R09).
 */
export function entitled(
  member: Receiver,
  listing: Listing,
  trigger: Trigger,
  { hosts = false, screening = false }: { hosts?: boolean; screening?: boolean } = {},
): Entitlement {
  if (member.role !== 'platform') return refused('notAPlatform');
  if (member.status !== 'active') return refused('notActive');
  if (listing.tier === 0) return refused('regulatorsOnly');
  if (listing.sourceMember === member.memberId) return refused('ownListing');
  if (!stands(listing) || listing.position > trigger.position) return refused('notPublished');
  const fields = screening ? screeningFields(listing.kind) : noticeFields(listing.kind);
  const withoutBasis = basisRefusal(member.agreement, fields, trigger.acceptedAt);
  if (withoutBasis) return refused(withoutBasis);
  const { tiers, codes, kinds } = member.subscription;
  if (excludes(tiers, listing.tier) || excludes(codes, listing.code) || excludes(kinds, listing.kind))
    return refused('notSubscribed');
  if (!hosts && listing.position < member.joinedPosition && listing.kind !== 'organization')
    return refused('beforeJoining');
  return { granted: true };
}
