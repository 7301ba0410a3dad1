import { loadWorkingDays, type WorkingDays } from '@liandun/contracts';
import type { Brokers } from '@liandun/messaging';
import {
  isLoopback,
  readAuthorities,
  readServerTls,
  requireDatabaseTls,
  requireTls,
  TlsError,
  type ServerTls,
} from '@liandun/tls';
import { witnessPolicy, type WitnessPolicy } from '@liandun/tlog';
import { signerKeyFromJwk, TransparencyLogError, type SignerKey } from '@liandun/transparency-log';
import { parseVaultKeys, type VaultKeys } from '@liandun/vault';
import { parseNetworks } from '@liandun/webhooks';
import type { JWK } from 'jose';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** The parts of the worker; one process runs all of them unless `--run` names some. */
export const PARTS = ['reconcile', 'notify', 'clock', 'relay', 'webhooks', 'inbox', 'access', 'tlog'] as const;
export type Part = (typeof PARTS)[number];

export interface WorkerSettings {
  databaseUrl: string;
  /** The ledger's own Kafka listener. */
  brokers: Brokers;
  host: string;
  port: number;
  /** For health and metrics. */
  tls?: ServerTls;
  vaultKeys: VaultKeys;
  /** Private key that members encrypt inbox events to. */
  inboxKey: JWK;
  /** The consumer group of the inboxes, where several ledgers share a broker. */
  inboxGroup?: string;
  /**
   * For the part `tlog`: the log's own key, the file outside the database that keeps the newest published checkpoint, and who is
   * asked to cosign.
   */
  tlog?: { key: SignerKey; copyPath: string; policy?: WitnessPolicy };
  /** Networks that webhooks may call besides public addresses. */
  webhookNetworks: ReturnType<typeof parseNetworks>;
  /** By which deadlines are counted. */
  workingDays: WorkingDays;
  /** Nobody is told of more delistings while so many notices wait for Kafka. */
  unsentMax: number;
  /** A newer matcher is prepared and shown, but not activated. */
  holdMatcher: boolean;
  parts: Set<Part>;
  logLevel: string;
}

/** Less than a second of the relay: so long a reinstatement waits behind notices that were issued before it. */
const UNSENT_MAX = 5_000;

type Env = Readonly<Record<string, string | undefined>>;

/** The process can't start as it was told; the message says which variable and what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const WHY_HOME = ': the newest published checkpoint is kept there, outside the database (or leave tlog out of --run)';
const isPart = (name: string): name is Part => (PARTS as readonly string[]).includes(name);

function partsOf(argv: string[]): Set<Part> {
  const { values } = parseArgs({ args: argv, options: { run: { type: 'string' } } });
  const names = values.run?.split(',') ?? PARTS;
  const unknown = names.find((name) => !isPart(name));
  if (unknown !== undefined) throw new SettingsError(`--run ${unknown}: the parts are ${PARTS.join(', ')}`);
  return new Set(names.filter(isPart));
}

function logKey(keysPath: string, jwk: JWK = { kty: '' }): SignerKey {
  try {
    return signerKeyFromJwk(jwk, 'log');
  } catch {
    throw new SettingsError(
      `LIANDUN_KEYS: "logSigning" in ${keysPath} must be a private Ed25519 JWK, its kid the log's name`,
    );
  }
}

/** The ledger's own Kafka listener: whoever reaches it in the clear is the ledger, so outside loopback a certificate says who comes. */
function brokersOf(env: Env, brokers: string): Brokers {
  const { KAFKA_INTERNAL_CERT: cert, KAFKA_INTERNAL_KEY: key, KAFKA_INTERNAL_CA: ca } = env;
  if (cert && key)
    return { brokers, ssl: { ...readServerTls({ cert, key }), ...(ca ? { ca: readAuthorities(ca) } : {}) } };
  const outside = brokers.split(',').find((broker) => !isLoopback(broker.replace(/:\d+$/, '')));
  if (outside === undefined) return brokers;
  throw new TlsError(
    'PLAIN',
    `KAFKA_INTERNAL_BROKERS: ${outside} is outside loopback: set KAFKA_INTERNAL_CERT and KAFKA_INTERNAL_KEY (and KAFKA_INTERNAL_CA) to PEM files`,
    `KAFKA_INTERNAL_BROKERS：${outside} 不是本机回环地址：请将 KAFKA_INTERNAL_CERT 与 KAFKA_INTERNAL_KEY（及 KAFKA_INTERNAL_CA）设为 PEM 文件`,
  );
}

