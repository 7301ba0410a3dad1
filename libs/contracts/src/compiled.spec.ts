import { describe, expect, test } from '@jest/globals';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { checkObject, ErrorList, leafPaths, planOf } from './compiled.js';
import { nestedClass, type Class } from './fields.js';
import { isSubmittedType, SUBMISSIONS } from './submissions.js';
import { brokenSubmissions } from './testing/broken-submissions.js';
import { examples } from './testing/examples.js';

const now = new Date('2026-02-03T01:30:00Z');
type Data = Record<string, unknown>;

/** What class-validator's own executor needs: instances all the way down. */
function instanceOf(target: Class, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => instanceOf(target, item));
  if (typeof value !== 'object' || value === null) return value;
  const instance = Object.create(target.prototype as object) as Data;
  for (const [key, child] of Object.entries(value)) {
    const below = nestedClass(target, key);
    Object.defineProperty(instance, key, {
      value: below ? instanceOf(below, child) : child,
      enumerable: true,
    });
  }
  return instance;
}

const validByClassValidator = (target: Class, data: unknown): boolean =>
  validateSync(instanceOf(target, data) as object, { whitelist: true, forbidNonWhitelisted: true }).length === 0;

function validByUs(target: Class, data: unknown): boolean {
  const list = new ErrorList();
  checkObject(planOf(target), data, '', list);
  return list.errors.length === 0;
}

const payloadOf = (type: string): Class => {
  if (!isSubmittedType(type)) throw new Error(type);
  return SUBMISSIONS[type].payload;
};

describe("the compiled checks say valid exactly where class-validator's own executor does", () => {
  // But for names of Object.prototype, which its executor takes for declared fields; we refuse them.
  const inherited =
    /"(constructor|toString|valueOf|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|__\w+__)":/;
  const broken = brokenSubmissions(now).filter(
    ({ event }) =>
      isSubmittedType(String(event.type)) &&
      typeof event.data === 'object' &&
      !Array.isArray(event.data) &&
      !inherited.test(JSON.stringify(event)),
  );
  test.each(broken.map((row) => [row.name, row.event] as const))('%s', (_name, { type, data }) => {
    const target = payloadOf(String(type));
    expect(validByUs(target, data)).toBe(validByClassValidator(target, data));
  });

  test('an unknown field named like a method of Object is refused', () => {
    const { data } = examples(now)['liandun.case.heard.v1'].event;
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      expect(
        validByUs(payloadOf('liandun.case.heard.v1'), JSON.parse(`{"${name}":1,${JSON.stringify(data).slice(1)}`)),
      ).toBe(false);
  });

  test('any value in any place of any payload', () => {
    const valid = Object.values(examples(now)).map(({ event }) => event);
    const places = valid.flatMap(({ type, data }) => leavesOf(data).map((path) => ({ type, data, path })));
    const junk = fc.oneof(
      fc.constantFrom(undefined, null, true, 0, '', ' ', [], {}, [[]], [null], 'x'.repeat(600)),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), junk, ({ type, data, path }, value) => {
        fc.pre(!inherited.test(JSON.stringify({ value })));
        const copy = structuredClone(data) as unknown as Data;
        const parent = path.slice(0, -1).reduce<Data>((at, key) => at[key] as Data, copy);
        parent[path.at(-1) as string] = value;
        expect(validByUs(payloadOf(type), copy)).toBe(validByClassValidator(payloadOf(type), copy));
      }),
      { numRuns: 500 },
    );
  });
});

/** Paths of everything in a value, objects and lists included. */
function leavesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key])),
  ];
}

test('paths go down to the leaves and leave out indexes', () => {
  expect(leafPaths(SUBMISSIONS['liandun.case.heard.v1'].payload).toSorted()).toEqual([
    'caseId',
    'cause',
    'hearing.answer',
    'hearing.endedAt',
    'hearing.notifiedAt',
  ]);
});
