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
    let [was, aliases]: [Map<number, Standing>, Alias[]] = [new Map(), []];
    const beside = async (records: readonly string[]): Promise<Node<Features>[]> => {
      const explored = records.map(Number);
      ({ was, aliases } = await this.standings.of(explored));
      const seen = new Set([...explored, ...aliases.map(({ position }) => position)]);
      const unseen = [...was.keys()].filter((position) => !seen.has(position));
      return [...(await this.index.nodesAt(this.client, unseen)).values()];
    };
    const resolution = await resolve<Features>(this.index.matcher, given, this.lookup, COMPONENT_MAX, beside);
    return { resolution, positions: resolution.nodes.map(({ id }) => Number(id)), was, aliases };
  }

  /**
   * The same as exploring all anew after some of the records, by their ids, are to be compared anew: only their components are
   * explored, and those that turn out to be one with them.
   */
  async exploreAgain(before: Explored, ids: readonly string[]): Promise<Explored> {
    const { nodes, components } = before.resolution;
    for (let again = touching(components, ids); ;) {
      const found = await this.explore(nodes.filter(({ id }) => again.has(id)));
      const reached = touching(components, [...again, ...found.resolution.nodes.map(({ id }) => id)]);
      if (reached.size === again.size) return instead(before, found, again);
      again = reached;
    }
  }
}

/** The records of the components that have one of these. */
function touching(components: readonly string[][], ids: readonly string[]): Set<string> {
  const wanted = new Set(ids);
  return new Set(components.filter((component) => component.some((id) => wanted.has(id))).flat());
}

/** What was found before, but for these records, whose components were explored again. */
function instead(before: Explored, found: Explored, again: ReadonlySet<string>): Explored {
  const [x, y] = [before.resolution, found.resolution];
  const others = <E extends { a: string; b: string }>(edges: readonly E[]): E[] =>
    edges.filter(({ a, b }) => !again.has(a) && !again.has(b));
  const compared = new Set([...x.compared].filter((id) => !again.has(id)));
  const relations = [...x.relations.filter(({ from, to }) => compared.has(from) || compared.has(to)), ...y.relations];
  const nodes = [...x.nodes.filter(({ id }) => !again.has(id)), ...y.nodes];
  return {
    resolution: {
      nodes,
      components: [...x.components.filter(([first]) => !again.has(first as string)), ...y.components],
      entities: [...x.entities.filter(([first]) => !again.has(first as string)), ...y.entities],
      links: [...others(x.links), ...y.links],
      reviews: [...others(x.reviews), ...y.reviews],
      edges: [...others(x.edges), ...y.edges],
      remembered: [...others(x.remembered), ...y.remembered],
      compared: new Set([...compared, ...y.compared]),
      // Where both a record of those and another were compared, both times.
      relations: [...new Map(relations.map((relation) => [`${relation.from} ${relation.to}`, relation])).values()],
      cut: x.cut || y.cut,
    },
    positions: nodes.map(({ id }) => Number(id)),
    was: new Map([...before.was, ...found.was]),
    aliases: [...new Map([...before.aliases, ...found.aliases].map((alias) => [alias.position, alias])).values()],
  };
}
