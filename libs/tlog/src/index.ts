export { standingAlarms, type WitnessAlarm } from './alarms.js';
export { shownCheckpoint } from './cosignatures.js';
export { checkpointFile, type CheckpointCopy } from './copies.js';
export { TlogError, type TlogErrorCode } from './errors.js';
export { HaltWatch, type Halt } from './halt.js';
export { TLOG_MIGRATIONS } from './migrations.js';
export { witnessPolicy, type WitnessPolicy } from './policy.js';
export { comparePublished, publishCheckpoint, type PublishingOptions } from './publish.js';
export { latestCheckpoint, type PublishedCheckpoint } from './published.js';
export {
  PUBLISH_INTERVAL_MS,
  runPublisher,
  type Publisher,
  type PublisherOptions,
  type PublisherStatus,
} from './publisher.js';
export { tlogReader } from './reader.js';
export { receiptProof, type ReceiptProof } from './receipt-proof.js';
export { publishedLog, readEntryBundle, readHashTile } from './serve.js';
export { Witnesses, type WitnessStatus } from './witnesses.js';
