import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { LiandunClient } from './client.js';
import { asError } from './errors.js';
import { kafkaClient, sslOf, type KafkaSettings } from './kafka-client.js';
import { NoticeProcessor, type NoticeHandler } from './notice-processor.js';
import type { NoticeStore } from './notice-store.js';
import { backoffMs, pause, within } from './waiting.js';

export interface ConsumerSettings<Tx> {
  client: LiandunClient;
  /** Names the consumer's place: its cursor, and on Kafka its group `<member>.<name>`. */
  name: string;
  store: NoticeStore<Tx>;
  handler: NoticeHandler<Tx>;
  /** Kafka where its brokers are given, the feed over HTTP otherwise: same notices, same order. */
  kafka?: { brokers: string; ssl?: KafkaSettings['ssl'] };
  /** Tries of one notice before it is set aside; 5 unless told. */
  attemptsMax?: number;
  /** How often what was set aside is tried again; 60,000 ms unless told, 0 for never. */
  retryFailedEveryMs?: number;
  /** How often the ledger is asked whom it has erased, and which inquiries it matches later, besides its messages on Kafka; 60,000 ms unless told. */
  lookForErasedEveryMs?: number;
  /** Hears of everything that goes wrong; the consumer goes on by itself. */
  onProblem?: (error: Error) => void;
}

export interface ConsumerStatus {
  state: 'starting' | 'running' | 'retrying' | 'stopped';
  /** The `seq` last dealt with. */
  seq: number;
  lastError?: string;
}

// Kafka keeps the place of a process that was killed for as long: until then its successor waits to join. A join that
// is given up earlier leaves one more such place behind, and the next would wait for that one.
const SESSION_MS = 10_000;
const JOIN_MAX_MS = 45_000;

/**
 * Consumes the member's notices until stopped. Each is verified and handled in one transaction with the cursor, in the
 * order of `seq`, gaps filled from the feed. A broken connection, a crash of the Kafka client or a suspension leads to
 * a new start with backoff, never to silence: `status()` tells.
 */
export class NoticeConsumer<Tx> {
  readonly #settings: ConsumerSettings<Tx>;
  readonly #processor: NoticeProcessor<Tx>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: ConsumerStatus['state'] = 'starting';
  #lastError: string | undefined;

