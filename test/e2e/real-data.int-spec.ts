import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CloudEvent, Receipt } from '@liandun/contracts';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun, type Ran } from '../../apps/cli/src/testing/terminal.js';
import { drawn } from '../support/drawn.js';
import { feedOf, listingOf, openStores, Platform, type Stores } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, organization, reported } from '../support/submissions.js';

// Records that were built on real registrations, beside the checkout. REAL_DATA=full takes the sixty thousand.
const shared = process.env['LIANDUN_SHARED'] ?? resolve(import.meta.dirname, '../../../shared');
const size = process.env['REAL_DATA'] ?? 'small';
const file = join(shared, 'data/identity', `${size}.jsonl.gz`);
const describeWhereThere = existsSync(file) ? describe : describe.skip;

const PLATFORMS = ['real-a', 'real-b', 'real-c', 'real-d', 'real-e'];
const [SENDER, ...OTHERS] = PLATFORMS as [string, ...string[]];
const REGULATOR = 'real-regulator';
const MERCHANTS = 10;

interface Totals {
  finished: boolean;
  rows: number;
  accepted: number;
  held: number;
  duplicate: number;
  rejected: number;
  rowsPerSecond: number;
}

describeWhereThere(`${size}.jsonl.gz of LIANDUN_SHARED (skipped where that is missing)`, () => {
  let product: Product;
  let stores: Stores;
  let folder: string;
  const env: Record<string, string> = {};
  const platforms: Platform[] = [];
  const serial = drawn(1_000, 900_000);
  const identityOf = (n: number): object => organization(serial + n);
  const accountAt = (memberId: string, n: number): string => `fictional-${n}-${memberId}`;

  beforeAll(async () => {
    const members = PLATFORMS.map((memberId) => ({ memberId, role: 'platform' as const }));
    product = await Product.start([...members, { memberId: REGULATOR, role: 'regulator' }]);
    stores = await openStores();
    folder = await mkdtemp(join(tmpdir(), 'liandun-test-real-'));
    for (const memberId of PLATFORMS) {
      env[keyVariable(memberId)] = join(folder, `${memberId}.jwk`);
      await writeFile(join(folder, `${memberId}.jwk`), JSON.stringify(product.keys.get(memberId)));
      platforms.push(await Platform.open(product, memberId, memberId === SENDER ? 'feed' : 'kafka', stores));
    }
    env['LIANDUN_URL'] = product.url;
  }, 180_000);

  afterAll(async () => {
    await Promise.all(platforms.map((each) => each.close()));
    await stores?.drop();
    await product?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  const accepted = (receipts: Receipt[]): Receipt[] => {
    expect(receipts.filter(({ status }) => status !== 'accepted')).toEqual([]);
    return receipts;
  };

  /** Imports the file over the five platforms, by the platform that each record names. */
  async function importFile(): Promise<Ran> {
    const split = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'].map((from, n) => `${from}=${PLATFORMS[n % PLATFORMS.length]}`);
    const rejected = join(folder, 'rejected.jsonl');
    const options = ['--by-member', split.join(','), '--drop-invalid', '--rejected', rejected, '--json'];
    return liandun(['import', file, ...options], { env, cwd: folder });
  }

  test('all is imported but what has no name, and again it is all duplicates', async () => {
    const records = gunzipSync(await readFile(file))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { identity: { name?: string } });
    const nameless = records.filter(({ identity }) => !identity.name).length;
    const first = JSON.parse((await importFile()).out) as Totals;
    expect(first).toMatchObject({ finished: true, rows: records.length, rejected: nameless, held: 0 });
    expect(first.accepted + first.duplicate).toBe(records.length - nameless);
    if (size === 'full') process.stdout.write(`${first.rows} rows imported, ${first.rowsPerSecond} rows/s\n`);
    const second = JSON.parse((await importFile()).out) as Totals;
    expect(second).toMatchObject({ rows: records.length, accepted: 0, rejected: nameless });
  }, 900_000);

  test('of ten fictional merchants among them one is delisted: his shops close elsewhere, and nobody hears of anything else', async () => {
    for (const { memberId, client } of platforms) {
      const merchants = Array.from({ length: MERCHANTS }, (_, n) =>
        reported(memberId, accountAt(memberId, n), identityOf(n)),
      );
      accepted(await client.publish(merchants as CloudEvent[]));
    }
    const event = delisted(SENDER, accountAt(SENDER, 3), identityOf(3)) as CloudEvent;
    const [receipt] = accepted(await product.client(SENDER).publish([event]));
    const listing = listingOf(receipt as Receipt);
    await product.settled(600_000);
    for (const platform of platforms.filter(({ memberId }) => OTHERS.includes(memberId))) {
      const account = accountAt(platform.memberId, 3);
      const notice = await platform.told(listing, 'close');
      expect(notice).toMatchObject({ merchantIds: [account], shops: [{ shopId: `${account}-s1` }] });
      expect(await platform.closed()).toEqual([`${account}-s1`]);
      expect(await feedOf(platform.client)).toHaveLength(1);
    }
    expect(await feedOf(product.client(SENDER))).toEqual([]);
    const why = { purpose: 'supervision', caseNo: '2020-17' };
    const coverage = await product.client(REGULATOR).coverage(listing, why);
    expect(coverage).toMatchObject({ told: OTHERS.length, instancesTold: OTHERS.length, silent: OTHERS.length });
  }, 900_000);
});
