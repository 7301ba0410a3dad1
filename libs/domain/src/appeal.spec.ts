import { APPEAL_DECISIONS, APPEAL_GROUNDS, loadWorkingDays, type AppealGround } from '@liandun/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  appealDeadline,
  appealDecisionRefusal,
  appealRefusal,
  appealStayRefusal,
  changeDeadline,
  type DeadlineState,
} from './appeal.js';
import { caseRefusal, foldCases, type CaseEvent, type CaseState } from './cases.js';
import { isOver, stands } from './life.js';

const CASE = 'case-1';
const PUBLISHER = 'platform-a';
const DECIDER = 'person-0';
const FILED: CaseEvent = {
  id: CASE,
  type: 'liandun.merchant.delisted.v1',
  data: { reason: { code: 'A01' }, decidedBy: DECIDER },
  listingId: 'L1',
  position: 1,
};

const late = (type: string, data: object = {}): CaseEvent => ({
  id: `late-${type}`,
  type,
  data: { caseId: CASE, listingId: 'L1', appealId: 'A-late', ...data },
});
const ENDED = late('liandun.listing.ended.v1', { cause: 'annulled' });
const LATE = [
  late('liandun.appeal.filed.v1', { grounds: 'notMe' }),
  late('liandun.listing.stayed.v1'),
  late('liandun.appeal.decided.v1', { decision: 'upheld', by: 'regulator', decidedBy: 'person-1' }),
];

const command = fc.oneof(
  fc.record({
    type: fc.constant('appeal' as const),
    grounds: fc.constantFrom(...(Object.keys(APPEAL_GROUNDS) as AppealGround[])),
  }),
  fc.record({ type: fc.constant('stay' as const), of: fc.nat(3) }),
  fc.record({
    type: fc.constant('decide' as const),
    of: fc.nat(3),
    decision: fc.constantFrom(...APPEAL_DECISIONS),
    member: fc.constantFrom(PUBLISHER, 'regulator'),
    person: fc.constantFrom(DECIDER, 'person-1'),
  }),
  fc.record({ type: fc.constantFrom('withdraw' as const, 'expire' as const, 'endOfficially' as const) }),
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

/** What the command appends to the case in this state, as the door and the clock decide it; undefined where it is refused. */
function eventOf(said: Command, state: CaseState, cases: Map<string, CaseState>, n: number): CaseEvent | undefined {
  const about = { caseId: CASE, listingId: 'L1' };
  const event = (type: string, data: object): CaseEvent => ({ id: `e-${n}`, type, data: { ...about, ...data } });
  switch (said.type) {
    case 'appeal':
      if (appealRefusal(state, said.grounds)) return undefined;
      return event('liandun.appeal.filed.v1', { appealId: `A${n}`, grounds: said.grounds });
    case 'stay': {
      const appealId = appealOf(state, said.of);
      return appealStayRefusal(state, appealId) ? undefined : event('liandun.listing.stayed.v1', { appealId });
    }
    case 'decide': {
      const { decision, member, person: decidedBy } = said;
      const appealId = appealOf(state, said.of);
      const decider = { member: PUBLISHER, decidedBy: state.decidedBy };
      const refusal = appealDecisionRefusal({ ...state, decider }, appealId, { decision }, { member, decidedBy });
      return refusal ? undefined : event('liandun.appeal.decided.v1', { appealId, decision, by: member, decidedBy });
    }
    case 'withdraw': {
      const data = { merchantId: 'm', delistingId: CASE, cause: 'wrongFinding' as const };
      const type = 'liandun.merchant.reinstated.v1';
      return caseRefusal({ type, data } as never, cases) ? undefined : event(type, data);
    }
    // Two sides may end it before either hears of the other: the log takes both.
    case 'expire':
      return event('liandun.listing.expired.v1', {});
    case 'endOfficially':
      return event('liandun.listing.ended.v1', { cause: 'annulled' });
  }
}

/** The appeal that is named: mostly the last one. */
const appealOf = ({ appeal }: CaseState, of: number): string => (of === 0 ? 'A-none' : (appeal?.appealId ?? 'A-none'));

test('P08: no sequence of commands reaches a decision by who decided on the listing', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
      for (const { type, data } of played(commands)) {
        const { by, decidedBy } = data as { by?: string; decidedBy?: string };
        if (type === 'liandun.appeal.decided.v1') expect([by, decidedBy]).not.toEqual([PUBLISHER, DECIDER]);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('P07: whatever follows, an ended listing never stands again, and each appeal is decided once', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
      const taken = played(commands);
      // What was decided on an ending that stands in another stream comes late: it makes nothing stand either.
      const events = [...taken, ENDED, ...LATE];
      let over = false;
      for (let n = 1; n <= events.length; n += 1) {
        const { life } = foldCases(events.slice(0, n), () => 1).get(CASE)!;
        if (over) expect([isOver(life), stands(life)]).toEqual([true, false]);
        over = isOver(life);
      }
      const decided = taken
        .filter(({ type }) => type === 'liandun.appeal.decided.v1')
        .map(({ data }) => (data as { appealId: string }).appealId);
      expect(new Set(decided).size).toBe(decided.length);
    }),
    { numRuns: 1_000 },
  );
});

/** The case with everything that was taken of these commands. */
function played(commands: readonly Command[]): CaseEvent[] {
  const events = [FILED];
  commands.forEach((said, n) => {
    const cases = foldCases(events, () => 1) as Map<string, CaseState>;
    const event = eventOf(said, cases.get(CASE)!, cases, n);
    if (event) events.push(event);
  });
  return events;
}

const WHEN = { min: new Date('2026-01-01T00:00:00Z'), max: new Date('2026-10-01T00:00:00Z'), noInvalidDate: true };
const change = fc.record({
  action: fc.constantFrom('pause' as const, 'resume' as const, 'extend' as const),
  days: fc.integer({ min: -1, max: 31 }),
  afterHours: fc.nat(24 * 9),
});

test('P07: no pause, resumption or extension makes an appeal due sooner, and all extensions come to 30 days at most', () => {
  const table = loadWorkingDays();
  fc.assert(
    fc.property(fc.date(WHEN), fc.array(change, { maxLength: 8 }), (filed, changes) => {
      const from = filed.toISOString();
      let state: DeadlineState = { pauses: [], extensions: [] };
      let due = Date.parse(appealDeadline(table, from).due!);
      let now = filed.getTime();
      for (const { action, days, afterHours } of changes) {
        now += afterHours * 3_600_000;
        // Over is over: the clock has stayed it.
        if (!state.pauses.some(({ until }) => until === undefined) && now >= due) break;
        const asked = { action, days, reason: 'examination' };
        const changed = changeDeadline(state, asked, new Date(now).toISOString());
        if ('refusal' in changed) continue;
        state = changed;
        const next = appealDeadline(table, from, changed).due;
        // Paused it isn't due at all.
        expect(next === undefined).toBe(changed.pauses.some(({ until }) => until === undefined));
        if (next === undefined) continue;
        expect(Date.parse(next)).toBeGreaterThanOrEqual(due);
        due = Date.parse(next);
      }
      expect(state.extensions.reduce((sum, { days }) => sum + days, 0)).toBeLessThanOrEqual(30);
    }),
    { numRuns: 500 },
  );
});
