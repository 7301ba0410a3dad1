import { ERASED_NAME, type CloudEvent, type Notice } from '@liandun/contracts';
import type { ClientBase, Pool } from 'pg';

/** What the ledger says of one of the member's own shops, after the notice at hand. */
export interface ShopState {
  shopId: string;
  /** The listings that close it; empty: nothing does any more. */
  closedBy: string[];
}

export interface FailedNotice {
  notice: CloudEvent<Notice>;
  error: string;
  attempts: number;
  failedAt: Date;
}

/**
 * Where a consumer of notices keeps its place, in the same database as the effects of its handler: that is what makes
 * an effect happen exactly once. `Tx` is what the handler works with.
 */
export interface NoticeStore<Tx> {
  /** Creates what the store needs; harmless when repeated or run by several at once. */
  prepare(): Promise<void>;
  /** Runs `work` in one transaction: all of it is stored, or nothing. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The `seq` last dealt with, -1 at first. Within a transaction no other transaction passes it until this one ends. */
  cursor(tx: Tx, consumer: string): Promise<number>;
  /** Moves the cursor to `seq`. */
  advance(tx: Tx, consumer: string, seq: number): Promise<void>;
  /** Applies a notice to the view of shops and gives the shops that it touched. */
  applyToShops(tx: Tx, consumer: string, notice: Notice): Promise<ShopState[]>;
  /** Sets a notice aside, or counts another failed attempt. */
  setAside(tx: Tx, consumer: string, event: CloudEvent<Notice>, error: string): Promise<void>;
  /** Whether an earlier notice of this listing is set aside. */
  isWaiting(tx: Tx, consumer: string, listingId: string): Promise<boolean>;
  /** The notices set aside, by `seq`. */
  failed(consumer: string): Promise<FailedNotice[]>;
  /** Locks and removes one that was set aside; false if it isn't any more. */
  take(tx: Tx, consumer: string, seq: number): Promise<boolean>;
  /** Takes the name out of what is kept of these notices. */
  redact(tx: Tx, consumer: string, noticeIds: readonly string[]): Promise<void>;
}

// One statement, so one transaction; the lock makes two consumers that start at once wait for each other, since
// PostgreSQL's IF NOT EXISTS alone can fail under concurrency.
const TABLES = `
  SELECT pg_advisory_xact_lock(hashtext('liandun-sdk'));
  CREATE TABLE IF NOT EXISTS liandun_cursor (
    consumer text PRIMARY KEY,
    seq bigint NOT NULL
  );
  CREATE TABLE IF NOT EXISTS liandun_failed_notice (
    consumer text NOT NULL,
    seq bigint NOT NULL,
    listing_id text NOT NULL,
    event jsonb NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    failed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, seq)
  );
  CREATE INDEX IF NOT EXISTS liandun_failed_notice_listing ON liandun_failed_notice (consumer, listing_id);
  CREATE TABLE IF NOT EXISTS liandun_shop_view (
    consumer text NOT NULL,
    shop_id text NOT NULL,
    listing_id text NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (consumer, shop_id, listing_id)
  );
  CREATE INDEX IF NOT EXISTS liandun_shop_view_listing ON liandun_shop_view (consumer, listing_id);`;

/** Keeps it in PostgreSQL: tables `liandun_cursor`, `liandun_failed_notice` and `liandun_shop_view` of the pool's schema. */
export function pgNoticeStore(pool: Pool): NoticeStore<ClientBase> {
  return new PgNoticeStore(pool);
}

class PgNoticeStore implements NoticeStore<ClientBase> {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async prepare(): Promise<void> {
    await this.#pool.query(TABLES);
  }

