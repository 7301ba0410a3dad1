import type { Identity } from '@liandun/contracts';
import {
  holdersOf,
  marksOf,
  type Bucket,
  type ChineseMatcher,
  type Edge,
  type Features,
  type Key,
  type Lookup,
  type MatchRecord,
  type Memory,
  type Node,
  type Outcome,
  type Outline,
  type PairDecision,
  type Remembered,
  type Rule,
  type Verdict,
} from '@liandun/identity';
import type { Vault, VaultEvent } from '@liandun/vault';
import { memberOfSource } from '@liandun/contracts';
import { LRUCache } from 'lru-cache';
import { setImmediate } from 'node:timers/promises';
import type { ClientBase, Pool } from 'pg';
import { prepared } from '@liandun/event-log';

/** An entry as it stands in the log, with what opens its record. */
export interface ObservedEntry extends VaultEvent {
  source: string;
  acceptedAt: string;
  leafHash: Buffer;
}

/** An edge that was found before. */
export interface StoredEdge {
  a: number;
  b: number;
  outcome: Outcome;
  bits: number;
}

type Grade = NonNullable<Verdict['grade']>;

/** How much is kept in memory of what records say: the last as they are compared, those before them packed. */
export interface Kept {
  records: number;
  packedBytes: number;
}

const KEPT: Kept = { records: 50_000, packedBytes: 256 * 2 ** 20 };
const PREPARED_AT_ONCE = 25;

/** A record's id in the matcher's eyes; as texts they sort like their positions. */
export const nodeId = (position: number): string => String(position).padStart(12, '0');

/** What matching looks at of an entry, its personal values opened. */
export function recordOf(entry: { position: number; source: string; acceptedAt: string }, data: object): MatchRecord {
  const { identity, merchantId, shops, victim } = data as {
    identity: Identity;
    merchantId?: string;
    shops?: { shopId: string; name?: string; url?: string }[];
    victim?: object;
  };
  const memberId = memberOfSource(entry.source);
  return {
    recordId: nodeId(entry.position),
    ...(memberId !== undefined && { memberId }),
    ...(merchantId !== undefined && { merchantId }),
    identity,
    ...(shops && { shops }),
    ...(victim && { impostor: true as const }),
    reportedAt: entry.acceptedAt,
  };
}

/**
 * The matcher's lookup in the live ledger: blocking keys by blind index, records opened from the vault, features kept in
 * memory only. One instance serves one process; whatever is asked within a transaction sees that transaction.
 */
export class MatchIndex {
  private readonly known: LRUCache<number, Node<Features>>;
  /** Features as JSON: to read it takes a twentieth of opening the record and normalising it. */
  private readonly packed: LRUCache<number, Buffer>;

  /** Of each key what it was hashed to: a record's keys are asked for again and again. */
  private readonly hashed = new WeakMap<Key, { generation: number; token: string }>();
  private readonly outlined = new WeakMap<Features, { generation: number; outline: Outline }>();
  readonly matcher: ChineseMatcher;
  private readonly shaped: (features: Features) => Features;

  constructor(
    matcher: ChineseMatcher,
    private readonly vault: Vault,
    { records, packedBytes }: Kept = KEPT,
  ) {
    this.packed = new LRUCache({ maxSize: packedBytes, sizeCalculation: ({ length }) => length });
    this.known = new LRUCache({
      max: records,
      dispose: ({ features }, position, reason) => {
        if (reason === 'evict') this.packed.set(position, Buffer.from(JSON.stringify(features)));
      },
    });
    this.shaped = (features) => matcher.shaped?.(features) ?? features;
    const keysOf = new WeakMap<Features, Key[]>();
    const relationKeysOf = new WeakMap<Features, Key[]>();
    this.matcher = {
      ...matcher,
      keys: (features) => {
        const keys = keysOf.get(features) ?? matcher.keys(features);
        keysOf.set(features, keys);
        return keys;
      },
      relationKeys: (features) => {
        const keys = relationKeysOf.get(features) ?? matcher.relationKeys?.(features) ?? [];
        relationKeysOf.set(features, keys);
        return keys;
      },
    };
  }

  /** The id of the entity that the observation at a position founds. */
  entityId(position: number): string {
    return this.vault.entityId(position);
  }

  /** The version of the blind index's key that keys of a new generation are made with. */
  get newestBlindKey(): number {
    return this.vault.keys.blind.at(-1)?.version ?? 1;
  }

