import { distance } from 'fastest-levenshtein';
import { LATIN_NAME_MATCH, latinNameSimilarity } from '../normalise/latin-name.js';
import type { EnglishAddress, EnglishFeatures } from './en-features.js';
import { compareEnglishNames, slipped, type NameAgreement } from './en-names.js';
import type { FieldLevel, Group } from './types.js';

/** Numbers, names, contacts and addresses bear the names that the Chinese configuration gives them, and are decided alike. */
export const ENGLISH_FIELDS = {
  residentId: 'identifier',
  registrationNumber: 'identifier',
  name: 'name',
  ordinal: 'name',
  generation: 'name',
  birth: 'birth',
  phone: 'contact',
  email: 'contact',
  address: 'place',
  postcode: 'place',
  birthPlace: 'place',
  gender: 'people',
  occupation: 'people',
  employer: 'people',
} as const satisfies Record<string, Group>;

const common = <T>(a: readonly T[], b: readonly T[]): T | undefined => a.find((value) => b.includes(value));

/** The best of all pairs, by the order of the levels. */
function best<T>(
  a: readonly T[],
  b: readonly T[],
  order: readonly string[],
  level: (x: T, y: T) => string,
): string | undefined {
  if (a.length === 0 || b.length === 0) return undefined;
  let found = order.length - 1;
  for (const x of a) for (const y of b) found = Math.min(found, order.indexOf(level(x, y)));
  return order[found];
}

const BIRTHS = ['equal', 'yearOnly', 'turned', 'slip', 'twoParts', 'year', 'near', 'different'];

/** A first of January often stands for a year alone. */
function birthLevel(a: string, b: string): string {
  if (a === b) return a.endsWith('0101') ? 'yearOnly' : 'equal';
  const [x, y] = [a, b].map((text) => [text.slice(0, 4), text.slice(4, 6), text.slice(6)] as const);
  if (!x || !y) return 'different';
  if (x[0] === y[0] && x[1] === y[2] && x[2] === y[1]) return 'turned';
  if (distance(a, b) === 1) return 'slip';
  const same = x.filter((part, i) => part === y[i]).length;
  if (same === 2) return 'twoParts';
  if (x[0] === y[0]) return 'year';
  return Math.abs(Number(x[0]) - Number(y[0])) <= 1 ? 'near' : 'different';
}

const districtOf = (code: string): string => code.slice(0, code.length > 5 ? -3 : 3);
const POSTCODES = ['equal', 'slip', 'sector', 'district', 'different'];

/** All but the last two characters are the sector of a British code; of others about as small a place. */
function postcodeLevel(a: string, b: string): string {
  if (a === b) return 'equal';
  if (a.slice(0, -2) === b.slice(0, -2) && a.length === b.length && a.length > 4) return 'sector';
  if (distance(a, b) === 1) return 'slip';
  return districtOf(a) === districtOf(b) ? 'district' : 'different';
}

const ADDRESSES = ['number', 'road', 'sameRoad', 'otherPlace'];

function addressLevel(a: EnglishAddress, b: EnglishAddress): string {
  const fewer = a.words.length - b.words.length || (a.words.join() < b.words.join() ? -1 : 1);
  const [few, many] = fewer < 0 ? [a.words, b.words] : [b.words, a.words];
  const long = few.filter((word) => word.length > 2);
  const agreeing = long.filter((word) => many.some((other) => other === word || slipped(word, other))).length;
  if (long.length === 0 || agreeing * 2 < long.length || agreeing === 0) return 'otherPlace';
  if (a.numbers.length === 0 || b.numbers.length === 0) return 'road';
  return common(a.numbers, b.numbers) === undefined ? 'sameRoad' : 'number';
}

function placeLevel(a: readonly string[] | undefined, b: readonly string[] | undefined): string | undefined {
  if (!a || !b) return undefined;
  const [x, y] = [a.join(' '), b.join(' ')];
  if (x === y) return 'equal';
  if (a.every((word) => b.includes(word)) || b.every((word) => a.includes(word))) return 'within';
  return slipped(x, y) ? 'slip' : a.some((word) => word.length > 3 && b.includes(word)) ? 'within' : 'different';
}

/** Of numbers that one office gives; a number that only one of them has says nothing. */
function numberLevel(a: EnglishFeatures['numbers'], b: EnglishFeatures['numbers']): FieldLevel['level'] | undefined {
  let found: string | undefined;
  for (const [kind, value] of a)
    for (const [otherKind, other] of b) {
      const [name = '', issuer] = kind.split(' ');
      const [otherName = '', otherIssuer] = otherKind.split(' ');
      if (name !== otherName || (issuer && otherIssuer && issuer !== otherIssuer)) continue;
      if (value === other) return 'equal';
      found = found === 'slip' || (value.length > 5 && slipped(value, other)) ? 'slip' : 'different';
    }
  return found;
}

