// Runs the class-validator checks of a class over plain JSON. class-validator's own executor collects and groups the
// metadata anew for every object, wants class instances, reports a list's items under one name, and lets unknown fields
// through that are called like a method of Object (`constructor`, `__proto__`); this one reads the
// same metadata once per class, then calls the same constraints, and knows the JSON Pointer of every value. That both
// agree on what is valid is a test (compiled.spec.ts).
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import { fieldError, type ProblemCode } from './errors.js';
import type { FieldError } from './envelope.js';
import { nestedClass, type Class } from './fields.js';

/** More errors than this in one submission are counted as one TOO_MANY_ERRORS. */
const ERRORS_MAX = 50;
const KEY_SHOWN_MAX = 128;

interface Check {
  passes: (value: unknown) => boolean;
  code: ProblemCode;
}

interface Property {
  name: string;
  /** `/name`, escaped. */
  step: string;
  optional: boolean;
  list: boolean;
  /** On the value itself; of a list, on the list. */
  checks: Check[];
  /** On every item of a list. */
  itemChecks: Check[];
  plan?: Plan;
}

export interface Plan {
  properties: Property[];
  names: Set<string>;
}

const plans = new Map<Class, Plan>();

/** The checks of a class, compiled once. */
export function planOf(target: Class): Plan {
  let plan = plans.get(target);
  if (!plan) plans.set(target, (plan = compile(target)));
  return plan;
}

const LIST_CHECKS = new Set(['isArray', 'arrayMaxSize', 'arrayMinSize']);

function compile(target: Class): Plan {
  const storage = getMetadataStorage();
  const metadatas = storage.getTargetValidationMetadatas(target, target.name, true, false);
  const properties = Object.entries(storage.groupByPropertyName(metadatas)).map(([name, group]) => {
    const property: Property = { name, step: step(name), optional: false, list: false, checks: [], itemChecks: [] };
    for (const metadata of group) {
      if (metadata.type === ValidationTypes.CONDITIONAL_VALIDATION) {
        property.optional = true;
      } else if (metadata.type === ValidationTypes.NESTED_VALIDATION) {
        const type = nestedClass(target, name);
        if (!type) throw new Error(`${target.name}.${name} names no nested class`);
        property.plan = planOf(type);
      } else if (metadata.type !== ValidationTypes.WHITELIST) {
        const [constraint] = storage.getTargetValidatorConstraints(metadata.constraintCls);
        if (!constraint) throw new Error(`${target.name}.${name} has an unknown check`);
        const instance = constraint.instance;
        // None of the checks used here looks at the object or at `args.value`, so one set of arguments serves all calls.
        const constraints = (metadata.constraints ?? []) as unknown[];
        const args = { constraints, property: name, targetName: target.name, object: {}, value: undefined };
        const code = (metadata.context as { code?: ProblemCode } | undefined)?.code;
        if (!code) throw new Error(`${target.name}.${name} has a check without a problem code`);
        const passes = (value: unknown): boolean => instance.validate(value, args) === true;
        property.list ||= LIST_CHECKS.has(constraint.name);
        (metadata.each ? property.itemChecks : property.checks).push({ passes, code });
      }
    }
    return property;
  });
  return { properties, names: new Set(properties.map(({ name }) => name)) };
}

const step = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The errors of one submission, in the order in which they are found, at most ERRORS_MAX. */
export class ErrorList {
  readonly errors: FieldError[] = [];

  add(pointer: string, code: ProblemCode): void {
    const { errors } = this;
    if (errors.length < ERRORS_MAX) errors.push(fieldError(pointer, code));
    else if (errors.length === ERRORS_MAX) errors.push(fieldError('', 'TOO_MANY_ERRORS'));
  }

  /** Whether something is wrong at `pointer` or below. */
  touches(pointer: string): boolean {
    return this.errors.some((error) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`));
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Checks a JSON value against a class: unknown fields, missing fields, types, and every declared check. Goes no deeper
 * than the classes do and stops inside a list that is too long, so the work is bounded by the declaration.
 */
export function checkObject(plan: Plan, value: unknown, pointer: string, list: ErrorList): void {
  if (!isObject(value)) return list.add(pointer, 'WRONG_TYPE');
  for (const key of Object.keys(value)) {
    if (!plan.names.has(key)) list.add(pointer + step(key.slice(0, KEY_SHOWN_MAX)), 'UNKNOWN_FIELD');
  }
  for (const property of plan.properties) {
    const field = value[property.name];
    if (field === undefined) {
      if (!property.optional) list.add(pointer + property.step, 'MISSING_FIELD');
    } else if (property.list) {
      checkList(property, field, pointer + property.step, list);
    } else {
      checkValue(property.checks, property.plan, field, pointer, property.step, list);
    }
  }
}

function checkList(property: Property, value: unknown, pointer: string, list: ErrorList): void {
  if (!Array.isArray(value)) return list.add(pointer, 'WRONG_TYPE');
  for (const { passes, code } of property.checks) {
    if (!passes(value)) return list.add(pointer, code);
  }
  for (let i = 0; i < value.length; i++) {
    checkValue(property.itemChecks, property.plan, value[i], pointer, `/${i}`, list);
  }
}

function checkValue(
  checks: Check[],
  plan: Plan | undefined,
  value: unknown,
  parent: string,
  last: string,
  list: ErrorList,
): void {
  if (plan) return checkObject(plan, value, parent + last, list);
  for (const { passes, code } of checks) {
    if (passes(value)) continue;
    // Every leaf but flags and counts is a string, and those report WRONG_TYPE themselves.
    return list.add(parent + last, typeof value === 'string' || typeof value === 'number' ? code : 'WRONG_TYPE');
  }
}

/** Every leaf of a class as dotted paths without array indexes, for tables that must cover all fields. */
export function leafPaths(target: Class, prefix = ''): string[] {
  return planOf(target).properties.flatMap(({ name, plan }) => {
    const path = prefix + name;
    return plan ? nestedLeaves(plan, path) : [path];
  });
}

const nestedLeaves = (plan: Plan, path: string): string[] =>
  plan.properties.flatMap(({ name, plan: child }) =>
    child ? nestedLeaves(child, `${path}.${name}`) : [`${path}.${name}`],
  );
