export { EventLog, type EventLogOptions } from './event-log.js';
export type { AppendCommand, AppendOutcome, AppendReceipt, GatedBy, NewEvent, StoredEvent } from './events.js';
export type { Gate, Rider, RiderRow } from './group-writer.js';
export { migrate, type MigrationClass } from './migrate.js';
export { EVENT_LOG_MIGRATIONS } from './migrations/index.js';
export { EntryTooLargeError } from '@liandun/transparency-log';
export { unpark } from './checkpoints.js';
export { projectionReader, rebuildProjection, type Projection } from './projection.js';
export {
  PARKED_KEYS_MAX,
  Reader,
  runReader,
  type ReaderDefinition,
  type ReaderLogger,
  type ReaderStatus,
} from './reader.js';
export { byteaArray, int4Array, textArray } from './binary-arrays.js';
export { prepared } from './prepared.js';
export { at, find, fingerprintOf, readStream, streamVersion } from './stored-events.js';
export { inTransaction } from './transaction.js';
export {
  CALLER,
  CALLERS_ROLE,
  SUBJECTS_ENTITIES,
  SUBJECTS_OBSERVATIONS,
  readAs,
  wall,
  type ReadingCaller,
} from './walls.js';
export { isTransient } from './errors.js';
export { onAppended, tellAccessEnded } from './wakeups.js';
