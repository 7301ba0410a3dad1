// Which entries' personal values and which operational rows have been kept as long as they must be (rule P20).
import type { Pool } from 'pg';

/** An entry whose personal values are to go; of an organization its public numbers stay. */
export interface OverdueEntry {
  position: number;
  organization: boolean;
}

const entries = async (pool: Pool, text: string, values: unknown[]): Promise<OverdueEntry[]> => {
  const { rows } = await pool.query<{ position: string; kind: string }>(text, values);
  return rows.map(({ position, kind }) => ({ position: Number(position), organization: kind === 'organization' }));
};

/** Entries of cases that ended before `before` (RFC 3339), oldest first, as long as the vault has values of them. */
export const endedCasesWithValues = (pool: Pool, before: string, limit: number): Promise<OverdueEntry[]> =>
  entries(
    pool,
    `select l.position, l.kind from view.listing l join log.entry ended on ended.position = l.ended_at
     where ended.accepted_at < $1 and exists (select from vault.record r where r.position = l.position)
     order by l.position limit $2`,
    [before, limit],
  );

/**
 * Reports of accounts that their platform closed before `before`, as long as the vault has values of them; not while a case of
 * that platform on the account stands or ended later.
 */
export const closedAccountsWithValues = (pool: Pool, before: string, limit: number): Promise<OverdueEntry[]> =>
  entries(
    pool,
    `select o.position, o.kind from view.hosting h join log.entry last on last.position = h.observed_at
       join view.observation o on o.member = h.member and o.merchant_id = h.merchant_id
     where not h.active and last.accepted_at < $1 and exists (select from vault.record r where r.position = o.position)
       and not exists (
         select from view.listing l left join log.entry ended on ended.position = l.ended_at
         where l.source_member = h.member and l.merchant_id = h.merchant_id
           and (ended.position is null or ended.accepted_at >= $1))
     order by o.position limit $2`,
    [before, limit],
  );

/** Forgets webhook messages that could not be delivered before `before`; how many. The notices themselves stay in the feed. */
export async function forgetDeadLetters(pool: Pool, before: string, limit: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from webhook.dead_letter where no in
       (select no from webhook.dead_letter where dead_at < $1 order by no limit $2)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
