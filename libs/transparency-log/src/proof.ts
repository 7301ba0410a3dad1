import { openCheckpoint, type OpenedCheckpoint } from './checkpoint.js';
import { TransparencyLogError } from './errors.js';
import { requireQuorum, type TrustPolicy } from './policy.js';
import { decodeText, parseBase64, parseCount, parseHash } from './text.js';
import { PROOF_HASHES_MAX, verifyInclusion } from './tree/verify.js';

const HEADER = 'c2sp.org/tlog-proof@v1';
const PROOF_BYTES_MAX = 512 * 1024;

/** That an entry is in a log, for somebody who can't reach the log (C2SP tlog-proof). */
export interface LogProof {
  /** The entry's position. */
  index: number;
  /** Its inclusion proof in the tree of the checkpoint, from the leaf's sibling up. */
  hashes: Buffer[];
  /** The signed checkpoint with its cosignatures, as it was published. */
  checkpoint: string;
  /** Nobody has signed this. */
  extra?: Buffer;
}

export function formatProof({ index, hashes, checkpoint, extra }: LogProof): string {
  return [
    HEADER,
    ...(extra ? [`extra ${extra.toString('base64')}`] : []),
    `index ${index}`,
    ...hashes.map((hash) => hash.toString('base64')),
    '',
    checkpoint,
  ].join('\n');
}

/** Reads a proof; MALFORMED_PROOF. Nothing of it is trusted yet, nor is the checkpoint read. */
export function parseProof(proof: Uint8Array | string): LogProof {
  const text = decodeText(proof, PROOF_BYTES_MAX, 'MALFORMED_PROOF');
  const end = text.indexOf('\n\n');
  const [header, ...lines] = text.slice(0, Math.max(end, 0)).split('\n', PROOF_HASHES_MAX + 4);
  const extra = lines[0]?.startsWith('extra ') ? lines.shift()!.slice('extra '.length) : undefined;
  const index = lines.shift();
  if (header !== HEADER || !index?.startsWith('index ') || lines.length > PROOF_HASHES_MAX) {
    throw new TransparencyLogError(
      'MALFORMED_PROOF',
      'Not a C2SP tlog-proof of version 1',
      '不是 C2SP tlog-proof 第 1 版',
    );
  }
  return {
    index: parseCount(index.slice('index '.length), 'MALFORMED_PROOF'),
    hashes: lines.map((line) => parseHash(line, 'MALFORMED_PROOF')),
    checkpoint: text.slice(end + 2),
    ...(extra !== undefined && { extra: parseBase64(extra, 'MALFORMED_PROOF') }),
  };
}

/**
 * Returns the checkpoint if the policy accepts it and the leaf is in its tree at the proof's index, and throws what is wrong
 * otherwise. The index is then true, the extra data are not.
 */
export function verifyProof(
  { index, hashes, checkpoint }: LogProof,
  leafHash: Uint8Array,
  policy: TrustPolicy,
): OpenedCheckpoint {
  const opened = openCheckpoint(checkpoint, { logs: policy.logs, witnesses: [...policy.witnesses.values()] });
  requireQuorum(policy, opened.signatures);
  verifyInclusion({ index, size: opened.size, root: opened.rootHash, leafHash, proof: hashes });
  return opened;
}
