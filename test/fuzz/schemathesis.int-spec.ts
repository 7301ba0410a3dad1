import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeResidentId, memberSource, type CloudEvent, type Receipt } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import { listingOf } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, organization, person, reported } from '../support/submissions.js';
import { fuzz, schemathesis } from './fuzz.js';

// "npm run fuzz" asks for ten minutes, with other requests each time; without it they are the same, so that a failure is one again.
const ASKED = process.env['LIANDUN_FUZZ_SECONDS'];
const SECONDS = Number(ASKED ?? 45);
const SEED = ASKED === undefined ? { seed: 20200203 } : {};
const PLATFORM = 'fuzz-platform';
const REGULATOR = 'fuzz-regulator';
const AUDITED = { 'Liandun-Purpose': 'supervision', 'Liandun-Case': '2020-17' };

const program = await schemathesis();
if ('missing' in program) console.warn(`schemathesis is skipped: ${program.missing}`);
const path = 'path' in program ? program.path : '';

let product: Product;
let known: Record<string, string[]>;

/** Something to find behind each kind of address. */
async function settle(): Promise<Record<string, string[]>> {
  const client = product.client(PLATFORM);
  const events = [0, 1, 2].flatMap((n) => [
    reported(PLATFORM, `m-${n}`, n === 0 ? person(n) : organization(n)),
    delisted(PLATFORM, `d-${n}`, organization(n + 10)),
  ]) as CloudEvent[];
  const receipts: Receipt[] = await client.publish(events);
  await product.settled();
  const { items } = await client.get<{ items: { entityId?: string }[] }>('/v1/audit/events?limit=100');
  const erasure = {
    identifiers: { residentId: makeResidentId('990101', '19900101', 0) },
    basis: 'purposeEnded',
    requestId: randomUUID(),
  };
  const { approvalId } = await client.post<{ approvalId: string }>('/v1/erasures', erasure);
  return {
    entityId: [...new Set(items.flatMap(({ entityId }) => entityId ?? []))],
    listingId: receipts.filter((_, n) => n % 2 === 1).map(listingOf),
    source: [memberSource(PLATFORM)],
    id: events.map(({ id }) => id),
    approvalId: [approvalId],
    level: ['0'],
    tile: ['000.p/4', '000.p/8'],
  };
}

const tried = path === '' ? describe.skip : describe;

// Every answer but 429 is tried: with the usual limits there would soon be no other.
const MANY = 100_000_000;
const LIMITS = {
  rates: Object.fromEntries(['events', 'read', 'write', 'screening', 'token', 'public'].map((rate) => [rate, MANY])),
  identifiersPerDay: MANY,
  missesPerDay: MANY,
};

beforeAll(async () => {
  if (path === '') return;
  const members = [
    { memberId: PLATFORM, role: 'platform' as const },
    { memberId: REGULATOR, role: 'regulator' as const },
  ];
  product = await Product.start(members, undefined, undefined, {}, LIMITS);
  known = await settle();
}, 180_000);

afterAll(() => product?.stop());

tried('schemathesis finds', () => {
  test.each([PLATFORM, REGULATOR, 'admin-2'])(
    'no 5xx and no word against the OpenAPI document, asked by %s',
    async (memberId) => {
      const headers = memberId === REGULATOR ? AUDITED : {};
      const token = (): Promise<string> => product.client(memberId).token();
      const { code, output } = await fuzz({
        path,
        url: product.url,
        seconds: SECONDS / 3,
        token,
        known,
        headers,
        ...SEED,
      });
      // Its report is what has to be mended.
      expect({ code, report: code === 0 ? '' : output }).toEqual({ code: 0, report: '' });
    },
    (SECONDS + 120) * 1_000,
  );
});
