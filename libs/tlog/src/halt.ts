import type pg from 'pg';
import type { TlogError, TlogErrorCode } from './errors.js';
import type { Queryable } from './tree-store.js';

/** Why the log is not continued, as every process sees it. */
export interface Halt {
  code: TlogErrorCode;
  /** What is wrong and what to do, for the operator. */
  message: string;
  messageZh: string;
}

const INTERVAL_MS = 1000;
const FORKS: ReadonlySet<TlogErrorCode> = new Set([
  'PUBLISHED_AHEAD',
  'PUBLISHED_FORKED',
  'WITNESS_AHEAD',
  'WITNESS_FORKED',
]);

/** Whether another entry would fork the log: it must be refused then. The other codes only end signing. */
export const refusesEntries = ({ code }: Pick<Halt, 'code'>): boolean => FORKS.has(code);

export async function recordHalt(db: Queryable, { code, message, messageZh }: TlogError): Promise<void> {
  const text = `insert into tlog.halt (code, message, message_zh) values ($1, $2, $3) on conflict (singleton)
    do update set code = excluded.code, message = excluded.message, message_zh = excluded.message_zh`;
  await db.query(text, [code, message, messageZh]);
}

export async function clearHalt(db: Queryable): Promise<void> {
  await db.query('delete from tlog.halt');
}

async function currentHalt(db: Queryable): Promise<Halt | undefined> {
  const text = 'select code, message, message_zh as "messageZh" from tlog.halt';
  const { rows } = await db.query<Halt>({ name: 'tlog.halt', text });
  return rows[0];
}

/**
 * Follows whether the log may be continued, for processes that append: the publisher may run elsewhere. What it says is a second old
 * at most; while the database can't be read it keeps what it knows.
 */
export class HaltWatch {
  private found: Halt | undefined;
  private recorded: Halt | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param onChange hears of every new halt, and of the end of one */
  constructor(
    private readonly pool: pg.Pool,
    private readonly onChange: (halt: Halt | undefined) => void = () => {},
  ) {}

  /** Resolves once it knows. `found`: what this process has seen by itself; it holds until the process ends. */
  async start(found?: Halt): Promise<void> {
    this.found = found;
    await this.look();
    this.timer = setInterval(() => void this.look().catch(() => {}), INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  get halt(): Halt | undefined {
    return this.found ?? this.recorded;
  }

  /** The halt that forbids entries, if there is one. */
  get refusal(): Halt | undefined {
    return this.halt && refusesEntries(this.halt) ? this.halt : undefined;
  }

  private async look(): Promise<void> {
    const before = this.halt?.code;
    this.recorded = await currentHalt(this.pool);
    if (this.halt?.code !== before) this.onChange(this.halt);
  }
}
