import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import { asLiandunError, LiandunError } from './errors.js';
import { refusal } from './refusal.js';
import type { TokenSource } from './tokens.js';
import type { Transport } from './transport.js';
import { backoffMs, pause } from './waiting.js';

export interface StreamSettings {
  url: string;
  tokens: TokenSource;
  transport: Transport;
  /** A connection that brings no receipt for this long, although some are due, is given up. Milliseconds. */
  silenceMaxMs: number;
  /** Connections in a row that brought no receipt before the error is thrown. */
  attemptsMax: number;
}

// Events sent and not yet receipted: what a lost connection makes us send again, and the most that is kept in memory.
const UNRECEIPTED_MAX = 4_000;
const CHUNK_BYTES = 64 * 1024;

interface Pending {
  id: string;
  line: string;
}

/** Sends events as one NDJSON request after another until each has its receipt (design section 3, "Events in"). */
export class EventStream {
  readonly #settings: StreamSettings;
  readonly #source: AsyncIterator<CloudEvent> | Iterator<CloudEvent>;
  /** In the order of the source; a receipt takes its event out. */
  readonly #pending: Pending[] = [];
  /** A read from the source that a lost connection left under way. */
  #next: Promise<IteratorResult<CloudEvent>> | undefined;
  #ended = false;
  #roomMade: (() => void) | undefined;

  constructor(events: AsyncIterable<CloudEvent> | Iterable<CloudEvent>, settings: StreamSettings) {
    this.#settings = settings;
    this.#source = Symbol.asyncIterator in events ? events[Symbol.asyncIterator]() : events[Symbol.iterator]();
  }

  /** Yields the receipts as they come. What a lost connection left without one is sent again, with the same id. */
  async *receipts(): AsyncGenerator<Receipt> {
    for (let failures = 0; !this.#ended || this.#pending.length > 0;) {
      try {
        for await (const receipt of this.#connection()) {
          failures = 0;
          yield receipt;
        }
        if (this.#ended && this.#pending.length === 0) return;
        throw new LiandunError('UNREACHABLE', `The answer ended with ${this.#pending.length} receipts missing`);
      } catch (thrown) {
        if (thrown instanceof SourceError) throw thrown.cause;
        const error = asLiandunError(thrown, this.#settings.url);
        if (error.status === 401) this.#settings.tokens.forget();
        else if (!error.retriable) throw error;
        failures += 1;
        if (failures >= this.#settings.attemptsMax) throw error;
        await pause(Math.max(error.retryAfterMs ?? 0, backoffMs(failures - 1)));
      }
    }
  }

  /** One request: the pending events first, then the source, while the receipts are read. */
  async *#connection(): AsyncGenerator<Receipt> {
    const request = await this.#open();
    // Both sides of the connection are awaited below; this keeps a failure of one from going unhandled meanwhile.
    const answered = responseOf(request);
    const fed = this.#feed(request).catch((error: unknown) => {
      request.destroy();
      throw error;
    });
    fed.catch(() => undefined);
    const watch = this.#watch(request);
    request.once('close', () => this.#roomMade?.());
    try {
      const response = await answered;
      if (response.statusCode !== 200) throw await refused(response);
      for await (const line of linesOf(response)) {
        watch.seen();
        if (line !== '') yield this.#settle(line);
      }
      if (!response.complete) throw new LiandunError('UNREACHABLE', 'The connection was lost');
      await fed;
    } catch (error) {
      request.destroy();
      const feeding = await Promise.race([fed.catch((reason: unknown) => reason), pause(0)]);
      throw feeding instanceof SourceError ? feeding : error;
    } finally {
      watch.stop();
      request.destroy();
    }
  }

  async #open(): Promise<ClientRequest> {
    const { url, tokens, transport } = this.#settings;
    const target = new URL(`${url}/v1/events`);
    const open = target.protocol === 'https:' ? httpsRequest : httpRequest;
    return open(target, {
      method: 'POST',
      ...(transport.agent ? { agent: transport.agent } : {}),
      headers: {
        authorization: `Bearer ${await tokens.token()}`,
        'content-type': 'application/x-ndjson',
        accept: 'application/x-ndjson, application/problem+json',
      },
    });
  }

