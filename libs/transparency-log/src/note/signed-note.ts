import { TransparencyLogError } from '../errors.js';
import { decodeText } from '../text.js';
import { cosignatureMessage, splitCosignature } from './cosignature.js';
import { isSameKey, isSignatureOf, signMessage, type SignerKey, type VerifierKey } from './key.js';
import { formatSignatureLine, parseSignatureLines, type NoteSignature } from './signature-line.js';

const NOTE_BYTES_MAX = 256 * 1024;

/** A text and who is said to have signed it (C2SP signed-note). */
export interface SignedNote {
  /** Ends in a newline; part of what was signed. */
  text: string;
  signatures: NoteSignature[];
}

/** A signature that was verified. */
export interface VerifiedSignature {
  key: VerifierKey;
  signature: NoteSignature;
  /** Of a witness: when it cosigned, in seconds since the epoch. */
  timeSec?: number;
}

/** Reads a note; MALFORMED_NOTE unless it has at least one signature line and keeps the limits. Nothing of it is trusted yet. */
export function parseNote(note: Uint8Array | string): SignedNote {
  const all = decodeText(note, NOTE_BYTES_MAX, 'MALFORMED_NOTE');
  const end = all.lastIndexOf('\n\n');
  if (end < 0) throw malformed('No empty line divides the text from the signatures', '文本与签名之间缺少空行');
  return { text: all.slice(0, end + 1), signatures: parseSignatureLines(all.slice(end + 2)) };
}

export function formatNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`;
}

/** Signs a text, which must end in a newline, as a log does. */
export function signNote(text: string, key: SignerKey): string {
  const sound = decodeText(text, NOTE_BYTES_MAX, 'MALFORMED_NOTE');
  if (!sound.endsWith('\n')) throw malformed('The text does not end in a newline', '文本未以换行结尾');
  if (key.use !== 'log')
    throw new TransparencyLogError(
      'MALFORMED_KEY',
      "A witness's key signs no notes of its own",
      '见证方的密钥不能签署自己的文本',
    );
  return formatNote({ text, signatures: [{ name: key.name, id: key.id, signature: signMessage(key, text) }] });
}

/**
 * The signatures of trusted keys, each key once; lines of other keys are passed over. INVALID_SIGNATURE if a trusted key's line is
 * not true, UNTRUSTED_SIGNATURE if there is none.
 */
export function verifyNote({ text, signatures }: SignedNote, keys: readonly VerifierKey[]): VerifiedSignature[] {
  const verified: VerifiedSignature[] = [];
  for (const signature of signatures) {
    const key = keys.find((known) => isSameKey(known, signature));
    if (!key || verified.some((other) => isSameKey(other.key, key))) continue;
    verified.push({ key, signature, ...verifySignature(text, key, signature) });
  }
  if (verified.length === 0)
    throw new TransparencyLogError('UNTRUSTED_SIGNATURE', 'No trusted key has signed', '没有受信任密钥的签名');
  return verified;
}

function verifySignature(text: string, key: VerifierKey, { signature }: NoteSignature): { timeSec?: number } {
  const invalid = new TransparencyLogError(
    'INVALID_SIGNATURE',
    `The signature of ${key.name} is not true`,
    `${key.name} 的签名不成立`,
  );
  if (key.use === 'log') {
    if (!isSignatureOf(key, text, signature)) throw invalid;
    return {};
  }
  const parts = splitCosignature(signature);
  if (!parts || !isSignatureOf(key, cosignatureMessage(text, parts.timeSec), parts.signature)) throw invalid;
  return { timeSec: parts.timeSec };
}

const malformed = (message: string, messageZh: string) =>
  new TransparencyLogError('MALFORMED_NOTE', message, messageZh);
