import { isRegistrationNumber, isResidentId, isUscc } from '@liandun/contracts';
import type { Identity, MatchField, SubjectKind } from '@liandun/contracts';

/** What an identity offers to match by: valid identifiers of the subject itself, normalised, without repeats. */
export interface MatchKeys {
  kind: SubjectKind;
  own: { uscc?: string; residentId?: string };
  weak: { registrationNumber: string[]; bankAccounts: string[] };
}

/** A key with the field that it came from, as the vault's blind index keeps it. */
export interface MatchKey {
  kind: Extract<MatchField, 'uscc' | 'residentId' | 'registrationNumber' | 'bankAccount'>;
  value: string;
}

/** The parts of an identity that matching looks at; anything may be missing or malformed. */
export type Observable = Pick<Identity, 'kind'> & Partial<Pick<Identity, ObservedField>>;
type ObservedField = 'uscc' | 'registrationNumber' | 'residentId' | 'bankAccounts';

const ACCOUNT = /^[0-9]{8,32}$/;
const REPEATED = /^(.)\1*$/;
const ASCENDING = '01234567890123456789012345678901234567890';

/** NFKC (full-width digits become ASCII), upper case, without white space, hyphens, dots and invisible characters. */
export const normaliseIdentifier = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/[\s\p{Cf}\p{Pd}._·]/gu, '')
    .toUpperCase();

// Eighteen zeros pass the check of a USCC, and 000…0 that of a 15-digit number: what people type to fill a field is
// nobody's identifier.
const isPlaceholder = (value: string): boolean => REPEATED.test(value) || ASCENDING.includes(value);

const valid = (text: unknown, test: (value: string) => boolean): string | undefined => {
  if (typeof text !== 'string') return undefined;
  const value = normaliseIdentifier(text);
  return !isPlaceholder(value) && test(value) ? value : undefined;
};

const distinct = (values: (string | undefined)[]): string[] => [...new Set(values.filter((v) => v !== undefined))];

/**
 * The keys of an identity. Only what is valid and the subject's own gives a key: a masked, damaged or placeholder value
 * gives none, and an organization has no resident id (its representative's is somebody else's). A sole proprietor's
 * resident id is its operator's. A 15-digit number written where the USCC belongs counts as the 15-digit number.
 */
export function observe(identity: Observable): MatchKeys {
  const legal = identity.kind !== 'person';
  const uscc = legal ? valid(identity.uscc, isUscc) : undefined;
  const residentId = identity.kind === 'organization' ? undefined : valid(identity.residentId, isResidentId);
  const numbers = legal ? [identity.registrationNumber, identity.uscc] : [];
  return {
    kind: identity.kind,
    own: { ...(uscc && { uscc }), ...(residentId && { residentId }) },
    weak: {
      registrationNumber: distinct(numbers.map((number) => valid(number, isRegistrationNumber))),
      bankAccounts: distinct(
        (identity.bankAccounts ?? []).map((account) => valid(account, (value) => ACCOUNT.test(value))),
      ),
    },
  };
}

/** The same keys as one list: what the blind index is asked for. */
export function keysOf({ own, weak }: MatchKeys): MatchKey[] {
  return [
    ...(own.uscc ? [{ kind: 'uscc', value: own.uscc } as const] : []),
    ...(own.residentId ? [{ kind: 'residentId', value: own.residentId } as const] : []),
    ...weak.registrationNumber.map((value) => ({ kind: 'registrationNumber', value }) as const),
    ...weak.bankAccounts.map((value) => ({ kind: 'bankAccount', value }) as const),
  ];
}
