import {
  NOTICE_ERASED_TYPE,
  CASE_REMINDER_TYPE,
  NOTICE_REMINDER_TYPE,
  SCREENING_MATCHED_TYPE,
  type CloudEvent,
  type ErasedNotices,
  type MatchedScreening,
  type Notice,
  type CaseReminder,
  type NoticeReminder,
} from '@liandun/contracts';
import { asError, LiandunError } from './errors.js';
import { checkErased, checkMatched, checkNotice } from './notice-check.js';
import type { NoticeStore, ShopState } from './notice-store.js';
import { backoffMs, pause } from './waiting.js';

/**
 * The one interface of a platform's own code, whatever the channel. Its effects through `tx` are stored exactly once,
 * in the order of `seq`; effects elsewhere may happen again after a crash. `shops` is the member's own view of the
 * shops that the notice touches, after it: on `reopen`, reopen those whose `closedBy` is empty. `mark` asks for nothing: show
 * `status`. An action that this version doesn't know comes as it is; do nothing about it but keep it.
 */
export interface NoticeHandler<Tx> {
  handle(notice: Notice, tx: Tx, shops: ShopState[]): Promise<void>;
  /**
   * The person of these notices was erased (个人信息保护法 第47条): take the name out of every copy of them. Comes after the
   * notices themselves, in the order of `no`, and its effects through `tx` are stored exactly once.
   */
  erased?(erased: ErasedNotices, tx: Tx): Promise<void>;
  /**
   * A later listing matches what the member screened before: look at that merchant again. In the order of `no`; its effects
   * through `tx` are stored exactly once.
   */
  matched?(matched: MatchedScreening, tx: Tx): Promise<void>;
  /** Kafka alone brings it: the ledger waits for an answer to this notice. */
  reminded?(reminder: NoticeReminder): void;
  /** Kafka alone brings it: the subjects of these cases are to be told today, and `liandun.case.notified.v1` says that they were. */
  toTell?(reminder: CaseReminder): void;
}

export interface ProcessorSettings<Tx> {
  memberId: string;
  consumer: string;
  store: NoticeStore<Tx>;
  handler: NoticeHandler<Tx>;
  /** Tries of one notice before it is set aside. */
  attemptsMax: number;
  /** The member's feed after a `seq`: what fills a gap. */
  fetchAfter: (seq: number, limit: number) => Promise<CloudEvent<Notice>[]>;
  /** What the member was told about erased persons, after a `no`. */
  fetchErasedAfter: (no: number, limit: number) => Promise<CloudEvent<ErasedNotices>[]>;
  /** What the member was told about its inquiries, after a `no`. */
  fetchMatchedAfter: (no: number, limit: number) => Promise<CloudEvent<MatchedScreening>[]>;
  onProblem: (error: Error) => void;
}

const FETCH_MAX = 100;

/** What was erased is counted apart from the notices. */
const erasedCursor = (consumer: string): string => `${consumer}/erased`;

/** So are later matches of inquiries. */
const matchedCursor = (consumer: string): string => `${consumer}/matched`;

/** Verifies, removes repeats, fills gaps, retries, and sets aside what can't be handled. One notice at a time. */
export class NoticeProcessor<Tx> {
  readonly #settings: ProcessorSettings<Tx>;
  readonly #stopped: AbortSignal;
  #seq = -1;

  constructor(settings: ProcessorSettings<Tx>, stopped: AbortSignal) {
    this.#settings = settings;
    this.#stopped = stopped;
  }

  /** The `seq` last dealt with. */
  get seq(): number {
    return this.#seq;
  }

  /** Prepares the store and reads the consumer's place. */
  async open(): Promise<void> {
    const { store, consumer } = this.#settings;
    await store.prepare();
    this.#seq = await store.transaction(async (tx) => store.cursor(tx, consumer));
  }

