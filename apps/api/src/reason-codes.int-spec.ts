import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reasonCodes, type ReasonCode } from '@liandun/contracts';
import { TestApi, type Answer, type TestMember } from '../../../test/support/api.js';
import { delisted, organization } from '../../../test/support/submissions.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

/** A row as a person writes it: the area follows from the letter. */
function rowOf(code: string, more: object = {}): object {
  const { area: _area, ...row } = reasonCodes().codes.get(code) as ReasonCode;
  return { ...row, ...more };
}
const NEW = { code: 'B09', labelZh: '测试用新事由', labelEn: 'A new reason for a test' };

const propose = (member: TestMember, ...codes: object[]): Promise<Answer> =>
  api.call(member, 'POST', '/v1/reason-codes', { body: { codes } });
const decide = (member: TestMember, approvalId: string, decision = 'approve'): Promise<Answer> =>
  api.call(member, 'POST', `/v1/approvals/${approvalId}`, { body: { decision } });
const table = async (): Promise<{ version: string; codes: ReasonCode[] }> =>
  (await api.call('platform-a', 'GET', '/v1/reason-codes')).body;
let serial = 0;
async function file(code: string): Promise<[number, string?]> {
  serial += 1;
  const { status, body } = await api.publish(
    'platform-a',
    delisted('platform-a', `m-${serial}`, organization(serial), { code }),
  );
  return status < 300 ? [status] : [status, body.errors?.[0].code];
}

test('P05: only a versioned change by two persons adds a code', async () => {
  expect((await table()).version).toBe('2');
  expect(await file(NEW.code)).toEqual([422, 'UNKNOWN_CODE']);

  expect((await propose('platform-a', rowOf('B01', NEW))).status).toBe(403);
  const { status, body } = await propose('admin', rowOf('B01', NEW));
  expect([status, body]).toEqual([202, { approvalId: expect.any(String), version: '3' }]);
  expect(await file(NEW.code)).toEqual([422, 'UNKNOWN_CODE']);
  const seen = (await api.call('regulator-beijing', 'GET', '/v1/reason-codes')).body.proposed;
  expect(seen).toEqual([
    expect.objectContaining({ requestedBy: 'admin', version: '3', codes: [rowOf('B01', { ...NEW, area: 'trade' })] }),
  ]);
  expect(await table()).not.toHaveProperty('proposed');
  const alone = await decide('admin', body.approvalId);
  expect([alone.status, alone.body.code]).toEqual([403, 'SECOND_PERSON_NEEDED']);
  expect((await decide('platform-a', body.approvalId)).status).toBe(403);
  expect((await table()).version).toBe('2');

  const approved = await decide('regulator-beijing', body.approvalId);
  expect([approved.status, approved.body.status, approved.body.decidedBy]).toEqual([
    200,
    'granted',
    'regulator-beijing',
  ]);
  const { version, codes } = await table();
  expect(version).toBe('3');
  expect(codes).toHaveLength(reasonCodes().codes.size + 1);
  expect(codes.find(({ code }) => code === NEW.code)).toEqual(rowOf('B01', { ...NEW, area: 'trade' }));
  expect(await file(NEW.code)).toEqual([201]);
  const { rows } = await api.pool.query(
    `select entry::jsonb -> 'data' as data from log.entry where type = 'liandun.reasoncodes.changed.v1'`,
  );
  expect(rows).toEqual([
    { data: expect.objectContaining({ version: 3, requestedBy: 'admin', approvedBy: 'regulator-beijing' }) },
  ]);
});

test('P05: the database itself takes no row that two persons did not approve, and changes none', async () => {
  const insert = (row: object, by = "'admin', 'admin-2'"): Promise<unknown> =>
    api.pool.query(`insert into access.reason_code select 9, $1::jsonb ->> 'code', 1, $1, 'none', ${by}`, [
      JSON.stringify(row),
    ]);
  await expect(insert(rowOf('B01', { code: 'B10' }))).rejects.toThrow('no approval by a second person');
  await expect(
    api.pool.query(`update access.reason_code set reason = jsonb_set(reason, '{labelEn}', '"another"')`),
  ).rejects.toThrow('no approval by a second person');
});

describe('P05: what a change may say', () => {
  const wrong: [string, object, string, string][] = [
    ['a breach of platform rules alone', rowOf('X01', { tier: 2 }), '/codes/0/code', 'CODE_NOT_SHAREABLE'],
    [
      'closing by itself on a platform’s finding (P01)',
      rowOf('B01', { autoClosable: true }),
      '/codes/0/autoClosable',
      'CODE_ROW_NOT_ALLOWED',
    ],
    ['no legal basis', rowOf('B01', { legalBasis: [] }), '/codes/0/legalBasis', 'CODE_ROW_NOT_ALLOWED'],
    ['no end', rowOf('K01', { defaultRetentionDays: 0 }), '/codes/0/defaultRetentionDays', 'CODE_ROW_NOT_ALLOWED'],
    ['claimants shown to platforms', rowOf('K01', { tier: 3 }), '/codes/0/tier', 'CODE_ROW_NOT_ALLOWED'],
    ['an unknown letter', rowOf('B01', { code: 'Z01' }), '/codes/0/code', 'CODE_ROW_NOT_ALLOWED'],
    ['another field', rowOf('B01', { price: 1 }), '/codes/0/price', 'UNKNOWN_FIELD'],
    ['a number as text', rowOf('B01', { tier: '1' }), '/codes/0/tier', 'WRONG_TYPE'],
    ['what stands already', rowOf('B01'), '/codes/0', 'CODE_ROW_CHANGES_NOTHING'],
    ['an official list’s code retired', rowOf('A05', { retired: true }), '/codes/0/retired', 'CODE_ROW_NOT_ALLOWED'],
  ];
  test.each(wrong)('P05: %s is refused with its row and field', async (_what, row, pointer, code) => {
    const { status, body } = await propose('admin', row);
    expect([status, body.errors]).toEqual([422, [expect.objectContaining({ pointer, code })]]);
  });

  test('P05: a change that was proposed on an earlier version does not come into force', async () => {
    const one = (await propose('admin', rowOf('B02', { retired: true }))).body;
    const other = (await propose('admin-2', rowOf('B03', { labelEn: 'Other words' }))).body;
    expect((await decide('admin-3', one.approvalId)).status).toBe(200);
    const late = await decide('admin-3', other.approvalId);
    expect([late.status, late.body.code]).toEqual([409, 'CODES_CHANGED']);
    expect((await decide('admin-3', other.approvalId, 'refuse')).body.status).toBe('refused');
    expect(await file('B02')).toEqual([422, 'CODE_RETIRED']);
    expect(await file('B03')).toEqual([201]);
  });
});
