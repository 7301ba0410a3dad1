import type { CloudEvent } from './envelope.js';
import { LEDGER_SOURCE, OUTCOME_TYPES } from './event-types.js';
import {
  Count,
  Doc,
  Flag,
  ID_PATTERN,
  Line,
  List,
  Nested,
  NestedList,
  OneOf,
  OpaqueId,
  Optional,
  Pattern,
  Time,
} from './fields.js';
import { Shop, SUBJECT_KINDS, type SubjectKind } from './payloads.events.js';

export const NOTICE_TYPE = 'liandun.notice.v1';

export const NOTICE_ACTIONS = [
  'close',
  'restrictAdmission',
  'check',
  'protect',
  'registryStatus',
  'reopen',
  'lift',
  'correct',
  'mark',
] as const;
export type NoticeAction = (typeof NOTICE_ACTIONS)[number];

/** The state of a listing, where it isn't plainly published: an appeal was filed against it, or decided (rule P07). */
export const NOTICE_STATUSES = ['disputed', 'stayed', 'corrected', 'upheld', 'overturned'] as const;
export type NoticeStatus = (typeof NOTICE_STATUSES)[number];

export const MATCH_GRADES = ['exact', 'strong', 'possible'] as const;
export type MatchGrade = (typeof MATCH_GRADES)[number];

/** What two records can agree in. `decided`: a person said that they are the same. */
export const MATCH_FIELDS = [
  'uscc',
  'residentId',
  'registrationNumber',
  'bankAccount',
  'name',
  'phone',
  'email',
  'address',
  'representative',
  'account',
  'shop',
  'decided',
] as const;
export type MatchField = (typeof MATCH_FIELDS)[number];

const ITEMS_MAX = 500;

export class NoticeEntity {
  @Doc('Id of the entity in the ledger', '联盾中的实体编号')
  @OpaqueId()
  entityId: string;

  @Doc('Kind of subject', '主体类型')
  @OneOf(SUBJECT_KINDS)
  kind: SubjectKind;

  /** An organization's name; of a sole proprietor or a person the first character and two stars. */
  @Doc("An organization's name; of others the first character and two stars", '企业名称；其他主体为首字加两个星号')
  @Line(200)
  name: string;

  /** Organizations only. */
  @Doc('Unified social credit code, of organizations only', '统一社会信用代码，仅限企业')
  @Optional()
  @Line(18)
  uscc?: string;
}

export class NoticeMatch {
  @Doc('How sure the match is; possible never closes (rule P14)', '匹配程度；possible 不得据以关店（规则 P14）')
  @OneOf(MATCH_GRADES)
  grade: MatchGrade;

  @Doc('The fields that agreed', '一致的字段')
  @List(ITEMS_MAX)
  @OneOf(MATCH_FIELDS, true)
  because: string[];
}

export class NoticeReason {
  @Doc('Reason code', '事由代码')
  @Pattern(/^[A-Z][0-9]{2}$/)
  code: string;

  @Doc('Label in Chinese', '中文名称')
  @Line(200)
  labelZh: string;

  @Doc('Label in English', '英文名称')
  @Line(200)
  labelEn: string;

  @Doc('Articles of law', '法律依据')
  @List(ITEMS_MAX)
  @Pattern(/^.{1,300}$/u, 'INVALID_FORMAT', true)
  legalBasis: string[];

  @Doc('Version of the table of reason codes that the listing was made under', '列名所依据的事由代码表版本')
  @Optional()
  @Pattern(/^[1-9][0-9]{0,5}$/)
  version?: string;
}

/** What the ledger decided to tell one member; the payload of `notice.issued` besides the member. */
export class NoticeContent {
  /** `<member>.<seq>` */
  @Doc('<member>.<seq>', '<成员>.<序号>')
  @OpaqueId()
  noticeId: string;

  /** Dense per member, from 0. */
  @Doc('Dense per member, from 0', '按成员连续编号，从 0 开始')
  @Count()
  seq: number;

