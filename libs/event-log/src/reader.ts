import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { CARRIED_MAX, takeIdle } from './carry.js';
import {
  hasRetries,
  loadCheckpoint,
  moveCheckpoint,
  nextRetry,
  park,
  parkAgain,
  parkedCounts,
  parkedKeys,
  removeParked,
  type ParkedKeys,
  type Retry,
} from './checkpoints.js';
import { isTransient } from './errors.js';
import type { StoredEvent } from './events.js';
import { head, readWindow } from './stored-events.js';
import { inTransaction, withClient } from './transaction.js';
import { onAppended } from './wakeups.js';

export interface ReaderDefinition {
  /** Its checkpoint's name: never changed once released. */
  name: string;
  /** It gets at most this many events at a time. */
  batchMax: number;
  /** Only these types; its checkpoint still moves over all of the log. */
  types?: readonly string[];
  /**
   * Applies events, in position order. All effects through `client` commit with the checkpoint, so a crash repeats none of them.
   * Effects elsewhere may be repeated. A throw rolls back. With `ownTransactions` the client has no transaction open and the
   * checkpoint moves afterwards, so every effect may be repeated. `signal` says that the reader is to end.
   */
  handle(client: pg.PoolClient, events: StoredEvent[], signal: AbortSignal): Promise<void>;
  /** After an event failed for good, later ones that share one of its keys wait behind it. Default: none wait. */
  keysOf?(event: StoredEvent): string[];
  ownTransactions?: boolean;
  /**
   * Work ahead: called with the next events while those before them are applied, where more wait than one batch. It has no
   * effect but that `handle` is faster; it may be left out, or repeated, and a throw is passed over.
   */
  prepare?(pool: pg.Pool, events: StoredEvent[]): Promise<void>;
  /** Told of the events that another instance applied instead, for what this process keeps of them in memory; maybe again. */
  overtaken?(events: StoredEvent[]): void;
  /**
   * Handles a few events in the transaction of the reader that carries this one, after that one's effects; they commit together, with
   * both checkpoints. False, with nothing written: not now. Default: `handle`, or never where that has transactions of its own.
   */
  join?(client: pg.PoolClient, events: StoredEvent[], signal: AbortSignal): Promise<boolean>;
  /** So long it waits after each wake-up, for what nobody waits for: it takes more at once, and those that hurry go first. */
  patienceMs?: number;
  /** Events of these types alone are worth a short wait for what another reader makes of them: one batch instead of two. */
  lingerOn?: readonly string[];
  /** How long it rests unless it is woken; 1 s unless told. The poll stands in for a wake-up that was lost. */
  pollMs?: number;
}

/** Such as pino's. */
export interface ReaderLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface ReaderStatus {
  name: string;
  /** Everything up to here is applied or parked. */
  position: number;
  head: number;
  /** How many events it has yet to go over. */
  lag: number;
  parkedEvents: number;
  parkedKeys: number;
  /** Why it has stopped for good; it needs a person. */
  stopped?: string;
  /** What it is trying again after. */
  retrying?: string;
}

const POLL_INTERVAL_MS = 1000;
const LINGER_MS = 20;
/** A checkpoint that only moved over events of other types is saved this seldom: after a crash they are skipped again. */
const SKIPPED_SAVED_EVERY_MS = 1000;
/** Or when it moved over so many: who looks how far a reader is must not take them for a backlog. */
const SKIPPED_SAVED_EVERY = 500;
/** So seldom where another reader would carry it just then. */
const CARRIED_SAVED_EVERY_MS = 10_000;
const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 5000;
export const PARKED_KEYS_MAX = 100;

/** Another instance of this reader moved the checkpoint: nothing of this batch was applied here. */
class OvertakenError extends Error {}

/** Too much is parked. */
class StoppedError extends Error {}

interface Window {
  events: StoredEvent[];
  to: number;
}

interface Batch {
  from: number;
  to: number;
  events: StoredEvent[];
}

