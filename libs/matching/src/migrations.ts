import { CALLERS_ROLE, wall } from '@liandun/event-log';
import { CreateScreening1763900100000 } from './screening/migrations.js';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The matcher's index. Keys are keyed hashes, evidence holds levels and weights; neither holds a value. Both follow from the
 * vault's records and can be made anew from them; what was decided stands in the log.
 */
export class CreateMatchIndex1763800500000 implements MigrationInterface {
  name = 'CreateMatchIndex1763800500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema match cascade');
  }
}

const TABLES = `
create schema match;

-- What the keys were made with. New observations get keys of every generation that isn't retired; one is looked up by.
create table match.generation (
  id smallint primary key,
  matcher text not null,
  -- The version of the blind index's key.
  blind smallint not null,
  state text not null check (state in ('building', 'active', 'retired')),
  -- How far its keys have come.
  position bigint not null default -1,
  -- What changes with it, found before it was activated.
  preview jsonb,
  -- How far all that was linked has been judged again by it; null: nothing is to be.
  judged bigint
);
create unique index one_active on match.generation (state) where state = 'active';

-- Which observations have a blocking key: 64 bits of an HMAC over the key's kind and value. With each, what tells
-- how many hold the key and which of them can't be one (the matcher's outline, its values hashed alike): neither needs a record opened.
create table match.key (
  token bigint not null,
  position bigint not null,
  generation smallint not null,
  outline text not null,
  primary key (token, position) include (outline)
);
create index key_position on match.key (position);

-- An observation that says the same as another of the same account, or one that was erased: it stays with the other.
create table match.alias (
  position bigint primary key,
  of bigint not null,
  grade text not null check (grade in ('exact', 'strong', 'possible'))
);
create index alias_of on match.alias (of);

-- Two observations that an erased one held together: what was decided stands.
create table match.kept (
  a bigint not null,
  b bigint not null,
  primary key (a, b),
  check (a < b)
);
create index kept_b on match.kept (b);

-- What was found of two observations that may be of one entity, or that are apart but joined by others: what speaks against
-- a bridge between their groups, and needs no evidence of its own; a < b.
create table match.edge (
  a bigint not null,
  b bigint not null,
  outcome text not null check (outcome in ('link', 'review', 'apart')),
  grade text,
  rule text not null,
  bits real not null,
  evidence jsonb not null,
  primary key (a, b),
  check (a < b)
);
create index edge_b on match.edge (b);

grant usage on schema match to liandun_worker, liandun_door;
grant select, insert, update, delete on all tables in schema match to liandun_worker;
grant select on match.generation, match.key, match.alias to liandun_door;
-- An erasure forgets what a person is found by in its own transaction.
grant delete on match.key to liandun_door;
-- A regulator is told why.
grant usage on schema match to liandun_api;
grant select on match.edge to liandun_api;
${['generation', 'key', 'alias', 'kept'].map((table) => wall(`match.${table}`)).join('\n')}
${wall('match.edge', `${CALLERS_ROLE} = 'regulator'`)}
`;

export const MATCHING_MIGRATIONS = [CreateMatchIndex1763800500000, CreateScreening1763900100000];