  @Doc('What is recommended; the receiver decides (rule P01)', '建议的处置；由接收方自行决定（规则 P01）')
  @OneOf(NOTICE_ACTIONS)
  action: NoticeAction;

  @Doc('The listing that the notice is about', '通知所涉列名')
  @OpaqueId()
  listingId: string;

  /** Whether another listing still covers the merchant. */
  @Doc('Whether another listing still covers the merchant', '是否仍有其他列名覆盖该商户')
  @Flag()
  stillListed: boolean;

  @Doc('Whom it is about', '所涉主体')
  @Nested(() => NoticeEntity)
  entity: NoticeEntity;

  /** The receiver's own ids of the merchant's accounts; empty where it doesn't host the merchant. */
  @Doc(
    "The receiver's own ids of the merchant's accounts; empty where it hosts none",
    '接收方平台内的商户编号；未入驻时为空',
  )
  @List(ITEMS_MAX)
  @Pattern(/^.{1,128}$/u, 'INVALID_FORMAT', true)
  merchantIds: string[];

  /** The receiver's own shops only. */
  @Doc("The receiver's own shops only", '仅接收方自己的店铺')
  @NestedList(() => Shop, ITEMS_MAX)
  shops: Shop[];

  @Doc('Why the ledger takes it to be the same merchant', '判定为同一商户的依据')
  @Nested(() => NoticeMatch)
  match: NoticeMatch;

  @Doc('Why the merchant is listed', '列名事由')
  @Nested(() => NoticeReason)
  reason: NoticeReason;

  @Doc('1 strongest, 2 a platform decision, 3 advice only', '1 最强，2 平台决定，3 仅供参考')
  @OneOf([1, 2, 3])
  tier: number;

  @Doc('Whether a policy of the receiver may close by itself', '接收方策略可否自动关店')
  @Flag()
  autoClosable: boolean;

  @Doc('Since when it holds', '生效时间')
  @Time()
  effectiveAt: string;

  @Doc('Until when it holds', '到期时间')
  @Time()
  expiresAt: string;

  @Doc('Until when a disposition is expected', '处置回执期限')
  @Time()
  respondBy: string;

  @Doc(
    "With A04: the identity was stolen, and its owner is protected (V01); whoever rightly bears it isn't concerned (rule P14)",
    '用于 A04：身份系冒用，其所有人已受保护（V01）；合法使用该身份者不受影响（规则 P14）',
  )
  @Optional()
  @Flag()
  victimProtected?: boolean;

  @Doc('The person was erased since: the name is no longer shown', '该个人信息已被删除，不再显示姓名')
  @Optional()
  @Flag()
  erased?: boolean;

  @Doc(
    'What an appeal has made of the listing, where there was one: disputed, it is open and must be shown; stayed, its effects are suspended; corrected, upheld, overturned',
    '申诉对列名的影响（如有）：disputed 异议处理中，须标注；stayed 暂停效力；corrected 已更正；upheld 维持；overturned 已撤销',
  )
  @Optional()
  @OneOf(NOTICE_STATUSES)
  status?: NoticeStatus;
}

/** What a subscriber receives as `data` of a CloudEvent of type NOTICE_TYPE, the same on every channel. */
export class Notice extends NoticeContent {
  /** Of its `notice.issued` entry. */
  @Doc('Position of its notice.issued entry in the log', '通知记录在日志中的位置')
  @Count()
  position: number;

  /** Of its `notice.issued` entry, base64. */
  @Doc('RFC 6962 leaf hash of that entry, base64', '该记录的 RFC 6962 叶哈希，base64')
  @Pattern(/^[A-Za-z0-9+/]{43}=$/)
  leafHash: string;
}

/** What one member is told once a person is erased: which of its notices name that person, and no personal value. */
export class NoticeErasedContent {
  @Doc(
    'Dense per member, from 0; a count apart from the seq of notices',
    '按成员连续编号，从 0 开始；与通知序号相互独立',
  )
  @Count()
  no: number;

