import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LIMITS } from './limits.js';
import { parseStrictBatch, parseStrictJson } from './strict-json.js';

const refused = (input: string | Uint8Array, valuesMax?: number): [string, string] | undefined => {
  const parsed = parseStrictJson(input, valuesMax);
  return 'refused' in parsed ? [parsed.refused.code, parsed.refused.pointer] : undefined;
};
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('what JSON.parse reads and has one meaning is read as JSON.parse reads it', () => {
  const value = fc.jsonValue().filter((json) => !/__proto__|constructor|\d{16}|e\+/.test(JSON.stringify(json)));
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 2 }), (json, indent) => {
      const text = JSON.stringify(json, undefined, indent);
      expect(parseStrictJson(text)).toEqual({ value: JSON.parse(text) });
      expect(parseStrictJson(Buffer.from(text))).toEqual({ value: JSON.parse(text) });
    }),
  );
});

test('a name that is put in a second time is found wherever it stands', () => {
  const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__' && text !== 'constructor');
  fc.assert(
    fc.property(name, fc.array(fc.oneof(name, fc.nat(3)), { maxLength: 6 }), (twice, path) => {
      const object = `{"z":[1,"{\\"z\\":0}"],${JSON.stringify(twice + '!')}:{},${JSON.stringify(twice + '!')}:null}`;
      const wrap = (inner: string, at: string | number): string =>
        typeof at === 'number' ? `[${'{"z":"]"},'.repeat(at)}${inner}]` : `{${JSON.stringify(at)}:${inner}}`;
      const pointer = [...path, `${twice}!`].map((at) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`);
      expect(refused(path.reduceRight<string>(wrap, object))).toEqual(['DUPLICATE_NAME', pointer.join('')]);
    }),
  );
});

describe('refused, each at its place', () => {
  test.each<[string, string | Uint8Array, string, string]>([
    ['no text', '', 'MALFORMED_JSON', ''],
    ['a comma too many', '{"a":1,}', 'MALFORMED_JSON', ''],
    ['a string that has no end', '{"a":"\\"}', 'MALFORMED_JSON', ''],
    ['NaN', '{"a":NaN}', 'MALFORMED_JSON', ''],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xc3, 0x28, 0x22), 'MALFORMED_JSON', ''],
    ['an overlong form', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 'MALFORMED_JSON', ''],
    ['a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x31), 'MALFORMED_JSON', ''],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'MALFORMED_JSON', ''],
    ['a name twice', '{"a":1,"a":1}', 'DUPLICATE_NAME', '/a'],
    ['a name twice, once escaped', '{"data":[{"b":1,"\\u0062":2}]}', 'DUPLICATE_NAME', '/data/0/b'],
    ['a name twice with other values between', '{"a":{"a":1},"b":[{"a":2}],"a":3}', 'DUPLICATE_NAME', '/a'],
    ['a pointer that needs escapes', '{"a/b~c":1,"a/b~c":2}', 'DUPLICATE_NAME', '/a~1b~0c'],
    ['__proto__', '{"data":{"__proto__":{"admin":true}}}', 'UNKNOWN_FIELD', '/data/__proto__'],
    ['constructor', '{"a":[{"constructor":1}]}', 'UNKNOWN_FIELD', '/a/0/constructor'],
    ['an infinite number', '{"a":[0,1e400]}', 'NUMBER_OUT_OF_RANGE', '/a/1'],
    ['a whole number that is rounded', '{"a":9007199254740993}', 'NUMBER_OUT_OF_RANGE', '/a'],
    ['one level too deep', nested(LIMITS.nestingDepth + 1), 'NESTED_TOO_DEEP', ''],
    ['two million levels', '['.repeat(2_000_000), 'NESTED_TOO_DEEP', ''],
    ['a long list of nothing', `[${'0,'.repeat(LIMITS.eventValues)}0]`, 'TOO_MANY_VALUES', ''],
  ])('%s', (_name, input, code, pointer) => {
    expect(refused(input)).toEqual([code, pointer]);
  });

  test.each([
    nested(LIMITS.nestingDepth),
    '{"a":"{\\"a\\":[[[[[[[[[[[[[[[[[[","b":"\\\\"}',
    '{"a":9007199254740991,"b":0.1,"c":-0}',
    '{"a":{"a":{"a":1}},"b":{"a":1}}',
    ' [ ] ',
    '"constructor"',
  ])('but not %s', (text) => {
    expect(refused(text)).toBeUndefined();
  });

  test('more values where a batch may have them', () => {
    expect(refused(`[${'0,'.repeat(LIMITS.eventValues)}0]`, LIMITS.batchValues)).toBeUndefined();
  });
});

describe('a list, item by item', () => {
  const parsed = (text: string): unknown => {
    const found = parseStrictBatch(Buffer.from(text));
    if ('refused' in found) return [found.refused.code, found.refused.pointer];
    return found.map((item) =>
      'refused' in item ? [item.refused.code, item.refused.pointer, item.id] : { value: item.value },
    );
  };

  test.each<[string, string, unknown]>([
    ['a reserved name', '{"id":"b","data":{"__proto__":1}}', ['UNKNOWN_FIELD', '/data/__proto__', 'b']],
    ['another', '{"constructor":{}}', ['UNKNOWN_FIELD', '/constructor', undefined]],
    ['a name twice', '{"id":"b","a":"],","a":2}', ['DUPLICATE_NAME', '/a', 'b']],
    ['a number', '{"id":7,"a":[1e400]}', ['NUMBER_OUT_OF_RANGE', '/a/0', undefined]],
  ])('what is wrong in one refuses that one: %s', (_name, item, refusal) => {
    for (const space of ['', ' \n'])
      expect(parsed(['[{"a":"\\"["}', item, '[{"b":","}]'].join(`,${space}`) + `${space}]${space}`)).toEqual([
        { value: { a: '"[' } },
        refusal,
        { value: [{ b: ',' }] },
      ]);
    expect(parsed(`[${item}]`)).toEqual([refusal]);
  });

  test('an item may be as deep as an event alone', () => {
    expect(parsed(`[${nested(LIMITS.nestingDepth)}]`)).toEqual([{ value: JSON.parse(nested(LIMITS.nestingDepth)) }]);
  });

  const reserved = '{"__proto__":1}';
  test.each<[string, string, string, string]>([
    ['no JSON', `[${reserved},]`, 'MALFORMED_JSON', ''],
    ['two items without a comma', `[${reserved} ${nested(16)}]`, 'MALFORMED_JSON', ''],
    ['brackets that cross', `[${nested(16)},{]}`, 'MALFORMED_JSON', ''],
    ['an item that is too deep', `[1,${nested(LIMITS.nestingDepth + 1)}]`, 'NESTED_TOO_DEEP', ''],
    ['something behind its end', `[${nested(16)}] 1`, 'NESTED_TOO_DEEP', ''],
    ['no end', `[${nested(16)}`, 'NESTED_TOO_DEEP', ''],
    ['no list', '{"a":1}', 'WRONG_TYPE', ''],
    ['no list, with a reserved name', reserved, 'UNKNOWN_FIELD', '/__proto__'],
    ['too many items', `[${`${reserved},`.repeat(LIMITS.batchEvents)}${reserved}]`, 'UNKNOWN_FIELD', '/0/__proto__'],
    ['too many values', `[${'0,'.repeat(LIMITS.batchValues)}${reserved}]`, 'TOO_MANY_VALUES', ''],
  ])('refused whole: %s', (_name, text, code, pointer) => {
    expect(parsed(text)).toEqual([code, pointer]);
  });

  test('it gives what JSON.parse gives, and the others beside one that is refused', () => {
    const value = fc.jsonValue().filter((json) => !/__proto__|constructor|\d{16}|e\+/.test(JSON.stringify(json)));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 8 }), fc.nat(8), fc.integer({ min: 0, max: 2 }), (items, at, indent) => {
        const whole = items.map((item) => ({ value: item }));
        expect(parsed(JSON.stringify(items, undefined, indent))).toEqual(whole);
        const texts = items.map((item) => JSON.stringify(item, undefined, indent));
        const mixed = texts.toSpliced(at, 0, reserved);
        expect(parsed(`[${mixed.join(' , ')}]`)).toEqual(whole.toSpliced(at, 0, expect.anything() as never));
      }),
    );
  });
});
