import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CloudEvent, Notice } from '@liandun/contracts';
import { InboxPublisher, kafkaClient, LiandunClient, type KafkaSettings } from '@liandun/sdk';
import { authority, type Authority, type Issued } from '@liandun/tls';
import { decodeJwt } from 'jose';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { get } from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureVersion } from 'node:tls';
import { promisify } from 'node:util';
import pg from 'pg';
import { until } from '../support/kafka.js';
import { causeOf, envOf, Launcher, shareJars } from '../support/launcher.js';
import { delisted, organization } from '../support/submissions.js';

const minutes = 60_000;
const root = join(import.meta.dirname, '../..');
// An address of this machine that others see, where it has one.
const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal);
const host = outside?.address ?? 'localhost';

let folder: string;
let home: string;
let own: Authority;
let other: Authority;
let launcher: Launcher;
let env: Record<string, string>;

const path = (name: string): string => join(folder, name);
const write = async (name: string, { cert, key }: Issued): Promise<void> => {
  await writeFile(path(`${name}.key`), key);
  await writeFile(path(`${name}.pem`), cert);
};
const options = (cert: string, key = cert, more = ['--host', host]): string[] => [
  '--tls-cert',
  path(`${cert}.pem`),
  '--tls-key',
  path(`${key}.key`),
  '--tls-ca',
  path('ca.pem'),
  ...more,
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liandun-test-'));
  await chmod(folder, 0o755);
  home = await mkdtemp(join(folder, 'home-'));
  await chmod(home, 0o755);
  await shareJars(home);
  own = await authority('the test’s authority');
  other = await authority('another authority');
  await writeFile(path('ca.pem'), own.cert);
  const ago = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  await write('ledger', await own.issue({ name: 'ledger', hosts: [host] }));
  await write('expired', await own.issue({ name: 'ledger', hosts: [host], notBefore: ago(9), notAfter: ago(1) }));
  await write('foreign', await other.issue({ name: 'ledger', hosts: [host] }));
  await write('elsewhere', await own.issue({ name: 'ledger', hosts: ['ledger.example'] }));
}, minutes);

afterAll(async () => {
  launcher?.kill('SIGINT');
  await launcher?.ended;
  await rm(folder, { recursive: true, force: true });
}, minutes);

