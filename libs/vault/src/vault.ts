import type { SaltOf } from '@liandun/commitments';
import type { Identity } from '@liandun/contracts';
import type pg from 'pg';
import { createHmac } from 'node:crypto';
import { keepDerived, openDerived, type Derived } from './derived.js';
import { sealPerson, unsealPerson, type SealedPerson } from './erasing.js';
import { entityIdOf, fingerprintOf, VaultKeysError, type VaultKeys } from './keys.js';
import { unseal, type EventRef, type Person, type SealedValue } from './sealing.js';
import { put, restore, separate, separateTexts, type Separated } from './separate.js';
import { tokensOf, wantedTokens, type PersonIdentifiers, type Token } from './tokens.js';

/** The part of a stored event that opens its record. */
export interface VaultEvent extends EventRef {
  position: number;
  data: object;
}

/** A pool, or a connection with a transaction open. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>>;
  query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>>;
}

interface StoredRecord {
  position: string;
  person: Person;
  sealed: Buffer;
  wrapped: Buffer;
  keyVersion: number;
}

/** Of an entry without a record, or whose record was erased, all but the first two are null. */
interface EntryRecord extends Omit<StoredRecord, 'person'> {
  entry: string;
  person: Person | null;
}

/** An entry that carries an identity, with its values. */
export interface OpenedEntry {
  source: string;
  acceptedAt: string;
  data: { identity: Identity };
}

/** A row for each person of an entry, not arrays: what reads those takes longer than all the rest. */
const OPEN_MANY = `
  select e.position, e.entry, r.person, r.sealed, k.wrapped, k.key_version as "keyVersion" from log.entry e
  left join (vault.record r join vault.data_key k using (position, person)) on r.position = e.position
  where e.position = any($1::bigint[])`;

/** The personal values that the log only commits to. Values leave it in memory only; nothing here logs one. */
export class Vault {
  constructor(readonly keys: VaultKeys) {}

  /** See `separate`: takes the personal values out of an event's data. */
  separate(event: EventRef, data: object, saltOf?: SaltOf): Separated {
    return separate(event, data, this.keys, saltOf);
  }

  /** See `separateTexts`: takes what a person wrote out of an outcome's data. */
  separateTexts(event: EventRef, data: object, pointers: readonly string[]): Separated {
    return separateTexts(event, data, pointers, this.keys);
  }

  /** The keyed digest under which the log tells a repeated submission from another with its id. */
  fingerprint(canonicalSubmission: string): Buffer {
    return fingerprintOf(canonicalSubmission, this.keys);
  }

  /** See `entityIdOf`: the id of the entity that an observation founds. */
  entityId(position: number): string {
    return entityIdOf(position, this.keys);
  }

  /** The blind index of an identity's own identifiers, under every live key. */
  tokens(identity: Identity): Token[] {
    return tokensOf(identity, this.keys.blind);
  }

  /**
   * The matcher's blocking keys under one version of the blind index's key: 64 bits each, as decimal text, which is all that
   * a lookup needs, since whatever is found is compared.
   * @throws VaultKeysError where the key file holds no such version
   */
  blocking(values: readonly string[], version: number): string[] {
    const key = this.keys.blind.find((blind) => blind.version === version)?.byKind.blocking;
    if (!key) throw new VaultKeysError(`the key file holds no version ${version} of "blind"`);
    return values.map((value) => createHmac('sha256', key).update(value, 'utf8').digest().readBigInt64BE(0).toString());
  }

  /** By what a person's records are found for an erasure, under every live key. */
  wanted(person: PersonIdentifiers): Token[] {
    return wantedTokens(person, this.keys.blind);
  }

  /** Seals whom an erasure is about, for its row until it is decided. */
  sealPerson(person: PersonIdentifiers, erasureId: string): SealedPerson {
    return sealPerson(person, erasureId, this.keys.kms);
  }

  /** Whom an erasure that waits for its decision is about; undefined once it is decided. */
  async requestedPerson(db: Queryable, erasureId: string): Promise<PersonIdentifiers | undefined> {
    const { rows } = await db.query<SealedPerson>(
      'select sealed, wrapped, key_version as "keyVersion" from vault.erasure where erasure_id = $1',
      [erasureId],
    );
    return rows[0] && unsealPerson(rows[0], erasureId, this.keys.kms);
  }

  /**
   * The values of the given entries, by position. An entry without personal values, or one that was erased, is absent; of one
   * that was erased in part, the rest is there. Throws where a record was altered.
   */
  async open(db: Queryable, events: VaultEvent[]): Promise<Map<number, SealedValue[]>> {
    const { rows } = await db.query<StoredRecord>(
      `select position, person, sealed, wrapped, key_version as "keyVersion"
       from vault.record join vault.data_key using (position, person)
       where position = any($1::bigint[]) order by position, person desc`,
      [events.map(({ position }) => position)],
    );
    const byPosition = new Map(events.map((event) => [event.position, event]));
    const opened = new Map<number, SealedValue[]>();
    for (const row of rows) {
      const position = Number(row.position);
      const values = unseal(row, byPosition.get(position) as VaultEvent, this.keys.kms);
      opened.set(position, [...(opened.get(position) ?? []), ...values]);
    }
    return opened;
  }

  /**
   * The identities that the entries at these positions carry, with their values, by position, in one statement and in memory only;
   * of an erased one the commitments are left. An entry without an identity is absent. What is sealed is authenticated, so the
   * commitments aren't hashed again: `reveal` does that. Throws where a record was altered.
   */
  async openMany(db: Queryable, positions: readonly number[]): Promise<Map<number, Identity>> {
    const entries = await this.openEntries(db, positions);
    return new Map([...entries].map(([position, { data }]) => [position, data.identity]));
  }

  /** The same with what else the entries say. */
  async openEntries(db: Queryable, positions: readonly number[]): Promise<Map<number, OpenedEntry>> {
    const { rows } = await db.query<EntryRecord>({
      name: 'vault.openMany',
      text: OPEN_MANY,
      values: [positions],
    });
    const opened = new Map<number, EventRef & OpenedEntry>();
    for (const { position, entry, person, ...sealed } of rows) {
      const known = opened.get(Number(position)) ?? (JSON.parse(entry) as EventRef & OpenedEntry);
      if (known.data.identity === undefined) continue;
      opened.set(Number(position), known);
      if (person === null) continue;
      for (const value of unseal({ ...sealed, person }, known, this.keys.kms)) put(known.data, value);
    }
    return opened;
  }

  /** Keeps what was made of entries by what `form` names, sealed; nothing of entries of which a person was erased. */
  keepDerived(client: pg.ClientBase | pg.Pool, derived: readonly Derived[], form: string): Promise<void> {
    return keepDerived(client, derived, form, this.keys.kms);
  }

  /** What is kept of these entries, by position, as far as it was made by what `form` names. Throws where it was altered. */
  openDerived(db: pg.ClientBase | pg.Pool, positions: readonly number[], form: string): Promise<Map<number, string>> {
    return openDerived(db, positions, form, this.keys.kms);
  }

  /** The data of the given entries with their personal values, in the order given; what was erased stays a commitment. */
  async reveal<T extends VaultEvent>(db: Queryable, events: T[]): Promise<T['data'][]> {
    const opened = await this.open(db, events);
    return events.map((event) => restore(event.data, opened.get(event.position) ?? []));
  }
}
