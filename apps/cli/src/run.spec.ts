import { zhMatcher } from '@liandun/identity';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FICTIONAL_REGION, makeUscc } from '@liandun/contracts';
import type { CloudEvent } from '@liandun/contracts';
import stringWidth from 'string-width';
import { EXIT } from './exit-codes.js';
import { Door, memberKey } from './testing/door.js';
import { liandun } from './testing/terminal.js';

let door: Door;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  door = await Door.open();
  folder = mkdtempSync(join(tmpdir(), 'liandun-cli-'));
  writeFileSync(join(folder, 'a.jwk'), memberKey('a'));
  env = { LIANDUN_URL: door.url, PLATFORM_A_KEY: join(folder, 'a.jwk') };
});
afterAll(async () => {
  await door.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const COMMANDS = [
  'publish',
  'import',
  'screen',
  'tail',
  'listen',
  'coverage',
  'entities',
  'entities show',
  'entities why-not',
  'reviews',
  'reviews decide',
  'appeals',
  'appeals list',
  'appeals show',
  'appeals decide',
  'appeals deadline',
  'appeals stay',
  'appeals malice',
  'floods list',
  'keys',
  'keys list',
  'codes propose',
  'log verify',
  'log proof',
  'reconcile',
  'token',
  'doctor',
];
const isChinese = (text: string): boolean => /\p{Script=Han}/u.test(text);

describe('help', () => {
  test.each(
    [[], ...COMMANDS.map((command) => command.split(' '))].flatMap((argv) => [
      [argv, 'en'] as const,
      [argv, 'zh'] as const,
    ]),
  )('of %j in %s fits 80 columns and speaks one language', async (argv, lang) => {
    const { code, out } = await liandun([...argv, '--help', '--lang', lang]);
    expect(code).toBe(0);
    for (const line of out.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
    expect(isChinese(out)).toBe(lang === 'zh');
  });

  test('names every exit code, at `help exit-codes` and below --help', async () => {
    for (const argv of [['help', 'exit-codes'], ['--help']]) {
      const { out } = await liandun(argv);
      for (const code of Object.values(EXIT)) expect(out).toMatch(new RegExp(`^  ${code} `, 'm'));
    }
  });

  test.each([
    [{ LANG: 'zh_CN.UTF-8' }, true],
    [{ LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'de_DE.UTF-8' }, false],
  ])('is in the language of %j', async (given, chinese) =>
    expect(isChinese((await liandun(['--help'], { env: given })).out)).toBe(chinese),
  );
});

describe('a mistake', () => {
  test.each([
    [['imprt'], /unknown command 'imprt'/],
    [['tail', '--as', 'platform-a', '--after', 'x'], /--after.*whole number/s],
    [['reconcile', 'in.jsonl'], /--out <file>/],
    [['screen', '--kind', 'firm'], /organization, soleProprietor, person/],
    [['screen', '--as', 'platform-a'], /--name is missing/],
    [['tail'], /--as platform-a/],
    [['keys', 'generate'], /See liandun keys generate --help/],
    [['publish', '--notified', 'c-1', '--as', 'platform-a'], /--decided-by/],
    [['publish', '--notified', 'c-1', '--delist', 'm-1', '--as', 'platform-a'], /--notified/],
    [['publish', 'no-such-file', '--as', 'platform-a'], /no such file.*no-such-file/],
    [['publish', '--delist', 'm-1', '--name', 'X', '--as', 'platform-a'], /--attest/],
    [['publish', '--report', 'm-1', '--name', 'X', '--shop', 's1', '--as', 'platform-a'], /shopId\|name\|url/],
  ])('%j is refused with what to do', async (argv, pattern) => {
    const { code, err } = await liandun(argv, { env, cwd: folder });
    expect(err).toMatch(pattern);
    expect(code).toBe(EXIT.usage);
  });

  test.each([
    ['{"codes":[]}', /give JSON such as \{"codes"/],
    ['{"codes":', /is not JSON/],
    ['[{"code":"E01"}]', /give JSON such as/],
    ['名称,x\nE01,1', /a CSV with the columns of reason-codes\.csv/],
    ['code,labelEn\nE01,"a"b', /Quote cells as spreadsheets do/],
    ['', /give JSON such as/],
  ])('codes propose of %j is refused with what to give', async (text, pattern) => {
    const argv = ['codes', 'propose', file('codes', text), '--as', 'platform-a'];
    const { code, err } = await liandun(argv, { env, cwd: folder });
    expect(err).toMatch(pattern);
    expect(code).toBe(EXIT.usage);
  });

  test.each([
    [{}, /there is no \.liandun\/env in .* or above/],
    [{ LIANDUN_HOME: 'nowhere' }, /the folder .*nowhere \(LIANDUN_HOME\) does not exist/],
    [{ LIANDUN_HOME: '.' }, /no ledger was started in .* \(LIANDUN_HOME\)/],
  ])('without an address, %j, it says where one was looked for', async (given, pattern) => {
    const { code, err } = await liandun(['tail', '--as', 'platform-a'], { env: given, cwd: folder });
    expect(err).toMatch(pattern);
    expect(code).toBe(EXIT.unreachable);
  });

  test('doctor tells the folder that is not there from a full disk', async () => {
    const { out } = await liandun(['doctor', '--lang', 'zh'], { env: { LIANDUN_HOME: 'nowhere' }, cwd: folder });
    expect(out).toMatch(/✓ disk .*可用/);
    expect(out).toMatch(/✗ env .*nowhere（LIANDUN_HOME）不存在/);
  });

  test.each([
    ['{"名称":"虚构"}', 'COLUMN_MISSING\n    No column for kind.'],
    ['{"类型":"企业"}', 'COLUMN_MISSING\n    No column for name.'],
    ['{"名称":', "MALFORMED_JSON\n    The line can't be read:"],
  ])('a row %j that cannot be screened is told by its own code, in whole sentences', async (row, told) => {
    const argv = ['screen', file('row.ndjson', row), '--as', 'platform-a', '--restart'];
    const { code, out } = await liandun(argv, { env, cwd: folder });
    expect(code).toBe(EXIT.rejected);
    expect(out).toContain('1 row\n');
    expect(out).toContain(`  line 1  ${told}`);
    expect(out).not.toContain('..');
  });

  test('an address where nobody listens is exit code 5, and --json keeps it readable for programs', async () => {
    const given = { env: { ...env, LIANDUN_URL: 'http://127.0.0.1:9' }, cwd: folder };
    const { code, err } = await liandun(['screen', '--as', 'platform-a', '--name', 'X', '--json'], given);
    expect(code).toBe(EXIT.unreachable);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'UNREACHABLE' } });
  });

  test('a key that is no private key is named by its variable', async () => {
    const given = { env: { ...env, PLATFORM_A_KEY: file('bad.jwk', '{"kid":"x"}') } };
    const { code, err } = await liandun(['tail', '--as', 'platform-a'], given);
    expect(code).toBe(EXIT.forbidden);
    expect(err).toContain('PLATFORM_A_KEY');
  });
});

const event = (id: string): object => ({
  specversion: '1.0',
  id,
  source: 'urn:liandun:member:platform-a',
  type: 'liandun.merchant.reported.v1',
  time: '2026-01-05T00:00:00+08:00',
  data: { merchantId: 'm-1', identity: { kind: 'organization', name: '虚构' }, shops: [], status: 'active' },
});
const publish = async (argv: string[], stdin?: string): Promise<{ code: number; ids: string[] }> => {
  const { code, out } = await liandun(['publish', ...argv, '--as', 'platform-a', '--json'], {
    env,
    cwd: folder,
    stdin,
  });
  return { code, ids: out.split('\n').filter(Boolean).map((line) => (JSON.parse(line) as { id: string }).id) }; // prettier-ignore
};

describe('publish', () => {
  test.each([
    ['one event over several lines', JSON.stringify(event('p1'), undefined, 2), ['p1']],
    ['an array', JSON.stringify([event('p2'), event('p3')]), ['p2', 'p3']],
    ['NDJSON', `${JSON.stringify(event('p4'))}\n\n${JSON.stringify(event('p5'))}\n`, ['p4', 'p5']],
  ])('takes %s from a file and from the standard input', async (_, text, ids) => {
    expect(await publish([], text)).toEqual({ code: 0, ids });
    expect(await publish([file('events.json', text)])).toEqual({ code: 0, ids });
  });

  test('a refused event names field and remedy, exit code 3', async () => {
    const bad = { ...event('p6'), data: { merchantId: 'm-1', identity: { kind: 'organization', name: 'X', uscc: '1' }, shops: [], status: 'active' } }; // prettier-ignore
    const { code, out } = await liandun(['publish', '--as', 'platform-a', '--lang', 'zh'], {
      env,
      stdin: JSON.stringify(bad),
    });
    expect(code).toBe(EXIT.rejected);
    expect(out).toMatch(/\/data\/identity\/uscc {2}BAD_USCC\n.*营业执照/);
  });

  test('options describe a delisting that the ledger accepts; only the hash of the evidence leaves', async () => {
    const evidence = file('proof.pdf', 'secret words');
    const uscc = makeUscc(FICTIONAL_REGION, 7);
    const about = '--delist m-7 --name 虚构七 --shop s7|七店|https://s7.example/ --id d7 --reason F04 --attest';
    const decided = '--decided-by u-1 --appeal-url https://a.example/ --emergency 应急,2020-01-24,2020-04-30';
    const { code } = await publish(['--uscc', uscc, '--evidence', evidence, ...`${about} ${decided}`.split(' ')]);
    expect(code).toBe(0);
    const sent = door.events().find(({ id }) => id === 'd7') as CloudEvent<Record<string, unknown>>;
    expect(sent.data).toMatchObject({ merchantId: 'm-7', reason: { code: 'F04' }, shops: [{ shopId: 's7' }] });
    expect(JSON.stringify(sent)).not.toContain('secret');
  });
});

const record = (recordId: string, identity: object): string => JSON.stringify({ recordId, memberId: 'p1', identity });

describe('reconcile', () => {
  const uscc = makeUscc(FICTIONAL_REGION, 1);
  const INPUT = [
    record('r1', { kind: 'organization', name: '云溪虚构科技有限公司', uscc }),
    record('r2', { kind: 'organization', name: '北岸虚构食品有限公司', bankAccounts: ['6222020200112233445'] }),
    record('r3', {
      kind: 'organization',
      name: '雲溪虛構科技有限公司',
      uscc: uscc.toLowerCase(),
      bankAccounts: ['6222 0202 0011 2233 445'],
    }),
  ].join('\n');

  test.each([
    ['plain', INPUT],
    ['compressed', gzipSync(INPUT)],
  ])('writes a line for each record (%s)', async (_, input) => {
    const argv = ['reconcile', file('in', input), '--out', 'out.tsv', '--explain', 'why.jsonl'];
    expect(await liandun(argv, { cwd: folder })).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'out.tsv'), 'utf8')).toBe('r1\te-r1\nr2\te-r2\nr3\te-r1\n');
    const why = readFileSync(join(folder, 'why.jsonl'), 'utf8').trim().split('\n');
    expect(JSON.parse(why[2] as string)).toMatchObject({
      recordId: 'r3',
      entityId: 'e-r1',
      matcher: zhMatcher.version,
      links: [{ with: 'r1', grade: 'exact', rule: 'identifierAgrees' }],
    });
  });

  test('says why two records are not one merchant, or by what they are', async () => {
    const bank = ['6222020200112233445'];
    const person = record('r4', { kind: 'person', name: '钱云溪', bankAccounts: bank });
    const input = file('in', [INPUT, person, record('r5', { kind: 'organization', name: '望江亭茶庄' })].join('\n'));
    const ask = (pair: string, ...more: string[]) =>
      liandun(['reconcile', input, '--out', 'out.tsv', '--why-not', pair, ...more], { cwd: folder });
    const { out } = await ask('r1,r5');
    expect(out).toContain('apart:\n  nothing that is looked up by is shared');
    expect(out).toContain('e-r1  2 records: r1, r3\ne-r5  1 record: r5\n');
    expect((await ask('r2,r1')).out).toMatch(/^a person should look:\n.*\n\n(.*\n){2}\nr2 – r3: a person should look/m);
    expect((await ask('r2, r4', '--lang', 'zh')).out).toContain('非同一主体：\n  企业与自然人不能为同一主体');
    expect((await ask('r3,r1')).out).toContain('one:\n  they are one entity\n\ne-r1  2 records: ');
    expect(JSON.parse((await ask('r1,r5', '--json')).out)).toMatchObject({ whyNot: { apart: { outcome: 'apart' } } });
    for (const [pair, said] of [
      ['r1', 'two recordIds'],
      ['r1,r9', 'no record of the input'],
    ] as const)
      // prettier-ignore
      expect(await ask(pair)).toMatchObject({ code: EXIT.usage, err: expect.stringContaining(said) });
  });

  test.each([
    ['', /in: no record in it/],
    ['{"recordId":', /in:1 is not JSON/],
    ['{"recordId":"r1"}', /in:1: identity.kind/],
    ['{"identity":{"kind":"person"}}', /in:1: recordId/],
    [gzipSync(INPUT).subarray(0, 60), /compressed file is cut off/],
  ])('of %j says what is wrong, and leaves no output', async (input, pattern) => {
    rmSync(join(folder, 'none.tsv'), { force: true });
    const { code, err } = await liandun(['reconcile', file('in', input), '--out', 'none.tsv'], { cwd: folder });
    expect(err).toMatch(pattern);
    expect(code).toBe(EXIT.usage);
    expect(readdirSync(folder).filter((name) => name.startsWith('none.tsv'))).toEqual([]);
  });
});
