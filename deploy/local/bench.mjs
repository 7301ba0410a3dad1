// npm run bench -- NAME: one benchmark on durable servers of its own, with a table and bench-results/NAME.json.
import { generateKeyPairSync } from 'node:crypto';
import { chmod, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { cpus, release, totalmem, type } from 'node:os';
import stringWidth from 'string-width';
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
  cores: `${cpus().length} cores`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  os: `${type()} ${release()}`,
  node: process.version,
});

/** The files of test/bench that have a run(). */
async function names() {
  const files = await Array.fromAsync(glob(`${root}test/bench/*.ts`, { exclude: ['**/*spec.ts'] }));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return files
    .filter((_file, i) => texts[i].includes('export async function run('))
    .map((file) => basename(file, '.ts'))
    .toSorted();
}

/** Plain columns, numbers to the right. */
function table(rows) {
  const heads = Object.keys(rows[0] ?? {});
  const lines = [heads, ...rows.map((row) => heads.map((head) => String(row[head] ?? '')))];
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => stringWidth(line[i]))));
  const pad = (text, i) => ' '.repeat(widths[i] - stringWidth(text));
  return lines
    .map((line) => line.map((text, i) => (i === 0 ? text + pad(text, i) : pad(text, i) + text)).join('  '))
    .join('\n');
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

/** Runs one benchmark: it gets the addresses and answers as test/bench/result.ts says. */
async function bench(name) {
  if (!(await names()).includes(name)) {
    const list = (await names()).join(', ');
    throw new Trouble(`there is no benchmark "${name ?? ''}": ${list}`, `没有名为“${name ?? ''}”的基准测试：${list}`);
  }
  await mkdir(home, { recursive: true });
  const dir = await mkdtemp(`${home}/.bench-`);
  await chmod(dir, 0o711); // PostgreSQL may run as another user
  try {
    const [, servers] = await Promise.all([build(), startServers(dir)]);
    const { run } = await import(`${root}dist/test/bench/${name}.js`);
    const result = await run({ ...servers, home: dir, root });
    const where = machine();
    console.log(`\n${result.title}\n${Object.values(where).join(' · ')}`);
    console.log(table(result.rows));
    for (const { title, rows } of result.tables ?? []) console.log(`\n${title}\n${table(rows)}`);
    for (const note of result.notes ?? []) console.log(note);
    const report = { ...result, name, at: new Date().toISOString(), machine: where };
    await mkdir(`${root}bench-results`, { recursive: true });
    await writeFile(`${root}bench-results/${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`bench-results/${name}.json`);
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
