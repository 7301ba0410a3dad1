import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeUscc } from '@liandun/contracts';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { SubjectSide } from '../support/subject.js';
import { delisted, organization, reported } from '../support/submissions.js';

const [SERIAL, HELD, APPEALED] = [8201, 8202, 8203];
const [PHONE, APPEALED_PHONE, MAIL] = ['13900000021', '13900000023', 'owner@merchant.example'];

let side: SubjectSide;
let browser: Browser;

beforeAll(async () => {
  side = await SubjectSide.start();
  await side.api.publish('platform-b', reported('platform-b', 'm-1', organization(SERIAL, { phones: [PHONE] })));
  await side.api.publish('platform-a', delisted('platform-a', 'm-1', organization(SERIAL, { phones: [PHONE] })));
  const held = delisted('platform-a', 'm-2', organization(HELD, { emails: [MAIL] }), { code: 'E01' });
  await side.api.publish('platform-a', held);
  const appealed = organization(APPEALED, { phones: [APPEALED_PHONE] });
  await side.api.publish('platform-b', reported('platform-b', 'm-3', appealed));
  await side.api.publish('platform-a', delisted('platform-a', 'm-3', appealed));
  await side.settled();
  const screening = { identity: organization(SERIAL), purpose: 'onboarding' };
  await side.api.call('platform-b', 'POST', '/v1/screenings', { body: screening });
  await side.tick();
  browser = await launchBrowser();
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await side?.stop();
});

interface Visit {
  page: Page;
  problems: string[];
}

