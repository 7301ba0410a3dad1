// Ids come from the log (docs/decisions/0001): whoever has the entry can make them.

/** The id of the listing that an entry makes: its position and the first 48 bits of its leaf hash. */
export const listingIdOf = (event: { position: number; leafHash: Buffer }): string =>
  `L${event.position}-${event.leafHash.toString('hex', 0, 6)}`;

/** The id of the entity that an observation founds. */
export const entityIdOf = (event: { position: number; leafHash: Buffer }): string =>
  `E${event.position}-${event.leafHash.toString('hex', 0, 6)}`;
