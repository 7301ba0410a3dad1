import type pg from 'pg';

const RESYNC_MS = 60_000;

/** The database's time: deadlines and "ahead of now" count from it, however wrong this machine's clock is. */
export class DatabaseClock {
  #offsetMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly pool: pg.Pool) {}

  async start(): Promise<void> {
    await this.#sync();
    // A failed look is repeated at the next; the last offset still holds.
    this.#timer = setInterval(() => void this.#sync().catch(() => undefined), RESYNC_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly now = (): Date => new Date(Date.now() + this.#offsetMs);

  async #sync(): Promise<void> {
    const asked = Date.now();
    const { rows } = await this.pool.query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    );
    this.#offsetMs = Math.round((rows[0]?.ms ?? asked) - (asked + Date.now()) / 2);
  }
}
