// On what each recipient is told anything: its contract, its impact assessment, and the basis of each field (rule P16).

/**
 * What a disclosure consists of, as far as a basis is needed for it; the recipient's own accounts and the numbering of its
 * notices are none. `person`: the masked name of a person or sole proprietor. `screening`: masked values in screening answers.
 */
export const DISCLOSED_FIELDS = ['organization', 'person', 'match', 'reason', 'screening'] as const;
export type DisclosedField = (typeof DISCLOSED_FIELDS)[number];

/** 个人信息保护法 第13、23条: a law's article, a consent's version, an order's number; a contract for what is no personal data. */
export const BASIS_KINDS = ['article', 'consent', 'order', 'contract'] as const;
export type BasisKind = (typeof BASIS_KINDS)[number];

/** Fields about natural persons: a contract between the ledger and the recipient is no basis for these. */
export const PERSONAL_DISCLOSURES: readonly DisclosedField[] = ['person', 'screening'];

/** The basis of one field: `ref` is the article, the consent's version, the order's or the contract's number. */
export interface Basis {
  kind: BasisKind;
  ref: string;
}

/** What a member's disclosures rest on. */
export interface Agreement {
  contractId: string;
  /** Of the impact assessment (个人信息保护法 第55、56条). */
  assessmentId: string;
  /** RFC 3339: until when the assessment is current. */
  assessedUntil: string;
  bases: Partial<Record<DisclosedField, Basis>>;
}

/** What stands in the way of telling a member something. */
export const BASIS_REFUSALS = ['noAgreement', 'assessmentExpired', 'noBasis'] as const;
export type BasisRefusal = (typeof BASIS_REFUSALS)[number];

/** What a member without agreement is told of itself, and the administrators of it. */
export const BASIS_TEXTS: Record<BasisRefusal, readonly [en: string, zh: string]> = {
  noAgreement: [
    'The member receives no notice and no screening answer until it has an agreement (POST /v1/members/{memberId}/agreement).',
    '该成员在签署协议（POST /v1/members/{memberId}/agreement）之前，收不到任何通知和审查结果。',
  ],
  assessmentExpired: [
    'The impact assessment has expired: the member receives nothing until a current one is recorded.',
    '个人信息保护影响评估已到期：登记有效的评估之前，该成员收不到任何内容。',
  ],
  noBasis: [
    'Some fields have no basis: what contains them is not sent to the member.',
    '部分字段没有依据：含有这些字段的内容不向该成员发送。',
  ],
};
