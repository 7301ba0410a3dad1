import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeUscc } from '@liandun/contracts';
import type { CloudEvent, Notice } from '@liandun/contracts';
import { Product } from '../../../test/support/product.js';
import { keyVariable } from './context.js';
import { liandun, type Ran } from './testing/terminal.js';

const [A, B, REGULATOR] = ['cli-a', 'cli-b', 'cli-regulator'];
let product: Product;
let folder: string;
const env: Record<string, string> = { LANG: 'C' };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'liandun-cli-'));
  product = await Product.start([
    { memberId: A, role: 'platform' },
    { memberId: B, role: 'platform' },
    { memberId: REGULATOR, role: 'regulator' },
  ]);
  for (const memberId of [A, B, REGULATOR]) {
    env[keyVariable(memberId)] = join(folder, `${memberId}.jwk`);
    writeFileSync(join(folder, `${memberId}.jwk`), JSON.stringify(product.keys.get(memberId)));
  }
  Object.assign(env, { LIANDUN_URL: product.url, KAFKA_BROKERS: process.env['KAFKA_BROKERS'] });
}, 120_000);
afterAll(async () => {
  await product?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (line: string): Promise<Ran> => liandun(line.split(' '), { env, cwd: folder });
const uscc = makeUscc('990101', 4711);

async function until(line: string, done: (ran: Ran) => boolean): Promise<Ran> {
  for (let tries = 0; ; tries += 1) {
    const ran = await run(line);
    if (done(ran) || tries === 100) return ran;
    await sleep(100);
  }
}

test('a merchant imported by two platforms and delisted by one: the other is told, screening and coverage know', async () => {
  const rows = Array.from({ length: 300 }, (_, i) =>
    JSON.stringify({
      memberId: i % 2 ? 'p1' : 'p2',
      merchantId: `m-${i}`,
      identity: { kind: 'organization', name: `虚构${i}公司`, uscc: i < 2 ? uscc : makeUscc('990101', 5000 + i) },
      shops: [{ shopId: `s-${i}`, name: '虚构店', url: `https://s${i}.example/` }],
      reportedAt: '2026-01-05',
    }),
  );
  writeFileSync(join(folder, 'all.jsonl'), rows.join('\n'));
  const command = `import all.jsonl --by-member p1=${A},p2=${B} --json`;
  expect(JSON.parse((await run(command)).out)).toMatchObject({ rows: 300, accepted: 300 });
  expect(JSON.parse((await run(command)).out)).toMatchObject({ rows: 300, duplicate: 300 });

  const delisting = await run(
    `publish --as ${A} --delist m-1 --name 虚构1公司 --uscc ${uscc} --shop s-1|虚构店|https://s1.example/ --reason F04 --evidence all.jsonl --attest --decided-by u-1 --appeal-url https://a.example/ --emergency 应急,2020-01-24,2020-04-30`,
  );
  expect(delisting).toMatchObject({ code: 0 });

  const tail = await until(`tail --as ${B} --no-follow --json`, ({ out }) => out.includes('"close"'));
  const notices = tail.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CloudEvent<Notice>);
  expect(notices).toHaveLength(1);
  expect(notices[0]?.data).toMatchObject({ action: 'close', shops: [{ shopId: 's-0' }], entity: { uscc } });
  expect((await run(`tail --as ${B} --no-follow`)).out).toMatch(/close {2}虚构\d公司 {2}\w{18}\n.*F04/);

  expect(await run(`screen --as ${B} --name 虚构 --uscc ${uscc} --exit-code`)).toMatchObject({ code: 11 });
  expect(await run(`screen --as ${B} --name 虚构 --uscc ${makeUscc('990101', 1)} --exit-code`)).toMatchObject({
    code: 0,
  });

  const listing = notices[0]?.data.listingId ?? '';
  const coverage = await run(`coverage ${listing} --as ${REGULATOR} --purpose audit --case 2026-1`);
  expect(coverage).toMatchObject({ code: 0 });
  expect(coverage.out).toMatch(new RegExp(`^${B} +close +.* none yet`, 'm'));
  expect(await run(`coverage ${listing} --as ${A} --purpose audit --case 2026-1`)).toMatchObject({ code: 4 });
});

test('doctor finds everything in order, and a member that the ledger does not know', async () => {
  const healthy = await until(`doctor --as ${B} --json`, ({ out }) => !out.includes('"warn"'));
  const { findings } = JSON.parse(healthy.out) as { findings: { name: string; status: string }[] };
  const bad = findings.filter(({ status }) => status !== 'ok');
  expect(bad).toEqual([]);
  env['STRANGER_KEY'] = env[keyVariable(A)] as string;
  const stranger = await run('doctor --as stranger --json');
  expect(stranger.code).toBe(6);
  expect(JSON.parse(stranger.out)).toMatchObject({
    findings: expect.arrayContaining([expect.objectContaining({ name: 'token', status: 'fail' })]) as unknown,
  });
});
