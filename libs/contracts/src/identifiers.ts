// Official identifiers and their check digits. Pure: no clock, no register is asked; a valid number need not exist.

/** The administrative division that no place has (GB/T 2260 gives nothing under 99): everything fictional lies there. */
export const FICTIONAL_REGION = '990101';

/** GB 32100-2015 section 4: no I, O, S, V, Z. A character's value is its place. */
export const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const USCC_VALUES = valuesOf(USCC_ALPHABET);
/** GB 32100-2015 section 5: 3^(i-1) mod 31, for all characters but the last, which makes the sum a multiple of 31. */
export const USCC_WEIGHTS = Array.from({ length: 17 }, (_, i) => Number(3n ** BigInt(i) % 31n));
// GB 11714-1997: letters count 10 (A) to 35 (Z).
const ORGANIZATION_VALUES = valuesOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ');
const ORGANIZATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2];
const ORGANIZATION_CHECKS = '0123456789X';
// GB 11643-1999 section 4: 2^(17-i) mod 11.
const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const RESIDENT_CHECKS = '10X98765432';

function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

/** The weighted sum of `weights.length` characters from `from` on. */
function weightedSum(text: string, from: number, weights: readonly number[], values: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++)
    sum += (values[text.charCodeAt(from + i)] as number) * (weights[i] as number);
  return sum;
}

const usccCheck = (text: string): string =>
  USCC_ALPHABET.charAt((31 - (weightedSum(text, 0, USCC_WEIGHTS, USCC_VALUES) % 31)) % 31);

const organizationCheck = (text: string, from: number): string =>
  ORGANIZATION_CHECKS.charAt((11 - (weightedSum(text, from, ORGANIZATION_WEIGHTS, ORGANIZATION_VALUES) % 11)) % 11);

const residentCheck = (text: string): string =>
  RESIDENT_CHECKS.charAt(weightedSum(text, 0, RESIDENT_WEIGHTS, USCC_VALUES) % 11);

/** ISO 7064 hybrid system MOD 11,10 over the first 14 digits. */
function registrationCheck(text: string): string {
  let product = 10;
  for (let i = 0; i < 14; i++) {
    const sum = (product + text.charCodeAt(i) - 48) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return String((11 - product) % 10);
}

const USCC_SHAPE = /^[1-9ANY][0-9A-HJ-NPQRTUWXY]\d{6}[0-9A-HJ-NPQRTUWXY]{10}$/;

/**
 * A unified social credit code, 18 capital characters, with both check characters right: its own (GB 32100-2015) and,
 * at position 17, that of the organization code inside (GB 11714). The first character must be a registration
 * department of the standard, so eighteen zeros, which pass both checks, are no code.
 */
export const isUscc = (text: string): boolean =>
  USCC_SHAPE.test(text) && organizationCheck(text, 8) === text[16] && usccCheck(text) === text[17];

/** A 15-digit business registration number (GS 15-2006) whose last digit checks by ISO 7064 MOD 11,10. */
export const isRegistrationNumber = (text: string): boolean =>
  /^\d{15}$/.test(text) && text !== '000000000000000' && registrationCheck(text) === text[14];

const RESIDENT_SHAPE = /^\d{6}(?:18|19|20)\d{9}[\dX]$/;

/** An 18-character resident identity number (GB 11643-1999, ISO 7064 MOD 11-2) with a birthday that the calendar has. */
export const isResidentId = (text: string): boolean =>
  RESIDENT_SHAPE.test(text) && isCalendarDate(text.slice(6, 14)) && residentCheck(text) === text[17];

/** A resident number that its holder masked for the ledger (`110101********1234`): nothing to check, nothing to match. */
export const isMaskedResidentId = (text: string): boolean => /^(?=.{8,18}$)\d{1,14}\*+[\dX]{0,4}$/.test(text);

function isCalendarDate(yyyymmdd: string): boolean {
  const [year, month, day] = [+yyyymmdd.slice(0, 4), +yyyymmdd.slice(4, 6), +yyyymmdd.slice(6)];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Eight characters of a fictional organization code; a serial past what fits is an error, never cut. */
function padded(serial: number | string, length: number): string {
  const text = String(serial).replace(/^0+(?=.)/, '');
  if (text.length > length) throw new RangeError(`serial ${text} is longer than ${length} characters`);
  return text.padStart(length, '0');
}

/**
 * A valid USCC for demonstrations and tests. Use FICTIONAL_REGION unless a real place is meant.
 * @param serial up to eight digits, the organization code without its check
 * @throws RangeError for a longer serial
 */
export function makeUscc(
  region: string,
  serial: number | string,
  kind: 'organization' | 'soleProprietor' | 'person' = 'organization',
): string {
  const body = `${kind === 'soleProprietor' ? '92' : '91'}${region}${padded(serial, 8)}`;
  // Position 17 could be X for the value 10; the alphabet of GB 32100 has X, so both standards agree.
  const text = body + organizationCheck(body, 8);
  return text + usccCheck(text);
}

/** A valid 15-digit registration number for demonstrations and tests; `serial` has up to eight digits. */
export function makeRegistrationNumber(region: string, serial: number | string): string {
  const text = region + padded(serial, 8);
  return text + registrationCheck(text);
}

/** A valid resident identity number for demonstrations and tests; `birthday` is YYYYMMDD, `serial` 0 to 999. */
export function makeResidentId(region: string, birthday: string, serial: number | string): string {
  const text = region + birthday + padded(serial, 3);
  return text + residentCheck(text);
}
