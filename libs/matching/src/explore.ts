import { COMPONENT_MAX, resolve, type Features, type Node, type Resolution } from '@liandun/identity';
import type { ClientBase } from 'pg';
import type { LiveLookup } from './live-lookup.js';
import type { MatchIndex } from './match-index.js';
import type { Standing } from './regroup.js';
import { Standings, type Alias } from './standings.js';

/** What is found of observations and of all that they touch, and how that stood. */
export interface Explored {
  resolution: Resolution<Features>;
  positions: number[];
  was: Map<number, Standing>;
  aliases: Alias[];
}

/** Resolves with every observation of each entity that is touched, as one transaction sees the ledger before it changes it. */
export class Explorer {
  private readonly standings: Standings;

  constructor(
    private readonly client: ClientBase,
    private readonly index: MatchIndex,
    private readonly lookup: LiveLookup,
  ) {
    this.standings = new Standings(client);
  }

  /** The components of the given records, and of those that are of one entity with them. */
  async explore(given: readonly Node<Features>[]): Promise<Explored> {
    return this.standing(await this.resolve(given));
  }

  /**
   * The same as exploring all anew after some of the records, by their ids, are to be compared anew: only their components are
   * explored, and those that turn out to be one with them.
   */
  async exploreAgain({ resolution: before }: Explored, ids: readonly string[]): Promise<Explored> {
    for (let again = touching(before.components, ids); ;) {
      const found = await this.resolve(before.nodes.filter(({ id }) => again.has(id)));
      const reached = touching(before.components, [...again, ...found.nodes.map(({ id }) => id)]);
      if (reached.size === again.size) return this.standing(instead(before, found, again));
      again = reached;
    }
  }

  private async resolve(given: readonly Node<Features>[]): Promise<Resolution<Features>> {
    const beside = async (records: readonly string[]): Promise<Node<Features>[]> => {
      const explored = records.map(Number);
      const { was, aliases } = await this.standings.of(explored);
      const seen = new Set([...explored, ...aliases.map(({ position }) => position)]);
      const unseen = [...was.keys()].filter((position) => !seen.has(position));
      return [...(await this.index.nodesAt(this.client, unseen)).values()];
    };
    return resolve<Features>(this.index.matcher, given, this.lookup, COMPONENT_MAX, beside);
  }

  private async standing(resolution: Resolution<Features>): Promise<Explored> {
    const positions = resolution.nodes.map(({ id }) => Number(id));
    return { resolution, positions, ...(await this.standings.of(positions)) };
  }
}

/** The records of the components that have one of these. */
function touching(components: readonly string[][], ids: readonly string[]): Set<string> {
  const wanted = new Set(ids);
  return new Set(components.filter((component) => component.some((id) => wanted.has(id))).flat());
}

/** What was found before, but for these records, whose components were explored again. */
function instead(
  before: Resolution<Features>,
  found: Resolution<Features>,
  again: ReadonlySet<string>,
): Resolution<Features> {
  const others = <E extends { a: string; b: string }>(edges: readonly E[]): E[] =>
    edges.filter(({ a, b }) => !again.has(a) && !again.has(b));
  const groups = (all: readonly string[][]): string[][] => all.filter(([first]) => !again.has(first as string));
  const compared = new Set([...before.compared].filter((id) => !again.has(id)));
  const relations = before.relations.filter(({ from, to }) => compared.has(from) || compared.has(to));
  return {
    nodes: [...before.nodes.filter(({ id }) => !again.has(id)), ...found.nodes],
    components: [...groups(before.components), ...found.components],
    entities: [...groups(before.entities), ...found.entities],
    links: [...others(before.links), ...found.links],
    reviews: [...others(before.reviews), ...found.reviews],
    edges: [...others(before.edges), ...found.edges],
    remembered: [...others(before.remembered), ...found.remembered],
    compared: new Set([...compared, ...found.compared]),
    // Where both a record of those and another were compared, both times.
    relations: [...new Map([...relations, ...found.relations].map((one) => [`${one.from} ${one.to}`, one])).values()],
    cut: before.cut || found.cut,
  };
}