/** A reader at work. Several instances, in several processes, may run under one name: each event is applied by one of them. */
export class Reader {
  private position = -1;
  /** The checkpoint as it stands in the database. */
  private saved = -1;
  private savedAtMs = 0;
  private lingered = false;
  /** The next window, read while the one before it is applied. */
  private ahead: { after: number; window: Promise<Window | undefined> } | undefined;
  private isCarried = false;
  /** A transaction that may be moving this one's checkpoint as well. */
  private carrier: Promise<unknown> | undefined;
  private stopped: string | undefined;
  private retrying: string | undefined;
  private woken = false;
  private retriesAsked = true;
  private wake = (): void => void (this.woken = true);
  private readonly waiters = new Set<{ position: number; resolve: () => void }>();
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly pool: pg.Pool,
    private readonly definition: ReaderDefinition,
    private readonly logger: ReaderLogger | undefined,
    private readonly carries: readonly Reader[] = [],
  ) {
    for (const reader of carries) reader.isCarried = true;
    this.running = this.run();
  }

  get name(): string {
    return this.definition.name;
  }

  private get pollMs(): number {
    return this.definition.pollMs ?? POLL_INTERVAL_MS;
  }

  /** Everything up to here is applied or parked, as far as this instance knows. */
  checkpoint(): number {
    return this.position;
  }

  async lag(): Promise<number> {
    return Math.max(0, (await head(this.pool)) - this.position);
  }

  /** For health and metrics. */
  async status(): Promise<ReaderStatus> {
    const [last, { events, keys }] = await Promise.all([head(this.pool), parkedCounts(this.pool, this.name)]);
    return {
      name: this.name,
      position: this.position,
      head: last,
      lag: Math.max(0, last - this.position),
      parkedEvents: events,
      parkedKeys: keys,
      ...(this.stopped !== undefined && { stopped: this.stopped }),
      ...(this.retrying !== undefined && { retrying: this.retrying }),
    };
  }

  /** Resolves when its checkpoint has come to this position. */
  reached(position: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.position >= position) resolve();
      else this.waiters.add({ position, resolve });
    });
  }

  /** Finishes the batch under way, then ends. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const silence = onAppended(this.pool, ({ unparked, head: appended }) => {
      this.retriesAsked ||= unparked;
      if (appended > this.position) this.wake();
    });
    try {
      await this.persistently(async () => this.setSaved(await loadCheckpoint(this.pool, this.name)));
      while (!this.stopping.signal.aborted) await this.turn();
    } catch (error) {
      if (!this.stopping.signal.aborted) this.halt(error);
    } finally {
      await silence();
    }
  }

  private halt(error: unknown): void {
    this.stopped = textOf(error);
    this.logger?.error({ reader: this.name, position: this.position, err: error }, 'The reader stopped');
  }

  /** Applies what is there, else waits for more. */
  private async turn(): Promise<void> {
    this.woken = false;
    await this.carrier;
    if (this.retriesAsked) {
      this.retriesAsked = false;
      await this.persistently(() => this.replayRetries());
    }
    const { position: from, saved } = this;
    const ahead = await this.readAhead(from);
    const { events, to } = ahead ?? (await this.persistently(() => this.read(from)));
    if (this.isWorthWaiting(events)) return this.rest(LINGER_MS);
    if (to > from) await this.goOver({ from: saved, to, events });
    // Behind a window that was read now and wasn't full is nothing, unless a wake-up has come since.
    if (!ahead && events.length < this.definition.batchMax && this.position >= to) await this.rest();
  }

  /** It may be carried meanwhile: then its checkpoint isn't where it was when this was read, and nothing is done. */
  private async goOver(batch: Batch): Promise<void> {
    const { from, to, events } = batch;
    if (from !== this.saved) return;
    const savedEveryMs = this.isCarried ? CARRIED_SAVED_EVERY_MS : SKIPPED_SAVED_EVERY_MS;
    const soon = performance.now() - this.savedAtMs < savedEveryMs && to - from < SKIPPED_SAVED_EVERY;
    if (events.length === 0 && soon) return this.setPosition(to);
    if (this.definition.prepare && events.length >= this.definition.batchMax)
      this.ahead = { after: to, window: this.prepare(to) };
    try {
      await this.apply(batch);
    } catch (error) {
      if (!(error instanceof OvertakenError)) throw error;
      await this.persistently(() => this.catchUp(from));
    }
  }

  /** Goes on behind what another instance has applied. */
  private async catchUp(from: number): Promise<void> {
    const to = await loadCheckpoint(this.pool, this.name);
    if (this.definition.overtaken)
      for (let at = from; at < to;) {
        const window = await this.read(at);
        this.definition.overtaken(window.events.filter(({ position }) => position <= to));
        at = window.to;
      }
    this.setSaved(to);
  }

  private read(after: number): Promise<Window> {
    const { batchMax: limit, types } = this.definition;
    return readWindow(this.pool, { after, limit, types });
  }

  /** What was read ahead, if it is what comes next. */
  private async readAhead(after: number): Promise<Window | undefined> {
    const { ahead } = this;
    this.ahead = undefined;
    const window = await ahead?.window;
    return ahead?.after === after && window && window.to > after ? window : undefined;
  }

  private async prepare(after: number): Promise<Window | undefined> {
    let window: Window | undefined;
    try {
      window = await this.read(after);
      await this.definition.prepare?.(this.pool, window.events);
    } catch {
      // Whatever it is, handling the events meets it again.
    }
    return window;
  }

  /** Once for each window: then it is applied as it is. */
  private isWorthWaiting(events: StoredEvent[]): boolean {
    const { lingerOn } = this.definition;
    const waits = lingerOn !== undefined && events.length > 0 && events.every(({ type }) => lingerOn.includes(type));
    this.lingered = waits && !this.lingered;
    return this.lingered;
  }

  /** Waits for a wake-up. The poll stands in for one that was lost. */
  private async rest(atMostMs = this.pollMs): Promise<void> {
    if (this.woken || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.retriesAsked ||= atMostMs === this.pollMs;
        resolve();
      }, atMostMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => void (this.woken = true);
    const { patienceMs } = this.definition;
    if (patienceMs) await sleep(patienceMs, undefined, { signal: this.stopping.signal }).catch(() => {});
  }

  /** Applies a batch whole if it can be; else finds the events at fault by halving, and parks them. */
  private async apply(batch: Batch): Promise<void> {
    const failure = await this.attempt(batch);
    if (failure === undefined) return this.setSaved(batch.to);
    const { from, to, events } = batch;
    if (events.length <= 1) return this.parkFailed(batch, failure.error);
    const middle = events.length >> 1;
    const through = events[middle - 1]!.position;
    await this.apply({ from, to: through, events: events.slice(0, middle) });
    await this.apply({ from: through, to, events: events.slice(middle) });
  }

  /** Tries a batch; the answer is a failure that would recur. One event alone is tried twice before it is blamed. */
  private async attempt(batch: Batch): Promise<{ error: unknown } | undefined> {
    if (await this.appliedCarrying(batch)) return undefined;
    for (let tries = batch.events.length === 1 ? 2 : 1; ; tries -= 1) {
      try {
        await this.persistently(() => this.applyOnce(batch));
        return undefined;
      } catch (error) {
        if (error instanceof OvertakenError || error instanceof StoppedError || this.stopping.signal.aborted)
          throw error;
        if (tries === 1) return { error };
      }
    }
  }

  /**
   * Applies a few events together with what the readers behind this one make of them, in one transaction. Where that fails, nothing
   * is done: alone, whoever is at fault finds out.
   */
  private async appliedCarrying(batch: Batch): Promise<boolean> {
    const { length } = batch.events;
    const carried = this.carries.filter((reader) => reader.runs);
    if (carried.length === 0 || length === 0 || length > CARRIED_MAX || this.definition.ownTransactions) return false;
    const applying = this.applyOnce(batch, carried);
    const ended = applying.catch(() => {});
    for (const reader of carried) reader.carrier = ended;
    try {
      for (const [reader, to] of await applying) reader.setCarried(to);
      return true;
    } catch (error) {
      if (error instanceof OvertakenError || this.stopping.signal.aborted) throw error;
      return false;
    }
  }

  private get runs(): boolean {
    return this.stopped === undefined && !this.stopping.signal.aborted;
  }

  private setCarried(to: number): void {
    if (to <= this.saved) return;
    if (to >= this.position) this.setSaved(to);
    else this.saved = to;
  }

  /** Answers how far the carried readers came. */
  private async applyOnce({ from, to, events }: Batch, carried: Reader[] = []): Promise<Map<Reader, number>> {
    if (this.definition.ownTransactions) {
      await this.applyThenMove({ from, to, events });
      return new Map();
    }
    return inTransaction(this.pool, async (client) => {
      // Over events of other types the checkpoint may fall back in a crash: they are skipped again.
      if (events.length === 0) await client.query('set local synchronous_commit = off');
      const names = carried.map(({ name }) => name);
      const [parked, idle] = await Promise.all([
        this.move(client, from, to),
        names.length > 0 ? takeIdle(client, names) : new Map<string, number>(),
      ]);
      const { free, waiting } = this.partition(events, parked);
      await this.parkWaiting(client, waiting);
      if (free.length > 0) await this.definition.handle(client, free, this.stopping.signal);
      return this.carryOn(client, carried, idle);
    });
  }

  /** One behind the other, as far as each has little before it. */
  private async carryOn(
    client: pg.PoolClient,
    carried: Reader[],
    idle: ReadonlyMap<string, number>,
  ): Promise<Map<Reader, number>> {
    const reached = new Map<Reader, number>();
    for (const reader of carried) {
      const from = idle.get(reader.name);
      const to = from === undefined ? undefined : await reader.joinFrom(client, from, this.stopping.signal);
      if (to === undefined) break;
      reached.set(reader, to);
    }
    return reached;
  }

  /** Goes on from its checkpoint, which the transaction of the reader that carries it has locked; the answer is where it stands then. */
  private async joinFrom(client: pg.PoolClient, from: number, signal: AbortSignal): Promise<number | undefined> {
    const { definition } = this;
    const { types } = definition;
    const { events, to } = await readWindow(client, { after: from, limit: CARRIED_MAX + 1, types });
    if (events.length === 0 || events.length > CARRIED_MAX) return undefined;
    if (definition.join) {
      if (!(await definition.join(client, events, signal))) return undefined;
    } else if (definition.ownTransactions) return undefined;
    else await definition.handle(client, events, signal);
    await this.move(client, from, to);
    return to;
  }

  private async applyThenMove({ from, to, events }: Batch): Promise<void> {
    const { free, waiting } = this.partition(events, await parkedKeys(this.pool, this.name));
    await withClient(this.pool, async (client) => {
      if (free.length > 0) await this.definition.handle(client, free, this.stopping.signal);
    });
    await inTransaction(this.pool, async (client) => {
      await this.move(client, from, to);
      await this.parkWaiting(client, waiting);
    });
  }

  private async move(client: pg.ClientBase, from: number, to: number): Promise<ParkedKeys> {
    const parked = await moveCheckpoint(client, { reader: this.name, from, to });
    if (!parked) throw new OvertakenError(`Another instance of ${this.name} went on from ${from}`);
    return parked;
  }

  /** Divides events into those that wait behind a parked one and the others. */
  private partition(events: StoredEvent[], alreadyParked: ParkedKeys): { free: StoredEvent[]; waiting: StoredEvent[] } {
    if (alreadyParked.size === 0) return { free: events, waiting: [] };
    const parked = new Set(alreadyParked);
    const free: StoredEvent[] = [];
    const waiting: StoredEvent[] = [];
    for (const event of events) {
      const keys = this.keysOf(event);
      if (keys.some((key) => parked.has(key))) {
        waiting.push(event);
        keys.forEach((key) => parked.add(key));
      } else free.push(event);
    }
    if (parked.size > PARKED_KEYS_MAX) throw new StoppedError(`More than ${PARKED_KEYS_MAX} keys would be parked`);
    return { free, waiting };
  }

  private async parkWaiting(client: pg.ClientBase, events: StoredEvent[]): Promise<void> {
    for (const event of events) {
      await park(client, { reader: this.name, position: event.position, keys: this.keysOf(event), error: null });
    }
  }

  /** Parking and moving on are one transaction. */
  private async parkFailed({ from, to, events }: Batch, error: unknown): Promise<void> {
    const event = events[0];
    if (!event) throw error;
    const { name: reader } = this;
    await this.persistently(() =>
      inTransaction(this.pool, async (client) => {
        const parked = await this.move(client, from, to);
        const keys = this.keysOf(event);
        if (new Set([...parked, ...keys]).size > PARKED_KEYS_MAX) {
          throw new StoppedError(`More than ${PARKED_KEYS_MAX} keys would be parked; the last error: ${textOf(error)}`);
        }
        await park(client, { reader, position: event.position, keys, error: textOf(error) });
      }),
    );
    this.logger?.error({ reader, position: event.position, err: error }, 'An event was parked');
    this.setSaved(to);
  }

  /** Handles, in order, what was unparked. What fails again stays parked, with all that waits behind it. */
  private async replayRetries(): Promise<void> {
    if (!(await hasRetries(this.pool, this.name))) return;
    while (!this.stopping.signal.aborted) {
      let retry: Retry | undefined;
      try {
        await inTransaction(this.pool, async (client) => {
          retry = await nextRetry(client, this.name);
          if (retry && !this.definition.ownTransactions) await this.replay(client, retry);
        });
        const { definition, pool } = this;
        if (retry && definition.ownTransactions) await withClient(pool, (client) => this.replay(client, retry!));
      } catch (error) {
        if (!retry || isTransient(error)) throw error;
        const { event, keys } = retry;
        await parkAgain(this.pool, { reader: this.name, position: event.position, keys, error: textOf(error) });
      }
      if (!retry) return;
    }
  }

  private async replay(client: pg.PoolClient, { event }: Retry): Promise<void> {
    await this.definition.handle(client, [event], this.stopping.signal);
    await removeParked(client, this.name, event.position);
  }

  private keysOf(event: StoredEvent): string[] {
    const keys = this.definition.keysOf?.(event) ?? [];
    return keys.length > 0 ? keys : [`position ${event.position}`];
  }

  /** Repeats work until it succeeds, fails for good, or the reader is stopped. */
  private async persistently<T>(work: () => Promise<T>): Promise<T> {
    for (let delayMs = BACKOFF_MIN_MS; ; delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS)) {
      try {
        const result = await work();
        this.retrying = undefined;
        return result;
      } catch (error) {
        if (!isTransient(error) || this.stopping.signal.aborted) throw error;
        this.retrying = textOf(error);
        this.logger?.warn({ reader: this.name, position: this.position, err: error }, 'The reader tries again');
        await sleep(delayMs, undefined, { signal: this.stopping.signal }).catch(() => {});
      }
    }
  }

  private setSaved(position: number): void {
    this.saved = position;
    this.savedAtMs = performance.now();
    this.setPosition(position);
  }

  private setPosition(position: number): void {
    this.position = position;
    for (const waiter of this.waiters) {
      if (waiter.position > position) continue;
      this.waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Starts a reader at its checkpoint. It ends with stop() or the signal; errors never leave it, see status(). Where little is before
 * them, the readers that it `carries`, in the order of their work, go on in its transaction: that saves each a commit and a wake-up.
 */
export function runReader(
  pool: pg.Pool,
  definition: ReaderDefinition,
  { signal, logger, carries }: { signal?: AbortSignal; logger?: ReaderLogger; carries?: readonly Reader[] } = {},
): Reader {
  const reader = new Reader(pool, definition, logger, carries);
  if (signal?.aborted) void reader.stop();
  signal?.addEventListener('abort', () => void reader.stop(), { once: true });
  return reader;
}
