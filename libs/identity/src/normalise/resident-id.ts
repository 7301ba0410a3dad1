import { isResidentId } from '@liandun/contracts';
import { foldCode, isFillerNumber } from './text.js';

export type ResidentIdReading =
  | {
      status: 'valid';
      /** 18 characters, also where 15 digits were given. */
      id: string;
      regionCode: string;
      /** YYYYMMDD. */
      birthday: string;
      sex: 'male' | 'female';
      /** Written with the 15 digits of before 1999. */
      short: boolean;
    }
  /** 18 positions, `*` where unknown. A masked value is never a key. */
  | { status: 'masked'; pattern: string; known: number }
  | { status: 'placeholder' }
  | { status: 'invalid'; text: string };

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const check = (body: string): string =>
  '10X98765432'[WEIGHTS.reduce((sum, weight, i) => sum + weight * (body.charCodeAt(i) - 48), 0) % 11] as string;

/** GB 11643-1999: 15 digits were given to those born in the twentieth century; serials 996 to 999 to the centenarians. */
const lengthen = (short: string): string => {
  const body = `${short.slice(0, 6)}${/99[6-9]$/.test(short) ? '18' : '19'}${short.slice(6)}`;
  return body + check(body);
};

/** What a text in the field of the resident identity number says (GB 11643-1999). */
export function readResidentId(input: string): ResidentIdReading {
  const text = foldCode(input.normalize('NFKC').replaceAll(/[●•×?#＊★☆]/g, '*'));
  if (isFillerNumber(text) || !/[0-9]/.test(text)) return { status: 'placeholder' };
  const short = /^\d{15}$/.test(text);
  const id = short ? lengthen(text) : text;
  if (isResidentId(id) && Number(id.slice(0, 2)) >= 11)
    return {
      status: 'valid',
      id,
      regionCode: id.slice(0, 6),
      birthday: id.slice(6, 14),
      sex: Number(id[16]) % 2 === 1 ? 'male' : 'female',
      short,
    };
  const pattern = maskedPattern(text);
  return pattern
    ? { status: 'masked', pattern, known: 18 - pattern.split('*').length + 1 }
    : { status: 'invalid', text };
}

/** `110101****1234` → 18 positions. Fewer or more stars than hidden digits are usual, so the known ends count from their own side. */
function maskedPattern(text: string): string | undefined {
  const starred = text.replace(/(?<=\d)X{2,}/g, (run) => '*'.repeat(run.length));
  if (starred.length === 18 && /^[\d*]{17}[\dX*]$/.test(starred) && starred.includes('*')) return starred;
  const ends = /^(\d{0,14})\*+([\dX]{0,6})$/.exec(starred);
  if (!ends) return undefined;
  const [, head = '', tail = ''] = ends;
  if (head.length + tail.length === 0 || head.length + tail.length > 17 || /X./.test(tail)) return undefined;
  return head + '*'.repeat(18 - head.length - tail.length) + tail;
}

export interface MaskedAgreement {
  /** `unknown`: nothing beyond the division is known of both. */
  verdict: 'agree' | 'contradict' | 'unknown';
  /** Positions known in both. */
  compared: number;
  /** Of those, the ones after the division's six digits: what tells neighbours apart. */
  beyondRegion: number;
}

/** Compares a masked number with a whole one, or two masked ones, position by position. */
export function maskedAgrees(pattern: string, id: string): MaskedAgreement {
  let compared = 0;
  let beyondRegion = 0;
  let differs = false;
  for (let i = 0; i < 18; i++) {
    if (pattern[i] === '*' || id[i] === '*') continue;
    compared++;
    if (i >= 6) beyondRegion++;
    if (pattern[i] !== id[i]) differs = true;
  }
  return { verdict: differs ? 'contradict' : beyondRegion >= 2 ? 'agree' : 'unknown', compared, beyondRegion };
}
