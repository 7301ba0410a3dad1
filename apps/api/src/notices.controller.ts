import { Readable } from 'node:stream';
import { noticeEvent, type CloudEvent, type Notice, type NoticeIssued } from '@liandun/contracts';
import { EventLog, onAppended, type StoredEvent } from '@liandun/event-log';
import { Controller, Get, Inject, Req, Res, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import pg from 'pg';
import { callerOf } from './access-hooks.js';
import { cursorOf, limitOf } from './query.js';
import { Tokens, type Caller } from './tokens.js';

const HEARTBEAT_MS = 15_000;
/** Commits come in bursts; a stream looks at the log at most this often. */
const LOOK_PAUSE_MS = 10;
const STREAM_PAGE_NOTICES = 200;

/** The notice that an entry of a member's stream carries, the same bytes on every channel. */
function noticeOf({ data, position, leafHash, acceptedAt }: StoredEvent): CloudEvent<Notice> {
  const { member: _receiver, ...content } = data as NoticeIssued;
  return noticeEvent(content, { position, leafHash: leafHash.toString('base64'), acceptedAt });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());

/** A platform's own notices, by cursor or as they come. */
@Controller('/v1/notices')
export class NoticesController implements OnModuleDestroy {
  readonly #closing = new AbortController();

  constructor(
    private readonly log: EventLog,
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    private readonly tokens: Tokens,
  ) {}

  onModuleDestroy(): void {
    this.#closing.abort();
  }

  @Get()
  async page(@Req() request: FastifyRequest): Promise<{ items: CloudEvent<Notice>[]; next: number }> {
    const { memberId } = callerOf(request);
    const after = cursorOf(request, 'after');
    const entries = await this.log.readStream(`notices/${memberId}`, { after, limit: limitOf(request) });
    return { items: entries.map(noticeOf), next: entries.at(-1)?.version ?? after };
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

  /** Ends with the caller's token or membership: the reconnect is then refused like any other call. */
  async *#events(caller: Caller & { expiresAt: Date }, from: number): AsyncGenerator<string> {
    let after = from;
    let wake: () => void = () => undefined;
    let woken = true;
    const stop = onAppended(this.pool, () => {
      woken = true;
      wake();
    });
    this.#closing.signal.addEventListener('abort', () => wake());
    try {
      yield ': open\n\n';
      while (!this.#closing.signal.aborted && Date.now() < caller.expiresAt.getTime()) {
        woken = false;
        const entries = await this.log.readStream(`notices/${caller.memberId}`, { after, limit: STREAM_PAGE_NOTICES });
        if (entries.length > 0) {
          await this.tokens.activeRole(caller.memberId);
          after = entries.at(-1)?.version ?? after;
          yield entries.map((entry) => `id: ${entry.version}\ndata: ${JSON.stringify(noticeOf(entry))}\n\n`).join('');
          continue;
        }
        const slept = new Promise<'late'>((resolve) => {
          const timer = setTimeout(() => resolve('late'), HEARTBEAT_MS);
          wake = () => {
            clearTimeout(timer);
            resolve('late');
          };
          if (woken) wake();
        });
        await slept;
        if (woken) await pause(LOOK_PAUSE_MS);
        else {
          await this.tokens.activeRole(caller.memberId);
          yield ': heartbeat\n\n';
        }
      }
    } catch {
      // Suspended meanwhile, or the database is away: the stream ends, and the client's next call says why.
    } finally {
      await stop();
    }
  }
}
