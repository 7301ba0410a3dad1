import { isRegistrationNumber, isUscc, USCC_ALPHABET, USCC_WEIGHTS } from '@liandun/contracts';
import { isRegionPrefix } from './region.js';
import { foldCode, isFillerNumber } from './text.js';

/** GB 32100-2015 section 4: the parts of a code. */
export interface UsccParts {
  /** Who registered it: `5` civil affairs, `9` market regulation, `N` agriculture … */
  authority: string;
  /** What it is under that authority: of `9`, `1` an enterprise, `2` a sole proprietor, `3` a farmers' cooperative. */
  category: string;
  /** The registering office's division (GB/T 2260), not where the firm sits today. */
  regionCode: string;
  /** Nine characters of GB 11714 with their own check digit. */
  organizationCode: string;
}

/** How a text missed a code; `lookAlike`: characters taken for others that read alike (O for 0, B for 8). */
export type Slip = 'substituted' | 'lookAlike' | 'transposed' | 'missing' | 'doubled';

export type UsccReading =
  | { status: 'valid'; code: string }
  /** One slip away from exactly one valid code: evidence, but never an exact identifier. */
  | { status: 'repaired'; code: string; slip: Slip }
  /** The old 15-digit number (GS 15-2006) written in the field of the code. */
  | { status: 'registrationNumber'; number: string }
  /** A bare organization code (GB 11714), as was written before 2015. */
  | { status: 'organizationCode'; organizationCode: string }
  | { status: 'placeholder' }
  | { status: 'masked'; pattern: string }
  /** The text as it was compared; one slip away from several codes, or from none. */
  | { status: 'invalid'; text: string };

// Letters that GB 32100 leaves out because they read as digits (section 4.1).
const LOOK_ALIKES: Record<string, string> = { O: '0', I: '1', Z: '2', S: '5' };
// Pairs of the alphabet itself that readers and keyboards confuse.
const CONFUSED = new Set([
  '0D',
  '0Q',
  '0C',
  '8B',
  '2Z',
  '5S',
  '1L',
  '1I',
  '1T',
  '6G',
  'UV',
  '7T',
  '1J',
  'MN',
  'PR',
  'EF',
  'XY',
  '6B',
  'DO',
  '4A',
  'OQ',
]);

/** True where readers and scanners take one for the other (8/B, 0/D, 1/L, O/0 …). */
export const isConfused = (a: string, b: string): boolean =>
  CONFUSED.has(a + b) || CONFUSED.has(b + a) || LOOK_ALIKES[a] === b || LOOK_ALIKES[b] === a;

/** The parts of a valid code; undefined of anything else. */
export function usccParts(code: string): UsccParts | undefined {
  if (!isUscc(code)) return undefined;
  return {
    authority: code[0] as string,
    category: code[1] as string,
    regionCode: code.slice(2, 8),
    organizationCode: code.slice(8, 17),
  };
}

/**
 * What a text in the field of the unified social credit code says. Spaces, width, case and punctuation don't matter.
 * Codes ending in 0 (3.2 % of the real ones) are valid.
 */
export function readUscc(input: string): UsccReading {
  const text = foldCode(input).replace(/^(?:统一社会信用代码|信用代码|USCC)/, '');
  if (isUscc(text)) return { status: 'valid', code: text };
  if (!/[0-9]/.test(text) || isFillerNumber(text) || /^(?:9[123])?0{10,}/.test(text)) return { status: 'placeholder' };
  if (/[*＊●?]/.test(text)) return { status: 'masked', pattern: text.replaceAll(/[●?]/g, '*') };
  if (isRegistrationNumber(text)) return { status: 'registrationNumber', number: text };
  if (text.length === 9 && isOrganizationCode(text)) return { status: 'organizationCode', organizationCode: text };
  const repaired = repairUscc(text);
  return repaired ? { status: 'repaired', ...repaired } : { status: 'invalid', text };
}

/**
 * The one valid code that is one slip away from `text`, if there is exactly one: a substituted character, two adjacent
 * ones exchanged, one missing, or one doubled. Both check characters and the division (a known city) must agree, so a
 * single slip in a valid code gives back that code or nothing, never another one. Undefined also where `text` is valid.
 */
export function repairUscc(input: string): { code: string; slip: Slip } | undefined {
  const text = foldCode(input);
  if (text.length < 17 || text.length > 19 || isUscc(text)) return undefined;
  const folded = text.replaceAll(/[OIZS]/g, (char) => LOOK_ALIKES[char] as string);
  if (folded !== text && isUscc(folded) && isPlausible(folded)) return { code: folded, slip: 'lookAlike' };
  const found = new Map<string, Slip>();
  for (const [candidate, slip] of slipsOf(text)) {
    if (found.has(candidate) || !isUscc(candidate) || !isPlausible(candidate)) continue;
    found.set(candidate, slip);
    if (found.size > 1) return undefined;
  }
  const [only] = found;
  return only && { code: only[0], slip: only[1] };
}

