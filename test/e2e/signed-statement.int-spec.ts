import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, makeUscc } from '@liandun/contracts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '../../apps/api/src/api.js';
import type { Answer } from '../support/api.js';
import { launchBrowser } from '../support/browser.js';
import { until } from '../support/kafka.js';
import { SubjectSide } from '../support/subject.js';
import { identifier, signStatement, SubjectCa, type Holder } from '../support/subject-ca.js';
import { delisted, organization } from '../support/submissions.js';

const [LISTED, UNKNOWN] = [8401, 8402];
const code = (serial: number): string => makeUscc('990101', serial);

let side: SubjectSide;
let folder: string;
let [listed, unknown]: Holder[] = [];
let listingId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liandun-cas-'));
  const ca = await (await SubjectCa.root('Fictional Root')).subordinate('Fictional Organizations CA');
  const cas = join(folder, 'cas.pem');
  await writeFile(cas, ca.pem);
  const issue = (serial: number): Promise<Holder> =>
    ca.issue(`虚构贸易${serial}有限公司`, { attributes: identifier(code(serial)) });
  [listed, unknown] = [await issue(LISTED), await issue(UNKNOWN)];
  side = await SubjectSide.start({ LIANDUN_SUBJECT_CAS: cas });
  // Nobody reported a contact of his: no code could reach him.
  const { body } = await side.api.publish('platform-a', delisted('platform-a', 'm-1', organization(LISTED)));
  listingId = `L${body.position}-${Buffer.from(body.leafHash, 'base64').toString('hex', 0, 6)}`;
  await side.settled();
});
afterAll(async () => {
  await side?.stop();
  await rm(folder, { recursive: true, force: true });
});

const challenge = async (serial: number): Promise<string> => {
  const { status, body } = await side.call('POST', '/public/challenges', { body: { uscc: code(serial) } });
  expect([status, body.expiresAt]).toEqual([200, expect.stringMatching(/\+08:00$/)]);
  return body.text;
};
const post = (body: object): Promise<Answer> => side.call('POST', '/public/signed-statements', { body });
const shape = ({ status, body, headers }: Answer): object => ({
  status,
  fields: Object.keys(body),
  headers: [...headers.keys()].filter((name) => name !== 'keep-alive' && name !== 'connection'),
  length: JSON.stringify(body).length,
});

