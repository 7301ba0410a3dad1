// npm start: everything that the ledger needs on one machine, from an empty folder to a running sandbox.
import { parseArgs } from 'node:util';
import { readdirSync } from 'node:fs';
import { startApp } from './apps.mjs';
import { build } from './build.mjs';
import { running, start, stopAll } from './children.mjs';
import { openCodeGateway } from './codes.mjs';
import { ledgerKeys, logVkey, MEMBERS, memberKeys, publicJwk, writeWhole } from './keys.mjs';
import { claimPorts } from './ports.mjs';
import { languageOf, Progress } from './progress.mjs';
import {
  asApplication,
  createDatabases,
  databaseUrl,
  migrateLedger,
  openBroker,
  openDatabase,
  sandboxDatabase,
} from './servers.mjs';
import { home, openState, root, writeEnv } from './state.mjs';
import { printSummary } from './summary.mjs';
import { openTls, plainHost, renewBroker, tlsFiles } from './tls.mjs';
import { Trouble, troubleOf } from './trouble.mjs';
import { openWitness, untilCosigned } from './witness.mjs';

const PLATFORMS = MEMBERS.filter(({ role }) => role === 'platform').map(({ memberId }) => memberId);
const envName = (memberId) => `${memberId.toUpperCase().replaceAll('-', '_')}_KEY`;

let options;
let progress = new Progress(languageOf());
let stopping;

/** Ends everything, once: npm forwards the Ctrl-C that the terminal has already sent to all of us. */
function stop(code, cause) {
  stopping ??= (async () => {
    const since = performance.now();
    const tell = running() > 0;
    if (tell) progress.note('stopping');
    await stopAll();
    if (tell) progress.done('stopped', since);
    // Last, so that the remedy is what remains on the screen.
    if (cause) console.error(`\n✗ ${cause}`);
    process.exit(code);
  })();
  return stopping;
}

/** A TypeError and its like are our own mistakes: their stack says where. */
const describe = (error) =>
  error instanceof Error && error.name === 'Error' ? error.message : (error?.stack ?? String(error));

function fail(error) {
  const trouble = error instanceof Trouble ? error : troubleOf(error, home);
  return stop(1, trouble?.message ?? describe(error));
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        'no-scenario': { type: 'boolean', default: false },
        lang: { type: 'string' },
        host: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'tls-ca': { type: 'string' },
      },
    });
    if (values.lang !== undefined && values.lang !== 'zh' && values.lang !== 'en')
      throw new Error(`--lang ${values.lang}`);
    return values;
  } catch (error) {
    throw new Trouble(
      `${error.message}: npm start takes -- --once, --no-scenario, --lang zh|en, --host NAME, --tls-cert FILE, --tls-key FILE, --tls-ca FILE`,
      'npm start 的参数为 -- --once、--no-scenario、--lang zh|en、--host 名称、--tls-cert 文件、--tls-key 文件、--tls-ca 文件',
    );
  }
}

async function claimAllPorts(env) {
  const wish = (name, outside) => ({ name, wanted: outside ? undefined : env[name] });
  const [api, database, client, controller, internal, worker, witness, ...sandboxes] = await claimPorts([
    wish('LIANDUN_PORT'),
    wish('POSTGRES_PORT', env.DATABASE_URL),
    wish('KAFKA_PORT', env.KAFKA_BROKERS),
    ...Array.from({ length: 4 + PLATFORMS.length }, () => ({ name: 'port' })),
  ]);
  return { api, database, kafka: [client, controller, internal], worker, witness, sandboxes };
}

/** The parts that need nothing from each other start side by side. */
async function startServers({ ports, jwks, issuer, tls, vkey }) {
  const { env } = process;
  const fetched = readdirSync(home).some((name) => name.startsWith('kafka-jars-'));
  const built = progress.step('build', build(), (isNew) => (isNew ? 'build' : 'buildSkipped'));
  const [database, broker, witness] = await Promise.all([
    progress.step('postgres', openDatabase({ home, port: ports.database, given: env.DATABASE_URL, tls })),
    progress.step(
      fetched ? 'kafka' : 'kafkaFirst',
      openBroker({
        home,
        ports: ports.kafka,
        jwks,
        issuer,
        tls,
        given: env.KAFKA_BROKERS,
        givenInternal: env.KAFKA_INTERNAL_BROKERS,
      }),
    ),
    built.then(() => progress.step('witness', startWitness({ ports, tls, vkey }))),
  ]);
  return { database, broker, witness };
}

