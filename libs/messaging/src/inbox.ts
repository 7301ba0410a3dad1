import type { Receipt } from '@liandun/contracts';
import { backoffMs, pause, within } from '@liandun/sdk';
import type { JWK } from 'jose';
import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { kafkaAdmin, type KafkaAdmin } from './admin.js';
import { ledgerClient, type Brokers } from './brokers.js';
import { openRecord } from './opening.js';
import { KafkaSender } from './sender.js';
import { inboxTopic, receiptsTopic } from './topics.js';

export interface InboxSettings {
  /** The ledger's own listener. */
  brokers: Brokers;
  /** The private keys of the inbox, each with its `kid`: the current one and those that are being replaced. */
  keys: readonly JWK[];
  /** The consumer group that holds the place in the inboxes: one for each ledger on a broker; `liandun.inbox` unless told. */
  group?: string;
  /**
   * Hands a member's events to intake and gives a receipt for each, in order. It may be called again with the same
   * events after a crash: they are duplicates then. If it throws, the member's inbox waits and is tried again.
   */
  submit: (memberId: string, events: unknown[]) => Promise<Receipt[]>;
  onProblem?: (error: Error) => void;
  /** The consumer is dead (kafkajs would look healthy): fail readiness and end the process. */
  onFatal: (error: Error) => void;
}

export interface InboxStatus {
  following: string[];
  /** Records that have their receipt, since the start. */
  received: number;
  /** Members whose inbox waits after a failure. */
  stalled: { memberId: string; failures: number; lastError: string }[];
}

const RECORDS_MAX = 500;
const CONCURRENT_MEMBERS = 8;
// Kafka keeps the place of a process that was killed for as long: until then its successor waits to join.
const SESSION_MS = 10_000;
const JOIN_MAX_MS = 45_000;

/**
 * Takes what members put into their inboxes. For each batch: intake, receipts to `receipts.<member>`, then the offset,
 * then the records are deleted. A crash between any two of these repeats only receipts.
 */
export class Inbox {
  readonly #settings: InboxSettings;
  readonly #group: string;
  readonly #admin: KafkaAdmin;
  readonly #sender: KafkaSender;
  readonly #failures = new Map<string, { count: number; lastError: string }>();
  readonly #resumes = new Set<NodeJS.Timeout>();
  #consumer: Consumer | undefined;
  #following: string[] = [];
  #wanted: readonly string[] = [];
  readonly #stopping = new AbortController();
  #change: Promise<void> = Promise.resolve();
  #received = 0;

  constructor(settings: InboxSettings) {
    this.#settings = settings;
    this.#group = settings.group ?? 'liandun.inbox';
    this.#admin = kafkaAdmin(settings.brokers);
    this.#sender = new KafkaSender(settings.brokers, 'liandun-inbox');
  }

  /**
   * Consumes the inboxes of exactly these members from now on; call it again when membership changes. What fails is tried
   * again, so it never rejects. Resolves once it consumes, which may take a while after a crash or while Kafka is away.
   */
  async follow(members: readonly string[]): Promise<void> {
    const wanted = members.toSorted();
    this.#wanted = wanted;
    this.#change = this.#change.then(async () => this.#bringTo(wanted));
    return this.#change;
  }

