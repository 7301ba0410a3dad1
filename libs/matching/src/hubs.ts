import type { Identity } from '@liandun/contracts';
import type { KeyKind } from '@liandun/identity';
import type { Pool } from 'pg';
import { liveGenerations, type MatchIndex } from './match-index.js';

/** An identifier that so many records share is an agency's, a market's or a made-up one: it says little of who somebody is. */
const HUB_RECORDS = 50;

/** Which field of an identity a key comes from; names and shops identify nobody by themselves. */
const FIELDS: Partial<Record<KeyKind, string>> = {
  uscc: 'uscc',
  organizationCode: 'uscc',
  residentId: 'residentId',
  registrationNumber: 'registrationNumber',
  bankAccount: 'bankAccounts',
  phone: 'phones',
  email: 'emails',
  address: 'address',
  representative: 'legalRepresentative',
};

/**
 * The identifiers that an identity gives, each with whether it is a hub. The same look-ups are made whether they are known or not,
 * and fewer holders than make a hub show nowhere (rule P18).
 */
export async function identifiersOf(
  db: Pool,
  index: MatchIndex,
  identity: Identity,
): Promise<{ field: string; hub: boolean }[]> {
  const active = (await liveGenerations(db)).find(({ state }) => state === 'active');
  const { matcher } = index;
  const features = matcher.features({ recordId: '', identity, reportedAt: '' });
  const keys = matcher.keys(features).filter(({ kind }) => FIELDS[kind] !== undefined);
  if (!active) return keys.map(({ kind }) => ({ field: FIELDS[kind] as string, hub: false }));
  const tokens = index.tokens(keys, active);
  const { rows } = await db.query<{ hub: boolean }>(
    `select (select count(*) from (select from match.key k where k.token = wanted.token limit $2) holders) >= $2 as hub
     from unnest($1::bigint[]) with ordinality wanted (token, n) order by n`,
    [tokens, HUB_RECORDS],
  );
  return keys.map(({ kind }, n) => ({ field: FIELDS[kind] as string, hub: rows[n]?.hub === true }));
}
