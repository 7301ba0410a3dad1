import type { Because, SubjectKind } from '@liandun/contracts';

/** The matcher's name and version, as every `entity.linked` records it. */
export const MATCHER = 'exact-1';

/** Most entities that one key offers as candidates: the oldest. A key that more entities hold says little. */
export const ENTITIES_PER_KEY_MAX = 50;

/** Most entities that one judgement names as possible. */
export const POSSIBLE_MAX = 20;

/** An identifier as an opaque string: live a blind-index token in hex, in a batch the normalised value itself. */
type Key = string;

/** What is matched: the subject's own identifiers. By its weak keys (15-digit numbers, accounts) the caller looks up. */
export interface Observation {
  kind: SubjectKind;
  uscc?: Key;
  residentId?: Key;
}

/**
 * An entity that shares a key with the observation. `uscc` and `residentId` are what the entity holds, whether they agree
 * or not; they never change once known, since no record with another one joins. `agrees` names the fields whose lookup
 * found the entity. Of a key that very many entities hold the caller may pass a part, the oldest first.
 */
export interface Candidate {
  entityId: string;
  kind: SubjectKind;
  uscc?: Key | null;
  residentId?: Key | null;
  agrees: readonly { field: Because['field'] }[];
}

/** `entityId` is the entity that the observation joins; absent, it founds one. */
export interface Judgement {
  entityId?: string;
  because: Because[];
  possible: { entityId: string; because: Because[] }[];
}

interface Compared {
  entityId: string;
  /** Fields that agree, the official ones first. */
  agreeing: Field[];
  joins: boolean;
  /** The entity holds no USCC. */
  withoutUscc: boolean;
}

const FIELDS = ['uscc', 'residentId', 'registrationNumber', 'bankAccount'] as const;
type Field = (typeof FIELDS)[number];

/** Whether agreement on this field alone joins two records. */
const isStrong = (field: string): field is 'uscc' | 'residentId' => field === 'uscc' || field === 'residentId';

/** A company and a sole proprietor are sometimes taken for each other; a person is never either. */
const comparable = (a: SubjectKind, b: SubjectKind): boolean => (a === 'person') === (b === 'person');

const contradicts = (mine: Key | undefined, held: Key | null | undefined): boolean =>
  mine !== undefined && held != null && mine !== held;

interface Held {
  kind: SubjectKind;
  uscc?: Key | null;
  residentId?: Key | null;
}

/** An organization has no resident id of its own: what stands there is a representative's. A person has no USCC. */
const own = <T extends Held>(held: T): T => ({
  ...held,
  ...(held.kind === 'organization' && { residentId: undefined }),
  ...(held.kind === 'person' && { uscc: undefined }),
});

function compare(observation: Observation, candidate: Candidate): Compared {
  const found = new Set<string>(candidate.agrees.map(({ field }) => field));
  const agrees = (field: Field): boolean =>
    isStrong(field) ? observation[field] !== undefined && observation[field] === candidate[field] : found.has(field);
  const agreeing = comparable(observation.kind, candidate.kind) ? FIELDS.filter(agrees) : [];
  return {
    entityId: candidate.entityId,
    agreeing,
    joins:
      observation.kind === candidate.kind &&
      agreeing.some(isStrong) &&
      !contradicts(observation.uscc, candidate.uscc) &&
      !contradicts(observation.residentId, candidate.residentId),
    withoutUscc: candidate.uscc == null,
  };
}

const number = (entityId: string): number => Number(/[0-9]+/.exec(entityId)?.[0] ?? 0);

/** By the position in the ids, so that the older of the ledger's entities comes first; then by the text. */
const byAge = (a: string, b: string): number => number(a) - number(b) || (a < b ? -1 : Number(a > b));

const strength = ({ agreeing }: Compared): number =>
  agreeing.reduce((sum, field) => sum + 2 ** (FIELDS.length - FIELDS.indexOf(field)), 0);

const strongestFirst = (a: Compared, b: Compared): number => strength(b) - strength(a) || byAge(a.entityId, b.entityId);

/**
 * The entity to join. USCC agreement outranks. Where only the resident id agrees, an entity that holds no USCC is
 * preferred, and between several sole proprietorships of one operator there is no telling: none is joined.
 */
function choose(joinable: Compared[]): Compared | undefined {
  const byUscc = joinable.filter(({ agreeing }) => agreeing.includes('uscc'));
  if (byUscc.length > 0) return byUscc.toSorted(strongestFirst)[0];
  const bare = joinable.filter(({ withoutUscc }) => withoutUscc);
  if (bare.length > 0) return bare.toSorted(strongestFirst)[0];
  return joinable.length === 1 ? joinable[0] : undefined;
}

const because = (fields: Because['field'][], grade: Because['grade']): Because[] =>
  fields.map((field) => ({ field, grade }));

/**
 * Whom an observation speaks of (matcher `exact-1`), live and in a batch alike. Pure: the same observation and candidates,
 * in any order, give the same judgement.
 *
 * - It joins only on the subject's own USCC or resident id, and only an entity of the same kind.
 * - It never joins across two different USCCs, nor across two different resident ids.
 * - Everything else that agrees is only `possible`, for a person to look at: an equal 15-digit number or bank account, an
 *   identifier that agrees while the other contradicts, a company that was elsewhere called a sole proprietor.
 */
export function judge(observation: Observation, candidates: Iterable<Candidate>): Judgement {
  const subject = own(observation);
  const compared = Array.from(candidates, (candidate) => compare(subject, own(candidate))).filter(
    ({ agreeing }) => agreeing.length > 0,
  );
  const chosen = choose(compared.filter(({ joins }) => joins));
  const possible = compared
    .filter((other) => other !== chosen)
    .toSorted(strongestFirst)
    .slice(0, POSSIBLE_MAX)
    .map(({ entityId, agreeing }) => ({ entityId, because: because(agreeing, 'possible') }));
  if (!chosen) return { because: [], possible };
  const reasons = chosen.agreeing.map((field): Because => ({ field, grade: isStrong(field) ? 'exact' : 'possible' }));
  return { entityId: chosen.entityId, because: reasons, possible };
}
