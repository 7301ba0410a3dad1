// Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme"). Its own
// JavaScript library knows the symmetric scheme only, so the asymmetric one is here.
import {
  createHmac,
  createPrivateKey,
  hkdfSync,
  createPublicKey,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto';
import type { CloudEvent } from '@liandun/contracts';
import { LiandunError } from './errors.js';

const TOLERANCE_SECONDS = 300;
/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in DER. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SYMMETRIC = 'whsec_';
const PUBLIC = 'whpk_';
const SIGNATURES_MAX = 16;

/** What a receiver can be given: `v1a` needs only the public key, `v1` the shared secret. */
export interface WebhookKey {
  ed25519: KeyObject;
  /** HMAC-SHA256, 24 to 64 bytes. */
  secret?: Buffer;
}

/** The Ed25519 private key whose seed these 32 bytes are (RFC 8032). */
const webhookPrivateKey = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });

/** Both schemes from one secret of 32 bytes: whoever knows the symmetric key, which receivers share, can't make the Ed25519 signature. */
export const webhookKey = (seed: Buffer): Required<WebhookKey> => ({
  ed25519: webhookPrivateKey(seed),
  secret: Buffer.from(hkdfSync('sha256', seed, '', 'liandun webhook v1', 32)),
});

/** `whpk_…`, as receivers are given it. */
export const webhookPublicKey = (key: KeyObject): string =>
  PUBLIC + createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length).toString('base64');

/** `whsec_…`, for receivers whose library knows only the symmetric scheme. */
export const webhookSecret = (secret: Buffer): string => SYMMETRIC + secret.toString('base64');

/** What is sent: its id, which every attempt repeats, the time of this attempt in seconds since 1970, and the very bytes of the body. */
export interface WebhookMessage {
  id: string;
  timestamp: number;
  body: string;
}

const signedText = ({ id, timestamp, body }: { id: string; timestamp: number | string; body: string }): Buffer =>
  Buffer.from(`${id}.${timestamp}.${body}`);

const hmac = (secret: Buffer, text: Buffer): Buffer => createHmac('sha256', secret).update(text).digest();

/** The three headers, signed by every key that is live: receivers accept a message if one of the signatures fits. */
export function signWebhook(message: WebhookMessage, keys: readonly WebhookKey[]): Record<string, string> {
  const text = signedText(message);
  const signatures = keys.flatMap(({ ed25519, secret }) => [
    `v1a,${sign(null, text, ed25519).toString('base64')}`,
    ...(secret ? [`v1,${hmac(secret, text).toString('base64')}`] : []),
  ]);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestamp),
    'webhook-signature': signatures.join(' '),
  };
}

type Check = (scheme: string, signature: Buffer, text: Buffer) => boolean;

function checkOf(key: string): Check {
  if (key.startsWith(PUBLIC)) {
    const raw = Buffer.from(key.slice(PUBLIC.length), 'base64');
    if (raw.length !== 32) throw new TypeError('A public key is whpk_ and 32 bytes in base64');
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
    return (scheme, signature, text) => scheme === 'v1a' && verify(null, text, publicKey, signature);
  }
  if (!key.startsWith(SYMMETRIC)) throw new TypeError('Give a key as the ledger gave it: whpk_… or whsec_…');
  const secret = Buffer.from(key.slice(SYMMETRIC.length), 'base64');
  if (secret.length < 24) throw new TypeError('A secret is whsec_ and at least 24 bytes in base64');
  return (scheme, signature, text) =>
    scheme === 'v1' && signature.length === 32 && timingSafeEqual(signature, hmac(secret, text));
}

type HeaderMap = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

function headerOf(headers: HeaderMap, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new LiandunError('WEBHOOK_REFUSED', `The header ${name} is missing: this is no webhook of the ledger`);
}

export interface VerifyOptions {
  /** How far the attempt's time may lie from this clock; 300 unless told. */
  toleranceSeconds?: number;
  /** This clock; the machine's unless told. */
  now?: Date;
}

/**
 * The CloudEvent in a webhook of the ledger. `headers` with names in small letters, as Node gives them; `body`: the very bytes that came,
 * before anything parsed them; `keys`: `whpk_…` (or `whsec_…`), all that are live while they rotate. Throws LiandunError WEBHOOK_REFUSED
 * where no signature is by one of the keys or the attempt is too old, which a replayed request is; repeats within that time are told
 * apart by `webhook-id`, which is the same for every attempt.
 */
export function verifyWebhook<T = object>(
  headers: HeaderMap,
  body: string | Uint8Array,
  keys: string | readonly string[],
  { toleranceSeconds = TOLERANCE_SECONDS, now = new Date() }: VerifyOptions = {},
): CloudEvent<T> {
  const checks = [keys].flat().map(checkOf);
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const given = headerOf(headers, 'webhook-signature').split(' ');
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(now.getTime() / 1000 - Number(timestamp)) > toleranceSeconds)
    throw new LiandunError('WEBHOOK_REFUSED', 'The webhook is too old, or the clock is wrong: set it by NTP');
  const content = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  const text = signedText({ id, timestamp, body: content });
  const signed = given.slice(0, SIGNATURES_MAX).some((each) => {
    const [scheme = '', signature = ''] = each.split(',');
    return checks.some((check) => check(scheme, Buffer.from(signature, 'base64'), text));
  });
  if (!signed)
    throw new LiandunError(
      'WEBHOOK_REFUSED',
      'No signature is by a key that is known: see publicKeys at GET /v1/webhook',
    );
  return JSON.parse(content) as CloudEvent<T>;
}
