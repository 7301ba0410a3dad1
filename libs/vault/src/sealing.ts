import { createSecretKey } from 'node:crypto';
import type { Opening } from '@liandun/commitments';
import { decrypt, encrypt, type Kms } from './kms.js';
import { random } from './random.js';

/** A personal value with what opens its commitment. */
export type SealedValue = Opening;

/** What a sealed record is bound to: it opens for no other event. */
export interface EventRef {
  source: string;
  id: string;
  type: string;
}

/** Of whom a value is: an entry's subject, or the subject's legal representative, who is somebody else and erased alone. */
export const PERSONS = ['subject', 'representative'] as const;
export type Person = (typeof PERSONS)[number];

/** The values of one person in one entry, under a data key of their own: whoever destroys the key destroys them. */
export interface SealedRecord {
  person: Person;
  sealed: Buffer;
  /** The data key, wrapped by the key-encryption key of this version. */
  wrapped: Buffer;
  keyVersion: number;
}

/** Of what is sealed. A release that seals otherwise gets a new one. */
const FORM = 1;

const KEY_BYTES = 32;

const boundTo = ({ source, id, type }: EventRef, person: Person): Buffer =>
  Buffer.from(`${source}\0${id}\0${type}\0${person}\0${FORM}`, 'utf8');

/**
 * Seals a person's values with a fresh data key, and wraps that. AES-256-GCM both times; the additional data are the event's
 * source, id and type, the person and the version of the form.
 */
export function seal(values: SealedValue[], event: EventRef, person: Person, kms: Kms): SealedRecord {
  const bound = boundTo(event, person);
  const key = random(KEY_BYTES);
  const plain = Buffer.from(JSON.stringify(values.map(({ pointer, salt, value }) => [pointer, salt, value])), 'utf8');
  const record = {
    person,
    // As a key object: node takes three times as long with the bare bytes.
    sealed: encrypt(createSecretKey(key), plain, bound),
    wrapped: kms.wrap(key, bound),
    keyVersion: kms.keyVersion,
  };
  key.fill(0);
  plain.fill(0);
  return record;
}

/** The reverse of `seal`. Throws where the record was altered, is another event's or person's, or the key is another. */
export function unseal(
  { person, sealed, wrapped, keyVersion }: SealedRecord,
  event: EventRef,
  kms: Kms,
): SealedValue[] {
  const bound = boundTo(event, person);
  const plain = decrypt(createSecretKey(kms.unwrap(wrapped, keyVersion, bound)), sealed, bound);
  const rows = JSON.parse(plain.toString('utf8')) as [string, string, string][];
  return rows.map(([pointer, salt, value]) => ({ pointer, salt, value }));
}
