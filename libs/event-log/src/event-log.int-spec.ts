import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeEntry, leafHash } from '@liandun/transparency-log';
import fc from 'fast-check';
import pg from 'pg';
import { asApp, createTestDatabase } from '../../../test/support/database.js';
import {
  EVENT_LOG_MIGRATIONS,
  EntryTooLargeError,
  EventLog,
  migrate,
  type AppendCommand,
  type AppendOutcome,
  type NewEvent,
  type RiderRow,
} from './index.js';

let url: string;
let drop: () => Promise<void>;
let pool: pg.Pool;
let admin: pg.Client;
let owner: pg.Client;
let log: EventLog;

beforeAll(async () => {
  ({ url, drop } = await createTestDatabase());
  await migrate(url, EVENT_LOG_MIGRATIONS);
  admin = new pg.Client({ connectionString: url });
  owner = new pg.Client({ connectionString: url });
  await Promise.all([admin.connect(), owner.connect()]);
  await admin.query('create table public.ridden (position bigint primary key, row text not null)');
  await admin.query('grant insert, select on public.ridden to liandun_worker');
  await owner.query('set role liandun_owner');
  pool = new pg.Pool({ connectionString: asApp(url) });
});

beforeEach(() => {
  log = new EventLog({ pool, riders: { ride } });
});

afterEach(() => log.close());

afterAll(async () => {
  await Promise.all([admin.end(), owner.end()]);
  await pool.end();
  await drop();
});

async function ride(client: pg.ClientBase, rows: RiderRow[]): Promise<void> {
  const values = [rows.map(({ position }) => position), rows.map(({ row }) => row)];
  await client.query('insert into public.ridden select * from unnest($1::bigint[], $2::text[])', values);
}

let serial = 0;
function event(change: Partial<NewEvent> = {}): NewEvent {
  serial += 1;
  const id = change.id ?? `e-${serial}`;
  return {
    id,
    source: 'urn:liandun:member:platform-a',
    type: 'liandun.merchant.reported.v1',
    time: '2020-02-10T09:00:00+08:00',
    stream: `merchant/platform-a/${id}`,
    data: { merchantId: id, name: '口罩店', shops: [] },
    fingerprint: Buffer.from(`fingerprint of ${id}`),
    ...change,
  };
}

const positionsOf = (outcomes: AppendOutcome[]): number[] =>
  outcomes.flatMap((o) => ('receipts' in o ? o.receipts.map(({ position }) => position) : []));

