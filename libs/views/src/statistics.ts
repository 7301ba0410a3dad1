// What happened in each quarter, in numbers alone (rule P20): no member, no merchant.
import type { ClientBase, Pool } from 'pg';

/** Quarters that are shown. */
export const QUARTERS_SHOWN = 8;
/** Fewer than so many are shown as «<5»: one case among few could be known by its reason. */
export const COUNT_MIN = 5;

export type Shown = number | '<5';
export interface QuarterFigures {
  /** Such as 2026-Q3, of China's calendar. */
  quarter: string;
  /** Listings of which members could be told, by reason. */
  listed: { tier: number; code: string; count: Shown }[];
  /** Listings that ended, by how and why. */
  ended: { status: string; cause: string; count: Shown }[];
  appeals: {
    filed: Shown;
    decided: { decision: string; count: Shown }[];
    /** From filing to decision; absent where fewer than five were decided. */
    medianDays?: number;
    /** Suspended because nobody had decided in time. */
    stayed: Shown;
  };
  reopenings: { asked: Shown; made: Shown };
}

/** A count as it may be shown. */
export const shown = (count: number): Shown => (count > 0 && count < COUNT_MIN ? `<${COUNT_MIN}` : count);

const quarter = (time: string): string => `to_char(${time} at time zone 'Asia/Shanghai', 'YYYY-"Q"Q')`;
const within = (time: string): string => `${time} >= r.since and ${time} < r.until`;

/** One row for each figure: `figure`, two keys, a count, and of decisions the days that each took. */
const FIGURES = `
with range as (
  select date_trunc('quarter', $1::timestamptz, 'Asia/Shanghai') as until,
    date_trunc('quarter', $1::timestamptz - make_interval(months => 3 * $2), 'Asia/Shanghai') as since)
select 'listed' as figure, ${quarter('l.effective_at')} as quarter, l.tier::text as first, l.code as second, count(*)::int, null::float8 as median
  from view.listing l, range r where l.due_at is not null and ${within('l.effective_at')} group by 2, 3, 4
union all
select 'ended', ${quarter('e.accepted_at')}, l.status, coalesce(l.cause, ''), count(*)::int, null
  from view.listing l join log.entry e on e.position = l.ended_at, range r where ${within('e.accepted_at')} group by 2, 3, 4
union all
select 'filed', ${quarter('a.filed_at')}, '', '', count(*)::int, null
  from view.appeal a, range r where ${within('a.filed_at')} group by 2
union all
select 'decided', ${quarter('a.decided_at')}, a.decision, '', count(*)::int, null
  from view.appeal a, range r where ${within('a.decided_at')} group by 2, 3
union all
select 'days', ${quarter('a.decided_at')}, '', '', count(*)::int,
    percentile_cont(0.5) within group (order by extract(epoch from a.decided_at - a.filed_at) / 86400)
  from view.appeal a, range r where ${within('a.decided_at')} group by 2
union all
select 'stayed', ${quarter('e.accepted_at')}, '', '', count(*)::int, null
  from view.appeal a join log.entry e on e.position = a.stayed_at, range r
  where ${within('e.accepted_at')} and e.accepted_at >= a.due group by 2
union all
select 'asked', ${quarter('n.issued_at')}, '', '', count(*)::int, null
  from view.notice n, range r where n.action = 'reopen' and ${within('n.issued_at')} group by 2
union all
select 'made', ${quarter('d.accepted_at')}, '', '', count(distinct d.notice_id)::int, null
  from view.disposition d, range r where d.decision = 'reopened' and ${within('d.accepted_at')} group by 2
order by 1, 2, 3, 4`;

interface Row {
  figure: string;
  quarter: string;
  first: string;
  second: string;
  count: number;
  median: number | null;
}

/** The quarters of China's calendar that ended before `at`, newest first. */
function quartersBefore(at: Date): string[] {
  const inChina = new Date(at.getTime() + 8 * 3_600_000);
  const running = inChina.getUTCFullYear() * 4 + Math.floor(inChina.getUTCMonth() / 3);
  return Array.from({ length: QUARTERS_SHOWN }, (_, n) => running - 1 - n).map(
    (index) => `${Math.floor(index / 4)}-Q${(index % 4) + 1}`,
  );
}

/**
 * The figures of the last eight quarters that have ended at `at`, newest first. The running one isn't shown: who asked twice could see
 * a single case come.
 */
export async function quarterlyFigures(db: Pool | ClientBase, at: Date): Promise<QuarterFigures[]> {
  const { rows } = await db.query<Row>(FIGURES, [at, QUARTERS_SHOWN]);
  return quartersBefore(at).map((name) => {
    const of = (figure: string): Row[] => rows.filter((row) => row.figure === figure && row.quarter === name);
    const one = (figure: string): Shown => shown(of(figure)[0]?.count ?? 0);
    const [days] = of('days');
    return {
      quarter: name,
      listed: of('listed').map(({ first, second, count }) => ({
        tier: Number(first),
        code: second,
        count: shown(count),
      })),
      ended: of('ended').map(({ first, second, count }) => ({ status: first, cause: second, count: shown(count) })),
      appeals: {
        filed: one('filed'),
        decided: of('decided').map(({ first, count }) => ({ decision: first, count: shown(count) })),
        ...(days && days.count >= COUNT_MIN && { medianDays: Math.round((days.median ?? 0) * 10) / 10 }),
        stayed: one('stayed'),
      },
      reopenings: { asked: one('asked'), made: one('made') },
    };
  });
}
