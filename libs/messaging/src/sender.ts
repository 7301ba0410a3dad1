import { within } from '@liandun/sdk';
import type { Message, Producer } from 'kafkajs';
import { ledgerClient, type Brokers } from './brokers.js';

export interface OutgoingRecord {
  key?: string;
  value: string | Buffer;
  headers?: Record<string, string>;
}

/** Records for the one partition of a topic, in order. */
export interface OutgoingBatch {
  topic: string;
  records: OutgoingRecord[];
}

/** Appends records to topics. What replaces kafkajs one day has to keep these promises. */
export interface Sender {
  /**
   * Resolves once all replicas have every record, in order within each topic. If it rejects, any part may or may not
   * have been appended, but never a later record of a topic without the earlier ones. Calls are carried out one after
   * the other.
   */
  send(batches: OutgoingBatch[]): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const SEND_TIMEOUT_MS = 15_000;

/** An idempotent kafkajs producer that is thrown away after every failure. */
export class KafkaSender implements Sender {
  readonly #brokers: Brokers;
  readonly #clientId: string;
  #producer: Promise<Producer> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(brokers: Brokers, clientId: string) {
    this.#brokers = brokers;
    this.#clientId = clientId;
  }

  async send(batches: OutgoingBatch[]): Promise<void> {
    // kafkajs orders nothing between sends that overlap (its issue 598).
    const sent = this.#last.then(async () => this.#send(batches));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  /** Connects; rejects if the broker can't be reached, which tells a broker's failure from a topic's. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#discard();
  }

  async #send(batches: OutgoingBatch[]): Promise<void> {
    const producer = await this.#connected();
    const topicMessages = batches.map(({ topic, records }) => ({ topic, messages: records.map(toMessage) }));
    try {
      await within(SEND_TIMEOUT_MS, 'sending to Kafka', producer.sendBatch({ acks: -1, topicMessages }));
    } catch (error) {
      // After a failure the broker may hold records whose sequence numbers kafkajs would use again for others, and
      // would then drop the others as repeats. A new producer has a new id. It also forgets deleted topics, which
      // would fail every refresh of the old one's metadata.
      await this.#discard();
      throw error;
    }
  }

  async #connected(): Promise<Producer> {
    this.#producer ??= this.#create();
    try {
      return await this.#producer;
    } catch (error) {
      this.#producer = undefined;
      throw error;
    }
  }

  async #create(): Promise<Producer> {
    const producer = ledgerClient(this.#brokers, this.#clientId).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 100 },
    });
    try {
      await within(CONNECT_TIMEOUT_MS, 'connecting to Kafka', producer.connect());
      return producer;
    } catch (error) {
      producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async #discard(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (!producer) return;
    await within(
      2_000,
      'disconnecting from Kafka',
      producer.then(async (connected) => connected.disconnect()),
    ).catch(() => undefined);
  }
}

// Every topic of ours has one partition: naming it spares the partitioner's hash of each key.
const toMessage = ({ key, value, headers }: OutgoingRecord): Message => ({ key, value, headers, partition: 0 });
