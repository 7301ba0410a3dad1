// How well and how fast records are reconciled: quality against the known truth, and time and memory up to a million.
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip, gunzipSync } from 'node:zlib';
import { reconcileBatch, type MatchRecord } from '@liandun/identity';
import { copyOf } from './reconcile/copies.js';
import {
  bandsOf,
  falseLinksBy,
  measuresOf,
  wrongClusters,
  type Band,
  type Measures,
  type WrongCluster,
} from './reconcile/measures.js';
import type { BenchResult } from './result.js';

const WORST = 'bench-results/reconcile-worst.jsonl';
const RECORDS_FROM_STDIN = 'records-from-stdin';
const SIZES = [60_188, 250_000, 1_000_000];

const folder = (root: string): string => join(process.env.LIANDUN_SHARED ?? join(root, '../shared'), 'data/identity');

async function* recordsOf(file: string, copy: number): AsyncGenerator<MatchRecord> {
  for await (const line of createInterface({ input: createReadStream(file).pipe(createGunzip()) }))
    yield copyOf(JSON.parse(line) as MatchRecord, copy);
}

/** The set again and again, each time in another world, up to `count` records. */
async function* generated(file: string, count: number): AsyncGenerator<MatchRecord> {
  let left = count;
  for (let copy = 0; left > 0; copy++)
    for await (const record of recordsOf(file, copy)) {
      if (left-- <= 0) return;
      yield record;
    }
}

interface Run {
  records: number;
  entities: number;
  /** Pairs that share a key and are looked at. */
  compared: number;
  seconds: number;
  /** Of all threads: what the run cost, whatever else the machine did. */
  cpuSeconds: number;
  peakMiB: number;
}

const LINES_PER_CHUNK = 500;

/** Records as lines of JSON, many in a chunk. */
async function* linesOf(records: AsyncIterable<MatchRecord>): AsyncGenerator<string> {
  let lines: string[] = [];
  for await (const record of records) {
    lines.push(`${JSON.stringify(record)}\n`);
    if (lines.length < LINES_PER_CHUNK) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

/** One run in a process of its own, so that its peak memory is its own; what is generated here comes to it over a pipe. */
async function runOf(file: string, count: number): Promise<Run> {
  const child = fork(fileURLToPath(import.meta.url), [RECORDS_FROM_STDIN], {
    execArgv: ['--max-old-space-size=1800'],
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  });
  const sent = pipeline(linesOf(generated(file, count)), child.stdin as Writable);
  const ended = Promise.race([
    once(child, 'message').then(([message]) => message as Run),
    once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`the run of ${count} records ended with ${String(code)}`)),
    ),
  ]);
  const [answered] = await Promise.all([ended, sent]);
  child.disconnect();
  return answered;
}

async function* recordsOfStdin(): AsyncGenerator<MatchRecord> {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as MatchRecord;
}

async function answer(): Promise<void> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const result = await reconcileBatch(recordsOfStdin());
  let records = 0;
  for (const { entityId } of result.assignments()) if (entityId) records++;
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  process.send?.({
    records,
    entities: result.entities,
    compared: result.compared,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  } satisfies Run);
}

interface Quality extends Measures {
  set: string;
  inReview: number;
  /** Of pairs that were linked or sent to review, by the weight that they were given: how many are one merchant's. */
  bands: Band[];
  /** Links between two merchants, by what was done to their records. */
  falseLinks: Record<string, number>;
}

const rowsOf = async (file: string): Promise<[string, string][]> =>
  gunzipSync(await readFile(file))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t') as [string, string]);

async function qualityOf(root: string, set: string): Promise<{ quality: Quality; wrong: WrongCluster[] }> {
  const truth = new Map(await rowsOf(join(folder(root), `${set}.truth.tsv.gz`)));
  // `hubAddress:g1840;renamed`: what follows a colon names the one group.
  const categories = new Map(
    (await rowsOf(join(folder(root), `${set}.categories.tsv.gz`))).map(([id, text]) => [
      id,
      (text ?? '').split(';').flatMap((category) => category.split(':')[0] || []),
    ]),
  );
  const result = await reconcileBatch(recordsOf(join(folder(root), `${set}.jsonl.gz`), 0));
  const predicted = new Map(Array.from(result.assignments(), ({ recordId, entityId }) => [recordId, entityId]));
  const doubted = new Set(result.reviews.flatMap(({ a, b }) => [a, b]));
  const quality = {
    set,
    ...measuresOf(truth, predicted),
    inReview: doubted.size / predicted.size,
    bands: bandsOf(result.links, result.reviews, truth),
    falseLinks: falseLinksBy(result.links, truth, categories),
  };
  return { quality, wrong: wrongClusters(truth, predicted) };
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
const shareOf = ({ pairs, same }: Band['links']): string => (pairs === 0 ? '' : percent(same / pairs));

export async function run({ root }: { root: string }): Promise<BenchResult> {
  const file = join(folder(root), 'full.jsonl.gz');
  if (!existsSync(file)) throw new Error(`${file} is missing: the benchmark needs the identity test data`);
  const judged = [await qualityOf(root, 'small'), await qualityOf(root, 'full')];
  const quality = judged.map((each) => each.quality);
  const wrong = judged[1]?.wrong ?? [];
  await mkdir(join(root, 'bench-results'), { recursive: true });
  await writeFile(join(root, WORST), wrong.map((cluster) => `${JSON.stringify(cluster)}\n`).join(''));
  const runs: Run[] = [];
  for (const size of SIZES) runs.push(await runOf(file, size));
  const [first, last] = [runs[0] as Run, runs.at(-1) as Run];
  const growth = last.seconds / last.records / (first.seconds / first.records);
  return {
    name: 'reconcile',
    title: 'Reconciliation of merchant records, matcher zh-1',
    rows: [
      ...quality.map((q) => ({
        run: `quality on ${q.set}`,
        figure: `P ${q.pairwise.precision.toFixed(4)}  R ${q.pairwise.recall.toFixed(4)}  F1 ${q.pairwise.f1.toFixed(4)}  B³ F1 ${q.bcubed.f1.toFixed(4)}  in review ${percent(q.inReview)}`,
      })),
      ...runs.map((r) => ({
        run: `${r.records} records`,
        figure: `${r.seconds.toFixed(1)} s (${r.cpuSeconds.toFixed(1)} s of CPU)  ${Math.round(r.records / r.seconds)}/s  peak ${Math.round(r.peakMiB)} MiB  ${(r.compared / r.records).toFixed(1)} pairs/record`,
      })),
    ],
    notes: [
      `time per record at ${last.records} records is ${growth.toFixed(2)} times that at ${first.records}`,
      `links between two merchants on full, by what was done to their records: ${Object.entries(
        quality[1]?.falseLinks ?? {},
      )
        .slice(0, 8)
        .map(([category, count]) => `${category} ${count}`)
        .join(', ')}`,
      `${WORST}: the ${wrong.length} entities of full that are wrong, the worst first`,
      'larger sets are full again and again with every identifier, name and number replaced (test/bench/reconcile/copies.ts)',
    ],
    tables: [
      {
        title: 'By weight, on full: what was observed',
        rows: (quality[1]?.bands ?? []).map(({ bits, links, reviews }) => ({
          bits,
          links: String(links.pairs),
          'of them one merchant': shareOf(links),
          'in review': String(reviews.pairs),
          'of those one merchant': shareOf(reviews),
        })),
      },
    ],
    json: { quality, runs, growth },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === RECORDS_FROM_STDIN) await answer();