  /** What is known of the given entries; of an erased one next to nothing. */
  async nodes(client: ClientBase | Pool, entries: readonly ObservedEntry[]): Promise<Node<Features>[]> {
    const found = new Map<number, Node<Features>>();
    const missing = entries.filter(({ position }) => !this.recalled(position, found));
    const data = missing.length === 0 ? [] : await this.vault.reveal(client, missing);
    missing.forEach((entry, n) =>
      found.set(entry.position, this.read(entry.position, { ...entry, data: data[n] as object })),
    );
    return entries.map(({ position }) => found.get(position) as Node<Features>);
  }

  /** The same by position alone, read from the log where they aren't known; a position without an identity is left out. */
  async nodesAt(client: ClientBase | Pool, positions: readonly number[]): Promise<Map<number, Node<Features>>> {
    const found = new Map<number, Node<Features>>();
    const missing = positions.filter((position) => !this.recalled(position, found));
    const entries = missing.length === 0 ? [] : await this.vault.openEntries(client, missing);
    for (const [position, entry] of entries) found.set(position, this.read(position, entry));
    return found;
  }

  private read(position: number, entry: { source: string; acceptedAt: string; data: object }): Node<Features> {
    return this.keep(position, this.matcher.features(recordOf({ ...entry, position }, entry.data)));
  }

  private keep(position: number, features: Features): Node<Features> {
    const node = { id: nodeId(position), features: this.shaped(features) };
    this.known.set(position, node);
    return node;
  }

  /** Adds what is kept of a record to `found`; false where nothing is. */
  private recalled(position: number, found: Map<number, Node<Features>>): boolean {
    let node = this.known.get(position);
    const packed = node ? undefined : this.packed.get(position);
    if (packed) {
      node = this.keep(position, JSON.parse(packed.toString()) as Features);
      this.packed.delete(position);
    }
    if (node) found.set(position, node);
    return node !== undefined;
  }

  /**
   * Reads entries that are matched next, hashes what they are found by, and opens whom they are compared with, before their turn: a
   * few at a time, so that what is matched now isn't kept waiting.
   */
  async prepare(pool: Pool, entries: readonly ObservedEntry[]): Promise<void> {
    const generations = await liveGenerations(pool);
    const active = generations.find(({ state }) => state === 'active');
    for (let from = 0; from < entries.length; from += PREPARED_AT_ONCE) {
      const nodes = await this.nodes(pool, entries.slice(from, from + PREPARED_AT_ONCE));
      for (const { features } of nodes)
        for (const generation of generations) {
          this.tokens(this.allKeys(features), generation);
          this.outline(features, generation);
        }
      await setImmediate();
      // Whom they may meet now is opened for good; who else comes until then isn't many.
      if (active) await this.lookup(pool, active).prefetch(nodes);
      await setImmediate();
    }
  }

  /** Forgets what is known of erased entries. */
  forget(positions: readonly number[]): void {
    for (const position of positions) {
      this.known.delete(position);
      this.packed.delete(position);
    }
  }

  /** What is kept of a record beside each of its keys: hashed like them. */
  outline(features: Features, generation: Generation): Outline {
    const known = this.outlined.get(features);
    if (known?.generation === generation.id) return known.outline;
    const { kind, isBranch, ...values } = this.matcher.outline(features);
    const hashed = (value: string | undefined, name: string): string | undefined =>
      value === undefined
        ? undefined
        : shortOf(this.vault.blocking([`${generation.id}\n${name}\n${value}`], generation.blind)[0] as string);
    const outline = {
      kind,
      isBranch,
      uscc: hashed(values.uscc, 'code'),
      usccRepaired: hashed(values.usccRepaired, 'code'),
      residentId: hashed(values.residentId, 'resident'),
      name: hashed(values.name, 'sound'),
    };
    this.outlined.set(features, { generation: generation.id, outline });
    return outline;
  }

  /** What keys are found by in one generation. */
  tokens(keys: readonly Key[], generation: Generation): string[] {
    const fresh = keys.filter((key) => this.hashed.get(key)?.generation !== generation.id);
    const made = this.vault.blocking(
      fresh.map(({ kind, value }) => `${generation.id}\n${kind}\n${value}`),
      generation.blind,
    );
    fresh.forEach((key, n) => this.hashed.set(key, { generation: generation.id, token: made[n] as string }));
    return keys.map((key) => this.hashed.get(key)?.token as string);
  }