  /**
   * Takes what the channel brought. Once it returns, every notice up to this one is handled or set aside, in the
   * database. It throws where that can't be reached (no database, a gap that the feed doesn't fill): come again.
   */
  async accept(value: unknown): Promise<void> {
    if ((value as { type?: unknown } | null)?.type === NOTICE_ERASED_TYPE) return this.lookForErased();
    if ((value as { type?: unknown } | null)?.type === SCREENING_MATCHED_TYPE) return this.lookForMatched();
    // A hint that an answer is missing: nothing to keep, and no seq to follow.
    if ((value as { type?: unknown } | null)?.type === NOTICE_REMINDER_TYPE) {
      this.#settings.handler.reminded?.((value as CloudEvent<NoticeReminder>).data);
      return;
    }
    if ((value as { type?: unknown } | null)?.type === CASE_REMINDER_TYPE) {
      this.#settings.handler.toTell?.((value as CloudEvent<CaseReminder>).data);
      return;
    }
    let event: CloudEvent<Notice>;
    try {
      event = checkNotice(value, this.#settings.memberId);
    } catch (error) {
      // It can't be placed: whatever it stood for, the feed has it.
      this.#settings.onProblem(asError(error));
      await this.catchUp();
      return;
    }
    if (event.data.seq > this.#seq + 1) await this.catchUp(event.data.seq - 1);
    await this.#settle(event);
  }

  /** Handles what the feed has after the cursor, up to `until` or its end. NOTICE_MISSING if it ends before `until`. */
  async catchUp(until = Infinity): Promise<void> {
    for (let last = until; this.#seq < last;) {
      const items = await this.#settings.fetchAfter(this.#seq, FETCH_MAX);
      for (const item of items) {
        const event = checkNotice(item, this.#settings.memberId);
        if (event.data.seq > this.#seq + 1) throw missing(this.#seq + 1);
        await this.#settle(event);
        if (this.#stopped.aborted) return;
      }
      if (items.length === 0) {
        if (last === Infinity) return;
        throw missing(this.#seq + 1);
      }
    }
  }

  /**
   * Brings everything to the handler that the ledger has said about erased persons, each once the notices that it names are
   * dealt with. What fails is told to `onProblem` and comes again with the next look: no notice waits for it.
   */
  async lookForErased(): Promise<void> {
    const { store, consumer, fetchErasedAfter, onProblem, memberId } = this.#settings;
    try {
      for (;;) {
        const no = await store.transaction(async (tx) => store.cursor(tx, erasedCursor(consumer)));
        const items = await fetchErasedAfter(no, FETCH_MAX);
        for (const item of items) if (!(await this.#redact(checkErased(item, memberId)))) return;
        if (items.length === 0 || this.#stopped.aborted) return;
      }
    } catch (error) {
      if (!this.#stopped.aborted) onProblem(asError(error));
    }
  }

  /** One transaction: the kept copies, the handler's effects, the cursor. False where a notice of it is yet to come. */
  async #redact(erased: ErasedNotices): Promise<boolean> {
    const { store, consumer, handler, memberId } = this.#settings;
    return store.transaction(async (tx) => {
      const seq = await store.cursor(tx, consumer);
      const no = await store.cursor(tx, erasedCursor(consumer));
      if (erased.no <= no) return true;
      if (erased.no > no + 1 || erased.noticeIds.some((id) => Number(id.slice(memberId.length + 1)) > seq))
        return false;
      await store.redact(tx, consumer, erased.noticeIds);
      await handler.erased?.(erased, tx);
      await store.advance(tx, erasedCursor(consumer), erased.no);
      return true;
    });
  }

  /** Brings everything to the handler that the ledger has said about the member's inquiries; what fails comes again. */
  async lookForMatched(): Promise<void> {
    const { store, consumer, fetchMatchedAfter, handler, onProblem } = this.#settings;
    const cursor = matchedCursor(consumer);
    try {
      for (;;) {
        const no = await store.transaction(async (tx) => store.cursor(tx, cursor));
        const items = await fetchMatchedAfter(no, FETCH_MAX);
        for (const item of items) {
          const matched = checkMatched(item);
          await store.transaction(async (tx) => {
            if (matched.no !== (await store.cursor(tx, cursor)) + 1) return;
            await handler.matched?.(matched, tx);
            await store.advance(tx, cursor, matched.no);
          });
        }
        if (items.length === 0 || this.#stopped.aborted) return;
      }
    } catch (error) {
      if (!this.#stopped.aborted) onProblem(asError(error));
    }
  }

  async #settle(event: CloudEvent<Notice>): Promise<void> {
    if (event.data.seq <= this.#seq) return;
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#seq = await this.#handle(event);
        return;
      } catch (thrown) {
        if (this.#stopped.aborted) throw thrown;
        const error = asError(thrown);
        this.#settings.onProblem(error);
        if (attempt >= this.#settings.attemptsMax) {
          this.#seq = await this.#setAside(event, error.message);
          return;
        }
        await pause(backoffMs(attempt - 1), this.#stopped);
      }
    }
  }

  /** One transaction: repeat or not, the handler's effects, the view of shops, the cursor. Gives the new cursor. */
  async #handle(event: CloudEvent<Notice>): Promise<number> {
    const { store, consumer, handler } = this.#settings;
    const notice = event.data;
    return store.transaction(async (tx) => {
      const seq = await store.cursor(tx, consumer);
      if (notice.seq <= seq) return seq;
      if (notice.seq > seq + 1) throw missing(seq + 1);
      if (await store.isWaiting(tx, consumer, notice.listingId)) {
        await store.setAside(tx, consumer, event, 'Waits behind an earlier notice of its listing');
      } else {
        await handler.handle(notice, tx, await store.applyToShops(tx, consumer, notice));
      }
      await store.advance(tx, consumer, notice.seq);
      return notice.seq;
    });
  }

  async #setAside(event: CloudEvent<Notice>, error: string): Promise<number> {
    const { store, consumer } = this.#settings;
    return store.transaction(async (tx) => {
      const seq = await store.cursor(tx, consumer);
      if (event.data.seq !== seq + 1) return seq; // another instance was faster
      await store.setAside(tx, consumer, event, error);
      await store.advance(tx, consumer, event.data.seq);
      return event.data.seq;
    });
  }

  /**
   * Tries what was set aside again, in order; a listing whose notice fails again keeps its later ones waiting. Gives
   * how many are left.
   */
  async retryFailed(): Promise<number> {
    const { store, consumer, handler } = this.#settings;
    const stuck = new Set<string>();
    let left = 0;
    for (const { notice: event } of await store.failed(consumer)) {
      const notice = event.data;
      if (stuck.has(notice.listingId)) {
        left += 1;
        continue;
      }
      try {
        await store.transaction(async (tx) => {
          // The cursor's lock keeps a new notice of the listing from passing between the look and the commit.
          await store.cursor(tx, consumer);
          if (!(await store.take(tx, consumer, notice.seq))) return;
          await handler.handle(notice, tx, await store.applyToShops(tx, consumer, notice));
        });
      } catch (thrown) {
        const error = asError(thrown);
        this.#settings.onProblem(error);
        stuck.add(notice.listingId);
        left += 1;
        await store.transaction(async (tx) => store.setAside(tx, consumer, event, error.message));
      }
    }
    return left;
  }
}

const missing = (seq: number): LiandunError =>
  new LiandunError('NOTICE_MISSING', `Notice ${seq} is neither on the channel nor in the feed`);
