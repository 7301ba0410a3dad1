import { backoffMs, pause } from '@liandun/sdk';
import type { Pool } from 'pg';
import {
  moveCursors,
  moveErased,
  moveMatched,
  moveReminders,
  readBacklog,
  readErased,
  readMatched,
  readReminders,
  type MemberBatch,
} from './backlog.js';
import type { Brokers } from './brokers.js';
import { Lease } from './lease.js';
import { listen } from './listen.js';
import { KafkaSender, type OutgoingBatch } from './sender.js';

export interface RelaySettings {
  pool: Pool;
  /** The ledger's own listener. */
  brokers: Brokers;
  /** How long the lease lasts without renewal: the longest pause after a crash; 6,000 ms unless told. */
  leaseMs?: number;
  /** How often it looks for notices unless it is woken; 1,000 ms unless told. */
  pollMs?: number;
  /** The longest wait before a member's topic is tried again; 5,000 ms unless told. */
  backoffMaxMs?: number;
  onProblem?: (error: Error) => void;
}

export interface StalledMember {
  member: string;
  failures: number;
  lastError: string;
}

export interface RelayStatus {
  /** Whether this process is the one that relays. */
  active: boolean;
  /** Notices acknowledged by Kafka since the start. */
  relayed: number;
  stalled: StalledMember[];
  lastError?: string;
}

interface Suspect {
  failures: number;
  retryAtMs: number;
  lastError: string;
}

const POLL_MS = 1_000;
const RARE_POLL_MS = 1_000;

/**
 * Brings every notice in the log to its member's topic. A cursor per member moves only after all replicas have
 * acknowledged, so a crash repeats notices and never loses one; a notice is sent only after the one before it was
 * acknowledged, so the first copy of each arrives in order of `seq`, whatever crashes and whoever else relays.
 *
 * Where sending to several members fails though the broker answers, each of them is tried alone, by a producer of its
 * own, until it works: a topic that is gone stalls nobody else.
 */
export class Relay {
  readonly #settings: RelaySettings;
  readonly #lease: Lease;
  readonly #main: KafkaSender;
  readonly #single: KafkaSender;
  readonly #rare: KafkaSender;
  readonly #stopping = new AbortController();
  readonly #suspects = new Map<string, Suspect>();
  /** Members' cursors as they will be once what is acknowledged is saved. */
  readonly #ahead = new Map<string, number>();
  #running: Promise<unknown> | undefined;
  #wake: () => void = () => undefined;
  #poked = false;
  #relayed = 0;
  #lastError: string | undefined;

  constructor(settings: RelaySettings) {
    this.#settings = settings;
    this.#lease = new Lease(settings.pool, 'relay', settings.leaseMs ?? 6_000);
    this.#main = new KafkaSender(settings.brokers, 'liandun-relay');
    this.#single = new KafkaSender(settings.brokers, 'liandun-relay-single');
    this.#rare = new KafkaSender(settings.brokers, 'liandun-relay-rare');
  }

