import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENT_LOG_MIGRATIONS, migrate } from '@liandun/event-log';
import { MATCHING_MIGRATIONS } from '@liandun/matching';
import { TLOG_MIGRATIONS } from '@liandun/tlog';
import { VAULT_MIGRATIONS } from '@liandun/vault';
import { ACCESS_MIGRATIONS, VIEW_MIGRATIONS } from '@liandun/views';
import { WEBHOOK_MIGRATIONS } from '@liandun/webhooks';
import { importJWK, SignJWT, type JWK } from 'jose';
import pg from 'pg';
import { createApi, type Api } from '../../apps/api/src/api.js';
import { AGREEMENT } from './agreement.js';
import { asApp, createTestDatabase } from './database.js';

export const TEST_MEMBERS = {
  'platform-a': 'platform',
  'platform-b': 'platform',
  'regulator-beijing': 'regulator',
  admin: 'admin',
  'admin-2': 'admin',
  'admin-3': 'admin',
} as const;
export type TestMember = keyof typeof TEST_MEMBERS;

export const ISSUER = 'https://liandun.test';
const secret = (): string => randomBytes(32).toString('base64');
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export const ed25519 = (kid: string): JWK => ({
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kid,
});
export const p256 = (kid: string): JWK => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid,
});
export const publicKeyOf = ({ kid, kty, crv, x, y }: JWK): JWK => ({ kid, kty, crv, x, ...(y ? { y } : {}) });

export interface Answer {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

export interface CallOptions {
  body?: unknown;
  type?: string;
  headers?: Record<string, string>;
  token?: string;
}

/** An API of its own on a database of its own, with members of every role. */
export class TestApi {
  readonly keys = new Map<string, JWK>();
  readonly #tokens = new Map<string, string>();

  private constructor(
    readonly api: Api,
    readonly databaseUrl: string,
    readonly pool: pg.Pool,
    /** The ledger's private signing key. */
    readonly signingKey: JWK,
    readonly env: Record<string, string>,
    private readonly release: () => Promise<void>,
  ) {}

  /** `limits`: as in the file that LIANDUN_LIMITS names; `more`: of the environment. */
  static async start(limits: object = {}, more: Record<string, string> = {}): Promise<TestApi> {
    const database = await createTestDatabase();
    await migrate(database.url, [
      ...EVENT_LOG_MIGRATIONS,
      ...VAULT_MIGRATIONS,
      ...ACCESS_MIGRATIONS,
      ...VIEW_MIGRATIONS,
      ...MATCHING_MIGRATIONS,
      ...TLOG_MIGRATIONS,
      ...WEBHOOK_MIGRATIONS,
    ]);
    const dir = await mkdtemp(join(tmpdir(), 'liandun-test-api-'));
    const keys = new Map<string, JWK>();
    for (const memberId of Object.keys(TEST_MEMBERS))
      keys.set(memberId, memberId === 'platform-b' ? p256(`${memberId}-1`) : ed25519(`${memberId}-1`));
    const signing = p256('ledger-1');
    const env = {
      DATABASE_URL: asApp(database.url, 'liandun_api'),
      LIANDUN_KEYS: join(dir, 'keys.json'),
      LIANDUN_GENESIS: join(dir, 'genesis.json'),
      LIANDUN_LIMITS: join(dir, 'limits.json'),
      LIANDUN_ISSUER: ISSUER,
      LOG_LEVEL: 'fatal',
      ...more,
    };
    const ledgerKeys = { signing, inbox: p256('inbox-1'), seal: secret(), blind: secret(), fingerprint: secret() };
    await writeFile(env.LIANDUN_KEYS, JSON.stringify(ledgerKeys));
    await writeFile(env.LIANDUN_LIMITS, JSON.stringify(limits));
    const members = Object.entries(TEST_MEMBERS).map(([memberId, role]) => ({
      memberId,
      name: `示例 ${memberId}`,
      role,
      keys: [publicKeyOf(keys.get(memberId) as JWK)],
      subscription: {},
      ...(role === 'platform' && { agreement: AGREEMENT }),
    }));
    await writeFile(env.LIANDUN_GENESIS, JSON.stringify(members));
    const api = await createApi(env);
    const pool = new pg.Pool({ connectionString: database.url, max: 2 });
    const test = new TestApi(api, database.url, pool, signing, env, async () => {
      await api.close();
      await pool.end();
      await database.drop();
      await rm(dir, { recursive: true });
    });
    for (const [memberId, key] of keys) test.keys.set(memberId, key);
    return test;
  }

  stop(): Promise<void> {
    return this.release();
  }

  /** A signed client assertion; `claims` replace the usual ones, `key` the member's. */
  async assertion(
    memberId: string,
    claims: Record<string, unknown> = {},
    key = this.keys.get(memberId) as JWK,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = {
      iss: memberId,
      sub: memberId,
      aud: `${ISSUER}/oauth/token`,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
    };
    const alg = key.kty === 'OKP' ? 'EdDSA' : 'ES256';
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg, kid: key.kid })
      .sign(await importJWK(key, alg));
  }

  async tokenAnswer(form: Record<string, string>): Promise<Answer> {
    const response = await fetch(`${this.api.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  async requestToken(assertion: string, more: Record<string, string> = {}): Promise<Answer> {
    return this.tokenAnswer({
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
      ...more,
    });
  }

  async token(memberId: string): Promise<string> {
    const cached = this.#tokens.get(memberId);
    if (cached) return cached;
    const { body } = await this.requestToken(await this.assertion(memberId));
    this.#tokens.set(memberId, body.access_token);
    return body.access_token;
  }

  /** A request as a member; `undefined` asks without a token. */
  async call(
    memberId: TestMember | undefined,
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answer> {
    const { body, type = 'application/json', headers = {} } = options;
    const token = options.token ?? (memberId ? await this.token(memberId) : undefined);
    const response = await fetch(`${this.api.url}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const mediaType = response.headers.get('content-type')?.split(';')[0] ?? '';
    const json = mediaType.endsWith('json') && !mediaType.endsWith('ndjson');
    return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : text };
  }

  /** One event, as its sender would send it. */
  publish(memberId: TestMember, event: unknown): Promise<Answer> {
    return this.call(memberId, 'POST', '/v1/events', { body: event, type: 'application/cloudevents+json' });
  }

  /** A stream of lines; the receipts, one for each. */
  async stream(memberId: TestMember, lines: (string | object)[]): Promise<Answer['body'][]> {
    const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    const { status, body: text } = await this.call(memberId, 'POST', '/v1/events', {
      body,
      type: 'application/x-ndjson',
    });
    if (status !== 200) throw new Error(`the stream was answered ${status}`);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line: string) => JSON.parse(line));
  }
}
