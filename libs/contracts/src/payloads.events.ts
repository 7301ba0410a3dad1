// The events that members send, one class each: the single declaration that validation, JSON Schema, OpenAPI and
// the types are derived from (design section 3, "Events in").

export const SUBJECT_KINDS = ['organization', 'soleProprietor', 'person'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export class LegalRepresentative {
  name?: string;
  residentId?: string;
}

export class Identity {
  kind: SubjectKind;
  name: string;
  uscc?: string;
  registrationNumber?: string;
  residentId?: string;
  legalRepresentative?: LegalRepresentative;
  phones?: string[];
  emails?: string[];
  bankAccounts?: string[];
  address?: string;
  regionCode?: string;
  verifiedAt?: string;
}

export class Shop {
  shopId: string;
  name: string;
  url: string;
}

export const ACCOUNT_ROLES = ['streamer', 'roomOperator', 'mcn', 'shop'] as const;

export class Account {
  platform: string;
  accountId: string;
  role: (typeof ACCOUNT_ROLES)[number];
}

export const PROOF_STANDARDS = ['administrativeDecision', 'judgment', 'registerPush', 'platformFinding'] as const;
export type ProofStandard = (typeof PROOF_STANDARDS)[number];

export class Evidence {
  sha256: string;
  mediaType: string;
  capturedAt: string;
  uri?: string;
}

export class Proof {
  standard: ProofStandard;
  decisionNo?: string;
  ordersStop?: boolean;
  evidence: Evidence[];
}

export class Attestation {
  grounds: boolean;
  evidence: boolean;
  code: boolean;
  terminated: boolean;
}

export class Hearing {
  notifiedAt: string;
  endedAt: string;
  answer: 'none' | 'considered';
}

export class Emergency {
  name: string;
  from: string;
  to: string;
}

export class CaseReason {
  code: string;
}

/** What every listing rests on: reason, proof, attestation, decision, way to appeal (rules P02, P04, P06). */
export class Case {
  reason: CaseReason;
  proof: Proof;
  attestation: Attestation;
  decidedAt: string;
  decidedBy: string;
  appealUrl: string;
  expiresAt?: string;
  hearing?: Hearing;
  urgency?: 'fraud' | 'danger';
  emergency?: Emergency;
  itemRule?: string;
}

export class MerchantReported {
  merchantId: string;
  identity: Identity;
  shops: Shop[];
  status: 'active' | 'closed';
}

export class MerchantDelisted extends Case {
  merchantId: string;
  identity: Identity;
  shops: Shop[];
  terminatedAt: string;
}

export const CAUSES = [
  'appealUpheld',
  'wrongIdentity',
  'wrongFinding',
  'cured',
  'annulled',
  'repaired',
  'removed',
  'judgment',
  'expired',
] as const;
export type Cause = (typeof CAUSES)[number];

export class MerchantReinstated {
  delistingId?: string;
  merchantId?: string;
  cause: Cause;
  decidedAt: string;
  decidedBy: string;
}

export const RISK_SUBJECTS = [
  'streamer',
  'counterfeiter',
  'merchant',
  'professionalClaimant',
  'judgmentDefaulter',
] as const;

export class RiskEntityReported extends Case {
  subject: (typeof RISK_SUBJECTS)[number];
  identity: Identity;
  accounts: Account[];
}

export class RiskEntityWithdrawn {
  reportId: string;
  cause: Cause;
  decidedAt: string;
  decidedBy: string;
}

export class CaseHeard {
  caseId: string;
  hearing: Hearing;
  cause?: 'appealUpheld';
}

export const REGISTRY_LISTS = [
  'revoked',
  'cancelled',
  'abnormalOperation',
  'seriousDishonest',
  'judgmentDefaulter',
] as const;
export type RegistryList = (typeof REGISTRY_LISTS)[number];

export class RegistryListed {
  list: RegistryList;
  identity: Identity;
  decisionNo: string;
  decidedBy: string;
  decidedAt: string;
  until?: string;
}

export class RegistryRemoved {
  list: RegistryList;
  identity: Identity;
  decidedAt: string;
}

export class ListingEnded {
  listingId?: string;
  decisionNo?: string;
  cause: Cause;
  decidedAt: string;
  decidedBy: string;
}

export const DISPOSITIONS = [
  'closed',
  'restricted',
  'alreadyClosed',
  'noShop',
  'underReview',
  'declined',
  'reopened',
] as const;
export type DispositionDecision = (typeof DISPOSITIONS)[number];

export class NoticeDisposed {
  noticeId: string;
  decision: DispositionDecision;
  shops: Shop[];
  decidedAt: string;
  decidedBy: string;
  openOrders?: 'kept' | 'none';
  reasonCode?: string;
}
