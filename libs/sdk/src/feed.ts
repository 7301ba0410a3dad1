import type { CloudEvent, Notice } from '@liandun/contracts';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { asLiandunError, LiandunError } from './errors.js';
import { refusalOf } from './refusal.js';
import type { TokenSource } from './tokens.js';
import type { Transport } from './transport.js';
import { backoffMs, pause } from './waiting.js';

export interface FeedSettings {
  url: string;
  tokens: TokenSource;
  transport: Transport;
  /** A stream that is silent for this long, heartbeats included, is opened again. Milliseconds. */
  silenceMaxMs: number;
  onProblem: (error: LiandunError) => void;
}

/**
 * The member's notices after `after` as Server-Sent Events, for ever: a stream that ends or breaks is opened again
 * where it stopped (`Last-Event-ID`). Ends only when `signal` aborts; a refusal that waiting can't cure is thrown.
 */
export async function* noticeStream(
  settings: FeedSettings,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<CloudEvent<Notice>> {
  let last = after;
  for (let failures = 0; !signal.aborted;) {
    try {
      for await (const { id, data } of open(settings, last, signal)) {
        failures = 0;
        yield parse(data);
        last = Number(id);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asLiandunError(thrown, settings.url);
      if (error.status === 401) settings.tokens.forget();
      if (!error.retriable && !(error.status === 401 && failures === 0)) throw error;
      failures += 1;
      settings.onProblem(error);
      await pause(Math.max(error.retryAfterMs ?? 0, backoffMs(failures - 1)), signal);
    }
  }
}

async function* open(
  { url, tokens, transport, silenceMaxMs }: FeedSettings,
  last: number,
  signal: AbortSignal,
): AsyncGenerator<{ id?: string; data: string }> {
  const broken = new AbortController();
  const response = await transport.fetch(`${url}/v1/notices/stream?after=${last}`, {
    signal: AbortSignal.any([signal, broken.signal]),
    headers: {
      authorization: `Bearer ${await tokens.token()}`,
      accept: 'text/event-stream',
      'last-event-id': String(last),
    },
  });
  if (!response.ok || !response.body) throw await refusalOf(response);
  const silence = (): void => broken.abort(new LiandunError('TIMED_OUT', 'The stream of notices fell silent'));
  let timer = setTimeout(silence, silenceMaxMs);
  const alive = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      clearTimeout(timer);
      timer = setTimeout(silence, silenceMaxMs);
      controller.enqueue(chunk);
    },
  });
  try {
    const text = response.body.pipeThrough(alive).pipeThrough(new TextDecoderStream());
    for await (const message of text.pipeThrough(new EventSourceParserStream())) yield message;
  } finally {
    clearTimeout(timer);
    broken.abort();
  }
}

function parse(data: string): CloudEvent<Notice> {
  try {
    return JSON.parse(data) as CloudEvent<Notice>;
  } catch (cause) {
    throw new LiandunError('UNREACHABLE', 'A notice was cut off', { cause });
  }
}
