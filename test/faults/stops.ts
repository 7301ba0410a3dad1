import { until } from '../support/kafka.js';
import type { Product } from '../support/product.js';
import type pg from 'pg';

/** A place in a transaction of the product at which it can be stopped. */
export interface Step {
  name: string;
  /** What the trigger fires on, such as `after insert on view.notice`. */
  on: string;
  /** Condition on `old` and `new`. */
  when?: string;
  /** Stops at the commit instead, when everything is written. */
  atCommit?: boolean;
  /** The commit was on its way when the process died: the database carries it out. */
  commits?: boolean;
}

const LOCK = 4712;

/** Stops transactions of the product at chosen steps, so that a process can be killed exactly there. */
export class Stops {
  private constructor(
    private readonly pool: pg.Pool,
    private readonly holder: pg.PoolClient,
  ) {}

  /** `pool` must be the database owner's. */
  static async install(pool: pg.Pool): Promise<Stops> {
    await pool.query(`
      create function public.stop_here() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(${LOCK});
        return new;
      end $$`);
    return new Stops(pool, await pool.connect());
  }

  async close(): Promise<void> {
    await this.holder.query('select pg_advisory_unlock_all()');
    this.holder.release();
  }

  /** Sets `work` off, waits until the app stands at the step, and kills it there. */
  async killAt(step: Step, product: Product, app: string, work: () => Promise<unknown>): Promise<void> {
    await this.breakAt(step, work, async () => product.kill(app));
  }

  /** Sets `work` off, waits until somebody stands at the step, and cuts off the connection there: whoever it was lives on. */
  async cutOffAt(step: Step, work: () => Promise<unknown>): Promise<void> {
    await this.breakAt(step, work, async () => undefined);
  }

  private async breakAt(step: Step, work: () => Promise<unknown>, kill: () => Promise<void>): Promise<void> {
    const table = step.on.split(' on ')[1] ?? '';
    await this.holder.query('select pg_advisory_lock($1)', [LOCK]);
    await this.pool.query(
      `create ${step.atCommit ? 'constraint trigger' : 'trigger'} stop_here ${step.on}
       ${step.atCommit ? 'deferrable initially deferred' : ''} for each row
       ${step.when ? `when (${step.when})` : ''} execute function public.stop_here()`,
    );
    const working = work();
    await until(`somebody stands at: ${step.name}`, async () => (await this.standing()).length > 0, 60_000);
    await kill();
    if (!step.commits) {
      // As after a power cut: what the dead process had not committed is gone.
      await this.pool.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [await this.standing()]);
    }
    await this.holder.query('select pg_advisory_unlock($1)', [LOCK]);
    await until('nobody stands there', async () => (await this.standing()).length === 0);
    await this.pool.query(`drop trigger stop_here on ${table}`);
    await working;
  }

  private async standing(): Promise<number[]> {
    const { rows } = await this.pool.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and wait_event = 'advisory'",
    );
    return rows.map(({ pid }) => pid);
  }
}
