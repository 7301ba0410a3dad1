// Where a person who is to be forgotten stands, and which persons were.
import { EVENT_TYPES, type SubjectErased } from '@liandun/contracts';
import type { ClientBase, Pool } from 'pg';

/** What an erasure destroys, and what it leaves of organizations. */
type Erased = Pick<SubjectErased, 'positions' | 'asRepresentative' | 'keptOrganizations'>;

/** An entry that carries one of the wanted tokens. */
export interface TokenHit {
  position: number;
  kinds: string[];
  source: string;
  id: string;
  type: string;
  data: object;
}

/** The entries that carry one of these tokens of the blind index, in order; with `source` only what that one sent. */
export async function entriesWith(
  pool: Pool,
  tokens: { kind: string; token: Buffer }[],
  source?: string,
): Promise<TokenHit[]> {
  const { rows } = await pool.query<{ position: string; kinds: string[]; entry: string }>(
    `with wanted as (select kind, token from unnest($1::text[], $2::bytea[]) w (kind, token)),
     hit as (
       select t.position, t.kind from wanted join vault.token t using (kind, token)
       union
       select p.position, p.kind from wanted join vault.person_token p using (kind, token)
     )
     select h.position, array_agg(h.kind order by h.kind) as kinds, e.entry from hit h join log.entry e using (position)
     where $3::text is null or e.source = $3 group by h.position, e.entry order by h.position`,
    [tokens.map(({ kind }) => kind), tokens.map(({ token }) => token), source ?? null],
  );
  return rows.map(({ position, kinds, entry }) => {
    const { source: sender, id, type, data } = JSON.parse(entry) as TokenHit;
    return { position: Number(position), kinds, source: sender, id, type, data };
  });
}

/** Outcomes that hold what a subject wrote, or what was written to him. */
const TEXTS = [
  EVENT_TYPES.subjectStated,
  EVENT_TYPES.appealFiled,
  EVENT_TYPES.listingStayed,
  EVENT_TYPES.appealDecided,
  EVENT_TYPES.listingMalicious,
];

/** By the entries that they are about: the later entries of the same stream with texts of the subject, or to him. */
export async function textsAbout(pool: Pool, positions: readonly number[]): Promise<Map<number, number[]>> {
  const { rows } = await pool.query<{ about: string; texts: string[] }>(
    `select e.position as about, array_agg(s.position order by s.position) as texts
     from log.entry e join log.entry s on s.stream = e.stream and s.version > e.version and s.type = any($2)
     where e.position = any($1) and s.entry::jsonb #>> '{data,caseId}' = e.id group by e.position`,
    [positions, TEXTS],
  );
  return new Map(rows.map(({ about, texts }) => [Number(about), texts.map(Number)]));
}

/** What was erased on a request, over all its entries in the log. */
export async function erasedBy(pool: Pool, erasureId: string): Promise<Erased> {
  const { rows } = await pool.query<{ data: Erased }>(
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

/**
 * The notices about persons of whom an erasure of these entries left nothing and whose receivers haven't been told, by
 * receiver and in the order of `seq`, as the open transaction sees it. A merge may have moved the listing since.
 */
export async function noticesToErase(client: ClientBase, positions: number[]): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ member: string; notice_ids: string[] }>(
    `with gone as (
       select distinct entity_id from view.observation o join view.entity e using (entity_id)
       where o.position = any($1) and e.erased),
     about as (
       select n.member, n.seq, n.notice_id, n.erased from gone join view.notice n using (entity_id)
       union
       select n.member, n.seq, n.notice_id, n.erased from gone join view.listing l using (entity_id)
         join view.notice n on n.listing_id = l.listing_id)
     select member, array_agg(notice_id order by seq) as notice_ids from about where not erased
     group by member order by member`,
    [positions],
  );
  return new Map(rows.map((row) => [row.member, row.notice_ids]));
}

/** Which of the notices are about a person who was erased. */
export async function erasedNotices(db: Pool | ClientBase, noticeIds: string[]): Promise<Set<string>> {
  if (noticeIds.length === 0) return new Set();
  const { rows } = await db.query<{ notice_id: string }>({
    name: 'view_erased_notices',
    text: 'select notice_id from view.notice where erased and notice_id = any($1)',
    values: [noticeIds],
  });
  return new Set(rows.map((row) => row.notice_id));
}
