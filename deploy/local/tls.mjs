import { createPrivateKey } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { writeWhole } from './keys.mjs';
import { Trouble } from './trouble.mjs';

/** Who the ledger is on its own Kafka listener: no member's id looks so, since members come by token. */
export const LEDGER_PRINCIPAL = 'CN=liandun-ledger';

// Kafka's number for the configuration of a broker.
const BROKER = 4;

const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost'];

const onProblem = (error) => console.error(`✗ ${error.message}`);

/** Kafka reads a key as PKCS #8 only, and with its chain from one file. */
async function writeKeystore(path, { cert, key }) {
  const pkcs8 = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' });
  await writeWhole(path, pkcs8.toString() + cert, 0o600);
  return path;
}

/** What certificates are for the programs of this machine among themselves: names that never leave it, keys made anew by each start. */
async function privateCertificates({ authority }, folder) {
  const own = await authority('liandun.local');
  const write = async (file, name) => {
    const issued = await own.issue({ name, hosts: ['localhost', '127.0.0.1', '::1'] });
    const paths = { cert: `${folder}/${file}.pem`, key: `${folder}/${file}.key`, ca: `${folder}/local-ca.pem` };
    await writeWhole(paths.cert, issued.cert);
    await writeWhole(paths.key, issued.key, 0o600);
    return { ...paths, keystore: await writeKeystore(`${folder}/${file}-keystore.pem`, issued) };
  };
  await writeWhole(`${folder}/local-ca.pem`, own.cert);
  return { ledger: await write('ledger', 'liandun-ledger'), local: await write('local', 'localhost') };
}

const noSuchName = (cert) =>
  new Trouble(
    `${cert} is for neither 127.0.0.1 nor localhost: give the name under which the ledger is reached, -- --host NAME`,
    `${cert} 不适用于 127.0.0.1 或 localhost：请用 -- --host 名称 指定访问账本所用的名称`,
  );

/** The name under which clients come: the one given, else the loopback's as the certificate has it. */
function hostOf(tls, files, given) {
  for (const host of given ? [given] : LOOPBACK_HOSTS) {
    try {
      return { host, server: tls.readServerTls(files, host) };
    } catch (error) {
      if (error.code !== 'WRONG_NAME' || given) throw new Trouble(error.english ?? error.message, error.chinese ?? '');
    }
  }
  throw noSuchName(files.cert);
}

/** Where clients come without TLS; outside loopback that is refused. */
export function plainHost(host) {
  if (!host || LOOPBACK_HOSTS.includes(host)) return host || '127.0.0.1';
  throw new Trouble(
    `--host ${host} is outside loopback: give a certificate too, -- --tls-cert FILE --tls-key FILE [--tls-ca FILE]`,
    `--host ${host} 不是本机回环地址：请同时提供证书 -- --tls-cert 文件 --tls-key 文件 [--tls-ca 文件]`,
  );
}

const pathOf = (name) => resolve(process.env.INIT_CWD ?? process.cwd(), name);

/** @returns the files as they were named, from the folder in which npm was called; undefined where none is */
export function tlsFiles({ cert, key, ca }) {
  if (!cert && !key && !ca) return undefined;
  if (!cert || !key) {
    throw new Trouble(
      'a certificate and its key are needed: give both --tls-cert FILE and --tls-key FILE (PEM)',
      '需要证书及其私钥：请同时提供 --tls-cert 文件 与 --tls-key 文件（PEM）',
    );
  }
  return { cert: pathOf(cert), key: pathOf(key), ca: ca && pathOf(ca) };
}

/**
 * Checks the certificate that clients will see, and makes those that the programs of this machine show one another.
 * @param {{ root: string, home: string, files: { cert: string, key: string, ca?: string }, host?: string }} options
 *   `root` has been built
 */
export async function openTls({ root, home, files, host: given }) {
  const tls = await import(`${root}dist/libs/tls/src/index.js`);
  const { host, server } = hostOf(tls, files, given);
  const folder = `${home}/tls`;
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const keystore = await writeKeystore(`${folder}/kafka-keystore.pem`, server);
  const own = await privateCertificates(tls, folder);
  const texts = [own.local.ca, files.ca, process.env.NODE_EXTRA_CA_CERTS].filter(Boolean);
  const trusted = await Promise.all(texts.map((path) => readFile(path, 'utf8')));
  const trust = `${folder}/trust.pem`;
  await writeWhole(trust, trusted.join('\n'));
  setDefaultCACertificates([...getCACertificates('default'), ...trusted]);
  const bind = LOOPBACK_HOSTS.includes(host) ? '127.0.0.1' : '0.0.0.0';
  const follow = (onChange) =>
    tls.followCertificate(
      files,
      (renewed) => void writeKeystore(keystore, renewed).then(onChange).catch(onProblem),
      onProblem,
      host,
    );
  return { host, bind, files, keystore, trust, follow, ...own };
}

/** Lets the broker take its renewed keystore: told the path that it has already, it reads the file again. Nothing stays set. */
export async function renewBroker({ root, broker, tls }) {
  const { kafkaClient } = await import(`${root}dist/libs/sdk/src/index.js`);
  const [ca, cert, key] = await Promise.all(
    [tls.ledger.ca, tls.ledger.cert, tls.ledger.key].map((path) => readFile(path, 'utf8')),
  );
  const admin = kafkaClient({ brokers: broker.internal, clientId: 'liandun-launcher', ssl: { ca, cert, key } }).admin();
  await admin.connect();
  try {
    const entry = { name: 'listener.name.client.ssl.keystore.location', value: tls.keystore };
    for (const configEntries of [[entry], []]) {
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: BROKER, name: '1', configEntries }] });
    }
  } finally {
    await admin.disconnect();
  }
}
