import * as OpenCC from 'opencc-js/t2cn';

const TO_SIMPLIFIED = OpenCC.Converter({ from: 't', to: 'cn' });
// OpenCC decides these by phrase (乾隆, 著名) or leaves them to fonts; a name is compared character by character, so one form must win.
const FURTHER_VARIANTS: Record<string, string> = {
  乾: '干',
  著: '着',
  値: '值',
  祕: '秘',
  內: '内',
  戸: '户',
  黒: '黑',
  渓: '溪',
};

/** The simplified form of every BMP ideograph, by code unit: 128 KB, filled at first use, against a dictionary search for each string. */
let simplified: Uint16Array | undefined;

function simplifiedForms(): Uint16Array {
  const forms = Uint16Array.from({ length: 0x10000 }, (_, code) => code);
  for (const [first, last] of [
    [0x3400, 0x9fff],
    [0xf900, 0xfaff],
  ] as const)
    for (let code = first; code <= last; code++) {
      const char = String.fromCharCode(code).normalize('NFKC');
      const form = FURTHER_VARIANTS[char] ?? TO_SIMPLIFIED(char);
      if (form.length === 1) forms[code] = form.charCodeAt(0);
    }
  return forms;
}

/** Traditional and variant characters to their simplified form, one for one, so that no length changes. */
export function toSimplified(text: string): string {
  simplified ??= simplifiedForms();
  let out = '';
  let kept = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const form = simplified[code] as number;
    if (form === code) continue;
    out += text.slice(kept, i) + String.fromCharCode(form);
    kept = i + 1;
  }
  return kept === 0 ? text : out + text.slice(kept);
}

const PLAIN = /^[\u0021-\u007e\u4e00-\u9fff]*$/;
const INVISIBLE = /[\p{Cf}\p{Cc}\p{Mn}\uFFFD]/gu;
const BRACKETS: [RegExp, string][] = [
  [/[〔【［｛〖〈《「『⟨〘]/g, '('],
  [/[〕】］｝〗〉》」』⟩〙]/g, ')'],
  [/[[{<]/g, '('],
  [/[\]}>]/g, ')'],
  // Every dash that keyboards and word processors put in; ー and 一 stay, they are letters.
  [/[\u2010-\u2015\u2212\u2E3A\u2E3B\uFE58\uFE63]/g, '-'],
  [/[·•‧・∙⋅●․]/g, '·'],
  [/[“”„‟"'‘’‛`´]/g, ''],
  [/[、，]/g, ','],
  [/。/g, '.'],
];

/**
 * Text as it is compared: NFKC (full-width letters, digits and brackets become ASCII), invisible characters dropped,
 * every bracket round, dashes and middle dots of one kind, quotation marks dropped, simplified characters, lower-case
 * Latin, white space one space and none between Chinese characters. Idempotent.
 */
export function foldText(text: string): string {
  if (PLAIN.test(text) && !/[[\]{}<>"'`]/.test(text)) return toSimplified(text).toLowerCase();
  let folded = text.normalize('NFKC');
  for (const [from, to] of BRACKETS) folded = folded.replace(from, to);
  folded = toSimplified(folded.toLowerCase().replace(/\s+/g, ' ').replace(INVISIBLE, ''));
  return folded.replace(/(?<=[^\u0021-\u007e\u00c0-\u024f]) | (?=[^\u0021-\u007e\u00c0-\u024f])/g, '').trim();
}

/** Codes and numbers as they are compared: NFKC, upper case, without white space, punctuation between and invisible characters. */
export const foldCode = (text: string): string =>
  /^[0-9A-Z*]*$/.test(text)
    ? text
    : text
        .normalize('NFKC')
        .replaceAll(/[\s\p{Cf}\p{Cc}\p{Pd}._·,:;'"()/\\]/gu, '')
        .toUpperCase();

const FILLERS = new Set(
  (
    '无,没有,暂无,暂缺,未知,未填,未填写,不详,不清楚,不知道,空,空白,测试,测试店铺,测试商户,测试用户,测试公司,默认,默认店铺,匿名,保密,待补充,待定,待完善,见附件,同上,同前,略,' +
    '其他,其它,请输入,请填写,请选择,姓名,公司名称,企业名称,法人姓名,地址,无名,无此人,某某,某某某,张三,李四,王五,' +
    'n/a,na,n.a.,nil,none,null,undefined,nan,unknown,test,testing,demo,default,tbd,todo,xxx,xx,x,abc,aaa,asdf,qwerty,empty,anonymous,' +
    'no name,noname,not available,not applicable,无地址,无电话,无邮箱,个体,个体户,个人,本人,自己,商家,店铺,商户'
  ).split(','),
);

/** True of what people type to fill a field (无, 暂无, 测试, N/A, xxx, 000000, --): it names nobody and never matches. */
export function isPlaceholder(text: string): boolean {
  const folded = foldText(text);
  return (
    FILLERS.has(folded) ||
    !/[\p{L}\p{N}]/u.test(folded) ||
    /^(.)\1{2,}$/u.test(folded) ||
    /^(?:0?123456(?:7(?:8(?:90?)?)?)?|0+)$/.test(folded) ||
    /^(?:测试|test)[\d_\s-]*$/.test(folded)
  );
}

const REPEATED = /^(.)\1*$/;
const RUNS = '0123456789012345678901234567890123456789 9876543210987654321098765432109876543210';

/** True of a number that nobody was given: one digit all along, 1234567…, or 9876…, over its whole length. */
export const isFillerNumber = (digits: string): boolean => REPEATED.test(digits) || RUNS.includes(digits);
