export { mayBeEndpoint, parseNetworks } from './address.js';
export {
  deadLetters,
  deleteEndpoint,
  endpointPage,
  putEndpoint,
  refusal,
  replayFrom,
  requestTest,
  rotateSecret,
  WebhookRefusal,
} from './endpoints.js';
export { WEBHOOK_MIGRATIONS } from './migrations.js';
export { webhookBacklog } from './store.js';
export { Webhooks, type WebhooksSettings, type WebhooksStatus } from './webhooks.js';
