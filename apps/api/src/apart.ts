import { LedgerError, reviewIdOf } from '@liandun/contracts';
import type { ReadingCaller } from '@liandun/event-log';
import { zhMatcher, type EntitiesApart } from '@liandun/identity';
import { ledgerApart, liveGenerations, MatchIndex, type PairApart } from '@liandun/matching';
import { Vault } from '@liandun/vault';
import {
  decisionBetween,
  edgesAmong,
  entitySide,
  observationsBeside,
  relatedTo,
  reportersOf,
  type RelatedEntity,
  type ReviewSide,
  type StandingDecision,
} from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { pathOf, type PairExplanation } from './explain.js';
import { Door } from './pools.js';
import { Reads } from './reads.js';

type Side = ReviewSide & { retiredFrom?: string };

/** Why two entities aren't one, or how they came to be. No value of any record is in it. */
export interface WhyApart {
  outcome: EntitiesApart['outcome'];
  entities: [Side, Side];
  /** What decides comes first. */
  reasons: EntitiesApart['reasons'] | [{ rule: 'oneEntity'; en: string; zh: string }];
  /** What a person decided of them, as far as it stands. */
  decided?: StandingDecision;
  /** How they are related without being one; nothing follows from it (rule P13). */
  related: RelatedEntity[];
  matcher: string;
  compared: { records: number; of: number }[];
  /** The pair that decides, then the nearest: `a` is of the first entity. Where the two are one, the links between the two ids. */
  pairs: (PairExplanation & Partial<Pick<PairApart, 'shared'>> & { reviewId: string; members: [string, string] })[];
}

const ONE = { rule: 'oneEntity', en: 'they are one entity now', zh: '两者现为同一主体' } as const;

/** An entity's id begins with the position of the observation that founded it. */
const founding = (entityId: string): number => Number(/^E(\d+)-/.exec(entityId)?.[1]);

/** Answers regulators why two entities aren't one. */
@Injectable()
export class Apart {
  readonly #index: MatchIndex;

  constructor(
    private readonly reads: Reads,
    private readonly door: Door,
    private readonly vault: Vault,
  ) {
    this.#index = new MatchIndex(zhMatcher, vault);
  }

  /** Throws NOT_FOUND where either id was never an entity's. */
  async between(caller: ReadingCaller, asked: readonly [one: string, other: string]): Promise<WhyApart> {
    const [one, other, decided, related] = await this.reads.as(caller, async (db) => {
      const [a, b] = await Promise.all(asked.map((id) => entitySide(db, id)));
      if (!a || !b) throw new LedgerError('NOT_FOUND');
      return [a, b, await decisionBetween(db, a.entityId, b.entityId), await relatedTo(db, a.entityId)] as const;
    });
    if (one.entityId === other.entityId) return this.#oneEntity(caller, [one, other]);
    const generation = (await liveGenerations(this.door.pool)).find(({ state }) => state === 'active');
    if (!generation) throw new LedgerError('NOT_FOUND');
    const { pairs, ...apart } = await ledgerApart(
      this.door.pool,
      this.#index,
      this.vault,
      generation,
      [one.entityId, other.entityId],
      decided?.decision === 'different',
    );
    return {
      ...apart,
      entities: [one, other],
      ...(decided && { decided }),
      related: related.filter(({ entityId }) => entityId === other.entityId),
      matcher: zhMatcher.version,
      pairs: await this.#reported(caller, pairs),
    };
  }

  async #oneEntity(caller: ReadingCaller, entities: [Side, Side]): Promise<WhyApart> {
    const [a, b] = entities.map(({ entityId, retiredFrom }) => founding(retiredFrom ?? entityId)) as [number, number];
    const edges = await this.reads.as(caller, async (db) => edgesAmong(db, await observationsBeside(db, [a, b])));
    return {
      outcome: 'link',
      entities,
      reasons: [ONE],
      related: [],
      matcher: zhMatcher.version,
      compared: [],
      pairs: await this.#reported(caller, a === b ? [] : pathOf(edges, a, b)),
    };
  }

  async #reported(caller: ReadingCaller, pairs: readonly PairExplanation[]): Promise<WhyApart['pairs']> {
    const members = await this.reads.as(caller, (db) =>
      reportersOf(
        db,
        pairs.flatMap(({ a, b }) => [a, b]),
      ),
    );
    return pairs.map((pair) => ({
      ...pair,
      reviewId: reviewIdOf(pair.a, pair.b),
      members: [members.get(pair.a) ?? '', members.get(pair.b) ?? ''],
    }));
  }
}
