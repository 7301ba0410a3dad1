// What the vault costs: sealing and indexing an identity, opening it, and looking its numbers up in the blind index against plain ones.
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { makeResidentId, type Identity } from '@liandun/contracts';
import { EVENT_LOG_MIGRATIONS, EventLog, migrate } from '@liandun/event-log';
import { Intake } from '@liandun/intake';
import {
  generateVaultKeys,
  unseal,
  Vault,
  VAULT_MIGRATIONS,
  VAULT_RIDER,
  vaultRider,
  type VaultRow,
} from '@liandun/vault';
import pg from 'pg';
import { createTestDatabase } from '../support/database.js';
import { reported } from '../support/submissions.js';
import type { BenchResult } from './result.js';
import { median, quantile } from './statistics.js';

const ROUNDS = 5;
const IDENTITIES = 10_000;
const LOOKUPS = 1_000_000;
const LOOKUPS_PER_QUERY = 500;
const STORED = 5_000;
const CANDIDATES = 10;
const OPENINGS = 1_000;
/** Rows that belong to no entry of this log. */
const FAR = 1_000_000_000;

const vault = new Vault(generateVaultKeys());
const event = { source: 'urn:liandun:member:bench', id: 'e', type: 'liandun.merchant.reported.v1' };
const DAY_MS = 86_400_000;
/** A million different numbers: a hundred thousand birthdays would not be enough, so days and serials run on. */
const numberOf = (n: number): string =>
  makeResidentId(
    '990101',
    new Date(Date.UTC(1950, 0, 1) + Math.floor(n / 999) * DAY_MS).toISOString().slice(0, 10).replaceAll('-', ''),
    n % 999,
  );
const identityOf = (n: number): Identity => ({
  kind: 'person',
  name: '虚构之人',
  residentId: numberOf(n),
  phones: [`139${String(n).padStart(8, '0')}`],
  bankAccounts: [`62${String(n).padStart(17, '3')}`],
  address: '示例省示例市示例路一号',
});

const perIdentityUs = (work: () => void): number => {
  const began = performance.now();
  work();
  return ((performance.now() - began) * 1000) / IDENTITIES;
};

interface InMemory {
  sealUs: number;
  rawSealUs: number;
  openUs: number;
  rawOpenUs: number;
}

/** One round: the vault's own work, and AES-256-GCM and HMAC-SHA256 alone over the same bytes and as many tokens. */
function inMemory(identities: Identity[]): InMemory {
  const rows: VaultRow[] = [];
  const sealUs = perIdentityUs(() => {
    for (const identity of identities) rows.push(vault.separate(event, { identity }).row!);
  });
  const key = createSecretKey(randomBytes(32));
  const nonce = randomBytes(12);
  const first = rows[0]!;
  const plain = Buffer.alloc(first.sealed[0]!.sealed.length - 28, 'x');
  const tokens = first.tokens.length + first.personTokens.length;
  const sealed: { body: Buffer; tag: Buffer }[] = [];
  const rawSealUs = perIdentityUs(() => {
    for (let n = 0; n < IDENTITIES; n += 1) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      sealed.push({ body: Buffer.concat([cipher.update(plain), cipher.final()]), tag: cipher.getAuthTag() });
      for (let token = 0; token < tokens; token += 1)
        createHmac('sha256', key).update('990101195001010000', 'utf8').digest();
    }
  });
  const openUs = perIdentityUs(() => {
    for (const { sealed: records } of rows) for (const record of records) unseal(record, event, vault.keys.kms);
  });
  const rawOpenUs = perIdentityUs(() => {
    for (const { body, tag } of sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag);
      Buffer.concat([decipher.update(body), decipher.final()]);
    }
  });
  return { sealUs, rawSealUs, openUs, rawOpenUs };
}

