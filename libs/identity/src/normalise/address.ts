import { liesIn, readPlaces } from './region.js';
import { foldText } from './text.js';

/** An address in its levels; a level that isn't said is missing. Numerals are digits. */
export interface Address {
  text: string;
  /** Divisions in force that the places can mean; empty where none is named. */
  regions: string[];
  /** 镇, 乡, 街道, without its division. */
  town?: string;
  village?: string;
  /** 路, 街, 大道, 巷 … with its suffix. */
  road?: string;
  /** 弄, 里, 胡同 number behind the road. */
  lane?: string;
  /** The house number (号), `12-3` and `12甲` included. */
  number?: string;
  /** A named place, estate or building: 云溪广场, 花园小区. */
  estate?: string;
  building?: string;
  unit?: string;
  floor?: string;
  room?: string;
  /** Everything below the division, one way of writing: digits, no level words that vary. For a comparison of the whole. */
  detail: string;
  /** Road (or village) and number, or estate and building: what a blocking key is made of; empty where neither is said. */
  key: string;
}

const DIGITS: Record<string, number> = {
  〇: 0,
  零: 0,
  一: 1,
  二: 2,
  两: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
  壹: 1,
  贰: 2,
  叁: 3,
  肆: 4,
  伍: 5,
  陆: 6,
  柒: 7,
  捌: 8,
  玖: 9,
};
const UNITS: Record<string, number> = { 十: 10, 拾: 10, 百: 100, 佰: 100, 千: 1000, 仟: 1000 };
const NUMERAL = '[〇零一二两三四五六七八九壹贰叁肆伍陆柒捌玖十拾百佰千仟]';
const BEFORE_COUNTER = new RegExp(
  `${NUMERAL}+(?=[号弄巷幢栋座楼层室单组队期区排村社户门店铺甲乙丙丁-]|$)|(?<=[-\\d])${NUMERAL}+`,
  'gu',
);

/** 一百二十一 → 121, 二〇三 → 203. */
export function chineseNumber(numeral: string): number {
  if (!/[十拾百佰千仟]/u.test(numeral)) return Number([...numeral].map((char) => DIGITS[char]).join(''));
  let total = 0;
  let digit = 0;
  for (const char of numeral) {
    const unit = UNITS[char];
    if (unit === undefined) digit = DIGITS[char] as number;
    else {
      total += (digit || 1) * unit;
      digit = 0;
    }
  }
  return total + digit;
}

/** Splits an address. Numerals are read, full-width and traditional characters folded, places resolved to divisions in force. */
export function parseAddress(input: string, hint?: string): Address {
  const text = foldText(input).replaceAll(/\s/g, '');
  const places = readPlaces(text.replace(/^(?:地址|住所|经营场所|注册地址)[:：]?/u, ''), hint);
  let rest = places.rest
    .replaceAll('#', '号')
    .replaceAll(BEFORE_COUNTER, (numeral) => String(chineseNumber(numeral)))
    .replaceAll(/(?<![\d.])0+(?=\d)/g, '')
    .replace(/^[,.;:-]+/, '');
  const address: Address = { text, regions: places.codes, detail: '', key: '' };
  const take = (
    field: keyof Address,
    pattern: RegExp,
    value: (match: RegExpExecArray) => string = (m) => m[1] as string,
  ): void => {
    const match = pattern.exec(rest);
    if (!match) return;
    Object.assign(address, { [field]: value(match) });
    rest = rest.slice(0, match.index) + rest.slice(match.index + match[0].length);
  };
  rest = rest.replaceAll(/\([^()]*\)/g, '');
  take('town', /^(.{1,8}?(?:街道办事处|街道办|街道|镇|乡|苏木))/u, (m) => (m[1] as string).replace(/办事处$|办$/u, ''));
  take('village', /^(.{1,8}?(?:行政村|村委会|居委会|社区|村))/u, (m) =>
    (m[1] as string).replace(/行政村$|村委会$|村$/u, '村').replace(/居委会$/u, '社区'),
  );
  take(
    'road',
    /^(.{1,12}?(?:大道|大街|公路|国道|省道|路|街|道|胡同|巷|里)(?:[东南西北中](?:段|路|街)|\d段|[东西南北]段)?)(?=\d|$|[^路街])/u,
  );
  take('lane', /^(\d+)弄/u);
  take('number', /^附?([甲乙丙丁]?\d+(?:[-/]\d+)?[a-z甲乙丙丁]?)号(?:院|内)?(?:附(\d+)号?)?(?!楼|厂房|库|仓)/u, (m) =>
    m[2] ? `${m[1]}-${m[2]}` : (m[1] as string),
  );
  const tail = splitTail(rest, address);
  if (!address.number && address.road) {
    const bare = /^(\d+(?:-\d+)?)$/.exec(rest);
    if (bare) address.number = bare[1] as string;
  }
  if (tail) address.estate = tail;
  address.detail = [
    address.town,
    address.village,
    address.road,
    address.lane && `${address.lane}弄`,
    address.number,
    address.estate,
    address.building,
    address.unit,
    address.floor,
    address.room,
  ]
    .filter(Boolean)
    .join('|');
  address.key = keyOf(address);
  return address;
}

