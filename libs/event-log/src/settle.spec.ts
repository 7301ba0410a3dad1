import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { settle, type Known, type SettleCommand, type SettleEvent } from './settle.js';

type Receipt = { position: number };
const NONE: Known<Receipt> = { events: new Map(), versions: new Map() };

const event = (id: string, stream = 's', content = 'a'): SettleEvent => ({
  id,
  key: id,
  stream,
  fingerprint: Buffer.from(content),
});

describe('a group', () => {
  test('numbers streams in the order of its commands', () => {
    const { outcomes, survivors, heads } = settle(
      [{ events: [event('1', 'a'), event('2', 'b')] }, { events: [event('3', 'a')] }],
      { events: new Map(), versions: new Map([['b', 4]]) },
    );
    expect(survivors.map(({ version }) => version)).toEqual([0, 5, 1]);
    expect([...heads]).toEqual([
      ['a', 1],
      ['b', 5],
    ]);
    expect(outcomes).toEqual([
      { status: 'appended', receipts: [0, 1] },
      { status: 'appended', receipts: [2] },
    ]);
  });

  test('finds what it repeats itself', () => {
    const { outcomes, survivors } = settle([{ events: [event('1')] }, { events: [event('1')] }], NONE);
    expect(outcomes[1]).toEqual({ status: 'duplicate', receipts: [0] });
    expect(survivors).toHaveLength(1);
  });

  test('refuses an id with other content, and only that command', () => {
    const commands = [
      { events: [event('1')] },
      { events: [event('2'), event('1', 's', 'b')] },
      { events: [event('2')] },
    ];
    expect(settle(commands, NONE).outcomes.map(({ status }) => status)).toEqual(['appended', 'reused', 'appended']);
  });

  test('refuses a command of which only some events are there: it came with another command', () => {
    const { outcomes, survivors } = settle([{ events: [event('1')] }, { events: [event('1'), event('2')] }], NONE);
    expect(outcomes[1]).toEqual({ status: 'reused', eventId: '1' });
    expect(survivors).toHaveLength(1);
  });

  test('loses only the command whose stream has moved on', () => {
    const expected = { s: -1 };
    const commands = [1, 2, 3].map((n) => ({ events: [event(String(n))], ...(n < 3 && { expected }) }));
    expect(settle(commands, NONE).outcomes).toEqual([
      { status: 'appended', receipts: [0] },
      { status: 'conflict', stream: 's', actual: 0 },
      { status: 'appended', receipts: [1] },
    ]);
  });

  test('answers a repeated command as a duplicate although its expected version has passed', () => {
    const known: Known<Receipt> = {
      events: new Map([['1', { fingerprint: Buffer.from('a'), receipt: { position: 7 } }]]),
      versions: new Map([['s', 0]]),
    };
    const { outcomes } = settle([{ events: [event('1')], expected: { s: -1 } }], known);
    expect(outcomes).toEqual([{ status: 'duplicate', receipts: [{ position: 7 }] }]);
  });
});

/** What the log holds after a group, with positions as receipts. */
function after(known: Known<Receipt> & { head: number }, group: SettleCommand[]) {
  const { outcomes, survivors, heads } = settle(group, known);
  const receipt = (ref: number | Receipt) => (typeof ref === 'number' ? { position: known.head + 1 + ref } : ref);
  const stored = survivors.map(({ event: { key, fingerprint } }, i) => {
    return [key, { fingerprint, receipt: receipt(i) }] as const;
  });
  return {
    outcomes: outcomes.map((o) => ('receipts' in o ? { ...o, receipts: o.receipts.map(receipt) } : o)),
    known: {
      head: known.head + survivors.length,
      events: new Map([...known.events, ...stored]),
      versions: new Map([...known.versions, ...heads]),
    },
  };
}

describe('any group', () => {
  const events = fc.record({
    id: fc.constantFrom('1', '2', '3', '4', '5', '6'),
    stream: fc.constantFrom('a', 'b', 'c'),
    content: fc.constantFrom('x', 'x', 'x', 'y'),
  });
  const commands = fc.array(
    fc.record({
      events: fc
        .uniqueArray(events, { minLength: 1, maxLength: 3, selector: ({ id }) => id })
        .map((list) => list.map(({ id, stream, content }) => event(id, stream, content))),
      expected: fc.option(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: -1, max: 3 })), {
        nil: undefined,
      }),
    }),
    { maxLength: 12 },
  );

  const empty = { ...NONE, head: -1 };

  test('has the outcomes of its commands appended one after the other', () => {
    fc.assert(
      fc.property(commands, commands, (before, group) => {
        const start = after(empty, before).known;
        let one = { known: start, outcomes: [] as unknown[] };
        for (const command of group) {
          const next = after(one.known, [command]);
          one = { known: next.known, outcomes: [...one.outcomes, ...next.outcomes] };
        }
        const all = after(start, group);
        expect(all.outcomes).toEqual(one.outcomes);
        expect(all.known).toEqual(one.known);
      }),
    );
  });

  test('stores each id once, all or nothing of a command, and gives each stream dense versions', () => {
    fc.assert(
      fc.property(commands, (group) => {
        const { outcomes, survivors } = settle(group, NONE);
        const keys = survivors.map((survivor) => survivor.event.key);
        expect(new Set(keys).size).toBe(keys.length);
        const appended = group.filter((_, i) => outcomes[i]!.status === 'appended').flatMap((c) => c.events);
        expect(survivors.map((survivor) => survivor.event)).toEqual(appended);
        for (const stream of ['a', 'b', 'c']) {
          const versions = survivors.filter((s) => s.event.stream === stream).map(({ version }) => version);
          expect(versions).toEqual(versions.map((_, i) => i));
        }
      }),
    );
  });

  test('sent again has nothing new to store, except what it had refused for a version', () => {
    fc.assert(
      fc.property(commands, (group) => {
        const first = after(empty, group);
        const again = after(first.known, group);
        first.outcomes.forEach((outcome, i) => {
          if (outcome.status !== 'appended') return;
          expect(again.outcomes[i]).toEqual({ ...outcome, status: 'duplicate' });
        });
      }),
    );
  });
});
