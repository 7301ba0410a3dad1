import type { MigrationInterface, QueryRunner } from 'typeorm';

// A rebuild makes the tables in another schema than they serve in, so these functions live in one of their own and look beside the
// table that changes.
const FUNCTIONS = `
create schema rule;
grant usage on schema rule to liandun_worker, liandun_door;

-- Whether a change was asked for, stands so, and wasn't decided by who asked.
create function rule.approved(beside text, wanted jsonb, in_status text, since timestamptz default '-infinity') returns boolean
language plpgsql stable as $$
declare found boolean;
begin
  execute format(
    'select exists (select from %I.approval where change ->> ''memberId'' = $1 ->> ''memberId'' and change @> $1
       and status = $2 and requested_by is distinct from decided_by and coalesce(decided_at, requested_at) >= $3)', beside)
    into found using wanted, in_status, since;
  return found;
end $$;

-- Whether the newest of these requests was refused, by another than who asked; that of an older one says nothing of it.
create function rule.newest_refused(beside text, wanted jsonb) returns boolean
language plpgsql stable as $$
declare refused boolean;
begin
  execute format(
    'select coalesce((select status = ''refused'' and requested_by is distinct from decided_by from %I.approval
       where change @> $1 order by requested_at desc limit 1), false)', beside)
    into refused using wanted;
  return refused;
end $$;

-- Whether one of these requests awaits the second person.
create function rule.pending(beside text, wanted jsonb) returns boolean
language plpgsql stable as $$
declare pending boolean;
begin
  execute format(
    'select exists (select from %I.approval where change ->> ''memberId'' = $1 ->> ''memberId'' and change @> $1
       and status = ''pending'')', beside)
    into pending using wanted;
  return pending;
end $$;

-- When a change was last asked for.
create function rule.asked(beside text, wanted jsonb) returns timestamptz
language plpgsql stable as $$
declare asked timestamptz;
begin
  execute format('select coalesce(max(requested_at), ''infinity'') from %I.approval where change @> $1', beside)
    into asked using wanted;
  return asked;
end $$;

-- Whether nothing was ever asked for, and all members were admitted in entries that follow each other, up to this one.
create function rule.founding(beside text, at bigint) returns boolean
language plpgsql stable as $$
declare founding boolean;
begin
  execute format(
    'select not exists (select from %1$I.approval) and coalesce(
       max(joined_position) in ($1, $1 - 1) and count(*) = max(joined_position) - min(joined_position) + 1, true) from %1$I.member', beside)
    into founding using at;
  return founding;
end $$;

create function rule.refuse(operation text, schema_name text, table_name text) returns void language plpgsql as $$
begin
  raise exception '% on %.% is refused: no approval by a second person says so', operation, schema_name, table_name
    using errcode = 'check_violation';
end $$;

create function rule.member_needs_two_persons() returns trigger language plpgsql as $$
declare
  beside text := tg_table_schema;
  whose jsonb := jsonb_build_object('memberId', new.member_id);
  allowed boolean;
begin
  if tg_op = 'INSERT' then
    allowed := new.status = 'active' and (rule.founding(beside, new.joined_position) or rule.approved(beside, whose ||
      jsonb_build_object('action', 'admit', 'role', new.role, 'name', new.name, 'subscription', new.subscription)
      || jsonb_strip_nulls(jsonb_build_object('agreement', new.agreement, 'limits', new.limits)), 'granted'));
  else
    allowed := (new.member_id, new.role, new.name, new.joined_position) = (old.member_id, old.role, old.name, old.joined_position)
      and (new.subscription = old.subscription or rule.approved(beside,
        whose || jsonb_build_object('action', 'changeSubscription', 'subscription', new.subscription), 'granted'))
      and (new.signatures = old.signatures or rule.approved(beside,
        whose || jsonb_build_object('action', 'changeSignatures', 'signatures', new.signatures), 'granted'))
      and (new.agreement is not distinct from old.agreement or rule.approved(beside,
        whose || jsonb_build_object('action', 'changeAgreement', 'agreement', new.agreement), 'granted'))
      and (new.limits is not distinct from old.limits or rule.approved(beside,
        whose || jsonb_build_object('action', 'changeLimits', 'limits', new.limits), 'granted'))
      and case
        when new.status = old.status then true
        when old.status = 'active' and new.status = 'suspended' then rule.approved(beside, whose || '{"action":"suspend"}', 'pending')
        when old.status = 'suspended' and new.status = 'active' then
          rule.newest_refused(beside, whose || '{"action":"suspend"}')
          or rule.approved(beside, whose || '{"action":"resume"}', 'granted', rule.asked(beside, whose || '{"action":"suspend"}'))
        when new.status = 'removed' then rule.approved(beside, whose || '{"action":"remove"}', 'granted')
        else false end;
  end if;
  if not allowed then perform rule.refuse(tg_op, beside, tg_table_name); end if;
  return new;
end $$;

create function rule.key_needs_two_persons() returns trigger language plpgsql as $$
declare
  beside text := tg_table_schema;
  whose jsonb := jsonb_build_object('memberId', new.member_id);
  revoked jsonb := whose || jsonb_build_object('action', 'revokeKey', 'kid', new.kid);
  joined bigint;
  allowed boolean;
begin
  if tg_op = 'INSERT' then
    execute format('select joined_position from %I.member where member_id = $1', beside) into joined using new.member_id;
    allowed := new.status = 'live' and new.kid = new.jwk ->> 'kid' and (rule.founding(beside, joined)
      or rule.approved(beside, whose || jsonb_build_object('action', 'addKey', 'key', new.jwk), 'granted')
      or rule.approved(beside, whose || jsonb_build_object('action', 'admit', 'keys', jsonb_build_array(new.jwk)), 'granted'));
  else
    allowed := (new.member_id, new.kid, new.jwk) = (old.member_id, old.kid, old.jwk) and case
      when new.status = old.status then true
      when old.status = 'live' and new.status = 'suspended' then rule.approved(beside, revoked || '{"emergency":true}', 'pending')
      when old.status = 'suspended' and new.status = 'live' then
        rule.newest_refused(beside, revoked || '{"emergency":true}') and not rule.pending(beside, revoked || '{"emergency":true}')
      when new.status = 'revoked' then rule.approved(beside, revoked, 'granted')
      else false end;
  end if;
  if not allowed then perform rule.refuse(tg_op, beside, tg_table_name); end if;
  return new;
end $$;

-- A decision that names an approval is the one that was approved, by those two.
create function rule.review_needs_two_persons() returns trigger language plpgsql as $$
declare
  beside text := tg_table_schema;
  allowed boolean;
begin
  execute format(
    'select exists (select from %I.approval where approval_id = $1 and status = ''granted'' and requested_by = $2
       and decided_by = $3 and change @> $4)', beside)
    into allowed using new.approval_id, new.decided_by, new.approved_by, jsonb_build_object(
      'action', case when new.undone then 'undoReview' else 'decideReview' end, 'reviewId', new.review_id,
      'decision', new.decision);
  if not allowed then perform rule.refuse(tg_op, beside, tg_table_name); end if;
  return new;
end $$;

-- A row of the table of reason codes is one that was approved, with its version, by those two; a version never changes.
create function rule.code_needs_two_persons() returns trigger language plpgsql as $$
declare
  beside text := tg_table_schema;
  allowed boolean := false;
begin
  if tg_op = 'INSERT' then
    execute format(
      'select exists (select from %I.approval where approval_id = $1 and status = ''granted'' and requested_by = $2
         and decided_by = $3 and change @> $4)', beside)
      into allowed using new.approval_id, new.requested_by, new.approved_by, jsonb_build_object(
        'action', 'changeReasonCodes', 'version', new.version, 'codes', jsonb_build_array(new.reason));
  end if;
  if not allowed then perform rule.refuse(tg_op, beside, tg_table_name); end if;
  return new;
end $$;
`;

