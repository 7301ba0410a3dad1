import { distance as editDistance } from 'fastest-levenshtein';

/** How alike two names in Latin letters are, 0 to 1: the edit distance of their sorted words. */
export function latinNameSimilarity(a: string, b: string): number {
  const [x, y] = [sortedWords(a), sortedWords(b)];
  const longest = Math.max(x.length, y.length);
  return longest === 0 ? 0 : 1 - editDistance(x, y) / longest;
}

const sortedWords = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .toSorted()
    .join(' ');
