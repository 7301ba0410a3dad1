import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { CloudEvent, Notice, Receipt } from '@liandun/contracts';
import { importJWK, jwtVerify, type JWK } from 'jose';

/** An Ed25519 key pair of a member, as JWKs. */
export function memberKey(): { privateKey: JWK; publicKey: JWK } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = randomUUID();
  return {
    privateKey: { ...(privateKey.export({ format: 'jwk' }) as JWK), kid },
    publicKey: { ...(publicKey.export({ format: 'jwk' }) as JWK), kid },
  };
}

/**
 * The ledger's HTTP side as far as the SDK sees it, over a real socket, with a memory for a log: what the SDK promises
 * about lost connections and refusals can be tested only against a server that does these things on command.
 */
export class Wire {
  /** Events by id, as they were first taken. */
  readonly taken = new Map<string, CloudEvent>();
  /** Every line or event that arrived, repeats included. */
  arrived = 0;
  notices: CloudEvent<Notice>[] = [];
  tokensIssued = 0;
  requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = [];
  /** Answers the next requests to `/v1/…` in place of the ledger. */
  readonly faults: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
  /** Drops the connection of an NDJSON stream or of the notices' stream after so many lines, once. */
  dropAfter: number | undefined;
  expiresIn = 300;
  kafkaToken: (memberId: string) => Promise<string> = async () => 'kafka';
  jwks: JWK[] = [];
  readonly memberId: string;
  readonly key = memberKey();
  readonly #server: Server;
  readonly #jtis = new Set<string>();
  readonly #valid = new Set<string>();

  constructor(memberId = 'platform-a') {
    this.memberId = memberId;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Makes every token that was issued worthless, as a restart with a new signing key would. */
  forgetTokens(): void {
    this.#valid.clear();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    if (url.pathname === '/oauth/token') return this.#token(request, response);
    if (url.pathname === '/.well-known/jwks.json') return json(response, 200, { keys: this.jwks });
    if (!this.#valid.has(request.headers.authorization ?? '')) return refuse(response, 401, 'UNAUTHENTICATED');
    const fault = this.faults.shift();
    if (fault) return fault(request, response);
    if (url.pathname === '/v1/events') return this.#events(request, response);
    const after = Number(request.headers['last-event-id'] ?? url.searchParams.get('after') ?? -1);
    const items = this.notices.filter(({ data }) => data.seq > after);
    if (url.pathname === '/v1/notices') {
      return json(response, 200, { items: items.slice(0, Number(url.searchParams.get('limit') ?? 100)), next: null });
    }
    if (url.pathname === '/v1/notices/stream') return this.#stream(items, response);
    return refuse(response, 404, 'NOT_FOUND');
  }

  /** RFC 7523: signature, issuer, audience and a `jti` that is used once. */
  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams((await request.setEncoding('utf8').toArray()).join(''));
    const key = await importJWK(this.key.publicKey, 'EdDSA');
    const verified = await jwtVerify(form.get('client_assertion') ?? '', key, {
      issuer: this.memberId,
      subject: this.memberId,
      audience: `${this.url}/oauth/token`,
      requiredClaims: ['jti', 'exp'],
    }).catch(() => undefined);
    const jti = verified?.payload.jti ?? '';
    if (!verified || this.#jtis.has(jti) || form.get('grant_type') !== 'client_credentials')
      return json(response, 400, { error: 'invalid_client' });
    this.#jtis.add(jti);
    this.tokensIssued += 1;
    const isKafka = form.get('audience') === 'liandun-kafka';
    const token = isKafka ? await this.kafkaToken(this.memberId) : randomUUID();
    this.#valid.add(`Bearer ${token}`);
    return json(response, 200, { access_token: token, token_type: 'Bearer', expires_in: this.expiresIn });
  }

  async #events(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type'];
    if (type === 'application/x-ndjson') return this.#ndjson(request, response);
    const body: unknown = JSON.parse((await request.setEncoding('utf8').toArray()).join(''));
    if (Array.isArray(body))
      return json(
        response,
        200,
        (body as CloudEvent[]).map((event) => this.take(event)),
      );
    const receipt = this.take(body as CloudEvent);
    if (receipt.problem) return json(response, 422, receipt.problem, 'application/problem+json');
    return json(response, receipt.status === 'accepted' ? 201 : 200, receipt);
  }

  async #ndjson(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    const input = createInterface({ input: request });
    input.on('error', () => undefined); // the connection that is dropped below
    let lines = 0;
    for await (const line of input) {
      const receipt = this.take(JSON.parse(line) as CloudEvent);
      lines += 1;
      if (lines === this.dropAfter) {
        this.dropAfter = undefined;
        request.socket.destroy(); // taken, and its receipt lost
        return;
      }
      response.write(`${JSON.stringify(receipt)}\n`);
    }
    response.end();
  }

  #stream(items: CloudEvent<Notice>[], response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': welcome\n\n');
    for (const [index, item] of items.entries()) {
      if (index === this.dropAfter) {
        this.dropAfter = undefined;
        response.write(`id: ${item.data.seq}\ndata: {"half`, () => response.destroy());
        return;
      }
      response.write(`id: ${item.data.seq}\ndata: ${JSON.stringify(item)}\n\n`);
    }
  }

  /** Takes one event: a repeat is a duplicate, an id that ends in `-bad` is refused. */
  take(event: CloudEvent): Receipt {
    this.arrived += 1;
    if (event.id.endsWith('-bad')) return { id: event.id, status: 'rejected', problem: problemOf('MISSING_FIELD') };
    if (this.taken.has(event.id)) return { id: event.id, status: 'duplicate', position: 0 };
    this.taken.set(event.id, event);
    return { id: event.id, status: 'accepted', position: this.taken.size - 1 };
  }
}

function json(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}

const problemOf = (code: string) => ({ type: `urn:${code}`, title: code, code, detail: code, detailZh: code });

function refuse(response: ServerResponse, status: number, code: string): void {
  json(response, status, { ...problemOf(code), status }, 'application/problem+json');
}
