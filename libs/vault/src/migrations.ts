import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sealed records and the blind index. Apart from the log, so that erasing a person leaves the log verifiable. */
export class CreateVault1763800100000 implements MigrationInterface {
  name = 'CreateVault1763800100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create schema vault;
create table vault.record (
  position bigint primary key,
  sealed bytea not null,
  key_version smallint not null
);
create table vault.token (
  position bigint not null,
  kind text not null check (kind in ('uscc', 'residentId', 'registrationNumber', 'bankAccount')),
  token bytea not null check (octet_length(token) = 32)
);
create index token_value on vault.token (kind, token);
create index token_position on vault.token (position);
grant usage on schema vault to liandun_app;
grant select, insert on all tables in schema vault to liandun_app;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema vault cascade');
  }
}

export const VAULT_MIGRATIONS = [CreateVault1763800100000];
