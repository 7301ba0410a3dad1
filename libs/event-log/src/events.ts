/** An event to be appended. Personal values must have been replaced by commitments before. */
export interface NewEvent {
  /** Unique within its source. */
  id: string;
  source: string;
  type: string;
  /** RFC 3339, as the sender wrote it. */
  time: string;
  stream: string;
  data: object;
  /** A keyed HMAC over the canonical submission: the same id with another fingerprint is refused. */
  fingerprint: Buffer;
  /** What is written in the same transaction, by the name of the rider that writes it. */
  riders?: Record<string, unknown>;
}

/** Events that are appended together or not at all. */
export interface AppendCommand {
  /** At least one; an id occurs once. */
  events: NewEvent[];
  /** By stream, the version that its last entry must have: -1 for a stream without entries. */
  expected?: Record<string, number>;
  gate?: GatedBy;
}

/** What decides, once the head is locked, whether more is stored with a command. */
export interface GatedBy {
  /** The name of the gate, which gets the row. */
  name: string;
  row: unknown;
  /** Stored right before the command's own events where the gate says so. Their ids are new wherever the command's are. */
  events: NewEvent[];
}

/** What the sender of one event keeps. */
export interface AppendReceipt {
  id: string;
  /** Dense over the whole log, from 0: also the leaf's index in the transparency log. */
  position: number;
  /** Dense in the event's stream, from 0. */
  version: number;
  /** RFC 6962 leaf hash of the entry's text, 32 bytes. */
  leafHash: Buffer;
  /** The database's time, RFC 3339 with +08:00 and milliseconds. */
  acceptedAt: string;
}

/**
 * `appended`: stored now. `duplicate`: every event of the command was there with the same content, and these are its first
 * receipts. `gated`: the events of its gate were stored before it. `reused`: the id is there with other content, or in a command of several only some are there. `conflict`: the stream
 * stands at another version than expected. Of the last two nothing is stored.
 */
export type AppendOutcome =
  | { status: 'appended' | 'duplicate'; receipts: AppendReceipt[]; gated?: true }
  | { status: 'reused'; eventId: string }
  | { status: 'conflict'; stream: string; actual: number };

/** An event as the log holds it. */
export interface StoredEvent {
  position: number;
  id: string;
  source: string;
  type: string;
  time: string;
  stream: string;
  version: number;
  acceptedAt: string;
  // Each reader knows the payloads of the types that it handles.
  // oxlint-disable-next-line typescript/no-explicit-any
  data: any;
  leafHash: Buffer;
  /** The text that the leaf hash is over. */
  entry: string;
}

/** RFC 3339 with +08:00 (Beijing, no summer time since 1991) and milliseconds. */
export function beijingTime(epochMs: number): string {
  return `${new Date(epochMs + 8 * 3_600_000).toISOString().slice(0, -1)}+08:00`;
}
