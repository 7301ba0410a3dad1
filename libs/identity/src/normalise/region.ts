import { REGIONS } from '../../data/regions.js';
import { pinyinOf } from './han.js';

/** A division of GB/T 2260, in force or withdrawn. */
export interface Region {
  code: string;
  name: string;
  level: 'province' | 'city' | 'county';
  /** The division in force that holds this place now: itself, or a successor, as narrow as is certain. */
  current: string;
}

interface Place {
  codes: string[];
  stem: boolean;
  level: number;
}

/** A place as a text names it: all divisions in force that it can be. Most names have one; 朝阳区 has two. */
interface Gazetteer {
  byCode: Map<string, Region>;
  /** Full names, earlier names and stems (杭州 of 杭州市) → codes in force. */
  byName: Map<string, Place>;
  /** Names by their first two characters, the longest first. */
  byStart: Map<string, [string, Place][]>;
}

const PEOPLES =
  '(?:(?:汉|满|回|藏|苗|彝|壮|侗|瑶|白|土|黎|畲|水|傣|佤|羌|京|怒|维吾尔|哈萨克|蒙古|朝鲜|土家|哈尼|傈僳|拉祜|纳西|景颇|柯尔克孜|布依|达斡尔|仫佬|布朗|撒拉|毛南|仡佬|锡伯|塔吉克|鄂温克|鄂伦春|保安|裕固|东乡|独龙|普米|各)族)+';
const AUTONOMOUS = new RegExp(`${PEOPLES}自治[州县旗]$`, 'u');

/** 杭州市 → 杭州, 恩施土家族苗族自治州 → 恩施; two characters at least. */
export function regionStem(name: string): string {
  const plain = name
    .replace(/(?:壮族|回族|维吾尔)自治区$|特别行政区$/u, '')
    .replace(AUTONOMOUS, '')
    .replace(/自治[州县旗区]$/u, '')
    .replace(/(?:地区|林区|新区|特区)$|(?:省|市|县|区|州|盟|旗)$/u, '');
  return plain.length >= 2 ? plain : name;
}

