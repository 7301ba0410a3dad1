import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import { relayLag } from '@liandun/messaging';
import { LiandunClient } from '@liandun/sdk';
import type { ChildProcess } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { drawn } from '../support/drawn.js';
import { env, until } from '../support/kafka.js';
import { feedOf, openStores, Platform, type Stores } from '../support/platform.js';
import { Product, type App } from '../support/product.js';
import { delisted, organization, reported } from '../support/submissions.js';

// A PostgreSQL and a Kafka of this file's own: the run's other tests keep theirs.
const local = (name: string): Promise<Record<string, (...given: unknown[]) => Promise<never>>> =>
  import(join(import.meta.dirname, `../../deploy/local/${name}.mjs`));

interface Service {
  child: ChildProcess;
  ended: Promise<unknown>;
  url: string;
  brokers: string;
  internal: string;
}

const [SENDER, HOST, FEED] = ['sk-a', 'sk-b', 'sk-c'];
const servers = new Map<'postgres' | 'kafka', { service: Service; start: () => Promise<Service> }>();
let folder: string;
let product: Product;
let pool: pg.Pool;
let stores: Stores;
const platforms: Platform[] = [];
let serial = drawn(500_001, 900_000);

async function freePorts(count: number): Promise<number[]> {
  const open = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = open.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(open.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liandun-test-servers-'));
  await chmod(folder, 0o755);
  const { d: _private, ...publicKey } = JSON.parse(env('KAFKA_KEY')) as Record<string, string>;
  await writeFile(`${folder}/jwks.json`, JSON.stringify({ keys: [publicKey] }));
  const [{ startPostgres }, { startKafka }] = await Promise.all([local('postgres'), local('kafka')]);
  const [port, ...ports] = await freePorts(4);
  const start = {
    // Durable as the product's own: what was committed is there after the crash.
    postgres: (): Promise<Service> =>
      startPostgres!({ dir: `${folder}/postgres`, port, log: `${folder}/postgres.log` }),
    kafka: (): Promise<Service> =>
      startKafka!({
        dir: `${folder}/kafka`,
        cache: join(import.meta.dirname, '../../.liandun'),
        ports,
        jwks: `${folder}/jwks.json`,
        issuer: env('LIANDUN_ISSUER'),
        log: `${folder}/kafka.log`,
      }),
  };
  for (const name of ['postgres', 'kafka'] as const)
    servers.set(name, { service: await start[name](), start: start[name] });
  product = await Product.start(
    [SENDER, HOST, FEED].map((memberId) => ({ memberId, role: 'platform' as const })),
    {
      databaseUrl: service('postgres').url,
      kafkaBrokers: service('kafka').brokers,
      kafkaInternal: service('kafka').internal,
      kafkaKey: JSON.parse(env('KAFKA_KEY')) as object,
      issuer: env('LIANDUN_ISSUER'),
    },
  );
  pool = product.pool().on('error', () => undefined);
  // The platforms' own databases are elsewhere: they stay.
  stores = await openStores();
  platforms.push(
    await Platform.open(product, HOST, 'kafka', stores, service('kafka').brokers),
    await Platform.open(product, FEED, 'feed', stores),
  );
}, 240_000);

afterAll(async () => {
  await Promise.all(platforms.map((each) => each.close()));
  await pool?.end();
  await stores?.drop();
  await product?.stop();
  await (
    await local('children')
  )['stopAll']!();
  await rm(folder, { recursive: true, force: true });
});

const service = (name: 'postgres' | 'kafka'): Service => servers.get(name)!.service;

/** As a power cut: the whole process group is gone at once. Started again on the same files and ports. */
async function killAndRestart(name: 'postgres' | 'kafka', downMs: number): Promise<void> {
  const server = servers.get(name)!;
  process.kill(-server.service.child.pid!, 'SIGKILL');
  await server.service.ended;
  await sleep(downMs);
  server.service = await server.start();
}

/** What an orchestrator does: a program that has given up is started again. */
function supervise(stopped: AbortSignal): Promise<unknown> {
  const watch = async (app: App): Promise<void> => {
    while (!stopped.aborted) {
      if (!product.runs(app)) await product.run(app).catch(() => undefined);
      await sleep(200);
    }
  };
  return Promise.all([watch('api'), watch('worker')]);
}

const patient = (memberId: string): LiandunClient =>
  new LiandunClient({
    url: product.url,
    memberId,
    key: product.keys.get(memberId) as never,
    attemptsMax: 200,
  });

/** Merchants of both platforms, whom SENDER delists. */
async function flow(count: number): Promise<{ receipts: Receipt[]; merchantIds: string[] }> {
  const receipts: Receipt[] = [];
  const merchantIds: string[] = [];
  for (let n = 0; n < count; n += 1) {
    serial += 1;
    const merchantId = `m-${randomUUID()}`;
    const identity = organization(serial);
    for (const memberId of [HOST, FEED])
      receipts.push(await patient(memberId).publish(reported(memberId, merchantId, identity) as CloudEvent));
    const event = delisted(SENDER, merchantId, identity, { id: randomUUID() });
    receipts.push(await patient(SENDER).publish(event as CloudEvent));
    merchantIds.push(merchantId);
  }
  return { receipts, merchantIds };
}

test.each([
  ['postgres', 500],
  ['kafka', 500],
  ['postgres', 4_000],
] as const)(
  'I1, I3, I11: %s is killed while events flow, for %d ms: each is stored once, and each platform hears all of it',
  async (name, downMs) => {
    const enough = new AbortController();
    const supervised = supervise(enough.signal);
    const flowing = flow(25);
    await sleep(randomInt(300, 1_500));
    await killAndRestart(name, downMs);
    const { receipts, merchantIds } = await flowing;
    expect(receipts.filter(({ status }) => status !== 'accepted' && status !== 'duplicate')).toEqual([]);
    await product.settled();
    await until('Kafka has every notice', async () => (await relayLag(pool)).size === 0, 120_000);
    enough.abort();
    await supervised;
    const { rows } = await pool.query<{ stored: number; gaps: number; parked: number }>(
      `select (select count(*)::int from log.entry where id = any($1)) as stored,
         (select (max(position) + 1 - count(*))::int from log.entry) as gaps,
         (select count(*)::int from log.parked) as parked`,
      [receipts.map(({ id }) => id)],
    );
    expect(rows).toEqual([{ stored: receipts.length, gaps: 0, parked: 0 }]);
    for (const platform of platforms) {
      const feed = (await feedOf(product.client(platform.memberId))).map(({ data }) => data);
      const closed = feed.filter(({ action }) => action === 'close').flatMap((notice) => notice.merchantIds);
      expect(closed.filter((id) => merchantIds.includes(id)).toSorted()).toEqual(merchantIds.toSorted());
      await platform.handledUpTo(feed.length - 1);
      expect((await platform.effects()).map(({ seq }) => seq)).toEqual(feed.map((_, n) => n));
    }
  },
  300_000,
);
