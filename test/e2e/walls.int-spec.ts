import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { memberSource, SUBMITTED_TYPES, type CloudEvent, type Receipt } from '@liandun/contracts';
import { kafkaAdmin } from '@liandun/messaging';
import { kafkaClient, LiandunClient, type Page } from '@liandun/sdk';
import { randomUUID } from 'node:crypto';
import { drawn } from '../support/drawn.js';
import { env, until } from '../support/kafka.js';
import { ed25519, publicKeyOf } from '../support/api.js';
import { feedOf, listingOf, openStores, Platform, streamOf, type Stores } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, ending, organization, person, reported, submission, caseOf } from '../support/submissions.js';

const PLATFORMS = ['wall-a', 'wall-b', 'wall-c', 'wall-d', 'wall-e'];
const REGULATOR = 'wall-regulator';
const EVERYBODY = [...PLATFORMS, REGULATOR];
const WHY = { purpose: 'supervision', caseNo: '2020-17' };

/** What one platform has in the ledger and no other may see or touch. */
interface Belongings {
  merchantId: string;
  entityId: string;
  delistingId: string;
  listingId: string;
  heldId: string;
  reportId: string;
  noticeId: string;
  positions: number[];
}

let product: Product;
let stores: Stores;
const of = new Map<string, Belongings>();
const belongings = (memberId: string): Belongings => of.get(memberId) as Belongings;
const serial = drawn(1_000, 900_000);

const accepted = (receipt: Receipt, status = 'accepted'): Receipt => {
  expect(receipt).toMatchObject({ status });
  return receipt;
};

interface AuditItem {
  position: number;
  entityId?: string;
  entry: { source: string; type: string; stream: string };
}
const audit = (memberId: string, query: string, why?: typeof WHY): Promise<Page<AuditItem>> =>
  product.client(memberId).get<Page<AuditItem>>(`/v1/audit/events?limit=1000${query}`, why);

/** A platform's merchant, delisting, held case and report, each about somebody whom nobody else knows. */
async function settle(memberId: string, n: number): Promise<void> {
  const client = product.client(memberId);
  const publish = async (event: object, status?: string): Promise<Receipt> =>
    accepted(await client.publish(event as CloudEvent), status);
  const [merchantId, delistingId, heldId] = [`m-${randomUUID()}`, randomUUID(), randomUUID()];
  const report = submission(memberId, SUBMITTED_TYPES.riskEntityReported, {
    ...caseOf('C06'),
    subject: 'merchant',
    identity: organization(serial + 30 + n),
    accounts: [],
  }) as CloudEvent;
  const receipts = [
    await publish(reported(memberId, merchantId, person(n))),
    await publish(delisted(memberId, `${merchantId}-x`, organization(serial + n), { id: delistingId })),
    await publish(
      delisted(memberId, `${merchantId}-y`, organization(serial + 10 + n), { id: heldId, code: 'E01' }),
      'held',
    ),
    await publish(report),
  ];
  of.set(memberId, {
    merchantId,
    entityId: '',
    delistingId,
    listingId: listingOf(receipts[1] as Receipt),
    heldId,
    reportId: report.id,
    noticeId: `${memberId}.0`,
    positions: receipts.map(({ position }) => position as number),
  });
}

beforeAll(async () => {
  const platforms = PLATFORMS.map((memberId) => ({ memberId, role: 'platform' as const }));
  product = await Product.start([...platforms, { memberId: REGULATOR, role: 'regulator' }]);
  stores = await openStores();
  for (const [n, memberId] of PLATFORMS.entries()) await settle(memberId, n);
  for (const memberId of PLATFORMS) {
    // Each of the others' delistings restricts admission here.
    await until(`${memberId} was told`, async () => (await feedOf(product.client(memberId))).length >= 4);
    const own = belongings(memberId);
    await until(`the entity of ${memberId}'s merchant`, async () => {
      const { items } = await audit(REGULATOR, `&member=${memberId}`, WHY);
      own.entityId = items.find(({ position }) => position === own.positions[0])?.entityId ?? '';
      return own.entityId !== '';
    });
  }
}, 180_000);

afterAll(async () => {
  await stores?.drop();
  await product?.stop();
});

/** The answer, without what differs between any two answers. */
async function asked(memberId: string, path: string, token?: string): Promise<{ status: number; body: string }> {
  const bearer = token ?? (await product.client(memberId).token());
  const headers = { authorization: `Bearer ${bearer}`, 'liandun-purpose': 'supervision', 'liandun-case': '1' };
  const answer = await fetch(`${product.url}${path}`, { headers });
  return { status: answer.status, body: await answer.text() };
}

