// How fast the live ledger says who a merchant is: the reconcile reader on an index of many records, everything committed.
import { EVENT_TYPES, memberSource, type Identity } from '@liandun/contracts';
import { EVENT_LOG_MIGRATIONS, EventLog, inTransaction, migrate, runReader, type NewEvent } from '@liandun/event-log';
import { reconcileBatch, zhMatcher, type MatchRecord } from '@liandun/identity';
import {
  edgeRow,
  firstGeneration,
  liveGenerations,
  MATCHING_MIGRATIONS,
  MatchIndex,
  nodeId,
  positionsIn,
  regroup,
  type PairEdge,
} from '@liandun/matching';
import { generateVaultKeys, Vault, VAULT_MIGRATIONS, VAULT_RIDER, vaultRider } from '@liandun/vault';
import { VIEW_MIGRATIONS } from '@liandun/views';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { reconcileReader } from '../../apps/worker/src/reconcile.js';
import { createTestDatabase } from '../support/database.js';
import { besideBareCommits, type BareCommits } from './bare-commits.js';
import { copyOf } from './reconcile/copies.js';
import type { BenchResult } from './result.js';
import { quantile } from './statistics.js';

const INDEXED = Number(process.env.LIANDUN_BENCH_RECORDS ?? 100_000);
const LOAD_BATCH = 2_000;
const FIRST_MAX = 60_000;
const BURST = 10_000;
const PACED_MS = 20_000;
/** A reader that has just started isn't what is measured. */
const WARM_UP_MS = 2_000;
const TICK_MS = 20;

/** A record of the test data. */
export type Given = Required<Pick<MatchRecord, 'recordId' | 'memberId' | 'merchantId'>> & MatchRecord;

/** `full` again and again, each time in another world. */
export async function* records(file: string): AsyncGenerator<Given> {
  for (let copy = 0; ; copy++)
    for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) }))
      yield copyOf(JSON.parse(line) as MatchRecord, copy) as Given;
}

export async function take<T>(source: AsyncGenerator<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value, done } = await source.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** A ledger without its wires, into which records come as they are. */
export class Live {
  readonly vault = new Vault(generateVaultKeys());
  readonly index = new MatchIndex(zhMatcher, this.vault);
  readonly log: EventLog;

  constructor(readonly pool: pg.Pool) {
    this.log = new EventLog({ pool, riders: { [VAULT_RIDER]: vaultRider } });
  }

  private event({ recordId, memberId, merchantId, identity, shops = [] }: Given): NewEvent {
    const ref = {
      id: recordId,
      source: memberSource(memberId),
      type: EVENT_TYPES.merchantReported,
      time: '2026-11-01T09:00:00.000+08:00',
    };
    const said = { merchantId, identity: identity as Identity, shops, status: 'active' };
    const { data, row } = this.vault.separate(ref, said);
    return {
      ...ref,
      stream: `merchant/${memberId}/${merchantId}`,
      data,
      fingerprint: createHash('sha256').update(recordId).digest(),
      ...(row && { riders: { [VAULT_RIDER]: row } }),
    };
  }

  /** Their positions and the ids of the entities that they would found. */
  async append(batch: readonly Given[]): Promise<{ position: number; entityId: string }[]> {
    const outcomes = await this.log.appendAll(batch.map((record) => ({ events: [this.event(record)] })));
    return outcomes.map((outcome) => {
      const receipt = outcome.status === 'appended' ? outcome.receipts[0] : undefined;
      if (!receipt) throw new Error(`a record was not appended: ${outcome.status}`);
      return { position: receipt.position, entityId: this.index.entityId(receipt.position) };
    });
  }

