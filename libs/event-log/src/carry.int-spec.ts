import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { asApp, createTestDatabase } from '../../../test/support/database.js';
import {
  EVENT_LOG_MIGRATIONS,
  EventLog,
  migrate,
  runReader,
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
  await admin.query(`create table public.effect (n serial, reader text, position bigint, tx text default pg_current_xact_id()::text);
    grant all on public.effect, public.effect_n_seq to liandun_worker`);
  pool = new pg.Pool({ connectionString: asApp(database.url), max: 20, ...({ pipeline: true } as object) });
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
function event(id: string | undefined, type: string, data: object = {}): NewEvent {
  serial += 1;
  return {
    id: id ?? `e-${serial}`,
    source: 'urn:liandun:member:platform-a',
    type,
    time: '2020-02-10T09:00:00+08:00',
    stream: `s/${serial}`,
    data,
    fingerprint: Buffer.from(`${serial}`),
  };
}

const append = async (count: number, data: object = {}): Promise<number> => {
  await log.appendAll(Array.from({ length: count }, () => ({ events: [event(undefined, 'x', data)] })));
  return log.head();
};

type Fails = (event: StoredEvent) => boolean;

/** Writes each event down, and appends an outcome for each of one type. */
const effects =
  (
    reader: string,
    { answers, fails = () => false }: { answers?: [string, string]; fails?: Fails } = {},
  ): ReaderDefinition['handle'] =>
  async (client, events) => {
    for (const { position, data, type } of events) {
      await client.query('insert into public.effect (reader, position) values ($1, $2)', [reader, position]);
      if (fails({ position, data, type } as StoredEvent)) throw new Error(`${reader} cannot handle ${position}`);
    }
    await log.appendIn(
      client,
      events
        .filter(({ type }) => type === answers?.[0])
        .map(({ position }) => ({ events: [event(`${reader}:${position}`, answers![1])] })),
    );
  };

async function effectsOf(reader: string): Promise<{ position: number; tx: string }[]> {
  const sql = 'select position::int, tx from public.effect where reader = $1 order by n';
  return (await pool.query<{ position: number; tx: string }>(sql, [reader])).rows;
}

const transactionsOf = async (reader: string): Promise<Set<string>> =>
  new Set((await effectsOf(reader)).map(({ tx }) => tx));

const parkedOf = async (reader: string): Promise<number[]> =>
  (
    await pool.query<{ position: number }>('select position::int from log.parked where reader = $1 order by position', [
      reader,
    ])
  ).rows.map(({ position }) => position);

/** Three readers, of which each answers what the one before it appends: x is answered by y, y by z. All begin at the head. */
async function chain(
  name: string,
  {
    secondTypes = ['x', 'y'],
    firstFails,
    secondFails,
  }: { secondTypes?: string[]; firstFails?: Fails; secondFails?: Fails } = {},
): Promise<{ from: number; start: () => [Reader, Reader, Reader] }> {
  const from = await log.head();
  const names = [1, 2, 3].map((n) => `${name} ${n}`) as [string, string, string];
  await pool.query('insert into log.reader (name, position) select unnest($1::text[]), $2', [names, from]);
  const run = (definition: ReaderDefinition, carries: Reader[]): Reader => {
    const reader = runReader(pool, definition, { carries });
    readers.push(reader);
    return reader;
  };
  const start = (): [Reader, Reader, Reader] => {
    const handle = effects(names[2]);
    const third = run({ name: names[2], batchMax: 10, types: ['y'], handle }, []);
    const second = run(
      {
        name: names[1],
        batchMax: 10,
        types: secondTypes,
        lingerOn: ['x'],
        handle: effects(names[1], { ...(secondFails && { fails: secondFails }) }),
        keysOf: ({ position }) => [`${position}`],
      },
      [third],
    );
    const first = run(
      {
        name: names[0],
        batchMax: 10,
        types: ['x'],
        handle: effects(names[0], { answers: ['x', 'y'], ...(firstFails && { fails: firstFails }) }),
        keysOf: ({ position }) => [`${position}`],
      },
      [second, third],
    );
    return [first, second, third];
  };
  return { from, start };
}

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  throw new Error('It never came to that');
};

const reachAll = (all: Reader[], position: number): Promise<unknown> =>
  Promise.all(all.map((reader) => reader.reached(position)));

