import { cityOf } from '../normalise/region.js';
import type { Features } from './features.js';
import { KEYS_MAX, type Key, type KeyKind } from './types.js';

/** Core and trade word of a firm's name, however they were parted. */
export const bodyOf = ({ name }: Features): string => (name ? name.core + name.trade : '');

/** The city (or county under a province) that the record names: by its code, its address, or its firm's name. */
export function citiesOf({ region, address, name }: Features): string[] {
  const codes = [
    region,
    ...(address?.regions.length === 1 ? address.regions : []),
    ...(name?.regions.length === 1 ? name.regions : []),
  ];
  const cities = codes
    .filter((code) => code !== undefined && !code.endsWith('0000') && code !== '')
    .map((code) => cityOf(code as string));
  return [...new Set(cities)];
}

const provinceOf = (features: Features): string | undefined =>
  (features.region ?? features.address?.regions[0] ?? features.name?.regions[0])?.slice(0, 2);

/**
 * The keys of a record, the most telling first, at most KEYS_MAX. A masked value gives none; a name gives one alone only
 * where it is long enough to be rare.
 */
export function keysOfFeatures(features: Features): Key[] {
  const keys: Key[] = [];
  const add = (kind: KeyKind, value: string | undefined): void => {
    if (!value || keys.length >= KEYS_MAX || keys.some((key) => key.kind === kind && key.value === value)) return;
    keys.push({ kind, value });
  };
  add('uscc', features.uscc ?? features.usccRepaired);
  add('residentId', features.residentId);
  if (!features.uscc) add('organizationCode', damagedOrganizationCode(features));
  for (const number of features.registrationNumbers ?? []) add('registrationNumber', number);
  for (const account of (features.bankAccounts ?? []).slice(0, 3)) add('bankAccount', account);
  for (const phone of (features.phones ?? []).slice(0, 3)) add('phone', phone);
  for (const email of (features.emails ?? []).slice(0, 2)) add('email', email);
  add('account', features.account);
  if (features.kind === 'legal') legalKeys(features, add);
  else personKeys(features, add);
  for (const shop of (features.shops ?? []).slice(0, 2)) add('shop', shop);
  return keys;
}

type Add = (kind: KeyKind, value: string | undefined) => void;

function legalKeys(features: Features, add: Add): void {
  const { name, representative, person, address } = features;
  const body = bodyOf(features);
  const [city] = citiesOf(features);
  const province = provinceOf(features);
  if (name?.script === 'latin') add('nameSound', province ? `${province}${name.pinyin}` : name.pinyin);
  else if (name && !name.isShop && body.length >= 2) {
    if (body.length >= 4) add('name', body);
    if (city) add('nameAtPlace', `${city}${name.core}`);
    else add('nameAtPlace', name.core);
    add('nameSound', province ? `${province}${name.pinyin}` : name.pinyin);
  }
  const people = representative ?? person;
  if (people && !people.masked && people.pinyin && (city ?? province))
    add('representative', `${people.pinyin}${city ?? province}`);
  if (address?.key && (city ?? province)) add('address', `${city ?? province}${address.key}`);
  for (const brand of (features.brands ?? []).slice(0, 1)) add('brand', `${city ?? ''}${brand}`);
}

function personKeys(features: Features, add: Add): void {
  const { person, address } = features;
  const [city] = citiesOf(features);
  if (person && !person.masked && person.pinyin) {
    for (const brand of (features.brands ?? []).slice(0, 2)) add('brand', `${person.pinyin}${brand}`);
    if (city) add('nameAtPlace', `${person.pinyin}${city}`);
    add('name', person.pinyin);
  }
  for (const brand of (features.brands ?? []).slice(0, 2)) add('brand', brand);
  if (address?.key && city) add('address', `${city}${address.key}`);
}

/** Nine characters of a damaged code that may be its organization code: where the slip lies before them. */
function damagedOrganizationCode({ usccDamaged, organizationCode }: Features): string | undefined {
  return organizationCode ?? (usccDamaged && usccDamaged.length >= 17 ? usccDamaged.slice(-10, -1) : undefined);
}