const statusesOf = (outcomes: AppendOutcome[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

test('an event is read back as it was appended, and its entry gives its leaf hash', async () => {
  const sent = event();
  const outcome = await log.append({ events: [sent] });
  const head = await log.head();
  const found = (await log.find(sent.source, sent.id))!;
  expect(outcome).toEqual({
    status: 'appended',
    receipts: [
      { id: sent.id, position: head, version: 0, leafHash: leafHash(found.entry), acceptedAt: found.acceptedAt },
    ],
  });
  const { fingerprint: _, ...said } = sent;
  expect(found).toMatchObject({ ...said, position: head, version: 0, leafHash: leafHash(found.entry) });
  const { nonce } = JSON.parse(found.entry) as { nonce: string };
  expect(Buffer.from(nonce, 'base64url')).toHaveLength(32);
  expect(encodeEntry({ ...found, nonce })).toBe(found.entry);
  expect(await log.at(head)).toEqual(found);
  expect(await log.at(head + 1)).toBeUndefined();
  expect(await log.find(sent.source, 'never sent')).toBeUndefined();
});

test('acceptance is the database’s time, in Beijing’s', async () => {
  const clock = async (): Promise<number> => {
    const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
    return rows[0]!.now.getTime();
  };
  const before = await clock();
  const outcome = await log.append({ events: [event()] });
  const { acceptedAt } = (outcome as AppendOutcome & { status: 'appended' }).receipts[0]!;
  expect(acceptedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00$/);
  expect(Date.parse(acceptedAt)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(acceptedAt)).toBeLessThanOrEqual(await clock());
});

test('10,000 events sent twice, half of them at once, are 10,000 appended and 10,000 duplicates at dense positions', async () => {
  const first = (await log.head()) + 1;
  const commands = range(0, 10_000).map(() => ({ events: [event()] }));
  const half = commands.length / 2;
  const outcomes = await log.appendAll(commands.slice(0, half));
  // These two race each other, in two processes' worth of connections.
  const other = new EventLog({ pool });
  const raced = await Promise.all([
    ...commands.slice(half).map((command) => log.append(command)),
    ...commands.slice(half).map((command) => other.append(command)),
  ]);
  outcomes.push(...raced, ...(await other.appendAll(commands.slice(0, half))));
  await other.close();

  expect(statusesOf(outcomes)).toEqual({ appended: 10_000, duplicate: 10_000 });
  const appended = positionsOf(outcomes.filter(({ status }) => status === 'appended'));
  expect(appended.toSorted((a, b) => a - b)).toEqual(range(first, 10_000));
  const repeated = positionsOf(outcomes.filter(({ status }) => status === 'duplicate'));
  expect(repeated.toSorted((a, b) => a - b)).toEqual(range(first, 10_000));
  expect(await log.head()).toBe(first + 9_999);

  const stored = await log.read({ after: first - 1, limit: 20_000 });
  expect(stored.map(({ position }) => position)).toEqual(range(first, 10_000));
  expect(stored.every((e) => leafHash(e.entry).equals(e.leafHash))).toBe(true);
  // A repetition gets the very receipt of the first time.
  const receipts = new Map<string, unknown>();
  for (const outcome of outcomes) {
    if (!('receipts' in outcome)) throw new Error(outcome.status);
    const receipt = outcome.receipts[0]!;
    expect(receipts.get(receipt.id) ?? receipt).toEqual(receipt);
    receipts.set(receipt.id, receipt);
  }
});

test('positions are in the order of acceptance', async () => {
  const { rows } = await pool.query(
    `select count(*)::int as n from (select accepted_at < lag(accepted_at) over (order by position) as late from log.entry) e where late`,
  );
  expect(rows).toEqual([{ n: 0 }]);
});

describe('in one group', () => {
  test('a version conflict loses only its own command', async () => {
    const stream = 'member/conflict';
    const commands = range(0, 9).map(() => ({ events: [event({ stream })] }));
    const conflicting = { events: [event({ stream })], expected: { [stream]: 2 } };
    const outcomes = await log.appendAll([...commands.slice(0, 5), conflicting, ...commands.slice(5)]);
    expect(outcomes[5]).toEqual({ status: 'conflict', stream, actual: 4 });
    expect(statusesOf(outcomes)).toEqual({ appended: 9, conflict: 1 });
    expect((await log.readStream(stream, { limit: 100 })).map(({ version }) => version)).toEqual(range(0, 9));
    expect(await log.find(conflicting.events[0]!.source, conflicting.events[0]!.id)).toBeUndefined();
    expect(await log.streamVersion(stream)).toBe(8);
    // With the version that it should have had, the same command goes through.
    expect(await log.append({ ...conflicting, expected: { [stream]: 8 } })).toMatchObject({ status: 'appended' });
  });

  test('expected versions count what the commands before it have appended', async () => {
    const stream = 'member/in-order';
    const outcomes = await log.appendAll(
      range(-1, 5).map((version) => ({ events: [event({ stream })], expected: { [stream]: version } })),
    );
    expect(statusesOf(outcomes)).toEqual({ appended: 5 });
  });

  test('of those that expect the same version one wins, also over several connections', async () => {
    const stream = 'member/race';
    const other = new EventLog({ pool });
    const outcomes = await Promise.all(
      range(0, 40).map((i) =>
        (i % 2 ? log : other).append({ events: [event({ stream })], expected: { [stream]: -1 } }),
      ),
    );
    await other.close();
    expect(statusesOf(outcomes)).toEqual({ appended: 1, conflict: 39 });
  });

  test('streams that are new and streams that go on get their versions, and each entry says its own', async () => {
    const streams = ['member/mixed-a', 'member/mixed-b', 'member/mixed-a', 'member/mixed-c', 'member/mixed-a'];
    await log.append({ events: [event({ stream: 'member/mixed-b' })] });
    const outcomes = await log.appendAll(streams.map((stream) => ({ events: [event({ stream })] })));
    const versions = outcomes.map((o) => ('receipts' in o ? o.receipts[0]!.version : o));
    expect(versions).toEqual([0, 1, 1, 0, 2]);
    const stored = await Promise.all(positionsOf(outcomes).map((position) => log.at(position)));
    expect(stored.map((e) => [e!.stream, e!.version])).toEqual(streams.map((stream, i) => [stream, versions[i]]));
    expect(await log.streamVersion('member/mixed-a')).toBe(2);
  });

  test('commands have the outcomes that they have one after the other', async () => {
    const events = fc.record({ id: fc.nat(5), stream: fc.nat(2), content: fc.constantFrom('x', 'x', 'x', 'y') });
    const commands = fc.record({
      events: fc.uniqueArray(events, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
      expected: fc.option(fc.dictionary(fc.constantFrom('0', '1', '2'), fc.integer({ min: -1, max: 2 })), { freq: 1 }),
    });
    let runs = 0;
    const seen = (outcome: AppendOutcome) =>
      'receipts' in outcome
        ? [outcome.status, outcome.receipts.map(({ id, version }) => ({ id, version }))]
        : [outcome.status, 'actual' in outcome ? outcome.actual : outcome.eventId];
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 6 }), async (drawn) => {
        const of = (source: string): AppendCommand[] =>
          drawn.map(({ events: list, expected }) => ({
            events: list.map(({ id, stream, content }) =>
              event({ id: String(id), source, stream: `${source}/${stream}`, fingerprint: Buffer.from(content) }),
            ),
            ...(expected && {
              expected: Object.fromEntries(Object.entries(expected).map(([n, v]) => [`${source}/${n}`, v])),
            }),
          }));
        runs += 1;
        const together = await log.appendAll(of(`together-${runs}`));
        const alone: AppendOutcome[] = [];
        for (const command of of(`alone-${runs}`)) alone.push(await log.append(command));
        expect(together.map(seen)).toEqual(alone.map(seen));
      }),
      { numRuns: 60 },
    );
  });

  test('one whose rider fails, fails alone', async () => {
    const bad = event({ riders: { ride: null } });
    const good = range(0, 5).map(() => event({ riders: { ride: 'row' } }));
    const results = await Promise.allSettled(
      [...good.slice(0, 3), bad, ...good.slice(3)].map((e) => log.append({ events: [e] })),
    );
    expect(results.map(({ status }) => status)).toEqual(range(0, 6).map((i) => (i === 3 ? 'rejected' : 'fulfilled')));
    expect(await log.find(bad.source, bad.id)).toBeUndefined();
    const positions = positionsOf(results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : [])));
    const { rows } = await pool.query('select row from public.ridden where position = any($1)', [positions]);
    expect(rows).toEqual(good.map(() => ({ row: 'row' })));
  });
});

