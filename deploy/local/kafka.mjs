import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { start, startUntil } from './children.mjs';
import { LEDGER_PRINCIPAL } from './tls.mjs';
import { Trouble } from './trouble.mjs';

const pom = fileURLToPath(new URL('kafka/pom.xml', import.meta.url));

const needJava = () =>
  new Trouble(
    'Java 17 or newer is needed for Kafka: install it (Debian, Ubuntu: apt install openjdk-17-jre-headless) and see that "java" is on the PATH, or set KAFKA_BROKERS and KAFKA_INTERNAL_BROKERS to a Kafka of your own',
    'Kafka 需要 Java 17 或更高版本：请安装（Debian、Ubuntu：apt install openjdk-17-jre-headless）并确认 java 在 PATH 中，或将 KAFKA_BROKERS 与 KAFKA_INTERNAL_BROKERS 设为自备的 Kafka',
  );

/**
 * The folder with the broker's jars, fetched from Maven Central once for each version of the pom.
 * @param {string} cache the folder that keeps them
 */
async function kafkaJars(cache) {
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  const jars = `${cache}/kafka-jars-${digest}`;
  if (existsSync(jars)) return jars;
  // Both are needed now; Java is what will be needed always, so it is asked for first.
  if ((await start('java', 'java', ['-version']).ended) === 'ENOENT') throw needJava();
  const partial = `${jars}.${process.pid}`;
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`];
  const maven = start('maven', 'mvn', args);
  const how = await maven.ended;
  if (how !== 0) {
    await rm(partial, { recursive: true, force: true });
    throw how === 'ENOENT' ? needMaven() : mavenFailed(maven.report(how));
  }
  await rename(partial, jars).catch(() => rm(partial, { recursive: true })); // another start was faster
  return jars;
}

const needMaven = () =>
  new Trouble(
    'Maven is needed to fetch Kafka once: install it (Debian, Ubuntu: apt install maven) and see that "mvn" is on the PATH',
    '首次获取 Kafka 需要 Maven：请安装（Debian、Ubuntu：apt install maven）并确认 mvn 在 PATH 中',
  );

function mavenFailed(output) {
  if (/JAVA_HOME|java: (command )?not found/i.test(output)) return needJava();
  if (/No space left/i.test(output)) return Object.assign(new Error(output), { code: 'ENOSPC' });
  const cause = /\[ERROR\] (.*)/.exec(output)?.[1] ?? output;
  return new Trouble(
    `Kafka could not be fetched from Maven Central: check the network and Maven's settings, then try again (${cause.slice(0, 300)})`,
    '无法从 Maven Central 获取 Kafka：请检查网络和 Maven 设置后重试',
  );
}

/**
 * TLS on every listener: members see the certificate that was given; on the others, which stay on the loopback, both sides show
 * one that the launcher has made.
 */
function tlsProperties({ keystore, ledger }) {
  const own = (name) => ({
    [`${name}ssl.keystore.type`]: 'PEM',
    [`${name}ssl.keystore.location`]: ledger.keystore,
    [`${name}ssl.truststore.type`]: 'PEM',
    [`${name}ssl.truststore.location`]: ledger.ca,
    [`${name}ssl.client.auth`]: 'required',
  });
  return {
    'listener.security.protocol.map': 'CONTROLLER:SSL,CLIENT:SASL_SSL,INTERNAL:SSL',
    'ssl.enabled.protocols': 'TLSv1.3,TLSv1.2',
    // A renewed certificate may say more or less of whom it is for; the launcher checks the name that is used.
    'ssl.allow.dn.changes': true,
    'ssl.allow.san.changes': true,
    'listener.name.client.ssl.keystore.type': 'PEM',
    'listener.name.client.ssl.keystore.location': keystore,
    ...own('listener.name.internal.'),
    ...own('listener.name.controller.'),
    'super.users': `User:${LEDGER_PRINCIPAL}`,
  };
}

