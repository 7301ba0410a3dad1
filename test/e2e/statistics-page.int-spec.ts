import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { SubjectSide } from '../support/subject.js';
import { delisted, organization, reported } from '../support/submissions.js';

const COUNT = 6;
let side: SubjectSide;
let browser: Browser;

beforeAll(async () => {
  side = await SubjectSide.start();
  for (let n = 0; n < COUNT; n += 1) {
    const identity = organization(8_700 + n);
    await side.api.publish('platform-b', reported('platform-b', `m-${n}`, identity));
    await side.api.publish('platform-a', delisted('platform-a', `m-${n}`, identity));
  }
  await side.settled();
  // What was listed now as if it had been a quarter ago: only quarters that have ended are shown.
  await side.api.pool.query(`update view.listing set effective_at = effective_at - interval '3 months'`);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await side?.stop();
});

test('P20: the public statistics name what they count in both languages', async () => {
  const { body } = await side.call('GET', '/public/statistics');
  expect(body.quarters[0].listed).toEqual([
    {
      tier: 1,
      code: 'F04',
      count: COUNT,
      labelZh: expect.stringMatching(/\p{Script=Han}/u),
      labelEn: expect.any(String),
    },
  ]);
});

test.each([
  ['zh-CN', 390, '列名（按原因）', /第 \d 季度：无记录|第 \d 季度.*：无记录/],
  ['en-GB', 1280, 'Listed, by reason', /quarter \d: nothing\./],
] as [string, number, string, RegExp][])(
  'P20: the merchant’s page shows the statistics to whoever opens them, in %s %i pixels wide',
  async (locale, width, heading, quiet) => {
    const page = await browser.newPage({ locale, viewport: { width, height: 900 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${side.api.api.url}/public/`);
    expect(asked).not.toContain('/public/statistics');
    await page.locator('#statistics summary').click();
    await page.locator('#quarters article').waitFor();
    const shown = (await page.locator('#quarters').textContent()) ?? '';
    expect(shown).toContain(heading);
    expect(shown).toMatch(new RegExp(`\\(F04\\)(: |：)${COUNT}`));
    expect(shown).toMatch(quiet);
    expect(shown).not.toContain('platform-');
    const other = locale.startsWith('zh') ? 'Listed, by reason' : '列名（按原因）';
    await page.locator('#language').click();
    expect(await page.locator('#quarters').textContent()).toContain(other);
    expect(asked.filter((path) => path === '/public/statistics')).toHaveLength(1);
    expect(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')).toBe(
      false,
    );
    expect(problems).toEqual([]);
    await page.close();
  },
);