describe('what is wrong with a certificate is said in one line with the remedy', () => {
  const cases: [string, () => string[], RegExp][] = [
    ['outside loopback without one', () => ['--host', host === 'localhost' ? '0.0.0.0' : host], /--tls-cert FILE/],
    ['without its key', () => ['--tls-cert', path('ledger.pem')], /give both --tls-cert FILE and --tls-key FILE/],
    ['with a file that is missing', () => options('none'), /none\.pem can't be read \(ENOENT\)/],
    ['with the key of another', () => options('ledger', 'expired'), /expired\.key doesn't belong to/],
    ['expired', () => options('expired'), /expired on \d{4}-\d\d-\d\d: renew it/],
    ['for another name', () => options('elsewhere'), /is not for .* but for DNS:ledger\.example/],
    ['for no name of the loopback', () => options('elsewhere', 'elsewhere', []), /-- --host NAME/],
    ['of another authority', () => options('foreign'), /no trusted authority has issued/],
  ];
  test.each(cases)('%s', async (_, args, cause) => {
    const state = await mkdtemp(join(folder, 'refused-'));
    expect(await causeOf(new Launcher(state, args()))).toMatch(cause);
  }, minutes); // prettier-ignore
});

/** The TLS version of a handshake that the ledger's authority vouches for; throws what either side says. */
async function handshake(
  port: number,
  version?: SecureVersion,
  ca = own.cert,
): Promise<{ version: string; serial: string }> {
  return new Promise((resolve, reject) => {
    const limits = version ? { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } : {};
    const socket = connect({ host, port, ca, ...limits }, () => {
      resolve({ version: socket.getProtocol() ?? '', serial: socket.getPeerX509Certificate()?.serialNumber ?? '' });
      socket.destroy();
    });
    socket.on('error', reject).setTimeout(10_000, () => socket.destroy(new Error('no answer')));
  });
}

const portOf = (address: string): number => Number(new URL(address).port);
const httpPort = (): number => portOf(env['LIANDUN_URL']!);
const kafkaPort = (): number => portOf(`https://${env['KAFKA_BROKERS']}`);

async function memberClient(memberId: string, ca = own.cert): Promise<LiandunClient> {
  const keyFile = env[`${memberId.toUpperCase().replaceAll('-', '_')}_KEY`]!;
  const key = JSON.parse(await readFile(keyFile, 'utf8')) as ConstructorParameters<typeof LiandunClient>[0]['key'];
  return new LiandunClient({ url: env['LIANDUN_URL']!, memberId, key, ca, attemptsMax: 2 });
}

/** Whether a broker answers; a client that isn't let in never hears from it. */
async function answers(settings: KafkaSettings): Promise<boolean> {
  const admin = kafkaClient(settings).admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    await admin.listTopics();
    return true;
  } catch (error) {
    // Anything else would be a mistake of the test's.
    expect((error as Error).name).toMatch(/^KafkaJS/);
    return false;
  } finally {
    await admin.disconnect();
  }
}

/** The topics that a client of the ledger's own listener may see. */
async function topicsFor(settings: KafkaSettings): Promise<string[]> {
  const admin = kafkaClient(settings).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe('under TLS, on an address that others see', () => {
  beforeAll(async () => {
    launcher = new Launcher(home, options('ledger'));
    await launcher.saw(/liandun -- tail/);
    env = await envOf(home);
  }, 5 * minutes);

  test('the main job is done', () => {
    expect(launcher.output).toMatch(/all +70 +27 +26 +1 +2 /);
    expect(env).toMatchObject({ LIANDUN_URL: `https://${host}:${httpPort()}`, KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' });
  });

  test(
    'nobody comes in the clear, to any port',
    async () => {
      const url = env['LIANDUN_URL']!.replace('https', 'http');
      await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
      const token = async (): Promise<string> => (await memberClient('platform-a')).token('liandun-kafka');
      expect(await answers({ brokers: env['KAFKA_BROKERS']!, clientId: 'plain', token })).toBe(false);
      const listeners = [
        ...(await readFile(join(home, 'kafka/server.properties'), 'utf8')).matchAll(/([A-Z]+):\/\/[^:]+:(\d+)/g),
      ];
      const ports = new Map(listeners.map(([, name, port]) => [name, Number(port)]));
      expect(new Set(ports.keys())).toEqual(new Set(['CLIENT', 'CONTROLLER', 'INTERNAL']));
      for (const port of ports.values()) {
        expect(await answers({ brokers: `127.0.0.1:${port}`, clientId: 'plain' })).toBe(false);
      }
      const { hostname, port } = new URL(env['DATABASE_URL']!);
      const plain = new pg.Client({
        host: hostname,
        port: Number(port),
        user: 'liandun',
        database: 'liandun',
        ssl: false,
      });
      await expect(plain.connect()).rejects.toThrow(/no encryption/);
    },
    minutes,
  );

  test(
    'nobody is the ledger to Kafka without the ledger’s certificate',
    async () => {
      const text = await readFile(join(home, 'kafka/server.properties'), 'utf8');
      const brokers = /INTERNAL:\/\/(127\.0\.0\.1:\d+)/.exec(text)![1]!;
      const read = (name: string): Promise<string> => readFile(join(home, 'tls', name), 'utf8');
      const [ca, cert, key] = await Promise.all([read('local-ca.pem'), read('ledger.pem'), read('ledger.key')]);
      expect(await topicsFor({ brokers, clientId: 'ledger', ssl: { ca, cert, key } })).toContain('notices.platform-a');
      const [hostCert, hostKey] = await Promise.all([read('local.pem'), read('local.key')]);
      const strangers = [{ ca }, { ca, ...(await other.issue({ name: 'liandun-ledger', hosts: [host] })) }];
      for (const ssl of strangers) expect(await answers({ brokers, clientId: 'x', ssl })).toBe(false);
      // The programs of members on this machine have this one: they are let in as nobody with any right.
      expect(await topicsFor({ brokers, clientId: 'x', ssl: { ca, cert: hostCert, key: hostKey } })).toEqual([]);
    },
    minutes,
  );

  test(
    'a client that trusts another authority refuses',
    async () => {
      const client = await memberClient('platform-a', other.cert);
      await expect(client.token()).rejects.toMatchObject({ code: 'UNTRUSTED_SERVER', retriable: false });
      const token = async (): Promise<string> => (await memberClient('platform-a')).token('liandun-kafka');
      const ssl = { ca: other.cert };
      expect(await answers({ brokers: env['KAFKA_BROKERS']!, clientId: 'x', token, ssl })).toBe(false);
    },
    minutes,
  );

  test.each<[SecureVersion, boolean]>([
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ])('%s is taken: %p', async (version, taken) => {
    for (const port of [httpPort(), kafkaPort()]) {
      const shaken = handshake(port, version).catch(() => undefined);
      expect((await shaken)?.version).toBe(taken ? version : undefined);
    }
    expect((await handshake(httpPort())).version).toBe('TLSv1.3');
  });

  test('tokens are of the https address, and answers keep browsers to it', async () => {
    const client = await memberClient('platform-a');
    expect(decodeJwt(await client.token()).iss).toBe(env['LIANDUN_URL']);
    const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
      const request = get(`${env['LIANDUN_URL']}/health/live`, { ca: own.cert }, (answer) => {
        answer.resume();
        resolve(answer.headers);
      });
      request.on('error', reject);
    });
    expect(headers).toMatchObject({
      'strict-transport-security': expect.stringMatching(/^max-age=\d{8}$/),
      'x-content-type-options': 'nosniff',
    });
  });

  test(
    'doctor reads the certificate, and says of a foreign one what to do',
    async () => {
      const script = join(root, 'dist/apps/cli/src/main.js');
      const run = async (...args: string[]) => {
        const given = { ...process.env, ...env, LIANDUN_HOME: home, LANG: 'C' };
        const { stdout } = await promisify(execFile)(process.execPath, [script, 'doctor', '--as', 'platform-b', '--json', ...args], { env: given }).catch((error: { stdout: string }) => error); // prettier-ignore
        const { findings } = JSON.parse(stdout) as { findings: { name: string; status: string; detail: string }[] };
        return new Map(findings.map(({ name, ...finding }) => [name, finding]));
      };
      const found = await run();
      expect(found.get('tls')).toMatchObject({
        status: 'ok',
        detail: expect.stringMatching(/TLSv1\.3, until 20.*36\d days/),
      });
      expect(found.get('kafka')).toMatchObject({ status: 'ok' });
      await writeFile(path('other.pem'), other.cert);
      expect((await run('--ca', path('other.pem'))).get('tls')).toMatchObject({ status: 'fail' });
    },
    minutes,
  );

  test(
    'a renewed certificate serves HTTP and Kafka, and no stream of notices ends for it',
    async () => {
      const reader = await memberClient('platform-c');
      const last = (await reader.notices(-1, 1_000)).items.at(-1)?.data.seq ?? -1;
      const stop = new AbortController();
      const received: CloudEvent<Notice>[] = [];
      const problems: Error[] = [];
      const streaming = (async () => {
        const stream = reader.streamNotices(last, stop.signal);
        for await (const notice of stream) received.push(notice);
      })().catch((error: Error) => problems.push(error));
      const publisher = await new InboxPublisher({ client: await memberClient('platform-a'), brokers: env['KAFKA_BROKERS']!, ssl: true }).open(); // prettier-ignore
      const delist = async (serial: number): Promise<void> => {
        const [receipt] = await publisher.publish([
          delisted('platform-a', `m-${serial}`, organization(serial)) as CloudEvent,
        ]);
        expect(receipt).toMatchObject({ status: 'accepted' });
      };
      await delist(401);
      await until('a notice has come', () => received.length === 1);

      const before = await handshake(httpPort());
      // A key that was written before its certificate is not taken.
      await writeFile(path('ledger.key'), (await other.issue({ name: 'x', hosts: [host] })).key);
      const renewed = await own.issue({ name: 'ledger', hosts: [host, 'ledger.example'] });
      await until('the mistake is noticed', async () =>
        /doesn't belong/.test(await readFile(join(home, 'api.log'), 'utf8')),
      );
      expect(await handshake(httpPort())).toEqual(before);
      await write('ledger', renewed);
      // Each of the broker's network threads takes it for itself: one of the next connections may meet the other.
      const ports = [httpPort(), ...Array.from({ length: 8 }, kafkaPort)];
      const serials = (): Promise<string[]> => Promise.all(ports.map(async (port) => (await handshake(port)).serial));
      const { serialNumber } = new X509Certificate(renewed.cert);
      await until('both serve the new one', async () => (await serials()).every((serial) => serial === serialNumber));

      await delist(402);
      await until('the next notice has come', () => received.length === 2);
      stop.abort();
      await streaming;
      await publisher.close();
      expect(received.map(({ data }) => data.seq)).toEqual([last + 1, last + 2]);
      expect(problems).toEqual([]);
      // The stream of before was one request: had it been opened again, the log of the api would have its end.
      const log = (await readFile(join(home, 'api.log'), 'utf8')).split('\n');
      const renewal = log.findIndex((line) => line.includes('a new certificate serves'));
      const ends = log.findIndex((line) => line.includes('"/v1/notices/stream"') && line.includes('platform-c'));
      expect(renewal).toBeGreaterThan(-1);
      expect(ends === -1 || ends > renewal).toBe(true);
    },
    2 * minutes,
  );
});
