import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { makeResidentId, makeUscc, type Identity } from '@liandun/contracts';
import fc from 'fast-check';
import { generateVaultKeys, loadVaultKeys, parseVaultKeys } from './keys.js';
import { seal, unseal, type SealedValue } from './sealing.js';
import { displayName, restore, separate } from './separate.js';
import { tokensOf } from './tokens.js';

const keys = generateVaultKeys();
const withField = (identity: Identity, fields: Partial<Identity>): Identity => Object.assign({}, identity, fields);
const event = { source: 'urn:liandun:member:platform-a', id: 'e1' };
const residentId = makeResidentId('990101', '19800101', 7);
const uscc = makeUscc('990101', 1);
const person: Identity = { kind: 'person', name: '李明', residentId, phones: ['13800000000', '13900000000'] };
const company: Identity = {
  kind: 'organization',
  name: '示例公司',
  uscc,
  legalRepresentative: { name: '王芳', residentId },
  regionCode: '990101',
};

test('no personal value is left in the data, and what anyone may see is', () => {
  const { data } = separate(
    event,
    { merchantId: 'm', identity: person, shops: [{ shopId: 's', name: '店', url: 'https://x.example' }] },
    keys,
  );
  const text = JSON.stringify(data);
  for (const value of ['李明', residentId, '13800000000', '13900000000']) expect(text).not.toContain(value);
  expect(data).toMatchObject({
    merchantId: 'm',
    identity: { kind: 'person', name: { masked: '李**' } },
    shops: [{ name: '店' }],
  });
});

test("an organization's name and USCC stay; its representative's don't", () => {
  const { data, row } = separate(event, { identity: company }, keys);
  expect(data).toMatchObject({ identity: { name: '示例公司', uscc, regionCode: '990101' } });
  expect(JSON.stringify(data)).not.toContain('王芳');
  expect(row?.tokens.map(({ kind }) => kind)).toEqual(['uscc']);
});

test('a commitment is SHA-256 over 32 random bytes and the value', () => {
  const { data, row } = separate(event, { identity: person }, keys);
  const values = unseal(row?.sealed as Buffer, event, keys);
  const { pointer, salt, value } = values.find((sealed) => sealed.pointer === '/identity/residentId') as SealedValue;
  expect(pointer).toBe('/identity/residentId');
  expect(Buffer.from(salt, 'base64url')).toHaveLength(32);
  const expected = createHash('sha256').update(Buffer.from(salt, 'base64url')).update(value).digest('base64url');
  expect((data as { identity: { residentId: unknown } }).identity.residentId).toEqual({ commitment: expected });
  expect(new Set(values.map((sealed) => sealed.salt)).size).toBe(values.length);
  const again = separate(event, { identity: person }, keys).data;
  expect(again).not.toEqual(data);
});

test('what was taken out goes back in', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (name, phones) => {
      const data = { merchantId: 'm', identity: withField(person, { name, phones, legalRepresentative: { name } }) };
      const { data: shared, row } = separate(event, data, keys);
      expect(restore(shared, unseal(row?.sealed as Buffer, event, keys))).toEqual(data);
    }),
  );
});

test('a value that does not open its commitment is refused', () => {
  const { data, row } = separate(event, { identity: person }, keys);
  const [first, ...rest] = unseal(row?.sealed as Buffer, event, keys) as [SealedValue, ...SealedValue[]];
  expect(() => restore(data, [{ ...first, value: `${first.value}x` }, ...rest])).toThrow('not the one');
});

test('a record opens for its own event and key only, and unaltered only', () => {
  const sealed = seal([{ pointer: '/a', salt: 's', value: 'v' }], event, keys);
  expect(unseal(sealed, event, keys)).toEqual([{ pointer: '/a', salt: 's', value: 'v' }]);
  expect(() => unseal(sealed, { ...event, id: 'e2' }, keys)).toThrow('authenticate');
  expect(() => unseal(sealed, event, generateVaultKeys())).toThrow('authenticate');
  for (let i = 0; i < sealed.length; i += 1) {
    const altered = Buffer.from(sealed);
    altered[i] = (altered[i] as number) ^ 1;
    expect(() => unseal(altered, event, keys)).toThrow('authenticate');
  }
});

test('tokens: equal values of a kind are equal, masked and invalid ones give none, a representative gives none', () => {
  const tokens = (identity: Identity) =>
    tokensOf(identity, keys).map(({ kind, token }) => `${kind} ${token.toString('hex')}`);
  expect(tokens(company)).toEqual(tokens({ kind: 'soleProprietor', name: '李明', uscc: ` ${uscc.toLowerCase()}` }));
  expect(tokens({ kind: 'person', name: '李明', uscc })).toEqual([]);
  expect(tokens(person)).toHaveLength(1);
  expect(tokens(withField(person, { residentId: '990101********1234' }))).toEqual([]);
  expect(tokens(withField(company, { uscc: `${uscc.slice(0, 17)}${uscc.endsWith('0') ? '1' : '0'}` }))).toEqual([]);
  expect(tokensOf(company, generateVaultKeys())[0]?.token).not.toEqual(tokensOf(company, keys)[0]?.token);
});

test('names: organizations in clear, others by their first character', () => {
  expect(displayName('organization', '示例公司')).toBe('示例公司');
  expect(displayName('soleProprietor', '李明小店')).toBe('李**');
  expect(displayName('person', '𠮷田')).toBe('𠮷**');
});

test('keys: the error names the file and the member, never the key', () => {
  expect(() => loadVaultKeys(undefined)).toThrow('LIANDUN_KEYS is not set');
  expect(() => loadVaultKeys('/nowhere/keys.json')).toThrow('ENOENT');
  const short = Buffer.alloc(16, 'k').toString('base64');
  expect(() => parseVaultKeys({ seal: short }, 'keys.json')).toThrow('keys.json: "seal" must be 32 bytes');
});