// Stems that are words, surnames or frequent firm names before they are places: they count only with 市/县/区, or below their own city.
const WORDS = new Set(
  (
    '东方,前进,向阳,红旗,平安,长安,兴隆,兴安,新兴,南山,宝山,金山,青山,爱民,安定,永安,永兴,永吉,和顺,大同,东兴,兴业,兴国,太和,德安,富源,和平,新华,朝阳,鼓楼,城关,西湖,东湖,' +
    '桥东,桥西,中原,中山,龙华,龙泉,龙门,龙江,金湖,金城,金川,金凤,金口河,金牛,金平,金寨,金水,金台,金东,金家庄,凤凰,凤台,凤山,红星,红山,红岗,红塔,建华,建设,友好,友谊,胜利,光明,' +
    '宏伟,文圣,太平,太平区,铁东,铁西,河东,河西,城中,城北,城东,城西,海港,海州,港口,新城,新市,新区,新民,新乐,新安,新建,新和,新源,新北,新荣,新罗,东风,东升,东安,东胜,东明,东海,东城,西城,' +
    '南城,南关,南湖,北湖,北关,北安,安居,安源,安宁,安康,安吉,安国,安乐,安岳,安平,康乐,康平,康保,康县,乐都,乐业,乐平,乐安,丰台,丰顺,丰泽,丰满,富民,富裕,富锦,富川,富强,民乐,民和,民权,' +
    '吉利,吉祥,吉安,昌平,昌盛,长顺,长乐,长春,长宁,长青,长清,长丰,长兴,万年,万安,万全,万盛,万宁,万里,万源,万荣,千山,千阳,天元,天宁,天门,天台,天桥,天峨,天等,天长,天全,天心,天河,' +
    '华安,华龙,华容,华宁,华亭,华坪,华池,永康,永丰,永顺,永泰,永和,永胜,永福,永德,永新,永昌,永宁,永清,永年,永城,大安,大通,大方,大兴,大丰,大关,大名,大化,大新,大田,大冶,大足,大东,大祥,大观,' +
    '正安,正定,正阳,正宁,正蓝,通达,通海,通江,通化,宁远,宁安,宁海,宁国,顺昌,顺平,顺河,顺义,顺庆,泰安,泰来,泰和,泰兴,泰宁,嘉禾,嘉祥,嘉善,嘉荫,嘉鱼,嘉定,嘉兴,明光,明水,明山,明溪,玉泉,玉龙,玉山,玉田,玉州,宝应,宝丰,宝安,宝兴,宝清,宝坻,' +
    '武功,武胜,武平,灵山,灵宝,云龙,云岩,云溪,云城,云安,云阳,云和,云霄,海安,海丰,海兴,海林,海伦,海阳,海盐,海晏,海珠,海宁,春城,秀峰,秀山,秀英,银海,银州,锦江,锦屏,盘龙,五华,官渡,西山,东川,双龙,双江,双城,双峰,双阳,双清,双桥,双滦,' +
    '滨湖,滨江,江南,江北,江东,江海,江源,江山,江城,江安,江阳,江川,江汉,江岸,江华,江夏,石峰,石鼓,石泉,石城,石门,石龙,石台,荔湾,翔安,集美,同安,同心,同德,同仁,共和,团结,信丰,信宜,诚信,广德,广安,广汉,广平,广昌,广饶,广丰,广陵,广河,广南,广宁,德保,德昌,德化,德清,德兴,德州,德惠,德庆,德令哈,' +
    '清新,清河,清水,清流,清远,清丰,清苑,清城,清浦,清涧,尚义,尚志,高明,高要,高州,高新,高港,高平,高安,高邑,高县,高阳,高唐,志丹,景泰,景德,景东,景宁,景洪,景谷,集安,集贤,源城,源汇,隆安,隆昌,隆尧,隆化,隆德,隆回,隆阳,秋林,' +
    '合作,合水,合山,合江,道里,道外,香坊,麦积,岳阳,衡阳楼,站前,老边,白云,白塔,白水,白银,白城,白山,白河,白沙,花都,花山,花溪,花垣,越秀,惠农,惠民,惠安,惠来,惠东,惠水,惠城,惠阳,惠山,利辛,利川,利津,利通,利州,立山,沿河,沿滩,振兴,振安,元宝,洪山,洪泽,洪江,洪湖,洪雅,' +
    '鑫,沙河,沙湾,沙县,沙雅,沙洋,沙坪坝,山阳,山海关,山丹,山阴,阳光,阳春,阳朔,阳信,阳新,阳谷,阳明,阳江,阳东,阳西,临江,临海,临泉,临河,兰山,兰溪,兰陵,蓝田,蓝山,茂南,茂名,崇文,崇明,崇义,崇信,崇仁,崇安,崇川,崇礼,崇左,崇州,卫东,卫滨,汇川,聚宝,三元,三江,三水,三山,三门,三原,三河,三台,三都,三穗,四方,七星,九龙,九江,九原'
  ).split(','),
);

const STREET_LEVEL = { province: 0, city: 1, county: 2 } as const;
const levelOf = (code: string): Region['level'] =>
  code.endsWith('0000') ? 'province' : code.endsWith('00') ? 'city' : 'county';

let gazetteer: Gazetteer | undefined;
const places = (): Gazetteer => (gazetteer ??= readGazetteer());

