import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeUscc } from '@liandun/contracts';
import type { CloudEvent, Notice } from '@liandun/contracts';
import { Product } from '../../../test/support/product.js';
import { found } from '../../../test/support/until.js';
import { keyVariable } from './context.js';
import { LABELS } from './render/labels.js';
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
  for (const memberId of [A, B, REGULATOR, 'admin-1', 'admin-2']) {
    env[keyVariable(memberId)] = join(folder, `${memberId}.jwk`);
    writeFileSync(join(folder, `${memberId}.jwk`), JSON.stringify(product.keys.get(memberId)));
  }
  Object.assign(env, { LIANDUN_URL: product.url, KAFKA_BROKERS: process.env['KAFKA_BROKERS'] });
});
afterAll(async () => {
  await product?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (line: string): Promise<Ran> => liandun(line.split(' '), { env, cwd: folder });
const uscc = makeUscc('990101', 4711);

/** Every field that stands in an answer. */
const namesIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [...(Array.isArray(value) ? [] : [name]), ...namesIn(inner)]);

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
    `publish --as ${A} --id cli-delisting --delist m-1 --name 虚构1公司 --uscc ${uscc} --shop s-1|虚构店|https://s1.example/ --reason F04 --evidence all.jsonl --attest --decided-by u-1 --appeal-url https://a.example/ --emergency 应急,2020-01-24,2020-04-30`,
  );
  expect(delisting).toMatchObject({ code: 0 });
  // Others were told at once, so its subject is told the same day (rule P06).
  const told = `publish --as ${A} --notified cli-delisting --decided-by u-2`;
  expect(await run(told)).toMatchObject({ code: 0 });
  expect((await run(told)).err + (await run(told)).out).toContain('CASE_ALREADY_NOTIFIED');

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
  const answer = JSON.parse((await run(`coverage ${listing} --as ${REGULATOR} --purpose audit --case 1 --json`)).out);
  expect(namesIn(answer).filter((name) => !LABELS[name])).toEqual([]);
  expect(await run(`coverage ${listing} --as ${A} --purpose audit --case 2026-1`)).toMatchObject({ code: 4 });
});

