import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, encodeEntry, leafHash } from './index.js';

describe('canonical JSON', () => {
  test('is that of RFC 8785, section 3.2.2 to 3.2.4', () => {
    const value = {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "€$\u000F\u000aA'\u0042\u0022\u005c\\\u0022/",
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('sorts names by UTF-16 code units (RFC 8785 section 3.2.3)', () => {
    const value = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 };
    expect(Object.values(JSON.parse(canonicalJson(value)) as object)).toEqual([4, 2, 6, 7, 1, 5, 3]);
  });

  test.each([[Number.NaN], [Infinity], ['\ud800'], [undefined]])('refuses %p', (value) => {
    expect(() => canonicalJson(value)).toThrow(Error);
  });

  test('of a value does not depend on the order of its names, and says the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        expect(JSON.parse(canonicalJson(plain))).toEqual(plain);
        expect(canonicalJson(JSON.parse(canonicalJson(plain)))).toBe(canonicalJson(plain));
      }),
    );
  });
});

const outcome = (write: (v: unknown) => string | undefined, v: unknown) => {
  try {
    return write(v) ?? 'refused';
  } catch {
    return 'refused';
  }
};

test('plain values get the text that the library gives them, and so does everything else', () => {
  const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('10', '9', '__proto__', '€', 'toJSON'));
  const text = fc.string({ unit: 'binary' });
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.oneof(text, fc.double(), fc.boolean(), fc.constantFrom(null, undefined, -0, new Date(0), 'a\\ud800')),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(value, (v) => {
      expect(outcome(canonicalJson, v)).toBe(outcome(canonicalize, v));
    }),
    { numRuns: 300 },
  );
  const deep = JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown;
  expect(canonicalJson(deep)).toBe(canonicalize(deep));
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  expect(() => canonicalJson(cycle)).toThrow('Circular');
});

describe('leaf hash', () => {
  test('of the empty leaf is the one of RFC 6962 implementations', () => {
    expect(leafHash('').toString('hex')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  });

  test('takes a string as UTF-8', () => {
    expect(leafHash('清退')).toEqual(leafHash(Buffer.from('清退')));
    expect(leafHash('a')).toEqual(
      createHash('sha256')
        .update(Buffer.from([0, 0x61]))
        .digest(),
    );
  });
});

test('an entry of version 1 is canonical as a whole', () => {
  const text = { id: fc.string({ unit: 'grapheme' }), source: fc.string(), type: fc.string(), stream: fc.string() };
  const entries = fc.record({
    ...text,
    time: fc.constant('2020-02-10T09:00:00+08:00'),
    acceptedAt: fc.constant('2020-02-10T09:00:00.123+08:00'),
    nonce: fc.base64String(),
    version: fc.nat(),
    data: fc.dictionary(fc.string(), fc.jsonValue()),
  });
  fc.assert(
    fc.property(entries, (entry) => {
      expect(encodeEntry(entry)).toBe(canonicalJson({ ...entry, v: 1 }));
    }),
  );
});

test('the first entry format stays as it was released', () => {
  const entry = {
    id: 'd-1',
    source: 'urn:liandun:member:platform-a',
    type: 'liandun.merchant.delisted.v1',
    time: '2020-02-10T09:00:00+08:00',
    acceptedAt: '2020-02-10T09:00:00.123+08:00',
    stream: 'merchant/platform-a/m1',
    version: 3,
    data: { merchantId: 'm1', identity: { name: '口罩店', kind: 'organization' } },
    nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  };
  expect(encodeEntry(entry)).toBe(
    '{"acceptedAt":"2020-02-10T09:00:00.123+08:00","data":{"identity":{"kind":"organization","name":"口罩店"},"merchantId":"m1"},' +
      '"id":"d-1","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","source":"urn:liandun:member:platform-a",' +
      '"stream":"merchant/platform-a/m1","time":"2020-02-10T09:00:00+08:00","type":"liandun.merchant.delisted.v1","v":1,"version":3}',
  );
});
