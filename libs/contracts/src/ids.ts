// Ids come from the log (docs/decisions/0001): whoever has the entry can make them.

/** The id of the listing that an entry makes: its position and the first 48 bits of its leaf hash. */
export const listingIdOf = (event: { position: number; leafHash: Buffer }): string =>
  `L${event.position}-${event.leafHash.toString('hex', 0, 6)}`;

/**
 * One key for the ways in which the number of an official decision is written: full-width or half-width, with whatever
 * brackets and dashes.
 */
export const decisionKey = (decisionNo: string): string =>
  decisionNo
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[〔［【[]/gu, '(')
    .replaceAll(/[〕］】\]]/gu, ')')
    .replaceAll(/[—–－]/gu, '-');

/**
 * Who comes to Kafka with a token: the token's `sub`. Each key of a member is a principal of its own, so that the stop of one
 * ends what was given for it and leaves the member's others alone. Neither part holds a slash.
 */
export const kafkaPrincipal = (memberId: string, kid: string): string => `${memberId}/${kid}`;
