import { EVENT_TYPES } from '@liandun/contracts';
import type { NoticeIntent } from '@liandun/domain';
import type { StoredEvent } from '@liandun/event-log';
import type { LinkedListing } from '@liandun/views';

/** The schema that the live ledger is folded into. */
export const VIEW = 'view';

/** What takes back. */
export const ENDING = new Set<string>(['reopen', 'lift', 'correct']);

/** After these a member hears what it missed, and what ended while it could not be told. */
export const CATCHING_UP: ReadonlySet<string> = new Set([
  EVENT_TYPES.memberAdmitted,
  EVENT_TYPES.memberResumed,
  EVENT_TYPES.memberAgreementChanged,
]);

/** A decided notice with the event that triggered it. */
export interface Draft {
  intent: NoticeIntent;
  about: LinkedListing;
  trigger: StoredEvent;
  /** The entity whose other listings say whether the receiver's merchant is still listed; the listing's own unless told. */
  coveredAs?: string;
  /** The credit code under which the receiver was told, where it turned out to be another merchant's. */
  toldUscc?: string;
}

/** Of what they are. */
export const listingIdsOf = (listings: LinkedListing[]): string[] => listings.map(({ listing }) => listing.listingId);
export const entityIdsOf = (listings: LinkedListing[]): string[] => [
  ...new Set(listings.map(({ listing }) => listing.entityId)),
];
