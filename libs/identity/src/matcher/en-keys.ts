import { soundOf, wholeName } from './en-names.js';
import { KEYS_MAX, type Key, type KeyKind } from './types.js';
import { wordsOf, type EnglishFeatures } from './en-features.js';

/** The keys of a record, the most telling first: pairs of things, so that one slip leaves some of them whole. */
export function englishKeys(features: EnglishFeatures): Key[] {
  const keys: Key[] = [];
  const seen = new Set<string>();
  const add = (kind: KeyKind, ...values: (string | undefined)[]): void => {
    if (values.some((value) => !value) || keys.length >= KEYS_MAX) return;
    const value = values.join('|');
    if (seen.has(`${kind}:${value}`)) return;
    seen.add(`${kind}:${value}`);
    keys.push({ kind, value });
  };
  for (const [kind, value] of features.numbers.slice(0, 3)) add('residentId', kind.split(' ')[0], value);
  for (const phone of features.phones.slice(0, 2)) add('phone', phone.slice(-7));
  for (const email of features.emails.slice(0, 2)) add('email', email);
  if (features.kind === 'legal') {
    for (const text of features.texts.slice(0, 2)) add('name', wordsOf(text).toSorted().join(' '));
  } else personKeys(features, add);
  for (const { numbers, words, postcode } of features.addresses.slice(0, 2)) {
    add('address', numbers.toSorted()[0], words.filter((word) => word.length > 2).toSorted()[0]);
    if (features.kind === 'legal') add('address', postcode, numbers.toSorted()[0]);
  }
  return keys;
}

type Add = (kind: KeyKind, ...values: (string | undefined)[]) => void;

/** Names sound as they may, and a name that stands alone may be either: keys don't tell given names from surnames. */
function personKeys({ names, births, postcodes, birthPlace }: EnglishFeatures, add: Add): void {
  const [birth] = births;
  const [name] = names;
  const sector = postcodes[0]?.slice(0, -2);
  const place = birthPlace?.join(' ');
  const given = name?.given ? soundOf(wholeName(name.given)) : undefined;
  const surname = name && soundOf(name.surname);
  add('birth', birth, sector);
  add('birth', birth, surname);
  add('birth', birth, given);
  if (name?.given) add('name', ...[wholeName(name.given), name.surname].toSorted());
  if (given && surname) add('nameSound', ...[given, surname].toSorted());
  add('nameAtPlace', surname, sector);
  add('nameAtPlace', given, sector);
  add('nameAtPlace', surname, place);
  add('nameAtPlace', given, place);
  add('birth', birth, place);
  for (const rest of name?.rest ?? [])
    if (given && rest.length > 1) add('nameSound', ...[given, soundOf(rest)].toSorted());
  add('address', postcodes[0]);
}

/** Records that share a mark are taken for one entity where the holders of a key are counted. */
export function englishMarks({ names, births, texts, numbers }: EnglishFeatures): string[] {
  const [name] = names;
  return [
    ...numbers.slice(0, 1).map(([kind, value]) => `i${kind}${value}`),
    ...(name
      ? [`n${soundOf(wholeName(name.given))} ${soundOf(name.surname)}`]
      : texts.slice(0, 1).map((text) => `o${text}`)),
    ...(births[0] && name ? [`b${births[0]}${soundOf(name.surname)}`] : []),
  ];
}
