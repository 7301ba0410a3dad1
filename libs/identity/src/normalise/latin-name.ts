import anyAscii from 'any-ascii';
import { distance as editDistance } from 'fastest-levenshtein';

// Legal forms by what they stand for: a form may be left out or written out, but an AG is no GmbH.
const FORMS: [RegExp, string][] = [
  [
    /\bopen joint[- ]stock company\b|\bpublic joint[- ]stock company\b|\bjoint[- ]stock company\b|\bojsc\b|\bpjsc\b|\bjsc\b|\boao\b|\bpao\b|\bzao\b|\baktiengesel+schaft\b|\bpublic limited company\b/g,
    ' _s ',
  ],
  [
    /\blimited liability company\b|\bl ?l ?c\b|\bgesel+schaft mit beschrankter haftung\b|\bg ?m ?b ?h\b|\bobshchestvo s ogranichennoi otvetstvennostiu\b|\bsocietatea cu raspundere limitata\b|\bsp z o ?o\b|\bs ?r ?l\b|\booo\b/g,
    ' _g ',
  ],
  [
    /\bco(?:mpany)? (?:limited|ltd)\b|\b(?:pte|pty|pvt) (?:limited|ltd)\b|\blimited\b|\bltd\b|\bplc\b|\bincorporated\b|\binc\b|\bcorporation\b|\bcorp\b|\bcompany\b|\bco\b|\bl ?l ?p\b|\bl ?p\b/g,
    ' _c ',
  ],
  [
    /\ba ?k?g\b|\bb ?v(?: ?b ?a)?\b|\bn ?v\b|\bs ?a(?: ?s)?\b|\bs ?e\b|\bs ?l\b|\ba ?b\b|\ba ?s\b|\bo ?y\b|\bs ?p ?a\b|\bs ?a ?r ?l\b/g,
    ' _e ',
  ],
];
const TITLES = new Set(
  'mr mrs ms dr prof sir lord lady president prasident prezident shaikh sheikh shaykh haji hajji mullah mawlawi maulavi general gen col the and of mv mt jr sr na'.split(
    ' ',
  ),
);
const PARTICLES = new Set(
  'al el ul bin ben ibn abu bint ould de da di do dos du la le van von der den ter y e i'.split(' '),
);
const NUMBERS: Record<string, string> = {
  first: '1',
  second: '2',
  third: '3',
  one: '1',
  two: '2',
  three: '3',
  four: '4',
  five: '5',
  ten: '10',
  forty: '40',
  fourty: '40',
  '1st': '1',
  '2nd': '2',
  '3rd': '3',
};
const LOOK_ALIKE_DIGITS: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', 9: 'g' };

interface Token {
  text: string;
  /** How it sounds: what transliterations write differently made one. */
  sound: string;
  weight: number;
}

interface Spelled {
  tokens: Token[];
  joined: string;
}

const CACHED_NAMES = 2_048;
const cache = new Map<string, Spelled>();

/**
 * How alike two names of persons or organizations in Latin letters (or any other alphabet) are, 0 to 1; from
 * LATIN_NAME_MATCH on they may well be one's. Word order, titles, legal forms, initials, accents, spacing and the
 * usual transliterations don't count; a word that stands in another's place counts most, a word left out little.
 */
export function latinNameSimilarity(a: string, b: string): number {
  const sameScript = foreignScript(a) !== '' && foreignScript(a) === foreignScript(b);
  const [x, y] = [spell(a, sameScript), spell(b, sameScript)];
  if (x.joined === '' || y.joined === '') return 0;
  if (x.joined === y.joined) return 1;
  return Math.max(aligned(x.tokens, y.tokens), runTogether(x.joined, y.joined));
}

/** Where precision and recall meet best on the public name pairs. */
export const LATIN_NAME_MATCH = 0.7;

/** The first letter's script, where any-ascii would only blur names that are in one script anyway. */
function foreignScript(text: string): string {
  const letter = /[^\p{Script=Latin}\P{L}]/u.exec(text)?.[0];
  return letter ? (SCRIPTS.find(([pattern]) => pattern.test(letter))?.[1] ?? '') : '';
}

