import { FICTIONAL_REGION, isResidentId, makeUscc } from '@liandun/contracts';
import { foldText, hasHan, isOrganizationCode, readUscc, splitCompanyName, type MatchRecord } from '@liandun/identity';

/** Characters that names are written with in a copy instead of each other; none of them is a place's. */
const CHARACTERS = Array.from(
  '鑫达兴盛丰佳恒宏瑞信福顺美品诚博永光特润昌嘉鸿旺联合红众宝祥腾丽正凯荣创强国艺世威亿济升吉贺鹏春尔日惠双飞欣友益绿翔彩物鼎',
);

function hash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

const characterFor = (char: string, copy: number, place: number): string =>
  CHARACTERS[hash(char, copy * 31 + place) % CHARACTERS.length] as string;

/** Digits 8 to 5 from the end moved on, wherever blanks and hyphens stand; stars stay. */
function moved(text: string, copy: number): string {
  let place = 0;
  return Array.from(text.normalize('NFKC'))
    .toReversed()
    .map((char) => {
      if (!/[\d*]/.test(char)) return char;
      place++;
      return char === '*' || place < 5 || place > 8
        ? char
        : String((Number(char) + (copy >> ((place - 5) * 2)) + 1) % 10);
    })
    .toReversed()
    .join('');
}

/** The code of another organization, the same for the same organization code. */
const coded = (regionCode: string, organizationCode: string, copy: number): string =>
  makeUscc(regionCode, hash(organizationCode, copy) % 100_000_000);

/** Damaged as it was: what a slip made of one code it makes of the other. */
function slipped(written: string, code: string, other: string): string {
  const at = Array.from(code).findIndex((char, i) => char !== written[i]);
  if (written.length < code.length) return other.slice(0, at) + other.slice(at + 1);
  if (written.length > code.length) return other.slice(0, at) + (written[at] ?? '') + other.slice(at);
  return Array.from(other, (char, i) => (written[i] === code[i] ? char : (written[i] as string))).join('');
}

function uscc(written: string, copy: number): string {
  const read = readUscc(written);
  if (read.status === 'organizationCode') return coded(FICTIONAL_REGION, read.organizationCode, copy).slice(8, 17);
  if (read.status === 'invalid' && isOrganizationCode(read.text.slice(8, 17))) {
    const other = coded(FICTIONAL_REGION, read.text.slice(8, 17), copy);
    return read.text.slice(0, 8) + other.slice(8, 17) + read.text.slice(17);
  }
  if (read.status !== 'valid' && read.status !== 'repaired') return moved(written, copy);
  const other = coded(read.code.slice(2, 8), read.code.slice(8, 17), copy);
  return read.status === 'valid' ? other : slipped(written, read.code, other);
}

/** Another birthday, with the region, the last digits and the check as they are: what a mask shows stays true. */
function residentId(written: string, copy: number): string {
  const id = written.toUpperCase().replaceAll(/[\s-]/g, '');
  if (!isResidentId(id)) return moved(written, copy);
  for (let n = 0; n < 300; n++) {
    const h = hash(id, copy * 1000 + n);
    const day = `${1950 + (h % 50)}${String(1 + ((h >>> 8) % 12)).padStart(2, '0')}${String(1 + ((h >>> 16) % 28)).padStart(2, '0')}`;
    const other = id.slice(0, 6) + day + id.slice(14);
    if (isResidentId(other)) return other;
  }
  return id;
}

const SOUNDS = ['aeiou', 'bcdfghjklmnpqrstwxyz'];

/** Every vowel by another, every other letter by another. */
const letters = (text: string, copy: number): string =>
  text.replaceAll(/[a-z]/g, (char) => {
    const sounds = SOUNDS.find((some) => some.includes(char)) ?? char;
    return sounds[(sounds.indexOf(char) + copy) % sounds.length] as string;
  });

/** The family name as it is, and what is behind it replaced; stars stay. */
function person(name: string, copy: number): string {
  if (!hasHan(name)) return letters(name.toLowerCase(), copy);
  const [family = '', ...given] = Array.from(name);
  return family + given.map((char, i) => (hasHan(char) ? characterFor(foldText(char), copy, i) : char)).join('');
}

/** The name proper replaced, also where it is written in traditional characters or with something between. */
function firm(name: string, copy: number): string {
  const { core, script } = splitCompanyName(name);
  if (script !== 'han' || core === '') return letters(name.toLowerCase(), copy);
  const written = Array.from(name);
  const plain = written.map((char) => foldText(char)[0] ?? char);
  const at = plain.join('').indexOf(core);
  return written
    .map((char, i) => {
      const place = at < 0 ? core.indexOf(plain[i] as string) : i - at;
      return place >= 0 && place < core.length ? characterFor(plain[i] as string, copy, place) : char;
    })
    .join('');
}

/** Every number moved on; a new one where there is none. */
const address = (text: string, copy: number): string =>
  /\p{Nd}/u.test(text)
    ? text.replaceAll(/\p{Nd}+/gu, (digits) => String(Number(digits.normalize('NFKC')) + copy * 10_000))
    : `${text}${copy * 10_000}号`;

/**
 * The record in another world: every identifier, phone, account, mailbox, name and house number is replaced, the same value by
 * the same value within a copy, so that what agreed or differed does so still, and copies share places, a few names
 * made of the same characters, and addresses without a number.
 */
export function copyOf(record: MatchRecord, copy: number): MatchRecord {
  if (copy === 0) return record;
  const { identity, shops = [], ...rest } = record;
  const changed = { ...identity };
  if (identity.uscc) changed.uscc = uscc(identity.uscc, copy);
  if (identity.registrationNumber) changed.registrationNumber = moved(identity.registrationNumber, copy);
  if (identity.residentId) changed.residentId = residentId(identity.residentId, copy);
  if (identity.name)
    changed.name = identity.kind === 'person' ? person(identity.name, copy) : firm(identity.name, copy);
  if (identity.legalRepresentative) {
    const { name, residentId: id } = identity.legalRepresentative;
    changed.legalRepresentative = {
      ...(name && { name: person(name, copy) }),
      ...(id && { residentId: residentId(id, copy) }),
    };
  }
  if (identity.phones) changed.phones = identity.phones.map((phone) => moved(phone, copy));
  if (identity.bankAccounts) changed.bankAccounts = identity.bankAccounts.map((account) => moved(account, copy));
  if (identity.emails) changed.emails = identity.emails.map((email) => `c${copy}${email}`);
  if (identity.address) changed.address = address(identity.address, copy);
  return {
    ...rest,
    recordId: `${record.recordId}-${copy}`,
    merchantId: `${record.merchantId ?? ''}-${copy}`,
    identity: changed,
    shops: shops.map((shop) => ({
      ...shop,
      shopId: `${shop.shopId}-${copy}`,
      ...(shop.name && { name: firm(shop.name, copy) }),
    })),
  };
}
