import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  makeRegistrationNumber,
  reviewIdOf,
  type Receipt,
  type ReviewDecisionKind,
} from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { entityPage, identityLinksProjection, ledgerProjection, stepsOf } from '@liandun/views';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { drawn } from '../../../test/support/drawn.js';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, organization, reported, shopOf } from '../../../test/support/submissions.js';

const [A, B, C] = ['platform-a', 'platform-b', 'platform-c'];
let ledger: TestLedger;
let owner: pg.Pool;
let serial = drawn(1_000, 100_000);
let merchant = '';

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [A, B, C]) await ledger.admit(member);
  owner = new pg.Pool({ connectionString: ledger.url, max: 2, ...({ pipeline: true } as object) });
});
afterAll(async () => {
  await owner.end();
  await ledger.stop();
});
beforeEach(() => {
  serial += 1;
  merchant = `m-${randomUUID()}`;
});

const submit = async (member: string, raw: object): Promise<Receipt & { position: number }> => {
  const [receipt] = await ledger.submit(member, [raw]);
  expect(receipt).toMatchObject({ status: 'accepted' });
  return receipt as Receipt & { position: number };
};
const registrationNumber = (): string => makeRegistrationNumber('990101', serial);
/** Another name under the same old number: a person has to look. */
const teaHouse = (): object => ({
  kind: 'organization',
  name: '望江亭茶庄',
  registrationNumber: registrationNumber(),
});

/** A decision, as the api appends it. */
async function decided(type: string, a: number, b: number, decision: ReviewDecisionKind): Promise<void> {
  const id = randomUUID();
  const reviewId = reviewIdOf(a, b);
  const data = { reviewId, a: Math.min(a, b), b: Math.max(a, b), decision, ground: 'licenceSeen', caseNo: '2026-17', decidedBy: 'regulator-x', reviewer: 'officer-1', accounts: 0 }; // prettier-ignore
  await ledger.log.append({
    events: [
      {
        id,
        source: LEDGER_SOURCE,
        type,
        time: new Date().toISOString(),
        stream: `review/${reviewId}`,
        data,
        fingerprint: createHash('sha256').update(id).digest(),
      },
    ],
  });
  await ledger.settled();
}
const decide = (a: number, b: number, decision: ReviewDecisionKind): Promise<void> =>
  decided(EVENT_TYPES.reviewDecided, a, b, decision);
const undo = (a: number, b: number, decision: ReviewDecisionKind): Promise<void> =>
  decided(EVENT_TYPES.reviewUndone, a, b, decision);

const entityAt = async (position: number): Promise<string> => {
  const { rows } = await ledger.pool.query('select entity_id from view.observation where position = $1', [position]);
  return rows[0].entity_id;
};

/** What a member was told under any listing, in order. */
const told = async (member: string): Promise<string[]> =>
  (await ledger.notices(member))
    .filter(({ merchantIds }) => merchantIds.length === 0 || merchantIds.includes(merchant))
    .slice(from[member] ?? 0)
    .map(({ action }) => action);
let from: Record<string, number> = {};

/** A listed merchant, and an account at B that may be the same; then C's, of a merchant that nobody listed. */
async function doubt(): Promise<{ hosted: number; listed: number }> {
  from = {};
  for (const member of [A, B, C]) from[member] = (await told(member)).length;
  const hosted = await submit(B, reported(B, merchant, teaHouse(), { shops: [shopOf(`tea-${serial}`)] }));
  const identity = organization(serial, { registrationNumber: registrationNumber() });
  const listed = await submit(A, delisted(A, `${merchant}-a`, identity));
  expect(await entityAt(hosted.position)).not.toBe(await entityAt(listed.position));
  expect(await told(B)).toEqual(['check']);
  return { hosted: hosted.position, listed: listed.position };
}

