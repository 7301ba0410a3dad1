import type { FieldError, Problem } from './envelope.js';

type Text = readonly [en: string, zh: string];

/**
 * Every code that the ledger may answer with, each with what is wrong and what to do, in English and Chinese. Closed:
 * a code, once released, keeps its meaning. HTTP statuses are the edge's business. No text ever repeats a submitted value.
 */
export const PROBLEMS = {
  // Form
  MALFORMED_JSON: [
    'The text is not valid JSON. Send one JSON object per event, in UTF-8 without a byte order mark.',
    '内容不是有效的 JSON。请以不带 BOM 的 UTF-8 发送，每个事件一个 JSON 对象。',
  ],
  DUPLICATE_NAME: [
    'The name stands twice in the same object, so it has no one meaning. Send it once.',
    '同一对象中该名称出现两次，含义不明。请只保留一个。',
  ],
  NESTED_TOO_DEEP: [
    'Objects and lists are nested more than 16 deep. No event or body needs that: see /openapi.json.',
    '对象和列表嵌套超过 16 层。任何事件或请求都无需如此，见 /openapi.json。',
  ],
  TOO_MANY_VALUES: [
    'The text holds more values than any event (20,000) or batch (1,000,000) may. Split it.',
    '内容中的值过多：单个事件最多 20000 个，批次最多 1000000 个。请拆分。',
  ],
  NUMBER_OUT_OF_RANGE: [
    'The number cannot be held exactly as a 64-bit floating-point number (RFC 7493). Use one from -(2^53)+1 to (2^53)-1.',
    '该数字无法以 64 位浮点数精确表示（RFC 7493）。请使用 -(2^53)+1 至 (2^53)-1 之间的数。',
  ],
  UNSUPPORTED_CONTENT_ENCODING: [
    'A compressed body is not taken. Send it without Content-Encoding.',
    '不接受压缩的请求正文。请去掉 Content-Encoding 后发送。',
  ],
  UNSUPPORTED_MEDIA_TYPE: [
    'The content type is not supported. Use application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson or, for other bodies, application/json.',
    '不支持该内容类型。事件请用 application/cloudevents+json、application/cloudevents-batch+json 或 application/x-ndjson，其他请求用 application/json。',
  ],
  TOO_MANY_EVENTS: [
    'A batch holds at most 1,000 events. Split it, or send NDJSON.',
    '一个批次最多 1000 个事件。请拆分，或改用 NDJSON。',
  ],
  EVENT_TOO_LARGE: [
    'The entry would pass 60,000 bytes. Send fewer shops, accounts or pieces of evidence.',
    '记录将超过 60000 字节。请减少店铺、账号或证据的数量。',
  ],
  BODY_TOO_LARGE: [
    'The body, line or record is larger than /openapi.json allows (2 MiB for an event). Split it.',
    '请求正文、单行或消息超过 /openapi.json 规定的上限（单个事件 2 MiB）。请拆分后发送。',
  ],
  MISSING_FIELD: ['The field is required. Add it.', '缺少必填字段。请补充。'],
  UNKNOWN_FIELD: [
    'The field is not part of this type. Remove it; free text and extensions are not accepted.',
    '该类型没有此字段。请删除；不接受自由文本和扩展字段。',
  ],
  WRONG_TYPE: [
    'The value has the wrong JSON type. See /openapi.json for the type of this field.',
    '值的 JSON 类型不对。该字段的类型见 /openapi.json。',
  ],
  INVALID_FORMAT: [
    'The value does not have the form of this field. See its pattern and length in /openapi.json.',
    '值的格式不符合该字段的要求。格式和长度见 /openapi.json。',
  ],
  INVALID_VALUE: [
    'The value is not in the closed list of this field. Use one of the values in /openapi.json.',
    '值不在该字段的封闭列表内。可用的值见 /openapi.json。',
  ],
  INVALID_TIME: [
    'The time is not RFC 3339 with an offset, for example 2020-02-03T09:30:00+08:00.',
    '时间不是带时区的 RFC 3339 格式，例如 2020-02-03T09:30:00+08:00。',
  ],
  INVALID_URL: [
    'The address must be an http or https URL without user name or spaces, at most 2,048 characters.',
    '网址须为不含用户名和空格的 http 或 https 地址，最长 2048 个字符。',
  ],
  TOO_MANY_ITEMS: [
    'The list is longer than allowed. See maxItems in /openapi.json.',
    '列表过长。上限见 /openapi.json 的 maxItems。',
  ],
  TOO_MANY_ERRORS: [
    'More is wrong than is listed here. Mend these and send again.',
    '错误过多，未全部列出。请先改正所列错误再发送。',
  ],
  EXACTLY_ONE: ['Exactly one of the two fields must be given.', '两个字段必须且只能填写一个。'],
  FIELD_NOT_APPLICABLE: ['The field does not go with the other values. Remove it.', '该字段与其他值不相配。请删除。'],
  // Envelope
  UNSUPPORTED_SPECVERSION: [
    'The event must be CloudEvents 1.0: set specversion to "1.0".',
    '事件须为 CloudEvents 1.0：请将 specversion 设为 "1.0"。',
  ],
  SOURCE_NOT_YOURS: [
    'The source must be urn:liandun:member:<your member id>.',
    'source 必须是 urn:liandun:member:<本成员编号>。',
  ],
  UNKNOWN_TYPE: [
    'The event type is not known. Use one of the types in /asyncapi.json.',
    '未知的事件类型。可用类型见 /asyncapi.json。',
  ],
  TYPE_NOT_ALLOWED: ['Members of your role may not send this event type.', '该角色的成员不能发送此类事件。'],
  EVENT_ID_REUSED: [
    'This id was used before with other content. Give the new event a new id.',
    '该 id 已用于其他内容。请为新事件使用新的 id。',
  ],
  SIGNATURE_REQUIRED: [
    'What this member sends must bear its signature. Sign the event with a registered key: the option `sign` of the SDK, `--sign` of the command line.',
    '该成员报送的事件须附签名。请用已登记的密钥签名：SDK 的 sign 选项，命令行的 --sign。',
  ],
  SIGNATURE_KEY_UNKNOWN: [
    'The kid in the signature is no live key of yours. Sign with a registered key that was not revoked; the id may stay.',
    '签名中的 kid 不是贵方的有效密钥。请用已登记且未撤销的密钥重新签名，id 可不变。',
  ],
  SIGNATURE_INVALID: [
    'The signature does not fit the event and key. Sign the committed form (canonical JSON of data, id, source, time and type) as a detached JWS with typ liandun-event+jws, EdDSA or ES256; the SDK does it.',
    '签名与事件或密钥不符。请对承诺形式（data、id、source、time、type 的规范化 JSON）生成 typ 为 liandun-event+jws 的分离式 JWS（EdDSA 或 ES256）；SDK 可代为完成。',
  ],
  NOT_OPAQUE: [
    'The id looks like a resident number or a phone number. Use an opaque id of your own.',
    '该编号疑似居民身份证号码或电话号码。请使用不含个人信息的内部编号。',
  ],
  // Identity
  BAD_USCC: [
    'The unified social credit code fails GB 32100-2015 (18 capital characters, two check characters). Compare it with the licence.',
    '统一社会信用代码不符合 GB 32100-2015（18 位大写字符，两位校验码）。请与营业执照核对。',
  ],
  BAD_REGISTRATION_NUMBER: [
    'The registration number must have 15 digits and pass the MOD 11,10 check (GS 15-2006). Compare it with the licence.',
    '注册号须为 15 位数字并通过 MOD 11,10 校验（GS 15-2006）。请与营业执照核对。',
  ],
  BAD_RESIDENT_ID: [
    'The resident number fails GB 11643-1999 (18 characters, a real date, check character with capital X). Compare it with the document, or mask it with *.',
    '居民身份证号码不符合 GB 11643-1999（18 位、日期有效、校验码 X 大写）。请与证件核对，或以 * 掩码。',
  ],
  PURPOSE_NOT_ALLOWED: [
    'The purpose must be onboarding or compliance (rule P15); no other use of the ledger is allowed.',
    '用途只能是 onboarding（入驻审查）或 compliance（合规），不得用于其他目的（规则 P15）。',
  ],
  // Case
  UNKNOWN_CODE: [
    'The reason code is not in the list. Use a code of GET /v1/reason-codes.',
    '事由代码不在清单内。请使用 GET /v1/reason-codes 中的代码。',
  ],
  CODE_RETIRED: [
    'The reason code is no longer in use: no new case is taken on it. See GET /v1/reason-codes for the codes in force.',
    '该事由代码已停用，不再受理新案件。现行代码见 GET /v1/reason-codes。',
  ],
  CODE_NOT_SHAREABLE: [
    'This code can never be shared: a breach of platform rules alone is no reason to list (rule P05).',
    '该代码不得共享：仅违反平台规则不构成列名事由（规则 P05）。',
  ],
  CODE_FOR_REGULATORS_ONLY: ['Only regulators may use this code or subject.', '该代码或主体类型仅限监管端使用。'],
  CODE_SUBJECT_MISMATCH: [
    'Code K01 and the subject professionalClaimant go only with each other.',
    '代码 K01 与主体 professionalClaimant 只能同时使用。',
  ],
  PROOF_BELOW_FLOOR: [
    'The proof is weaker than this code demands (rule P04). See its proofFloor in reason-codes.csv.',
    '证明标准低于该代码的要求（规则 P04）。见 reason-codes.csv 的 proofFloor。',
  ],
  VICTIM_IDENTIFIER: [
    "The identifier is the victim's. Remove it: a case names only what is its subject's own, or the victim's shops would be closed (rule P14).",
    '该标识属于被冒用人。请删除：案件只应列出行为人本人的信息，否则将波及被冒用人的店铺（规则 P14）。',
  ],
  VICTIM_NOT_IDENTIFIED: [
    "The victim needs an official identifier: an organization's or sole proprietor's credit code, a person's resident number.",
    '被冒用人须有官方标识：企业或个体工商户为统一社会信用代码，自然人为居民身份证号码。',
  ],
  VICTIM_MISSING: [
    "The identity holds an identifier that is protected as a victim's (V01). Name its owner in data.victim and remove the identifier here, so that the victim is protected in the same transaction (rule P14).",
    '身份信息含有已受保护的被冒用人标识（V01）。请在 data.victim 中写明其所有人并删除此处标识，使其同时受到保护（规则 P14）。',
  ],
  KIND_NOT_ALLOWED: [
    'The code or list does not apply to this kind of subject. See its subjectKinds in reason-codes.csv.',
    '该代码或名单不适用于此类主体。见 reason-codes.csv 的 subjectKinds。',
  ],
  EVIDENCE_MISSING: ['At least one piece of evidence is required, with its SHA-256.', '至少需要一份证据及其 SHA-256。'],
  ATTESTATION_INCOMPLETE: [
    'All four points of the attestation must be true (rule P04). Do not send the case before they are.',
    '四项声明必须全部为 true（规则 P04）。未满足前请勿报送。',
  ],
  CLOCK_AHEAD: [
    'The time lies more than three hours ahead of the ledger. Set the clock right and send again.',
    '时间比联盾时间超前三小时以上。请校准时钟后重新发送。',
  ],
  EXPIRES_PAST_TERM: [
    "The listing would outlast the code's term (rule P11). Shorten expiresAt, or name the official decision that sets it in proof.decisionNo.",
    '有效期超过该代码的期限（规则 P11）。请缩短 expiresAt，或在 proof.decisionNo 写明确定期限的官方决定。',
  ],
  TIME_ORDER: ['The time must not lie before the one that it follows.', '时间顺序不对：后一时间不得早于前一时间。'],
  HEARING_INCONSISTENT: [
    'The hearing must end after it was notified, and a cause needs an answer that was considered.',
    '听取意见的结束时间不得早于告知时间；填写 cause 时 answer 须为 considered。',
  ],
  HEARING_TOO_SHORT: [
    "The subject's time to answer had not passed: three working days after it was notified, or the longer hold of the code (rule P06). Send again with a hearing that ended after notBefore, or with answer considered.",
    '答复期限尚未届满：自告知起三个工作日，或该事由代码规定的更长期限（规则 P06）。请在 notBefore 之后结束听取意见再发送，或以 answer considered 报送。',
  ],
  EMERGENCY_MISSING: [
    'This code needs the declared emergency with its name and dates.',
    '该代码须写明已宣布的应急事件名称及起止日期。',
  ],
  ITEM_RULE_MISSING: ["This code needs the item's own rule in itemRule.", '该代码须在 itemRule 写明该物品的专门规定。'],
  OPEN_ORDERS_MISSING: [
    'A closed disposition must say what happens to open orders: kept or none (rule P22).',
    '关店回执须说明未完成订单的处理：kept 或 none（规则 P22）。',
  ],
  // State
  MERCHANT_NOT_FOUND: [
    'You have no such merchant in the ledger. Report the merchant first, or mend the id.',
    '联盾中没有贵方的该商户。请先报送商户，或更正编号。',
  ],
  DELISTING_NOT_FOUND: [
    'You have no such delisting in force. Give the CloudEvents id of your own delisting.',
    '没有贵方生效中的该清退记录。请填写贵方清退事件的 id。',
  ],
  REPORT_NOT_FOUND: [
    'You have no such report in force. Give the CloudEvents id of your own report.',
    '没有贵方生效中的该报告。请填写贵方报告事件的 id。',
  ],
  CASE_NOT_FOUND: ['No such case of yours.', '没有您报送的该案件。'],
  CASE_ALREADY_NOTIFIED: [
    'It is recorded already that the subject of this case was told (rule P06).',
    '该案件的主体已告知，记录在案（规则 P06）。',
  ],
  CASE_NOT_HELD: [
    'You have no held case with this id: it is unknown, released or withdrawn.',
    '没有该编号的待释放案件：不存在、已释放或已撤回。',
  ],
  LISTING_NOT_FOUND: ['No such listing is in force.', '没有生效中的该列名。'],
  DECISION_ENDED: [
    'The official decision was annulled, repaired or has ended, so nothing may be filed on it again (rule P12).',
    '该官方决定已撤销、修复或终止，不得据以重新报送（规则 P12）。',
  ],
  OUT_OF_RANGE: [
    'The number is outside of what can be asked for. See the range in the error of its field.',
    '该数值超出可用范围。可用范围见该字段的错误说明。',
  ],
  WEBHOOK_NOT_FOUND: [
    'You have set no webhook. Set one with PUT /v1/webhook.',
    '贵方尚未设置 webhook。请先用 PUT /v1/webhook 设置。',
  ],
  WEBHOOK_ADDRESS_NOT_ALLOWED: [
    'A webhook must be https on a public address, without user, password or fragment. Give such an address.',
    'webhook 须为公网 https 地址，不含用户名、密码或片段。请更换地址。',
  ],
  DISPOSITION_NOT_APPLICABLE: [
    'The decision does not answer what the notice asked for: reopened follows reopen, lift and correct, and the closing decisions follow the others. See the notice and send a decision that fits.',
    '该决定与通知的要求不符：reopened 仅用于 reopen、lift、correct，关店类决定用于其他通知。请核对通知后重新发送。',
  ],
  CLOSED_WITHOUT_PERSON: [
    'A policy closes by itself only where the notice is autoClosable and its merchant is an organization (rules P01, P08). Have a person decide, and send the decision without automated.',
    '仅当通知的 autoClosable 为 true 且商户为单位时，方可由策略自动关店（规则 P01、P08）。请由人工决定，并在重新发送时去掉 automated。',
  ],
  SHOP_NOT_OF_NOTICE: [
    'The shop is not among those that the notice named. Name shops of the notice only.',
    '该店铺不在通知所列店铺之内。请仅填写通知所列店铺。',
  ],
  NOTICE_NOT_FOUND: ['You received no such notice.', '贵方未收到过该通知。'],
  VERSION_CONFLICT: [
    'Something else changed first. Read the current state and send again.',
    '状态已被其他操作改变。请读取最新状态后重新发送。',
  ],
  PERSONAL_DATA_IN_CLEAR: [
    "On Kafka an event with personal fields must be a JWE to the ledger's published key. Use the SDK, or encrypt it.",
    '通过 Kafka 发送含个人信息的事件须用联盾公布的公钥加密为 JWE。请使用 SDK 或自行加密。',
  ],
  MALFORMED_JWE: [
    "The JWE can't be opened. Encrypt to the current inbox key in /.well-known/jwks.json with ECDH-ES+A256KW and A256GCM.",
    '无法解密 JWE。请用 /.well-known/jwks.json 中现行的收件密钥，以 ECDH-ES+A256KW 和 A256GCM 加密。',
  ],
  // Access
  UNAUTHENTICATED: [
    'A valid access token is required. Members get one at POST /oauth/token, subjects of entries at POST /public/identifications.',
    '需要有效的访问令牌。成员在 POST /oauth/token 获取，列名主体在 POST /public/identifications 验证身份后获取。',
  ],
  INVALID_CLIENT: [
    'The client assertion was refused. Check key, kid, audience, expiry, and use each jti once.',
    '客户端声明被拒绝。请检查密钥、kid、受众和有效期，且每个 jti 只用一次。',
  ],
  INVALID_REQUEST: [
    'The request is not what this route takes. See /openapi.json.',
    '请求不符合该接口的要求。见 /openapi.json。',
  ],
  MEMBER_SUSPENDED: ['The member is suspended. Ask an administrator.', '成员已被暂停。请联系管理员。'],
  KEY_STOPPED: [
    'The key that this token was given for is stopped or revoked. Get a token with another live key; without one, ask an administrator.',
    '该令牌所用的密钥已被停用或撤销。请用其他有效密钥重新获取令牌；没有其他密钥时请联系管理员。',
  ],
  FORBIDDEN: ['Your role may not use this route.', '该角色无权使用此接口。'],
  NOT_FOUND: ['There is nothing here for you. Check the address.', '没有可供查看的内容。请检查地址。'],
  METHOD_NOT_ALLOWED: [
    'This address does not take that method. See the Allow header.',
    '该地址不支持此方法。见 Allow 响应头。',
  ],
  PURPOSE_REQUIRED: [
    "A regulator's read needs the headers Liandun-Purpose and Liandun-Case.",
    '监管端查询须带 Liandun-Purpose 和 Liandun-Case 请求头。',
  ],
  CURSOR_INVALID: [
    'The cursor is not one that this route gave out. Begin without it.',
    '游标不是本接口给出的。请去掉后重新开始。',
  ],
  RATE_LIMITED: [
    'Too many requests. Wait as long as Retry-After says; where the quota of RateLimit-Policy is too small, ask an administrator.',
    '请求过多。请按 Retry-After 等待；若 RateLimit-Policy 的配额不足，请联系管理员。',
  ],
  SCREENING_BUDGET_SPENT: [
    'The identifiers that the member may screen today are used up; those screened already are still answered. Go on tomorrow, or ask an administrator for a larger budget.',
    '本成员今日可筛查的标识数量已用完；已筛查过的标识仍可查询。请明日继续，或向管理员申请提高额度。',
  ],
  LOOKUP_BUDGET_SPENT: [
    'Too many addresses that lead to nothing were asked for today. Look up only ids that the ledger gave out; go on tomorrow, or ask an administrator.',
    '今日查询了过多不存在的地址。请仅查询联盾给出的编号；请明日继续，或联系管理员。',
  ],
  // The subject's own way in
  CODE_REFUSED: [
    'The code is wrong, was used, or is too old: it holds for ten minutes and five attempts. Ask for another.',
    '验证码有误、已使用或已过期：有效期十分钟，最多尝试五次。请重新获取。',
  ],
  IDENTIFICATIONS_SPENT: [
    'Too many codes were asked for this number. Wait as long as Retry-After says; nothing was sent.',
    '该号码获取验证码过于频繁，本次未发送。请按 Retry-After 等待后再试。',
  ],
  CODES_NOT_SENT: [
    'This ledger sends no codes yet. Write to the platform that told you of the entry, which must pass your objection on.',
    '本账本尚未开通验证码发送。请联系告知您的平台，由其转交异议。',
  ],
  STATEMENTS_NOT_TAKEN: [
    'This ledger takes no signed statements: its operator has named no certification authorities (LIANDUN_SUBJECT_CAS). Ask for a code instead: POST /public/identifications.',
    '本账本未开通签名声明：运营方尚未配置受信任的证书机构（LIANDUN_SUBJECT_CAS）。请改用验证码：POST /public/identifications。',
  ],
  STATEMENT_REFUSED: [
    'The signed statement proves nothing; see errors. Mend what they name, or ask for a code instead: POST /public/identifications.',
    '签名声明未通过验证，详见 errors。请按提示更正，或改用验证码：POST /public/identifications。',
  ],
  STATEMENT_MALFORMED: [
    'This is no signed statement. Give the text of POST /public/challenges, signed, as a compact JWS (RFC 7515).',
    '这不是签名声明。请将 POST /public/challenges 给出的原文签名，并以紧凑 JWS（RFC 7515）提交。',
  ],
  STATEMENT_ALGORITHM: [
    'This algorithm is not taken. Sign by RS256, PS256, ES256 or EdDSA, with the kind of key that the certificate holds.',
    '不接受此签名算法。请使用 RS256、PS256、ES256 或 EdDSA，并与证书密钥类型一致。',
  ],
  STATEMENT_SIGNATURE: [
    'The signature is not of this text by the key of the certificate. Sign the text as it was given, byte for byte.',
    '签名与原文或证书密钥不符。请按给出的原文逐字节签名。',
  ],
  STATEMENT_CHALLENGE: [
    'The challenge is not one of this ledger, is older than ten minutes, or was used. Get another: POST /public/challenges.',
    '挑战值不是本账本签发的、已超过十分钟或已使用。请重新获取：POST /public/challenges。',
  ],
  STATEMENT_ORIGIN: [
    'The statement was signed for another address. Sign the text that this ledger gave.',
    '该声明是为其他地址签署的。请对本账本给出的原文签名。',
  ],
  STATEMENT_PURPOSE: [
    'The statement was signed for another purpose, or its words were changed. Sign the text that this ledger gave.',
    '该声明的用途不符或文字被改动。请对本账本给出的原文签名。',
  ],
  STATEMENT_OTHER_CODE: [
    'The certificate names another credit code than the statement. Sign with the certificate of the organization itself.',
    '证书所载的统一社会信用代码与声明不一致。请使用本单位的证书签名。',
  ],
  CERTIFICATE_UNTRUSTED: [
    "The certificate doesn't lead to an authority that this ledger trusts. Give in x5c the signing certificate first, then each that issued the one before; ask the operator which authorities it trusts.",
    '证书未能追溯到本账本信任的机构。请在 x5c 中先列签名证书，再依次列签发证书；受信任的机构请询问运营方。',
  ],
  CERTIFICATE_EXPIRED: [
    'A certificate is not valid now. Sign with one that is.',
    '证书不在有效期内。请使用有效的证书签名。',
  ],
  CERTIFICATE_USAGE: [
    'The certificate is not for signing statements: its key usage must be digitalSignature or nonRepudiation, and no extended key usage may narrow it to servers or code.',
    '该证书不可用于签署声明：密钥用途须含数字签名或不可否认，且扩展用途不得仅限服务器或代码。',
  ],
  CERTIFICATE_NO_CODE: [
    "The certificate names no organization by exactly one credit code (organizationIdentifier NTRCN-…), or it is a person's own. Sign with the organization's certificate, such as the electronic business licence.",
    '证书未以唯一的统一社会信用代码（organizationIdentifier NTRCN-…）标明单位，或为个人证书。请使用单位证书（如电子营业执照）签名。',
  ],
  CERTIFICATE_REVOKED: [
    'The certificate was revoked by its authority. Sign with one that is valid.',
    '证书已被签发机构吊销。请使用有效的证书签名。',
  ],
  CERTIFICATE_UNCHECKED: [
    "The ledger has no current revocation list of the certificate's authority. Ask for a code instead: POST /public/identifications; the operator has to renew the list (LIANDUN_SUBJECT_CRLS).",
    '本账本没有该证书机构的最新吊销列表。请改用验证码：POST /public/identifications；运营方须更新列表（LIANDUN_SUBJECT_CRLS）。',
  ],
  // Membership
  MEMBER_EXISTS: ['A member with this id exists. Choose another id.', '该成员编号已存在。请换一个编号。'],
  MEMBER_NOT_FOUND: ['There is no such member.', '没有该成员。'],
  MEMBER_NOT_ACTIVE: ['The member is not in a state that allows this change.', '成员当前状态不允许此变更。'],
  KEY_EXISTS: ['The member has a key with this kid. Choose another kid.', '该成员已有此 kid 的密钥。请换一个 kid。'],
  KEY_NOT_FOUND: ['The member has no key with this kid.', '该成员没有此 kid 的密钥。'],
  KEY_LIMIT: ['A member has at most three live keys. Revoke one first.', '每个成员最多三把有效密钥。请先撤销一把。'],
  LAST_KEY: [
    'The last key of a member cannot be revoked. Add another first.',
    '不能撤销成员的最后一把密钥。请先添加新密钥。',
  ],
  ADMINISTRATORS_TOO_FEW: [
    'Two active administrators have to stay, or nothing could be approved any more. Admit another first.',
    '须至少保留两名有效管理员，否则无法再审批。请先接纳另一名管理员。',
  ],
  APPROVAL_NOT_FOUND: ['There is no such request.', '没有该申请。'],
  APPROVAL_DECIDED: ['The request has been decided already.', '该申请已有决定。'],
  CODE_ROW_NOT_ALLOWED: [
    'The row may not say this: a known letter and two digits; listed kinds; articles that are filled; a tier of 1 to 3 (0 for claimants only, 3 for victims); a term of whole days above 0; autoClosable only with tier 1 and an official proof floor (rule P01); a statutory hold only with tier 2 or 3; and what official lists rest on is never retired.',
    '该行内容不合规：代码须为已知字母加两位数字；主体类型须在清单内；法律依据不得为空；等级为 1 至 3（0 仅限索赔人，受害人须为 3）；期限为大于 0 的整日；autoClosable 仅限等级 1 且须官方证明（规则 P01）；法定等候期仅限等级 2、3；官方名单所依据的代码不得停用。',
  ],
  CODE_ROW_CHANGES_NOTHING: [
    'The row stands twice, or stands in the table like this already. Send only the rows that change.',
    '该行重复，或与现行表一致。请仅提交有变更的行。',
  ],
  CODES_CHANGED: [
    'The table of reason codes has changed since this was proposed. Refuse it, and propose the change anew on the version in force.',
    '事由代码表在提议之后已变更。请驳回该提议，并按现行版本重新提议。',
  ],
  NO_LEGAL_BASIS: [
    'No current agreement gives a basis for telling you this (rule P16). Ask an administrator of the ledger to record your contract, your current impact assessment and the basis of each field.',
    '没有有效的协议作为向贵方提供该信息的依据（规则 P16）。请联系管理员登记合同、有效的个人信息保护影响评估及各字段的依据。',
  ],
  SECOND_PERSON_NEEDED: [
    'Another person must decide: whoever requests a change cannot approve it (rule P20).',
    '须由另一人决定：申请人不得审批自己的申请（规则 P20）。',
  ],
  FLOOD_NOT_FOUND: [
    'Nothing of this member waits up to this position; see GET /v1/floods.',
    '该成员截至此位置没有待放行的案件；见 GET /v1/floods。',
  ],
  APPEAL_NOT_FOUND: [
    'There is no such appeal for you. See GET /v1/appeals.',
    '没有该申诉或不归贵方处理。见 GET /v1/appeals。',
  ],
  APPEAL_OPEN: [
    'An appeal against this listing is open. It is decided by its deadline; add to it by POST /public/statements.',
    '该列名已有正在处理的申诉，将在期限内作出决定；可通过 POST /public/statements 补充陈述。',
  ],
  APPEAL_DECIDED: [
    'An appeal against this listing was decided. Appeal again only if something has changed: grounds cured or decisionChanged.',
    '该列名的申诉已有决定。只有情况变化时方可再次申诉：事由 cured 或 decisionChanged。',
  ],
  LISTING_NOT_ACTIVE: [
    'The listing is over: there is nothing left to appeal against or to decide.',
    '该列名已终止，无需申诉或决定。',
  ],
  LISTING_STAYED: [
    'The listing is suspended already. It stays so until the appeal is decided: POST /v1/appeals/{appealId}/decision.',
    '该列名已暂停执行，至申诉决定作出为止：POST /v1/appeals/{appealId}/decision。',
  ],
  APPEAL_TO_AUTHORITY: [
    'The listing repeats an official status: object to the authority that decided it. It ends here as soon as the authority says so.',
    '该列名转载官方状态，请向作出决定的机关提出异议；机关变更后，此处即随之终止。',
  ],
  CASE_HELD: [
    'Nobody was told of the case yet. Answer it in its hearing: POST /public/hearings.',
    '该案件尚未通报任何成员。请在陈述申辩程序中答复：POST /public/hearings。',
  ],
  REVIEWER_IS_DECIDER: [
    'Whoever decided on the listing cannot decide on the appeal against it (rule P08). Have another person review it.',
    '作出原决定的人不得复核该申诉（规则 P08）。请由另一人复核。',
  ],
  LISTING_NOT_WRONG: [
    'The listing has not ended as wrong, so nothing was filed in bad faith yet. Decide on its appeal first.',
    '该列名未因错误而终止，尚不能认定恶意报送。请先就申诉作出决定。',
  ],
  MALICE_FOUND: ['That was found of this listing already.', '该列名已被认定为恶意报送。'],
  FINDER_IS_DECIDER: [
    'Whoever filed or ended the listing cannot find that it was filed in bad faith (rule P19). Have another person find it.',
    '报送该列名或决定其终止的人不得认定恶意报送（规则 P19）。请由另一人认定。',
  ],
  DEADLINE_PAUSED: ['The deadline is paused already. Resume it first.', '期限已中止。请先恢复。'],
  DEADLINE_NOT_PAUSED: ['The deadline is not paused: there is nothing to resume.', '期限未中止，无需恢复。'],
  DEADLINE_OVER: [
    'The deadline is over or was not set: there is nothing to change.',
    '期限已届满或尚未设定，无法变更。',
  ],
  EXTENSION_TOO_LONG: [
    'A deadline is extended by at least 1 day and by at most 30 in all. Give fewer days.',
    '期限每次至少延长 1 日，累计不超过 30 日。请减少日数。',
  ],
  REVIEW_NOT_FOUND: [
    'There is no such review. Its id is R, the two positions of its observations and a dash between, the smaller first; see GET /v1/reviews.',
    '没有该复核事项。编号为 R 加两条记录的位置，小者在前，以短横相连；见 GET /v1/reviews。',
  ],
  REVIEW_DECIDED: [
    'The two have been decided about already. Undo that decision first: POST /v1/reviews/{reviewId}/undo.',
    '两者已有决定。请先撤销该决定：POST /v1/reviews/{reviewId}/undo。',
  ],
  REVIEW_NOT_DECIDED: [
    'There is no decision to undo. Undo the review under which the two were decided about.',
    '没有可撤销的决定。请撤销作出决定的那一复核。',
  ],
  REVIEW_PROPOSED: [
    'A decision on the two awaits a second person. Have it approved or refused first: POST /v1/approvals/{approvalId}.',
    '两者已有待第二人审批的决定。请先批准或拒绝：POST /v1/approvals/{approvalId}。',
  ],
  REVIEW_IDENTIFIERS_DIFFER: [
    'Two valid numbers contradict each other, so they are never one merchant. Have the wrong number corrected by its reporter first.',
    '两个有效号码相互矛盾，不能认定为同一主体。请先由报送方更正有误的号码。',
  ],
  REVIEW_KINDS_DIFFER: [
    'A natural person is never the same as a business. Have the wrong kind corrected by its reporter first.',
    '自然人与经营主体不能认定为同一主体。请先由报送方更正有误的主体类型。',
  ],
  // The ledger's own
  UNAVAILABLE: [
    'The ledger cannot answer now. Nothing was stored; try again with the same id.',
    '联盾暂时无法处理，未保存任何内容。请用同一 id 重试。',
  ],
  LOG_HALTED: [
    'The ledger accepts nothing: its database is not the one whose log was published, and another entry would fork the log. Nothing was stored; send again with the same id once its operator has restored a newer backup, as /health/ready says.',
    '联盾暂停接收：数据库与已公布的日志不一致，继续写入将使日志分叉。未保存任何内容；待运维人员按 /health/ready 的提示恢复较新的备份后，请用同一 id 重新发送。',
  ],
  INTERNAL: [
    'Something went wrong inside the ledger. Try again with the same id; the operators see the cause.',
    '联盾内部出错。请用同一 id 重试；运维人员可见原因。',
  ],
} as const satisfies Record<string, Text>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong, at one place; the texts come from the table. */
export function fieldError(pointer: string, code: ProblemCode, more: Pick<FieldError, 'notBefore'> = {}): FieldError {
  const [message, messageZh] = PROBLEMS[code];
  return { pointer, code, message, messageZh, ...more };
}

