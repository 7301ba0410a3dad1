import { CORE_CHARACTERS, GIVEN_CHARACTERS, OTHER_BITS, SURNAMES } from '../../data/rarity-1.js';

const bitsOf = (table: Record<number, string>): Map<string, number> =>
  new Map(
    Object.entries(table).flatMap(([bits, characters]) =>
      Array.from(characters, (character) => [character, Number(bits)] as const),
    ),
  );

const core = bitsOf(CORE_CHARACTERS);
const surnames = bitsOf(SURNAMES);
const given = bitsOf(GIVEN_CHARACTERS);

/** Characters of a name go together: each tells less than it would alone. */
const TOGETHER = 0.8;
const TRADE_BITS = 1.5;

function sum(text: string, table: Map<string, number>): number {
  let bits = 0;
  for (const character of text) bits += table.get(character) ?? OTHER_BITS;
  return bits;
}

/** How rare a firm's name is, in bits: the characters of its core, and a little for each of its trade words. */
export const nameBits = (coreText: string, trade: string): number =>
  TOGETHER * sum(coreText.slice(0, 8), core) + TRADE_BITS * Math.min(4, trade.length);

/** How rare a person's name is, in bits. Of a spelled name little is known. */
export const personBits = (surname: string, givenName: string): number =>
  /[a-z]/.test(givenName + surname)
    ? 9
    : sum(surname.slice(0, 1), surnames) * (surname.length > 1 ? 1.2 : 1) +
      TOGETHER * sum(givenName.slice(0, 2), given);
