// Where a person who is to be forgotten stands, and which persons were.
import { EVENT_TYPES } from '@liandun/contracts';
import type { Pool } from 'pg';

/** What the blind index finds of a person. */
export interface ErasureFindings {
  /** Entries whose subject it is. */
  positions: number[];
  /** Entries of others whose representative it is. */
  asRepresentative: number[];
  /** Entries of organizations with one of the numbers, which nobody erases. */
  keptOrganizations: number;
}

/**
 * The entries of the person that a requested erasure is about, up to `limit` of each sort; with `source` only what that one
 * sent. A resident number names its holder wherever it stands; a number of the register names a person only where the entry is
 * about a sole proprietor, whose operator is also the representative.
 */
export async function erasureFindings(
  pool: Pool,
  erasureId: string,
  { source, limit }: { source?: string; limit: number },
): Promise<ErasureFindings> {
  const { rows } = await pool.query<{ role: string; positions: string[] }>(
    `with wanted as (select kind, token from vault.erasure_token where erasure_id = $1),
     hit as (
       select t.position, t.kind from wanted join vault.token t using (kind, token)
       union
       select p.position, p.kind from wanted join vault.person_token p using (kind, token)
     ),
     entry as (
       select h.position, array_agg(h.kind) as kinds, e.entry::jsonb #>> '{data,identity,kind}' as subject
       from hit h join log.entry e using (position)
       where $2::text is null or e.source = $2
       group by h.position, e.entry
     ),
     found as (
       select position, case
         when 'residentId' = any(kinds) then 'subject'
         when subject <> 'organization' and kinds && '{uscc,registrationNumber}'::text[] then 'subject'
         when subject = 'soleProprietor' and 'representative' = any(kinds) then 'subject'
         when 'representative' = any(kinds) then 'representative'
         else 'kept' end as role
       from entry
     )
     select role, array_agg(position order by position) as positions from found group by role`,
    [erasureId, source ?? null],
  );
  const of = (role: string): number[] => rows.find((row) => row.role === role)?.positions.map(Number) ?? [];
  return {
    positions: of('subject').slice(0, limit),
    asRepresentative: of('representative').slice(0, limit),
    keptOrganizations: of('kept').length,
  };
}

/** Which of the entities are persons of whom nothing is left. */
export async function erasedEntities(pool: Pool, entityIds: string[]): Promise<Set<string>> {
  if (entityIds.length === 0) return new Set();
  const { rows } = await pool.query<{ entity_id: string }>({
    name: 'view_erased_entities',
    text: 'select entity_id from view.entity where erased and entity_id = any($1)',
    values: [entityIds],
  });
  return new Set(rows.map((row) => row.entity_id));
}

/** What was erased on a request, over all its entries in the log. */
export async function erasedBy(pool: Pool, erasureId: string): Promise<ErasureFindings> {
  const { rows } = await pool.query<{ data: ErasureFindings }>(
    `select entry::jsonb -> 'data' as data from log.entry where stream = $1 and type = $2 order by version`,
    [`erasure/${erasureId}`, EVENT_TYPES.subjectErased],
  );
  const parts = rows.map((row) => row.data);
  return {
    positions: parts.flatMap(({ positions }) => positions),
    asRepresentative: parts.flatMap(({ asRepresentative }) => asRepresentative),
    keptOrganizations: parts.at(-1)?.keptOrganizations ?? 0,
  };
}
