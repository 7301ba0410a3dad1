const MIB = 1024 * 1024;

/**
 * How much may come in at once, the same over HTTP and in the inbox where both can be asked for it. Lengths of strings and
 * lists are declared with their fields.
 */
export const LIMITS = {
  /** One event, a line of NDJSON, or what an inbox record holds: 500 shops with long addresses fit. */
  eventBytes: 2 * MIB,
  batchEvents: 1_000,
  batchBytes: 64 * MIB,
  /** Any other JSON body. */
  bodyBytes: MIB / 4,
  formBytes: 16 * 1024,
  /** Objects and lists in one another; an event in a batch needs six. */
  nestingDepth: 16,
  /** Values in one event, however small; an event whose entry fits has fewer. */
  eventValues: 20_000,
  batchValues: 1_000_000,
} as const;