const SCRIPTS: [RegExp, string][] = [
  [/\p{Script=Han}/u, 'han'],
  [/\p{Script=Hangul}/u, 'hangul'],
  [/\p{Script=Arabic}/u, 'arabic'],
  [/\p{Script=Hebrew}/u, 'hebrew'],
  [/\p{Script=Devanagari}|\p{Script=Bengali}|\p{Script=Thai}|\p{Script=Khmer}|\p{Script=Ethiopic}/u, 'abugida'],
];

function spell(name: string, raw: boolean): Spelled {
  const key = raw ? `~${name}` : name;
  const known = cache.get(key);
  if (known) return known;
  const spaced = isAscii(name)
    ? name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    : name.normalize('NFKC').replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ');
  let text = raw || isAscii(spaced) ? spaced : anyAscii(spaced.normalize('NFKD').replaceAll(/\p{Mn}/gu, ''));
  text = text
    .toLowerCase()
    .replaceAll(/['’`.]/g, (mark) => (mark === '.' ? ' ' : ''))
    .replaceAll(/[&+]/g, ' and ');
  text = ` ${text.replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ').trim()} `.replaceAll(
    /\b(?:[a-z] ){2,}(?=[a-z] |$)?/g,
    (run) => `${run.replaceAll(' ', '')} `,
  );
  for (const [pattern, sign] of FORMS) text = text.replaceAll(pattern, sign);
  const words = text.split(' ').filter((word) => word !== '' && !TITLES.has(word));
  const plain = words.filter((word) => !word.startsWith('_'));
  const tokens = (plain.length > 0 ? plain : words).map(tokenOf);
  const spelled = { tokens, joined: tokens.map((token) => token.text).join('') };
  if (cache.size >= CACHED_NAMES) cache.clear();
  cache.set(key, spelled);
  return spelled;
}

// oxlint-disable-next-line no-control-regex -- ASCII begins at NUL
const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text);

function tokenOf(word: string): Token {
  const digits = NUMBERS[word] ?? word;
  const text =
    /[a-z]/.test(digits) && /\d/.test(digits)
      ? digits.replaceAll(/\d/g, (digit) => LOOK_ALIKE_DIGITS[digit] ?? digit)
      : digits;
  const weight = PARTICLES.has(text) ? 1 : /^(?:\d+|[ivx]+)$/.test(text) ? 1 : Math.min(8, text.length) + 1;
  return { text, sound: soundOf(text), weight };
}

/** Spelling variants of one sound (Zelenskyy/Selenskyj, Osama/Usama, Hussein/Hussain) made one. */
function soundOf(text: string): string {
  if (/[^a-z]/.test(text)) return text;
  return text
    .replaceAll(/sch|sh/g, 's')
    .replaceAll(/tch|ch/g, 'c')
    .replaceAll(/zh|dj|dzh/g, 'j')
    .replaceAll(/kh|q|ck|gh/g, 'k')
    .replaceAll('ph', 'f')
    .replaceAll('w', 'v')
    .replaceAll(/ou|oo|o/g, 'u')
    .replaceAll(/ee|ie|ei|ey|ai|ay|yy|iy|yj|ij|y|e/g, 'i')
    .replaceAll('h', '')
    .replaceAll(/(.)\1+/g, '$1');
}

function tokenSimilarity(a: Token, b: Token): number {
  if (a.text === b.text) return 1;
  const [short, long] = a.text.length < b.text.length ? [a, b] : [b, a];
  if (short.text.length === 1)
    return /^[a-z]/.test(short.text) && long.text.startsWith(short.text) && long.text.length > 1 ? 0.85 : 0;
  if (a.sound === b.sound && a.sound.length >= 2) return 0.95;
  const edits = editDistance(a.text, b.text);
  const plain = 1 - edits / long.text.length;
  const sounds = 1 - editDistance(a.sound, b.sound) / Math.max(a.sound.length, b.sound.length);
  return Math.max(plain, sounds - SOUND_DISCOUNT);
}

const SOUND_DISCOUNT = 0.05;
const TOKEN_MATCH = 0.66;
const CONTRADICTION = 1;
const EXTRA = 0.15;
const REPLACED = 0.7;
const CROSSED = 0.6;

/** Words paired from the most alike down; what is left on both sides contradicts, what is left on one side is little. */
function aligned(a: Token[], b: Token[]): number {
  const pairs: [number, number, number][] = [];
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < b.length; j++) {
      const likeness = tokenSimilarity(a[i] as Token, b[j] as Token);
      if (likeness >= TOKEN_MATCH) pairs.push([likeness, i, j]);
    }
  pairs.sort((x, y) => y[0] - x[0] || x[1] - y[1] || x[2] - y[2]);
  const [left, right] = [new Set(a.keys()), new Set(b.keys())];
  let matched = 0;
  let lost = 0;
  for (const [likeness, i, j] of pairs) {
    if (!left.has(i) || !right.has(j)) continue;
    left.delete(i);
    right.delete(j);
    const weight = Math.max((a[i] as Token).weight, (b[j] as Token).weight);
    matched += weight * likeness;
    lost += weight * (1 - likeness);
  }
  matched += acronyms(a, left, b, right) + acronyms(b, right, a, left);
  if (matched === 0) return 0;
  const [p, q] = [weightOf(a, left), weightOf(b, right)];
  const contradicted = Math.min(p, q);
  const likeness = matched / (matched + lost + contradicted * CONTRADICTION + (Math.max(p, q) - contradicted) * EXTRA);
  const words = Math.min(substance(a, left), substance(b, right));
  return likeness * REPLACED ** words * (isCrossed(a, b) ? CROSSED : 1);
}

