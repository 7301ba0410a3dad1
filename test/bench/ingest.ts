// How much of what validation, sealing and appending can do arrives over HTTP.
import { signEvent } from '@liandun/commitments';
import {
  makeUscc,
  memberSource,
  parseStrictJson,
  SUBMITTED_TYPES,
  type CloudEvent,
  type MemberKey,
} from '@liandun/contracts';
import { EventLog, migrate } from '@liandun/event-log';
import { Intake } from '@liandun/intake';
import { generateVaultKeys, Vault, VAULT_RIDER, vaultRider } from '@liandun/vault';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { asApp, createTestDatabase } from '../support/database.js';
import { ALL_MIGRATIONS } from '../support/ledger.js';
import { Product, type Servers } from '../support/product.js';
import type { BenchResult } from './result.js';
import { median } from './statistics.js';

const EVENTS = 20_000;
const SIGNED_EVENTS = 5_000;
const ROUNDS = 3;
const AIM = 0.6;
const SUBMITTED_TOGETHER = 500;
const AT_ONCE = 4;
const MEMBER = 'bench-ingest';

/** Reports of merchants as a platform sends them: an organization with a representative, a phone and two shops. */
function lines(round: string): string[] {
  return Array.from({ length: EVENTS }, (_, n) =>
    JSON.stringify({
      specversion: '1.0',
      id: `${round}-${n}`,
      source: memberSource(MEMBER),
      type: SUBMITTED_TYPES.merchantReported,
      time: '2026-01-05T09:30:00+08:00',
      data: {
        merchantId: `m-${n}`,
        identity: {
          kind: 'organization',
          name: `虚构贸易第${n}有限公司`,
          uscc: makeUscc('990101', n),
          legalRepresentative: { name: '虚构人' },
          phones: [`139${String(n).padStart(8, '0')}`],
          address: `示例省示例市示例路${n}号`,
          regionCode: '110101',
        },
        shops: [1, 2].map((shop) => ({ shopId: `s-${n}-${shop}`, name: `店${shop}`, url: 'https://shop.example/s' })),
        status: 'active',
      },
    }),
  );
}

async function overHttp(product: Product, body: string[]): Promise<number> {
  const token = await product.client(MEMBER).token();
  const began = performance.now();
  const call = request(`${product.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
  });
  const answered = once(call, 'response');
  const send = async (): Promise<void> => {
    for (let n = 0; n < body.length; n += 200) {
      if (!call.write(`${body.slice(n, n + 200).join('\n')}\n`)) await once(call, 'drain');
    }
    call.end();
  };
  const sending = send();
  const [response] = (await answered) as [import('node:http').IncomingMessage];
  let accepted = 0;
  for await (const line of createInterface({ input: response })) {
    if ((JSON.parse(line) as { status: string }).status === 'accepted') accepted += 1;
  }
  await sending;
  if (accepted !== body.length) throw new Error(`${accepted} of ${body.length} events were accepted over HTTP`);
  return body.length / ((performance.now() - began) / 1000);
}

/** As the api reads a line. */
function read(line: string): unknown {
  const parsed = parseStrictJson(line);
  if ('refused' in parsed) throw new Error(parsed.refused.code);
  return parsed.value;
}

const KEY = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'bench-1' };
const { d: _private, ...PUBLIC_KEY } = KEY;

/** Lines with their signatures, and how many a second the SDK makes. */
async function signed(body: string[]): Promise<{ body: string[]; rate: number }> {
  const began = performance.now();
  const out: string[] = [];
  for (const line of body) out.push(JSON.stringify(await signEvent(JSON.parse(line) as CloudEvent, KEY)));
  return { body: out, rate: body.length / ((performance.now() - began) / 1000) };
}

async function inOneProcess(intake: Intake, body: string[]): Promise<number> {
  const began = performance.now();
  let accepted = 0;
  const groups = Array.from({ length: Math.ceil(body.length / SUBMITTED_TOGETHER) }, (_, n) => n);
  const work = async (): Promise<void> => {
    for (let n = groups.shift(); n !== undefined; n = groups.shift()) {
      const raws = body.slice(n * SUBMITTED_TOGETHER, (n + 1) * SUBMITTED_TOGETHER);
      const parsed = raws.map(read);
      const receipts = await intake.submitAll({ memberId: MEMBER, role: 'platform' }, parsed);
      accepted += receipts.filter(({ status }) => status === 'accepted').length;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (accepted !== body.length) throw new Error(`${accepted} of ${body.length} events were accepted in one process`);
  return body.length / ((performance.now() - began) / 1000);
}

/** NDJSON over HTTP to the api's process, against validation, sealing and append in this one, turn by turn. */
export async function run(servers: Servers): Promise<BenchResult> {
  const product = await Product.start([{ memberId: MEMBER, role: 'platform' }], servers, ['api']);
  const { url, drop } = await createTestDatabase(servers.databaseUrl);
  await migrate(url, ALL_MIGRATIONS);
  const pool = new pg.Pool({ connectionString: asApp(url), max: 4 });
  const log = new EventLog({ pool, riders: { [VAULT_RIDER]: vaultRider } });
  const intake = new Intake({
    log,
    vault: new Vault(generateVaultKeys()),
    clock: () => new Date(),
    keysOf: async () => [PUBLIC_KEY as MemberKey],
  });
  const http: number[] = [];
  const composed: number[] = [];
  const signing: number[] = [];
  const verified: number[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      const body = lines(`r${round}`);
      const limit = await inOneProcess(intake, body);
      const measured = await overHttp(product, body);
      const { body: vouched, rate } = await signed(lines(`s${round}`).slice(0, SIGNED_EVENTS));
      const verifying = await inOneProcess(intake, vouched);
      if (round === 0) continue; // the first warms up
      composed.push(limit);
      http.push(measured);
      signing.push(rate);
      verified.push(verifying);
    }
  } finally {
    await log.close();
    await pool.end();
    await drop();
    await product.stop();
  }
  const limit = median(composed);
  const ratio = median(http.map((value, n) => value / (composed[n] ?? value)));
  return {
    name: 'ingest',
    title: `${EVENTS} merchant reports as NDJSON over HTTP, against the same in one process`,
    rows: [
      { what: 'in one process', 'events/s': Math.round(limit), ratio: 1, aim: '' },
      { what: 'NDJSON over HTTP', 'events/s': Math.round(median(http)), ratio: Number(ratio.toFixed(2)), aim: AIM },
      {
        what: 'in one process, each signed',
        'events/s': Math.round(median(verified)),
        ratio: Number((median(verified) / limit).toFixed(2)),
        aim: '',
      },
      { what: 'signing in the SDK alone', 'events/s': Math.round(median(signing)), ratio: '', aim: '' },
    ],
    json: { http, composed, ratio, verified, signing },
  };
}
