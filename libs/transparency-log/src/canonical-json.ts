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
    if (!text.includes(SURROGATE_ESCAPE)) return text;
  }
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Not a JSON value');
  return text;
}

/** What sortedKeys leaves to the library. */
const UNUSUAL = Symbol('unusual');
const SURROGATE_ESCAPE = '\\ud';
const DEPTH_MAX = 50;

/** A copy of a value in which all objects have their keys in order; UNUSUAL unless it is plain JSON. */
function sortedKeys(value: unknown, depth: number): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : UNUSUAL;
  if (typeof value !== 'object' || depth === DEPTH_MAX) return UNUSUAL;
  if (!Array.isArray(value)) return sortedMembers(value as Record<string, unknown>, depth + 1);
  const result: unknown[] = [];
  for (const one of value as unknown[]) {
    const element = sortedKeys(one, depth + 1);
    if (element === UNUSUAL) return UNUSUAL;
    result.push(element);
  }
  return result;
}

function sortedMembers(object: Record<string, unknown>, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return UNUSUAL;
  const result: Record<string, unknown> = {};
  for (const key of inOrder(Object.keys(object))) {
    if (isUnusualKey(key)) return UNUSUAL;
    if (object[key] === undefined) continue;
    const member = sortedKeys(object[key], depth);
    if (member === UNUSUAL) return UNUSUAL;
    result[key] = member;
  }
  return result;
}

const FEW_KEYS = 16;

/** By UTF-16 code units. A few keys, often in order already, are quicker inserted one by one. */
function inOrder(keys: string[]): string[] {
  if (keys.length > FEW_KEYS) return keys.toSorted();
  for (let i = 1; i < keys.length; i += 1) {
    const key = keys[i]!;
    let at = i;
    for (; at > 0 && keys[at - 1]! > key; at -= 1) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
  return keys;
}

/** The engine puts keys that are array indices first, `__proto__` is no ordinary key, and `toJSON` would be called. */
function isUnusualKey(key: string): boolean {
  const first = key.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || key === '__proto__' || key === 'toJSON';
}
