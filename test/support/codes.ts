import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SentCode {
  channel: string;
  to: string;
  code: string;
  authorization?: string;
}

/** A gateway for one-time codes as an operator would run it: what it was given, oldest first. */
export class CodeGateway {
  readonly sent: SentCode[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<CodeGateway> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const gateway = new CodeGateway(server, `http://127.0.0.1:${port}/codes`);
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const { authorization } = request.headers;
        gateway.sent.push({ ...(JSON.parse(text) as SentCode), ...(authorization && { authorization }) });
        response.end();
      });
    });
    return gateway;
  }

  /** The next code to a contact after the first `before` messages. */
  async next(to: string, before = 0): Promise<string> {
    for (;;) {
      const found = this.sent.slice(before).find((message) => message.to === to);
      if (found) return found.code;
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }
}