  async transaction<T>(work: (tx: ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | boolean = false;
    // A connection that breaks between two queries says so as an event, which unheard would end the process.
    const onError = (error: Error): void => void (broken = error);
    client.on('error', onError);
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((reason: Error) => (broken = reason));
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async cursor(tx: ClientBase, consumer: string): Promise<number> {
    // The upsert locks the row even where the consumer is new.
    const { rows } = await tx.query<{ seq: string }>(
      `INSERT INTO liandun_cursor (consumer, seq) VALUES ($1, -1)
       ON CONFLICT (consumer) DO UPDATE SET seq = liandun_cursor.seq RETURNING seq`,
      [consumer],
    );
    return Number(rows[0]?.seq ?? -1);
  }

  async advance(tx: ClientBase, consumer: string, seq: number): Promise<void> {
    await tx.query('UPDATE liandun_cursor SET seq = $2 WHERE consumer = $1', [consumer, seq]);
  }

  async applyToShops(tx: ClientBase, consumer: string, notice: Notice): Promise<ShopState[]> {
    const shops = new Set(notice.shops.map(({ shopId }) => shopId));
    if (notice.action === 'close') {
      await tx.query(
        `INSERT INTO liandun_shop_view (consumer, shop_id, listing_id, seq)
         SELECT $1, shop_id, $3, $4 FROM unnest($2::text[]) shop_id ON CONFLICT DO NOTHING`,
        [consumer, [...shops], notice.listingId, notice.seq],
      );
    } else if (notice.action === 'reopen' || notice.action === 'lift') {
      const ended = await tx.query<{ shop_id: string }>(
        'DELETE FROM liandun_shop_view WHERE consumer = $1 AND listing_id = $2 RETURNING shop_id',
        [consumer, notice.listingId],
      );
      for (const row of ended.rows) shops.add(row.shop_id);
    }
    if (shops.size === 0) return [];
    const { rows } = await tx.query<{ shop_id: string; listings: string[] }>(
      `SELECT shop_id, array_agg(listing_id ORDER BY seq) listings FROM liandun_shop_view
       WHERE consumer = $1 AND shop_id = ANY($2) GROUP BY shop_id`,
      [consumer, [...shops]],
    );
    const closed = new Map(rows.map((row) => [row.shop_id, row.listings]));
    return [...shops].map((shopId) => ({ shopId, closedBy: closed.get(shopId) ?? [] }));
  }

  async setAside(tx: ClientBase, consumer: string, event: CloudEvent<Notice>, error: string): Promise<void> {
    await tx.query(
      `INSERT INTO liandun_failed_notice (consumer, seq, listing_id, event, error) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (consumer, seq) DO UPDATE
       SET error = excluded.error, attempts = liandun_failed_notice.attempts + 1, failed_at = now()`,
      [consumer, event.data.seq, event.data.listingId, JSON.stringify(event), error],
    );
  }

  async isWaiting(tx: ClientBase, consumer: string, listingId: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      'SELECT FROM liandun_failed_notice WHERE consumer = $1 AND listing_id = $2 LIMIT 1',
      [consumer, listingId],
    );
    return rowCount === 1;
  }

  async failed(consumer: string): Promise<FailedNotice[]> {
    const { rows } = await this.#pool.query<Omit<FailedNotice, 'notice'> & { event: CloudEvent<Notice> }>(
      `SELECT event, error, attempts, failed_at "failedAt" FROM liandun_failed_notice WHERE consumer = $1 ORDER BY seq`,
      [consumer],
    );
    return rows.map(({ event, ...rest }) => ({ notice: event, ...rest }));
  }

  async take(tx: ClientBase, consumer: string, seq: number): Promise<boolean> {
    const sql = 'DELETE FROM liandun_failed_notice WHERE consumer = $1 AND seq = $2';
    return (await tx.query(sql, [consumer, seq])).rowCount === 1;
  }

  async redact(tx: ClientBase, consumer: string, noticeIds: readonly string[]): Promise<void> {
    await tx.query(
      `UPDATE liandun_failed_notice
       SET event = jsonb_set(jsonb_set(event, '{data,entity,name}', to_jsonb($3::text)), '{data,erased}', 'true')
       WHERE consumer = $1 AND event->>'id' = ANY($2)`,
      [consumer, noticeIds, ERASED_NAME],
    );
  }
}

/** The shops of a consumer's view that at least one listing closes, with the listings. */
export async function closedShops(db: Pool | ClientBase, consumer: string): Promise<ShopState[]> {
  const { rows } = await db.query<ShopState>(
    `SELECT shop_id "shopId", array_agg(listing_id ORDER BY seq) "closedBy" FROM liandun_shop_view
     WHERE consumer = $1 GROUP BY shop_id ORDER BY shop_id`,
    [consumer],
  );
  return rows;
}
