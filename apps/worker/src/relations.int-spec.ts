import { EVENT_TYPES, LEDGER_SOURCE, makeResidentId, reviewIdOf, type AlarmRaised } from '@liandun/contracts';
import { rebuildProjection } from '@liandun/event-log';
import { entityPage, identityLinksProjection } from '@liandun/views';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { TestLedger } from '../../../test/support/ledger.js';
import { delisted, organization, person, reported } from '../../../test/support/submissions.js';

const [A, B, C] = ['platform-a', 'platform-b', 'platform-c'];
let ledger: TestLedger;
let owner: pg.Pool;
let serial = 70_000;

beforeAll(async () => {
  ledger = await TestLedger.start();
  for (const member of [A, B, C]) await ledger.admit(member);
  owner = new pg.Pool({ connectionString: ledger.url, max: 2, ...({ pipeline: true } as object) });
});
afterAll(async () => {
  await owner.end();
  await ledger.stop();
});

async function submit(member: string, raws: object[]): Promise<number[]> {
  const receipts = await ledger.submit(member, raws);
  expect(receipts.map(({ status, problem }) => problem ?? status)).toEqual(raws.map(() => 'accepted'));
  return receipts.map(({ position }) => position as number);
}
const entityAt = async (position: number): Promise<string> => {
  const { rows } = await ledger.pool.query('select entity_id from view.observation where position = $1', [position]);
  return rows[0].entity_id;
};
const alarms = async (): Promise<AlarmRaised[]> =>
  (await ledger.log.readStream('alarms', { limit: 1_000 }))
    .map(({ data }) => data as AlarmRaised)
    .filter(({ alarm }) => alarm === 'relatedListed');
/** What reviewers decide of pairs of observations, all at once. */
async function decide(pairs: [a: number, b: number, decision: 'same' | 'different'][]): Promise<void> {
  const events = pairs.map(([a, b, decision]) => {
    const reviewId = reviewIdOf(a, b);
    return {
      id: randomUUID(),
      source: LEDGER_SOURCE,
      type: EVENT_TYPES.reviewDecided,
      time: new Date().toISOString(),
      stream: `review/${reviewId}`,
      data: { reviewId, a, b, decision, ground: 'licenceSeen', caseNo: '2026-17', decidedBy: 'regulator-x', reviewer: 'officer-1', accounts: 0 }, // prettier-ignore
      fingerprint: createHash('sha256').update(reviewId).digest(),
    };
  });
  await ledger.log.append({ events });
  await ledger.settled();
}
const phone = (n: number): string => `139${String(10_000_000 + n)}`;