  /**
   * Which of the nodes repeat what an earlier record of the same account said, to the letter but for the day: each with
   * that record. The others are made findable by their keys, under every generation.
   */
  async place(
    client: ClientBase,
    nodes: readonly Node<Features>[],
    generations: readonly Generation[],
  ): Promise<Map<number, number>> {
    const active = generations.find(({ state }) => state === 'active') as Generation;
    const said = nodes.map(({ features }) => saidKey(features));
    const tokens = this.tokens(said, active);
    const { rows } = await prepared<{ token: string; position: string }>(
      client,
      'select token, min(position) as position from match.key where token = any($1) group by token',
      [tokens],
    );
    const first = new Map(rows.map((row) => [row.token, Number(row.position)]));
    const known = await this.nodesAt(client, [...first.values()]);
    const given = new Map(nodes.map((node) => [Number(node.id), node]));
    const repeats = new Map<number, number>();
    const fresh: Node<Features>[] = [];
    nodes.forEach((node, n) => {
      const earlier = first.get(tokens[n] as string);
      const same = earlier === undefined ? undefined : (known.get(earlier) ?? given.get(earlier));
      if (earlier !== undefined && same && textOf(same.features) === said[n]?.value)
        repeats.set(Number(node.id), earlier);
      else {
        first.set(tokens[n] as string, Number(node.id));
        fresh.push(node);
      }
    });
    const keys = new Map(nodes.map(({ features }, n) => [features, said[n] as Key]));
    for (const generation of generations) await this.add(client, fresh, generation, keys);
    return repeats;
  }

  /** What a record is found by, also by what it is only related to. */
  allKeys(features: Features): Key[] {
    return [...this.matcher.keys(features), ...(this.matcher.relationKeys?.(features) ?? [])];
  }

  /** Makes records findable by their keys of one generation. */
  async add(
    client: ClientBase,
    nodes: readonly Node<Features>[],
    generation: Generation,
    said?: ReadonlyMap<Features, Key>,
  ): Promise<void> {
    const rows = nodes.flatMap(({ id, features }) => {
      const keys = [...this.allKeys(features), said?.get(features) ?? saidKey(features)];
      const outline = textOfOutline(this.outline(features, generation));
      return this.tokens(keys, generation).map((token) => ({ token, position: Number(id), outline }));
    });
    if (rows.length === 0) return;
    await prepared(
      client,
      `insert into match.key (token, position, generation, outline)
       select t, p, $4, o from unnest($1::bigint[], $2::bigint[], $3::text[]) given (t, p, o) on conflict do nothing`,
      [
        rows.map(({ token }) => token),
        rows.map(({ position }) => position),
        rows.map(({ outline }) => outline),
        generation.id,
      ],
    );
  }

  /** A lookup within a transaction, by the keys of one generation. */
  lookup(client: ClientBase | Pool, generation: Generation): LiveLookup {
    return new LiveLookup(this, client, generation);
  }
}

/** What keys were made with: all that is found is found within one generation. */
export interface Generation {
  id: number;
  matcher: string;
  /** The version of the blind index's key. */
  blind: number;
  state: 'building' | 'active' | 'retired';
  /** How far all that was linked before it has been judged again by it; null: it found all that is kept. */
  judged: string | null;
}

/** The generations that new observations get keys of. */
export async function liveGenerations(client: ClientBase | Pool): Promise<Generation[]> {
  const { rows } = await prepared<Generation>(
    client,
    `select id, matcher, blind, state, judged from match.generation where state <> 'retired' order by id`,
  );
  return rows;
}

/** In a new ledger: whatever is observed gets keys of the newest version from the first entry on. */
export async function firstGeneration(client: ClientBase, index: MatchIndex): Promise<void> {
  await prepared(
    client,
    `insert into match.generation (id, matcher, blind, state)
     select 1, $1, $2, 'active' where not exists (select from match.generation) on conflict do nothing`,
    [index.matcher.version, index.newestBlindKey],
  );
}

/** The kind of the key that a record has for all that it says. */
const RECORD = 'record' as Key['kind'];

/** All that is known of a record but the day of its report. */
const textOf = (features: object): string => JSON.stringify({ ...features, day: undefined });

const saidKey = (features: Features): Key => ({ kind: RECORD, value: textOf(features) });

