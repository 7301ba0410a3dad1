import { TransparencyLogError } from '../errors.js';
import type { VerifierKey } from '../note/key.js';
import { verifyNote } from '../note/signed-note.js';
import { EMPTY_ROOT } from '../tree/node-hash.js';
import { verifyConsistency } from '../tree/verify.js';
import type { AddCheckpoint } from './add-checkpoint.js';

/** What a witness knows of a log. It must be stored together with the decision, or two requests at once could roll it back. */
export interface WitnessedLog {
  /** The keys that it trusts for the log of this origin. */
  keys: readonly VerifierKey[];
  /** The newest checkpoint that it has cosigned. */
  latest?: { size: number; rootHash: Uint8Array };
}

/**
 * `cosign`: store the size and the root as the newest, then answer 200 with the cosignature. `conflict`: 409 with the size of the
 * newest. `refuse`: `unknownOrigin` 404, `untrustedSignature` 403, `oldSizeTooLarge` 400, `inconsistent` 422 (C2SP tlog-witness).
 * `forked`: the log has signed two trees of one size, which is proof against it.
 */
export type CosignDecision =
  | { decision: 'cosign'; size: number; rootHash: Buffer }
  | { decision: 'conflict'; size: number; forked: boolean }
  | { decision: 'refuse'; because: 'unknownOrigin' | 'untrustedSignature' | 'oldSizeTooLarge' }
  | { decision: 'refuse'; because: 'inconsistent'; forked: boolean };

/** Whether a witness cosigns. `log` is what it knows of `request.checkpoint.origin`: undefined for a log that it doesn't watch. */
export function decideCosign(log: WitnessedLog | undefined, request: AddCheckpoint): CosignDecision {
  const { size, rootHash, origin } = request.checkpoint;
  if (!log) return { decision: 'refuse', because: 'unknownOrigin' };
  if (
    !isSignedBy(
      log.keys.filter(({ name }) => name === origin),
      request,
    )
  ) {
    return { decision: 'refuse', because: 'untrustedSignature' };
  }
  if (request.oldSize > size) return { decision: 'refuse', because: 'oldSizeTooLarge' };
  const latest = log.latest?.size ?? 0;
  const forked = isFork(log, request);
  if (request.oldSize !== latest) return { decision: 'conflict', size: latest, forked };
  if (forked || !isConsistent(log, request)) return { decision: 'refuse', because: 'inconsistent', forked };
  return { decision: 'cosign', size, rootHash };
}

function isSignedBy(keys: readonly VerifierKey[], { note }: AddCheckpoint): boolean {
  return succeeds(() => verifyNote(note, keys));
}

function isFork({ latest }: WitnessedLog, { checkpoint }: AddCheckpoint): boolean {
  return latest?.size === checkpoint.size && Buffer.compare(latest.rootHash, checkpoint.rootHash) !== 0;
}

function isConsistent({ latest }: WitnessedLog, { checkpoint, proof }: AddCheckpoint): boolean {
  if (checkpoint.size === 0 && !checkpoint.rootHash.equals(EMPTY_ROOT)) return false;
  // Every tree starts with the empty one: there is nothing to prove, and nothing to send.
  if (!latest || latest.size === 0) return proof.length === 0;
  const { size: size1, rootHash: root1 } = latest;
  const { size: size2, rootHash: root2 } = checkpoint;
  return succeeds(() => verifyConsistency({ size1, root1, size2, root2, proof }));
}

function succeeds(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof TransparencyLogError) return false;
    throw error;
  }
}
