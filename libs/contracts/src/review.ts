// Who is who, where a person has to say it: what is decided of two observations, on what ground, and how it is undone.
import type { AppealEvidence } from './appeal.js';
import { DecisionNo, Doc, NestedList, OneOf, OpaqueId, Optional, Time } from './fields.js';
import { EVIDENCE_MAX, StatementEvidence } from './subject.js';

export const REVIEW_DECISIONS = ['same', 'different', 'unsure'] as const;
export type ReviewDecisionKind = (typeof REVIEW_DECISIONS)[number];

interface Ground {
  /** The decisions that it may stand for. */
  for: readonly ReviewDecisionKind[];
  en: string;
  zh: string;
}

/** On what a decision rests: a closed list, since no free text is shared (rule P03). */
export const REVIEW_GROUNDS = {
  licenceSeen: { for: ['same', 'different'], en: 'the business licences were compared', zh: '已核对营业执照' },
  registerChecked: { for: ['same', 'different'], en: 'the register was consulted', zh: '已查询登记信息' },
  documentsSeen: { for: ['same', 'different'], en: 'identity documents were compared', zh: '已核对身份证件' },
  contactConfirmed: { for: ['same', 'different'], en: 'the merchant confirmed it', zh: '已向商户核实' },
  renamed: { for: ['same'], en: 'the register shows a change of name', zh: '登记显示名称变更' },
  ownersDiffer: { for: ['different'], en: 'the owners are different', zh: '经营者不同' },
  numberReassigned: { for: ['different'], en: 'the phone or account passed to another', zh: '号码或账户已转归他人' },
  sharedAgency: { for: ['different'], en: 'only an agency is shared', zh: '仅共用代理机构' },
  sharedPremises: { for: ['different'], en: 'only the premises are shared', zh: '仅共用经营场所' },
  identityMisused: { for: ['different'], en: 'one of them used the identity of the other', zh: '一方冒用另一方身份' },
  registerSilent: { for: ['unsure'], en: 'the register does not tell', zh: '登记信息不足以判断' },
  documentsAwaited: { for: ['unsure'], en: 'documents are awaited', zh: '等待补充材料' },
} as const satisfies Record<string, Ground>;
export type ReviewGround = keyof typeof REVIEW_GROUNDS;

/** Why a decision is undone. */
export const UNDO_GROUNDS = {
  decidedWrongly: { en: 'it was decided wrongly', zh: '原决定有误' },
  newEvidence: { en: 'new evidence has come', zh: '出现新证据' },
  appealUpheld: { en: 'an appeal was upheld', zh: '申诉成立' },
} as const;
export type UndoGround = keyof typeof UNDO_GROUNDS;

/** How long `unsure` keeps a pair out of the queue, unless told, and at most. */
export const UNSURE_DAYS = 30;
export const UNSURE_DAYS_MAX = 365;

/** The body of POST /v1/reviews/{reviewId}/decision. */
export class ReviewDecision {
  @Doc('Whether the two are one merchant', '两者是否为同一主体')
  @OneOf(REVIEW_DECISIONS)
  decision: ReviewDecisionKind;

  @Doc('On what the decision rests', '决定依据')
  @OneOf(Object.keys(REVIEW_GROUNDS))
  ground: ReviewGround;

  @Doc('Number of the case', '案件编号')
  @DecisionNo()
  caseNo: string;

  @Doc("The deciding person's opaque id", '决定人的内部编号')
  @OpaqueId()
  reviewer: string;

  @Doc(
    `Only with unsure: when the pair comes back; ${UNSURE_DAYS} days unless told, ${UNSURE_DAYS_MAX} at most`,
    `仅用于 unsure：重新进入队列的时间；默认 ${UNSURE_DAYS} 日，最长 ${UNSURE_DAYS_MAX} 日`,
  )
  @Optional()
  @Time()
  expiresAt?: string;

  @Doc('What was looked at, by the hashes of the files', '所审阅材料的哈希')
  @Optional()
  @NestedList(() => StatementEvidence, EVIDENCE_MAX)
  evidence?: StatementEvidence[];
}

/** The body of POST /v1/reviews/{reviewId}/undo. */
export class ReviewUndo {
  @Doc('Why the decision is undone', '撤销依据')
  @OneOf(Object.keys(UNDO_GROUNDS))
  ground: UndoGround;

  @Doc('Number of the case', '案件编号')
  @DecisionNo()
  caseNo: string;

  @Doc("The deciding person's opaque id", '决定人的内部编号')
  @OpaqueId()
  reviewer: string;

  @Doc('What was looked at, by the hashes of the files', '所审阅材料的哈希')
  @Optional()
  @NestedList(() => StatementEvidence, EVIDENCE_MAX)
  evidence?: StatementEvidence[];
}

export const APPROVAL_DECISIONS = ['approve', 'refuse'] as const;

/** The body of POST /v1/approvals/{approvalId}: a second person's word. */
export class ApprovalDecision {
  @Doc('What is said to the request', '审批意见')
  @OneOf(APPROVAL_DECISIONS)
  decision: (typeof APPROVAL_DECISIONS)[number];

  @Doc(
    "Of a review, and of nothing else: the second person's opaque id, another than the first's",
    '仅用于复核，且必填：第二人的内部编号，须与第一人不同',
  )
  @Optional()
  @OpaqueId()
  reviewer?: string;
}

/** The two observations that something is decided of, by the positions of their entries. */
export interface ReviewPair {
  /** `R<a>-<b>` */
  reviewId: string;
  /** The older one. */
  a: number;
  b: number;
}

/** What a second person approved. */
interface Approved {
  /** Accounts whose shops it would close or reopen, as it was shown when it was decided. */
  accounts: number;
  approvalId?: string;
  /** Another member than `decidedBy`. */
  approvedBy?: string;
  /** The second person's opaque id, another than `reviewer`; decisions of the first days don't name one. */
  approver?: string;
}

/** What the decision rests on besides its ground: files, by their hashes. */
interface Borne {
  evidence?: AppealEvidence[];
}

/** What a regulator decided of two observations, and thereby of the entities that they are of. */
export interface ReviewDecided extends ReviewPair, Approved, Borne {
  decision: ReviewDecisionKind;
  ground: ReviewGround;
  caseNo: string;
  /** The member. */
  decidedBy: string;
  reviewer: string;
  /** Of `unsure`, and of nothing else. */
  expiresAt?: string;
}

/** What was decided of two observations holds no more. */
export interface ReviewUndone extends ReviewPair, Approved, Borne {
  /** What it undoes. */
  decision: ReviewDecisionKind;
  ground: UndoGround;
  caseNo: string;
  decidedBy: string;
  reviewer: string;
}

type Proposed<T> = Omit<T, 'decidedBy' | 'approvalId' | 'approvedBy' | 'approver'>;

/** A decision, or the undoing of one, that waits for a second person: shops would close, or reopen. */
export type ReviewChange =
  | ({ action: 'decideReview'; memberId: string } & Proposed<ReviewDecided>)
  | ({ action: 'undoReview'; memberId: string } & Proposed<ReviewUndone>);

/** The id of the review of two observations. */
export const reviewIdOf = (a: number, b: number): string => `R${Math.min(a, b)}-${Math.max(a, b)}`;

/** The positions that a review's id names; undefined for any other text. */
export function pairOfReview(reviewId: string): ReviewPair | undefined {
  const [, first, second] = /^R(\d{1,15})-(\d{1,15})$/.exec(reviewId) ?? [];
  const [a, b] = [Number(first), Number(second)];
  return a < b && reviewIdOf(a, b) === reviewId ? { reviewId, a, b } : undefined;
}
