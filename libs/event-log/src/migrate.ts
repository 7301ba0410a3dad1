import pg from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';

/** A TypeORM migration: plain SQL, and a name that ends in its time in milliseconds. */
export type MigrationClass = new () => MigrationInterface;

/**
 * Brings the database to the newest version: creates the roles (see walls.ts) if they are missing, and runs, as their owner, every
 * migration that hasn't run yet, all in one transaction. Several processes may call it at once. `databaseUrl` must be of a user
 * that may create roles, or of one that is a member of `liandun_owner`.
 */
export async function migrate(databaseUrl: string, migrations: MigrationClass[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // One migrates at a time; the lock goes with the connection.
    await client.query(`select pg_advisory_lock(hashtext('liandun migrations'))`);
    await client.query(ROLES);
    await runMigrations(databaseUrl, migrations);
  } finally {
    await client.end();
  }
}

async function runMigrations(databaseUrl: string, migrations: MigrationClass[]): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    schema: 'migration',
    migrations,
    migrationsTableName: 'applied',
    migrationsTransactionMode: 'all',
    extra: { options: '-c role=liandun_owner', max: 2 },
  });
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}

// Roles belong to the whole server: another database's migration may create them, or grant them, at this very moment.
const ROLES = `
do $$
declare role text;
begin
  foreach role in array array['liandun_owner nologin', 'liandun_worker login', 'liandun_door nologin', 'liandun_api login noinherit'] loop
    if not exists (select from pg_roles where rolname = split_part(role, ' ', 1)) then
      begin
        execute 'create role ' || role;
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
  if not pg_has_role('liandun_api', 'liandun_door', 'set') then
    begin
      grant liandun_door to liandun_api with inherit false, set true;
    exception when internal_error or unique_violation then null;
    end;
  end if;
  if not pg_has_role(current_user, 'liandun_owner', 'member') then
    execute format('grant liandun_owner to %I', current_user);
  end if;
  -- Where the applications log in as this user, they take these on. Another user may have created them and not allow it.
  foreach role in array array['liandun_worker', 'liandun_door', 'liandun_api'] loop
    if not pg_has_role(current_user, role, 'member') then
      begin
        execute format('grant %I to %I', role, current_user);
      exception when insufficient_privilege or internal_error or unique_violation then null;
      end;
    end if;
  end loop;
  if not has_database_privilege('liandun_owner', current_database(), 'create') then
    execute format('grant create on database %I to liandun_owner', current_database());
  end if;
end $$;
create schema if not exists migration authorization liandun_owner;
`;
