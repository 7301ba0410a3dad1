import { isCount } from '../text.js';
import { TransparencyLogError } from '../errors.js';
import { signMessage, type SignerKey } from './key.js';
import type { NoteSignature } from './signature-line.js';

const TIME_BYTES = 8;
const ED25519_BYTES = 64;

/** What a witness signs: the time and the whole text of the checkpoint (C2SP tlog-cosignature, Ed25519). */
export function cosignatureMessage(text: string, timeSec: number): string {
  return `cosignature/v1\ntime ${timeSec}\n${text}`;
}

/** The signature line by which a witness says that at this time (seconds since the epoch) it had seen nothing newer of this log. */
export function cosign(text: string, key: SignerKey, timeSec: number): NoteSignature {
  if (key.use !== 'witness')
    throw new TransparencyLogError('MALFORMED_KEY', 'Only a key of a witness cosigns', '只有见证方的密钥可以联署');
  if (!isCount(timeSec)) throw new RangeError('The time is a whole number of seconds since the epoch');
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(timeSec));
  const signature = signMessage(key, cosignatureMessage(text, timeSec));
  return { name: key.name, id: key.id, signature: Buffer.concat([time, signature]) };
}

/** Takes a cosignature apart; undefined if it can't be one. */
export function splitCosignature(bytes: Buffer): { timeSec: number; signature: Buffer } | undefined {
  if (bytes.length !== TIME_BYTES + ED25519_BYTES) return undefined;
  const timeSec = Number(bytes.readBigUInt64BE());
  return isCount(timeSec) ? { timeSec, signature: bytes.subarray(TIME_BYTES) } : undefined;
}
