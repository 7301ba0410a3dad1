import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SUBMITTED_TYPES, type CloudEvent, type Notice, type NoticeDisposed, type Receipt } from '@liandun/contracts';
import { InboxPublisher, kafkaClient } from '@liandun/sdk';
import { randomUUID } from 'node:crypto';
import { drawn } from '../support/drawn.js';
import { env, until } from '../support/kafka.js';
import {
  feedOf,
  listingOf,
  openStores,
  Platform,
  streamOf,
  topicOf,
  type Channel,
  type Stores,
} from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, ending, organization, person, reported } from '../support/submissions.js';

const CHANNELS: Record<string, Channel> = {
  'job-a': 'kafka',
  'job-b': 'kafka',
  'job-c': 'feed',
  'job-d': 'kafka',
  'job-e': 'feed',
};
const REGULATOR = 'job-regulator';
const WHY = { purpose: 'supervision', caseNo: '2020-17' };

let product: Product;
let stores: Stores;
const platforms = new Map<string, Platform>();
const at = (name: string): Platform => platforms.get(`job-${name}`) as Platform;
const others = (name: string): Platform[] => [...platforms.values()].filter((each) => each !== at(name));
let serial = drawn(1_000, 900_000);

beforeAll(async () => {
  const members = Object.keys(CHANNELS).map((memberId) => ({ memberId, role: 'platform' as const }));
  product = await Product.start([...members, { memberId: REGULATOR, role: 'regulator' }]);
  stores = await openStores();
  for (const [memberId, channel] of Object.entries(CHANNELS)) {
    platforms.set(memberId, await Platform.open(product, memberId, channel, stores));
  }
}, 180_000);

afterAll(async () => {
  await Promise.all([...platforms.values()].map((each) => each.close()));
  await stores?.drop();
  await product?.stop();
});

const accepted = (receipt: Receipt): Receipt => {
  expect(receipt).toMatchObject({ status: 'accepted' });
  return receipt;
};

/** The same merchant takes an account, with one shop, at every platform; gives its id there. */
async function hostedEverywhere(identity: object): Promise<string> {
  const merchantId = `m-${randomUUID()}`;
  for (const platform of platforms.values()) {
    accepted(await platform.publish(reported(platform.memberId, `${merchantId}-${platform.memberId}`, identity)));
  }
  return merchantId;
}

const accountAt = (merchantId: string, platform: Platform): string => `${merchantId}-${platform.memberId}`;
const shopAt = (merchantId: string, platform: Platform): string => `${accountAt(merchantId, platform)}-s1`;

async function answer(platform: Platform, notice: Notice, decision: Partial<NoticeDisposed>): Promise<void> {
  const { noticeId, shops } = notice;
  const data = { noticeId, shops, ...decision };
  accepted(await platform.publish(ending(platform.memberId, SUBMITTED_TYPES.noticeDisposed, data)));
}

interface Coverage {
  told: number;
  closed: number;
  declined: number;
  silent: number;
  reopened: number;
  status: string;
  medianMsToClose?: number;
  longestMsToClose?: number;
  medianMsToReopen?: number;
}
const coverage = (listingId: string): Promise<Coverage> => product.client(REGULATOR).coverage<Coverage>(listingId, WHY);

async function covers(listingId: string, expected: Partial<Coverage>): Promise<Coverage> {
  let found: Coverage | undefined;
  await until(`coverage of ${listingId}`, async () => {
    found = await coverage(listingId);
    return Object.entries(expected).every(([name, value]) => found?.[name as keyof Coverage] === value);
  }).catch(() => undefined);
  expect(found).toMatchObject(expected);
  return found as Coverage;
}

test('one delisting, all shops closed; what each did comes back; a reinstatement opens them all again', async () => {
  serial += 1;
  const merchantId = await hostedEverywhere(organization(serial));
  const id = randomUUID();
  const account = accountAt(merchantId, at('a'));
  const listing = listingOf(accepted(await at('a').publish(delisted('job-a', account, organization(serial), { id }))));

  for (const platform of others('a')) {
    const notice = await platform.told(listing, 'close');
    expect(notice).toMatchObject({
      merchantIds: [accountAt(merchantId, platform)],
      shops: [{ shopId: shopAt(merchantId, platform) }],
      match: { grade: 'exact', because: expect.arrayContaining(['uscc']) },
      reason: { code: 'F04' },
      stillListed: false,
    });
    expect(await platform.closed()).toContain(shopAt(merchantId, platform));
    if (platform === at('b')) await answer(platform, notice, { decision: 'declined', shops: [], reasonCode: 'R1' });
    else if (platform !== at('c')) await answer(platform, notice, { decision: 'closed', openOrders: 'kept' });
  }
  const closing = await covers(listing, { told: 4, closed: 2, declined: 1, silent: 1, reopened: 0 });
  expect(closing.medianMsToClose).toBeLessThanOrEqual(closing.longestMsToClose as number);

  const back = { delistingId: id, cause: 'wrongIdentity' };
  accepted(await at('a').publish(ending('job-a', SUBMITTED_TYPES.merchantReinstated, back)));
  for (const platform of others('a')) {
    const notice = await platform.told(listing, 'reopen');
    expect(notice).toMatchObject({ stillListed: false, shops: [{ shopId: shopAt(merchantId, platform) }] });
    expect(await platform.closed()).not.toContain(shopAt(merchantId, platform));
    await answer(platform, notice, { decision: 'reopened' });
  }
  await covers(listing, { reopened: 4 });
  expect((await at('a').effects()).filter(({ listingId }) => listingId === listing)).toEqual([]);
}, 180_000);

