import { createPrivateKey, createPublicKey, hash, sign, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import { TransparencyLogError } from '../errors.js';
import { parseBase64 } from '../text.js';

/**
 * What a key signs (C2SP signed-note, signature types): `log` is 0x01, the note's text; `witness` is 0x04, a cosignature/v1, whose
 * signature holds its time (C2SP tlog-cosignature).
 */
export type KeyUse = 'log' | 'witness';

const TYPE_BYTES: Record<KeyUse, number> = { log: 1, witness: 4 };
const SEED_BYTES = 32;
const KEY_BYTES = 32;
const TEXT_LENGTH_MAX = 1024;

/** A key that is trusted. Its name and id together say which one it is; the id alone is too short for that. */
export interface VerifierKey {
  name: string;
  /** The first 4 bytes of a hash over the name, the type and the key. */
  id: number;
  use: KeyUse;
  key: KeyObject;
}

/** A key that signs. */
export interface SignerKey extends VerifierKey {
  privateKey: KeyObject;
}

/** Not empty, no space, no plus (C2SP signed-note, format). */
export function isKeyName(name: string): boolean {
  return (
    name.length > 0 && name.length <= TEXT_LENGTH_MAX && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name)
  );
}

/** Reads a vkey, `<name>+<id>+<base 64 of type and key>`; MALFORMED_KEY unless its parts belong together. */
export function parseVerifierKey(vkey: string): VerifierKey {
  const { name, idText, use, bytes } = parseParts(vkey, '');
  const key = verifierKey(name, use, publicKey(bytes));
  if (idText !== idHex(key)) throw malformed('The id does not belong to the name and the key', '编号与名称、密钥不符');
  return key;
}

/** Reads a signing key, `PRIVATE+KEY+<name>+<id>+<base 64 of type and seed>`; MALFORMED_KEY as above. It says nothing of the text. */
export function parseSignerKey(skey: string): SignerKey {
  const { name, idText, use, bytes } = parseParts(skey, 'PRIVATE+KEY+');
  const key = signerKey(name, use, bytes);
  if (idText !== idHex(key)) throw malformed('The id does not belong to the name and the key', '编号与名称、密钥不符');
  return key;
}

/** A signing key from an Ed25519 private JWK (RFC 8037) whose `kid` is its name. */
export function signerKeyFromJwk(jwk: JsonWebKey & { kid?: string }, use: KeyUse): SignerKey {
  const seed = typeof jwk.d === 'string' ? Buffer.from(jwk.d, 'base64url') : undefined;
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || seed?.length !== SEED_BYTES) {
    throw malformed('Not an Ed25519 private JWK', '不是 Ed25519 私钥（JWK）');
  }
  return signerKey(jwk.kid ?? '', use, seed);
}

/** The text of a key that may be shown to everybody. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${idHex(key)}+${typedKey(key).toString('base64')}`;
}

/** The Ed25519 signature over a message, 64 bytes. */
export function signMessage(key: SignerKey, message: string): Buffer {
  return sign(null, Buffer.from(message), key.privateKey);
}

export function isSignatureOf(key: VerifierKey, message: string, signature: Uint8Array): boolean {
  return verify(null, Buffer.from(message), key.key, signature);
}

export const isSameKey = (a: Pick<VerifierKey, 'name' | 'id'>, b: Pick<VerifierKey, 'name' | 'id'>): boolean =>
  a.name === b.name && a.id === b.id;

function parseParts(text: string, prefix: string): { name: string; idText: string; use: KeyUse; bytes: Buffer } {
  const parts = text.length <= TEXT_LENGTH_MAX && text.startsWith(prefix) ? text.slice(prefix.length) : '';
  // Base 64 may hold a plus, a name may not.
  const [, name = '', idText = '', material = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(parts) ?? [];
  const bytes = parseBase64(material, 'MALFORMED_KEY');
  const use = (Object.keys(TYPE_BYTES) as KeyUse[]).find((known) => TYPE_BYTES[known] === bytes[0]);
  if (!use || bytes.length !== 1 + KEY_BYTES)
    throw malformed('Not an Ed25519 key of a log or a witness', '不是日志或见证方的 Ed25519 公钥');
  return { name, idText, use, bytes: bytes.subarray(1) };
}

function verifierKey(name: string, use: KeyUse, key: KeyObject): VerifierKey {
  if (!isKeyName(name))
    throw malformed(
      'A key name is not empty and has neither spaces nor a plus',
      '密钥名称不能为空，且不能含空格或加号',
    );
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typedKey({ use, key })]), 'buffer').readUInt32BE();
  return { name, id, use, key };
}

function signerKey(name: string, use: KeyUse, seed: Uint8Array): SignerKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  return { ...verifierKey(name, use, createPublicKey(privateKey)), privateKey };
}

/** The DER of an Ed25519 private key up to its seed (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

function publicKey(bytes: Buffer): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });
}

function typedKey({ use, key }: Pick<VerifierKey, 'use' | 'key'>): Buffer {
  return Buffer.concat([Buffer.of(TYPE_BYTES[use]), Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')]);
}

const idHex = ({ id }: VerifierKey): string => id.toString(16).padStart(8, '0');
const malformed = (message: string, messageZh: string) => new TransparencyLogError('MALFORMED_KEY', message, messageZh);
