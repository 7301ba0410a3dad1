import type pg from 'pg';
import { KeyVersionError } from './kms.js';
import type { SealedRecord } from './sealing.js';
import type { VaultRow } from './separate.js';
import type { Token } from './tokens.js';

interface RiddenRow {
  position: number;
  row: unknown;
}

/** The name under which events carry a VaultRow to `vaultRider`. */
export const VAULT_RIDER = 'vault';

const STORE = {
  name: 'vault.store',
  text: `with given as (
    select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::smallint[], $5::bytea[])
      as g (position, person, sealed, key_version, wrapped)
  ), records as (
    insert into vault.record (position, person, sealed) select position, person, sealed from given
  ), keys as (
    insert into vault.data_key (position, person, key_version, wrapped)
    select position, person, key_version, wrapped from given
  ), tokens as (
    insert into vault.token (position, kind, key_version, token)
    select * from unnest($6::bigint[], $7::text[], $8::smallint[], $9::bytea[])
  ), persons as (
    insert into vault.person_token (position, kind, key_version, token)
    select * from unnest($10::bigint[], $11::text[], $12::smallint[], $13::bytea[])
  )
  select version from vault.index_version`,
};

type Placed<T> = T & { position: number };

const recordColumns = (records: Placed<SealedRecord>[]): unknown[] => [
  records.map(({ position }) => position),
  records.map(({ person }) => person),
  records.map(({ sealed }) => sealed),
  records.map(({ keyVersion }) => keyVersion),
  records.map(({ wrapped }) => wrapped),
];

const tokenColumns = (tokens: Placed<Token>[]): unknown[] => [
  tokens.map(({ position }) => position),
  tokens.map(({ kind }) => kind),
  tokens.map(({ keyVersion }) => keyVersion),
  tokens.map(({ token }) => token),
];

/**
 * Stores sealed records, their keys and tokens in the append's own transaction, in one statement: an entry is never in the log
 * without its values, nor the other way round. Throws KeyVersionError, and nothing is stored, where the tokens lack the version
 * that the matcher compares by: a process that was started with an older key file.
 */
export async function vaultRider(client: pg.ClientBase, rows: RiddenRow[]): Promise<void> {
  const placed = <T>(pick: (row: VaultRow) => T[]): Placed<T>[] =>
    rows.flatMap(({ position, row }) => pick(row as VaultRow).map((item) => ({ position, ...item })));
  const tokens = placed((row) => row.tokens);
  const values = [
    ...recordColumns(placed((row) => row.sealed)),
    ...tokenColumns(tokens),
    ...tokenColumns(placed((row) => row.personTokens)),
  ];
  const { rows: found } = await client.query<{ version: number }>({ ...STORE, values });
  const version = found[0]?.version;
  if (tokens.length > 0 && !tokens.some(({ keyVersion }) => keyVersion === version))
    throw new KeyVersionError(`the blind index stands at key version ${version}: start again with the new key file`);
}
