import { createHash, createHmac } from 'node:crypto';
import { canonicalJson } from '@liandun/transparency-log';
import { isPersonal, type Identity, type SubjectKind } from '@liandun/contracts';

/** In the entry's `data`, in the place of a personal value. */
export interface Commitment {
  /** base64url of SHA-256 over 32 bytes of salt and the value in UTF-8: without the salt nothing can be guessed. */
  commitment: string;
}

/** A personal value with what opens its commitment. */
export interface Opening {
  /** RFC 6901, into the event's `data`. */
  pointer: string;
  /** 32 bytes, base64url. */
  salt: string;
  value: string;
}

/** Gives 32 bytes that nobody else can guess for the value at a pointer, never the same for two pointers. */
export type SaltOf = (pointer: string) => Uint8Array;

const digest = (salt: Uint8Array, value: string): string =>
  createHash('sha256').update(salt).update(value, 'utf8').digest('base64url');

/** Commits to a value by a salt of 32 bytes. */
export const commitTo = (salt: Uint8Array, value: string): Commitment => ({ commitment: digest(salt, value) });

/** Whether the opened value is the one that was committed to. */
export const opensCommitment = (
  { salt, value }: Pick<Opening, 'salt' | 'value'>,
  { commitment }: Commitment,
): boolean => digest(Buffer.from(salt, 'base64url'), value) === commitment;

/**
 * The salts of an event whose sender drew them: each is HMAC-SHA256 of its pointer under the event's `salt`, 32 bytes in
 * base64url. One salt that is shown opens no other value.
 */
export function saltsFrom(salt: string): SaltOf {
  const key = Buffer.from(salt, 'base64url');
  return (pointer) => createHmac('sha256', key).update(pointer, 'utf8').digest();
}

/** The subject's own name: what others may see of it stands beside the commitment, as in the notices. */
const NAME_POINTER = '/identity/name';
const VICTIM_POINTER = '/victim';
const FIRST_CHARACTER = /^./su;

/** How a name is shown to others: an organization's in clear, a person's or sole proprietor's first character and two stars. */
export const displayName = (kind: SubjectKind, name: string): string =>
  kind === 'organization' ? name : `${FIRST_CHARACTER.exec(name)?.[0] ?? ''}**`;

/**
 * An event's `data` as an entry holds it: every personal value (the table of `contracts`) replaced by its commitment, and
 * the openings of these, in the order of the fields. Sender and ledger come to the same form by the same salts. Pure but for
 * `saltOf`.
 */
export function committedForm(data: object, saltOf: SaltOf): { data: object; openings: Opening[] } {
  const { identity, victim } = data as { identity?: Identity; victim?: { identity?: Identity } };
  if (identity === undefined) return { data, openings: [] };
  const openings: Opening[] = [];
  // Somebody else's: the entry that protects the victim holds it, under keys of its own. Here it is bound to only.
  if (victim?.identity) {
    const bound = commitTo(saltOf(VICTIM_POINTER), canonicalJson(victim.identity));
    const { victim: _victim, ...own } = data as { victim: object };
    return {
      data: { ...(withhold(own, identity.kind, '', '', { saltOf, openings }) as object), victim: bound },
      openings,
    };
  }
  return { data: withhold(data, identity.kind, '', '', { saltOf, openings }) as object, openings };
}

interface Withheld {
  saltOf: SaltOf;
  openings: Opening[];
}

/** A copy of `value` without what is personal; what was taken out is pushed to the openings. */
function withhold(value: unknown, kind: SubjectKind, path: string, pointer: string, withheld: Withheld): unknown {
  if (Array.isArray(value)) return value.map((item, i) => withhold(item, kind, path, `${pointer}/${i}`, withheld));
  if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>;
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(fields))
      copy[key] = withhold(fields[key], kind, path ? `${path}.${key}` : key, `${pointer}/${key}`, withheld);
    return copy;
  }
  if (typeof value !== 'string' || !isPersonal(kind, path)) return value;
  const salt = withheld.saltOf(pointer);
  withheld.openings.push({ pointer, salt: Buffer.from(salt).toString('base64url'), value });
  const commitment = commitTo(salt, value);
  return pointer === NAME_POINTER ? { ...commitment, masked: displayName(kind, value) } : commitment;
}
