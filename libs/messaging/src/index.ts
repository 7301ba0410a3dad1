export { kafkaAdmin, type Grant, type KafkaAdmin, type NewTopic } from './admin.js';
export type { Brokers } from './brokers.js';
export { followMembers, relayLag, unsentNotices } from './backlog.js';
export { Inbox, type InboxSettings, type InboxStatus } from './inbox.js';
export { Lease } from './lease.js';
export { listen } from './listen.js';
export { MESSAGING_MIGRATIONS } from './migrations/index.js';
export { Relay, type RelaySettings, type RelayStatus, type StalledMember } from './relay.js';
export { KafkaSender, type OutgoingBatch, type OutgoingRecord, type Sender } from './sender.js';
export {
  ensureMember,
  inboxTopic,
  noticesTopic,
  receiptsTopic,
  revokeMember,
  syncAccess,
  type AccessMember,
} from './topics.js';
