import { describe, expect, test } from '@jest/globals';
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '@liandun/contracts';
import fc from 'fast-check';
import { reconcileBatch } from './batch.js';
import type { BatchDecision, BatchRecord } from './batch.js';
import { observe } from './observe.js';

const USCCS = [1, 2, 3, 4, 5].map((serial) => makeUscc(FICTIONAL_REGION, serial));
const RESIDENTS = [1, 2, 3, 4].map((serial) => makeResidentId(FICTIONAL_REGION, '19800101', serial));
const ACCOUNTS = ['6222020200112233445', '6222020200998877665'];

const identities = fc.record(
  {
    kind: fc.constantFrom('organization' as const, 'soleProprietor' as const, 'person' as const),
    uscc: fc.constantFrom(...USCCS, '000000000000000000', 'X', ` ${USCCS[0]!.toLowerCase()} `),
    residentId: fc.constantFrom(...RESIDENTS, '990101********1239'),
    bankAccounts: fc.subarray(ACCOUNTS),
  },
  { requiredKeys: ['kind'] },
);
const batches = fc
  .array(identities, { maxLength: 40 })
  .map((list): BatchRecord[] => list.map((identity, i) => ({ recordId: `r${i}`, identity })));

async function reconcile(records: Iterable<BatchRecord> | AsyncIterable<BatchRecord>): Promise<BatchDecision[]> {
  const decisions: BatchDecision[] = [];
  for await (const decision of reconcileBatch(records)) decisions.push(decision);
  return decisions;
}

const groups = (records: BatchRecord[], decisions: BatchDecision[]): BatchRecord[][] => {
  const byId = new Map(records.map((record) => [record.recordId, record]));
  return [...Map.groupBy(decisions, (decision) => decision.entityId).values()].map((group) =>
    group.map(({ recordId }) => byId.get(recordId)!),
  );
};

const partition = (decisions: BatchDecision[]): string[] =>
  [...Map.groupBy(decisions, (d) => d.entityId).values()]
    .map((group) =>
      group
        .map((d) => d.recordId)
        .toSorted()
        .join(),
    )
    .toSorted();

describe('laws of a batch', () => {
  test('an entity has one kind, at most one USCC and at most one resident id', () =>
    fc.assert(
      fc.asyncProperty(batches, async (records) => {
        for (const group of groups(records, await reconcile(records))) {
          const seen = group.map(({ identity }) => observe(identity));
          expect(new Set(seen.map(({ kind }) => kind)).size).toBe(1);
          expect(new Set(seen.flatMap(({ own }) => own.uscc ?? [])).size).toBeLessThanOrEqual(1);
          expect(new Set(seen.flatMap(({ own }) => own.residentId ?? [])).size).toBeLessThanOrEqual(1);
        }
      }),
    ));

  test('every two records of an entity are tied by shared identifiers, whatever the accounts say', () =>
    fc.assert(
      fc.asyncProperty(batches, async (records) => {
        for (const group of groups(records, await reconcile(records))) {
          const keys = group.map(({ identity }) => Object.values(observe(identity).own));
          const reached = new Set(keys[0]);
          for (const own of keys.slice(1)) {
            expect(own.some((key) => reached.has(key))).toBe(true);
            own.forEach((key) => reached.add(key));
          }
        }
      }),
    ));

  test('organizations with the same USCC are one entity, in any order', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...USCCS), { minLength: 1, maxLength: 30 }), async (usccs) => {
        const records = usccs.map((uscc, i) => ({
          recordId: `r${i}`,
          identity: { kind: 'organization' as const, uscc },
        }));
        const forward = partition(await reconcile(records));
        expect(forward).toHaveLength(new Set(usccs).size);
        expect(partition(await reconcile(records.toReversed()))).toEqual(forward);
      }),
    ));

  test('records that share no key with the others change nothing for them, wherever they stand', () =>
    fc.assert(
      fc.asyncProperty(batches, fc.array(fc.nat(40), { maxLength: 5 }), async (records, places) => {
        const mixed: BatchRecord[] = [...records];
        places.forEach((place, i) => {
          const bankAccounts = [`6217000010${i}00345678`];
          mixed.splice(place, 0, { recordId: `x${i}`, identity: { kind: 'person', bankAccounts } });
        });
        const others = (await reconcile(mixed)).filter(({ recordId }) => recordId.startsWith('r'));
        expect(others).toEqual(await reconcile(records));
      }),
    ));

  test('the same records give the same decisions', () =>
    fc.assert(
      fc.asyncProperty(batches, async (records) => expect(await reconcile(records)).toEqual(await reconcile(records))),
    ));

  test('a recordId that comes twice is refused by name', async () => {
    const record: BatchRecord = { recordId: 'r1', identity: { kind: 'person' } };
    await expect(reconcile([record, record])).rejects.toThrow('recordId r1 comes twice');
  });
});

// Where the material lies; without it these tests are skipped, and say so.
const SMALL = `${process.env.LIANDUN_SHARED ?? '../shared'}/data/identity/small`;

async function* lines(path: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(path).pipe(createGunzip()) });
}

async function* reference(): AsyncGenerator<BatchRecord> {
  for await (const line of lines(`${SMALL}.jsonl.gz`)) yield JSON.parse(line) as BatchRecord;
}

(existsSync(`${SMALL}.jsonl.gz`) ? describe : describe.skip)('the small reference set', () => {
  test('hardly a pair is joined wrongly', async () => {
    const truth = new Map<string, string>();
    for await (const line of lines(`${SMALL}.truth.tsv.gz`)) truth.set(...(line.split('\t') as [string, string]));
    const decisions = await reconcile(reference());
    expect(decisions).toHaveLength(truth.size);
    let joined = 0;
    let right = 0;
    for (const group of Map.groupBy(decisions, (d) => d.entityId).values()) {
      for (const [i, a] of group.entries()) {
        for (const b of group.slice(i + 1)) {
          joined += 1;
          right += Number(truth.get(a.recordId) === truth.get(b.recordId));
        }
      }
    }
    expect(joined).toBeGreaterThan(500);
    expect(right / joined).toBeGreaterThan(0.98);
  });
});
