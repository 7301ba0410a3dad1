import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ERASED_NAME, type CloudEvent, type Shop } from '@liandun/contracts';
import pg, { type ClientBase } from 'pg';
import type { Decision, OwnShop } from './policy.js';

export interface OwnMerchant {
  merchantId: string;
  name: string;
  shops: Shop[];
  openOrders?: number;
  /** How many of its buyers wait for a refund, in each shop. */
  openRefunds?: number;
  keepsOpen?: boolean;
}

/** One decided notice, for whoever watches this platform. */
export interface Handled {
  no: number;
  noticeId: string;
  action: string;
  listingId: string;
  entityName: string;
  decision: string;
  shops: string[];
  openOrders: number;
  /** ISO 8601, just before the commit. */
  at: string;
}

const TABLES = `
  SELECT pg_advisory_xact_lock(hashtext('sandbox'));
  CREATE TABLE IF NOT EXISTS merchant (
    merchant_id text PRIMARY KEY,
    name text NOT NULL,
    keeps_open boolean NOT NULL DEFAULT false
  );
  CREATE TABLE IF NOT EXISTS shop (
    shop_id text PRIMARY KEY,
    merchant_id text NOT NULL REFERENCES merchant,
    name text NOT NULL,
    url text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    closed_by text CHECK (closed_by IN ('ledger', 'platform'))
  );
  CREATE TABLE IF NOT EXISTS sale (
    sale_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id text NOT NULL REFERENCES shop,
    state text NOT NULL CHECK (state IN ('placed', 'refunding', 'delivered', 'refunded'))
  );
  CREATE INDEX IF NOT EXISTS sale_open ON sale (shop_id) WHERE state IN ('placed', 'refunding');
  CREATE INDEX IF NOT EXISTS shop_merchant ON shop (merchant_id);
  CREATE TABLE IF NOT EXISTS disposition (
    no bigserial PRIMARY KEY,
    notice_id text NOT NULL UNIQUE,
    handled jsonb NOT NULL,
    event jsonb NOT NULL,
    published boolean NOT NULL DEFAULT false
  );
  CREATE INDEX IF NOT EXISTS disposition_to_publish ON disposition (no) WHERE NOT published;`;

/** Orders that are to be delivered or refunded. */
const OPEN_ORDERS = `(SELECT count(*)::int FROM sale WHERE sale.shop_id = shop.shop_id AND state IN ('placed', 'refunding')) "openOrders"`;

/** How many sales are in each state. */
export type Sales = Record<'placed' | 'refunding' | 'delivered' | 'refunded', number>;

