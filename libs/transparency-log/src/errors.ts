/** What can be wrong with a log, a proof or what is said about them. Closed: a code keeps its meaning. */
export type TransparencyLogErrorCode =
  // Text or bytes that don't have the form of their standard, or pass its limits.
  | 'MALFORMED_KEY'
  | 'MALFORMED_NOTE'
  | 'MALFORMED_CHECKPOINT'
  | 'MALFORMED_PROOF'
  | 'MALFORMED_TILE'
  | 'MALFORMED_TILE_PATH'
  | 'MALFORMED_REQUEST'
  | 'MALFORMED_POLICY'
  /** An index or a size that the tree doesn't have. */
  | 'OUTSIDE_TREE'
  /** None of the trusted keys has signed. */
  | 'UNTRUSTED_SIGNATURE'
  /** A line says that it is by a trusted key, and isn't. */
  | 'INVALID_SIGNATURE'
  /** The checkpoint is of another log. */
  | 'WRONG_ORIGIN'
  /** Fewer witnesses have cosigned than the policy asks for. */
  | 'QUORUM_NOT_REACHED'
  /** The proof doesn't lead from the leaf to the root. */
  | 'NOT_INCLUDED'
  /** The proof doesn't lead from the older root to the newer one. */
  | 'NOT_CONSISTENT'
  /** A tile is not what the entries hash to. */
  | 'TILE_MISMATCH'
  /** The entries and tiles hash to another root than the checkpoint says. */
  | 'ROOT_MISMATCH';

export class TransparencyLogError extends Error {
  override readonly name = 'TransparencyLogError';

  constructor(
    readonly code: TransparencyLogErrorCode,
    message: string,
    /** The same in Chinese. */
    readonly messageZh: string,
  ) {
    super(message);
  }
}
