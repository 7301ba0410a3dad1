import { prepared } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import type { Standing } from './regroup.js';

/** An observation that stays with another: one that says the same, or one that was erased. */
export interface Alias {
  position: number;
  of: number;
  grade: 'exact' | 'strong' | 'possible';
}

/** How observations stand in the ledger, as one transaction sees it before it changes that. What is asked once is asked once. */
export class Standings {
  private readonly entityOf = new Map<number, string>();
  private readonly entities = new Map<string, Standing[]>();
  private readonly following = new Map<number, Alias[]>();
  private readonly asked = new Set<number>();

  constructor(private readonly client: ClientBase) {}

  /** The entities of the given observations with every observation of theirs, and which others stay with a given one. */
  async of(positions: readonly number[]): Promise<{ was: Map<number, Standing>; aliases: Alias[] }> {
    const missing = positions.filter((position) => !this.asked.has(position));
    for (const position of missing) this.asked.add(position);
    if (missing.length > 0) await Promise.all([this.loadEntities(missing), this.loadAliases(missing)]);
    const entityIds = new Set(positions.flatMap((position) => this.entityOf.get(position) ?? []));
    const standing = [...entityIds].flatMap((entityId) => this.entities.get(entityId) ?? []);
    return {
      was: new Map(standing.map((each) => [each.observation, each])),
      aliases: positions.flatMap((position) => this.following.get(position) ?? []),
    };
  }

  private async loadEntities(positions: readonly number[]): Promise<void> {
    const missing = positions.filter((position) => !this.entityOf.has(position));
    if (missing.length === 0) return;
    const { rows } = await prepared<{ position: string; entity_id: string; same_as: string; strong_as: string }>(
      this.client,
      `select position, entity_id, same_as, strong_as from identity.link
       where entity_id in (select entity_id from identity.link where position = any($1)) order by position`,
      [missing],
    );
    for (const [entityId, members] of Map.groupBy(rows, (row) => row.entity_id)) {
      const standing = members.map((row) => ({
        observation: Number(row.position),
        entityId,
        sameAs: Number(row.same_as),
        strongAs: Number(row.strong_as),
      }));
      this.entities.set(entityId, standing);
      for (const { observation } of standing) this.entityOf.set(observation, entityId);
    }
  }

  private async loadAliases(positions: readonly number[]): Promise<void> {
    const { rows } = await prepared<{ position: string; of: string; grade: Alias['grade'] }>(
      this.client,
      'select position, of, grade from match.alias where of = any($1) order by position',
      [positions],
    );
    const aliases = rows.map(({ position, of, grade }) => ({ position: Number(position), of: Number(of), grade }));
    for (const [of, others] of Map.groupBy(aliases, (alias) => alias.of)) this.following.set(of, others);
  }
}