function readGazetteer(): Gazetteer {
  const byCode = new Map<string, Region>();
  const byName: Gazetteer['byName'] = new Map();
  const name = (text: string, code: string, stem: boolean): void => {
    const known = byName.get(text);
    const level = STREET_LEVEL[levelOf(code)];
    if (!known || (known.stem && !stem)) byName.set(text, { codes: [code], stem, level });
    else if (known.stem === stem && !known.codes.includes(code)) known.codes.push(code);
  };
  const withdrawn: [string, string][] = [];
  for (const line of REGIONS.trim().split('\n')) {
    const code = line.slice(0, 6);
    const [, text = '', mark = '', successor = code] = /^([^=>]+)([=>]?)(\d{6})?$/.exec(line.slice(6)) ?? [];
    if (mark !== '=' && !byCode.has(code))
      byCode.set(code, { code, name: text, level: levelOf(code), current: successor });
    if (mark === '>') withdrawn.push([text, successor]);
    else {
      name(text, code, false);
      const stem = regionStem(text);
      if (stem !== text) name(stem, code, true);
      // 延边州, 恩施州, 青龙县: an autonomous division without its peoples.
      if (AUTONOMOUS.test(text)) name(stem + text.slice(-1), code, false);
    }
  }
  // A name in force wins over one that was given up.
  for (const [text, code] of withdrawn) if (text.length > 2 && !byName.has(text)) name(text, code, false);
  for (const [text, code] of [
    ['内蒙', '150000'],
    ['广西壮族', '450000'],
    ['重庆', '500000'],
    ['北京', '110000'],
    ['上海', '310000'],
    ['天津', '120000'],
  ] as const)
    byName.set(text, { codes: [code], stem: true, level: 0 });
  const byStart: Gazetteer['byStart'] = new Map();
  for (const entry of [...byName].toSorted(([a], [b]) => b.length - a.length)) {
    const start = entry[0].slice(0, 2);
    const list = byStart.get(start);
    if (list) list.push(entry);
    else byStart.set(start, [entry]);
  }
  return { byCode, byName, byStart };
}

/** Divisions of GB/T 2260 since 1980; undefined of a code that never was one. `990101` (fictional) is one here. */
export function regionOf(code: string): Region | undefined {
  if (code === '990101') return { code, name: '虚构区', level: 'county', current: code };
  return places().byCode.get(code);
}

/** The code in force that holds the place of `code` now; a county unknown to the standard gives its city, or its province. */
export function currentRegion(code: string): string | undefined {
  const known = regionOf(code);
  if (known) return known.current;
  if (!/^\d{6}$/.test(code)) return undefined;
  for (const candidate of [`${code.slice(0, 4)}00`, `${code.slice(0, 2)}0000`]) {
    const region = regionOf(candidate);
    if (region) return region.current;
  }
  return undefined;
}

let prefixes: Set<string> | undefined;

/** True where `prefix` (four digits) begins a city that GB/T 2260 has or had, a province's own codes (`3300`) or the fictional region. */
export function isRegionPrefix(prefix: string): boolean {
  prefixes ??= new Set([
    '1000',
    '9901',
    ...[...places().byCode.keys()].flatMap((code) => [code.slice(0, 4), `${code.slice(0, 2)}00`]),
  ]);
  return prefixes.has(prefix);
}

export type RegionAgreement =
  /** The same county, or the same city where neither says the county. */
  | 'same'
  /** One is the city or province of the other. */
  | 'within'
  | 'sameCity'
  | 'sameProvince'
  | 'different'
  | 'unknown';

/** Compares two division codes, each in force or withdrawn. */
export function regionAgreement(a: string | undefined, b: string | undefined): RegionAgreement {
  const [x, y] = [a && currentRegion(a), b && currentRegion(b)];
  if (!x || !y) return 'unknown';
  if (x === y) return 'same';
  if (x.slice(0, 2) !== y.slice(0, 2)) return 'different';
  if (x.endsWith('0000') || y.endsWith('0000')) return 'within';
  if (cityOf(x) !== cityOf(y)) return 'sameProvince';
  return x.endsWith('00') || y.endsWith('00') ? 'within' : 'sameCity';
}

/** The city of a code: four digits; of a municipality (北京 上海 天津 重庆) two, of a county under the province directly six. */
export function cityOf(code: string): string {
  if (/^(?:11|12|31|50)/.test(code)) return code.slice(0, 2);
  return code.slice(2, 4) === '90' ? code : code.slice(0, 4);
}

/** True where `inner` is `outer` or lies in it; both in force. */
export function liesIn(inner: string, outer: string): boolean {
  let length = outer.length;
  while (outer.endsWith('00', length)) length -= 2;
  return inner.startsWith(outer.slice(0, length));
}

