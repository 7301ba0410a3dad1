import type { Cause, ProofStandard, SubjectKind } from '@liandun/contracts';

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
  /** A binding official decision is attached (rule P01). */
  official: boolean;
  effectiveAt: string;
  expiresAt: string;
}

/** One merchant's entry on the shared list, as its states (rule P11: every published listing has an end). */
export type Listing =
  | (ListingTerms & { status: 'held' })
  | (ListingTerms & { status: 'published' })
  | (ListingTerms & { status: 'ended'; cause: Cause });

/** Whether a listing counts at `time` (RFC 3339): published, and its term has not run out. */
export const inForce = (listing: Listing, time: string): boolean =>
  listing.status === 'published' && Date.parse(listing.expiresAt) > Date.parse(time);

/** Whether the proof is a binding official decision and no mere finding of a platform. */
export const isOfficial = (standard: ProofStandard): boolean => standard !== 'platformFinding';
