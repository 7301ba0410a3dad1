import type { Cause, ProofStandard, SubjectKind } from '@liandun/contracts';
import { stands, type EndState, type OpenState } from './life.js';

export type ListingOrigin = 'delisting' | 'riskEntity' | 'registry';

interface ListingTerms {
  listingId: string;
  origin: ListingOrigin;
  sourceMember: string;
  position: number;
  entityId: string;
  kind: SubjectKind;
  /** A risk entity who presents goods live: always a person's decision (rule P08). */
  streamer: boolean;
  code: string;
  tier: number;
  /** Its USCC is known, so that a platform which doesn't host it could recognise it. */
  identified: boolean;
  /** It rests on an official decision that has a number. */
  official: boolean;
  /** Its subject used a stolen identity, whose owner is protected (rule P14). */
  victim?: boolean;
  /** The decision orders to stop trading. */
  ordersStop: boolean;
  effectiveAt: string;
  expiresAt: string;
}

/** One merchant's entry on the shared list, as its states (rule P11: every published listing has an end). */
export type Listing = (ListingTerms & { status: OpenState }) | (ListingTerms & { status: EndState; cause: Cause });

/** Whether a listing counts at `time` (RFC 3339): its state lets it, and its term has not run out (rule P11). */
export const inForce = (listing: Listing, time: string): boolean =>
  stands(listing) && Date.parse(listing.expiresAt) > Date.parse(time);

/** Whether the proof is a binding official decision and no mere finding of a platform. */
export const isOfficial = (standard: ProofStandard): boolean => standard !== 'platformFinding';

/** Codes whose decision need not end the trade: only one that orders a stop does (reason-codes.csv, notes). */
const STOP_ORDER_NEEDED = new Set(['C02', 'G03']);

/**
 * Whether a subscriber's own policy may close by itself: the code allows it, the binding decision is attached, and the
 * subject is an organization (rule P01) and no streamer, who may be one (rule P08).
 */
export const mayCloseByItself = (listing: Listing, codeAllows: boolean): boolean =>
  codeAllows &&
  listing.official &&
  listing.kind === 'organization' &&
  !listing.streamer &&
  (listing.ordersStop || !STOP_ORDER_NEEDED.has(listing.code));