function tlsOf(env: Env): ServerTls | undefined {
  const { LIANDUN_TLS_CERT: cert, LIANDUN_TLS_KEY: key } = env;
  return cert && key ? readServerTls({ cert, key }) : undefined;
}

function policyOf(path: string | undefined, key: SignerKey): { policy?: WitnessPolicy } {
  if (!path) return {};
  try {
    return { policy: witnessPolicy(readFileSync(path, 'utf8'), key) };
  } catch (error) {
    if (error instanceof TransparencyLogError || (error as NodeJS.ErrnoException).code)
      throw new SettingsError(
        `LIANDUN_WITNESSES: ${path} is no policy to ask witnesses by: ${(error as Error).message}`,
      );
    throw error;
  }
}

function tlogOf(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
  key: SignerKey,
): WorkerSettings['tlog'] {
  return { key, copyPath: join(home, 'log/checkpoint'), ...policyOf(env['LIANDUN_WITNESSES'], key) };
}

function networksOf(env: Env): WorkerSettings['webhookNetworks'] {
  try {
    return parseNetworks(env['LIANDUN_WEBHOOK_ALLOW'] ?? '');
  } catch (error) {
    throw new SettingsError(`LIANDUN_WEBHOOK_ALLOW: ${(error as Error).message}`);
  }
}

function workingDaysOf(env: Env): WorkingDays {
  try {
    return loadWorkingDays(env['LIANDUN_WORKING_DAYS'] || undefined);
  } catch (error) {
    throw new SettingsError(`LIANDUN_WORKING_DAYS: ${(error as Error).message}`);
  }
}

function countOf(env: Env, name: string, unless: number): number {
  const value = env[name] || String(unless);
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new SettingsError(`${name}: ${value} is no whole number above 0`);
  return Number(value);
}

/** Reads the environment and the arguments. Throws SettingsError, or TlsError where anything would leave the machine in the clear. */
export function workerSettings(env: Env, argv: string[]): WorkerSettings {
  const required = (name: string, why = ''): string => {
    const value = env[name];
    if (!value) throw new SettingsError(`${name} is not set${why}`);
    return value;
  };
  const host = env['HOST'] || '127.0.0.1';
  const tls = tlsOf(env);
  requireTls(host, tls);
  const databaseUrl = required('DATABASE_URL');
  requireDatabaseTls(databaseUrl);
  const keysPath = required('LIANDUN_KEYS');
  const keys = JSON.parse(readFileSync(keysPath, 'utf8')) as { inbox: JWK; logSigning?: JWK };
  const parts = partsOf(argv);
  return {
    databaseUrl,
    brokers: brokersOf(env, required('KAFKA_INTERNAL_BROKERS')),
    host,
    port: Number(env['WORKER_PORT'] || 0),
    ...(tls ? { tls } : {}),
    vaultKeys: parseVaultKeys(keys, keysPath),
    inboxKey: keys.inbox,
    ...(env['LIANDUN_INBOX_GROUP'] ? { inboxGroup: env['LIANDUN_INBOX_GROUP'] } : {}),
    ...(parts.has('tlog')
      ? { tlog: tlogOf(env, required('LIANDUN_HOME', WHY_HOME), logKey(keysPath, keys.logSigning)) }
      : {}),
    webhookNetworks: networksOf(env),
    workingDays: workingDaysOf(env),
    unsentMax: countOf(env, 'LIANDUN_UNSENT_MAX', UNSENT_MAX),
    holdMatcher: env['LIANDUN_MATCHER_HOLD'] === '1',
    parts,
    logLevel: env['LOG_LEVEL'] || 'info',
  };
}
