import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LiandunClient } from '@liandun/sdk';
import pg from 'pg';
import { Store } from './store.js';

const BATCH = 200;
const POLL_MS = 1_000;

/** Publishes the dispositions that are committed: at least once, in order; the ledger removes repeats. */
@Injectable()
export class Outbox implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #listener: pg.Client | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    private readonly client: LiandunClient,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    // Without the listener (its connection may break) the poll still finds everything.
    this.#listener = new pg.Client({ connectionString: process.env['DATABASE_URL'] });
    this.#listener.on('notification', () => this.#wake()).on('error', (error) => console.error(error.message));
    await this.#listener.connect();
    await this.#listener.query('LISTEN disposition');
    this.#running = this.#run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
    await this.#listener?.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, POLL_MS);
      });
      try {
        while (await this.#publishSome());
      } catch (error) {
        console.error(`publishing dispositions: ${error instanceof Error ? error.message : String(error)}`);
      }
      await woken;
    }
  }

  /** @returns whether there was anything */
  async #publishSome(): Promise<boolean> {
    const rows = await this.store.unpublished(BATCH);
    if (rows.length === 0) return false;
    const receipts = await this.client.publish(rows.map(({ event }) => event));
    for (const { id, problem } of receipts) if (problem) console.error(`${id}: ${problem.code}`);
    await this.store.markPublished(rows.map(({ no }) => no));
    return true;
  }
}