/** A million rows in the blind index, and in a table of the same shape with the numbers as they are. */
async function fill(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table public.plain (position bigint not null, kind text not null, key_version smallint not null, value text not null);
    create index on public.plain (kind, value);
    create index on public.plain (position)`);
  for (let from = 0; from < LOOKUPS; from += 20_000) {
    const numbers = Array.from({ length: 20_000 }, (_, n) => numberOf(from + n));
    const tokens = numbers.map((residentId) => vault.tokens({ kind: 'person', name: '', residentId })[0]!.token);
    const insert = (table: string, column: string, values: unknown[], type: string): Promise<unknown> =>
      pool.query(
        `insert into ${table} (position, kind, key_version, ${column})
         select $1 + n, 'residentId', 1, v from unnest($2::${type}[]) with ordinality as given (v, n)`,
        [FAR + from, values],
      );
    await Promise.all([
      insert('vault.token', 'token', tokens, 'bytea'),
      insert('public.plain', 'value', numbers, 'text'),
    ]);
  }
  await pool.query('vacuum (analyze) vault.token');
  await pool.query('vacuum (analyze) public.plain');
}

/** Looks a million numbers up, in another order than they were stored in; microseconds for each, tokens included. */
async function lookUp(
  pool: pg.Pool,
  [name, text]: [string, string],
  keysOf: (numbers: string[]) => unknown[],
): Promise<number> {
  const began = performance.now();
  let found = 0;
  for (let from = 0; from < LOOKUPS; from += LOOKUPS_PER_QUERY) {
    const numbers = Array.from({ length: LOOKUPS_PER_QUERY }, (_, n) => numberOf(((from + n) * 387_420_489) % LOOKUPS));
    const { rows } = await pool.query<{ count: string }>({ name, text, values: [keysOf(numbers)] });
    found += Number(rows[0]!.count);
  }
  if (found !== LOOKUPS) throw new Error(`${found} of ${LOOKUPS} were found`);
  return ((performance.now() - began) * 1000) / LOOKUPS;
}

async function lookUps(pool: pg.Pool): Promise<{ blindUs: number; plainUs: number }> {
  const select = (table: string, column: string, type: string): [string, string] => [
    column,
    `select count(position) from unnest($1::${type}[]) w (v) join ${table} t on t.kind = 'residentId' and t.${column} = w.v`,
  ];
  const tokenOf = (residentId: string): Buffer => vault.tokens({ kind: 'person', name: '', residentId })[0]!.token;
  const plainUs = await lookUp(pool, select('public.plain', 'value', 'text'), (numbers) => numbers);
  const blindUs = await lookUp(pool, select('vault.token', 'token', 'bytea'), (numbers) => numbers.map(tokenOf));
  return { blindUs, plainUs };
}

/** Opens ten stored records at a time, anywhere; milliseconds for each ten. */
async function openings(pool: pg.Pool): Promise<{ p50Ms: number; p99Ms: number }> {
  const log = new EventLog({ pool, riders: { [VAULT_RIDER]: vaultRider } });
  const intake = new Intake({ log, vault, clock: () => new Date(), keysOf: async () => [] });
  for (let from = 0; from < STORED; from += 1_000) {
    const raws = Array.from({ length: 1_000 }, (_, n) => reported('bench', `m-${from + n}`, identityOf(from + n)));
    const receipts = await intake.submitAll({ memberId: 'bench', role: 'platform' }, raws);
    if (receipts.some(({ status }) => status !== 'accepted')) throw new Error(JSON.stringify(receipts[0]));
  }
  await pool.query('analyze log.entry, vault.record, vault.data_key');
  const times: number[] = [];
  for (let n = 0; n < OPENINGS; n += 1) {
    const positions = Array.from({ length: CANDIDATES }, (_, k) => (n * 389 + k * 491) % STORED);
    const began = performance.now();
    const { size } = await vault.openMany(pool, positions);
    times.push(performance.now() - began);
    if (size !== new Set(positions).size) throw new Error('not all of them were opened');
  }
  await log.close();
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/**
 * Medians of five rounds in memory, each against the bare primitives in the same round; then a million look-ups in a table of a
 * million rows, plain and blind, on real PostgreSQL; then what opening ten candidates costs there.
 */
export async function run({ databaseUrl }: { databaseUrl: string }): Promise<BenchResult> {
  const identities = Array.from({ length: IDENTITIES }, (_, n) => identityOf(n));
  inMemory(identities);
  const rounds = Array.from({ length: ROUNDS }, () => inMemory(identities));
  const of = (pick: (round: InMemory) => number): number => median(rounds.map(pick));
  const { url, drop } = await createTestDatabase(databaseUrl);
  await migrate(url, [...EVENT_LOG_MIGRATIONS, ...VAULT_MIGRATIONS]);
  const pool = new pg.Pool({ connectionString: url });
  try {
    await fill(pool);
    const found = await lookUps(pool);
    const opened = await openings(pool);
    const us = (value: number): string => `${value.toFixed(1)} µs`;
    const row = (what: string, value: number, against: number) => ({
      what,
      value: us(value),
      against: us(against),
      ratio: (value / against).toFixed(2),
    });
    return {
      name: 'vault',
      title: 'The vault: sealing, indexing, opening and looking up, for each identity',
      rows: [
        row(
          'seal and index',
          of(({ sealUs }) => sealUs),
          of(({ rawSealUs }) => rawSealUs),
        ),
        row(
          'open',
          of(({ openUs }) => openUs),
          of(({ rawOpenUs }) => rawOpenUs),
        ),
        row('look up', found.blindUs, found.plainUs),
        { what: 'open ten from PostgreSQL, p50', value: `${opened.p50Ms.toFixed(2)} ms`, against: '', ratio: '' },
        { what: 'open ten from PostgreSQL, p99', value: `${opened.p99Ms.toFixed(2)} ms`, against: '', ratio: '' },
      ],
      notes: [
        `Against: AES-256-GCM and HMAC-SHA256 alone over as many bytes and tokens (medians of ${ROUNDS} rounds); a table of the same shape with plain numbers.`,
        `${LOOKUPS.toLocaleString('en')} look-ups of each sort, ${LOOKUPS_PER_QUERY} in a statement, tokens included.`,
      ],
      json: { rounds, found, opened },
    };
  } finally {
    await pool.end();
    await drop();
  }
}
