import { Agent, request } from 'undici';
import { guardedLookup, mayBeEndpoint, systemResolve, type parseNetworks, type Resolve } from './address.js';
import { retryAfterMs } from './schedule.js';

export interface PostSettings {
  /** Networks that may be called besides public addresses. */
  allowed: ReturnType<typeof parseNetworks>;
  /** How long a receiver may take to answer; 20,000 ms unless told. */
  timeoutMs?: number;
  /** PEM: an authority to trust besides those that Node trusts. */
  ca?: string;
  resolve?: Resolve;
}

/** Why there was no answer, or none that counts. */
export const POST_PROBLEMS = [
  'STATUS',
  'REDIRECTED',
  'TIMED_OUT',
  'ADDRESS_NOT_PUBLIC',
  'NAME_NOT_FOUND',
  'UNTRUSTED_CERTIFICATE',
  'CONNECTION_FAILED',
] as const;
export type PostProblem = (typeof POST_PROBLEMS)[number];

/** What a receiver did with one attempt. `interrupted`: this process stopped, so nothing is known. */
export type Outcome =
  | { result: 'delivered'; status: number }
  | { result: 'gone'; status: number }
  | { result: 'failed'; problem: PostProblem; status?: number; retryAfterMs: number }
  | { result: 'interrupted' };

const TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 10_000;
const HEADER_BYTES_MAX = 16_384;
const ANSWER_BYTES_MAX = 65_536;

const UNTRUSTED = /^(CERT_|ERR_TLS_CERT|ERR_SSL|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;

function problemOf(error: unknown): PostProblem {
  const { code = '', name } = error as NodeJS.ErrnoException;
  if (code === 'ADDRESS_NOT_PUBLIC') return code;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'NAME_NOT_FOUND';
  if (name === 'TimeoutError' || code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT') return 'TIMED_OUT';
  return UNTRUSTED.test(code) ? 'UNTRUSTED_CERTIFICATE' : 'CONNECTION_FAILED';
}

function outcomeOf(status: number, retryAfter: string | undefined): Outcome {
  if (status >= 200 && status < 300) return { result: 'delivered', status };
  if (status === 410) return { result: 'gone', status };
  const problem = status >= 300 && status < 400 ? 'REDIRECTED' : 'STATUS';
  return { result: 'failed', problem, status, retryAfterMs: retryAfterMs(retryAfter, new Date()) };
}

/** Posts to members' endpoints: to public addresses only, following nothing, waiting and reading no longer than is allowed. */
export class Poster {
  readonly #settings: PostSettings;
  readonly #agent: Agent;

  constructor(settings: PostSettings) {
    const { allowed, ca, resolve = systemResolve } = settings;
    this.#settings = settings;
    this.#agent = new Agent({
      connect: { lookup: guardedLookup(resolve, allowed), timeout: CONNECT_TIMEOUT_MS, ...(ca ? { ca } : {}) },
      maxHeaderSize: HEADER_BYTES_MAX,
      pipelining: 1,
    });
  }

  /** One attempt; never throws. `stopping` ends it at once. */
  async post(url: string, headers: Record<string, string>, body: string, stopping: AbortSignal): Promise<Outcome> {
    // An address needs no lookup, so it is looked at here; the operator may have forbidden since what was allowed before.
    if (!mayBeEndpoint(url, this.#settings.allowed))
      return { result: 'failed', problem: 'ADDRESS_NOT_PUBLIC', retryAfterMs: 0 };
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(this.#settings.timeoutMs ?? TIMEOUT_MS)]);
    try {
      const answer = await request(url, { method: 'POST', headers, body, signal, dispatcher: this.#agent });
      // The status counts; what is said besides is not kept.
      await answer.body.dump({ limit: ANSWER_BYTES_MAX, signal }).catch(() => undefined);
      const retryAfter = answer.headers['retry-after'];
      return outcomeOf(answer.statusCode, [retryAfter].flat()[0]);
    } catch (error) {
      if (stopping.aborted) return { result: 'interrupted' };
      return { result: 'failed', problem: problemOf(error), retryAfterMs: 0 };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
