import { inTransaction, prepared } from '@liandun/event-log';
import type { ClientBase, Pool } from 'pg';
import { liveGenerations, type Generation, type MatchIndex } from './match-index.js';
import { settle } from './settle.js';

/** How far a new generation of keys has come. */
export interface GenerationProgress {
  generation: number;
  matcher: string;
  /** Of the blind index's key. */
  keyVersion: number;
  position: number;
  done: boolean;
}

export interface GenerationOptions {
  pool: Pool;
  index: MatchIndex;
  signal: AbortSignal;
  onProgress?: (progress: GenerationProgress) => void;
  /** Observations in one transaction. */
  batch?: number;
}

const BATCH = 500;
const DELETED_AT_ONCE = 20_000;

const isCurrent = ({ matcher, blind }: Generation, index: MatchIndex): boolean =>
  matcher === index.matcher.version && blind === index.newestBlindKey;

/** What a new generation changes, found without changing it. */
export interface Preview {
  /** Entities that are parted, and that become one with older ones. */
  splits: number;
  merges: number;
  /** Some of them. */
  entityIds: string[];
}

/**
 * Makes the keys of all observations anew where the matcher or the blind index's key is a newer one: while it lasts, records
 * are found by the old ones. Then says what would change, and activates the new ones; with `hold` it waits for a start without.
 * Ended in the middle, it goes on from there at the next start; one process does it at a time.
 */
export async function renewIndex(options: GenerationOptions & { hold?: boolean }): Promise<Preview | undefined> {
  const { pool, index, signal, hold } = options;
  if (!(await begin(pool, index))) return undefined;
  while (!signal.aborted && (await next(options)) > 0);
  if (signal.aborted) return undefined;
  const preview = await previewed(options);
  if (signal.aborted || hold) return preview;
  await inTransaction(pool, async (client) => {
    await matchingAlone(client);
    await client.query(`update match.generation set state = 'retired' where state = 'active'`);
    await client.query(`update match.generation set state = 'active', judged = -1 where state = 'building'`);
  });
  // Whatever was linked by a batch that had begun before.
  while (!signal.aborted && (await next(options)) > 0);
  await dropRetired(options);
  return preview;
}

const ENTITY_IDS_MAX = 50;
const UNDONE = new Error('nothing of a preview stays');

/** Judges everything by the generation that is being built, and takes each step back. */
async function previewed({ pool, index, signal, batch = BATCH }: GenerationOptions): Promise<Preview> {
  const changed = { splits: new Set<string>(), merges: new Set<string>() };
  const at = { position: -1, end: false };
  const step = async (client: ClientBase): Promise<void> => {
    await matchingAlone(client);
    const building = (await liveGenerations(client)).find(({ state }) => state === 'building');
    const positions = building ? await observationsAfter(client, at.position, batch) : [];
    at.position = positions.at(-1) ?? at.position;
    at.end = positions.length === 0;
    if (!building || at.end) return;
    const { splits, merges } = await settle(
      client,
      index,
      [{ ...building, state: 'active', judged: '-1' }],
      [],
      positions,
    );
    for (const { entityId } of splits) changed.splits.add(entityId);
    for (const { retired } of merges) for (const entityId of retired) changed.merges.add(entityId);
    throw UNDONE;
  };
  while (!at.end && !signal.aborted) {
    await inTransaction(pool, step).catch((error: unknown) => {
      if (error !== UNDONE) throw error;
    });
  }
  const entityIds = [...changed.splits, ...changed.merges].slice(0, ENTITY_IDS_MAX);
  const preview = { splits: changed.splits.size, merges: changed.merges.size, entityIds };
  await pool.query(`update match.generation set preview = $1 where state = 'building'`, [JSON.stringify(preview)]);
  return preview;
}

/** Until the transaction ends nobody else judges: what is found must not change while it is being acted on. */
export const matchingAlone = (client: ClientBase): Promise<unknown> =>
  prepared(client, `select pg_advisory_xact_lock(hashtext('liandun.match'))`);

/**
 * The next observations to be judged again by a generation that was activated, oldest first, and none when all are. Called in
 * the transaction that judges them.
 */
export async function nextToJudge(
  client: ClientBase,
  limit: number,
): Promise<{ generation: number; positions: number[] }> {
  await matchingAlone(client);
  const { rows } = await client.query<{ id: number; judged: string }>(
    `select id, judged from match.generation where state = 'active' and judged is not null for update`,
  );
  const generation = rows[0];
  if (!generation) return { generation: 0, positions: [] };
  const positions = await observationsAfter(client, Number(generation.judged), limit);
  await client.query('update match.generation set judged = $2 where id = $1', [
    generation.id,
    positions.at(-1) ?? null,
  ]);
  return { generation: generation.id, positions };
}

/** Whether a generation is to be built; false where the active one is current. */
async function begin(pool: Pool, index: MatchIndex): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    await client.query('lock table match.generation in share row exclusive mode');
    const generations = await liveGenerations(client);
    const active = generations.find(({ state }) => state === 'active');
    const building = generations.find(({ state }) => state === 'building');
    if (!active || isCurrent(active, index)) return false;
    if (building && isCurrent(building, index)) return true;
    if (building) await client.query('update match.generation set state = $2 where id = $1', [building.id, 'retired']);
    await client.query(
      `insert into match.generation (id, matcher, blind, state)
       select max(id) + 1, $1, $2, 'building' from match.generation`,
      [index.matcher.version, index.newestBlindKey],
    );
    return true;
  });
}

/** Keys for the next observations that have none of this generation; how many there were. */
async function next({ pool, index, onProgress, batch = BATCH }: GenerationOptions): Promise<number> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<Generation & { position: string }>(
      `select id, matcher, blind, state, judged, position from match.generation
       where matcher = $1 and blind = $2 and state <> 'retired' order by id desc limit 1 for update`,
      [index.matcher.version, index.newestBlindKey],
    );
    const generation = rows[0];
    if (!generation) return 0;
    const positions = await observationsAfter(client, Number(generation.position), batch);
    const last = positions.at(-1);
    const progress = { generation: generation.id, matcher: generation.matcher, keyVersion: generation.blind };
    if (last === undefined) {
      onProgress?.({ ...progress, position: Number(generation.position), done: true });
      return 0;
    }
    const nodes = [...(await index.nodesAt(client, positions)).values()];
    await index.add(client, nodes, generation);
    await client.query('update match.generation set position = $2 where id = $1', [generation.id, last]);
    onProgress?.({ ...progress, position: last, done: false });
    return positions.length;
  });
}

/** Observations that are looked up by keys of their own: those that repeat another's or were erased aren't. */
async function observationsAfter(client: ClientBase, position: number, limit: number): Promise<number[]> {
  const { rows } = await client.query<{ position: string }>(
    `select l.position from identity.link l where l.position > $1
       and not exists (select from match.alias a where a.position = l.position) order by l.position limit $2`,
    [position, limit],
  );
  return rows.map((row) => Number(row.position));
}

async function dropRetired({ pool, signal }: GenerationOptions): Promise<void> {
  for (let deleted = 1; deleted > 0 && !signal.aborted;) {
    const { rowCount } = await pool.query(
      `delete from match.key where ctid = any(array(select k.ctid from match.key k
         join match.generation g on g.id = k.generation where g.state = 'retired' limit ${DELETED_AT_ONCE}))`,
    );
    deleted = rowCount ?? 0;
  }
}
