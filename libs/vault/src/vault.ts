import type { SaltOf } from '@liandun/commitments';
import type { Identity } from '@liandun/contracts';
import type pg from 'pg';
import { createHmac } from 'node:crypto';
import { fingerprintOf, VaultKeysError, type VaultKeys } from './keys.js';
import { unseal, type EventRef, type Person, type SealedValue } from './sealing.js';
import { restore, separate, type Separated } from './separate.js';
import { tokensOf, wantedTokens, type Token } from './tokens.js';

/** The part of a stored event that opens its record. */
export interface VaultEvent extends EventRef {
  position: number;
  data: object;
}

/** A pool, or a connection with a transaction open. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>>;
}

interface StoredRecord {
  position: string;
  person: Person;
  sealed: Buffer;
  wrapped: Buffer;
  keyVersion: number;
}

/** The personal values that the log only commits to. Values leave it in memory only; nothing here logs one. */
export class Vault {
  constructor(readonly keys: VaultKeys) {}

  /** See `separate`: takes the personal values out of an event's data. */
  separate(event: EventRef, data: object, saltOf?: SaltOf): Separated {
    return separate(event, data, this.keys, saltOf);
  }

  /** The keyed digest under which the log tells a repeated submission from another with its id. */
  fingerprint(canonicalSubmission: string): Buffer {
    return fingerprintOf(canonicalSubmission, this.keys);
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
  wanted(person: Pick<Identity, 'residentId' | 'uscc' | 'registrationNumber'>): Token[] {
    return wantedTokens(person, this.keys.blind);
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

  /** The data of the given entries with their personal values, in the order given; what was erased stays a commitment. */
  async reveal<T extends VaultEvent>(db: Queryable, events: T[]): Promise<T['data'][]> {
    const opened = await this.open(db, events);
    return events.map((event) => restore(event.data, opened.get(event.position) ?? []));
  }
}
