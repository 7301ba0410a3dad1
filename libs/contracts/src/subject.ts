// What a merchant, the subject of entries, asks and says without being a member (rules P06, P07, P17).
import { APPEAL_GROUNDS, type AppealGround, type AppealProof } from './appeal.js';
import {
  Count,
  Doc,
  NestedList,
  OneOf,
  Line,
  OpaqueId,
  Optional,
  Pattern,
  RegistrationNumber,
  ResidentId,
  STATEMENT,
  Uscc,
} from './fields.js';

/** By what a one-time code travels. */
export const CODE_CHANNELS = ['sms', 'email'] as const;
export type CodeChannel = (typeof CODE_CHANNELS)[number];

/** The body of POST /public/identifications: exactly one number, and the name that goes with it. */
export class IdentificationRequest {
  @Doc('Unified social credit code', '统一社会信用代码')
  @Optional()
  @Uscc()
  uscc?: string;

  @Doc('15-digit registration number', '15 位注册号')
  @Optional()
  @RegistrationNumber()
  registrationNumber?: string;

  @Doc('Whole resident identity number', '完整的公民身份号码')
  @Optional()
  @ResidentId()
  residentId?: string;

  @Doc('Name, as on the licence or the identity document', '名称或姓名，与营业执照或身份证件一致')
  @Line(200)
  name: string;

  @Doc(
    'Where the code goes: a phone or mail address that a platform reported of the merchant',
    '验证码发送方式：发往平台报送的该商户的手机或邮箱',
  )
  @OneOf(CODE_CHANNELS)
  channel: CodeChannel;
}

/** The numbers of which an identification names exactly one. */
export const PROVABLE_NUMBERS = ['uscc', 'registrationNumber', 'residentId'] as const;
export type ProvableNumber = (typeof PROVABLE_NUMBERS)[number];

/** The body of POST /public/identifications/{identificationId}/code. */
export class IdentificationCode {
  @Doc('The six digits that were sent', '收到的六位数字')
  @Pattern(/^[0-9]{6}$/)
  code: string;
}

/** The body of POST /public/challenges. */
export class ChallengeRequest {
  @Doc('Unified social credit code that the certificate names', '证书所载的统一社会信用代码')
  @Uscc()
  uscc: string;
}

/** The body of POST /public/signed-statements. */
export class SignedStatement {
  @Doc(
    'The signed text as a compact JWS (RFC 7515): alg RS256, PS256, ES256 or EdDSA, x5c with the certificate first, then those between it and its authority. With an empty middle part it is detached',
    '以紧凑 JWS（RFC 7515）表示的签名：alg 为 RS256、PS256、ES256 或 EdDSA，x5c 先列签名证书，再列中间证书；中间部分为空即为分离签名',
  )
  @Pattern(/^(?=.{1,40000}$)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/, 'STATEMENT_MALFORMED')
  jws: string;

  @Doc('With a detached JWS: the text that was signed, byte for byte', '分离签名时：被签名的原文，须逐字节一致')
  @Optional()
  @Pattern(/^[^]{1,4000}$/u, 'STATEMENT_MALFORMED')
  text?: string;
}

/** What a signed statement is for: no other text that a merchant once signed may be taken for it. */
export const STATEMENT_PURPOSE = 'liandun.subject.identify.v1';

/** The text that a merchant signs: the ledger's challenge, and in words what he asks for (电子签名法 第13条: he knows what he signs). */
export interface StatementText {
  challenge: string;
  /** The ledger's own address: what is signed for one ledger is of no use at another. */
  origin: string;
  purpose: typeof STATEMENT_PURPOSE;
  uscc: string;
  zh: string;
  en: string;
}

/** A document that bears a statement out: the ledger keeps its hash, the subject the document. */
export class StatementEvidence {
  @Doc('SHA-256 of the file, hexadecimal', '文件的 SHA-256，十六进制')
  @Pattern(/^[0-9a-f]{64}$/)
  sha256: string;

  @Doc('Media type', '媒体类型')
  @Pattern(/^[a-z]+\/[a-z0-9.+-]{1,64}$/)
  mediaType: string;
}

/** Documents of one statement, or of one decision. */
export const EVIDENCE_MAX = 20;

/** The body of POST /public/statements, and of POST /public/hearings: the answer to a case that is held. */
export class SubjectStatement {
  @Doc('Which entry it is about', '所针对的列名')
  @OpaqueId()
  listingId: string;

  @Doc(
    "The subject's own words, up to 2,000 characters; shown to the subject, the publisher and regulators",
    '本人陈述，2000 字以内；仅本人、发布方与监管端可见',
  )
  @Pattern(STATEMENT)
  statement: string;

  @Doc('Documents, by their hashes', '证明材料的哈希')
  @Optional()
  @NestedList(() => StatementEvidence, EVIDENCE_MAX)
  evidence?: StatementEvidence[];
}

/** The body of POST /public/appeals. */
export class AppealRequest {
  @Doc('Which listing is appealed', '所申诉的列名')
  @OpaqueId()
  listingId: string;

  @Doc('On what the appeal rests', '申诉理由')
  @OneOf(Object.keys(APPEAL_GROUNDS))
  grounds: AppealGround;

  @Doc(
    "The subject's own words, up to 2,000 characters; shown to the subject, the publisher and regulators",
    '本人陈述，2000 字以内；仅本人、发布方与监管端可见',
  )
  @Optional()
  @Pattern(STATEMENT)
  statement?: string;

  @Doc('Documents, by their hashes', '证明材料的哈希')
  @Optional()
  @NestedList(() => StatementEvidence, EVIDENCE_MAX)
  evidence?: StatementEvidence[];
}

/** The body of POST /public/corrections: what is wrong with what a member reported. */
export class CorrectionRequest {
  @Doc('Position of the entry that is wrong, as the subject was shown it', '有误记录的位置')
  @Count()
  position: number;

  @Doc('What of it, as a JSON Pointer into its data', '有误的字段（JSON Pointer）')
  @Pattern(/^(\/[A-Za-z0-9]{1,40}){1,6}$/)
  field: string;

  @Doc("What is right, in the subject's own words", '正确内容，本人陈述')
  @Pattern(STATEMENT)
  statement: string;

  @Doc('Documents, by their hashes', '证明材料的哈希')
  @Optional()
  @NestedList(() => StatementEvidence, EVIDENCE_MAX)
  evidence?: StatementEvidence[];
}

/** What a subject may say of an entry: to a case that is held, to any entry, of an error in one. */
export const STATEMENT_KINDS = ['answer', 'statement', 'correction'] as const;
export type StatementKind = (typeof STATEMENT_KINDS)[number];

/**
 * A subject who has proved who he is said something of an entry. The words are sealed and erased with the entry's subject; the log
 * commits to them.
 */
export interface SubjectStated {
  statementId: string;
  kind: StatementKind;
  /** The position of the entry that it is about, and its CloudEvents id. */
  about: number;
  caseId: string;
  /** Where that entry made a listing. */
  listingId?: string;
  /** Of a correction: what is wrong. */
  field?: string;
  statement: { commitment: string };
  evidence: StatementEvidence[];
  /** How the subject had proved who he is. */
  proved: AppealProof;
}