const startWitness = ({ ports, tls, vkey }) =>
  openWitness({
    home,
    root,
    url: localUrl(tls, ports.witness),
    logVkey: vkey,
    tls,
    given: process.env.LIANDUN_WITNESSES,
  });

/** What the ledger's own programs are told. */
function ledgerEnv({ broker, witness, keysPath, genesis, issuer, tls }) {
  return {
    KAFKA_BROKERS: broker.brokers,
    KAFKA_INTERNAL_BROKERS: broker.internal,
    LIANDUN_KEYS: keysPath,
    LIANDUN_GENESIS: genesis,
    LIANDUN_ISSUER: issuer,
    LIANDUN_HOME: home,
    LIANDUN_WITNESSES: witness.policy,
    // On one machine webhooks may go to receivers on it.
    ...(tls || process.env.LIANDUN_WEBHOOK_ALLOW !== undefined ? {} : { LIANDUN_WEBHOOK_ALLOW: '127.0.0.0/8,::1/128' }),
    ...(tls ? { NODE_EXTRA_CA_CERTS: tls.trust } : {}),
  };
}

/** What a program serves with on the loopback: the same as everywhere, so that TLS is all or nothing. */
const localTls = (tls) =>
  tls ? { HOST: '127.0.0.1', LIANDUN_TLS_CERT: tls.local.cert, LIANDUN_TLS_KEY: tls.local.key } : {};

const apiTls = (tls) =>
  tls ? { HOST: tls.bind, LIANDUN_TLS_CERT: tls.files.cert, LIANDUN_TLS_KEY: tls.files.key } : {};

/** On a broker of our own the ledger shows who it is; for one from outside the environment says it. */
const brokerTls = (tls, { service }) =>
  tls && service
    ? {
        KAFKA_INTERNAL_CERT: tls.ledger.cert,
        KAFKA_INTERNAL_KEY: tls.ledger.key,
        KAFKA_INTERNAL_CA: tls.ledger.ca,
      }
    : {};

/** What members' programs are told to trust. */
const memberTls = (tls) =>
  tls ? { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...(tls.files.ca ? { LIANDUN_CA: tls.files.ca } : {}) } : {};

