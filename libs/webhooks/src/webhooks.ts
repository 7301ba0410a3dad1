import { Lease, listen } from '@liandun/messaging';
import { pause, signWebhook } from '@liandun/sdk';
import type { Kms } from '@liandun/vault';
import type { Pool } from 'pg';
import { nextMessage, testMessage, type Message } from './messages.js';
import { Poster, type Outcome, type PostSettings } from './post.js';
import { ATTEMPTS_MAX, retryDelayMs } from './schedule.js';
import { liveKeys, rewrapSecrets } from './secrets.js';
import * as store from './store.js';

export interface WebhooksSettings extends PostSettings {
  pool: Pool;
  kms: Kms;
  /** How long the lease lasts without renewal; 6,000 ms unless told. */
  leaseMs?: number;
  /** The wait after the first failure, which the later ones are multiples of; 5,000 ms unless told. */
  retryBaseMs?: number;
  /** Attempts before a message is a dead letter; ATTEMPTS_MAX unless told. */
  attemptsMax?: number;
  onProblem?: (error: Error) => void;
}

export interface WebhooksStatus {
  /** Whether this process is the one that posts. */
  active: boolean;
  /** Since the start. */
  delivered: number;
  failed: number;
  lastError?: string;
}

const POLL_MS = 500;
const POKED_MS = 20;
const MEMBERS_AT_ONCE_MAX = 32;
const HEADERS = { 'content-type': 'application/cloudevents+json; charset=UTF-8', 'user-agent': 'liandun-webhooks/1' };

/**
 * Posts every member's notices to its endpoint, one at a time and in the order of `seq`. The cursor moves after the receiver has said
 * 2xx, so a crash repeats a message under the same webhook-id and loses none. It runs in one place at a time; each member is posted to
 * by itself, so that a slow receiver delays nobody else.
 */
export class Webhooks {
  readonly #settings: WebhooksSettings;
  readonly #lease: Lease;
  readonly #poster: Poster;
  readonly #stopping = new AbortController();
  /** Aborted when the lease is lost: another process may be posting the same. */
  #turn = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();
  #running: Promise<unknown> | undefined;
  #poked = new AbortController();
  #delivered = 0;
  #failed = 0;
  #lastError: string | undefined;

  constructor(settings: WebhooksSettings) {
    this.#settings = settings;
    this.#lease = new Lease(settings.pool, 'webhooks', settings.leaseMs ?? 6_000);
    this.#poster = new Poster(settings);
  }

  /** Returns at once; waits for its turn if another process posts. */
  start(): this {
    const { pool } = this.#settings;
    const poke = (): void => this.#poked.abort();
    this.#running ??= Promise.all([
      this.#holdLease(),
      this.#deliver(),
      listen(pool, 'liandun_log', poke, this.#stopping.signal, this.#heard),
    ]);
    return this;
  }

  /** Breaks off what is under way: the next process sends it again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#turn.abort();
    this.#poked.abort();
    await this.#running;
    await Promise.allSettled(this.#busy.values());
    await this.#poster.close();
    await this.#lease.release().catch(this.#heard);
  }

  status(): WebhooksStatus {
    const lastError = this.#lastError;
    const counts = { active: this.#lease.held, delivered: this.#delivered, failed: this.#failed };
    return { ...counts, ...(lastError === undefined ? {} : { lastError }) };
  }

  async #holdLease(): Promise<void> {
    const everyMs = (this.#settings.leaseMs ?? 6_000) / 4;
    while (!this.#stopping.signal.aborted) {
      const held = this.#lease.held;
      await this.#lease.renew().catch(this.#heard);
      if (!this.#lease.held) this.#turn.abort();
      else if (!held) await rewrapSecrets(this.#settings.pool, this.#settings.kms).catch(this.#heard);
      await pause(everyMs, this.#stopping.signal);
    }
  }

  async #deliver(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#poked = new AbortController();
      if (this.#lease.held) await this.#startDue().catch(this.#heard);
      // What is appended together pokes together.
      await pause(POKED_MS, this.#stopping.signal);
      if (!this.#poked.signal.aborted)
        await pause(POLL_MS, AbortSignal.any([this.#poked.signal, this.#stopping.signal]));
    }
  }

  async #startDue(): Promise<void> {
    if (this.#turn.signal.aborted) this.#turn = new AbortController();
    const room = MEMBERS_AT_ONCE_MAX - this.#busy.size;
    if (room === 0) return;
    const members = await store.dueMembers(this.#settings.pool, [...this.#busy.keys()], room);
    for (const member of members) {
      const work = this.#serve(member, this.#turn.signal)
        .catch(this.#heard)
        .finally(() => this.#busy.delete(member));
      this.#busy.set(member, work);
    }
  }

  /** Posts to one member until nothing is left for it, or it has to wait. */
  async #serve(member: string, turn: AbortSignal): Promise<void> {
    const { pool } = this.#settings;
    while (!turn.aborted && this.#lease.held) {
      const endpoint = await store.endpointOf(pool, member);
      if (!endpoint) return;
      if (endpoint.test_id !== null) {
        if (!(await this.#test(endpoint, endpoint.test_id, turn))) return;
        continue;
      }
      const message = endpoint.due ? await nextMessage(pool, member, endpoint) : undefined;
      if (!message || !(await this.#attempt(endpoint, message, turn))) return;
    }
  }

  async #post(endpoint: store.Endpoint, id: string, body: string, turn: AbortSignal): Promise<Outcome> {
    const keys = await liveKeys(this.#settings.pool, this.#settings.kms, endpoint.member);
    const timestamp = Math.floor(endpoint.now.getTime() / 1000);
    return this.#poster.post(endpoint.url, { ...HEADERS, ...signWebhook({ id, timestamp, body }, keys) }, body, turn);
  }

  /** Whether to go on with the next message at once. */
  async #attempt(endpoint: store.Endpoint, message: Message, turn: AbortSignal): Promise<boolean> {
    const { pool, retryBaseMs, attemptsMax = ATTEMPTS_MAX } = this.#settings;
    const outcome = await this.#post(endpoint, message.webhookId, message.body, turn);
    if (outcome.result === 'interrupted') return false;
    if (outcome.result === 'delivered') {
      this.#delivered += 1;
      await store.delivered(pool, endpoint.member, message, outcome.status);
      return true;
    }
    this.#failed += 1;
    if (outcome.result === 'gone') {
      await store.gone(pool, endpoint, outcome.status);
      return false;
    }
    const { status, problem, retryAfterMs } = outcome;
    const attempts = endpoint.head === message.webhookId ? endpoint.attempts + 1 : 1;
    const failure = { attempts, status, problem };
    if (attempts >= attemptsMax) await store.buried(pool, endpoint, message, failure);
    else {
      const waitMs = Math.max(retryAfterMs, retryDelayMs(attempts, Math.random(), retryBaseMs));
      await store.failed(pool, endpoint, message, failure, waitMs);
    }
    return attempts >= attemptsMax;
  }

  async #test(endpoint: store.Endpoint, testId: string, turn: AbortSignal): Promise<boolean> {
    const { webhookId, body } = testMessage(endpoint.member, testId, endpoint.now);
    const outcome = await this.#post(endpoint, webhookId, body, turn);
    if (outcome.result === 'interrupted') return false;
    await store.tested(this.#settings.pool, endpoint.member, testId, outcome);
    return true;
  }

  readonly #heard = (error: Error): void => {
    this.#lastError = error.message;
    this.#settings.onProblem?.(error);
  };
}
