/**
 * Every event type of the ledger. The first group comes in from members (design section 3, "Events in"); the others are
 * outcomes that the ledger itself appends. A type name, once released, never changes its meaning: a new shape gets `.v2`.
 */
export const SUBMITTED_TYPES = {
  merchantReported: 'liandun.merchant.reported.v1',
  merchantDelisted: 'liandun.merchant.delisted.v1',
  merchantReinstated: 'liandun.merchant.reinstated.v1',
  riskEntityReported: 'liandun.riskentity.reported.v1',
  riskEntityWithdrawn: 'liandun.riskentity.withdrawn.v1',
  caseHeard: 'liandun.case.heard.v1',
  caseNotified: 'liandun.case.notified.v1',
  registryListed: 'liandun.registry.listed.v1',
  registryRemoved: 'liandun.registry.removed.v1',
  listingEnded: 'liandun.listing.ended.v1',
  noticeDisposed: 'liandun.notice.disposed.v1',
} as const;

export const OUTCOME_TYPES = {
  memberAdmitted: 'liandun.member.admitted.v1',
  memberSuspended: 'liandun.member.suspended.v1',
  memberResumed: 'liandun.member.resumed.v1',
  memberRemoved: 'liandun.member.removed.v1',
  memberKeyAdded: 'liandun.member.keyadded.v1',
  memberKeySuspended: 'liandun.member.keysuspended.v1',
  memberKeyResumed: 'liandun.member.keyresumed.v1',
  memberKeyRevoked: 'liandun.member.keyrevoked.v1',
  memberSubscriptionChanged: 'liandun.member.subscriptionchanged.v1',
  memberAgreementChanged: 'liandun.member.agreementchanged.v1',
  memberSignaturesChanged: 'liandun.member.signatureschanged.v1',
  memberLimitsChanged: 'liandun.member.limitschanged.v1',
  approvalRequested: 'liandun.approval.requested.v1',
  approvalGranted: 'liandun.approval.granted.v1',
  approvalRefused: 'liandun.approval.refused.v1',
  matcherActivated: 'liandun.matcher.activated.v1',
  entityLinked: 'liandun.entity.linked.v1',
  entityMerged: 'liandun.entity.merged.v1',
  entitySplit: 'liandun.entity.split.v1',
  entityRelated: 'liandun.entity.related.v1',
  entityUnrelated: 'liandun.entity.unrelated.v1',
  reviewDecided: 'liandun.review.decided.v1',
  reviewUndone: 'liandun.review.undone.v1',
  reasonCodesChanged: 'liandun.reasoncodes.changed.v1',
  publisherLowered: 'liandun.publisher.lowered.v1',
  publisherRestored: 'liandun.publisher.restored.v1',
  caseHeld: 'liandun.case.held.v1',
  floodDecided: 'liandun.flood.decided.v1',
  caseDeadlineSet: 'liandun.case.deadlineset.v1',
  caseReleased: 'liandun.case.released.v1',
  caseReminder: 'liandun.case.reminder.v1',
  listingExpired: 'liandun.listing.expired.v1',
  listingOverridden: 'liandun.listing.overridden.v1',
  appealFiled: 'liandun.appeal.filed.v1',
  appealDeadlineSet: 'liandun.appeal.deadline.v1',
  appealDecided: 'liandun.appeal.decided.v1',
  listingStayed: 'liandun.listing.stayed.v1',
  listingMalicious: 'liandun.listing.malicious.v1',
  noticeIssued: 'liandun.notice.issued.v1',
  noticeErased: 'liandun.notice.erased.v1',
  noticeReminder: 'liandun.notice.reminder.v1',
  screeningMade: 'liandun.screening.made.v1',
  screeningDecided: 'liandun.screening.decided.v1',
  screeningMatched: 'liandun.screening.matched.v1',
  readAudited: 'liandun.read.audited.v1',
  subjectErased: 'liandun.subject.erased.v1',
  alarmRaised: 'liandun.alarm.raised.v1',
  subjectStated: 'liandun.subject.stated.v1',
} as const;

export const EVENT_TYPES = { ...SUBMITTED_TYPES, ...OUTCOME_TYPES } as const;

export type SubmittedType = (typeof SUBMITTED_TYPES)[keyof typeof SUBMITTED_TYPES];
export type OutcomeType = (typeof OUTCOME_TYPES)[keyof typeof OUTCOME_TYPES];
export type EventType = SubmittedType | OutcomeType;

/** The `source` of what the ledger itself appends. */
export const LEDGER_SOURCE = 'urn:liandun:ledger';

const MEMBER_SOURCE = 'urn:liandun:member:';

/** The CloudEvents `source` of a member. */
export const memberSource = (memberId: string): string => `${MEMBER_SOURCE}${memberId}`;

/** The member behind a CloudEvents `source`; undefined for the ledger's own and for anything else. */
export const memberOfSource = (source: string): string | undefined =>
  source.startsWith(MEMBER_SOURCE) ? source.slice(MEMBER_SOURCE.length) : undefined;
