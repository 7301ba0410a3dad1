import { loadWorkingDays, type WorkingDays } from '@liandun/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { witnessPolicy, type WitnessPolicy } from '@liandun/tlog';
import { signerKeyFromJwk, TransparencyLogError, type VerifierKey } from '@liandun/transparency-log';
import { readServerTls, requireDatabaseTls, requireTls, type ServerTls, type TlsFiles } from '@liandun/tls';
import { parseVaultKeys, type VaultKeys } from '@liandun/vault';
import { parseNetworks } from '@liandun/webhooks';
import type { JWK } from 'jose';
import { parseLimits, type LimitTable } from './limits.js';
import { anchorsOf, type OrganizationTrust } from './organization-certificates.js';

/** What the process was told; parsed once. */
export class Settings {
  host: string;
  port: number;
  databaseUrl: string;
  /** `iss` of access tokens. */
  issuer: string;
  vaultKeys: VaultKeys;
  /** Private, ES256 with `kid`: signs access tokens. */
  signingKey: JWK;
  /** Private, ECDH-ES+A256KW with `kid`: its public half is what members encrypt inbox events to. */
  inboxKey: JWK;
  /** The log's key, and the file outside the database with its newest published checkpoint, where this process can see one. */
  published?: { log: VerifierKey; copyPath: string };
  /** Whose cosignatures a checkpoint needs before it is shown. */
  witnesses?: WitnessPolicy;
  /** What HTTP listens with, and the files that it is read from again when they change. */
  tls?: ServerTls & { files: TlsFiles };
  genesisPath?: string;
  /** Where the worker answers for its health and metrics; what it says is shown with the api's own. */
  workerUrl?: string;
  /** Networks that webhooks may call besides public addresses; the worker must be told the same. */
  webhookNetworks: ReturnType<typeof parseNetworks>;
  /** The operator's gateway for one-time codes by SMS and mail; without it no subject can prove who he is. */
  codeGateway?: { url: string; bearer?: string };
  /** Whose certificates prove who a subject is by a signed statement; without it that way isn't offered. */
  subjectTrust?: OrganizationTrust;
  /** By which the time to answer is counted (rule P06). */
  workingDays: WorkingDays;
  /** What each member may do in a minute and in a day. */
  limits: LimitTable;
  logLevel: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** The process can't start as it was told; the message says which variable and what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

function required(env: Env, name: string): string {
  const value = env[name];
  if (!value) throw new SettingsError(`${name} is not set`);
  return value;
}

function readText(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SettingsError(`${variable}: ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function parseJson(variable: string, path: string): unknown {
  try {
    return JSON.parse(readText(variable, path));
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(`${variable}: ${path} is not JSON`);
  }
}

function privateKey(keys: unknown, name: 'signing' | 'inbox'): JWK {
  const key = (keys as Record<string, JWK | undefined> | null)?.[name];
  if (key?.kty !== 'EC' || key.crv !== 'P-256' || !key.d || !key.kid)
    throw new SettingsError(`LIANDUN_KEYS: "${name}" must be a private P-256 JWK with a kid`);
  return key;
}

function publishedOf(env: Env, keys: unknown): Settings['published'] {
  const home = env['LIANDUN_HOME'];
  const jwk = (keys as { logSigning?: JWK } | null)?.logSigning;
  if (!home || !jwk) return undefined;
  try {
    return { log: signerKeyFromJwk(jwk, 'log'), copyPath: join(home, 'log/checkpoint') };
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    throw new SettingsError(`LIANDUN_KEYS: "logSigning" must be a private Ed25519 JWK, its kid the log's name`);
  }
}

function policyOf(env: Env, log: VerifierKey | undefined): WitnessPolicy | undefined {
  const path = env['LIANDUN_WITNESSES'];
  if (!path) return undefined;
  try {
    return witnessPolicy(readText('LIANDUN_WITNESSES', path), log);
  } catch (error) {
    if (!(error instanceof TransparencyLogError)) throw error;
    throw new SettingsError(`LIANDUN_WITNESSES: ${path} is no policy to ask witnesses by: ${error.message}`);
  }
}

function tlsOf(env: Env): Settings['tls'] {
  if (!env['LIANDUN_TLS_CERT'] && !env['LIANDUN_TLS_KEY']) return undefined;
  const files = { cert: required(env, 'LIANDUN_TLS_CERT'), key: required(env, 'LIANDUN_TLS_KEY') };
  return { ...readServerTls(files), files };
}

function limitsIn(env: Env): LimitTable {
  const path = env['LIANDUN_LIMITS'];
  const given = path ? parseJson('LIANDUN_LIMITS', path) : {};
  try {
    return parseLimits(given);
  } catch (error) {
    throw new SettingsError(`LIANDUN_LIMITS: ${path}: ${(error as Error).message}`);
  }
}

function networksIn(env: Env): Settings['webhookNetworks'] {
  try {
    return parseNetworks(env['LIANDUN_WEBHOOK_ALLOW'] ?? '');
  } catch (error) {
    throw new SettingsError(`LIANDUN_WEBHOOK_ALLOW: ${(error as Error).message}`);
  }
}

const LOOPBACK = /^(127\.[\d.]+|localhost|\[::1\])$/;

function codeGatewayIn(env: Env): Settings['codeGateway'] {
  const text = env['LIANDUN_CODE_GATEWAY'];
  if (!text) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Codes and phone numbers travel to it.
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))))
    throw new SettingsError('LIANDUN_CODE_GATEWAY must be an https address, or http on loopback');
  const bearer = env['LIANDUN_CODE_GATEWAY_TOKEN'];
  return { url: url.href, ...(bearer ? { bearer } : {}) };
}

