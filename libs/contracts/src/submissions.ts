import type { CloudEvent } from './envelope.js';
import { SUBMITTED_TYPES, type SubmittedType } from './event-types.js';
import type { MemberRole } from './outcomes.js';
import {
  CaseHeard,
  CaseNotified,
  ListingEnded,
  MerchantDelisted,
  MerchantReinstated,
  MerchantReported,
  NoticeDisposed,
  RegistryListed,
  RegistryRemoved,
  RiskEntityReported,
  RiskEntityWithdrawn,
} from './payloads.events.js';

const PLATFORM: readonly MemberRole[] = ['platform'];
const REGULATOR: readonly MemberRole[] = ['regulator'];
const BOTH: readonly MemberRole[] = ['platform', 'regulator'];

/** Every type that members send, with its payload and who may send it (design section 3, "Events in"). */
export const SUBMISSIONS = {
  [SUBMITTED_TYPES.merchantReported]: { payload: MerchantReported, from: PLATFORM },
  [SUBMITTED_TYPES.merchantDelisted]: { payload: MerchantDelisted, from: PLATFORM },
  [SUBMITTED_TYPES.merchantReinstated]: { payload: MerchantReinstated, from: PLATFORM },
  [SUBMITTED_TYPES.riskEntityReported]: { payload: RiskEntityReported, from: BOTH },
  [SUBMITTED_TYPES.riskEntityWithdrawn]: { payload: RiskEntityWithdrawn, from: BOTH },
  [SUBMITTED_TYPES.caseHeard]: { payload: CaseHeard, from: BOTH },
  [SUBMITTED_TYPES.caseNotified]: { payload: CaseNotified, from: BOTH },
  [SUBMITTED_TYPES.registryListed]: { payload: RegistryListed, from: REGULATOR },
  [SUBMITTED_TYPES.registryRemoved]: { payload: RegistryRemoved, from: REGULATOR },
  [SUBMITTED_TYPES.listingEnded]: { payload: ListingEnded, from: REGULATOR },
  [SUBMITTED_TYPES.noticeDisposed]: { payload: NoticeDisposed, from: PLATFORM },
} as const satisfies Record<SubmittedType, object>;

export type PayloadOf<T extends SubmittedType> = InstanceType<(typeof SUBMISSIONS)[T]['payload']>;
export type Payload = PayloadOf<SubmittedType>;

/** A submitted event whose `type` tells its payload. */
export type Submission = { [T in SubmittedType]: CloudEvent<PayloadOf<T>> & { type: T } }[SubmittedType];

export const isSubmittedType = (type: string): type is SubmittedType => Object.hasOwn(SUBMISSIONS, type);
