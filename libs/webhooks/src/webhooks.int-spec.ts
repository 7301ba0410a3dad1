import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, LEDGER_SOURCE, type NoticeAction } from '@liandun/contracts';
import { EventLog, migrate } from '@liandun/event-log';
import { verifyWebhook } from '@liandun/sdk';
import { authority } from '@liandun/tls';
import { generateVaultKeys, localKms } from '@liandun/vault';
import { createSecretKey } from 'node:crypto';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { asApp, createTestDatabase } from '../../../test/support/database.js';
import { until } from '../../../test/support/kafka.js';
import { ALL_MIGRATIONS } from '../../../test/support/ledger.js';
import { issueNotices, noticeIssued, noticeIssuedEvent } from '../../../test/support/notices.js';
import { Receiver, type Reply } from '../../../test/support/receiver.js';
import { parseNetworks, type Address } from './address.js';
import {
  deadLetters,
  deleteEndpoint,
  endpointPage,
  putEndpoint,
  replayFrom,
  requestTest,
  rotateSecret,
  Webhooks,
  webhookBacklog,
  type WebhooksSettings,
} from './index.js';

const LOOPBACK = parseNetworks('127.0.0.0/8');
const { kms } = generateVaultKeys();
const receivers: Receiver[] = [];
const running: Webhooks[] = [];
let database: { url: string; drop: () => Promise<void> };
let pool: pg.Pool;
let door: pg.Pool;
let admin: pg.Client;
let log: EventLog;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, ALL_MIGRATIONS);
  pool = new pg.Pool({ connectionString: asApp(database.url), max: 10, ...({ pipeline: true } as object) });
  const asDoor = new URL(asApp(database.url, 'liandun_api'));
  asDoor.searchParams.set('options', '-c role=liandun_door');
  door = new pg.Pool({ connectionString: asDoor.href, max: 2 });
  for (const each of [pool, door]) each.on('error', () => undefined);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  log = new EventLog({ pool });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
  await Promise.all(receivers.splice(0).map((each) => each.stop()));
  await admin.query('delete from webhook.endpoint');
});

afterAll(async () => {
  await log.close();
  await Promise.all([pool.end(), door.end(), admin.end()]);
  await database.drop();
});

async function receiver(answer?: (n: number) => Reply, ...more: Parameters<typeof Receiver.start>): Promise<Receiver> {
  const started = await Receiver.start(...more);
  if (answer) started.answer = answer;
  receivers.push(started);
  return started;
}

function start(over: Partial<WebhooksSettings> = {}): Webhooks {
  const webhooks = new Webhooks({ pool, kms, allowed: LOOPBACK, leaseMs: 1_000, retryBaseMs: 20, ...over }).start();
  running.push(webhooks);
  return webhooks;
}

let members = 0;

/** A new active platform, as the api's rider folds it; founders follow each other. */
async function admit(): Promise<string> {
  const member = `m${randomBytes(4).toString('hex')}`;
  const sql = `insert into access.member values ($1, $1, 'platform', 'active', '{}', 'optional', $2)`;
  await admin.query(sql, [member, members++]);
  return member;
}

/** Past the triggers that ask for a second person's approval. */
async function become(status: string, member: string): Promise<void> {
  await admin.query('begin; set local session_replication_role = replica');
  await admin.query('update access.member set status = $1 where member_id = $2', [status, member]);
  await admin.query('commit');
}

/** A new active member with so many notices and a webhook; gives its id and its symmetric secret. */
async function join(url: string, notices: number): Promise<{ member: string; secret: string }> {
  const member = await admit();
  if (notices > 0) await issueNotices(log, [member], 0, notices);
  const secret = await putEndpoint(door, kms, member, { url, from: undefined, headSeq: notices - 1 });
  return { member, secret: secret! };
}

// oxlint-disable-next-line typescript/no-explicit-any
const page = async (member: string): Promise<any> => endpointPage(admin, member);
const publicKeysOf = async (member: string): Promise<string[]> =>
  (await page(member)).publicKeys.map(({ publicKey }: { publicKey: string }) => publicKey);
const dead = async (member: string): Promise<object[]> =>
  (await deadLetters(admin, member, { after: -1, limit: 100 })).items;
