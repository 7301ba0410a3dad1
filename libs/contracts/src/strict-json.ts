// JSON that has one meaning only (RFC 8259; I-JSON, RFC 7493, section 2), within limits, as every door of the ledger reads
// it. JSON.parse does the parsing; what it lets pass is found by counting: a document has duplicate names exactly where its
// text has more of them than the value that JSON.parse made of it.
import type { FieldError } from './envelope.js';
import { fieldError } from './errors.js';
import { LIMITS } from './limits.js';

/** A value, or why there is none and where; `id` is what a refused object calls itself, if that much can be read. */
export type ParsedJson = { value: unknown } | { refused: FieldError; id?: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const NAME_SHOWN_MAX = 128;
const ID_SHOWN_MAX = 128;
const UNREAD = new Set<string>(['MALFORMED_JSON', 'NESTED_TOO_DEEP']);

type Refused = Extract<ParsedJson, { refused: FieldError }>;

const refuse = (code: Parameters<typeof fieldError>[1], pointer = ''): Refused => ({
  refused: fieldError(pointer, code),
});

/** The refusal of a text that could be read. */
function refuseValue(value: unknown, text: string): ParsedJson {
  const refused = refusalIn(value, '') ?? refuse('DUPLICATE_NAME', duplicateIn(text));
  const { id } = (value ?? {}) as { id?: unknown };
  return typeof id === 'string' ? { ...refused, id: id.slice(0, ID_SHOWN_MAX) } : refused;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A JSON text, or its bytes in UTF-8 without a byte order mark. Refused, each with its pointer where there is one: another
 * encoding or syntax, nesting past LIMITS.nestingDepth, more than `valuesMax` values, a name twice in an object, the names
 * `__proto__` and `constructor`, a number that a double can't hold or a whole one that it can't hold exactly. The caller has
 * limited the length. Takes linear time, and no memory before the limits are checked.
 */
export function parseStrictJson(input: Uint8Array | string, valuesMax: number = LIMITS.eventValues): ParsedJson {
  try {
    const text = typeof input === 'string' ? input : decoder.decode(input);
    const { depth, values, names } = measure(text);
    if (depth > LIMITS.nestingDepth) return refuse('NESTED_TOO_DEEP');
    if (values > valuesMax) return refuse('TOO_MANY_VALUES');
    const value: unknown = JSON.parse(text);
    if (namesIn(value) === names) return { value };
    return refuseValue(value, text);
  } catch {
    return refuse('MALFORMED_JSON');
  }
}

/**
 * The bytes of a JSON list, each item by the rules of parseStrictJson: what is wrong in one refuses only that one, where the
 * list has no more than LIMITS.batchEvents. Refused whole: what is no JSON or no
 * list, an item that is nested too deep, and more than `valuesMax` values.
 */
export function parseStrictBatch(input: Uint8Array, valuesMax: number = LIMITS.batchValues): Refused | ParsedJson[] {
  const whole = parseStrictJson(input, valuesMax);
  if ('value' in whole) {
    const { value } = whole;
    return Array.isArray(value) ? value.map((item: unknown) => ({ value: item })) : refuse('WRONG_TYPE');
  }
  if (whole.refused.code === 'MALFORMED_JSON' || whole.refused.code === 'TOO_MANY_VALUES') return whole;
  const items = itemsOf(decoder.decode(input))?.map((text) => parseStrictJson(text));
  // Where an item is no JSON, or wasn't read, nobody can say where the next one begins.
  const unread = items?.find((item): item is Refused => 'refused' in item && UNREAD.has(item.refused.code));
  return unread ?? items ?? whole;
}

/** The texts between the outermost brackets and commas of a list; undefined where the text is none, or one that is too long. */
function itemsOf(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[')) return undefined;
  const items: string[] = [];
  let [depth, begin] = [0, 1];
  for (let at = 0; at < trimmed.length;) {
    const code = trimmed.charCodeAt(at);
    const from = at;
    at = code === QUOTE ? endOfString(trimmed, at + 1) : at + 1;
    if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
    if (depth === 0 && at < trimmed.length) return undefined;
    if (depth === 0 || (depth === 1 && code === COMMA)) {
      if (items.length === LIMITS.batchEvents) return undefined;
      items.push(trimmed.slice(begin, from));
      begin = at;
    }
  }
  return depth === 0 ? items : undefined;
}

/** The place after the string that begins before `from`. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** What a text holds, if it is JSON: `values` is an upper bound. */
function measure(text: string): { depth: number; values: number; names: number } {
  let [deepest, depth, values, names] = [0, 0, 1, 0];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    at += 1;
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COLON) names += 1;
    else if (code === COMMA) values += 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
  }
  return { depth: deepest, values, names };
}

const isExact = (value: number): boolean =>
  Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));

const isReserved = (name: string): boolean => name === '__proto__' || name === 'constructor';

/** How many names a value has, NaN where one of them or a number is none that is taken. */
function namesIn(value: unknown): number {
  if (typeof value === 'number') return isExact(value) ? 0 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) names += namesIn(item);
    return names;
  }
  for (const name of Object.keys(value)) {
    if (isReserved(name)) return Number.NaN;
    names += 1 + namesIn((value as Record<string, unknown>)[name]);
  }
  return names;
}

const step = (name: string | number): string =>
  `/${String(name).slice(0, NAME_SHOWN_MAX).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The first number or name that is none that is taken. */
function refusalIn(value: unknown, pointer: string): Refused | undefined {
  if (typeof value === 'number') return isExact(value) ? undefined : refuse('NUMBER_OUT_OF_RANGE', pointer);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, child] of Object.entries(value)) {
    const at = pointer + step(name);
    if (!Array.isArray(value) && isReserved(name)) return refuse('UNKNOWN_FIELD', at);
    const found = refusalIn(child, at);
    if (found) return found;
  }
  return undefined;
}

/** An object or a list that is open where the text is read. */
interface Open {
  /** Of an object. */
  names?: Set<string>;
  /** Where in it the text is: the newest name, or an index. */
  at: string | number;
  nameComes: boolean;
}

/** The pointer of the first name that stands twice in one object of a valid text. */
function duplicateIn(text: string): string {
  const open: Open[] = [];
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    const top = open.at(-1);
    const from = at;
    at = code === QUOTE ? endOfString(text, at + 1) : at + 1;
    if (code === QUOTE && top?.nameComes) {
      const name = JSON.parse(text.slice(from, at)) as string;
      top.at = name;
      top.nameComes = false;
      if (top.names?.has(name)) return open.map((each) => step(each.at)).join('');
      top.names?.add(name);
    } else if (code === OPEN_OBJECT) open.push({ names: new Set(), at: '', nameComes: true });
    else if (code === OPEN_LIST) open.push({ at: 0, nameComes: false });
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop();
    else if (code === COMMA && top) {
      if (top.names) top.nameComes = true;
      else top.at = (top.at as number) + 1;
    }
  }
  return '';
}
