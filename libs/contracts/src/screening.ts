// What a platform is told of its inquiries after they were answered, and what it decides of their matches.
import type { CloudEvent } from './envelope.js';
import { LEDGER_SOURCE, OUTCOME_TYPES } from './event-types.js';
import { Count, Doc, Nested, OneOf, OpaqueId, Pattern, Time } from './fields.js';
import { MATCH_GRADES, NoticeReason, type MatchGrade, type NoticePlace } from './notice.js';

export const SCREENING_DECISIONS = ['notSame'] as const;
export type ScreeningDecisionKind = (typeof SCREENING_DECISIONS)[number];

/** The body of POST /v1/screenings/{screeningId}/matches/{listingId}/decision. */
export class ScreeningDecision {
  @Doc('The applicant is not whom the listing is about', '申请人并非列名所涉主体')
  @OneOf(SCREENING_DECISIONS)
  decision: ScreeningDecisionKind;

  @Doc("The deciding person's opaque id", '决定人的内部编号')
  @OpaqueId()
  decidedBy: string;
}

/** What a platform is told once a later listing matches an inquiry of its own. It holds no personal value. */
export class ScreeningMatchedContent {
  @Doc(
    'Dense per member, from 0; a count apart from the seq of notices',
    '按成员连续编号，从 0 开始；与通知序号相互独立',
  )
  @Count()
  no: number;

  @Doc('The inquiry, as it was answered', '原审查编号')
  @OpaqueId()
  screeningId: string;

  @Doc('The listing that matches it now', '现匹配的列名')
  @OpaqueId()
  listingId: string;

  @Doc(
    'How sure the match is; with possible a person has to look (rule P14)',
    '匹配程度；possible 须人工核对（规则 P14）',
  )
  @OneOf(MATCH_GRADES)
  grade: MatchGrade;

  @Doc('Why the merchant is listed', '列名事由')
  @Nested(() => NoticeReason)
  reason: NoticeReason;

  @Doc('1 strongest, 2 a platform decision, 3 advice only', '1 最强，2 平台决定，3 仅供参考')
  @OneOf([1, 2, 3])
  tier: number;

  @Doc('Since when it holds', '生效时间')
  @Time()
  effectiveAt: string;

  @Doc('Until when it holds', '到期时间')
  @Time()
  expiresAt: string;
}

/** Payload of a CloudEvent of type SCREENING_MATCHED_TYPE, on the member's topic and feed. */
export class MatchedScreening extends ScreeningMatchedContent {
  @Doc('Position of its screening.matched entry in the log', '该记录在日志中的位置')
  @Count()
  position: number;

  /** Of its `screening.matched` entry, base64. */
  @Doc('RFC 6962 leaf hash of that entry, base64', '该记录的 RFC 6962 叶哈希，base64')
  @Pattern(/^[A-Za-z0-9+/]{43}=$/)
  leafHash: string;
}

export const SCREENING_MATCHED_TYPE = OUTCOME_TYPES.screeningMatched;

/** The CloudEvent that tells a member of a later match; its fields stand in one fixed order. Pure. */
export function screeningMatchedEvent(
  member: string,
  { no, screeningId, listingId, grade, reason, tier, effectiveAt, expiresAt }: ScreeningMatchedContent,
  { position, leafHash, acceptedAt }: NoticePlace,
): CloudEvent<MatchedScreening> {
  const { code, labelZh, labelEn, legalBasis } = reason;
  return {
    specversion: '1.0',
    id: `${member}.matched.${no}`,
    source: LEDGER_SOURCE,
    type: SCREENING_MATCHED_TYPE,
    time: acceptedAt,
    datacontenttype: 'application/json',
    data: {
      no,
      screeningId,
      listingId,
      grade,
      reason: { code, labelZh, labelEn, legalBasis: [...legalBasis] },
      tier,
      effectiveAt,
      expiresAt,
      position,
      leafHash,
    },
  };
}