async function visit(locale: string, [width, height]: [number, number]): Promise<Visit> {
  const page = await browser.newPage({ locale, viewport: { width, height } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${side.api.api.url}/public/`);
  return { page, problems };
}

/** Pictures for whoever wants to look, where LIANDUN_SCREENSHOTS names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['LIANDUN_SCREENSHOTS'];
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

const isWide = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

async function prove(page: Page, serial: number, to: string, shown = '#listings article'): Promise<void> {
  const before = side.gateway.sent.length;
  await page.locator('#number').fill(makeUscc('990101', serial).toLowerCase());
  await page.locator('#name').fill(`虚构贸易${serial}有限公司`);
  if (to.includes('@')) await page.locator('input[value=email]').check();
  await page.locator('#who button').click();
  await page.locator('#code').fill(await side.gateway.next(to, before));
  await page.locator('#proof button[type=submit]').click();
  await page.locator(shown).first().waitFor();
}

describe.each([
  ['zh-CN', 'phone', [390, 844]],
  ['zh-CN', 'desktop', [1280, 900]],
  ['en-GB', 'phone', [390, 844]],
  ['en-GB', 'desktop', [1280, 900]],
] as [string, string, [number, number]][])('the subject’s page in %s on a %s', (locale, device, size) => {
  const zh = locale.startsWith('zh');

  test('P17: says what, why, by which rule, until when, who decided and how to appeal', async () => {
    const { page, problems } = await visit(locale, size);
    expect(await page.locator('html').getAttribute('lang')).toBe(zh ? 'zh-CN' : 'en');
    await picture(page, `${locale}-${device}-1-first`);
    // Every field has a name that is read out.
    for (const id of ['kind', 'number', 'name', 'code'])
      expect(await page.locator(`label[for=${id}]`).textContent()).toBeTruthy();
    await prove(page, SERIAL, PHONE);
    const text = await page.locator('#listings article').innerText();
    const words = zh
      ? ['已列名', '哄抬', '依据', '示例 platform-a', '到期时间', '提出申诉', 'https://platform.example/appeal']
      : ['Listed', 'By which rule', '示例 platform-a', 'Until', 'Appeal', 'https://platform.example/appeal'];
    for (const word of words) expect(text).toContain(word);
    for (const summary of await page.locator('#held summary').all()) await summary.click();
    expect(await page.locator('#inquiries').innerText()).toContain('示例 platform-b');
    expect(await isWide(page)).toBe(false);
    await picture(page, `${locale}-${device}-2-held`);
    expect(problems).toEqual([]);
    await page.close();
  });
});

test('P06: a held case is answered on the page, without an account', async () => {
  const { page, problems } = await visit('zh-CN', [390, 844]);
  await prove(page, HELD, MAIL);
  expect(await page.locator('#listings').innerText()).toContain('目前没有告知任何其他平台');
  await page.getByRole('button', { name: /^答复/ }).click();
  await page.locator('#listings textarea').fill('我方未参与刷单。\n附物流记录。');
  await page
    .locator('#listings input[type=file]')
    .setInputFiles({ name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('物流') });
  await picture(page, 'zh-CN-phone-3-answer');
  await page.locator('#listings form button[type=submit]').click();
  await page.getByText('答复已提交给发布方。').waitFor();
  await side.settled();
  const { body } = await side.api.call('platform-a', 'GET', '/v1/statements');
  expect(body.items).toMatchObject([
    { kind: 'answer', statement: '我方未参与刷单。\n附物流记录。', evidence: [{ mediaType: 'application/pdf' }] },
  ]);
  expect(problems).toEqual([]);
  await page.close();
});

test('P07: an appeal is filed on the page, and its deadline is shown', async () => {
  const { page, problems } = await visit('zh-CN', [390, 844]);
  await prove(page, APPEALED, APPEALED_PHONE);
  await page.getByRole('button', { name: '提出申诉' }).click();
  await page.locator('#listings select').selectOption('notMe');
  await page.locator('#listings textarea').fill('该店铺不是我开的。');
  await picture(page, 'zh-CN-phone-4-appeal');
  await page.locator('#listings form button[type=submit]').click();
  await page.getByText('申诉已提交').waitFor();
  // At once, whether the ledger's readers have come to it or not.
  expect(await page.locator('#listings .state').innerText()).toBe('有异议，复核中');
  await side.settled();
  // The reader of the ledger has folded it by now.
  await page.locator('#language').click();
  await page.locator('#leave').click();
  await prove(page, APPEALED, APPEALED_PHONE);
  const text = await page.locator('#listings').innerText();
  expect(await page.locator('#listings .state').innerText()).toBe('Disputed, under review');
  expect(text).toContain('It is not me (or not my company) · to be answered by');
  expect(text).toContain('该店铺不是我开的。');
  await picture(page, 'en-phone-5-disputed');
  expect(problems).toEqual([]);
  await page.close();
});

test.each([
  ['zh-CN', 8204, '要求更正', '名称或姓名', '更正请求已提交给报送方。', '您要求更正的内容'],
  ['en-GB', 8205, 'Ask for a correction', 'Name', 'Your request went to whoever reported it.', 'What you asked'],
])('P17: a correction of what a platform reported is asked for on the page (%s)', async (...row) => {
  const [locale, serial, ask, part, done, shown] = row;
  const phone = `1390000${serial}`;
  await side.api.publish(
    'platform-b',
    reported('platform-b', `m-${serial}`, organization(serial, { phones: [phone] })),
  );
  await side.settled();
  const { page, problems } = await visit(locale, [390, 844]);
  await prove(page, serial, phone, '#held');
  await page.locator('#held summary').first().click();
  const entry = page.locator('#observations article').first();
  await entry.getByRole('button', { name: ask }).click();
  const words = `虚构贸易（更名）有限公司 (${locale})`;
  expect(await entry.locator('select option').allInnerTexts()).toContain(part);
  await entry.locator('select').selectOption('/identity/name');
  await entry.locator('textarea').fill(words);
  expect(await isWide(page)).toBe(false);
  await picture(page, `${locale}-phone-6-correction`);
  await entry.locator('form button[type=submit]').click();
  await page.getByText(done).waitFor();
  for (const text of [shown, words]) expect(await page.locator('#observations').innerText()).toContain(text);
  await side.settled();
  const { body } = await side.api.call('platform-b', 'GET', '/v1/statements');
  expect(body.items).toContainEqual(
    expect.objectContaining({ kind: 'correction', field: '/identity/name', statement: words }),
  );
  // Shown again when he comes back, once.
  await page.locator('#leave').click();
  await prove(page, serial, phone, '#held');
  expect((await page.locator('#observations').innerText()).split(words)).toHaveLength(2);
  expect(problems).toEqual([]);
  await page.close();
});

test('a wrong code is said in the reader’s language, and nothing is shown', async () => {
  const { page } = await visit('en-GB', [390, 844]);
  await page.locator('#number').fill(makeUscc('990101', 8299));
  await page.locator('#name').fill('No such company');
  await page.locator('#who button').click();
  await page.locator('#code').fill('123456');
  await page.locator('#proof button[type=submit]').click();
  await page.locator('#message.bad').waitFor();
  expect(await page.locator('#message').innerText()).toContain('The code is wrong');
  await page.locator('#language').click();
  expect(await page.locator('h1').innerText()).toContain('申诉');
  expect(await page.locator('#held').isVisible()).toBe(false);
  await page.close();
});

test('nothing foreign runs on the page, and nobody frames it', async () => {
  const answer = await fetch(`${side.api.api.url}/public/`);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('content-security-policy')).toMatch(
    /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
  );
  expect(await answer.text()).not.toMatch(/https?:\/\/(?!127)|<script>|style=|onclick=/);
});
