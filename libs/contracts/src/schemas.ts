// JSON Schemas (2020-12) for the generated documents: what comes in from its class, what goes out written here.
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import { planOf } from './compiled.js';
import { ERASURE_BASES, ErasureRequest } from './erasure.js';
import { PROBLEMS } from './errors.js';
import { CHECKS_WITH_SCHEMA, nestedClass, wordsOf, type Class, type JsonSchema } from './fields.js';
import {
  CASE_REMINDER_TYPE,
  CaseReminder,
  ErasedNotices,
  MATCH_FIELDS,
  Notice,
  NOTICE_ACTIONS,
  NoticeReminder,
  NOTICE_ERASED_TYPE,
  NOTICE_REMINDER_TYPE,
  NOTICE_TYPE,
} from './notice.js';
import { BASIS_KINDS, BASIS_REFUSALS, DISCLOSED_FIELDS } from './agreement.js';
import { FLOOD_DECISIONS, LIMIT_MAX, STANDARD_LIMITS } from './flood.js';
import { ALARMS, RELATION_KINDS, SIGNATURE_POLICIES } from './outcomes.js';
import { CAUSES, DISPOSITIONS, PROOF_STANDARDS, SUBJECT_KINDS } from './payloads.events.js';
import { PERSONAL_FIELDS } from './personal-fields.js';
import {
  APPEAL_DECISIONS,
  APPEAL_GROUNDS,
  APPEAL_PROOFS,
  AppealDecision,
  AppealStay,
  DEADLINE_REASONS,
  DeadlineChange,
} from './appeal.js';
import { MaliceFinding } from './publisher.js';
import { CHANGED_CODES_MAX } from './reason-code-changes.js';
import { REASON_KINDS } from './reason-codes.js';
import { ApprovalDecision, REVIEW_DECISIONS, REVIEW_GROUNDS, ReviewDecision, ReviewUndo } from './review.js';
import { MatchedScreening, SCREENING_MATCHED_TYPE, ScreeningDecision } from './screening.js';
import {
  AppealRequest,
  ChallengeRequest,
  CorrectionRequest,
  IdentificationCode,
  IdentificationRequest,
  SignedStatement,
  SubjectStatement,
} from './subject.js';
import { SUBMISSIONS } from './submissions.js';
import { Envelope, ScreeningRequest } from './validate.js';
import { WebhookReplay, WebhookRequest, WebhookRotation } from './webhook.js';

const PREFIX = '#/components/schemas/';
export const ref = (name: string): JsonSchema => ({ $ref: PREFIX + name });

/** English first, Chinese below it. */
export const both = (en: string, zh: string): string => `${en}\n\n${zh}`;

// What class-validator-jsonschema asks of class-transformer; our declarations know the nested classes themselves.
const typeStorage = {
  findTypeMetadata: (target: Class, name: string) => {
    const type = nestedClass(target, name);
    return type && { typeFunction: () => type };
  },
  getExposedMetadatas: () => [],
  findExcludeMetadata: () => undefined,
};

type Options = NonNullable<Parameters<typeof targetConstructorToSchema>[1]>;

const optionsOf = (): Options => ({
  refPointerPrefix: PREFIX,
  classTransformerMetadataStorage: typeStorage as unknown as NonNullable<Options['classTransformerMetadataStorage']>,
  additionalConverters: Object.fromEntries(
    [...CHECKS_WITH_SCHEMA].map((name) => [name, (meta: { constraints: unknown[] }) => meta.constraints[0]]),
  ) as unknown as NonNullable<Options['additionalConverters']>,
});

const PERSONAL_PATHS: Record<string, string> = {
  Identity: 'identity.',
  LegalRepresentative: 'identity.legalRepresentative.',
  Account: 'accounts.',
  ErasureIdentifiers: 'identity.',
};

function describe(target: Class, name: string, schema: JsonSchema): JsonSchema {
  const words = wordsOf(target, name);
  const personal = PERSONAL_FIELDS[`${PERSONAL_PATHS[target.name] ?? '?'}${name}`];
  return {
    ...schema,
    ...(words && { description: both(words.en, words.zh) }),
    ...(personal && personal.personal !== 'never' && { 'x-liandun-personal': personal }),
  };
}

/** Adds the schema of a class and of every class below it. `closed`: an unknown field is refused. */
function addClass(schemas: Record<string, JsonSchema>, target: Class, closed: boolean): void {
  if (schemas[target.name]) return;
  const schema = targetConstructorToSchema(target, optionsOf()) as JsonSchema;
  const properties = schema.properties as Record<string, JsonSchema>;
  schemas[target.name] = {
    ...schema,
    properties: Object.fromEntries(
      planOf(target).properties.map(({ name }) => [name, describe(target, name, properties[name] as JsonSchema)]),
    ),
    ...(closed && { additionalProperties: false }),
  };
  for (const { name } of planOf(target).properties) {
    const below = nestedClass(target, name);
    if (below) addClass(schemas, below, closed);
  }
}

const envelopeOf = (envelope: JsonSchema, type: string, data: string): JsonSchema => ({
  ...envelope,
  properties: { ...(envelope.properties as object), type: { const: type }, data: ref(data) },
});

