import { canonicalJson } from './canonical-json.js';

/** An entry's text never passes this many UTF-8 bytes: its length must fit the 16 bits of an entry bundle (C2SP tlog-tiles), with room. */
export const ENTRY_BYTES_MAX = 60_000;

/** The entry's text would pass ENTRY_BYTES_MAX; nothing of it was stored. */
export class EntryTooLargeError extends Error {
  readonly code = 'EVENT_TOO_LARGE';

  constructor(
    readonly eventId: string,
    readonly entryBytes: number,
  ) {
    super(`The entry of event ${eventId} would have ${entryBytes} bytes, more than ${ENTRY_BYTES_MAX}`);
  }
}

/** What an entry says before the log has accepted it. */
export interface EntryContent {
  id: string;
  source: string;
  type: string;
  /** RFC 3339, as the sender wrote it. */
  time: string;
  stream: string;
  data: object;
  /** 32 random bytes as base64url: without it, a guessed entry could be confirmed by its leaf hash. */
  nonce: string;
}

/** Everything an entry of version 1 says. */
export interface Entry extends EntryContent {
  /** The database's time of acceptance, RFC 3339 with +08:00 and milliseconds. */
  acceptedAt: string;
  /** The event's place in its stream, from 0. */
  version: number;
}

/** The text of an entry, version 1: canonical JSON (RFC 8785) of `{ v: 1, … }`. Its leaf hash is over the UTF-8 bytes of it. */
export function encodeEntry({ acceptedAt, version, ...content }: Entry): string {
  return entryHead(acceptedAt) + entryMiddle(content) + entryTail(version);
}

// `acceptedAt` sorts before every other name of an entry and `version` after it. These two are all that the log adds under its
// lock, so the rest is made beforehand.

/** The start of an entry's text, up to the middle. `acceptedAt` must need no escaping. */
export function entryHead(acceptedAt: string): string {
  return `{"acceptedAt":"${acceptedAt}",`;
}

/** The part of an entry's text that is known before the log accepts it. */
export function entryMiddle({ data, id, nonce, source, stream, time, type }: EntryContent): string {
  return canonicalJson({ data, id, nonce, source, stream, time, type, v: 1 }).slice(1, -1);
}

/** The end of an entry's text, after the middle. */
export function entryTail(version: number): string {
  return `,"version":${version}}`;
}
