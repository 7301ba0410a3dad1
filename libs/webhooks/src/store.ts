// What the worker asks of the tables. Every change of an endpoint holds only where it still stands as it was read: whoever replays,
// or delivers from another process, wins.
import type { Pool } from 'pg';
import { KINDS, type Cursors, type Message } from './messages.js';
import type { PostProblem } from './post.js';

export interface Endpoint extends Cursors {
  member: string;
  url: string;
  head: string | null;
  attempts: number;
  dead_in_a_row: number;
  disabled_because: string | null;
  test_id: string | null;
  /** The database's time. */
  now: Date;
  due: boolean;
}

/** After so many dead letters, and nothing delivered in between, an endpoint is left alone until its member says so. */
const DEAD_IN_A_ROW_MAX = 3;

const PENDING = Object.values(KINDS)
  .map(
    ({ stream, cursor }) =>
      `exists (select from log.stream s where s.stream = '${stream}/' || e.member and s.version >= e.${cursor})`,
  )
  .join(' or ');

/** Active platforms that a message or a test can be sent to now, those that waited longest first. */
export async function dueMembers(pool: Pool, without: string[], limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ member: string }>({
    name: 'webhook.due',
    text: `select e.member from webhook.endpoint e join access.member m on m.member_id = e.member and m.status = 'active'
      where e.member <> all ($1) and (e.test_id is not null or
        (e.disabled_because is null and e.attempt_at <= clock_timestamp() and (${PENDING})))
      order by e.attempt_at limit $2`,
    values: [without, limit],
  });
  return rows.map(({ member }) => member);
}

/** An endpoint as it stands; undefined where there is none, or its member is suspended. */
export async function endpointOf(pool: Pool, member: string): Promise<Endpoint | undefined> {
  const { rows } = await pool.query<Endpoint>({
    name: 'webhook.endpoint',
    text: `select e.member, url, head, attempts, dead_in_a_row, disabled_because, test_id,
        next_notice::float8, next_erased::float8, next_reminder::float8, next_matched::float8, clock_timestamp() as now,
        disabled_because is null and attempt_at <= clock_timestamp() as due
      from webhook.endpoint e join access.member m on m.member_id = e.member and m.status = 'active' where e.member = $1`,
    values: [member],
  });
  return rows[0];
}

/** False where the endpoint doesn't stand there any more. */
export async function delivered(pool: Pool, member: string, { kind, seq }: Message, status: number): Promise<boolean> {
  const { cursor } = KINDS[kind];
  const { rowCount } = await pool.query({
    name: `webhook.delivered.${kind}`,
    text: `update webhook.endpoint set ${cursor} = $2 + 1, head = null, attempts = 0, dead_in_a_row = 0,
        last_status = $3, last_problem = null, delivered_at = clock_timestamp()
      where member = $1 and ${cursor} = $2`,
    values: [member, seq, status],
  });
  return rowCount === 1;
}

export interface Failure {
  attempts: number;
  status: number | undefined;
  problem: PostProblem;
}

/** The message is tried again after so long. */
export async function failed(
  pool: Pool,
  { member, url }: Endpoint,
  { kind, seq, webhookId }: Message,
  { attempts, status, problem }: Failure,
  waitMs: number,
): Promise<void> {
  await pool.query(
    `update webhook.endpoint set head = $4, attempts = $5, last_status = $6, last_problem = $7,
       attempt_at = clock_timestamp() + $8 * interval '1 ms'
     where member = $1 and url = $2 and ${KINDS[kind].cursor} = $3`,
    [member, url, seq, webhookId, attempts, status ?? null, problem, waitMs],
  );
}

/** The message is set aside as a dead letter, and the next gets its turn; too many in a row disable the endpoint. */
export async function buried(
  pool: Pool,
  { member, url }: Endpoint,
  { kind, seq, webhookId }: Message,
  { attempts, status, problem }: Failure,
): Promise<void> {
  const { cursor } = KINDS[kind];
  await pool.query(
    `with passed as (
       update webhook.endpoint set ${cursor} = $3 + 1, head = null, attempts = 0, attempt_at = clock_timestamp(),
         last_status = $6, last_problem = $7, dead_in_a_row = dead_in_a_row + 1,
         disabled_because = case when dead_in_a_row + 1 >= ${DEAD_IN_A_ROW_MAX} then 'failing' end,
         disabled_at = case when dead_in_a_row + 1 >= ${DEAD_IN_A_ROW_MAX} then clock_timestamp() end
       where member = $1 and url = $2 and ${cursor} = $3 returning member)
     insert into webhook.dead_letter as d (member, webhook_id, kind, seq, attempts, last_status, last_problem)
     select member, $4, $8, $3, $5, $6, $7 from passed
     on conflict (member, webhook_id) do update set attempts = excluded.attempts, last_status = excluded.last_status,
       last_problem = excluded.last_problem, dead_at = excluded.dead_at`,
    [member, url, seq, webhookId, attempts, status ?? null, problem, kind],
  );
}

/** The receiver said 410: it wants nothing more there. Nothing is lost: it goes on where it stopped once it is enabled again. */
export async function gone(pool: Pool, { member, url }: Endpoint, status: number): Promise<void> {
  await pool.query(
    `update webhook.endpoint set disabled_because = 'gone', disabled_at = clock_timestamp(), last_status = $3, last_problem = null
     where member = $1 and url = $2`,
    [member, url, status],
  );
}

/** How a test went; it is sent once. */
export async function tested(
  pool: Pool,
  member: string,
  testId: string,
  { status, problem }: { status?: number | undefined; problem?: PostProblem | undefined },
): Promise<void> {
  await pool.query(
    `update webhook.endpoint set test_id = null, tested_at = clock_timestamp(), test_status = $3, test_problem = $4
     where member = $1 and test_id = $2`,
    [member, testId, status ?? null, problem ?? null],
  );
}

/** How many messages of all members wait, and how many endpoints are disabled. */
export async function webhookBacklog(pool: Pool): Promise<{ waiting: number; disabled: number; dead: number }> {
  const { rows } = await pool.query<{ waiting: number; disabled: number; dead: number }>(
    `select coalesce(sum(greatest(s.version + 1 - e.next_notice, 0)), 0)::float8 as waiting,
       count(*) filter (where disabled_because is not null)::float8 as disabled,
       (select count(*) from webhook.dead_letter)::float8 as dead
     from webhook.endpoint e left join log.stream s on s.stream = 'notices/' || e.member`,
  );
  return rows[0] ?? { waiting: 0, disabled: 0, dead: 0 };
}
