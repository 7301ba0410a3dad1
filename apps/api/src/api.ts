import { LIMITS, parseStrictBatch, parseStrictJson, problemOf, type ParsedJson } from '@liandun/contracts';
import { DatabaseClock, Intake } from '@liandun/intake';
import { zhMatcher } from '@liandun/identity';
import { isProtected, isRemoved, MatchIndex, SCREENING_RIDER, screeningRider } from '@liandun/matching';
import { checkpointFile, comparePublished, HaltWatch, TlogError, type Halt } from '@liandun/tlog';
import { followCertificate } from '@liandun/tls';
import { ERASURE_RIDER, erasureRider, Vault, VAULT_RIDER, vaultRider } from '@liandun/vault';
import {
  BREAKER_GATE,
  breakerGate,
  ACCESS_RIDER,
  accessRider,
  FollowedReasonCodes,
  liveKeys,
  restsOnDecision,
} from '@liandun/views';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Server as HttpsServer } from 'node:https';
import type pg from 'pg';
import { pino, type Logger } from 'pino';
import { installAccess } from './access-hooks.js';
import { ApiModule, type Parts } from './api.module.js';
import { webhookSender } from './code-sender.js';
import { admitGenesis } from './genesis.js';
import { Enumeration } from './enumeration.js';
import { GuardedLog } from './guarded-log.js';
import { Identifications } from './identifications.js';
import { LedgerWriter } from './ledger-writer.js';
import { Metrics } from './metrics.js';
import { BATCH_TYPE, EVENT_TYPE, FORM_TYPE, JSON_TYPE, NDJSON_TYPE } from './policy.js';
import { Door, openPools } from './pools.js';
import { ProblemError, ProblemFilter } from './problems.js';
import { RateLimits } from './rate-limits.js';
import { Reads } from './reads.js';
import { installSecurityHeaders } from './security-headers.js';
import { settingsOf, type Env, type Settings } from './settings.js';
import { SignedStatements } from './signed-statements.js';
import { Tokens } from './tokens.js';

/** A running API; `close` ends its streams, finishes what was accepted, and releases the database. */
export interface Api {
  url: string;
  /** Reads the certificate again now; its files are also looked at every few seconds. */
  reload(): void;
  close(): Promise<void>;
}

/** No bytes at all are no body. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const parsed = parseStrictJson(body);
  if ('refused' in parsed) throw new ProblemError(problemOf([parsed.refused]));
  return parsed.value;
}

/** Item by item: a field that nothing may be called refuses its own event, as any other unknown one does. */
function parseBatch(body: Buffer): ParsedJson[] {
  const parsed = parseStrictBatch(body);
  if ('refused' in parsed) throw new ProblemError(problemOf([parsed.refused]));
  return parsed;
}

/** The media types that the ledger reads, each with its limit; any other is answered 415. */
function installParsers(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  for (const [type, bodyLimit, parse] of [
    [JSON_TYPE, LIMITS.bodyBytes, parseJson],
    [EVENT_TYPE, LIMITS.eventBytes, parseJson],
    [BATCH_TYPE, LIMITS.batchBytes, parseBatch],
  ] as const)
    instance.addContentTypeParser(type, { parseAs: 'buffer', bodyLimit }, async (_request: unknown, body: Buffer) =>
      parse(body),
    );
  instance.addContentTypeParser(
    FORM_TYPE,
    { parseAs: 'string', bodyLimit: LIMITS.formBytes },
    async (_request: unknown, body: string) => new URLSearchParams(body),
  );
  // Handed on as it comes: the controller reads no faster than it appends.
  instance.addContentTypeParser(NDJSON_TYPE, async (_request: unknown, body: unknown) => body);
}

