import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { parse as parseHost } from 'tldts';
import { foldCode, foldText, isFillerNumber, isPlaceholder } from './text.js';

export type PhoneReading =
  | {
      status: 'valid';
      /** E.164 (`+8613812345678`); a Chinese service number (400…, 95…) is `+86400…` too. */
      number: string;
      kind: 'mobile' | 'landline' | 'service' | 'foreign';
      extension?: string;
    }
  /** Known digits at both ends of a national number, `*` between; never a key. */
  | { status: 'masked'; pattern: string; known: number }
  | { status: 'placeholder' }
  | { status: 'invalid'; text: string };

const CHINESE_MOBILE = /^1[3-9]\d{9}$/;
// Numbers that forms and manuals use as an example, and what is typed with one finger.
const EXAMPLE_PHONE =
  /^(?:13800138000|13[0-9]00000000|1[3-9](\d)\1{8}|1[3-9]1234567(?:8|89)?|1?3?8?12345678\d*|13812345678|13912345678|13712345678|13612345678|13312345678|18812345678|15012345678|11111111111)$/;

/** A phone number as written by a Chinese platform; without a country code it is Chinese. */
export function readPhone(input: string): PhoneReading {
  const text = foldCode(input.normalize('NFKC').replaceAll(/[●•×?＊]/g, '*')).replaceAll(
    /^(?:TEL|电话|手机|PHONE|MOBILE)/g,
    '',
  );
  const national = text.replace(/^(?:\+|00)?86(?=1[3-9][\d*]{9}$|0?\d{2,3}[\d*]{7,8}$|400\d{7}$)/, '');
  if (national.includes('*')) return maskedPhone(national);
  if (!/\d{5}/.test(national) || isFillerNumber(national) || EXAMPLE_PHONE.test(national))
    return { status: 'placeholder' };
  if (CHINESE_MOBILE.test(national)) return { status: 'valid', number: `+86${national}`, kind: 'mobile' };
  if (/^[48]00\d{7}$/.test(national)) return { status: 'valid', number: `+86${national}`, kind: 'service' };
  // Area codes have three or four digits, local numbers seven or eight; metadata knows only today's lengths.
  const landline = /^0?((?:10|2\d|[3-9]\d{2})\d{7,8})$/.exec(national);
  if (landline && (national.startsWith('0') || /^[+＋]|^00/.test(input.trim())))
    return { status: 'valid', number: `+86${landline[1]}`, kind: 'landline' };
  return parsedPhone(input, national);
}

function maskedPhone(text: string): PhoneReading {
  const known = text.replaceAll('*', '').length;
  if (!/^[\d*]{7,13}$/.test(text) || known < 4 || !/^\d{2,7}\*+\d{0,6}$/.test(text)) return { status: 'invalid', text };
  const [head = '', tail = ''] = text.split(/\*+/);
  const pattern = /^1[3-9]/.test(head) ? head + '*'.repeat(Math.max(1, 11 - head.length - tail.length)) + tail : text;
  return { status: 'masked', pattern, known };
}

function parsedPhone(input: string, national: string): PhoneReading {
  const [, body = input, extension] =
    /^(.*?)(?:转|分机|ext\.?|x|#|-)\s*(\d{1,5})$/i.exec(input.normalize('NFKC').trim()) ?? [];
  for (const [text, ext] of [
    [input.normalize('NFKC'), undefined],
    [body, extension],
    [national, undefined],
  ] as const) {
    const phone = parsePhoneNumberFromString(text, 'CN');
    if (!phone?.isValid()) continue;
    const kind = phone.country === 'CN' ? chineseKind(phone.getType()) : 'foreign';
    const given = ext ?? phone.ext;
    return { status: 'valid', number: phone.number, kind, ...(given && { extension: given }) };
  }
  // A local number without its area code: seven or eight digits say something only within one city.
  return { status: 'invalid', text: national };
}

function chineseKind(type: string | undefined): 'mobile' | 'landline' | 'service' {
  if (type === 'MOBILE') return 'mobile';
  return type === 'FIXED_LINE' || type === 'FIXED_LINE_OR_MOBILE' ? 'landline' : 'service';
}

/** Whether a masked national number can be `number` (E.164, or another mask), and how many digits of both are known. */
export function maskedPhoneAgrees(
  pattern: string,
  number: string,
): { verdict: 'agree' | 'contradict' | 'unknown'; compared: number } {
  const other = number.replace(/^\+86/, '');
  if (other.length !== pattern.length) return { verdict: 'unknown', compared: 0 };
  let compared = 0;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === '*' || other[i] === '*') continue;
    if (pattern[i] !== other[i]) return { verdict: 'contradict', compared };
    compared++;
  }
  return { verdict: compared >= 6 ? 'agree' : 'unknown', compared };
}

