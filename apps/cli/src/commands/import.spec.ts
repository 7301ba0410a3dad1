import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import type { MerchantReported } from '@liandun/contracts';
import iconv from 'iconv-lite';
import { Door, memberKey } from '../testing/door.js';
import { liandun, type Ran } from '../testing/terminal.js';

let door: Door;
let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  door = await Door.open();
  folder = mkdtempSync(join(tmpdir(), 'liandun-cli-'));
  env = { LIANDUN_URL: door.url };
  for (const letter of ['a', 'b']) {
    writeFileSync(join(folder, `${letter}.jwk`), memberKey(letter));
    env[`PLATFORM_${letter.toUpperCase()}_KEY`] = join(folder, `${letter}.jwk`);
  }
});
afterEach(async () => {
  await door.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const run = async (argv: string[], interrupted?: AbortSignal): Promise<Ran> =>
  liandun(argv, { env, cwd: folder, interrupted });
const jsonOf = ({ out }: Ran): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>;
const merchants = (): MerchantReported[] => door.events().map(({ data }) => data as MerchantReported);

const containing = (text: string): string => expect.stringContaining(text) as unknown as string;
const uscc = (n: number): string => makeUscc(FICTIONAL_REGION, n);
const lines = (count: number, member = (i: number): string => (i % 2 ? 'p1' : 'p2')): string =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      recordId: `r${i}`,
      memberId: member(i),
      merchantId: `m-${i}`,
      identity: { kind: 'organization', name: `虚构贸易${i}有限公司`, uscc: uscc(i) },
      shops: [{ shopId: `s${i}`, name: '虚构店', url: `https://s${i}.example/` }],
      reportedAt: '2026-01-05',
    }),
  ).join('\n');

