import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeEntry, leafHash } from '@liandun/transparency-log';
import pg from 'pg';
import { asApp, createTestDatabase } from '../../../test/support/database.js';
import { EVENT_LOG_MIGRATIONS, EventLog, EntryTooLargeError, migrate, type NewEvent, type RiderRow } from './index.js';

let url: string;
let drop: () => Promise<void>;
let pool: pg.Pool;
let log: EventLog;

beforeAll(async () => {
  ({ url, drop } = await createTestDatabase());
  await migrate(url, EVENT_LOG_MIGRATIONS);
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  await owner.query('create table public.ridden (position bigint primary key, row text not null)');
  await owner.query('grant insert, select on public.ridden to liandun_app');
  await owner.end();
  pool = new pg.Pool({ connectionString: asApp(url) });
});

beforeEach(() => {
  log = new EventLog({ pool, riders: { ride } });
});

afterEach(() => log.close());

afterAll(async () => {
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

test('smoke', async () => {
  const e = event({ riders: { ride: 'x' } });
  const first = await log.append({ events: [e] });
  expect(first).toMatchObject({ status: 'appended', receipts: [{ id: e.id, version: 0 }] });
  const again = await log.append({ events: [e] });
  expect(again).toEqual({ ...first, status: 'duplicate' });
  const stored = (await log.find(e.source, e.id))!;
  expect(stored.data).toEqual(e.data);
  expect(leafHash(stored.entry)).toEqual(stored.leafHash);
  const { nonce } = JSON.parse(stored.entry);
  expect(encodeEntry({ ...stored, nonce })).toBe(stored.entry);
  expect((await pool.query('select * from ridden')).rows).toHaveLength(1);
});
