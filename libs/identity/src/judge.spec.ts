import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judge, POSSIBLE_MAX } from './judge.js';
import type { Candidate, Observation } from './judge.js';

const organization: Observation = { kind: 'organization', uscc: 'U1' };
const proprietor: Observation = { kind: 'soleProprietor', uscc: 'U1', residentId: 'R1' };
const exact = (field: 'uscc' | 'residentId') => ({ field, grade: 'exact' });
const possibly = (field: 'uscc' | 'residentId' | 'registrationNumber' | 'bankAccount') => ({
  field,
  grade: 'possible',
});
const entity = (entityId: string, rest: Partial<Candidate>): Candidate => ({
  entityId,
  kind: 'soleProprietor',
  agrees: [],
  ...rest,
});

describe('joining', () => {
  test('nothing known: it founds an entity', () =>
    expect(judge(organization, [])).toEqual({ because: [], possible: [] }));

  test('an equal USCC joins', () =>
    expect(judge(organization, [entity('E1', { kind: 'organization', uscc: 'U1' })])).toEqual({
      entityId: 'E1',
      because: [exact('uscc')],
      possible: [],
    }));

  test('an equal resident id joins where only one side has a USCC', () => {
    const bare: Observation = { kind: 'soleProprietor', residentId: 'R1' };
    expect(judge(bare, [entity('E1', { uscc: 'U2', residentId: 'R1' })]).entityId).toBe('E1');
    expect(judge(proprietor, [entity('E1', { residentId: 'R1' })]).entityId).toBe('E1');
  });

  test('two sole proprietorships of one operator stay apart', () =>
    expect(judge(proprietor, [entity('E1', { uscc: 'U2', residentId: 'R1' })])).toEqual({
      because: [],
      possible: [{ entityId: 'E1', because: [possibly('residentId')] }],
    }));

  test('an equal USCC does not join across two resident ids', () =>
    expect(judge(proprietor, [entity('E1', { uscc: 'U1', residentId: 'R2' })])).toEqual({
      because: [],
      possible: [{ entityId: 'E1', because: [possibly('uscc')] }],
    }));

  test("where USCC and resident id point to different entities, it joins the USCC's and names the other", () =>
    expect(judge(proprietor, [entity('E1', { residentId: 'R1' }), entity('E2', { uscc: 'U1' })])).toEqual({
      entityId: 'E2',
      because: [exact('uscc')],
      possible: [{ entityId: 'E1', because: [possibly('residentId')] }],
    }));

  test('an operator without a USCC, of several proprietorships: no telling which', () => {
    const judgement = judge({ kind: 'soleProprietor', residentId: 'R1' }, [
      entity('E1', { uscc: 'U1', residentId: 'R1' }),
      entity('E2', { uscc: 'U2', residentId: 'R1' }),
    ]);
    expect(judgement.entityId).toBeUndefined();
    expect(judgement.possible.map(({ entityId }) => entityId)).toEqual(['E1', 'E2']);
  });

  test('kinds are never mixed: a company called a sole proprietor is possible, a person is not even that', () => {
    expect(judge(organization, [entity('E1', { uscc: 'U1' })])).toEqual({
      because: [],
      possible: [{ entityId: 'E1', because: [possibly('uscc')] }],
    });
    expect(judge({ kind: 'person', residentId: 'R1' }, [entity('E1', { residentId: 'R1' })])).toEqual({
      because: [],
      possible: [],
    });
  });

  test("a resident id on an organization is its representative's: it neither joins nor keeps apart", () => {
    const held = entity('E1', { kind: 'organization', uscc: 'U1', residentId: 'R1' });
    expect(judge({ kind: 'organization', residentId: 'R1' }, [held])).toEqual({ because: [], possible: [] });
    expect(judge({ ...organization, residentId: 'R2' }, [held]).entityId).toBe('E1');
  });

  test.each(['registrationNumber', 'bankAccount'] as const)('an equal %s alone is possible, never more', (field) =>
    expect(judge(organization, [entity('E1', { kind: 'organization', agrees: [{ field }] })])).toEqual({
      because: [],
      possible: [{ entityId: 'E1', because: [possibly(field)] }],
    }),
  );

  test('weak agreement is told beside the strong, at its own grade', () =>
    expect(
      judge(organization, [entity('E1', { kind: 'organization', uscc: 'U1', agrees: [{ field: 'bankAccount' }] })])
        .because,
    ).toEqual([exact('uscc'), possibly('bankAccount')]));

  test('rows of a database may hold null where nothing is known', () =>
    expect(judge(proprietor, [entity('E1', { uscc: null, residentId: 'R1' })]).entityId).toBe('E1'));
});

const keys = (name: string) => fc.option(fc.constantFrom(`${name}1`, `${name}2`), { nil: undefined });
const kinds = fc.constantFrom('organization', 'soleProprietor', 'person');
const observations = fc.record({ kind: kinds, uscc: keys('U'), residentId: keys('R') });
const fields = fc.constantFrom('uscc', 'residentId', 'registrationNumber', 'bankAccount');
const candidates = fc.uniqueArray(
  fc.record({
    entityId: fc.nat(99).map((n) => `E${n}-ab`),
    kind: kinds,
    uscc: keys('U'),
    residentId: keys('R'),
    agrees: fc.uniqueArray(fields).map((names) => names.map((field) => ({ field }))),
  }),
  { selector: ({ entityId }) => entityId, maxLength: 60 },
);

describe('laws', () => {
  test('what is joined is of the same kind, agrees on an identifier and contradicts in none', () =>
    fc.assert(
      fc.property(observations, candidates, (observation, list) => {
        const joined = list.find(({ entityId }) => entityId === judge(observation, list).entityId);
        if (!joined) return;
        expect(joined.kind).toBe(observation.kind);
        const official = (['uscc', 'residentId'] as const).filter(
          (field) => observation.kind !== (field === 'uscc' ? 'person' : 'organization'),
        );
        const both = official.filter((field) => observation[field] && joined[field]);
        expect(both).not.toEqual([]);
        for (const field of both) expect(joined[field]).toBe(observation[field]);
      }),
    ));

  test('the order of the candidates does not matter', () =>
    fc.assert(
      fc.property(
        observations,
        candidates.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
        ),
        (observation, [list, shuffled]) => expect(judge(observation, shuffled)).toEqual(judge(observation, list)),
      ),
    ));

  test('what is possible is bounded, never the joined one, and never graded above possible', () =>
    fc.assert(
      fc.property(observations, candidates, (observation, list) => {
        const { entityId, possible } = judge(observation, list);
        expect(possible.length).toBeLessThanOrEqual(POSSIBLE_MAX);
        expect(possible.map((other) => other.entityId)).not.toContain(entityId);
        expect(possible.flatMap(({ because }) => because).every(({ grade }) => grade === 'possible')).toBe(true);
      }),
    ));
});
