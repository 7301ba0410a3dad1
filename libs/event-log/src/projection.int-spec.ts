import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase } from '../../../test/support/database.js';
import {
  EVENT_LOG_MIGRATIONS,
  EventLog,
  migrate,
  projectionReader,
  rebuildProjection,
  runReader,
  type NewEvent,
  type Projection,
  type RiderRow,
} from './index.js';

let drop: () => Promise<void>;
let pool: pg.Pool;
let log: EventLog;

/** Counts events by stream, and remembers the order in which streams appeared. */
const counts = (name: string, inline: boolean): Projection => ({
  name,
  inline,
  ddl: (schema) => `create schema ${schema};
    create table ${schema}.count (stream text primary key, events int not null, first_position bigint not null, nth serial);
    grant usage on schema ${schema} to liandun_worker;
    grant all on ${schema}.count, ${schema}.count_nth_seq to liandun_worker`,
  async apply(client, schema, events) {
    for (const { stream, position } of events) {
      await client.query(
        `insert into ${schema}.count (stream, events, first_position, nth)
         values ($1, 1, $2, (select count(*) from ${schema}.count))
         on conflict (stream) do update set events = count.events + 1`,
        [stream, position],
      );
    }
  },
});

const folded = counts('folded', false);
const inline = counts('inlined', true);

const ride = (client: pg.ClientBase, rows: RiderRow[]) =>
  inline.apply(client, inline.name, rows.map(({ row, position }) => ({ ...(row as NewEvent), position })) as never);

beforeAll(async () => {
  const database = await createTestDatabase();
  ({ drop } = database);
  await migrate(database.url, EVENT_LOG_MIGRATIONS);
  pool = new pg.Pool({ connectionString: database.url });
  log = new EventLog({ pool, riders: { ride } });
  for (const projection of [folded, inline])
    await pool.query(`begin; set local role liandun_owner; ${projection.ddl(projection.name)}; commit`);
});

afterAll(async () => {
  await log.close();
  await pool.end();
  await drop();
});

let serial = 0;
function event(): NewEvent {
  serial += 1;
  const stream = `s/${serial % 7}`;
  const plain = { id: `${serial}`, source: 'urn:x', type: 'x', time: '2020-02-10T09:00:00+08:00', data: {}, stream };
  return { ...plain, fingerprint: Buffer.from('f'), riders: { ride: { stream } } };
}

const contents = async (schema: string): Promise<string> =>
  (await pool.query<{ all: string }>(`select json_agg(c order by stream)::text as all from ${schema}.count c`)).rows[0]!
    .all;

const tableId = async (schema: string): Promise<number> =>
  (await pool.query<{ id: number }>(`select '${schema}.count'::regclass::oid as id`)).rows[0]!.id;

test.each([
  ['of a reader', folded],
  ['inline', inline],
])('a rebuild of a projection %s equals the live one byte for byte, and leaves it going on', async (_, projection) => {
  const reader = projection.inline ? undefined : runReader(pool, projectionReader(projection, 20));
  for (let i = 0; i < 300; i += 1) await log.append({ events: [event()] });
  const writing = new AbortController();
  const writer = (async () => {
    while (!writing.signal.aborted) await log.append({ events: [event()] });
  })();

  const before = await tableId(projection.name);
  await rebuildProjection(pool, projection, { batchMax: 50 });
  expect(await tableId(projection.name)).not.toBe(before);
  writing.abort();
  await writer;
  await log.append({ events: [event()] });
  await reader?.reached(await log.head());

  // The swapped-in one went on being live; folded afresh, the log gives the same.
  const live = await contents(projection.name);
  const total = (JSON.parse(live) as { events: number }[]).reduce((sum, { events }) => sum + events, 0);
  expect(total).toBe((await log.head()) + 1);
  await rebuildProjection(pool, projection);
  expect(await contents(projection.name)).toBe(live);
  await reader?.stop();
});

const failing = () => Promise.reject(new Error('cannot fold'));

test('a rebuild that fails leaves the live one as it was', async () => {
  const live = await contents('folded');
  await expect(rebuildProjection(pool, { ...folded, apply: failing })).rejects.toThrow('cannot fold');
  expect(await contents('folded')).toBe(live);
});
