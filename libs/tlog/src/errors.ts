/**
 * Why the log is not continued. `ENTRY_CHANGED`: an entry is not what it was when it was accepted. `POSITION_MISSING`: the entry to
 * hash next is not there. The others are about the published checkpoints, and end signing until a person has looked:
 * `PUBLISHED_AHEAD`: the database holds less than was published. `PUBLISHED_FORKED`: it holds other entries than were published.
 * `COPY_MISSING`: no copy outside the database is there to compare with. `COPY_UNREADABLE`: a copy is damaged or of another log.
 */
export type TlogErrorCode =
  'ENTRY_CHANGED' | 'POSITION_MISSING' | 'PUBLISHED_AHEAD' | 'PUBLISHED_FORKED' | 'COPY_MISSING' | 'COPY_UNREADABLE';

export class TlogError extends Error {
  override readonly name = 'TlogError';

  constructor(
    readonly code: TlogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
