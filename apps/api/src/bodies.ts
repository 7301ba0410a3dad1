import {
  DISCLOSED_FIELDS,
  fieldError,
  PERSONAL_DISCLOSURES,
  problemOf,
  timeMs,
  toBeijingTime,
  type Agreement,
  STANDARD_LIMITS,
  type FieldError,
  type MemberKey,
  type MemberLimits,
  type ProblemCode,
  type Subscription,
} from '@liandun/contracts';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { AgreementBody, LimitsBody, MemberKeyBody, SubscriptionBody } from './bodies.dto.js';
import { ProblemError } from './problems.js';

const CODES: Record<string, ProblemCode> = {
  whitelistValidation: 'UNKNOWN_FIELD',
  isDefined: 'MISSING_FIELD',
  isIn: 'INVALID_VALUE',
  isArray: 'WRONG_TYPE',
  isObject: 'WRONG_TYPE',
  isInt: 'WRONG_TYPE',
  isBoolean: 'WRONG_TYPE',
  isNumber: 'WRONG_TYPE',
  nestedValidation: 'WRONG_TYPE',
  unknownValue: 'WRONG_TYPE',
  arrayMaxSize: 'TOO_MANY_ITEMS',
};

/** A field that isn't there, and one that says nothing: null is in no type of a body. */
const CODES_OF_NOTHING = new Map<unknown, ProblemCode>([
  [undefined, 'MISSING_FIELD'],
  [null, 'WRONG_TYPE'],
]);

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

function errorsOf(errors: ValidationError[], parent: string): FieldError[] {
  return errors.flatMap(({ property, value, constraints = {}, children = [] }) => {
    const pointer = `${parent}/${escaped(property ?? '')}`;
    const [constraint] = Object.keys(constraints);
    const nested = errorsOf(children, pointer);
    if (constraint === undefined) return nested;
    const code = CODES_OF_NOTHING.get(value) ?? CODES[constraint] ?? 'INVALID_FORMAT';
    return [fieldError(pointer, code), ...nested];
  });
}

const unknownFields = (raw: object): FieldError[] =>
  Object.keys(raw).map((name) => fieldError(`/${escaped(name)}`, 'UNKNOWN_FIELD'));

/** For changes that say everything by their address: no body, or `{}`. Throws ProblemError. */
export function parseEmpty(raw: unknown): void {
  if (raw === undefined) return;
  const isObject = typeof raw === 'object' && raw !== null && !Array.isArray(raw);
  const [first, ...rest] = isObject ? unknownFields(raw) : [fieldError('', 'WRONG_TYPE')];
  if (first) throw new ProblemError(problemOf([first, ...rest]));
}

/** A body as an instance of its class. Throws ProblemError with a JSON Pointer for each thing that is wrong. */
export function parseBody<T extends object>(type: new () => T, raw: unknown): T {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new ProblemError(problemOf([fieldError('', 'WRONG_TYPE')]));
  const body = plainToInstance(type, raw);
  const found = validateSync(body, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  const [first, ...rest] = errorsOf(found, '');
  if (first) throw new ProblemError(problemOf([first, ...rest]));
  return body;
}

/** The key as the log keeps it. Throws ProblemError where type and curve don't go together. */
export function keyOf({ kid, kty, crv, x, y }: MemberKeyBody, pointer: string): MemberKey {
  if ((kty === 'OKP') !== (crv === 'Ed25519'))
    throw new ProblemError(problemOf([fieldError(`${pointer}/crv`, 'INVALID_VALUE')]));
  if (kty === 'OKP' && y !== undefined)
    throw new ProblemError(problemOf([fieldError(`${pointer}/y`, 'FIELD_NOT_APPLICABLE')]));
  return { kid, kty, crv, x, ...(y === undefined ? {} : { y }) };
}

/** The subscription as the log keeps it. */
export const subscriptionOf = ({ tiers, codes, kinds, riskEntities }: SubscriptionBody): Subscription => ({
  ...(tiers && { tiers }),
  ...(codes && { codes }),
  ...(kinds && { kinds }),
  ...(riskEntities !== undefined && { riskEntities }),
});

/**
 * The agreement as the log keeps it. Throws ProblemError where the assessment's end is no time, or where a contract is given as
 * the basis of personal data: the person is no party to it (个人信息保护法 第13条).
 */
export function agreementOf(
  { contractId, assessmentId, assessedUntil, bases }: AgreementBody,
  pointer: string,
): Agreement {
  const untilMs = typeof assessedUntil === 'string' ? timeMs(assessedUntil) : undefined;
  const errors = PERSONAL_DISCLOSURES.filter((field) => bases[field]?.kind === 'contract').map((field) =>
    fieldError(`${pointer}/bases/${field}/kind`, 'INVALID_VALUE'),
  );
  if (untilMs === undefined) errors.unshift(fieldError(`${pointer}/assessedUntil`, 'INVALID_FORMAT'));
  const [first, ...rest] = errors;
  if (first || untilMs === undefined) throw new ProblemError(problemOf([first as FieldError, ...rest]));
  return {
    contractId,
    assessmentId,
    assessedUntil: toBeijingTime(new Date(untilMs)),
    bases: Object.fromEntries(
      DISCLOSED_FIELDS.flatMap((field) => {
        const basis = bases[field];
        return basis === undefined ? [] : [[field, { kind: basis.kind, ref: basis.ref }]];
      }),
    ),
  };
}
/** A member's limits as the log keeps them; the standard ones where nothing is stated (rule P21). */
export const limitsOf = ({ timesMean, subjectsPerHour }: LimitsBody = STANDARD_LIMITS): MemberLimits => ({
  ...(timesMean !== undefined && { timesMean }),
  ...(subjectsPerHour !== undefined && { subjectsPerHour }),
});
