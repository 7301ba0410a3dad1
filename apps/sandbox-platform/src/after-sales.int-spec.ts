import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { noticeEvent, type Notice, type NoticeAction } from '@liandun/contracts';
import { consumeNotices, LiandunClient, pgNoticeStore, type NoticeConsumer } from '@liandun/sdk';
import type pg from 'pg';
import { createTestDatabase } from '../../../test/support/database.js';
import { until } from '../../../test/support/kafka.js';
import { noticeIssued } from '../../../test/support/notices.js';
import { Wire } from '../../../test/support/wire.js';
import { ControlController } from './control.controller.js';
import { Notices } from './notices.js';
import { Store } from './store.js';

const PLACED = { leafHash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', acceptedAt: '2020-02-03T10:00:00+08:00' };
let database: { url: string; drop: () => Promise<void> };
let wire: Wire;
let store: Store;
let client: LiandunClient;
let control: ControlController;
const shops = [1, 2, 3].map((n) => ({ shopId: `s-${n}`, name: `店铺 ${n}`, url: `https://shop.example/${n}` }));

beforeAll(async () => {
  database = await createTestDatabase();
  process.env['DATABASE_URL'] = database.url;
  wire = await new Wire().start();
  store = new Store();
  await store.prepare();
  client = new LiandunClient({ url: wire.url, memberId: wire.memberId, key: wire.key.privateKey });
  control = new ControlController(store, client, undefined as never);
  await store.addMerchants([{ merchantId: 'm-1', name: '虚构贸易有限公司', shops, openOrders: 4, openRefunds: 5 }]);
});
afterAll(async () => {
  await store.onApplicationShutdown();
  await wire.stop();
  await database.drop();
});

const told = (...actions: NoticeAction[]) =>
  actions.map((action, seq) =>
    noticeEvent(noticeIssued(wire.memberId, seq, { action, shops, listingId: 'L1-0123456789ab', stillListed: false }), {
      position: seq,
      ...PLACED,
    }),
  );

/** Goes through the member's notices, all of them or behind the last that was handled. */
async function replay(name: string): Promise<NoticeConsumer<pg.ClientBase>> {
  const notices = new Notices(store, client);
  const consumer = consumeNotices({
    name,
    client,
    store: pgNoticeStore(store.pool),
    handler: { handle: (notice: Notice, tx: pg.ClientBase, states) => notices.handle(notice, tx, states) },
  });
  await until('all is handled', () => consumer.status().seq === wire.notices.length - 1);
  await consumer.stop();
  return consumer;
}
const dispositions = async (): Promise<Record<string, unknown>[]> =>
  (await store.unpublished(10)).map(({ event }) => event.data as Record<string, unknown>);

describe('P22: consumers first on closing', () => {
  test('P22: closing stops new sales, keeps every order and refund, and the disposition says so', async () => {
    const { saleId } = await control.sell({ shopId: 's-1' });
    const before = await store.sales();
    expect(before).toEqual({ placed: 13, refunding: 15, delivered: 0, refunded: 0 });
    wire.notices = told('close');
    await replay('shops');
    expect(await store.sales()).toEqual(before);
    expect((await store.shops()).map(({ status, openOrders }) => [status, openOrders])).toEqual([
      ['closed', 10],
      ['closed', 9],
      ['closed', 9],
    ]);
    for (const { shopId } of shops) await expect(control.sell({ shopId })).rejects.toThrow('no new sales');
    expect(await dispositions()).toMatchObject([{ decision: 'closed', openOrders: 'kept' }]);
    // A buyer of a closed shop still gets the money back.
    expect(await control.refund({ saleId })).toEqual({ ...before, placed: 12, refunding: 16 });
  });

  test('P22: a replay with open refunds ends with all refunds done, and each only once', async () => {
    await store.serveBuyers(7);
    // The platform was down in the middle: the same notices come again.
    await replay('shops');
    expect(await control.serveBuyers()).toEqual({ placed: 0, refunding: 0, delivered: 12, refunded: 16 });
    await replay('shops');
    expect(await store.sales()).toEqual({ placed: 0, refunding: 0, delivered: 12, refunded: 16 });
    expect((await store.shops()).map(({ status }) => status)).toEqual(['closed', 'closed', 'closed']);
    expect(await dispositions()).toHaveLength(1);
  });

  test('P22: reopened the shops sell again', async () => {
    wire.notices = told('close', 'reopen');
    await replay('shops');
    const { saleId } = await control.sell({ shopId: 's-2' });
    expect(await control.refund({ saleId })).toMatchObject({ refunding: 1 });
    expect(await control.serveBuyers()).toMatchObject({ refunding: 0, refunded: 17 });
  });
});
