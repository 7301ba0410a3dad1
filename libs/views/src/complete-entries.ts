// What intake checks with every rule of the contracts, the database checks once more in its own words: whatever program writes
// it, no case without its parts and no decision in another's name ever stands in the log (rules P01, P02, P08, P22).
import { OUTCOME_TYPES, reasonCodes, SUBMITTED_TYPES, type ReasonCode } from '@liandun/contracts';
import pg from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const T = SUBMITTED_TYPES;
const CASES = `('${T.merchantDelisted}', '${T.riskEntityReported}')`;

// Only entries of these types are read as JSON: all others pay for a comparison of their type.
const CHECKS = `
-- A register's entry rests on its decision (rule P02); its reason code is that of its list.
create function log.names_its_decision(entry text) returns boolean language plpgsql immutable parallel safe as $$
declare data jsonb := entry::jsonb -> 'data';
begin
  return coalesce(data ->> 'list' <> '' and data ->> 'decisionNo' <> '' and data ->> 'decidedBy' <> ''
    and data ->> 'decidedAt' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T', false);
end $$;

-- A decision on a notice is its receiver's own, by a decider of its own (rule P01); closing says what becomes of open orders (P22).
create function log.is_its_receivers(source text, stream text, entry text) returns boolean
language plpgsql immutable parallel safe as $$
declare data jsonb := entry::jsonb -> 'data';
begin
  return coalesce(stream = 'notice/' || (data ->> 'noticeId')
    and source = 'urn:liandun:member:' || split_part(data ->> 'noticeId', '.', 1)
    and data ->> 'decidedBy' <> ''
    and (data ->> 'decision' <> 'closed' or data ->> 'openOrders' in ('kept', 'none')), false);
end $$;

alter table log.entry add constraint complete_entry check (case
  when type = '${T.registryListed}' then log.names_its_decision(entry)
  when type = '${T.noticeDisposed}' then log.is_its_receivers(source, stream, entry)
  else true end);

-- The reason codes of cases that every ledger starts with (those that two persons added are in access.reason_code): each with its legal basis, and a term where a case names none (rules P02, P05, P11).
create table log.reason_code (
  code text primary key,
  legal_basis text[] not null check (cardinality(legal_basis) > 0),
  term_days integer not null check (term_days > 0)
);
grant select on log.reason_code to liandun_worker, liandun_door;

-- Code with its legal basis, evidence hash, decision date, decider and appeal address; an end of its own where it names one, else
-- its code's. A trigger, since a check can't look at another table; it reads each case once.
create function log.states_its_case() returns trigger language plpgsql as $$
declare
  data jsonb := new.entry::jsonb -> 'data';
  evidence jsonb := data #> '{proof,evidence}';
  complete boolean;
begin
  complete := data ->> 'decidedAt' like '____-__-__T%'
    and data ->> 'decidedBy' <> ''
    and (data ->> 'appealUrl' like 'https://_%' or data ->> 'appealUrl' like 'http://_%')
    and (not data ? 'expiresAt' or data ->> 'expiresAt' like '____-__-__T%')
    and jsonb_typeof(evidence) = 'array' and evidence <> '[]'
    and (exists (select from log.reason_code r where r.code = data #>> '{reason,code}')
      or exists (select from access.reason_code r where r.code = data #>> '{reason,code}'));
  for n in 0 .. case when complete then jsonb_array_length(evidence) - 1 else -1 end loop
    complete := complete and evidence -> n ->> 'sha256' ~ '^[0-9a-fA-F]{64}$';
  end loop;
  if complete is not true then
    raise exception 'a case without all its parts is refused'
      using errcode = 'check_violation', schema = 'log', table = 'entry', constraint = 'complete_case';
  end if;
  return new;
end $$;
create trigger complete_case before insert on log.entry for each row when (new.type in ${CASES})
  execute function log.states_its_case();

-- Whoever decided on a listing decides on no appeal against it (rule P08). A person is an opaque id at a member; the listing's decider
-- is the one of its filing, in the same stream.
create function log.is_reviewed_by_another() returns trigger language plpgsql as $$
declare
  data jsonb := new.entry::jsonb -> 'data';
  publisher text := split_part(new.stream, '/', 2);
  decider text;
begin
  select e.entry::jsonb #>> '{data,decidedBy}' into decider
  from log.event_id i join log.entry e using (position)
  where i.source = 'urn:liandun:member:' || publisher and i.id = data ->> 'caseId' and e.stream = new.stream;
  if (decider is not null and data ->> 'decidedBy' <> '' and data ->> 'by' <> ''
    and (data ->> 'by', data ->> 'decidedBy') is distinct from (publisher, decider)) is not true then
    raise exception 'an appeal is decided by another reviewer than who decided on the listing'
      using errcode = 'check_violation', schema = 'log', table = 'entry', constraint = 'reviewer_is_not_decider';
  end if;
  return new;
end $$;
create trigger reviewer_is_not_decider before insert on log.entry for each row
  when (new.type = '${OUTCOME_TYPES.appealDecided}') execute function log.is_reviewed_by_another();

-- That a listing was filed in bad faith is found of one that has ended, by nobody at its publisher and not by the person who ended it
-- (rules P19, P20): the one of the appeal's decision, else the sender of what ended it.
create function log.is_found_by_another() returns trigger language plpgsql as $$
declare
  data jsonb := new.entry::jsonb -> 'data';
  publisher text := split_part(new.stream, '/', 2);
  sender text;
  ending jsonb;
begin
  select replace(e.source, 'urn:liandun:member:', ''), e.entry::jsonb -> 'data' into sender, ending
  from view.listing l join log.entry f on f.position = l.position and f.stream = new.stream join log.entry e on e.position = l.ended_at
  where l.listing_id = data ->> 'listingId';
  if (ending is not null and data ->> 'foundBy' <> '' and data ->> 'by' <> '' and data ->> 'by' <> publisher
    and (data ->> 'by', data ->> 'foundBy') is distinct from (coalesce(ending ->> 'by', sender), ending ->> 'decidedBy')) is not true then
    raise exception 'that a listing was malicious is found by another person than who ended it, and not at its publisher'
      using errcode = 'check_violation', schema = 'log', table = 'entry', constraint = 'finder_is_not_decider';
  end if;
  return new;
end $$;
create trigger finder_is_not_decider before insert on log.entry for each row
  when (new.type = '${OUTCOME_TYPES.listingMalicious}') execute function log.is_found_by_another();

-- No policy closes with no person deciding, but on an organization's notice that says it may (rules P01, P08).
create function log.is_closed_by_a_person() returns trigger language plpgsql as $$
declare
  data jsonb := new.entry::jsonb -> 'data';
  notice jsonb;
begin
  if data ->> 'decision' <> 'closed' or coalesce(data -> 'automated', 'false') = 'false' then
    return new;
  end if;
  select e.entry::jsonb -> 'data' into notice
  from log.entry e
  where e.stream = 'notices/' || split_part(data ->> 'noticeId', '.', 1)
    and e.version = case when data ->> 'noticeId' ~ '^[^.]+[.][0-9]{1,9}$' then split_part(data ->> 'noticeId', '.', 2)::integer end;
  if (notice -> 'autoClosable' = 'true' and notice #>> '{entity,kind}' = 'organization') is not true then
    raise exception 'a closing that no person decided is refused'
      using errcode = 'check_violation', schema = 'log', table = 'entry', constraint = 'closed_by_a_person';
  end if;
  return new;
end $$;
create trigger closed_by_a_person before insert on log.entry for each row
  when (new.type = '${T.noticeDisposed}') execute function log.is_closed_by_a_person();
`;

