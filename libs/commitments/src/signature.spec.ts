import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { CloudEvent, MemberKey } from '@liandun/contracts';
import { CompactSign, importJWK, SignJWT, type JWK } from 'jose';
import { committedForm, displayName, opensCommitment, saltsFrom, type Commitment } from './committed-form.js';
import { signedTextOfEntry, signEvent, textOfEvent, verifySignature } from './signature.js';

const privateKey = (kid: string, kind: 'ed25519' | 'p256' = 'ed25519'): JWK => ({
  ...(kind === 'ed25519'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ).privateKey.export({ format: 'jwk' }),
  kid,
});
const publicKey = ({ kid, kty, crv, x, y }: JWK): MemberKey => ({ kid, kty, crv, x, ...(y ? { y } : {}) }) as MemberKey;

const key = privateKey('k1');
const event: CloudEvent = {
  specversion: '1.0',
  id: 'e-1',
  source: 'urn:liandun:member:platform-a',
  type: 'liandun.merchant.reported.v1',
  time: '2026-01-05T09:30:00+08:00',
  data: {
    merchantId: 'm-1',
    identity: { kind: 'person', name: '李明', phones: ['13800000000', '13900000000'], regionCode: '990101' },
    shops: [],
    status: 'active',
  },
};
const verdict = async (sent: CloudEvent, keys = [publicKey(key)]): Promise<string> =>
  verifySignature(sent.signature ?? '', textOfEvent(sent), keys);

describe('the committed form', () => {
  const salt = Buffer.alloc(32, 7).toString('base64url');

  test('replaces what is personal, in the order of the fields, and its openings open it', () => {
    const { data, openings } = committedForm(event.data as object, saltsFrom(salt));
    expect(openings.map(({ pointer }) => pointer)).toEqual([
      '/identity/name',
      '/identity/phones/0',
      '/identity/phones/1',
    ]);
    const { identity } = data as { identity: { name: Commitment & { masked: string }; phones: Commitment[] } };
    expect(identity.name.masked).toBe('李**');
    [identity.name, ...identity.phones].forEach((commitment, i) => {
      expect(opensCommitment(openings[i]!, commitment)).toBe(true);
      expect(opensCommitment({ ...openings[i]!, value: 'x' }, commitment)).toBe(false);
    });
    expect(JSON.stringify(data)).not.toMatch(/李明|13[89]00000000/);
  });

  test('is the same by the same salt, and each value has a salt of its own', () => {
    const [one, two] = [1, 2].map(() => committedForm(event.data as object, saltsFrom(salt)));
    expect(one).toEqual(two);
    expect(new Set(one?.openings.map((opening) => opening.salt)).size).toBe(3);
  });

  test('of data without a subject is the data', () => {
    const data = { noticeId: 'n' };
    expect(committedForm(data, saltsFrom(salt))).toEqual({ data, openings: [] });
  });

  test('names: organizations in clear, others by their first character', () => {
    expect(displayName('organization', '示例公司')).toBe('示例公司');
    expect(displayName('soleProprietor', '李明小店')).toBe('李**');
    expect(displayName('person', '𠮷田')).toBe('𠮷**');
  });
});

describe('a signature', () => {
  test.each(['ed25519', 'p256'] as const)('with %s is valid, and again with new salts', async (kind) => {
    const own = privateKey('own', kind);
    const [first, second] = [await signEvent(event, own), await signEvent(event, own)];
    expect(await verdict(first, [publicKey(own)])).toBe('valid');
    expect(await verdict(second, [publicKey(own)])).toBe('valid');
    expect(second.salt).not.toBe(first.salt);
  });

  test('is a JWS that plain Ed25519 verifies over the entry, without the salts', async () => {
    const sent = await signEvent(event, key);
    const { data } = committedForm(event.data as object, saltsFrom(sent.salt ?? ''));
    const entry = { ...event, data: { ...data, clockAhead: true, signature: sent.signature }, stream: 's', nonce: 'n' };
    const { text, signature } = signedTextOfEntry(entry)!;
    const [header, , bytes] = signature.split('.');
    const input = Buffer.from(`${header}.${Buffer.from(text).toString('base64url')}`);
    const ed25519 = createPublicKey({ key: { ...publicKey(key) }, format: 'jwk' });
    expect(verify(null, input, ed25519, Buffer.from(bytes ?? '', 'base64url'))).toBe(true);
    expect(await verifySignature(signature, text, [publicKey(key)])).toBe('valid');
    expect(signedTextOfEntry({ ...entry, data })).toBeUndefined();
  });

  test('signs what goes over the wire: an absent value and a date are as JSON says', async () => {
    const odd = { ...event, data: { merchantId: 'm', at: new Date(0), gone: undefined } } as unknown as CloudEvent;
    const sent = await signEvent(odd, key);
    expect(await verdict(JSON.parse(JSON.stringify(sent)) as CloudEvent)).toBe('valid');
  });

  test('fits nothing else: another value, time, id, salt or key', async () => {
    const sent = await signEvent(event, key);
    const digest = createHash('sha256').digest('base64url');
    const altered: Partial<CloudEvent>[] = [
      { id: 'e-2' },
      { time: '2026-01-05T09:30:01+08:00' },
      { type: 'liandun.merchant.delisted.v1' },
      { source: 'urn:liandun:member:platform-b' },
      { salt: digest },
      { data: { ...(event.data as object), merchantId: 'm-2' } },
      { data: { ...(event.data as object), identity: { kind: 'person', name: '李丽' } } },
    ];
    for (const change of altered) expect(await verdict({ ...sent, ...change })).toBe('invalid');
    expect(await verdict(sent, [publicKey(privateKey('k2'))])).toBe('unknownKey');
    expect(await verdict(sent, [publicKey(privateKey('k1'))])).toBe('invalid');
    expect(await verdict(sent, [publicKey(privateKey('k1', 'p256'))])).toBe('invalid');
  });

  test('needs this header and no other: no token of the same key, no critical extension, no other algorithm', async () => {
    const text = textOfEvent(event);
    const imported = await importJWK(key, 'EdDSA');
    const detached = (jws: string): string => jws.replace(/\..*\./, '..');
    const headers = [
      { alg: 'EdDSA', kid: 'k1' },
      { alg: 'EdDSA', kid: 'k1', typ: 'JWT' },
      { alg: 'EdDSA', kid: 'k1', typ: 'liandun-event+jws', jku: 'https://evil.example/keys' },
      { alg: 'EdDSA', kid: 'k1', typ: 'liandun-event+jws', b64: true, crit: ['b64'] },
    ];
    for (const header of headers) {
      const jws = await new CompactSign(Buffer.from(text)).setProtectedHeader(header).sign(imported);
      expect(await verifySignature(detached(jws), text, [publicKey(key)])).toBe('invalid');
    }
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'EdDSA', kid: 'k1' }).sign(imported);
    const none = Buffer.from('{"alg":"none","kid":"k1","typ":"liandun-event+jws"}').toString('base64url');
    for (const jws of [detached(token), `${none}..`, `${none}..${'A'.repeat(86)}`, '..', 'x', ''])
      expect(await verifySignature(jws, text, [publicKey(key)])).toBe('invalid');
  });
});
