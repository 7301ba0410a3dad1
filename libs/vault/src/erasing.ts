import type pg from 'pg';
import type { Token } from './tokens.js';

/** The name under which events carry an ErasureRow to `erasureRider`. */
export const ERASURE_RIDER = 'erasure';

/** What the events of an erasure do to the vault, in the transaction that appends them. */
export type ErasureRow =
  | { step: 'requested'; erasureId: string; tokens: Token[] }
  | { step: 'decided'; erasureId: string }
  | { step: 'erased'; positions: number[]; asRepresentative: number[] };

/** Remembers whom a requested erasure is about, by tokens alone; forgets that once it is decided; destroys what is erased. */
export async function erasureRider(client: pg.ClientBase, rows: { row: unknown }[]): Promise<void> {
  for (const { row } of rows) await apply(client, row as ErasureRow);
}

async function apply(client: pg.ClientBase, row: ErasureRow): Promise<void> {
  if (row.step === 'decided') {
    await client.query('delete from vault.erasure_token where erasure_id = $1', [row.erasureId]);
    return;
  }
  if (row.step === 'erased') {
    await destroy(client, row.positions, row.asRepresentative);
    return;
  }
  await client.query(
    `insert into vault.erasure_token (erasure_id, kind, token)
     select $1, k, t from unnest($2::text[], $3::bytea[]) as given (k, t)`,
    [row.erasureId, row.tokens.map(({ kind }) => kind), row.tokens.map(({ token }) => token)],
  );
}

/** Data keys first of all: without them sealed values and salts are noise, also in a copy that was made before. */
async function destroy(client: pg.ClientBase, positions: number[], asRepresentative: number[]): Promise<void> {
  // A rotation under way must not write anew what is destroyed here.
  await client.query('select from vault.rotation order by job, version for update');
  for (const table of ['data_key', 'record'])
    await client.query(
      `delete from vault.${table}
       where position = any($1::bigint[]) or (position = any($2::bigint[]) and person = 'representative')`,
      [positions, asRepresentative],
    );
  // An organization's own numbers stay: they are public, and it was a person in its entry that was erased.
  await client.query(
    `delete from vault.token t where position = any($1::bigint[]) and not exists
       (select from vault.person_token p where p.position = t.position and p.kind = 'residentId')`,
    [positions],
  );
  await client.query(
    `delete from vault.person_token
     where position = any($1::bigint[]) or (position = any($2::bigint[]) and kind = 'representative')`,
    [positions, asRepresentative],
  );
}
