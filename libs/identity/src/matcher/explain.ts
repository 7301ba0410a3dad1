import type { Comparison, Conflict, Edge, Evidence, KeyKind, Matcher, PairContext, Rule, Verdict } from './types.js';

/** A sentence in both languages. */
export interface Sentence {
  en: string;
  zh: string;
}

/** Why two records are one entity, or not, or who should look: from stored evidence alone. */
export interface Explanation {
  outcome: Verdict['outcome'];
  rule: Rule | 'noSharedKey' | 'genericKey' | 'notJudgedYet';
  because: Sentence;
  /** Of the rule `conflict`: what contradicts. */
  conflict?: Conflict;
  /** The fields, what speaks most first. */
  fields: (Sentence & Evidence)[];
}

const RULES: Record<Explanation['rule'], Sentence> = {
  conflict: { en: 'two valid identifiers contradict each other', zh: '两个有效证件号互相矛盾' },
  identifierAgrees: { en: 'an official identifier agrees and nothing contradicts it', zh: '法定证件号一致且无矛盾' },
  identifierNameDiffers: {
    en: 'the identifier or the account agrees, but the names are of different firms',
    zh: '证件号或账户一致，但名称不相容',
  },
  weightOfGroups: { en: 'independent kinds of evidence agree', zh: '多类相互独立的证据一致' },
  oneGroupOnly: { en: 'only one kind of evidence agrees', zh: '仅有一类证据一致' },
  nameAlone: { en: 'only the names agree', zh: '仅名称一致' },
  neighbour: {
    en: 'the names are of two firms that may be neighbours, and no account or identifier agrees',
    zh: '名称可能属于两家相近企业，且无账户或证件号一致',
  },
  ambiguous: { en: 'the records behind the two agree too little on the whole', zh: '两侧其余记录整体上不够一致' },
  inBand: { en: 'the evidence is too weak to link and too strong to dismiss', zh: '证据不足以关联，也不足以排除' },
  belowBand: { en: 'the evidence is below the band', zh: '证据低于复核区间' },
  tooLarge: { en: 'the entity would be larger than a person has looked at', zh: '合并后的主体超过人工确认的规模上限' },
  decidedSame: { en: 'a reviewer decided that they are the same', zh: '复核人认定为同一主体' },
  decidedDifferent: { en: 'a reviewer decided that they are different', zh: '复核人认定为不同主体' },
  noSharedKey: { en: 'nothing that is looked up by is shared', zh: '没有共同的检索键' },
  genericKey: {
    en: 'what is shared is shared by too many (an agency, a park)',
    zh: '共同的信息被过多主体共用（如代理机构、园区）',
  },
  notJudgedYet: {
    en: 'by what is known now they would be linked; they have not been judged again yet',
    zh: '按现有记录应予关联，尚未重新判断',
  },
};

const CONFLICTS: Record<Conflict, Sentence> = {
  kind: { en: 'a firm and a person are never one', zh: '企业与自然人不能为同一主体' },
  uscc: { en: 'two valid credit codes contradict each other', zh: '两个有效的统一社会信用代码互相矛盾' },
  residentId: {
    en: 'two valid resident identity numbers contradict each other',
    zh: '两个有效的居民身份证号码互相矛盾',
  },
};

/** What records are found by. */
const KEYS: Record<KeyKind, Sentence> = {
  uscc: { en: 'unified social credit code', zh: '统一社会信用代码' },
  organizationCode: { en: 'organization code', zh: '组织机构代码' },
  registrationNumber: { en: 'registration number', zh: '注册号' },
  residentId: { en: 'resident identity number', zh: '居民身份证号码' },
  bankAccount: { en: 'bank account', zh: '银行账户' },
  phone: { en: 'phone', zh: '电话' },
  email: { en: 'e-mail', zh: '电子邮箱' },
  account: { en: 'account on the platform', zh: '平台账号' },
  shop: { en: 'shop', zh: '店铺' },
  name: { en: 'name', zh: '名称' },
  nameAtPlace: { en: 'name in one city', zh: '同城同名' },
  nameSound: { en: 'sound of the name', zh: '名称读音' },
  representative: { en: 'legal representative in one city', zh: '同城法定代表人' },
  address: { en: 'address', zh: '地址' },
  brand: { en: 'shop brand', zh: '店铺品牌' },
  birth: { en: 'date of birth', zh: '出生日期' },
  controller: { en: 'who operates or represents', zh: '经营者或法定代表人' },
};

