import { wall } from '@liandun/event-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where the relay stands with each member, and which process it runs in. */
export class CreateRelay1760000400000 implements MigrationInterface {
  readonly name = 'CreateRelay1760000400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA relay CASCADE');
  }
}

const TABLES = `
CREATE SCHEMA relay;

-- next_seq: the first notice of the member that Kafka has not acknowledged. It only grows. next_erased: likewise, of what the member
-- is told about persons who were erased; next_matched: of its inquiries that later listings match.
CREATE TABLE relay.cursor (
  member text PRIMARY KEY,
  next_seq bigint NOT NULL DEFAULT 0,
  next_erased bigint NOT NULL DEFAULT 0,
  next_matched bigint NOT NULL DEFAULT 0,
  -- What it is reminded of.
  next_reminder bigint NOT NULL DEFAULT 0,
  moved_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE relay.lease (
  name text PRIMARY KEY,
  holder uuid NOT NULL,
  expires_at timestamptz NOT NULL
);

GRANT USAGE ON SCHEMA relay TO liandun_worker;
GRANT SELECT, INSERT, UPDATE ON relay.cursor TO liandun_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON relay.lease TO liandun_worker;
${wall('relay.cursor')}
`;