  /** Finishes the batches at hand. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // Joining can't be interrupted; whoever stops doesn't wait for it.
    await Promise.race([this.#change, pause(2_000)]);
    await this.#leave();
    await Promise.all([this.#sender.close(), this.#admin.close()]);
  }

  status(): InboxStatus {
    const stalled = [...this.#failures].map(([topic, { count, lastError }]) => ({
      memberId: memberOf(topic),
      failures: count,
      lastError,
    }));
    return { following: this.#following, received: this.#received, stalled };
  }

  async #bringTo(wanted: string[]): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; wanted === this.#wanted && !signal.aborted; failures += 1) {
      try {
        await this.#follow(wanted);
        return;
      } catch (error) {
        this.#heard(error);
        await this.#leave();
        await pause(backoffMs(failures, 200, 5_000), signal);
      }
    }
  }

  async #follow(members: string[]): Promise<void> {
    const existing = new Set(await this.#admin.topics());
    // One topic that is missing would keep the whole group from starting.
    const present = members.filter((member) => existing.has(inboxTopic(member)));
    if (this.#consumer && present.join() === this.#following.join()) return;
    await this.#leave();
    this.#following = present;
    if (present.length === 0) return;
    const topics = present.map(inboxTopic);
    await this.#deleteCommitted(topics);
    const consumer = ledgerClient(this.#settings.brokers, 'liandun-inbox').consumer({
      groupId: this.#group,
      maxWaitTimeInMs: 500,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: SESSION_MS / 5,
      rebalanceTimeout: 2 * SESSION_MS,
      retry: { retries: 3, initialRetryTime: 100, restartOnFailure: async () => false },
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      // One that was given up may crash unheard.
      if (this.#consumer === consumer) this.#settings.onFatal(payload.error);
    });
    this.#consumer = consumer;
    await within(20_000, 'connecting to Kafka', consumer.connect());
    await within(20_000, 'subscribing', consumer.subscribe({ topics, fromBeginning: true }));
    await within(
      JOIN_MAX_MS,
      'joining the group',
      consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: CONCURRENT_MEMBERS,
        eachBatch: async (payload) => this.#batch(consumer, payload),
      }),
    );
  }

  async #leave(): Promise<void> {
    for (const timer of this.#resumes) clearTimeout(timer);
    this.#resumes.clear();
    this.#failures.clear();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer) await within(10_000, 'leaving the group', consumer.disconnect()).catch(this.#heard);
  }

  async #batch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { topic, messages } = payload.batch;
    for (let from = 0; from < messages.length;) {
      if (!payload.isRunning() || payload.isStale()) return;
      // After a failure one by one, so that a record that can't be taken holds up none before it.
      const records = messages.slice(from, from + (this.#failures.has(topic) ? 1 : RECORDS_MAX));
      try {
        await this.#take(topic, records);
      } catch (error) {
        this.#standStill(topic, error as Error, payload.pause());
        return;
      }
      from += records.length;
      if (from === messages.length) this.#failures.delete(topic);
      const { offset } = records.at(-1)!;
      const next = String(BigInt(offset) + 1n);
      payload.resolveOffset(offset);
      await consumer.commitOffsets([{ topic, partition: 0, offset: next }]);
      // Left over after a crash or a failure here, the records go with the next batch or at the next start.
      await this.#admin.deleteRecords(topic, next).catch(this.#heard);
      await payload.heartbeat();
    }
  }

  /** Gets and sends the receipts of some records. */
  async #take(topic: string, records: KafkaMessage[]): Promise<void> {
    const opened = await Promise.all(records.map(async ({ value }) => openRecord(value, this.#settings.keys)));
    const events = opened.flatMap((each) => ('event' in each ? [each.event] : []));
    const memberId = memberOf(topic);
    const accepted = events.length > 0 ? await this.#settings.submit(memberId, events) : [];
    if (accepted.length !== events.length) throw new Error('Intake gave another number of receipts than events');
    const rest = accepted.values();
    const receipts = opened.map((each) => ('refused' in each ? each.refused : rest.next().value!));
    const outgoing = receipts.map((receipt, index) => ({
      key: receipt.id,
      value: JSON.stringify(receipt),
      // What can't be read has no id: its sender finds it by the offset that it was acknowledged with.
      headers: { 'content-type': 'application/json', 'inbox-offset': records[index]!.offset },
    }));
    await this.#sender.send([{ topic: receiptsTopic(memberId), records: outgoing }]);
    this.#received += records.length;
  }

  /** Lets one member's inbox wait; kafkajs then fetches it again from the last resolved record. */
  #standStill(topic: string, error: Error, resume: () => void): void {
    const count = (this.#failures.get(topic)?.count ?? 0) + 1;
    this.#failures.set(topic, { count, lastError: error.message });
    this.#heard(error);
    const timer = setTimeout(
      () => {
        this.#resumes.delete(timer);
        resume();
      },
      backoffMs(count - 1),
    );
    this.#resumes.add(timer);
  }

  async #deleteCommitted(topics: string[]): Promise<void> {
    const committed = await this.#admin.committed(this.#group, topics);
    for (const [topic, offset] of committed) await this.#admin.deleteRecords(topic, offset).catch(this.#heard);
  }

  readonly #heard = (error: unknown): void => this.#settings.onProblem?.(error as Error);
}

const memberOf = (topic: string): string => topic.slice(inboxTopic('').length);