const isPlausible = (code: string): boolean => isRegionPrefix(code.slice(2, 6));

/**
 * How `text` differs from the valid `code`, where that is one slip; undefined otherwise. For a pair of records, where
 * the other's code says which of several repairs is meant.
 */
export function usccSlip(text: string, code: string): Slip | undefined {
  if (text === code || Math.abs(text.length - 18) > 1) return undefined;
  if (text.length === 17) return isOneShorter(text, code) ? 'missing' : undefined;
  if (text.length === 19) return isOneShorter(code, text) ? 'doubled' : undefined;
  let first = -1;
  let count = 0;
  for (let i = 0; i < 18; i++)
    if (text[i] !== code[i]) {
      if (first < 0) first = i;
      count++;
    }
  if (count === 1) return isConfused(text[first] as string, code[first] as string) ? 'lookAlike' : 'substituted';
  return count === 2 && text[first] === code[first + 1] && text[first + 1] === code[first] ? 'transposed' : undefined;
}

function isOneShorter(short: string, long: string): boolean {
  let i = 0;
  while (i < short.length && short[i] === long[i]) i++;
  return short.slice(i) === long.slice(i + 1);
}

function* slipsOf(text: string): Generator<[string, Slip]> {
  if (text.length === 19) {
    // Any one character too many: a doubled one is the usual case.
    for (let i = 0; i < 19; i++) yield [text.slice(0, i) + text.slice(i + 1), 'doubled'];
    return;
  }
  const values = [...text].map((char) => USCC_ALPHABET.indexOf(char));
  // More than one character that no code has is more than one slip.
  const foreign = values.filter((value) => value < 0).length;
  if (foreign > 1) return;
  if (text.length === 17) {
    if (foreign === 0)
      for (let i = 0; i <= 17; i++) {
        const char = charAt(i, [...values.slice(0, i), 0, ...values.slice(i)]);
        yield [text.slice(0, i) + char + text.slice(i), 'missing'];
      }
    return;
  }
  for (let i = 0; i < 17; i++)
    if (text[i] !== text[i + 1]) yield [text.slice(0, i) + text[i + 1] + text[i] + text.slice(i + 2), 'transposed'];
  for (let i = 0; i < 18; i++) {
    if (foreign > 0 && (values[i] as number) >= 0) continue;
    const char = charAt(i, values.with(i, 0));
    if (char === text[i]) continue;
    const slip = isConfused(char, text[i] as string) ? 'lookAlike' : 'substituted';
    yield [text.slice(0, i) + char + text.slice(i + 1), slip];
  }
}

/** A code's values times these add up to a multiple of 31. */
const WEIGHTS = [...USCC_WEIGHTS, 1];
/** Each weight's inverse modulo 31, which is a prime. */
const INVERSES = WEIGHTS.map((weight) => [...USCC_ALPHABET].findIndex((_, n) => (weight * n) % 31 === 1));

/** The one character that a code may have at a place where the others have these values, and 0 stands for it. */
function charAt(place: number, values: readonly number[]): string {
  const sum = values.reduce((total, value, i) => total + value * (WEIGHTS[i] as number), 0);
  return USCC_ALPHABET[((31 - (sum % 31)) * (INVERSES[place] as number)) % 31] as string;
}

const ORGANIZATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2];

/** Nine characters whose last is the check of GB 11714-1997 (`X` for ten). */
export function isOrganizationCode(text: string): boolean {
  if (!/^[0-9A-Z]{8}[0-9X]$/.test(text) || /^0+$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 8; i++) sum += Number.parseInt(text[i] as string, 36) * (ORGANIZATION_WEIGHTS[i] as number);
  return '0123456789X'[(11 - (sum % 11)) % 11] === text[8];
}

export type RegistrationNumberReading =
  | { status: 'valid'; number: string; regionCode: string }
  | { status: 'uscc'; code: string }
  | { status: 'placeholder' }
  | { status: 'invalid'; text: string };

/** The 15-digit registration number (GS 15-2006, ISO 7064 MOD 11,10); a unified code written in its place is recognised. */
export function readRegistrationNumber(input: string): RegistrationNumberReading {
  const text = foldCode(input);
  if (isFillerNumber(text) || !/[0-9]/.test(text)) return { status: 'placeholder' };
  if (isRegistrationNumber(text)) return { status: 'valid', number: text, regionCode: text.slice(0, 6) };
  return isUscc(text) ? { status: 'uscc', code: text } : { status: 'invalid', text };
}
