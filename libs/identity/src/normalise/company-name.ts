import { hasHan, pinyinOf } from './han.js';
import { nameDistance } from './name-distance.js';
import type { NameDistance } from './name-distance.js';
import { formWords, SHOP_SUFFIXES, tradeWords } from './name-words.js';
import type { NameForm } from './name-words.js';
import { liesIn, placesByPinyin, readPlaces } from './region.js';
import { foldText } from './text.js';

/** A firm's or shop's name in its parts. Chinese names are in simplified characters, Latin ones in lower-case letters. */
export interface CompanyName {
  /** The folded name with its notes, as compared for equality first. */
  text: string;
  script: 'han' | 'latin' | 'none';
  /** Divisions in force that the name's places can mean: from the front, or moved into brackets. Empty where none is named. */
  regions: string[];
  /** The places as written (`浙江杭州`). */
  regionText: string;
  /** The name proper (字号): what tells firms of one trade and place apart. Never empty unless the name is. */
  core: string;
  /** Trade words behind the core, as written. */
  trade: string;
  /** Concepts of the trade words (`technology`, `trade`), sorted; comparable across Chinese and English. */
  trades: string[];
  form: NameForm | undefined;
  /** The form's words as written (`有限责任公司`). */
  formText: string;
  /** Of a branch: what follows the head office's name (`新疆分公司`, `1分店`). A branch is not its head office. */
  branch: string | undefined;
  /** What was written behind the name or in brackets and is neither place, form nor branch (`已注销`, `品牌方`). */
  notes: string[];
  /** A shop's brand (旗舰店, 直播间 …) rather than a registered name. */
  isShop: boolean;
  /** Place words that may belong to the core (余杭 in 余杭云溪…), with core and trade: for a comparison without segmentation. */
  body: string;
  /** The core's syllables without tones and spaces; of a Latin name its letters. */
  pinyin: string;
  /** The syllables of core and trade. */
  bodyPinyin: string;
}

const NOTE_WORDS =
  /^(?:已注销|注销|存续|在业|在营|开业|已变更|变更|吊销|已吊销|迁出|停业|歇业|个体|个体户|个体工商户|品牌方|品牌|自营|原.*|曾用名.*|更名.*|新|旧|作废|总部|总公司|官方|正品|直营|加盟|授权|经销商|代理商|供应商|.*平台|企业|商家|本店|主体|有限公司|个人独资|一人公司|自然人独资|自然人投资或控股|筹|筹建|原名.*)$/u;
const BRANCH =
  /^(?:.{0,14}(?:分公司|分店|分厂|分行|支行|分社|分院|分部|分校|办事处|代表处|营业部|经营部|经销部|门市部|销售部|项目部|收购部|服务部|营业厅|连锁店|门店|工厂|酒店|商场|超市|专卖店|加油站|药店|店|部|站|厂))$/u;
const HEAD = /(?:有限责任公司|股份有限公司|有限公司|公司|集团|合作社|厂|银行|药房)/gu;
const NUMERALS: Record<string, string> = {
  一: '1',
  二: '2',
  三: '3',
  四: '4',
  五: '5',
  六: '6',
  七: '7',
  八: '8',
  九: '9',
  十: '10',
};

/**
 * Splits a firm's or shop's name. The order of 企业名称登记管理规定 article 8 (division, name proper, trade, form) is
 * expected, its usual disorders are understood. A foreign name gives core, trade and form from English and pinyin words.
 * @param hint a division code that the record names elsewhere; decides between namesakes
 */
export function splitCompanyName(input: string, hint?: string): CompanyName {
  const text = foldText(input);
  const cached = recall(text, hint);
  if (cached) return cached;
  const name = hasHan(text) ? splitHan(text, hint) : splitLatin(text, hint);
  return remember(text, hint, name);
}

const CACHED_NAMES = 4_096;
const cache = new Map<string, CompanyName>();
const keyOf = (text: string, hint?: string): string => (hint ? `${hint}${text}` : text);
const recall = (text: string, hint?: string): CompanyName | undefined => cache.get(keyOf(text, hint));
function remember(text: string, hint: string | undefined, name: CompanyName): CompanyName {
  if (cache.size >= CACHED_NAMES) cache.clear();
  cache.set(keyOf(text, hint), name);
  return name;
}