  @Doc(
    "The receiver's notices whose person was erased: their copies must lose the name",
    '所涉个人信息已被删除的通知编号；接收方应删除其副本中的姓名',
  )
  @List(ITEMS_MAX)
  @Pattern(/^[a-z0-9-]{1,63}\.[0-9]{1,15}$/, 'INVALID_FORMAT', true)
  noticeIds: string[];
}

/** Payload of a CloudEvent of type NOTICE_ERASED_TYPE, on the member's topic after the notices that it names. */
export class ErasedNotices extends NoticeErasedContent {
  @Doc('Position of its notice.erased entry in the log', '该记录在日志中的位置')
  @Count()
  position: number;

  /** Of its `notice.erased` entry, base64. */
  @Doc('RFC 6962 leaf hash of that entry, base64', '该记录的 RFC 6962 叶哈希，base64')
  @Pattern(/^[A-Za-z0-9+/]{43}=$/)
  leafHash: string;
}

/** What a member is told once that hasn't answered a notice in time: nothing new, and without a `seq` of its own. */
export class NoticeReminderContent {
  @Doc('The notice that no disposition came for', '尚无处置回执的通知编号')
  @OpaqueId()
  noticeId: string;

  @Doc('Its seq', '该通知的序号')
  @Count()
  seq: number;

  @Doc('Until when a disposition was expected', '处置回执的期限')
  @Time()
  respondBy: string;
}

/** At most so many cases in one reminder. */
export const CASES_PER_REMINDER_MAX = 200;

/**
 * What a publisher is told once of cases that others were told of at once: that their subjects are to be told the same day, and that
 * it hasn't said so yet (rule P06, `liandun.case.notified.v1`).
 */
export class CaseReminderContent {
  @Doc('When the day ends on which others were told', '告知其他平台当日的终了时间')
  @Time()
  dueAt: string;

  @Doc('CloudEvents ids of the cases', '案件的 CloudEvents id')
  @List(CASES_PER_REMINDER_MAX)
  @Pattern(ID_PATTERN, 'INVALID_FORMAT', true)
  caseIds: string[];
}

/** Payload of a CloudEvent of type CASE_REMINDER_TYPE, on the publisher's channels. */
export class CaseReminder extends CaseReminderContent {
  @Doc('Position of its case.reminder entry in the log', '该记录在日志中的位置')
  @Count()
  position: number;

  /** Of its `case.reminder` entry, base64. */
  @Doc('RFC 6962 leaf hash of that entry, base64', '该记录的 RFC 6962 叶哈希，base64')
  @Pattern(/^[A-Za-z0-9+/]{43}=$/)
  leafHash: string;
}

export const CASE_REMINDER_TYPE = OUTCOME_TYPES.caseReminder;

/** Payload of a CloudEvent of type NOTICE_REMINDER_TYPE, on the member's channels after the notice that it names. */
export class NoticeReminder extends NoticeReminderContent {
  @Doc('Position of its notice.reminder entry in the log', '该记录在日志中的位置')
  @Count()
  position: number;

  /** Of its `notice.reminder` entry, base64. */
  @Doc('RFC 6962 leaf hash of that entry, base64', '该记录的 RFC 6962 叶哈希，base64')
  @Pattern(/^[A-Za-z0-9+/]{43}=$/)
  leafHash: string;
}

export const NOTICE_REMINDER_TYPE = OUTCOME_TYPES.noticeReminder;

export const NOTICE_ERASED_TYPE = OUTCOME_TYPES.noticeErased;

/** How many notices one `notice.erased` names at most. */
export const NOTICES_PER_ERASED_MAX = ITEMS_MAX;

const shopOf = ({ shopId, name, url }: Shop): Shop => ({ shopId, name, url });

function entityOf({ entityId, kind, name, uscc }: NoticeEntity): NoticeEntity {
  return { entityId, kind, name, ...(uscc !== undefined && { uscc }) };
}

/** Where a `notice.issued` entry stands in the log. */
export interface NoticePlace {
  position: number;
  /** Base64. */
  leafHash: string;
  /** RFC 3339. */
  acceptedAt: string;
}