/** Entries by position, in the form that opens their records. */
export async function entriesAt(client: ClientBase, positions: readonly number[]): Promise<ObservedEntry[]> {
  const { rows } = await prepared<{ position: string; entry: string; leaf_hash: Buffer }>(
    client,
    'select position, entry, leaf_hash from log.entry where position = any($1)',
    [positions],
  );
  return rows.map((row) => ({
    ...(JSON.parse(row.entry) as Omit<ObservedEntry, 'position' | 'leafHash'>),
    position: Number(row.position),
    leafHash: row.leaf_hash,
  }));
}

const HASH_BITS = 48;
/** Enough for a bucket of some hundred: what falls together is opened. */
const shortOf = (token: string): string => BigInt.asUintN(HASH_BITS, BigInt(token)).toString(36);

const LETTERS = ['u', 'r', 'i', 'n'] as const;
const FIELDS = { u: 'uscc', r: 'usccRepaired', i: 'residentId', n: 'name' } as const;

/** `l` or `p` by its kind, `b` of a branch, then what there is, each behind its letter: `l u3k2j n8fd1`. */
export const textOfOutline = (outline: Outline): string =>
  [
    outline.isBranch ? 'b' : outline.kind === 'legal' ? 'l' : 'p',
    ...LETTERS.flatMap((letter) => {
      const value = outline[FIELDS[letter]];
      return value === undefined ? [] : [`${letter}${value}`];
    }),
  ].join(' ');

/** A record under a key. */
interface Held {
  position: number;
  outline: Outline;
}

/** `position outline,position outline`, as PostgreSQL puts them together. */
const heldOf = (text: string): Held[] =>
  text.split(',').map((one) => {
    const [position, kind, ...values] = one.split(' ');
    const outline: Outline = {
      kind: kind === 'p' ? 'person' : 'legal',
      isBranch: kind === 'b',
      uscc: undefined,
      usccRepaired: undefined,
      residentId: undefined,
      name: undefined,
    };
    for (const value of values) outline[FIELDS[value[0] as (typeof LETTERS)[number]]] = value.slice(1);
    return { position: Number(position), outline };
  });

const countOf = (held: readonly Held[]): number =>
  held.length < 2 ? held.length : holdersOf(held.map(({ outline }) => marksOf(outline)));

/** How many hold a key, by `position outline` of its records with commas between. */
export const holdersUnder = (held: string): number => countOf(heldOf(held));

/** What stands under a key, none of it opened. */
interface Under {
  holders: number;
  /** Its records; where there are more than are looked at, one more than those. */
  held: readonly Held[];
  /** How many are looked at. */
  most: number;
}

/** Whom a record may meet by one of its keys. */
interface Met {
  holders: number;
  positions: readonly number[];
}

/** One transaction's view of the index. What is asked once is asked once. */
export class LiveLookup implements Lookup<Features> {
  private readonly found = new Map<string, Under>();
  private readonly opened = new Map<number, Node<Features>>();
  private readonly byId = new Map<string, Node<Features>>();
  /** The kept edges at each end, complete where that was asked for. */
  private readonly edges = new Map<string, Edge[]>();
  private readonly edgesAsked = new Set<number>();
  private readonly met = new Map<string, Met[]>();
  /** What was found before of pairs; nothing of it is taken until it is known what changed since. */
  memory?: Memory<Features>;

  constructor(
    private readonly index: MatchIndex,
    private readonly client: ClientBase | Pool,
    private readonly generation: Generation,
  ) {}

  /**
   * From here on takes the edges that were kept instead of comparing anew, but for the given records. Not while a generation
   * judges: what was kept before was another's.
   */
  remember(changed: ReadonlySet<string>): void {
    if (this.generation.judged !== null) return;
    this.memory = { holds: (id) => !changed.has(id), edgesOf: (ids) => this.edgesOf(ids) };
  }

  private async edgesOf(ids: readonly string[]): Promise<Remembered<Features>> {
    const missing = ids.map(Number).filter((position) => !this.edgesAsked.has(position));
    if (missing.length > 0) await this.loadEdges(missing);
    return { edges: [...new Set(ids.flatMap((id) => this.edges.get(id) ?? []))], nodes: this.byId };
  }

