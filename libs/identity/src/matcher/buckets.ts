import { Candidates } from './candidates.js';
import { WEIGHED } from './compare.js';
import { gapsOf } from './lives.js';
import { holdersOf } from './holders.js';
import type { Key, KeyKind, Matcher } from './types.js';

/** 24 bits of an entry are its record: sixteen million records. */
const RECORD_BITS = 24;
const RECORDS_MAX = 2 ** RECORD_BITS;
/** A record without a day. */
const NO_DAY = -0x80000000;

const KINDS: readonly KeyKind[] = [
  'uscc',
  'organizationCode',
  'registrationNumber',
  'residentId',
  'bankAccount',
  'phone',
  'email',
  'account',
  'shop',
  'name',
  'nameAtPlace',
  'nameSound',
  'representative',
  'address',
  'brand',
  'birth',
];

/** Two 32-bit hashes of a text (FNV-1a with two offsets, mixed), as one number below 2^36 behind four bits of the kind. */
function hashOf(kind: number, value: string): [high: number, low: number] {
  let [a, b] = [0x811c9dc5 ^ kind, 0x1b873593 + kind];
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
    b ^= b >>> 13;
  }
  a ^= a >>> 15;
  a = Math.imul(a, 0x2c1b3c6d);
  a ^= a >>> 12;
  return [((a >>> 4) | (kind << 28)) >>> 0, (b >>> 8) & 0xff];
}

/**
 * The inverted index of a batch: an entry of eight bytes for each key of each record, sorted by key. Two keys fall together
 * once in 2^36 pairs of a kind; then records are compared that share none, which changes nothing but their `holders`.
 */
export class Buckets {
  private words = new Uint32Array(1 << 16);
  private count = 0;
  private records = 0;
  private markWords = new Float64Array(3 << 12).fill(Number.NaN);
  private readonly held = new Map<number, number>();
  private days = new Int32Array(1 << 12).fill(NO_DAY);
  /** Of phones that nobody showed for long: when. */
  private readonly gaps = new Map<number, [from: number, to: number][]>();
  private readonly capOf: (kind: KeyKind) => number;
  private readonly recordsMaxOf: (kind: KeyKind) => number;

  constructor({ capOf, recordsMaxOf }: Pick<Matcher, 'capOf' | 'recordsMaxOf'>) {
    this.capOf = capOf;
    this.recordsMaxOf = recordsMaxOf;
  }

  /** @param day of the report, since 1970 */
  push(keys: readonly Key[], marks: readonly string[], day = NO_DAY): void {
    if (this.records >= RECORDS_MAX) throw new Error(`a batch has at most ${RECORDS_MAX} records`);
    const record = this.records++;
    if ((this.count + keys.length) * 2 > this.words.length) this.words = grown(this.words);
    for (const { kind, value } of keys) {
      const [high, low] = hashOf(KINDS.indexOf(kind), value);
      this.words[this.count * 2] = ((low << RECORD_BITS) | record) >>> 0;
      this.words[this.count * 2 + 1] = high;
      this.count++;
    }
    if (this.markWords.length < (record + 1) * 3) {
      const more = new Float64Array(this.markWords.length * 2).fill(Number.NaN);
      more.set(this.markWords);
      this.markWords = more;
    }
    if (this.days.length <= record) {
      const more = new Int32Array(this.days.length * 2).fill(NO_DAY);
      more.set(this.days);
      this.days = more;
    }
    this.days[record] = day;
    marks.slice(0, 3).forEach((mark, i) => {
      const [high, low] = hashOf(0, mark);
      this.markWords[record * 3 + i] = high * 256 + low;
    });
  }

  /** Sorts the entries and counts the holders of each key; nothing can be pushed after. */
  close(): void {
    const entries = new BigUint64Array(this.words.buffer, 0, this.count);
    entries.sort();
    for (const [kind, hash, records] of this.each()) {
      const holders = records.length > this.recordsMaxOf(kind) ? records.length : this.holdersAmong(records);
      if (kind === 'phone') {
        const gaps = gapsOf(records.map((record) => this.days[record] as number).filter((day) => day !== NO_DAY));
        if (gaps.length > 0) this.gaps.set(hash, gaps);
      }
      if (holders > 1 && (WEIGHED.has(kind) || holders >= this.capOf(kind))) this.held.set(hash, holders);
    }
  }

  /** How many entities hold the key. */
  holders({ kind, value }: Key): number {
    const [high, low] = hashOf(KINDS.indexOf(kind), value);
    return this.held.get(high * 256 + low) ?? 1;
  }

  /** Whether the number may have been given to somebody else between the days. */
  reissued({ kind, value }: Key, from: number, to: number): boolean {
    if (this.gaps.size === 0) return false;
    const [high, low] = hashOf(KINDS.indexOf(kind), value);
    return this.gaps.get(high * 256 + low)?.some((gap) => from <= gap[0] && gap[1] <= to) ?? false;
  }

  /** All pairs of records (the earlier first) that share a key that isn't generic, each once, sorted. */
  *pairs(): Generator<[number, number]> {
    const candidates = this.candidates();
    for (let record = 0; record < this.records; record++) {
      const later = candidates.of(record).filter((other) => other > record);
      let last = -1;
      for (const other of later.toSorted()) if (other !== last) yield [record, (last = other)];
    }
  }

  /** For each record those that share a key with it that isn't generic. */
  candidates(): Candidates {
    const candidates = new Candidates(this.records);
    for (const list of this.finding()) candidates.count(list);
    candidates.allocate();
    for (const list of this.finding()) candidates.add(list);
    return candidates;
  }

  /** The records under each key that isn't generic. */
  private *finding(): Generator<number[]> {
    for (const [kind, hash, records] of this.each()) if ((this.held.get(hash) ?? 1) < this.capOf(kind)) yield records;
  }

  private holdersAmong(records: readonly number[]): number {
    return holdersOf(
      records.map((record) =>
        Array.from(this.markWords.subarray(record * 3, record * 3 + 3)).filter((mark) => !Number.isNaN(mark)),
      ),
    );
  }

  /** The keys that several records have, each with its records in their order. */
  private *each(): Generator<[kind: KeyKind, hash: number, records: number[]]> {
    const { words, count } = this;
    let from = 0;
    for (let i = 1; i <= count; i++) {
      const same =
        i < count &&
        words[i * 2 + 1] === words[from * 2 + 1] &&
        (words[i * 2] as number) >>> RECORD_BITS === (words[from * 2] as number) >>> RECORD_BITS;
      if (same) continue;
      if (i - from > 1) {
        const records: number[] = [];
        for (let at = from; at < i; at++) records.push((words[at * 2] as number) & (RECORDS_MAX - 1));
        const high = words[from * 2 + 1] as number;
        yield [KINDS[high >>> 28] as KeyKind, high * 256 + ((words[from * 2] as number) >>> RECORD_BITS), records];
      }
      from = i;
    }
  }
}

function grown(old: Uint32Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(old.length * 2);
  next.set(old);
  return next;
}