const substance = (tokens: Token[], left: Set<number>): number =>
  [...left].filter((i) => (tokens[i] as Token).weight > 2).length;

/** PLA is People's Liberation Army, JC Jean-Claude: gives the weight of what an acronym stands for, and takes both out. */
function acronyms(a: Token[], left: Set<number>, b: Token[], right: Set<number>): number {
  if (left.size === 0 || right.size < 2) return 0;
  const initials = [...right].map((j) => (b[j] as Token).text.charAt(0)).join('');
  for (const i of left) {
    const { text } = a[i] as Token;
    if (text.length < 2 || text.length > 5) continue;
    const at = initials.indexOf(text);
    if (at < 0) continue;
    const spelled = [...right].slice(at, at + text.length);
    left.delete(i);
    let weight = 0;
    for (const j of spelled) {
      right.delete(j);
      weight += (b[j] as Token).weight;
    }
    return weight * 0.85;
  }
  return 0;
}

const SON_OF = new Set(['bin', 'ben', 'ibn']);

/** A bin B is the son of B, B bin A his father. */
function isCrossed(a: Token[], b: Token[]): boolean {
  const [i, j] = [a.findIndex(({ text }) => SON_OF.has(text)), b.findIndex(({ text }) => SON_OF.has(text))];
  if (i < 1 || j < 1 || i + 1 >= a.length || j + 1 >= b.length) return false;
  const like = (x: number, y: number): boolean => tokenSimilarity(a[x] as Token, b[y] as Token) >= 0.85;
  return like(i - 1, j + 1) && like(i + 1, j - 1) && !like(i - 1, j - 1);
}

const weightOf = (tokens: Token[], left: Set<number>): number => {
  let sum = 0;
  for (const i of left) sum += (tokens[i] as Token).weight;
  return sum;
};

/** Words run together, split or spelled backwards: the letters in a row. */
function runTogether(a: string, b: string): number {
  const longest = Math.max(a.length, b.length);
  if (Math.abs(a.length - b.length) > longest / 4) return 0;
  const likeness = 1 - editDistance(a, b) / longest;
  return likeness >= 0.88 ? likeness : 0;
}