describe('P18: the walls hold for what is their own', () => {
  // Without this, everything below could be refused for another reason.
  test.each(PLATFORMS)('%s reads its entity, its entries and its feed', async (memberId) => {
    const own = belongings(memberId);
    expect((await asked(memberId, `/v1/entities/${own.entityId}`)).status).toBe(200);
    const { items } = await audit(memberId, '');
    expect(items.map(({ position }) => position)).toEqual(expect.arrayContaining(own.positions));
    expect((await feedOf(product.client(memberId)))[0]?.data.noticeId).toBe(own.noticeId);
  });
});

describe.each(PLATFORMS)('P18: %s over HTTP', (memberId) => {
  const others = PLATFORMS.filter((each) => each !== memberId);

  test.each(others)('finds no entity of %s, whose looks like one that does not exist', async (other) => {
    const nothing = await asked(memberId, '/v1/entities/E0-000000000000');
    expect(nothing.status).toBe(404);
    expect(await asked(memberId, `/v1/entities/${belongings(other).entityId}`)).toEqual(nothing);
  });

  test.each(others)('is not let to the coverage of %s', async (other) => {
    const nothing = await asked(memberId, '/v1/listings/L0-000000000000/coverage');
    expect(nothing.status).toBe(403);
    expect(await asked(memberId, `/v1/listings/${belongings(other).listingId}/coverage`)).toEqual(nothing);
  });

  test.each(others)('finds no entry of %s', async (other) => {
    const theirs = belongings(other);
    expect((await audit(memberId, `&member=${other}`)).items).toEqual([]);
    expect((await audit(memberId, `&entityId=${theirs.entityId}`)).items).toEqual([]);
    const { items } = await audit(memberId, '');
    const mine = new Set([memberSource(memberId), 'urn:liandun:ledger']);
    expect(items.filter(({ entry }) => !mine.has(entry.source))).toEqual([]);
    expect(items.map(({ position }) => position)).not.toEqual(expect.arrayContaining([theirs.positions[0]]));
    expect(items.filter(({ entry }) => entry.stream.includes(other))).toEqual([]);
  });

  test.each(others)(
    "can't touch the cases and notices of %s, which look like ones that do not exist",
    async (other) => {
      const theirs = belongings(other);
      const now = Date.now();
      const hearing = {
        notifiedAt: new Date(now - 86_400_000).toISOString(),
        endedAt: new Date(now - 60_000).toISOString(),
        answer: 'considered',
      };
      const tries = (take: (name: keyof Belongings) => unknown): object[] => [
        ending(memberId, SUBMITTED_TYPES.merchantReinstated, { delistingId: take('delistingId'), cause: 'cured' }),
        ending(memberId, SUBMITTED_TYPES.merchantReinstated, { merchantId: take('merchantId'), cause: 'cured' }),
        ending(memberId, SUBMITTED_TYPES.riskEntityWithdrawn, { reportId: take('reportId'), cause: 'cured' }),
        submission(memberId, SUBMITTED_TYPES.caseHeard, { caseId: take('heldId'), hearing }),
        submission(memberId, SUBMITTED_TYPES.caseNotified, {
          caseId: take('delistingId'),
          notifiedAt: hearing.endedAt,
          notifiedBy: 'staff-1',
        }),
        ending(memberId, SUBMITTED_TYPES.noticeDisposed, { noticeId: take('noticeId'), decision: 'noShop', shops: [] }),
      ];
      const receipts = async (events: object[]): Promise<unknown[]> =>
        (await product.client(memberId).publish(events as CloudEvent[])).map(({ status, problem }) => [
          status,
          problem,
        ]);
      const missing = await receipts(tries(() => 'nothing-of-the-kind'));
      expect(missing.map((each) => (each as [string])[0])).toEqual(Array(6).fill('rejected'));
      expect(await receipts(tries((name) => theirs[name]))).toEqual(missing);
    },
  );

  test('has notices of its own only, in the feed and in the stream, whatever it asks for', async () => {
    const feed = await feedOf(product.client(memberId));
    const streamed = await streamOf(product.client(memberId), feed.length);
    for (const { data } of [...feed, ...streamed]) expect(data.noticeId).toMatch(new RegExp(`^${memberId}\\.\\d+$`));
    for (const other of others) {
      const { body } = await asked(memberId, `/v1/notices?member=${other}&memberId=${other}`);
      for (const { data } of (JSON.parse(body) as Page<CloudEvent<{ noticeId: string }>>).items)
        expect(data.noticeId).toMatch(new RegExp(`^${memberId}\\.`));
    }
  });

  test.each(others)('gets no token as %s with its own key', async (other) => {
    const key = { ...product.keys.get(memberId), kid: `${other}-1` } as never;
    const forger = new LiandunClient({ url: product.url, memberId: other, key });
    await expect(forger.token()).rejects.toMatchObject({ status: 401 });
    await expect(forger.token('liandun-kafka')).rejects.toMatchObject({ status: 401 });
  });
});

