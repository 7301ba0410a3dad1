// A platform's own webhook, as the api changes and shows it.
import { fieldError, problemOf, LedgerError, toBeijingTime, type Problem } from '@liandun/contracts';
import { inTransaction } from '@liandun/event-log';
import type { Kms } from '@liandun/vault';
import type { ClientBase, Pool } from 'pg';
import { newTestId } from './messages.js';
import { newSecret, SECRETS_MAX } from './secrets.js';

/** How long the secret before signs beside a new one: receivers change over in this time. */
export const OVERLAP_HOURS = 24;

/** Refuses a field of a body. */
export class WebhookRefusal extends Error {
  override readonly name = 'WebhookRefusal';
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

export const refusal = (
  pointer: string,
  code: 'FIELD_NOT_APPLICABLE' | 'WEBHOOK_ADDRESS_NOT_ALLOWED',
): WebhookRefusal => new WebhookRefusal(problemOf([fieldError(pointer, code)]));

/** A `from` past the last that may be asked for: nobody's notices have come so far. */
const pastTheEnd = (last: number): WebhookRefusal =>
  new WebhookRefusal(
    problemOf([
      {
        ...fieldError('/from', 'OUT_OF_RANGE'),
        message: `Give a whole number from 0 to ${last}: no notice of yours has a seq past it yet.`,
        messageZh: `请填写 0 至 ${last} 的整数：贵方的通知尚无更大的序号。`,
      },
    ]),
  );

/** A further secret, unless it is the first the newest from now on; those before it expire as told. Returns what is shown once. */
async function addSecret(db: ClientBase, kms: Kms, member: string, overlapHours: number): Promise<string> {
  const { rows } = await db.query<{ no: number }>(
    'select coalesce(max(no), 0) + 1 as no from webhook.secret where member = $1',
    [member],
  );
  const no = rows[0]?.no ?? 1;
  const { publicKey, secret, keyVersion, wrapped } = newSecret(kms, member, no);
  // The one before lives on for a while, older ones and expired ones don't.
  await db.query('delete from webhook.secret where member = $1 and (no <= $2 or expires_at < now())', [
    member,
    no - SECRETS_MAX,
  ]);
  await db.query(
    `update webhook.secret set expires_at = least(expires_at, now() + $2 * interval '1 hour') where member = $1`,
    [member, overlapHours],
  );
  await db.query(
    'insert into webhook.secret (member, no, public_key, key_version, wrapped) values ($1, $2, $3, $4, $5)',
    [member, no, publicKey, keyVersion, wrapped],
  );
  return secret;
}

/**
 * Sets where a member's notices are posted, from `from` on where it is new; one that is there keeps its secrets and its place, and is
 * enabled again. `headSeq`: the last notice that the member was issued. Returns the symmetric secret of a new one. Throws WebhookRefusal.
 */
export function putEndpoint(
  pool: Pool,
  kms: Kms,
  member: string,
  { url, from, headSeq }: { url: string; from: number | undefined; headSeq: number },
): Promise<string | undefined> {
  return inTransaction(pool, async (db) => {
    const inserted = await db.query(
      'insert into webhook.endpoint (member, url, next_notice) values ($1, $2, $3) on conflict do nothing',
      [member, url, from ?? 0],
    );
    if (inserted.rowCount === 1) {
      if ((from ?? 0) > headSeq + 1) throw pastTheEnd(headSeq + 1);
      return addSecret(db, kms, member, OVERLAP_HOURS);
    }
    if (from !== undefined) throw refusal('/from', 'FIELD_NOT_APPLICABLE');
    await db.query(
      `update webhook.endpoint set url = $2, head = null, attempts = 0, attempt_at = now(), dead_in_a_row = 0,
         disabled_because = null, disabled_at = null where member = $1`,
      [member, url],
    );
    return undefined;
  });
}

const requireOne = (rowCount: number | null): void => {
  if (rowCount !== 1) throw new LedgerError('WEBHOOK_NOT_FOUND');
};

/** Ends a webhook with its secrets and dead letters. */
export async function deleteEndpoint(pool: Pool, member: string): Promise<void> {
  requireOne((await pool.query('delete from webhook.endpoint where member = $1', [member])).rowCount);
}

/** A new secret signs from now on; the one before signs too for OVERLAP_HOURS, or stops at once. Returns the symmetric secret. */
export function rotateSecret(pool: Pool, kms: Kms, member: string, revoke: boolean): Promise<string> {
  return inTransaction(pool, async (db) => {
    requireOne((await db.query('select from webhook.endpoint where member = $1 for update', [member])).rowCount);
    return addSecret(db, kms, member, revoke ? 0 : OVERLAP_HOURS);
  });
}

/** Asks for one test message; how it went stands on the endpoint's page. */
export async function requestTest(pool: Pool, member: string): Promise<string> {
  const testId = newTestId();
  const sql = `update webhook.endpoint set test_id = $2, tested_at = null, test_status = null, test_problem = null where member = $1`;
  requireOne((await pool.query(sql, [member, testId])).rowCount);
  return testId;
}

/**
 * Posts everything from a seq on again, in order and under the same ids, dead letters with it; also what such dead letters say of erased
 * persons. Throws WebhookRefusal where the seq wasn't reached yet: that would leave notices out.
 */
export function replayFrom(pool: Pool, member: string, from: number): Promise<void> {
  return inTransaction(pool, async (db) => {
    const { rows, rowCount } = await db.query<{ next: number }>(
      'select next_notice::float8 as next from webhook.endpoint where member = $1 for update',
      [member],
    );
    requireOne(rowCount);
    const next = rows[0]?.next ?? 0;
    if (from > next) throw pastTheEnd(next);
    await db.query(
      `with risen as (
         delete from webhook.dead_letter where member = $1 and (kind <> 'notice' or seq >= $2) returning kind, seq)
       update webhook.endpoint set next_notice = $2, head = null, attempts = 0, attempt_at = now(), dead_in_a_row = 0,
         next_erased = least(next_erased, (select min(seq) from risen where kind = 'erased')),
         next_reminder = least(next_reminder, (select min(seq) from risen where kind = 'reminder')),
         next_matched = least(next_matched, (select min(seq) from risen where kind = 'matched'))
       where member = $1`,
      [member, from],
    );
  });
}

// oxlint-disable-next-line typescript/no-explicit-any
type Row = any;
const time = (value: Date | null): string | undefined => (value === null ? undefined : toBeijingTime(value));
const known = (fields: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));

