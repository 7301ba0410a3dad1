import { prepared } from '@liandun/event-log';
import type { Bucket, Edge, Features, Key, Lookup, Memory, Node, PairDecision, Remembered } from '@liandun/identity';
import { setImmediate } from 'node:timers/promises';
import type { ClientBase, Pool } from 'pg';
import { edgeOf, storedEdges } from './edges.js';
import { liveGenerations, nodeId, type Generation, type MatchIndex, type ObservedEntry } from './match-index.js';
import { countOf, heldOf, type Held } from './outlines.js';

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
    const edges = [...new Set(ids.flatMap((id) => this.edges.get(id) ?? []))];
    return { edges, nodeOf: (id) => this.opened.get(Number(id)) };
  }

  private async loadEdges(positions: readonly number[]): Promise<void> {
    // Those with a record that was asked for before came then.
    const stored = await storedEdges(this.client, positions, [...this.edgesAsked]);
    for (const position of positions) this.edgesAsked.add(position);
    await this.open(stored.filter(({ outcome }) => outcome === 'link').flatMap(({ a, b }) => [a, b]));
    for (const edge of stored.map(edgeOf)) {
      for (const end of [edge.a, edge.b]) {
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
    for (const [position, node] of await this.index.nodesAt(this.client, missing)) this.opened.set(position, node);
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

const PREPARED_AT_ONCE = 25;

/**
 * Reads entries that are matched next, hashes what they are found by, and opens whom they are compared with, before their turn: a
 * few at a time, so that what is matched now isn't kept waiting.
 */
export async function prepareMatching(index: MatchIndex, pool: Pool, entries: readonly ObservedEntry[]): Promise<void> {
  const generations = await liveGenerations(pool);
  const active = generations.find(({ state }) => state === 'active');
  for (let from = 0; from < entries.length; from += PREPARED_AT_ONCE) {
    const nodes = await index.nodes(pool, entries.slice(from, from + PREPARED_AT_ONCE));
    for (const { features } of nodes)
      for (const generation of generations) {
        index.tokens(index.allKeys(features), generation);
        index.outline(features, generation);
      }
    await setImmediate();
    // Whom they may meet now is opened for good; who else comes until then isn't many.
    if (active) await new LiveLookup(index, pool, active).prefetch(nodes);
    await setImmediate();
  }
}