test("P20: who looked at a merchant is found by the merchant's entity, whichever way the regulator came to it", async () => {
  const { listingId, delistingId, positions } = belongings('wall-a');
  const { items } = await audit(REGULATOR, `&member=wall-a`, WHY);
  const entityId = items.find(({ position }) => position === positions[1])?.entityId as string;
  const looks = [
    `/v1/entities/${entityId}`,
    `/v1/listings/${listingId}/coverage`,
    `/v1/receipts/${memberSource('wall-a')}/${delistingId}`,
    `/v1/audit/events?entityId=${entityId}`,
  ];
  for (const path of looks) expect((await asked(REGULATOR, path)).status).toBe(200);
  await until('the readings are found', async () => {
    const found = await audit(REGULATOR, `&entityId=${entityId}&type=liandun.read.audited.v1`, WHY);
    const routes = found.items.map(({ entry }) => (entry as unknown as { data: { route: string } }).data.route);
    return [
      '/v1/entities/:entityId',
      '/v1/listings/:listingId/coverage',
      '/v1/receipts/:source/:id',
      '/v1/audit/events',
    ].every((route) => routes.includes(route));
  });
});

describe("P18: Kafka, with the ledger's own tokens", () => {
  const kafkaOf = (memberId: string) => {
    const client = product.client(memberId);
    const token = async (): Promise<string> => client.token('liandun-kafka');
    return kafkaClient({ brokers: env('KAFKA_BROKERS'), clientId: memberId, token });
  };
  const topicsOf = (memberId: string): string[] =>
    ['inbox', 'notices', 'receipts'].map((kind) => `${kind}.${memberId}`);
  const rightsOf = (memberId: string): string[] => [
    `${memberId} read notices.${memberId}`,
    `${memberId} read receipts.${memberId}`,
    `${memberId} write inbox.${memberId}`,
    ...['', '-*', '.*', '_*'].map((groups) => `${memberId} read ${memberId}${groups}`),
  ];

  test('membership has given exactly the rights of the table, which the broker is tried with elsewhere', async () => {
    const admin = kafkaAdmin(env('KAFKA_INTERNAL'));
    const everybody = new Set([...EVERYBODY, 'admin-1', 'admin-2']);
    const given = (await admin.grants()).filter(({ memberId }) => everybody.has(memberId));
    await admin.close();
    const rights = given.map(({ memberId, operation, resource }) => {
      const what =
        'topic' in resource ? resource.topic : 'group' in resource ? resource.group : `${resource.groupPrefix}*`;
      return `${memberId} ${operation} ${what}`;
    });
    expect(rights.toSorted()).toEqual(EVERYBODY.flatMap(rightsOf).toSorted());
    expect(given.filter(({ memberId, kid }) => kid !== `${memberId}-1`)).toEqual([]);
  });

  test.each(EVERYBODY)(
    '%s sees its three topics, and no topic and no group of anybody else',
    async (memberId) => {
      const admin = kafkaOf(memberId).admin({ retry: { retries: 0 } });
      await admin.connect();
      const refused = async (work: Promise<unknown>): Promise<string> =>
        work.then(
          () => 'allowed',
          () => 'refused',
        );
      try {
        expect((await admin.listTopics()).toSorted()).toEqual(topicsOf(memberId));
        expect(await refused(admin.fetchTopicOffsets(`notices.${memberId}`))).toBe('allowed');
        const own = { groupId: `${memberId}.shops`, topics: [`notices.${memberId}`] };
        expect(await refused(admin.fetchOffsets(own))).toBe('allowed');
        const allowed: string[] = [];
        for (const other of EVERYBODY.filter((each) => each !== memberId)) {
          for (const topic of topicsOf(other)) {
            if ((await refused(admin.fetchTopicOffsets(topic))) === 'allowed') allowed.push(topic);
          }
          for (const groupId of [other, ...['.', '-', '_'].map((separator) => `${other}${separator}shops`)]) {
            const offsets = admin.fetchOffsets({ groupId, topics: [`notices.${memberId}`] });
            if ((await refused(offsets)) === 'allowed') allowed.push(groupId);
          }
        }
        expect(allowed).toEqual([]);
      } finally {
        await admin.disconnect();
      }
    },
    60_000,
  );
});

