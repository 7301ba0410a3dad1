import { randomUUID } from 'node:crypto';
import { holdsPersonalData, type CloudEvent, type Receipt } from '@liandun/contracts';
import { CompactEncrypt, importJWK, type JWK } from 'jose';
import type { Consumer, KafkaMessage, Producer } from 'kafkajs';
import type { LiandunClient } from './client.js';
import { asError, LiandunError } from './errors.js';
import { kafkaClient, sslOf, type KafkaSettings } from './kafka-client.js';
import { within } from './waiting.js';

export interface InboxPublisherSettings {
  client: LiandunClient;
  brokers: string;
  ssl?: KafkaSettings['ssl'];
  /** How long publish waits for its receipts; 60,000 ms unless told. */
  receiptTimeoutMs?: number;
}

interface Waiting {
  event: CloudEvent;
  resolve: (receipt: Receipt) => void;
  reject: (error: Error) => void;
}

/**
 * What goes into an inbox: an event with personal values as a compact JWE (RFC 7516) to the ledger's published key,
 * ECDH-ES+A256KW and A256GCM; any other as it is.
 */
export async function sealEvent(event: CloudEvent, inboxKey: JWK): Promise<string> {
  const text = JSON.stringify(event);
  if (!holdsPersonalData(event.data)) return text;
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      kid: inboxKey.kid,
      cty: 'application/cloudevents+json',
    })
    .encrypt(await importJWK(inboxKey, 'ECDH-ES+A256KW'));
}

/** Publishes over Kafka: events into the member's inbox, receipts from `receipts.<member>`. */
export class InboxPublisher {
  readonly #settings: InboxPublisherSettings;
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  /** By the offset in the inbox: the one name that also a record that couldn't be read has. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #early = new Map<string, Receipt>();
  #key: JWK | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(settings: InboxPublisherSettings) {
    const { client, brokers, ssl } = settings;
    this.#settings = settings;
    const token = async (): Promise<string> => client.token('liandun-kafka');
    const kafka = kafkaClient({ brokers, ssl: sslOf(ssl, client.ca), clientId: `${client.memberId}.inbox`, token });
    this.#producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1 });
    this.#consumer = kafka.consumer({ groupId: `${client.memberId}.receipts-${randomUUID()}`, maxWaitTimeInMs: 200 });
  }

  /** Connects, and starts to read receipts; those from before are passed over. */
  async open(): Promise<this> {
    const { client } = this.#settings;
    const { keys } = await client.ledgerKeys();
    this.#key = keys.find(({ use }) => use === 'enc');
    if (!this.#key) throw new LiandunError('NO_INBOX_KEY', 'The ledger publishes no key for its inbox');
    const topic = `receipts.${client.memberId}`;
    await within(20_000, 'connecting to Kafka', Promise.all([this.#producer.connect(), this.#consumer.connect()]));
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => this.#fail(payload.error));
    // From the start: joining at the end could miss a receipt that comes while the group is being joined.
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    await this.#consumer.run({ autoCommit: false, eachMessage: async ({ message }) => this.#receive(message) });
    return this;
  }

  /**
   * Sends events in order and gives their receipts in the same order. After TIMED_OUT or UNREACHABLE publish the same
   * events again: an event that was taken is then a duplicate.
   */
  async publish(events: readonly CloudEvent[]): Promise<Receipt[]> {
    const key = this.#key;
    if (!key) throw new LiandunError('CLOSED', 'open() comes first');
    const { client, receiptTimeoutMs = 60_000 } = this.#settings;
    const messages = await Promise.all(
      events.map(async (event) => ({
        key: event.id,
        value: await sealEvent(await client.outgoing(event), key),
        partition: 0,
      })),
    );
    const send = this.#sending.then(async () =>
      within(
        20_000,
        'sending to the inbox',
        this.#producer.send({ topic: `inbox.${client.memberId}`, messages, acks: -1 }),
      ),
    );
    this.#sending = send.catch(() => undefined);
    const [appended] = await send;
    const base = BigInt(appended?.baseOffset ?? '0');
    const offsets = events.map((_, index) => String(base + BigInt(index)));
    const receipts = Promise.all(events.map(async (event, index) => this.#receipt(event, offsets[index]!)));
    return within(receiptTimeoutMs, 'waiting for receipts', receipts).finally(() => {
      for (const offset of offsets) this.#waiting.delete(offset);
    });
  }

  async close(): Promise<void> {
    this.#fail(new LiandunError('CLOSED', 'The publisher was closed'));
    await Promise.all([this.#producer.disconnect(), this.#consumer.disconnect()]);
  }

  async #receipt(event: CloudEvent, offset: string): Promise<Receipt> {
    const early = this.#early.get(offset);
    this.#early.delete(offset);
    if (early) return { ...early, id: event.id };
    return new Promise((resolve, reject) => this.#waiting.set(offset, { event, resolve, reject }));
  }

  #receive({ value, headers }: KafkaMessage): void {
    const offset = headers?.['inbox-offset']?.toString();
    if (offset === undefined || !value) return;
    const receipt = JSON.parse(value.toString()) as Receipt;
    const waiting = this.#waiting.get(offset);
    this.#waiting.delete(offset);
    if (waiting) waiting.resolve({ ...receipt, id: waiting.event.id });
    else this.#keepEarly(offset, receipt);
  }

  // A receipt can be here before the producer's own acknowledgement.
  #keepEarly(offset: string, receipt: Receipt): void {
    this.#early.set(offset, receipt);
    const [oldest] = this.#early.keys();
    if (this.#early.size > 5_000 && oldest !== undefined) this.#early.delete(oldest);
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(asError(error));
    this.#waiting.clear();
  }
}
