import type { Agreement, BasisRefusal, DisclosedField, NoticeContent, SubjectKind } from '@liandun/contracts';

/** What of a notice needs a basis. The others number it, or are the receiver's own. */
const DISCLOSED_BY_NOTICE = {
  noticeId: undefined,
  seq: undefined,
  action: 'reason',
  listingId: undefined,
  stillListed: 'reason',
  // An organization's name and credit code are public; of others the masked name.
  entity: 'subject',
  merchantIds: undefined,
  shops: undefined,
  match: 'match',
  reason: 'reason',
  tier: 'reason',
  autoClosable: 'reason',
  effectiveAt: 'reason',
  expiresAt: 'reason',
  respondBy: undefined,
  victimProtected: 'reason',
  erased: undefined,
  status: 'reason',
} as const satisfies Record<keyof NoticeContent, DisclosedField | 'subject' | undefined>;

const DISCLOSED = [...new Set(Object.values(DISCLOSED_BY_NOTICE))].filter((field) => field !== undefined);

const subjectOf = (kind: SubjectKind): DisclosedField => (kind === 'organization' ? 'organization' : 'person');

/** The fields of a notice about a subject of this kind that each need a basis. */
export const noticeFields = (kind: SubjectKind): DisclosedField[] =>
  DISCLOSED.map((field) => (field === 'subject' ? subjectOf(kind) : field));

/** The same of the answer to an inquiry. */
export const screeningFields = (kind: SubjectKind): DisclosedField[] => [...noticeFields(kind), 'screening'];

/**
 * Why a member may not be told these fields at `at` (RFC 3339), undefined where it may: it needs a contract, an impact
 * assessment that is current, and a basis for each of them (rule P16; 个人信息保护法 第13、23、55条).
 */
export function basisRefusal(
  agreement: Agreement | undefined,
  fields: readonly DisclosedField[],
  at: string,
): BasisRefusal | undefined {
  if (!agreement) return 'noAgreement';
  if (Date.parse(agreement.assessedUntil) <= Date.parse(at)) return 'assessmentExpired';
  return fields.every((field) => agreement.bases[field] !== undefined) ? undefined : 'noBasis';
}

/** Whether anything is sent to a member now, and which fields have no basis. */
export interface Delivery {
  open: boolean;
  because?: BasisRefusal;
  /** Fields without a basis: what contains them isn't sent. */
  missing: DisclosedField[];
}

/** What administrators are told of a platform: whether notices of anybody go to it at `at` (RFC 3339). */
export function deliveryOf(agreement: Agreement | undefined, at: string): Delivery {
  const kinds: SubjectKind[] = ['organization', 'person'];
  const fields = new Set(kinds.flatMap(screeningFields));
  const missing = [...fields].filter((field) => agreement?.bases[field] === undefined);
  const refusals = kinds.map((kind) => basisRefusal(agreement, noticeFields(kind), at));
  const open = refusals.includes(undefined);
  const because = open ? (missing.length > 0 ? 'noBasis' : undefined) : refusals[0];
  return { open, ...(because && { because }), missing };
}
