import { toBeijingTime, type MemberKey, type MemberRole, type Subscription } from '@liandun/contracts';
import { migrate } from '@liandun/event-log';
import { LiandunClient } from '@liandun/sdk';
import { formatVerifierKey, signerKeyFromJwk } from '@liandun/transparency-log';
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { AGREEMENT } from './agreement.js';
import { asApp, createTestDatabase } from './database.js';
import { ALL_MIGRATIONS } from './ledger.js';

export interface ProductMember {
  memberId: string;
  role: MemberRole;
  subscription?: Subscription;
}

export type App = 'api' | 'worker';
/** One of them, or the member whose own program it is. */
export type AnyApp = App | (string & {});

/** The servers that a product stands on. */
export interface Servers {
  databaseUrl: string;
  kafkaBrokers: string;
  kafkaInternal: string;
  /** Private JWK whose public half the broker knows, and the issuer that it expects. */
  kafkaKey: object;
  issuer: string;
}

const testServers = (): Servers => ({
  databaseUrl: process.env['DATABASE_URL'] ?? '',
  kafkaBrokers: process.env['KAFKA_BROKERS'] ?? '',
  kafkaInternal: process.env['KAFKA_INTERNAL'] ?? '',
  kafkaKey: JSON.parse(process.env['KAFKA_KEY'] ?? '{}') as object,
  issuer: process.env['LIANDUN_ISSUER'] ?? '',
});

/** A program that was started once and may be started again, on the same port. */
interface Program {
  script: string;
  port: number;
  env: Record<string, string>;
}

/** Tests and benches publish more than a member's first days should. */
export const AMPLE_LIMITS = { timesMean: 1_000_000, subjectsPerHour: 1_000_000 };

const LOG_NAME = 'liandun.test/log';
const READY_WITHIN_MS = 60_000;
const secret = (): string => randomBytes(32).toString('base64');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * The built product as its processes, api and worker, on a database of its own and the test run's Kafka: what a client
 * meets, and what a test may kill. Ids of platforms and regulators must be unique in the run, since Kafka is shared; the
 * administrators admin-1 and admin-2 are there always.
 */
export class Product {
  private readonly processes = new Map<string, { child: ChildProcess; output: string[] }>();
  private readonly programs = new Map<string, Program>();

  private constructor(
    readonly url: string,
    readonly databaseUrl: string,
    /** The log's verifier key (C2SP signed-note). */
    readonly logVkey: string,
    readonly keys: ReadonlyMap<string, object>,
    /** The state folder of its programs. */
    readonly folder: string,
    env: Record<string, string>,
    ports: Record<App, number>,
    private readonly cleanUp: () => Promise<void>,
  ) {
    for (const app of ['api', 'worker'] as const)
      this.programs.set(app, {
        script: `dist/apps/${app}/src/main.js`,
        port: ports[app],
        env: { DATABASE_URL: asApp(databaseUrl, `liandun_${app}`), ...env },
      });
  }