const OID = /^[0-2](\.\d{1,20}){1,20}$/;

function subjectTrustIn(env: Env): Settings['subjectTrust'] {
  const [path, codeOid, crlPath] = ['CAS', 'CODE_OID', 'CRLS'].map((name) => env[`LIANDUN_SUBJECT_${name}`]);
  if (!path) return undefined;
  const anchors = readText('LIANDUN_SUBJECT_CAS', path);
  try {
    anchorsOf(anchors);
  } catch (error) {
    throw new SettingsError(`LIANDUN_SUBJECT_CAS: ${path} ${(error as Error).message}`);
  }
  if (codeOid && !OID.test(codeOid))
    throw new SettingsError('LIANDUN_SUBJECT_CODE_OID must be an object identifier such as 2.5.4.97');
  if (crlPath) readText('LIANDUN_SUBJECT_CRLS', crlPath);
  return { anchors, ...(codeOid && { codeOid }), ...(crlPath && { crlPath }) };
}

function workingDaysIn(env: Env): WorkingDays {
  try {
    return loadWorkingDays(env['LIANDUN_WORKING_DAYS'] || undefined);
  } catch (error) {
    throw new SettingsError(`LIANDUN_WORKING_DAYS: ${(error as Error).message}`);
  }
}

/** Throws SettingsError where a variable is missing or wrong, TlsError where tokens or data would travel a network in the clear. */
export function settingsOf(env: Env): Settings {
  const host = env['HOST'] || '127.0.0.1';
  const port = Number(env['PORT'] || 0);
  const tls = tlsOf(env);
  requireTls(host, tls);
  const databaseUrl = required(env, 'DATABASE_URL');
  requireDatabaseTls(databaseUrl);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new SettingsError('PORT must be a port number');
  const keysPath = required(env, 'LIANDUN_KEYS');
  const keys = parseJson('LIANDUN_KEYS', keysPath);
  const published = publishedOf(env, keys);
  const witnesses = policyOf(env, published?.log);
  const codeGateway = codeGatewayIn(env);
  const subjectTrust = subjectTrustIn(env);
  return {
    host,
    port,
    databaseUrl,
    issuer: (env['LIANDUN_ISSUER'] || `${tls ? 'https' : 'http'}://${host}:${port}`).replace(/\/$/, ''),
    vaultKeys: parseVaultKeys(keys, keysPath),
    signingKey: privateKey(keys, 'signing'),
    inboxKey: privateKey(keys, 'inbox'),
    webhookNetworks: networksIn(env),
    workingDays: workingDaysIn(env),
    limits: limitsIn(env),
    logLevel: env['LOG_LEVEL'] || 'info',
    ...(published ? { published } : {}),
    ...(witnesses ? { witnesses } : {}),
    ...(codeGateway ? { codeGateway } : {}),
    ...(subjectTrust ? { subjectTrust } : {}),
    ...(tls ? { tls } : {}),
    ...(env['LIANDUN_GENESIS'] ? { genesisPath: env['LIANDUN_GENESIS'] } : {}),
    ...(env['LIANDUN_WORKER_URL'] ? { workerUrl: env['LIANDUN_WORKER_URL'] } : {}),
  };
}
