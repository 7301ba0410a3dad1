import pg from 'pg';
import { isConnectionError } from './errors.js';
import type { AppendCommand, AppendOutcome, StoredEvent } from './events.js';
import { writeGroup, type Rider } from './group-writer.js';
import { prepare, type PreparedCommand } from './prepare.js';
import * as reading from './stored-events.js';
import { corkUntilNextTick, rollBack, withClient } from './transaction.js';

export interface EventLogOptions {
  /** For reads; the log opens two connections of its own, with the same settings, for appends. */
  pool: pg.Pool;
  riders?: Record<string, Rider>;
  /** A group holds at most this many events, unless one command alone has more. */
  eventsPerGroupMax?: number;
}

interface Pending {
  command: PreparedCommand;
  resolve: (outcome: AppendOutcome) => void;
  reject: (error: unknown) => void;
}

/** Two groups: one holds the head's lock while the other is being sent and waits for it. */
const GROUPS_IN_FLIGHT = 2;

/**
 * The append-only log. Positions are dense and in commit order; appends that arrive together share a transaction. An append that
 * resolved is durable. One that was rejected with a connection's error may have been stored: repeat it, the same ids give the
 * same receipts.
 */
export class EventLog {
  private readonly pool: pg.Pool;
  private readonly lanes: pg.Pool;
  private readonly riders: Record<string, Rider>;
  private readonly eventsPerGroupMax: number;
  private readonly waiting: Pending[] = [];
  private readonly running = new Set<Promise<void>>();
  private pumping = false;
  private closed = false;

  constructor({ pool, riders = {}, eventsPerGroupMax = 1000 }: EventLogOptions) {
    this.pool = pool;
    this.riders = riders;
    this.eventsPerGroupMax = eventsPerGroupMax;
    // pg's pool hides the password from a copy. The types don't know `pipeline` yet.
    const options = { ...pool.options, password: pool.options.password, pipeline: true, max: GROUPS_IN_FLIGHT, min: 0 };
    this.lanes = new pg.Pool(options);
    this.lanes.on('error', () => {}); // an idle connection broke: the pool replaces it
  }

  /** Appends one command. Rejects with EntryTooLargeError, or with the database's error. */
  async append(command: AppendCommand): Promise<AppendOutcome> {
    return this.enqueue(this.prepare(command));
  }

  /** Appends commands in their order; each has its own outcome. If one cannot be stored at all, none is. */
  async appendAll(commands: AppendCommand[]): Promise<AppendOutcome[]> {
    const prepared = commands.map((command) => this.prepare(command));
    return Promise.all(prepared.map((command) => this.enqueue(command)));
  }

  /**
   * Appends within the caller's own open transaction, in which it takes the head's lock: all other appends wait until the caller
   * ends it. What is appended is there if and only if that transaction commits.
   */
  async appendIn(client: pg.ClientBase, commands: AppendCommand[]): Promise<AppendOutcome[]> {
    if (commands.length === 0) return [];
    const prepared = commands.map((command) => this.prepare(command));
    const { outcomes, stored } = await writeGroup(client, prepared, this.riders);
    await stored;
    return outcomes;
  }

  /** Events behind a position (-1: from the start) in position order, of these types only if given. */
  read(range: { after: number; limit: number; types?: readonly string[] }): Promise<StoredEvent[]> {
    return reading.read(this.pool, range);
  }

  /** Events of a stream behind a version (-1: from the start) in version order. */
  readStream(stream: string, range: { after?: number; limit: number }): Promise<StoredEvent[]> {
    return reading.readStream(this.pool, stream, range);
  }

  at(position: number): Promise<StoredEvent | undefined> {
    return reading.at(this.pool, position);
  }

  find(source: string, id: string): Promise<StoredEvent | undefined> {
    return reading.find(this.pool, source, id);
  }

  /** The last position, -1 while the log is empty. */
  head(): Promise<number> {
    return reading.head(this.pool);
  }

  /** The version of a stream's last entry, -1 if it has none. */
  streamVersion(stream: string): Promise<number> {
    return reading.streamVersion(this.pool, stream);
  }

  /** Waits for the appends under way, refuses further ones, closes the log's own connections. The pool stays open. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.waiting.length > 0 || this.running.size > 0) await Promise.race([...this.running, nextTick()]);
    await this.lanes.end();
  }

  private prepare(command: AppendCommand): PreparedCommand {
    if (this.closed) throw new Error('The event log is closed');
    for (const { riders } of command.events) {
      for (const name in riders) if (!this.riders[name]) throw new RangeError(`No rider named ${name}`);
    }
    return prepare(command);
  }

  private enqueue(command: PreparedCommand): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ command, resolve, reject });
      this.pump();
    });
  }

  /** Starts groups once everything that arrives in this turn of the event loop has arrived. */
  private pump(): void {
    if (this.pumping || this.running.size >= GROUPS_IN_FLIGHT) return;
    this.pumping = true;
    process.nextTick(() => {
      this.pumping = false;
      while (this.waiting.length > 0 && this.running.size < GROUPS_IN_FLIGHT) this.start(this.takeGroup());
    });
  }

  private takeGroup(): Pending[] {
    let size = 0;
    const end = this.waiting.findIndex(({ command }) => {
      size += command.events.length;
      return size > this.eventsPerGroupMax;
    });
    return this.waiting.splice(0, end < 0 ? this.waiting.length : Math.max(end, 1));
  }

  private start(group: Pending[]): void {
    const run = this.run(group).finally(() => {
      this.running.delete(run);
      this.pump();
    });
    this.running.add(run);
  }

  private async run(group: Pending[]): Promise<void> {
    try {
      const outcomes = await this.commitGroup(group.map(({ command }) => command));
      group.forEach(({ resolve }, i) => resolve(outcomes[i]!));
    } catch (error) {
      if (group.length === 1 || isConnectionError(error)) group.forEach(({ reject }) => reject(error));
      // One command, or what rides with it, is at fault: alone, it fails alone.
      else for (const pending of group) await this.run([pending]);
    }
  }

  private commitGroup(commands: PreparedCommand[]): Promise<AppendOutcome[]> {
    return withClient(this.lanes, async (client) => {
      try {
        // Sent without waiting: the connection is pipelined, and if BEGIN fails so does the next statement.
        corkUntilNextTick(client);
        client.query('begin').catch(() => {});
        const { outcomes, stored } = await writeGroup(client, commands, this.riders);
        // If a statement before it fails, COMMIT rolls back, and `stored` has the error.
        const [, { command }] = await Promise.all([stored, client.query('commit')]);
        if (command !== 'COMMIT') throw new Error('The group was rolled back');
        return outcomes;
      } catch (error) {
        await rollBack(client);
        throw error;
      }
    });
  }
}

const nextTick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
