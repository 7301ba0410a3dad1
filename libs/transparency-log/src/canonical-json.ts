import canonicalize from 'canonicalize';

/**
 * The one text of a JSON value (RFC 8785): keys sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 * A member whose value is `undefined` is left out. Throws on what JSON cannot say: NaN, infinities, lone surrogates, cycles,
 * and a value that is itself `undefined` or a function.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Not a JSON value');
  return text;
}
