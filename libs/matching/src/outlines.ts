import { holdersOf, marksOf, type Outline } from '@liandun/identity';

const HASH_BITS = 48;
/** A blind index's token in short. Enough for a bucket of some hundred: what falls together is opened. */
export const shortOf = (token: string): string => BigInt.asUintN(HASH_BITS, BigInt(token)).toString(36);

const LETTERS = ['u', 'r', 'i', 'n'] as const;
const FIELDS = { u: 'uscc', r: 'usccRepaired', i: 'residentId', n: 'name' } as const;

/** `l` or `p` by its kind, `b` of a branch, then what there is, each behind its letter: `l u3k2j n8fd1`. */
export const textOfOutline = (outline: Outline): string =>
  [
    outline.isBranch ? 'b' : outline.kind === 'legal' ? 'l' : 'p',
    ...LETTERS.flatMap((letter) => {
      const value = outline[FIELDS[letter]];
      return value === undefined ? [] : [`${letter}${value}`];
    }),
  ].join(' ');

/** A record under a key. */
export interface Held {
  position: number;
  outline: Outline;
}

/** `position outline,position outline`, as PostgreSQL puts them together. */
export const heldOf = (text: string): Held[] =>
  text.split(',').map((one) => {
    const [position, kind, ...values] = one.split(' ');
    const outline: Outline = {
      kind: kind === 'p' ? 'person' : 'legal',
      isBranch: kind === 'b',
      uscc: undefined,
      usccRepaired: undefined,
      residentId: undefined,
      name: undefined,
    };
    for (const value of values) outline[FIELDS[value[0] as (typeof LETTERS)[number]]] = value.slice(1);
    return { position: Number(position), outline };
  });

/** How many hold a key. */
export const countOf = (held: readonly Held[]): number =>
  held.length < 2 ? held.length : holdersOf(held.map(({ outline }) => marksOf(outline)));

/** How many hold a key, by `position outline` of its records with commas between. */
export const holdersUnder = (held: string): number => countOf(heldOf(held));
