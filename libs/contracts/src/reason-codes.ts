import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { PROOF_STANDARDS, type ProofStandard } from './payloads.events.js';

/**
 * Of the rows in data/reason-codes.csv, which every ledger starts with. A running ledger's table changes only by entries of its log,
 * each with the next version (rule P05: two persons).
 */
export const REASON_CODES_VERSION = '2';
const REASON_CODES_SHA256 = '5cdf8fdc2e966d9b8051e0b86dbe7e2030394f9e59cc2e7efaa1e11600ed1c41';

export const REASON_KINDS = ['organization', 'soleProprietor', 'person', 'streamer'] as const;
export type ReasonKind = (typeof REASON_KINDS)[number];

const AREA_OF_LETTER = {
  A: 'identity',
  B: 'trade',
  C: 'quality',
  D: 'trade',
  E: 'advertising',
  F: 'price',
  G: 'crime',
  H: 'trade',
  K: 'claimants',
  V: 'victims',
  X: 'platformRules',
} as const;
export type ReasonArea = (typeof AREA_OF_LETTER)[keyof typeof AREA_OF_LETTER];

/** One row of reason-codes.csv: why a subject may be listed, on what law, with what proof and for how long. */
export interface ReasonCode {
  code: string;
  labelZh: string;
  labelEn: string;
  /** Whom the code may be applied to. */
  subjectKinds: ReasonKind[];
  /** Articles; one that ends in `(unverified)` was read in a copy or not at all. */
  legalBasis: string[];
  /** The weakest proof accepted (rule P04). */
  proofFloor: ProofStandard;
  /** 0 not for platforms, 1 strongest, 2 a platform's decision, 3 advice only. */
  tier: 0 | 1 | 2 | 3;
  /** How long a listing lasts where nothing else says so, in days. */
  defaultRetentionDays: number;
  /** Whether a subscriber's own policy may close by itself (rule P01). */
  autoClosable: boolean;
  notes: string;
  /** Calendar days for which a law gives the subject the right to answer first; 0 where none does (rule P06). */
  statutoryHoldDays: number;
  /** Applies only while a declared emergency lasts, which the case must name. */
  emergency: boolean;
  /** No new case is taken on it; what was listed on it stays. Absent: it is in use. */
  retired?: true;
  area: ReasonArea;
}

export interface ReasonCodeTable {
  version: string;
  codes: ReadonlyMap<string, ReasonCode>;
}

/** The table of reason codes is damaged: `row` is the line's number in the file (the header is 1). */
export class ReasonCodesError extends Error {
  override readonly name = 'ReasonCodesError';
  constructor(
    readonly row: number,
    readonly column: string,
    why: string,
  ) {
    super(`reason codes, row ${row}, column ${column}: ${why}`);
  }
}

export const REASON_COLUMNS = [
  'code',
  'labelZh',
  'labelEn',
  'subjectKinds',
  'legalBasis',
  'proofFloor',
  'tier',
  'defaultRetentionDays',
  'autoClosable',
  'notes',
  'statutoryHoldDays',
  'emergency',
] as const;
export type ReasonColumn = (typeof REASON_COLUMNS)[number];
type Cell = (column: ReasonColumn, valid: (text: string) => boolean, why: string) => string;

/**
 * Reads and checks the whole table.
 * @throws ReasonCodesError naming the first row and column that are wrong
 */
export function loadReasonCodes(csvText: string): ReasonCodeTable {
  const [header, ...rows] = parse(csvText, { relax_column_count: true, bom: true });
  REASON_COLUMNS.forEach((column, i) => {
    if (header?.[i] !== column) throw new ReasonCodesError(1, column, 'the header must name this column here');
  });
  const codes = new Map<string, ReasonCode>();
  rows.forEach((row, index) => {
    const line = index + 2;
    if (row.length !== REASON_COLUMNS.length)
      throw new ReasonCodesError(line, 'emergency', `${row.length} cells instead of ${REASON_COLUMNS.length}`);
    const cell: Cell = (column, valid, why) => {
      const text = row[REASON_COLUMNS.indexOf(column)] as string;
      if (!valid(text)) throw new ReasonCodesError(line, column, why);
      return text;
    };
    const reason = readRow(cell);
    cell('code', (text) => !codes.has(text), 'stands twice');
    codes.set(reason.code, reason);
  });
  if (codes.size === 0) throw new ReasonCodesError(2, 'code', 'the table is empty');
  return { version: REASON_CODES_VERSION, codes };
}

