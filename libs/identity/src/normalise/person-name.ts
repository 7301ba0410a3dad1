import { hasHan, lookAlike, pinyinOf, readingsOf, soundAlike } from './han.js';
import { foldText } from './text.js';

/** A natural person's name. */
export interface PersonName {
  /** Folded; stars where characters are hidden (`张*`, `张*三`), `·` between the parts of minority names. */
  text: string;
  script: 'han' | 'latin' | 'none';
  /** The family name, of one or two characters; of a Latin pinyin spelling its syllable; empty of names with `·`. */
  surname: string;
  given: string;
  /** Characters are hidden: never a key. */
  masked: boolean;
  /** Known characters, without stars. */
  known: number;
  /** Syllables without spaces, surname first (`zhangsan`); empty where characters are hidden. */
  pinyin: string;
  /** The syllables sorted by letter, so that Zhang San and San Zhang give the same; empty where characters are hidden. */
  pinyinKey: string;
}

const COMPOUND =
  '欧阳,上官,司马,诸葛,司徒,东方,独孤,南宫,夏侯,皇甫,尉迟,公孙,慕容,令狐,长孙,宇文,轩辕,端木,百里,呼延,东郭,南门,西门,淳于,单于,太史,申屠,公羊,公冶,澹台,濮阳,闻人,钟离,赫连,鲜于,闾丘,亓官,拓跋,完颜,纳兰,叶赫,爱新,万俟,仲孙,第五,司空,司寇,梁丘,左丘,谷梁,微生,羊舌,颛孙,乐正,宰父,漆雕,壤驷,公良,夹谷,段干,巫马,公西,东门,西陵,欧陽';
const COMPOUND_SURNAMES = new Set(COMPOUND.split(','));
// Characters whose reading as a surname isn't the usual one.
const SURNAME_READINGS: Record<string, string> = {
  单: 'shan',
  仇: 'qiu',
  解: 'xie',
  查: 'zha',
  曾: 'zeng',
  区: 'ou',
  盖: 'ge',
  朴: 'piao',
  翟: 'zhai',
  尉: 'wei',
  乐: 'yue',
  召: 'shao',
  缪: 'miao',
  种: 'chong',
  折: 'she',
  洗: 'xian',
  冼: 'xian',
  员: 'yun',
  贾: 'jia',
  覃: 'qin',
  重: 'chong',
  秘: 'bi',
  祭: 'zhai',
  纪: 'ji',
  宁: 'ning',
  燕: 'yan',
  任: 'ren',
  华: 'hua',
  哈: 'ha',
  那: 'na',
  牟: 'mu',
  万俟: 'moqi',
  尉迟: 'yuchi',
  长孙: 'zhangsun',
  澹台: 'tantai',
};
const TITLES = /(?:先生|女士|小姐|老板|经理|总经理|\((?:先生|女士|法人|负责人|经营者|本人|已故)\))$/u;

