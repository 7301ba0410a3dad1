import { signerKeyFromJwk, type SignerKey } from '@liandun/transparency-log';
import { parseVaultKeys, type VaultKeys } from '@liandun/vault';
import type { JWK } from 'jose';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** The parts of the worker; one process runs all of them unless `--run` names some. */
export const PARTS = ['reconcile', 'notify', 'relay', 'inbox', 'access', 'tlog'] as const;
export type Part = (typeof PARTS)[number];

export interface WorkerSettings {
  databaseUrl: string;
  /** The ledger's own Kafka listener. */
  brokers: string;
  host: string;
  port: number;
  vaultKeys: VaultKeys;
  /** Private key that members encrypt inbox events to. */
  inboxKey: JWK;
  /** The consumer group of the inboxes, where several ledgers share a broker. */
  inboxGroup?: string;
  /** For the part `tlog`: the log's own key, and the file outside the database that keeps the newest published checkpoint. */
  tlog?: { key: SignerKey; copyPath: string };
  parts: Set<Part>;
  logLevel: string;
}

/** The process can't start as it was told; the message says which variable and what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const WHY_HOME = ': the newest published checkpoint is kept there, outside the database (or leave tlog out of --run)';
const isPart = (name: string): name is Part => (PARTS as readonly string[]).includes(name);
const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|::1|\[::1\]|localhost)$/.test(host);

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

/** Reads the environment and the arguments. The Kafka listener of the ledger is plaintext, so it must be on loopback. */
export function workerSettings(env: Readonly<Record<string, string | undefined>>, argv: string[]): WorkerSettings {
  const required = (name: string, why = ''): string => {
    const value = env[name];
    if (!value) throw new SettingsError(`${name} is not set${why}`);
    return value;
  };
  const brokers = required('KAFKA_INTERNAL_BROKERS');
  const outside = brokers.split(',').find((broker) => !isLoopback(broker.replace(/:\d+$/, '')));
  if (outside !== undefined)
    throw new SettingsError(`KAFKA_INTERNAL_BROKERS: ${outside} is outside loopback and not TLS`);
  const host = env['HOST'] || '127.0.0.1';
  if (!isLoopback(host))
    throw new SettingsError(`HOST=${host}: the worker answers health and metrics on loopback only`);
  const keysPath = required('LIANDUN_KEYS');
  const keys = JSON.parse(readFileSync(keysPath, 'utf8')) as { inbox: JWK; logSigning?: JWK };
  const parts = partsOf(argv);
  return {
    databaseUrl: required('DATABASE_URL'),
    brokers,
    host,
    port: Number(env['WORKER_PORT'] || 0),
    vaultKeys: parseVaultKeys(keys, keysPath),
    inboxKey: keys.inbox,
    ...(env['LIANDUN_INBOX_GROUP'] ? { inboxGroup: env['LIANDUN_INBOX_GROUP'] } : {}),
    ...(parts.has('tlog')
      ? {
          tlog: {
            key: logKey(keysPath, keys.logSigning),
            copyPath: join(required('LIANDUN_HOME', WHY_HOME), 'log/checkpoint'),
          },
        }
      : {}),
    parts,
    logLevel: env['LOG_LEVEL'] || 'info',
  };
}