describe('what a person decides', () => {
  test('different: exactly whoever was told to check is corrected, and hears what a platform without the merchant hears', async () => {
    const { hosted, listed } = await doubt();
    const others = (await ledger.notices(C)).length;
    await decide(hosted, listed, 'different');
    expect(await told(B)).toEqual(['check', 'correct', 'restrictAdmission']);
    expect(await ledger.notices(C)).toHaveLength(others);
  });

  test('a pair that was told apart stays apart, also when the entities grow', async () => {
    const { hosted, listed } = await doubt();
    await decide(hosted, listed, 'different');
    const grown = await submit(B, reported(B, merchant, teaHouse(), { shops: [shopOf(`tea-${serial}-2`)] }));
    expect(await entityAt(grown.position)).toBe(await entityAt(hosted));
    const identity = organization(serial, { registrationNumber: registrationNumber() });
    const again = await submit(A, delisted(A, `${merchant}-b`, identity));
    expect(await entityAt(again.position)).toBe(await entityAt(listed));
    expect((await told(B)).filter((action) => action === 'check')).toHaveLength(1);
    const page = await entityPage(owner, await entityAt(hosted));
    expect(page?.possible).toEqual([]);
  });

  test('it holds for whatever repeats an observation, and goes by what is repeated', async () => {
    const { hosted, listed } = await doubt();
    const said = (): object => reported(B, merchant, teaHouse(), { shops: [shopOf(`tea-${serial}`)] });
    const repeated = await submit(B, said());
    expect(await entityAt(repeated.position)).toBe(await entityAt(hosted));
    await decide(repeated.position, listed, 'same');
    expect(await entityAt(listed)).toBe(await entityAt(hosted));
    await undo(repeated.position, listed, 'same');
    await decide(repeated.position, listed, 'different');
    await submit(B, said());
    expect(await entityAt(listed)).not.toBe(await entityAt(hosted));
    expect((await told(B)).filter((action) => action === 'check')).toHaveLength(2);
  });

  test('undone, it is a doubt again: check', async () => {
    const { hosted, listed } = await doubt();
    await decide(hosted, listed, 'different');
    await undo(hosted, listed, 'different');
    expect(await told(B)).toEqual(['check', 'correct', 'restrictAdmission', 'check']);
  });

  test('unsure changes nothing', async () => {
    const { hosted, listed } = await doubt();
    await decide(hosted, listed, 'unsure');
    expect(await told(B)).toEqual(['check']);
  });

  test('same: the entities become one and the shops close; undone they part and are corrected', async () => {
    const { hosted, listed } = await doubt();
    const [one, other] = [await entityAt(hosted), await entityAt(listed)];
    await decide(hosted, listed, 'same');
    expect(await entityAt(listed)).toBe(one);
    expect(await told(B)).toEqual(['check', 'close']);
    const close = (await ledger.notices(B)).findLast(({ merchantIds }) => merchantIds.includes(merchant));
    expect(close?.match.because).toContain('decided');
    await undo(hosted, listed, 'same');
    expect(await entityAt(listed)).toBe(other);
    // It is told anew what such a doubt means.
    expect((await told(B)).slice(2)).toEqual(['correct', 'check']);
  });

  test('different parts what the matcher had linked, and exactly the shops that closed for it are corrected', async () => {
    from = {};
    for (const member of [A, B, C]) from[member] = (await told(member)).length;
    const hosted = await submit(B, reported(B, merchant, organization(serial)));
    const listed = await submit(A, delisted(A, `${merchant}-a`, organization(serial)));
    expect(await entityAt(listed.position)).toBe(await entityAt(hosted.position));
    await decide(hosted.position, listed.position, 'different');
    expect(await entityAt(listed.position)).not.toBe(await entityAt(hosted.position));
    expect(await told(B)).toEqual(['close', 'correct', 'restrictAdmission']);
    await undo(hosted.position, listed.position, 'different');
    expect(await entityAt(listed.position)).toBe(await entityAt(hosted.position));
    expect((await told(B)).at(-1)).toBe('close');
  });
});

describe('an entity remembers', () => {
  test('the ids that it had before lead to it', async () => {
    const { hosted, listed } = await doubt();
    const [one, other] = [await entityAt(hosted), await entityAt(listed)];
    await decide(hosted, listed, 'same');
    const page = await entityPage(owner, other);
    expect(page).toMatchObject({ entityId: one, retiredFrom: other });
    expect((await entityPage(owner, one))?.retiredFrom).toBeUndefined();
    // A platform finds its own merchant by it, and nothing else.
    expect((await entityPage(owner, other, A))?.observations.map(({ position }) => position)).toEqual([listed]);
    expect(await entityPage(owner, other, C)).toBeUndefined();
    await undo(hosted, listed, 'same');
    expect(await entityPage(owner, other)).toMatchObject({ entityId: other });
  });

  test('how each observation came to be where it is, in the order of the log', async () => {
    const { hosted, listed } = await doubt();
    const [one, other] = [await entityAt(hosted), await entityAt(listed)];
    await decide(hosted, listed, 'same');
    await undo(hosted, listed, 'same');
    const client = await owner.connect();
    const steps = await stepsOf(client, [hosted, listed]).finally(() => client.release());
    const said = (position: number): unknown[] =>
      (steps.get(position) ?? []).map(({ type, entityId }) => [type.split('.', 3).slice(1).join('.'), entityId]);
    expect(said(listed)).toEqual([
      ['entity.linked', other],
      ['review.decided', undefined],
      ['entity.merged', one],
      ['review.undone', undefined],
      ['entity.split', other],
    ]);
    expect(said(hosted).slice(0, 2)).toEqual([
      ['entity.linked', one],
      ['review.decided', undefined],
    ]);
  });
});

test('a rebuild from the log gives every table as it was, byte for byte (I5)', async () => {
  await ledger.settled();
  const dump = async (): Promise<Record<string, unknown[]>> => {
    const { rows } = await owner.query<{ name: string }>(
      `select table_schema || '.' || table_name as name from information_schema.tables
       where table_schema in ('view', 'identity') order by 1`,
    );
    const tables: Record<string, unknown[]> = {};
    for (const { name } of rows) tables[name] = (await owner.query(`select t::text from ${name} t order by 1`)).rows;
    return tables;
  };
  const live = await dump();
  for (const table of ['view.parted', 'view.step', 'identity.decision']) expect(live[table]?.length).toBeGreaterThan(1);
  await rebuildProjection(owner, ledgerProjection, { reader: 'notify' });
  await rebuildProjection(owner, identityLinksProjection, { reader: 'reconcile' });
  expect(await dump()).toEqual(live);
});
