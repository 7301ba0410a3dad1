import { describe, expect, test } from '@jest/globals';
import { enMatcher, resolveBatch } from '@liandun/identity';
import { measuresOf } from '../reconcile/measures.js';
import { atHand, febrl, historical, senzing, type LabelledSet } from './sets.js';
import { partitionText, shuffled, Stream } from './stream.js';

/** Every record of every n-th entity. */
function sampled(set: LabelledSet, n: number): LabelledSet {
  const entities = [...new Set(set.truth.values())].toSorted().filter((_, i) => i % n === 0);
  const kept = new Set(entities);
  const records = set.records.filter(({ recordId }) => kept.has(set.truth.get(recordId) as string));
  return {
    ...set,
    records,
    truth: new Map(records.map(({ recordId }) => [recordId, set.truth.get(recordId) as string])),
  };
}

async function found(set: LabelledSet): Promise<Map<string, string>> {
  const result = await resolveBatch(enMatcher, set.records);
  return new Map([...result.assignments()].map(({ recordId, entityId }) => [recordId, entityId]));
}

// Where LIANDUN_SHARED or ../shared holds the sets; without them these tests are skipped, and reported as skipped.
(atHand() ? describe : describe.skip)('the public sets for entity resolution', () => {
  test('historical figures, every tenth: B-cubed above 0.90, pairwise F1 above 0.88', async () => {
    const set = sampled(await historical(), 10);
    const { bcubed, pairwise } = measuresOf(set.truth, await found(set));
    expect(set.records.length).toBeGreaterThan(4_000);
    expect(bcubed.f1).toBeGreaterThan(0.9);
    expect(pairwise.f1).toBeGreaterThan(0.88);
  });

  test('historical figures, every fiftieth, streamed in three orders: the entities of the batch', async () => {
    const set = sampled(await historical(), 50);
    const batch = partitionText(await found(set));
    for (const records of [set.records, set.records.toReversed(), shuffled(set.records)]) {
      const stream = new Stream(enMatcher);
      for (const record of records) await stream.add([record]);
      expect(partitionText(stream.entities())).toBe(batch);
    }
  });

  test('Febrl 3: F1 above 0.99', async () => {
    const set = febrl('Febrl 3', ['dataset3.csv']);
    expect(measuresOf(set.truth, await found(set)).pairwise.f1).toBeGreaterThan(0.99);
  });

  test('the Senzing set but for the differences that docs/decisions explains', async () => {
    const set = senzing();
    const { bcubed } = measuresOf(set.truth, await found(set));
    expect(set.records).toHaveLength(159);
    expect(bcubed.f1).toBeGreaterThan(0.96);
  });
});
