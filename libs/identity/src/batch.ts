import type { SubjectKind } from '@liandun/contracts';
import { judge } from './judge.js';
import type { Candidate, Judgement } from './judge.js';
import { keysOf, observe } from './observe.js';
import type { MatchKey, MatchKeys, Observable } from './observe.js';

/** Most entities that one key offers as candidates: the oldest. A key that more entities hold says little. */
export const ENTITIES_PER_KEY_MAX = 50;

/** One record of a batch; only these fields are looked at. */
export interface BatchRecord {
  recordId: string;
  identity: Observable;
}

/** What was decided of one record. `entityId` is always set: `founded` where this record is the entity's first. */
export interface BatchDecision extends Required<Judgement> {
  recordId: string;
  founded: boolean;
}

interface Entity {
  entityId: string;
  kind: SubjectKind;
  uscc?: string;
  residentId?: string;
}

/** The entities so far, by key. Memory grows with distinct keys and entities, not with the records' other content. */
class EntityIndex {
  private readonly byKey = new Map<string, Entity[]>();

  candidates(keys: readonly MatchKey[]): Candidate[] {
    const found = new Map<Entity, Set<MatchKey['kind']>>();
    for (const key of keys) {
      for (const entity of this.byKey.get(slot(key)) ?? []) {
        found.set(entity, (found.get(entity) ?? new Set()).add(key.kind));
      }
    }
    return Array.from(found, ([entity, fields]) => ({ ...entity, agrees: Array.from(fields, (field) => ({ field })) }));
  }

  /** Adds the observation's keys to the entity; an identifier that it already holds stays. */
  add(entity: Entity, own: MatchKeys['own'], keys: readonly MatchKey[]): void {
    entity.uscc ??= own.uscc;
    entity.residentId ??= own.residentId;
    for (const key of keys) {
      const holders = this.byKey.get(slot(key));
      if (!holders) this.byKey.set(slot(key), [entity]);
      else if (holders.length < ENTITIES_PER_KEY_MAX && !holders.includes(entity)) holders.push(entity);
    }
  }
}

const slot = ({ kind, value }: MatchKey): string => `${kind}:${value}`;

/**
 * Reconciles records in the order in which they come, each judged once against the entities before it, by the same
 * `observe` and `judge` as the live ledger. Yields one decision for each record. An entity is called `e-<recordId>` of its
 * first record.
 * @throws Error when a recordId comes twice: the decisions would be ambiguous.
 */
export async function* reconcileBatch(
  records: AsyncIterable<BatchRecord> | Iterable<BatchRecord>,
): AsyncGenerator<BatchDecision> {
  const index = new EntityIndex();
  const entities = new Map<string, Entity>();
  const seen = new Set<string>();
  for await (const { recordId, identity } of records) {
    if (seen.has(recordId)) throw new Error(`recordId ${recordId} comes twice`);
    seen.add(recordId);
    const observed = observe(identity);
    const keys = keysOf(observed);
    const { entityId, because, possible } = judge({ kind: observed.kind, ...observed.own }, index.candidates(keys));
    const joined = entityId === undefined ? undefined : entities.get(entityId);
    const entity = joined ?? { entityId: `e-${recordId}`, kind: observed.kind };
    entities.set(entity.entityId, entity);
    index.add(entity, observed.own, keys);
    yield { recordId, entityId: entity.entityId, founded: !joined, because, possible };
  }
}