const FIELDS: Record<string, Sentence> = {
  uscc: { en: 'unified social credit code', zh: '统一社会信用代码' },
  registrationNumber: { en: 'registration number', zh: '注册号' },
  residentId: { en: 'resident identity number', zh: '居民身份证号码' },
  name: { en: 'name', zh: '名称' },
  phone: { en: 'phone', zh: '电话' },
  email: { en: 'e-mail', zh: '电子邮箱' },
  bankAccount: { en: 'bank account', zh: '银行账户' },
  address: { en: 'address', zh: '地址' },
  region: { en: 'region', zh: '行政区划' },
  representative: { en: 'legal representative', zh: '法定代表人' },
  representativeId: { en: "legal representative's identity number", zh: '法定代表人身份证号码' },
  account: { en: 'account on the platform', zh: '平台账号' },
  brand: { en: 'shop brand', zh: '店铺品牌' },
  birth: { en: 'date of birth', zh: '出生日期' },
  birthPlace: { en: 'place of birth', zh: '出生地' },
  postcode: { en: 'postcode', zh: '邮政编码' },
  gender: { en: 'gender', zh: '性别' },
  occupation: { en: 'occupation', zh: '职业' },
  employer: { en: 'employer', zh: '雇主' },
  ordinal: { en: 'ordinal of a title', zh: '爵位代数' },
  generation: { en: 'generation', zh: '辈分（长、次）' },
};

const LEVELS: Record<string, Sentence> = {
  equal: { en: 'equal', zh: '相同' },
  alike: { en: 'alike', zh: '相近' },
  initial: { en: 'initial agrees', zh: '首字母一致' },
  elsewhere: { en: 'equal to another part', zh: '与另一部分相同' },
  none: { en: 'missing', zh: '缺失' },
  turned: { en: 'equal in another order', zh: '次序相反、内容一致' },
  family: { en: 'one surname, another given name', zh: '同姓不同名' },
  household: { en: 'shared within a household', zh: '同一家庭共用' },
  yearOnly: { en: 'equal, perhaps to the year only', zh: '相同（可能仅精确到年）' },
  slip: { en: 'equal but for one slip', zh: '仅一处笔误' },
  twoParts: { en: 'equal in two of year, month and day', zh: '年、月、日中两项相同' },
  year: { en: 'of one year', zh: '同年' },
  near: { en: 'a year apart', zh: '相差一年' },
  sector: { en: 'equal but for the last two characters', zh: '仅末两位不同' },
  district: { en: 'of one district', zh: '同一投递区' },
  close: { en: 'nearly equal', zh: '非常接近' },
  part: { en: 'equal in part', zh: '部分相同' },
  equalLater: { en: 'equal, years apart', zh: '相同（相隔多年）' },
  whole: { en: 'equal with its place', zh: '含地名完全相同' },
  repaired: { en: 'equal but for one slip', zh: '仅一处笔误' },
  masked: { en: 'agrees where it is visible', zh: '可见部分一致' },
  maskedWeakly: { en: 'little is visible and agrees', zh: '可见部分很少，一致' },
  different: { en: 'different', zh: '不同' },
  sameSound: { en: 'one character of the same sound', zh: '一字同音' },
  lookAlike: { en: 'one character of similar shape', zh: '一字形近' },
  oneDiffers: { en: 'one character is another', zh: '一字不同' },
  oneMissing: { en: 'one character missing', zh: '缺一字' },
  slips: { en: 'two slips', zh: '两处笔误' },
  short: { en: 'shortened', zh: '简称' },
  brand: { en: "one is the other's brand", zh: '一方为另一方的品牌' },
  brandOther: { en: 'another brand', zh: '品牌不同' },
  operator: { en: "one is the other's operator", zh: '一方为另一方的经营者' },
  operatorOther: { en: 'another operator', zh: '经营者不同' },
  spelled: { en: 'equal in pinyin', zh: '拼音一致' },
  spelledOtherwise: { en: 'different in pinyin', zh: '拼音不一致' },
  otherBranch: { en: 'another branch', zh: '分支机构不同' },
  otherPlace: { en: 'in another place', zh: '地点不同' },
  otherTrade: { en: 'another trade', zh: '行业不同' },
  otherForm: { en: 'another legal form', zh: '组织形式不同' },
  room: { en: 'equal to the room', zh: '一致到室' },
  building: { en: 'equal to the building', zh: '一致到楼栋' },
  number: { en: 'equal to the house number', zh: '一致到门牌号' },
  road: { en: 'the same road or estate', zh: '同一道路或园区' },
  sameRoad: { en: 'the same road, another number', zh: '同一道路、门牌不同' },
  neighbour: { en: 'another room of the same house', zh: '同址不同室' },
  same: { en: 'the same', zh: '相同' },
  sameCity: { en: 'in one city', zh: '同一城市' },
  sameProvince: { en: 'in one province', zh: '同一省份' },
  within: { en: 'one lies in the other', zh: '一方包含另一方' },
};

