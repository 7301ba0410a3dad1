// How long a delisting takes from the publisher's request to the hands of the other platforms' Kafka consumers.
import { makeUscc, memberSource, SUBMITTED_TYPES } from '@liandun/contracts';
import { kafkaClient } from '@liandun/sdk';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Product, type Servers } from '../support/product.js';
import { caseOf, shopOf } from '../support/submissions.js';
import { hopRow, HOPS_TOLD, hopsOf, wallClock, type Hop, type Told } from './notice-hops.js';
import type { BenchResult } from './result.js';
import { quantile } from './statistics.js';

const PLATFORMS = [3, 30, 100];
const AT_REST = 100;
const FLOOR_ROUNDS = 60;
const BURST_NOTICES = 12_000;
const LOADED_SECONDS = 15;
const AIM_REST = 2;
const AIM_LOADED_MS = 1_000;

const PUBLISHER = 'bench-publisher';
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

const rounded = (value: number): number => Number(value.toFixed(1));

interface Arrival {
  value: string;
  /** When its producer dated it, and when it was here, by the wall clock. */
  sent: number;
  came: number;
  latency: number;
}

const latenciesOf = (arrivals: Arrival[]): number[] => arrivals.map(({ latency }) => latency);

/** Receives from many topics as one bare kafkajs consumer and tells when each expected key has come from all of them. */
class Arrivals {
  private readonly waiting = new Map<
    string,
    { missing: number; arrivals: Arrival[]; began: number; done: () => void }
  >();

  expect(key: string, topics: number): Promise<Arrival[]> {
    const began = wallClock();
    return new Promise((resolve) => {
      const arrivals: Arrival[] = [];
      this.waiting.set(key, { missing: topics, arrivals, began, done: () => resolve(arrivals) });
    });
  }

  arrived(key: string, { value, sent }: Pick<Arrival, 'value' | 'sent'>): void {
    const one = this.waiting.get(key);
    if (!one) return;
    const came = wallClock();
    one.arrivals.push({ value, sent, came, latency: came - one.began });
    one.missing -= 1;
    if (one.missing > 0) return;
    this.waiting.delete(key);
    one.done();
  }
}

