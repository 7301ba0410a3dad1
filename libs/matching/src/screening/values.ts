import type { Identity } from '@liandun/contracts';
import type { Features } from '@liandun/identity';
import { masked } from '@liandun/vault';

const stars = (text: string, from: number, to: number): string =>
  text.length <= from + to ? '*'.repeat(text.length) : `${text.slice(0, from)}****${text.slice(-to)}`;

/** An account or a number by its last four characters. */
const lastFour = (text: string): string => stars(text, 0, 4);
const mailbox = (text: string): string => `${text.slice(0, 1)}***${text.slice(text.indexOf('@'))}`;

/**
 * What an observation holds of the fields that agree, to tell what a match rests on: an organization's name and numbers as they
 * are (企业信息公示暂行条例 第6条), everything of a person masked. Fields that have no masked form are left out.
 */
export function maskedValues(
  { identity, features }: { identity: Identity; features: Features },
  applicant: Features,
  fields: readonly string[],
): Record<string, string> {
  const open = identity.kind === 'organization';
  const { uscc, usccRepaired, residentId } = features;
  const common = (list: 'phones' | 'emails' | 'bankAccounts' | 'registrationNumbers'): string | undefined =>
    features[list]?.find((value) => applicant[list]?.includes(value));
  const [phone, email, account] = [common('phones'), common('emails'), common('bankAccounts')];
  const shown: Record<string, string | undefined> = {
    name: typeof identity.name === 'string' ? (open ? identity.name : masked.name(identity.name)) : undefined,
    uscc: number(uscc ?? usccRepaired, open),
    registrationNumber: number(common('registrationNumbers'), open),
    residentId: residentId && masked.residentId(residentId),
    phone: phone && masked.phone(phone),
    email: email && mailbox(email),
    bankAccount: account && lastFour(account),
  };
  return Object.fromEntries(
    fields.flatMap((field): [string, string][] => {
      const value = shown[field];
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

const number = (value: string | undefined, open: boolean): string | undefined =>
  value === undefined || open ? value : lastFour(value);