const idsTo = (member: string, count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `${member}_${from + index}`);
const arrived = (to: Receiver, count: number): Promise<void> =>
  until(`${count} webhooks`, () => to.posted.length >= count);

describe('a webhook', () => {
  test('brings each notice, one at a time and in order, signed so that both schemes verify', async () => {
    const to = await receiver(() => ({ status: 200, afterMs: 5 }));
    const { member, secret } = await join(to.url, 5);
    start();
    await arrived(to, 5);
    expect([to.ids, to.posted.length, to.atOnce]).toEqual([idsTo(member, 5), 5, 1]);
    const [publicKey] = await publicKeysOf(member);
    for (const { headers, body } of to.posted) {
      expect(headers['content-type']).toBe('application/cloudevents+json; charset=UTF-8');
      expect(verifyWebhook(headers, body, publicKey!)).toEqual(JSON.parse(body));
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(JSON.parse(body));
    }
    expect(JSON.parse(to.posted[0]!.body)).toMatchObject({
      type: 'liandun.notice.v1',
      id: `${member}.0`,
      data: { seq: 0, noticeId: `${member}.0` },
    });
    await issueNotices(log, [member], 5, 6);
    await arrived(to, 6);
    expect(to.ids).toEqual(idsTo(member, 6));
  });

  test('R08: passes on an action that this release doesn’t know, and what follows it', async () => {
    const to = await receiver();
    const { member } = await join(to.url, 1);
    const later = noticeIssued(member, 1, { action: 'suspend' as NoticeAction });
    await log.append({ events: [noticeIssuedEvent(later)] });
    await issueNotices(log, [member], 2, 3);
    start();
    await arrived(to, 3);
    expect(to.ids).toEqual(idsTo(member, 3));
    expect(JSON.parse(to.posted[1]!.body)).toMatchObject({ data: { seq: 1, action: 'suspend' } });
    expect(await dead(member)).toEqual([]);
  });

  test('says who was erased, once the notices that it names have come', async () => {
    const to = await receiver();
    const { member } = await join(to.url, 2);
    const event = (no: number): object => ({ member, no, noticeIds: [`${member}.1`] });
    await log.append({
      events: [
        {
          id: `erased:${member}`,
          source: LEDGER_SOURCE,
          type: EVENT_TYPES.noticeErased,
          time: '2020-02-03T10:00:00.000+08:00',
          stream: `erased/${member}`,
          data: event(0),
          fingerprint: randomBytes(32),
        },
      ],
    });
    start();
    await arrived(to, 3);
    expect(to.ids).toEqual([...idsTo(member, 2), `${member}_erased_0`]);
    expect(JSON.parse(to.posted[2]!.body)).toMatchObject({
      type: 'liandun.notice.erased.v1',
      data: { no: 0, noticeIds: [`${member}.1`] },
    });
  });

  test('shows no erased name when it is replayed', async () => {
    const to = await receiver();
    const { member } = await join(to.url, 1);
    const name = noticeIssued(member, 0).entity.name;
    start();
    await arrived(to, 1);
    await admin.query(
      `insert into view.notice (notice_id, member, seq, action, listing_id, entity_id, merchant_ids, position, issued_at, respond_by, erased)
       values ($1, $2, 0, 'close', 'L', 'E', '[]', 0, now(), now(), true)`,
      [`${member}.0`, member],
    );
    await replayFrom(door, member, 0);
    await arrived(to, 2);
    expect(to.posted.map(({ body }) => body.includes(name))).toEqual([true, false]);
    expect(to.posted[1]!.id).toBe(to.posted[0]!.id);
  });

  test('is not posted to while its member is suspended', async () => {
    const to = await receiver();
    const { member } = await join(to.url, 1);
    const other = await join(to.url, 1);
    await become('suspended', member);
    start();
    await arrived(to, 1);
    expect(to.ids).toEqual([`${other.member}_0`]);
    await become('active', member);
    await arrived(to, 2);
    expect(to.ids).toContain(`${member}_0`);
  });
});

