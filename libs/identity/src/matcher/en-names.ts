import { distance } from 'fastest-levenshtein';
import { NICKNAMES } from '../../data/nicknames-en.js';
import { GIVEN_NAMES_EN, OTHER_GIVEN_BITS, OTHER_SURNAME_BITS, SURNAMES_EN } from '../../data/rarity-en-1.js';
import type { EnglishName } from './en-features.js';

const bitsOf = (table: Record<number, string>): Map<string, number> =>
  new Map(
    Object.entries(table).flatMap(([bits, names]) => names.split(' ').map((name) => [name, Number(bits)] as const)),
  );
const surnameBits = bitsOf(SURNAMES_EN);
const givenBits = bitsOf(GIVEN_NAMES_EN);

/** The names that a short name stands for. */
const wholes = new Map<string, string[]>();
for (const line of NICKNAMES.trim().split('\n')) {
  const [whole = '', ...shorts] = line.split(' ');
  for (const short of shorts) wholes.set(short, [...(wholes.get(short) ?? []), whole]);
}

/** The commonest whole name that a given name stands for; itself, where it is one. */
export function wholeName(given: string): string {
  const candidates = wholes.get(given) ?? [];
  const best = candidates.toSorted((a, b) => bitsOfGiven(a) - bitsOfGiven(b) || (a < b ? -1 : 1))[0];
  return best !== undefined && bitsOfGiven(best) < bitsOfGiven(given) ? best : given;
}
const bitsOfGiven = (name: string): number => givenBits.get(name) ?? OTHER_GIVEN_BITS;

/** Whether one is the other's short name, or both are short for one. */
function nicknames(a: string, b: string): boolean {
  const [x, y] = [wholes.get(a), wholes.get(b)];
  return (x?.includes(b) || y?.includes(a) || (x && y && x.some((whole) => y.includes(whole)))) ?? false;
}

/** What is left of a word when vowels, doubled letters and spellings of one sound are put aside. */
export const soundOf = (word: string): string =>
  word
    .replaceAll('ph', 'f')
    .replaceAll('x', 'ks')
    .replaceAll(/gh|ck|q|c(?![eiyh])/g, 'k')
    .replaceAll(/[sc](?=[eiy])|z/g, 's')
    .replaceAll(/j/g, 'g')
    .replaceAll(/[aeiouyhw]/g, (letter, at: number) => (at === 0 ? letter : ''))
    .replaceAll(/(.)\1+/g, '$1');

const consonantsOf = (word: string): string => word.replaceAll(/[aeiouyhw]/g, '').replaceAll(/(.)\1+/g, '$1');

function transposed(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (a[i] === b[i]) i++;
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

/** One slip in four letters or more, two in eight or more; an adjacent transposition is one. */
export function slipped(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  if (length < 3 || Math.abs(a.length - b.length) > 2) return false;
  return distance(a, b) <= (length >= 8 ? 2 : length >= 4 ? 1 : 0) || transposed(a, b);
}

type Likeness = 'equal' | 'alike' | 'initial' | 'different';

function likeness(a: string, b: string, consonants: boolean): Likeness {
  if (a === b) return 'equal';
  if (a.length === 1 || b.length === 1) return a[0] === b[0] ? 'initial' : 'different';
  if (nicknames(a, b) || (consonants && consonantsOf(a) === consonantsOf(b))) return 'alike';
  if (a.length >= 4 && b.length >= 4 && soundOf(a) === soundOf(b)) return 'alike';
  // Mary and Mark are two names, not one with a slip.
  return slipped(a, b) && !(givenBits.has(a) && givenBits.has(b)) ? 'alike' : 'different';
}

const agrees = (found: Likeness): boolean => found === 'equal' || found === 'alike';
/** About four names resemble a name: agreement of that kind tells so much less. */
const ALIKE_BITS = 2;
/** Names of one person go together (families reuse them): each tells less than it would alone. */
const TOGETHER = 0.8;
const INITIAL_BITS = 3;
/** Of an agreeing middle name or title. */
const REST_BITS = 6;

export interface NameAgreement {
  /** Of the given name, the surname and what is between: `equal`, `alike`, `initial`, `elsewhere`, `different`, `none`. */
  level: string;
  /** How rare the agreeing parts are. */
  rarity: number;
  /** One surname, with what the given names say of it. */
  sameSurname: boolean;
  otherGiven: boolean;
}

/** How a part compares with the other name's part in its place or, failing that, anywhere. */
function part(own: string, theirs: string, ownAll: readonly string[], theirAll: readonly string[], c: boolean): string {
  if (own === '' || theirs === '') return 'none';
  const found = likeness(own, theirs, c);
  if (found !== 'different') return found;
  const moved =
    theirAll.some((other) => agrees(likeness(own, other, c))) ||
    ownAll.some((other) => agrees(likeness(theirs, other, c)));
  return moved ? 'elsewhere' : 'different';
}

function between(a: EnglishName, b: EnglishName): string {
  if (a.rest.length === 0 || b.rest.length === 0) return 'none';
  let best: Likeness = 'different';
  for (const x of a.rest)
    for (const y of b.rest) {
      const found = likeness(x, y, false);
      if (agrees(found)) return 'equal';
      if (found === 'initial') best = found;
    }
  return best;
}

const rarer = (x: string, y: string, table: Map<string, number>, other: number): number =>
  Math.min(table.get(x) ?? other, table.get(y) ?? other);

function bitsAt(level: string, bits: number): number {
  if (level === 'equal') return bits;
  if (level === 'initial') return INITIAL_BITS;
  return level === 'alike' || level === 'elsewhere' ? Math.max(0, bits - ALIKE_BITS) : 0;
}

/** Xiuying, written as Xiu Ying. */
const written = (a: EnglishName, b: EnglishName): boolean =>
  b.rest.length > 0 && a.given === b.given + (b.rest[0] ?? '');

/** Given name and surname in each other's place. */
function turned(a: EnglishName, b: EnglishName): boolean {
  if (a.given === '' || b.given === '' || a.surname === '' || b.surname === '') return false;
  return agrees(likeness(a.given, b.surname, false)) && agrees(likeness(a.surname, b.given, false));
}

/** Compares two persons' names: symmetric. */
export function compareEnglishNames(a: EnglishName, b: EnglishName): NameAgreement {
  const consonants = Boolean(a.consonants ?? b.consonants);
  const spaced = a.given !== b.given && (written(a, b) || written(b, a));
  const given = spaced ? 'equal' : part(a.given, b.given, [a.surname, ...a.rest], [b.surname, ...b.rest], consonants);
  const surname = part(a.surname, b.surname, [a.given, ...a.rest], [b.given, ...b.rest], consonants);
  const rest = between(a, b);
  const rarity =
    TOGETHER *
    (bitsAt(given, rarer(a.given, b.given, givenBits, OTHER_GIVEN_BITS)) +
      bitsAt(surname, rarer(a.surname, b.surname, surnameBits, OTHER_SURNAME_BITS)) +
      bitsAt(rest, REST_BITS));
  const found = {
    rarity,
    sameSurname: surname === 'equal' || surname === 'alike',
    otherGiven: given === 'different' || given === 'elsewhere',
  };
  if (given !== 'equal' && given !== 'alike' && turned(a, b))
    return { level: 'turned', ...found, sameSurname: false, otherGiven: false };
  const both = given === 'different' && surname === 'different' && rest !== 'equal';
  return { level: both ? 'different' : `${given} ${surname} ${rest}`, ...found };
}