  private async loadEdges(positions: readonly number[]): Promise<void> {
    // Those with a record that was asked for before came then. Not `<> all`, which goes through the list for each row.
    const { rows } = await prepared<EdgeRow & { grade: Grade | null; rule: Rule }>(
      this.client,
      `select a, b, outcome, grade, rule, bits from match.edge where a = any($1) and b not in (select unnest($2::bigint[]))
       union all select a, b, outcome, grade, rule, bits from match.edge
         where b = any($1) and a not in (select unnest($1 || $2::bigint[]))`,
      [positions, [...this.edgesAsked]],
    );
    for (const position of positions) this.edgesAsked.add(position);
    const links = rows.filter(({ outcome }) => outcome === 'link');
    await this.open(links.flatMap(({ a, b }) => [Number(a), Number(b)]));
    for (const { a, b, outcome, grade, rule, bits } of rows) {
      const ends = [nodeId(Number(a)), nodeId(Number(b))] as const;
      const conflict = rule === 'conflict' && { conflict: 'residentId' as const };
      const comparison = { kind: 'legal' as const, evidence: [], bits, ...conflict };
      const edge: Edge = { a: ends[0], b: ends[1], comparison, verdict: { outcome, rule, ...(grade && { grade }) } };
      for (const end of ends) {
        const at = this.edges.get(end);
        if (at) at.push(edge);
        else this.edges.set(end, [edge]);
      }
    }
  }

  /** Looks the keys of many records up together, and opens whom they may meet. */
  async prefetch(nodes: readonly Node<Features>[]): Promise<void> {
    if (nodes.length === 0) return;
    const keys = nodes.map(({ features }) => this.index.allKeys(features));
    await this.under(keys.flat());
    const wanted = await Promise.all(
      nodes.map(async (node, n) => (await this.whom(keys[n] as Key[], node)).flatMap(({ positions }) => positions)),
    );
    await this.open(wanted.flat());
  }

  async buckets(keys: readonly Key[], of: Node<Features>): Promise<Bucket<Features>[]> {
    const found = await this.whom(keys, of);
    await this.open(found.flatMap(({ positions }) => positions));
    return found.map(({ holders, positions }) => ({
      holders,
      records: positions.flatMap((position) => this.opened.get(position) ?? []),
    }));
  }

  /** Of each key whom a record may meet by it: nobody by a generic one, and none that is another for sure. */
  private async whom(keys: readonly Key[], { id, features }: Node<Features>): Promise<Met[]> {
    const before = this.met.get(id);
    if (before) return before;
    const { matcher } = this.index;
    const own = this.index.outline(features, this.generation);
    const met = (await this.under(keys)).map(({ holders, held }, n) => {
      const { kind } = keys[n] as Key;
      const near =
        holders < matcher.capOf(kind) ? held.filter(({ outline }) => !matcher.areApart(own, outline, kind)) : [];
      return { holders, positions: near.map(({ position }) => position) };
    });
    this.met.set(id, met);
    return met;
  }

  /** What stands under the keys: not opened, so that a generic one costs no more than its row. */
  async under(keys: readonly Key[]): Promise<Under[]> {
    const tokens = this.index.tokens(keys, this.generation);
    const missing = new Map<string, number>();
    tokens.forEach((token, n) => {
      if (!this.found.has(token)) missing.set(token, this.index.matcher.recordsMaxOf((keys[n] as Key).kind));
    });
    if (missing.size > 0) await this.load(missing);
    return tokens.map((token) => this.found.get(token) as Under);
  }

  private async load(mostOf: ReadonlyMap<string, number>): Promise<void> {
    const { rows } = await prepared<{ token: string; count: string; held: string }>(
      this.client,
      `select wanted.token, count(*), string_agg(found.position || ' ' || found.outline, ',') as held
       from unnest($1::bigint[], $2::int[]) wanted (token, most) cross join lateral (
         select k.position, k.outline from match.key k where k.token = wanted.token limit wanted.most + 1) found
       group by wanted.token`,
      [[...mostOf.keys()], [...mostOf.values()]],
    );
    for (const [token, most] of mostOf) this.found.set(token, { holders: 0, held: [], most });
    for (const { token, count, held } of rows) {
      const most = mostOf.get(token) as number;
      const isGeneric = Number(count) > most;
      let all: readonly Held[] | undefined;
      const under = {
        most,
        // Of a generic key hardly anybody asks.
        get held() {
          return (all ??= heldOf(held));
        },
      };
      this.found.set(
        token,
        Object.assign(under, { holders: isGeneric ? Number.POSITIVE_INFINITY : countOf(under.held) }),
      );
    }
  }

  private async open(positions: readonly number[]): Promise<void> {
    const missing = [...new Set(positions)].filter((position) => !this.opened.has(position));
    if (missing.length === 0) return;
    for (const [position, node] of await this.index.nodesAt(this.client, missing)) {
      this.opened.set(position, node);
      this.byId.set(node.id, node);
    }
  }

