// What a subject says against a listing, and what is decided of it: one appeal, effective everywhere (rule P07).
import { Count, DecisionNo, Doc, OneOf, OpaqueId, Optional, Pattern, STATEMENT, Time } from './fields.js';
import { CAUSES, type Cause } from './payloads.events.js';

/** On what an appeal rests: a closed list. */
export const APPEAL_GROUNDS = {
  notMe: { en: 'the listing is about somebody else', zh: '列名所涉并非本人' },
  wrongFinding: { en: 'what was found is wrong', zh: '认定的事实有误' },
  cured: { en: 'what was found has been put right', zh: '问题已整改' },
  decisionChanged: { en: 'the official decision was changed or annulled', zh: '所依据的决定已变更或撤销' },
  disproportionate: { en: 'the measure or its term is out of proportion', zh: '措施或期限过当' },
} as const satisfies Record<string, { en: string; zh: string }>;
export type AppealGround = keyof typeof APPEAL_GROUNDS;

/** How whoever appeals has proved who he is. */
export const APPEAL_PROOFS = ['code', 'signedStatement'] as const;
export type AppealProof = (typeof APPEAL_PROOFS)[number];

export const APPEAL_DECISIONS = ['upheld', 'overturned', 'corrected'] as const;
/** Of the listing: it stands as it is, it ends, or it ends earlier. */
export type AppealDecisionKind = (typeof APPEAL_DECISIONS)[number];

/** Why a deadline is paused or extended. */
export const DEADLINE_REASONS = {
  evidenceAwaited: { en: 'evidence that was asked for is awaited', zh: '等待补充证据' },
  examination: { en: 'an inspection, test or expert opinion is under way', zh: '检验、检测、检疫或者鉴定期间' },
  officialProceedings: { en: 'an authority or court decides on the same facts', zh: '有关机关正在处理同一事实' },
  subjectAsked: { en: 'the subject asked for more time', zh: '当事人申请' },
  forceMajeure: { en: 'nobody could act', zh: '不可抗力' },
} as const;
export type DeadlineReason = keyof typeof DEADLINE_REASONS;

export const DEADLINE_ACTIONS = ['pause', 'resume', 'extend'] as const;
export type DeadlineAction = (typeof DEADLINE_ACTIONS)[number];

interface AboutAppeal {
  appealId: string;
  listingId: string;
  /** The CloudEvents id of the listing's filing. */
  caseId: string;
}

/** A text that stands in the vault. */
interface Sealed {
  commitment: string;
}

/** A file of evidence, by its digest. */
export interface AppealEvidence {
  sha256: string;
  mediaType: string;
}

/** Its subject objects to a listing: the listing is disputed from now on. */
export interface AppealFiled extends AboutAppeal {
  grounds: AppealGround;
  /** In the subject's words; in the clear only before it is sealed. */
  statement?: string | Sealed;
  evidence: AppealEvidence[];
  proved: AppealProof;
  filedAt: string;
}

/** Until when an appeal is to be decided, with its computation; set when it is filed, and again at each change. */
export interface AppealDeadlineSet extends AboutAppeal {
  /** RFC 3339: it was filed. */
  from: string;
  /** RFC 3339, the end of the last day in China; absent while it is paused. */
  due?: string;
  term: { count: number; unit: 'workingDay' | 'day' };
  days: { date: string; verdict: string; name?: string }[];
  calendar: string;
  unknownYears: number[];
  pauses: { from: string; until?: string; reason: string }[];
  extensions: { days: number; reason: string }[];
  /** Who changed it; absent where it was set with the appeal. */
  by?: string;
  reviewer?: string;
  caseNo?: string;
}

/** What was decided of an appeal, on every platform at once. */
export interface AppealDecided extends AboutAppeal {
  decision: AppealDecisionKind;
  /** Of `overturned`: why it ends. */
  cause?: Cause;
  /** Of `corrected`: its earlier end. */
  expiresAt?: string;
  /** Written reasons; in the clear only before they are sealed. */
  reasons: string | Sealed;
  /** The deciding person's opaque id at the member `by`; never who decided on the listing (rule P08). */
  decidedBy: string;
  by: string;
  decidedAt: string;
}

/** A listing's effects are suspended everywhere until its appeal is decided. */
export interface ListingStayed extends AboutAppeal {
  by: 'deadline' | 'reviewer';
  /** Of `deadline`: what ran out, and the working days by which it was counted. */
  due?: string;
  calendar?: string;
  /** Of `reviewer`: why, in the clear only before it is sealed; the person's opaque id, and at which member. */
  reasons?: string | Sealed;
  decidedBy?: string;
  member?: string;
}

/** The body of POST /v1/appeals/{appealId}/stay. */
export class AppealStay {
  @Doc('Opaque id of the person who suspends the listing', '决定暂停执行的人员的内部编号')
  @OpaqueId()
  decidedBy: string;

  @Doc(
    'Written reasons, for the subject, the publisher and regulators; they are sealed and reach nobody else',
    '书面理由，仅供当事人、列名方和监管机构查阅，加密保存',
  )
  @Pattern(STATEMENT)
  reasons: string;
}

/** The body of POST /v1/appeals/{appealId}/decision. */
export class AppealDecision {
  @Doc(
    'Of the listing: upheld, it stands; overturned, it ends; corrected, it ends earlier',
    '对列名的决定：upheld 维持；overturned 撤销；corrected 提前到期',
  )
  @OneOf(APPEAL_DECISIONS)
  decision: AppealDecisionKind;

  @Doc(
    'Opaque id of the person who decided; never who decided on the listing (rule P08)',
    '复核人的内部编号；不得为作出原决定的人（规则 P08）',
  )
  @OpaqueId()
  decidedBy: string;

  @Doc(
    'Written reasons, for the subject, the publisher and regulators; they are sealed and reach nobody else',
    '书面理由，仅供当事人、列名方和监管机构查阅，加密保存',
  )
  @Pattern(STATEMENT)
  reasons: string;

  @Doc('Only with overturned: why it ends; appealUpheld unless told', '仅用于 overturned：终止原因，默认 appealUpheld')
  @Optional()
  @OneOf(CAUSES)
  cause?: Cause;

  @Doc('Only with corrected: the earlier end', '仅用于 corrected：提前后的到期时间')
  @Optional()
  @Time()
  expiresAt?: string;
}

/** The body of POST /v1/appeals/{appealId}/deadline and POST /v1/cases/{listingId}/deadline. */
export class DeadlineChange {
  @Doc('Whether the time stops, goes on, or becomes longer', '中止、恢复或延长期限')
  @OneOf(DEADLINE_ACTIONS)
  action: DeadlineAction;

  @Doc('With pause and extend: why', '用于 pause 和 extend：事由')
  @Optional()
  @OneOf(Object.keys(DEADLINE_REASONS))
  reason?: DeadlineReason;

  @Doc('With extend: by how many days, 30 in all', '用于 extend：延长日数，累计不超过 30')
  @Optional()
  @Count()
  days?: number;

  @Doc('Number of the case', '案件编号')
  @DecisionNo()
  caseNo: string;

  @Doc("The deciding person's opaque id", '决定人的内部编号')
  @OpaqueId()
  reviewer: string;
}

/** Pointers to what of an appeal's outcomes is sealed in the vault. */
export const APPEAL_TEXTS = { filed: ['/statement'], stayed: ['/reasons'], decided: ['/reasons'] } as const;

/** The id of the appeal that the event with this id files. */
export const APPEAL_ID = /^A[0-9a-f]{32}$/;
