import { PROTECTIVE_CODE, type Identity } from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import type { ClientBase, Pool } from 'pg';
import { liveGenerations, type MatchIndex } from './match-index.js';

const OFFICIAL = new Set<string>(['uscc', 'registrationNumber', 'residentId']);

/**
 * Whether an official identifier of this identity is that of somebody who is protected as a victim (V01) now: the victim is known,
 * so whoever files against the identity has to name it (rule P14).
 */
export async function isProtected(db: Pool | ClientBase, index: MatchIndex, identity: Identity): Promise<boolean> {
  const keys = index.matcher
    .keys(index.matcher.features({ recordId: '', identity }))
    .filter(({ kind }) => OFFICIAL.has(kind));
  const active = (await liveGenerations(db)).find(({ state }) => state === 'active');
  if (keys.length === 0 || !active) return false;
  const { rows } = await prepared<{ found: boolean }>(
    db,
    `select exists (select from match.key k join identity.link i on i.position = k.position
       join view.listing l on l.entity_id = i.entity_id
       where k.token = any($1) and l.code = $2 and l.stands and l.expires_at > now()) as found`,
    [index.tokens(keys, active), PROTECTIVE_CODE],
  );
  return rows[0]?.found === true;
}
