// What the normalisers cost for each record, and how well foreign names are told apart (the 826 public pairs, where they lie at hand).
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import {
  LATIN_NAME_MATCH,
  latinNameSimilarity,
  parseAddress,
  readPhone,
  readResidentId,
  readUscc,
  splitCompanyName,
  splitPersonName,
} from '@liandun/identity';
import type { BenchResult } from './result.js';

const RECORDS = 100_000;
const ROUNDS = 5;
const [PLACES, CORES, TRADES] = [
  ['杭州', '浙江省宁波市', '合肥市', ''],
  [...'云溪鹿鸣晴川松月竹海星野'],
  ['贸易', '网络科技', '食品', '建材'],
];

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

/** Distinct values, so that no cache answers. */
const INPUTS: Record<string, { read: (text: string) => unknown; of: (n: number) => string }> = {
  'company name': {
    read: splitCompanyName,
    of: (n) => `${pick(PLACES, n)}${pick(CORES, n)}${pick(CORES, n * 7 + 3)}${String(n)}${pick(TRADES, n)}有限公司`,
  },
  'person name': {
    read: splitPersonName,
    of: (n) => `张${pick(CORES, n)}${String.fromCodePoint(0x4e00 + (n % 5_000))}`,
  },
  address: {
    read: parseAddress,
    of: (n) => `浙江省杭州市西湖区云溪路${String(n)}号${String(n % 20)}幢${String(n % 400)}室`,
  },
  phone: { read: readPhone, of: (n) => `0571-${String(20_000_000 + n)}` },
  uscc: { read: readUscc, of: (n) => makeUscc(FICTIONAL_REGION, n) },
  'uscc with a slip': { read: readUscc, of: (n) => `${makeUscc(FICTIONAL_REGION, n).slice(0, 17)}Q` },
  'resident id': { read: readResidentId, of: (n) => makeResidentId(FICTIONAL_REGION, '19800101', n % 999) },
};

function microsecondsOf(read: (text: string) => unknown, texts: readonly string[]): number {
  const start = performance.now();
  for (const text of texts) read(text);
  return ((performance.now() - start) * 1_000) / texts.length;
}

interface Pair {
  name1: string;
  name2: string;
  is_match: string;
}

function foreignNames(path: string): { precision: number; recall: number; f1: number; microseconds: number } {
  const pairs: Pair[] = parse(readFileSync(path), { columns: true });
  let [right, wrong, missed] = [0, 0, 0];
  for (const { name1, name2, is_match } of pairs) {
    const same = latinNameSimilarity(name1, name2) >= LATIN_NAME_MATCH;
    if (same && is_match === 'true') right++;
    else if (same) wrong++;
    else if (is_match === 'true') missed++;
  }
  const start = performance.now();
  // A letter behind the name makes every round's name a new one.
  for (let round = 0; round < ROUNDS; round++)
    for (const { name1, name2 } of pairs) latinNameSimilarity(`${name1} ${String(round)}`, name2);
  return {
    precision: right / (right + wrong),
    recall: right / (right + missed),
    f1: (2 * right) / (2 * right + wrong + missed),
    microseconds: ((performance.now() - start) * 1_000) / (ROUNDS * pairs.length),
  };
}

/** Microseconds for each value; F1 of the foreign names at their threshold. */
export async function run(): Promise<BenchResult> {
  const costs = Object.entries(INPUTS).map(([name, { read, of }]) => {
    const texts = Array.from({ length: RECORDS }, (_, n) => of(n));
    microsecondsOf(read, texts.slice(0, 2_000));
    return { name, microseconds: microsecondsOf(read, texts) };
  });
  const path = `${process.env.LIANDUN_SHARED ?? '../shared'}/data/entity-resolution/nomenklatura/name_bench_cases.csv`;
  const pairs = existsSync(path) ? foreignNames(path) : undefined;
  const rows = costs.map(({ name, microseconds }) => ({ normaliser: name, 'µs a value': microseconds.toFixed(1) }));
  if (pairs) rows.push({ normaliser: 'pair of foreign names', 'µs a value': pairs.microseconds.toFixed(1) });
  return {
    name: 'names',
    title: 'Normalisers, one thread, every value another',
    rows,
    notes: [
      pairs
        ? `826 public pairs of names: precision ${pairs.precision.toFixed(3)}, recall ${pairs.recall.toFixed(3)}, F1 ${pairs.f1.toFixed(3)}`
        : `the public pairs of names are not at hand (${path})`,
    ],
    json: { costs, pairs },
  };
}
