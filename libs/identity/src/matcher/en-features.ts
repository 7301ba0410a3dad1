import anyAscii from 'any-ascii';
import { hasHan } from '../normalise/han.js';
import { splitPersonName } from '../normalise/person-name.js';
import type { NodeKind } from './types.js';

/** A person or an organization as English-speaking registers hold them. Anything but the kind may be missing or damaged. */
export interface EnglishRecord {
  recordId: string;
  kind: 'person' | 'organization';
  /** Every name that the subject goes by: in full, or a person's in parts. */
  names: readonly { full?: string; given?: string; middle?: string; surname?: string }[];
  /** Dates as they were written: year first, or month before day. */
  births?: readonly string[];
  birthPlace?: string;
  gender?: string;
  occupation?: string;
  employer?: string;
  addresses?: readonly { text?: string; city?: string; state?: string; postcode?: string }[];
  phones?: readonly string[];
  emails?: readonly string[];
  /** Numbers that an office gave: equal kinds and issuers are comparable. */
  numbers?: readonly { kind: string; issuer?: string; value: string }[];
}

export interface EnglishName {
  given: string;
  surname: string;
  /** What stands between them, without titles. */
  rest: string[];
  /** Consonants only: written in a script without vowels. */
  consonants?: true;
}

export interface EnglishAddress {
  /** House, flat and box numbers. */
  numbers: string[];
  words: string[];
  postcode?: string;
}

/** What matching knows of a record: normalised once, plain JSON without undefined members. */
export interface EnglishFeatures {
  kind: NodeKind;
  names: EnglishName[];
  /** An organization's names as they were written. */
  texts: string[];
  /** `1st`, `2nd` … of several holders of a title. */
  ordinal?: string;
  /** `jr`, `sr`, `i`, `ii` … of several bearers of one name. */
  generation?: string;
  /** `yyyymmdd`. */
  births: string[];
  birthPlace?: string[];
  gender?: string;
  occupation?: string;
  employer?: string;
  addresses: EnglishAddress[];
  postcodes: string[];
  phones: string[];
  emails: string[];
  /** `kind issuer` and value. */
  numbers: [string, string][];
}

const LIST_MAX = 10;
const TITLES = new Set(
  'sir lord lady dame baron baroness earl count countess viscount viscountess duke duchess marquess marquis baronet prince princess king queen mr mrs ms miss dr prof rev reverend hon the of and de von van la le du st saint'.split(
    ' ',
  ),
);
const GENERATIONS: Record<string, string> = {
  junior: 'jr',
  jr: 'jr',
  senior: 'sr',
  sr: 'sr',
  i: 'i',
  ii: 'ii',
  iii: 'iii',
  iv: 'iv',
};
const STREET_WORDS: Record<string, string> = {
  street: 'st',
  strasse: 'st',
  str: 'st',
  road: 'rd',
  avenue: 'ave',
  drive: 'dr',
  lane: 'ln',
  place: 'pl',
  court: 'ct',
  crescent: 'cres',
  circuit: 'cct',
  boulevard: 'blvd',
  east: 'e',
  west: 'w',
  north: 'n',
  south: 's',
  suite: '',
  unit: '',
  flat: '',
  no: '',
};

const distinct = (values: (string | undefined)[]): string[] => {
  const known = values.filter((value): value is string => value !== undefined && value !== '');
  return [...new Set(known)].toSorted((a, b) => (a < b ? -1 : 1)).slice(0, LIST_MAX);
};
const present = (value: string | undefined): string | undefined =>
  value === undefined || /^(?:|unknown|none|null|n\/?a|u)$/i.test(value.trim()) ? undefined : value;

