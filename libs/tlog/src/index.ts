export { checkpointFile, type CheckpointCopy } from './copies.js';
export { TlogError, type TlogErrorCode } from './errors.js';
export { TLOG_MIGRATIONS } from './migrations.js';
export { publishCheckpoint, type PublishingOptions } from './publish.js';
export { latestCheckpoint, type PublishedCheckpoint } from './published.js';
export { runPublisher, type Publisher, type PublisherOptions, type PublisherStatus } from './publisher.js';
export { tlogReader } from './reader.js';
export { receiptProof, type ReceiptProof } from './receipt-proof.js';
export { publishedLog, readEntryBundle, readHashTile } from './serve.js';
