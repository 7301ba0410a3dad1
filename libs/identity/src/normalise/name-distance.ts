import { distance as editDistance } from 'fastest-levenshtein';
import { lookAlike, soundAlike } from './han.js';

/**
 * How two names (folded, without region and form) differ, the nearest first:
 * `equal` after folding; `sameSound` and `lookAlike`: one character (of at least two) stands for one that sounds or looks
 * the same; `slips`: two such characters in a name of four or more; `transposed`: two neighbours exchanged;
 * `oneMissing`: one character more or less; `prefix`: one name begins or ends the other; `contains`;
 * `oneDiffers`: one character is another, neither in sound nor in shape alike: usually another firm;
 * `close`: a quarter of the characters at most differ; `different`.
 */
export type NameDistance =
  | 'equal'
  | 'sameSound'
  | 'lookAlike'
  | 'slips'
  | 'transposed'
  | 'oneMissing'
  | 'prefix'
  | 'contains'
  | 'oneDiffers'
  | 'close'
  | 'different';

/** Compares two folded names (simplified, without spaces); symmetric. The empty name is different from all. */
export function nameDistance(a: string, b: string): NameDistance {
  if (a.length === 0 || b.length === 0) return 'different';
  if (a === b) return 'equal';
  if (a.length === b.length) return sameLength(a, b);
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length >= 2 && long.length - short.length === 1 && isOneShorter(short, long)) return 'oneMissing';
  if (short.length >= 2 && (long.startsWith(short) || long.endsWith(short))) return 'prefix';
  if (short.length >= 2 && long.includes(short)) return 'contains';
  return isClose(a, b) ? 'close' : 'different';
}

function sameLength(a: string, b: string): NameDistance {
  const differing: number[] = [];
  for (let i = 0; i < a.length && differing.length < 3; i++) if (a[i] !== b[i]) differing.push(i);
  const [first, second] = differing as [number, number | undefined];
  const sound = (i: number): boolean => soundAlike(a[i] as string, b[i] as string);
  const shape = (i: number): boolean => lookAlike(a[i] as string, b[i] as string);
  if (differing.length === 1) {
    if (a.length === 1) return 'different';
    return sound(first) ? 'sameSound' : shape(first) ? 'lookAlike' : 'oneDiffers';
  }
  if (differing.length === 2 && second !== undefined) {
    if (second === first + 1 && a[first] === b[second] && a[second] === b[first]) return 'transposed';
    if (a.length >= 4 && [first, second].every((i) => sound(i) || shape(i))) return 'slips';
  }
  return isClose(a, b) ? 'close' : 'different';
}

const isClose = (a: string, b: string): boolean => {
  const longest = Math.max(a.length, b.length);
  return longest >= 4 && editDistance(a, b) <= longest / 4;
};

function isOneShorter(short: string, long: string): boolean {
  let i = 0;
  while (i < short.length && short[i] === long[i]) i++;
  return short.slice(i) === long.slice(i + 1);
}
