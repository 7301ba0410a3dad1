import { CALLER, wall } from '@liandun/event-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where members want their notices posted, how far each has come, and what could not be delivered. */
export class CreateWebhooks1764000000000 implements MigrationInterface {
  readonly name = 'CreateWebhooks1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema webhook cascade');
  }
}

const TABLES = `
create schema webhook;

create table webhook.endpoint (
  member text primary key,
  url text not null,
  -- The first of each that was not delivered.
  next_notice bigint not null default 0,
  next_erased bigint not null default 0,
  next_reminder bigint not null default 0,
  next_matched bigint not null default 0,
  -- The message under way: how often it was tried, and when it is tried next.
  head text,
  attempts int not null default 0,
  attempt_at timestamptz not null default now(),
  last_status int,
  last_problem text,
  delivered_at timestamptz,
  -- Dead letters since something was delivered.
  dead_in_a_row int not null default 0,
  disabled_because text check (disabled_because in ('gone', 'failing')),
  disabled_at timestamptz,
  -- A test that was asked for and not yet sent; how the last one went.
  test_id text,
  tested_at timestamptz,
  test_status int,
  test_problem text,
  created_at timestamptz not null default now()
) with (fillfactor = 50);

-- 32 bytes, wrapped by a key-encryption key: the Ed25519 key, from which the symmetric one is derived. Live until expires_at.
create table webhook.secret (
  member text not null references webhook.endpoint on delete cascade,
  no int not null,
  public_key text not null,
  key_version smallint not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (member, no)
);

create table webhook.dead_letter (
  no bigint generated always as identity primary key,
  member text not null references webhook.endpoint on delete cascade,
  webhook_id text not null,
  kind text not null check (kind in ('notice', 'erased', 'reminder', 'matched')),
  seq bigint not null,
  attempts int not null,
  last_status int,
  last_problem text,
  dead_at timestamptz not null default now(),
  unique (member, webhook_id)
);

grant usage on schema webhook to liandun_worker, liandun_door, liandun_api;
grant select, update on webhook.endpoint to liandun_worker;
grant select, update, delete on webhook.secret to liandun_worker;
grant select, insert, update, delete on webhook.dead_letter to liandun_worker;
grant select, insert, update, delete on webhook.endpoint, webhook.secret to liandun_door;
grant select, delete on webhook.dead_letter to liandun_door;
grant select on webhook.endpoint, webhook.dead_letter to liandun_api;
grant select (member, no, public_key, created_at, expires_at) on webhook.secret to liandun_api;
${wall('webhook.endpoint', `member = ${CALLER}`)}
${wall('webhook.secret', `member = ${CALLER}`)}
${wall('webhook.dead_letter', `member = ${CALLER}`)}
`;

export const WEBHOOK_MIGRATIONS = [CreateWebhooks1764000000000];
