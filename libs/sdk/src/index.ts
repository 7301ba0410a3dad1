export { autoClosing, type AutoCloseSettings } from './auto-close.js';
export * from './client.js';
export { consumeNotices, NoticeConsumer, type ConsumerSettings, type ConsumerStatus } from './consume.js';
export { LiandunError } from './errors.js';
export { InboxPublisher, sealEvent, type InboxPublisherSettings } from './inbox-publisher.js';
export { kafkaClient, sslOf, type KafkaSettings } from './kafka-client.js';
export { checkNotice } from './notice-check.js';
export type { NoticeHandler } from './notice-processor.js';
export { closedShops, pgNoticeStore, type FailedNotice, type NoticeStore, type ShopState } from './notice-store.js';
export { TokenSource, type Audience } from './tokens.js';
export { backoffMs, pause, within } from './waiting.js';
export {
  signWebhook,
  verifyWebhook,
  webhookKey,
  webhookPublicKey,
  webhookSecret,
  type VerifyOptions,
  type WebhookKey,
} from './webhook.js';