  /**
   * Fills log, vault and index with the first `count` records as the readers would leave them, each edge and grade included; who
   * is one is taken from the batch matcher.
   * @param source stands behind the last one then
   * @param again the same records once more
   * @returns the first records
   */
  async load(source: AsyncGenerator<Given>, count: number, again: AsyncGenerator<Given>): Promise<Given[]> {
    const began = performance.now();
    const positions: number[] = [];
    let first: Given[] = [];
    await inTransaction(this.pool, (client) => firstGeneration(client, this.index));
    const [generation] = await liveGenerations(this.pool);
    if (!generation) throw new Error('there is no generation of keys');
    while (positions.length < count) {
      const given = await take(source, Math.min(LOAD_BATCH, count - positions.length));
      if (given.length === 0) break;
      if (first.length < FIRST_MAX) first = first.concat(given);
      const appended = await this.append(given);
      const nodes = given.map((record, n) => ({
        id: nodeId(appended[n]?.position ?? 0),
        features: zhMatcher.features({ ...record, reportedAt: '2026-11-01' }),
      }));
      await inTransaction(this.pool, (client) => this.index.add(client, nodes, generation));
      positions.push(...appended.map(({ position }) => position));
      if (positions.length % FIRST_MAX === 0) said(`${positions.length} records indexed`, began);
    }
    await this.#link(again, positions);
    said(`${positions.length} records linked`, began);
    await this.pool.query('analyze');
    await this.pool.query(
      `insert into log.reader (name, position) select 'reconcile', max(position) from log.entry
       on conflict (name) do update set position = excluded.position`,
    );
    return first;
  }

  /** Who is one of the records at these positions, in their order; all at once, since copies have a few neighbours in each other. */
  async #link(source: AsyncGenerator<Given>, positions: readonly number[]): Promise<void> {
    const kinds = new Map<number, string>();
    async function* placed(): AsyncGenerator<Given> {
      for (const position of positions) {
        const record = (await source.next()).value as Given;
        kinds.set(position, record.identity.kind);
        yield { ...record, recordId: nodeId(position) };
      }
    }
    const [edges, links] = [new Rows(), new Rows()];
    const idOf = (position: number): string => this.index.entityId(position);
    const link = (entities: number[][], pairs: PairEdge[]): void => {
      for (const one of regroup(new Map(), { entities, edges: pairs, reviews: [] }, idOf, () => -1).linked)
        links.add({ ...one, kind: kinds.get(one.observation) });
    };
    const alone = new Set(positions);
    await reconcileBatch(placed(), (component) => {
      const entities = component.entities.map((ids) => ids.map(Number));
      for (const position of entities.flat()) alone.delete(position);
      link(entities, component.edges.filter(({ verdict }) => verdict.outcome === 'link').map(positionsIn));
      for (const edge of component.edges) edges.add(edgeRow(edge));
    });
    for (const position of alone) link([[position]], []);
    for (const rows of links.texts())
      await this.pool.query(
        `insert into identity.link (position, entity_id, kind, same_as, strong_as)
         select observation, "entityId", kind, "sameAs", "strongAs" from jsonb_to_recordset($1)
           r (observation bigint, "entityId" text, kind text, "sameAs" bigint, "strongAs" bigint)`,
        [rows],
      );
    for (const rows of edges.texts())
      await this.pool.query('insert into match.edge select * from jsonb_populate_recordset(null::match.edge, $1)', [
        rows,
      ]);
  }
}

/** Rows as JSON, some thousand in a text: as objects those of a million records would need gigabytes. */
class Rows {
  readonly #done: string[] = [];
  #rows: object[] = [];

  add(row: object): void {
    this.#rows.push(row);
    if (this.#rows.length === LOAD_BATCH) this.#close();
  }

  #close(): void {
    this.#done.push(JSON.stringify(this.#rows));
    this.#rows = [];
  }

  *texts(): Generator<string> {
    this.#close();
    yield* this.#done;
  }
}

const said = (what: string, began: number): boolean =>
  process.stderr.write(`${what}, ${((performance.now() - began) / 1000).toFixed(0)} s\n`);

/**
 * Records come into a ledger that has indexed many: first ten thousand at once, then for twenty seconds at half of that
 * speed, from the commit of the report to the commit of its link. LIANDUN_BENCH_RECORDS says how many are indexed before.
 */
