import { asLiandunError, LiandunError } from './errors.js';
import { refusalOf } from './refusal.js';
import type { TokenSource } from './tokens.js';
import type { Transport } from './transport.js';
import { backoffMs, pause } from './waiting.js';

export interface HttpSettings {
  url: string;
  tokens: TokenSource;
  transport: Transport;
  /** How long one attempt may take, in milliseconds. */
  timeoutMs: number;
  attemptsMax: number;
}

export interface Request {
  method?: 'GET' | 'POST';
  body?: string;
  contentType?: string;
  headers?: Record<string, string>;
  /** Statuses of 400 and above that are an answer, not an error. */
  answers?: readonly number[];
  /** Without a token: what the ledger publishes. */
  open?: boolean;
}

export interface Answer {
  status: number;
  body: unknown;
}

/** JSON over HTTP with the member's token. Only requests that may be repeated go through here: all of the SDK's are. */
export class Http {
  readonly #settings: HttpSettings;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
  }

  /** Retries connection errors, 429 and 5xx with backoff, not before `Retry-After`; a 401 once with a new token. */
  async request(path: string, request: Request = {}): Promise<Answer> {
    for (let attempt = 0, renewed = false; ; attempt += 1) {
      try {
        return await this.#once(path, request);
      } catch (thrown) {
        const error = asLiandunError(thrown, this.#settings.url);
        if (error.status === 401 && !renewed && !request.open) {
          renewed = true;
          this.#settings.tokens.forget();
          continue;
        }
        if (!error.retriable || attempt + 1 >= this.#settings.attemptsMax) throw error;
        await pause(Math.max(error.retryAfterMs ?? 0, backoffMs(attempt)));
      }
    }
  }

  async #once(path: string, { method, body, contentType, headers, answers, open }: Request): Promise<Answer> {
    const { url, tokens, transport, timeoutMs } = this.#settings;
    const authorization = open ? undefined : `Bearer ${await tokens.token()}`;
    const response = await transport.fetch(`${url}${path}`, {
      method: method ?? 'GET',
      body,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: 'application/json, application/problem+json',
        ...(authorization && { authorization }),
        ...(contentType && { 'content-type': contentType }),
        ...headers,
      },
    });
    if (response.status >= 400 && !answers?.includes(response.status)) throw await refusalOf(response);
    const text = await response.text();
    try {
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    } catch (cause) {
      throw new LiandunError('MALFORMED_ANSWER', `${path} answered something that is not JSON`, { cause });
    }
  }
}
