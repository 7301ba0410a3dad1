// What a platform asks of its webhook: notices posted to it by Standard Webhooks, where it runs no Kafka.
import { Count, Doc, Flag, Optional, Pattern } from './fields.js';

/** The body of PUT /v1/webhook. */
export class WebhookRequest {
  @Doc(
    'Where notices are posted: https on a public address, without user, password or fragment',
    '接收通知的地址：公网 https 地址，不含用户名、密码或片段',
  )
  @Pattern(/^https?:\/\/[^\s#@\p{C}]{1,2000}$/u)
  url: string;

  @Doc(
    'The first seq to post, for a new webhook; 0 unless told, as the feed begins',
    '新建 webhook 时首个推送的序号；缺省为 0，与通知列表一致',
  )
  @Optional()
  @Count()
  from?: number;
}

/** The body of POST /v1/webhook/secrets. */
export class WebhookRotation {
  @Doc(
    'The secret before stops at once, as where it was stolen; otherwise both sign for a day',
    '立即停用旧密钥（如已泄露）；否则新旧密钥并行一天',
  )
  @Optional()
  @Flag()
  revoke?: boolean;
}

/** The body of POST /v1/webhook/replay. */
export class WebhookReplay {
  @Doc('The seq from which everything is posted again, in order', '从该序号起按序重新推送')
  @Count()
  from: number;
}
