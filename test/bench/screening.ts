// What a screening costs at a ledger that has indexed many, beside a bare look-up by primary key in the same run.
import { SUBJECT_KINDS, type Identity } from '@liandun/contracts';
import { EventLog, migrate } from '@liandun/event-log';
import { DatabaseClock } from '@liandun/intake';
import { inquiryOf, liveGenerations, screen, SCREENING_RIDER, screeningRider } from '@liandun/matching';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LedgerWriter } from '../../apps/api/src/ledger-writer.js';
import { Door, DOOR_OPTIONS } from '../../apps/api/src/pools.js';
import { Screenings } from '../../apps/api/src/screenings.js';
import { createTestDatabase } from '../support/database.js';
import { ALL_MIGRATIONS } from '../support/ledger.js';
import { besideBareCommits } from './bare-commits.js';
import { Live, records, take, type Given } from './live.js';
import type { BenchResult } from './result.js';
import { quantile } from './statistics.js';

const INDEXED = Number(process.env.LIANDUN_BENCH_RECORDS ?? 100_000);
const ASKED = 1_000;
const WARM_UP = 100;
const RATE_PER_SECOND = 100;
const PACED_MS = 20_000;
const AT_ONCE = 32;
/** As the api's (apps/api, pools.ts). */
const CONNECTIONS_MAX = 8;
/** One entity in so many is listed. */
const LISTED_EVERY = 10;
const MEMBER = 'bench-asker';

const LIST = `
insert into view.listing (listing_id, position, source_member, source_event_id, origin, entity_id, kind, streamer, code, tier,
  official, orders_stop, status, effective_at, expires_at, accepted_at, codes_version,
  decided_by)
select 'L' || position || '-0123456789ab', position, 'bench-lister', 'e' || position, 'delisting', entity_id, kind, false, 'F04', 1,
  false, false, 'published', now(), now() + interval '3 years', now(), 1, 'bench-lister'
from (select distinct on (entity_id) entity_id, position, kind from identity.link order by entity_id, position) e
where position % ${LISTED_EVERY} = 0`;

interface Question {
  what: string;
  identities: Identity[];
}

/** Applicants by what they are asked with: of the records that are indexed, and of such as aren't. */
function questions(indexed: readonly Given[], others: readonly Given[]): Question[] {
  const some = (of: readonly Given[], test: (identity: Identity) => unknown): Identity[] =>
    of.map(({ identity }) => identity as Identity).filter(test);
  const coded = some(indexed, ({ uscc, residentId }) => uscc ?? residentId).slice(0, ASKED);
  return [
    {
      what: 'an exact identifier',
      identities: coded.map(({ kind, name, uscc, residentId }) => ({ kind, name, uscc, residentId })),
    },
    { what: 'everything, indexed', identities: some(indexed, () => true).slice(0, ASKED) },
    { what: 'everything, unknown', identities: some(others, () => true).slice(0, ASKED) },
  ];
}

interface Timed {
  what: string;
  p50Ms: number;
  p99Ms: number;
  perSecond?: number;
}

async function timed(what: string, each: readonly (() => Promise<unknown>)[]): Promise<Timed> {
  const took: number[] = [];
  for (const work of each) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  const measured = took.slice(WARM_UP);
  const seconds = measured.reduce((sum, ms) => sum + ms, 0) / 1000;
  return {
    what,
    p50Ms: quantile(measured, 0.5),
    p99Ms: quantile(measured, 0.99),
    perSecond: measured.length / seconds,
  };
}

/** One at a time: the statements of a screening's search, without what is kept of it. */
async function searches(live: Live, pool: pg.Pool, asked: readonly Question[]): Promise<Timed[]> {
  const [generation] = await liveGenerations(pool);
  if (!generation) throw new Error('there is no generation of keys');
  const { rows } = await pool.query<{ listing_id: string }>(`select listing_id from view.listing limit ${ASKED}`);
  const lookUp = { name: 'bare', text: 'select * from view.listing where listing_id = $1' };
  const bare = await timed(
    'a primary key, bare',
    rows.map(
      ({ listing_id }) =>
        () =>
          pool.query({ ...lookUp, values: [listing_id] }),
    ),
  );
  const found: Timed[] = [];
  for (const { what, identities } of asked) {
    const works = identities.map((identity) => () => {
      const inquiry = inquiryOf(live.index, live.vault, MEMBER, identity, new Date());
      return screen(pool, live.index, live.vault, generation, inquiry);
    });
    found.push(await timed(what, works));
  }
  return [bare, ...found];
}

