import { setTimeout as sleep } from 'node:timers/promises';
import type { ReaderLogger } from '@liandun/event-log';
import { TlogError } from './errors.js';
import { clearHalt, recordHalt } from './halt.js';
import { comparePublished, hasGrown, publishCheckpoint, type PublishingOptions } from './publish.js';
import type { PublishedCheckpoint } from './published.js';

/** How often it is looked whether the tree has grown. */
export const PUBLISH_INTERVAL_MS = 200;
const RETRY_DELAY_MAX_MS = 5000;

export interface PublisherStatus {
  /** The newest checkpoint that this process has seen published. */
  size?: number;
  /** Why it signs nothing any more; it needs a person. */
  stopped?: string;
  /** What it is trying again after. */
  retrying?: string;
}

export interface PublisherOptions extends PublishingOptions {
  intervalMs?: number;
  signal?: AbortSignal;
  logger?: ReaderLogger;
  witnesses?: Objectors;
}

/** Those who may have seen more of the log than this database holds. */
export interface Objectors {
  /** Resolves when they were asked, as far as they answer. */
  compare(): Promise<void>;
  /** Why nothing may be signed. */
  readonly refusal: TlogError | undefined;
}

/** Publishes a checkpoint soon after the tree has grown. Several may run at once: each checkpoint is published by one of them. */
export class Publisher {
  private latest: PublishedCheckpoint | undefined;
  private stopped: string | undefined;
  private retrying: string | undefined;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private readonly first = Promise.withResolvers<void>();

  constructor(private readonly options: PublisherOptions) {
    options.signal?.addEventListener('abort', () => this.stopping.abort(), { once: true });
    if (options.signal?.aborted) this.stopping.abort();
    this.running = this.run();
  }

  /** For health and metrics. */
  status(): PublisherStatus {
    return {
      ...(this.latest && { size: this.latest.size }),
      ...(this.stopped !== undefined && { stopped: this.stopped }),
      ...(this.retrying !== undefined && { retrying: this.retrying }),
    };
  }

  /** Resolves when it has looked for the first time: whether the log may be continued is known then, unless the look failed. */
  get looked(): Promise<void> {
    return this.first.promise;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { intervalMs = PUBLISH_INTERVAL_MS } = this.options;
    let delayMs = intervalMs;
    while (!this.stopping.signal.aborted && this.stopped === undefined) {
      const done = await this.turn();
      this.first.resolve();
      delayMs = done ? intervalMs : Math.min(delayMs * 2, RETRY_DELAY_MAX_MS);
      await sleep(delayMs, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
    this.first.resolve();
  }

  private async turn(): Promise<boolean> {
    try {
      await this.hearWitnesses();
      // The first turn looks at the copies too, whether or not the tree has grown.
      if (!this.latest || (await hasGrown(this.options.pool))) {
        const published = await publishCheckpoint(this.options);
        if (!this.latest) await clearHalt(this.options.pool);
        this.latest = published ?? this.latest;
      }
      this.retrying = undefined;
      return true;
    } catch (error) {
      await this.fail(error).catch((worse: unknown) => this.retry(worse));
      return false;
    }
  }

  /** Before the first signature all witnesses are asked, so that a restored backup is noticed even where its copies were restored too. */
  private async hearWitnesses(): Promise<void> {
    const { witnesses } = this.options;
    if (!this.latest && witnesses) {
      await comparePublished(this.options);
      await witnesses.compare();
    }
    if (witnesses?.refusal) throw witnesses.refusal;
  }

  private async fail(error: unknown): Promise<void> {
    if (!(error instanceof TlogError)) return this.retry(error);
    // Those who append must know before this process calls itself stopped.
    await recordHalt(this.options.pool, error);
    this.stopped = error.message;
    this.options.logger?.error(
      { code: error.code, remedy: error.message, remedyZh: error.messageZh },
      'The log signs no more checkpoints',
    );
  }

  private retry(error: unknown): void {
    this.retrying = error instanceof Error ? error.message : String(error);
    this.options.logger?.warn({ err: error }, 'A checkpoint was not published; the publisher tries again');
  }
}

/** Starts to publish. It ends with stop() or the signal; errors never leave it, see status(). */
export function runPublisher(options: PublisherOptions): Publisher {
  return new Publisher(options);
}
