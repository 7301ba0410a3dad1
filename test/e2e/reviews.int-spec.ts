import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeRegistrationNumber, makeUscc, type CloudEvent } from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { accessProjection } from '@liandun/views';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { keyVariable } from '../../apps/cli/src/context.js';
import { liandun } from '../../apps/cli/src/testing/terminal.js';
import { drawn } from '../support/drawn.js';
import { feedOf } from '../support/platform.js';
import { Product } from '../support/product.js';
import { delisted, organization, person, reported } from '../support/submissions.js';
import { until } from '../support/until.js';

const [A, B, ONE, TWO] = ['review-a', 'review-b', 'review-one', 'review-two'];
const WHY = { purpose: 'supervision', caseNo: '2026-17' };
const WORDS = { ground: 'licenceSeen', caseNo: '2026-17', reviewer: 'officer-1' };

let product: Product;
let pool: pg.Pool;
let folder: string;
let serial = drawn(1_000, 100_000);

beforeAll(async () => {
  product = await Product.start([
    ...[A, B].map((memberId) => ({ memberId, role: 'platform' as const })),
    ...[ONE, TWO].map((memberId) => ({ memberId, role: 'regulator' as const })),
  ]);
  pool = product.pool();
  folder = await mkdtemp(join(tmpdir(), 'liandun-test-reviews-'));
}, 180_000);
afterAll(async () => {
  await pool?.end();
  await product?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

interface Shown {
  reviewId: string;
  status: string;
  observations: [number, number];
  entities: { entityId: string; name: string; members: string[] }[];
  because: { field: string; grade: string }[];
  evidence?: { rule: string };
  atStake: { listings: number; accounts: number; wouldClose: number; tier?: number };
  decided?: { decision: string; approvedBy?: string };
  proposal?: { approvalId: string; decision: string; undoes: boolean };
  explanation: {
    pair?: { fields: { field: string; en: string; zh: string }[] };
    history: { steps: { type: string }[] }[];
  };
  approvalId?: string;
}
interface Page {
  items: Shown[];
  next: string | null;
}

const publish = async (member: string, event: object): Promise<number> => {
  const receipt = await product.client(member).publish(event as CloudEvent);
  expect(receipt).toMatchObject({ status: 'accepted' });
  return receipt.position as number;
};

/** B's account and A's delisting, or report, that may be of one merchant: an old number under two names. */
async function doubt(listed = true): Promise<{ reviewId: string; hosted: number; other: number; merchantId: string }> {
  serial += 1;
  const registrationNumber = makeRegistrationNumber('990101', serial);
  const merchantId = `m-${serial}`;
  const teaHouse = { kind: 'organization', name: '望江亭茶庄', registrationNumber };
  const hosted = await publish(B, reported(B, merchantId, teaHouse));
  const identity = organization(serial, { registrationNumber });
  const other = await publish(A, (listed ? delisted : reported)(A, `${merchantId}-a`, identity));
  await product.settled();
  return { reviewId: `R${hosted}-${other}`, hosted, other, merchantId };
}

const queue = (query = '?limit=1000'): Promise<Page> => product.client(ONE).get(`/v1/reviews${query}`, WHY);
const show = (reviewId: string): Promise<Shown> => product.client(ONE).get(`/v1/reviews/${reviewId}`, WHY);
const decide = (reviewId: string, decision: string, more: object = {}, as = ONE): Promise<Shown> =>
  product.client(as).post(`/v1/reviews/${reviewId}/decision`, { ...WORDS, decision, ...more });
const undo = (reviewId: string, as = ONE): Promise<Shown> =>
  product.client(as).post(`/v1/reviews/${reviewId}/undo`, { ...WORDS, ground: 'decidedWrongly' });
const approve = (
  approvalId: string,
  as = TWO,
  decision = 'approve',
  reviewer: string | null = 'officer-2',
): Promise<{ status: string; reviewer?: string }> =>
  product.client(as).post(`/v1/approvals/${approvalId}`, { decision, ...(reviewer !== null && { reviewer }) });
const isQueued = async (reviewId: string): Promise<boolean> =>
  (await queue()).items.some((item) => item.reviewId === reviewId);
const actions = async (merchantId: string): Promise<string[]> =>
  (await feedOf(product.client(B)))
    .filter(({ data }) => data.merchantIds.includes(merchantId))
    .map(({ data }) => data.action);
const refused = (code: string, pointer?: string): object => ({
  problem: { code, ...(pointer && { errors: [{ pointer, code: expect.any(String) }] }) },
});

describe('the queue', () => {
  test('names what hangs on a pair, why it may be one, and nobody in clear', async () => {
    const { reviewId, hosted, other } = await doubt();
    const item = (await queue()).items.find((one) => one.reviewId === reviewId);
    expect(item).toMatchObject({
      status: 'open',
      observations: [hosted, other],
      because: [{ field: 'registrationNumber', grade: 'possible' }],
      evidence: { rule: 'identifierNameDiffers' },
      atStake: { listings: 1, tier: 1, accounts: 1, wouldClose: 1 },
    });
    expect(item?.entities.map(({ name, members }) => [name, members])).toEqual([
      ['望江亭茶庄', [B]],
      [`虚构贸易${serial}有限公司`, [A]],
    ]);
    const { explanation } = await show(reviewId);
    expect(explanation.pair?.fields.find(({ field }) => field === 'registrationNumber')).toMatchObject({
      en: 'registration number: equal',
      zh: '注册号：相同',
    });
    expect(explanation.history.map(({ steps }) => steps.map(({ type }) => type))).toEqual([
      ['liandun.entity.linked.v1'],
      ['liandun.entity.linked.v1'],
    ]);
  });

  test('comes in pages, first where most shops would close', async () => {
    await doubt(false);
    await doubt();
    const all = (await queue()).items;
    const weights = all.map(({ atStake }) => atStake.wouldClose);
    expect(weights).toEqual(weights.toSorted((x, y) => y - x));
    expect(new Set(weights).size).toBeGreaterThan(1);
    const paged: Shown[] = [];
    let pages = 0;
    for (let next: string | null = ''; next !== null; pages += 1) {
      const page: Page = await queue(`?limit=2&after=${next}`);
      paged.push(...page.items);
      ({ next } = page);
    }
    expect(pages).toBeGreaterThan(1);
    expect(paged.map(({ reviewId }) => reviewId)).toEqual(all.map(({ reviewId }) => reviewId));
    await expect(queue('?after=nothing')).rejects.toMatchObject(refused('CURSOR_INVALID', '/query/after'));
  });

  test('a reading is audited with its review', async () => {
    const { reviewId } = await doubt(false);
    await show(reviewId);
    const { rows } = await pool.query(
      `select entry::jsonb -> 'data' as data from log.entry where stream = $1 order by version desc limit 1`,
      [`reads/${ONE}`],
    );
    expect(rows[0].data).toMatchObject({ route: '/v1/reviews/:reviewId', reviewId, ...WHY });
    await expect(product.client(ONE).get(`/v1/reviews/${reviewId}`)).rejects.toMatchObject(refused('PURPOSE_REQUIRED'));
  });
});

describe('a decision', () => {
  test('that two are different acts at once, and the pair never comes back, also when its entities grow', async () => {
    const { reviewId, merchantId, hosted } = await doubt();
    expect(await actions(merchantId)).toEqual(['check']);
    expect(await decide(reviewId, 'different')).toMatchObject({
      status: 'decided',
      decided: { decision: 'different' },
    });
    expect(await isQueued(reviewId)).toBe(false);
    await product.settled();
    expect(await actions(merchantId)).toEqual(['check', 'correct']);
    const registrationNumber = makeRegistrationNumber('990101', serial);
    const grown = await publish(B, reported(B, `${merchantId}-2`, { kind: 'organization', name: '望江亭茶庄', registrationNumber })); // prettier-ignore
    const again = await publish(A, delisted(A, `${merchantId}-b`, organization(serial, { registrationNumber })));
    await product.settled();
    const page = await product.client(ONE).get<{ observations: { position: number }[] }>(`/v1/entities/${(await show(reviewId)).entities[0]?.entityId}`, WHY); // prettier-ignore
    expect(page.observations.map(({ position }) => position)).toEqual([hosted, grown]);
    expect((await queue()).items.filter(({ observations }) => observations.some((one) => [grown, again].includes(one)))).toEqual([]); // prettier-ignore
    expect((await actions(merchantId)).filter((action) => action === 'check')).toHaveLength(1);
  });

  test('said again changes nothing; another one must be preceded by its undoing', async () => {
    const { reviewId } = await doubt(false);
    await decide(reviewId, 'different');
    expect(await decide(reviewId, 'different')).toMatchObject({ status: 'decided' });
    const { rows } = await pool.query('select from log.entry where stream = $1', [`review/${reviewId}`]);
    expect(rows).toHaveLength(1);
    await expect(decide(reviewId, 'same')).rejects.toMatchObject(refused('REVIEW_DECIDED'));
    expect(await undo(reviewId)).toMatchObject({ status: 'open' });
    expect(await isQueued(reviewId)).toBe(true);
    await expect(undo(reviewId, TWO)).rejects.toMatchObject(refused('REVIEW_NOT_DECIDED'));
    expect(await decide(reviewId, 'same')).toMatchObject({ status: 'decided', decided: { decision: 'same' } });
  });

  test('of nobody being sure holds until it ends', async () => {
    const { reviewId } = await doubt();
    const unsure = (pair: string, seconds: number): Promise<Shown> =>
      decide(pair, 'unsure', {
        ground: 'documentsAwaited',
        expiresAt: new Date(Date.now() + seconds * 1_000).toISOString(),
      });
    expect(await unsure(reviewId, 3_600)).toMatchObject({ status: 'decided' });
    expect(await isQueued(reviewId)).toBe(false);
    await expect(decide(reviewId, 'different')).rejects.toMatchObject(refused('REVIEW_DECIDED'));

    // Another that ends soon; where the machine is so slow that it has ended before it is asked for, one that ends later.
    const brief = (await doubt()).reviewId;
    const soon = async (seconds: number): Promise<Shown> => {
      try {
        return await unsure(brief, seconds);
      } catch (error) {
        expect(error).toMatchObject(refused('INVALID_VALUE', '/expiresAt'));
        return soon(2 * seconds);
      }
    };
    expect(await soon(1)).toMatchObject({ status: 'decided' });
    await until('it is asked again', () => isQueued(brief));
    expect(await decide(brief, 'different')).toMatchObject({ status: 'decided' });
    expect(await isQueued(reviewId)).toBe(false);
  });
});

describe('the evidence of a decision', () => {
  const evidence = [{ sha256: 'cd'.repeat(32), mediaType: 'application/pdf' }];
  interface WithEvidence {
    decided?: { evidence?: object[] };
    proposal?: { evidence?: object[]; reviewer: string; ground: string };
    explanation: { history: { steps: { type: string; evidence?: object[]; reviewer?: string }[] }[] };
  }
  const shown = (reviewId: string): Promise<WithEvidence> => product.client(ONE).get(`/v1/reviews/${reviewId}`, WHY);

  test('is kept with it, and told with what led there', async () => {
    const { reviewId } = await doubt(false);
    expect(await decide(reviewId, 'different', { evidence })).toMatchObject({ decided: { evidence } });
    // Said again word by word it is the same; with other files it isn't.
    expect(await decide(reviewId, 'different', { evidence })).toMatchObject({ status: 'decided' });
    const other = [{ ...evidence[0], sha256: 'ef'.repeat(32) }];
    await expect(decide(reviewId, 'different', { evidence: other })).rejects.toMatchObject(refused('REVIEW_DECIDED'));
    await product.settled();
    const { decided, explanation } = await shown(reviewId);
    expect(decided).toMatchObject({ evidence });
    const steps = explanation.history[0]?.steps.filter(({ type }) => type === 'liandun.review.decided.v1');
    expect(steps).toEqual([expect.objectContaining({ evidence, reviewer: WORDS.reviewer })]);
  });

  test('is before whoever approves, and the same request is the same proposal', async () => {
    const { reviewId } = await doubt();
    const { approvalId = '' } = await decide(reviewId, 'same', { evidence });
    expect((await decide(reviewId, 'same', { evidence: structuredClone(evidence) })).approvalId).toBe(approvalId);
    await expect(decide(reviewId, 'same')).rejects.toMatchObject(refused('REVIEW_PROPOSED'));
    expect((await shown(reviewId)).proposal).toMatchObject({
      evidence,
      reviewer: WORDS.reviewer,
      ground: WORDS.ground,
    });
    await approve(approvalId);
    expect((await shown(reviewId)).decided).toMatchObject({ evidence, approver: 'officer-2' });
  });

  test('is refused where it is none', async () => {
    const { reviewId } = await doubt(false);
    const bad = decide(reviewId, 'different', { evidence: [{ sha256: 'x', mediaType: 'application/pdf' }] });
    await expect(bad).rejects.toMatchObject(refused('INVALID_FORMAT', '/evidence/0/sha256'));
  });
});

describe('where shops would close', () => {
  test('two regulators decide; then the shops are closed, and undone by two they are corrected', async () => {
    const { reviewId, merchantId } = await doubt();
    const { approvalId = '' } = await decide(reviewId, 'same');
    expect(approvalId).not.toBe('');
    expect(await show(reviewId)).toMatchObject({ status: 'proposed', proposal: { approvalId, decision: 'same' } });
    // A repeated request is the same proposal; another decision waits for this one.
    expect((await decide(reviewId, 'same')).approvalId).toBe(approvalId);
    await expect(decide(reviewId, 'different', {}, TWO)).rejects.toMatchObject(refused('REVIEW_PROPOSED'));
    await expect(approve(approvalId, ONE)).rejects.toMatchObject(refused('SECOND_PERSON_NEEDED'));
    await expect(approve(approvalId, 'admin-1')).rejects.toMatchObject(refused('APPROVAL_NOT_FOUND'));
    // Nor does an administrator see whom regulators look at, by whose case number (rule P18).
    const listed = await product.client('admin-1').get<{ items: { approvalId: string }[] }>('/v1/approvals?limit=1000');
    expect(listed.items.filter((each) => each.approvalId === approvalId)).toEqual([]);
    await expect(approve(approvalId, A)).rejects.toMatchObject(refused('FORBIDDEN'));
    await expect(approve(approvalId, TWO, 'approve', null)).rejects.toMatchObject(
      refused('MISSING_FIELD', '/reviewer'),
    );
    // The same person, at another authority, is no second one.
    const own = approve(approvalId, TWO, 'approve', WORDS.reviewer);
    await expect(own).rejects.toMatchObject(refused('SECOND_PERSON_NEEDED'));
    expect(await approve(approvalId)).toMatchObject({ status: 'granted', reviewer: 'officer-2' });
    await expect(approve(approvalId)).rejects.toMatchObject(refused('APPROVAL_DECIDED'));
    await product.settled();
    expect(await actions(merchantId)).toEqual(['check', 'close']);
    const linked = await show(reviewId);
    const persons = { reviewer: WORDS.reviewer, decidedBy: ONE, approver: 'officer-2', approvedBy: TWO };
    expect(linked).toMatchObject({ status: 'decided', decided: { decision: 'same', ...persons } });
    expect(linked.entities[0]).toEqual(linked.entities[1]);

    const { approvalId: undoing = '' } = await undo(reviewId);
    expect(await show(reviewId)).toMatchObject({ status: 'proposed', proposal: { undoes: true } });
    await approve(undoing);
    await product.settled();
    expect((await actions(merchantId)).slice(2)).toEqual(['correct', 'check']);
    expect(await isQueued(reviewId)).toBe(true);
  });

  test('what the second person refuses has no effect, and the pair is open again', async () => {
    const { reviewId, merchantId } = await doubt();
    const { approvalId = '' } = await decide(reviewId, 'same');
    expect(await approve(approvalId, TWO, 'refuse')).toMatchObject({ status: 'refused' });
    await product.settled();
    expect(await actions(merchantId)).toEqual(['check']);
    expect((await show(reviewId)).status).toBe('open');
  });

  test('P20: not even the database takes it from one person', async () => {
    const { reviewId, hosted, other } = await doubt();
    const { approvalId } = await decide(reviewId, 'same');
    const own = pool.query(`update access.approval set status = 'granted', decided_by = requested_by, decided_at = now() where approval_id = $1`, [approvalId]); // prettier-ignore
    await expect(own).rejects.toThrow('violates check constraint');
    const insert = (approval: string | null, approvedBy: string | null): Promise<unknown> =>
      pool.query(
        `insert into access.review (review_id, a, b, decision, ground, case_no, decided_by, reviewer, accounts, approval_id,
           approved_by, decided_at, undone, position)
         values ($1, $2, $3, 'same', 'licenceSeen', '1', $4, 'o', 1, $5, $6, now(), false, 0)`,
        [reviewId, hosted, other, ONE, approval, approvedBy],
      );
    await expect(insert(null, null)).rejects.toThrow('violates check constraint');
    await expect(insert(approvalId ?? '', ONE)).rejects.toThrow(/check constraint|no approval by a second person/);
    await expect(insert(approvalId ?? '', TWO)).rejects.toThrow('no approval by a second person');
  });
});

describe('what is refused says what and why', () => {
  test('by field, by pair and by kind', async () => {
    const { reviewId, hosted } = await doubt(false);
    const at = (body: object): Promise<unknown> => decide(reviewId, 'same', body);
    await expect(at({ ground: 'ownersDiffer' })).rejects.toMatchObject(refused('INVALID_VALUE', '/ground'));
    await expect(at({ note: 'x' })).rejects.toMatchObject(refused('UNKNOWN_FIELD', '/note'));
    await expect(at({ expiresAt: '2030-01-01T00:00:00Z' })).rejects.toMatchObject(refused('FIELD_NOT_APPLICABLE', '/expiresAt')); // prettier-ignore
    for (const id of ['R1', `R${hosted}-${hosted}`, 'R2-1', 'R999998-999999', 'x'])
      await expect(decide(id, 'different')).rejects.toMatchObject(refused('REVIEW_NOT_FOUND'));
  });

  test('two valid numbers, or a person and a firm, are never one', async () => {
    const firm = async (n: number): Promise<number> =>
      publish(A, reported(A, `x-${serial}-${n}`, organization(serial, { uscc: makeUscc('990101', 700_000 + serial + n) }))); // prettier-ignore
    const [one, other] = [await firm(1), await firm(2)];
    const someone = await publish(A, reported(A, `x-${serial}-p`, person(serial % 900)));
    await product.settled();
    await expect(decide(`R${one}-${other}`, 'same')).rejects.toMatchObject(refused('REVIEW_IDENTIFIERS_DIFFER'));
    await expect(decide(`R${one}-${someone}`, 'same')).rejects.toMatchObject(refused('REVIEW_KINDS_DIFFER'));
  });
});

test('an entity is found by the id that it had, and tells how it came to be', async () => {
  const { reviewId, other } = await doubt(false);
  const [older, younger] = (await show(reviewId)).entities.map(({ entityId }) => entityId);
  await decide(reviewId, 'same');
  await product.settled();
  const page = await product.client(ONE).get<{ observations: { position: number; explanation: { how: { type: string }[] } }[] }>(`/v1/entities/${younger}`, WHY); // prettier-ignore
  expect(page).toMatchObject({ entityId: older, retiredFrom: younger });
  const steps = page.observations.find(({ position }) => position === other)?.explanation.how.map(({ type }) => type);
  expect(steps).toEqual(['liandun.entity.linked.v1', 'liandun.review.decided.v1', 'liandun.entity.merged.v1']);
  const own = await product.client(A).get<{ observations: object[]; possible: object[] }>(`/v1/entities/${younger}`);
  expect(own).toMatchObject({ entityId: older, retiredFrom: younger, possible: [] });
  expect(own.observations).toHaveLength(1);
  expect(JSON.stringify(own)).not.toContain(B);
  expect(JSON.stringify(own)).not.toContain('explanation');
});

describe('on the command line', () => {
  const run = async (line: string): Promise<{ code: number; out: string; err: string }> => {
    const keys = await Promise.all(
      [ONE, TWO].map(async (memberId) => {
        const file = join(folder, `${memberId}.jwk`);
        await writeFile(file, JSON.stringify(product.keys.get(memberId)));
        return [keyVariable(memberId), file];
      }),
    );
    const env = { LANG: 'C', LIANDUN_URL: product.url, ...Object.fromEntries(keys) };
    return liandun(line.split(' '), { env, cwd: folder });
  };

  test('a pair is listed, looked at, decided by one and approved by another', async () => {
    const { reviewId } = await doubt();
    const why = `--as ${ONE} --purpose supervision --case 2026-17`;
    expect((await run(`reviews list ${why}`)).out).toContain(reviewId);
    expect((await run(`reviews show ${reviewId} ${why}`)).out).toContain('registration number: equal');
    const words = '--ground licenceSeen --case 2026-17 --reviewer officer-1';
    const proposed = await run(`reviews decide ${reviewId} same ${words} --as ${ONE}`);
    expect(proposed).toMatchObject({ code: 0 });
    const [, approvalId] = /([0-9a-f-]{36})/.exec(proposed.out) ?? [];
    const second = `reviews approve ${approvalId} --reviewer officer-2`;
    expect(await run(`${second} --as ${ONE}`)).toMatchObject({ code: 4 });
    expect((await run(`${second} --as ${TWO}`)).out).toContain('granted');
    expect((await run(`reviews show ${reviewId} ${why}`)).out).toContain(`officer-2 of ${TWO}`);
    expect((await run(`reviews undo ${reviewId} --ground newEvidence --case 2026-17 --reviewer officer-1 --as ${ONE}`)).code).toBe(0); // prettier-ignore
  });
});

test('a rebuild of who decided what gives the live tables (I5)', async () => {
  const dump = async (): Promise<unknown[]> =>
    (await pool.query('select r::text from access.review r order by 1')).rows;
  const live = await dump();
  expect(live.length).toBeGreaterThan(5);
  await rebuildProjection(pool, accessProjection);
  expect(await dump()).toEqual(live);
});
