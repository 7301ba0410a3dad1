import canonicalize from 'canonicalize';

/**
 * The one text of a JSON value (RFC 8785): keys sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 * A member whose value is `undefined` is left out. Throws on what JSON cannot say: NaN, infinities, lone surrogates, cycles,
 * and a value that is itself `undefined` or a function.
 */
export function canonicalJson(value: unknown): string {
  const sorted = sortedKeys(value, 0);
  if (sorted !== UNUSUAL) {
    // For plain values the engine's own writer differs from RFC 8785 in nothing but the order of keys and lone surrogates, which
    // it escapes. It is several times as fast as the library, and canonical JSON is most of what an append computes.
    const text = JSON.stringify(sorted);
    if (!SURROGATE_ESCAPE.test(text)) return text;
  }
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Not a JSON value');
  return text;
}

/** What sortedKeys leaves to the library. */
const UNUSUAL = Symbol('unusual');
const SURROGATE_ESCAPE = /\\ud[89a-f]/;
const DEPTH_MAX = 50;
/** The value with the keys of all its objects in order, itself if they are already; UNUSUAL unless it is plain JSON. */
function sortedKeys(value: unknown, depth: number): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : UNUSUAL;
  if (typeof value !== 'object' || depth === DEPTH_MAX) return UNUSUAL;
  return Array.isArray(value) ? sortedElements(value, depth + 1) : sortedMembers(value, depth + 1);
}

function sortedElements(array: unknown[], depth: number): unknown {
  let result = array;
  for (let i = 0; i < array.length; i += 1) {
    const element = sortedKeys(array[i], depth);
    if (element === UNUSUAL) return UNUSUAL;
    if (element === array[i]) continue;
    if (result === array) result = [...array];
    result[i] = element;
  }
  return result;
}

function sortedMembers(object: object, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(object);
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in object) return UNUSUAL;
  const members = object as Record<string, unknown>;
  const keys = Object.keys(members);
  let inOrder = true;
  for (let i = 1; i < keys.length && inOrder; i += 1) inOrder = keys[i - 1]! < keys[i]!;
  if (!inOrder) keys.sort();
  let result: Record<string, unknown> = inOrder ? members : {};
  for (const key of keys) {
    if (isUnusualKey(key)) return UNUSUAL;
    const member = members[key] === undefined ? undefined : sortedKeys(members[key], depth);
    if (member === UNUSUAL) return UNUSUAL;
    if (result === members) {
      if (member === members[key]) continue;
      result = { ...members };
    }
    result[key] = member;
  }
  return result;
}

/** The engine puts keys that are array indices first, and `__proto__` is no ordinary key. */
function isUnusualKey(key: string): boolean {
  const first = key.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || key === '__proto__';
}
