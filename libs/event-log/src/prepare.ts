import { randomFillSync } from 'node:crypto';
import { ENTRY_BYTES_MAX, EntryTooLargeError, entryHead, entryMiddle, entryTail } from '@liandun/transparency-log';
import { beijingTime, type AppendCommand, type NewEvent } from './events.js';
import type { SettleCommand, SettleEvent } from './settle.js';

/** An event with everything done that needs no lock. */
export interface PreparedEvent extends SettleEvent {
  event: NewEvent;
  /** Its entry's text without what the log adds. */
  middle: string;
}

export interface PreparedCommand extends SettleCommand {
  events: PreparedEvent[];
  gate?: { name: string; row: unknown; events: PreparedEvent[] };
}

const NONCE_BYTES = 32;
const nonces = Buffer.alloc(256 * NONCE_BYTES);
let nextNonce = nonces.length;

/** 32 random bytes as base64url, drawn many at a time: each call of the generator costs more than a hash. */
function drawNonce(): string {
  if (nextNonce === nonces.length) {
    randomFillSync(nonces);
    nextNonce = 0;
  }
  nextNonce += NONCE_BYTES;
  return nonces.toString('base64url', nextNonce - NONCE_BYTES, nextNonce);
}

/** The bytes that acceptance adds at the most, so that an entry's fitting doesn't depend on when it comes. */
const ADDED_BYTES_MAX = entryHead(beijingTime(0)).length + entryTail(2 ** 31 - 1).length;

/**
 * Does what can be done before the head is locked. Throws EntryTooLargeError, and a TypeError or RangeError for what no caller
 * may send: no events, an id twice in one command, data that isn't JSON, a NUL character.
 */
export function prepare(command: AppendCommand): PreparedCommand {
  const events = command.events.map(prepareEvent);
  if (events.length === 0) throw new RangeError('A command has at least one event');
  if (events.length > 1 && new Set(events.map(({ key }) => key)).size < events.length) {
    throw new RangeError('A command names each event id once');
  }
  const { expected, gate } = command;
  return { events, expected, ...(gate && { gate: { ...gate, events: gate.events.map(prepareEvent) } }) };
}

function prepareEvent(event: NewEvent): PreparedEvent {
  const { id, source, type, time, stream, data, fingerprint } = event;
  // PostgreSQL's text holds no NUL; the data's are escaped by JSON.
  if (`${id}${source}${type}${time}${stream}`.includes('\0')) throw new RangeError('NUL in an event');
  const nonce = drawNonce();
  const middle = entryMiddle({ id, source, type, time, stream, data, nonce });
  const entryBytes = Buffer.byteLength(middle) + ADDED_BYTES_MAX;
  if (entryBytes > ENTRY_BYTES_MAX) throw new EntryTooLargeError(id, entryBytes);
  return { id, key: `${source}\0${id}`, stream, fingerprint, event, middle };
}