test('a file of applicants is screened row by row, says what is wrong where, and goes on after it was stopped', async () => {
  const csv = [
    '企业名称,统一社会信用代码,主体类型',
    `虚构1公司,${uscc},企业`,
    '虚构清白公司,,企业',
    '"虚构,坏码公司",91990101000000000X,企业',
    `虚构2公司,${makeUscc('990101', 5002)},企业`,
  ];
  writeFileSync(join(folder, 'applicants.csv'), csv.join('\n'));
  const ran = await run(`screen applicants.csv --as ${B}`);
  expect(ran.code).toBe(3);
  expect(ran.out).toMatch(/line 4 {2}uscc {2}\S+\n {4}\S/);
  const answers = (): string[] => readFileSync(join(folder, 'applicants.csv.screened.csv'), 'utf8').split('\r\n');
  expect(answers()[0]).toMatch(/^\uFEFF企业名称,统一社会信用代码,主体类型,screening\.result,/);
  expect(
    answers()
      .slice(1, 5)
      .map((line) => /(listed|possible|clear|refused)/.exec(line)?.[0]),
  ).toEqual(['listed', 'clear', 'refused', 'clear']);
  expect(existsSync(join(folder, 'applicants.csv.screened.csv.state'))).toBe(false);
  // For people a column in their language stands behind those for programs.
  const inWords = (): string[] => parse(answers().join('\n'), { bom: true }).map((row: string[]) => row.at(-1) ?? '');
  expect(inWords()[0]).toBe('answer in words');
  expect(inWords().join('\n')).toMatch(/listed: F04 .*, listing L.* match exact .*unified social credit code exact/);
  await run(`screen applicants.csv --as ${B} --lang zh`);
  const [heading, listed, clear, refused] = inWords();
  expect([heading, clear]).toEqual(['查询结果说明', '未列入']);
  expect(listed).toMatch(/^已列入：F04 .*价格，列名 L\S+，匹配程度：确定（.*统一社会信用代码：确定/);
  expect(refused).toMatch(/^未查询：.*\p{Script=Han}/u);
  const lines = Array.from({ length: 60 }, (_, n) =>
    JSON.stringify({ 名称: `虚构申请${n}公司`, 类型: '企业', uscc: makeUscc('990101', 7000 + n) }),
  );
  writeFileSync(join(folder, 'many.jsonl'), [lines[0], 'no json', ...lines.slice(1)].join('\n'));
  const stopped = new AbortController();
  const first = liandun(`screen many.jsonl --as ${B} --json`.split(' '), {
    env,
    cwd: folder,
    interrupted: stopped.signal,
  });
  await sleep(150);
  stopped.abort();
  // 3 where it was done before.
  expect([3, 130]).toContain((await first).code);
  const second = JSON.parse((await run(`screen many.jsonl --as ${B} --json`)).out) as object;
  expect(second).toMatchObject({ finished: true, rows: 61, clear: 60, refused: 1 });
  const screened = readFileSync(join(folder, 'many.jsonl.screened.jsonl'), 'utf8').trimEnd().split('\n');
  expect(screened).toHaveLength(61);
  expect(new Set(screened.map((line) => (JSON.parse(line) as { 名称?: string }).名称)).size).toBe(61);
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

test.each([
  [REGULATOR, ['feed']],
  ['admin-1', ['feed', 'kafka']],
])('doctor finds everything in order as %s, without what is not for it', async (member, without) => {
  const { code, out } = await run(`doctor --as ${member} --json`);
  const { findings } = JSON.parse(out) as { findings: { name: string; status: string }[] };
  expect(findings.filter(({ status }) => status !== 'ok').map(({ name, status }) => [name, status])).toEqual(
    without.map((name) => [name, 'skipped']),
  );
  expect(code).toBe(0);
});

test('a regulator is told which of purpose and case is missing before anything is asked for', async () => {
  const asks: [string, RegExp][] = [
    [`appeals list --as ${REGULATOR}`, /add --purpose and --case\./],
    [`appeals show A1 --as ${REGULATOR} --purpose audit`, /add --case\./],
    [`floods list --as ${REGULATOR} --case 2026-1`, /add --purpose\./],
    [`coverage L1 --as ${REGULATOR} --case 2026-1`, /add --purpose\./],
    [`entities show E1 --as ${REGULATOR}`, /add --purpose and --case\./],
    [`reviews list --as ${REGULATOR}`, /add --purpose and --case\./],
    [`reviews show R1-2 --as ${REGULATOR} --purpose audit`, /add --case\./],
  ];
  for (const [line, pattern] of asks) {
    const { code, err } = await run(line);
    expect([line, code]).toEqual([line, 2]);
    expect(err).toMatch(pattern);
  }
  expect(await run(`appeals list --as ${REGULATOR} --purpose audit --case 2026-1`)).toMatchObject({ code: 0 });
  expect(await run(`appeals list --as ${A}`)).toMatchObject({ code: 0 });
  expect(await run(`floods list --as admin-1`)).toMatchObject({ code: 0 });
});

test('reason codes are proposed as JSON, as they are listed', async () => {
  const { codes } = JSON.parse((await run(`codes list --as admin-1 --json`)).out) as {
    codes: Record<string, unknown>[];
  };
  // A row as it was listed, edited.
  const [row = {}] = codes;
  const changed = { ...row, defaultRetentionDays: Number(row['defaultRetentionDays']) + 1 };
  writeFileSync(join(folder, 'codes.json'), JSON.stringify({ codes: [changed] }, undefined, 2));
  const proposed = await run(`codes propose codes.json --as admin-1`);
  expect(proposed).toMatchObject({ code: 0 });
  expect(await run(`codes approve ${proposed.out.trim().split(' ').at(-1)} --as ${REGULATOR} --refuse`)).toMatchObject({
    code: 0,
  });
});

test('a receipt is checked offline by the key of the log alone, and refused once a byte of it is changed', async () => {
  const reported = {
    merchantId: 'm-proof',
    identity: { kind: 'organization', name: '虚构证明公司' },
    shops: [],
    status: 'active',
  };
  const event = JSON.stringify({ type: 'liandun.merchant.reported.v1', id: 'proof-1', data: reported });
  writeFileSync(join(folder, 'event.json'), event);
  expect(await run(`publish event.json --as ${A}`)).toMatchObject({ code: 0 });
  const accept = { accept: 'application/json', authorization: `Bearer ${(await run(`token --as ${A}`)).out.trim()}` };
  const path = `/v1/receipts/urn:liandun:member:${A}/proof-1`;
  const answer = await found('the proof of the receipt', async () => {
    const response = await fetch(`${product.url}${path}`, { headers: accept });
    return response.status === 200 ? response.text() : undefined;
  });
  writeFileSync(join(folder, 'receipt.json'), answer);
  // Nothing but the key: no ledger could be asked.
  const offline = async (file: string): Promise<Ran> =>
    liandun(['log', 'proof', file, '--vkey', product.logVkey, '--json'], { cwd: folder });
  const { position, leafHash } = JSON.parse(answer) as { position: number; leafHash: string };
  const proven = await offline('receipt.json');
  expect(JSON.parse(proven.out)).toMatchObject({ proven: true, position, leafHash, entry: { id: 'proof-1' } });
  writeFileSync(join(folder, 'changed.json'), answer.replaceAll('m-proof', 'm-prooF'));
  expect(await offline('changed.json')).toMatchObject({
    code: 1,
    err: expect.stringContaining('NOT_INCLUDED') as unknown,
  });
});

test('a key is made, added by two administrators, opens the door, and opens it no more once it is revoked', async () => {
  const file = join(folder, 'new.jwk');
  const made = await run(`keys generate --kid ${A}-2 --out ${file}`);
  expect(JSON.parse(made.out)).toEqual({ kid: `${A}-2`, kty: 'OKP', crv: 'Ed25519', x: expect.any(String) });
  expect(await run(`keys generate --kid ${A}-2 --out ${file}`)).toMatchObject({ code: 2 });
  const opens = async (): Promise<number> =>
    (await liandun(['token', '--as', A], { env: { ...env, [keyVariable(A)]: file }, cwd: folder })).code;
  const secondOf = (ran: Ran): string => /liandun (keys approve \S+)/.exec(ran.out)?.[1] ?? ran.err;

  expect(await opens()).not.toBe(0);
  const added = await run(`keys add ${A} --key ${file} --as admin-1`);
  expect(await run(`${secondOf(added)} --as admin-1`)).not.toMatchObject({ code: 0 });
  expect(await run(`${secondOf(added)} --as admin-2`)).toMatchObject({ code: 0 });
  expect(await opens()).toBe(0);

  const revoked = await run(`keys revoke ${A} ${A}-2 --emergency --as admin-1`);
  expect(await opens()).not.toBe(0);
  // An administrator sees every member's keys and what awaits the second; a member its own, in its language.
  const all = await run('keys list --as admin-2');
  expect(all.out).toMatch(new RegExp(`^${A} +${A}-2 +stopped .*EdDSA +signing$`, 'm'));
  expect(all.out).toMatch(new RegExp(`^${B} +${B}-1 +live `, 'm'));
  expect(all.out).toContain(secondOf(revoked));
  const own = await run(`keys list --as ${A} --lang zh`);
  expect(own.out).toMatch(new RegExp(`^${A} +${A}-2 +已停用 .*签名$`, 'm'));
  expect(own.out).not.toContain(B);
  expect(await run(`keys list ${B} --as ${A}`)).toMatchObject({
    code: 3,
    err: expect.stringContaining('MEMBER_NOT_FOUND'),
  });
  expect(await run(`${secondOf(revoked)} --as admin-2`)).toMatchObject({ code: 0 });
  expect(await opens()).not.toBe(0);
  expect(await run(`keys add ${A} --key nowhere.jwk --as admin-1`)).toMatchObject({ code: 2 });
});
