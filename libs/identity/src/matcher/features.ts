import { parseAddress, type Address } from '../normalise/address.js';
import { splitCompanyName, type CompanyName } from '../normalise/company-name.js';
import { readBankAccount, readEmail, readPhone } from '../normalise/contact.js';
import { splitPersonName, type PersonName } from '../normalise/person-name.js';
import { currentRegion } from '../normalise/region.js';
import { readResidentId } from '../normalise/resident-id.js';
import { foldText, isPlaceholder } from '../normalise/text.js';
import { readRegistrationNumber, readUscc } from '../normalise/uscc.js';
import type { MatchRecord, NodeKind, SubjectKind } from './types.js';

/**
 * What matching knows of a record: normalised once, plain JSON without undefined members, nothing but the record's own
 * content. Lists are sorted and without repeats; whatever is a placeholder or can't be read is absent.
 */
export interface Features {
  kind: NodeKind;
  as: SubjectKind;
  /** Days since 1970, of the report. */
  day?: number;
  /** The account at the reporting member: `memberId/merchantId`. */
  account?: string;
  shops?: string[];
  /** What the shops are called, without shop words: a brand, often the firm's own. */
  brands?: string[];
  /** A valid code. */
  uscc?: string;
  /** The only valid code that is one slip away from what was given. */
  usccRepaired?: string;
  /** What stands in the code's field and is neither valid nor repairable. */
  usccDamaged?: string;
  organizationCode?: string;
  registrationNumbers?: string[];
  /** The person's own; of a sole proprietor the operator's. */
  residentId?: string;
  residentMask?: string;
  /** The legal representative's, of an organization. */
  representativeId?: string;
  representativeMask?: string;
  /** A firm's name. */
  name?: CompanyName;
  /** A person's name: the person's own, or one that stands where a firm's name belongs. */
  person?: PersonName;
  representative?: PersonName;
  phones?: string[];
  phoneMasks?: string[];
  emails?: string[];
  bankAccounts?: string[];
  bankMasks?: string[];
  address?: Address;
  /** Six digits; of the city only, ending in 00. */
  region?: string;
}

const DAY_MS = 86_400_000;
const LIST_MAX = 20;

const list = (values: (string | undefined)[]): string[] | undefined => {
  if (values.length === 0) return undefined;
  const distinct = [...new Set(values.filter((value) => value !== undefined && value !== ''))] as string[];
  return distinct.length === 0 ? undefined : distinct.toSorted().slice(0, LIST_MAX);
};

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string').slice(0, LIST_MAX) : [];

/** The same without what is undefined, so that it is equal to its own JSON. */
function compact<T extends object>(value: T): T {
  const kept = {} as T;
  for (const key in value) if (value[key] !== undefined) kept[key] = value[key];
  return kept;
}

function identifiers(identity: MatchRecord['identity']): Partial<Features> {
  const found: Partial<Features> = {};
  const numbers: string[] = [];
  const uscc = text(identity.uscc);
  const given = uscc === undefined ? undefined : readUscc(uscc);
  if (given?.status === 'valid') found.uscc = given.code;
  else if (given?.status === 'repaired') found.usccRepaired = given.code;
  else if (given?.status === 'invalid') found.usccDamaged = given.text.slice(0, 24);
  else if (given?.status === 'registrationNumber') numbers.push(given.number);
  else if (given?.status === 'organizationCode') found.organizationCode = given.organizationCode;
  const old = text(identity.registrationNumber);
  const number = old === undefined ? undefined : readRegistrationNumber(old);
  if (number?.status === 'valid') numbers.push(number.number);
  else if (number?.status === 'uscc') found.uscc ??= number.code;
  const code = found.uscc ?? found.usccRepaired;
  if (code) found.organizationCode = code.slice(8, 17);
  found.registrationNumbers = list(numbers);
  return found;
}

function residentOf(value: unknown): { id?: string; mask?: string } {
  const given = text(value);
  const read = given === undefined ? undefined : readResidentId(given);
  if (read?.status === 'valid') return { id: read.id };
  return read?.status === 'masked' && read.known >= 3 ? { mask: read.pattern } : {};
}

function people(identity: MatchRecord['identity']): Partial<Features> {
  const own = residentOf(identity.residentId);
  const theirs = residentOf(identity.legalRepresentative?.residentId);
  // A sole proprietorship's representative is its operator, and what stands in either field is the operator's number; an
  // organization has none of its own.
  const operator = identity.kind === 'organization' ? {} : { id: own.id ?? theirs.id, mask: own.mask ?? theirs.mask };
  const representative =
    identity.kind === 'organization' ? { id: theirs.id ?? own.id, mask: theirs.mask ?? own.mask } : {};
  const name = text(identity.legalRepresentative?.name);
  return {
    residentId: operator.id,
    residentMask: operator.id ? undefined : operator.mask,
    representativeId: representative.id,
    representativeMask: representative.id ? undefined : representative.mask,
    representative: name === undefined || isPlaceholder(name) ? undefined : splitPersonName(name),
  };
}

