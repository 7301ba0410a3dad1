import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  memberSource,
  SUBMITTED_TYPES,
  type CloudEvent,
  type DispositionDecision,
  type Receipt,
} from '@liandun/contracts';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { POLICY } from '../../apps/api/src/policy.js';
import { drawn } from '../support/drawn.js';
import { until } from '../support/kafka.js';
import { feedOf, listingOf } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, ending, organization, reported, shopOf } from '../support/submissions.js';

// The publisher, two that host the merchant, one that doesn't; how they decide is nobody's business but theirs.
const [PUBLISHER, HOST, OTHER, STRANGER, REGULATOR] = ['odd-a', 'odd-b', 'odd-c', 'odd-d', 'odd-regulator'];
const READERS = [PUBLISHER, OTHER, STRANGER];
const WHY = { 'liandun-purpose': 'supervision', 'liandun-case': '2020-17' };
const serial = drawn(100_000, 800_000);

let product: Product;
/** A delisting of a merchant that others host, and one of a merchant that nobody else has. */
const cases = {
  hit: { merchantId: 'merchant-hit-', id: 'delisting-hit-', identity: organization(serial) },
  miss: { merchantId: 'merchant-miss', id: 'delisting-miss', identity: organization(serial + 7) },
};
type Case = keyof typeof cases;
const KINDS: Case[] = ['hit', 'miss'];
const entityOf = new Map<string, string>();
const listings = new Map<Case, string>();

interface Answer {
  status: number;
  headers: [string, string][];
  body: string;
}
const IGNORED = new Set(['date', 'ratelimit', 'connection', 'keep-alive']);