/** Splits a person's name: surname and given name, hidden characters, pinyin in either order. */
export function splitPersonName(input: string): PersonName {
  const text = foldText(input.replaceAll(/[＊●○×※★☆]|(?<=[\u4e00-\u9fff])[xX]{1,2}/g, '*'))
    .replace(TITLES, '')
    .replaceAll(/(?<=\p{Script=Han})[.\s](?=\p{Script=Han})/gu, '·')
    .replaceAll('某', '*');
  if (hasHan(text)) return hanPerson(text);
  const tokens = text
    .normalize('NFD')
    .replaceAll(/\p{Mn}|['’]/gu, '')
    .split(/[^\p{L}*]+/u)
    .filter(Boolean);
  const comma = /^[^,]+,[^,]+$/.test(text);
  const [first = '', ...others] = tokens;
  const surnameFirst = comma || isSurnameSpelling(first) || !isSurnameSpelling(tokens.at(-1) ?? '');
  const [surname, given] = surnameFirst ? [first, others] : [tokens.at(-1) as string, tokens.slice(0, -1)];
  const masked = text.includes('*');
  return {
    text,
    script: tokens.length > 0 ? 'latin' : 'none',
    surname,
    given: given.join(''),
    masked,
    known: tokens.join('').replaceAll('*', '').length,
    pinyin: masked ? '' : surname + given.join(''),
    pinyinKey: masked ? '' : lettersKey(tokens.join('')),
  };
}

function hanPerson(text: string): PersonName {
  const masked = text.includes('*');
  const parts = text.replaceAll(/[^\p{Script=Han}*·a-z]/gu, '');
  const minority = parts.includes('·');
  const surname = minority
    ? ''
    : COMPOUND_SURNAMES.has(parts.slice(0, 2)) && parts.length > 2
      ? parts.slice(0, 2)
      : parts.slice(0, 1);
  const given = parts.slice(surname.length);
  const pinyin = masked ? '' : surnameReading(surname) + pinyinOf(given);
  return {
    text: parts,
    script: 'han',
    surname,
    given,
    masked,
    known: parts.replaceAll(/[*·]/g, '').length,
    pinyin,
    pinyinKey: lettersKey(pinyin),
  };
}

const surnameReading = (surname: string): string => SURNAME_READINGS[surname] ?? pinyinOf(surname);
const lettersKey = (letters: string): string => [...letters].toSorted().join('');

let spellings: Set<string> | undefined;
const COMMON_SURNAMES =
  '王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤';

function isSurnameSpelling(token: string): boolean {
  spellings ??= new Set([...COMMON_SURNAMES].map(surnameReading));
  return spellings.has(token);
}

/**
 * How two persons' names compare, the nearest first: `equal`; `spelled`: one in pinyin, in either order; `sameSound` or
 * `lookAlike`: one character stands for one that sounds or looks the same; `masked`: one hides characters, the known ones
 * agree; `initials`; `oneMissing`; `oneDiffers`: same surname, another character in the given name; `different`.
 */
export type PersonNameDistance =
  'equal' | 'spelled' | 'sameSound' | 'lookAlike' | 'masked' | 'oneMissing' | 'oneDiffers' | 'different';

/** Compares two split names; symmetric. */
export function comparePersonNames(a: PersonName, b: PersonName): PersonNameDistance {
  if (a.script === 'none' || b.script === 'none') return 'different';
  if (a.masked || b.masked) return maskedPerson(a.text, b.text) ? 'masked' : 'different';
  if (a.text === b.text) return 'equal';
  if (a.script !== b.script)
    return a.pinyinKey === b.pinyinKey && isRotation(a, b) ? 'spelled' : spelledOtherwise(a, b);
  if (a.script === 'latin') return a.pinyinKey === b.pinyinKey && isRotation(a, b) ? 'equal' : 'different';
  const [x, y] = [a.text.replaceAll('·', ''), b.text.replaceAll('·', '')];
  if (x === y) return 'equal';
  if (x.length === y.length) return substituted(x, y);
  const [short, long] = x.length < y.length ? [x, y] : [y, x];
  const isMinority = a.text.includes('·') || b.text.includes('·');
  if (isMinority && short.length >= 2 && long.startsWith(short)) return 'oneMissing';
  return long.length - short.length === 1 && short.length >= 2 && long[0] === short[0] && isSubsequence(short, long)
    ? 'oneMissing'
    : 'different';
}

/** Zhang Sanfeng is Sanfeng Zhang: the letters of one order are a rotation of the other's. */
const isRotation = (a: PersonName, b: PersonName): boolean =>
  a.pinyin.length === b.pinyin.length && (a.pinyin + a.pinyin).includes(b.pinyin);

/** Of a Chinese name beside letters: any reading of its characters. */
function spelledOtherwise(a: PersonName, b: PersonName): PersonNameDistance {
  const [han, latin] = a.script === 'han' ? [a, b] : [b, a];
  const orders = [latin.surname + latin.given, latin.given + latin.surname];
  return orders.some((letters) => canSpell(han.text.replaceAll('·', ''), letters)) ? 'spelled' : 'different';
}

function canSpell(han: string, letters: string): boolean {
  if (han === '') return letters === '';
  const [char = ''] = han;
  const options = new Set([...readingsOf(char), surnameReading(char)]);
  for (const reading of options) {
    const spelled = reading.replaceAll('ü', 'v');
    for (const form of spelled.includes('v')
      ? [spelled, spelled.replace('v', 'u'), spelled.replace('v', 'yu')]
      : [spelled])
      if (letters.startsWith(form) && canSpell(han.slice(1), letters.slice(form.length))) return true;
  }
  return false;
}

function substituted(x: string, y: string): PersonNameDistance {
  let at = -1;
  for (let i = 0; i < x.length; i++)
    if (x[i] !== y[i]) {
      if (at >= 0) return 'different';
      at = i;
    }
  const [p, q] = [x[at] as string, y[at] as string];
  if (soundAlike(p, q)) return 'sameSound';
  if (lookAlike(p, q)) return 'lookAlike';
  return at > 0 && x.length > 2 ? 'oneDiffers' : 'different';
}

/** Hidden characters agree with anything; a run of stars may hide fewer or more than it has. At least one known character must be shared. */
function maskedPerson(a: string, b: string): boolean {
  const [x, y] = a.includes('*') ? [a, b] : [b, a];
  if (y.includes('*')) {
    if (x[0] !== '*' && y[0] !== '*') return x[0] === y[0] && ends(x, y);
    return withoutStars(x) === withoutStars(y) && withoutStars(x) !== '';
  }
  const [head = '', ...others] = x.split(/\*+/);
  const tail = others.at(-1) ?? '';
  // Ends that are known must agree, in order, with one to four characters for each run of stars.
  const hidden = y.length - head.length - tail.length - others.slice(0, -1).join('').length;
  return (
    head + tail !== '' &&
    y.startsWith(head) &&
    y.endsWith(tail) &&
    hidden >= others.length &&
    hidden <= 4 * others.length
  );
}

const withoutStars = (text: string): string => text.replaceAll('*', '');

const ends = (x: string, y: string): boolean => {
  const [p, q] = [x.at(-1) as string, y.at(-1) as string];
  return p === '*' || q === '*' || p === q;
};

function isSubsequence(short: string, long: string): boolean {
  let i = 0;
  for (const char of long) if (char === short[i]) i++;
  return i === short.length;
}
