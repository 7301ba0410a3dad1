import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeRegistrationNumber, makeUscc, type CloudEvent } from '@liandun/contracts';
import type pg from 'pg';
import { Stops, type Step } from '../faults/stops.js';
import { until } from '../support/kafka.js';
import { feedOf } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, person, reported } from '../support/submissions.js';

const [A, B, C, REGULATOR] = ['erase-a', 'erase-b', 'erase-c', 'erase-regulator'];
const REGISTRATION = makeRegistrationNumber('990101', 31);
let product: Product;
let pool: pg.Pool;

beforeAll(async () => {
  product = await Product.start([
    ...[A, B, C].map((memberId) => ({ memberId, role: 'platform' as const })),
    { memberId: REGULATOR, role: 'regulator' },
  ]);
  pool = product.pool();
}, 180_000);
afterAll(async () => {
  await pool?.end();
  await product?.stop();
});

interface Shown {
  status: string;
  found?: { entries: number; records: object[] };
  erased?: { entries: number };
}

const accepted = async (member: string, events: object[]): Promise<number[]> => {
  const receipts = await product.client(member).publish(events as CloudEvent[]);
  expect(receipts.filter(({ status }) => status !== 'accepted')).toEqual([]);
  return receipts.map(({ position }) => position as number);
};
const ask = async (identifiers: object, as = REGULATOR): Promise<string> => {
  const body = { identifiers, basis: 'unlawful', requestId: 'r-1' };
  return (await product.client(as).post<{ approvalId: string }>('/v1/erasures', body)).approvalId;
};
const shown = (approvalId: string): Promise<Shown> => product.client('admin-1').get(`/v1/erasures/${approvalId}`);
const approve = (approvalId: string): Promise<Shown> =>
  product.client('admin-1').post(`/v1/approvals/${approvalId}`, { decision: 'approve' });
const keysAt = async (positions: number[]): Promise<number> =>
  (await pool.query('select from vault.data_key where position = any($1)', [positions])).rows.length;

test('a sole proprietor is found by the credit code, or by the registration number', async () => {
  const uscc = makeUscc('990101', 77);
  const [byCode, byNumber] = [
    await accepted(A, [reported(A, 'sp-1', { kind: 'soleProprietor', name: '李虚构小店', uscc })]),
    await accepted(A, [
      reported(A, 'sp-2', { kind: 'soleProprietor', name: '王虚构小店', registrationNumber: REGISTRATION }),
    ]),
  ];
  expect(await approve(await ask({ uscc }))).toMatchObject({ erased: { entries: 1, positions: byCode } });
  expect(await keysAt([...byCode, ...byNumber])).toBe(1);
  const answer = await approve(await ask({ registrationNumber: REGISTRATION }));
  expect(answer).toMatchObject({ erased: { entries: 1, positions: byNumber } });
  expect(await keysAt([...byCode, ...byNumber])).toBe(0);
});

test('a contact finds a person only with the name, and whoever decides sees what would go, masked', async () => {
  const phones = ['+86 139-1234-5678'];
  const [one, other] = await accepted(A, [
    reported(A, 'c-1', person(101, { name: '赵虚构', phones })),
    reported(A, 'c-2', person(102, { name: '钱虚构', phones })),
  ]);
  const refused = product.client(REGULATOR).post('/v1/erasures', {
    identifiers: { phones: ['13912345678'] },
    basis: 'unlawful',
    requestId: 'r-2',
  });
  await expect(refused).rejects.toMatchObject({ problem: { errors: [{ pointer: '/identifiers/name' }] } });
  const approvalId = await ask({ name: '赵 虚构', phones: ['13912345678'] });
  const { status, found } = await shown(approvalId);
  expect([status, found]).toEqual([
    'pending',
    {
      entries: 1,
      records: [
        {
          position: one,
          member: A,
          type: 'liandun.merchant.reported.v1',
          kind: 'person',
          as: 'subject',
          foundBy: ['phone'],
          name: '赵**',
          residentId: expect.stringMatching(/^\*{14}.{4}$/),
          phones: [expect.stringMatching(/^\+86\*+78$/)],
        },
      ],
    },
  ]);
  expect(await approve(approvalId)).toMatchObject({ erased: { entries: 1, positions: [one] } });
  expect([await keysAt([one as number]), await keysAt([other as number])]).toEqual([0, 1]);
});

