import { Readable } from 'node:stream';
import type { CaseReminder, CloudEvent, ErasedNotices, Notice, NoticeReminder } from '@liandun/contracts';
import { onAppended, type StoredEvent } from '@liandun/event-log';
import { erasureIn, noticesIn, reminderIn } from '@liandun/views';
import { Controller, Get, Req, Res, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Door } from './pools.js';
import { cursorOf, limitOf } from './query.js';
import { Reads } from './reads.js';
import { Tokens, type Caller } from './tokens.js';

const HEARTBEAT_MS = 15_000;
const STREAM_PAGE_NOTICES = 200;

/** Keeps a ring until it is heard, so that none between a look and the wait after it is lost. */
class Bell {
  #rung = false;
  #heard: (() => void) | undefined;

  readonly ring = (): void => {
    this.#rung = true;
    this.#heard?.();
  };

  /** Whether it rang within the time; resolves as soon as it does. */
  async rang(withinMs: number): Promise<boolean> {
    if (!this.#rung) {
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, withinMs);
      this.#heard = timer.resolve;
      await timer.promise;
      clearTimeout(timeout);
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}

/** A platform's own notices, by cursor or as they come. */
@Controller('/v1/notices')
export class NoticesController implements OnModuleDestroy {
  readonly #closing = new AbortController();

  constructor(
    private readonly reads: Reads,
    private readonly door: Door,
    private readonly tokens: Tokens,
  ) {}

  onModuleDestroy(): void {
    this.#closing.abort();
  }

  @Get()
  async page(@Req() request: FastifyRequest): Promise<{ items: CloudEvent<Notice>[]; next: number }> {
    const caller = callerOf(request);
    const after = cursorOf(request, 'after');
    const entries = await this.reads
      .log(caller)
      .readStream(`notices/${caller.memberId}`, { after, limit: limitOf(request) });
    return { items: await this.#noticesOf(caller, entries), next: entries.at(-1)?.version ?? after };
  }

  async #noticesOf(caller: Caller, entries: StoredEvent[]): Promise<CloudEvent<Notice>[]> {
    return this.reads.as(caller, (db) => noticesIn(db, entries));
  }

  /** Which notices name a person who was erased since: what their receiver is to take out of its copies. */
  @Get('/erased')
  async erased(@Req() request: FastifyRequest): Promise<{ items: CloudEvent<ErasedNotices>[]; next: number }> {
    const caller = callerOf(request);
    const { memberId } = caller;
    const after = cursorOf(request, 'after');
    const page = { after, limit: limitOf(request) };
    const entries = await this.reads.log(caller).readStream(`erased/${memberId}`, page);
    const items = entries.map((entry) => erasureIn(memberId, entry));
    return { items, next: entries.at(-1)?.version ?? after };
  }

  /** Of which notices the member was reminded, and of which subjects to tell (rule P06). */
  @Get('/reminders')
  async reminders(
    @Req() request: FastifyRequest,
  ): Promise<{ items: CloudEvent<NoticeReminder | CaseReminder>[]; next: number }> {
    const caller = callerOf(request);
    const after = cursorOf(request, 'after');
    const page = { after, limit: limitOf(request) };
    const entries = await this.reads.log(caller).readStream(`reminders/${caller.memberId}`, page);
    return { items: entries.map(reminderIn), next: entries.at(-1)?.version ?? after };
  }

  /** Server-Sent Events (WHATWG HTML section 9.2): `id` is the seq, so a browser's reconnect goes on by itself. */
  @Get('/stream')
  stream(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const caller = callerOf(request);
    const header = request.headers['last-event-id'];
    const after = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : cursorOf(request, 'after');
    void reply
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(Readable.from(this.#events(caller, after)));
  }

  /** Ends with the caller's token, its key or membership: the reconnect is then refused like any other call. */
  async *#events(caller: Caller & { expiresAt: Date }, from: number): AsyncGenerator<string> {
    const bell = new Bell();
    let mayHaveEnded = false;
    const stop = onAppended(this.door.pool, ({ accessEnded }) => {
      mayHaveEnded ||= accessEnded;
      bell.ring();
    });
    const look = async (): Promise<void> => {
      mayHaveEnded = false;
      await this.tokens.stillCaller(caller);
    };
    this.#closing.signal.addEventListener('abort', bell.ring);
    const goesOn = (): boolean => !this.#closing.signal.aborted && Date.now() < caller.expiresAt.getTime();
    try {
      yield ': open\n\n';
      for (let after = from; goesOn();) {
        const page = { after, limit: STREAM_PAGE_NOTICES };
        const entries = await this.reads.log(caller).readStream(`notices/${caller.memberId}`, page);
        if (entries.length > 0 || mayHaveEnded) await look();
        for (const notice of await this.#noticesOf(caller, entries))
          yield `id: ${notice.data.seq}\ndata: ${JSON.stringify(notice)}\n\n`;
        after = entries.at(-1)?.version ?? after;
        if (entries.length === STREAM_PAGE_NOTICES || (await bell.rang(HEARTBEAT_MS))) continue;
        await look();
        yield ': heartbeat\n\n';
      }
    } catch {
      // Stopped meanwhile, or the database is away: the stream ends, and the client's next call says why.
    } finally {
      this.#closing.signal.removeEventListener('abort', bell.ring);
      await stop();
    }
  }
}