/**
 * A problem (RFC 9457) without `status`, which the HTTP edge adds. `title` and, unless given, `detail` are the table's.
 */
export function problem(
  code: ProblemCode,
  more: { detail?: string; detailZh?: string; errors?: FieldError[] } = {},
): Problem {
  const [title, titleZh] = PROBLEMS[code];
  const { detail = title, detailZh = titleZh, errors } = more;
  const type = `urn:liandun:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  return { type, title: firstSentence(title), code, detail, detailZh, ...(errors && { errors }) };
}

const firstSentence = (text: string): string => /^.*?[.](?=\s|$)/.exec(text)?.[0].slice(0, -1) ?? text;

/** The errors of one submission as one problem: its code is that of the first, the others stand in `errors`. */
export function problemOf(errors: [FieldError, ...FieldError[]]): Problem {
  const [first] = errors;
  const rest = errors.length - 1;
  return problem(first.code as ProblemCode, {
    detail: rest === 0 ? first.message : `${first.message} (${rest} more in errors)`,
    detailZh: rest === 0 ? first.messageZh : `${first.messageZh}（errors 中另有 ${rest} 处）`,
    errors,
  });
}

/** A refusal with its stable code, for whatever isn't a field of a submission. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  constructor(
    readonly code: ProblemCode,
    readonly errors?: FieldError[],
    options?: ErrorOptions,
  ) {
    super(PROBLEMS[code][0], options);
  }

  toProblem(): Problem {
    return problem(this.code, this.errors && { errors: this.errors });
  }
}
