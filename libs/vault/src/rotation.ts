// Key rotation: seals anew under the newest key-encryption key, then writes the blind index anew under the newest key. A job that
// ends in the middle goes on from where it stood.
import type { Identity } from '@liandun/contracts';
import { inTransaction } from '@liandun/event-log';
import type pg from 'pg';
import { resealDerived } from './derived.js';
import { sealPerson, unsealPerson, type SealedPerson } from './erasing.js';
import { sealByPerson } from './separate.js';
import { tokensOf, personTokensOf, type Token } from './tokens.js';
import type { Vault, VaultEvent } from './vault.js';

export interface RotationProgress {
  job: 'seal' | 'blind';
  /** The version that it rotates to. */
  version: number;
  /** Entries done in this run. */
  entries: number;
  /** The last position that was done. */
  position: number;
  /** The last position that there was something to do for when it began: how far it has to go. */
  last: number;
  done: boolean;
}

export interface RotationOptions {
  pool: pg.Pool;
  vault: Vault;
  /** The entries at these positions, from the log. */
  entriesAt: (positions: number[]) => Promise<VaultEvent[]>;
  onProgress?: (progress: RotationProgress) => void;
  signal?: AbortSignal;
  batch?: number;
}

type Step = (client: pg.PoolClient, positions: number[], options: RotationOptions) => Promise<void>;

interface Job {
  job: RotationProgress['job'];
  version: number;
  /** Positions after $1, at most $2, that still lack version $3. */
  lacking: string;
  step: Step;
}

/** The entries' values under fresh data keys, wrapped by the newest key-encryption key. */
const reseal: Step = async (client, positions, { vault, entriesAt }) => {
  const events = await entriesAt(positions);
  const opened = await vault.open(client, events);
  for (const event of events) {
    for (const { person, sealed, wrapped, keyVersion } of sealByPerson(
      opened.get(event.position) ?? [],
      event,
      vault.keys,
    )) {
      const at = [event.position, person];
      await client.query('update vault.record set sealed = $3 where position = $1 and person = $2', [...at, sealed]);
      await client.query(
        'update vault.data_key set wrapped = $3, key_version = $4 where position = $1 and person = $2',
        [...at, wrapped, keyVersion],
      );
    }
  }
  await resealDerived(client, positions, vault.keys.kms);
};

/** Adds the tokens of the newest version beside those that are there. */
const reindex: Step = async (client, positions, { vault, entriesAt }) => {
  const newest = vault.keys.blind.slice(-1);
  const events = await entriesAt(positions);
  const data = await vault.reveal(client, events);
  const add = async (table: string, kinds: (identity: Identity) => Token[]): Promise<void> => {
    const rows = events.flatMap(({ position }, n) =>
      kinds((data[n] as { identity: Identity }).identity).map((token) => ({ position, ...token })),
    );
    // Only beside tokens of the same kind: what was erased does not come back.
    await client.query(
      `insert into vault.${table} (position, kind, key_version, token)
       select p, k, v, t from unnest($1::bigint[], $2::text[], $3::smallint[], $4::bytea[]) as given (p, k, v, t)
       where exists (select from vault.${table} old where old.position = p and old.kind = k)
         and not exists (select from vault.${table} new where new.position = p and new.token = t)`,
      [rows.map((r) => r.position), rows.map((r) => r.kind), rows.map((r) => r.keyVersion), rows.map((r) => r.token)],
    );
  };
  await add('token', (identity) => tokensOf(identity, newest));
  await add('person_token', (identity) => personTokensOf(identity, newest));
};

const sealLackingIn = (table: string): string => `(select distinct position from vault.${table}
  where position > $1 and key_version < $3 order by position limit $2)`;
const SEAL_LACKING = `${sealLackingIn('data_key')} union ${sealLackingIn('derived')} order by position limit $2`;
// Each branch goes along its index on position and stops at the limit.
const lackingIn = (table: string): string => `(select distinct position from vault.${table} old
  where position > $1 and key_version < $3 and not exists
    (select from vault.${table} new where new.position = old.position and new.kind = old.kind and new.key_version >= $3)
  order by position limit $2)`;
const INDEX_LACKING = `${lackingIn('token')} union ${lackingIn('person_token')} order by position limit $2`;

