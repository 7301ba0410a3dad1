import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** An empty database of its own on the test run's server, as its superuser; drop() also ends whatever is connected to it. */
export async function createTestDatabase(
  server = process.env['DATABASE_URL'],
): Promise<{ url: string; drop: () => Promise<void> }> {
  if (!server) throw new Error('DATABASE_URL is not set');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const drop = (how: string): Promise<void> => onServer(server, `drop database if exists ${name} ${how}`);
  // PostgreSQL waits some seconds for connections that are just closing; cut off, their clients would throw.
  return { url: url.href, drop: () => drop('').catch(() => drop('with (force)')) };
}

/** The same database as a role that the applications have; the worker's folds and appends what belongs to everybody. */
export function asApp(databaseUrl: string, role: 'liandun_worker' | 'liandun_api' = 'liandun_worker'): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = '';
  return url.href;
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
