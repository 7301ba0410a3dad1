import type { JsonSchema } from './fields.js';
import { both, componentSchemas, eventSchemaName, ref } from './schemas.js';
import { SUBMISSIONS } from './submissions.js';

const CLOUD_EVENT = 'application/cloudevents+json';

const message = (name: string, payload: JsonSchema, contentType: string, en: string, zh: string): JsonSchema => ({
  name,
  contentType,
  payload,
  summary: en,
  description: both(en, zh),
});

const MESSAGES: Record<string, JsonSchema> = {
  ...Object.fromEntries(
    Object.entries(SUBMISSIONS).map(([type, { payload }]) => {
      const name = eventSchemaName(payload);
      return [name, message(name, ref(name), CLOUD_EVENT, type, type)];
    }),
  ),
  EncryptedEvent: message(
    'EncryptedEvent',
    {
      type: 'string',
      description: both('JWE in compact form (RFC 7516) of one event', '单个事件的 JWE 紧凑序列化（RFC 7516）'),
    },
    'application/jose',
    'Any event with personal fields, encrypted to the inbox key of the ledger',
    '含个人信息的事件，以联盾收件公钥加密',
  ),
  Receipt: message('Receipt', ref('Receipt'), 'application/json', 'The answer to one event', '单个事件的回执'),
  Notice: message(
    'Notice',
    ref('NoticeEvent'),
    CLOUD_EVENT,
    'A notice, never an order (rule P01)',
    '通知，并非命令（规则 P01）',
  ),
  ErasedNotices: message(
    'ErasedNotices',
    ref('ErasedNoticesEvent'),
    CLOUD_EVENT,
    'The person of these notices was erased: copies of them must lose the name; it has no seq',
    '所列通知涉及的个人信息已被删除，接收方应删除其副本中的姓名；不占用通知序号',
  ),
  NoticeReminder: message(
    'NoticeReminder',
    ref('NoticeReminderEvent'),
    CLOUD_EVENT,
    'No disposition came for a notice in time; once for each notice, without a seq',
    '通知逾期未收到处置回执；每条通知一次，不占用通知序号',
  ),
  CaseReminder: message(
    'CaseReminder',
    ref('CaseReminderEvent'),
    CLOUD_EVENT,
    'The subjects of these cases of the publisher are to be told today (rule P06); without a seq',
    '这些案件的主体应于当日告知（规则 P06）；不占用通知序号',
  ),
  MatchedScreening: message(
    'MatchedScreening',
    ref('MatchedScreeningEvent'),
    CLOUD_EVENT,
    'A later listing matches an inquiry of the member; it has no seq',
    '其后的列名与本成员的审查匹配；不占用通知序号',
  ),
};

const inboxMessages = Object.keys(MESSAGES).filter((name) => name.endsWith('Event'));

function channel(kind: string, messages: string[], en: string, zh: string): JsonSchema {
  return {
    address: `${kind}.{member}`,
    description: both(en, zh),
    parameters: { member: { description: both('Id of the member', '成员编号') } },
    messages: Object.fromEntries(messages.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: { kafka: { topic: `${kind}.<member>`, partitions: 1, bindingVersion: '0.5.0' } },
  };
}

const operation = (action: 'send' | 'receive', name: string, en: string, zh: string): JsonSchema => ({
  action,
  channel: { $ref: `#/channels/${name}` },
  summary: en,
  description: both(en, zh),
});

/** AsyncAPI 3 of the Kafka interface, from the ledger's side: it receives inboxes and sends receipts and notices. Pure. */
export function asyncApiDocument(): Record<string, unknown> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Liandun 联盾',
      version: '1.0.0',
      description: both(
        'Kafka channels of a member: it writes its inbox and reads its receipts and notices, and no other member can. Its consumer groups are named after it: its member id alone, or followed by "." and more. SASL/OAUTHBEARER with an access token of audience liandun-kafka.',
        '成员的 Kafka 通道：写入自己的收件主题，读取自己的回执和通知；其他成员无权访问。消费组以成员编号命名：成员编号本身，或其后接“.”再加任意后缀。认证方式为 SASL/OAUTHBEARER，令牌受众为 liandun-kafka。',
      ),
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: CLOUD_EVENT,
    channels: {
      inbox: channel(
        'inbox',
        inboxMessages,
        'Events to the ledger; records are deleted once accepted',
        '发往联盾的事件；接受后即删除',
      ),
      receipts: channel('receipts', ['Receipt'], 'A receipt for each event of the inbox', '收件事件的逐条回执'),
      notices: channel(
        'notices',
        ['Notice', 'ErasedNotices', 'NoticeReminder', 'CaseReminder', 'MatchedScreening'],
        'Notices in seq order, kept seven days',
        '按序通知，保留七天',
      ),
    },
    operations: {
      takeEvents: operation('receive', 'inbox', 'The ledger takes events', '联盾接收事件'),
      sendReceipts: operation('send', 'receipts', 'The ledger answers', '联盾发出回执'),
      sendNotices: operation('send', 'notices', 'The ledger tells what happened', '联盾发出通知'),
    },
    components: { schemas: withoutDiscriminators(componentSchemas()), messages: MESSAGES },
  };
}

// AsyncAPI's discriminator is a string and needs no mapping; the messages of the channel say the same.
function withoutDiscriminators(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const { discriminator: _mapping, ...event } = schemas.Event as JsonSchema;
  return { ...schemas, Event: event };
}