describe('an entry that a trigger of the log refuses', () => {
  beforeAll(() =>
    admin.query(`
create function public.refuse() returns trigger language plpgsql as $$
begin raise exception 'refused' using errcode = 'check_violation', constraint = 'complete_case'; end $$;
create trigger refuse before insert on log.entry for each row when (new.type = 'example.refused.v1')
  execute function public.refuse()`),
  );
  afterAll(() => admin.query('drop trigger refuse on log.entry; drop function public.refuse()'));

  test('fails its own command only, beside those of other callers and of its own', async () => {
    const bad = event({ type: 'example.refused.v1' });
    const good = range(0, 8).map(() => event());
    const [others, own, more] = await Promise.allSettled([
      log.appendAll(good.slice(0, 3).map((e) => ({ events: [e] }))),
      log.appendAll([good[3]!, bad, good[4]!].map((e) => ({ events: [e] }))),
      log.appendAll(good.slice(5).map((e) => ({ events: [e] }))),
    ]);
    expect([others.status, own.status, more.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(own).toMatchObject({ reason: { code: '23514', constraint: 'complete_case' } });
    expect(await log.find(bad.source, bad.id)).toBeUndefined();
    for (const { source, id } of good) expect(await log.find(source, id)).toMatchObject({ id });
    const head = await log.head();
    expect(await log.read({ after: head - good.length, limit: 100 })).toHaveLength(good.length);
    // The same ids give the same receipts.
    expect(await log.append({ events: [good[4]!] })).toMatchObject({ status: 'duplicate' });
  });

  test('leaves nothing of a command of several events', async () => {
    const [first, bad] = [event(), event({ type: 'example.refused.v1' })];
    await expect(log.append({ events: [first, bad] })).rejects.toMatchObject({ code: '23514' });
    expect(await log.find(first.source, first.id)).toBeUndefined();
  });
});

describe('a command of several events', () => {
  test('is stored as one, in order', async () => {
    const events = range(0, 3).map(() => event());
    const outcome = await log.append({ events });
    expect(outcome).toMatchObject({ status: 'appended', receipts: events.map(({ id }) => ({ id })) });
    const positions = positionsOf([outcome]);
    expect(positions).toEqual(range(positions[0]!, 3));
    expect(await log.append({ events })).toEqual({ ...outcome, status: 'duplicate' });
  });

  test('is refused whole if one of its ids is taken', async () => {
    const [taken, fresh] = [event(), event()];
    await log.append({ events: [taken] });
    const head = await log.head();
    expect(await log.append({ events: [fresh, taken] })).toEqual({ status: 'reused', eventId: taken.id });
    expect(await log.find(fresh.source, fresh.id)).toBeUndefined();
    expect(await log.head()).toBe(head);
  });

  test('is refused whole by a conflict on a stream that it does not write', async () => {
    const events = [event(), event()];
    const outcome = await log.append({ events, expected: { 'member/untouched': 0 } });
    expect(outcome).toEqual({ status: 'conflict', stream: 'member/untouched', actual: -1 });
    expect(await log.find(events[0]!.source, events[0]!.id)).toBeUndefined();
  });
});

test('an id with other content is refused and nothing of it is stored', async () => {
  const first = event();
  await log.append({ events: [first] });
  const head = await log.head();
  const other = { ...first, data: { other: true }, fingerprint: Buffer.from('other'), riders: { ride: 'row' } };
  expect(await log.append({ events: [other] })).toEqual({ status: 'reused', eventId: first.id });
  expect(await log.head()).toBe(head);
  expect((await log.find(first.source, first.id))!.data).toEqual(first.data);
  // Another source may use the same id.
  const elsewhere = { ...other, source: 'urn:liandun:member:platform-b', stream: 'merchant/platform-b/x' };
  expect(await log.append({ events: [elsewhere] })).toMatchObject({ status: 'appended' });
});

test('what cannot be stored is refused before anything is', async () => {
  const head = await log.head();
  const twice = event();
  await expect(log.appendAll([{ events: [event()] }, { events: [] }])).rejects.toThrow(RangeError);
  await expect(log.append({ events: [twice, twice] })).rejects.toThrow('names each event id once');
  await expect(log.append({ events: [event({ id: 'a\0b' })] })).rejects.toThrow('NUL');
  await expect(log.append({ events: [event({ riders: { unknown: 1 } })] })).rejects.toThrow('No rider named unknown');
  await expect(log.append({ events: [event({ data: { text: '盾'.repeat(20_000) } })] })).rejects.toThrow(
    EntryTooLargeError,
  );
  expect(await log.head()).toBe(head);
  const large = event({ data: { text: '盾'.repeat(19_800) } });
  expect(await log.append({ events: [large] })).toMatchObject({ status: 'appended' });
  expect((await log.find(large.source, large.id))!.data).toEqual(large.data);
});

test('two processes that append at once share one dense log', async () => {
  const first = (await log.head()) + 1;
  const others = range(0, 2).map(() => new EventLog({ pool: new pg.Pool({ connectionString: asApp(url) }) }));
  const stream = 'member/shared';
  const outcomes = await Promise.all(
    range(0, 2000).map((i) => others[i % 2]!.append({ events: [event(i % 4 < 2 ? { stream } : {})] })),
  );
  expect(positionsOf(outcomes).toSorted((a, b) => a - b)).toEqual(range(first, 2000));
  expect((await log.readStream(stream, { limit: 2000 })).map(({ version }) => version)).toEqual(range(0, 1000));
  await Promise.all(others.map((other) => other.close()));
});

test('what is appended in the caller’s transaction is there only if that commits', async () => {
  const client = await pool.connect();
  const [kept, lost] = [event({ riders: { ride: 'in' } }), event()];
  const first = (await log.head()) + 1;
  await client.query('begin');
  await log.appendIn(client, [{ events: [lost] }]);
  await client.query('rollback');
  await client.query('begin');
  const inside = await log.appendIn(
    client,
    range(0, 600).map(() => ({ events: [event()] })),
  );
  inside.push(...(await log.appendIn(client, [{ events: [kept] }])));
  const waiting = log.append({ events: [event()] });
  await client.query('commit');
  client.release();
  expect(positionsOf([...inside, await waiting])).toEqual(range(first, 602));
  expect(await log.find(lost.source, lost.id)).toBeUndefined();
});

test('a repetition in the caller’s transaction is found and spoils nothing of it', async () => {
  const [known, fresh] = [event(), event()];
  const first = await log.append({ events: [known] });
  const client = await pool.connect();
  await client.query('begin');
  await client.query(`insert into public.ridden values (-1, 'the caller’s own')`);
  const outcomes = await log.appendIn(client, [{ events: [known] }, { events: [fresh] }, { events: [fresh] }]);
  await client.query('commit');
  client.release();
  expect(outcomes.map(({ status }) => status)).toEqual(['duplicate', 'appended', 'duplicate']);
  expect(outcomes[0]).toEqual({ ...first, status: 'duplicate' });
  expect(await log.head()).toBe(positionsOf([outcomes[1]!])[0]);
  expect((await pool.query('select row from public.ridden where position = -1')).rows).toHaveLength(1);
});

test('an append whose connection breaks can be repeated', async () => {
  const holder = await pool.connect();
  await holder.query('begin');
  await log.appendIn(holder, [{ events: [event()] }]);
  const sent = event();
  const failed = log.append({ events: [sent] }).catch((error: unknown) => error);
  // It waits for the head: now its connection goes.
  let ended = 0;
  for (let tries = 0; ended === 0 && tries < 1000; tries += 1) {
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and query like '%log.append%' and pid <> pg_backend_pid()`,
    );
    ended = rowCount ?? 0;
  }
  expect(await failed).toBeInstanceOf(Error);
  await holder.query('commit');
  holder.release();
  expect(await log.append({ events: [sent] })).toMatchObject({ status: 'appended' });
});

test('closing waits for what is under way', async () => {
  const closing = new EventLog({ pool });
  const sent = range(0, 50).map(() => closing.append({ events: [event()] }));
  await closing.close();
  expect(statusesOf(await Promise.all(sent))).toEqual({ appended: 50 });
  await expect(closing.append({ events: [event()] })).rejects.toThrow('closed');
});

test('a commit wakes who listens', async () => {
  const listener = new pg.Client({ connectionString: asApp(url) });
  await listener.connect();
  await listener.query('listen liandun_log');
  const heard = once(listener, 'notification') as Promise<pg.Notification[]>;
  const outcome = await log.append({ events: [event()] });
  expect((await heard)[0]!.payload).toBe(String(positionsOf([outcome])[0]));
  await listener.end();
});

describe('reading', () => {
  test('goes on behind a position, and can ask for types', async () => {
    const after = await log.head();
    const types = ['x.a', 'x.b', 'x.a', 'x.c', 'x.a'];
    await log.appendAll(types.map((type) => ({ events: [event({ type })] })));
    const read = async (limit: number, only?: string[]) =>
      (await log.read({ after, limit, ...(only && { types: only }) })).map(({ type }) => type);
    expect(await read(10)).toEqual(types);
    expect(await read(2)).toEqual(['x.a', 'x.b']);
    expect(await read(10, ['x.c', 'x.b'])).toEqual(['x.b', 'x.c']);
    expect(await read(2, ['x.a'])).toEqual(['x.a', 'x.a']);
  });

  test('a stream goes on behind a version', async () => {
    const stream = 'member/read';
    await log.appendAll(range(0, 5).map(() => ({ events: [event({ stream })] })));
    const versions = (await log.readStream(stream, { after: 1, limit: 2 })).map(({ version }) => version);
    expect(versions).toEqual([2, 3]);
    expect(await log.readStream('member/none', { limit: 2 })).toEqual([]);
    expect(await log.streamVersion('member/none')).toBe(-1);
  });
});

describe('nobody changes what was accepted', () => {
  const changes = ['entry', 'event_id'].flatMap((table) => [
    `update log.${table} set position = position`,
    `delete from log.${table}`,
    `truncate log.${table} cascade`,
  ]);

  test.each(changes)('the application’s role: %s', async (sql) => {
    await expect(pool.query(sql)).rejects.toMatchObject({ code: '42501' });
  });

  test.each(changes)('the owner: %s', async (sql) => {
    await expect(owner.query(sql)).rejects.toThrow('is refused: the log only grows');
  });

  test('nor does the application’s role get round it', async () => {
    await expect(pool.query('alter table log.entry disable trigger all')).rejects.toMatchObject({ code: '42501' });
    await expect(pool.query('drop table log.entry')).rejects.toMatchObject({ code: '42501' });
    await expect(pool.query('delete from log.head')).rejects.toMatchObject({ code: '42501' });
  });
});

test('migrating again, and at once from two sides, changes nothing', async () => {
  await Promise.all([migrate(url, EVENT_LOG_MIGRATIONS), migrate(url, EVENT_LOG_MIGRATIONS)]);
  const { rows } = await owner.query('select name from migration.applied');
  expect(rows).toEqual(EVENT_LOG_MIGRATIONS.map(({ name }) => ({ name })));
});
