import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '@liandun/contracts';

/** A decision of a sandbox platform, as its control route gives it. */
export interface Handled {
  no: number;
  noticeId: string;
  action: string;
  listingId: string;
  entityName: string;
  decision: string;
  shops: string[];
  openOrders: number;
  at: string;
}

export interface ShopNow {
  shopId: string;
  merchantId: string;
  status: 'open' | 'closed';
}

const POLL_MS = 30;

/** The back office of one sandbox platform, over its control routes. */
export class Platform {
  readonly memberId: string;
  readonly #url: string;
  #last = 0;

  constructor(memberId: string, url: string) {
    this.memberId = memberId;
    this.#url = url;
  }

  /** Everything decided before this moment is left out of `watch`. */
  async skipPast(): Promise<void> {
    this.#last = (await this.#get<{ last: number }>('/handled')).last;
  }

  /** Hands on each decision as it is made, until the signal aborts. */
  async watch(onHandled: (platform: string, handled: Handled) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { items, last } = await this.#get<{ items: Handled[]; last: number }>(`/handled?after=${this.#last}`);
      this.#last = last;
      for (const handled of items) onHandled(this.memberId, handled);
      if (items.length === 0) await sleep(POLL_MS);
    }
  }

  async shops(): Promise<ShopNow[]> {
    return (await this.#get<{ items: ShopNow[] }>('/shops')).items;
  }

  /** Acts in the back office (`merchants`, `delist`, `notified`, `reinstate`); a refusal of the ledger is an error here. */
  async act(what: 'merchants' | 'delist' | 'notified' | 'reinstate', items: object[]): Promise<Receipt[]> {
    const receipts = await this.#post<Receipt[]>(what, items);
    const refused = receipts.find(({ status }) => status !== 'accepted');
    if (refused) throw new Error(`${this.memberId} /${what}: ${refused.status} ${JSON.stringify(refused.problem)}`);
    return receipts;
  }

  /** Decides on an appeal against a listing of this platform: another person than who listed. */
  async decideAppeal(decision: { listingId: string; merchantId: string; [field: string]: unknown }): Promise<void> {
    await this.#post('appeals', decision);
  }

  async #post<T>(what: string, body: object): Promise<T> {
    const answer = await fetch(`${this.#url}/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${this.memberId} /${what}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(this.#url + path);
    if (!answer.ok) throw new Error(`${this.memberId} ${path}: ${answer.status}`);
    return (await answer.json()) as T;
  }
}
