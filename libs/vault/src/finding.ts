// Which of the entries that the blind index finds are about the person who is to be forgotten.
import type { Identity } from '@liandun/contracts';
import { observe } from '@liandun/identity';
import type { TokenKind } from './keys.js';
import type { PersonIdentifiers } from './tokens.js';

/** An entry that shares a token with the person. */
export interface ErasureHit {
  kinds: readonly TokenKind[];
  /** Of the entry, with its personal values, as far as they are there. */
  identity: Identity;
}

/** As whom the person stands in an entry; `kept`: a number of the register that is an organization's, not his. */
export type ErasureRole = 'subject' | 'representative' | 'kept';

/** A name as it is compared: without spaces and dots, whatever their width. */
export const nameOf = (text: unknown): string | undefined =>
  typeof text === 'string'
    ? text
        .normalize('NFKC')
        .replaceAll(/[\s·•]/gu, '')
        .toUpperCase()
    : undefined;

const residentIdOf = (residentId: unknown): string | undefined =>
  typeof residentId === 'string' ? observe({ kind: 'person', residentId }).own.residentId : undefined;

/** A contact may be shared or have had another holder: the name must agree, and no resident number may differ. */
function isNamed(wanted: PersonIdentifiers, held: { name?: unknown; residentId?: unknown } | undefined): boolean {
  const name = nameOf(wanted.name);
  if (name === undefined || nameOf(held?.name) !== name) return false;
  const [own, theirs] = [residentIdOf(wanted.residentId), residentIdOf(held?.residentId)];
  return own === undefined || theirs === undefined || own === theirs;
}

/**
 * A resident number names its holder wherever it stands; a number of the register names a person only where the entry is about a
 * sole proprietor, whose operator is also the representative. A telephone number, mail address or bank account does so only with
 * the name of the subject, or in an organization's entry that of its representative, whose contact it then is. Undefined: somebody
 * else's entry. Pure.
 */
export function erasureRole({ kinds, identity }: ErasureHit, wanted: PersonIdentifiers): ErasureRole | undefined {
  const organization = identity.kind === 'organization';
  if (kinds.includes('residentId')) return 'subject';
  const registered = kinds.includes('uscc') || kinds.includes('registrationNumber');
  if (registered && !organization) return 'subject';
  if (kinds.includes('representative')) return identity.kind === 'soleProprietor' ? 'subject' : 'representative';
  const byContact = kinds.some((kind) => kind === 'phone' || kind === 'email' || kind === 'bankAccount');
  if (byContact && isNamed(wanted, organization ? identity.legalRepresentative : identity)) return 'subject';
  return registered ? 'kept' : undefined;
}

const stars = (text: string, from: number, to: number): string =>
  `${text.slice(0, from)}${'*'.repeat(Math.max(0, text.length - from - to))}${to > 0 ? text.slice(-to) : ''}`;

/** How values are shown to whoever decides: enough to tell two persons apart, too little to use. */
export const masked = {
  name: (name: string): string => `${[...name][0] ?? ''}**`,
  residentId: (residentId: string): string => stars(residentId, 0, 4),
  phone: (phone: string): string => stars(phone, 3, 2),
};
