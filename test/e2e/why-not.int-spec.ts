import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeRegistrationNumber, makeUscc, type CloudEvent } from '@liandun/contracts';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun } from '../../apps/cli/src/testing/terminal.js';
import { Product } from '../support/product.js';
import { organization, person, reported } from '../support/submissions.js';

const [A, B, ONE] = ['why-a', 'why-b', 'why-one'];
const WHY = { purpose: 'supervision', caseNo: '2026-17' };

let product: Product;
let pool: pg.Pool;
let serial = randomInt(1_000, 100_000);

beforeAll(async () => {
  product = await Product.start([
    ...[A, B].map((memberId) => ({ memberId, role: 'platform' as const })),
    { memberId: ONE, role: 'regulator' as const },
  ]);
  pool = product.pool();
});
afterAll(async () => {
  await pool?.end();
  await product?.stop();
});

interface Pair {
  a: number;
  b: number;
  reviewId: string;
  members: [string, string];
  outcome: string;
  rule: string;
  bits: number;
  fields: { field: string; en: string; zh: string; stranger: number }[];
  shared?: { kind: string; holders: number; cap: number; generic: boolean }[];
}
interface WhyApart {
  outcome: string;
  entities: { entityId: string; name: string; retiredFrom?: string }[];
  reasons: { rule: string; en: string; zh: string }[];
  decided?: { decision: string; reviewer: string };
  pairs: Pair[];
  compared: { records: number; of: number }[];
}

/** Reports merchants, in turn by either platform. Answers the positions and the entities. */
async function observed(...identities: object[]): Promise<{ position: number; entityId: string }[]> {
  const positions: number[] = [];
  for (const [n, identity] of identities.entries()) {
    serial += 1;
    const member = n % 2 === 0 ? A : B;
    const receipt = await product.client(member).publish(reported(member, `w-${serial}`, identity) as CloudEvent);
    expect(receipt).toMatchObject({ status: 'accepted' });
    positions.push(receipt.position as number);
  }
  await product.settled();
  const { rows } = await pool.query('select position, entity_id from identity.link where position = any($1)', [positions]); // prettier-ignore
  const entityOf = new Map(rows.map((row) => [Number(row.position), row.entity_id as string]));
  return positions.map((position) => ({ position, entityId: entityOf.get(position) ?? '' }));
}

const ask = (one: string, other: string): Promise<WhyApart> =>
  product.client(ONE).get(`/v1/entities/${one}/apart/${other}`, WHY);

async function whyNot(...identities: object[]): Promise<WhyApart> {
  const [one, other] = await observed(...identities);
  return ask(one?.entityId ?? '', other?.entityId ?? '');
}

const rulesOf = ({ reasons }: WhyApart): string[] => reasons.map(({ rule }) => rule);
let phones = 0;
/** A phone that no other test uses. */
const phone = (): string => `139${58_017_436 + 7 * (phones += 1)}`;
const firm = (name: string, more: object = {}): object => ({ kind: 'organization', name, ...more });

