// Publishers' errors, asked of the folded ledger (rule P19).
import { ERROR_CAUSES, PUBLISHER_RULES, publisherFigures } from '@liandun/domain';
import { EVENT_TYPES, type PublisherFigures } from '@liandun/contracts';
import type { ClientBase, Pool } from 'pg';

/** Members whose listings these positions ended, or found malicious, and those that are lowered now: whom to judge. */
export async function publishersToJudge(client: ClientBase, positions: number[]): Promise<Map<string, boolean>> {
  const { rows } = await client.query<{ member: string; lowered: boolean }>(
    `select r.member_id as member, r.lowered from view.receiver r
     where r.lowered or r.member_id in (select source_member from view.listing
       where ended_at = any($1) or malicious_at = any($1)) order by 1`,
    [positions],
  );
  return new Map(rows.map(({ member, lowered }) => [member, lowered]));
}

/** Publishers that are lowered, each with the version of its stream that says so: none whose restoration is only not folded yet. */
export async function loweredPublishers(pool: Pool): Promise<{ member: string; version: number }[]> {
  const { rows } = await pool.query<{ member: string; version: string }>(
    `select r.member_id as member, e.version from view.receiver r cross join lateral (
       select type, version from log.entry where stream = 'publisher/' || r.member_id order by version desc limit 1) e
     where r.lowered and e.type = '${EVENT_TYPES.publisherLowered}' order by 1`,
  );
  return rows.map(({ member, version }) => ({ member, version: Number(version) }));
}

interface Wrong {
  from: string;
  to: string;
  malicious: boolean;
}

/**
 * The figures of the given members, or of all platforms, over the year that ends at `at` (RFC 3339). A listing counts from when
 * members could be told; the register's own never do.
 */
export async function figuresOfPublishers(
  db: Pool | ClientBase,
  at: string,
  members?: readonly string[],
): Promise<Map<string, PublisherFigures>> {
  const { rows } = await db.query<{ member: string; published: number; errors: Wrong[] | null }>(
    `select l.source_member as member, count(*)::int as published,
       jsonb_agg(jsonb_build_object('from', l.effective_at, 'to', e.accepted_at,
         'malicious', m.position is not null)) filter (where e.position is not null) as errors
     from view.listing l left join log.entry e on e.position = l.ended_at and l.cause = any($2) and e.accepted_at <= $1
     left join log.entry m on m.position = l.malicious_at and m.accepted_at <= $1
     where l.due_at is not null and l.origin <> 'registry' and l.effective_at <= $1
       and l.effective_at > $1::timestamptz - make_interval(days => $3) and ($4::text[] is null or l.source_member = any($4))
     group by l.source_member`,
    [at, [...ERROR_CAUSES], PUBLISHER_RULES.windowDays, members ?? null],
  );
  return new Map(
    rows.map(({ member, published, errors }) => [
      member,
      publisherFigures(
        published,
        (errors ?? []).map(({ from, to, malicious }) => ({ from: new Date(from), to: new Date(to), malicious })),
      ),
    ]),
  );
}
