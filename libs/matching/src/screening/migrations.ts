import { wall } from '@liandun/event-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What platforms asked, so that they can be told what they would be answered later (个人信息保护法 第19条: no longer than needed). */
export class CreateScreening1763900100000 implements MigrationInterface {
  name = 'CreateScreening1763900100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema screening cascade');
  }
}

const TABLES = `
create schema screening;

-- An inquiry: what matching knows of the applicant, under a data key of its own. Without its row here its keys are noise.
create table screening.inquiry (
  screening_id uuid primary key,
  member text not null,
  -- The digest of all that it says, of this member alone.
  said bytea not null check (octet_length(said) = 32),
  matcher text not null,
  generation smallint not null,
  sealed bytea not null,
  wrapped bytea not null,
  key_version smallint not null,
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index on screening.inquiry (member, said, asked_at);
create index on screening.inquiry (expires_at);
create index on screening.inquiry (generation);
create index on screening.inquiry (key_version);

-- What it is found by: 64 bits of an HMAC over a blocking key's kind and value.
create table screening.inquiry_key (
  token bigint not null,
  screening_id uuid not null references screening.inquiry on delete cascade,
  primary key (token, screening_id)
);
create index on screening.inquiry_key (screening_id);

-- The matches that a member knows of, with the surest grade that it was told.
create table screening.told (
  member text not null,
  said bytea not null,
  listing_id text not null,
  grade text not null check (grade in ('exact', 'strong', 'possible')),
  primary key (member, said, listing_id)
);

-- Matches that a member found to be somebody else: what it asked, and the observations of the entity as they were then.
create table screening.decision (
  member text not null,
  said bytea not null,
  listing_id text not null,
  grade text not null check (grade in ('exact', 'strong', 'possible')),
  positions bigint[] not null,
  primary key (member, said, listing_id)
);

grant usage on schema screening to liandun_worker, liandun_door;
grant select, insert, update, delete on all tables in schema screening to liandun_worker, liandun_door;
${['inquiry', 'inquiry_key', 'told', 'decision'].map((table) => wall(`screening.${table}`)).join('\n')}
`;
