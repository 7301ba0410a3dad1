/**
 * Why the log is not continued. `ENTRY_CHANGED`: an entry is not what it was when it was accepted. `POSITION_MISSING`: the entry to
 * hash next is not there. The others are about the published checkpoints, and end signing until a person has looked:
 * `PUBLISHED_AHEAD`: the database holds less than was published. `PUBLISHED_FORKED`: it holds other entries than were published.
 * `COPY_MISSING`: no copy outside the database is there to compare with. `COPY_UNREADABLE`: a copy is damaged or of another log.
 * `WITNESS_AHEAD`, `WITNESS_FORKED`: the same as the published ones, found by the witnesses.
 */
export type TlogErrorCode =
  | 'ENTRY_CHANGED'
  | 'POSITION_MISSING'
  | 'PUBLISHED_AHEAD'
  | 'PUBLISHED_FORKED'
  | 'COPY_MISSING'
  | 'COPY_UNREADABLE'
  | 'WITNESS_AHEAD'
  | 'WITNESS_FORKED';

export class TlogError extends Error {
  override readonly name = 'TlogError';
  /** The message in Chinese, where it is for the operator. */
  readonly messageZh: string;

  constructor(
    readonly code: TlogErrorCode,
    message: string,
    { messageZh = message, ...options }: ErrorOptions & { messageZh?: string } = {},
  ) {
    super(message, options);
    this.messageZh = messageZh;
  }
}