  /** `more`: further settings; `limits`: as in the file that LIANDUN_LIMITS names. */
  static async start(
    members: ProductMember[],
    servers = testServers(),
    apps: App[] = ['api', 'worker'],
    more: Record<string, string> = {},
    limits: object = {},
  ): Promise<Product> {
    const { url: databaseUrl, drop } = await createTestDatabase(servers.databaseUrl);
    await migrate(databaseUrl, ALL_MIGRATIONS);
    const folder = await mkdtemp(join(tmpdir(), 'liandun-test-product-'));
    const keys = new Map<string, object>();
    const administrators = ['admin-1', 'admin-2'].map((memberId) => ({ memberId, role: 'admin' as const }));
    const everyone: ProductMember[] = [...members, ...administrators];
    const genesis = everyone.map(({ memberId, role, subscription = {} }) => {
      const kid = `${memberId}-1`;
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      keys.set(memberId, { ...privateKey.export({ format: 'jwk' }), kid, alg: 'EdDSA' });
      const key = { ...publicKey.export({ format: 'jwk' }), kid } as MemberKey;
      const agreement = role === 'platform' ? { agreement: AGREEMENT } : {};
      return { memberId, name: memberId, role, keys: [key], subscription, limits: AMPLE_LIMITS, ...agreement };
    });
    const inbox = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const log = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: LOG_NAME };
    const keyFile = join(folder, 'keys.json');
    const genesisFile = join(folder, 'genesis.json');
    const limitsFile = join(folder, 'limits.json');
    await writeFile(
      keyFile,
      JSON.stringify({
        signing: servers.kafkaKey,
        inbox: { ...inbox, kid: 'inbox-1', alg: 'ECDH-ES+A256KW', use: 'enc' },
        seal: secret(),
        blind: secret(),
        fingerprint: secret(),
        logSigning: log,
      }),
    );
    await writeFile(genesisFile, JSON.stringify(genesis));
    await writeFile(limitsFile, JSON.stringify(limits));
    const ports = { api: await freePort(), worker: await freePort() };
    const env = {
      KAFKA_BROKERS: servers.kafkaBrokers,
      KAFKA_INTERNAL_BROKERS: servers.kafkaInternal,
      LIANDUN_KEYS: keyFile,
      LIANDUN_GENESIS: genesisFile,
      LIANDUN_LIMITS: limitsFile,
      LIANDUN_ISSUER: servers.issuer,
      LIANDUN_HOME: folder,
      LIANDUN_INBOX_GROUP: `liandun.inbox.${randomBytes(4).toString('hex')}`,
      PORT: String(ports.api),
      WORKER_PORT: String(ports.worker),
      ...more,
    };
    const url = `http://127.0.0.1:${ports.api}`;
    const vkey = formatVerifierKey(signerKeyFromJwk(log, 'log'));
    const product = new Product(url, databaseUrl, vkey, keys, folder, env, ports, async () => {
      await drop();
      await rm(folder, { recursive: true, force: true });
    });
    try {
      for (const app of apps) await product.run(app);
    } catch (error) {
      await product.stop();
      throw error;
    }
    return product;
  }

  client(memberId: string): LiandunClient {
    const key = this.keys.get(memberId);
    if (!key) throw new Error(`no such member: ${memberId}`);
    return new LiandunClient({ url: this.url, memberId, key: key });
  }

  /** Starts the sandbox's program of a platform on a database of its own; again after a kill, as it was started first. */
  async runPlatform(memberId: string, env: { DATABASE_URL: string; KAFKA_BROKERS: string }): Promise<void> {
    const MEMBER_KEY = join(this.folder, `${memberId}.json`);
    await writeFile(MEMBER_KEY, JSON.stringify(this.keys.get(memberId)));
    const port = await freePort();
    const script = 'dist/apps/sandbox-platform/src/main.js';
    const settings = { MEMBER: memberId, MEMBER_KEY, LIANDUN_URL: this.url, PORT: String(port), ...env };
    this.programs.set(memberId, { script, port, env: settings });
    await this.run(memberId);
  }

  /** Where a program that was started answers. */
  urlOf(app: AnyApp): string {
    return `http://127.0.0.1:${this.programOf(app).port}`;
  }

  private programOf(app: string): Program {
    const program = this.programs.get(app);
    if (!program) throw new Error(`${app} was never started`);
    return program;
  }

  /** Starts a program, or a platform's again, and waits until it is ready; after a kill on the same port. */
  async run(app: AnyApp): Promise<void> {
    const { script, env } = this.programOf(app);
    const child = spawn(process.execPath, ['--enable-source-maps', script], {
      env: { ...process.env, ...env, NODE_OPTIONS: '', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
    }
    this.processes.set(app, { child, output });
    const until = Date.now() + READY_WITHIN_MS;
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) {
        throw new Error(
          `${app} did not become ready (${toBeijingTime(new Date())}):\n${output.join('').slice(-4_000)}`,
        );
      }
      const answer = await fetch(`${this.urlOf(app)}/health/ready`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok) return;
      await sleep(50);
    }
  }

  /** Ends a program at once, as a power cut would. */
  async kill(app: AnyApp): Promise<void> {
    await this.end(app, 'SIGKILL');
  }

  /** Whether a program runs, ready or not. */
  runs(app: AnyApp): boolean {
    const child = this.processes.get(app)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Everything that a program has printed. */
  output(app: AnyApp): string {
    return this.processes.get(app)?.output.join('') ?? '';
  }

  /** Waits until the worker's readers have gone over the whole log and what they append has been gone over too. */
  async settled(withinMs = 150_000): Promise<void> {
    interface Part {
      detail: { lag?: number; head?: number };
    }
    let state = 'nothing was heard of the worker';
    for (let before = '', end = Date.now() + withinMs; Date.now() < end; await sleep(100)) {
      const answer = await fetch(`${this.urlOf('worker')}/health/ready`).catch(() => undefined);
      if (!answer?.ok) {
        state = `the worker ${this.runs('worker') ? 'runs' : 'has ended'}: ${(await answer?.text()) ?? 'no answer'}`;
        continue;
      }
      const { parts } = (await answer.json()) as { parts: Part[] };
      const readers = parts.flatMap(({ detail }) => (detail.lag === undefined ? [] : [detail]));
      state = JSON.stringify(parts);
      if (state === before && readers.every(({ lag }) => lag === 0)) return;
      before = state;
    }
    throw new Error(`The readers did not come to the end of the log within ${withinMs} ms: ${state}`);
  }

  pool(): pg.Pool {
    return new pg.Pool({ connectionString: this.databaseUrl, max: 4 });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.processes.keys()].map((app) => this.end(app, 'SIGTERM')));
    await this.cleanUp();
  }

  private async end(app: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.processes.get(app)?.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(timer);
  }
}