describe('a CSV of a platform', () => {
  const CSV = [
    '商家编号,主体类型,企业名称,统一社会信用代码,联系电话,店铺ID,店铺名称,店铺网址,报送日期,备注',
    `m-1,企业,"北京虚构,贸易有限公司",${uscc(1)},13900000001;13900000002,s1;s2,一店;二店,https://s1.example/;https://s2.example/,2026-1-5,无`,
    `m-2,个体工商户,虚构小卖部,${makeUscc(FICTIONAL_REGION, 2, 'soleProprietor')},,s3,三店,https://s3.example/,2026/01/06 08:30,`,
  ].join('\r\n');

  test.each([
    ['UTF-8', Buffer.from(CSV)],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${CSV}`)],
    ['GB18030', iconv.encode(CSV, 'gb18030')],
    [
      'tabs',
      Buffer.from(CSV.replace('"北京虚构,贸易有限公司"', '北京虚构,贸易有限公司').replaceAll(/,(?!贸易)/g, '\t')),
    ],
  ])('is understood in %s', async (_, content) => {
    const ran = await run(['import', file('m.csv', content), '--as', 'platform-a']);
    expect(ran).toMatchObject({ code: 0, out: containing('2 rows') });
    expect(merchants()).toEqual([
      {
        merchantId: 'm-1',
        identity: {
          kind: 'organization',
          name: '北京虚构,贸易有限公司',
          uscc: uscc(1),
          phones: ['13900000001', '13900000002'],
        },
        shops: [
          { shopId: 's1', name: '一店', url: 'https://s1.example/' },
          { shopId: 's2', name: '二店', url: 'https://s2.example/' },
        ],
        status: 'active',
      },
      expect.objectContaining({ merchantId: 'm-2' }),
    ]);
    expect(door.events().map(({ time }) => time)).toEqual([
      '2026-01-05T00:00:00.000+08:00',
      '2026-01-06T08:30:00.000+08:00',
    ]);
    expect(ran.err).toMatch(/企业名称 +→ +name/);
    expect(ran.err).toContain('not used: 备注');
    expect(existsSync(join(folder, 'm.csv.rejected.csv'))).toBe(false);
  });

  test('a required column that is missing is named, with the headings that would do', async () => {
    const ran = await run(['import', file('m.csv', '商家编号,类型\nm-1,企业'), '--as', 'platform-a', '--lang', 'zh']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('缺少 name 列');
    expect(ran.err).toContain('企业名称');
  });

  test('--map and --kind say what the file does not', async () => {
    const given = ['--map', '甲=merchantId', '--map', '乙=name', '--kind', 'organization', '--as', 'platform-a'];
    expect(await run(['import', file('m.csv', '甲,乙\nm-1,虚构公司'), ...given])).toMatchObject({ code: 0 });
    expect(merchants()).toEqual([
      { merchantId: 'm-1', identity: { kind: 'organization', name: '虚构公司' }, shops: [], status: 'active' },
    ]);
  });

  test('refused rows go to a file with the reason beside each, which can be mended and imported', async () => {
    const bad = `${CSV}\r\nm-3,企业,虚构三,${uscc(3).slice(0, -1)}!,,,,,,\r\n`;
    const ran = await run(['import', file('m.csv', bad), '--as', 'platform-a', '--json']);
    expect(ran.code).toBe(3);
    expect(jsonOf(ran)).toMatchObject({
      rows: 3,
      accepted: 2,
      rejected: 1,
      reasons: { 'BAD_USCC /data/identity/uscc': 1 },
    });
    const path = join(folder, 'm.csv.rejected.csv');
    const refused = readFileSync(path, 'utf8').split('\r\n');
    expect(refused[0]).toMatch(/^\uFEFF商家编号,.*rejected.row,rejected.code/);
    expect(refused[1]).toMatch(/^m-3,.*,3,BAD_USCC,\/data\/identity\/uscc,/);
    writeFileSync(path, refused.join('\r\n').replace(/[^,]{17}!/, uscc(3)));
    expect(jsonOf(await run(['import', path, '--as', 'platform-a', '--json']))).toMatchObject({ rows: 1, accepted: 1 });
  });
});

describe('JSON lines', () => {
  test('compressed, divided over the members by memberId', async () => {
    const path = file('all.jsonl.gz', gzipSync(lines(50)));
    const ran = await run(['import', path, '--by-member', 'p1=platform-a,p2=platform-b', '--json']);
    expect(jsonOf(ran)).toMatchObject({
      rows: 50,
      members: { 'platform-a': { accepted: 25 }, 'platform-b': { accepted: 25 } },
    });
    expect(new Set(door.events().map(({ source }) => source))).toEqual(
      new Set(['urn:liandun:member:platform-a', 'urn:liandun:member:platform-b']),
    );
  });

  test('the same file again gives duplicates only', async () => {
    const path = file('all.jsonl', lines(20));
    await run(['import', path, '--as', 'platform-a']);
    expect(jsonOf(await run(['import', path, '--as', 'platform-a', '--json']))).toMatchObject({
      accepted: 0,
      duplicate: 20,
    });
  });

  test('a line that is no JSON, and a platform that --by-member does not name, are refused by themselves', async () => {
    const path = file('all.jsonl', [lines(1), '{"cut', lines(1, () => 'p9')].join('\n'));
    const ran = await run(['import', path, '--by-member', 'p2=platform-b', '--json']);
    expect(jsonOf(ran)).toMatchObject({ rows: 3, accepted: 1, rejected: 2 });
    const refused = readFileSync(join(folder, 'all.jsonl.rejected.jsonl'), 'utf8').trim().split('\n');
    expect(refused.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { line: '{"cut', rejected: { row: 2 } },
      { recordId: 'r0', rejected: { row: 3, detail: containing('p9') } },
    ]);
  });

  test('--drop-invalid leaves out what is optional and wrong, and counts it', async () => {
    const identity = {
      kind: 'person',
      name: '虚构',
      uscc: 'X',
      residentId: makeResidentId(FICTIONAL_REGION, '19800101', 1),
      legalRepresentative: { residentId: '110105194912310021' },
      phones: ['13900000001', ''],
      regionCode: '11',
    };
    const path = file('all.jsonl', JSON.stringify({ merchantId: 'm-1', identity, shops: [] }));
    const ran = await run(['import', path, '--as', 'platform-a', '--drop-invalid', '--json']);
    expect(jsonOf(ran)).toMatchObject({
      accepted: 1,
      dropped: { uscc: 1, phones: 1, 'legalRepresentative.residentId': 1 },
    });
    expect(merchants()[0]?.identity).toEqual({
      kind: 'person',
      name: '虚构',
      residentId: identity.residentId,
      phones: ['13900000001'],
    });
  });

  test('what is required is never dropped', async () => {
    const path = file('all.jsonl', '{"merchantId":"m-1","identity":{"kind":"company","name":"虚构"},"shops":[]}');
    expect((await run(['import', path, '--as', 'platform-a', '--drop-invalid'])).code).toBe(3);
  });
});

describe('an import that was stopped', () => {
  const COUNT = 12_000;

  test('goes on where it was; each row is stored once and refused once', async () => {
    const bad = lines(COUNT).split('\n').map((line, i) => (i % 100 === 7 ? line.replace('"kind":"organization"', '"kind":"firm"') : line)); // prettier-ignore
    const path = file('all.jsonl', bad.join('\n'));
    const command = ['import', path, '--by-member', 'p1=platform-a,p2=platform-b', '--json'];
    const stop = new AbortController();
    door.onEvent = (count) => {
      if (count === 1_500) stop.abort();
    };
    const first = await run(command, stop.signal);
    expect(first.code).toBe(130);
    const { rows, finished } = jsonOf(first) as { rows: number; finished: boolean };
    expect(finished).toBe(false);
    expect(rows).toBeGreaterThan(1_000);
    expect(rows).toBeLessThan(COUNT);
    const second = await run(command);
    expect(jsonOf(second)).toMatchObject({ finished: true, rows: COUNT, rejected: 120, resumedAt: rows });
    expect(door.taken.size).toBe(COUNT - 120);
    const refused = readFileSync(`${path}.rejected.jsonl`, 'utf8').trim().split('\n');
    expect(refused.map((line) => (JSON.parse(line) as { rejected: { row: number } }).rejected.row)).toEqual(
      Array.from({ length: 120 }, (_, i) => i * 100 + 8),
    );
    expect(existsSync(`${path}.rejected.jsonl.state`)).toBe(false);
  });

  test('with other options is not mixed with the first', async () => {
    const path = file('all.jsonl', lines(5_000));
    const stop = new AbortController();
    door.onEvent = (count) => {
      if (count === 100) stop.abort();
    };
    await run(['import', path, '--as', 'platform-a'], stop.signal);
    const other = await run(['import', path, '--as', 'platform-b']);
    expect(other).toMatchObject({ code: 2, err: containing('--restart') });
    expect(await run(['import', path, '--as', 'platform-b', '--restart'])).toMatchObject({ code: 0 });
  });

  test('a connection that breaks in the middle costs nothing', async () => {
    door.onEvent = (count, response) => {
      if (count === 700) response.destroy();
    };
    const ran = await run(['import', file('all.jsonl', lines(3_000)), '--as', 'platform-a', '--json']);
    expect(jsonOf(ran)).toMatchObject({ finished: true, rows: 3_000, rejected: 0 });
    expect(door.taken.size).toBe(3_000);
  });
});

test('a member without a key is named before anything is sent', async () => {
  const ran = await run(['import', file('all.jsonl', lines(3)), '--as', 'platform-x']);
  expect(ran).toMatchObject({ code: 4, err: containing('PLATFORM_X_KEY') });
  expect(door.taken.size).toBe(0);
});
