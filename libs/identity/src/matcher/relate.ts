import { comparePersonNames, type PersonName } from '../normalise/person-name.js';
import { compareCompanyNames } from '../normalise/company-name.js';
import type { Features } from './features.js';
import { bodyOf } from './keys.js';
import type { Key, KeyKind, Node, PairContext, Relation } from './types.js';

/** The resident number of the person behind a record: its own, its operator's, or its representative's. */
const controllerOf = ({ residentId, representativeId }: Features): string | undefined => residentId ?? representativeId;

/** What finds the firms of a person: nothing is the same by it. */
export function relationKeysOf(features: Features): Key[] {
  const value = controllerOf(features);
  return value === undefined ? [] : [{ kind: 'controller', value }];
}

type Cap = (kind: KeyKind) => number;
type Found = Pick<Relation, 'kind' | 'fields' | 'grade'> & { from?: 'a' | 'b' };

const CONTACTS = [
  ['phones', 'phone'],
  ['emails', 'email'],
  ['bankAccounts', 'bankAccount'],
] as const;

/** The first contact or account of both that few hold and that wasn't given out again in between. */
function contactOf(
  a: Features,
  b: Features,
  context: PairContext,
  cap: Cap,
): 'phone' | 'email' | 'bankAccount' | undefined {
  const days = [a.day ?? 0, b.day ?? 0].toSorted((x, y) => x - y) as [number, number];
  return CONTACTS.find(([list, kind]) =>
    a[list]?.some((value) => {
      const key = { kind, value };
      if (!b[list]?.includes(value) || context.holders(key) >= cap(kind)) return false;
      return kind !== 'phone' || !context.reissued?.(key, ...days);
    }),
  )?.[1];
}

const SAME_NAMES = new Set<string>(['equal', 'spelled']);
const sameName = (x: PersonName | undefined, y: PersonName | undefined): boolean =>
  x !== undefined && y !== undefined && !x.masked && !y.masked && SAME_NAMES.has(comparePersonNames(x, y));

/** A person and a firm: its operator or legal representative by number, or by name with a contact or account. */
function ofPerson(person: Features, firm: Features, contact: Contact): Found | undefined {
  const sole = firm.as === 'soleProprietor';
  const kind = sole ? 'operates' : 'legalRepresentativeOf';
  const theirs = controllerOf(firm);
  if (person.residentId && theirs)
    return person.residentId === theirs ? { kind, fields: ['residentId'], grade: 'exact' } : undefined;
  const named = sameName(person.person, firm.representative) || sameName(person.person, firm.person);
  if (!named) return undefined;
  const other = contact();
  if (other) return { kind, fields: ['name', other], grade: 'strong' };
  return person.account && person.account === firm.account
    ? { kind, fields: ['name', 'account'], grade: 'strong' }
    : undefined;
}

type Contact = () => ReturnType<typeof contactOf>;

/** A branch bears its head office's name with a mark of its own. */
function branchOf(a: Features, b: Features): Found | undefined {
  if (!a.name || !b.name || a.name.isShop || b.name.isShop) return undefined;
  const [x, y] = [a.name.branch, b.name.branch];
  if ((x === undefined) === (y === undefined)) return undefined;
  const compared = compareCompanyNames(a.name, b.name);
  if (bodyOf(a) !== bodyOf(b) && !compared.bodyEqual) return undefined;
  if (compared.region === 'contradict' || compared.form === 'contradict') return undefined;
  return { kind: 'branchOf', fields: ['name'], grade: 'strong', from: x === undefined ? 'b' : 'a' };
}

/** The account went to another firm, or from a person to a firm: two codes or numbers, one account, the later one succeeds. */
function successorOf(a: Node<Features>, b: Node<Features>): Found | undefined {
  if (!a.features.account || a.features.account !== b.features.account) return undefined;
  const [x, y] = [a.features.day ?? 0, b.features.day ?? 0];
  const later = x === y ? (a.id > b.id ? 'a' : 'b') : x > y ? 'a' : 'b';
  return { kind: 'successorOf', fields: ['account'], grade: 'strong', from: later };
}

/** Two that contradict each other or are of two kinds: not the same record with something missing. */
const areTwo = (a: Features, b: Features): boolean =>
  a.kind !== b.kind || (a.uscc !== undefined && b.uscc !== undefined && a.uscc !== b.uscc);

/**
 * How two records that aren't one are related; the most telling relation only. It rests on what few hold: along a generic key
 * (an agency's phone) nobody is related, and a name alone makes nobody a representative.
 */
export function relateRecords(
  a: Node<Features>,
  b: Node<Features>,
  context: PairContext,
  cap: Cap,
): Relation | undefined {
  const [x, y] = a.id < b.id ? [a, b] : [b, a];
  const found = relationOf(x, y, context, cap);
  if (!found) return undefined;
  const { from = 'a', ...rest } = found;
  const [first, second] = from === 'a' ? [x, y] : [y, x];
  const [mine, theirs] = [memberOf(x.features), memberOf(y.features)];
  return { ...rest, from: first.id, to: second.id, ...(mine !== undefined && mine === theirs && { member: mine }) };
}

const memberOf = ({ account }: Features): string | undefined => account?.slice(0, account.indexOf('/'));

function relationOf(x: Node<Features>, y: Node<Features>, context: PairContext, cap: Cap): Found | undefined {
  const [a, b] = [x.features, y.features];
  const contact = (): ReturnType<typeof contactOf> => contactOf(a, b, context, cap);
  if (a.kind !== b.kind) {
    const [person, firm] = a.kind === 'person' ? [a, b] : [b, a];
    const found = ofPerson(person, firm, contact);
    if (found) return { ...found, from: a.kind === 'person' ? 'a' : 'b' };
  } else if (a.kind === 'legal') {
    const branch = branchOf(a, b);
    if (branch) return branch;
  }
  const successor = areTwo(a, b) ? successorOf(x, y) : undefined;
  if (successor) return successor;
  if (a.kind === 'person' && b.kind === 'person') return undefined;
  return contact() === 'phone' ? { kind: 'sharesPhone', fields: ['phone'], grade: 'possible' } : undefined;
}
