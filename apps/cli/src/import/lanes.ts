import type { CloudEvent, Receipt } from '@liandun/contracts';
import type { LiandunClient } from '@liandun/sdk';
import type { Outcome } from './journal.js';

/** Rows that one member's connection has been given and not yet sent. Reading the file waits when it is full. */
const WAITING_MAX = 1_000;

export type Sent = Pick<Outcome, 'row' | 'member' | 'raw' | 'dropped'>;

/** One member's stream of events to the ledger. Pushing waits while it is full; receipts go to `settle`. */
export class Lane {
  readonly done: Promise<void>;
  readonly #waiting: CloudEvent[] = [];
  readonly #interrupted: AbortSignal;
  /** By event id, in the order sent: two equal rows have one id and get a receipt each. */
  readonly #sent = new Map<string, Sent[]>();
  #closed = false;
  #failed = false;
  #wake: (() => void) | undefined;
  #roomMade: (() => void) | undefined;

  /** After `interrupted` a push returns at once, with nothing pushed. */
  constructor(client: LiandunClient, settle: (outcome: Outcome) => void, interrupted: AbortSignal) {
    this.#interrupted = interrupted;
    interrupted.addEventListener('abort', () => this.#roomMade?.(), { once: true });
    this.done = this.#run(client, settle);
    this.done.catch(() => undefined); // whoever awaits `done` hears of it
  }

  /** Resolves once there is room; rejects when the connection has failed for good. */
  async push(event: CloudEvent, sent: Sent): Promise<void> {
    while (this.#waiting.length >= WAITING_MAX && !this.#failed && !this.#interrupted.aborted) {
      await new Promise<void>((resolve) => (this.#roomMade = resolve));
    }
    if (this.#failed) return this.done;
    if (this.#interrupted.aborted) return;
    const same = this.#sent.get(event.id);
    if (same) same.push(sent);
    else this.#sent.set(event.id, [sent]);
    this.#waiting.push(event);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *#events(): AsyncGenerator<CloudEvent> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event) {
        this.#roomMade?.();
        yield event;
      } else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #run(client: LiandunClient, settle: (outcome: Outcome) => void): Promise<void> {
    try {
      for await (const receipt of client.publishStream(this.#events())) this.#receive(receipt, settle);
    } catch (error) {
      this.#failed = true;
      this.#roomMade?.();
      throw error;
    }
  }

  #receive({ id, status, problem }: Receipt, settle: (outcome: Outcome) => void): void {
    const same = this.#sent.get(id);
    const sent = same?.shift();
    if (!sent) return;
    if (same?.length === 0) this.#sent.delete(id);
    settle({ ...sent, status, problem });
  }
}