describe('a receiver that fails', () => {
  test.each([500, 404, 429, 302])('with %i is tried again with the same id, and nothing overtakes', async (status) => {
    const to = await receiver((n) => ({ status: n < 3 ? status : 200 }));
    const { member } = await join(to.url, 3);
    start();
    await arrived(to, 6);
    expect(to.posted.map(({ id }) => id)).toEqual([0, 0, 0, 0, 1, 2].map((seq) => `${member}_${seq}`));
    expect(new Set(to.posted.slice(0, 4).map(({ body }) => body)).size).toBe(1);
  });

  test('with a redirect leads nowhere else', async () => {
    const elsewhere = await receiver();
    const to = await receiver((n) => (n < 2 ? { status: 307, headers: { location: elsewhere.url } } : { status: 200 }));
    const { member } = await join(to.url, 1);
    start();
    await arrived(to, 3);
    expect([to.ids, elsewhere.posted]).toEqual([[`${member}_0`], []]);
  });

  test('is left alone for as long as Retry-After says', async () => {
    const to = await receiver(() => ({ status: 503, headers: { 'retry-after': '3600' } }));
    const { member } = await join(to.url, 1);
    start();
    await until('the failure is recorded', async () => (await page(member)).attempts === 1);
    const { rows } = await admin.query(
      `select extract(epoch from attempt_at - now())::float8 as wait from webhook.endpoint where member = $1`,
      [member],
    );
    expect(rows[0].wait).toBeGreaterThan(3_500);
    expect(await page(member)).toMatchObject({ status: 'active', lastStatus: 503, lastProblem: 'STATUS', next: 0 });
    expect(to.posted).toHaveLength(1);
  });

  test('with 410 is not posted to any more, and goes on where it stopped once it is set again', async () => {
    const to = await receiver((n) => ({ status: n === 1 ? 410 : 200 }));
    const { member } = await join(to.url, 3);
    start();
    await until('it is disabled', async () => (await page(member)).status === 'disabled');
    expect(await page(member)).toMatchObject({ disabledBecause: 'gone', lastStatus: 410, next: 1 });
    await putEndpoint(door, kms, member, { url: to.url, from: undefined, headSeq: 2 });
    await arrived(to, 4);
    expect(to.posted.map(({ id }) => id)).toEqual([0, 1, 1, 2].map((seq) => `${member}_${seq}`));
  });

  test('by answering too late, or with an answer without end, delays nobody else', async () => {
    const slow = await receiver((n) => ({ status: 200, afterMs: n === 0 ? 5_000 : 0 }));
    const endless = await receiver(() => ({ status: 200, body: Buffer.alloc(4_000_000, 'x') }));
    const quick = await receiver();
    const [late, long, other] = [await join(slow.url, 2), await join(endless.url, 2), await join(quick.url, 2)];
    start({ timeoutMs: 500 });
    await Promise.all([arrived(quick, 2), arrived(endless, 2)]);
    expect(quick.ids).toEqual(idsTo(other.member, 2));
    expect(endless.ids).toEqual(idsTo(long.member, 2));
    await until('the slow one has both', async () => (await page(late.member)).next === 2);
    expect(slow.posted.map(({ id }) => id)).toEqual([0, 0, 1].map((seq) => `${late.member}_${seq}`));
  });

  test('and is not there at all is said to its member', async () => {
    const to = await receiver();
    await to.stop();
    receivers.splice(receivers.indexOf(to), 1);
    const { member } = await join(to.url, 1);
    start();
    await until('it is recorded', async () => (await page(member)).lastProblem === 'CONNECTION_FAILED');
  });
});