const filled = (text: string): boolean => text.trim() !== '' && text === text.trim();
const oneOf = (values: readonly string[]) => (text: string) => values.includes(text);
const distinct = (text: string): boolean => new Set(text.split('|')).size === text.split('|').length;

/** One row of text cells, checked. Throws whatever `cell` throws. */
export function readRow(cell: Cell): ReasonCode {
  const code = cell(
    'code',
    (text) => /^[A-Z]\d\d$/.test(text) && text.charAt(0) in AREA_OF_LETTER,
    'no known letter and two digits',
  );
  const kinds = cell(
    'subjectKinds',
    (text) => text.split('|').every(oneOf(REASON_KINDS)) && distinct(text),
    `must be of ${REASON_KINDS.join('|')}, each once`,
  );
  const basis = cell(
    'legalBasis',
    (text) => text.split('|').every(filled) && distinct(text),
    'an article is empty or stands twice',
  );
  const tier = Number(cell('tier', oneOf(['0', '1', '2', '3']), 'must be 0 to 3')) as ReasonCode['tier'];
  const proofFloor = cell(
    'proofFloor',
    oneOf(PROOF_STANDARDS),
    `must be one of ${PROOF_STANDARDS.join(', ')}`,
  ) as ProofStandard;
  const autoClosable = cell(
    'autoClosable',
    // Rule P01: only where an official finding stands behind a tier-1 code.
    (text) => text === 'false' || (text === 'true' && tier === 1 && proofFloor !== 'platformFinding'),
    'must be false, or true with tier 1 and an official proof floor',
  );
  return {
    code,
    labelZh: cell('labelZh', filled, 'is empty or padded'),
    labelEn: cell('labelEn', filled, 'is empty or padded'),
    subjectKinds: kinds.split('|') as ReasonKind[],
    legalBasis: basis.split('|'),
    proofFloor,
    tier,
    defaultRetentionDays: Number(
      cell(
        'defaultRetentionDays',
        (text) => /^(0|[1-9]\d{0,4})$/.test(text) && (text !== '0' || tier === 0),
        'must be whole days, 0 only with tier 0',
      ),
    ),
    autoClosable: autoClosable === 'true',
    notes: cell('notes', () => true, ''),
    statutoryHoldDays: Number(
      cell(
        'statutoryHoldDays',
        // Tier 1 is never held, tier 0 never shared.
        (text) => /^(0|[1-9]\d?)$/.test(text) && (text === '0' || tier >= 2),
        'must be whole days below 100, 0 unless the tier is 2 or 3',
      ),
    ),
    emergency: cell('emergency', oneOf(['true', 'false']), 'must be true or false') === 'true',
    area: AREA_OF_LETTER[code.charAt(0) as keyof typeof AREA_OF_LETTER],
  };
}

let loaded: ReasonCodeTable | undefined;

/**
 * The product's own table, read and checked once per process: call it at start, so that a damaged file stops the start.
 * @throws Error when the file isn't the released one; ReasonCodesError when a row is wrong
 */
export function reasonCodes(): ReasonCodeTable {
  loaded ??= readReasonCodes();
  return loaded;
}

function readReasonCodes(): ReasonCodeTable {
  const bytes = readFileSync(join(packageRoot(), 'libs/contracts/data/reason-codes.csv'));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== REASON_CODES_SHA256) {
    throw new Error(
      `libs/contracts/data/reason-codes.csv isn't version ${REASON_CODES_VERSION}: its SHA-256 is ${sha256}. ` +
        'Restore the file, or release a new version of it together with its hash.',
    );
  }
  return loadReasonCodes(bytes.toString('utf8'));
}

/** The folder with package.json above this module; the same from the sources and from `dist`. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above the contracts: the installation is damaged');
    folder = parent;
  }
  return folder;
}

const OFFICIAL_DECISIONS: readonly ProofStandard[] = ['administrativeDecision', 'judgment'];

/**
 * How long a listing may last, in days (rule P11): the code's own term; tier 2 on a platform's finding 365, with an
 * official decision attached 1,095.
 */
export const termDays = (reason: ReasonCode, standard: ProofStandard): number =>
  reason.tier === 2 && OFFICIAL_DECISIONS.includes(standard)
    ? Math.max(reason.defaultRetentionDays, 1095)
    : reason.defaultRetentionDays;
