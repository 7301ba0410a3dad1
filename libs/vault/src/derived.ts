// What was made of an entry's values: it tells as much of the persons as those do, so it is sealed, walled, rotated and erased with
// them. It may be made again.
import { createSecretKey } from 'node:crypto';
import { byteaArray, prepared } from '@liandun/event-log';
import type { ClientBase, Pool } from 'pg';
import { decrypt, encrypt, type Kms } from './kms.js';
import { random } from './random.js';

/** A text that was made of the entry at a position. */
export interface Derived {
  position: number;
  text: string;
}

interface SealedDerived {
  position: string;
  form: string;
  sealed: Buffer;
  wrapped: Buffer;
  keyVersion: number;
}

const KEY_BYTES = 32;
const COLUMNS = 'position, form, sealed, wrapped, key_version as "keyVersion"';

const boundTo = (position: number, form: string): Buffer => Buffer.from(`derived\0${position}\0${form}`, 'utf8');

function seal({ position, text }: Derived, form: string, kms: Kms): SealedDerived {
  const bound = boundTo(position, form);
  const key = random(KEY_BYTES);
  const plain = Buffer.from(text, 'utf8');
  const sealed = encrypt(createSecretKey(key), plain, bound);
  const row = { position: String(position), form, sealed, wrapped: kms.wrap(key, bound), keyVersion: kms.keyVersion };
  key.fill(0);
  plain.fill(0);
  return row;
}

function unseal({ position, form, sealed, wrapped, keyVersion }: SealedDerived, kms: Kms): Derived {
  const bound = boundTo(Number(position), form);
  const plain = decrypt(createSecretKey(kms.unwrap(wrapped, keyVersion, bound)), sealed, bound);
  return { position: Number(position), text: plain.toString('utf8') };
}

const saveRows = (client: ClientBase | Pool, rows: readonly SealedDerived[]): Promise<unknown> =>
  prepared(
    client,
    `insert into vault.derived (position, form, sealed, wrapped, key_version)
     select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::smallint[]) given (position)
     where not exists (select from vault.erased e where e.position = given.position)
     on conflict (position) do update set form = excluded.form, sealed = excluded.sealed, wrapped = excluded.wrapped,
       key_version = excluded.key_version`,
    [
      rows.map(({ position }) => position),
      rows.map(({ form }) => form),
      byteaArray(rows.map(({ sealed }) => sealed)),
      byteaArray(rows.map(({ wrapped }) => wrapped)),
      rows.map(({ keyVersion }) => keyVersion),
    ],
  );

/**
 * Keeps what was made of entries, each under a data key of its own, in the place of what was kept of them before; of an entry of which
 * a person was erased nothing.
 */
export async function keepDerived(
  client: ClientBase | Pool,
  derived: readonly Derived[],
  form: string,
  kms: Kms,
): Promise<void> {
  if (derived.length === 0) return;
  await saveRows(
    client,
    derived.map((one) => seal(one, form, kms)),
  );
}

/**
 * What is kept of these entries in this form, by position; what is kept in another form, or not at all, is absent. Throws where it was
 * altered, or its key-encryption key isn't there.
 */
export async function openDerived(
  db: ClientBase | Pool,
  positions: readonly number[],
  form: string,
  kms: Kms,
): Promise<Map<number, string>> {
  const { rows } = await prepared<SealedDerived>(
    db,
    `select ${COLUMNS} from vault.derived where position = any($1::bigint[]) and form = $2`,
    [positions, form],
  );
  return new Map(
    rows.map((row) => {
      const { position, text } = unseal(row, kms);
      return [position, text];
    }),
  );
}

/** Forgets what is kept of these entries. Where a person's data key is destroyed the database does so itself. */
export const forgetDerived = (client: ClientBase, positions: readonly number[]): Promise<unknown> =>
  client.query('delete from vault.derived where position = any($1::bigint[])', [positions]);

/** Seals what is kept of these entries under fresh data keys, wrapped by the newest key-encryption key. */
export async function resealDerived(client: ClientBase, positions: readonly number[], kms: Kms): Promise<void> {
  const { rows } = await client.query<SealedDerived>(
    `select ${COLUMNS} from vault.derived where position = any($1::bigint[]) and key_version < $2 for update`,
    [positions, kms.keyVersion],
  );
  if (rows.length > 0)
    await saveRows(
      client,
      rows.map((row) => seal(unseal(row, kms), row.form, kms)),
    );
}
