import { isResidentId, isUscc, makeUscc } from '@liandun/contracts';
import { splitCompanyName, type MatchRecord } from '@liandun/identity';

/** Characters that names are written with in a copy instead of each other; none of them is a place's. */
const CHARACTERS = Array.from(
  '鑫达兴盛丰佳恒宏瑞信福顺美品诚博永光特润昌嘉鸿旺联合红众宝祥腾丽正凯荣创强国艺世威亿济升吉贺鹏春尔日惠双飞欣友益绿翔彩物鼎',
);

function hash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

const characters = (text: string, copy: number): string =>
  Array.from(text, (char, i) => CHARACTERS[hash(char, copy * 31 + i) % CHARACTERS.length] as string).join('');

/** Digits 8 to 5 from the end moved on, wherever blanks and hyphens stand; stars stay. */
function moved(text: string, copy: number): string {
  let place = 0;
  return Array.from(text)
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

const uscc = (code: string, copy: number): string =>
  isUscc(code) ? makeUscc(code.slice(2, 8), hash(code, copy) % 100_000_000) : moved(code, copy);

/** Another birthday, with the region, the last digits and the check as they are: what a mask shows stays true. */
function residentId(id: string, copy: number): string {
  if (!isResidentId(id)) return id;
  for (let n = 0; n < 300; n++) {
    const h = hash(id, copy * 1000 + n);
    const day = `${1950 + (h % 50)}${String(1 + ((h >>> 8) % 12)).padStart(2, '0')}${String(1 + ((h >>> 16) % 28)).padStart(2, '0')}`;
    const other = id.slice(0, 6) + day + id.slice(14);
    if (isResidentId(other)) return other;
  }
  return id;
}

const person = (name: string, copy: number): string =>
  /^[\u4e00-\u9fff]{2,4}$/.test(name) ? name.slice(0, 1) + characters(name.slice(1), copy) : name;

function firm(name: string, copy: number): string {
  const { core, script } = splitCompanyName(name);
  return script === 'han' && core !== '' ? name.replace(core, characters(core, copy)) : `${name} ${copy}`;
}

/**
 * The record in another world: every identifier, phone, account, mailbox, name and house number is replaced, the same value by
 * the same value within a copy, so that what agreed or differed does so still, and copies share nothing but places.
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
  if (identity.address)
    changed.address = identity.address.replace(/\d+/, (digits) => String(Number(digits) + copy * 10_000));
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