async function nextBatch(
  client: pg.PoolClient,
  { job, version, lacking, step }: Job,
  options: RotationOptions,
): Promise<number[]> {
  await client.query('insert into vault.rotation (job, version, position) values ($1, $2, -1) on conflict do nothing', [
    job,
    version,
  ]);
  // One at a time, whichever process it is in, and no erasure meanwhile.
  await client.query('select from vault.rotation order by job, version for update');
  const { rows: at } = await client.query<{ position: string }>(
    'select position from vault.rotation where job = $1 and version = $2',
    [job, version],
  );
  const { rows } = await client.query<{ position: string }>(lacking, [
    at[0]?.position ?? -1,
    options.batch ?? 500,
    version,
  ]);
  const positions = rows.map(({ position }) => Number(position));
  if (positions.length === 0) return [];
  await step(client, positions, options);
  await client.query('update vault.rotation set position = $3 where job = $1 and version = $2', [
    job,
    version,
    positions.at(-1),
  ]);
  return positions;
}

/** While nothing can be appended: looks a last time, then the matcher compares by the new version and the old tokens go. */
async function finish(client: pg.PoolClient, { job, version, lacking }: Job): Promise<boolean> {
  await client.query('select from log.head for update');
  const { rows } = await client.query(lacking, [-1, 1, version]);
  if (rows.length > 0) {
    await client.query('update vault.rotation set position = -1 where job = $1 and version = $2', [job, version]);
    return false;
  }
  if (job === 'blind') {
    await client.query('update vault.index_version set version = $1', [version]);
    for (const table of ['token', 'person_token'])
      await client.query(`delete from vault.${table} where key_version < $1`, [version]);
  }
  await client.query('update vault.rotation set done = true where job = $1 and version = $2', [job, version]);
  return true;
}

async function run(job: Job, options: RotationOptions): Promise<void> {
  const { pool, onProgress, signal } = options;
  const { rows } = await pool.query(job.lacking, [-1, 1, job.version]);
  if (rows.length === 0 && job.job === 'seal') return;
  const { rows: ends } = await pool.query<{ last: string | null }>('select max(position) as last from vault.data_key');
  const last = Number(ends[0]?.last ?? 0);
  const state = { job: job.job, version: job.version, entries: 0, position: -1, last };
  for (;;) {
    if (signal?.aborted) return;
    const positions = await inTransaction(pool, (client) => nextBatch(client, job, options));
    if (positions.length > 0) {
      state.entries += positions.length;
      state.position = positions.at(-1) as number;
      onProgress?.({ ...state, done: false });
    } else if (await inTransaction(pool, (client) => finish(client, job))) {
      onProgress?.({ ...state, done: true });
      return;
    }
  }
}

/** Whom undecided erasures are about: few rows, so in one go. */
async function resealRequests({ pool, vault }: RotationOptions): Promise<void> {
  const { kms } = vault.keys;
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<SealedPerson & { erasureId: string }>(
      `select erasure_id as "erasureId", sealed, wrapped, key_version as "keyVersion" from vault.erasure
       where key_version < $1 for update`,
      [kms.keyVersion],
    );
    for (const { erasureId, ...person } of rows) {
      const { sealed, wrapped, keyVersion } = sealPerson(unsealPerson(person, erasureId, kms), erasureId, kms);
      await client.query('update vault.erasure set sealed = $2, wrapped = $3, key_version = $4 where erasure_id = $1', [
        erasureId,
        sealed,
        wrapped,
        keyVersion,
      ]);
    }
  });
}

/**
 * Brings everything to the newest versions of the vault's keys; does nothing where it is there already. Every process must have
 * been started with the new key file before. Afterwards the older versions can be taken out of it.
 */
export async function rotate(options: RotationOptions): Promise<void> {
  const { pool, vault } = options;
  const { kms, blind } = vault.keys;
  await resealRequests(options);
  await run({ job: 'seal', version: kms.keyVersion, lacking: SEAL_LACKING, step: reseal }, options);
  const { rows } = await pool.query<{ version: number }>('select version from vault.index_version');
  const newest = blind.at(-1)?.version ?? 1;
  if (newest > (rows[0]?.version ?? newest))
    await run({ job: 'blind', version: newest, lacking: INDEX_LACKING, step: reindex }, options);
}
