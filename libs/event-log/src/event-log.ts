import pg from 'pg';
import { isConnectionError } from './errors.js';
import type { AppendCommand, AppendOutcome, StoredEvent } from './events.js';
import { settleGroup, writeNewGroup, type Gate, type Helpers, type Rider } from './group-writer.js';
import { prepare, type PreparedCommand } from './prepare.js';
import * as reading from './stored-events.js';
import { inTransaction, withClient } from './transaction.js';

export interface EventLogOptions {
  /** For reads; the log opens two connections of its own, with the same settings, for appends. */
  pool: pg.Pool;
  riders?: Record<string, Rider>;
  gates?: Record<string, Gate>;
  /** A group holds at most this many events, unless one command alone has more. */
  eventsPerGroupMax?: number;
}

/** Commands of one caller, which wait together and are stored in one group. */
interface Pending {
  commands: PreparedCommand[];
  resolve: (outcomes: AppendOutcome[]) => void;
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
  private readonly helpers: Helpers;
  private readonly eventsPerGroupMax: number;
  private readonly waiting: Pending[] = [];
  private readonly running = new Set<Promise<void>>();
  private pumping = false;
  private closed = false;

  constructor({ pool, riders = {}, gates = {}, eventsPerGroupMax = 1000 }: EventLogOptions) {
    this.pool = pool;
    this.helpers = { riders, gates };
    this.eventsPerGroupMax = eventsPerGroupMax;
    // pg's pool hides the password from a copy. The types don't know `pipeline` yet.
    const options = { ...pool.options, password: pool.options.password, pipeline: true, max: GROUPS_IN_FLIGHT, min: 0 };
    this.lanes = new pg.Pool(options);
    this.lanes.on('error', () => {}); // an idle connection broke: the pool replaces it
    // One in use has failed its statement: that it says so again, perhaps to nobody, must not end the process.
    this.lanes.on('connect', (client) => void client.on('error', () => {}));
  }

  /** Appends one command. Rejects with EntryTooLargeError, or with the database's error. */
  async append(command: AppendCommand): Promise<AppendOutcome> {
    const [outcome] = await this.enqueue([this.prepare(command)]);
    return outcome!;
  }

  /**
   * Appends commands in their order; each has its own outcome. If what one says can't be stored, none is; after the database's
   * error the others are, unless the connection is gone.
   */
  async appendAll(commands: AppendCommand[]): Promise<AppendOutcome[]> {
    const prepared = commands.map((command) => this.prepare(command));
    const groups: Promise<AppendOutcome[]>[] = [];
    while (prepared.length > 0) {
      groups.push(this.enqueue(takeUpTo(this.eventsPerGroupMax, prepared, ({ events }) => events.length)));
    }
    return (await Promise.all(groups)).flat();
  }

  /**
   * Appends within the caller's own open transaction, in which it takes the head's lock: all other appends wait until the caller
   * ends it. What is appended is there if and only if that transaction commits.
   */
  async appendIn(client: pg.ClientBase, commands: AppendCommand[]): Promise<AppendOutcome[]> {
    if (commands.length === 0) return [];
    const prepared = commands.map((command) => this.prepare(command));
    return this.writeGroup(client, prepared);
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

  fingerprintOf(source: string, id: string): Promise<Buffer | undefined> {
    return reading.fingerprintOf(this.pool, source, id);
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
      for (const name in riders) if (!this.helpers.riders[name]) throw new RangeError(`No rider named ${name}`);
    }
    if (command.gate && !this.helpers.gates[command.gate.name])
      throw new RangeError(`No gate named ${command.gate.name}`);
    return prepare(command);
  }

  private enqueue(commands: PreparedCommand[]): Promise<AppendOutcome[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ commands, resolve, reject });
      this.pump();
    });
  }

  /** Starts groups once everything that arrives in this turn of the event loop has arrived. */
  private pump(): void {
    if (this.pumping || this.running.size >= GROUPS_IN_FLIGHT) return;
    this.pumping = true;
    process.nextTick(() => {
      this.pumping = false;
      while (this.waiting.length > 0 && this.running.size < GROUPS_IN_FLIGHT) {
        this.start(takeUpTo(this.eventsPerGroupMax, this.waiting, sizeOf));
      }
    });
  }

  private start(group: Pending[]): void {
    const run = this.run(group).finally(() => {
      this.running.delete(run);
      this.pump();
    });
    this.running.add(run);
  }

  private async run(group: Pending[]): Promise<void> {
    const all = group.flatMap(({ commands }) => commands);
    try {
      const outcomes = await this.commitGroup(all);
      for (const { commands, resolve } of group) resolve(outcomes.splice(0, commands.length));
    } catch (error) {
      if (all.length === 1 || isConnectionError(error)) group.forEach(({ reject }) => reject(error));
      else for (const pending of group) await this.runSingly(pending);
    }
  }

  /**
   * One command, or what rides with it, is at fault: alone, it fails alone. Its caller hears of it, once its other commands have
   * been stored: repeated, these are duplicates.
   */
  private async runSingly({ commands, resolve, reject }: Pending): Promise<void> {
    const outcomes: AppendOutcome[] = [];
    const errors: unknown[] = [];
    for (const command of commands) {
      try {
        outcomes.push(...(await this.commitGroup([command])));
      } catch (error) {
        errors.push(error);
        if (isConnectionError(error)) break;
      }
    }
    if (errors.length === 0) resolve(outcomes);
    else reject(errors[0]);
  }

  private async commitGroup(commands: PreparedCommand[]): Promise<AppendOutcome[]> {
    if (!commands.some(({ events, gate }) => gate || events.some(({ event }) => event.riders))) {
      // Nothing rides: the one statement that stores new events is a transaction of its own.
      const outcomes = await withClient(this.lanes, (client) => writeNewGroup(client, commands, this.helpers));
      if (outcomes) return outcomes;
    }
    return inTransaction(this.lanes, (client) => this.writeGroup(client, commands));
  }

  private async writeGroup(client: pg.ClientBase, commands: PreparedCommand[]): Promise<AppendOutcome[]> {
    const outcomes = await writeNewGroup(client, commands, this.helpers);
    return outcomes ?? settleGroup(client, commands, this.helpers);
  }
}

const sizeOf = ({ commands }: Pending): number => commands.reduce((size, { events }) => size + events.length, 0);

/** Removes from the front of a queue what is at most this large together, one at least. */
function takeUpTo<T>(most: number, queue: T[], sizeOfOne: (one: T) => number): T[] {
  let size = 0;
  const end = queue.findIndex((one) => (size += sizeOfOne(one)) > most);
  return queue.splice(0, end < 0 ? queue.length : Math.max(end, 1));
}

const nextTick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
