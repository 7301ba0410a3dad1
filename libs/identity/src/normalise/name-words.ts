import { FORMS, SHOP_WORDS, TRADES } from '../../data/name-words.js';
import { pinyinOf } from './han.js';

/** What stands at the end of a firm's name: `limited` also where only 公司 is written. */
export type NameForm =
  | 'jointStock'
  | 'partnership'
  | 'limited'
  | 'cooperative'
  | 'farm'
  | 'factory'
  | 'stall'
  | 'institution'
  | 'individual'
  | 'shop';

export interface Words {
  /** Chinese word → concept. */
  han: Map<string, string>;
  /** English words or pinyin, hyphens between words → concept. */
  latin: Map<string, string>;
  /** Length of the longest Chinese word. */
  longest: number;
}

function readWords(table: string): Words {
  const words: Words = { han: new Map(), latin: new Map(), longest: 0 };
  for (const line of table.trim().split('\n')) {
    const [, concept = '', chinese = '', english = ''] = /^(\w+): ([^|]*)\| ?(.*)$/.exec(line) ?? [];
    for (const word of chinese.trim().split(' ')) {
      if (!words.han.has(word)) words.han.set(word, concept);
      words.longest = Math.max(words.longest, word.length);
    }
    for (const word of english.trim().split(' ')) if (word && !words.latin.has(word)) words.latin.set(word, concept);
  }
  // English words win over pinyin; a word of one syllable is too short to be told apart.
  for (const [word, concept] of words.han) {
    const spelled = pinyinOf(word);
    if (word.length >= 2 && !words.latin.has(spelled)) words.latin.set(spelled, concept);
  }
  return words;
}

let trades: Words | undefined;
let forms: Words | undefined;
export const tradeWords = (): Words => (trades ??= readWords(TRADES));
export const formWords = (): Words => (forms ??= readWords(FORMS));
export const SHOP_SUFFIXES = SHOP_WORDS.split(' ').toSorted((a, b) => b.length - a.length);