/** A member's webhook as it stands, with the public keys that sign now; never a secret. Throws WEBHOOK_NOT_FOUND. */
export async function endpointPage(db: ClientBase, member: string): Promise<object> {
  const [endpoint, secrets] = await Promise.all([
    db.query('select * from webhook.endpoint where member = $1', [member]),
    db.query(
      `select public_key, created_at, expires_at from webhook.secret
       where member = $1 and (expires_at is null or expires_at > now()) order by no desc`,
      [member],
    ),
  ]);
  const [row] = endpoint.rows;
  if (!row) throw new LedgerError('WEBHOOK_NOT_FOUND');
  const test = row.test_id ?? row.tested_at;
  return {
    url: row.url,
    status: row.disabled_because === null ? 'active' : 'disabled',
    next: Number(row.next_notice),
    publicKeys: secrets.rows.map((each: Row) => ({
      publicKey: each.public_key,
      createdAt: time(each.created_at),
      ...known({ expiresAt: time(each.expires_at) }),
    })),
    ...known({
      disabledBecause: row.disabled_because,
      disabledAt: time(row.disabled_at),
      deliveredAt: time(row.delivered_at),
      lastStatus: row.last_status,
      lastProblem: row.last_problem,
    }),
    ...(row.attempts > 0 && { attempts: row.attempts, attemptAt: time(row.attempt_at) }),
    ...(test !== null && {
      test: known({ sentAt: time(row.tested_at), status: row.test_status, problem: row.test_problem }),
    }),
  };
}

/** The member's dead letters in the order in which they were given up, after a number. */
export async function deadLetters(
  db: ClientBase,
  member: string,
  { after, limit }: { after: number; limit: number },
): Promise<{ items: object[]; next: number }> {
  const { rows } = await db.query(
    'select * from webhook.dead_letter where member = $1 and no > $2 order by no limit $3',
    [member, after, limit],
  );
  const items = rows.map((row: Row) => ({
    webhookId: row.webhook_id,
    kind: row.kind,
    seq: Number(row.seq),
    attempts: row.attempts,
    deadAt: time(row.dead_at),
    ...known({ lastStatus: row.last_status, lastProblem: row.last_problem }),
  }));
  return { items, next: rows.length > 0 ? Number(rows.at(-1).no) : after };
}