/** Seven digits are a number without its area. */
function phoneOf(a: string, b: string): string {
  if (a === b) return 'equal';
  if (!a.endsWith(b) && !b.endsWith(a)) return 'different';
  return Math.min(a.length, b.length) > 7 ? 'equal' : 'masked';
}
const phoneLevel = (a: EnglishFeatures, b: EnglishFeatures): string | undefined =>
  best(a.phones, b.phones, ['equal', 'masked', 'different'], phoneOf);

function organizationName(a: readonly string[], b: readonly string[]): string | undefined {
  return best(a, b, ['equal', 'close', 'part', 'different'], (x, y) => {
    const alike = latinNameSimilarity(x, y);
    return alike >= 0.98
      ? 'equal'
      : alike >= LATIN_NAME_MATCH
        ? 'close'
        : alike >= LATIN_NAME_MATCH - 0.2
          ? 'part'
          : 'different';
  });
}

function personName(a: EnglishFeatures, b: EnglishFeatures): NameAgreement | undefined {
  let found: NameAgreement | undefined;
  for (const x of a.names)
    for (const y of b.names) {
      const agreement = compareEnglishNames(x, y);
      const better = found ? agreement.rarity - found.rarity || (agreement.level < found.level ? 1 : -1) : 1;
      if (better > 0) found = agreement;
    }
  return found;
}

const equal = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || b === undefined ? undefined : a === b ? 'equal' : 'different';

/** What relatives share as well as one person does says only that the two are of one household. */
const amongKin = (level: string | undefined, family: boolean): string | undefined =>
  family && (level === 'equal' || level === 'number') ? 'household' : level;

type Add = (field: keyof typeof ENGLISH_FIELDS, level: string | undefined, more?: Partial<FieldLevel>) => void;

function placeLevels(a: EnglishFeatures, b: EnglishFeatures, family: boolean, add: Add): string | undefined {
  const address = best(withWords(a), withWords(b), ADDRESSES, addressLevel);
  add('address', amongKin(address, family));
  // A postcode is part of the address: it says something of its own only where that is missing or of another place.
  const postcode = best(a.postcodes, b.postcodes, POSTCODES, postcodeLevel);
  if (address === undefined || (address === 'otherPlace' && postcode !== 'different')) add('postcode', postcode);
  return address;
}

const withWords = (features: EnglishFeatures): EnglishAddress[] =>
  features.addresses.filter(({ words }) => words.length > 0);

/** All fields that both records have, compared. Symmetric. */
export function englishLevels(a: EnglishFeatures, b: EnglishFeatures): FieldLevel[] {
  const levels: FieldLevel[] = [];
  const add: Add = (field, level, more = {}) => {
    if (level !== undefined) levels.push({ field, level, ...more });
  };
  const person = a.kind === 'person';
  const name = person ? personName(a, b) : undefined;
  const birth = best(a.births, b.births, BIRTHS, birthLevel);
  // One surname and, as far as given names or births show, two persons: relatives, where they share a house.
  const otherGiven = name?.otherGiven ?? false;
  const family = (name?.sameSurname ?? false) && (otherGiven || birth === 'different');
  const phone = phoneLevel(a, b);
  const [shared, email] = [common(a.phones, b.phones), common(a.emails, b.emails)];
  add('phone', amongKin(phone, family), shared === undefined ? {} : { value: shared });
  const emails = email === undefined ? (a.emails.length > 0 && b.emails.length > 0 ? 'different' : undefined) : 'equal';
  add('email', amongKin(emails, family), email === undefined ? {} : { value: email });
  const address = placeLevels(a, b, family, add);
  if (person) {
    const together = family && (phone === 'equal' || emails === 'equal' || address === 'number');
    add('name', together && otherGiven ? 'family' : name?.level, { rarity: name?.rarity ?? 0 });
    add('ordinal', equal(a.ordinal, b.ordinal));
    add('generation', equal(a.generation, b.generation));
  } else add('name', organizationName(a.texts, b.texts));
  add(person ? 'residentId' : 'registrationNumber', numberLevel(a.numbers, b.numbers));
  add('birth', birth);
  add('birthPlace', placeLevel(a.birthPlace, b.birthPlace));
  add('gender', equal(a.gender, b.gender));
  add('occupation', equal(a.occupation, b.occupation));
  if (a.employer && b.employer && latinNameSimilarity(a.employer, b.employer) >= LATIN_NAME_MATCH)
    add('employer', 'equal');
  return levels;
}
