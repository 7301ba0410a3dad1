// The vocabulary that payload classes are declared with: class-validator decorators, each with the code of the problem
// that it reports (class-validator's `context`), and the words for the generated documents.
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  Matches,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationOptions,
} from 'class-validator';
import type { ProblemCode } from './errors.js';
import { isMaskedResidentId, isRegistrationNumber, isResidentId, isUscc } from './identifiers.js';
import { timeMs, timeOrDateMs } from './time.js';

export type JsonSchema = Record<string, unknown>;
export type Class<T extends object = object> = abstract new (...args: never[]) => T;

interface Words {
  en: string;
  zh: string;
}

const nested = new Map<object, Map<string, () => Class>>();
const words = new Map<object, Map<string, Words>>();

function own<V>(table: Map<object, Map<string, V>>, prototype: object): Map<string, V> {
  let entries = table.get(prototype);
  if (!entries) table.set(prototype, (entries = new Map<string, V>()));
  return entries;
}

function find<V>(table: Map<object, Map<string, V>>, target: Class, name: string): V | undefined {
  for (let at: object | null = target.prototype as object; at; at = Object.getPrototypeOf(at) as object | null) {
    const value = table.get(at)?.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The class of a nested field, declared here or by an ancestor. */
export const nestedClass = (target: Class, name: string): Class | undefined => find(nested, target, name)?.();

/** What a field means, in both languages. */
export const wordsOf = (target: Class, name: string): Words | undefined => find(words, target, name);

/** The meaning of a field for OpenAPI and AsyncAPI. */
export const Doc =
  (en: string, zh: string): PropertyDecorator =>
  (prototype, name) =>
    void own(words, prototype).set(String(name), { en, zh });

const all =
  (...decorators: PropertyDecorator[]): PropertyDecorator =>
  (prototype, name) =>
    decorators.forEach((decorator) => decorator(prototype, name));

const reporting = (code: ProblemCode, each = false): ValidationOptions => ({ context: { code }, each });

/** A check of ours. `schema` is what JSON Schema can say of it; see CHECKS_WITH_SCHEMA. */
function check(
  name: string,
  test: (text: string) => boolean,
  schema: JsonSchema,
  code: ProblemCode,
  each: boolean,
): PropertyDecorator {
  CHECKS_WITH_SCHEMA.add(name);
  return ValidateBy(
    { name, constraints: [schema], validator: { validate: (value) => typeof value === 'string' && test(value) } },
    reporting(code, each),
  );
}

/** Names of the checks whose JSON Schema is their first constraint. */
export const CHECKS_WITH_SCHEMA = new Set<string>();

/** May be left out; `null` is not left out. */
export const Optional = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

/** One of a closed list of strings or numbers. */
export const OneOf = (values: readonly (string | number)[], each = false): PropertyDecorator =>
  IsIn(values, reporting('INVALID_VALUE', each));

export const Flag = (): PropertyDecorator => IsBoolean(reporting('WRONG_TYPE'));

export const Count = (): PropertyDecorator => all(IsInt(reporting('WRONG_TYPE')), Min(0, reporting('INVALID_VALUE')));

export const Pattern = (pattern: RegExp, code: ProblemCode = 'INVALID_FORMAT', each = false): PropertyDecorator =>
  Matches(pattern, reporting(code, each));

/** A list of at most `max` values; the decorators of its items need `each`. With `ifEmpty` it needs one at least. */
export const List = (max: number, ifEmpty?: ProblemCode): PropertyDecorator =>
  all(
    IsArray(reporting('WRONG_TYPE')),
    ArrayMaxSize(max, reporting('TOO_MANY_ITEMS')),
    ...(ifEmpty ? [ArrayMinSize(1, reporting(ifEmpty))] : []),
  );

// ValidateNested alone lets a missing value and a list through, hence IsObject.
export const Nested = (type: () => Class): PropertyDecorator =>
  all(
    IsObject(reporting('WRONG_TYPE')),
    ValidateNested(reporting('WRONG_TYPE')),
    (prototype, name) => void own(nested, prototype).set(String(name), type),
  );

export const NestedList = (type: () => Class, max: number, ifEmpty?: ProblemCode): PropertyDecorator =>
  all(
    List(max, ifEmpty),
    IsObject(reporting('WRONG_TYPE', true)),
    ValidateNested(reporting('WRONG_TYPE', true)),
    (prototype, name) => {
      own(nested, prototype).set(String(name), type);
    },
  );

/**
 * Whether an id carries a number that belongs to a person: a resident number, or a mainland mobile number, alone, behind
 * up to three letters, or between separators. (A run inside a hexadecimal group doesn't count: UUIDs hold such.)
 */
export function carriesPersonalNumber(id: string): boolean {
  if (!/\d{11}/.test(id)) return false;
  const bare = id.replace(/^[A-Za-z]{1,3}(?=\d)/, '');
  return [bare, ...id.split(/[^0-9A-Za-z]+/)].some(
    (token) => /^(?:86)?1[3-9]\d{9}$/.test(token) || isResidentId(token.toUpperCase()),
  );
}

// What the usual generators write (UUID, ULID, nanoid, base64, paths), and no white space.
export const ID_PATTERN = /^[A-Za-z0-9._~:@/+=#$!*,()-]{1,128}$/;

/** An id that a member chose: 1 to 128 ASCII characters that tell a stranger nothing. */
export const OpaqueId = (): PropertyDecorator =>
  all(
    Pattern(ID_PATTERN),
    check('isOpaque', (text) => !carriesPersonalNumber(text), { type: 'string' }, 'NOT_OPAQUE', false),
  );

// No control characters, line or paragraph breaks, direction overrides or lone surrogates; not blank.
const LINE = String.raw`(?=.*\S)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]`;

/** A name or title of one line: what the law or a register calls something, no text to readers. */
export const Line = (max: number): PropertyDecorator => Pattern(new RegExp(`^${LINE}{1,${max}}$`, 'u'));

/** A line that goes into the log in the clear, so it must not carry a person's number. */
export const PublicLine = (max: number): PropertyDecorator =>
  all(
    Line(max),
    check('isOpaque', (text) => !carriesPersonalNumber(text), { type: 'string' }, 'NOT_OPAQUE', false),
  );

/** The number of an official decision or judgment, such as 京市监处罚〔2020〕12号: no sentence fits. */
export const DecisionNo = (): PropertyDecorator =>
  all(
    Pattern(/^[\p{L}\p{N}〔［[(（【][\p{L}\p{N}〔〕［］[\]()（）【】.·_/—－-]{0,63}$/u),
    check('isOpaque', (text) => !carriesPersonalNumber(text), { type: 'string' }, 'NOT_OPAQUE', false),
  );

export const Time = (): PropertyDecorator =>
  check(
    'isRfc3339',
    (text) => timeMs(text) !== undefined,
    { type: 'string', format: 'date-time' },
    'INVALID_TIME',
    false,
  );

export const TimeOrDate = (): PropertyDecorator =>
  check(
    'isRfc3339OrDate',
    (text) => timeOrDateMs(text) !== undefined,
    {
      anyOf: [
        { type: 'string', format: 'date-time' },
        { type: 'string', format: 'date' },
      ],
    },
    'INVALID_TIME',
    false,
  );

const HTTP_URL = /^(?=.{1,2048}$)https?:\/\/(?:\[[\da-f:.]+\]|[^\s/?#@:\\[\]]+)(?::\d{1,5})?(?:[/?#]\S*)?$/i;

export const HttpUrl = (): PropertyDecorator =>
  check(
    'isHttpUrl',
    (text) => HTTP_URL.test(text) && text.isWellFormed() && !text.includes('\0'),
    { type: 'string', format: 'uri', pattern: '^https?://', maxLength: 2048 },
    'INVALID_URL',
    false,
  );

export const Uscc = (): PropertyDecorator =>
  check(
    'isUscc',
    isUscc,
    { type: 'string', pattern: '^[1-9ANY][0-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$' },
    'BAD_USCC',
    false,
  );

export const RegistrationNumber = (): PropertyDecorator =>
  check(
    'isRegistrationNumber',
    isRegistrationNumber,
    { type: 'string', pattern: '^[0-9]{15}$' },
    'BAD_REGISTRATION_NUMBER',
    false,
  );

/** A whole resident number with its check character, or one that its holder masked. */
export const ResidentId = (): PropertyDecorator =>
  check(
    'isResidentId',
    (text) => isResidentId(text) || isMaskedResidentId(text),
    { type: 'string', pattern: String.raw`^[0-9]{1,14}[0-9*]*[0-9X*]$`, minLength: 8, maxLength: 18 },
    'BAD_RESIDENT_ID',
    false,
  );

/** A person's own words: several lines, no control characters, no direction overrides. They are sealed, never shared (rule P03). */
export const STATEMENT =
  // oxlint-disable-next-line no-control-regex -- of the control characters only the line break is allowed
  /^(?=\s*\S)[^\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069\uD800-\uDFFF]{1,2000}$/u;
