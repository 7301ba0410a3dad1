import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventLog } from '@liandun/event-log';
import { Intake } from '@liandun/intake';
import { migrate } from '@liandun/event-log';
import pg from 'pg';
import { asApp, createTestDatabase } from '../../../test/support/database.js';
import { ALL_MIGRATIONS } from '../../../test/support/ledger.js';
import { organization, person, reported } from '../../../test/support/submissions.js';
import { erasureRider } from './erasing.js';
import { newKey, parseVaultKeys } from './keys.js';
import { VAULT_RIDER, vaultRider } from './rider.js';
import { rotate, type RotationProgress } from './rotation.js';
import { Vault, type VaultEvent } from './vault.js';

const [seal1, seal2, blind1, blind2, fingerprint] = [newKey(), newKey(), newKey(), newKey(), newKey()];
const before = new Vault(parseVaultKeys({ seal: seal1, blind: blind1, fingerprint }, 'k'));
const both = new Vault(
  parseVaultKeys({ seal: { 1: seal1, 2: seal2 }, blind: { 1: blind1, 2: blind2 }, fingerprint }, 'k'),
);
const after = new Vault(parseVaultKeys({ seal: { 2: seal2 }, blind: { 2: blind2 }, fingerprint }, 'k'));

const ENTRIES = 30;
const events = Array.from({ length: ENTRIES }, (_, n) =>
  reported(
    'a',
    `m-${n}`,
    n % 2 ? person(n) : organization(n, { legalRepresentative: person(n + 100, { kind: undefined }) }),
  ),
);
let pool: pg.Pool;
let log: EventLog;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createTestDatabase();
  drop = database.drop;
  await migrate(database.url, ALL_MIGRATIONS);
  pool = new pg.Pool({ connectionString: asApp(database.url), max: 4 });
  log = new EventLog({ pool, riders: { [VAULT_RIDER]: vaultRider } });
});
afterAll(async () => {
  await log.close();
  await pool.end();
  await drop();
});

const submit = async (vault: Vault, raws: object[]): Promise<string[]> => {
  const intake = new Intake({ log, vault, clock: () => new Date(), keysOf: async () => [] });
  return (await intake.submitAll({ memberId: 'a', role: 'platform' }, raws)).map(({ status }) => status);
};
const entriesAt = async (positions: number[]): Promise<VaultEvent[]> =>
  (await Promise.all(positions.map((position) => log.at(position)))).flatMap((event) => event ?? []);
const versions = async (table: string): Promise<number[]> =>
  (await pool.query(`select distinct key_version from vault.${table} order by 1`)).rows.map((row) => row.key_version);
/** One that was sealed anew already, one that was not, and a representative. */
const ERASED = [1, 25];
const REPRESENTED = 20;
const asked = before.sealPerson(person(1), 'asked');
const erase = async (positions: number[], asRepresentative: number[]): Promise<void> => {
  const client = await pool.connect();
  await client.query('begin');
  await erasureRider(client, [{ row: { step: 'erased', positions, asRepresentative, organizations: [] } }]);
  await client.query('commit');
  client.release();
};
const reveal = async (vault: Vault): Promise<object[]> => vault.reveal(pool, await log.read({ after: -1, limit: 100 }));