export async function run({ databaseUrl, root }: { databaseUrl: string; root: string }): Promise<BenchResult> {
  const file = join(process.env.LIANDUN_SHARED ?? join(root, '../shared'), 'data/identity/full.jsonl.gz');
  if (!existsSync(file)) throw new Error(`${file} is missing: the benchmark needs the identity test data`);
  const { url, drop } = await createTestDatabase(databaseUrl);
  await migrate(url, [...EVENT_LOG_MIGRATIONS, ...VAULT_MIGRATIONS, ...VIEW_MIGRATIONS, ...MATCHING_MIGRATIONS]);
  const pool = new pg.Pool({ connectionString: url, ...({ pipeline: true } as object) });
  pool.on('error', () => undefined); // the database is dropped with force
  pool.on(
    'connect',
    (client) => void client.query('set enable_seqscan = off; set plan_cache_mode = force_generic_plan; set jit = off'),
  );
  const live = new Live(pool);
  try {
    const source = records(file);
    await live.load(source, INDEXED, records(file));
    const burst = await measureBurst(live, await take(source, BURST));
    const [paced, commits] = await besideBareCommits(url, () => measurePaced(live, source, burst.perSecond / 2));
    return resultOf(burst, paced, commits);
  } finally {
    await live.log.close();
    await pool.end();
    await drop();
  }
}

interface Burst {
  perSecond: number;
  /** Of the process that matches, reading ahead included; of the database's none. */
  cpuMsEach: number;
  split: number;
  merged: number;
}

export async function measureBurst(live: Live, given: Given[]): Promise<Burst> {
  for (let from = 0; from < given.length; from += LOAD_BATCH) await live.append(given.slice(from, from + LOAD_BATCH));
  const last = await live.log.head();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const reader = runReader(live.pool, reconcileReader(live.log, live.index));
  await reader.reached(last);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  await reader.stop();
  const { rows } = await live.pool.query<{ type: string; count: string }>(
    'select type, count(*) from log.entry where position > $1 group by type',
    [last],
  );
  const count = (type: string): number => Number(rows.find((row) => row.type === type)?.count ?? 0);
  const { rows: parked } = await live.pool.query('select error from log.parked limit 1');
  if (parked.length > 0) throw new Error(`the reader parked events: ${JSON.stringify(parked)}`);
  return {
    perSecond: given.length / seconds,
    cpuMsEach: (user + system) / 1000 / given.length,
    split: count(EVENT_TYPES.entitySplit),
    merged: count(EVENT_TYPES.entityMerged),
  };
}

interface Paced {
  rate: number;
  p50Ms: number;
  p99Ms: number;
  events: number;
}

export async function measurePaced(live: Live, source: AsyncGenerator<Given>, rate: number): Promise<Paced> {
  const reader = runReader(live.pool, reconcileReader(live.log, live.index));
  const took: number[] = [];
  const pending: Promise<void>[] = [];
  const given = await take(source, Math.ceil((rate * (WARM_UP_MS + PACED_MS)) / 1000));
  const began = performance.now();
  let sent = 0;
  const linked = async (batch: Given[]): Promise<void> => {
    const appended = await live.append(batch);
    const committed = performance.now();
    await reader.reached(appended.at(-1)?.position ?? 0);
    if (committed - began > WARM_UP_MS) took.push(...batch.map(() => performance.now() - committed));
  };
  while (sent < given.length) {
    const due = Math.min(given.length, Math.ceil(((performance.now() - began) * rate) / 1000));
    const batch = given.slice(sent, due);
    sent = due;
    if (batch.length > 0) {
      pending.push(linked(batch));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(pending);
  await reader.stop();
  return { rate, p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99), events: took.length };
}

const resultOf = (burst: Burst, paced: Paced, commits: BareCommits): BenchResult => ({
  name: 'live',
  title: `Live reconciliation, ${INDEXED} records indexed, durable commits`,
  rows: [
    { run: `${BURST} at once`, figure: `${Math.round(burst.perSecond)} events/s`, aim: '1,000/s' },
    {
      run: `${Math.round(paced.rate)} a second`,
      figure: `p50 ${paced.p50Ms.toFixed(0)} ms  p99 ${paced.p99Ms.toFixed(0)} ms`,
      aim: 'p99 50 ms',
    },
    {
      run: 'meanwhile, a commit of nothing',
      figure: `p50 ${commits.p50Ms.toFixed(1)} ms  p99 ${commits.p99Ms.toFixed(0)} ms`,
      aim: '',
    },
  ],
  notes: [
    `in the burst ${burst.cpuMsEach.toFixed(2)} ms of CPU an event beside the database's; ${burst.merged} merges and ${burst.split} splits`,
    'from the commit of the report to the commit of its link; reports and reader share this process and the machine',
  ],
  json: { indexed: INDEXED, burst, paced, commits },
});