/**
 * The CloudEvent that carries a notice. Pure, and its fields stand in one fixed order whatever the order in `content`
 * (PostgreSQL's jsonb keeps none), so that JSON.stringify gives the same bytes for Kafka, the feed and the stream.
 */
export function noticeEvent(content: NoticeContent, entry: NoticePlace): CloudEvent<Notice> {
  const { noticeId, seq, action, listingId, stillListed, entity, merchantIds, shops, match, reason } = content;
  const { tier, autoClosable, effectiveAt, expiresAt, respondBy, victimProtected, erased, status } = content;
  const { code, labelZh, labelEn, legalBasis, version } = reason;
  return {
    specversion: '1.0',
    id: noticeId,
    source: LEDGER_SOURCE,
    type: NOTICE_TYPE,
    time: entry.acceptedAt,
    datacontenttype: 'application/json',
    data: {
      noticeId,
      seq,
      action,
      listingId,
      stillListed,
      entity: entityOf(entity),
      merchantIds: [...merchantIds],
      shops: shops.map(shopOf),
      match: { grade: match.grade, because: [...match.because] },
      reason: { code, labelZh, labelEn, legalBasis: [...legalBasis], ...(version && { version }) },
      tier,
      autoClosable,
      effectiveAt,
      expiresAt,
      respondBy,
      position: entry.position,
      leafHash: entry.leafHash,
      ...(victimProtected && { victimProtected }),
      ...(erased && { erased }),
      ...(status !== undefined && { status }),
    },
  };
}

/** The CloudEvent that tells a member which of its notices to redact; its fields stand in one fixed order. Pure. */
export function noticeErasedEvent(
  member: string,
  { no, noticeIds }: NoticeErasedContent,
  { position, leafHash, acceptedAt }: NoticePlace,
): CloudEvent<ErasedNotices> {
  return {
    specversion: '1.0',
    id: `${member}.erased.${no}`,
    source: LEDGER_SOURCE,
    type: NOTICE_ERASED_TYPE,
    time: acceptedAt,
    datacontenttype: 'application/json',
    data: { no, noticeIds: [...noticeIds], position, leafHash },
  };
}

/** The CloudEvent that an entry of a member's stream of reminders says, by the entry's type. Pure. */
export const reminderEvent = (
  type: string,
  data: (NoticeReminderContent | CaseReminderContent) & { member: string },
  place: NoticePlace,
): CloudEvent<NoticeReminder | CaseReminder> =>
  type === CASE_REMINDER_TYPE
    ? caseReminderEvent(data.member, data as CaseReminderContent, place)
    : noticeReminderEvent(data as NoticeReminderContent, place);

/** The CloudEvent that reminds a publisher of subjects to be told; its fields stand in one fixed order. Pure. */
export function caseReminderEvent(
  member: string,
  { dueAt, caseIds }: CaseReminderContent,
  { position, leafHash, acceptedAt }: NoticePlace,
): CloudEvent<CaseReminder> {
  return {
    specversion: '1.0',
    id: `${member}.cases.${position}`,
    source: LEDGER_SOURCE,
    type: CASE_REMINDER_TYPE,
    time: acceptedAt,
    datacontenttype: 'application/json',
    data: { dueAt, caseIds: [...caseIds], position, leafHash },
  };
}

/** The CloudEvent that reminds a member of a notice; its fields stand in one fixed order. Pure. */
export function noticeReminderEvent(
  { noticeId, seq, respondBy }: NoticeReminderContent,
  { position, leafHash, acceptedAt }: NoticePlace,
): CloudEvent<NoticeReminder> {
  return {
    specversion: '1.0',
    id: `${noticeId}.reminder`,
    source: LEDGER_SOURCE,
    type: NOTICE_REMINDER_TYPE,
    time: acceptedAt,
    datacontenttype: 'application/json',
    data: { noticeId, seq, respondBy, position, leafHash },
  };
}
