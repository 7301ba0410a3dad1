import type pg from 'pg';
import { fingerprintOf, type VaultKeys } from './keys.js';
import { KEY_VERSION, unseal, type EventRef, type SealedValue } from './sealing.js';
import { restore, separate, type Separated, type VaultRow } from './separate.js';
import { tokensOf, type Token, type TokenKind } from './tokens.js';
import type { Identity } from '@liandun/contracts';

/** The part of a stored event that opens its record. */
export interface VaultEvent extends EventRef {
  position: number;
  data: object;
}

/** An entry that carries a token. */
export interface TokenHit {
  position: number;
  kind: TokenKind;
  token: Buffer;
}

interface RiddenRow {
  position: number;
  row: unknown;
}

/** The name under which events carry a VaultRow to `rider`. */
export const VAULT_RIDER = 'vault';

/**
 * Stores sealed records and tokens in the append's own transaction, so that an entry is never in the log without its
 * values, nor the other way round.
 */
export async function vaultRider(client: pg.ClientBase, rows: RiddenRow[]): Promise<void> {
  const records = rows.filter(({ row }) => (row as VaultRow).sealed !== undefined);
  if (records.length > 0)
    await client.query(
      `insert into vault.record (position, sealed, key_version)
       select p, s, $3 from unnest($1::bigint[], $2::bytea[]) as given (p, s)`,
      [records.map(({ position }) => position), records.map(({ row }) => (row as VaultRow).sealed), KEY_VERSION],
    );
  const tokens = rows.flatMap(({ position, row }) => (row as VaultRow).tokens.map((token) => ({ position, ...token })));
  if (tokens.length > 0)
    await client.query(
      `insert into vault.token (position, kind, token)
       select p, k, t from unnest($1::bigint[], $2::text[], $3::bytea[]) as given (p, k, t)`,
      [tokens.map(({ position }) => position), tokens.map(({ kind }) => kind), tokens.map(({ token }) => token)],
    );
}

/** The personal values that the log only commits to. Values leave it in memory only; nothing here logs one. */
export class Vault {
  readonly #keys: VaultKeys;

  constructor(keys: VaultKeys) {
    this.#keys = keys;
  }

  /** See `separate`: takes the personal values out of an event's data. */
  separate(event: EventRef, data: object): Separated {
    return separate(event, data, this.#keys);
  }

  /** The keyed digest under which the log tells a repeated submission from another with its id. */
  fingerprint(canonicalSubmission: string): Buffer {
    return fingerprintOf(canonicalSubmission, this.#keys);
  }

  /** The blind index of an identity's own identifiers. */
  tokens(identity: Identity): Token[] {
    return tokensOf(identity, this.#keys);
  }

  /**
   * The values of the given entries, by position. An entry without personal values, or one that was erased, is absent.
   * Throws where a record was altered.
   */
  async open(db: Queryable, events: VaultEvent[]): Promise<Map<number, SealedValue[]>> {
    const { rows } = await db.query<{ position: string; sealed: Buffer }>(
      'select position, sealed from vault.record where position = any($1::bigint[])',
      [events.map(({ position }) => position)],
    );
    const byPosition = new Map(events.map((event) => [event.position, event]));
    return new Map(
      rows.map((row) => {
        const position = Number(row.position);
        return [position, unseal(row.sealed, byPosition.get(position) as VaultEvent, this.#keys)];
      }),
    );
  }

  /** The data of the given entries with their personal values, in the order given; what was erased stays a commitment. */
  async reveal<T extends VaultEvent>(db: Queryable, events: T[]): Promise<T['data'][]> {
    const opened = await this.open(db, events);
    return events.map((event) => restore(event.data, opened.get(event.position) ?? []));
  }

  /** The tokens of the given entries. */
  async tokensAt(db: Queryable, positions: number[]): Promise<TokenHit[]> {
    const { rows } = await db.query<{ position: string; kind: TokenKind; token: Buffer }>(
      'select position, kind, token from vault.token where position = any($1::bigint[]) order by position, kind',
      [positions],
    );
    return rows.map((row) => ({ ...row, position: Number(row.position) }));
  }

  /** The entries that carry one of the tokens, oldest first. */
  async find(db: Queryable, tokens: Token[]): Promise<TokenHit[]> {
    if (tokens.length === 0) return [];
    const { rows } = await db.query<{ position: string; kind: TokenKind; token: Buffer }>(
      `select position, kind, token from vault.token
       where (kind, token) in (select k, t from unnest($1::text[], $2::bytea[]) as wanted (k, t))
       order by position, kind`,
      [tokens.map(({ kind }) => kind), tokens.map(({ token }) => token)],
    );
    return rows.map((row) => ({ ...row, position: Number(row.position) }));
  }
}

/** A pool, or a connection with a transaction open. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<R>>;
}