  /** Returns at once; waits for its turn if another process relays. */
  start(): this {
    this.#running ??= Promise.all([
      this.#holdLease(),
      this.#relayMany(),
      this.#relaySingly(),
      this.#relayRare(),
      this.#listen(),
    ]);
    return this;
  }

  /** Finishes what is being sent, saves the cursors, and lets another process take over at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.poke();
    await this.#running;
    await Promise.all([this.#main.close(), this.#single.close(), this.#rare.close()]);
    await this.#lease.release().catch((error: Error) => this.#heard(error));
  }

  /** Says that there may be new notices; the log's own notification does it too. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  status(): RelayStatus {
    const stalled = [...this.#suspects].map(([member, { failures, lastError }]) => ({ member, failures, lastError }));
    return { active: this.#lease.held, relayed: this.#relayed, stalled, lastError: this.#lastError };
  }

  async #listen(): Promise<void> {
    const heard = (error: Error): void => this.#heard(error);
    await listen(this.#settings.pool, 'liandun_log', () => this.poke(), this.#stopping.signal, heard);
  }

  async #holdLease(): Promise<void> {
    const everyMs = (this.#settings.leaseMs ?? 6_000) / 4;
    while (!this.#stopping.signal.aborted) {
      const held = this.#lease.held;
      const holds = await this.#lease.renew().catch((error: Error) => {
        this.#heard(error);
        return false;
      });
      if (holds && !held) this.poke();
      await pause(everyMs, this.#stopping.signal);
    }
  }

  async #relayMany(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        this.#poked = false;
        if (this.#lease.held) await this.#drain();
        failures = 0;
        await this.#awoken();
      } catch (error) {
        this.#heard(error as Error);
        await pause(backoffMs(failures, 100, this.#settings.backoffMaxMs ?? 5_000), this.#stopping.signal);
        failures += 1;
      }
    }
  }

  /** Sends until nothing is left: while one batch is being sent the next is read and the last one's cursors are saved. */
  async #drain(): Promise<void> {
    this.#ahead.clear();
    let saving: Promise<void> = Promise.resolve();
    let reading = this.#read();
    try {
      while (!this.#stopping.signal.aborted && this.#lease.held) {
        const batches = await reading;
        if (batches.length === 0) break;
        for (const { member, nextSeq } of batches) this.#ahead.set(member, nextSeq);
        reading = this.#read();
        reading.catch(() => undefined); // looked at in the next round, if there is one
        if (!(await this.#send(batches))) break;
        await saving;
        saving = moveCursors(this.#settings.pool, batches);
        saving.catch(() => undefined); // awaited below or in the next round
      }
    } finally {
      await Promise.allSettled([reading, saving]);
    }
    await saving;
  }

  async #read(): Promise<MemberBatch[]> {
    this.#poked = false;
    return readBacklog(this.#settings.pool, { ahead: this.#ahead, without: [...this.#suspects.keys()] });
  }

  /** False if it failed though the broker answers: its members are then tried one by one. */
  async #send(batches: MemberBatch[]): Promise<boolean> {
    try {
      await this.#main.send(batches);
      this.#count(batches);
      return true;
    } catch (error) {
      await this.#main.connect(); // throws if no topic is at fault but the broker is away
      const lastError = (error as Error).message;
      for (const { member } of batches) this.#suspects.set(member, { failures: 0, retryAtMs: 0, lastError });
      this.poke();
      return false;
    }
  }

  async #relaySingly(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // Those that have failed alone already come last: they are the slow ones.
      const due = [...this.#suspects]
        .filter(([, { retryAtMs }]) => retryAtMs <= performance.now())
        .toSorted(([, one], [, other]) => one.failures - other.failures);
      for (const [member, suspect] of due) {
        if (this.#stopping.signal.aborted) return;
        if (this.#lease.held) await this.#relayOne(member, suspect);
      }
      await pause(50, this.#stopping.signal);
    }
  }

  async #relayOne(member: string, suspect: Suspect): Promise<void> {
    try {
      const batches = await readBacklog(this.#settings.pool, { ahead: new Map(), without: [], only: member });
      if (batches.length > 0) {
        await this.#single.send(batches);
        await moveCursors(this.#settings.pool, batches);
        this.#count(batches);
      }
      this.#suspects.delete(member);
      this.poke();
    } catch (error) {
      suspect.failures += 1;
      suspect.lastError = (error as Error).message;
      suspect.retryAtMs = performance.now() + backoffMs(suspect.failures, 100, this.#settings.backoffMaxMs ?? 5_000);
      this.#heard(error as Error);
    }
  }

  /** Erasures and later matches are rare: they are looked for apart from the notices, which they must not slow down. */
  async #relayRare(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#lease.held) {
        await this.#relayEach(readErased, moveErased);
        await this.#relayEach(readMatched, moveMatched);
        await this.#relayEach(readReminders, moveReminders);
      }
      await pause(RARE_POLL_MS, this.#stopping.signal);
    }
  }

  async #relayEach<B extends OutgoingBatch>(
    read: (pool: Pool) => Promise<B[]>,
    move: (pool: Pool, batch: B) => Promise<void>,
  ): Promise<void> {
    const { pool } = this.#settings;
    for (const batch of await read(pool).catch(this.#failed)) {
      await this.#rare
        .send([batch])
        .then(async () => move(pool, batch))
        .catch(this.#failed);
    }
  }

  readonly #failed = (error: Error): [] => {
    this.#heard(error);
    return [];
  };

  async #awoken(): Promise<void> {
    if (this.#poked || this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#settings.pollMs ?? POLL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #count(batches: MemberBatch[]): void {
    for (const { records } of batches) this.#relayed += records.length;
  }

  #heard(error: Error): void {
    this.#lastError = error.message;
    this.#settings.onProblem?.(error);
  }
}
