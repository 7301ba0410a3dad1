import { commitTo, committedForm, opensCommitment, type Commitment, type SaltOf } from '@liandun/commitments';
import type { Identity } from '@liandun/contracts';
import type { VaultKeys } from './keys.js';
import { random } from './random.js';
import { PERSONS, seal, type EventRef, type Person, type SealedRecord, type SealedValue } from './sealing.js';
import { personTokensOf, tokensOf, type Token } from './tokens.js';

/** What the vault's rider stores beside an entry, in the append's own transaction. */
export interface VaultRow {
  /** One for each person whose values the event has. */
  sealed: SealedRecord[];
  /** What the matcher sees. */
  tokens: Token[];
  /** What only erasures are found by. */
  personTokens: Token[];
}

export interface Separated {
  /** For the log: every personal value replaced by its commitment. */
  data: object;
  /** For the vault; absent where the event names nobody. */
  row?: VaultRow;
}

const SALT_BYTES = 32;
const drawn: SaltOf = () => random(SALT_BYTES);

const REPRESENTATIVE = '/identity/legalRepresentative/';

/** Whose value it is, by its place. */
const personAt = (pointer: string): Person => (pointer.startsWith(REPRESENTATIVE) ? 'representative' : 'subject');

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Parts an event's data into what the log may hold and what only the vault may (design section 1, "Personal data never
 * enters the log"; 个人信息保护法 第51条). Which fields are personal is the table of `contracts`. The salts are drawn here unless the
 * sender drew them. Pure but for that.
 */
export function separate(
  event: EventRef,
  data: object,
  keys: Pick<VaultKeys, 'kms' | 'blind'>,
  saltOf: SaltOf = drawn,
): Separated {
  const { identity } = data as { identity?: Identity };
  if (identity === undefined) return { data };
  const { data: shared, openings: taken } = committedForm(data, saltOf);
  const tokens = tokensOf(identity, keys.blind);
  if (taken.length === 0 && tokens.length === 0) return { data: shared };
  const sealed = sealByPerson(taken, event, keys);
  return { data: shared, row: { sealed, tokens, personTokens: personTokensOf(identity, keys.blind) } };
}

/**
 * Takes what a person wrote out of an outcome's data: each text at these pointers, where there is one, is replaced by its commitment
 * and sealed as the subject's. No identifier stands with it: it is found by the entry that it is about, and erased with that one's
 * subject.
 */
export function separateTexts(
  event: EventRef,
  data: object,
  pointers: readonly string[],
  keys: Pick<VaultKeys, 'kms'>,
): Separated {
  const copy = structuredClone(data);
  const taken = pointers.flatMap((pointer): SealedValue[] => {
    const found = find(copy, pointer);
    const value = found?.at[found.last];
    if (!found || typeof value !== 'string') return [];
    const salt = drawn(pointer);
    found.at[found.last] = commitTo(salt, value);
    return [{ pointer, salt: Buffer.from(salt).toString('base64url'), value }];
  });
  if (taken.length === 0) return { data: copy };
  return { data: copy, row: { sealed: sealByPerson(taken, event, keys), tokens: [], personTokens: [] } };
}

/** Seals values that were taken out: each person's under a key of its own. */
export function sealByPerson(values: SealedValue[], event: EventRef, { kms }: Pick<VaultKeys, 'kms'>): SealedRecord[] {
  return PERSONS.flatMap((person) => {
    const own = values.filter(({ pointer }) => personAt(pointer) === person);
    return own.length > 0 ? [seal(own, event, person, kms)] : [];
  });
}

/** The object that holds what the pointer names, and under which key; undefined where there is nothing of the kind. */
function find(target: unknown, pointer: string): { at: Record<string, unknown>; last: string } | undefined {
  const path = pointer.split('/').slice(1);
  const last = path.pop();
  let at = target as Record<string, unknown> | undefined;
  for (const key of path) at = at?.[key] as Record<string, unknown> | undefined;
  return at === undefined || last === undefined ? undefined : { at, last };
}

/** Puts an authentic value in its place. */
export function put(target: unknown, { pointer, value }: SealedValue): void {
  const found = find(target, pointer);
  if (found) found.at[found.last] = value;
}

function place(target: unknown, sealed: SealedValue): void {
  const found = find(target, sealed.pointer);
  if (!found) return;
  const commitment = found.at[found.last];
  if (!isPlainObject(commitment) || !opensCommitment(sealed, commitment as unknown as Commitment))
    throw new Error(`the vault's value at ${sealed.pointer} is not the one that the entry committed to`);
  found.at[found.last] = sealed.value;
}

/**
 * An entry's data with the personal values back in the place of their commitments, in memory only. Every value is
 * checked against its commitment; throws where one doesn't open it.
 */
export function restore<T extends object>(data: T, values: SealedValue[]): T {
  // An entry's data is JSON: copied so, it takes a fifth of the time of structuredClone.
  const copy = JSON.parse(JSON.stringify(data)) as T;
  for (const value of values) place(copy, value);
  return copy;
}
