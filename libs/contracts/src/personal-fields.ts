// Which values of an event are personal data: the one table that the vault, the inbox and the redaction go by.
// Legal names are the official ones without 中华人民共和国. PIPL = 个人信息保护法.
import type { SubjectKind } from './payloads.events.js';

interface Classification {
  /** `natural`: where the subject is a person or a sole proprietor, who is protected like one. */
  personal: 'always' | 'natural' | 'never';
  law: string;
}

// PIPL 第4条: what relates to an identified or identifiable natural person. A sole proprietor trades under his own
// identity, so what identifies the business identifies him (rule P08, glossary 个体工商户).
const OF_A_NATURAL_PERSON = '个人信息保护法 第4条';
const REGISTER_DATA = '企业信息公示暂行条例 第6条; 电子商务法 第15条';
const PSEUDONYMOUS =
  '个人信息保护法 第51条 (an opaque id of the member, refused where it looks like a number of a person)';
const OFFICIAL_ACT = '行政处罚法 第48条';
const FACT_OF_THE_CASE = '个人信息保护法 第8条; 行政处罚法 第44条 (facts, reasons and basis; no person is named)';
const STOREFRONT = '电子商务法 第15条 (what a shop shows to everybody)';

const always = (law: string): Classification => ({ personal: 'always', law });
const natural = (law: string): Classification => ({ personal: 'natural', law });
const never = (law: string): Classification => ({ personal: 'never', law });

const IDENTITY: Readonly<Record<string, Classification>> = {
  'identity.kind': never(FACT_OF_THE_CASE),
  'identity.name': natural(`${OF_A_NATURAL_PERSON}; of organizations ${REGISTER_DATA}`),
  'identity.uscc': natural(`${OF_A_NATURAL_PERSON}; of organizations ${REGISTER_DATA}`),
  'identity.registrationNumber': natural(`${OF_A_NATURAL_PERSON}; of organizations ${REGISTER_DATA}`),
  'identity.residentId': always(OF_A_NATURAL_PERSON),
  'identity.legalRepresentative.name': always(OF_A_NATURAL_PERSON),
  'identity.legalRepresentative.residentId': always(OF_A_NATURAL_PERSON),
  'identity.phones': always(OF_A_NATURAL_PERSON),
  'identity.emails': always(OF_A_NATURAL_PERSON),
  // PIPL 第28条 counts financial accounts as sensitive.
  'identity.bankAccounts': always('个人信息保护法 第28条'),
  'identity.address': natural(`${OF_A_NATURAL_PERSON}; of organizations ${REGISTER_DATA}`),
  'identity.regionCode': never('GB/T 2260: a district of many people singles out nobody (个人信息保护法 第4条)'),
  'identity.verifiedAt': never(FACT_OF_THE_CASE),
};

/** Every leaf of every submitted payload by its path, without array indexes, with the law that says why. */
export const PERSONAL_FIELDS: Readonly<Record<string, Classification>> = {
  ...IDENTITY,
  // Whose identity was stolen. The kind of the case's own subject says nothing of it, so its number and name always count.
  ...Object.fromEntries(
    Object.entries(IDENTITY).map(([path, { personal, law }]) => [
      `victim.${path}`,
      personal === 'never' ? never(law) : always(law),
    ]),
  ),
  // An account on a platform leads to the streamer behind it, also where an agency is the subject.
  'accounts.accountId': always(OF_A_NATURAL_PERSON),
  'accounts.platform': never(STOREFRONT),
  'accounts.role': never(FACT_OF_THE_CASE),
  'shops.shopId': never(STOREFRONT),
  'shops.name': never(STOREFRONT),
  'shops.url': never(STOREFRONT),
  merchantId: never(PSEUDONYMOUS),
  decidedBy: never(PSEUDONYMOUS),
  delistingId: never(PSEUDONYMOUS),
  reportId: never(PSEUDONYMOUS),
  caseId: never(PSEUDONYMOUS),
  listingId: never(PSEUDONYMOUS),
  noticeId: never(PSEUDONYMOUS),
  decisionNo: never(OFFICIAL_ACT),
  list: never(OFFICIAL_ACT),
  until: never(OFFICIAL_ACT),
  'proof.decisionNo': never(OFFICIAL_ACT),
  'proof.ordersStop': never(OFFICIAL_ACT),
  'proof.standard': never(FACT_OF_THE_CASE),
  'proof.evidence.sha256': never(FACT_OF_THE_CASE),
  'proof.evidence.mediaType': never(FACT_OF_THE_CASE),
  'proof.evidence.capturedAt': never(FACT_OF_THE_CASE),
  'proof.evidence.uri': never(FACT_OF_THE_CASE),
  'attestation.grounds': never(FACT_OF_THE_CASE),
  'attestation.evidence': never(FACT_OF_THE_CASE),
  'attestation.code': never(FACT_OF_THE_CASE),
  'attestation.terminated': never(FACT_OF_THE_CASE),
  notifiedAt: never(FACT_OF_THE_CASE),
  notifiedBy: never(PSEUDONYMOUS),
  'hearing.notifiedAt': never(FACT_OF_THE_CASE),
  'hearing.endedAt': never(FACT_OF_THE_CASE),
  'hearing.answer': never(FACT_OF_THE_CASE),
  'emergency.name': never(FACT_OF_THE_CASE),
  'emergency.from': never(FACT_OF_THE_CASE),
  'emergency.to': never(FACT_OF_THE_CASE),
  'reason.code': never(FACT_OF_THE_CASE),
  appealUrl: never(FACT_OF_THE_CASE),
  automated: never(FACT_OF_THE_CASE),
  cause: never(FACT_OF_THE_CASE),
  decidedAt: never(FACT_OF_THE_CASE),
  decision: never(FACT_OF_THE_CASE),
  expiresAt: never(FACT_OF_THE_CASE),
  itemRule: never(FACT_OF_THE_CASE),
  openOrders: never(FACT_OF_THE_CASE),
  reasonCode: never(FACT_OF_THE_CASE),
  status: never(FACT_OF_THE_CASE),
  subject: never(FACT_OF_THE_CASE),
  terminatedAt: never(FACT_OF_THE_CASE),
  urgency: never(FACT_OF_THE_CASE),
};

/**
 * Whether the value at `path` of an event about a subject of this kind is personal data. The path is that of the event's
 * `data`, joined by dots, without array indexes: `identity.legalRepresentative.name`, `accounts.accountId`. A path that
 * the table doesn't know is personal: what nobody has classified stays out of the log.
 */
export function isPersonal(kind: SubjectKind, path: string): boolean {
  const personal = PERSONAL_FIELDS[path]?.personal ?? 'always';
  return personal === 'always' || (personal === 'natural' && kind !== 'organization');
}

/** Whether an event's data holds any personal value, so that it may travel over Kafka only encrypted. */
export function holdsPersonalData(data: unknown): boolean {
  const kind = (data as { identity?: { kind?: SubjectKind } } | null)?.identity?.kind ?? 'person';
  const holds = (value: unknown, path: string): boolean => {
    if (Array.isArray(value)) return value.some((item) => holds(item, path));
    if (typeof value !== 'object' || value === null) return value !== undefined && isPersonal(kind, path);
    return Object.entries(value).some(([key, child]) => holds(child, path ? `${path}.${key}` : key));
  };
  return holds(data, '');
}
