// What is asked and answered where a person's data is to be erased (个人信息保护法 第47条).
import {
  Doc,
  Line,
  List,
  Nested,
  OneOf,
  OpaqueId,
  Optional,
  Pattern,
  RegistrationNumber,
  ResidentId,
  Uscc,
} from './fields.js';
import { BANK_ACCOUNT, EMAIL, PHONE, type SubjectKind } from './payloads.events.js';

/** Why it must be erased: the closed list of 个人信息保护法 第47条第一款, its items (一) to (五). */
export const ERASURE_BASES = {
  purposeEnded: '个人信息保护法 第47条第一款第一项',
  retentionEnded: '个人信息保护法 第47条第一款第二项',
  consentWithdrawn: '个人信息保护法 第47条第一款第三项',
  unlawful: '个人信息保护法 第47条第一款第四项',
  otherLaw: '个人信息保护法 第47条第一款第五项',
} as const;
export type ErasureBasis = keyof typeof ERASURE_BASES;

/** In the place of an erased person's name. */
export const ERASED_NAME = '*';

/** What an erasure leaves, and the law that has it kept (个人信息保护法 第47条第二款). */
export const KEPT_AFTER_ERASURE = [
  {
    what: 'logEntries',
    en: 'The entries of the log with commitments that nothing opens any more',
    zh: '日志记录及已无法打开的承诺值',
    law: '网络安全法 第21条; 网络数据安全管理条例 第12条',
  },
  {
    what: 'noticesAndDispositions',
    en: 'What was decided and who was told, without a name',
    zh: '已作出的决定与通知记录（不含姓名）',
    law: '网络数据安全管理条例 第12条; 个人信息保护法 第56条',
  },
  {
    what: 'organizationData',
    en: "An organization's name and registration numbers",
    zh: '组织名称与登记代码',
    law: '企业信息公示暂行条例 第6条',
  },
] as const;

const CONTACTS_MAX = 20;

/** By what a person is found: a number at least, or a contact together with the name. */
export class ErasureIdentifiers {
  @Doc('Resident identity number of the person', '公民身份号码')
  @Optional()
  @ResidentId()
  residentId?: string;

  @Doc("A sole proprietor's unified social credit code", '个体工商户的统一社会信用代码')
  @Optional()
  @Uscc()
  uscc?: string;

  @Doc("A sole proprietor's 15-digit registration number", '个体工商户的注册号')
  @Optional()
  @RegistrationNumber()
  registrationNumber?: string;

  @Doc('Name of the person; needed where only a contact is known', '姓名；仅以联系方式查找时必填')
  @Optional()
  @Line(200)
  name?: string;

  @Doc('Telephone numbers', '电话号码')
  @Optional()
  @List(CONTACTS_MAX)
  @Pattern(PHONE, 'INVALID_FORMAT', true)
  phones?: string[];

  @Doc('Mail addresses', '电子邮箱')
  @Optional()
  @List(CONTACTS_MAX)
  @Pattern(EMAIL, 'INVALID_FORMAT', true)
  emails?: string[];

  @Doc('Bank accounts', '银行账号')
  @Optional()
  @List(CONTACTS_MAX)
  @Pattern(BANK_ACCOUNT, 'INVALID_FORMAT', true)
  bankAccounts?: string[];
}

/** The body of POST /v1/erasures. */
export class ErasureRequest {
  @Doc('Who is to be forgotten', '须删除其信息的个人')
  @Nested(() => ErasureIdentifiers)
  identifiers: ErasureIdentifiers;

  @Doc('Why: an item of PIPL Article 47', '依据：个人信息保护法第四十七条所列情形')
  @OneOf(Object.keys(ERASURE_BASES))
  basis: ErasureBasis;

  @Doc("The requester's own opaque id of the person's request", '请求方对该删除请求的内部编号')
  @OpaqueId()
  requestId: string;
}

/** A requested erasure; it waits for a second person. No personal value stands in it. */
export interface ErasureChange {
  action: 'erase';
  /** The member that asks. */
  memberId: string;
  /** `own`: only what that member sent. */
  scope: 'all' | 'own';
  basis: ErasureBasis;
  requestId: string;
}

/** What an erasure would destroy, as whoever decides on it sees it: masked. */
export interface ErasurePreview {
  /** How many entries. */
  entries: number;
  /** The first of them. */
  records: ErasureRecord[];
}

/** One entry that an erasure is about. */
export interface ErasureRecord {
  position: number;
  /** Who sent it. */
  member: string;
  type: string;
  kind: SubjectKind;
  as: 'subject' | 'representative';
  /** Which of the given identifiers stand in it. */
  foundBy: string[];
  /** The person's, masked, as far as they stand in it. */
  name?: string;
  residentId?: string;
  phones?: string[];
}

/** Data keys, salts and index entries were destroyed; no personal value stands in it. */
export interface SubjectErased {
  erasureId: string;
  basis: ErasureBasis;
  requestedBy: string;
  approvedBy: string;
  /** Entries whose subject's values are gone. */
  positions: number[];
  /** Entries of others in which only the representative's values are gone. */
  asRepresentative: number[];
  /** Entries of organizations that carry the given numbers and stay as they are. */
  keptOrganizations: number;
}
