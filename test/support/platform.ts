import type { CloudEvent, Notice, Receipt } from '@liandun/contracts';
import { closedShops, consumeNotices, LiandunClient, pgNoticeStore, type NoticeConsumer } from '@liandun/sdk';
import pg from 'pg';
import { createTestDatabase } from './database.js';
import { env, readTopic, until } from './kafka.js';
import type { Product } from './product.js';

export type Channel = 'kafka' | 'feed';

/** A database in which platforms keep their own stores, each in a schema of its own. */
export interface Stores {
  of(memberId: string): Promise<pg.Pool>;
  drop(): Promise<void>;
}

export async function openStores(): Promise<Stores> {
  const { url, drop } = await createTestDatabase();
  const pools: pg.Pool[] = [];
  return {
    async of(memberId) {
      const pool = new pg.Pool({ connectionString: url, max: 4, options: `-c search_path="${memberId}"` });
      pools.push(pool);
      await pool.query(`CREATE SCHEMA IF NOT EXISTS "${memberId}"`);
      // No key on seq: an effect that is stored twice is to be seen.
      await pool.query(
        'CREATE TABLE IF NOT EXISTS effect (at bigserial, seq int, notice json, shops_closed_after text[])',
      );
      return pool;
    },
    async drop() {
      await Promise.all(pools.map((pool) => pool.end()));
      await drop();
    },
  };
}

const CONSUMER = 'shops';

/** A platform as it stands on the SDK: a client, and a consumer of notices on a store of its own. */
export class Platform {
  private constructor(
    readonly memberId: string,
    readonly client: LiandunClient,
    readonly store: pg.Pool,
    readonly consumer: NoticeConsumer<pg.ClientBase>,
    readonly problems: string[],
  ) {}

  /** `brokers`: those of the test run unless told. */
  static async open(
    product: Product,
    memberId: string,
    channel: Channel,
    stores: Stores,
    brokers = env('KAFKA_BROKERS'),
  ): Promise<Platform> {
    const client = product.client(memberId);
    const store = await stores.of(memberId);
    const problems: string[] = [];
    const consumer = consumeNotices({
      client,
      name: CONSUMER,
      store: pgNoticeStore(store),
      handler: {
        async handle(notice, tx, shops) {
          const closed = shops.filter(({ closedBy }) => closedBy.length > 0).map(({ shopId }) => shopId);
          const values = [notice.seq, JSON.stringify(notice), closed];
          await tx.query('INSERT INTO effect (seq, notice, shops_closed_after) VALUES ($1, $2, $3)', values);
        },
      },
      ...(channel === 'kafka' && { kafka: { brokers } }),
      onProblem: (error) => problems.push(error.message),
    });
    return new Platform(memberId, client, store, consumer, problems);
  }

  /** What the handler has stored, in the order in which it was stored. */
  async effects(): Promise<Notice[]> {
    const { rows } = await this.store.query<{ notice: Notice }>('SELECT notice FROM effect ORDER BY at');
    return rows.map(({ notice }) => notice);
  }

  /** Waits for the notice of a listing with this action to be handled. */
  async told(listingId: string, action: Notice['action']): Promise<Notice> {
    let found: Notice | undefined;
    await until(
      `${action} of ${listingId} at ${this.memberId}; its problems: ${this.problems.join('; ') || 'none'}`,
      async () => {
        found = (await this.effects()).find((each) => each.listingId === listingId && each.action === action);
        return found !== undefined;
      },
      90_000,
    );
    return found as Notice;
  }

  async handledUpTo(seq: number): Promise<void> {
    await until(
      `notice ${seq} at ${this.memberId}, which is at ${this.consumer.status().seq}`,
      () => this.consumer.status().seq >= seq,
      120_000,
    );
  }

  /** The shops that the SDK's own view takes for closed. */
  async closed(): Promise<string[]> {
    return (await closedShops(this.store, CONSUMER)).map(({ shopId }) => shopId);
  }

  async publish(event: object): Promise<Receipt> {
    return this.client.publish(event as CloudEvent);
  }

  async close(): Promise<void> {
    await this.consumer.stop();
  }
}

/** The listing that an accepted delisting, report or registry entry has made. */
export const listingOf = ({ position, leafHash }: Receipt): string =>
  `L${position}-${Buffer.from(leafHash ?? '', 'base64').toString('hex', 0, 6)}`;

/** Every notice of a member as the feed gives it, page by page. */
export async function feedOf(client: LiandunClient): Promise<CloudEvent<Notice>[]> {
  const all: CloudEvent<Notice>[] = [];
  for (;;) {
    const { items } = await client.notices(all.at(-1)?.data.seq ?? -1, 100);
    if (items.length === 0) return all;
    all.push(...items);
  }
}

/** The first `count` notices of a member as the stream of Server-Sent Events gives them. */
export async function streamOf(client: LiandunClient, count: number): Promise<CloudEvent<Notice>[]> {
  const stop = new AbortController();
  const all: CloudEvent<Notice>[] = [];
  for await (const notice of client.streamNotices(-1, stop.signal)) {
    all.push(notice);
    if (all.length >= count) stop.abort();
  }
  return all;
}

/** What lies on a member's topic, repeats included, once the notice with this seq is there. */
export async function topicOf(memberId: string, lastSeq: number): Promise<CloudEvent<Notice>[]> {
  const parse = (value: string): CloudEvent<Notice> => JSON.parse(value) as CloudEvent<Notice>;
  const records = await readTopic(`notices.${memberId}`, (received) =>
    received.some(({ value }) => parse(value).data.seq >= lastSeq),
  );
  return records.map(({ value }) => parse(value));
}
