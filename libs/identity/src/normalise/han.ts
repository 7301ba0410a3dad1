import { pinyin } from 'pinyin-pro';
import { LOOK_ALIKES } from '../../data/look-alikes.js';

const HAN = /^\p{Script=Han}$/u;
const HAN_INSIDE = /\p{Script=Han}/u;

/** True where the text has at least one Chinese character. */
export const hasHan = (text: string): boolean => HAN_INSIDE.test(text);

const readings: (readonly string[] | undefined)[] = [];

/** The syllables that a character is read as, without tones, the usual one first; none of what isn't a Chinese character. */
export function readingsOf(char: string): readonly string[] {
  const code = char.charCodeAt(0);
  return (readings[code] ??= HAN.test(char)
    ? [...new Set(pinyin(char, { toneType: 'none', multiple: true, type: 'array', nonZh: 'removed', v: true }))]
    : []);
}

/** The usual syllable of each character, in order; Latin words and digits stay as they are. */
export function syllablesOf(text: string): string[] {
  const syllables: string[] = [];
  for (const part of text.match(/[a-z0-9]+|\p{Script=Han}/giu) ?? []) {
    const [reading = part.toLowerCase()] = readingsOf(part);
    syllables.push(reading);
  }
  return syllables;
}

/** `杭州云溪` → `hangzhouyunxi`: what a Latin spelling is compared with, without spaces. */
export const pinyinOf = (text: string): string => syllablesOf(text).join('');

// Characters that are often read in more than one way; a rare reading of others (虹 as jiang) makes nobody err.
const POLYPHONES = new Set('长乐重行朝曾单盛调传藏都广会石厦解查仇区朴翟曲薄奇率宿校');

/** True where two characters are read alike, tones aside: 张/章, 祥/翔; of 长, 乐, 重 and their like any reading counts. */
export function soundAlike(a: string, b: string): boolean {
  const [x, y] = [readingsOf(a), readingsOf(b)];
  if (x[0] !== undefined && x[0] === y[0]) return true;
  return (POLYPHONES.has(a) && x.includes(y[0] ?? '')) || (POLYPHONES.has(b) && y.includes(x[0] ?? ''));
}

let shapes: Map<string, string> | undefined;

/** True where two simplified characters are easily taken for each other by the eye: 己/已, 未/末, 晴/睛. */
export function lookAlike(a: string, b: string): boolean {
  shapes ??= new Map(
    LOOK_ALIKES.trim()
      .split('\n')
      .map((line) => [line.slice(0, 1), line.slice(1)]),
  );
  return (shapes.get(a)?.includes(b) ?? false) || (shapes.get(b)?.includes(a) ?? false);
}
