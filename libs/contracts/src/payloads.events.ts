// The events that members send, one class each: the single declaration that validation, JSON Schema, OpenAPI and
// the types are derived from (design section 3, "Events in").
import {
  DecisionNo,
  Doc,
  Flag,
  HttpUrl,
  Line,
  List,
  Nested,
  NestedList,
  OneOf,
  OpaqueId,
  Optional,
  Pattern,
  PublicLine,
  RegistrationNumber,
  ResidentId,
  Time,
  TimeOrDate,
  Uscc,
} from './fields.js';

export const SUBJECT_KINDS = ['organization', 'soleProprietor', 'person'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

const VALUES_MAX = 20;

/** Contacts, whole or masked with `*`. */
export const PHONE = /^[+(（]?[0-9][0-9*()（） -]{4,22}$/;
export const EMAIL = /^[^\s@\p{Cc}\p{Cs}]{1,64}@[^\s@\p{Cc}\p{Cs}]{1,190}$/u;
export const BANK_ACCOUNT = /^[0-9][0-9* -]{5,38}[0-9]$/;
const SHOPS_MAX = 500;

export class LegalRepresentative {
  @Doc('Name of the legal representative', '法定代表人姓名')
  @Optional()
  @Line(100)
  name?: string;

  @Doc('Resident number (GB 11643-1999), whole or masked with *', '居民身份证号码（GB 11643-1999），完整或以 * 掩码')
  @Optional()
  @ResidentId()
  residentId?: string;
}

export class Identity {
  @Doc('Kind of subject', '主体类型')
  @OneOf(SUBJECT_KINDS)
  kind: SubjectKind;

  @Doc('Registered name, or the name of the person', '登记名称或自然人姓名')
  @Line(200)
  name: string;

  @Doc(
    'Unified social credit code (GB 32100-2015), both check characters right',
    '统一社会信用代码（GB 32100-2015），两位校验码均须正确',
  )
  @Optional()
  @Uscc()
  uscc?: string;

  @Doc('Older 15-digit registration number (GS 15-2006, MOD 11,10)', '15 位注册号（GS 15-2006，MOD 11,10 校验）')
  @Optional()
  @RegistrationNumber()
  registrationNumber?: string;

  @Doc("The subject's own resident number, whole or masked with *", '主体本人的居民身份证号码，完整或以 * 掩码')
  @Optional()
  @ResidentId()
  residentId?: string;

  @Doc('Legal representative, or the operator of a sole proprietorship', '法定代表人或个体工商户经营者')
  @Optional()
  @Nested(() => LegalRepresentative)
  legalRepresentative?: LegalRepresentative;

  @Doc('Telephone numbers, whole or masked with *', '电话号码，完整或以 * 掩码')
  @Optional()
  @List(VALUES_MAX)
  @Pattern(PHONE, 'INVALID_FORMAT', true)
  phones?: string[];

  @Doc('Mail addresses', '电子邮箱')
  @Optional()
  @List(VALUES_MAX)
  @Pattern(EMAIL, 'INVALID_FORMAT', true)
  emails?: string[];

  @Doc('Bank accounts, whole or masked with *', '银行账号，完整或以 * 掩码')
  @Optional()
  @List(VALUES_MAX)
  @Pattern(BANK_ACCOUNT, 'INVALID_FORMAT', true)
  bankAccounts?: string[];

  @Doc('Registered or business address', '住所或经营场所')
  @Optional()
  @Line(300)
  address?: string;

  @Doc(
    'Administrative division (GB/T 2260), six digits or the four of the city',
    '行政区划代码（GB/T 2260），六位，或四位市级代码',
  )
  @Optional()
  @Pattern(/^[1-9][0-9]{3}(?:[0-9]{2})?$/)
  regionCode?: string;

  @Doc('When the member verified this identity', '成员核验该身份的时间')
  @Optional()
  @TimeOrDate()
  verifiedAt?: string;
}

export class Shop {
  @Doc("The platform's id of the shop", '平台内店铺编号')
  @OpaqueId()
  shopId: string;

  @Doc('Name of the shop', '店铺名称')
  @Line(200)
  name: string;

  @Doc('Address of the shop', '店铺网址')
  @HttpUrl()
  url: string;
}

export const ACCOUNT_ROLES = ['streamer', 'roomOperator', 'mcn', 'shop'] as const;

export class Account {
  @Doc('Platform that the account is on', '账号所在平台')
  @PublicLine(100)
  platform: string;

  @Doc('The account on that platform', '平台账号')
  @Line(128)
  accountId: string;

  @Doc('What the account is used for', '账号角色')
  @OneOf(ACCOUNT_ROLES)
  role: (typeof ACCOUNT_ROLES)[number];
}

export const PROOF_STANDARDS = ['administrativeDecision', 'judgment', 'registerPush', 'platformFinding'] as const;
export type ProofStandard = (typeof PROOF_STANDARDS)[number];

export class Evidence {
  @Doc('SHA-256 of the piece of evidence, hexadecimal', '证据文件的 SHA-256，十六进制')
  @Pattern(/^[0-9a-fA-F]{64}$/)
  sha256: string;

  @Doc('Media type (RFC 6838)', '媒体类型（RFC 6838）')
  @Pattern(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}$/)
  mediaType: string;

  @Doc('When it was captured', '取证时间')
  @Time()
  capturedAt: string;

  @Doc('Where the authorised may fetch it', '经授权可取得证据的地址')
  @Optional()
  @HttpUrl()
  uri?: string;
}

export class Proof {
  @Doc('Standard of proof reached', '达到的证明标准')
  @OneOf(PROOF_STANDARDS)
  standard: ProofStandard;

  @Doc('Number of the official decision or judgment', '决定书或裁判文书编号')
  @Optional()
  @DecisionNo()
  decisionNo?: string;

  @Doc('Whether the decision orders to stop trading', '决定是否责令停止经营')
  @Optional()
  @Flag()
  ordersStop?: boolean;

  @Doc('Evidence, one piece at least', '证据，至少一份')
  @NestedList(() => Evidence, 100, 'EVIDENCE_MISSING')
  evidence: Evidence[];
}

/** The standard of proof: whoever signs attests all four (rule P04). */
export class Attestation {
  @Doc('There are reasonable grounds', '有合理依据')
  @Flag()
  grounds: boolean;

  @Doc('The evidence is clear and was checked', '证据清楚并经核实')
  @Flag()
  evidence: boolean;

  @Doc('The conduct fits the code', '行为与事由代码相符')
  @Flag()
  code: boolean;

  @Doc('Service was really terminated', '已实际终止服务')
  @Flag()
  terminated: boolean;
}

export class Hearing {
  @Doc('When the subject was told facts, evidence and how to answer', '告知事实、证据及陈述申辩途径的时间')
  @Time()
  notifiedAt: string;

  @Doc('When the hearing ended', '听取意见结束的时间')
  @Time()
  endedAt: string;

  @Doc('Whether the subject answered', '主体是否答复')
  @OneOf(['none', 'considered'])
  answer: 'none' | 'considered';
}

export class Emergency {
  @Doc('Name of the declared emergency', '已宣布的突发事件名称')
  @PublicLine(100)
  name: string;

  @Doc('Its first day or moment', '开始日期或时间')
  @TimeOrDate()
  from: string;

  @Doc('Its last day or moment', '结束日期或时间')
  @TimeOrDate()
  to: string;
}

/** Stolen, borrowed or rented identity or licence, and the entry that protects the victim (reason-codes.csv). */
export const IMPERSONATION_CODE = 'A04';
export const PROTECTIVE_CODE = 'V01';

export class CaseReason {
  @Doc('Reason code of reason-codes.csv', '事由代码（reason-codes.csv）')
  @Pattern(/^[A-Z][0-9]{2}$/, 'UNKNOWN_CODE')
  code: string;
}

/** The owner of a stolen identity or licence: listed under V01, which counts against nobody, in the same transaction (rule P14). */
export class Victim {
  @Doc(
    "Whose identity it is, with its credit code or, of a person, resident number; the case's own identity holds none of the victim's identifiers",
    '被冒用人身份，须含统一社会信用代码，自然人须含居民身份证号码；案件本身的身份信息不得含有被冒用人的标识',
  )
  @Nested(() => Identity)
  identity: Identity;
}

/** What every listing rests on: reason, proof, attestation, decision, way to appeal (rules P02, P04, P06). */
export class Case {
  @Doc('Why', '事由')
  @Nested(() => CaseReason)
  reason: CaseReason;

  @Doc('Proof', '证明')
  @Nested(() => Proof)
  proof: Proof;

  @Doc('What the signer attests, all true', '签署人声明，四项均为 true')
  @Nested(() => Attestation)
  attestation: Attestation;

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;

  @Doc('Opaque id of the person who decided', '决定人的内部编号')
  @OpaqueId()
  decidedBy: string;

  @Doc('Where the subject may appeal, free and without an account', '申诉地址，免费且无需注册')
  @HttpUrl()
  appealUrl: string;

  @Doc(
    "When the listing ends; not past the code's term unless a decision says so",
    '列名到期时间；除决定另有规定外不超过代码期限',
  )
  @Optional()
  @Time()
  expiresAt?: string;

  @Doc('The hearing that was held (rule P06)', '已进行的听取意见（规则 P06）')
  @Optional()
  @Nested(() => Hearing)
  hearing?: Hearing;

  @Doc('Fraud or danger in progress', '正在发生的欺诈或危险')
  @Optional()
  @OneOf(['fraud', 'danger'])
  urgency?: 'fraud' | 'danger';

  @Doc('The declared emergency, with F04 and C06', '突发事件，用于 F04 和 C06')
  @Optional()
  @Nested(() => Emergency)
  emergency?: Emergency;

  @Doc("The item's own rule, with B06", '该物品的专门规定，用于 B06')
  @Optional()
  @PublicLine(120)
  itemRule?: string;

  @Doc(
    'With A04: the victim whose identity was stolen, who is protected by it (V01)',
    '用于 A04：被冒用人，同时予以保护性登记（V01）',
  )
  @Optional()
  @Nested(() => Victim)
  victim?: Victim;
}

export class MerchantReported {
  @Doc("The platform's opaque id of the merchant", '平台内经营者的内部编号')
  @OpaqueId()
  merchantId: string;

  @Doc('Who the merchant is', '身份信息')
  @Nested(() => Identity)
  identity: Identity;

  @Doc('Shops of the merchant on this platform', '在本平台的店铺')
  @NestedList(() => Shop, SHOPS_MAX)
  shops: Shop[];

  @Doc('Whether the merchant trades', '经营状态')
  @OneOf(['active', 'closed'])
  status: 'active' | 'closed';
}

export class MerchantDelisted extends Case {
  @Doc("The platform's opaque id of the merchant", '平台内经营者的内部编号')
  @OpaqueId()
  merchantId: string;

  @Doc('Who the merchant is', '身份信息')
  @Nested(() => Identity)
  identity: Identity;

  @Doc('Shops that were closed', '已关闭的店铺')
  @NestedList(() => Shop, SHOPS_MAX)
  shops: Shop[];

  @Doc('When service was terminated', '终止服务时间')
  @Time()
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

/** One delisting by its CloudEvents id, or all of the sender's own by the merchant's id: exactly one of the two. */
export class MerchantReinstated {
  @Doc('CloudEvents id of the delisting', '清退事件的 CloudEvents id')
  @Optional()
  @OpaqueId()
  delistingId?: string;

  @Doc("All of the sender's own delistings of this merchant", '发送方对该商户的全部清退')
  @Optional()
  @OpaqueId()
  merchantId?: string;

  @Doc('Why it ends', '终止原因')
  @OneOf(CAUSES)
  cause: Cause;

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;

  @Doc('Opaque id of the person who decided', '决定人的内部编号')
  @OpaqueId()
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
  @Doc('What the subject is; the last two by regulators only', '主体类别；后两类仅限监管端')
  @OneOf(RISK_SUBJECTS)
  subject: (typeof RISK_SUBJECTS)[number];

  @Doc('Who the subject is', '身份信息')
  @Nested(() => Identity)
  identity: Identity;

  @Doc('Accounts of the subject', '主体的平台账号')
  @NestedList(() => Account, 100)
  accounts: Account[];
}

export class RiskEntityWithdrawn {
  @Doc('CloudEvents id of the report', '报告事件的 CloudEvents id')
  @OpaqueId()
  reportId: string;

  @Doc('Why it ends', '终止原因')
  @OneOf(CAUSES)
  cause: Cause;

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;

  @Doc('Opaque id of the person who decided', '决定人的内部编号')
  @OpaqueId()
  decidedBy: string;
}

/** Releases a held case, or withdraws it where the answer convinced. */
export class CaseHeard {
  @Doc('CloudEvents id of the held delisting or report', '待释放清退或报告的 CloudEvents id')
  @OpaqueId()
  caseId: string;

  @Doc('The hearing that was held', '已进行的听取意见')
  @Nested(() => Hearing)
  hearing: Hearing;

  @Doc('Present where the answer convinced: the case is withdrawn', '答复成立时填写，案件即撤回')
  @Optional()
  @OneOf(['appealUpheld'])
  cause?: 'appealUpheld';
}

/** The subject of a case that others were told of at once was told too: what, why, and how to appeal (rule P06). */
export class CaseNotified {
  @Doc('CloudEvents id of the delisting or report', '清退或报告的 CloudEvents id')
  @OpaqueId()
  caseId: string;

  @Doc('When the subject was told', '告知主体的时间')
  @Time()
  notifiedAt: string;

  @Doc('Opaque id of the person who told it', '告知人的内部编号')
  @OpaqueId()
  notifiedBy: string;
}

export const REGISTRY_LISTS = [
  'revoked',
  'cancelled',
  'abnormalOperation',
  'seriousDishonest',
  'judgmentDefaulter',
] as const;
export type RegistryList = (typeof REGISTRY_LISTS)[number];

/** The reason code that a registry list stands for: its kinds, tier and term. */
export const REGISTRY_CODES = {
  revoked: 'A03',
  cancelled: 'A03',
  abnormalOperation: 'A05',
  seriousDishonest: 'A06',
  judgmentDefaulter: 'A07',
} as const satisfies Record<RegistryList, string>;

export class RegistryListed {
  @Doc('The official list or status', '官方名单或登记状态')
  @OneOf(REGISTRY_LISTS)
  list: RegistryList;

  @Doc('Who is listed', '被列入主体')
  @Nested(() => Identity)
  identity: Identity;

  @Doc('Number of the decision', '决定书编号')
  @DecisionNo()
  decisionNo: string;

  @Doc('Opaque id of the person or office that decided', '决定人或机关的内部编号')
  @OpaqueId()
  decidedBy: string;

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;

  @Doc("The decision's own end", '决定载明的终止日期')
  @Optional()
  @TimeOrDate()
  until?: string;
}

export class RegistryRemoved {
  @Doc('The official list or status', '官方名单或登记状态')
  @OneOf(REGISTRY_LISTS)
  list: RegistryList;

  @Doc('Who is removed', '被移出主体')
  @Nested(() => Identity)
  identity: Identity;

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;
}

/** An authority or court ends listings: one by its id, or all that rest on one decision (rule P12); exactly one of the two. */
export class ListingEnded {
  @Doc('Listing that ends', '终止的列名')
  @Optional()
  @OpaqueId()
  listingId?: string;

  @Doc('Decision whose listings end', '据以列名的决定书编号')
  @Optional()
  @DecisionNo()
  decisionNo?: string;

  @Doc('Why it ends', '终止原因')
  @OneOf(CAUSES)
  cause: Cause;

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;

  @Doc('Opaque id of the person who decided', '决定人的内部编号')
  @OpaqueId()
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

/** What a subscriber decided on a notice, by itself (rules P10, P22). */
export class NoticeDisposed {
  @Doc('The notice', '通知编号')
  @OpaqueId()
  noticeId: string;

  @Doc("The receiver's own decision", '接收方自行作出的决定')
  @OneOf(DISPOSITIONS)
  decision: DispositionDecision;

  @Doc('Shops that the decision concerns', '决定涉及的店铺')
  @NestedList(() => Shop, SHOPS_MAX)
  shops: Shop[];

  @Doc('When it was decided', '决定时间')
  @Time()
  decidedAt: string;

  @Doc('Opaque id of the person who decided', '决定人的内部编号')
  @OpaqueId()
  decidedBy: string;

  @Doc('What happens to open orders; required with closed, only there', '未完成订单的处理；仅且必须用于 closed')
  @Optional()
  @OneOf(['kept', 'none'])
  openOrders?: 'kept' | 'none';

  @Doc(
    "Whether the receiver's own policy decided and no person did; never with closed where the notice isn't autoClosable or its merchant is a sole proprietor, person or streamer (rules P01, P08)",
    '是否由接收方自身策略自动决定而无人工参与；通知的 autoClosable 为 false，或商户为个体工商户、自然人、主播的，不得与 closed 并用（规则 P01、P08）',
  )
  @Optional()
  @Flag()
  automated?: boolean;

  @Doc("The receiver's own code of its reason, only with declined", '接收方自己的理由代码，仅用于 declined')
  @Optional()
  @Pattern(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/)
  reasonCode?: string;
}
