// Where the time of one notice goes: from the request to each step that the log and the topic themselves date.
import pg from 'pg';
import { quantile } from './statistics.js';

const HOPS = ['accepted', 'linked', 'decided', 'sent', 'consumed'] as const;
export type Hop = (typeof HOPS)[number];

/** The commit of what a hop is dated by belongs to the next one. */
export const HOPS_TOLD =
  'the request is under the log’s lock; its link is; its notice is; the relay hands it to Kafka; a consumer has it';

/** Wall-clock milliseconds of one delisting that was told of. */
export interface Told {
  began: number;
  notices: { position: number; listingId: string; sent: number; came: number }[];
}

/** Both the log and Kafka date by whole milliseconds, cut off. */
const HALF = 0.5;

export const wallClock = (): number => performance.timeOrigin + performance.now();

/** For every notice how long each hop took. */
export async function hopsOf(databaseUrl: string, told: Told[]): Promise<Record<Hop, number[]>> {
  const entries = await readEntries(databaseUrl);
  const hops: Record<Hop, number[]> = { accepted: [], linked: [], decided: [], sent: [], consumed: [] };
  for (const { began, notices } of told) {
    for (const { position, listingId, sent, came } of notices) {
      const observation = Number(/^L(\d+)-/.exec(listingId)?.[1]);
      const times = [entries.at.get(observation), entries.linkOf.get(observation), entries.at.get(position), sent];
      let before = began;
      [...times.map((time) => (time ?? Number.NaN) + HALF), came].forEach((time, n) => {
        hops[HOPS[n] as Hop].push(time - before);
        before = time;
      });
    }
  }
  return hops;
}

/** When entries were accepted, and when observations were linked. */
async function readEntries(databaseUrl: string): Promise<{ at: Map<number, number>; linkOf: Map<number, number> }> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ position: number; ms: number; observation: number | null }>(
      `select position::int, extract(epoch from accepted_at)::float8 * 1000 as ms,
         case when type like '%.entity.linked%' then (entry::json->'data'->>'observation')::int end as observation
       from log.entry`,
    );
    return {
      at: new Map(rows.map(({ position, ms }) => [position, ms])),
      linkOf: new Map(rows.flatMap(({ observation, ms }) => (observation === null ? [] : [[observation, ms]]))),
    };
  } finally {
    await client.end();
  }
}

/** One line: the middle of each hop. */
export const hopRow = (hops: Record<Hop, number[]>): Record<string, number> =>
  Object.fromEntries(HOPS.map((hop) => [hop, Number(quantile(hops[hop], 0.5).toFixed(1))]));