describe('relations', () => {
  test('a representative, a branch and a shared phone are kept, shown to regulators, and to a platform by its own facts only', async () => {
    serial += 10;
    const residentId = makeResidentId('990101', '19800101', serial % 900);
    const name = `虚构云栖${serial}科技有限公司`;
    const [firm] = await submit(A, [
      reported(A, 'firm', organization(serial, { name, legalRepresentative: { name: '虚构甲', residentId } })),
    ]);
    const [operator] = await submit(A, [
      reported(A, 'operator', person(1, { name: '虚构甲', residentId, phones: [phone(serial)] })),
    ]);
    const [branch] = await submit(B, [
      reported(B, 'branch', organization(serial + 1, { name: `${name}杭州分公司`, phones: [phone(serial)] })),
    ]);
    const page = await entityPage(owner, await entityAt(firm as number));
    expect(page?.related.map(({ kind, direction, entityId }) => [kind, direction, entityId])).toEqual(
      expect.arrayContaining([['legalRepresentativeOf', 'to', await entityAt(operator as number)]]),
    );
    const ofPerson = await entityPage(owner, await entityAt(operator as number));
    expect(ofPerson?.related.map(({ kind, direction }) => `${kind} ${direction}`).toSorted()).toEqual([
      'legalRepresentativeOf from',
      'sharesPhone both',
    ]);
    // What B reported isn't A's to see.
    const own = await entityPage(owner, await entityAt(operator as number), A);
    expect(own?.related.map(({ kind }) => kind)).toEqual(['legalRepresentativeOf']);
    expect((await entityPage(owner, await entityAt(branch as number), B))?.related).toEqual([]);
  });

  test('a phone that too many come to hold relates nobody any more', async () => {
    serial += 100;
    const shared = phone(serial);
    const firms = Array.from({ length: 13 }, (_, n) =>
      reported(B, `hub-${serial}-${n}`, organization(serial + n, { phones: [shared] })),
    );
    const [first, second] = await submit(B, firms.slice(0, 2));
    const related = async (): Promise<string[]> =>
      ((await entityPage(owner, await entityAt(first as number)))?.related ?? []).map(({ entityId }) => entityId);
    expect(await related()).toEqual([await entityAt(second as number)]);
    await submit(B, firms.slice(2));
    expect(await related()).toEqual([]);
  });

  test('what one merchant hid of the relations of two is shown once they are parted', async () => {
    serial += 100;
    const shared = phone(serial);
    const twice = (merchantId: string): object =>
      reported(B, merchantId, organization(serial, { phones: [shared], emails: [`${merchantId}@shop.example`] }));
    const other = reported(B, `other-${serial}`, organization(serial + 1, { phones: [shared] }));
    const apart = [reported(C, `c-${serial}`, organization(serial + 2)), reported(C, `d-${serial}`, { kind: 'organization', name: '虚构无号商贸有限公司' })]; // prettier-ignore
    const [a, b, of] = (await submit(B, [twice(`x-${serial}`), twice(`y-${serial}`), other])) as [
      number,
      number,
      number,
    ];
    const [c, d] = (await submit(C, apart)) as [number, number];
    expect(await entityAt(a)).toBe(await entityAt(b));
    const related = async (at: number): Promise<string[]> =>
      ((await entityPage(owner, await entityAt(at)))?.related ?? []).map(({ entityId }) => entityId).toSorted();
    expect(await related(of)).toEqual([await entityAt(a)]);
    // What is decided of others at the same moment stands beside it.
    await decide([
      [a, b, 'different'],
      [c, d, 'same'],
    ]);
    expect(await entityAt(a)).not.toBe(await entityAt(b));
    expect(await entityAt(c)).toBe(await entityAt(d));
    const { rows } = await ledger.pool.query('select same_as from identity.link where position = $1', [d]);
    expect(rows).toEqual([{ same_as: String(c) }]);
    expect(await related(of)).toEqual([await entityAt(a), await entityAt(b)].toSorted());
  });

  test('P13: on random link graphs a listing of A yields notices for A only; unmerge emits reinstatements for entries that rested on the wrong link', async () => {
    const graph = fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.constantFrom('phone', 'person', 'mail')), {
      minLength: 3,
      maxLength: 8,
    });
    for (const edges of fc.sample(graph, { numRuns: 4, seed: 13 })) {
      serial += 100;
      const firms = Array.from({ length: 5 }, (_, n) => {
        const mine = edges.flatMap(([x, y, kind], e) => (x === n || y === n ? [{ kind, e }] : []));
        const of = (kind: string): number[] => mine.filter((one) => one.kind === kind).map(({ e }) => e);
        const representative = of('person')[0];
        return organization(serial + n, {
          phones: of('phone').map((e) => phone(serial * 10 + e)),
          emails: of('mail').map((e) => `m${serial}x${e}@shop.example`),
          ...(representative !== undefined && {
            legalRepresentative: {
              name: '虚构乙',
              residentId: makeResidentId('990101', '19810101', (serial + representative) % 900),
            },
          }),
        });
      });
      const positions = await submit(
        B,
        firms.map((identity, n) => reported(B, `graph-${serial}-${n}`, identity)),
      );
      const entities = await Promise.all(positions.map(entityAt));
      expect(new Set(entities).size).toBe(firms.length);
      const before = (await ledger.notices(B)).length;
      await submit(A, [delisted(A, `listed-${serial}`, firms[0] as object)]);
      const told = (await ledger.notices(B)).slice(before);
      expect(told.map(({ action, merchantIds }) => [action, merchantIds])).toEqual([['close', [`graph-${serial}-0`]]]);
      // Regulators are alarmed of exactly those that the entity's page shows as related.
      const page = await entityPage(owner, entities[0] as string);
      const raised = (await alarms()).filter(({ listingId }) => listingId === told[0]?.listingId);
      const alarmedOf = raised.map(({ relatedEntityId }) => relatedEntityId as string);
      expect(alarmedOf.toSorted()).toEqual(
        [...new Set((page?.related ?? []).map(({ entityId }) => entityId))].toSorted(),
      );
      expect(raised.every(({ about }) => about === A)).toBe(true);
    }

    // A link that turns out wrong is taken back from whoever closed by it.
    serial += 100;
    const [hosted] = await submit(B, [reported(B, `wrong-${serial}`, organization(serial))]);
    const [listed] = await submit(A, [delisted(A, `right-${serial}`, organization(serial))]);
    const [a, b] = [hosted as number, listed as number];
    const of = async (): Promise<string[]> =>
      (await ledger.notices(B))
        .filter(({ merchantIds }) => merchantIds.includes(`wrong-${serial}`))
        .map(({ action }) => action);
    expect(await of()).toEqual(['close']);
    await decide([[a, b, 'different']]);
    expect(await of()).toEqual(['close', 'correct']);
  });

  test('a rebuild from the log gives the relations as they were (I5)', async () => {
    const dump = async (): Promise<unknown[]> =>
      (await owner.query('select t::text from identity.relation t order by 1')).rows;
    const live = await dump();
    expect(live.length).toBeGreaterThan(3);
    await rebuildProjection(owner, identityLinksProjection, { reader: 'reconcile' });
    expect(await dump()).toEqual(live);
  });
});
