import { readFileSync } from 'node:fs';
import { consumeNotices, LiandunClient, pgNoticeStore } from '@liandun/sdk';
import pg from 'pg';

const { LIANDUN_URL = '', PLATFORM_B_KEY = '', KAFKA_BROKERS = '', MY_DATABASE_URL = '' } = process.env;
const key = JSON.parse(readFileSync(PLATFORM_B_KEY, 'utf8'));
const client = new LiandunClient({ url: LIANDUN_URL, memberId: 'platform-b', key });

consumeNotices({
  client,
  name: 'shops', // the consumer group is platform-b.shops
  kafka: { brokers: KAFKA_BROKERS }, // left out: the same notices over HTTP
  store: pgNoticeStore(new pg.Pool({ connectionString: MY_DATABASE_URL })),
  handler: {
    // `tx` is a transaction of your own database: what is written in it happens exactly once for each notice.
    async handle(notice, tx, shops) {
      const open = shops.filter(({ closedBy }) => closedBy.length === 0).map(({ shopId }) => shopId);
      const all = shops.map(({ shopId }) => shopId);
      await tx.query('update shop set open = (id = any($1)) where id = any($2)', [open, all]);
      await tx.query('insert into decision (notice_id, action) values ($1, $2)', [notice.noticeId, notice.action]);
    },
  },
  onProblem: (error) => console.error(error.message),
});