/** A name of three parts has a level for each. */
function levelOf(level: string): Sentence {
  const known = LEVELS[level];
  if (known) return known;
  const [given, surname, between] = level.split(' ').map((part) => LEVELS[part]);
  if (!given || !surname || !between) return { en: level, zh: level };
  return {
    en: `given name ${given.en}, surname ${surname.en}, between ${between.en}`,
    zh: `名${given.zh}，姓${surname.zh}，中间名${between.zh}`,
  };
}

const sentenceOf = ({ field, level }: Evidence): Sentence => {
  const [what, how] = [FIELDS[field] ?? { en: field, zh: field }, levelOf(level)];
  return { en: `${what.en}: ${how.en}`, zh: `${what.zh}：${how.zh}` };
};

/** The sentences of a rule, and of what contradicts. */
export const becauseOf = (rule: Explanation['rule'], conflict?: Conflict): Sentence =>
  rule === 'conflict' && conflict ? CONFLICTS[conflict] : RULES[rule];

/** Why a pair was judged as it was. */
export function explainPair(comparison: Comparison, { outcome, rule }: Verdict): Explanation {
  const { conflict } = comparison;
  const fields = comparison.evidence
    .toSorted((x, y) => Math.abs(Math.min(y.stranger, y.kin)) - Math.abs(Math.min(x.stranger, x.kin)))
    .map((evidence) => ({ ...sentenceOf(evidence), ...evidence }));
  return { outcome, rule, because: becauseOf(rule, conflict), ...(conflict && { conflict }), fields };
}

/** A key that two records share, without its value. */
export interface SharedKey extends Sentence {
  kind: KeyKind;
  /** How many entities hold it. */
  holders: number;
  /** From how many on it is generic: it finds nobody and weighs nothing. */
  cap: number;
  generic: boolean;
}

/** Why two records are apart. */
export interface ApartExplanation extends Explanation {
  /** Log2 of the odds that the two are one. */
  bits: number;
  /** What both would be looked up by. */
  shared: SharedKey[];
}

/** Why two records that were not linked are apart, down to whether they were ever compared. */
export function explainApart<F>(matcher: Matcher<never, F>, a: F, b: F, context: PairContext): ApartExplanation {
  const theirs = new Set(matcher.keys(b).map(({ kind, value }) => `${kind}:${value}`));
  const shared = matcher
    .keys(a)
    .filter(({ kind, value }) => theirs.has(`${kind}:${value}`))
    .map((key): SharedKey => {
      const [holders, cap] = [context.holders(key), matcher.capOf(key.kind)];
      return { kind: key.kind, ...KEYS[key.kind], holders, cap, generic: holders >= cap };
    });
  const comparison = matcher.compare(a, b, context);
  const { bits } = comparison;
  const found = { ...explainPair(comparison, matcher.decide(comparison)), bits, shared };
  if (comparison.conflict || shared.some(({ generic }) => !generic)) return found;
  const rule = shared.length === 0 ? 'noSharedKey' : 'genericKey';
  return { ...found, outcome: 'apart', rule, because: RULES[rule] };
}

/** The links that lead from one record of an entity to another, in order; none where they are of two entities. */
export function pathBetween(links: readonly Edge[], from: string, to: string): Edge[] {
  const at = new Map<string, Edge[]>();
  for (const link of links) for (const id of [link.a, link.b]) at.set(id, [...(at.get(id) ?? []), link]);
  const came = new Map<string, Edge>();
  const queue = [from];
  for (const id of queue)
    for (const link of at.get(id) ?? []) {
      const next = link.a === id ? link.b : link.a;
      if (next === from || came.has(next)) continue;
      came.set(next, link);
      queue.push(next);
    }
  const path: Edge[] = [];
  for (let id = to; id !== from;) {
    const link = came.get(id);
    if (!link) return [];
    path.unshift(link);
    id = link.a === id ? link.b : link.a;
  }
  return path;
}
