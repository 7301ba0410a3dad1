// npm run bench -- NAME: one benchmark on durable servers of its own, with a table and bench-results/NAME.json.
import { generateKeyPairSync } from 'node:crypto';
import { glob, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { cpus, release, totalmem, type } from 'node:os';
import { build } from './build.mjs';
import { stopAll } from './children.mjs';
import { publicJwk } from './keys.mjs';
import { freePorts } from './ports.mjs';
import { startKafka } from './kafka.mjs';
import { startPostgres } from './postgres.mjs';
import { home, root } from './state.mjs';
import { Trouble, troubleOf } from './trouble.mjs';

const issuer = 'https://liandun.bench';

/** The machine, so that a figure is never read without it. */
const machine = () => ({
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  os: `${type()} ${release()}`,
  node: process.version,
});

async function names() {
  const files = await Array.fromAsync(glob(`${root}test/bench/*.ts`, { exclude: ['**/*spec.ts'] }));
  return files.map((file) => basename(file, '.ts')).toSorted();
}

async function startServers(dir) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' };
  const jwks = `${dir}/jwks.json`;
  await writeFile(jwks, JSON.stringify({ keys: [publicJwk(key)] }));
  const [port, ...ports] = await freePorts(4);
  const [postgres, kafka] = await Promise.all([
    startPostgres({ dir: `${dir}/postgres`, port, log: `${dir}/postgres.log` }),
    startKafka({ dir: `${dir}/kafka`, cache: home, ports, jwks, issuer, log: `${dir}/kafka.log` }),
  ]);
  return {
    databaseUrl: postgres.url,
    kafkaInternal: kafka.internal,
    kafkaBrokers: kafka.brokers,
    kafkaKey: key,
    issuer,
  };
}

/** Runs one benchmark: it gets the addresses and answers with the rows of its table, or with `{ rows, … }`. */
async function bench(name) {
  if (!(await names()).includes(name)) {
    const list = (await names()).join(', ');
    throw new Trouble(`there is no benchmark "${name ?? ''}": ${list}`, `没有名为“${name ?? ''}”的基准测试：${list}`);
  }
  await mkdir(home, { recursive: true });
  const dir = await mkdtemp(`${home}/.bench-`);
  try {
    const [, servers] = await Promise.all([build(), startServers(dir)]);
    const { run } = await import(`${root}dist/test/bench/${name}.js`);
    const result = await run({ ...servers, home: dir, root });
    const rows = Array.isArray(result) ? result : result.rows;
    console.table(rows);
    const report = {
      name,
      at: new Date().toISOString(),
      machine: machine(),
      ...(Array.isArray(result) ? { rows } : result),
    };
    await mkdir(`${root}bench-results`, { recursive: true });
    await writeFile(`${root}bench-results/${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`bench-results/${name}.json`, report.machine);
  } finally {
    await stopAll();
    await rm(dir, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => void stopAll().then(() => process.exit(130)));
}
try {
  await bench(process.argv[2]);
  process.exit(0);
} catch (error) {
  const trouble = error instanceof Trouble ? error : troubleOf(error, home);
  console.error(`✗ ${trouble?.message ?? (error instanceof Error ? error.stack : String(error))}`);
  process.exit(1);
}