/** This platform's own database; nobody else reads or writes it. */
@Injectable()
export class Store implements OnApplicationShutdown {
  readonly pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 5 });

  constructor() {
    this.pool.on('error', (error) => console.error(`database: ${error.message}`));
  }

  async prepare(): Promise<void> {
    await this.pool.query(TABLES);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }

  async addMerchants(merchants: OwnMerchant[]): Promise<void> {
    await this.pool.query(
      `WITH given AS (SELECT * FROM jsonb_to_recordset($1) AS m("merchantId" text, name text, shops jsonb, "openOrders" int, "openRefunds" int, "keepsOpen" bool)),
       merchants AS (
         INSERT INTO merchant (merchant_id, name, keeps_open)
         SELECT "merchantId", name, coalesce("keepsOpen", false) FROM given
         ON CONFLICT (merchant_id) DO UPDATE SET name = excluded.name, keeps_open = excluded.keeps_open),
       shops AS (
         INSERT INTO shop (shop_id, merchant_id, name, url)
         SELECT s->>'shopId', g."merchantId", s->>'name', s->>'url'
         FROM given g CROSS JOIN jsonb_array_elements(g.shops) s
         ON CONFLICT (shop_id) DO NOTHING RETURNING shop_id, merchant_id)
       INSERT INTO sale (shop_id, state)
       SELECT shop_id, state FROM shops JOIN given g ON g."merchantId" = merchant_id
         CROSS JOIN LATERAL (VALUES ('placed', "openOrders"), ('refunding', "openRefunds")) AS open (state, many)
         CROSS JOIN generate_series(1, many)`,
      [JSON.stringify(merchants)],
    );
  }

  async ownShops(tx: ClientBase, shopIds: string[]): Promise<OwnShop[]> {
    const { rows } = await tx.query<OwnShop>(
      `SELECT shop_id "shopId", merchant_id "merchantId", status, closed_by "closedBy", ${OPEN_ORDERS},
              keeps_open "keepsOpen"
       FROM shop JOIN merchant USING (merchant_id) WHERE shop_id = ANY($1) ORDER BY shop_id FOR UPDATE OF shop`,
      [shopIds],
    );
    return rows;
  }

  /** Closes and reopens shops; their orders are not touched. */
  async apply(tx: ClientBase, { close, reopen }: Decision): Promise<void> {
    await tx.query(`UPDATE shop SET status = 'closed', closed_by = 'ledger' WHERE shop_id = ANY($1)`, [close]);
    await tx.query(`UPDATE shop SET status = 'open', closed_by = NULL WHERE shop_id = ANY($1)`, [reopen]);
  }

  /** A new sale; undefined where the shop is closed: that is what closing stops first (rule P22). */
  async sell(shopId: string): Promise<number | undefined> {
    const { rows } = await this.pool.query<{ saleId: string }>(
      `INSERT INTO sale (shop_id, state) SELECT shop_id, 'placed' FROM shop WHERE shop_id = $1 AND status = 'open'
       RETURNING sale_id "saleId"`,
      [shopId],
    );
    return rows[0] && Number(rows[0].saleId);
  }

  /** A buyer wants the money back, of an open shop or a closed one (消费者权益保护法 第25条); false where nothing is to be refunded. */
  async askRefund(saleId: number): Promise<boolean> {
    const sql = `UPDATE sale SET state = 'refunding' WHERE sale_id = $1 AND state IN ('placed', 'delivered')`;
    return (await this.pool.query(sql, [saleId])).rowCount === 1;
  }

  /** Delivers and refunds what is due, whether the shop is open or closed (rule P22); how many. */
  async serveBuyers(limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `UPDATE sale SET state = CASE state WHEN 'placed' THEN 'delivered' ELSE 'refunded' END WHERE sale_id IN
         (SELECT sale_id FROM sale WHERE state IN ('placed', 'refunding') ORDER BY sale_id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    );
    return rowCount ?? 0;
  }

  async sales(): Promise<Sales> {
    const { rows } = await this.pool.query<{ state: keyof Sales; many: number }>(
      'SELECT state, count(*)::int AS many FROM sale GROUP BY state',
    );
    const none: Sales = { placed: 0, refunding: 0, delivered: 0, refunded: 0 };
    return Object.assign(none, Object.fromEntries(rows.map(({ state, many }) => [state, many])));
  }

  /** Keeps the disposition with the effect, to be published once both are committed. */
  async record(tx: ClientBase, handled: Omit<Handled, 'no'>, event: CloudEvent): Promise<void> {
    await tx.query('INSERT INTO disposition (notice_id, handled, event) VALUES ($1, $2, $3)', [
      handled.noticeId,
      JSON.stringify(handled),
      JSON.stringify(event),
    ]);
    await tx.query('NOTIFY disposition');
  }

  /** Takes the name of an erased person out of what was decided about these notices. */
  async redact(tx: ClientBase, noticeIds: string[]): Promise<void> {
    await tx.query(
      `UPDATE disposition SET handled = jsonb_set(handled, '{entityName}', to_jsonb($2::text)) WHERE notice_id = ANY($1)`,
      [noticeIds, ERASED_NAME],
    );
  }

  async unpublished(limit: number): Promise<{ no: string; event: CloudEvent }[]> {
    const sql = 'SELECT no, event FROM disposition WHERE NOT published ORDER BY no LIMIT $1';
    return (await this.pool.query<{ no: string; event: CloudEvent }>(sql, [limit])).rows;
  }

  async markPublished(nos: string[]): Promise<void> {
    await this.pool.query('UPDATE disposition SET published = true WHERE no = ANY($1)', [nos]);
  }

  async handledAfter(no: number, limit: number): Promise<Handled[]> {
    const sql = 'SELECT no, handled FROM disposition WHERE no > $1 ORDER BY no LIMIT $2';
    const { rows } = await this.pool.query<{ no: string; handled: Omit<Handled, 'no'> }>(sql, [no, limit]);
    return rows.map((row) => ({ ...row.handled, no: Number(row.no) }));
  }

  /** The number of the last decision, 0 before the first. */
  async lastHandled(): Promise<number> {
    const { rows } = await this.pool.query<{ no: string }>('SELECT coalesce(max(no), 0) no FROM disposition');
    return Number(rows[0]?.no ?? 0);
  }

  /** The platform's own act on all shops of its merchants, outside any notice. */
  async setByPlatform(merchantIds: string[], status: 'open' | 'closed'): Promise<void> {
    await this.pool.query('UPDATE shop SET status = $2, closed_by = $3 WHERE merchant_id = ANY($1)', [
      merchantIds,
      status,
      status === 'closed' ? 'platform' : null,
    ]);
  }

  async shops(): Promise<(OwnShop & { name: string })[]> {
    const { rows } = await this.pool.query<OwnShop & { name: string }>(
      `SELECT shop_id "shopId", merchant_id "merchantId", shop.name, status, closed_by "closedBy",
              ${OPEN_ORDERS}, keeps_open "keepsOpen"
       FROM shop JOIN merchant USING (merchant_id) ORDER BY shop_id`,
    );
    return rows;
  }
}