describe('what can not be delivered', () => {
  test('is kept as a dead letter, the next has its turn, and a replay brings it', async () => {
    let broken = true;
    const to = await receiver();
    to.answer = (_n, { id }) => ({ status: broken && id.endsWith('_1') ? 422 : 200 });
    const { member } = await join(to.url, 3);
    start({ attemptsMax: 3 });
    await until('all have had their turn', async () => (await page(member)).next === 3);
    expect(to.posted.map(({ id }) => id)).toEqual([0, 1, 1, 1, 2].map((seq) => `${member}_${seq}`));
    expect(await dead(member)).toEqual([
      expect.objectContaining({
        webhookId: `${member}_1`,
        kind: 'notice',
        seq: 1,
        attempts: 3,
        lastStatus: 422,
        lastProblem: 'STATUS',
      }),
    ]);
    expect(await webhookBacklog(pool)).toEqual({ waiting: 0, disabled: 0, dead: 1 });
    broken = false;
    await replayFrom(door, member, 1);
    await arrived(to, 7);
    expect(to.posted.slice(5).map(({ id }) => id)).toEqual([1, 2].map((seq) => `${member}_${seq}`));
    expect(await dead(member)).toEqual([]);
  });

  test('three times in a row disables the endpoint, and what follows waits in the log', async () => {
    const to = await receiver(() => ({ status: 500 }));
    const { member } = await join(to.url, 5);
    start({ attemptsMax: 2 });
    await until('it is disabled', async () => (await page(member)).status === 'disabled');
    expect(await page(member)).toMatchObject({ disabledBecause: 'failing', next: 3 });
    expect(await dead(member)).toHaveLength(3);
    expect(await webhookBacklog(pool)).toEqual({ waiting: 2, disabled: 1, dead: 3 });
  });

  test('is not skipped by a replay: a seq that is ahead is refused', async () => {
    const to = await receiver(() => ({ status: 500 }));
    const { member } = await join(to.url, 2);
    await expect(replayFrom(door, member, 1)).rejects.toMatchObject({ problem: { code: 'OUT_OF_RANGE' } });
    await expect(replayFrom(door, 'nobody', 0)).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
  });
});

describe('only public addresses', () => {
  const address = (text: string): Address => ({ address: text, family: 4 });

  test('a name that resolves to a private one a moment later gains nothing', async () => {
    const ca = await authority('test');
    const tls = await ca.issue({ name: 'hooks.example', hosts: ['hooks.example'] });
    const good = await receiver((n) => ({ status: n === 0 ? 500 : 200, headers: { connection: 'close' } }), {
      host: '127.0.0.2',
      tls,
    });
    const { port } = good;
    let asked = 0;
    // 127.0.0.2 stands for a public address, 127.0.0.1 for what must not be reached.
    const resolve = (): Promise<Address[]> =>
      Promise.resolve([address((asked += 1) === 1 ? '127.0.0.2' : '127.0.0.1')]);
    const secret = await receiver(undefined, { host: '127.0.0.1', tls });
    const { member } = await join(`https://hooks.example:${port}/`, 1);
    start({ allowed: parseNetworks('127.0.0.2/32'), resolve, ca: ca.cert });
    await until('the lie is found', async () => (await page(member)).lastProblem === 'ADDRESS_NOT_PUBLIC');
    expect([good.posted.length, secret.posted.length, (await page(member)).next]).toEqual([1, 0, 0]);
    expect(asked).toBeGreaterThan(1);
  });

  test.each([
    ['an address', 'http://127.0.0.1:9/'],
    ['a name', 'https://localhost:9/'],
    ['the metadata of a cloud', 'http://169.254.169.254/latest/'],
  ])('%s that was stored before is not called either', async (_, url) => {
    const { member } = await join(url, 1);
    start({ allowed: [] });
    await until('it is refused', async () => (await page(member)).lastProblem === 'ADDRESS_NOT_PUBLIC');
  });

  test('a certificate that nobody vouches for is refused', async () => {
    const tls = await (await authority('test')).issue({ name: 'localhost', hosts: ['localhost'] });
    const to = await receiver(undefined, { tls });
    const { member } = await join(`https://localhost:${to.port}/`, 1);
    start();
    await until('it is refused', async () => (await page(member)).lastProblem === 'UNTRUSTED_CERTIFICATE');
    expect(to.posted).toEqual([]);
  });
});

