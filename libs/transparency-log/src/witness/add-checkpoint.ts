import { TransparencyLogError } from '../errors.js';
import { parseCheckpoint, type Checkpoint } from '../checkpoint.js';
import { formatNote, parseNote, type SignedNote } from '../note/signed-note.js';
import { decodeText, parseCount, parseHash } from '../text.js';
import { PROOF_HASHES_MAX } from '../tree/verify.js';

const REQUEST_BYTES_MAX = 512 * 1024;

/** What a log asks of a witness (C2SP tlog-witness, add-checkpoint). */
export interface AddCheckpoint {
  /** The size of the newest checkpoint that the log believes the witness to have cosigned; 0 for none. */
  oldSize: number;
  /** From there to the checkpoint. */
  proof: Buffer[];
  checkpoint: Checkpoint;
  note: SignedNote;
}

export function formatAddCheckpoint({ oldSize, proof, note }: Omit<AddCheckpoint, 'checkpoint'>): string {
  return [`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64')), '', formatNote(note)].join('\n');
}

/** Reads a request's body; MALFORMED_REQUEST, MALFORMED_NOTE or MALFORMED_CHECKPOINT (HTTP 400). Nothing of it is trusted yet. */
export function parseAddCheckpoint(body: Uint8Array | string): AddCheckpoint {
  const text = decodeText(body, REQUEST_BYTES_MAX, 'MALFORMED_REQUEST');
  const end = text.indexOf('\n\n');
  const [old, ...lines] = text.slice(0, Math.max(end, 0)).split('\n', PROOF_HASHES_MAX + 2);
  if (!old?.startsWith('old ') || lines.length > PROOF_HASHES_MAX) {
    throw new TransparencyLogError('MALFORMED_REQUEST', 'Not an add-checkpoint request', '不是 add-checkpoint 请求');
  }
  const note = parseNote(text.slice(end + 2));
  return {
    oldSize: parseCount(old.slice('old '.length), 'MALFORMED_REQUEST'),
    proof: lines.map((line) => parseHash(line, 'MALFORMED_REQUEST')),
    checkpoint: parseCheckpoint(note.text),
    note,
  };
}

/** The body of the answer "409 Conflict", of type `text/x.tlog.size`: the size of the newest checkpoint that was cosigned. */
export const formatConflict = (size: number): string => `${size}\n`;

/** Reads the body of the answer "409 Conflict"; MALFORMED_REQUEST. */
export function parseConflict(body: Uint8Array | string): number {
  const text = decodeText(body, 32, 'MALFORMED_REQUEST');
  return parseCount(text.endsWith('\n') ? text.slice(0, -1) : '', 'MALFORMED_REQUEST');
}