test('a rotation that was stopped goes on, and ends with nothing left under the old keys', async () => {
  const clean = events.map((event) => JSON.parse(JSON.stringify(event)) as object);
  expect(new Set(await submit(before, clean))).toEqual(new Set(['accepted']));
  const values = await reveal(before);
  const seen: RotationProgress[] = [];
  const stopping = new AbortController();
  const onProgress = (progress: RotationProgress): void => {
    seen.push(progress);
    if (seen.length === 2) stopping.abort();
  };
  await pool.query('insert into vault.erasure values ($1, 1, $2, $3)', ['asked', asked.sealed, asked.wrapped]);
  const made = Array.from({ length: ENTRIES }, (_, position) => ({ position, text: `made of ${position}` }));
  await before.keepDerived(pool, made, 'form-1');
  // Of an entry that names nobody.
  await before.keepDerived(pool, [{ position: 500, text: 'made of 500' }], 'form-1');
  await rotate({ pool, vault: both, entriesAt, onProgress, batch: 7, signal: stopping.signal });
  await erase([...ERASED], [REPRESENTED]);
  expect(await versions('data_key')).toEqual([1, 2]);
  expect(await versions('derived')).toEqual([1, 2]);
  await submit(both, [reported('a', 'late', person(60))]);
  await rotate({ pool, vault: both, entriesAt, onProgress, batch: 7 });
  expect(seen.filter(({ done }) => done).map(({ job, version }) => [job, version])).toEqual([
    ['seal', 2],
    ['blind', 2],
  ]);
  expect(seen.filter(({ job, done }) => job === 'seal' && !done).map(({ position }) => position)).toEqual([
    6, 13, 21, 29, 500,
  ]);
  expect([await versions('data_key'), await versions('token'), await versions('person_token')]).toEqual([
    [2],
    [2],
    [2],
  ]);
  const kept = (list: object[]): object[] => list.filter((_, n) => ![...ERASED, REPRESENTED].includes(n));
  expect(kept((await reveal(after)).slice(0, ENTRIES))).toEqual(kept(values));
  const { rows: back } = await pool.query(
    `select from vault.data_key where position = any($1) union all select from vault.token where position = any($1)
     union all select from vault.person_token where position = any($1) or (position = $2 and kind = 'representative')`,
    [[...ERASED], REPRESENTED],
  );
  expect(back).toEqual([]);
  const positions = [...made.map(({ position }) => position), 500];
  const left = positions.filter((position) => ![...ERASED, REPRESENTED].includes(position));
  expect(await versions('derived')).toEqual([2]);
  const opened = await after.openDerived(pool, positions, 'form-1');
  expect([...opened].toSorted(([a], [b]) => a - b)).toEqual(left.map((position) => [position, `made of ${position}`]));
  expect(await after.requestedPerson(pool, 'asked')).toEqual(person(1));
  await expect(before.open(pool, await entriesAt([5]))).rejects.toThrow('key-encryption key 2 is not there');
  const wanted = after.wanted(person(5) as { residentId: string }).map(({ token }) => token);
  const { rows } = await pool.query('select position::int from vault.token where token = any($1)', [wanted]);
  expect(rows).toEqual([{ position: 5 }]);
  const again: RotationProgress[] = [];
  await rotate({ pool, vault: both, entriesAt, onProgress: (progress) => again.push(progress) });
  expect(again).toEqual([]);
});

test('a process that still has the old keys can not append any more, nor index what the matcher would miss', async () => {
  await expect(submit(before, [reported('a', 'stale', person(61))])).rejects.toThrow('key version 2');
  expect(await submit(after, [reported('a', 'fresh', person(61))])).toEqual(['accepted']);
});

describe('what was made of an entry', () => {
  const keep = (position: number, text: string, form = 'form-1'): Promise<void> =>
    after.keepDerived(pool, [{ position, text }], form);
  const open = async (position: number, form = 'form-1'): Promise<string | undefined> =>
    (await after.openDerived(pool, [position], form)).get(position);

  test('is told in the form in which it was made last, and sealed', async () => {
    await keep(2, '王芳 13800000000');
    expect(await open(2)).toBe('王芳 13800000000');
    expect(await open(2, 'form-2')).toBeUndefined();
    await keep(2, 'newer', 'form-2');
    expect([await open(2), await open(2, 'form-2')]).toEqual([undefined, 'newer']);
    await keep(2, '王芳 13800000000');
    const { rows } = await pool.query('select sealed from vault.derived where position = 2');
    expect(rows[0].sealed.includes('13800000000')).toBe(false);
  });

  test('opens for its own entry and form only', async () => {
    await keep(3, 'of three');
    await keep(4, 'of four');
    const move = `update vault.derived d set sealed = o.sealed, wrapped = o.wrapped from vault.derived o
      where d.position = 4 and o.position = 3`;
    await pool.query(move);
    await expect(open(4)).rejects.toThrow('authenticate');
    await pool.query(`update vault.derived set form = 'form-9' where position = 3`);
    await expect(open(3, 'form-9')).rejects.toThrow('authenticate');
  });

  test('goes with any of its persons, and never comes back', async () => {
    await keep(6, 'subject and representative');
    await erase([], [6]);
    expect(await open(6)).toBeUndefined();
    await keep(6, 'from the memory of a worker');
    expect(await open(6)).toBeUndefined();
  });
});
