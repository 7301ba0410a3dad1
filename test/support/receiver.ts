import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A webhook as it came. */
export interface Posted {
  id: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** Before anything is answered. */
  afterMs?: number;
  body?: string | Buffer;
}

/** A platform's own HTTP server, which takes webhooks and answers as it is told; 204 unless told. */
export class Receiver {
  readonly posted: Posted[] = [];
  /** What is answered to the n-th request, from 0. */
  answer: (n: number, posted: Posted) => Reply = () => ({ status: 204 });
  #underWay = 0;
  /** How many requests were answered at one time at most. */
  atOnce = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start({
    host = '127.0.0.1',
    tls,
  }: { host?: string; tls?: { cert: string; key: string } } = {}): Promise<Receiver> {
    let receiver: Receiver | undefined;
    const listener: RequestListener = (request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const reply = await receiver!.take({
          id: String(request.headers['webhook-id']),
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
        response.writeHead(reply.status, reply.headers).end(reply.body);
      })().catch(() => response.destroy());
    };
    const server = tls ? createTlsServer(tls, listener) : createServer(listener);
    server.listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    receiver = new Receiver(server, `${tls ? 'https' : 'http'}://${host}:${port}/hooks`);
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The distinct ids in the order in which each came first. */
  get ids(): string[] {
    return [...new Set(this.posted.map(({ id }) => id))];
  }

  private async take(posted: Posted): Promise<Reply> {
    const reply = this.answer(this.posted.push(posted) - 1, posted);
    this.#underWay += 1;
    this.atOnce = Math.max(this.atOnce, this.#underWay);
    await sleep(reply.afterMs ?? 0);
    this.#underWay -= 1;
    return reply;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
