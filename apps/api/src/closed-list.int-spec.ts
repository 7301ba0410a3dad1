import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SUBMITTED_TYPES } from '@liandun/contracts';
import { TestApi } from '../../../test/support/api.js';
import { caseOf, delisted, organization, submission } from '../../../test/support/submissions.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

const rows = async (): Promise<unknown> => {
  const counts = ['log.entry', 'log.event_id', 'log.stream', 'vault.record'].map(
    async (table) => (await api.pool.query(`select count(*)::int as count from ${table}`)).rows[0].count,
  );
  return Promise.all(counts);
};

describe('P05: a closed list of reasons', () => {
  const filings: [string, (code: string) => object][] = [
    ['a delisting', (code) => delisted('platform-a', 'm-1', organization(1), { code })],
    [
      'a risk entity',
      (code) =>
        submission('platform-a', SUBMITTED_TYPES.riskEntityReported, {
          subject: 'merchant',
          identity: organization(1),
          accounts: [],
          ...caseOf(code),
        }),
    ],
  ];
  const codes: [string, string, string][] = [
    ['an unknown code', 'Z99', 'UNKNOWN_CODE'],
    ['a number that no row has', 'A99', 'UNKNOWN_CODE'],
    ['a breach of the platform’s own rules only', 'X01', 'CODE_NOT_SHAREABLE'],
  ];
  test.each(filings.flatMap(([what, filing]) => codes.map(([why, ...rest]) => [what, why, filing, ...rest] as const)))(
    'P05: %s with %s gets 422 and leaves no row',
    async (_what, _why, filing, code, problem) => {
      const before = await rows();
      const { status, body } = await api.publish('platform-a', filing(code));
      expect([status, body.errors]).toEqual([
        422,
        [expect.objectContaining({ pointer: '/data/reason/code', code: problem })],
      ]);
      const [line] = await api.stream('platform-a', [filing(code)]);
      expect([line.status, line.problem.errors[0].code]).toEqual(['rejected', problem]);
      expect(await rows()).toEqual(before);
    },
  );

  test('P05: a code that is a row of the table is taken, so the count above would show a row', async () => {
    const before = await rows();
    const { status } = await api.publish('platform-a', delisted('platform-a', 'm-1', organization(1)));
    expect(status).toBe(201);
    expect(await rows()).not.toEqual(before);
  });
});