/**
 * The two-person rule (P20) as triggers on the folded membership and reviews, apart from the code that decides: nothing of it takes effect
 * without an approval that says exactly this, decided by somebody else than who asked for it (the table's own constraint).
 * - A member is there by an approved admission. The first ones, whom no two members could admit, follow each other in the log
 *   before anything was ever asked for.
 * - Its keys are those of the admission or of an approved addition; a revoked key never comes back, a removal is final.
 * - Suspending a member or a key takes one person, whose request awaits the second. It ends where the second refuses, or where a
 *   resumption was approved since; of a key where no other stop of it awaits its decision.
 * - A reason code is there as it was approved.
 * - What a second person had to approve of who is who was approved, and says the same.
 */
export const twoPersonsDdl = (schema: string): string => `
create trigger two_persons before insert or update on ${schema}.member
  for each row execute function rule.member_needs_two_persons();
create trigger two_persons before insert or update on ${schema}.member_key
  for each row execute function rule.key_needs_two_persons();
create trigger two_persons before insert or update on ${schema}.reason_code
  for each row execute function rule.code_needs_two_persons();
create trigger two_persons before insert or update on ${schema}.review
  for each row when (new.approval_id is not null) execute function rule.review_needs_two_persons();
`;

export class CreateTwoPersonRule1763800150000 implements MigrationInterface {
  name = 'CreateTwoPersonRule1763800150000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(FUNCTIONS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema rule cascade');
  }
}