const text: JsonSchema = { type: 'string' };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const fewOrMore: JsonSchema = {
  oneOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', enum: ['<5'] },
  ],
};
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const oneOf = (...values: string[]): JsonSchema => ({ type: 'string', enum: values });
const flag: JsonSchema = { type: 'boolean' };

/** As in reason-codes.csv; `retired`: no new case is taken on it. */
const REASON_CODE_ROW = {
  code: { type: 'string', pattern: '^[A-Z][0-9]{2}$' },
  labelZh: text,
  labelEn: text,
  subjectKinds: list(oneOf(...REASON_KINDS)),
  legalBasis: list(text),
  proofFloor: oneOf(...PROOF_STANDARDS),
  tier: { type: 'integer', minimum: 0, maximum: 3 },
  defaultRetentionDays: count,
  autoClosable: flag,
  notes: text,
  statutoryHoldDays: count,
  emergency: flag,
  'retired?': flag,
};

/** An object of the given fields; a name with `?` may be absent. */
function object(fields: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema {
  const required = Object.keys(fields).filter((name) => !name.endsWith('?'));
  const properties = Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [name.replace('?', ''), schema]),
  );
  return { type: 'object', properties, ...(required.length > 0 && { required }), ...more };
}

const because = object({
  field: oneOf(...MATCH_FIELDS),
  grade: oneOf('exact', 'strong', 'possible'),
});

const sentence = object({ en: text, zh: text });

/** One of two entities that may be one. */
const entitySide = object({
  entityId: text,
  kind: oneOf(...SUBJECT_KINDS),
  name: text,
  'uscc?': text,
  observations: count,
  members: list(text),
  'retiredFrom?': {
    ...text,
    description: both('The id that was asked for, now of this entity', '所查询的旧编号，现已并入本实体'),
  },
});

/** Files that a decision rests on. */
const evidenceShown = list(object({ sha256: text, mediaType: text }));

/** What a person decided of two entities, as far as it stands. */
const standingDecision = object({
  reviewId: text,
  a: count,
  b: count,
  decision: oneOf(...REVIEW_DECISIONS),
  ground: oneOf(...Object.keys(REVIEW_GROUNDS)),
  caseNo: text,
  decidedBy: text,
  reviewer: text,
  'approvalId?': text,
  'approvedBy?': text,
  'approver?': text,
  'expiresAt?': time,
  'evidence?': evidenceShown,
  decidedAt: time,
});

/** Another entity that one is related to. */
const related = object(
  {
    entityId: text,
    kind: oneOf(...RELATION_KINDS),
    direction: oneOf('from', 'to', 'both'),
    because: list(because),
    observations: list(count),
  },
  {
    description: both(
      'Another entity; `from`: this one operates, represents, is the branch or succeeds. Nothing follows from a relation by itself (rule P13)',
      '另一主体；from 表示本主体为经营者、法定代表人、分支机构或承继者。关联本身不产生任何后果（规则 P13）',
    ),
  },
);

/** What was found of two records. */
const pairExplanation = (more: Record<string, JsonSchema> = {}): JsonSchema =>
  object({
    a: count,
    b: count,
    outcome: oneOf('link', 'review', 'apart'),
    rule: text,
    because: sentence,
    'conflict?': oneOf('kind', 'uscc', 'residentId'),
    bits: {
      type: 'number',
      description: both('Log2 of the odds that the two are one', '两者为同一主体的对数优势（以 2 为底）'),
    },
    fields: list(
      object({
        field: text,
        level: text,
        en: text,
        zh: text,
        group: text,
        stranger: { type: 'number' },
        kin: { type: 'number' },
      }),
    ),
    ...more,
  });

/** A pair of entities on the queue of who is who. */
const review = (more: Record<string, JsonSchema> = {}): JsonSchema =>
  object({
    reviewId: text,
    status: oneOf('open', 'proposed', 'decided', 'linked', 'apart'),
    observations: { ...list(count), minItems: 2, maxItems: 2 },
    entities: { ...list(ref('EntitySide')), minItems: 2, maxItems: 2 },
    because: list(because),
    'evidence?': object({ rule: text, bits: { type: 'number' } }),
    atStake: object({ listings: count, 'tier?': count, accounts: count, wouldClose: count }),
    'decided?': ref('StandingDecision'),
    'proposal?': object({
      approvalId: text,
      requestedBy: text,
      requestedAt: time,
      decision: oneOf(...REVIEW_DECISIONS),
      ground: text,
      caseNo: text,
      reviewer: text,
      'evidence?': evidenceShown,
      undoes: { type: 'boolean' },
    }),
    ...more,
  });

const APPEAL = {
  appealId: text,
  listingId: text,
  publisher: text,
  grounds: oneOf(...Object.keys(APPEAL_GROUNDS)),
  proved: oneOf(...APPEAL_PROOFS),
  filedAt: time,
  status: oneOf('open', 'paused', 'stayed', 'decided', 'moot'),
  'due?': time,
  'deadline?': ref('Deadline'),
  'decision?': oneOf(...APPEAL_DECISIONS),
  'decidedBy?': text,
  'by?': text,
  'decidedAt?': time,
};