describe('secrets', () => {
  test('rotate without a gap: for a day both sign, then the new one alone', async () => {
    const to = await receiver();
    const { member, secret: first } = await join(to.url, 1);
    const [oldKey] = await publicKeysOf(member);
    const second = await rotateSecret(door, kms, member, false);
    const [newKey] = await publicKeysOf(member);
    start();
    await arrived(to, 1);
    const [{ headers, body }] = to.posted as [(typeof to.posted)[0]];
    for (const key of [oldKey!, newKey!, first, second]) expect(verifyWebhook(headers, body, key)).toBeDefined();
    await admin.query(`update webhook.secret set expires_at = now() where member = $1 and no = 1`, [member]);
    await issueNotices(log, [member], 1, 2);
    await arrived(to, 2);
    const last = to.posted[1]!;
    expect(verifyWebhook(last.headers, last.body, newKey!)).toBeDefined();
    for (const key of [oldKey!, first])
      expect(() => verifyWebhook(last.headers, last.body, key)).toThrow('No signature');
  });

  test('are two at most, and one that was stolen stops at once', async () => {
    const { member } = await join('http://127.0.0.1:9/', 0);
    const [first] = await publicKeysOf(member);
    await rotateSecret(door, kms, member, false);
    await rotateSecret(door, kms, member, false);
    expect(await publicKeysOf(member)).toHaveLength(2);
    expect(await publicKeysOf(member)).not.toContain(first);
    await rotateSecret(door, kms, member, true);
    expect(await publicKeysOf(member)).toHaveLength(1);
  });

  test('lie in the database wrapped, and are wrapped anew when the key-encryption key rotates', async () => {
    const keys = [1, 2].map((version) => [version, createSecretKey(randomBytes(32))] as const);
    const [old, both, after] = [[keys[0]!], keys, [keys[1]!]].map((some) => localKms(new Map(some)));
    const to = await receiver();
    const member = await admit();
    const secret = await putEndpoint(door, old!, member, { url: to.url, from: 0, headSeq: -1 });
    const { rows } = await admin.query('select wrapped from webhook.secret where member = $1', [member]);
    expect(rows[0].wrapped.toString('base64')).not.toContain(secret!.slice(6, 30));
    await start({ kms: both! }).stop();
    running.splice(0);
    start({ kms: both! });
    await until('it is wrapped anew', async () => {
      const found = await admin.query('select key_version from webhook.secret where member = $1', [member]);
      return found.rows[0].key_version === 2;
    });
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await issueNotices(log, [member], 0, 1);
    start({ kms: after! });
    await arrived(to, 1);
    expect(verifyWebhook(to.posted[0]!.headers, to.posted[0]!.body, secret!)).toBeDefined();
  });
});

describe('a test', () => {
  test('is posted once, also to an endpoint that is disabled, and its page says how it went', async () => {
    const to = await receiver((n) => ({ status: n === 0 ? 410 : 418 }));
    const { member } = await join(to.url, 1);
    start();
    await until('it is disabled', async () => (await page(member)).status === 'disabled');
    const testId = await requestTest(door, member);
    await until('it was sent', async () => (await page(member)).test?.sentAt !== undefined);
    expect((await page(member)).test).toMatchObject({ status: 418, problem: 'STATUS' });
    const { headers, body, id } = to.posted[1]!;
    expect(id).toBe(`${member}_test_${testId}`);
    const event = verifyWebhook(headers, body, (await publicKeysOf(member))[0]!);
    expect(event).toMatchObject({ type: 'liandun.webhook.test.v1', data: { testId } });
  });
});

describe('processes', () => {
  test('of two, one posts; the other takes over where it stopped', async () => {
    const to = await receiver(() => ({ status: 200, afterMs: 20 }));
    const { member } = await join(to.url, 20);
    const one = start();
    await arrived(to, 3);
    start();
    await arrived(to, 6);
    await one.stop();
    await until('all came', async () => (await page(member)).next === 20);
    expect([to.ids, to.atOnce]).toEqual([idsTo(member, 20), 1]);
    // What was under way when the first stopped may come twice.
    expect(to.posted.length).toBeLessThanOrEqual(21);
  });

  test('a webhook that is ended is not posted to, and its secrets and dead letters go with it', async () => {
    const { member } = await join('http://127.0.0.1:9/', 1);
    await deleteEndpoint(door, member);
    await expect(page(member)).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
    await expect(deleteEndpoint(door, member)).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
    const { rows } = await admin.query('select count(*)::int as secrets from webhook.secret where member = $1', [
      member,
    ]);
    expect(rows).toEqual([{ secrets: 0 }]);
  });
});
