import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { signWebhook, verifyWebhook, webhookKey, webhookPublicKey, webhookSecret } from './webhook.js';

const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const { ed25519 } = webhookKey(seed);
const secret = Buffer.alloc(32, 7);
const publicKey = webhookPublicKey(ed25519);
const now = new Date();
const timestamp = Math.floor(now.getTime() / 1000);
const body = '{"type":"liandun.notice.v1","data":{"name":"虚构市"}}';
const message = { id: 'platform-b_0', timestamp, body };
const headers = signWebhook(message, [{ ed25519, secret }]);
const later = (seconds: number): { now: Date } => ({ now: new Date(now.getTime() + seconds * 1000) });
const refused = expect.objectContaining({ code: 'WEBHOOK_REFUSED' });

describe('signed by Standard Webhooks', () => {
  test('the public key is that of RFC 8032, section 7.1, test 1', () => {
    const expected = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
    expect(publicKey).toBe(`whpk_${expected.toString('base64')}`);
  });

  test('v1a is Ed25519 over id, time and body, joined by points', () => {
    const [v1a] = headers['webhook-signature']!.split(' ');
    const signature = sign(null, Buffer.from(`platform-b_0.${timestamp}.${body}`), ed25519);
    expect(v1a).toBe(`v1a,${signature.toString('base64')}`);
  });

  test("the specification's own library accepts v1 beside it", () => {
    expect(new Webhook(webhookSecret(secret)).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(webhookSecret(Buffer.alloc(32, 8))).verify(body, headers)).toThrow('No matching');
  });

  test("and what that library signs is accepted by us, the specification's example among it", () => {
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    const payload = '{"test": 2432232314}';
    const key = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const signature = new Webhook(key).sign(id, new Date(1_614_265_330_000), payload);
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    const given = { 'webhook-id': id, 'webhook-timestamp': '1614265330', 'webhook-signature': signature };
    expect(verifyWebhook(given, payload, key, { now: new Date(1_614_265_330_000) })).toEqual({ test: 2432232314 });
  });
});

describe('a webhook is accepted', () => {
  test('by the public key or the secret, from Headers or a plain object, as text or bytes', () => {
    expect(verifyWebhook(headers, body, publicKey)).toEqual(JSON.parse(body));
    expect(verifyWebhook(new Headers(headers), Buffer.from(body), publicKey)).toEqual(JSON.parse(body));
    expect(verifyWebhook(headers, body, webhookSecret(secret))).toEqual(JSON.parse(body));
  });

  test('by either key while they rotate', () => {
    const other = webhookKey(randomBytes(32));
    const both = signWebhook(message, [other, { ed25519 }]);
    for (const key of [publicKey, webhookPublicKey(other.ed25519)])
      expect(verifyWebhook(both, body, key)).toBeDefined();
    expect(verifyWebhook(headers, body, [webhookPublicKey(other.ed25519), publicKey])).toBeDefined();
  });
});

describe('a webhook is refused', () => {
  const altered: [string, Record<string, string>, string][] = [
    ['with another body', headers, body.replace('市', '县')],
    ['with another id', { ...headers, 'webhook-id': 'platform-b_1' }, body],
    ['with another time', { ...headers, 'webhook-timestamp': String(timestamp + 1) }, body],
    ['with a time that is none', { ...headers, 'webhook-timestamp': 'now' }, body],
    ['without a signature', { ...headers, 'webhook-signature': '' }, body],
    ['with a cut signature', { ...headers, 'webhook-signature': headers['webhook-signature']!.slice(0, 40) }, body],
    [
      'with its signature under another scheme',
      { ...headers, 'webhook-signature': headers['webhook-signature']!.replace('v1a,', 'v2,').replace(' v1,', ' v3,') },
      body,
    ],
    ['without an id', { ...headers, 'webhook-id': '' }, body],
  ];
  test.each(altered)('%s', (_, given, content) => {
    expect(() => verifyWebhook(given, content, publicKey)).toThrow(refused);
  });

  test('by another key', () => {
    const other = webhookPublicKey(generateKeyPairSync('ed25519').privateKey);
    expect(() => verifyWebhook(headers, body, other)).toThrow(refused);
  });

  test('five minutes later, or from a clock that is ahead', () => {
    expect(verifyWebhook(headers, body, publicKey, later(290))).toBeDefined();
    for (const seconds of [310, -310])
      expect(() => verifyWebhook(headers, body, publicKey, later(seconds))).toThrow(refused);
    expect(verifyWebhook(headers, body, publicKey, { ...later(310), toleranceSeconds: 600 })).toBeDefined();
  });

  test('a key that is none is said at once', () => {
    for (const key of ['', 'whpk_AAAA', 'whsec_AAAA', publicKey.slice(5)])
      expect(() => verifyWebhook(headers, body, key)).toThrow(TypeError);
  });
});
