import { CALLER, SUBJECTS_OBSERVATIONS, wall } from '@liandun/event-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sealed records, their data keys and the blind index. Apart from the log, so that erasing a person leaves the log verifiable. */
export class CreateVault1763800110000 implements MigrationInterface {
  name = 'CreateVault1763800110000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [TABLES, DERIVED, ERASURES, ROTATION, RIGHTS, WALLS]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema vault cascade');
  }
}

const TABLES = `
create schema vault;

-- The values of one person in one entry.
create table vault.record (
  position bigint not null,
  person text not null check (person in ('subject', 'representative')),
  sealed bytea not null,
  primary key (position, person)
);

-- What opens them, wrapped by a key-encryption key. Without its row here a sealed record is noise.
create table vault.data_key (
  position bigint not null,
  person text not null check (person in ('subject', 'representative')),
  key_version smallint not null,
  wrapped bytea not null,
  primary key (position, person)
);

-- The matcher's blind index: identifiers of the subjects.
create table vault.token (
  position bigint not null,
  kind text not null check (kind in ('uscc', 'residentId', 'registrationNumber', 'bankAccount')),
  key_version smallint not null,
  token bytea not null check (octet_length(token) = 32)
);
create index token_value on vault.token (kind, token);
create index token_position on vault.token (position);

-- By what erasures alone find persons: representatives, whom the matcher must not see (rule P13), telephone numbers and mail
-- addresses.
create table vault.person_token (
  position bigint not null,
  kind text not null check (kind in ('residentId', 'representative', 'phone', 'email')),
  key_version smallint not null,
  token bytea not null check (octet_length(token) = 32)
);
create index person_token_value on vault.person_token (kind, token);
create index person_token_position on vault.person_token (position);
`;

const DERIVED = `
-- What the matcher made of an entry's values, sealed like these: whoever destroys the key of any of its persons destroys it, too.
create table vault.derived (
  position bigint primary key,
  -- By what it was made; by something newer it has to be made again.
  form text not null,
  key_version smallint not null,
  sealed bytea not null,
  wrapped bytea not null
);
-- Whether anything is left under an older key: asked at each start of a worker.
create index derived_key_version on vault.derived (key_version);
-- Entries of which a person was erased: nothing that is made of them is kept any more, whoever still remembers them.
create table vault.erased (
  position bigint primary key
);
create function vault.forget_derived() returns trigger language plpgsql as $$
begin
  insert into vault.erased select distinct position from destroyed on conflict do nothing;
  delete from vault.derived where position in (select position from destroyed);
  return null;
end $$;
create trigger forget_derived after delete on vault.data_key referencing old table as destroyed
  for each statement execute function vault.forget_derived();
`;

const ERASURES = `
-- Whom a requested erasure is about, sealed like a record, until it is decided.
create table vault.erasure (
  erasure_id text primary key,
  key_version smallint not null,
  sealed bytea not null,
  wrapped bytea not null
);
`;

const ROTATION = `
-- The version of the blind index that the matcher compares by: only one, since tokens of two versions are never equal.
create table vault.index_version (
  singleton boolean primary key default true check (singleton),
  version smallint not null
);
insert into vault.index_version (version) values (1);

-- How far a rotation has come: a job that was killed goes on from here. Its rows, of which there are always some, are also the lock
-- under which a batch is rotated or a person erased: what was erased must not be written anew.
create table vault.rotation (
  job text not null check (job in ('seal', 'blind')),
  version smallint not null,
  position bigint not null,
  done boolean not null default false,
  primary key (job, version)
);
insert into vault.rotation (job, version, position, done) values ('seal', 1, -1, true), ('blind', 1, -1, true);
`;

// The door stores, and for an erasure finds by their values and destroys. The sender's openings are read as liandun_api.
const RIGHTS = `
grant usage on schema vault to liandun_worker, liandun_door, liandun_api;
grant select, insert, delete on vault.token, vault.person_token to liandun_worker, liandun_door;
grant select, insert, update, delete on vault.erasure to liandun_worker, liandun_door;
grant select, insert, update, delete on vault.record, vault.data_key to liandun_worker;
grant select, insert, delete on vault.record, vault.data_key to liandun_door;
grant select, update on vault.index_version to liandun_worker;
grant select on vault.index_version to liandun_door;
grant select, insert, update on vault.rotation to liandun_worker;
grant select, update on vault.rotation to liandun_door;
grant select on vault.record, vault.data_key to liandun_api;
grant select, insert, update, delete on vault.derived to liandun_worker;
grant select (position), delete on vault.derived to liandun_door;
grant select, insert on vault.erased to liandun_worker;
grant insert on vault.erased to liandun_door;
`;

/** What a subject wrote, and the written reasons to him: for himself, regulators and the publisher (rule P17). */
const TEXTS = `'liandun.subject.stated.v1', 'liandun.appeal.filed.v1', 'liandun.appeal.decided.v1',
  'liandun.listing.stayed.v1', 'liandun.listing.malicious.v1'`;

// The entries below are looked for behind the caller's own wall.
const sentByCaller = (table: string): string =>
  `exists (select from log.entry e where e.position = ${table}.position
     and (e.source = 'urn:liandun:member:' || ${CALLER} or e.type in (${TEXTS}))) or position = any(${SUBJECTS_OBSERVATIONS})`;
const WALLS = [
  wall('vault.record', sentByCaller('record')),
  wall('vault.data_key', sentByCaller('data_key')),
  wall('vault.token'),
  wall('vault.person_token'),
  wall('vault.erasure'),
  wall('vault.derived'),
  wall('vault.erased'),
].join('\n');

export const VAULT_MIGRATIONS = [CreateVault1763800110000];