  async #feed(request: ClientRequest): Promise<void> {
    let chunk = this.#pending.map(({ line }) => line).join('');
    while (!this.#ended && !request.destroyed) {
      if (chunk.length >= CHUNK_BYTES || this.#pending.length >= UNRECEIPTED_MAX) {
        await write(request, chunk);
        chunk = '';
        await this.#room(request);
        continue;
      }
      this.#next ??= pull(this.#source);
      const waiting =
        chunk === '' ? undefined : Promise.resolve('idle' as const).then(async (idle) => pause(1).then(() => idle));
      const result = await (waiting ? Promise.race([this.#next, waiting]) : this.#next);
      if (result === 'idle') {
        // The source is slow: what is there goes out now.
        await write(request, chunk);
        chunk = '';
        continue;
      }
      this.#next = undefined;
      if (result.done) this.#ended = true;
      else {
        const line = `${JSON.stringify(result.value)}\n`;
        this.#pending.push({ id: result.value.id, line });
        chunk += line;
      }
    }
    if (chunk !== '') await write(request, chunk);
    request.end();
  }

  async #room(request: ClientRequest): Promise<void> {
    while (this.#pending.length >= UNRECEIPTED_MAX && !request.destroyed) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }

  #settle(line: string): Receipt {
    let receipt: Receipt;
    try {
      receipt = JSON.parse(line) as Receipt;
    } catch (cause) {
      throw new LiandunError('UNREACHABLE', 'A receipt was cut off', { cause });
    }
    // Receipts come in the order of the events: the first look nearly always finds it.
    // One without an id is of an event whose id couldn't be read: the next that is due.
    const index = receipt.id === '' ? 0 : this.#pending.findIndex(({ id }) => id === receipt.id);
    const [event] = index === -1 ? [] : this.#pending.splice(index, 1);
    this.#roomMade?.();
    return receipt.id === '' && event ? { ...receipt, id: event.id } : receipt;
  }

  #watch(request: ClientRequest): { seen(): void; stop(): void } {
    let seenAtMs = performance.now();
    const timer = setInterval(() => {
      if (this.#pending.length === 0) seenAtMs = performance.now();
      else if (performance.now() - seenAtMs > this.#settings.silenceMaxMs) {
        request.destroy(new LiandunError('TIMED_OUT', 'No receipt came'));
      }
    }, this.#settings.silenceMaxMs / 4);
    timer.unref();
    return { seen: () => (seenAtMs = performance.now()), stop: () => clearInterval(timer) };
  }
}

/** The caller's own iterable failed: that is no connection error and never retried. */
class SourceError extends Error {}

async function pull(source: AsyncIterator<CloudEvent> | Iterator<CloudEvent>): Promise<IteratorResult<CloudEvent>> {
  try {
    return await source.next();
  } catch (cause) {
    throw new SourceError('The source of events failed', { cause });
  }
}

async function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject); // stays: later errors of the socket reach the reader of the response
    request.once('close', () => reject(new LiandunError('UNREACHABLE', 'The connection was closed')));
  });
}

/** Throws where the response breaks off, which readline would keep to itself. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function refused(response: IncomingMessage): Promise<LiandunError> {
  const text = (await response.setEncoding('utf8').toArray()).join('');
  return refusal(response.statusCode ?? 500, text, response.headers['retry-after'] ?? null);
}

/** Writes and waits while the socket's buffer is full. */
async function write(request: ClientRequest, chunk: string): Promise<void> {
  if (chunk === '' || request.destroyed || request.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      request.off('drain', done).off('close', done);
      resolve();
    };
    request.once('drain', done).once('close', done);
  });
}