test('the same over Kafka: a person, reported and delisted by encrypted records that are gone once accepted', async () => {
  serial += 1;
  const identity = person(serial % 900);
  const merchantId = `m-${randomUUID()}`;
  const publisher = async (platform: Platform): Promise<InboxPublisher> =>
    new InboxPublisher({ client: platform.client, brokers: env('KAFKA_BROKERS') }).open();
  const [d, e] = [await publisher(at('d')), await publisher(at('e'))];
  try {
    const hosting = reported('job-e', accountAt(merchantId, at('e')), identity);
    const events = [hosting, hosting] as CloudEvent[];
    expect((await e.publish(events)).map(({ status }) => status)).toEqual(['accepted', 'duplicate']);
    const clearing = delisted('job-d', accountAt(merchantId, at('d')), identity) as CloudEvent;
    const [receipt] = await d.publish([clearing]);
    const listing = listingOf(accepted(receipt as Receipt));
    const notice = await at('e').told(listing, 'close');
    expect(notice.entity).toEqual({ entityId: notice.entity.entityId, kind: 'person', name: '虚**' });
    expect(notice.shops.map(({ shopId }) => shopId)).toEqual([shopAt(merchantId, at('e'))]);
    await covers(listing, { told: 1, silent: 1 });
  } finally {
    await Promise.all([d.close(), e.close()]);
  }
  const admin = kafkaClient({ brokers: env('KAFKA_INTERNAL'), clientId: 'test' }).admin();
  await admin.connect();
  for (const topic of ['inbox.job-d', 'inbox.job-e']) {
    await until(`${topic} is empty`, async () => {
      const [partition] = await admin.fetchTopicOffsets(topic);
      return partition?.low === partition?.high;
    });
  }
  await admin.disconnect();
}, 180_000);

test('of two listings on one merchant the first to end leaves the shop closed, the second opens it', async () => {
  serial += 1;
  const merchantId = await hostedEverywhere(organization(serial));
  const [b, shop] = [at('b'), shopAt(merchantId, at('b'))];
  const list = async (name: string): Promise<{ id: string; listing: string }> => {
    const id = randomUUID();
    const event = delisted(`job-${name}`, accountAt(merchantId, at(name)), organization(serial), { id });
    const listing = listingOf(accepted(await at(name).publish(event)));
    await b.told(listing, 'close');
    return { id, listing };
  };
  const end = async (name: string, { id, listing }: { id: string; listing: string }): Promise<Notice> => {
    const data = { delistingId: id, cause: 'cured' };
    accepted(await at(name).publish(ending(`job-${name}`, SUBMITTED_TYPES.merchantReinstated, data)));
    return b.told(listing, 'reopen');
  };
  const first = await list('a');
  const second = await list('c');
  expect(await end('a', first)).toMatchObject({ stillListed: true });
  expect(await b.closed()).toContain(shop);
  expect(await end('c', second)).toMatchObject({ stillListed: false });
  expect(await b.closed()).not.toContain(shop);
}, 180_000);

test('a merchant who opens a shop after the listing is told of then', async () => {
  serial += 1;
  const merchantId = `m-${randomUUID()}`;
  const account = accountAt(merchantId, at('a'));
  const listing = listingOf(accepted(await at('a').publish(delisted('job-a', account, organization(serial)))));
  const refusal = await at('e').told(listing, 'restrictAdmission');
  expect(refusal).toMatchObject({ merchantIds: [], shops: [] });
  const late = accountAt(merchantId, at('e'));
  accepted(await at('e').publish(reported('job-e', late, organization(serial))));
  expect(await at('e').told(listing, 'close')).toMatchObject({ merchantIds: [late] });
  expect(await at('e').closed()).toContain(`${late}-s1`);
}, 180_000);

describe('afterwards', () => {
  test.each(Object.keys(CHANNELS))(
    '%s has the same notices in the same order on Kafka, in the feed and in the stream, and handled each once (I3, I4)',
    async (memberId) => {
      const platform = platforms.get(memberId) as Platform;
      const feed = await feedOf(platform.client);
      const seqs = feed.map(({ data }) => data.seq);
      expect(seqs).toEqual(seqs.map((_, n) => n));
      expect(seqs.length).toBeGreaterThan(1);
      const asText = (notices: CloudEvent<Notice>[]): string[] => notices.map((each) => JSON.stringify(each));
      expect(asText(await topicOf(memberId, seqs.length - 1))).toEqual(asText(feed));
      expect(asText(await streamOf(platform.client, seqs.length))).toEqual(asText(feed));
      await platform.handledUpTo(seqs.length - 1);
      expect(await platform.effects()).toEqual(feed.map(({ data }) => data));
    },
    180_000,
  );

  test('no notice names another platform or its accounts', async () => {
    for (const [memberId, platform] of platforms) {
      const text = JSON.stringify((await feedOf(platform.client)).map(({ data }) => data));
      for (const other of platforms.keys()) if (other !== memberId) expect(text).not.toContain(other);
    }
  });
});