/** Lower-case words in ASCII; a hyphen or a full stop parts words, an apostrophe doesn't. */
export const wordsOf = (text: string): string[] =>
  anyAscii(text.normalize('NFKC'))
    .toLowerCase()
    .replaceAll(/['’`]/g, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

const ordinalOf = (words: readonly string[]): string | undefined =>
  words.find((word) => /^\d+(?:st|nd|rd|th)$/.test(word));
const generationOf = (words: readonly string[]): string | undefined =>
  words.map((word, i) => (i > 0 ? GENERATIONS[word] : undefined)).find((found) => found !== undefined);

function bare(text: string): string[] {
  const words = wordsOf(text);
  const plain = words.filter(
    (word, i) => !TITLES.has(word) && !/^\d/.test(word) && (i === 0 || GENERATIONS[word] === undefined),
  );
  return plain.length > 0 ? plain : words;
}

type Written = EnglishRecord['names'][number];

function nameOf({ full, given, middle, surname }: Written): EnglishName | undefined {
  if (full !== undefined && hasHan(full)) {
    const { surname: family, pinyin } = splitPersonName(full);
    const [first = ''] = wordsOf(splitPersonName(family).pinyin);
    return { given: pinyin.slice(first.length), surname: first, rest: [] };
  }
  const consonants = /\p{Script=Arabic}|\p{Script=Hebrew}/u.test(full ?? `${given ?? ''}${surname ?? ''}`);
  const mark = consonants && { consonants };
  if (full !== undefined) {
    // "Hughes, Howie", but not "Clifford, 1st Baron Clifford".
    const [last, first, ...more] = full.split(',');
    const turned = first !== undefined && more.length === 0 && /^\s*\p{L}+(?:\s+\p{L}+)?\s*$/u.test(first);
    const words = bare(turned && wordsOf(last ?? '').length === 1 ? `${first} ${last ?? ''}` : full);
    if (words.length === 0) return undefined;
    return {
      given: words.length > 1 ? (words[0] as string) : '',
      surname: words.at(-1) as string,
      rest: words.slice(1, -1),
      ...mark,
    };
  }
  const [givens, surnames] = [bare(given ?? ''), bare(surname ?? '')];
  if (givens.length + surnames.length === 0) return undefined;
  const rest = [...givens.slice(1), ...bare(middle ?? ''), ...surnames.slice(0, -1)];
  return { given: givens[0] ?? '', surname: surnames.at(-1) ?? '', rest, ...mark };
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
/** Two digits from here on are of the last century. */
const CENTURY_FROM = 26;

const two = (n: number): string => String(n).padStart(2, '0');

/** A date as `yyyymmdd`; of numbers with slashes the first is the month unless it can't be. */
export function readBirth(text: string): string | undefined {
  const iso = /^\s*(\d{4})-?(\d\d)-?(\d\d)/.exec(text);
  if (iso) return `${iso[1] ?? ''}${iso[2] ?? ''}${iso[3] ?? ''}`;
  const parts = text.toLowerCase().match(/\d+|[a-z]{3,}/g) ?? [];
  if (parts.length !== 3) return undefined;
  let month: number | undefined;
  const numbers: string[] = [];
  for (const part of parts) {
    const named = MONTHS.indexOf(part.slice(0, 3));
    if (named >= 0) month = named + 1;
    else numbers.push(part);
  }
  const year = numbers.pop();
  if (year === undefined || numbers.length !== (month === undefined ? 2 : 1)) return undefined;
  let [first = '', second = ''] = numbers;
  if (month === undefined && Number(first) > 12) [first, second] = [second, first];
  const day = Number(month === undefined ? second : first);
  const full = year.length > 2 ? year : String(Number(year) + (Number(year) < CENTURY_FROM ? 2000 : 1900));
  return `${full}${two(month ?? Number(first))}${two(day)}`;
}

const postcodeIn = (text: string | undefined): string | undefined => text?.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

function addressOf({
  text = '',
  city,
  postcode,
}: NonNullable<EnglishRecord['addresses']>[number]): EnglishAddress | undefined {
  const all = wordsOf(`${text} ${city ?? ''}`.replaceAll(/strasse\b|straße/gi, ' st'));
  const ending = /\b(\d{5})\b\D*$/.exec(text)?.[1];
  const code = postcodeIn(present(postcode)) || (all.length > 3 ? ending : undefined);
  const words = all.flatMap((word) => STREET_WORDS[word] ?? word).filter((word) => word !== '' && word !== code);
  if (words.length === 0 && !code) return undefined;
  return {
    numbers: words.filter((word) => /^\d/.test(word)),
    words: words.filter((word) => !/^\d/.test(word)),
    ...(code && { postcode: code.slice(0, 8) }),
  };
}

const digitsOf = (phone: string): string | undefined => {
  const digits = phone
    .replaceAll(/\D/g, '')
    .replace(/^0+/, '')
    .replace(/^1(?=\d{10}$)/, '');
  return digits.length >= 7 ? digits : undefined;
};
const mailboxOf = (email: string): string | undefined => /[^\s<>"]+@[^\s<>"]+/.exec(email)?.[0].toLowerCase();

const COUNTRIES: Record<string, string> = {
  usa: 'us',
  can: 'ca',
  canada: 'ca',
  germany: 'de',
  texas: 'tx',
  ohio: 'oh',
};
const issuerOf = (issuer = ''): string => {
  const text = issuer.toLowerCase().trim();
  return COUNTRIES[text] ?? text;
};

/** The features of a record: pure, and stable for one version of the matcher. */
export function englishFeatures(record: EnglishRecord): EnglishFeatures {
  const person = record.kind === 'person';
  const texts = record.names.map(({ full, given, middle, surname }) => full ?? [given, middle, surname].join(' '));
  const names = person ? record.names.map(nameOf).filter((name) => name !== undefined) : [];
  const words = person ? texts.map(wordsOf) : [];
  const ordinal = words.map(ordinalOf).find((found) => found !== undefined);
  const generation = words.map(generationOf).find((found) => found !== undefined);
  const addresses = (record.addresses ?? []).map(addressOf).filter((address) => address !== undefined);
  const birthPlace = present(record.birthPlace);
  const gender = present(record.gender)?.slice(0, 1).toLowerCase();
  const occupation = present(record.occupation)?.toLowerCase();
  const employer = present(record.employer);
  return {
    kind: person ? 'person' : 'legal',
    names: names.slice(0, LIST_MAX),
    texts: person ? [] : texts.slice(0, LIST_MAX),
    ...(ordinal && { ordinal }),
    ...(generation && { generation }),
    births: distinct((record.births ?? []).map(readBirth)),
    ...(birthPlace && { birthPlace: wordsOf(birthPlace) }),
    ...(gender && { gender }),
    ...(occupation && { occupation }),
    ...(employer && { employer }),
    addresses: addresses.slice(0, LIST_MAX),
    postcodes: distinct(addresses.map(({ postcode }) => postcode)),
    phones: distinct((record.phones ?? []).map(digitsOf)),
    emails: distinct((record.emails ?? []).map(mailboxOf)),
    numbers: (record.numbers ?? []).map(({ kind, issuer, value }) => [
      `${kind} ${issuerOf(issuer)}`,
      value.toLowerCase().replaceAll(/[^a-z0-9]/g, ''),
    ]),
  };
}