async function consume(brokers: string, topics: string[], keyOf: (value: string) => string) {
  const arrivals = new Arrivals();
  const consumer = kafkaClient({ brokers, clientId: 'bench' }).consumer({
    groupId: `bench-${randomUUID()}`,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
  await consumer.run({
    eachMessage: ({ message }) => {
      const value = String(message.value);
      return Promise.resolve(arrivals.arrived(keyOf(value), { value, sent: Number(message.timestamp) }));
    },
  });
  await joined;
  await sleep(500);
  return { arrivals, stop: () => consumer.disconnect() };
}

let serial = 0;
/** A delisting of an organization that nobody else hosts: every other platform is told to restrict its admission. */
function delisting(): { uscc: string; body: string } {
  serial += 1;
  const uscc = makeUscc('990101', serial);
  const data = {
    merchantId: `m-${serial}`,
    identity: { kind: 'organization', name: `虚构贸易第${serial}有限公司`, uscc },
    shops: [shopOf(`s-${serial}`)],
    terminatedAt: new Date(Date.now() - 60_000).toISOString(),
    ...caseOf(),
  };
  const event = {
    specversion: '1.0',
    id: randomUUID(),
    source: memberSource(PUBLISHER),
    type: SUBMITTED_TYPES.merchantDelisted,
    time: new Date().toISOString(),
    data,
  };
  return { uscc, body: JSON.stringify(event) };
}

async function publish(url: string, token: string, body: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents+json' };
  const call = request(`${url}/v1/events`, { method: 'POST', agent, headers });
  call.end(body);
  const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  if (response.statusCode !== 201) throw new Error(`a delisting was answered with ${response.statusCode}`);
  await once(response, 'end');
}

const usccOf = (value: string): string =>
  (JSON.parse(value) as { data: { entity: { uscc?: string } } }).data.entity.uscc ?? '';

/** What a notice says of the entries that it follows from. */
const placeOf = ({ value, sent, came }: Arrival): Told['notices'][number] => {
  const { position, listingId } = (JSON.parse(value) as { data: { position: number; listingId: string } }).data;
  return { position, listingId, sent, came };
};

/** How much is measured. */
interface Extent {
  platforms: number[];
  rounds: number;
  loaded: boolean;
}

interface Measured {
  rest: number[];
  answered: number[];
  hops: Record<Hop, number[]>;
  loaded: number[];
  limit: number;
  rate: number;
}

async function measure(servers: Servers, platforms: number, { rounds, loaded: underLoad }: Extent): Promise<Measured> {
  const receivers = Array.from({ length: platforms }, (_, n) => `bench-${platforms}-${n}`);
  const members = [PUBLISHER, ...receivers].map((memberId) => ({ memberId, role: 'platform' as const }));
  const product = await Product.start(members, servers);
  const topics = receivers.map((member) => `notices.${member}`);
  const { arrivals, stop } = await consume(servers.kafkaInternal, topics, usccOf);
  const token = () => product.client(PUBLISHER).token();
  const answered: number[] = [];
  const tell = async (bearer: string): Promise<Arrival[]> => {
    const { uscc, body } = delisting();
    const told = arrivals.expect(uscc, platforms);
    const began = performance.now();
    await publish(product.url, bearer, body);
    answered.push(performance.now() - began);
    return told;
  };
  try {
    let bearer = await token();
    for (let n = 0; n < 10; n += 1) await tell(bearer);
    answered.length = 0;
    const rest: number[] = [];
    const told: Told[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const began = wallClock();
      const came = await tell(bearer);
      rest.push(...latenciesOf(came));
      told.push({ began, notices: came.map(placeOf) });
      await sleep(50);
    }
    const hops = await hopsOf(product.databaseUrl, told);
    const atRest = { rest, hops, answered: answered.slice(0, rounds) };
    if (!underLoad) return { ...atRest, loaded: [], limit: Number.NaN, rate: Number.NaN };
    const burst = Math.max(20, Math.floor(BURST_NOTICES / platforms));
    const began = performance.now();
    await Promise.all(Array.from({ length: Math.min(burst, 1_000) }, () => tell(bearer)));
    const limit = (Math.min(burst, 1_000) * platforms) / ((performance.now() - began) / 1000);
    bearer = await token();
    const rate = limit / 2 / platforms;
    const loaded: Promise<Arrival[]>[] = [];
    const start = performance.now();
    for (let n = 0; n < rate * LOADED_SECONDS; n += 1) {
      const wait = start + (n / rate) * 1000 - performance.now();
      if (wait > 0) await sleep(wait);
      loaded.push(tell(bearer));
    }
    return { ...atRest, loaded: latenciesOf((await Promise.all(loaded)).flat()), limit, rate: rate * platforms };
  } finally {
    await stop();
    await product.stop();
  }
}

/** The floor: one durable commit, then one message to each topic by a bare kafkajs producer until it was consumed. */
async function floor(servers: Servers, platforms: number): Promise<number[]> {
  const kafka = kafkaClient({ brokers: servers.kafkaInternal, clientId: 'bench' });
  const topics = Array.from({ length: platforms }, (_, n) => `floor-${platforms}-${n}`);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: true });
  await admin.disconnect();
  const { arrivals, stop } = await consume(servers.kafkaInternal, topics, (value) => value.slice(0, 36));
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const db = new pg.Client({ connectionString: servers.databaseUrl });
  await db.connect();
  await db.query('create table if not exists bench_floor (id uuid primary key)');
  const latencies: number[] = [];
  for (let n = 0; n < FLOOR_ROUNDS; n += 1) {
    const id = randomUUID();
    const value = id.padEnd(1_200, 'x');
    const came = arrivals.expect(id, platforms);
    await db.query('insert into bench_floor values ($1)', [id]);
    await producer.sendBatch({ acks: -1, topicMessages: topics.map((topic) => ({ topic, messages: [{ value }] })) });
    const one = await came;
    if (n >= 10) latencies.push(...latenciesOf(one));
    await sleep(50);
  }
  await Promise.all([producer.disconnect(), db.end(), stop()]);
  return latencies;
}

/**
 * Latencies from the request that publishes a delisting to each notice at a Kafka consumer, beside the floor, and where the time goes
 * at rest.
 */
export async function run(
  servers: Servers,
  extent: Extent = { platforms: PLATFORMS, rounds: AT_REST, loaded: true },
): Promise<BenchResult> {
  const rows: BenchResult['rows'] = [];
  const steps: BenchResult['rows'] = [];
  for (const platforms of extent.platforms) {
    const least = await floor(servers, platforms);
    const { rest, answered, hops, loaded, limit, rate } = await measure(servers, platforms, extent);
    rows.push({
      platforms,
      'floor p50 ms': rounded(quantile(least, 0.5)),
      'rest p50 ms': rounded(quantile(rest, 0.5)),
      'rest p99 ms': rounded(quantile(rest, 0.99)),
      'rest/floor': Number((quantile(rest, 0.5) / quantile(least, 0.5)).toFixed(2)),
      aim: AIM_REST,
      'limit notices/s': Math.round(limit),
      'load notices/s': Math.round(rate),
      'load p50 ms': rounded(quantile(loaded, 0.5)),
      'load p99 ms': rounded(quantile(loaded, 0.99)),
      'aim ms': AIM_LOADED_MS,
    });
    steps.push({ platforms, ...hopRow(hops), 'answered (from the request)': rounded(quantile(answered, 0.5)) });
  }
  return {
    name: 'notice',
    title: 'From the request that publishes a delisting to the notice at a Kafka consumer',
    rows,
    tables: [{ title: `At rest, p50 ms of each hop from the one before: ${HOPS_TOLD}`, rows: steps }],
    notes: ['floor: one commit and one bare kafkajs produce and consume to as many topics'],
    json: { rows, hops: steps },
  };
}