describe('why two entities are not one', () => {
  test('nothing that is looked up by is shared', async () => {
    const answer = await whyNot(
      firm('望江亭茶庄', { phones: [phone()] }),
      firm('样例省青禾重型机械厂', { phones: [phone()] }),
    );
    expect(answer).toMatchObject({ outcome: 'apart', compared: [{ records: 1, of: 1 }, { records: 1, of: 1 }] }); // prettier-ignore
    expect(rulesOf(answer)).toEqual(['noSharedKey']);
    expect(answer.reasons[0]?.zh).toBe('没有共同的检索键');
    expect(answer.pairs[0]).toMatchObject({ rule: 'noSharedKey', members: [A, B], shared: [] });
  });

  test('what is shared is shared by too many', async () => {
    const shared = phone();
    const names = [...'甲乙丙丁戊己庚辛壬癸子丑寅'].map((sign) => `${sign}${sign}${sign}五金商行`);
    const answer = await whyNot(...names.map((name) => firm(name, { phones: [shared] })));
    expect(rulesOf(answer)).toEqual(['genericKey']);
    expect(answer.pairs[0]?.shared).toMatchObject([{ kind: 'phone', holders: 13, cap: 12, generic: true }]);
    expect(JSON.stringify(answer)).not.toContain(shared);
  });

  test('what agrees is too little', async () => {
    const shared = phone();
    const answer = await whyNot(firm('望江亭茶庄', { phones: [shared] }), firm('样例省青禾重型机械厂', { phones: [shared] })); // prettier-ignore
    expect(answer.outcome).toBe('apart');
    expect(rulesOf(answer)).toEqual(['belowBand']);
    const [pair] = answer.pairs;
    expect(pair?.bits).toBeLessThan(0);
    expect(pair?.fields).toContainEqual(expect.objectContaining({ field: 'phone', level: 'equal', zh: '电话：相同' }));
    expect(pair?.shared).toMatchObject([{ kind: 'phone', generic: false }]);
  });

  test('two valid numbers contradict each other, also where all else agrees', async () => {
    const shared = { phones: [phone()], address: '示例省虚构市样例区联盾路88号3幢1201室' };
    const codes = [1, 2].map((n) => makeUscc('990101', 800_000 + serial * 2 + n));
    const answer = await whyNot(...codes.map((uscc) => firm('虚构市云上日用品有限公司', { ...shared, uscc })));
    expect(rulesOf(answer)).toEqual(['conflict']);
    expect(answer.reasons[0]).toMatchObject({
      en: 'two valid credit codes contradict each other',
      zh: '两个有效的统一社会信用代码互相矛盾',
    });
    expect(answer.pairs[0]).toMatchObject({ outcome: 'apart', conflict: 'uscc' });
  });

  test('a firm and a person are never one, whatever they share', async () => {
    const answer = await whyNot(organization(serial), person(serial % 900));
    expect(rulesOf(answer)).toEqual(['conflict', 'noSharedKey']);
    expect(answer.reasons[0]?.en).toBe('a firm and a person are never one');
  });

  test('a person has to look, then decided that they are different, then is undone', async () => {
    const registrationNumber = makeRegistrationNumber('990101', serial);
    const [one, other] = await observed(
      firm('望江亭茶庄', { registrationNumber }),
      firm('样例省青禾重型机械厂', { registrationNumber }),
    );
    const between = (): Promise<WhyApart> => ask(other?.entityId ?? '', one?.entityId ?? '');
    const open = await between();
    expect(open).toMatchObject({ outcome: 'review', reasons: [{ rule: 'identifierNameDiffers' }] });
    const [{ reviewId, a, b } = { reviewId: '', a: 0, b: 0 }] = open.pairs;
    expect([a, b]).toEqual([other?.position, one?.position]);
    const words = { ground: 'licenceSeen', caseNo: '2026-17', reviewer: 'officer-1' };
    await product.client(ONE).post(`/v1/reviews/${reviewId}/decision`, { ...words, decision: 'different' });
    const decided = await between();
    expect(decided).toMatchObject({ outcome: 'apart', decided: { decision: 'different', reviewer: 'officer-1' } });
    expect(rulesOf(decided)).toEqual(['decidedDifferent']);
    await product.client(ONE).post(`/v1/reviews/${reviewId}/undo`, { ...words, ground: 'decidedWrongly' });
    expect(await between()).toMatchObject({ outcome: 'review' });
    await product.client(ONE).post(`/v1/reviews/${reviewId}/decision`, { ...words, decision: 'same' });
    await product.settled();
    // By either of the old ids: they are one now.
    const united = await between();
    expect(united).toMatchObject({ outcome: 'link', reasons: [{ rule: 'oneEntity', zh: '两者现为同一主体' }] });
    expect(united.entities.map(({ entityId }) => entityId)).toEqual([one?.entityId, one?.entityId]);
    expect(united.entities[0]).toMatchObject({ retiredFrom: other?.entityId });
  });
});