export type BankAccountReading =
  /** A payment card: 13 to 19 digits that pass the Luhn check under a card's prefix. */
  | { status: 'card'; number: string }
  /** Another account; company accounts have no public check. */
  | { status: 'account'; number: string }
  | { status: 'masked'; pattern: string }
  | { status: 'placeholder' }
  | { status: 'invalid'; text: string };

export function readBankAccount(input: string): BankAccountReading {
  const text = foldCode(input.normalize('NFKC').replaceAll(/[●•×?＊]/g, '*'));
  if (text.includes('*'))
    return /^[\d*]{6,32}$/.test(text) ? { status: 'masked', pattern: text } : { status: 'invalid', text };
  if (!/\d/.test(text) || isFillerNumber(text) || /^(\d{1,4})\1+$/.test(text)) return { status: 'placeholder' };
  if (!/^\d{8,32}$/.test(text)) return { status: 'invalid', text };
  return {
    status: /^(?:62|4|5[1-5]|3[457]|60|9)\d{11,18}$/.test(text) && passesLuhn(text) ? 'card' : 'account',
    number: text,
  };
}

/** ISO/IEC 7812-1 annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    sum += i % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0);
  }
  return sum % 10 === 0;
}

export type EmailReading =
  | {
      status: 'valid';
      /** Lower case, without a plus tag, Gmail's dots and a mailbox's alias domain: one mailbox, one address. */
      address: string;
      domain: string;
      /** The number of a QQ mail address: also an account of its own. */
      qq?: string;
      /** A mailbox that many strangers share the domain of, so that the domain says nothing. */
      publicDomain: boolean;
    }
  | { status: 'masked'; pattern: string }
  | { status: 'placeholder' }
  | { status: 'invalid'; text: string };

const PUBLIC_MAIL = new Set(
  (
    'qq.com,foxmail.com,163.com,126.com,yeah.net,188.com,vip.163.com,vip.126.com,vip.qq.com,sina.com,sina.cn,vip.sina.com,sohu.com,139.com,189.cn,wo.cn,aliyun.com,21cn.com,tom.com,263.net,' +
    'gmail.com,hotmail.com,outlook.com,live.com,live.cn,msn.com,yahoo.com,yahoo.com.cn,yahoo.cn,icloud.com,me.com,mail.ru,proton.me,protonmail.com,gmx.com'
  ).split(','),
);
const ALIAS_DOMAINS: Record<string, string> = {
  'googlemail.com': 'gmail.com',
  'foxmail.com': 'foxmail.com',
  'vip.qq.com': 'qq.com',
};
const EXAMPLE_MAIL = /^(?:test|none|null|abc|aaa|123|1234|12345|123456|example|noreply|no-reply|xxx?)@/;

export function readEmail(input: string): EmailReading {
  const text = input
    .normalize('NFKC')
    .replaceAll(/[\s\p{Cf}]/gu, '')
    .replace(/^mailto:/i, '')
    .toLowerCase();
  if (!text.includes('@')) return isPlaceholder(text) ? { status: 'placeholder' } : { status: 'invalid', text };
  if (text.includes('*')) return { status: 'masked', pattern: text };
  const [, local = '', host = ''] = /^([^@]{1,64})@([^@]{3,253})$/.exec(text) ?? [];
  if (
    !/^[\w.!#$%&'/=?^`{|}~+-]+$/.test(local) ||
    !/^[a-z0-9\u0080-\uffff](?:[a-z0-9\u0080-\uffff-]*\.)+[a-z\u0080-\uffff]{2,}$/.test(host)
  )
    return { status: 'invalid', text };
  if (EXAMPLE_MAIL.test(text)) return { status: 'placeholder' };
  const domain = ALIAS_DOMAINS[host] ?? host;
  let box = local.replace(/(?<=.)\+.*$/, '');
  if (domain === 'gmail.com') box = box.replaceAll('.', '');
  const qq = /^(?:qq|vip\.qq|foxmail)\.(?:com|example)$/.test(host) && /^[1-9]\d{4,11}$/.test(box) ? box : undefined;
  return {
    status: 'valid',
    address: `${box}@${domain}`,
    domain,
    ...(qq && { qq }),
    publicDomain: PUBLIC_MAIL.has(domain) || /^(?:qq|163|126|sina|gmail)\.example$/.test(domain),
  };
}

export type DomainReading = { status: 'valid'; domain: string; host: string } | { status: 'invalid'; text: string };

/** The registrable domain (eTLD+1 by the Public Suffix List) of a URL or host name. */
export function readDomain(input: string): DomainReading {
  const text = foldText(input).replaceAll(' ', '');
  const { domain, hostname, isIp } = parseHost(text, { allowPrivateDomains: false });
  return domain && hostname && !isIp
    ? { status: 'valid', domain, host: hostname.replace(/^www\./, '') }
    : { status: 'invalid', text };
}
