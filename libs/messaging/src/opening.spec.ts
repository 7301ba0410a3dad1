import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { LIMITS } from '@liandun/contracts';
import { CompactEncrypt, importJWK, type CompactJWEHeaderParameters, type JWK } from 'jose';
import { openRecord } from './opening.js';

const key: JWK = {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'inbox-1',
};
const sealed = async (
  plain: string | Uint8Array,
  header: Partial<CompactJWEHeaderParameters> = {},
): Promise<Buffer> => {
  const { d: _private, ...publicKey } = key;
  const jwe = new CompactEncrypt(typeof plain === 'string' ? new TextEncoder().encode(plain) : plain)
    .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: 'inbox-1', ...header })
    .encrypt(await importJWK(publicKey, 'ECDH-ES+A256KW'));
  return Buffer.from(await jwe);
};
const codeOf = async (value: Buffer | null): Promise<unknown[]> => {
  const opened = await openRecord(value, [key]);
  if (!('refused' in opened)) return ['opened', opened.event];
  const { code, errors } = opened.refused.problem!;
  return [code, errors?.[0]?.pointer];
};

const ROWS: [string, string | Uint8Array, unknown[]][] = [
  ['an event', '{"id":"e"}', ['opened', { id: 'e' }]],
  ['no JSON', 'x', ['MALFORMED_JSON', '']],
  ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), ['MALFORMED_JSON', '']],
  ['a byte order mark', '\uFEFF{}', ['MALFORMED_JSON', '']],
  ['a name twice', '{"id":"e","data":{"a":1,"a":2}}', ['DUPLICATE_NAME', '/data/a']],
  ['too deep', `${'['.repeat(17)}${']'.repeat(17)}`, ['NESTED_TOO_DEEP', '']],
  ['__proto__', '{"__proto__":{}}', ['UNKNOWN_FIELD', '/__proto__']],
];

describe('a record is read by the rules of HTTP', () => {
  test.each(ROWS)('in clear: %s', async (_name, plain, expected) => {
    expect(await codeOf(Buffer.from(plain as string))).toEqual(expected);
  });

  test.each(ROWS)('encrypted: %s', async (_name, plain, expected) => {
    expect(await codeOf(await sealed(plain))).toEqual(expected);
  });

  test('nothing, and more than an event may have', async () => {
    expect(await codeOf(null)).toEqual(['MALFORMED_JSON', '']);
    expect(await codeOf(Buffer.alloc(LIMITS.eventBytes + 1, ' '))).toEqual(['BODY_TOO_LARGE', '']);
  });

  test('a few bytes that unpack to more than an event may have are not unpacked', async () => {
    const bomb = await sealed(`"${' '.repeat(LIMITS.eventBytes)}"`, { zip: 'DEF' });
    expect(bomb.length).toBeLessThan(10_000);
    expect(await codeOf(bomb)).toEqual(['MALFORMED_JWE', '']);
    expect(await codeOf(await sealed('{"id":"e"}', { zip: 'DEF' }))).toEqual(['opened', { id: 'e' }]);
  });
});