const WIRE: Record<string, JsonSchema> = {
  FieldError: object({
    pointer: {
      ...text,
      format: 'json-pointer',
      description: both('RFC 6901, into the submitted document', 'RFC 6901，指向所提交文档'),
    },
    code: oneOf(...Object.keys(PROBLEMS)),
    message: text,
    messageZh: text,
    'notBefore?': {
      ...time,
      description: both('When the same would be accepted at the earliest', '最早可被接受的时间'),
    },
  }),
  Problem: object(
    {
      type: { ...text, format: 'uri' },
      title: text,
      'status?': { type: 'integer' },
      code: oneOf(...Object.keys(PROBLEMS)),
      detail: text,
      detailZh: text,
      'errors?': list(ref('FieldError')),
    },
    {
      description: both(
        'RFC 9457, with a stable code; no submitted value is repeated',
        'RFC 9457，code 固定；不回显所提交的值',
      ),
    },
  ),
  Receipt: object(
    {
      id: text,
      status: oneOf('accepted', 'held', 'duplicate', 'rejected'),
      'position?': count,
      'leafHash?': {
        ...text,
        description: both('RFC 6962 leaf hash of the entry, base64', '记录的 RFC 6962 叶哈希，base64'),
      },
      'heldBecause?': {
        ...oneOf('flood'),
        description: both('Over the publisher’s limits: it waits for a second person', '超出报送方限额，待第二人放行'),
      },
      'heldUntil?': {
        ...time,
        description: both(
          'When a held case is published unless its subject was heard before (rule P06)',
          '暂存案件的公布时间；此前已听取意见的除外（规则 P06）',
        ),
      },
      'victim?': {
        ...object({ id: text, position: count, leafHash: text }),
        description: both(
          'Of an A04 with a victim: the entry that protects the victim (V01), accepted with it',
          '含被冒用人的 A04：同时接受的保护性登记（V01）',
        ),
      },
      'nothingToEnd?': {
        const: true,
        description: both(
          'Nothing rests on the decision yet; filings on it are refused from now on',
          '尚无列名以该决定为依据；此后据其报送将被拒绝',
        ),
      },
      'problem?': ref('Problem'),
    },
    { description: both('The answer to one event', '单个事件的回执') },
  ),
  Preview: object({
    would: oneOf('accepted', 'held', 'duplicate', 'rejected'),
    heldBecause: list(oneOf('hearing', 'flood')),
    'problem?': ref('Problem'),
    subjects: {
      ...count,
      description: both(
        'Subjects that the event is about, whether or not anybody else knows them',
        '事件涉及的主体数，与他人是否知悉无关',
      ),
    },
    identifiers: list(
      object({
        field: text,
        hub: {
          type: 'boolean',
          description: both(
            'So many records share it that it says little of who somebody is',
            '为大量记录共用，识别作用很小',
          ),
        },
      }),
    ),
    limits: object({
      'timesMean?': { type: 'number' },
      'subjectsPerHour?': count,
      'subjectsPerDay?': count,
      lastHour: count,
      today: count,
      mean: { type: 'number' },
    }),
  }),
  ReceiptProof: object({
    status: oneOf('pending', 'included'),
    position: count,
    leafHash: {
      ...text,
      description: both('RFC 6962 leaf hash of the entry, base64', '记录的 RFC 6962 叶哈希，base64'),
    },
    entry: { ...text, description: both('The very text that was hashed', '被哈希的原文') },
    'proof?': { ...text, description: both('C2SP tlog-proof; absent while pending', 'C2SP tlog-proof；pending 时无') },
  }),
  Openings: object({
    position: count,
    openings: list(
      object({
        pointer: {
          ...text,
          format: 'json-pointer',
          description: both("RFC 6901, into the entry's data", 'RFC 6901，指向记录的 data'),
        },
        salt: {
          ...text,
          description: both(
            '32 bytes, base64url; the commitment is SHA-256 over the salt and the value in UTF-8',
            '32 字节，base64url；承诺为盐与 UTF-8 原值的 SHA-256',
          ),
        },
      }),
    ),
  }),
  NoticePage: object({ items: list(ref('NoticeEvent')), next: { type: 'integer', minimum: -1 } }),
  MatchedScreeningsPage: object({
    items: list(ref('MatchedScreeningEvent')),
    next: { type: 'integer', minimum: -1 },
  }),
  NoticeRemindersPage: object({
    items: list({ oneOf: [ref('NoticeReminderEvent'), ref('CaseReminderEvent')] }),
    next: { type: 'integer', minimum: -1 },
  }),
  ErasedNoticesPage: object({ items: list(ref('ErasedNoticesEvent')), next: { type: 'integer', minimum: -1 } }),
  Webhook: object({
    url: text,
    status: oneOf('active', 'disabled'),
    next: { ...count, description: both('The first seq that was not delivered', '首个尚未送达的序号') },
    publicKeys: list(
      object({
        publicKey: {
          ...text,
          description: both('whpk_ and 32 bytes of Ed25519 in base64', 'whpk_ 加 base64 的 Ed25519 公钥'),
        },
        createdAt: time,
        'expiresAt?': time,
      }),
    ),
    'secret?': {
      ...text,
      description: both(
        'whsec_ and 32 bytes in base64, for libraries that know only the symmetric scheme; shown once',
        'whsec_ 加 base64 的 32 字节，供仅支持对称签名的程序库使用；只显示一次',
      ),
    },
    'disabledBecause?': oneOf('gone', 'failing'),
    'disabledAt?': time,
    'deliveredAt?': time,
    'lastStatus?': count,
    'lastProblem?': text,
    'attempts?': count,
    'attemptAt?': time,
    'test?': object({ 'sentAt?': time, 'status?': count, 'problem?': text }),
  }),
  WebhookTest: object({ testId: text }),
  DeadLetterPage: object({
    items: list(
      object({
        webhookId: text,
        kind: oneOf('notice', 'erased', 'reminder', 'matched'),
        seq: count,
        attempts: count,
        deadAt: time,
        'lastStatus?': count,
        'lastProblem?': text,
      }),
    ),
    next: { type: 'integer', minimum: -1 },
  }),
  Token: object({ access_token: text, token_type: oneOf('Bearer'), expires_in: count }),
  TokenRequest: object({
    grant_type: oneOf('client_credentials'),
    client_assertion_type: oneOf('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
    client_assertion: {
      ...text,
      description: both('JWT signed with a key of the member (RFC 7523)', '以成员密钥签名的 JWT（RFC 7523）'),
    },
    'audience?': oneOf('liandun', 'liandun-kafka'),
  }),
  TokenError: object({ error: text, 'error_description?': text }),
  JwkSet: object({ keys: list({ type: 'object' }) }),
  Screening: object({
    screeningId: text,
    result: oneOf('clear', 'possible', 'listed'),
    matches: list(
      object({
        listingId: text,
        code: text,
        reason: object({ code: text, labelZh: text, labelEn: text, legalBasis: list(text) }),
        tier: count,
        grade: oneOf('exact', 'strong', 'possible'),
        fields: {
          type: 'object',
          additionalProperties: oneOf('exact', 'strong', 'possible'),
          description: both(
            'What agrees, and the grade that its agreement carries by itself',
            '一致的字段，及其单独一致所能支持的匹配程度',
          ),
        },
        because: list(object({ field: text, en: text, zh: text })),
        values: {
          type: 'object',
          additionalProperties: text,
          description: both(
            'What the ledger holds of the fields that agree; masked but for what is public of an organization',
            '联盾所载的一致字段；除组织的公示信息外均经脱敏',
          ),
        },
        effectiveAt: time,
        expiresAt: time,
        'status?': {
          ...oneOf('disputed', 'corrected', 'upheld'),
          description: both(
            "The listing's state where it isn't plainly published: disputed, its subject has appealed (rule P07)",
            '列名的状态，仅在非单纯公布时提供；disputed 表示当事人已提出申诉（规则 P07）',
          ),
        },
      }),
    ),
  }),
  EntityPage: object({
    entityId: text,
    kind: oneOf('organization', 'soleProprietor', 'person'),
    name: text,
    'uscc?': text,
    observations: list(
      object({
        position: count,
        member: text,
        'merchantId?': text,
        type: text,
        name: text,
        shops: list({ type: 'object' }),
        because: list(because),
        acceptedAt: time,
        'explanation?': object(
          { 'surest?': ref('PairExplanation'), how: list(ref('ReviewStep')) },
          {
            description: both('For regulators: why it is linked, and how it came to be', '仅监管端：关联的理由与经过'),
          },
        ),
      }),
    ),
    listings: list({ type: 'object' }),
    possible: list(object({ observation: count, entityId: text, because: list(because) })),
    related: list(ref('RelatedEntity')),
    'retiredFrom?': {
      ...text,
      description: both(
        'The id that was asked for: it is the id of another entity now',
        '所查询的旧编号，现已并入本实体',
      ),
    },
  }),
  EntitySide: entitySide,
  StandingDecision: standingDecision,
  RelatedEntity: related,
  PairExplanation: pairExplanation(),
  WhyApart: object({
    outcome: {
      ...oneOf('link', 'review', 'apart'),
      description: both(
        'link: they are one, or will be when they are judged again; review: a person should look',
        'link：两者已为同一主体，或重新判断后将为同一主体；review：待人工复核',
      ),
    },
    entities: { ...list(ref('EntitySide')), minItems: 2, maxItems: 2 },
    reasons: {
      ...list(object({ rule: text, en: text, zh: text })),
      description: both('All that keeps them apart, what decides first', '使两者分开的全部理由，起决定作用者在前'),
    },
    'decided?': ref('StandingDecision'),
    related: list(ref('RelatedEntity')),
    matcher: text,
    compared: {
      ...list(object({ records: count, of: count })),
      description: both('Records of each that were compared, and how many each has', '双方参与比对的记录数及记录总数'),
    },
    pairs: {
      ...list(
        pairExplanation({
          reviewId: text,
          members: { ...list(text), minItems: 2, maxItems: 2 },
          'shared?': list(
            object({
              kind: text,
              en: text,
              zh: text,
              holders: count,
              cap: count,
              generic: { type: 'boolean' },
            }),
          ),
        }),
      ),
      description: both(
        'The pair that decides, then the nearest; `a` is an observation of the first entity. Where the two are one: the links between the two ids',
        '起决定作用的记录对在前，其余按接近程度排列；a 属于前一实体。两者已为同一主体时：连接两个编号的关联路径',
      ),
    },
  }),
  ReviewStep: object({
    position: count,
    at: time,
    type: text,
    'entityId?': text,
    'because?': list(because),
    'reviewId?': text,
    'decision?': oneOf(...REVIEW_DECISIONS),
    'ground?': text,
    'reviewer?': text,
    'approver?': text,
    'evidence?': evidenceShown,
  }),
  Review: review(),
  ReviewDetail: review({
    explanation: object({
      'pair?': ref('PairExplanation'),
      path: list(ref('PairExplanation')),
      history: list(object({ observation: count, steps: list(ref('ReviewStep')) })),
    }),
  }),
  ReviewPage: object({ items: list(ref('Review')), next: { type: ['string', 'null'] } }),
  ReviewProposed: object({ approvalId: text, reviewId: text }),
  Coverage: object({
    listingId: text,
    status: text,
    'hold?': {
      ...ref('Deadline'),
      description: both(
        'Of a case that is or was held: until when its subject may answer, and how that was counted',
        '曾暂存的案件：答复期限及其计算过程',
      ),
    },
    'tellBy?': time,
    'notifiedAt?': time,
    'appeals?': list(ref('Appeal')),
    told: count,
    hosts: count,
    closed: count,
    restricted: count,
    declined: count,
    silent: count,
    reopened: count,
    reopenAsked: count,
    reopenSilent: count,
    instancesTold: count,
    instancesClosed: count,
    'medianMsToClose?': { type: 'number' },
    'longestMsToClose?': { type: 'number' },
    'medianMsToReopen?': { type: 'number' },
    'longestMsToReopen?': { type: 'number' },
    members: list(
      object({
        member: text,
        merchantIds: list(text),
        action: oneOf(...NOTICE_ACTIONS),
        noticeId: text,
        toldAt: time,
        'decision?': oneOf(...DISPOSITIONS),
        'reasonCode?': text,
        'decidedAt?': time,
        'tookMs?': { type: 'number' },
      }),
    ),
  }),
  AuditPage: object({
    items: list(object({ position: count, leafHash: text, 'entityId?': text, entry: { type: 'object' } })),
    next: { type: 'integer', minimum: -1 },
  }),
  MemberKey: object(
    {
      kid: text,
      kty: oneOf('OKP', 'EC'),
      crv: oneOf('Ed25519', 'P-256'),
      x: text,
      'y?': text,
      'alg?': text,
      'use?': text,
    },
    {
      description: both('Public key as a JWK: Ed25519 or P-256', '公钥 JWK：Ed25519 或 P-256'),
      additionalProperties: false,
    },
  ),
  Subscription: object(
    {
      'tiers?': list({ type: 'integer', minimum: 1, maximum: 3 }),
      'codes?': list(text),
      'kinds?': list(oneOf('organization', 'soleProprietor', 'person')),
      'riskEntities?': { type: 'boolean' },
    },
    {
      description: both('What a platform wants to hear of; an absent list means everything', '订阅范围；缺省为全部'),
      additionalProperties: false,
    },
  ),
  Basis: object(
    { kind: oneOf(...BASIS_KINDS), ref: { ...text, maxLength: 120 } },
    {
      description: both(
        "A law's article, a consent's version, an order's number; a contract only for what is no personal data",
        '法律条款、同意书版本、法律文书号；合同仅可作为非个人信息的依据',
      ),
      additionalProperties: false,
    },
  ),
  Agreement: object(
    {
      contractId: { ...text, pattern: '^[A-Za-z0-9._~:/-]{1,64}$' },
      assessmentId: { ...text, pattern: '^[A-Za-z0-9._~:/-]{1,64}$' },
      assessedUntil: time,
      bases: object(Object.fromEntries(DISCLOSED_FIELDS.map((field) => [`${field}?`, ref('Basis')])), {
        additionalProperties: false,
      }),
    },
    {
      description: both(
        'What disclosures to a platform rest on. A platform without one, or whose assessment has expired, receives nothing; nor anything that contains a field without a basis (rule P16)',
        '向平台提供信息的依据。没有协议或评估已到期的平台收不到任何内容；含有无依据字段的内容亦不发送（规则 P16）',
      ),
      additionalProperties: false,
    },
  ),
  AgreementChange: object({ agreement: ref('Agreement') }, { additionalProperties: false }),
  Delivery: object({
    open: { type: 'boolean', description: both('Whether anything is sent to the member now', '目前是否向该成员发送') },
    'because?': oneOf(...BASIS_REFUSALS),
    missing: list(oneOf(...DISCLOSED_FIELDS)),
    'en?': text,
    'zh?': text,
  }),
  MemberAdmission: object(
    {
      memberId: { ...text, pattern: '^[a-z][a-z0-9-]{1,30}[a-z0-9]$' },
      name: text,
      role: oneOf('platform', 'regulator', 'admin'),
      keys: { ...list(ref('MemberKey')), minItems: 1 },
      'subscription?': ref('Subscription'),
      'agreement?': ref('Agreement'),
      'limits?': ref('MemberLimits'),
    },
    { additionalProperties: false },
  ),
  KeyAddition: object({ key: ref('MemberKey') }, { additionalProperties: false }),
  SubscriptionChange: object({ subscription: ref('Subscription') }, { additionalProperties: false }),
  MemberLimits: object(
    {
      'timesMean?': { type: 'number', minimum: 0, maximum: LIMIT_MAX },
      'subjectsPerHour?': { type: 'integer', minimum: 0, maximum: LIMIT_MAX },
    },
    {
      description: both(
        `What a member may list before a second person looks at it: cases of a day as a multiple of its 30-day mean, and cases of an hour. An admission that states none gets ${STANDARD_LIMITS.timesMean} and ${STANDARD_LIMITS.subjectsPerHour}; one of the two left out holds everything`,
        `成员报送限额：当日案件数为前 30 日均值的倍数及每小时案件数，超出者待第二人放行。接纳时未填则为 ${STANDARD_LIMITS.timesMean} 与 ${STANDARD_LIMITS.subjectsPerHour}；缺其一则全部暂存`,
      ),
      additionalProperties: false,
    },
  ),
  ReasonCodeRow: object(REASON_CODE_ROW, { additionalProperties: false }),
  ReasonCode: object({ ...REASON_CODE_ROW, area: text }),
  ReasonCodeTable: object({
    version: text,
    codes: list(ref('ReasonCode')),
    'proposed?': list(
      object({
        approvalId: text,
        requestedBy: text,
        requestedAt: time,
        version: text,
        codes: list(ref('ReasonCode')),
      }),
    ),
  }),
  ReasonCodesProposal: object(
    { codes: { ...list(ref('ReasonCodeRow')), minItems: 1, maxItems: CHANGED_CODES_MAX } },
    { additionalProperties: false },
  ),
  ReasonCodesProposed: object({ approvalId: text, version: text }),
  LimitsChange: object({ limits: ref('MemberLimits') }, { additionalProperties: false }),
  Liability: object({ en: text, zh: text, law: text }),
  PublisherPage: object({
    items: list(
      object({
        name: text,
        'tooFew?': { const: true },
        'overturnRate?': { type: 'number' },
        'medianDaysToFix?': { type: 'number' },
        'malicious?': {
          ...count,
          description: both('Notices that a regulator found were filed in bad faith', '经监管机构认定为恶意的通知数'),
        },
        'lowered?': {
          type: 'boolean',
          description: both('Its tier 2 findings count as tier 3', '其第二层认定按第三层处理'),
        },
      }),
    ),
    rules: object({
      version: count,
      rateMax: { type: 'number' },
      publishedMin: count,
      windowDays: count,
      'maliciousCounts?': count,
    }),
    liability: ref('Liability'),
  }),
  Publisher: object({
    memberId: text,
    name: text,
    published: count,
    overturned: count,
    rate: { type: 'number' },
    'medianDaysToFix?': { type: 'number' },
    'malicious?': count,
    lowered: { type: 'boolean' },
    liability: ref('Liability'),
  }),
  Appeal: object(APPEAL),
  AppealPage: object({ items: list(ref('Appeal')), next: { type: ['string', 'null'] } }),
  AppealDetail: object({
    ...APPEAL,
    'statement?': {
      ...text,
      description: both('Absent where there is none, or it was erased', '无陈述或已删除时为空'),
    },
    evidence: list(object({ sha256: text, mediaType: text })),
    'stayed?': {
      ...object({ by: oneOf('deadline', 'reviewer'), 'reasons?': text }),
      description: both('How the listing was suspended', '列名暂停执行的方式'),
    },
    'reasons?': text,
    'cause?': oneOf(...CAUSES),
    'expiresAt?': time,
  }),
  AppealStayed: object({ appealId: text, stayedAt: time }),
  MaliceFound: object({ listingId: text, foundAt: time, liability: ref('Liability') }),
  AppealConcluded: object({ appealId: text, decision: oneOf(...APPEAL_DECISIONS), decidedAt: time }),
  DeadlineSet: object({
    'due?': { ...time, description: both('Absent while it is paused', '中止期间为空') },
    deadline: ref('Deadline'),
  }),
  Deadline: object(
    {
      from: time,
      'due?': { ...time, description: both('Absent while it is paused', '中止期间为空') },
      term: object({ count, unit: oneOf('workingDay', 'day') }),
      days: list(
        object({
          date: { ...text, format: 'date' },
          verdict: oneOf('counted', 'weekend', 'holiday', 'paused', 'movedToWorkingDay'),
          'name?': { ...text, description: both('Of the holiday', '节假日名称') },
          'nameEn?': { ...text, description: both('Its name in English', '节假日英文名称') },
        }),
      ),
      calendar: text,
      unknownYears: list(count),
      pauses: list(object({ from: time, 'until?': time, reason: oneOf(...Object.keys(DEADLINE_REASONS)) })),
      extensions: list(object({ days: count, reason: oneOf(...Object.keys(DEADLINE_REASONS)) })),
      'by?': text,
      'reviewer?': text,
      'caseNo?': text,
    },
    {
      description: both(
        'Until when, and what each day counted for (民法典 第201、203条)',
        '期限及逐日计算过程（民法典第二百零一条、第二百零三条）',
      ),
    },
  ),
  FloodPage: object({
    items: list(
      object({
        memberId: text,
        cases: count,
        since: time,
        until: time,
        upTo: count,
        codes: list(object({ code: text, tier: count, cases: count })),
      }),
    ),
  }),
  FloodDecision: object({ decision: oneOf(...FLOOD_DECISIONS), upTo: count }, { additionalProperties: false }),
  FloodDecided: object({ memberId: text, decision: oneOf(...FLOOD_DECISIONS), cases: count, upTo: count }),
  SignaturesChange: object({ signatures: oneOf(...SIGNATURE_POLICIES) }, { additionalProperties: false }),
  MemberKeyList: object({
    memberId: text,
    keys: list(
      object({
        kid: text,
        status: {
          ...oneOf('live', 'suspended', 'revoked'),
          description: both(
            'suspended: stopped in an emergency, until a second administrator revokes it or lets it live. A key has no expiry: it is live until it is revoked.',
            'suspended：紧急停用，待另一管理员吊销或恢复。密钥没有到期时间：吊销之前一直有效。',
          ),
        },
        since: time,
        addedAt: time,
        alg: oneOf('EdDSA', 'ES256'),
        use: oneOf('sig'),
        key: ref('MemberKey'),
        'requests?': {
          ...list(
            object({
              approvalId: text,
              requestedBy: text,
              requestedAt: time,
              emergency: { type: 'boolean' },
              'confirmBy?': time,
            }),
          ),
          description: both(
            'Revocations that await a second administrator; administrators only',
            '待另一管理员审批的吊销请求；仅管理员可见',
          ),
        },
      }),
    ),
  }),
  KeyRevocation: object({ 'emergency?': { type: 'boolean' } }, { additionalProperties: false }),
  NoBody: object({}, { additionalProperties: false }),
  ApprovalRequested: object({ approvalId: text, 'delivery?': ref('Delivery') }),
  Erasure: object({
    erasureId: text,
    status: oneOf('pending', 'granted', 'refused'),
    scope: oneOf('all', 'own'),
    basis: oneOf(...Object.keys(ERASURE_BASES)),
    legalBasis: text,
    requestId: text,
    requestedBy: text,
    requestedAt: time,
    'decidedBy?': text,
    'decidedAt?': time,
    'found?': object({
      entries: count,
      records: list(
        object({
          position: count,
          member: text,
          type: text,
          kind: oneOf(...SUBJECT_KINDS),
          as: oneOf('subject', 'representative'),
          foundBy: list(text),
          'name?': text,
          'residentId?': text,
          'phones?': list(text),
        }),
      ),
    }),
    'erased?': object({
      entries: count,
      positions: list(count),
      asRepresentative: list(count),
    }),
    'kept?': list(object({ what: text, en: text, zh: text, law: text, 'entries?': count })),
  }),
  AlarmPage: object({
    items: list(
      object({
        alarm: oneOf(...ALARMS),
        member: text,
        day: { ...text, format: 'date' },
        limit: count,
        'noticeId?': { ...text, description: both('The notice that nothing followed on', '尚无处置回执的通知') },
        'listingId?': { ...text, description: both('With relatedListed', '仅 relatedListed') },
        'relatedEntityId?': {
          ...text,
          description: both(
            'Who is related to the listed entity; nothing follows for it by itself (rule P13)',
            '与被列入主体相关联者；不因此产生任何后果（规则 P13）',
          ),
        },
        'relation?': oneOf(...RELATION_KINDS),
        raisedAt: time,
      }),
    ),
    next: { type: 'integer', minimum: -1 },
    witnesses: list(object({ witness: text, code: text, message: text, messageZh: text, since: time })),
  }),
  Identification: object({ identificationId: { ...text, format: 'uuid' }, expiresAt: time }),
  Statistics: object({
    quarters: list(
      object({
        quarter: { ...text, description: both("Of China's calendar", '按北京时间') },
        listed: list(object({ tier: count, code: text, count: fewOrMore, 'labelZh?': text, 'labelEn?': text })),
        ended: list(object({ status: text, cause: text, count: fewOrMore, 'labelZh?': text, 'labelEn?': text })),
        appeals: object({
          filed: fewOrMore,
          decided: list(object({ decision: text, count: fewOrMore, 'labelZh?': text, 'labelEn?': text })),
          'medianDays?': {
            type: 'number',
            description: both(
              'Until a decision; absent where fewer than five were decided',
              '作出决定的中位天数；少于五件则无此字段',
            ),
          },
          stayed: { ...fewOrMore, description: both('By the clock: undecided in time', '逾期未决而自动暂停') },
        }),
        reopenings: object({ asked: fewOrMore, made: fewOrMore }),
      }),
    ),
    fewerThan: count,
  }),
  IdentificationWays: object({ ways: list(oneOf(...APPEAL_PROOFS)) }),
  Challenge: object({
    text: { ...text, description: both('Sign this, byte for byte', '请逐字节对此原文签名') },
    expiresAt: time,
  }),
  SubjectToken: object({ token: text, expiresAt: time }),
  AppealFiled: object({ appealId: text, filedAt: time, due: time }),
  Stated: object({ statementId: { ...text, format: 'uuid' } }),
  StatementPage: object({ items: list(ref('Statement')), next: { type: 'integer', minimum: -1 } }),
  Statement: object({
    position: count,
    statementId: text,
    kind: oneOf('answer', 'statement', 'correction'),
    about: { ...count, description: both('Position of the entry that it is about', '所针对记录的位置') },
    caseId: text,
    'listingId?': text,
    'field?': text,
    'statement?': { ...text, description: both('Absent once erased', '已删除则无此字段') },
    evidence: list(object({ sha256: text, mediaType: text })),
    statedAt: time,
  }),
  CaseHearing: object({
    caseId: text,
    listingId: text,
    status: text,
    'heldUntil?': time,
    'hold?': ref('Deadline'),
    'tellBy?': {
      ...time,
      description: both(
        'Of a case that others were told of at once: when the day ends on which its subject is to be told (rule P06)',
        '即时告知其他平台的案件：应当告知主体的当日终了时间（规则 P06）',
      ),
    },
    'notifiedAt?': { ...time, description: both('When it was told, as its publisher says', '报送方陈述的告知时间') },
    tell: object({ zh: text, en: text }),
    evidence: list({ type: 'object' }),
    answers: list(ref('Statement')),
  }),
  SubjectPage: object({
    entities: list(text),
    observations: list({ type: 'object' }),
    listings: list({ type: 'object' }),
    inquiries: list({ type: 'object' }),
    'copiedAt?': time,
    'entries?': list({ type: 'object' }),
  }),
  Page: object({ items: list({ type: 'object' }), next: { type: ['string', 'null'] } }),
  Health: object({ status: oneOf('ok') }),
};

/** `liandun.merchant.reported.v1` → `MerchantReportedEvent`, after the payload's class. */
export const eventSchemaName = (payload: Class): string => `${payload.name}Event`;

/** Every schema that the two documents refer to, by name. */
export function componentSchemas(): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {};
  addClass(schemas, Envelope, true);
  addClass(schemas, ScreeningRequest, true);
  addClass(schemas, ScreeningDecision, true);
  addClass(schemas, ErasureRequest, true);
  for (const body of [WebhookRequest, WebhookRotation, WebhookReplay]) addClass(schemas, body, true);
  for (const body of [
    IdentificationRequest,
    IdentificationCode,
    ChallengeRequest,
    SignedStatement,
    AppealRequest,
    SubjectStatement,
    CorrectionRequest,
  ])
    addClass(schemas, body, true);
  addClass(schemas, AppealDecision, true);
  addClass(schemas, AppealStay, true);
  addClass(schemas, DeadlineChange, true);
  addClass(schemas, MaliceFinding, true);
  addClass(schemas, ReviewDecision, true);
  addClass(schemas, ReviewUndo, true);
  addClass(schemas, ApprovalDecision, true);
  const envelope = schemas.Envelope as JsonSchema;
  for (const [type, { payload }] of Object.entries(SUBMISSIONS)) {
    addClass(schemas, payload, true);
    schemas[eventSchemaName(payload)] = envelopeOf(envelope, type, payload.name);
  }
  const events = Object.entries(SUBMISSIONS).map(([type, { payload }]) => [type, eventSchemaName(payload)] as const);
  schemas.Event = {
    oneOf: events.map(([, name]) => ref(name)),
    discriminator: {
      propertyName: 'type',
      mapping: Object.fromEntries(events.map(([type, name]) => [type, PREFIX + name])),
    },
  };
  // Notices may grow, so what a subscriber doesn't know there it lets pass.
  addClass(schemas, Notice, false);
  addClass(schemas, ErasedNotices, false);
  addClass(schemas, NoticeReminder, false);
  addClass(schemas, CaseReminder, false);
  addClass(schemas, MatchedScreening, false);
  const { additionalProperties: _closed, ...open } = envelope;
  schemas.NoticeEvent = envelopeOf(open, NOTICE_TYPE, 'Notice');
  schemas.NoticeReminderEvent = envelopeOf(open, NOTICE_REMINDER_TYPE, 'NoticeReminder');
  schemas.CaseReminderEvent = envelopeOf(open, CASE_REMINDER_TYPE, 'CaseReminder');
  schemas.ErasedNoticesEvent = envelopeOf(open, NOTICE_ERASED_TYPE, 'ErasedNotices');
  schemas.MatchedScreeningEvent = envelopeOf(open, SCREENING_MATCHED_TYPE, 'MatchedScreening');
  delete schemas.Envelope;
  const twice = Object.keys(WIRE).filter((name) => name in schemas);
  if (twice.length > 0) throw new Error(`two schemas are called ${twice.join(', ')}`);
  return { ...schemas, ...WIRE };
}
