// Whether the time of a refusal tells what is another member's from what doesn't exist (rule P18).
import { LEDGER_SOURCE, memberSource } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import pg from 'pg';
import { Product, type Servers } from '../support/product.js';
import { organization, reported } from '../support/submissions.js';
import type { BenchResult } from './result.js';
import { quantile } from './statistics.js';

const PAIRS = 3_000;
const WARM_UP_PAIRS = 300;
const OWNER = 'walls-owner';
const CURIOUS = 'walls-curious';
const THEIR_ENTITY = 'E1-0123456789ab';
const OBSERVATIONS = 1_000;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Microseconds from the request to the last byte of its refusal. */
function askedUs(url: string, token: string): Promise<number> {
  const began = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      if (answer.statusCode !== 404) reject(new Error(`${url} was answered ${answer.statusCode}`));
      answer.resume().once('end', () => resolve(Number(process.hrtime.bigint() - began) / 1_000));
    });
    asked.once('error', reject).end();
  });
}

/**
 * Mann-Whitney's U of two samples: how often a value of the first is the larger one (0.5: as often as not), and how far that is
 * from chance in standard deviations (normal approximation; ties count half).
 */
function mannWhitney(first: number[], second: number[]): { share: number; z: number } {
  const all = [...first.map((us) => ({ us, first: 1 })), ...second.map((us) => ({ us, first: 0 }))];
  all.sort((a, b) => a.us - b.us);
  let rankSum = 0;
  for (let from = 0, to = 0; from < all.length; from = to) {
    while (to < all.length && all[to]?.us === all[from]?.us) to += 1;
    for (const each of all.slice(from, to)) rankSum += each.first * ((from + to + 1) / 2);
  }
  const [n, m] = [first.length, second.length];
  const u = rankSum - (n * (n + 1)) / 2;
  return { share: u / (n * m), z: (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12) };
}

interface Question {
  what: string;
  theirs: string;
  nothing: () => string;
}

/** What the curious member asks for: the owner's, and the like of it that isn't there. */
async function questions(product: Product): Promise<Question[]> {
  const event = reported(OWNER, 'm-1', organization(1)) as { id: string };
  await product.client(OWNER).publish(event as never);
  const pool = new pg.Pool({ connectionString: product.databaseUrl });
  await pool.query(
    `insert into view.entity (entity_id, founded_at, kind, name) values ($1, 1, 'organization', '虚构贸易有限公司')`,
    [THEIR_ENTITY],
  );
  await pool.query(
    `insert into view.observation (position, member, merchant_id, type, kind, name, shops, active, accepted_at, entity_id)
     select n, $1, 'm-' || n, 'liandun.merchant.reported.v1', 'organization', '虚构', '[]', true, now(),
       case when n <= $3 then $2 else 'E' || n || '-0123456789ab' end
     from generate_series(1, 100000) n`,
    [OWNER, THEIR_ENTITY, OBSERVATIONS],
  );
  await pool.query('vacuum analyze view.observation');
  await pool.end();
  const receipt = (source: string, id: string): string => `/v1/receipts/${encodeURIComponent(source)}/${id}`;
  const hex = (): string => randomUUID().replaceAll('-', '').slice(0, 12);
  return [
    { what: 'an entity', theirs: `/v1/entities/${THEIR_ENTITY}`, nothing: () => `/v1/entities/E1-${hex()}` },
    {
      what: 'a receipt',
      theirs: receipt(memberSource(OWNER), event.id),
      nothing: () => receipt(memberSource(OWNER), randomUUID()),
    },
    {
      what: "a ledger's receipt",
      theirs: receipt(LEDGER_SOURCE, `genesis:${OWNER}`),
      nothing: () => receipt(LEDGER_SOURCE, `genesis:${randomUUID()}`),
    },
  ];
}

/** Asks for both turn by turn, so that whatever the machine does happens to both. */
async function compare(
  { what, theirs, nothing }: Question,
  product: Product,
): Promise<Record<string, string | number>> {
  const times = { theirs: [] as number[], nothing: [] as number[] };
  for (let pair = -WARM_UP_PAIRS; pair < PAIRS; pair += 1) {
    const token = await product.client(CURIOUS).token();
    const order = pair % 2 === 0 ? (['theirs', 'nothing'] as const) : (['nothing', 'theirs'] as const);
    for (const which of order) {
      const us = await askedUs(`${product.url}${which === 'theirs' ? theirs : nothing()}`, token);
      if (pair >= 0) times[which].push(us);
    }
  }
  const { share, z } = mannWhitney(times.theirs, times.nothing);
  return {
    what,
    "another's p50 µs": Math.round(quantile(times.theirs, 0.5)),
    'nothing p50 µs': Math.round(quantile(times.nothing, 0.5)),
    "another's p90 µs": Math.round(quantile(times.theirs, 0.9)),
    'nothing p90 µs': Math.round(quantile(times.nothing, 0.9)),
    "another's the slower": share.toFixed(3),
    z: z.toFixed(1),
  };
}

/** Refusals of what is another member's, against refusals of what isn't there. */
export async function run(servers: Servers): Promise<BenchResult> {
  const product = await Product.start(
    [OWNER, CURIOUS].map((memberId) => ({ memberId, role: 'platform' as const })),
    servers,
    ['api'],
    {},
    { rates: { read: 1_000_000 }, missesPerDay: 1_000_000 },
  );
  try {
    const rows: Record<string, string | number>[] = [];
    for (const question of await questions(product)) rows.push(await compare(question, product));
    return {
      name: 'walls',
      title: `${PAIRS} refusals of what is another member's, turn by turn with as many of what does not exist`,
      rows,
      notes: [
        '"another\'s the slower": how often, of two drawn at random (Mann-Whitney); 0.5 says that time tells nothing. z: beyond ±3 it is not chance.',
      ],
      json: rows,
    };
  } finally {
    agent.destroy();
    await product.stop();
  }
}
