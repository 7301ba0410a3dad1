// A door for tests: takes tokens and events over real HTTP as the ledger's does, checks them by the ledger's own
// validation, and remembers ids. What lies behind the ledger's door (log, vault, matching) is tested on the product.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { problem, validateSubmission, type CloudEvent, type Receipt } from '@liandun/contracts';

export class Door {
  /** By `source id`, as first sent. */
  readonly taken = new Map<string, string>();
  readonly #server: Server;
  /** Called after each event; a test may cut connections here. */
  onEvent: (count: number, response: ServerResponse) => void = () => undefined;
  #count = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async open(): Promise<Door> {
    const door = new Door();
    await once(door.#server.listen(0, '127.0.0.1'), 'listening');
    return door;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  events(): CloudEvent[] {
    return Array.from(this.taken.values(), (line) => JSON.parse(line) as CloudEvent);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    if (path === '/oauth/token') return this.#token(request, response);
    if (path === '/v1/events') {
      if (request.headers['content-type']?.includes('ndjson')) return this.#stream(request, response);
      const receipt = this.#take(await text(request), response);
      return this.#send(response, receipt.status === 'rejected' ? 422 : 201, receipt);
    }
    return this.#send(response, 404, problem('NOT_FOUND'));
  }

  #send(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  /** The assertion's own `sub` becomes the token: signatures are the business of the ledger's tests. */
  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const assertion = new URLSearchParams(await text(request)).get('client_assertion') ?? '';
    const { sub } = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
    this.#send(response, 200, { access_token: `token-of-${sub}`, token_type: 'Bearer', expires_in: 300 });
  }

  async #stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    try {
      for await (const line of createInterface({ input: request })) {
        if (line !== '') response.write(`${JSON.stringify(this.#take(line, response))}\n`);
      }
    } catch {
      return; // the client has gone
    }
    response.end();
  }

  #take(line: string, response: ServerResponse): Receipt {
    const event = JSON.parse(line) as CloudEvent;
    const memberId = event.source.split(':').at(-1) ?? '';
    const checked = validateSubmission(event, { memberId, role: 'platform', now: new Date() });
    this.#count += 1;
    this.onEvent(this.#count, response);
    if ('problem' in checked) return { id: event.id, status: 'rejected', problem: checked.problem };
    const key = `${event.source} ${event.id}`;
    const before = this.taken.get(key);
    if (before === undefined) {
      this.taken.set(key, line);
      return { id: event.id, status: 'accepted', position: this.taken.size - 1 };
    }
    if (before === line) return { id: event.id, status: 'duplicate' };
    return { id: event.id, status: 'rejected', problem: problem('EVENT_ID_REUSED') };
  }
}

/** A private key as a member has it: a JWK with `kid`. */
export const memberKey = (kid: string): string =>
  JSON.stringify({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid });
