import { addressCompare } from '../normalise/address.js';
import { compareCompanyNames, type CompanyName } from '../normalise/company-name.js';
import { maskedPhoneAgrees } from '../normalise/contact.js';
import { nameDistance, type NameDistance } from '../normalise/name-distance.js';
import { comparePersonNames, type PersonName } from '../normalise/person-name.js';
import { regionAgreement } from '../normalise/region.js';
import { maskedAgrees } from '../normalise/resident-id.js';
import { usccSlip } from '../normalise/uscc.js';
import { nameBits, personBits } from './rarity.js';
import type { Features } from './features.js';
import { bodyOf } from './keys.js';
import type { Conflict, Group } from './types.js';

/** How one field of two records compares. A field that one of them doesn't have is absent. */
export interface Level {
  field: Field;
  level: string;
  /** The value that agrees, where how many share it counts. */
  value?: string | undefined;
  /** How rare the agreeing name is, in bits. */
  rarity?: number | undefined;
  /** Of a phone under another name: the days of the two reports, in their order. */
  between?: readonly [from: number, to: number] | undefined;
}

export const FIELDS = {
  uscc: 'identifier',
  registrationNumber: 'identifier',
  residentId: 'identifier',
  name: 'name',
  phone: 'contact',
  email: 'contact',
  bankAccount: 'account',
  address: 'place',
  region: 'place',
  representative: 'people',
  representativeId: 'people',
  account: 'platform',
  // A brand often is the firm's own name: it is no evidence beside it.
  brand: 'name',
} as const satisfies Record<string, Group>;
export type Field = keyof typeof FIELDS;

const NEAR_DAYS = 730;

const common = (a: readonly string[] | undefined, b: readonly string[] | undefined): string | undefined =>
  a && b ? a.find((value) => b.includes(value)) : undefined;

/** What rules two records out, whatever else agrees. */
export function conflictOf(a: Features, b: Features): Conflict | undefined {
  if (a.kind !== b.kind) return 'kind';
  if (a.uscc && b.uscc && a.uscc !== b.uscc) return 'uscc';
  const operators = a.kind === 'person' || (a.as === 'soleProprietor' && b.as === 'soleProprietor');
  if (operators && a.residentId && b.residentId && a.residentId !== b.residentId) return 'residentId';
  return undefined;
}

/** All fields that both records have, compared. Symmetric. */
export function levelsOf(a: Features, b: Features): Level[] {
  const levels: Level[] = [];
  const add: Add = (field, level, value, rarity) => {
    if (level !== undefined) levels.push({ field, level, value, rarity });
  };
  if (a.kind === 'legal') {
    add('uscc', usccLevel(a, b));
    const number = common(a.registrationNumbers, b.registrationNumbers);
    add(
      'registrationNumber',
      number ? 'equal' : a.registrationNumbers && b.registrationNumbers ? 'different' : undefined,
      number,
    );
    const name = legalName(a, b);
    add('name', name, undefined, name === 'brand' || name === 'operator' ? undefined : rarerName(a, b));
    add(
      'representative',
      personLevel(a.representative, b.representative),
      undefined,
      rarerPerson(a.representative, b.representative),
    );
    add(
      'representativeId',
      idLevel(a.representativeId, a.representativeMask, b.representativeId, b.representativeMask),
    );
  } else add('name', personLevel(a.person, b.person), undefined, rarerPerson(a.person, b.person));
  add('residentId', idLevel(a.residentId, a.residentMask, b.residentId, b.residentMask), a.residentId);
  contactLevels(a, b, add);
  renamed(a, b, levels);
  const address = addressLevel(a, b);
  add('address', address, a.address?.key);
  if (address === undefined || address === 'otherPlace') add('region', regionLevel(a, b));
  add('account', a.account && a.account === b.account ? 'equal' : undefined);
  const brand = common(a.brands, b.brands);
  add('brand', brand ? 'equal' : a.brands && b.brands ? 'different' : undefined, brand);
  return levels;
}

type Add = (field: Field, level: string | undefined, value?: string, rarity?: number) => void;

function contactLevels(a: Features, b: Features, add: Add): void {
  const phone = common(a.phones, b.phones);
  const apart = Math.abs((a.day ?? 0) - (b.day ?? 0)) > NEAR_DAYS;
  if (phone) add('phone', apart ? 'equalLater' : 'equal', phone);
  else add('phone', maskedPhone(a, b));
  const email = common(a.emails, b.emails);
  add('email', email ? 'equal' : a.emails && b.emails ? 'different' : undefined, email);
  const account = common(a.bankAccounts, b.bankAccounts);
  if (account) add('bankAccount', 'equal', account);
  else if (
    a.bankMasks?.some((mask) => b.bankAccounts?.some((other) => fits(mask, other)) || b.bankMasks?.includes(mask)) ||
    b.bankMasks?.some((mask) => a.bankAccounts?.some((other) => fits(mask, other)))
  )
    add('bankAccount', 'masked');
  else if (a.bankAccounts && b.bankAccounts) add('bankAccount', 'different');
}

/** Names of two, not one name written in two ways. */
const OTHER_NAMES = new Set([
  'different',
  'otherForm',
  'otherPlace',
  'otherTrade',
  'spelledOtherwise',
  'operatorOther',
]);

/** A phone under another name may have been given out again: whether it was depends on who showed it in between. */
function renamed(a: Features, b: Features, levels: Level[]): void {
  if (a.day === undefined || b.day === undefined || a.day === b.day) return;
  const phone = levels.find(({ field, value }) => field === 'phone' && value !== undefined);
  const name = levels.find(({ field }) => field === 'name');
  if (phone && name && OTHER_NAMES.has(name.level)) phone.between = [Math.min(a.day, b.day), Math.max(a.day, b.day)];
}

function fits(mask: string, value: string): boolean {
  if (mask.length !== value.length) return false;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== '*' && mask[i] !== value[i]) return false;
  return true;
}

const phoneAgrees = (mask: string, others: string[]): boolean =>
  others.some((other) => maskedPhoneAgrees(mask, other).verdict === 'agree');

function maskedPhone(a: Features, b: Features): string | undefined {
  if (!(a.phones ?? a.phoneMasks) || !(b.phones ?? b.phoneMasks)) return undefined;
  if (!a.phoneMasks && !b.phoneMasks) return 'different';
  const [theirs, mine] = [
    [...(b.phones ?? []), ...(b.phoneMasks ?? [])],
    [...(a.phones ?? []), ...(a.phoneMasks ?? [])],
  ];
  if (a.phoneMasks?.some((mask) => phoneAgrees(mask, theirs)) || b.phoneMasks?.some((mask) => phoneAgrees(mask, mine)))
    return 'masked';
  return 'different';
}

/** A valid code beside another valid one is equal here: else it is a conflict. */
function usccLevel(a: Features, b: Features): string | undefined {
  if (a.uscc && b.uscc) return a.uscc === b.uscc ? 'equal' : 'different';
  const [x, y] = [a.uscc ?? a.usccRepaired, b.uscc ?? b.usccRepaired];
  if (x && y) return x === y ? 'repaired' : 'different';
  const [code, damaged] = x ? [x, b.usccDamaged] : [y, a.usccDamaged];
  if (code && damaged) return usccSlip(damaged, code) ? 'repaired' : 'different';
  if (a.usccDamaged && b.usccDamaged) return a.usccDamaged === b.usccDamaged ? 'repaired' : undefined;
  return undefined;
}

function idLevel(
  a: string | undefined,
  aMask: string | undefined,
  b: string | undefined,
  bMask: string | undefined,
): string | undefined {
  const [x, y] = [a ?? aMask, b ?? bMask];
  if (!x || !y) return undefined;
  if (a && b) return a === b ? 'equal' : 'different';
  const { verdict, compared, beyondRegion } = maskedAgrees(aMask ?? (bMask as string), aMask ? y : x);
  if (verdict === 'contradict') return 'different';
  return beyondRegion >= 4 && compared >= 8 ? 'masked' : 'maskedWeakly';
}

function personLevel(a: PersonName | undefined, b: PersonName | undefined): string | undefined {
  return a && b ? comparePersonNames(a, b) : undefined;
}

function regionLevel(a: Features, b: Features): string | undefined {
  const [x, y] = [a.region ?? a.address?.regions[0], b.region ?? b.address?.regions[0]];
  const agreement = regionAgreement(x, y);
  return agreement === 'unknown' ? undefined : agreement;
}

function addressLevel(a: Features, b: Features): string | undefined {
  if (!a.address || !b.address) return undefined;
  const { agrees, contradicts } = addressCompare(a.address, b.address);
  if (contradicts === 'region') return 'otherPlace';
  if (contradicts === undefined)
    return agrees === 'none' || agrees === 'region' || agrees === 'town'
      ? undefined
      : agrees === 'estate' || agrees === 'road'
        ? 'road'
        : agrees;
  if (contradicts === 'room' || contradicts === 'building') return 'neighbour';
  return agrees === 'road' ? 'sameRoad' : 'otherPlace';
}

/** The less rare of the two names, so that the order of the pair doesn't matter and no slip makes a name rare. */
const rarerName = (a: Features, b: Features): number | undefined =>
  a.name && b.name && a.name.script === 'han' && b.name.script === 'han'
    ? Math.min(nameBits(a.name.core, a.name.trade), nameBits(b.name.core, b.name.trade))
    : undefined;

const rarerPerson = (a: PersonName | undefined, b: PersonName | undefined): number | undefined =>
  a && b && !a.masked && !b.masked
    ? Math.min(personBits(a.surname, a.given), personBits(b.surname, b.given))
    : undefined;

/** What a shop's name leaves of a firm's: its brand, to be compared with cores and brands only. */
const brandsOf = (features: Features): string[] => features.brands ?? [];

function legalName(a: Features, b: Features): string | undefined {
  const asPerson = operatorLevel(a, b) ?? operatorLevel(b, a);
  if (asPerson === 'operator') return asPerson;
  if (!a.name || !b.name) return undefined;
  if (a.name.isShop || b.name.isShop) return shopLevel(a, b, a.name, b.name);
  const compared = compareCompanyNames(a.name, b.name);
  if (compared.transliterated) {
    if (compared.core === 'different') return asPerson ?? 'spelledOtherwise';
    return compared.branch === 'contradict' ? 'otherBranch' : compared.core === 'close' ? 'spelledClose' : 'spelled';
  }
  return bodyLevel(bodyOf(a), bodyOf(b), compared, a.name, b.name) ?? asPerson ?? 'different';
}

const ONE_CHARACTER = new Set<string>(['sameSound', 'lookAlike', 'oneDiffers']);

/** One other character in the whole names: where it stands in the place, the parts would differ in more than it. */
function slipOf(a: string, b: string): NameDistance | undefined {
  if (a.length !== b.length || a.length < 4) return undefined;
  const distance = nameDistance(a, b);
  return ONE_CHARACTER.has(distance) ? distance : undefined;
}

function bodyLevel(
  x: string,
  y: string,
  compared: ReturnType<typeof compareCompanyNames>,
  a: CompanyName,
  b: CompanyName,
): string | undefined {
  const distance = x === y || compared.bodyEqual ? 'equal' : (slipOf(a.text, b.text) ?? nameDistance(x, y));
  // A slip in the place's name is no other place.
  if (ONE_CHARACTER.has(distance) && compared.branch !== 'contradict' && x !== y) return distance;
  if (distance === 'different') return a.core === b.core ? 'otherTrade' : undefined;
  if (compared.branch === 'contradict') return 'otherBranch';
  // 青龙养猪合作社 may name a county or itself: what ends the other name as a whole says no other place.
  const within = a.text.endsWith(b.text) || b.text.endsWith(a.text);
  if (compared.region === 'contradict' && !within) return distance === 'equal' ? 'otherPlace' : 'different';
  if (within && distance !== 'equal') return 'equal';
  if (distance === 'prefix' || distance === 'contains') {
    if (a.core !== b.core) return 'contained';
    if (compared.form === 'contradict') return 'otherForm';
    return a.trade === '' || b.trade === '' ? 'short' : 'otherTrade';
  }
  if (distance === 'equal')
    return compared.form === 'contradict' ? 'otherForm' : compared.region === 'agree' ? 'whole' : 'equal';
  if (distance === 'slips' || distance === 'transposed') return 'slips';
  if (distance === 'oneMissing')
    return a.core === b.core && (a.trade === '' || b.trade === '') ? 'short' : 'oneMissing';
  return distance;
}

const isBrandOf = (shop: CompanyName, firm: Features, other: CompanyName): boolean =>
  shop.isShop &&
  (brandsOf(firm).some((brand) => shop.text.startsWith(brand)) ||
    (other.core.length >= 2 && shop.text.startsWith(other.core)));

function shopLevel(a: Features, b: Features, x: CompanyName, y: CompanyName): string {
  if (x.text === y.text || isBrandOf(x, b, y) || isBrandOf(y, a, x)) return 'brand';
  return 'brandOther';
}

/** A record that shows its operator's name where the firm's belongs. */
function operatorLevel(a: Features, b: Features): string | undefined {
  if (!a.person) return undefined;
  const others = [b.representative, b.person].filter((other) => other !== undefined);
  if (others.length === 0) return undefined;
  return others.some((other) =>
    ['equal', 'sameSound', 'spelled', 'masked'].includes(comparePersonNames(a.person as PersonName, other)),
  )
    ? 'operator'
    : 'operatorOther';
}