describe('on the command line', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'liandun-test-why-not-'));
    await writeFile(join(folder, 'key.jwk'), JSON.stringify(product.keys.get(ONE)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('it is told in the language that was chosen, or as JSON', async () => {
    const [one, other] = await observed(firm('望江亭茶庄', { phones: [phone()] }), person(serial % 900));
    const env = { LANG: 'C', LIANDUN_URL: product.url, [keyVariable(ONE)]: join(folder, 'key.jwk') };
    const run = async (...more: string[]): Promise<string> => {
      const argv = ['entities', 'why-not', one?.entityId ?? '', other?.entityId ?? '', '--as', ONE];
      const { code, out } = await liandun([...argv, '--purpose', 'supervision', '--case', '2026-17', ...more], { env });
      expect(code).toBe(0);
      return out;
    };
    expect(await run()).toMatch(/^apart:\n {2}a firm and a person are never one\n/);
    const zh = await run('--lang', 'zh');
    expect(zh).toMatch(/^非同一主体：\n {2}企业与自然人不能为同一主体\n/);
    for (const id of [one?.entityId, other?.entityId]) expect(zh).toContain(id);
    expect(JSON.parse(await run('--json'))).toEqual(await ask(one?.entityId ?? '', other?.entityId ?? ''));
  });

  test('a regulator who does not say why is told what to add', async () => {
    const env = { LANG: 'C', LIANDUN_URL: product.url, [keyVariable(ONE)]: join(folder, 'key.jwk') };
    const { code, err } = await liandun(['entities', 'why-not', 'E1-000000000000', 'E2-000000000000', '--as', ONE], { env }); // prettier-ignore
    expect(code).not.toBe(0);
    expect(err).toContain('--purpose and --case');
  });
});

describe('who may ask', () => {
  const refused = (code: string): object => ({ problem: { code } });

  test('P18, P20: regulators alone, who say why; it stands in the log with both entities', async () => {
    const [one, other] = (await observed(organization(serial), person(serial % 900, { phones: [phone()] }))).map(
      ({ entityId }) => entityId,
    );
    const path = `/v1/entities/${one}/apart/${other}`;
    await expect(product.client(A).get(path, WHY)).rejects.toMatchObject(refused('FORBIDDEN'));
    await expect(product.client(ONE).get(path)).rejects.toMatchObject(refused('PURPOSE_REQUIRED'));
    await product.client(ONE).get(path, WHY);
    const { rows } = await pool.query(
      `select entry::jsonb -> 'data' as data from log.entry where stream = $1 order by version desc limit 2`,
      [`reads/${ONE}`],
    );
    const read = { reader: ONE, route: '/v1/entities/:entityId/apart/:other', ...WHY };
    expect(rows.map(({ data }) => data)).toEqual([
      { ...read, entityId: other, asked: { other: one } },
      { ...read, entityId: one, asked: { other } },
    ]);
  });

  test('of a natural person no more is answered than the page of the entity shows', async () => {
    const [one, other] = await observed(person(901), person(902));
    const answer = await ask(one?.entityId ?? '', other?.entityId ?? '');
    const page = await product.client(ONE).get<{ name: string }>(`/v1/entities/${one?.entityId}`, WHY);
    expect(answer.entities[0]?.name).toBe(page.name);
    expect(JSON.stringify(answer)).not.toMatch(/虚构人|\d{17}[\dX]/);
  });

  test('an entity that was never there is not found', async () => {
    const [one] = await observed(organization(serial));
    for (const id of ['E0-000000000000', 'x', `${one?.entityId}0`]) {
      await expect(ask(one?.entityId ?? '', id)).rejects.toMatchObject(refused('NOT_FOUND'));
      await expect(ask(id, one?.entityId ?? '')).rejects.toMatchObject(refused('NOT_FOUND'));
    }
    expect(await ask(one?.entityId ?? '', one?.entityId ?? '')).toMatchObject({ outcome: 'link', pairs: [] });
  });
});