test('P20: the stop of a key ends its token at once over HTTP and in Kafka; the member goes on with its other key', async () => {
  const memberId = 'wall-d';
  const [admin, second] = [product.client('admin-1'), product.client('admin-2')];
  const decide = (approvalId: string): Promise<unknown> =>
    second.post(`/v1/approvals/${approvalId}`, { decision: 'approve' });
  const key = ed25519(`${memberId}-2`);
  const { approvalId } = await admin.post<{ approvalId: string }>(`/v1/members/${memberId}/keys`, {
    key: publicKeyOf(key),
  });
  await decide(approvalId);
  const owner = new LiandunClient({ url: product.url, memberId, key });
  const thief = product.client(memberId);
  const inboxOf = async (client: LiandunClient) => {
    const token = await client.token('liandun-kafka');
    const kafka = kafkaClient({ brokers: env('KAFKA_BROKERS'), clientId: memberId, token: async () => token });
    const producer = kafka.producer({ retry: { retries: 0 } });
    await producer.connect();
    return producer;
  };
  // Connections that were open before, with tokens that are good for minutes.
  const [stolen, kept] = [await inboxOf(thief), await inboxOf(owner)];
  const opened = [stolen, kept];
  const write = async (producer: typeof stolen): Promise<string> => {
    const event = reported(memberId, `m-${randomUUID()}`, organization(serial + 90));
    const record = { topic: `inbox.${memberId}`, messages: [{ value: JSON.stringify(event), partition: 0 }] };
    return producer.send(record).then(
      () => 'taken',
      (error: { type?: string; message: string }) => error.type ?? error.message,
    );
  };
  const token = await thief.token();
  try {
    expect(await write(stolen)).toBe('taken');
    await until('the new key has its rights', async () => (await write(kept)) === 'taken');
    await admin.post(`/v1/members/${memberId}/keys/${memberId}-1/revocation`, { emergency: true });
    const { status, body } = await asked(memberId, '/v1/notices', token);
    expect([status, JSON.parse(body)]).toEqual([401, expect.objectContaining({ code: 'KEY_STOPPED' })]);
    await until('the stolen key is refused', async () => (await write(stolen)) === 'TOPIC_AUTHORIZATION_FAILED');
    // The token that it remembers opens a new connection, and to Kafka that is worth nothing either.
    const anew = await inboxOf(thief);
    opened.push(anew);
    expect(await write(anew)).toContain('[Topic authorization failed]');
    expect(await write(kept)).toBe('taken');
    expect((await feedOf(owner)).length).toBeGreaterThan(0);
  } finally {
    await Promise.all(opened.map((producer) => producer.disconnect()));
  }
});

test('P15: suspension stops the next call and a Kafka consumer that is running; coming back, it gets the current state', async () => {
  const [memberId, other] = ['wall-e', 'wall-a'];
  const platform = await Platform.open(product, memberId, 'kafka', stores);
  const [admin, second] = [product.client('admin-1'), product.client('admin-2')];
  const list = async (n: number): Promise<string> => {
    const event = delisted(other, `m-${randomUUID()}`, organization(serial + 50 + n)) as CloudEvent;
    return listingOf(accepted(await product.client(other).publish(event)));
  };
  try {
    await platform.told(await list(0), 'restrictAdmission');
    expect(platform.consumer.status().state).toBe('running');
    const token = await platform.client.token();
    const { approvalId } = await admin.post<{ approvalId: string }>(`/v1/members/${memberId}/suspension`, {});
    const { status, body } = await asked(memberId, '/v1/notices', token);
    expect([status, JSON.parse(body)]).toEqual([403, expect.objectContaining({ code: 'MEMBER_SUSPENDED' })]);
    await expect(product.client(memberId).token('liandun-kafka')).rejects.toMatchObject({ status: 401 });
    await until('the consumer is cut off', () => platform.consumer.status().state === 'retrying', 60_000);
    await second.post(`/v1/approvals/${approvalId}`, { decision: 'approve' });
    const missed = await list(1);
    const { approvalId: back } = await admin.post<{ approvalId: string }>(`/v1/members/${memberId}/resumption`, {});
    await second.post(`/v1/approvals/${back}`, { decision: 'approve' });
    await platform.told(missed, 'restrictAdmission');
    const seqs = (await platform.effects()).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, n) => n));
  } finally {
    await platform.close();
  }
}, 180_000);
