import { TransparencyLogError } from './errors.js';
import type { VerifierKey } from './note/key.js';
import { parseNote, verifyNote, type SignedNote, type VerifiedSignature } from './note/signed-note.js';
import { parseCount, parseHash } from './text.js';

/** The state of a log (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Which log it is. */
  origin: string;
  size: number;
  rootHash: Buffer;
  /** Lines that other logs may add; ours has none. */
  extensions: string[];
}

/** The text that a log signs. */
export function formatCheckpoint({ origin, size, rootHash }: Omit<Checkpoint, 'extensions'>): string {
  return `${origin}\n${size}\n${rootHash.toString('base64')}\n`;
}

/** Reads the text of a checkpoint; MALFORMED_CHECKPOINT. Nothing of it is trusted yet. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin, size, rootHash, ...extensions] = lines.slice(0, -1);
  if (lines.at(-1) !== '' || !origin || size === undefined || rootHash === undefined || extensions.includes('')) {
    throw new TransparencyLogError('MALFORMED_CHECKPOINT', 'Not the text of a checkpoint', '不是检查点的文本');
  }
  return {
    origin,
    size: parseCount(size, 'MALFORMED_CHECKPOINT'),
    rootHash: parseHash(rootHash, 'MALFORMED_CHECKPOINT'),
    extensions,
  };
}

/** A checkpoint whose signature by the log was verified. */
export interface OpenedCheckpoint extends Checkpoint {
  note: SignedNote;
  /** By the log, and by those of the trusted witnesses who have cosigned. */
  signatures: VerifiedSignature[];
}

/** Who is trusted: the keys of one log or of several, and the witnesses whose cosignatures count. */
export interface TrustedKeys {
  logs: readonly VerifierKey[];
  witnesses?: readonly VerifierKey[];
}

/**
 * Reads a checkpoint that one of these logs has signed. UNTRUSTED_SIGNATURE if none has, WRONG_ORIGIN if it names another log than
 * the one that signed, INVALID_SIGNATURE if any trusted key's line isn't true; MALFORMED_NOTE, MALFORMED_CHECKPOINT.
 */
export function openCheckpoint(signed: Uint8Array | string, { logs, witnesses = [] }: TrustedKeys): OpenedCheckpoint {
  const note = parseNote(signed);
  const signatures = verifyNote(note, [...logs, ...witnesses]);
  const signers = signatures.filter(({ key }) => logs.includes(key));
  if (signers.length === 0)
    throw new TransparencyLogError('UNTRUSTED_SIGNATURE', 'No trusted log has signed', '没有受信任日志的签名');
  const checkpoint = parseCheckpoint(note.text);
  if (!signers.some(({ key }) => key.name === checkpoint.origin)) {
    throw new TransparencyLogError(
      'WRONG_ORIGIN',
      'The checkpoint names another log than the one that signed',
      '检查点所载日志与签名的日志不同',
    );
  }
  return { ...checkpoint, note, signatures };
}
