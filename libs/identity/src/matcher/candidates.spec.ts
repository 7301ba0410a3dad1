import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Candidates } from './candidates.js';

const RECORDS = 12;
const lists = fc.array(fc.uniqueArray(fc.nat(RECORDS - 1), { minLength: 2, maxLength: 5 }), { maxLength: 8 });

function candidatesOf(given: readonly number[][]): Candidates {
  const candidates = new Candidates(RECORDS);
  for (const list of given) candidates.count(list);
  candidates.allocate();
  for (const list of given) candidates.add(list);
  return candidates;
}

test('the neighbours of a record are those that stand in a list with it', () =>
  fc.assert(
    fc.property(lists, (given) => {
      const candidates = candidatesOf(given);
      for (let i = 0; i < RECORDS; i++) {
        const together = given.filter((list) => list.includes(i)).flatMap((list) => list.filter((j) => j !== i));
        expect(new Set(candidates.of(i))).toEqual(new Set(together));
      }
    }),
  ));

test('the order has each record once, and what hangs together stands together', () =>
  fc.assert(
    fc.property(lists, (given) => {
      const candidates = candidatesOf(given);
      const order = [...candidates.order()];
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, i) => i));
      // A record whose neighbours all come later begins a component; every other one has one of them before it.
      const begins = order.filter((i, n) => ![...candidates.of(i)].some((j) => order.indexOf(j) < n));
      const reached = new Set<number>();
      const reach = (i: number): void => {
        if (reached.has(i)) return;
        reached.add(i);
        for (const j of candidates.of(i)) reach(j);
      };
      for (const start of begins) {
        expect(reached.has(start)).toBe(false);
        reach(start);
        expect(new Set(order.slice(0, reached.size))).toEqual(reached);
      }
    }),
  ));