interface Draft {
  rest: string;
  regions: string[];
  regionText: string;
  notes: string[];
  branch: string | undefined;
}

function splitHan(text: string, hint?: string): CompanyName {
  const draft: Draft = { rest: text, regions: [], regionText: '', notes: [], branch: undefined };
  takeBrackets(draft, hint);
  takeTail(draft);
  draft.rest = draft.rest.replaceAll(
    /[\s,.;:!?|/_"'+*~^#@-]+(?=\p{Script=Han}|$)|(?<=\p{Script=Han})[\s,.;:!?|/_"'+*~^#@-]+/gu,
    '',
  );
  takeBranch(draft);
  const shop = SHOP_SUFFIXES.find((suffix) => draft.rest.endsWith(suffix) && draft.rest.length - suffix.length >= 2);
  const taken = takeForm(draft.rest);
  const byShop = shop !== undefined && shop.length > taken.formText.length;
  const {
    form,
    formText,
    rest: named,
  } = byShop ? { form: undefined, formText: shop, rest: draft.rest.slice(0, -shop.length) } : taken;
  const places = readPlaces(named, hint);
  // 杭州西湖茶叶有限公司: a place that leaves nothing of the name is the name.
  let cut = places.ends.length;
  while (cut > 0 && isNameless(named.slice(places.ends[cut - 1]))) cut--;
  const regionText = named.slice(0, cut === 0 ? 0 : places.ends[cut - 1]);
  const trimmed = cut === places.ends.length ? places : readPlaces(regionText, hint);
  const rest = named.slice(regionText.length).replace(/^(?:新区|省|市|县|区)(?=..)/u, '');
  const { core, trade, trades } = takeTrade(rest);
  const regions = trimmed.codes.length > 0 ? narrowed(trimmed.codes, draft.regions) : draft.regions;
  return {
    text,
    script: 'han',
    regions,
    regionText: regionText + draft.regionText,
    core,
    trade,
    trades,
    form,
    formText,
    branch: draft.branch,
    notes: draft.notes,
    isShop: shop !== undefined && (form === undefined || form === 'stall' || form === 'shop'),
    body: `${trimmed.certain ? '' : regionText}${rest}`,
    pinyin: pinyinOf(core),
    bodyPinyin: pinyinOf(rest),
  };
}

/** The narrower of two sets of places where one lies in the other. */
const narrowed = (a: string[], b: string[]): string[] => {
  const inner = b.filter((code) => a.some((outer) => liesIn(code, outer)));
  return inner.length > 0 ? inner : a;
};

function takeBrackets(draft: Draft, hint?: string): void {
  let rest = '';
  let end = 0;
  for (const match of draft.rest.matchAll(/\(([^()]*)\)?/g)) {
    rest += draft.rest.slice(end, match.index);
    end = match.index + match[0].length;
    const inside = match[1] as string;
    const last = end >= draft.rest.length;
    const places = readPlaces(inside, hint);
    if (places.codes.length > 0 && places.rest === '') {
      draft.regions = places.codes;
      draft.regionText += inside;
    } else if (/^(?:中国|集团|国际|控股|普通合伙|有限合伙|特殊普通合伙|股份)$/u.test(inside))
      rest += inside === '中国' ? '' : inside;
    else if (NOTE_WORDS.test(inside)) draft.notes.push(inside);
    else if (last && BRANCH.test(inside)) draft.branch = branchKey(inside);
    else if (last || inside === '') draft.notes.push(...(inside ? [inside] : []));
    else rest += inside;
  }
  draft.rest = rest + draft.rest.slice(end);
}

/** A note behind the legal form, apart from it by a dash, a space or nothing: 云溪有限公司-官方, 云溪有限公司 已注销. */
function takeTail(draft: Draft): void {
  const [, head, tail] = /^(.*(?:公司|合作社|[厂店行部]))\s*[-_/|,:;·.]+\s*(.+)$/u.exec(draft.rest) ?? [];
  if (head && tail && head.length >= 4) {
    if (BRANCH.test(tail) && head.endsWith('公司') && !SHOP_SUFFIXES.includes(tail)) draft.branch = branchKey(tail);
    else draft.notes.push(tail);
    draft.rest = head;
  }
  const [, firm, state] = /^(.*公司)(已注销|注销|已吊销|吊销|存续|在业|已变更)$/u.exec(draft.rest) ?? [];
  if (firm && state) {
    draft.notes.push(state);
    draft.rest = firm;
  }
}

function takeBranch(draft: Draft): void {
  let head = -1;
  for (const match of draft.rest.matchAll(HEAD)) {
    const end = match.index + match[0].length;
    const tail = draft.rest.slice(end);
    if (
      match.index >= 2 &&
      tail &&
      BRANCH.test(tail) &&
      (/公司|合作社|银行|药房/u.test(match[0]) || /分[厂店]|第.+[部店]/u.test(tail))
    ) {
      head = end;
      if (/公司/u.test(match[0])) break;
    }
  }
  if (head < 0) head = branchWithoutForm(draft.rest);
  if (head < 0) return;
  draft.branch = branchKey(draft.rest.slice(head));
  draft.rest = draft.rest.slice(0, head);
}

/** 云溪科技合肥分公司: without the head office's form, only a place tells where the branch begins. */
function branchWithoutForm(text: string): number {
  if (!text.endsWith('分公司')) return -1;
  for (let length = 2; length <= 6 && text.length - 3 - length >= 4; length++) {
    const start = text.length - 3 - length;
    const places = readPlaces(text.slice(start, -3));
    if (places.codes.length > 0 && places.rest === '') return start;
  }
  return -1;
}

/** 第一分公司, 1分公司, 一分公司 → 1分公司; places and names stay. */
function branchKey(text: string): string {
  return text
    .replace(/^第/u, '')
    .replace(
      /(?:第)?([一二三四五六七八九十])(?=(?:号)?(?:分|营业部|门市部|经营部|门店|店|部|厂))/gu,
      (_, numeral: string) => NUMERALS[numeral] as string,
    );
}

function takeForm(text: string): { form: NameForm | undefined; formText: string; rest: string } {
  const words = formWords();
  for (let length = Math.min(words.longest, text.length - 1); length > 0; length--) {
    const formText = text.slice(-length);
    const form = words.han.get(formText) as NameForm | undefined;
    if (form && (length > 1 || text.length >= 3)) return { form, formText, rest: text.slice(0, -length) };
  }
  return { form: undefined, formText: '', rest: text };
}

/** Trade words from the end, as long as two characters of the name remain. */
function takeTrade(text: string): { core: string; trade: string; trades: string[] } {
  const words = tradeWords();
  const trades = new Set<string>();
  let end = text.length;
  for (let found = true; found;) {
    found = false;
    for (let length = Math.min(words.longest, end - 2); length >= 2; length--) {
      const concept = words.han.get(text.slice(end - length, end));
      if (!concept) continue;
      trades.add(concept);
      end -= length;
      found = true;
      break;
    }
  }
  return { core: text.slice(0, end), trade: text.slice(end), trades: [...trades].toSorted() };
}

/** True where nothing but trade words is left: 茶叶 of 杭州西湖茶叶有限公司. */
function isNameless(text: string): boolean {
  const words = tradeWords();
  if (text.length < 2 || words.han.has(text)) return true;
  const { core, trade } = takeTrade(text);
  return trade !== '' && words.han.has(core);
}

const LATIN_BRANCH = /\b(?:branch|fengongsi|fendian|fenchang|sub-?branch|branch office|office)$/;

function splitLatin(text: string, hint?: string): CompanyName {
  const notes: string[] = [];
  let branch: string | undefined;
  let named = '';
  const bare = text.replace(/\(([^()]*)\)?/g, (_, inside: string) => {
    if (LATIN_BRANCH.test(inside)) branch = inside.replaceAll(/[^a-z0-9]/g, '');
    else if (placesByPinyin(inside.replaceAll(/[^a-z]/g, '')).length === 0) notes.push(inside);
    else named = inside;
    return ' ';
  });
  // A place in brackets is read as if it stood in front, where it usually stands.
  const tokens = `${named} ${bare}`
    .normalize('NFD')
    .replaceAll(/\p{Mn}|['.]/gu, '')
    .replaceAll('&', ' ')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((token) => token !== '' && token !== 'and' && token !== 'of' && token !== 'the');
  if (tokens.length > 2 && /.(?:fengongsi|fendian|fenchang)$/.test(tokens.at(-1) as string)) branch ??= tokens.pop();
  const form = takeLatinForm(tokens);
  const place = takeLatinPlace(tokens);
  const hinted = hint ? place.codes.filter((code) => liesIn(code, hint) || liesIn(hint, code)) : [];
  const all = tokens.join('');
  const { trades, trade } = takeLatinTrade(tokens);
  const core = tokens.join('') || all;
  return {
    text,
    script: /[\p{L}\p{N}]/u.test(text) ? 'latin' : 'none',
    regions: hinted.length > 0 ? hinted : place.codes,
    regionText: place.text,
    core,
    trade,
    trades,
    form: form.form,
    formText: form.text,
    branch,
    notes,
    isShop: false,
    body: all,
    pinyin: core,
    bodyPinyin: all,
  };
}

function takeLatinForm(tokens: string[]): { form: NameForm | undefined; text: string } {
  const words = formWords();
  let form: NameForm | undefined;
  const taken: string[] = [];
  for (let found = true; found && tokens.length > 1;) {
    found = false;
    for (let count = Math.min(4, tokens.length - 1); count > 0; count--) {
      const concept = words.latin.get(tokens.slice(-count).join('-')) as NameForm | undefined;
      if (!concept) continue;
      form ??= concept;
      taken.unshift(...tokens.splice(-count));
      found = true;
      break;
    }
  }
  return { form, text: taken.join(' ') };
}

function takeLatinPlace(tokens: string[]): { codes: string[]; text: string } {
  const taken: string[] = [];
  let codes: string[] = [];
  for (let round = 0; round < 3 && tokens.length > 1; round++) {
    const count = [3, 2, 1].find(
      (n) => n < tokens.length && below(placesByPinyin(tokens.slice(0, n).join('')), codes).length > 0,
    );
    if (!count) break;
    codes = below(placesByPinyin(tokens.slice(0, count).join('')), codes);
    taken.push(...tokens.splice(0, count));
    if (
      ['city', 'shi', 'province', 'sheng', 'county', 'xian', 'qu', 'district'].includes(tokens[0] as string) &&
      tokens.length > 2
    )
      tokens.shift();
  }
  // Yunxi Trading: a place that leaves nothing but the trade is the name.
  const words = tradeWords().latin;
  if (taken.length > 0 && tokens.every((token) => words.has(token))) {
    tokens.unshift(taken.pop() as string);
    codes = placesByPinyin(taken.join(''));
  }
  return { codes, text: taken.join(' ') };
}

const below = (codes: string[], within: string[]): string[] =>
  within.length === 0 ? codes : codes.filter((code) => within.some((outer) => outer !== code && liesIn(code, outer)));

function takeLatinTrade(tokens: string[]): { trades: string[]; trade: string } {
  const words = tradeWords();
  const trades = new Set<string>();
  const taken: string[] = [];
  for (let found = true; found && tokens.length > 1;) {
    found = false;
    for (let count = Math.min(3, tokens.length - 1); count > 0; count--) {
      const concept = words.latin.get(tokens.slice(-count).join('-')) ?? words.latin.get(tokens.slice(-count).join(''));
      if (!concept) continue;
      trades.add(concept);
      taken.unshift(...tokens.splice(-count));
      found = true;
      break;
    }
  }
  takeJoinedTrade(tokens, trades, taken);
  return { trades: [...trades].toSorted(), trade: taken.join(' ') };
}

/** Pinyin run together: jidianshebeixiaoshou is 机电设备 + 销售. */
function takeJoinedTrade(tokens: string[], trades: Set<string>, taken: string[]): void {
  const { latin } = tradeWords();
  let last = tokens.at(-1) ?? '';
  for (let from = 2; from <= last.length - 4;) {
    const concept = latin.get(last.slice(from));
    if (!concept) {
      from++;
      continue;
    }
    trades.add(concept);
    taken.unshift(last.slice(from));
    last = last.slice(0, from);
    from = tokens.length > 1 ? 0 : 2;
  }
  if (last === '') tokens.pop();
  else if (tokens.length > 0) tokens[tokens.length - 1] = last;
}

export interface CompanyComparison {
  /** Of the cores; `sameSound` also where a Latin spelling reads like the Chinese core. */
  core: NameDistance;
  /** `bodies` equal (core and trade run together), however they were segmented. */
  bodyEqual: boolean;
  /** Latin beside Chinese: compared through pinyin. */
  transliterated: boolean;
  region: 'agree' | 'contradict' | 'unknown';
  trade: 'agree' | 'contradict' | 'unknown';
  form: 'agree' | 'contradict' | 'unknown';
  /** `agree`: both the same branch, or both head offices. */
  branch: 'agree' | 'contradict';
  /** One or both are a shop's brand: only the core can be compared. */
  shop: boolean;
}

/** Compares two split names, part by part; symmetric. */
export function compareCompanyNames(a: CompanyName, b: CompanyName): CompanyComparison {
  const transliterated = a.script !== b.script;
  const bodyEqual = a.body !== '' && (transliterated ? a.bodyPinyin === b.bodyPinyin : a.body === b.body);
  return {
    core: transliterated ? spelledDistance(a, b) : bodyEqual ? 'equal' : coreDistance(a, b),
    bodyEqual,
    transliterated,
    region: agreement(a.regions, b.regions, (x, y) => liesIn(x, y) || liesIn(y, x)),
    trade: agreement(a.trades, b.trades, (x, y) => x === y),
    form: agreement(a.form ? [a.form] : [], b.form ? [b.form] : [], sameForm),
    branch: branchAgreement(a, b),
    shop: a.isShop || b.isShop,
  };
}

const SLIPS: ReadonlySet<NameDistance> = new Set([
  'sameSound',
  'lookAlike',
  'slips',
  'transposed',
  'oneMissing',
] as const);

/** A slip in a trade word (烟洒) moves the cut between core and trade, so that the two run together say more than the cores. */
function coreDistance(a: CompanyName, b: CompanyName): NameDistance {
  const cores = nameDistance(a.core, b.core);
  if (cores === 'equal' || SLIPS.has(cores)) return cores;
  const bodies = nameDistance(a.core + a.trade, b.core + b.trade);
  return SLIPS.has(bodies) && a.trade !== b.trade ? bodies : cores;
}

function spelledDistance(a: CompanyName, b: CompanyName): NameDistance {
  if (a.pinyin === b.pinyin || a.bodyPinyin === b.bodyPinyin) return a.pinyin === '' ? 'different' : 'sameSound';
  const [long, short] = a.pinyin.length > b.pinyin.length ? [a, b] : [b, a];
  if (short.pinyin.length >= 4 && long.pinyin.startsWith(short.pinyin) && short.bodyPinyin.startsWith(long.pinyin))
    return 'sameSound';
  return nameDistance(a.pinyin, b.pinyin) === 'oneMissing' && short.pinyin.length >= 6 ? 'close' : 'different';
}

function agreement(
  a: string[],
  b: string[],
  same: (x: string, y: string) => boolean,
): 'agree' | 'contradict' | 'unknown' {
  if (a.length === 0 || b.length === 0) return 'unknown';
  return a.some((x) => b.some((y) => same(x, y))) ? 'agree' : 'contradict';
}

// A company's form is often shortened; what is contradicted is a company against a factory or a stall.
const COMPANIES = new Set(['jointStock', 'limited']);
const STALLS = new Set(['stall', 'shop', 'individual', 'farm']);
const sameForm = (x: string, y: string): boolean =>
  x === y || (COMPANIES.has(x) && COMPANIES.has(y)) || (STALLS.has(x) && STALLS.has(y));

function branchAgreement(a: CompanyName, b: CompanyName): 'agree' | 'contradict' {
  if (a.branch === b.branch) return 'agree';
  if (a.branch === undefined || b.branch === undefined) return 'contradict';
  const plain = (name: CompanyName): string => pinyinOf(name.branch as string).replace(/(?:fengongsi|branch)$/, '');
  return plain(a) === plain(b) ? 'agree' : 'contradict';
}
