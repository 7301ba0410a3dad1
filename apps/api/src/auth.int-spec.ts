import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, importJWK, SignJWT, type JWK } from 'jose';
import { ed25519, ISSUER, p256, publicKeyOf, TestApi } from '../../../test/support/api.js';

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api.stop());

const base64url = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

/** An access token like the ledger's, with something else about it. */
async function accessToken(claims: object = {}, header: object = {}, key: JWK = api.signingKey): Promise<string> {
  const usual = {
    iss: ISSUER,
    sub: 'platform-a',
    aud: 'liandun',
    role: 'platform',
    member_kid: 'platform-a-1',
    iat: now(),
    exp: now() + 60,
  };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'ledger-1', ...header })
    .sign(await importJWK(key, 'ES256'));
}

const flipped = (token: string): string => {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[7] = (bytes[7] ?? 0) ^ 1;
  return `${header}.${payload}.${bytes.toString('base64url')}`;
};

function hmacToken(secret: string): string {
  const head = `${base64url({ alg: 'HS256', kid: 'ledger-1' })}.${base64url({
    iss: ISSUER,
    sub: 'platform-a',
    aud: 'liandun',
    exp: now() + 60,
  })}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

test("a token like the ledger's own opens the door, so what follows fails for its own reason", async () => {
  expect((await api.call(undefined, 'GET', '/v1/notices', { token: await accessToken() })).status).toBe(200);
});

test.each<[string, () => Promise<string> | string]>([
  ['another key under the same kid', () => accessToken({}, {}, p256('ledger-1'))],
  ['an unknown kid', () => accessToken({}, { kid: 'other' })],
  ['a flipped signature', async () => flipped(await accessToken())],
  ['another issuer', () => accessToken({ iss: 'https://other.example' })],
  ['another audience', () => accessToken({ aud: 'other' })],
  ["Kafka's audience", () => accessToken({ aud: 'liandun-kafka' })],
  ['no audience', () => accessToken({ aud: undefined })],
  ['expired', () => accessToken({ iat: now() - 600, exp: now() - 1 })],
  ['no expiry', () => accessToken({ exp: undefined })],
  ['no subject', () => accessToken({ sub: undefined })],
  ['no key', () => accessToken({ member_kid: undefined })],
  [
    'alg none',
    () =>
      `${base64url({ alg: 'none' })}.${base64url({ iss: ISSUER, sub: 'platform-a', aud: 'liandun', exp: now() + 60 })}.`,
  ],
  ['HS256 over the public key', () => hmacToken(JSON.stringify(publicKeyOf(api.signingKey)))],
  ['HS256 over the coordinate', () => hmacToken(String(api.signingKey.x))],
  ['a client assertion in its place', () => api.assertion('platform-a')],
  ['not a token', () => 'abc'],
])('an access token is refused: %s', async (_, make) => {
  const answer = await api.call(undefined, 'GET', '/v1/notices', { token: await make() });
  expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
  expect(answer.headers.get('www-authenticate')).toContain('Bearer');
});

test('without a token nothing but the open routes answers', async () => {
  expect((await api.call(undefined, 'GET', '/v1/notices')).body.code).toBe('UNAUTHENTICATED');
  for (const path of [
    '/.well-known/jwks.json',
    '/health/live',
    '/health/ready',
    '/metrics',
    '/openapi.json',
    '/asyncapi.json',
  ])
    expect([path, (await api.call(undefined, 'GET', path)).status]).toEqual([path, 200]);
});

test('an active member whose name is in a token but not in the ledger is refused', async () => {
  const answer = await api.call(undefined, 'GET', '/v1/notices', { token: await accessToken({ sub: 'platform-z' }) });
  expect([answer.status, answer.body.code]).toEqual([403, 'MEMBER_SUSPENDED']);
});

test('a key that the member never had is refused', async () => {
  const token = await accessToken({ member_kid: 'platform-b-1' });
  const answer = await api.call(undefined, 'GET', '/v1/notices', { token });
  expect([answer.status, answer.body.code]).toEqual([401, 'KEY_STOPPED']);
});

test("the role is the ledger's, whatever the token says", async () => {
  const token = await accessToken({ role: 'admin' });
  expect((await api.call(undefined, 'GET', '/v1/members', { token })).body.code).toBe('FORBIDDEN');
});

describe('POST /oauth/token', () => {
  test('gives a bearer token of five minutes for either audience', async () => {
    for (const audience of ['liandun', 'liandun-kafka']) {
      const { status, headers, body } = await api.requestToken(await api.assertion('platform-a'), { audience });
      expect([status, body.token_type, body.expires_in]).toEqual([200, 'Bearer', 300]);
      expect(headers.get('cache-control')).toBe('no-store');
      const { sub, iss, aud, role, member_kid, exp = 0, iat = 0 } = decodeJwt(body.access_token);
      expect({ sub, iss, aud, role, member_kid, life: exp - iat }).toEqual({
        // In Kafka each key is a principal of its own.
        sub: audience === 'liandun' ? 'platform-a' : 'platform-a/platform-a-1',
        member_kid: 'platform-a-1',
        iss: ISSUER,
        aud: audience,
        role: 'platform',
        life: 300,
      });
    }
  });

  test('takes Ed25519 and P-256, the endpoint, the issuer and the own address as audience', async () => {
    expect((await api.requestToken(await api.assertion('platform-b'))).status).toBe(200);
    for (const aud of [ISSUER, `${api.api.url}/oauth/token`, [ISSUER, 'https://other.example']])
      expect((await api.requestToken(await api.assertion('platform-a', { aud }))).status).toBe(200);
  });

  test('a jti is taken once, also by two at the same moment', async () => {
    const assertion = await api.assertion('platform-a');
    const answers = await Promise.all([api.requestToken(assertion), api.requestToken(assertion)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
    expect((await api.requestToken(assertion)).body.error).toBe('invalid_client');
  });

  test.each<[string, () => Promise<string> | string]>([
    ['another key under the same kid', () => api.assertion('platform-a', {}, ed25519('platform-a-1'))],
    ["another member's key", () => api.assertion('platform-a', {}, api.keys.get('platform-b'))],
    ['a flipped signature', async () => flipped(await api.assertion('platform-a'))],
    ['an unknown member', () => api.assertion('platform-z', {}, ed25519('platform-z-1'))],
    ['iss is not sub', () => api.assertion('platform-a', { iss: 'platform-b' })],
    ['another audience', () => api.assertion('platform-a', { aud: 'https://other.example/oauth/token' })],
    ['expired', () => api.assertion('platform-a', { exp: now() - 60 })],
    ['for an hour', () => api.assertion('platform-a', { exp: now() + 3600 })],
    ['no expiry', () => api.assertion('platform-a', { exp: undefined })],
    ['from the future', () => api.assertion('platform-a', { iat: now() + 300, exp: now() + 360 })],
    ['no jti', () => api.assertion('platform-a', { jti: undefined })],
    [
      'alg none',
      () =>
        `${base64url({ alg: 'none', kid: 'platform-a-1' })}.${base64url({ iss: 'platform-a', sub: 'platform-a', aud: ISSUER, jti: randomUUID(), exp: now() + 60 })}.`,
    ],
    ['an access token in its place', () => accessToken()],
    ['not a JWT', () => 'abc'],
  ])('an assertion is refused: %s', async (_, make) => {
    const { status, body } = await api.requestToken(await make());
    expect([status, body.error, body.access_token]).toEqual([401, 'invalid_client', undefined]);
  });

  test.each<[string, Record<string, string>, string]>([
    ['no grant', {}, 'invalid_request'],
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['no assertion', { grant_type: 'client_credentials' }, 'invalid_client'],
  ])('errors are those of RFC 6749: %s', async (_, form, error) => {
    expect((await api.tokenAnswer(form)).body.error).toBe(error);
  });

  test('another audience is refused', async () => {
    const { status, body } = await api.requestToken(await api.assertion('platform-a'), { audience: 'bank' });
    expect([status, body.error]).toEqual([400, 'invalid_target']);
  });
});

test('the published keys are the public halves: one to verify tokens, one to encrypt to', async () => {
  const { body } = await api.call(undefined, 'GET', '/.well-known/jwks.json');
  expect(body.keys.map(({ use, alg }: JWK) => [use, alg])).toEqual([
    ['sig', 'ES256'],
    ['enc', 'ECDH-ES+A256KW'],
  ]);
  expect(JSON.stringify(body)).not.toContain('"d"');
});
