import { expect, test } from '@jest/globals';
import { fieldError, LedgerError, problem, problemOf, PROBLEMS } from './errors.js';

test('every problem speaks both languages in whole sentences', () => {
  for (const [en, zh] of Object.values(PROBLEMS)) {
    expect(en).toMatch(/^[A-Z].*\.$/);
    expect(zh).toMatch(/\p{Script=Han}.*。$/u);
  }
});

test('a problem has a stable code, a type of its own and no status', () => {
  expect(problem('BAD_USCC')).toEqual({
    type: 'urn:liandun:problem:bad-uscc',
    title: expect.stringMatching(/^The unified social credit code fails GB 32100-2015/),
    code: 'BAD_USCC',
    detail: PROBLEMS.BAD_USCC[0],
    detailZh: PROBLEMS.BAD_USCC[1],
  });
});

test('several errors make one problem under the code of the first', () => {
  const errors = [fieldError('/a', 'MISSING_FIELD'), fieldError('/b', 'BAD_USCC')] as const;
  expect(problemOf([...errors])).toMatchObject({
    code: 'MISSING_FIELD',
    detail: expect.stringContaining('(1 more in errors)'),
    errors,
  });
});

test('a LedgerError keeps its code', () => {
  expect(new LedgerError('NOTICE_NOT_FOUND').toProblem()).toMatchObject({ code: 'NOTICE_NOT_FOUND' });
});