test('where little is before them, the readers behind one go on in its transaction', async () => {
  const { from, start } = await chain('rest', { secondTypes: ['y'] });
  const all = start();
  // Once they have looked around, nobody moves a checkpoint.
  await log.append({ events: [event(undefined, 'w')] });
  await reachAll(all, from + 1);
  await append(1);
  await reachAll(all, from + 3);
  const [first, second, third] = await Promise.all([1, 2, 3].map((n) => effectsOf(`rest ${n}`)));
  expect(first!.map(({ position }) => position)).toEqual([from + 2]);
  expect(second!.map(({ position }) => position)).toEqual([from + 3]);
  expect(third!.map(({ position }) => position)).toEqual([from + 3]);
  expect(new Set([...first!, ...second!, ...third!].map(({ tx }) => tx)).size).toBe(1);
  const { rows } = await pool.query(
    `select name, position::int from log.reader where name like 'rest %' order by name`,
  );
  expect(rows.map(({ position }) => position)).toEqual([from + 2, from + 3, from + 3]);
});

test('what was appended meanwhile, many or few at a time, each does once and in order', async () => {
  const { from, start } = await chain('flow');
  const all = start();
  for (const count of [1, 3, 150, 1, 1, 40]) await append(count);
  await until(async () => (await effectsOf('flow 3')).length === 196);
  await reachAll(all, await log.head());
  for (const n of [1, 2, 3]) {
    const positions = (await effectsOf(`flow ${n}`)).map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(new Set(positions).size).toBe(positions.length);
    expect(positions).toHaveLength(n === 2 ? 392 : 196);
    expect(positions[0]).toBeGreaterThan(from);
  }
});

test('a reader that is behind is not carried: it goes on by itself', async () => {
  const { from, start } = await chain('behind');
  await append(60);
  const all = start();
  await until(async () => (await effectsOf('behind 3')).length === 60);
  await reachAll(all, from + 120);
  const [first, second] = await Promise.all([transactionsOf('behind 1'), transactionsOf('behind 2')]);
  // 60 in batches of 10; the second one had more than 20 before it when the first one began.
  expect([...first][0]).not.toBe([...second][0]);
  expect((await effectsOf('behind 2')).map(({ position }) => position)).toHaveLength(120);
});

test('a failure of a carried reader parks its event alone, and those before it go on', async () => {
  const { from, start } = await chain('second fails', { secondFails: ({ type, data }) => type === 'x' && data.bad });
  const all = start();
  await append(1, { bad: true });
  await reachAll(all, from + 2);
  expect(await parkedOf('second fails 2')).toEqual([from + 1]);
  expect(await parkedOf('second fails 1')).toEqual([]);
  expect((await effectsOf('second fails 1')).map(({ position }) => position)).toEqual([from + 1]);
  expect((await effectsOf('second fails 3')).map(({ position }) => position)).toEqual([from + 2]);
  // While something of it is parked it is not carried, but goes on.
  await append(1);
  await reachAll(all, from + 4);
  expect((await effectsOf('second fails 2')).map(({ position }) => position)).toEqual([from + 2, from + 3, from + 4]);
  const [first, second] = await Promise.all([effectsOf('second fails 1'), effectsOf('second fails 2')]);
  expect(second.at(-1)!.tx).not.toBe(first.at(-1)!.tx);
});

test('a failure of the reader that carries is its own', async () => {
  const { from, start } = await chain('first fails', { firstFails: ({ data }) => data.bad });
  const all = start();
  await append(1, { bad: true });
  await reachAll(all, from + 1);
  expect(await parkedOf('first fails 1')).toEqual([from + 1]);
  expect(await parkedOf('first fails 2')).toEqual([]);
  expect((await effectsOf('first fails 2')).map(({ position }) => position)).toEqual([from + 1]);
});

test('two processes of which each carries do everything once', async () => {
  const { from, start } = await chain('twins');
  const all = [...start(), ...start()];
  for (let n = 0; n < 25; n += 1) await append(1 + (n % 3));
  const many = (await log.read({ after: from, limit: 1_000, types: ['x'] })).length;
  await until(async () => (await effectsOf('twins 3')).length >= many);
  await reachAll(all, await log.head());
  for (const n of [1, 2, 3]) {
    const positions = (await effectsOf(`twins ${n}`)).map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
    expect(positions).toHaveLength(n === 2 ? 2 * many : many);
  }
});

test('connections that are cut in the middle repeat nothing', async () => {
  const { from, start } = await chain('cut');
  const all = start();
  for (let n = 0; n < 60; n += 1) {
    await until(async () =>
      append(1).then(
        () => true,
        () => false,
      ),
    );
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`,
    );
  }
  let many = Number.POSITIVE_INFINITY;
  await until(async () => {
    many = (await log.read({ after: from, limit: 1_000, types: ['x'] }).catch(() => [])).length || many;
    return (await effectsOf('cut 3').catch(() => [])).length >= many;
  });
  await reachAll(all, await log.head());
  for (const n of [1, 2, 3]) {
    const positions = (await effectsOf(`cut ${n}`)).map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
    expect(positions).toHaveLength(n === 2 ? 2 * many : many);
  }
});