async function call(
  memberId: string,
  method: string,
  path: string,
  body?: object,
  type = 'application/json',
): Promise<Answer> {
  const authorization = `Bearer ${await product.client(memberId).token()}`;
  const answer = await fetch(`${product.url}${path}`, {
    method,
    headers: { authorization, ...(memberId === REGULATOR && WHY), ...(body && { 'content-type': type }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const bare = withoutProof(text);
  // A proof is as long as the log is high.
  const headers = [...answer.headers].filter(
    ([name]) => !IGNORED.has(name) && (bare === text || name !== 'content-length'),
  );
  return { status: answer.status, headers, body: bare };
}

/** A proof leads to the newest checkpoint, which is everybody's and grows with every entry: here it says nothing. */
const withoutProof = (body: string): string =>
  body.replaceAll(/"c2sp\.org\/tlog-proof[^"]*"/g, '"(proof)"').replace(/^c2sp\.org\/tlog-proof[^]*$/, '(proof)');

const published = new Map<Case, Answer>();
beforeAll(async () => {
  const platforms = [PUBLISHER, HOST, OTHER, STRANGER].map((memberId) => ({ memberId, role: 'platform' as const }));
  product = await Product.start([...platforms, { memberId: REGULATOR, role: 'regulator' }]);
  for (const host of [HOST, OTHER])
    await product
      .client(host)
      .publish(reported(host, `${host}-1`, cases.hit.identity, { shops: [shopOf(`${host}-s`)] }) as CloudEvent);
  // Once those are matched, the delistings find them.
  await until('the merchants are known', async () => (await entityId(HOST, `${HOST}-1`)) !== undefined);
  for (const kind of KINDS) {
    const { merchantId, id, identity } = cases[kind];
    const event = delisted(PUBLISHER, merchantId, identity, { id });
    published.set(kind, await call(PUBLISHER, 'POST', '/v1/events', event, 'application/cloudevents+json'));
    listings.set(kind, listingOf(JSON.parse(published.get(kind)!.body) as Receipt));
  }
  // Two of the first, one of the second that nobody hosts: those that don't host are told of both.
  for (const memberId of [HOST, OTHER, STRANGER])
    await until(`${memberId} is told`, async () => (await feedOf(product.client(memberId))).length >= 2);
  for (const [memberId, merchantId] of [
    [PUBLISHER, cases.hit.merchantId],
    [PUBLISHER, cases.miss.merchantId],
    [OTHER, `${OTHER}-1`],
  ] as const)
    entityOf.set(merchantId, (await entityId(memberId, merchantId)) ?? 'unknown');
}, 180_000);
afterAll(async () => product?.stop());

async function entityId(memberId: string, merchantId: string): Promise<string | undefined> {
  const { body } = await call(REGULATOR, 'GET', `/v1/audit/events?member=${memberId}&limit=1000`);
  const { items } = JSON.parse(body) as { items: { entityId?: string; entry: { data: { merchantId?: string } } }[] };
  return items.find(({ entry }) => entry.data.merchantId === merchantId)?.entityId;
}

describe('P18: who else hosts the merchant', () => {
  /** The answer with what tells one case from the other, and one moment from another, taken out. */
  function bare(kind: Case, { status, headers, body }: Answer): unknown {
    const { merchantId, id, identity } = cases[kind];
    const { uscc, name } = identity as { uscc: string; name: string };
    let text = body;
    for (const own of [merchantId, id, uscc, name, entityOf.get(merchantId) ?? '-', listings.get(kind) ?? '-'])
      text = text.replaceAll(own, '∗');
    text = text
      .replaceAll(/"(position|seq|version|leafIndex|size|next)":\d+/g, '"$1":0')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(\+08:00|Z)/g, '(time)')
      .replaceAll(/[A-Za-z0-9+/_-]{43}=?/g, '(digest)')
      .replaceAll(/\\n\d+\\n/g, '\\n(size)\\n');
    return {
      status,
      headers: headers.filter(([header]) => header !== 'content-length').map(([header]) => header),
      text,
    };
  }

  test('P18: the publisher gets the same receipt, status and headers for a merchant that others host and one that nobody has', () => {
    expect(published.get('hit')?.status).toBe(201);
    expect(bare('hit', published.get('hit')!)).toEqual(bare('miss', published.get('miss')!));
    const lengths = KINDS.map((kind) => published.get(kind)!.body.replace(/"position":\d+/, '').length);
    expect(lengths[0]).toBe(lengths[1]);
  });

  test('P18: and afterwards the same wherever it looks', async () => {
    const source = encodeURIComponent(memberSource(PUBLISHER));
    const paths = (kind: Case): string[] => [
      `/v1/receipts/${source}/${cases[kind].id}/openings`,
      `/v1/entities/${entityOf.get(cases[kind].merchantId)}`,
      `/v1/audit/events?type=${SUBMITTED_TYPES.merchantDelisted}&entityId=${entityOf.get(cases[kind].merchantId)}`,
      `/v1/listings/${listings.get(kind)}/coverage`,
    ];
    for (const n of paths('hit').keys()) {
      const [hit, miss] = [
        await call(PUBLISHER, 'GET', paths('hit')[n]!),
        await call(PUBLISHER, 'GET', paths('miss')[n]!),
      ];
      expect([n, bare('hit', hit)]).toEqual([n, bare('miss', miss)]);
      expect(hit.status).toBe(n === 3 ? 403 : 200);
    }
    expect(await feedOf(product.client(PUBLISHER))).toEqual([]);
  });
});

describe('P10: each recipient decides', () => {
  const ROUTES = Object.entries(POLICY).flatMap(([route, { roles }]) => {
    const [method, path] = route.split(' ') as [string, string];
    return method === 'GET' && roles !== 'open' && roles.includes('platform') ? [path] : [];
  });

  /** An address of the route about what this member has; a stream would go on, and says what the feed says. */
  function addressOf(path: string, memberId: string): string {
    if (path.endsWith('/stream')) return `${path}?after=x`;
    const merchantId = memberId === PUBLISHER ? cases.hit.merchantId : `${memberId}-1`;
    return path
      .replace(':entityId', entityOf.get(merchantId) ?? 'unknown')
      .replace(':source', encodeURIComponent(memberSource(memberId)))
      .replace(':id', memberId === PUBLISHER ? cases.hit.id : 'unknown')
      .replace(':listingId', listings.get('hit') ?? '')
      .replaceAll(/:\w+/g, 'unknown');
  }

  /** Everything that the readers are answered on every route that a platform may use, byte for byte. */
  async function answers(): Promise<Record<string, Answer>> {
    const all: Record<string, Answer> = {};
    for (const memberId of READERS)
      for (const path of ROUTES) all[`${memberId} ${path}`] = await call(memberId, 'GET', addressOf(path, memberId));
    return all;
  }

  /** A question is recorded, and numbered; what it is answered is all that counts here. */
  async function screened(memberId: string): Promise<string> {
    const { body } = await call(memberId, 'POST', '/v1/screenings', {
      identity: cases.hit.identity,
      purpose: 'compliance',
    });
    return body.replace(/"screeningId":"[^"]+"/, '');
  }

  const coverage = async (): Promise<Record<string, number>> =>
    JSON.parse((await call(REGULATOR, 'GET', `/v1/listings/${listings.get('hit')}/coverage`)).body) as Record<
      string,
      number
    >;

  async function decide(decision: DispositionDecision, counted: string): Promise<void> {
    const { data } = (await feedOf(product.client(HOST))).find((notice) => notice.data.action === 'close')!;
    const event = ending(HOST, SUBMITTED_TYPES.noticeDisposed, {
      noticeId: data.noticeId,
      decision,
      shops: data.shops,
      ...(decision === 'closed' && { openOrders: 'kept' }),
      ...(decision === 'declined' && { reasonCode: 'OWN-7' }),
    });
    const receipt = await product.client(HOST).publish(event as CloudEvent);
    expect(receipt.status).toBe('accepted');
    await until(`${decision} is counted for the regulators`, async () => (await coverage())[counted] === 1);
  }

  test('P10: with every route tried, members are answered byte for byte the same whether another declined, closed or said nothing', async () => {
    expect(ROUTES.length).toBeGreaterThan(8);
    let silent = await answers();
    await until('a checkpoint covers all that they sent', async () => {
      const before = silent;
      silent = await answers();
      return isDeepStrictEqual(silent, before);
    });
    expect(Object.values(silent).filter(({ status }) => status === 200).length).toBeGreaterThan(10);
    await decide('declined', 'declined');
    expect(await answers()).toEqual(silent);
    await decide('closed', 'closed');
    expect(await answers()).toEqual(silent);
    for (const { body } of Object.values(silent)) expect(body).not.toMatch(/declined|OWN-7|odd-b/);
  });

  test('P10: nor does a screening tell of it, nor the quota that it is answered under', async () => {
    const before = await screened(STRANGER);
    await decide('declined', 'declined');
    expect(await screened(STRANGER)).toBe(before);
    expect(before).not.toContain('declined');
  });

  test('P10: a declined notice is read where regulators count it, and by nothing that ranks, limits or fans out', async () => {
    const root = join(import.meta.dirname, '../..');
    const naming: string[] = [];
    for await (const file of glob('{apps/{api,worker},libs}/**/src/**/*.ts', { cwd: root })) {
      if (/spec\.ts$|\/testing\//.test(file)) continue;
      if (/\bdeclined\b/.test((await readFile(join(root, file), 'utf8')).replaceAll(/\/\/.*|\/\*[^]*?\*\//g, '')))
        naming.push(file);
    }
    expect(naming.toSorted()).toEqual([
      // What a receiver may say, and what is published of its form.
      'libs/contracts/src/payloads.events.ts',
      'libs/contracts/src/rules.ts',
      'libs/contracts/src/schemas.ts',
      'libs/domain/src/disposition.ts',
      // Coverage of a listing, for regulators.
      'libs/views/src/queries.ts',
    ]);
  });
});
