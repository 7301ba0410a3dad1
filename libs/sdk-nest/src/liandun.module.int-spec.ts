import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { noticeEvent, type Notice } from '@liandun/contracts';
import { LiandunClient, pgNoticeStore, type ShopState } from '@liandun/sdk';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { createTestDatabase } from '../../../test/support/database.js';
import { until } from '../../../test/support/kafka.js';
import { noticeIssued } from '../../../test/support/notices.js';
import { Wire } from '../../../test/support/wire.js';
import { LiandunModule, LiandunNotices, OnNotice } from './index.js';

const heard: string[] = [];

@Injectable()
class Shops {
  @OnNotice({ actions: ['close'] })
  async close(notice: Notice, tx: pg.ClientBase, shops: ShopState[]): Promise<void> {
    await tx.query('SELECT 1');
    heard.push(`close ${notice.seq} ${shops.map(({ shopId }) => shopId).join()}`);
  }

  @OnNotice()
  every({ action, seq }: Notice): void {
    heard.push(`${action} ${seq}`);
  }
}

let database: { url: string; drop: () => Promise<void> };
let pool: pg.Pool;
let wire: Wire;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 3 });
  wire = await new Wire().start();
});

afterAll(async () => {
  await wire.stop();
  await pool.end();
  await database.drop();
});

function application(providers: (typeof Shops)[]): Promise<INestApplicationContext> {
  @Module({
    imports: [
      LiandunModule.forRootAsync({
        useFactory: () => ({
          client: { url: wire.url, memberId: wire.memberId, key: wire.key.privateKey },
          notices: { name: 'shops', store: pgNoticeStore(pool) },
        }),
      }),
    ],
    providers,
  })
  class App {}
  return NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
}

test('each notice reaches the methods that are marked for its action, and the client can be injected', async () => {
  const placed = { leafHash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', acceptedAt: '2020-02-03T10:00:00+08:00' };
  wire.notices = (['close', 'lift'] as const).map((action, seq) =>
    noticeEvent(noticeIssued(wire.memberId, seq, { action }), { position: seq, ...placed }),
  );
  const app = await application([Shops]);
  await until('both are handled', () => app.get(LiandunNotices).status()?.seq === 1);
  expect(app.get(LiandunClient).memberId).toBe(wire.memberId);
  await app.close();
  expect(heard).toEqual(['close 0 s-0', 'close 0', 'lift 1']);
  expect(app.get(LiandunNotices).status()?.state).toBe('stopped');
});

test('an application that consumes notices without a handler does not start', async () => {
  await expect(application([])).rejects.toThrow('@OnNotice()');
});