/** Building, unit, floor and room from the end of what is left; gives back the named estate between. */
function splitTail(text: string, address: Address): string {
  let rest = text.replace(/^[,.;:-]+/, '');
  const dashed = /(?:^|(?<=[^\d-]))(\d{1,3})-(\d{1,2})-(\d{2,5})(?:室|号)?$/.exec(rest);
  if (dashed) {
    [, address.building, address.unit, address.room] = dashed as unknown as [string, string, string, string];
    return rest.slice(0, dashed.index);
  }
  const take = (field: 'room' | 'floor' | 'unit' | 'building', pattern: RegExp): void => {
    const match = pattern.exec(rest);
    if (!match) return;
    address[field] = (match[1] as string).replace(/^首$/u, '1').replace(/^底$/u, '1');
    rest = rest.slice(0, match.index) + rest.slice(match.index + match[0].length);
  };
  take('building', /((?:[a-z甲乙丙丁]-?)?\d+[a-z]?(?:-\d+)?|[a-z甲乙丙丁])(?:号楼|幢|栋|座|号厂房|楼座)/u);
  take('unit', /(\d+)单元/u);
  take('floor', /(?:第)?(\d+|首|底|负\d)(?:层|楼|f)/u);
  const lone = address.number || address.building ? null : /^(\D*[^\d-])(\d+(?:-\d+)?)号$/u.exec(rest);
  if (lone) {
    address.number = lone[2] as string;
    return lone[1] as string;
  }
  take('room', /([a-z]?-?\d+(?:-[a-z]?\d+)*[a-z]?)(?:室|号房|房|号铺|号)?$/u);
  return rest.replaceAll(/[,.;:]|的$/g, '');
}

function keyOf({ road, village, number, lane, estate, building }: Address): string {
  const way = road ?? village;
  if (way && (number ?? lane)) return `${way}${lane ? `${lane}弄` : ''}${number ?? ''}`;
  return estate && (number ?? building) ? `${estate}${number ?? building}` : '';
}

/** The narrowest level to which two addresses agree, and the first level at which they contradict. */
export interface AddressComparison {
  /** `none`: nothing below the division agrees (or one says nothing). */
  agrees: 'room' | 'building' | 'number' | 'estate' | 'road' | 'town' | 'region' | 'none';
  contradicts: 'region' | 'town' | 'road' | 'number' | 'building' | 'room' | undefined;
}

const STEPS: [
  AddressComparison['contradicts'] & AddressComparison['agrees'],
  (address: Address) => string | undefined,
][] = [
  ['town', (x) => x.town],
  ['road', (x) => x.road ?? x.village],
  ['number', (x) => (x.number || x.lane ? `${x.lane ?? ''}/${x.number ?? ''}` : undefined)],
  ['building', (x) => x.building],
  ['room', (x) => x.room],
];

/** Compares level by level; a level that one address doesn't say neither agrees nor contradicts. Symmetric. */
export function addressCompare(a: Address, b: Address): AddressComparison {
  let agrees: AddressComparison['agrees'] = 'none';
  if (a.regions.length > 0 && b.regions.length > 0) {
    if (!a.regions.some((x) => b.regions.some((y) => liesIn(x, y) || liesIn(y, x))))
      return { agrees, contradicts: 'region' };
    agrees = 'region';
  }
  if (a.detail !== '' && a.detail === b.detail)
    return {
      agrees: a.room
        ? 'room'
        : a.building
          ? 'building'
          : a.number || a.lane
            ? 'number'
            : a.estate
              ? 'estate'
              : a.road
                ? 'road'
                : 'town',
      contradicts: undefined,
    };
  for (const [level, of] of STEPS) {
    const [x, y] = [of(a), of(b)];
    if (x === undefined || y === undefined) continue;
    if (x !== y && !(level === 'road' && isSameRoad(x, y))) {
      // A town says little beside an equal road; its name is often left out or an older one.
      if (level === 'town') continue;
      return { agrees, contradicts: level };
    }
    agrees = level;
  }
  if (agrees === 'none' || agrees === 'region' || agrees === 'town')
    if (a.estate && a.estate === b.estate) agrees = 'estate';
  return { agrees, contradicts: undefined };
}

/** 九亭久富路 and 久富路: a town or village written into the road. */
const isSameRoad = (x: string, y: string): boolean => (x.length < y.length ? y.endsWith(x) : x.endsWith(y));
