import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CALLER, CALLERS_ROLE, wall } from '../walls.js';

/** The log, its readers' checkpoints, and what keeps accepted entries from being changed. */
export class CreateLog1760000000000 implements MigrationInterface {
  readonly name = 'CreateLog1760000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [TABLES, APPENDING, READING, RIGHTS, WALLS]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema log cascade');
  }
}

const TABLES = `
create schema log;

-- One row. Whoever appends holds its lock until commit, so positions are dense and commit in order.
create table log.head (
  singleton boolean primary key default true check (singleton),
  position bigint not null
) with (fillfactor = 10);
insert into log.head (position) values (-1);

create table log.entry (
  position bigint primary key,
  id text not null,
  source text not null,
  type text not null,
  stream text not null,
  version integer not null,
  time text not null,
  accepted_at timestamptz not null,
  entry text not null,
  leaf_hash bytea not null,
  unique (stream, version)
);

-- Ids and stream heads are tables of their own: entries may be partitioned by position, these must be unique over all.
-- The fingerprint is keyed and tells whether a repeated id came with the same content.
create table log.event_id (
  source text not null,
  id text not null,
  fingerprint bytea not null,
  position bigint not null,
  primary key (source, id)
);

create table log.stream (
  stream text primary key,
  version integer not null
) with (fillfactor = 80);

create table log.reader (
  name text primary key,
  position bigint not null default -1
) with (fillfactor = 10);

-- Events that a reader set aside: the one that failed has an error, those behind it with the same key have none.
create table log.parked (
  reader text not null references log.reader (name),
  position bigint not null references log.entry (position),
  keys text[] not null,
  error text,
  retry boolean not null default false,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (reader, position)
);
`;

const APPENDING = `
-- Takes the head's lock until the transaction ends, then looks: each statement below has a snapshot of its own, taken after the
-- lock, so what it finds cannot be outdated. Versions are those of the streams that have entries, as index:version,… of those asked for.
-- Its plans must not depend on how large the tables were when they were made.
create function log.lock_head(sources text[], ids text[], streams text[],
  out versions text, out repeated json)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform from log.head for update;
  select string_agg(asked.n - 1 || ':' || known.version, ',')
    into versions
    from unnest(streams) with ordinality as asked (stream, n)
    cross join lateral (select * from log.stream s where s.stream = asked.stream offset 0) as known;
  select json_agg(json_build_array(asked.n - 1, encode(known.fingerprint, 'hex'), known.position, entry.version,
      encode(entry.leaf_hash, 'hex'), floor(extract(epoch from entry.accepted_at) * 1000)))
    into repeated
    from unnest(sources, ids) with ordinality as asked (source, id, n)
    cross join lateral (
      select * from log.event_id e where e.source = asked.source and e.id = asked.id offset 0
    ) as known
    join log.entry on entry.position = known.position;
end $$;

-- Takes the head's lock until the transaction ends and stores events behind it: event i gets position first + i. An entry's text is
-- acceptedAt, what the caller made beforehand (middles), the version. moved is each stream of the group once, added how many entries
-- behind its first it gets; behind says how many entries of an event's stream follow it in this group. Readers wake at commit.
-- Where an id is there already, or comes twice, nothing is stored and all answers are null.
create function log.append(moved text[], added integer[], sources text[], ids text[], types text[], streams text[],
  behind integer[], times text[], middles text[], fingerprints bytea[],
  out first bigint, out now_ms bigint, out versions text, out leaf_hashes bytea)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_nestloop = off as $$
declare
  accepted timestamptz;
  start text;
begin
  update log.head set position = position + cardinality(ids) returning position - cardinality(ids) + 1 into strict first;
  accepted := date_trunc('milliseconds', clock_timestamp());
  now_ms := extract(epoch from accepted) * 1000;
  start := '{"acceptedAt":"' || to_char(accepted at time zone interval '8 hours', 'YYYY-MM-DD"T"HH24:MI:SS.MS') || '+08:00",';
  insert into log.event_id (source, id, fingerprint, position)
    select r.source, r.id, r.fingerprint, first + r.n - 1
    from unnest(sources, ids, fingerprints) with ordinality as r (source, id, fingerprint, n);
  with heads as (
    insert into log.stream as s (stream, version) select * from unnest(moved, added)
      on conflict (stream) do update set version = s.version + 1 + excluded.version
      returning s.stream, s.version
  ), entries as (
    insert into log.entry (position, id, source, type, stream, version, time, accepted_at, entry, leaf_hash)
      select first + n - 1, id, source, type, stream, version, time, accepted, entry, sha256('\\x00' || convert_to(entry, 'UTF8'))
      from (
        select r.*, heads.version - r.behind as version, start || r.middle || ',"version":' || heads.version - r.behind || '}' as entry
        from unnest(ids, sources, types, streams, behind, times, middles)
          with ordinality as r (id, source, type, stream, behind, time, middle, n)
        join heads using (stream)
        offset 0
      ) as made
      returning position, version, leaf_hash
  )
  select string_agg(version::text, ',' order by position), string_agg(leaf_hash, '' order by position)
    into versions, leaf_hashes from entries;
  perform pg_notify('liandun_log', (first + cardinality(ids) - 1)::text);
exception when unique_violation then
  first := null;
  now_ms := null;
end $$;

create function log.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on %.% is refused: the log only grows', tg_op, tg_table_schema, tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger only_grows before update or delete or truncate on log.entry
  for each statement execute function log.refuse_change();
create trigger only_grows before update or delete or truncate on log.event_id
  for each statement execute function log.refuse_change();
`;

const READING = `
-- Moves a reader's checkpoint if it still stands where the caller thinks, and answers which keys are parked; null when another
-- instance has moved it. The second statement has a snapshot of its own, taken when the row is locked.
create function log.move_reader(reader_name text, from_position bigint, to_position bigint) returns text[]
language plpgsql volatile as $$
begin
  update log.reader set position = to_position where name = reader_name and position = from_position;
  if not found then return null; end if;
  return (select coalesce(array_agg(distinct key), '{}') from log.parked p, unnest(p.keys) as key where p.reader = reader_name);
end $$;
`;

const RIGHTS = `
grant usage on schema log to liandun_worker, liandun_door, liandun_api;
grant select, insert on log.entry, log.event_id to liandun_worker, liandun_door;
grant select, update on log.head to liandun_worker, liandun_door;
grant select, insert, update on log.stream to liandun_worker, liandun_door;
grant select, insert, update on log.reader to liandun_worker;
grant select, insert, update, delete on log.parked to liandun_worker;
grant select on log.entry, log.event_id, log.stream to liandun_api;
`;

// A member sees the entries that it sent, its notices, which of them were erased, which later listings match its inquiries, and those that the audit's index says concern it. That index is folded in
// another schema, which a rebuild replaces: the function finds it by its name.
const WALLS = `
create function log.concerns_caller(at bigint) returns boolean language plpgsql stable as $$
begin
  return exists (select from view.audit a where a.position = at);
end $$;
${wall(
  'log.entry',
  `${CALLERS_ROLE} = 'regulator' or source = 'urn:liandun:member:' || ${CALLER} or stream in ('notices/' || ${CALLER}, 'erased/' || ${CALLER}, 'matched/' || ${CALLER})
    or log.concerns_caller(position)`,
)}
${wall('log.event_id', 'exists (select from log.entry e where e.position = event_id.position)')}
${wall('log.stream', `stream = 'notices/' || ${CALLER}`)}
${wall('log.parked')}
`;
