// Who says that he is the subject of entries, and by which code he proves it. Beside the projections: a rebuild must not forget it.
import type { AppealProof } from '@liandun/contracts';
import { wall } from '@liandun/event-log';
import type pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A code holds so long, and for so many attempts; the token that it is given for holds so long. */
export const CODE_MINUTES = 10;
export const CODE_ATTEMPTS_MAX = 5;
export const SUBJECT_TOKEN_MINUTES = 30;
/** So often may a code be asked for one number: with the attempts, fifty guesses of a million in a day. */
export const IDENTIFICATIONS_PER_HOUR = 5;
export const IDENTIFICATIONS_PER_DAY = 10;

export class CreateIdentifications1763900200000 implements MigrationInterface {
  name = 'CreateIdentifications1763900200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- One request for a code. What the number is stands in keyed digests only, and for a day.
create table auth.identification (
  identification_id uuid primary key,
  -- By which requests for the same number are counted.
  subject bytea not null check (octet_length(subject) = 32),
  kind text not null check (kind in ('uscc', 'registrationNumber', 'residentId')),
  -- Of the blind index, under each of its keys.
  tokens bytea[] not null,
  -- Keyed: six digits alone could be tried out.
  code bytea not null check (octet_length(code) = 32),
  requested_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- False where nobody could be sent the code: then nothing redeems it.
  sent boolean not null default false,
  attempts int not null default 0 check (attempts <= ${CODE_ATTEMPTS_MAX}),
  -- SHA-256 of the subject's token, which was given for the code, once.
  token bytea unique,
  token_expires_at timestamptz,
  proved text not null default 'code' check (proved in ('code', 'signedStatement'))
);
create index on auth.identification (subject, requested_at);
create index on auth.identification (requested_at);
grant select, insert, update, delete on auth.identification to liandun_door;
${wall('auth.identification')}
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table auth.identification');
  }
}

export interface IdentificationBegun {
  identificationId: string;
  subject: Buffer;
  kind: string;
  tokens: Buffer[];
  code: Buffer;
}

/**
 * Notes that a code was asked for; undefined where too many were asked for that number. The same statements whoever is asked for,
 * and whether the ledger holds anything of him.
 */
export async function beginIdentification(db: pg.Pool, begun: IdentificationBegun): Promise<Date | undefined> {
  const { identificationId, subject, kind, tokens, code } = begun;
  const { rows } = await db.query<{ expires_at: Date }>({
    name: 'auth_begin_identification',
    text: `with recent as (
       select count(*) filter (where requested_at > now() - interval '1 hour') as of_hour, count(*) as of_day
       from auth.identification where subject = $2 and requested_at > now() - interval '1 day')
     insert into auth.identification (identification_id, subject, kind, tokens, code, expires_at)
     select $1, $2, $3, $4, $5, now() + interval '${CODE_MINUTES} minutes' from recent
     where of_hour < ${IDENTIFICATIONS_PER_HOUR} and of_day < ${IDENTIFICATIONS_PER_DAY} returning expires_at`,
    values: [identificationId, subject, kind, tokens, code],
  });
  return rows[0]?.expires_at;
}

/** Whether its code was sent; what is older than a day is forgotten with it. */
export async function noteSent(db: pg.Pool, identificationId: string, sent: boolean): Promise<void> {
  await db.query('update auth.identification set sent = $2 where identification_id = $1', [identificationId, sent]);
  await db.query("delete from auth.identification where requested_at < now() - interval '1 day'");
}

/**
 * One attempt at a code. It is counted and compared in one statement, so that no two can pass together; with the right one the token
 * (its SHA-256) holds from now on. Undefined for a wrong code, an unknown identification and one that nothing was sent for alike.
 */
export async function redeemCode(
  db: pg.Pool,
  { identificationId, code, token }: { identificationId: string; code: Buffer; token: Buffer },
): Promise<Date | undefined> {
  const { rows } = await db.query<{ token_expires_at: Date | null }>({
    name: 'auth_redeem_code',
    text: `update auth.identification set attempts = attempts + 1,
       token = case when sent and code = $2 then $3::bytea end,
       token_expires_at = case when sent and code = $2 then now() + interval '${SUBJECT_TOKEN_MINUTES} minutes' end
     where identification_id = $1 and token is null and attempts < ${CODE_ATTEMPTS_MAX} and expires_at > now()
     returning token_expires_at`,
    values: [identificationId, code, token],
  });
  return rows[0]?.token_expires_at ?? undefined;
}

/**
 * Notes that a statement was signed by the one whose number it is; its token (SHA-256) holds from now on. Undefined where the challenge,
 * whose id the identification bears, was used before. The same statement whether the ledger holds anything of him or not.
 */
export async function noteSigned(
  db: pg.Pool,
  signed: Omit<IdentificationBegun, 'code'> & { token: Buffer },
): Promise<Date | undefined> {
  const { identificationId, subject, kind, tokens, token } = signed;
  const { rows } = await db.query<{ token_expires_at: Date }>({
    name: 'auth_note_signed',
    // No code is ever its own: the digest of one is never that of a token.
    text: `insert into auth.identification
       (identification_id, subject, kind, tokens, code, expires_at, token, token_expires_at, proved)
     values ($1, $2, $3, $4, $5, now(), $5, now() + interval '${SUBJECT_TOKEN_MINUTES} minutes', 'signedStatement')
     on conflict (identification_id) do nothing returning token_expires_at`,
    values: [identificationId, subject, kind, tokens, token],
  });
  await db.query("delete from auth.identification where requested_at < now() - interval '1 day'");
  return rows[0]?.token_expires_at;
}

/** A subject who has proved who he is. */
export interface ProvenSubject {
  identificationId: string;
  kind: string;
  proved: AppealProof;
  /** The entities that entries with his number were found to speak of, now. */
  entities: string[];
  /** The positions of those entries. */
  observations: number[];
}

/** The subject behind a token (its SHA-256); undefined where it holds no more. Looked up anew for each request: entities merge and split. */
export async function provenSubject(db: pg.Pool, token: Buffer): Promise<ProvenSubject | undefined> {
  const { rows } = await db.query<{
    identification_id: string;
    kind: string;
    proved: AppealProof;
    entities: string[];
    observations: string[];
  }>({
    name: 'auth_proven_subject',
    text: `with proven as (
       select identification_id, kind, proved, tokens from auth.identification where token = $1 and token_expires_at > now()),
     own as (
       select t.position, l.entity_id from proven
         cross join lateral (select distinct v.position from vault.token v where v.kind = proven.kind and v.token = any(proven.tokens)) t
         left join identity.link l on l.position = t.position)
     select identification_id, kind, proved,
       coalesce((select array_agg(distinct entity_id order by entity_id) from own where entity_id is not null), '{}') as entities,
       coalesce((select array_agg(position order by position) from own), '{}') as observations
     from proven`,
    values: [token],
  });
  const row = rows[0];
  if (!row) return undefined;
  const { identification_id: identificationId, kind, proved, entities, observations } = row;
  return { identificationId, kind, proved, entities, observations: observations.map(Number) };
}