const localUrl = (tls, port) => `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;

/** Checks the certificate before anything is started that would need it. */
async function readTls(env) {
  const files = tlsFiles({
    cert: options['tls-cert'] || env.LIANDUN_TLS_CERT,
    key: options['tls-key'] || env.LIANDUN_TLS_KEY,
    ca: options['tls-ca'] || env.LIANDUN_TLS_CA,
  });
  const host = options.host || env.LIANDUN_HOST;
  if (!files) return { host: plainHost(host) };
  await progress.step('build', build(), (built) => (built ? 'build' : 'buildSkipped'));
  const tls = await openTls({ root, home, files, host });
  return { tls, host: tls.host };
}

/** The api looks at its certificate itself; the broker is told. */
function followRenewals(tls, broker) {
  if (!tls || !broker.service) return;
  tls.follow(() => renewBroker({ root, broker, tls }));
}

async function startSandboxes({ database, broker, ports, paths, url, tls }) {
  await createDatabases(database.url, PLATFORMS.map(sandboxDatabase));
  return Promise.all(
    PLATFORMS.map((memberId, i) =>
      startApp({
        name: `sandbox-${memberId}`,
        app: 'sandbox-platform',
        url: localUrl(tls, ports.sandboxes[i]),
        home,
        root,
        env: {
          PORT: String(ports.sandboxes[i]),
          MEMBER: memberId,
          MEMBER_KEY: paths[memberId],
          LIANDUN_URL: url,
          // The first signs what it sends, the others don't: the ledger takes both unless a member's policy says otherwise.
          ...(i === 0 ? { LIANDUN_SIGN: '1' } : {}),
          KAFKA_BROKERS: broker.brokers,
          DATABASE_URL: databaseUrl(database.url, sandboxDatabase(memberId)),
          ...localTls(tls),
          ...memberTls(tls),
        },
      }),
    ),
  );
}

async function up() {
  const state = await progress.step('state', openState({ onWait: () => progress.note('waiting') }));
  const ports = await claimAllPorts(process.env);
  const { path: keysPath, keys } = await ledgerKeys(home, state.isNew);
  const { genesis, paths } = await memberKeys(home);
  const jwks = `${home}/jwks.json`;
  await writeWhole(jwks, JSON.stringify({ keys: [publicJwk(keys.signing)] }));
  const { tls, host } = await readTls(process.env);
  const url = `${tls ? 'https' : 'http'}://${host}:${ports.api}`;
  const issuer = process.env.LIANDUN_ISSUER || url;
  const vkey = logVkey(keys.logSigning);
  const { database, broker, witness } = await startServers({ ports, jwks, issuer, tls, vkey });
  await progress.step('migrate', migrateLedger(root, database.url));

  const env = ledgerEnv({ broker, witness, keysPath, genesis, issuer, tls });
  const workerUrl = localUrl(tls, ports.worker);
  const [apiDatabase, workerDatabase] = await Promise.all([
    asApplication(database, 'liandun_api'),
    asApplication(database, 'liandun_worker'),
  ]);
  // One-time codes of subjects: what a gateway would send is printed here. With a gateway from outside nobody here sees them.
  const codes = process.env.LIANDUN_CODE_GATEWAY
    ? undefined
    : await openCodeGateway((line) => console.log(`  ${line}`));
  const api = {
    ...env,
    DATABASE_URL: apiDatabase,
    PORT: String(ports.api),
    LIANDUN_WORKER_URL: workerUrl,
    LIANDUN_CODE_GATEWAY: process.env.LIANDUN_CODE_GATEWAY || codes,
    ...apiTls(tls),
  };
  const worker = {
    ...env,
    DATABASE_URL: workerDatabase,
    WORKER_PORT: String(ports.worker),
    ...localTls(tls),
    ...brokerTls(tls, broker),
  };
  const ledger = await Promise.all([
    progress.step('api', startApp({ name: 'api', app: 'api', url, env: api, home, root })),
    progress.step('worker', startApp({ name: 'worker', app: 'worker', url: workerUrl, env: worker, home, root })),
  ]);
  if (witness.service) await untilCosigned(url);
  const addresses = {
    LIANDUN_URL: url,
    KAFKA_BROKERS: broker.brokers,
    DATABASE_URL: database.url,
    CONSOLE_URL: url,
    LOG_VKEY: vkey,
    LIANDUN_WITNESSES: witness.policy,
    ...memberTls(tls),
    ...Object.fromEntries(MEMBERS.map(({ memberId }) => [envName(memberId), paths[memberId]])),
  };
  await writeEnv(addresses);
  // Without the scenario the members' names are free for whoever wants to act as them: nobody answers for them.
  const sandboxes = options['no-scenario']
    ? []
    : await progress.step('sandboxes', startSandboxes({ database, broker, ports, paths, url, tls }));
  followRenewals(tls, broker);
  watch([database.service, broker.service, witness.service, ...ledger, ...sandboxes].filter(Boolean));
  progress.done('up');
  return { addresses, ports, tls, codes };
}

/** From now on the end of any part is the end of all: half a ledger would only confuse. */
function watch(services) {
  for (const service of services) void service.ended.then((how) => stopping ?? stop(1, service.report(how)));
}

async function playScenario({ addresses, ports, tls, codes }, language) {
  const script = `${root}dist/apps/scenario/src/main.js`;
  const sandboxes = PLATFORMS.map((memberId, i) => [memberId, localUrl(tls, ports.sandboxes[i])]);
  const service = start('scenario', process.execPath, ['--enable-source-maps', script, '--lang', language], {
    cwd: root,
    env: {
      ...process.env,
      ...addresses,
      ...(tls ? { NODE_EXTRA_CA_CERTS: tls.trust } : {}),
      ...(codes && { CODES_URL: codes }),
      SANDBOXES: JSON.stringify(Object.fromEntries(sandboxes)),
    },
    inherit: true,
  });
  const how = await service.ended;
  if (how !== 0 && !stopping)
    throw new Trouble(
      `the scenario failed (${how}), as the line above says: see ${home}/*.log, or start with -- --no-scenario`,
      `演示场景失败（${how}），原因见上一行：请查看 ${home}/*.log，或以 -- --no-scenario 启动`,
    );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => stop(options?.once ? 130 : 0));
}
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
const parent = process.ppid;
setInterval(() => process.ppid === parent || stop(1, 'the parent is gone'), 500).unref();

try {
  options = readOptions();
  const language = languageOf(options.lang);
  progress = new Progress(language);
  const ledger = await up();
  if (!options['no-scenario']) await playScenario(ledger, language);
  if (options.once) await stop(0);
  else printSummary({ language, home, addresses: ledger.addresses });
} catch (error) {
  // A step that fails because everything is being stopped is not the cause.
  await (stopping ?? fail(error));
}