test('exactly those who hold notices about the person are told, once, however often it is erased', async () => {
  const identity = person(201) as { residentId: string };
  await accepted(B, [reported(B, 'told-b', identity)]);
  await accepted(A, [delisted(A, 'told-a', identity)]);
  await until('B was told', async () => (await feedOf(product.client(B))).length === 1);
  const first = await approve(await ask({ residentId: identity.residentId }));
  expect(first.erased?.entries).toBe(2);
  const told = async (member: string): Promise<CloudEvent<{ no: number; noticeIds: string[] }>[]> =>
    (
      await product
        .client(member)
        .get<{ items: CloudEvent<{ no: number; noticeIds: string[] }>[] }>('/v1/notices/erased')
    ).items;
  await until('B is told of the erasure', async () => (await told(B)).length === 1);
  expect(await approve(await ask({ residentId: identity.residentId }))).toMatchObject({ erased: { entries: 0 } });
  await product.settled();
  expect((await told(B)).map(({ type, data: { no, noticeIds } }) => [type, no, noticeIds])).toEqual([
    ['liandun.notice.erased.v1', 0, [`${B}.0`]],
  ]);
  expect([await told(A), await told(C)]).toEqual([[], []]);
  const feed = await feedOf(product.client(B));
  expect(feed.map(({ data: { seq, erased, entity } }) => [seq, erased, entity.name])).toEqual([[0, true, '*']]);
});

test('more than one entry has room for: all or nothing, wherever the api is killed', async () => {
  const identity = person(301) as { residentId: string };
  const events = Array.from({ length: 2_300 }, (_, n) => reported(A, `many-${n}`, identity));
  const positions = [
    ...(await accepted(A, events.slice(0, 1_000))),
    ...(await accepted(A, events.slice(1_000, 2_000))),
    ...(await accepted(A, events.slice(2_000))),
  ];
  const approvalId = await ask({ residentId: identity.residentId });
  expect((await shown(approvalId)).found?.entries).toBe(2_300);
  const stops = await Stops.install(pool);
  const entries = `new.stream = 'erasure/${approvalId}'`;
  const steps: Step[] = [
    { name: 'the first of its entries is written', on: 'after insert on log.entry', when: entries },
    { name: 'the first key is destroyed', on: 'after delete on vault.data_key' },
    { name: 'everything is written', on: 'after delete on vault.data_key', atCommit: true },
    { name: 'it is being committed', on: 'after delete on vault.data_key', atCommit: true, commits: true },
  ];
  const token = await product.client('admin-1').token();
  for (const step of steps) {
    await stops.killAt(step, product, 'api', async () =>
      fetch(`${product.url}/v1/approvals/${approvalId}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ decision: 'approve' }),
      }).catch(() => undefined),
    );
    await product.run('api');
    const { status } = await shown(approvalId);
    expect([step.name, status, await keysAt(positions)]).toEqual(
      step.commits ? [step.name, 'granted', 0] : [step.name, 'pending', 2_300],
    );
  }
  await stops.close();
  expect(await shown(approvalId)).toMatchObject({ status: 'granted', erased: { entries: 2_300 } });
  expect(await keysAt(positions)).toBe(0);
  const { rows } = await pool.query(`select entry from log.entry where stream = $1 order by version`, [
    `erasure/${approvalId}`,
  ]);
  const sizes = rows.map(({ entry }) => (JSON.parse(entry) as { data: { positions: number[] } }).data.positions.length);
  expect(sizes).toEqual([1_000, 1_000, 300]);
  const again = await product.client(A).publish(events.slice(0, 3) as CloudEvent[]);
  expect(again.map(({ status, position }) => [status, position])).toEqual(
    positions.slice(0, 3).map((position) => ['duplicate', position]),
  );
}, 180_000);