  /** How many held the key before the given records came. */
  holdersBefore({ held, most }: Under, added: ReadonlySet<number>): number {
    const before = held.filter(({ position }) => !added.has(position));
    return before.length > most ? Number.POSITIVE_INFINITY : countOf(before);
  }

  /** Every record under a key, also where it is generic. */
  async recordsUnder({ held }: Under): Promise<Node<Features>[]> {
    const positions = held.map(({ position }) => position);
    await this.open(positions);
    return positions.flatMap((position) => this.opened.get(position) ?? []);
  }

  /** What reviewers decided of pairs of these records, or of observations that stay with one of them. */
  async decisions(records: readonly string[]): Promise<PairDecision[]> {
    const { rows } = await prepared<{ a: string; b: string; decision: PairDecision['decision'] }>(
      this.client,
      `with said as (select $1::bigint[] || array(select position from match.alias where of = any($1)) as positions),
       decided as (
         select coalesce(x.of, d.a) as a, coalesce(y.of, d.b) as b, d.decision from identity.decision d
           left join match.alias x on x.position = d.a left join match.alias y on y.position = d.b
         where d.a = any((select positions from said)::bigint[]) or d.b = any((select positions from said)::bigint[]))
       select least(a, b) as a, greatest(a, b) as b, decision from decided where a <> b
       union all select a, b, 'same' from match.kept where a = any($1) or b = any($1) order by a, b`,
      [records.map(Number)],
    );
    return rows.map(({ a, b, decision }) => ({ a: nodeId(Number(a)), b: nodeId(Number(b)), decision }));
  }
}

interface EdgeRow {
  a: string;
  b: string;
  outcome: Outcome;
  bits: number;
}

/** The edges of the given records as they were found last, with whomever. */
export async function storedEdges(client: ClientBase, positions: readonly number[]): Promise<StoredEdge[]> {
  if (positions.length === 0) return [];
  // Not `a = any and b = any`: that is looked up for each pair of them.
  const { rows } = await prepared<EdgeRow>(
    client,
    `select a, b, outcome, bits from match.edge where a = any($1)
     union all select a, b, outcome, bits from match.edge where b = any($1) and a not in (select unnest($1::bigint[]))`,
    [positions],
  );
  return rows.map((row) => ({ ...row, a: Number(row.a), b: Number(row.b) }));
}

const pairText = (a: number | string, b: number | string): string => `${Number(a)} ${Number(b)}`;

/** An edge as it is kept. */
export const edgeRow = ({ a, b, verdict, comparison }: Edge): object => ({
  a: Number(a),
  b: Number(b),
  outcome: verdict.outcome,
  grade: verdict.grade,
  rule: verdict.rule,
  bits: comparison.bits,
  evidence: verdict.outcome === 'apart' ? [] : comparison.evidence,
});

/** Keeps the edges that were found among the given records, and drops what isn't found any more. */
export async function saveEdges(
  client: ClientBase,
  before: readonly StoredEdge[],
  found: readonly Edge[],
  unchanged: readonly Edge[],
): Promise<void> {
  const was = new Map(before.map((edge) => [pairText(edge.a, edge.b), edge]));
  const now = new Set([...found, ...unchanged].map(({ a, b }) => pairText(a, b)));
  const gone = before.filter(({ a, b }) => !now.has(pairText(a, b)));
  const changed = found.filter(({ a, b, verdict, comparison }) => {
    const old = was.get(pairText(a, b));
    return old?.outcome !== verdict.outcome || Math.abs(old.bits - comparison.bits) > 0.01;
  });
  if (gone.length > 0) {
    await prepared(
      client,
      'delete from match.edge e using unnest($1::bigint[], $2::bigint[]) g (a, b) where e.a = g.a and e.b = g.b',
      [gone.map(({ a }) => a), gone.map(({ b }) => b)],
    );
  }
  if (changed.length === 0) return;
  await prepared(
    client,
    `insert into match.edge (a, b, outcome, grade, rule, bits, evidence)
     select a, b, outcome, grade, rule, bits, evidence from jsonb_to_recordset($1)
       r (a bigint, b bigint, outcome text, grade text, rule text, bits real, evidence jsonb)
     on conflict (a, b) do update set outcome = excluded.outcome, grade = excluded.grade, rule = excluded.rule,
       bits = excluded.bits, evidence = excluded.evidence`,
    [JSON.stringify(changed.map(edgeRow))],
  );
}
