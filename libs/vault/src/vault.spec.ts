import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { makeResidentId, makeUscc, type Identity } from '@liandun/contracts';
import fc from 'fast-check';
import { generateVaultKeys, loadVaultKeys, newKey, parseVaultKeys } from './keys.js';
import { seal, unseal, type SealedRecord, type SealedValue } from './sealing.js';
import { restore, separate, separateTexts, type VaultRow } from './separate.js';
import { tokensOf } from './tokens.js';
import { Vault } from './vault.js';

const keys = generateVaultKeys();
const withField = (identity: Identity, fields: Partial<Identity>): Identity => Object.assign({}, identity, fields);
const event = { source: 'urn:liandun:member:platform-a', id: 'e1', type: 'liandun.merchant.reported.v1' };
const opened = (records: SealedRecord[] = []): SealedValue[] =>
  records.flatMap((record) => unseal(record, event, keys.kms));
const residentId = makeResidentId('990101', '19800101', 7);
const uscc = makeUscc('990101', 1);
const natural: Identity = { kind: 'person', name: '李明', residentId, phones: ['13800000000', '13900000000'] };
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
    { merchantId: 'm', identity: natural, shops: [{ shopId: 's', name: '店', url: 'https://x.example' }] },
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
  const { data, row } = separate(event, { identity: natural }, keys);
  const values = opened(row?.sealed);
  const { pointer, salt, value } = values.find((sealed) => sealed.pointer === '/identity/residentId') as SealedValue;
  expect(pointer).toBe('/identity/residentId');
  expect(Buffer.from(salt, 'base64url')).toHaveLength(32);
  const expected = createHash('sha256').update(Buffer.from(salt, 'base64url')).update(value).digest('base64url');
  expect((data as { identity: { residentId: unknown } }).identity.residentId).toEqual({ commitment: expected });
  expect(new Set(values.map((sealed) => sealed.salt)).size).toBe(values.length);
  const again = separate(event, { identity: natural }, keys).data;
  expect(again).not.toEqual(data);
});

test('what was taken out goes back in', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (name, phones) => {
      const data = { merchantId: 'm', identity: withField(natural, { name, phones, legalRepresentative: { name } }) };
      const { data: shared, row } = separate(event, data, keys);
      expect(restore(shared, opened(row?.sealed))).toEqual(data);
    }),
  );
});

test('a value that does not open its commitment is refused', () => {
  const { data, row } = separate(event, { identity: natural }, keys);
  const [first, ...rest] = opened(row?.sealed) as [SealedValue, ...SealedValue[]];
  expect(() => restore(data, [{ ...first, value: `${first.value}x` }, ...rest])).toThrow('not the one');
});

test('a record opens for its own event, whom it is about and key only, and unaltered only', () => {
  const record = seal([{ pointer: '/a', salt: 's', value: 'v' }], event, 'subject', keys.kms);
  expect(unseal(record, event, keys.kms)).toEqual([{ pointer: '/a', salt: 's', value: 'v' }]);
  for (const other of [{ id: 'e2' }, { type: 'liandun.merchant.delisted.v1' }, { source: 'urn:liandun:member:b' }])
    expect(() => unseal(record, { ...event, ...other }, keys.kms)).toThrow('authenticate');
  expect(() => unseal({ ...record, person: 'representative' }, event, keys.kms)).toThrow('authenticate');
  expect(() => unseal(record, event, generateVaultKeys().kms)).toThrow('authenticate');
  for (const part of ['sealed', 'wrapped'] as const)
    for (let i = 0; i < record[part].length; i += 1) {
      const altered = Buffer.from(record[part]);
      altered[i] = (altered[i] as number) ^ 1;
      expect(() => unseal({ ...record, [part]: altered }, event, keys.kms)).toThrow('authenticate');
    }
});

test("a representative's values have a key of their own, and so has every record", () => {
  const { row } = separate(event, { identity: withField(company, { phones: ['13800000000'] }) }, keys);
  expect(row?.sealed.map(({ person }) => person)).toEqual(['subject', 'representative']);
  expect(opened(row?.sealed.slice(1)).map(({ value }) => value)).toEqual(['王芳', residentId]);
  const [a, b] = (row as VaultRow).sealed as [SealedRecord, SealedRecord];
  expect(() => unseal({ ...a, wrapped: b.wrapped }, event, keys.kms)).toThrow('authenticate');
  expect(row?.personTokens.map(({ kind }) => kind)).toEqual(['representative', 'phone']);
});

