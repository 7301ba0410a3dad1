import { toBeijingTime } from '@liandun/contracts';
import type { PolicyWitness } from './policy.js';
import type { Queryable } from './tree-store.js';

/**
 * What a witness holds against the log. `WITNESS_AHEAD`: it has cosigned more than was ever published from this database.
 * `WITNESS_FORKED`: it has cosigned other entries.
 */
export interface Alarm {
  code: 'WITNESS_AHEAD' | 'WITNESS_FORKED';
  /** What is wrong and what to do. */
  message: string;
  messageZh: string;
  /** A checkpoint that the witness shows, if the log's own key has signed it: then it is more than the witness's word. */
  evidence?: string;
}

/** The alarms that haven't ended, by the witness's vkey. Those of witnesses that the policy no longer names end here. */
export async function openAlarms(db: Queryable, witnesses: readonly PolicyWitness[]): Promise<Map<string, Alarm>> {
  const named = witnesses.map(({ vkey }) => vkey);
  await db.query(
    'update tlog.alarm set ended_at = clock_timestamp() where ended_at is null and not witness = any($1::text[])',
    [named],
  );
  const { rows } = await db.query<
    Pick<Alarm, 'code'> & Record<'witness' | 'message' | 'message_zh', string> & { evidence: string | null }
  >('select witness, code, message, message_zh, evidence from tlog.alarm where ended_at is null');
  return new Map(
    rows.map(({ witness, code, message, message_zh: messageZh, evidence }) => [
      witness,
      { code, message, messageZh, ...(evidence !== null && { evidence }) },
    ]),
  );
}

/** An alarm that hasn't ended, as administrators and regulators are shown it; `since` is RFC 3339 with +08:00. */
export type WitnessAlarm = Omit<Alarm, 'evidence'> & { witness: string; since: string };

/** What witnesses hold against the log now, oldest first. */
export async function standingAlarms(db: Queryable): Promise<WitnessAlarm[]> {
  const { rows } = await db.query<Pick<Alarm, 'code' | 'message' | 'messageZh'> & { witness: string; since: Date }>(
    `select witness, code, message, message_zh as "messageZh", since from tlog.alarm where ended_at is null
     order by since, witness`,
  );
  return rows.map((row) => ({ ...row, since: toBeijingTime(row.since) }));
}

export async function recordAlarm(db: Queryable, witness: PolicyWitness, alarm: Alarm): Promise<void> {
  await db.query(
    `insert into tlog.alarm (witness, code, message, message_zh, evidence) values ($1, $2, $3, $4, $5)
     on conflict (witness) where ended_at is null do update set code = excluded.code, message = excluded.message,
       message_zh = excluded.message_zh, evidence = coalesce(excluded.evidence, alarm.evidence)`,
    [witness.vkey, alarm.code, alarm.message, alarm.messageZh, alarm.evidence ?? null],
  );
}

export async function endAlarm(db: Queryable, { vkey }: PolicyWitness): Promise<void> {
  await db.query('update tlog.alarm set ended_at = clock_timestamp() where ended_at is null and witness = $1', [vkey]);
}
