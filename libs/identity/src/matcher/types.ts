import type { Because, Identity, SubjectKind } from '@liandun/contracts';

/** What is reconciled: a report of a merchant. Anything but the kind may be missing, masked, damaged or a placeholder. */
export interface MatchRecord {
  recordId: string;
  memberId?: string;
  merchantId?: string;
  identity: Pick<Identity, 'kind'> &
    Partial<Omit<Identity, 'kind' | 'legalRepresentative'>> & {
      legalRepresentative?: { name?: string; residentId?: string };
    };
  /**
   * It used a stolen identity: without an identifier of its own it is nobody who has one, however much else agrees, since what
   * agrees may have been reported under the stolen one (rule P14).
   */
  impostor?: true;
  shops?: readonly { shopId: string; name?: string; url?: string }[];
  /** A date or a time, RFC 3339. */
  reportedAt?: string;
}

/** Only nodes of one kind can be the same; a company and a sole proprietor, sometimes confused, are both `legal`. */
export type NodeKind = 'legal' | 'person';

/** A blocking key: compared for equality only, so the value may be replaced by a keyed hash of (kind, value). */
export interface Key {
  kind: KeyKind;
  value: string;
}
export type KeyKind =
  | 'uscc'
  | 'organizationCode'
  | 'registrationNumber'
  | 'residentId'
  | 'bankAccount'
  | 'phone'
  | 'email'
  | 'account'
  | 'shop'
  | 'name'
  | 'nameAtPlace'
  | 'nameSound'
  | 'representative'
  | 'address'
  | 'brand'
  | 'birth'
  /** Who operates or represents: finds relations, never the same. */
  | 'controller';

/** What speaks for one thing: agreeing fields of one group say partly the same and count together at most its cap. */
export type Group = 'identifier' | 'name' | 'contact' | 'account' | 'place' | 'people' | 'platform' | 'birth';

/**
 * What one field says of a pair. `stranger` and `kin` are log2 of how much likelier the level is for one entity than for
 * two that have nothing to do with each other, and for two of one controller, address or name (of which most false
 * matches come).
 */
export interface Evidence {
  field: string;
  level: string;
  group: Group;
  stranger: number;
  kin: number;
}

/** How one field of two records compares. A field that one of them doesn't have is absent. */
export interface FieldLevel {
  field: string;
  level: string;
  /** The value that agrees, where how many share it counts. */
  value?: string;
  /** How rare the agreeing value is, in bits. */
  rarity?: number | undefined;
  /** Of a number that another name bears: the days of the two reports, in their order. */
  between?: readonly [from: number, to: number] | undefined;
}

/** Why two records can't be one entity, however much agrees. */
export type Conflict = 'kind' | 'uscc' | 'residentId';

/** Everything that was found of a pair: small, serialisable, and all that `decide` and `explain` look at. */
export interface Comparison {
  kind: NodeKind;
  evidence: Evidence[];
  /** Log2 of the odds that the two are one entity. */
  bits: number;
  conflict?: Conflict;
}

export type Outcome = 'link' | 'review' | 'apart';

/** The rule that decided, one of a closed list: `explain` has a sentence for each. */
export type Rule =
  | 'conflict'
  | 'identifierAgrees'
  | 'identifierNameDiffers'
  | 'weightOfGroups'
  | 'oneGroupOnly'
  | 'nameAlone'
  | 'neighbour'
  | 'ambiguous'
  | 'inBand'
  | 'belowBand'
  | 'tooLarge'
  | 'decidedSame'
  | 'decidedDifferent';

export interface Verdict {
  outcome: Outcome;
  /** Of a link; a person's is `possible` unless two strong identifiers or a verified official one agree. */
  grade?: Because['grade'];
  rule: Rule;
}

/** What the caller knows beyond the pair. */
export interface PairContext {
  /** How many entities hold the key, as `holders` counts them; 1 where unknown. At its cap and above, a key is generic. */
  holders(key: Key): number;
  /** Whether nobody showed the number for so long between the two days that it may have been given to somebody else. */
  reissued?(key: Key, from: number, to: number): boolean;
}

/**
 * How two that aren't the same are related. Nothing spreads along a relation by itself (rule P13); `sharesPhone` has no
 * direction, and between two persons it isn't kept: a household is nobody's business.
 */
export type RelationKind = 'operates' | 'legalRepresentativeOf' | 'branchOf' | 'successorOf' | 'sharesPhone';

/** A relation between two records, and what it rests on. */
export interface Relation {
  kind: RelationKind;
  /** Which record operates, represents, is the branch, succeeds; of `sharesPhone` the first by id. */
  from: string;
  to: string;
  fields: readonly ('residentId' | 'name' | 'phone' | 'email' | 'bankAccount' | 'account')[];
  grade: Because['grade'];
  /** The member that reported both. */
  member?: string;
}

/** A pair that was compared: `a` < `b`, both ids of records. */
export interface Edge {
  a: string;
  b: string;
  comparison: Comparison;
  verdict: Verdict;
}

/** What a reviewer decided of two records. A decided pair never comes back to the queue. */
export interface PairDecision {
  a: string;
  b: string;
  decision: 'same' | 'different';
}

export interface Node<F> {
  id: string;
  features: F;
}

export interface Partition {
  /** Ids of the records of each entity: sorted, and the entities by their first record. */
  entities: string[][];
  /** The edges that hold the entities together, strongest first: a forest, each with what it rests on. */
  links: Edge[];
  /** Pairs that a person should look at: at most one between two of the entities, the strongest. */
  reviews: Edge[];
}

/**
 * A matcher: pure functions, the same live and in a batch.
 *
 * - `features` depends on the record alone; it is JSON, and what is sealed live.
 * - `compare` is symmetric. `cluster` depends on the sets that it is given, never on their order.
 * - Retracting a record gives what would have been without it.
 */
export interface Matcher<R = MatchRecord, F = unknown> {
  version: string;
  features(record: R): F;
  /** At most `KEYS_MAX`, without repeats, the most telling first. */
  keys(features: F): Key[];
  /** Entities from which on a key of this kind is generic: it finds nobody and weighs nothing. */
  capOf(kind: KeyKind): number;
  /** Records under a key of this kind beyond which it is generic, whoever they are. */
  recordsMaxOf(kind: KeyKind): number;
  /**
   * Entities among the records under one key, estimated from what they show: parts of the graph in which records
   * are joined by an equal valid identifier or name. Depends on the set of records only.
   */
  holders(records: readonly F[]): number;
  compare(a: F, b: F, context: PairContext): Comparison;
  /** What `compare` finds to rule out the pair, without the rest of it. */
  conflict?(a: F, b: F): Conflict | undefined;
  decide(comparison: Comparison): Verdict;
  /** How two records that aren't linked are related: the most telling relation, if any. Symmetric. */
  relate?(a: Node<F>, b: Node<F>, context: PairContext): Relation | undefined;
  /** What only relations are found by, besides `keys`. */
  relationKeys?(features: F): Key[];
  cluster(nodes: readonly Node<F>[], edges: readonly Edge[], decisions: readonly PairDecision[]): Partition;
}

/** Most keys of one record. */
export const KEYS_MAX = 12;

export type { SubjectKind };
