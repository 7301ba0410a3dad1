import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  formatConflict,
  formatVerifierKey,
  parseAddCheckpoint,
  TransparencyLogError,
  type VerifierKey,
} from '@liandun/transparency-log';
import type { WitnessStore } from './store.js';
import type { Answer, Witness } from './witness.js';

const BODY_BYTES_MAX = 512 * 1024;
const REQUEST_MS_MAX = 10_000;
const CONNECTIONS_MAX = 256;

export interface WitnessServerOptions {
  witness: Witness;
  store: WitnessStore;
  vkey: string;
  logs: readonly VerifierKey[];
  tls?: { cert: string; key: string };
  /** What went wrong inside, as when the disk is full: the request was answered 500 and nothing was cosigned. */
  onProblem: (error: Error) => void;
}

/** The HTTP side of a witness (C2SP tlog-witness): add-checkpoint, and the newest cosigned checkpoint of each log. */
export function witnessServer(options: WitnessServerOptions): Server {
  const listener: RequestListener = (request, response) => {
    route(options, request).then(
      (reply) => send(response, reply),
      (error: Error) => {
        options.onProblem(error);
        send(response, text(500, 'Nothing was cosigned: the witness has a problem of its own'));
      },
    );
  };
  const limits = { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX };
  const server = options.tls
    ? createTlsServer({ ...limits, ...options.tls }, listener)
    : createServer(limits, listener);
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

interface Reply {
  status: number;
  type: string;
  body: string;
  headers?: Record<string, string>;
}

const text = (status: number, body: string, headers = {}): Reply => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
  headers,
});

function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  if (response.headersSent || response.destroyed) return;
  // A body that was not read to its end leaves the connection in no state to go on.
  const closing = status === 413 ? { connection: 'close' } : {};
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...closing, ...headers }).end(body);
}

async function route(options: WitnessServerOptions, request: IncomingMessage): Promise<Reply> {
  const path = request.url?.split('?', 1)[0];
  if (path === '/add-checkpoint') {
    if (request.method !== 'POST') return text(405, 'POST a checkpoint here', { allow: 'POST' });
    return addCheckpoint(options, request);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Not here', { allow: 'GET, HEAD' });
  if (path === '/health/ready') return text(200, 'ok');
  if (path === '/') return text(200, overview(options));
  const [, hash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path ?? '') ?? [];
  const origin = originsOf(options).find((name) => createHash('sha256').update(name).digest('hex') === hash);
  const newest = origin === undefined ? undefined : options.store.newest(origin);
  if (!newest) return text(404, 'There is nothing here');
  return { status: 200, type: 'text/plain; charset=utf-8', body: newest.note };
}

async function addCheckpoint({ witness }: WitnessServerOptions, request: IncomingMessage): Promise<Reply> {
  const body = await readBody(request);
  if (!body) return text(413, `A request has at most ${BODY_BYTES_MAX} bytes`);
  try {
    return replyOf(witness.add(parseAddCheckpoint(body)));
  } catch (error) {
    if (error instanceof TransparencyLogError) return text(400, `${error.code}: ${error.message}`);
    throw error;
  }
}

function replyOf(answer: Answer): Reply {
  if (answer.status === 200) return { status: 200, type: 'text/plain; charset=utf-8', body: answer.signature };
  if (answer.status === 409) return { status: 409, type: 'text/x.tlog.size', body: formatConflict(answer.size) };
  return text(answer.status, answer.why);
}

/** Undefined where it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const originsOf = ({ logs }: WitnessServerOptions): string[] => [...new Set(logs.map(({ name }) => name))];

function overview(options: WitnessServerOptions): string {
  const logs = originsOf(options).map((origin) => `log ${origin} ${options.store.newest(origin)?.size ?? 0}`);
  return [`witness ${options.vkey}`, ...logs, ...options.logs.map((key) => `key ${formatVerifierKey(key)}`)].join('\n');
}
