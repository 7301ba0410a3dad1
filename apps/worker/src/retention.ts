// Deletes what has been kept as long as the law has it kept (rule P20). The log only grows and holds no personal value: what is
// deleted of an entry are the keys, salts and tokens in the vault, without which its commitments say nothing.
import { EVENT_TYPES, LEDGER_SOURCE, toBeijingTime, type SubjectErased } from '@liandun/contracts';
import type { EventLog, NewEvent } from '@liandun/event-log';
import { pause } from '@liandun/sdk';
import { ERASURE_RIDER, type ErasureRow } from '@liandun/vault';
import {
  closedAccountsWithValues,
  endedCasesWithValues,
  forgetDeadLetters,
  textsAbout,
  type OverdueEntry,
} from '@liandun/views';
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { outcomeEvent } from './outcome.js';

/** An entry of the log has room for this many positions; what a subject wrote goes with the entries that it is about. */
const BATCH_MAX = 200;
const EVERY_MS = 3_600_000;

/** What is kept how long, by which law, and who deletes it. `never`: it is what remains. */
export const RETENTION = [
  {
    what: 'endedCases',
    kept: { years: 3 },
    by: 'retention',
    law: '个人信息保护法 第47、56条; 网络数据安全管理条例 第12条',
  },
  { what: 'closedAccounts', kept: { years: 3 }, by: 'retention', law: '个人信息保护法 第47条; 电子商务法 第31条' },
  { what: 'deadLetters', kept: { months: 6 }, by: 'retention', law: '网络安全法 第21条(三)' },
  { what: 'inquiries', kept: { days: 360 }, by: 'tendInquiries', law: '个人信息保护法 第19条' },
  { what: 'budgets', kept: { days: 7 }, by: 'forgetDays', law: '个人信息保护法 第19条' },
  { what: 'usedAssertions', kept: { days: 0 }, by: 'useJti', law: 'RFC 7523 section 3, item 7' },
  {
    what: 'logEntries',
    kept: 'never',
    by: 'none',
    law: '网络安全法 第21条(三); 网络数据安全管理条例 第12条 (no personal value)',
  },
] as const;
export type Kept = (typeof RETENTION)[number]['what'];
type Term = { years?: number; months?: number; days?: number };

const termOf = (what: Kept): Term => RETENTION.find((row) => row.what === what)!.kept as Term;

/** What was made before this has been kept its term at `now`; calendar years and months, as the laws count. */
export function keptUntil(what: Kept, now: Date): Date {
  const { years = 0, months = 0, days = 0 } = termOf(what);
  const before = new Date(now);
  const day = before.getUTCDate();
  before.setUTCDate(1);
  before.setUTCMonth(before.getUTCMonth() - years * 12 - months);
  // The last day of a shorter month: nothing is deleted a day early.
  const last = new Date(Date.UTC(before.getUTCFullYear(), before.getUTCMonth() + 1, 0)).getUTCDate();
  before.setUTCDate(Math.min(day, last) - days);
  return before;
}

interface RetentionParts {
  pool: Pool;
  /** With the vault's `erasureRider`. */
  log: Pick<EventLog, 'append'>;
  /** The time that everything is due by: the database's unless told. */
  now?: () => Promise<Date>;
  onProblem?: (error: Error) => void;
  everyMs?: number;
}

/** What a run deleted: entries whose values are gone, operational rows. */
export interface Deleted {
  endedCases: number;
  closedAccounts: number;
  deadLetters: number;
}

/** Looks once an hour. Each batch is one transaction, so a process that is killed has deleted all of it or nothing. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): this {
    this.#running = this.#run();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.tick().catch((error: Error) => this.#parts.onProblem?.(error));
      await pause(this.#parts.everyMs ?? EVERY_MS, signal);
    }
  }

  /** Deletes all that is due, in batches. */
  async tick(): Promise<Deleted> {
    const { pool } = this.#parts;
    const now = await this.#now();
    const before = (what: Kept): string => keptUntil(what, now).toISOString();
    return {
      endedCases: await this.#erase(now, () => endedCasesWithValues(pool, before('endedCases'), BATCH_MAX)),
      closedAccounts: await this.#erase(now, () => closedAccountsWithValues(pool, before('closedAccounts'), BATCH_MAX)),
      deadLetters: await this.#repeat(() => forgetDeadLetters(pool, before('deadLetters'), BATCH_MAX)),
    };
  }

  async #now(): Promise<Date> {
    if (this.#parts.now) return this.#parts.now();
    const { rows } = await this.#parts.pool.query<{ now: Date }>('select clock_timestamp() as now');
    return rows[0]!.now;
  }

  async #erase(now: Date, look: () => Promise<OverdueEntry[]>): Promise<number> {
    return this.#repeat(async () => {
      const due = await look();
      if (due.length === 0) return 0;
      const texts = await textsAbout(
        this.#parts.pool,
        due.map(({ position }) => position),
      );
      const outcome = await this.#parts.log.append({ events: [erasing(due, [...texts.values()].flat(), now)] });
      // Stored before by another process, whose batch was the same.
      return outcome.status === 'appended' ? due.length : 0;
    });
  }

  async #repeat(batch: () => Promise<number>): Promise<number> {
    let all = 0;
    while (!this.#stopping.signal.aborted) {
      const done = await batch();
      all += done;
      if (done < BATCH_MAX) break;
    }
    return all;
  }
}

/** The same outcome as of a requested erasure: members are told of their notices, the views lose the name, the vault the keys. */
function erasing(due: OverdueEntry[], texts: number[], now: Date): NewEvent {
  const positions = [...new Set([...due.map(({ position }) => position), ...texts])];
  const organizations = due.flatMap(({ position, organization }) => (organization ? [position] : []));
  const id = `retention:${createHash('sha256').update(positions.join()).digest('hex').slice(0, 32)}`;
  const data: SubjectErased = {
    erasureId: id,
    basis: 'retentionEnded',
    requestedBy: LEDGER_SOURCE,
    approvedBy: LEDGER_SOURCE,
    positions,
    asRepresentative: [],
    keptOrganizations: organizations.length,
  };
  const row: ErasureRow = { step: 'erased', positions, asRepresentative: [], organizations };
  const event = outcomeEvent(id, EVENT_TYPES.subjectErased, {
    time: toBeijingTime(now),
    stream: `erasure/${id}`,
    data,
  });
  return { ...event, riders: { [ERASURE_RIDER]: row } };
}