function contacts(identity: MatchRecord['identity']): Partial<Features> {
  const phones = texts(identity.phones).map(readPhone);
  const accounts = texts(identity.bankAccounts).map(readBankAccount);
  return {
    phones: list(phones.map((phone) => (phone.status === 'valid' ? phone.number : undefined))),
    phoneMasks: list(phones.map((phone) => (phone.status === 'masked' ? phone.pattern : undefined))),
    emails: list(texts(identity.emails).map(mailbox)),
    bankAccounts: list(
      accounts.map((account) =>
        account.status === 'card' || account.status === 'account' ? account.number : undefined,
      ),
    ),
    bankMasks: list(accounts.map((account) => (account.status === 'masked' ? account.pattern : undefined))),
  };
}

function mailbox(input: string): string | undefined {
  const read = readEmail(input);
  return read.status === 'valid' ? read.address : undefined;
}

const SHOP_WORDS =
  /(?:官方旗舰店|旗舰店|官方店|专卖店|专营店|直营店|企业店|工厂店|批发店|精品店|百货店|生活馆|直播间|网店|小店|严选|优选|商城|店铺|店)$/;

/** What is left of a shop's name without shop words, of two characters at least. */
export function brandOf(name: string): string | undefined {
  const folded = foldText(name);
  const brand = folded.replace(SHOP_WORDS, '').replace(SHOP_WORDS, '');
  return brand.length >= 2 && !isPlaceholder(brand) ? brand : undefined;
}

const isPerson = ({ script, surname, given }: PersonName): boolean =>
  script === 'han' && surname !== '' && given.length >= 1 && given.length <= 2;

function names(identity: MatchRecord['identity'], region: string | undefined): Partial<Features> {
  const given = text(identity.name);
  if (given === undefined || isPlaceholder(given)) return {};
  if (identity.kind === 'person') return { person: compact(splitPersonName(given)) };
  const name = compact(splitCompanyName(given, region));
  const person = name.form === undefined && name.text.length <= 4 ? splitPersonName(given) : undefined;
  return { name, ...(person && isPerson(person) && { person: compact(person) }) };
}

/** The features of a record: pure, and stable for one version of the matcher. */
export function features(record: MatchRecord): Features {
  const { identity, shops = [], memberId, merchantId } = record;
  const day = Math.floor(Date.parse(record.reportedAt ?? '') / DAY_MS);
  const brands = list(shops.map((shop) => (text(shop.name) === undefined ? undefined : brandOf(shop.name as string))));
  const region = text(identity.regionCode)?.trim();
  const read = compact({
    kind: identity.kind === 'person' ? 'person' : 'legal',
    as: identity.kind,
    day: Number.isFinite(day) ? day : undefined,
    account: memberId && merchantId ? `${memberId}/${merchantId}` : undefined,
    shops: list(shops.map(({ shopId }) => (memberId && shopId ? `${memberId}/${shopId}` : undefined))),
    brands,
    ...identifiers(
      identity.kind === 'person' ? { ...identity, uscc: undefined, registrationNumber: undefined } : identity,
    ),
    ...people(identity),
    ...contacts(identity),
    ...names(identity, region),
    address:
      text(identity.address) === undefined ? undefined : compact(parseAddress(identity.address as string, region)),
    region: region === undefined ? undefined : currentRegion(region),
  } satisfies Features);
  return record.impostor ? ofNobodyElse(read, record.recordId) : read;
}

/** With an identifier that no other record has, where it has none of its own: it contradicts every other one. */
function ofNobodyElse(read: Features, recordId: string): Features {
  const field = read.kind === 'person' ? 'residentId' : 'uscc';
  return read[field] === undefined ? { ...read, [field]: `~${recordId}` } : read;
}

/** The same with every member, those that are absent undefined: objects of one shape are compared twice as fast. */
export const shapedFeatures = (f: Features): Features => ({
  kind: f.kind,
  as: f.as,
  day: f.day,
  account: f.account,
  shops: f.shops,
  brands: f.brands,
  uscc: f.uscc,
  usccRepaired: f.usccRepaired,
  usccDamaged: f.usccDamaged,
  organizationCode: f.organizationCode,
  registrationNumbers: f.registrationNumbers,
  residentId: f.residentId,
  residentMask: f.residentMask,
  representativeId: f.representativeId,
  representativeMask: f.representativeMask,
  name: f.name,
  person: f.person,
  representative: f.representative,
  phones: f.phones,
  phoneMasks: f.phoneMasks,
  emails: f.emails,
  bankAccounts: f.bankAccounts,
  bankMasks: f.bankMasks,
  address: f.address,
  region: f.region,
});
