/** Quotas of a minute: of `events` the events themselves, of all others the requests. */
export const RATES = ['events', 'read', 'write', 'screening', 'token', 'public', 'subject'] as const;
export type Rate = (typeof RATES)[number];

export const RATE_WINDOW_SECONDS = 60;

/** What one caller may do. Every count is a quota for each API process but the daily ones, which all processes share. */
export interface Limits {
  /** In each window of RATE_WINDOW_SECONDS: `token`, `public` and `subject` for each address, the others for each member. */
  rates: Readonly<Record<Rate, number>>;
  /** Distinct identifiers that a member may screen in a day; by its size where it isn't set. */
  identifiersPerDay?: number;
  /** Distinct identifiers of a day that differ in their last four characters only: so many raise an alarm. */
  neighboursMax: number;
  /** Look-ups of a day that may lead to nothing: so many raise an alarm, and then no look-up is answered any more. */
  missesPerDay: number;
}

/** Above what one process can do in a minute by HTTP, so that imports are slowed by their own appends only. */
export const DEFAULT_LIMITS: Limits = {
  rates: { events: 1_000_000, read: 6_000, write: 600, screening: 600, token: 6_000, public: 60_000, subject: 120 },
  neighboursMax: 50,
  missesPerDay: 5_000,
};

const IDENTIFIERS_PER_DAY_MIN = 5_000;
const SHARE_OF_MERCHANTS = 0.1;

/** A platform asks about applicants, of whom it has in a day no more than a small share of its merchants. */
export const identifiersPerDay = ({ identifiersPerDay: set }: Limits, merchants: number): number =>
  set ?? Math.max(IDENTIFIERS_PER_DAY_MIN, Math.ceil(merchants * SHARE_OF_MERCHANTS));

/** The limits of every member. */
export class LimitTable {
  constructor(
    private readonly usual: Limits,
    private readonly members: ReadonlyMap<string, Limits>,
  ) {}

  of(memberId: string | undefined): Limits {
    return (memberId === undefined ? undefined : this.members.get(memberId)) ?? this.usual;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function requireCount(value: unknown, pointer: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw new Error(`${pointer} must be a whole number from 1 up`);
  return value;
}

function requireNames(value: unknown, names: readonly string[], pointer: string): Record<string, unknown> {
  if (!isObject(value)) throw new Error(`${pointer || 'the file'} must be a JSON object`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`${pointer}/${unknown} is not known: use ${names.join(', ')}`);
  return value;
}

const COUNTS = ['identifiersPerDay', 'neighboursMax', 'missesPerDay'] as const;

function limitsOf(value: Record<string, unknown>, base: Limits, pointer: string): Limits {
  const rates = requireNames(value['rates'] ?? {}, RATES, `${pointer}/rates`);
  const counts = COUNTS.filter((name) => value[name] !== undefined);
  return {
    ...base,
    ...Object.fromEntries(counts.map((name) => [name, requireCount(value[name], `${pointer}/${name}`)])),
    rates: {
      ...base.rates,
      ...Object.fromEntries(
        Object.entries(rates).map(([rate, quota]) => [rate, requireCount(quota, `${pointer}/rates/${rate}`)]),
      ),
    },
  };
}

/**
 * Limits as an operator writes them down: `{ rates: { read: 6000 }, identifiersPerDay, neighboursMax, missesPerDay, members:
 * { "<memberId>": the same without members } }`; what is absent is as usual. Throws Error that names what is wrong.
 */
export function parseLimits(value: unknown): LimitTable {
  const { members: given = {}, ...rest } = requireNames(value, ['rates', ...COUNTS, 'members'], '');
  const usual = limitsOf(rest, DEFAULT_LIMITS, '');
  if (!isObject(given)) throw new Error('/members must be a JSON object');
  const members = Object.entries(given).map(([memberId, limits]) => {
    const pointer = `/members/${memberId}`;
    return [memberId, limitsOf(requireNames(limits, ['rates', ...COUNTS], pointer), usual, pointer)] as const;
  });
  return new LimitTable(usual, new Map(members));
}
