import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { asApp, createTestDatabase } from '../../../test/support/database.js';
import { until } from '../../../test/support/until.js';
import {
  EVENT_LOG_MIGRATIONS,
  EventLog,
  migrate,
  PARKED_KEYS_MAX,
  runReader,
  unpark,
  type NewEvent,
  type Reader,
  type ReaderDefinition,
  type StoredEvent,
} from './index.js';

let drop: () => Promise<void>;
let pool: pg.Pool;
let admin: pg.Client;
let log: EventLog;
let readers: Reader[] = [];

beforeAll(async () => {
  const database = await createTestDatabase();
  ({ drop } = database);
  await migrate(database.url, EVENT_LOG_MIGRATIONS);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query('create table public.effect (n serial, reader text, position bigint)');
  await admin.query('grant all on public.effect, public.effect_n_seq to liandun_worker');
  pool = new pg.Pool({ connectionString: asApp(database.url), max: 20 });
  pool.on('error', () => {}); // connections that a test ends
  log = new EventLog({ pool });
});

beforeEach(() => {
  readers = [];
});

afterEach(() => Promise.all(readers.map((reader) => reader.stop())));

afterAll(async () => {
  await log.close();
  await pool.end();
  await admin.end();
  await drop();
});

let serial = 0;
function event(data: object = {}, type = 'x'): NewEvent {
  serial += 1;
  return {
    id: `e-${serial}`,
    source: 'urn:liandun:member:platform-a',
    type,
    time: '2020-02-10T09:00:00+08:00',
    stream: `s/${serial}`,
    data,
    fingerprint: Buffer.from(`${serial}`),
  };
}

/** Appends one event for each key, and answers the last one's position. */
async function append(...data: { key: string; type?: string; bad?: boolean }[]): Promise<number> {
  await log.appendAll(data.map((one) => ({ events: [event(one, one.type)] })));
  return log.head();
}

function start(definition: Partial<ReaderDefinition> & { name: string }): Reader {
  const reader = runReader(pool, { batchMax: 10, handle: effects(definition.name), ...definition });
  readers.push(reader);
  return reader;
}

/** Writes down each event that it handles, and fails at those that `fails` names. */
const effects =
  (reader: string, fails: (event: StoredEvent) => boolean = () => false): ReaderDefinition['handle'] =>
  async (client, events) => {
    for (const e of events) {
      await client.query('insert into public.effect (reader, position) values ($1, $2)', [reader, e.position]);
      if (fails(e)) throw new Error(`cannot handle ${e.data.key}`);
    }
  };

async function effectsOf(reader: string): Promise<number[]> {
  const sql = 'select position::int from public.effect where reader = $1 order by n';
  return (await pool.query<{ position: number }>(sql, [reader])).rows.map(({ position }) => position);
}

async function parkedOf(reader: string): Promise<{ position: number; keys: string[]; error: string | null }[]> {
  const sql = 'select position::int, keys, error from log.parked where reader = $1 order by position';
  return (await pool.query(sql, [reader])).rows;
}

/** A poll that no test lives to see: what happens is what a wake-up does. */
const NEVER_MS = 3_600_000;

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

test('a reader goes over the whole log in order, each event once, and goes on with what comes', async () => {
  await append(...range(0, 95).map(() => ({ key: 'k' })));
  const reader = start({ name: 'order' });
  const head = await append({ key: 'k' });
  await reader.reached(head);
  expect(await effectsOf('order')).toEqual(range(0, head + 1));
  await reader.stop();

  const last = await append({ key: 'k' }, { key: 'k' });
  const again = start({ name: 'order' });
  await again.reached(last);
  expect(await effectsOf('order')).toEqual(range(0, last + 1));
  expect(await again.lag()).toBe(0);
});

test('a commit wakes a reader, which does not wait for its next poll', async () => {
  const reader = start({ name: 'wake', pollMs: NEVER_MS });
  for (let i = 0; i < 30; i += 1) await reader.reached(await append({ key: 'k' }));
  expect((await effectsOf('wake')).at(-1)).toBe(await log.head());
});

test('of two instances each event is applied by one', async () => {
  const seen = [new Set<number>(), new Set<number>()];
  let overtaken = 0;
  const both = seen.map((positions) =>
    start({
      name: 'twins',
      batchMax: 3,
      handle: async (client, events, signal) => {
        await effects('twins')(client, events, signal);
        for (const { position } of events) positions.add(position);
      },
      overtaken: (events) => {
        overtaken += events.length;
        for (const { position } of events) positions.add(position);
      },
    }),
  );
  const head = await append(...range(0, 200).map(() => ({ key: 'k' })));
  await Promise.all(both.map((reader) => reader.reached(head)));
  expect(await effectsOf('twins')).toEqual(range(0, head + 1));
  // Whatever the other applied, each has been told of it.
  for (const positions of seen) expect([...positions].toSorted((a, b) => a - b)).toEqual(range(0, head + 1));
  expect(overtaken).toBeGreaterThan(0);
});