function partsOf(settings: Settings, logger: Logger): Parts & { clock: DatabaseClock } {
  const { own, door: pool } = openPools(settings.databaseUrl, (error) =>
    logger.warn({ code: (error as { code?: string }).code }, 'an idle connection was lost'),
  );
  const reads = new Reads(own);
  const halts = new HaltWatch(pool, (halt) =>
    halt
      ? logger.error({ code: halt.code, remedy: halt.message }, 'the log is not continued')
      : logger.info('the log goes on'),
  );
  const riders = {
    [VAULT_RIDER]: vaultRider,
    [ACCESS_RIDER]: accessRider,
    [ERASURE_RIDER]: erasureRider,
    [SCREENING_RIDER]: screeningRider,
  };
  const log = new GuardedLog({ pool, riders, gates: { [BREAKER_GATE]: breakerGate } }, halts);
  const vault = new Vault(settings.vaultKeys);
  const index = new MatchIndex(zhMatcher, vault);
  const codes = new FollowedReasonCodes(pool);
  const clock = new DatabaseClock(pool);
  const writer = new LedgerWriter(log, vault, clock);
  const metrics = new Metrics();
  const { limits, codeGateway, subjectTrust } = settings;
  const door = new Door(pool);
  return {
    own,
    door,
    reads,
    log,
    vault,
    clock,
    codes,
    intake: new Intake({
      codes,
      log,
      vault,
      clock: clock.now,
      keysOf: (memberId) => liveKeys(pool, memberId),
      workingDays: settings.workingDays,
      restsOn: (decision) => restsOnDecision(pool, decision),
      breaker: BREAKER_GATE,
      protects: (identity) => isProtected(pool, index, identity),
      removed: (identity, decision) => isRemoved(pool, index, identity, decision),
      readsOf: (member) => reads.log(member),
    }),
    tokens: new Tokens(settings, pool),
    identifications: new Identifications(
      door,
      vault,
      codeGateway && webhookSender(codeGateway.url, codeGateway.bearer),
      logger,
      subjectTrust && new SignedStatements(vault, subjectTrust, settings.issuer, clock.now),
    ),
    writer,
    metrics,
    rates: new RateLimits(limits, metrics),
    enumeration: new Enumeration({ pool, vault, writer, clock, limits, metrics, logger }),
    halts,
    settings,
  };
}

/** What this process can see by itself: a database that was restored must take no entry before the publisher has looked. */
async function haltOf({ published }: Settings, pool: pg.Pool): Promise<Halt | undefined> {
  if (!published) return undefined;
  const { log, copyPath } = published;
  try {
    await comparePublished({ pool, log, copies: [checkpointFile(copyPath)] });
    return undefined;
  } catch (error) {
    if (error instanceof TlogError) return error;
    throw error;
  }
}

async function nestOf(settings: Settings, parts: Parts, logger: Logger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    ...(settings.tls ? { https: settings.tls } : {}),
    forceCloseConnections: true,
    bodyLimit: LIMITS.eventBytes,
    // An event's id has 128 characters at most, percent-encoded in an address.
    routerOptions: { maxParamLength: 2048, ignoreTrailingSlash: true },
  });
  const instance = adapter.getInstance() as FastifyInstance;
  installParsers(instance);
  installSecurityHeaders(instance, settings.tls !== undefined);
  installAccess(instance, { ...parts, logger });
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.of(parts), adapter, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  return app;
}

/** A renewed certificate serves the next connection; those that are open, streams of notices too, stay as they are. */
function followTls(
  { tls }: Settings,
  server: HttpsServer,
  logger: Logger,
): { reload(): void; stop(): void } | undefined {
  if (!tls) return undefined;
  return followCertificate(
    tls.files,
    (renewed) => {
      server.setSecureContext(renewed);
      logger.info({ cert: tls.files.cert }, 'a new certificate serves');
    },
    (error) => logger.error({ problem: error.message }, 'the certificate was not renewed: the old one serves on'),
  );
}

/**
 * Starts the API as the environment says (see settings.ts): the database must have been migrated. Throws SettingsError
 * where it can't be started as told.
 */
export async function createApi(env: Env): Promise<Api> {
  const settings = settingsOf(env);
  const logger = pino({ level: settings.logLevel, base: { app: 'api' } });
  if (settings.vaultKeys.kms.warning) logger.warn(settings.vaultKeys.kms.warning);
  const parts = partsOf(settings, logger);
  const { own, log, clock, tokens, writer, halts, enumeration, identifications } = parts;
  const { pool } = parts.door;
  const release = async (): Promise<void> => {
    clock.stop();
    halts.stop();
    await identifications.close();
    await enumeration.close();
    await log.close();
    await Promise.all([own.end(), pool.end()]);
  };
  try {
    await clock.start();
    await halts.start(await haltOf(settings, pool));
    if (settings.genesisPath && !halts.refusal) await admitGenesis(settings.genesisPath, pool, log, writer);
    const app = await nestOf(settings, parts, logger);
    await app.listen(settings.port, settings.host);
    const { port } = app.getHttpServer().address() as { port: number };
    const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
    const followed = followTls(settings, app.getHttpServer() as HttpsServer, logger);
    const url = `${settings.tls ? 'https' : 'http'}://${host}:${port}`;
    tokens.listeningAt(url);
    logger.info({ url }, 'listening');
    return {
      url,
      reload: () => followed?.reload(),
      close: () => {
        followed?.stop();
        return app.close().finally(release);
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
