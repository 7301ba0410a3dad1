// How many cases each publisher has filed lately (rule P21). Beside the projections: a rebuild must not forget it.
import { roomOf, type Filed } from '@liandun/domain';
import type { MemberLimits } from '@liandun/contracts';
import { prepared, wall, type Gate } from '@liandun/event-log';
import type pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The name under which a log has `breakerGate`. */
export const BREAKER_GATE = 'breaker';

export class CreateBreaker1763900100000 implements MigrationInterface {
  name = 'CreateBreaker1763900100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create schema breaker;
create table breaker.minute (
  member text not null,
  minute timestamptz not null,
  cases int not null,
  primary key (member, minute)
);
-- Days in China.
create table breaker.day (
  member text not null,
  day date not null,
  cases int not null,
  -- Of those, the ones that went over the limits.
  held int not null default 0,
  primary key (member, day)
);
grant usage on schema breaker to liandun_worker, liandun_door;
grant select, insert, update, delete on all tables in schema breaker to liandun_worker, liandun_door;
${wall('breaker.minute')}
${wall('breaker.day')}
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema breaker cascade');
  }
}

const MEAN_DAYS = 30;

/** What is filed and allowed now of the members of a relation `asked (member)`, with the time that it is counted at. */
const FILED = `moment as (select clock_timestamp() as at, (clock_timestamp() at time zone 'Asia/Shanghai')::date as day),
  filed as (
    select a.member, m.limits,
      coalesce((select sum(b.cases) from breaker.minute b
        where b.member = a.member and b.minute >= date_trunc('minute', t.at) - interval '1 hour'), 0)::float8 as last_hour,
      coalesce((select d.cases from breaker.day d where d.member = a.member and d.day = t.day), 0)::float8 as today,
      coalesce((select sum(d.cases - d.held) from breaker.day d
        where d.member = a.member and d.day between t.day - ${MEAN_DAYS} and t.day - 1), 0)::float8 / ${MEAN_DAYS} as mean
    from asked a cross join moment t left join access.member m on m.member_id = a.member)`;

interface FiledRow {
  member: string;
  limits: MemberLimits | null;
  last_hour: number;
  today: number;
  mean: number;
}

const filedOf = ({ last_hour: lastHour, today, mean }: FiledRow): Filed => ({ lastHour, today, mean });

/**
 * The gate of cases: counts each with its publisher, whose id is the row, and holds what goes over the publisher's limits. Counted
 * under the head's lock and committed with the cases, so no two processes, batches or streams pass a limit together. Old counts
 * of the same members go on the way.
 */
export const breakerGate: Gate = async (client, members) => {
  const { rows } = await prepared<FiledRow>(
    client,
    `with asked as (select member, count(*)::int as cases from unnest($1::text[]) member group by member), ${FILED},
     minutes as (
       insert into breaker.minute as b (member, minute, cases)
       select member, date_trunc('minute', at), cases from asked, moment
       on conflict (member, minute) do update set cases = b.cases + excluded.cases),
     days as (
       insert into breaker.day as d (member, day, cases) select member, day, cases from asked, moment
       on conflict (member, day) do update set cases = d.cases + excluded.cases),
     old_minutes as (
       delete from breaker.minute b using asked, moment
       where b.member = asked.member and b.minute < moment.at - interval '2 hours'),
     old_days as (
       delete from breaker.day d using asked, moment
       where d.member = asked.member and d.day < moment.day - ${MEAN_DAYS + 1})
     select * from filed`,
    [members],
  );
  const room = new Map(rows.map((row) => [row.member, roomOf(row.limits ?? undefined, filedOf(row))]));
  const held = new Map<string, number>();
  const answers = (members as string[]).map((member) => {
    const left = room.get(member) ?? 0;
    room.set(member, left - 1);
    if (left > 0) return false;
    held.set(member, (held.get(member) ?? 0) + 1);
    return true;
  });
  if (held.size > 0) {
    await prepared(
      client,
      `update breaker.day d set held = d.held + h.cases
       from unnest($1::text[], $2::int[]) h (member, cases)
       where d.member = h.member and d.day = (select max(x.day) from breaker.day x where x.member = h.member)`,
      [[...held.keys()], [...held.values()]],
    );
  }
  return answers;
};

export interface BreakerState extends Filed {
  limits: MemberLimits;
}

/** Where a member stands against its limits; nothing is counted. */
export async function breakerState(db: pg.Pool, memberId: string): Promise<BreakerState> {
  const { rows } = await db.query<FiledRow>(`with asked as (select $1::text as member), ${FILED} select * from filed`, [
    memberId,
  ]);
  const row = rows[0] as FiledRow;
  return { limits: row.limits ?? {}, ...filedOf(row) };
}

/** A publisher's cases that wait for a second person. */
export interface WaitingFlood {
  memberId: string;
  cases: number;
  /** When the first and the last of them were accepted. */
  since: Date;
  until: Date;
  /** The position of the last: a decision names it, so that it covers what was seen and no more. */
  upTo: number;
  codes: { code: string; tier: number; cases: number }[];
}

/** All that waits, by member. */
export async function waitingFloods(db: pg.Pool | pg.ClientBase, memberId?: string): Promise<WaitingFlood[]> {
  const { rows } = await db.query<Omit<WaitingFlood, 'upTo'> & { upTo: string }>(
    `select source_member as "memberId", sum(cases)::int as cases, min(since) as since, max(until) as until,
       max(up_to) as "upTo", jsonb_agg(jsonb_build_object('code', code, 'tier', tier, 'cases', cases) order by code, tier) as codes
     from (select source_member, code, tier, count(*) as cases, min(accepted_at) as since, max(accepted_at) as until,
             max(position) as up_to
           from view.listing where flood and ($1::text is null or source_member = $1)
           group by source_member, code, tier) each
     group by source_member order by min(since), source_member`,
    [memberId ?? null],
  );
  return rows.map((row) => ({ ...row, upTo: Number(row.upTo) }));
}

/** The positions of a member's waiting cases up to one, in their order. */
export async function waitingPositions(
  db: pg.Pool | pg.ClientBase,
  memberId: string,
  upTo: number,
  limit: number,
): Promise<number[]> {
  const { rows } = await db.query<{ position: string }>(
    'select position from view.listing where flood and source_member = $1 and position <= $2 order by position limit $3',
    [memberId, upTo, limit],
  );
  return rows.map(({ position }) => Number(position));
}