  constructor(settings: ConsumerSettings<Tx>) {
    this.#settings = settings;
    const { client, name, store, handler, attemptsMax } = settings;
    this.#processor = new NoticeProcessor(
      {
        memberId: client.memberId,
        consumer: name,
        store,
        handler,
        attemptsMax: attemptsMax ?? 5,
        fetchAfter: async (seq, limit) => (await client.notices(seq, limit)).items,
        fetchErasedAfter: async (no, limit) => (await client.erasedNotices(no, limit)).items,
        fetchMatchedAfter: async (no, limit) => (await client.matchedScreenings(no, limit)).items,
        onProblem: (error) => this.#heard(error),
      },
      this.#stopping.signal,
    );
  }

  /** Returns at once; the first connection is retried like every later one. */
  start(): this {
    this.#running ??= this.#run();
    return this;
  }

  /** Lets the notice at hand finish, then leaves. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#state = 'stopped';
  }

  status(): ConsumerStatus {
    return { state: this.#state, seq: this.#processor.seq, lastError: this.#lastError };
  }

  /** Tries what was set aside again; gives how many are left. */
  async retryFailed(): Promise<number> {
    return this.#processor.retryFailed();
  }

  async #run(): Promise<void> {
    const { kafka } = this.#settings;
    const { signal } = this.#stopping;
    const loops = [this.#retryLoop(), this.#erasedLoop()];
    for (let failures = 0; !signal.aborted;) {
      const beganAtMs = performance.now();
      try {
        await this.#processor.open();
        await this.#processor.lookForErased();
        await this.#processor.lookForMatched();
        await (kafka ? this.#fromKafka(kafka) : this.#fromFeed());
      } catch (error) {
        if (signal.aborted) break;
        this.#state = 'retrying';
        this.#heard(asError(error));
        failures = performance.now() - beganAtMs > 60_000 ? 0 : failures + 1;
        await pause(backoffMs(failures, 200, 15_000), signal);
      }
    }
    await Promise.all(loops);
  }

  async #retryLoop(): Promise<void> {
    const everyMs = this.#settings.retryFailedEveryMs ?? 60_000;
    const { signal } = this.#stopping;
    if (everyMs === 0) return;
    while (!signal.aborted) {
      await pause(everyMs, signal);
      if (!signal.aborted) await this.retryFailed().catch((error: unknown) => this.#heard(asError(error)));
    }
  }

  async #erasedLoop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await pause(this.#settings.lookForErasedEveryMs ?? 60_000, signal);
      if (!signal.aborted) await this.#processor.lookForErased();
      if (!signal.aborted) await this.#processor.lookForMatched();
    }
  }

  async #fromFeed(): Promise<void> {
    const { signal } = this.#stopping;
    const notices = this.#settings.client.streamNotices(this.#processor.seq, signal);
    this.#state = 'running';
    for await (const event of notices) {
      await this.#processor.accept(event);
      if (signal.aborted) return;
    }
  }

  /** Runs one Kafka consumer to its end: an abort ends it quietly, a crash by throwing. */
  async #fromKafka({ brokers, ssl }: { brokers: string; ssl?: KafkaSettings['ssl'] }): Promise<void> {
    const { client, name } = this.#settings;
    const token = async (): Promise<string> => client.token('liandun-kafka');
    const kafka = kafkaClient({ brokers, ssl: sslOf(ssl, client.ca), clientId: `${client.memberId}.${name}`, token });
    const consumer = kafka.consumer({
      groupId: `${client.memberId}.${name}`,
      maxWaitTimeInMs: 500,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: SESSION_MS / 5,
      rebalanceTimeout: 2 * SESSION_MS,
      // kafkajs's own restarts are unbounded and sometimes silent (its issues 1466, 1630): we make a new consumer.
      retry: { retries: 3, initialRetryTime: 100, restartOnFailure: async () => false },
    });
    const ended = endOf(consumer, this.#stopping.signal);
    try {
      await within(20_000, 'connecting to Kafka', consumer.connect());
      await consumer.subscribe({ topic: `notices.${client.memberId}`, fromBeginning: true });
      await within(
        JOIN_MAX_MS,
        'joining the group',
        consumer.run({ autoCommit: false, eachBatch: async (batch) => this.#batch(consumer, batch) }),
      );
      this.#state = 'running';
      await ended;
    } finally {
      ended.catch(() => undefined);
      await within(10_000, 'leaving Kafka', consumer.disconnect()).catch((error: unknown) =>
        this.#heard(asError(error)),
      );
    }
  }

  async #batch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    let done: string | undefined;
    for (const message of batch.messages) {
      if (!payload.isRunning() || payload.isStale() || this.#stopping.signal.aborted) break;
      await this.#processor.accept(parse(message.value));
      payload.resolveOffset(message.offset);
      done = message.offset;
      await payload.heartbeat();
    }
    if (done === undefined) return;
    const offset = String(BigInt(done) + 1n);
    await consumer.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset }]);
  }

  #heard(error: Error): void {
    this.#lastError = error.message;
    this.#settings.onProblem?.(error);
  }
}

/** Consumes notices from Kafka or the feed; see NoticeConsumer. Starts at once. */
export function consumeNotices<Tx>(settings: ConsumerSettings<Tx>): NoticeConsumer<Tx> {
  return new NoticeConsumer(settings).start();
}

async function endOf(consumer: Consumer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function parse(value: Buffer | null): unknown {
  try {
    return JSON.parse(value?.toString() ?? 'null');
  } catch {
    return undefined; // checkNotice refuses it
  }
}
