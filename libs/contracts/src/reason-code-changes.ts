// How a running ledger's table of reason codes changes: by entries that two persons made (rule P05), each with its version.
import type { FieldError } from './envelope.js';
import { fieldError } from './errors.js';
import { PROTECTIVE_CODE, REGISTRY_CODES } from './payloads.events.js';
import {
  readRow,
  REASON_COLUMNS,
  REASON_CODES_VERSION,
  reasonCodes,
  ReasonCodesError,
  type ReasonCode,
  type ReasonCodeTable,
  type ReasonColumn,
} from './reason-codes.js';

/** Rows that are changed or added; all others stay as they are. None is ever removed. */
export interface ReasonCodesChanged {
  /** The version that this change makes: one more than the version that it was proposed on. */
  version: number;
  codes: ReasonCode[];
  approvalId: string;
  /** The member that proposed it. */
  requestedBy: string;
  /** Another member. */
  approvedBy: string;
}

/** A change of the table that waits for a second person. */
export interface ReasonCodesChange {
  action: 'changeReasonCodes';
  /** Who proposes it. */
  memberId: string;
  version: number;
  codes: ReasonCode[];
}

/** One row as a change made it. */
export interface ChangedReason {
  version: number;
  /** Of the change's entry. */
  position: number;
  row: ReasonCode;
}

export const BASE_CODES_VERSION = Number(REASON_CODES_VERSION);
export const CHANGED_CODES_MAX = 200;

/** Every version of the table: the rows that the ledger started with and its changes. */
export class ReasonCodeHistory {
  readonly #tables: { since: number; version: number; codes: Map<string, ReasonCode> }[];

  /** `changes` in the order of their versions. */
  constructor(changes: readonly ChangedReason[] = []) {
    let codes = new Map(reasonCodes().codes);
    this.#tables = [{ since: -1, version: BASE_CODES_VERSION, codes }];
    for (const [version, rows] of Map.groupBy(changes, (change) => change.version)) {
      codes = new Map(codes);
      for (const { row } of rows) codes.set(row.code, row);
      this.#tables.push({ since: (rows[0] as ChangedReason).position, version, codes });
    }
  }

  /** The table in force now. */
  get current(): ReasonCodeTable {
    return this.at(Infinity);
  }

  /** The table that was in force when the entry at this position was appended. */
  at(position: number): ReasonCodeTable {
    const { version, codes } = this.#tables.findLast(({ since }) => since < position) ?? this.#tables[0]!;
    return { version: String(version), codes };
  }
}

const text = (value: unknown): string =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('|'))
    ? value.join('|')
    : String(value);

const TYPES: Partial<Record<ReasonColumn, (value: unknown) => boolean>> = {
  subjectKinds: Array.isArray,
  legalBasis: Array.isArray,
  tier: Number.isInteger,
  defaultRetentionDays: Number.isInteger,
  statutoryHoldDays: Number.isInteger,
  autoClosable: (value) => typeof value === 'boolean',
  emergency: (value) => typeof value === 'boolean',
};

const LENGTHS: Partial<Record<ReasonColumn, number>> = { labelZh: 200, labelEn: 200, notes: 2000, legalBasis: 6000 };

/** Codes that entries rest on without naming them, so they stay in use. */
const NEEDED = new Set<string>([...Object.values(REGISTRY_CODES), PROTECTIVE_CODE]);

/** What the rules of the product say of a row besides its form. */
function wrongColumn(row: ReasonCode): ReasonColumn | 'retired' | undefined {
  // Claimants are shown to regulators only (K01); a victim's entry counts against nobody (V01).
  if ((row.area === 'claimants') !== (row.tier === 0)) return 'tier';
  if (row.area === 'victims' && row.tier !== 3) return 'tier';
  // A listing without an end isn't possible (rule P11).
  if (row.defaultRetentionDays === 0) return 'defaultRetentionDays';
  return row.retired && NEEDED.has(row.code) ? 'retired' : undefined;
}

function rowOf(raw: unknown, at: string): ReasonCode | FieldError[] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return [fieldError(at, 'WRONG_TYPE')];
  const values = raw as Record<string, unknown>;
  const known = new Set<string>([...REASON_COLUMNS, 'retired']);
  const formal = [
    ...Object.keys(values)
      .filter((name) => !known.has(name))
      .map((name) => fieldError(`${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, 'UNKNOWN_FIELD')),
    ...REASON_COLUMNS.flatMap((column) => {
      const value = values[column];
      if (value === undefined) return [fieldError(`${at}/${column}`, 'MISSING_FIELD')];
      const rightType = TYPES[column] ?? ((of: unknown) => typeof of === 'string');
      return rightType(value) ? [] : [fieldError(`${at}/${column}`, 'WRONG_TYPE')];
    }),
    ...(values.retired === undefined || values.retired === true ? [] : [fieldError(`${at}/retired`, 'INVALID_VALUE')]),
  ];
  if (formal.length > 0) return formal;
  // Not a typo of a closed list: what is a breach of platform rules alone is never shared, whatever its row says (rule P05).
  if ((values.code as string).startsWith('X')) return [fieldError(`${at}/code`, 'CODE_NOT_SHAREABLE')];
  try {
    const row = readRow((column, valid, why) => {
      const cell = text(values[column]);
      const max = LENGTHS[column];
      if (!valid(cell) || /[\p{C}]/u.test(cell) || (max !== undefined && cell.length > max))
        throw new ReasonCodesError(0, column, why);
      return cell;
    });
    const whole: ReasonCode = values.retired === true ? { ...row, retired: true } : row;
    const wrong = wrongColumn(whole);
    return wrong ? [fieldError(`${at}/${wrong}`, 'CODE_ROW_NOT_ALLOWED')] : whole;
  } catch (error) {
    if (error instanceof ReasonCodesError) return [fieldError(`${at}/${error.column}`, 'CODE_ROW_NOT_ALLOWED')];
    throw error;
  }
}

/**
 * The rows of a proposed change, by the same checks as the table's at start, each error with its row and field. A row that is in the
 * table as it stands changes nothing and is refused, so that what a second person sees is what changes.
 */
export function checkChangedCodes(
  rows: unknown,
  { codes }: ReasonCodeTable,
): { codes: ReasonCode[] } | { errors: [FieldError, ...FieldError[]] } {
  const at = '/codes';
  if (!Array.isArray(rows)) return { errors: [fieldError(at, rows === undefined ? 'MISSING_FIELD' : 'WRONG_TYPE')] };
  if (rows.length === 0) return { errors: [fieldError(at, 'INVALID_VALUE')] };
  if (rows.length > CHANGED_CODES_MAX) return { errors: [fieldError(at, 'TOO_MANY_ITEMS')] };
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  const changed = rows.flatMap((raw, n) => {
    const row = rowOf(raw, `${at}/${n}`);
    if (Array.isArray(row)) {
      errors.push(...row);
      return [];
    }
    const same = JSON.stringify(codes.get(row.code)) === JSON.stringify(row);
    if (same || seen.has(row.code)) errors.push(fieldError(`${at}/${n}`, 'CODE_ROW_CHANGES_NOTHING'));
    seen.add(row.code);
    return [row];
  });
  const [first, ...rest] = errors;
  return first ? { errors: [first, ...rest] } : { codes: changed };
}

/** A reason as a listing's version of the table has it: the row that a change made, else the one that the ledger started with. */
export function reasonAsListed(code: string, changed: ReasonCode | null): ReasonCode {
  const reason = changed ?? reasonCodes().codes.get(code);
  if (!reason) throw new Error(`the code table does not hold ${code}`);
  return reason;
}
