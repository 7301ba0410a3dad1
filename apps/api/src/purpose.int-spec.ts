import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestApi, type Answer } from '../../../test/support/api.js';
import { organization } from '../../../test/support/submissions.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

const ask = (more: object): Promise<Answer> =>
  api.call('platform-b', 'POST', '/v1/screenings', { body: { identity: organization(7), ...more } });

describe('P15: purpose lock', () => {
  const others: [string, object, string][] = [
    ['without a purpose', {}, 'MISSING_FIELD'],
    ...['finance', 'hiring', 'pricing', '', 'Onboarding'].map((purpose): [string, object, string] => [
      `for "${purpose}"`,
      { purpose },
      'PURPOSE_NOT_ALLOWED',
    ]),
    ['for a number', { purpose: 7 }, 'PURPOSE_NOT_ALLOWED'],
  ];

  test.each(others)(
    'P15: a question %s is refused, and stands in the log without whom it was about',
    async (_, body, code) => {
      const logged = async (): Promise<string[]> => {
        const { rows } = await api.pool.query<{ entry: string }>(
          "select entry from log.entry where stream = 'alarms' order by position",
        );
        return rows.map(({ entry }) => entry);
      };
      const before = await logged();
      const { status, body: problem } = await ask(body);
      expect([status, problem.errors[0]]).toEqual([422, expect.objectContaining({ pointer: '/purpose', code })]);
      const after = await logged();
      expect(after).toHaveLength(before.length + 1);
      const entry = after.at(-1) ?? '';
      expect(JSON.parse(entry).data).toMatchObject({ alarm: 'otherPurpose', about: 'platform-b' });
      expect(entry).not.toContain('虚构');
      // Nothing was asked of the matcher.
      expect((await api.pool.query("select from log.entry where stream like 'screenings/%'")).rows).toEqual([]);
    },
  );

  test('P15: who may suspend the member sees each, and once it is suspended it is answered nothing', async () => {
    const { body } = await api.call('admin', 'GET', '/v1/alarms');
    const misuse = body.items.filter(({ alarm }: { alarm: string }) => alarm === 'otherPurpose');
    expect(misuse.map(({ member }: { member: string }) => member)).toEqual(others.map(() => 'platform-b'));
    expect((await ask({ purpose: 'compliance' })).status).toBe(200);
    expect((await api.call('admin', 'POST', '/v1/members/platform-b/suspension', { body: {} })).status).toBe(202);
    expect((await ask({ purpose: 'compliance' })).status).toBe(403);
  });
});
