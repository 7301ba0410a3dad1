import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The log, its readers' checkpoints, and what keeps accepted entries from being changed. */
export class CreateLog1760000000000 implements MigrationInterface {
  readonly name = 'CreateLog1760000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [TABLES, APPENDING, READING, RIGHTS]) await runner.query(sql);
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
  out head bigint, out now_ms bigint, out versions text, out repeated json)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  select position into strict head from log.head for update;
  now_ms := floor(extract(epoch from clock_timestamp()) * 1000);
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

-- Stores rows that were numbered under the lock: row i gets position first + i. With the last rows of a group come the new heads
-- of its streams: they move with the log's head, and the readers wake at commit.
create function log.insert_rows(first bigint, accepted timestamptz, sources text[], ids text[], types text[], streams text[],
  versions integer[], times text[], entries text[], leaf_hashes bytea[], fingerprints bytea[],
  head_streams text[], head_versions integer[]) returns void
language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
declare
  last bigint := first + cardinality(ids) - 1;
begin
  insert into log.entry (position, id, source, type, stream, version, time, accepted_at, entry, leaf_hash)
    select first + r.n - 1, r.id, r.source, r.type, r.stream, r.version, r.time, accepted, r.entry, r.leaf_hash
    from unnest(ids, sources, types, streams, versions, times, entries, leaf_hashes)
      with ordinality as r (id, source, type, stream, version, time, entry, leaf_hash, n);
  insert into log.event_id (source, id, fingerprint, position)
    select r.source, r.id, r.fingerprint, first + r.n - 1
    from unnest(sources, ids, fingerprints) with ordinality as r (source, id, fingerprint, n);
  if head_streams is null then return; end if;
  insert into log.stream (stream, version) select * from unnest(head_streams, head_versions)
    on conflict (stream) do update set version = excluded.version;
  update log.head set position = last;
  perform pg_notify('liandun_log', last::text);
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
grant usage on schema log to liandun_app;
grant select, insert on log.entry, log.event_id to liandun_app;
grant select, update on log.head to liandun_app;
grant select, insert, update on log.stream, log.reader to liandun_app;
grant select, insert, update, delete on log.parked to liandun_app;
`;
