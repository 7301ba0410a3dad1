import { createHash } from 'node:crypto';
import { memberSource, SUBMITTED_TYPES, timeOrDateMs, toBeijingTime } from '@liandun/contracts';
import type { CloudEvent, MerchantReported, Shop, SubjectKind } from '@liandun/contracts';
import type { Column, Mapping } from './columns.js';

/** One row of the input as it will be reported, before any check. */
export interface Row {
  /** From 1; the heading is not counted. */
  number: number;
  /** The row as it stood in the file: cells, or the JSON line. */
  raw: string[] | string;
  /** Of a JSONL record or the platform column. */
  member?: string;
  reportedAt?: string;
  /** Absent where the line could not be read; `unreadable` says why. */
  data?: MerchantReported;
  unreadable?: string;
}

const KINDS: Record<string, SubjectKind> = {
  organization: 'organization', 企业: 'organization', 公司: 'organization', 法人: 'organization', 机构: 'organization', 组织: 'organization', 单位: 'organization', 企业法人: 'organization', 农民专业合作社: 'organization',
  soleproprietor: 'soleProprietor', 个体工商户: 'soleProprietor', 个体户: 'soleProprietor', 个体: 'soleProprietor',
  person: 'person', 自然人: 'person', 个人: 'person',
}; // prettier-ignore

const CLOSED = new Set(['closed', '已关闭', '关闭', '已关店', '关店', '停业', '注销']);
const LIST = /[;；、|\n]+/;

const list = (cell: string): string[] =>
  cell
    .split(LIST)
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** A row of cells. Several phones, accounts or shops in one cell are separated by `;`, `；`, `、` or `|`. */
export function rowOfCells(number: number, cells: string[], mapping: Mapping, defaultKind?: SubjectKind): Row {
  const cell = (column: Column): string => {
    const place = mapping.places[column];
    return place === undefined ? '' : (cells[place] ?? '').trim();
  };
  const kind =
    KINDS[
      cell('kind')
        .toLowerCase()
        .replaceAll(/[\s_-]/g, '')
    ] ?? (cell('kind') as SubjectKind);
  const representative = {
    ...optional('name', cell('legalRepresentative.name')),
    ...optional('residentId', cell('legalRepresentative.residentId')),
  };
  const identity = {
    kind: kind || (defaultKind as SubjectKind),
    name: cell('name'),
    ...optional('uscc', cell('uscc')),
    ...optional('registrationNumber', cell('registrationNumber')),
    ...optional('residentId', cell('residentId')),
    ...(Object.keys(representative).length > 0 && { legalRepresentative: representative }),
    ...lists({ phones: cell('phones'), emails: cell('emails'), bankAccounts: cell('bankAccounts') }),
    ...optional('address', cell('address')),
    ...optional('regionCode', cell('regionCode')),
    ...optional('verifiedAt', timeOf(cell('verifiedAt')) ?? cell('verifiedAt')),
  };
  const status = CLOSED.has(cell('status').toLowerCase()) ? 'closed' : 'active';
  const shops = shopsOf(list(cell('shopId')), list(cell('shopName')), list(cell('shopUrl')));
  return {
    number,
    raw: cells,
    ...optional('member', cell('memberId')),
    ...optional('reportedAt', cell('reportedAt')),
    data: { merchantId: cell('merchantId'), identity, shops, status },
  };
}

/** A line of JSON as in the reference sets: `{ recordId, memberId, merchantId, identity, shops, reportedAt }`. */
export function rowOfLine(number: number, line: string): Row {
  try {
    const record = JSON.parse(line) as Record<string, unknown>;
    if (typeof record !== 'object' || record === null || Array.isArray(record)) throw new Error('not a JSON object');
    const { merchantId, identity, shops = [], status = 'active' } = record;
    return {
      number,
      raw: line,
      ...optional('member', textOf(record.memberId)),
      ...optional('reportedAt', textOf(record.reportedAt)),
      data: { merchantId, identity, shops, status } as MerchantReported,
    };
  } catch (error) {
    return { number, raw: line, unreadable: (error as Error).message };
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function shopsOf(ids: string[], names: string[], urls: string[]): Shop[] {
  return ids.map((shopId, i) => ({ shopId, name: names[i] ?? names[0] ?? shopId, url: urls[i] ?? '' }));
}

const optional = <K extends string>(key: K, value: string): { [P in K]?: string } =>
  (value === '' ? {} : { [key]: value }) as { [P in K]?: string };

function lists<K extends string>(cells: Record<K, string>): Partial<Record<K, string[]>> {
  const filled = (Object.entries(cells) as [K, string][]).filter(([, cell]) => list(cell).length > 0);
  return Object.fromEntries(filled.map(([key, cell]) => [key, list(cell)])) as Partial<Record<K, string[]>>;
}

const two = (digits: string | undefined): string => (digits ?? '').padStart(2, '0');

/** A date or time as platforms write them (2021-5-3, 2021/05/03 14:20, 2021年5月3日, RFC 3339), taken as Beijing time. */
export function timeOf(text: string): string | undefined {
  const exact = timeOrDateMs(text);
  if (exact !== undefined) return toBeijingTime(new Date(exact));
  const parts = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour = '0', minute = '00', second = '00'] = parts.slice(1);
  const ms = timeOrDateMs(`${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}+08:00`);
  return ms === undefined ? undefined : toBeijingTime(new Date(ms));
}

/**
 * The event of a row. Its id follows from the member and the content alone, so that the same file again gives nothing but
 * duplicates, and a corrected row is a new event.
 * @param fallbackTime RFC 3339, where the row has no date of its own
 */
export function eventOf(member: string, { reportedAt }: Row, data: MerchantReported, fallbackTime: string): CloudEvent {
  const time = (reportedAt && timeOf(reportedAt)) || fallbackTime;
  const digest = createHash('sha256')
    .update(JSON.stringify([member, time, data]))
    .digest('hex');
  return {
    specversion: '1.0',
    id: `import-${digest.slice(0, 40)}`,
    source: memberSource(member),
    type: SUBMITTED_TYPES.merchantReported,
    time,
    datacontenttype: 'application/json',
    data,
  };
}
