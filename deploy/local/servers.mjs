import pg from 'pg';
import { startKafka } from './kafka.mjs';
import { startPostgres } from './postgres.mjs';

/** The databases of the sandbox platforms, on the same server as the ledger's own. */
export const sandboxDatabase = (memberId) => `sandbox_${memberId.replaceAll('-', '_')}`;

export function databaseUrl(server, name) {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs statements one by one on a connection of their own. */
export async function onDatabase(url, work) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * The same database as an application's own role, which sees and changes no more than it needs (libs/event-log, walls.ts). A
 * server from outside may ask for a password that the role doesn't have: there the connection takes the role on.
 * @param {{ service?: object, url: string }} database
 * @param {'liandun_api' | 'liandun_worker'} role
 */
export async function asApplication({ service, url }, role) {
  const own = new URL(url);
  if (service) {
    own.username = role;
    return own.href;
  }
  const { rows } = await onDatabase(url, (client) =>
    client.query(`SELECT pg_has_role(current_user, $1, 'member') AS may`, [role]),
  );
  if (rows[0].may) own.searchParams.set('options', `-c role=${role}`);
  return own.href;
}

/** @param {string[]} names */
export function createDatabases(url, names) {
  return onDatabase(url, async (client) => {
    const { rows } = await client.query('SELECT datname FROM pg_database WHERE datname = ANY($1)', [names]);
    const present = new Set(rows.map((row) => row.datname));
    for (const name of names.filter((wanted) => !present.has(wanted))) await client.query(`CREATE DATABASE ${name}`);
  });
}

/**
 * The database server: what DATABASE_URL names, else an embedded one.
 * @returns {Promise<{ service?: object, url: string }>} the URL of the ledger's own database
 */
export async function openDatabase({ home, port, given, tls }) {
  if (given) return { url: given };
  const service = await startPostgres({ dir: `${home}/postgres`, port, log: `${home}/postgres.log`, tls: tls?.local });
  await createDatabases(service.url, ['liandun']);
  return { service, url: databaseUrl(service.url, 'liandun') };
}

/**
 * The broker: what KAFKA_BROKERS names (with KAFKA_INTERNAL_BROKERS for the ledger itself), else an embedded one.
 * @returns {Promise<{ service?: object, brokers: string, internal: string }>}
 */
export async function openBroker({ home, ports, jwks, issuer, given, givenInternal, tls }) {
  if (given) return { brokers: given, internal: givenInternal || given };
  const service = await startKafka({
    dir: `${home}/kafka`,
    cache: home,
    ports,
    jwks,
    issuer,
    tls,
    log: `${home}/kafka.log`,
  });
  return { service, brokers: service.brokers, internal: service.internal };
}

/** Brings the ledger's database to what the build expects, with the migrations of every lib that has tables. */
export async function migrateLedger(root, url) {
  const libs = await Promise.all(
    ['event-log', 'vault', 'intake', 'views', 'matching', 'messaging', 'tlog', 'webhooks'].map(
      (lib) => import(`${root}dist/libs/${lib}/src/index.js`),
    ),
  );
  const [{ migrate }] = libs;
  const migrations = libs.flatMap((lib) =>
    Object.keys(lib)
      .filter((name) => name.endsWith('_MIGRATIONS'))
      .flatMap((name) => lib[name]),
  );
  await migrate(url, migrations);
}