test('what comes next is prepared while what is before it is handled, and a failure there changes nothing', async () => {
  const prepared: number[] = [];
  const head = await append(...range(0, 45).map(() => ({ key: 'k' })));
  const prepare: ReaderDefinition['prepare'] = async (_pool, events) => {
    prepared.push(...events.map(({ position }) => position));
    if (prepared.length > 20) throw new Error('cannot prepare');
  };
  const reader = start({ name: 'ahead', prepare });
  await reader.reached(head);
  expect(await effectsOf('ahead')).toEqual(range(0, head + 1));
  // All but the first batch.
  expect(prepared).toEqual(range(10, head - 9));
});

test('a reader of some types moves its checkpoint over all', async () => {
  const from = await log.head();
  await append({ key: 'a', type: 'wanted' }, ...range(0, 50).map(() => ({ key: 'k' })), { key: 'b', type: 'wanted' });
  const head = await append({ key: 'k' });
  const reader = start({ name: 'types', types: ['wanted'] });
  await reader.reached(head);
  expect(await effectsOf('types')).toEqual([from + 1, from + 52]);
  const { rows } = await pool.query(`select position::int from log.reader where name = 'types'`);
  expect(rows).toEqual([{ position: head }]);
});

describe('a crash repeats nothing', () => {
  test.each(['before the effect', 'between effect and commit'])('%s', async (when) => {
    const name = `crash ${when}`;
    let crashes = 3;
    const handle: ReaderDefinition['handle'] = async (client, events, signal) => {
      const crash = async () => {
        crashes -= 1;
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        await admin.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
      };
      if (crashes > 0 && when === 'before the effect') await crash();
      await effects(name)(client, events, signal);
      // What it appends is part of the same transaction.
      await log.appendIn(
        client,
        events
          .filter(({ type }) => type === 'x')
          .map(({ position }) => ({ events: [{ ...event({}, 'outcome'), id: `${name}:${position}:0` }] })),
      );
      if (crashes > 0) await crash();
    };
    const from = await log.head();
    const head = await append(...range(0, 25).map(() => ({ key: 'k' })));
    await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
    const reader = start({ name, handle });
    await reader.reached(head + 25);
    expect(crashes).toBe(0);
    expect(await effectsOf(name)).toEqual(range(from + 1, 50));
    const outcomes = await log.read({ after: from, limit: 1000, types: ['outcome'] });
    expect(outcomes.map(({ id }) => id).toSorted()).toEqual(
      range(from + 1, 25)
        .map((position) => `${name}:${position}:0`)
        .toSorted(),
    );
    expect(await parkedOf(name)).toEqual([]);
  });

  test('a reader that is stopped between batches goes on where it was', async () => {
    const head = await append(...range(0, 30).map(() => ({ key: 'k' })));
    for (let i = 0; i < 20; i += 1) await start({ name: 'stopped', batchMax: 7 }).stop();
    await start({ name: 'stopped', batchMax: 7 }).reached(head);
    expect(await effectsOf('stopped')).toEqual(range(0, head + 1));
  });
});

const keysOf = ({ data }: StoredEvent): string[] => [data.key as string];

/** A handler that goes on after a statement has failed. */
const swallow: ReaderDefinition['handle'] = async (client) => void (await client.query('select 1/0').catch(() => {}));