export interface PlacePrefix {
  /** All divisions in force that the words can mean, narrowest level named; one where the place is clear. */
  codes: string[];
  /** The words, as written. */
  text: string;
  /** Names level by level, as the standard writes them: those that were said. */
  rest: string;
  /** False where a bare stem (余杭) might as well be part of a firm's own name. */
  certain: boolean;
  /** The end of each place that was read, in `text`, so that the last can be given back. */
  ends: number[];
}

/**
 * Reads the place names at the start of folded text: 浙江省杭州市余杭区…, 浙江杭州…, 杭州余杭…, also joined by spaces,
 * commas and hyphens. A withdrawn name gives the division that holds it now.
 * @param hint a division that the record names elsewhere; decides between namesakes (朝阳区)
 */
export function readPlaces(text: string, hint?: string): PlacePrefix {
  let at = /^(?:中国|中华人民共和国)(?=\p{Script=Han})/u.exec(text)?.[0].length ?? 0;
  let codes: string[] = [];
  let certain = true;
  const ends: number[] = [];
  for (let i = 0; i < 4; i++) {
    const skipped = at + (/^[\s,\-/·]+/.exec(text.slice(at))?.[0].length ?? 0);
    const found = placeAt(text, skipped, codes);
    if (!found) break;
    codes = found.codes;
    at = skipped + found.length;
    certain = found.certain;
    ends.push(at);
  }
  if (ends.length === 0) return { codes: [], text: '', rest: text, certain: true, ends };
  const current = hint && currentRegion(hint);
  const hinted = current ? codes.filter((code) => liesIn(code, current) || liesIn(current, code)) : [];
  return { codes: hinted.length > 0 ? hinted : codes, text: text.slice(0, at), rest: text.slice(at), certain, ends };
}

const ROAD = /^[东南西北中一二三四五]{0,2}(?:路|街|大道|巷|胡同)/u;

function placeAt(
  text: string,
  at: number,
  within: string[],
): { codes: string[]; length: number; certain: boolean } | undefined {
  for (const [word, found] of places().byStart.get(text.slice(at, at + 2)) ?? []) {
    if (!text.startsWith(word, at)) continue;
    const { length } = word;
    // 濉溪北路, 南京路: a road of that name.
    if (found.stem && ROAD.test(text.slice(at + length, at + length + 4))) continue;
    if (within.length === 0) {
      if (found.stem && found.level > 0 && WORDS.has(word) && !/^[市县区省]/.test(text.slice(at + length))) continue;
      return { codes: found.codes, length, certain: !found.stem || found.level < 2 };
    }
    const below = found.codes.filter((code) => within.some((outer) => outer !== code && liesIn(code, outer)));
    if (below.length > 0) return { codes: below, length, certain: !found.stem };
  }
  return undefined;
}

let spelled: Map<string, string[]> | undefined;

/** Divisions in force by the pinyin of their name or stem, without spaces (`hangzhou`, `yuhang`, `shaanxi`). */
export function placesByPinyin(letters: string): string[] {
  if (!spelled) {
    spelled = new Map();
    for (const [name, { codes }] of places().byName) {
      const key = pinyinOf(name);
      spelled.set(key, [...new Set([...(spelled.get(key) ?? []), ...codes])]);
    }
    for (const [key, code] of FOREIGN_PLACES) spelled.set(key, [code]);
  }
  return spelled.get(letters) ?? [];
}

const FOREIGN_PLACES = [
  ['shaanxi', '610000'],
  ['innermongolia', '150000'],
  ['neimenggu', '150000'],
  ['tibet', '540000'],
  ['hongkong', '810000'],
  ['macao', '820000'],
  ['macau', '820000'],
  ['taiwan', '710000'],
  ['canton', '440100'],
  ['peking', '110000'],
  ['harbin', '230100'],
  ['urumqi', '650100'],
  ['kashgar', '653100'],
  ['hohhot', '150100'],
  ['lhasa', '540100'],
] as const;