/** Whole inquiries, kept durably as the api keeps them: at a steady rate, then as many as go. */
async function inquiries(
  databaseUrl: string,
  screenings: Screenings,
  identities: readonly Identity[],
): Promise<Timed[]> {
  const took: number[] = [];
  const ask = async (n: number, list: number[]): Promise<void> => {
    const began = performance.now();
    await screenings.screen(MEMBER, identities[n % identities.length] as Identity, 'onboarding', [...SUBJECT_KINDS]);
    list.push(performance.now() - began);
  };
  const [, commits] = await besideBareCommits(databaseUrl, async () => {
    const pending: Promise<void>[] = [];
    const began = performance.now();
    for (let n = 0; n < (RATE_PER_SECOND * PACED_MS) / 1000; n += 1) {
      const waitMs = began + (n * 1000) / RATE_PER_SECOND - performance.now();
      if (waitMs > 1) await sleep(waitMs);
      pending.push(ask(n, took));
    }
    await Promise.all(pending);
  });
  const burst: number[] = [];
  const from = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, lane) => {
      for (let n = lane; n < ASKED * 2; n += AT_ONCE) await ask(n, burst);
    }),
  );
  const seconds = (performance.now() - from) / 1000;
  return [
    {
      what: `a whole inquiry, ${RATE_PER_SECOND} a second`,
      p50Ms: quantile(took, 0.5),
      p99Ms: quantile(took, 0.99),
      perSecond: RATE_PER_SECOND,
    },
    { what: 'meanwhile, a commit of nothing', ...commits },
    {
      what: `a whole inquiry, ${AT_ONCE} at once`,
      p50Ms: quantile(burst, 0.5),
      p99Ms: quantile(burst, 0.99),
      perSecond: burst.length / seconds,
    },
  ];
}

/**
 * Screens against a ledger with LIANDUN_BENCH_RECORDS records (100,000 unless told), one entity in ten listed: the search alone by
 * what is asked with, and whole inquiries with everything that is remembered of them, durable.
 */
export async function run({ databaseUrl, root }: { databaseUrl: string; root: string }): Promise<BenchResult> {
  const file = join(process.env.LIANDUN_SHARED ?? join(root, '../shared'), 'data/identity/full.jsonl.gz');
  if (!existsSync(file)) throw new Error(`${file} is missing: the benchmark needs the identity test data`);
  const { url, drop } = await createTestDatabase(databaseUrl);
  await migrate(url, ALL_MIGRATIONS);
  const loading = new pg.Pool({ connectionString: url });
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS_MAX, options: DOOR_OPTIONS });
  for (const each of [loading, pool]) each.on('error', () => undefined); // the database is dropped with force
  const live = new Live(loading);
  const log = new EventLog({ pool, riders: { [SCREENING_RIDER]: screeningRider } });
  try {
    const source = records(file);
    const indexed = await live.load(source, INDEXED, records(file));
    await loading.query(LIST);
    await loading.query('vacuum analyze');
    const asked = questions(indexed, await take(source, ASKED));
    const search = await searches(live, pool, asked);
    const writer = new LedgerWriter(log, live.vault, new DatabaseClock(pool));
    const screenings = new Screenings(new Door(pool), live.vault, writer);
    const mixed = asked
      .flatMap(({ identities }) => identities)
      .toSorted(({ name: a }, { name: b }) => (a < b ? -1 : 1));
    return resultOf(search, await inquiries(url, screenings, mixed));
  } finally {
    await live.log.close();
    await log.close();
    await Promise.all([loading.end(), pool.end()]);
    await drop();
  }
}

function resultOf(search: readonly Timed[], whole: readonly Timed[]): BenchResult {
  const bare = search[0] as Timed;
  const rows = [...search, ...whole].map(({ what, p50Ms, p99Ms, perSecond }) => ({
    run: what,
    'p50 ms': p50Ms.toFixed(2),
    'p99 ms': p99Ms.toFixed(2),
    'a second': perSecond === undefined ? '' : Math.round(perSecond),
    'times bare (p50)': (p50Ms / bare.p50Ms).toFixed(1),
  }));
  return {
    name: 'screening',
    title: `Screening, ${INDEXED} records indexed, one entity in ${LISTED_EVERY} listed`,
    rows,
    notes: [
      'aims: p99 below 20 ms at 100 a second; an exact identifier within 3 times the bare look-up',
      'searches one after another; whole inquiries are appended and remembered durably; client and server share the machine',
    ],
    json: { indexed: INDEXED, search, whole },
  };
}
