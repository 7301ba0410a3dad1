import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const CHANNEL = 'liandun_log';
/** The payload that says that a parked event is to be handled again, … */
export const UNPARKED = 'unparked';
/** … that a member or one of its keys was stopped; others are the log's head. */
const ACCESS_ENDED = 'accessEnded';
const RECONNECT_DELAY_MS = 500;

/**
 * What was appended reaches up to `head`, as far as is known; `unparked`: a parked event is to be handled again; `accessEnded`:
 * a member or one of its keys was stopped, or may have been while nobody listened.
 */
type Listener = (what: { unparked: boolean; accessEnded: boolean; head: number }) => void;

/** Makes every process look, once the transaction commits, whether those that it serves still may be. */
export async function tellAccessEnded(client: pg.ClientBase): Promise<void> {
  await client.query(`select pg_notify('${CHANNEL}', $1)`, [ACCESS_ENDED]);
}

/** One listening connection for each pool of the process. It hints only: who relies on it polls as well. */
class Wakeups {
  private readonly listeners = new Set<Listener>();
  private readonly stopped = new AbortController();
  private client: pg.Client | undefined;
  private readonly running: Promise<void>;

  constructor(private readonly pool: pg.Pool) {
    this.running = this.run();
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
  }

  /** Answers whether nobody is left. */
  remove(listener: Listener): boolean {
    this.listeners.delete(listener);
    return this.listeners.size === 0;
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.client?.end().catch(() => {});
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await this.listen().catch(() => {});
      await sleep(RECONNECT_DELAY_MS, undefined, { signal: this.stopped.signal }).catch(() => {});
    }
  }

  /** Resolves when the connection has ended. */
  private async listen(): Promise<void> {
    const client = new pg.Client({ ...this.pool.options, password: this.pool.options.password });
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', () => {}); // `end` follows
    client.on('notification', ({ payload }) => this.wake(payload));
    await client.connect();
    this.client = client;
    if (this.stopped.signal.aborted) return client.end();
    await client.query(`listen ${CHANNEL}`);
    this.wake(); // what was committed before it listened
    await ended;
  }

  private wake(payload?: string): void {
    const unparked = payload === UNPARKED;
    const accessEnded = payload === undefined || payload === ACCESS_ENDED;
    // The stop itself is an entry: its own notification tells of the head.
    const known = payload === ACCESS_ENDED ? -1 : Number(payload);
    const head = unparked || payload === undefined ? Number.POSITIVE_INFINITY : known;
    for (const listener of this.listeners) listener({ unparked, accessEnded, head });
  }
}

const byPool = new WeakMap<pg.Pool, Wakeups>();

/** Calls `listener` after commits that append or unpark. Returns how to stop; the connection closes with the last listener. */
export function onAppended(pool: pg.Pool, listener: Listener): () => Promise<void> {
  const wakeups = byPool.get(pool) ?? new Wakeups(pool);
  byPool.set(pool, wakeups);
  wakeups.add(listener);
  return async () => {
    if (!wakeups.remove(listener)) return;
    byPool.delete(pool);
    await wakeups.stop();
  };
}
