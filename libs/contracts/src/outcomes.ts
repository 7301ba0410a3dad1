// What the ledger itself appends: the outcomes that every rebuild folds (design section 1, "Outcomes are events").
import type { Agreement } from './agreement.js';
import type { ErasureChange } from './erasure.js';
import type { MemberLimits, MemberLimitsChanged } from './flood.js';
import type {
  CaseReminderContent,
  MatchField,
  MatchGrade,
  NoticeContent,
  NoticeErasedContent,
  NoticeReminderContent,
} from './notice.js';
import type { ReasonCodesChange } from './reason-code-changes.js';
import type { ReviewChange } from './review.js';
import type { ScreeningDecisionKind, ScreeningMatchedContent } from './screening.js';

export const MEMBER_ROLES = ['platform', 'regulator', 'admin'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

/** A public key of a member as a JWK (RFC 7517): Ed25519 or P-256, always with a `kid`. */
export interface MemberKey {
  kid: string;
  kty: 'OKP' | 'EC';
  crv: 'Ed25519' | 'P-256';
  x: string;
  y?: string;
}

/** What a platform wants to hear of. An absent list means: everything. */
export interface Subscription {
  tiers?: number[];
  codes?: string[];
  kinds?: string[];
  /** Whether risk entities that the member doesn't host are sent as well (its agreement). */
  riskEntities?: boolean;
}

/** Whether the ledger takes what a member sends without the member's signature. */
export const SIGNATURE_POLICIES = ['optional', 'required'] as const;
export type SignaturePolicy = (typeof SIGNATURE_POLICIES)[number];

export interface MemberAdmitted {
  memberId: string;
  name: string;
  role: MemberRole;
  keys: MemberKey[];
  subscription: Subscription;
  /** Without one the member is told nothing (rule P16). */
  agreement?: Agreement;
  /** Absent in entries from before there were any: then whatever it files waits for a second person (rule P21). */
  limits?: MemberLimits;
}

export interface MemberChanged {
  memberId: string;
  /** Of a suspension: the request whose refusal ends it. */
  approvalId?: string;
}
export interface MemberKeyAdded {
  memberId: string;
  key: MemberKey;
}
/** A key was suspended, resumed or revoked. */
export interface MemberKeyChanged {
  memberId: string;
  kid: string;
  /** Of a suspension: the requests that hold the key from now on. It lives again once all of them were refused. */
  approvalIds?: string[];
}
export interface MemberSubscriptionChanged {
  memberId: string;
  subscription: Subscription;
}
export interface MemberAgreementChanged {
  memberId: string;
  agreement: Agreement;
}
export interface MemberSignaturesChanged {
  memberId: string;
  signatures: SignaturePolicy;
}

/** The changes of membership that need a second administrator. */
export type MembershipChange =
  | ({ action: 'admit' } & MemberAdmitted)
  | { action: 'suspend'; memberId: string }
  | { action: 'resume'; memberId: string }
  | { action: 'remove'; memberId: string }
  | ({ action: 'addKey' } & MemberKeyAdded)
  /** In an emergency the key stops at once, and the second administrator confirms it. */
  | { action: 'revokeKey'; emergency?: true; memberId: string; kid: string }
  | ({ action: 'changeSubscription' } & MemberSubscriptionChanged)
  | ({ action: 'changeSignatures' } & MemberSignaturesChanged)
  | ({ action: 'changeAgreement' } & MemberAgreementChanged)
  | ({ action: 'changeLimits' } & MemberLimitsChanged);

/** Whatever needs a second person. */
export type ApprovedChange = MembershipChange | ErasureChange | ReviewChange | ReasonCodesChange;

export interface ApprovalRequested {
  approvalId: string;
  change: ApprovedChange;
  requestedBy: string;
}
export interface ApprovalDecided {
  approvalId: string;
  decidedBy: string;
  /** Of a review: the deciding person's opaque id. */
  reviewer?: string;
}

export interface MatcherActivated {
  matcher: string;
}

/** One reason of a link: which field agreed, and how surely. */
export interface Because {
  field: MatchField;
  grade: MatchGrade;
}

/** Where one observation stands. An entity is called by the oldest of its observations. */
export interface Link {
  /** The position of the entry that carries the identity. */
  observation: number;
  entityId: string;
  /** What ties it to another of the entity's observations most surely; empty where nothing needs to. */
  because: Because[];
  /**
   * The oldest observation that it agrees with exactly, directly or through others that do; its own position where there
   * is none. Two observations of an entity match exactly where this is equal.
   */
  sameAs: number;
  /** The same of what agrees at least strongly. Where it isn't equal, two observations of an entity match possibly. */
  strongAs: number;
}

/** Another observation that may be of the same entity, for a person to look at; never a reason to close (rule P14). */
export interface PossibleLink {
  observation: number;
  entityId: string;
  because: Because[];
}

/** An observation was found to speak of an entity, or founded one. */
export interface EntityLinked extends Link {
  /** True where the observation founded the entity. */
  founded: boolean;
  matcher: string;
  possible: PossibleLink[];
}

/** What a merge or a split follows from: an observation's position, or that of a decision about two entities. */
interface Regrouped {
  entityId: string;
  /** Every observation whose entity, reasons or exact group changed, as it stands now. */
  links: Link[];
  cause: number;
  matcher: string;
}

/** Entities were found to be one: `entityId` is the oldest, and everything about the others is about it from now on. */
export interface EntityMerged extends Regrouped {
  retired: string[];
}

/** Observations left an entity for others, each called by the oldest observation in it. */
export interface EntitySplit extends Regrouped {
  into: string[];
}

/** How two entities are related that aren't the same; `sharesPhone` has no direction. */
export const RELATION_KINDS = ['operates', 'legalRepresentativeOf', 'branchOf', 'successorOf', 'sharesPhone'] as const;
export type RelationKind = (typeof RELATION_KINDS)[number];

/**
 * The observations that show a relation: `from` operates, represents, is the branch or succeeds. It holds between the entities
 * that the two are of, whatever these come to be; within one it says nothing.
 */
export interface RelationRef {
  kind: RelationKind;
  from: number;
  to: number;
}
export interface EntityRelation extends RelationRef {
  because: Because[];
  /** Where one member reported both: its own facts show it. */
  member?: string;
}

/**
 * Observations of the entity were found to show relations. A regulator follows them; no listing, notice or link ever does
 * (rule P13).
 */
export interface EntityRelated {
  entityId: string;
  relations: EntityRelation[];
  cause: number;
  matcher: string;
}

/** What relations rested on is gone: a phone that too many hold, or a link that was parted. */
export interface EntityUnrelated {
  entityId: string;
  relations: RelationRef[];
  cause: number;
  matcher: string;
}

/** Which listing an outcome of the clock or of an official removal is about, and its filing's CloudEvents id. */
interface AboutListing {
  listingId: string;
  caseId: string;
}

/**
 * Until when a held case waits, with its computation: what was counted stays as it was, whatever the calendar says later.
 * Set when a case is held, and again when the deadline is paused, resumed or extended.
 */
export interface CaseDeadlineSet extends AboutListing {
  /** RFC 3339: the case was accepted. */
  from: string;
  /** RFC 3339, the end of the last day in China; absent while it is paused. */
  due?: string;
  term: { count: number; unit: 'workingDay' | 'day' };
  days: { date: string; verdict: string; name?: string }[];
  /** Version of the working days that were counted by. */
  calendar: string;
  /** Years of which only the weekends were known. */
  unknownYears: number[];
  pauses: { from: string; until?: string; reason: string }[];
  extensions: { days: number; reason: string }[];
  /** Who changed it: a regulator, by whom; absent where it was set when the case was held. */
  by?: string;
  reviewer?: string;
  caseNo?: string;
}

/** The subject's time to answer ran out: the case is published (rule P06). */
export interface CaseReleased extends AboutListing {
  by: 'deadline';
  due: string;
  calendar: string;
}

/** A listing's term ran out, by the database's time (rule P11). */
export interface ListingExpired extends AboutListing {
  expiresAt: string;
}

/** An official removal ended a platform's listing that rests on the same status (rule P12). */
export interface ListingOverridden extends AboutListing {
  decisionNo?: string;
  cause: 'removed';
  /** Position of the removal. */
  removal: number;
}

/** The content of a notice without what is known only once its entry is in the log. */
export type NoticeIssued = NoticeContent & { member: string };

/** The receiver of the named notices was told that their person is erased. */
export type NoticeErased = NoticeErasedContent & { member: string };

/** The receiver of a notice was reminded that it hasn't answered. */
export type NoticeReminded = NoticeReminderContent & { member: string };

/** A publisher was reminded that the subjects of these cases are to be told today (rule P06). */
export type CaseReminded = CaseReminderContent & { member: string };

/** What stands in a member's stream of reminders. */
export type Reminded = NoticeReminded | CaseReminded;

export interface ScreeningMade {
  screeningId: string;
  purpose: string;
  result: 'clear' | 'possible' | 'listed';
  listingIds: string[];
}

/** A platform found that a match of its inquiry is about somebody else. */
export interface ScreeningDecided {
  screeningId: string;
  listingId: string;
  decision: ScreeningDecisionKind;
  decidedBy: string;
}

/** A later listing matches an inquiry: its platform was told. */
export type ScreeningMatched = ScreeningMatchedContent & { member: string };

export interface ReadAudited {
  reader: string;
  route: string;
  /** Why it read, and under which case; absent where `refused` says that it didn't say. */
  purpose?: string;
  caseNo?: string;
  /** It was answered nothing, for this reason. */
  refused?: 'PURPOSE_REQUIRED';
  /** Whom it was about: as asked, else whom the listing or the entry of the receipt is about. */
  entityId?: string;
  listingId?: string;
  reviewId?: string;
  /** The event whose receipt was read. */
  receipt?: { source: string; id: string };
  /** What a reading of the audit was narrowed to. */
  asked?: Record<string, string>;
}

/** Ways in which a member may be sweeping the ledger instead of asking about its applicants (rule P15). */
export const ALARMS = [
  'screeningBudget',
  'neighbouringIdentifiers',
  'missedLookups',
  /** It asked without a purpose, or for another than onboarding and compliance. */
  'otherPurpose',
  /** One working day is left to reopen after an official ending (rule P12). */
  'reopeningDue',
  /** The statute's three working days have passed (行政处罚法 第48、85条). */
  'reopeningOverdue',
  /** A member hasn't said within 24 hours that it reopened, whatever took the listing back (rule P09). */
  'reopeningUnanswered',
  /** A member was reminded of a notice and hasn't answered for another working day. */
  'noticeUnanswered',
  /** A member's impact assessment ends within 30 days (rule P16). */
  'assessmentEnding',
  /** It has ended: the member is told nothing until a current one is recorded. */
  'assessmentEnded',
  /** More cases than the publisher's limits let through: they wait for a second person (rule P21). */
  'publisherFlood',
  /** The day is over, and a publisher hasn't said that it told the subjects of cases that others were told of at once (rule P06). */
  'subjectNotTold',
  /** An entity was listed that another is related to: that one isn't listed by it, a person looks (rule P13). */
  'relatedListed',
] as const;
export type Alarm = (typeof ALARMS)[number];

/** Raised once for each member and day. It names the member as `about`: its own audit doesn't show it. */
export interface AlarmRaised {
  alarm: Alarm;
  about: string;
  /** YYYY-MM-DD in China. */
  day: string;
  /** What was reached; with `subjectNotTold` how many cases. */
  limit: number;
  /** With the alarms about a reopening or a reminder: the notice that nothing followed on. */
  noticeId?: string;
  /** With `relatedListed`, whose `about` is the publisher: the listing, and who is related to its entity, and how. */
  listingId?: string;
  relatedEntityId?: string;
  relation?: RelationKind;
}
