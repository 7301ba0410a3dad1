// What a member has asked for today, against enumeration (rule P15). Beside the projections: a rebuild must not forget it.
import { wall } from '@liandun/event-log';
import type pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An identifier that was screened and the series of numbers that it belongs to, as keyed digests of one member and day. */
export interface Screened {
  identifier: Buffer;
  series: Buffer;
}

export class CreateBudgets1763900000000 implements MigrationInterface {
  name = 'CreateBudgets1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create schema budget;
create table budget.spent (
  member text not null,
  day date not null,
  identifiers int not null default 0,
  misses int not null default 0,
  primary key (member, day)
);
create table budget.screened (
  member text not null,
  day date not null,
  identifier bytea not null,
  series bytea not null,
  primary key (member, day, identifier)
);
create index on budget.screened (member, day, series);
create index on budget.screened (day);
grant usage on schema budget to liandun_door;
grant select, insert, update, delete on all tables in schema budget to liandun_door;
${wall('budget.spent')}
${wall('budget.screened')}
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema budget cascade');
  }
}

/**
 * Takes the identifiers that are new today from the member's budget, all or none; one statement, so that requests of the same
 * moment can't pass it together. `neighbours`: how many of the day belong to the fullest of the series asked for.
 */
export async function spendIdentifiers(
  db: pg.Pool,
  { memberId, day, budget, screened }: { memberId: string; day: string; budget: number; screened: Screened[] },
): Promise<{ allowed: boolean; neighbours: number }> {
  const { rows } = await db.query<{ allowed: boolean; neighbours: number }>({
    name: 'budget_spend',
    text: `with asked as (select distinct * from unnest($3::bytea[], $4::bytea[]) a (identifier, series)),
     fresh as (select a.* from asked a where not exists (select from budget.screened s
       where s.member = $1 and s.day = $2 and s.identifier = a.identifier)),
     charged as (
       insert into budget.spent as b (member, day, identifiers)
       select $1, $2, count(*) from fresh having count(*) <= $5
       on conflict (member, day) do update set identifiers = b.identifiers + excluded.identifiers
         where excluded.identifiers = 0 or b.identifiers + excluded.identifiers <= $5
       returning 1),
     kept as (
       insert into budget.screened (member, day, identifier, series)
       select $1, $2, f.identifier, f.series from fresh f where exists (select from charged)
       on conflict do nothing)
     select exists (select from charged) as allowed,
       (select coalesce(max(many), 0)::int from (
          select (select count(*) from budget.screened s where s.member = $1 and s.day = $2 and s.series = a.series)
            + (select count(*) from fresh f where f.series = a.series) as many
          from asked a) each) as neighbours`,
    values: [memberId, day, screened.map((each) => each.identifier), screened.map((each) => each.series), budget],
  });
  return rows[0] ?? { allowed: false, neighbours: 0 };
}

/** Adds look-ups that led to nothing to the member's day; answers how many there are now, of all processes. */
export async function addMisses(db: pg.Pool, memberId: string, day: string, misses: number): Promise<number> {
  const { rows } = await db.query<{ misses: number }>(
    `insert into budget.spent as b (member, day, misses) values ($1, $2, $3)
     on conflict (member, day) do update set misses = b.misses + excluded.misses returning misses`,
    [memberId, day, misses],
  );
  return rows[0]?.misses ?? 0;
}

/** Forgets what was asked more than so many days before. */
export async function forgetDays(db: pg.Pool, day: string, days: number): Promise<void> {
  await db.query('delete from budget.screened where day < $1::date - $2::int', [day, days]);
  await db.query('delete from budget.spent where day < $1::date - $2::int', [day, days]);
}

/** How many merchants a platform hosts: what its budgets go by. */
export async function hostedMerchants(db: pg.Pool, memberId: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::int as count from view.hosting where member = $1 and active',
    [memberId],
  );
  return rows[0]?.count ?? 0;
}
