import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';

/** What only one process may do at a time. Held for `ttlMs` from the moment that it was asked for, unless renewed. */
export class Lease {
  readonly #pool: Pool;
  readonly #name: string;
  readonly #ttlMs: number;
  readonly #holder = randomUUID();
  #heldUntilMs = 0;

  constructor(pool: Pool, name: string, ttlMs: number) {
    this.#pool = pool;
    this.#name = name;
    this.#ttlMs = ttlMs;
  }

  /** By this process's monotonic clock, which started before the database's did: it ends here first. */
  get held(): boolean {
    return performance.now() < this.#heldUntilMs;
  }

  /** Takes the lease if it is free, prolongs it if it is ours; false if another process has it. */
  async renew(): Promise<boolean> {
    const askedAtMs = performance.now();
    const { rowCount } = await this.#pool.query(
      `INSERT INTO relay.lease AS lease (name, holder, expires_at)
       VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
       WHERE lease.holder = excluded.holder OR lease.expires_at < clock_timestamp()`,
      [this.#name, this.#holder, this.#ttlMs],
    );
    this.#heldUntilMs = rowCount === 1 ? askedAtMs + this.#ttlMs : 0;
    return rowCount === 1;
  }

  /** Lets another process have it at once. */
  async release(): Promise<void> {
    this.#heldUntilMs = 0;
    await this.#pool.query('DELETE FROM relay.lease WHERE name = $1 AND holder = $2', [this.#name, this.#holder]);
  }
}
