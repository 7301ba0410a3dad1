import { memberOfSource, type Identity } from '@liandun/contracts';
import { prepared, textArray } from '@liandun/event-log';
import type { ChineseMatcher, Features, Key, MatchRecord, Node, Outline } from '@liandun/identity';
import type { Vault, VaultEvent } from '@liandun/vault';
import { LRUCache } from 'lru-cache';
import type { ClientBase, Pool } from 'pg';
import { shortOf, textOfOutline } from './outlines.js';

/** An entry as it stands in the log, with what opens its record. */
export interface ObservedEntry extends VaultEvent {
  source: string;
  acceptedAt: string;
  leafHash: Buffer;
}

/** How much is kept in memory of what records say: the last as they are compared, those before them packed. */
export interface Kept {
  records: number;
  packedBytes: number;
}

const KEPT: Kept = { records: 10_000, packedBytes: 256 * 2 ** 20 };

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

  /**
   * The same by position alone: where they aren't known, what the vault keeps of them, else read from the log; a position without an
   * identity is left out.
   */
  async nodesAt(client: ClientBase | Pool, positions: readonly number[]): Promise<Map<number, Node<Features>>> {
    const found = new Map<number, Node<Features>>();
    const missing = positions.filter((position) => !this.recalled(position, found));
    if (missing.length === 0) return found;
    for (const [position, text] of await this.vault.openDerived(client, missing, this.matcher.version))
      found.set(position, this.keep(position, JSON.parse(text) as Features));
    const unread = missing.filter((position) => !found.has(position));
    const entries = unread.length === 0 ? [] : await this.vault.openEntries(client, unread);
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

  /** Makes records findable by their keys of one generation, and keeps what they are compared by in the vault. */
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
    const derived = nodes.map(({ id, features }) => ({ position: Number(id), text: JSON.stringify(features) }));
    await this.vault.keepDerived(client, derived, this.matcher.version);
    await prepared(
      client,
      `insert into match.key (token, position, generation, outline)
       select t, p, $4, o from unnest($1::bigint[], $2::bigint[], $3::text[]) given (t, p, o) on conflict do nothing`,
      [
        rows.map(({ token }) => token),
        rows.map(({ position }) => position),
        textArray(rows.map(({ outline }) => outline)),
        generation.id,
      ],
    );
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