describe('what fails for good is parked', () => {
  test('alone, with what comes later for the same key; the rest goes on', async () => {
    const broken = { now: true };
    const name = 'park';
    const from = await log.head();
    await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
    const handle = effects(name, ({ data }) => data.bad === true && broken.now);
    await append({ key: 'a' }, { key: 'b', bad: true }, { key: 'c' }, { key: 'b' }, { key: 'a' });
    const reader = start({ name, keysOf, handle });
    const head = await append({ key: 'b' }, { key: 'c' });
    await reader.reached(head);

    expect(await effectsOf(name)).toEqual([1, 3, 5, 7].map((n) => from + n));
    expect(await parkedOf(name)).toEqual([
      { position: from + 2, keys: ['b'], error: 'cannot handle b' },
      { position: from + 4, keys: ['b'], error: null },
      { position: from + 6, keys: ['b'], error: null },
    ]);
    expect(await reader.status()).toMatchObject({ parkedEvents: 3, parkedKeys: 1, lag: 0, position: head });

    // It fails again: everything stays.
    expect(await unpark(pool, name, 'b')).toBe(3);
    await until('it has tried again', async () => {
      const { rows } = await pool.query('select from log.parked where retry');
      return rows.length === 0;
    });
    expect(await parkedOf(name)).toHaveLength(3);

    broken.now = false;
    await unpark(pool, name, 'b');
    await until('nothing is parked', async () => (await parkedOf(name)).length === 0);
    expect(await effectsOf(name)).toEqual([1, 3, 5, 7, 2, 4, 6].map((n) => from + n));
    const last = await append({ key: 'b' });
    await reader.reached(last);
    expect((await effectsOf(name)).at(-1)).toBe(last);
  });

  test('an event of several keys makes all of them wait, and unparking one brings the others', async () => {
    const broken = { now: true };
    const name = 'several';
    const from = await log.head();
    await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
    await append({ key: 'a', bad: true }, { key: 'a,b' }, { key: 'b' }, { key: 'c' });
    const reader = start({
      name,
      keysOf: ({ data }) => (data.key as string).split(','),
      handle: effects(name, ({ data }) => data.bad === true && broken.now),
    });
    await reader.reached(await log.head());
    expect(await effectsOf(name)).toEqual([from + 4]);
    broken.now = false;
    expect(await unpark(pool, name, 'b')).toBe(3);
    await until('nothing is parked', async () => (await parkedOf(name)).length === 0);
    expect(await effectsOf(name)).toEqual([4, 1, 2, 3].map((n) => from + n));
  });

  test('a transient failure is tried again and parks nothing', async () => {
    const name = 'transient';
    let failures = 4;
    const handle: ReaderDefinition['handle'] = async (client, events, signal) => {
      await effects(name)(client, events, signal);
      failures -= 1;
      if (failures === 3)
        await client.query(`do $$ begin raise exception using errcode = 'serialization_failure'; end $$`);
      if (failures > 0) throw Object.assign(new Error('the broker is away'), { transient: true });
    };
    const head = await log.head();
    await start({ name, handle, batchMax: 10_000 }).reached(head);
    expect(failures).toBe(0);
    expect(await effectsOf(name)).toEqual(range(0, head + 1));
    expect(await parkedOf(name)).toEqual([]);
  });

  test('a handler that swallows a statement’s error does not get its checkpoint moved', async () => {
    const name = 'swallows';
    const from = await log.head();
    await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
    await start({ name, handle: swallow, keysOf }).reached(await append({ key: 'k' }));
    expect(await parkedOf(name)).toMatchObject([{ position: from + 1, error: expect.stringContaining('rolled back') }]);
  });

  test('past 100 keys the reader stops, and says why', async () => {
    const name = 'full';
    const from = await log.head();
    await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
    await append(...range(0, PARKED_KEYS_MAX + 20).map((n) => ({ key: `k${n}`, bad: true })));
    const reader = start({ name, keysOf, handle: effects(name, ({ data }) => data.bad) });
    await until('it stops', async () => (await reader.status()).stopped !== undefined);
    expect(await reader.status()).toMatchObject({
      stopped: expect.stringContaining('More than 100 keys'),
      parkedKeys: PARKED_KEYS_MAX,
      position: from + PARKED_KEYS_MAX,
      lag: 20,
    });
  });
});

test('a reader with transactions of its own moves its checkpoint after them', async () => {
  const name = 'own';
  const from = await log.head();
  await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
  const seen: number[] = [];
  const handle: ReaderDefinition['handle'] = async (client, events, signal) => {
    await client.query('begin');
    await effects(name)(client, events, signal);
    await client.query('commit');
    seen.push(...events.map(({ position }) => position));
  };
  const head = await append({ key: 'a' }, { key: 'b' });
  await start({ name, handle, ownTransactions: true }).reached(head);
  expect(seen).toEqual([from + 1, from + 2]);
  expect(await effectsOf(name)).toEqual(seen);
});

test('a reader with transactions of its own parks and replays like the others', async () => {
  const name = 'own parks';
  const from = await log.head();
  await pool.query('insert into log.reader (name, position) values ($1, $2)', [name, from]);
  const broken = { now: true };
  const seen: string[] = [];
  const handle: ReaderDefinition['handle'] = async (client, events) => {
    await client.query('begin');
    await client.query('commit');
    for (const { data } of events) {
      if (data.bad === true && broken.now) throw new Error('cannot handle');
      if (!seen.includes(data.n)) seen.push(data.n);
    }
  };
  const data = [
    { key: 'a', bad: true, n: 'a1' },
    { key: 'b', n: 'b1' },
    { key: 'a', n: 'a2' },
  ];
  const reader = start({ name, handle, ownTransactions: true, keysOf: (e) => [e.data.key as string] });
  await reader.reached(await append(...data));
  await reader.reached(await append({ key: 'a', n: 'a3' } as { key: string }));
  expect(seen).toEqual(['b1']);
  broken.now = false;
  await unpark(pool, name, 'a');
  await until('nothing is parked', async () => (await parkedOf(name)).length === 0);
  expect(seen).toEqual(['b1', 'a1', 'a2', 'a3']);
});

test('a reader goes on when its listening connection and all others are cut', async () => {
  const reader = start({ name: 'cut' });
  await reader.reached(await log.head());
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  let position: number | undefined;
  await until('something can be appended', async () => {
    position = await append({ key: 'k' }).catch(() => undefined);
    return position !== undefined;
  });
  await reader.reached(position!);
  expect((await effectsOf('cut')).at(-1)).toBe(position);
});