const rowOf = ({ code, legalBasis, defaultRetentionDays }: ReasonCode): string =>
  `(${pg.escapeLiteral(code)}, array[${legalBasis.map((article) => pg.escapeLiteral(article)).join()}], ${defaultRetentionDays})`;

/**
 * SQL that lets the log take cases on these codes; platform rules are never among them (rule P05). A release with another table of
 * codes needs a migration of its own with it.
 */
const takeCodes = (codes: Iterable<ReasonCode>): string => `
insert into log.reason_code (code, legal_basis, term_days)
values ${[...codes]
  .filter(({ area }) => area !== 'platformRules')
  .map(rowOf)
  .join()}
on conflict (code) do update set legal_basis = excluded.legal_basis, term_days = excluded.term_days`;

export class CompleteEntries1763800400000 implements MigrationInterface {
  readonly name = 'CompleteEntries1763800400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CHECKS);
    await runner.query(takeCodes(reasonCodes().codes.values()));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table log.entry drop constraint complete_entry;
drop trigger complete_case on log.entry;
drop trigger reviewer_is_not_decider on log.entry;
drop trigger finder_is_not_decider on log.entry;
drop trigger closed_by_a_person on log.entry;
drop function log.is_found_by_another();
drop function log.is_closed_by_a_person();
drop function log.is_reviewed_by_another();
drop function log.states_its_case();
drop function log.names_its_decision(text);
drop function log.is_its_receivers(text, text, text);
drop table log.reason_code;`);
  }
}