test('tokens: equal values of a kind are equal, masked and invalid ones give none, a representative gives none', () => {
  const tokens = (identity: Identity) =>
    tokensOf(identity, keys.blind).map(({ kind, token }) => `${kind} ${token.toString('hex')}`);
  expect(tokens(company)).toEqual(tokens({ kind: 'soleProprietor', name: '李明', uscc: ` ${uscc.toLowerCase()}` }));
  expect(tokens({ kind: 'person', name: '李明', uscc })).toEqual([]);
  expect(tokens(natural)).toHaveLength(1);
  expect(tokens(withField(natural, { residentId: '990101********1234' }))).toEqual([]);
  expect(tokens(withField(company, { uscc: `${uscc.slice(0, 17)}${uscc.endsWith('0') ? '1' : '0'}` }))).toEqual([]);
  expect(tokensOf(company, generateVaultKeys().blind)[0]?.token).not.toEqual(tokensOf(company, keys.blind)[0]?.token);
});

test('keys: the error names the file and the member, never the key', () => {
  expect(() => loadVaultKeys(undefined)).toThrow('LIANDUN_KEYS is not set');
  expect(() => loadVaultKeys('/nowhere/keys.json')).toThrow('ENOENT');
  const short = Buffer.alloc(16, 'k').toString('base64');
  expect(() => parseVaultKeys({ seal: short }, 'keys.json')).toThrow('keys.json: "seal" must be 32 bytes');
});

test('keys by version: the highest wraps, all open, all make tokens; one that is gone says so', () => {
  const [first, second, blind, fingerprint] = [newKey(), newKey(), newKey(), newKey()];
  const before = parseVaultKeys({ seal: first, blind, fingerprint }, 'keys.json');
  const both = parseVaultKeys({ seal: { 1: first, 2: second }, blind: { 1: blind, 2: newKey() }, fingerprint }, 'k');
  const after = parseVaultKeys({ seal: { 2: second }, blind, fingerprint }, 'keys.json');
  const values = [{ pointer: '/a', salt: 's', value: 'v' }];
  const old = seal(values, event, 'subject', before.kms);
  expect([old.keyVersion, both.kms.keyVersion, both.kms.versions]).toEqual([1, 2, [1, 2]]);
  expect(unseal(old, event, both.kms)).toEqual(values);
  expect(unseal(seal(values, event, 'subject', both.kms), event, after.kms)).toEqual(values);
  expect(() => unseal(old, event, after.kms)).toThrow('key-encryption key 1 is not there');
  const tokens = tokensOf(natural, both.blind);
  expect(tokens.map(({ keyVersion }) => keyVersion)).toEqual([1, 2]);
  expect(tokens[0]).toEqual(tokensOf(natural, before.blind)[0]);
  expect(tokens[1]?.token).not.toEqual(tokens[0]?.token);
  expect(() => parseVaultKeys({ seal: { x: first }, blind, fingerprint }, 'keys.json')).toThrow('"seal"');
  expect(before.kms.warning).toContain('sandbox only');
});

test('what a person wrote is sealed and committed to, and opens again where it stood', () => {
  const said = { appealId: 'a-1', statement: '那不是我的店', evidence: [] };
  const { data, row } = separateTexts(event, said, ['/statement', '/reasons'], keys);
  expect(JSON.stringify(data)).not.toContain('那不是我的店');
  expect(row).toMatchObject({ tokens: [], personTokens: [] });
  expect(restore(data, opened(row?.sealed))).toEqual(said);
  expect(separateTexts(event, { appealId: 'a-2' }, ['/statement'], keys)).toEqual({ data: { appealId: 'a-2' } });
});

test('P18: an entity’s id tells nobody without the key when it was founded, and is the same for ever with it', () => {
  const [vault, another] = [new Vault(generateVaultKeys()), new Vault(generateVaultKeys())];
  const ids = Array.from({ length: 1_000 }, (_, position) => vault.entityId(position));
  expect(ids).toEqual(ids.map((_, position) => vault.entityId(position)));
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^E\d{1,15}-[0-9a-f]{12}$/);
  expect(ids.toSorted()).not.toEqual(ids);
  expect(another.entityId(1)).not.toBe(vault.entityId(1));
});
