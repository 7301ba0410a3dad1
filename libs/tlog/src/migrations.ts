import type { MigrationClass } from '@liandun/event-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tree over the log's entries, and the checkpoints that were published of it. */
class CreateTlog1763900000000 implements MigrationInterface {
  readonly name = 'CreateTlog1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [TABLES, GUARDS, RIGHTS]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema tlog cascade');
  }
}

/** What the publisher tells the processes that append. */
class AddHalt1763900100000 implements MigrationInterface {
  readonly name = 'AddHalt1763900100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(HALT);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tlog.halt');
  }
}

/** What the witnesses say of published checkpoints, and what they hold against the log. */
class AddWitnesses1763900200000 implements MigrationInterface {
  readonly name = 'AddWitnesses1763900200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(WITNESSES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tlog.alarm, tlog.witnessed, tlog.cosignature');
  }
}

/** The tables of schema `tlog`, in order. They need those of the event log. */
export const TLOG_MIGRATIONS: MigrationClass[] = [
  CreateTlog1763900000000,
  AddHalt1763900100000,
  AddWitnesses1763900200000,
];

const TABLES = `
create schema tlog;

-- One row: how many entries are hashed. Whoever hashes holds its lock.
create table tlog.tree (
  singleton boolean primary key default true check (singleton),
  size bigint not null
) with (fillfactor = 10);
insert into tlog.tree (size) values (0);

-- The hashes of each tile, 32 bytes each. A tile of a smaller tree is the start of this one, so each is stored once.
create table tlog.tile (
  level smallint not null,
  index bigint not null,
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (level, index)
) with (fillfactor = 80);
-- Hashes don't compress.
alter table tlog.tile alter hashes set storage external;

-- Signed notes. Each was written outside the database before it stood here, and stood here before anybody was shown it.
create table tlog.checkpoint (
  size bigint primary key,
  note text not null,
  published_at timestamptz not null default clock_timestamp()
);
`;

const GUARDS = `
create function tlog.only_grow() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if tg_table_name = 'tree' then
      if new.size >= old.size then return new; end if;
    elsif tg_table_name = 'tile' then
      if (new.level, new.index) = (old.level, old.index)
        and substr(new.hashes, 1, octet_length(old.hashes)) = old.hashes then return new; end if;
    end if;
  end if;
  raise exception '% on %.% is refused: the tree only grows', tg_op, tg_table_schema, tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger only_grows before update or delete on tlog.tree for each row execute function tlog.only_grow();
create trigger only_grows before update or delete on tlog.tile for each row execute function tlog.only_grow();
create trigger only_grows before update or delete on tlog.checkpoint for each row execute function tlog.only_grow();
create trigger keeps_all before truncate on tlog.tree for each statement execute function tlog.only_grow();
create trigger keeps_all before truncate on tlog.tile for each statement execute function tlog.only_grow();
create trigger keeps_all before truncate on tlog.checkpoint for each statement execute function tlog.only_grow();
`;

const RIGHTS = `
grant usage on schema tlog to liandun_worker, liandun_door, liandun_api;
grant select, update on tlog.tree to liandun_worker;
grant select, insert, update on tlog.tile to liandun_worker;
grant select, insert on tlog.checkpoint to liandun_worker;
grant select on tlog.tree, tlog.tile, tlog.checkpoint to liandun_door, liandun_api;
`;

const HALT = `
-- At most one row: why nothing is signed any more.
create table tlog.halt (
  singleton boolean primary key default true check (singleton),
  code text not null,
  message text not null,
  message_zh text not null,
  since timestamptz not null default clock_timestamp()
);
grant select, insert, update, delete on tlog.halt to liandun_worker;
grant select on tlog.halt to liandun_door;
`;

const WITNESSES = `
-- Signature lines, verified before they stood here. Checkpoints themselves never change.
create table tlog.cosignature (
  size bigint not null references tlog.checkpoint (size),
  -- The witness's verifier key.
  witness text not null,
  line text not null,
  received_at timestamptz not null default clock_timestamp(),
  primary key (size, witness)
);
create index cosignature_by_witness on tlog.cosignature (witness, size);

-- Checkpoints that enough witnesses have cosigned, for each policy that was ever in force.
create table tlog.witnessed (
  policy bytea not null check (octet_length(policy) = 32),
  size bigint not null references tlog.checkpoint (size),
  primary key (policy, size)
);

-- A row for each time that a witness disagreed; it has ended once the witness cosigns again or the policy drops it.
create table tlog.alarm (
  id bigint generated always as identity primary key,
  witness text not null,
  code text not null,
  message text not null,
  message_zh text not null,
  evidence text,
  since timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);
create unique index alarm_open on tlog.alarm (witness) where ended_at is null;

create trigger only_grow before update or delete on tlog.cosignature for each row execute function tlog.only_grow();
create trigger only_grow before update or delete on tlog.witnessed for each row execute function tlog.only_grow();
create trigger keeps_all before truncate on tlog.cosignature for each statement execute function tlog.only_grow();
create trigger keeps_all before truncate on tlog.witnessed for each statement execute function tlog.only_grow();

grant select, insert on tlog.cosignature, tlog.witnessed to liandun_worker;
grant select on tlog.cosignature, tlog.witnessed to liandun_door, liandun_api;
grant select, insert, update on tlog.alarm to liandun_worker;
-- Administrators and regulators are shown what stands.
grant select on tlog.alarm to liandun_api;
`;
