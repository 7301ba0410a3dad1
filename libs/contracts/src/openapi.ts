import { LIMITS } from './limits.js';
import { both, componentSchemas, ref } from './schemas.js';
import type { JsonSchema } from './fields.js';
import type { MemberRole } from './outcomes.js';

type Body = readonly [mediaType: string, schema: string];

interface Route {
  method: 'get' | 'post' | 'put' | 'delete';
  /** With `{parameter}`s. */
  path: string;
  en: string;
  zh: string;
  /** `open`: no token is asked for; a `subject` has one for a code that he was sent. */
  roles: readonly (MemberRole | 'subject')[] | 'open';
  query?: readonly string[];
  body?: readonly Body[];
  answers: Readonly<Record<number, Body | readonly Body[]>>;
  /** A regulator says why it reads (rule P20). */
  audited?: boolean;
  /** Never answered 429: whoever runs the ledger must always see how it is. */
  unlimited?: boolean;
}

const JSON_TYPE = 'application/json';
const json = (schema: string): Body => [JSON_TYPE, schema];
const PLATFORM: readonly MemberRole[] = ['platform'];
const REGULATOR: readonly MemberRole[] = ['regulator'];
const SENDERS: readonly MemberRole[] = ['platform', 'regulator'];
const ADMIN: readonly MemberRole[] = ['admin'];
const SUBJECT = ['subject'] as const;

const change = (path: string, body: string, en: string, zh: string): Route => ({
  method: 'post',
  path,
  en: `${en}; another administrator approves`,
  zh: `${zh}；须另一名管理员审批`,
  roles: ADMIN,
  body: [json(body)],
  answers: { 202: json('ApprovalRequested') },
});