describe('P07: a statement signed with the credit code’s certificate instead of a code', () => {
  test('P07: it opens what a code opens, and what is filed says that it was a signed statement', async () => {
    expect((await side.call('GET', '/public/identifications')).body).toEqual({ ways: ['code', 'signedStatement'] });
    const { status, body: proven } = await post({ jws: await signStatement(listed!, await challenge(LISTED)) });
    expect(status).toBe(200);
    const { token } = proven;
    const { body: page } = await side.call('GET', '/public/subject', { token });
    expect(page.listings).toMatchObject([{ listingId, status: 'published' }]);
    const appeal = { listingId, grounds: 'wrongFinding', statement: '监测样本并非我店商品。' };
    expect((await side.call('POST', '/public/appeals', { token, body: appeal })).status).toBe(201);
    const words = { listingId, statement: '价格已更正。' };
    expect((await side.call('POST', '/public/statements', { token, body: words })).status).toBe(201);
    await side.settled();
    const log = await side.log.read({ after: -1, limit: 100_000 });
    const said = log.filter(({ type }) => type === EVENT_TYPES.appealFiled || type === EVENT_TYPES.subjectStated);
    expect(said.map(({ data }) => data.proved)).toEqual(['signedStatement', 'signedStatement']);
    const { body: after } = await side.call('GET', '/public/subject', { token });
    expect(after.listings[0]).toMatchObject({ status: 'disputed', appeals: [{ proved: 'signedStatement' }] });
  });

  test('P07: a challenge is used once, however it is posted', async () => {
    const text = await challenge(LISTED);
    const jws = await signStatement(listed!, text);
    const detached = { jws: jws.replace(/\.[^.]+\./, '..'), text };
    const answers = await Promise.all([post({ jws }), post(detached), post({ jws })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422, 422]);
    for (const { body } of answers.filter(({ status }) => status === 422))
      expect([body.code, body.errors]).toMatchObject([
        'STATEMENT_REFUSED',
        [{ pointer: '/jws/payload/challenge', code: 'STATEMENT_CHALLENGE' }],
      ]);
    // Signed by another for this code: refused with field and remedy.
    const { status, body } = await post({ jws: await signStatement(unknown!, await challenge(LISTED)) });
    expect([status, body.errors]).toMatchObject([
      422,
      [
        {
          pointer: '/jws/payload/uscc',
          code: 'STATEMENT_OTHER_CODE',
          message: expect.stringContaining('certificate of'),
        },
      ],
    ]);
    expect((await post({ jws: 'none' })).body.errors).toMatchObject([{ pointer: '/jws', code: 'STATEMENT_MALFORMED' }]);
  });

  test('P18: of a code that is listed and of one that is not, it is the same answer, by the same statements', async () => {
    const answers = [];
    for (const [holder, serial] of [
      [listed!, LISTED],
      [unknown!, UNKNOWN],
    ] as const)
      answers.push(await post({ jws: await signStatement(holder, await challenge(serial)) }));
    expect(shape(answers[1]!)).toEqual(shape(answers[0]!));
    const { body } = await side.call('GET', '/public/subject', { token: answers[1]!.body.token });
    expect([body.listings, body.observations, body.inquiries]).toEqual([[], [], []]);
  });

  test('P07: without authorities that the operator trusts the way isn’t offered, and says so', async () => {
    const { LIANDUN_SUBJECT_CAS: _none, LIANDUN_GENESIS: _done, ...env } = side.api.env;
    const other = await createApi(env);
    try {
      const ask = async (path: string, body?: object): Promise<[number, Record<string, unknown>]> => {
        const init = body && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        };
        const answer = await fetch(other.url + path, init);
        return [answer.status, (await answer.json()) as Record<string, unknown>];
      };
      expect(await ask('/public/identifications')).toEqual([200, { ways: ['code'] }]);
      const refused = [409, { code: 'STATEMENTS_NOT_TAKEN', detail: expect.stringContaining('LIANDUN_SUBJECT_CAS') }];
      expect(await ask('/public/challenges', { uscc: code(LISTED) })).toMatchObject(refused);
      expect(await ask('/public/signed-statements', { jws: 'AAAA.AAAA.AAAA' })).toMatchObject(refused);
    } finally {
      await other.close();
    }
    await expect(createApi({ ...env, LIANDUN_SUBJECT_CAS: side.api.env['LIANDUN_KEYS']! })).rejects.toThrow(
      /LIANDUN_SUBJECT_CAS: .* holds no certificate/,
    );
  });
});

test.each(['zh-CN', 'en-GB'])('P07: on the page in %s the second way leads to the same records', async (locale) => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ locale, viewport: { width: 390, height: 844 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${side.api.api.url}/public/`);
    const folded = page.locator('#sign > summary');
    await folded.click();
    for (const id of ['sign-uscc', 'text', 'jws', 'jws-file'])
      expect(await page.locator(`label[for=${id}]`).textContent()).toBeTruthy();
    await page.locator('#sign-uscc').fill(code(LISTED).toLowerCase());
    await page.locator('#ask button').click();
    await page.locator('#text').waitFor();
    const text = await page.locator('#text').inputValue();
    // Of another: said in the reader's language, with the reason.
    await page.locator('#jws').fill(await signStatement(unknown!, text));
    await page.locator('#signed button[type=submit]').click();
    await page.locator('#message.bad').waitFor();
    expect(await page.locator('#message').innerText()).toContain(
      locale === 'zh-CN' ? '证书所载的统一社会信用代码与声明不一致' : 'another credit code',
    );
    const jws = await signStatement(listed!, text);
    const buffer = Buffer.from(jws.replace(/\.[^.]+\./, '..'));
    await page.locator('#jws-file').setInputFiles({ name: 's.jws', mimeType: 'application/jose', buffer });
    await until('the file is read', async () => (await page.locator('#jws').inputValue()).includes('..'));
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(
      true,
    );
    await page.locator('#signed button[type=submit]').click();
    await page.locator('#listings article').first().waitFor();
    expect(await page.locator('#listings').innerText()).toContain(listingId);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
  }
});
