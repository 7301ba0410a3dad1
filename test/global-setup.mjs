import { generateKeyPairSync } from 'node:crypto';
import { chmod, glob, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from '../deploy/local/build.mjs';
import { startKafka } from '../deploy/local/kafka.mjs';
import { freePorts } from '../deploy/local/ports.mjs';
import { startPostgres } from '../deploy/local/postgres.mjs';
import { stopAll } from '../deploy/local/children.mjs';

const issuer = 'https://liandun.test';
const cache = resolve(process.env.LIANDUN_HOME ?? join(import.meta.dirname, '../.liandun'));

/** A run that was killed leaves its folder behind: the next one removes what is older than half a day. */
async function sweep() {
  for await (const dir of glob(`${tmpdir()}/liandun-test-*`)) {
    const { mtimeMs } = await stat(dir).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > 12 * 3_600_000) await rm(dir, { recursive: true, force: true });
  }
}

/** The black-box tests run the built programs. What doesn't compile says so here, and fails in "npm run types". */
async function buildPrograms() {
  await build().catch((error) => console.error(error.message));
}

/**
 * One PostgreSQL and one Kafka for the whole run, thrown away after it. Tests find them in the environment: DATABASE_URL
 * (superuser), KAFKA_BROKERS (only the ledger's tokens open it), KAFKA_INTERNAL (superuser), KAFKA_KEY (the private JWK
 * that signs tokens for KAFKA_BROKERS), LIANDUN_ISSUER (the `iss` that it expects), KAFKA_LOG_DIR (the folder of its topics).
 */
export default async function setUp() {
  const began = performance.now();
  await sweep();
  const dir = (globalThis.testServices = await mkdtemp(`${tmpdir()}/liandun-test-`));
  await chmod(dir, 0o755);
  await mkdir(cache, { recursive: true });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = { kid: 'test', alg: 'ES256', use: 'sig' };
  await writeFile(`${dir}/jwks.json`, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...id }] }));
  const [port, ...ports] = await freePorts(4);
  try {
    const [postgres, kafka] = await Promise.all([
      startPostgres({
        dir: `${dir}/postgres`,
        port,
        // Nothing here outlives the run: no need to wait for the disk.
        settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
        log: `${dir}/postgres.log`,
      }),
      startKafka({ dir: `${dir}/kafka`, cache, ports, jwks: `${dir}/jwks.json`, issuer, log: `${dir}/kafka.log` }),
      buildPrograms(),
    ]);
    process.env.DATABASE_URL = postgres.url;
    process.env.KAFKA_BROKERS = kafka.brokers;
    process.env.KAFKA_INTERNAL = kafka.internal;
    process.env.KAFKA_LOG_DIR = `${dir}/kafka/data`;
  } catch (error) {
    await stopAll();
    throw error;
  }
  process.env.KAFKA_KEY = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...id });
  process.env.LIANDUN_ISSUER = issuer;
  console.log(`\nservices ready after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