/** One broker, its own controller; nothing but the ledger's tokens opens the CLIENT listener. */
function brokerProperties({ dir, ports: [client, controller, internal], jwksUrl, issuer, tls }) {
  const oauth = 'listener.name.client.oauthbearer.';
  const classes = 'org.apache.kafka.common.security.oauthbearer';
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `CLIENT://${tls?.bind ?? '127.0.0.1'}:${client},CONTROLLER://127.0.0.1:${controller},INTERNAL://127.0.0.1:${internal}`,
    'advertised.listeners': `CLIENT://${tls?.host ?? '127.0.0.1'}:${client},INTERNAL://127.0.0.1:${internal}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT',
    'listener.name.client.sasl.enabled.mechanisms': 'OAUTHBEARER',
    [`${oauth}sasl.server.callback.handler.class`]: `${classes}.OAuthBearerValidatorCallbackHandler`,
    [`${oauth}sasl.jaas.config`]: `${classes}.OAuthBearerLoginModule required;`,
    [`${oauth}sasl.oauthbearer.jwt.validator.class`]: `${classes}.BrokerJwtValidator`,
    [`${oauth}sasl.oauthbearer.jwks.endpoint.url`]: jwksUrl,
    [`${oauth}sasl.oauthbearer.expected.audience`]: 'liandun-kafka',
    [`${oauth}sasl.oauthbearer.expected.issuer`]: issuer,
    // A suspended member gets no new token: its open connection ends within a minute.
    [`${oauth}connections.max.reauth.ms`]: 50_000,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': false,
    // Whoever reaches the INTERNAL listener (loopback only) is ANONYMOUS: the ledger itself.
    'super.users': 'User:ANONYMOUS',
    'auto.create.topics.enable': false,
    'log.dirs': `${dir}/data`,
    'log.retention.check.interval.ms': 60_000,
    'log.index.size.max.bytes': 1_048_576,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    ...(tls ? tlsProperties(tls) : {}),
  };
}

const javaOptions = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xlog:cds=off',
  '-Xlog:cds+dynamic=off',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
];

async function prepare(dir) {
  await mkdir(`${dir}/data`, { recursive: true });
  const meta = `${dir}/data/meta.properties`;
  if (existsSync(meta)) {
    if (/^node\.id=1$/m.test(await readFile(meta, 'utf8'))) return;
    throw new Trouble(
      `Kafka's folder ${dir} is damaged (meta.properties): move it away; the worker fills the topics again`,
      `Kafka 文件夹 ${dir} 已损坏（meta.properties）：请将其移走，工作进程会重新写入各主题`,
    );
  }
  // What "kafka-storage format" would write, without starting a second JVM.
  await writeFile(meta, 'version=1\nnode.id=1\ncluster.id=bGlhbmR1bi1sb2NhbC0wMQ\n');
}

/**
 * Class-data sharing: the first orderly stop writes the archive, every later start reads it (4 s becomes 2 s). Done in one
 * go, since the launcher exits as soon as its services have.
 */
async function keepArchive(service, written, archive) {
  if (typeof (await service.ended) !== 'number' || !existsSync(written)) return;
  const partial = `${archive}.${process.pid}`;
  try {
    copyFileSync(written, partial);
    renameSync(partial, archive);
  } catch {
    rmSync(partial, { force: true });
  }
}

/**
 * Starts one Kafka broker, on the loopback unless `tls` has another host for members; its topics in `dir` survive restarts, also on other ports.
 * @param {{ dir: string, cache: string, ports: number[], jwks: string, issuer: string, tls?: object, log?: string }} options
 *   `ports` are the CLIENT, the controller's and the INTERNAL one; `jwks` is the file with the public keys of the tokens;
 *   `tls` is what `openTls` gives.
 */
export async function startKafka({ dir, cache, ports, jwks, issuer, tls, log }) {
  const jars = await kafkaJars(cache);
  await prepare(dir);
  const jwksUrl = `file:${jwks}`;
  const properties = Object.entries(brokerProperties({ dir, ports, jwksUrl, issuer, tls }));
  await writeFile(`${dir}/server.properties`, properties.map(([key, value]) => `${key}=${value}\n`).join(''));
  const archive = `${jars}.jsa`;
  const written = `${dir}/classes.jsa`;
  const shared = existsSync(archive);
  const args = [
    ...javaOptions,
    shared ? `-XX:SharedArchiveFile=${archive}` : `-XX:ArchiveClassesAtExit=${written}`,
    `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUrl}`,
    `-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${jwks}`,
    '-cp',
    `${jars}/*`,
    'kafka.Kafka',
    `${dir}/server.properties`,
  ];
  const service = await startUntil(/Kafka Server started/, 'kafka', 'java', args, { log, isServer: true }).catch(
    (error) => {
      throw /ended \(ENOENT\)|UnsupportedClassVersionError/.test(error.message) ? needJava() : error;
    },
  );
  if (!shared) void keepArchive(service, written, archive);
  return { ...service, brokers: `${tls?.host ?? '127.0.0.1'}:${ports[0]}`, internal: `127.0.0.1:${ports[2]}` };
}
