import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CloudEvent, Identity, MatchedScreening } from '@liandun/contracts';
import { NoticeConsumer, pgNoticeStore } from '@liandun/sdk';
import pg from 'pg';
import { until } from '../support/kafka.js';
import { Product } from '../support/product.js';
import { delisted, organization, person } from '../support/submissions.js';

const [LISTER, ASKER, OTHER, REGULATOR] = ['ask-a', 'ask-b', 'ask-c', 'ask-regulator'];
let product: Product;
let pool: pg.Pool;

beforeAll(async () => {
  product = await Product.start([
    ...[LISTER, ASKER, OTHER].map((memberId) => ({ memberId, role: 'platform' as const })),
    { memberId: REGULATOR, role: 'regulator' },
  ]);
  pool = product.pool();
}, 180_000);
afterAll(async () => {
  await pool?.end();
  await product?.stop();
});

const list = async (merchantId: string, identity: object): Promise<void> => {
  const [receipt] = await product.client(LISTER).publish([delisted(LISTER, merchantId, identity) as CloudEvent]);
  expect(receipt?.status).toBe('accepted');
};

test('a platform is told of a later listing on its feed and on Kafka, another is not', async () => {
  const identity = organization(9100) as Identity;
  const { screeningId, result } = await product.client(ASKER).screen(identity, 'onboarding');
  expect(result).toBe('clear');
  await list('later-1', identity);
  await until('the alert on the feed', async () => (await product.client(ASKER).matchedScreenings()).items.length > 0);
  const { items } = await product.client(ASKER).matchedScreenings();
  expect(items).toEqual([
    expect.objectContaining({
      id: `${ASKER}.matched.0`,
      type: 'liandun.screening.matched.v1',
      data: expect.objectContaining({ no: 0, screeningId, grade: 'exact', tier: 1 }),
    }),
  ]);
  expect((await product.client(OTHER).matchedScreenings()).items).toEqual([]);
  await until('the relay has sent it', async () => {
    const { rows } = await pool.query('select from relay.cursor where member = $1 and next_matched = 1', [ASKER]);
    return rows.length === 1;
  });
  const listed = await product.client(ASKER).screen(identity, 'onboarding');
  expect(listed.result).toBe('listed');
  const listingId = listed.matches[0]?.listingId as string;
  await expect(product.client(OTHER).decideMatch(listed.screeningId, listingId, 'reviewer')).rejects.toMatchObject({
    problem: { code: 'NOT_FOUND' },
  });
  await product.client(ASKER).decideMatch(listed.screeningId, listingId, 'reviewer');
  expect((await product.client(ASKER).screen(identity, 'onboarding')).result).toBe('clear');
  expect((await product.client(OTHER).screen(identity, 'onboarding')).result).toBe('listed');
});

test("an SDK consumer's handler gets each alert once, in its own transaction", async () => {
  const seen: MatchedScreening[] = [];
  const consumers = new pg.Pool({ connectionString: product.databaseUrl, max: 3 });
  const consume = (): NoticeConsumer<pg.ClientBase> =>
    new NoticeConsumer<pg.ClientBase>({
      client: product.client(ASKER),
      name: 'alerts',
      store: pgNoticeStore(consumers),
      handler: {
        handle: async () => undefined,
        matched: async (matched) => void seen.push(matched),
      },
      lookForErasedEveryMs: 50,
    }).start();
  const first = consume();
  await until('the alert was handled', async () => seen.length === 1);
  await first.stop();
  const second = consume();
  const identity = organization(9101) as Identity;
  await product.client(ASKER).screen(identity, 'compliance');
  await list('later-2', identity);
  await until('the next was handled', async () => seen.length === 2);
  await second.stop();
  await consumers.end();
  expect(seen.map(({ no }) => no)).toEqual([0, 1]);
});

test('an erasure takes the inquiries about a person with it, and nobody is told of them any more', async () => {
  const identity = person(300, { name: '慕容虚构', phones: ['13958017401'] }) as Identity & { residentId: string };
  const firm = organization(9102) as Identity;
  await product.client(ASKER).screen(identity, 'onboarding');
  await product.client(OTHER).screen({ kind: 'person', name: '慕容虚构', phones: ['13958017401'] }, 'onboarding');
  await product.client(ASKER).screen(firm, 'onboarding');
  const asked = async (): Promise<number> =>
    Number((await pool.query<{ count: string }>('select count(*) from screening.inquiry')).rows[0]?.count);
  const before = await asked();
  const { approvalId } = await product.client(REGULATOR).post<{ approvalId: string }>('/v1/erasures', {
    identifiers: { residentId: identity.residentId, name: '慕容虚构', phones: ['13958017401'] },
    basis: 'unlawful',
    requestId: 'r-9',
  });
  await product.client('admin-1').post(`/v1/approvals/${approvalId}`, { decision: 'approve' });
  expect(await asked()).toBe(before - 2);
  const { rows } = await pool.query(
    'select from screening.inquiry_key k where not exists (select from screening.inquiry i where i.screening_id = k.screening_id)',
  );
  expect(rows).toEqual([]);
  const told = (await product.client(ASKER).matchedScreenings()).items.length;
  await list('later-3', identity);
  await product.settled();
  expect((await product.client(ASKER).matchedScreenings()).items).toHaveLength(told);
});
