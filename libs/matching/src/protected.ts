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
  const tokens = await officialTokens(db, index, identity);
  if (tokens.length === 0) return false;
  const { rows } = await prepared<{ found: boolean }>(
    db,
    `select exists (select from match.key k join identity.link i on i.position = k.position
       join view.listing l on l.entity_id = i.entity_id
       where k.token = any($1) and l.code = $2 and l.stands and l.expires_at > now()) as found`,
    [tokens, PROTECTIVE_CODE],
  );
  return rows[0]?.found === true;
}

/**
 * Whether a register has removed the entry of this very subject, by an official identifier, that stood on this decision (its key), and
 * no register lists it on the decision now. Only entries of registers count, so that the answer says nothing of what other members
 * have filed (rules P12, P18).
 */
export async function isRemoved(
  db: Pool | ClientBase,
  index: MatchIndex,
  identity: Identity,
  decision: string,
): Promise<boolean> {
  const removed = await prepared<{ entity: string }>(
    db,
    `select distinct l.entity_id as entity from view.listing l
     where l.decision_no = $1 and l.origin = 'registry' and l.cause = 'removed' and not exists (select from view.listing s
       where s.decision_no = $1 and s.origin = 'registry' and s.entity_id = l.entity_id and s.ended_at is null)`,
    [decision],
  );
  if (removed.rows.length === 0) return false;
  const tokens = await officialTokens(db, index, identity);
  if (tokens.length === 0) return false;
  const { rows } = await prepared<{ found: boolean }>(
    db,
    `select exists (select from match.key k join identity.link i on i.position = k.position
       where k.token = any($1) and i.entity_id = any($2)) as found`,
    [tokens, removed.rows.map(({ entity }) => entity)],
  );
  return rows[0]?.found === true;
}

/** The blind index of an identity's official identifiers; none while nothing is matched yet. */
async function officialTokens(db: Pool | ClientBase, index: MatchIndex, identity: Identity): Promise<string[]> {
  const keys = index.matcher
    .keys(index.matcher.features({ recordId: '', identity }))
    .filter(({ kind }) => OFFICIAL.has(kind));
  if (keys.length === 0) return [];
  const active = (await liveGenerations(db)).find(({ state }) => state === 'active');
  return active ? index.tokens(keys, active) : [];
}
