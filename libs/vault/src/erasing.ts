import type pg from 'pg';
import type { TokenKind } from './keys.js';
import { seal, unseal, type EventRef, type SealedRecord } from './sealing.js';
import type { Kms } from './kms.js';
import type { PersonIdentifiers } from './tokens.js';

/** The name under which events carry an ErasureRow to `erasureRider`. */
export const ERASURE_RIDER = 'erasure';

/** Whom a requested erasure is about, as the vault keeps it until it is decided. */
export type SealedPerson = Pick<SealedRecord, 'sealed' | 'wrapped' | 'keyVersion'>;

/** What the events of an erasure do to the vault, in the transaction that appends them. */
export type ErasureRow =
  | ({ step: 'requested'; erasureId: string } & SealedPerson)
  | { step: 'decided'; erasureId: string }
  /** `organizations`: those of the positions whose subject is one, and whose own public numbers stay; `inquiries`: screenings about the person. */
  | { step: 'erased'; positions: number[]; asRepresentative: number[]; organizations: number[]; inquiries?: string[] };

const requestRef = (erasureId: string): EventRef => ({
  source: 'urn:liandun:ledger',
  id: erasureId,
  type: 'liandun.approval.requested.v1',
});

/** Seals whom a request is about, for that request alone. */
export function sealPerson(person: PersonIdentifiers, erasureId: string, kms: Kms): SealedPerson {
  const values = [{ pointer: '/identifiers', salt: '', value: JSON.stringify(person) }];
  const { sealed, wrapped, keyVersion } = seal(values, requestRef(erasureId), 'subject', kms);
  return { sealed, wrapped, keyVersion };
}

/** The reverse; throws where it was altered. */
export function unsealPerson(person: SealedPerson, erasureId: string, kms: Kms): PersonIdentifiers {
  const [opened] = unseal({ person: 'subject', ...person }, requestRef(erasureId), kms);
  return JSON.parse(opened?.value ?? '{}') as PersonIdentifiers;
}

/** Keeps whom a requested erasure is about; forgets that once it is decided; destroys what is erased. */
export async function erasureRider(client: pg.ClientBase, rows: { row: unknown }[]): Promise<void> {
  for (const { row } of rows) await apply(client, row as ErasureRow);
}

async function apply(client: pg.ClientBase, row: ErasureRow): Promise<void> {
  if (row.step === 'decided') {
    await client.query('delete from vault.erasure where erasure_id = $1', [row.erasureId]);
  } else if (row.step === 'erased') {
    await destroy(client, row);
  } else {
    await client.query('insert into vault.erasure (erasure_id, key_version, sealed, wrapped) values ($1, $2, $3, $4)', [
      row.erasureId,
      row.keyVersion,
      row.sealed,
      row.wrapped,
    ]);
  }
}

/** What is public of an organization (企业信息公示暂行条例 第6条), and of whom else than the subject a token is. */
const OF_ORGANIZATIONS: readonly TokenKind[] = ['uscc', 'registrationNumber'];
const OF_REPRESENTATIVES: readonly TokenKind[] = ['representative'];

/** Data keys first of all: without them sealed values and salts are noise, also in a copy that was made before. */
async function destroy(
  client: pg.ClientBase,
  { positions, asRepresentative, organizations, inquiries = [] }: Extract<ErasureRow, { step: 'erased' }>,
): Promise<void> {
  // A rotation under way must not write anew what is destroyed here.
  await client.query('select from vault.rotation order by job, version for update');
  for (const table of ['data_key', 'record'])
    await client.query(
      `delete from vault.${table}
       where position = any($1::bigint[]) or (position = any($2::bigint[]) and person = 'representative')`,
      [positions, asRepresentative],
    );
  if (inquiries.length > 0) {
    await client.query('delete from screening.inquiry where screening_id = any($1::uuid[])', [inquiries]);
    for (const table of ['told', 'decision'])
      await client.query(
        `delete from screening.${table} t where not exists
           (select from screening.inquiry i where i.member = t.member and i.said = t.said)`,
      );
  }
  // The matcher's keys may be made of any of it; the reconcile reader makes those anew that still may be.
  await client.query('delete from match.key where position = any($1::bigint[]) or position = any($2::bigint[])', [
    positions,
    asRepresentative,
  ]);
  for (const table of ['token', 'person_token'])
    await client.query(
      `delete from vault.${table}
       where (position = any($1::bigint[]) and not (position = any($2::bigint[]) and kind = any($3)))
         or (position = any($4::bigint[]) and kind = any($5))`,
      [positions, organizations, OF_ORGANIZATIONS, asRepresentative, OF_REPRESENTATIVES],
    );
}