/** Every HTTP route: who may use it, what goes in and what comes out. */
export const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: '/oauth/token',
    en: 'Access token by client credentials with private_key_jwt (RFC 7523)',
    zh: '以 private_key_jwt（RFC 7523）换取访问令牌',
    roles: 'open',
    body: [['application/x-www-form-urlencoded', 'TokenRequest']],
    answers: { 200: json('Token'), 400: json('TokenError'), 401: json('TokenError') },
  },
  {
    method: 'get',
    path: '/.well-known/jwks.json',
    en: 'Public keys of the ledger: for its tokens, and for encrypting to its inbox',
    zh: '联盾公钥：令牌验签及收件加密',
    roles: 'open',
    answers: { 200: json('JwkSet') },
  },
  {
    method: 'post',
    path: '/v1/events',
    en: 'Publish one event, a batch of up to 1,000, or a stream of any length; each event stands alone',
    zh: '发送单个事件、不超过 1000 个的批次或任意长度的流；事件之间互不影响',
    roles: SENDERS,
    body: [
      ['application/cloudevents+json', 'Event'],
      ['application/cloudevents-batch+json', 'Event[]'],
      ['application/x-ndjson', 'Event'],
    ],
    answers: {
      200: ['application/json', 'Receipt[]'],
      201: json('Receipt'),
      409: ['application/problem+json', 'Problem'],
      422: ['application/problem+json', 'Problem'],
    },
  },
  {
    method: 'post',
    path: '/v1/events:preview',
    en: 'What an event would be answered, and how many subjects and identifiers it touches; nothing is stored or counted (rule P21)',
    zh: '试算：事件将得到何种回执、涉及多少主体与标识；不存储、不计数（规则 P21）',
    roles: SENDERS,
    body: [['application/cloudevents+json', 'Event']],
    answers: { 200: json('Preview') },
  },
  {
    method: 'get',
    path: '/v1/notices',
    en: "The member's own notices in order, after a seq",
    zh: '按序获取本成员的通知',
    roles: PLATFORM,
    query: ['after', 'limit'],
    answers: { 200: json('NoticePage') },
  },
  {
    method: 'get',
    path: '/v1/notices/reminders',
    en: 'Of which of its notices the member was reminded, since no disposition came in time, and of which subjects to tell today; by cursor',
    zh: '本成员逾期未回执而被提醒的通知，以及应于当日告知主体的案件，按游标获取',
    roles: PLATFORM,
    query: ['after', 'limit'],
    answers: { 200: json('NoticeRemindersPage') },
  },
  {
    method: 'get',
    path: '/v1/notices/erased',
    en: "Which of the member's own notices name a person who was erased since, in order, after a no",
    zh: '本成员的通知中所涉个人信息已被删除者，按编号获取',
    roles: PLATFORM,
    query: ['after', 'limit'],
    answers: { 200: json('ErasedNoticesPage') },
  },
  {
    method: 'get',
    path: '/v1/notices/stream',
    en: 'The same notices as Server-Sent Events; Last-Event-ID is the last seq',
    zh: '以 Server-Sent Events 推送同样的通知；Last-Event-ID 为最后的序号',
    roles: PLATFORM,
    query: ['after'],
    answers: { 200: ['text/event-stream', 'NoticeEvent'] },
  },
  {
    method: 'put',
    path: '/v1/webhook',
    en: "Where the platform's notices are posted (Standard Webhooks); one that was disabled is enabled again. The symmetric secret of a new one is shown only here",
    zh: '设置接收通知的 webhook 地址（Standard Webhooks）；已停用的将重新启用。新建时的对称密钥仅在此显示一次',
    roles: PLATFORM,
    body: [json('WebhookRequest')],
    answers: { 200: json('Webhook') },
  },
  {
    method: 'get',
    path: '/v1/webhook',
    en: "The platform's webhook: how far it is, how the last attempt and the last test went, and the public keys that sign",
    zh: '本平台的 webhook：推送进度、最近一次推送与测试的结果，以及当前签名公钥',
    roles: PLATFORM,
    answers: { 200: json('Webhook') },
  },
  {
    method: 'delete',
    path: '/v1/webhook',
    en: 'End the webhook, with its secrets and dead letters; the feed keeps every notice',
    zh: '删除 webhook 及其密钥和死信；通知列表仍保留全部通知',
    roles: PLATFORM,
    answers: { 204: [] },
  },
  {
    method: 'post',
    path: '/v1/webhook/secrets',
    en: 'A new secret: it signs from now on, the one before beside it for a day. The symmetric one is shown only here',
    zh: '更换密钥：新密钥立即生效，旧密钥并行一天。对称密钥仅在此显示一次',
    roles: PLATFORM,
    body: [json('WebhookRotation')],
    answers: { 200: json('Webhook') },
  },
  {
    method: 'post',
    path: '/v1/webhook/test',
    en: 'Post one test event; GET /v1/webhook says how it went',
    zh: '推送一条测试事件；结果见 GET /v1/webhook',
    roles: PLATFORM,
    body: [json('NoBody')],
    answers: { 202: json('WebhookTest') },
  },
  {
    method: 'get',
    path: '/v1/webhook/deliveries',
    en: 'Dead letters: what was given up after about a day of attempts, with the last answer; replay brings them again',
    zh: '死信：约一天内多次推送失败而放弃的消息及最后结果；可通过重放再次推送',
    roles: PLATFORM,
    query: ['after', 'limit'],
    answers: { 200: json('DeadLetterPage') },
  },
  {
    method: 'post',
    path: '/v1/webhook/replay',
    en: 'Post everything from a seq on again, in order and under the same webhook-id',
    zh: '从某序号起按序重新推送，webhook-id 不变',
    roles: PLATFORM,
    body: [json('WebhookReplay')],
    answers: { 200: json('Webhook') },
  },
  {
    method: 'post',
    path: '/v1/screenings',
    en: 'Whether an applicant is listed; for onboarding and compliance only (rule P15)',
    zh: '查询申请人是否被列名；仅限入驻审查与合规（规则 P15）',
    roles: PLATFORM,
    body: [json('ScreeningRequest')],
    answers: { 200: json('Screening') },
  },
  {
    method: 'get',
    path: '/v1/screenings/matched',
    en: "Which of the member's own inquiries of the last 360 days a later listing matches, in order, after a no",
    zh: '本成员近 360 日的审查中，其后被列名匹配者，按编号获取',
    roles: PLATFORM,
    query: ['after', 'limit'],
    answers: { 200: json('MatchedScreeningsPage') },
  },
  {
    method: 'post',
    path: '/v1/screenings/{screeningId}/matches/{listingId}/decision',
    en: "Decide that a match of the member's own inquiry is about somebody else: it is not shown to the member again",
    zh: '认定本成员审查所得匹配并非同一主体：此后不再向该成员显示',
    roles: PLATFORM,
    body: [json('ScreeningDecision')],
    answers: { 200: json('ScreeningDecision') },
  },
  {
    method: 'get',
    path: '/v1/entities/{entityId}',
    en: 'An entity, also by an id that it had before: all for regulators, its own facts for a platform',
    zh: '实体（亦可用其旧编号）：监管端可见全部，平台仅可见自己的事实',
    roles: SENDERS,
    answers: { 200: json('EntityPage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/entities/{entityId}/apart/{other}',
    en: 'Why two entities, also by ids that they had before, are not one: from the records of both as they are now, without a value',
    zh: '两个实体（亦可用其旧编号）为何不是同一主体：依据双方现有记录，不含任何取值',
    roles: REGULATOR,
    answers: { 200: json('WhyApart') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/reviews',
    en: 'Pairs of entities that may be one and that nobody has decided about, first where most shops would close',
    zh: '可能为同一主体且尚未决定的实体对，按可能关闭的店铺数排列',
    roles: REGULATOR,
    query: ['after', 'limit'],
    answers: { 200: json('ReviewPage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/reviews/{reviewId}',
    en: 'A pair with why it may be one, and what led there',
    zh: '实体对及其可能为同一主体的理由与经过',
    roles: REGULATOR,
    answers: { 200: json('ReviewDetail') },
    audited: true,
  },
  {
    method: 'post',
    path: '/v1/reviews/{reviewId}/decision',
    en: 'Decide whether two are one merchant. 202: shops would close, so another regulator approves first (rule P20)',
    zh: '决定两者是否为同一主体。202：将导致关店，须由另一监管成员先行批准（规则 P20）',
    roles: REGULATOR,
    body: [json('ReviewDecision')],
    answers: { 200: json('Review'), 202: json('ReviewProposed') },
  },
  {
    method: 'post',
    path: '/v1/reviews/{reviewId}/undo',
    en: 'Undo a decision on two. 202: shops would close or reopen, so another regulator approves first (rule P20)',
    zh: '撤销对两者的决定。202：将导致关店或恢复，须由另一监管成员先行批准（规则 P20）',
    roles: REGULATOR,
    body: [json('ReviewUndo')],
    answers: { 200: json('Review'), 202: json('ReviewProposed') },
  },
  {
    method: 'get',
    path: '/v1/appeals',
    en: 'Appeals that wait, the longest due first; a platform sees those against its own listings. `all=true`: decided ones too',
    zh: '待决申诉，期限早者在前；平台仅可见针对自己列名的申诉。all=true 含已决定者',
    roles: SENDERS,
    query: ['after', 'limit', 'all'],
    answers: { 200: json('AppealPage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/appeals/{appealId}',
    en: 'One appeal with its statement, its evidence and what was decided, for its reviewer',
    zh: '单个申诉及其陈述、证据与决定，供复核人查阅',
    roles: SENDERS,
    answers: { 200: json('AppealDetail') },
    audited: true,
  },
  {
    method: 'post',
    path: '/v1/appeals/{appealId}/decision',
    en: 'Decide on an appeal, with written reasons, by another person than who decided on the listing (rules P07, P08)',
    zh: '对申诉作出决定并附书面理由；复核人不得为原决定人（规则 P07、P08）',
    roles: SENDERS,
    body: [json('AppealDecision')],
    answers: { 200: json('AppealConcluded') },
  },
  {
    method: 'post',
    path: '/v1/appeals/{appealId}/stay',
    en: 'Suspend a listing everywhere at once until its appeal is decided, with written reasons (rule P07)',
    zh: '在申诉决定作出前立即于各平台暂停执行列名，并附书面理由（规则 P07）',
    roles: SENDERS,
    body: [json('AppealStay')],
    answers: { 200: json('AppealStayed') },
  },
  {
    method: 'post',
    path: '/v1/appeals/{appealId}/deadline',
    en: "Pause, resume or extend an appeal's deadline, with a reason",
    zh: '中止、恢复或延长申诉期限，须附事由',
    roles: REGULATOR,
    body: [json('DeadlineChange')],
    answers: { 200: json('DeadlineSet') },
  },
  {
    method: 'post',
    path: '/v1/cases/{listingId}/deadline',
    en: "Pause, resume or extend the deadline of a held case's hearing, with a reason",
    zh: '中止、恢复或延长待发布案件的陈述申辩期限，须附事由',
    roles: REGULATOR,
    body: [json('DeadlineChange')],
    answers: { 200: json('DeadlineSet') },
  },
  {
    method: 'post',
    path: '/v1/listings/{listingId}/malice',
    en: 'Find that a listing that ended as wrong was filed in bad faith, by another person than who ended it (rule P19)',
    zh: '认定因错误而终止的列名系恶意报送；认定人不得为决定终止的人（规则 P19）',
    roles: REGULATOR,
    body: [json('MaliceFinding')],
    answers: { 200: json('MaliceFound') },
  },
  {
    method: 'get',
    path: '/v1/listings/{listingId}/coverage',
    en: 'Who was told of a listing and what they did',
    zh: '列名的通知与处置情况',
    roles: REGULATOR,
    answers: { 200: json('Coverage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/audit/events',
    en: 'Entries of the log: all for regulators, what it sent or received for a platform',
    zh: '日志记录：监管端可见全部，平台仅可见其发送或接收的记录',
    roles: SENDERS,
    query: ['member', 'type', 'entityId', 'from', 'to', 'after', 'limit'],
    answers: { 200: json('AuditPage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/receipts/{source}/{id}',
    en: 'The proof that an event which the caller sent or received is in the log (C2SP tlog-proof): needs no ledger to be checked. 202 while no published checkpoint covers it',
    zh: '调用方所发送或接收的事件已入日志的证明（C2SP tlog-proof），验证时无需联盾；尚无已公布的检查点覆盖时返回 202',
    roles: SENDERS,
    answers: { 200: [['text/plain', 'Text'], json('ReceiptProof')], 202: json('ReceiptProof') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/receipts/{source}/{id}/openings',
    en: 'The salts of the commitments in an event that the caller sent: with value and salt anybody can check them',
    zh: '调用方所发送事件中各承诺的随机盐：凭原值与盐即可核对承诺',
    roles: SENDERS,
    answers: { 200: json('Openings') },
  },
  {
    method: 'get',
    path: '/log/checkpoint',
    en: 'The newest checkpoint of the log, a signed note with the cosignatures of witnesses (C2SP tlog-checkpoint)',
    zh: '日志的最新检查点：带见证签名的 signed note（C2SP tlog-checkpoint）',
    roles: 'open',
    answers: { 200: ['text/plain', 'Text'] },
  },
  {
    method: 'get',
    path: '/log/tile/{level}/{tile}',
    en: 'Hashes of the log (C2SP tlog-tiles); {tile} has slashes where the index has more than three digits',
    zh: '日志哈希分片（C2SP tlog-tiles）；序号超过三位时 {tile} 含斜杠',
    roles: 'open',
    answers: { 200: ['application/octet-stream', 'Bytes'] },
  },
  {
    method: 'get',
    path: '/log/tile/entries/{tile}',
    en: 'Entries of the log (C2SP tlog-tiles), for regulators',
    zh: '日志记录分片（C2SP tlog-tiles），仅限监管端',
    roles: REGULATOR,
    answers: { 200: ['application/octet-stream', 'Bytes'] },
  },
  {
    method: 'get',
    path: '/public/publishers',
    en: 'How often each publisher’s listings of the last year were wrong, and how fast that was put right (rule P19); no merchant, no counts',
    zh: '各报送方近一年列名的推翻率与纠正所需天数（规则 P19）；不含商户与数量',
    roles: 'open',
    answers: { 200: json('PublisherPage') },
  },
  {
    method: 'get',
    path: '/public/statistics',
    en: 'By quarter that has ended: listings by reason, how they ended, appeals and reopenings (rule P20); no member, no merchant, counts under five as "<5"',
    zh: '按已结束的季度统计：按事由的列名、终止方式、申诉与恢复（规则 P20）；不含成员与商户，少于五的数量显示为“<5”',
    roles: 'open',
    answers: { 200: json('Statistics') },
  },
  {
    method: 'get',
    path: '/v1/publishers/{memberId}',
    en: 'A publisher’s own figures with the counts behind them: for itself and for regulators',
    zh: '报送方自身的数据及其依据数量：仅限其本身与监管端',
    roles: SENDERS,
    answers: { 200: json('Publisher') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/floods',
    en: 'Cases over their publishers’ limits, by publisher: nobody is told of them before a second person lets them out (rule P21)',
    zh: '超出报送方限额的案件（按报送方）：第二人放行之前不通知任何平台（规则 P21）',
    roles: ['regulator', 'admin'],
    answers: { 200: json('FloodPage') },
    audited: true,
  },
  {
    method: 'post',
    path: '/v1/floods/{memberId}/decision',
    en: 'Let a publisher’s waiting cases out up to the position that was seen, or refuse them: then nobody is ever told',
    zh: '放行或驳回某报送方截至所见位置的暂存案件；驳回则不通知任何平台',
    roles: ['regulator', 'admin'],
    body: [json('FloodDecision')],
    answers: { 200: json('FloodDecided') },
  },
  {
    method: 'get',
    path: '/v1/statements',
    en: 'What subjects said of entries, in order, after a position: a platform sees what concerns its own, a regulator all',
    zh: '主体对列名的陈述、答复与更正请求，按序获取：平台仅限其报送的记录，监管端为全部',
    roles: SENDERS,
    query: ['after', 'limit'],
    answers: { 200: json('StatementPage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/cases/{caseId}/hearing',
    en: "What the publisher of a case has to pass on to its subject, and the subject's answers (rule P06)",
    zh: '发布方须转告主体的内容，以及主体的答复（规则 P06）',
    roles: PLATFORM,
    answers: { 200: json('CaseHearing') },
  },
  {
    method: 'get',
    path: '/public',
    en: 'The page on which a merchant sees what is held about him and appeals, without an account',
    zh: '商户页面：无需账号，查看与自己有关的列名并申诉',
    roles: 'open',
    answers: { 200: ['text/html', 'Text'] },
  },
  {
    method: 'get',
    path: '/public/page/{file}',
    en: "The page's own files",
    zh: '页面文件',
    roles: 'open',
    answers: {
      200: [
        ['text/javascript', 'Text'],
        ['text/css', 'Text'],
        ['text/html', 'Text'],
      ],
    },
  },
  {
    method: 'post',
    path: '/public/identifications',
    en: 'Ask for a one-time code: it goes to a contact that a platform reported of this very merchant. The answer is the same whether anything is held or not (rule P18)',
    zh: '获取一次性验证码：发往平台报送的该商户联系方式。无论是否存有记录，答复一致（规则 P18）',
    roles: 'open',
    body: [json('IdentificationRequest')],
    answers: { 202: json('Identification') },
  },
  {
    method: 'post',
    path: '/public/identifications/{identificationId}/code',
    en: "A subject's token for the right code, once; it holds for thirty minutes",
    zh: '以正确的验证码换取主体令牌，仅限一次，三十分钟内有效',
    roles: 'open',
    body: [json('IdentificationCode')],
    answers: { 200: json('SubjectToken') },
  },
  {
    method: 'get',
    path: '/public/identifications',
    en: 'The ways in which a merchant can prove to this ledger who he is',
    zh: '商户可用的身份验证方式',
    roles: 'open',
    answers: { 200: json('IdentificationWays') },
  },
  {
    method: 'post',
    path: '/public/challenges',
    en: "A text to sign with a certificate that names the merchant's credit code; it holds for ten minutes and once (电子签名法 第13条)",
    zh: '获取待签原文：由商户以载明统一社会信用代码的证书签名，十分钟内有效，仅限一次（电子签名法 第13条）',
    roles: 'open',
    body: [json('ChallengeRequest')],
    answers: { 200: json('Challenge') },
  },
  {
    method: 'post',
    path: '/public/signed-statements',
    en: "A subject's token for the signed text: the same as for a code. The answer is the same whether anything is held or not (rule P18)",
    zh: '以签名声明换取主体令牌，效力与验证码相同。无论是否存有记录，答复一致（规则 P18）',
    roles: 'open',
    body: [json('SignedStatement')],
    answers: { 200: json('SubjectToken') },
  },
  {
    method: 'get',
    path: '/public/subject',
    en: 'Everything that is held about the subject, who was told of it and who asked (rule P17)',
    zh: '与本人有关的全部记录、被告知的成员与查询情况（规则 P17）',
    roles: SUBJECT,
    answers: { 200: json('SubjectPage') },
  },
  {
    method: 'get',
    path: '/public/subject/copy',
    en: 'The same as a file, with the entries as they stand in the log and what opens their commitments',
    zh: '副本下载：附日志原始记录及打开承诺值所需的盐',
    roles: SUBJECT,
    answers: { 200: json('SubjectPage') },
  },
  {
    method: 'post',
    path: '/public/appeals',
    en: 'Appeal a listing, free and without an account: everybody who was told sees that it is disputed, and another person than who decided answers in 15 days (rules P07, P08)',
    zh: '对列名提出申诉，免费且无需账号：所有被告知方均可见“有异议”标记，由原决定人以外的人在十五日内答复（规则 P07、P08）',
    roles: SUBJECT,
    body: [json('AppealRequest')],
    answers: { 201: json('AppealFiled') },
  },
  {
    method: 'post',
    path: '/public/hearings',
    en: 'Answer a case that is held: its publisher considers it before anybody is told (rule P06)',
    zh: '对待决案件陈述申辩：发布方须在通知任何一方之前考虑（规则 P06）',
    roles: SUBJECT,
    body: [json('SubjectStatement')],
    answers: { 201: json('Stated') },
  },
  {
    method: 'post',
    path: '/public/statements',
    en: 'Add a statement, shown with the entry to the subject, its publisher and regulators; never shared (rules P03, P17)',
    zh: '添加本人陈述：仅本人、发布方与监管端可见，不对外共享（规则 P03、P17）',
    roles: SUBJECT,
    body: [json('SubjectStatement')],
    answers: { 201: json('Stated') },
  },
  {
    method: 'post',
    path: '/public/corrections',
    en: 'Ask for the correction of what a member reported',
    zh: '请求更正成员报送的信息',
    roles: SUBJECT,
    body: [json('CorrectionRequest')],
    answers: { 201: json('Stated') },
  },
  {
    method: 'get',
    path: '/v1/alarms',
    en: 'Members that seem to sweep the ledger or don’t reopen after an official ending, oldest alarm first; what witnesses hold against the log',
    zh: '疑似批量遍历账本、或官方终止后未恢复的成员告警，按时间先后排列；以及见证方对日志的异议',
    roles: ['regulator', 'admin'],
    query: ['after', 'limit'],
    answers: { 200: json('AlarmPage') },
    audited: true,
  },
  {
    method: 'get',
    path: '/v1/reason-codes',
    en: 'The table of reason codes in force, with its version (rule P05); to administrators and regulators also what is proposed',
    zh: '现行事由代码表及其版本（规则 P05）；管理员和监管端并可见待审批的提议',
    roles: ['platform', 'regulator', 'admin'],
    answers: { 200: json('ReasonCodeTable') },
  },
  {
    method: 'post',
    path: '/v1/reason-codes',
    en: 'Propose rows that change or are new; another administrator or regulator approves them: POST /v1/approvals/{approvalId}',
    zh: '提议变更或新增事由代码行；须由另一管理员或监管成员审批：POST /v1/approvals/{approvalId}',
    roles: ['regulator', 'admin'],
    body: [json('ReasonCodesProposal')],
    answers: { 202: json('ReasonCodesProposed') },
  },
  {
    method: 'get',
    path: '/v1/members',
    en: 'Members',
    zh: '成员',
    roles: ADMIN,
    query: ['after', 'limit'],
    answers: { 200: json('Page') },
  },
  change('/v1/members', 'MemberAdmission', 'Request to admit a member', '申请接纳成员'),
  {
    method: 'get',
    path: '/v1/members/{memberId}/keys',
    en: 'The keys that a member has or had: to administrators every member’s with what awaits a second of them, to a member its own',
    zh: '成员现有及曾有的密钥：管理员可见各成员的密钥及待审批的请求，成员仅可见自己的',
    roles: ['platform', 'regulator', 'admin'],
    answers: { 200: json('MemberKeyList') },
  },
  change('/v1/members/{memberId}/keys', 'KeyAddition', 'Request to add a key', '申请添加密钥'),
  change(
    '/v1/members/{memberId}/keys/{kid}/revocation',
    'KeyRevocation',
    'Request to revoke a key; in an emergency it stops at once',
    '申请撤销密钥；紧急情况下立即停用',
  ),
  change('/v1/members/{memberId}/subscription', 'SubscriptionChange', 'Request another subscription', '申请变更订阅'),
  change(
    '/v1/members/{memberId}/agreement',
    'AgreementChange',
    'Request another agreement: contract, impact assessment and the basis of each field; what has no basis is not sent (rule P16)',
    '申请登记协议：合同、个人信息保护影响评估及各字段的依据；无依据者不发送（规则 P16）',
  ),
  change(
    '/v1/members/{memberId}/signatures',
    'SignaturesChange',
    'Request that what a member sends must bear its signature, or need not',
    '申请规定成员报送的事件须附签名或可不附签名',
  ),
  change(
    '/v1/members/{memberId}/limits',
    'LimitsChange',
    'Request other limits, beyond which a member’s cases wait for a second person (rule P21)',
    '申请变更成员报送限额，超出者待第二人放行（规则 P21）',
  ),
  change('/v1/members/{memberId}/suspension', 'NoBody', 'Suspend a member: acts at once', '暂停成员：立即生效'),
  change('/v1/members/{memberId}/resumption', 'NoBody', 'Request to resume a member', '申请恢复成员'),
  change('/v1/members/{memberId}/removal', 'NoBody', 'Request to remove a member', '申请移除成员'),
  {
    method: 'get',
    path: '/v1/approvals',
    en: 'Requested changes',
    zh: '变更申请',
    roles: ADMIN,
    query: ['after', 'limit', 'status'],
    answers: { 200: json('Page') },
  },
  {
    method: 'post',
    path: '/v1/approvals/{approvalId}',
    en: 'Approve or refuse, by another than the one who requested: an administrator, for an erasure also a regulator, for a review a regulator (rule P20)',
    zh: '由申请人以外的管理员批准或拒绝；删除请求亦可由监管端审批，复核由监管端审批（规则 P20）',
    roles: ['regulator', 'admin'],
    body: [json('ApprovalDecision')],
    answers: { 200: json('AnyObject') },
  },
  {
    method: 'post',
    path: '/v1/erasures',
    en: "Request to erase a person's data: all for a regulator, what it sent for a platform; a second person approves",
    zh: '请求删除个人信息：监管端为全部，平台仅限其报送的信息；须第二人审批',
    roles: SENDERS,
    body: [json('ErasureRequest')],
    answers: { 202: json('ApprovalRequested') },
  },
  {
    method: 'get',
    path: '/v1/erasures/{approvalId}',
    en: 'What was erased, and what the law has kept; a platform sees its own requests',
    zh: '已删除的内容及依法保留的内容；平台仅可见自己的请求',
    roles: ['platform', 'regulator', 'admin'],
    answers: { 200: json('Erasure') },
  },
  {
    method: 'get',
    path: '/openapi.json',
    en: 'This document',
    zh: '本文档',
    roles: 'open',
    answers: { 200: json('AnyObject') },
  },
  {
    method: 'get',
    path: '/asyncapi.json',
    en: 'The Kafka channels',
    zh: 'Kafka 通道文档',
    roles: 'open',
    answers: { 200: json('AnyObject') },
  },
  {
    method: 'get',
    path: '/health/live',
    en: 'Whether the process runs',
    zh: '进程是否存活',
    roles: 'open',
    unlimited: true,
    answers: { 200: json('Health') },
  },
  {
    method: 'get',
    path: '/health/ready',
    en: 'Whether the process can serve',
    zh: '是否可提供服务',
    roles: 'open',
    unlimited: true,
    answers: { 200: json('Health'), 503: ['application/problem+json', 'Problem'] },
  },
  {
    method: 'get',
    path: '/metrics',
    en: 'Prometheus metrics',
    zh: 'Prometheus 指标',
    roles: 'open',
    unlimited: true,
    answers: { 200: ['text/plain', 'Text'] },
  },
];

const PARAMETERS: Record<string, [schema: JsonSchema, en: string, zh: string]> = {
  after: [
    { type: 'string' },
    'Cursor: the `next` of the page before, or the last seq',
    '游标：上一页的 next 或最后的序号',
  ],
  limit: [{ type: 'integer', minimum: 1 }, 'Items per page at most', '每页条数上限'],
  status: [{ type: 'string', enum: ['pending', 'granted', 'refused'] }, 'State of the request', '申请状态'],
  member: [{ type: 'string' }, 'Member', '成员'],
  type: [{ type: 'string' }, 'Event type', '事件类型'],
  entityId: [{ type: 'string' }, 'Entity', '实体编号'],
  other: [{ type: 'string' }, 'The other entity', '另一实体编号'],
  from: [{ type: 'string', format: 'date-time' }, 'Accepted at or after', '起始时间（含）'],
  to: [{ type: 'string', format: 'date-time' }, 'Accepted before', '截止时间（不含）'],
  listingId: [{ type: 'string' }, 'Listing', '列名编号'],
  screeningId: [{ type: 'string' }, 'Screening', '审查编号'],
  reviewId: [
    { type: 'string', examples: ['R17-42'] },
    'Review: R and the positions of two observations, the smaller first',
    '复核编号：R 加两条记录的位置，小者在前',
  ],
  appealId: [{ type: 'string' }, 'Appeal', '申诉编号'],
  all: [{ type: 'string', enum: ['true', 'false'] }, 'Decided ones too', '含已决定者'],
  memberId: [{ type: 'string' }, 'Member', '成员编号'],
  caseId: [{ type: 'string' }, 'The CloudEvents id of the filing', '报送事件的编号'],
  file: [{ type: 'string', enum: ['index.html', 'page.css', 'page.js', 'texts.js'] }, 'File', '文件名'],
  identificationId: [{ type: 'string', format: 'uuid' }, 'Identification', '验证编号'],
  kid: [{ type: 'string' }, 'Key id', '密钥编号'],
  approvalId: [{ type: 'string' }, 'Requested change', '申请编号'],
  source: [{ type: 'string' }, "The event's source", '事件的 source'],
  id: [{ type: 'string' }, "The event's id", '事件的 id'],
  level: [{ type: 'integer', minimum: 0, maximum: 63 }, 'Level of the tile', '分片层级'],
  tile: [
    { type: 'string', examples: ['000', '001.p/44', 'x001/x234/067'] },
    'Index of the tile, with its width where it is partial',
    '分片序号；不完整的分片带宽度',
  ],
};

function parameter(name: string, place: 'path' | 'query'): JsonSchema {
  const [schema, en, zh] = PARAMETERS[name] as [JsonSchema, string, string];
  return { name, in: place, required: place === 'path', schema, description: both(en, zh) };
}

const purposeHeader = (name: string, en: string, zh: string): JsonSchema => ({
  name,
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description: both(`${en}; required of regulators`, `${zh}；监管端必填`),
});

const AUDIT_HEADERS = [
  purposeHeader('Liandun-Purpose', 'Why it is read', '查询目的'),
  purposeHeader('Liandun-Case', 'Case number', '案件编号'),
];

function schemaOf(name: string): JsonSchema {
  if (name === 'Text') return { type: 'string' };
  if (name === 'Bytes') return { type: 'string', format: 'binary' };
  if (name === 'AnyObject') return { type: 'object' };
  return name.endsWith('[]') ? { type: 'array', items: ref(name.slice(0, -2)) } : ref(name);
}

/** By media type, for what JSON Schema can't say of a body. */
const BODY_LIMITS: Record<string, JsonSchema> = {
  'application/json': { bytes: LIMITS.bodyBytes, values: LIMITS.eventValues, nesting: LIMITS.nestingDepth },
  'application/cloudevents+json': {
    bytes: LIMITS.eventBytes,
    values: LIMITS.eventValues,
    nesting: LIMITS.nestingDepth,
  },
  'application/cloudevents-batch+json': {
    bytes: LIMITS.batchBytes,
    values: LIMITS.batchValues,
    nesting: LIMITS.nestingDepth,
  },
  'application/x-ndjson': {
    bytesPerLine: LIMITS.eventBytes,
    values: LIMITS.eventValues,
    nesting: LIMITS.nestingDepth,
  },
  'application/x-www-form-urlencoded': { bytes: LIMITS.formBytes },
};

/** All that they say can be left out, and so can they. */
const DISPENSABLE = new Set<string>(['NoBody', 'KeyRevocation', 'WebhookRotation']);
const isDispensable = ([, name]: Body): boolean => DISPENSABLE.has(name);

const requestContentOf = (bodies: readonly Body[]): JsonSchema =>
  Object.fromEntries(
    bodies.map(([mediaType, name]) => {
      const schema = name.endsWith('[]') ? { ...schemaOf(name), maxItems: LIMITS.batchEvents } : schemaOf(name);
      return [mediaType, { schema, 'x-liandun-limits': BODY_LIMITS[mediaType] }];
    }),
  );

const isBody = (answer: Body | readonly Body[]): answer is Body => typeof answer[0] === 'string';

const contentOf = (bodies: readonly Body[]): JsonSchema =>
  Object.fromEntries(bodies.map(([mediaType, schema]) => [mediaType, { schema: schemaOf(schema) }]));

/** Where the quota of a route stands (draft-ietf-httpapi-ratelimit-headers), and when to come back (RFC 9110 section 10.2.3). */
const LIMIT_HEADERS: Record<string, JsonSchema> = {
  'RateLimit-Policy': {
    description: both(
      'Quota and window in seconds, such as "read";q=6000;w=60',
      '配额与时间窗（秒），例如 "read";q=6000;w=60',
    ),
    schema: { type: 'string' },
  },
  RateLimit: {
    description: both(
      'What is left of it and the seconds until it is whole again, such as "read";r=5999;t=60',
      '剩余配额与恢复所需秒数，例如 "read";r=5999;t=60',
    ),
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: both('Seconds after which to come back', '重试前须等待的秒数'),
    schema: { type: 'integer', minimum: 1 },
    required: true,
  },
};

const headerRef = (name: string): JsonSchema => ({ $ref: `#/components/headers/${name}` });
const quotaHeaders = { 'RateLimit-Policy': headerRef('RateLimit-Policy'), RateLimit: headerRef('RateLimit') };

const TOO_MANY = {
  description: both(
    'The quota of the route or a daily budget is used up; the code says which',
    '接口配额或每日额度已用完，见 code',
  ),
  headers: { ...quotaHeaders, 'Retry-After': headerRef('Retry-After') },
  content: contentOf([['application/problem+json', 'Problem']]),
};

function operation(route: Route): JsonSchema {
  const { method, path, en, zh, roles, query = [], body, answers, audited, unlimited } = route;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      {
        description: both(en, zh),
        ...(unlimited ? {} : { headers: quotaHeaders }),
        content: contentOf(isBody(answer) ? [answer] : answer),
      },
    ]),
  );
  const problem = {
    description: both('A problem with a stable code', '带固定 code 的错误'),
    content: contentOf([['application/problem+json', 'Problem']]),
  };
  return {
    operationId: `${method}${path.replaceAll(/[^A-Za-z]+(.)?/g, (_all, letter?: string) => letter?.toUpperCase() ?? '')}`,
    summary: en,
    description: both(en, zh),
    parameters: [
      ...names.map((name) => parameter(name, 'path')),
      ...query.map((name) => parameter(name, 'query')),
      ...(audited ? AUDIT_HEADERS : []),
    ],
    ...(body && { requestBody: { required: !body.every(isDispensable), content: requestContentOf(body) } }),
    responses: { ...responses, ...(unlimited ? {} : { 429: TOO_MANY }), default: problem },
    security: roles === 'open' ? [] : [roles.includes('subject') ? { subject: [] } : { token: [] }],
    ...(roles !== 'open' && { 'x-liandun-roles': roles }),
  };
}

/** OpenAPI 3.1 of the HTTP interface: schemas from the payload classes, operations from ROUTES. Pure. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of ROUTES) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Liandun 联盾',
      version: '1.0.0',
      description: both(
        'A ledger that competing platforms share: one delisting, all shops closed.',
        '电商平台共享账本：一处清退、处处关店。',
      ),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: componentSchemas(),
      headers: LIMIT_HEADERS,
      securitySchemes: {
        subject: {
          type: 'http',
          scheme: 'bearer',
          description: both(
            'Token of POST /public/identifications/{identificationId}/code or POST /public/signed-statements',
            'POST /public/identifications/{identificationId}/code 或 POST /public/signed-statements 签发的主体令牌',
          ),
        },
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: both(
            'Token of POST /oauth/token, audience liandun',
            'POST /oauth/token 签发的令牌，受众 liandun',
          ),
        },
      },
    },
  };
}
