import { problem, toBeijingTime, type Alarm, type AlarmRaised, type Identity } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';
import type { DatabaseClock } from '@liandun/intake';
import type { Vault } from '@liandun/vault';
import { addMisses, forgetDays, hostedMerchants, spendIdentifiers, type Screened } from '@liandun/views';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { LedgerWriter } from './ledger-writer.js';
import { identifiersPerDay, type LimitTable } from './limits.js';
import type { Metrics } from './metrics.js';
import { ProblemError } from './problems.js';

/** The stream that alarms stand in. */
export const ALARM_STREAM = 'alarms';

const DAY_MS = 86_400_000;
const MERCHANTS_COUNTED_FOR_MS = 3_600_000;
const MISSES_SAVED_AFTER_MS = 500;
const DAYS_KEPT = 7;
/** Numbers of one series: all but the serial's last places and the check characters agree. */
const SERIAL_CHARACTERS = 4;

interface Misses {
  day: string;
  /** Of all processes, as far as this one has heard. */
  total: number;
  unsaved: number;
}

export interface EnumerationParts {
  pool: pg.Pool;
  vault: Vault;
  writer: LedgerWriter;
  clock: DatabaseClock;
  limits: LimitTable;
  metrics: Metrics;
  logger: Logger;
}

/**
 * Keeps a member from sweeping the ledger: how many identifiers it may screen in a day, and how often it may look up what isn't
 * there (rules P15 and P18). Both counts are the database's, so they hold over all processes and restarts. It keeps keyed digests of
 * one member and day, which nothing else in the ledger can be compared with.
 */
export class Enumeration {
  readonly #raised = new Set<string>();
  readonly #merchants = new Map<string, { count: number; untilMs: number }>();
  readonly #misses = new Map<string, Misses>();
  #saving: NodeJS.Timeout | undefined;
  #day = '';

  constructor(private readonly parts: EnumerationParts) {}

  /** Takes an applicant's identifiers from the day's budget; what was asked before costs nothing. Throws SCREENING_BUDGET_SPENT. */
  async spend(memberId: string, identity: Identity): Promise<void> {
    const { pool, limits } = this.parts;
    const day = await this.#today();
    const screened = this.#screened(memberId, day, identity);
    if (screened.length === 0) return;
    const own = limits.of(memberId);
    const budget = identifiersPerDay(own, await this.#merchantsOf(memberId));
    const { allowed, neighbours } = await spendIdentifiers(pool, { memberId, day, budget, screened });
    if (neighbours >= own.neighboursMax) await this.#raise('neighbouringIdentifiers', memberId, day, own.neighboursMax);
    if (allowed) return;
    await this.#raise('screeningBudget', memberId, day, budget);
    throw new ProblemError(problem('SCREENING_BUDGET_SPENT'), this.#secondsLeft());
  }

  /**
   * A question without a purpose, or for another than the rules allow, was refused: each stands in the log, without whom it was
   * about, where who may suspend the member sees it (rule P15).
   */
  async misused(memberId: string): Promise<void> {
    await this.#raise('otherPurpose', memberId, await this.#today(), 1, `:${randomUUID()}`);
  }

  /** Throws LOOKUP_BUDGET_SPENT once too many look-ups of the day led to nothing. */
  async requireLookUps(memberId: string): Promise<void> {
    const { total, unsaved } = await this.#missesOf(memberId);
    if (total + unsaved >= this.parts.limits.of(memberId).missesPerDay)
      throw new ProblemError(problem('LOOKUP_BUDGET_SPENT'), this.#secondsLeft());
  }

  /** Counts a look-up that led to nothing. Saved after the answer, so that no answer's time tells of it. */
  missed(memberId: string): void {
    const misses = this.#misses.get(memberId);
    if (!misses) return;
    misses.unsaved += 1;
    this.#saving ??= setTimeout(() => void this.#save(), MISSES_SAVED_AFTER_MS).unref();
  }

  /** Saves what was counted last. */
  async close(): Promise<void> {
    clearTimeout(this.#saving);
    await this.#save();
  }

  async #save(): Promise<void> {
    this.#saving = undefined;
    const { pool, limits, logger } = this.parts;
    for (const [memberId, misses] of this.#misses) {
      const { day, unsaved } = misses;
      if (unsaved === 0) continue;
      try {
        misses.total = await addMisses(pool, memberId, day, unsaved);
        misses.unsaved -= unsaved;
        const { missesPerDay } = limits.of(memberId);
        if (misses.total >= missesPerDay) await this.#raise('missedLookups', memberId, day, missesPerDay);
      } catch (error) {
        // They stay unsaved and count here; the next look-up that misses tries again.
        logger.warn({ code: (error as { code?: string }).code }, 'missed look-ups were not saved');
      }
    }
  }

  async #missesOf(memberId: string): Promise<Misses> {
    const day = await this.#today();
    const known = this.#misses.get(memberId);
    if (known?.day === day) return known;
    const fresh = { day, total: await addMisses(this.parts.pool, memberId, day, 0), unsaved: 0 };
    this.#misses.set(memberId, fresh);
    return fresh;
  }

  /** The day in China; what is kept of days long gone is forgotten when a new one begins. */
  async #today(): Promise<string> {
    const day = toBeijingTime(this.parts.clock.now()).slice(0, 10);
    if (day !== this.#day) {
      this.#day = day;
      this.#raised.clear();
      await forgetDays(this.parts.pool, day, DAYS_KEPT);
    }
    return day;
  }

  #secondsLeft(): number {
    const midnight = Date.parse(`${this.#day}T00:00:00+08:00`) + DAY_MS;
    return Math.max(1, Math.ceil((midnight - this.parts.clock.now().getTime()) / 1000));
  }

  async #merchantsOf(memberId: string): Promise<number> {
    const known = this.#merchants.get(memberId);
    if (known && known.untilMs > Date.now()) return known.count;
    const count = await hostedMerchants(this.parts.pool, memberId);
    this.#merchants.set(memberId, { count, untilMs: Date.now() + MERCHANTS_COUNTED_FOR_MS });
    return count;
  }

  #screened(memberId: string, day: string, identity: Identity): Screened[] {
    const { vault } = this.parts;
    const digest = (...parts: string[]): Buffer => vault.fingerprint(['screened', memberId, day, ...parts].join(' '));
    const tokens = vault.tokens(identity);
    const newest = Math.max(...tokens.map(({ keyVersion }) => keyVersion));
    return tokens
      .filter(({ keyVersion }) => keyVersion === newest)
      .map(({ kind, token }) => {
        const number = kind === 'bankAccount' ? undefined : (identity as unknown as Record<string, unknown>)[kind];
        // An identifier that isn't part of a series is a series by itself.
        const series = typeof number === 'string' ? number.slice(0, -SERIAL_CHARACTERS) : token.toString('hex');
        return { identifier: digest(kind, token.toString('hex')), series: digest(kind, series) };
      });
  }

  /** Stands in the log before the refusal is answered; once a day, over all processes, since the id says what it is about, unless `which` tells them apart. */
  async #raise(alarm: Alarm, about: string, day: string, limit: number, which = ''): Promise<void> {
    const id = `alarm:${alarm}:${about}:${day}${which}`;
    if (this.#raised.has(id)) return;
    const { writer, metrics, logger } = this.parts;
    const data: AlarmRaised = { alarm, about, day, limit };
    await writer.append(ALARM_STREAM, { id, type: 'liandun.alarm.raised.v1', data });
    if (which === '') this.#raised.add(id);
    metrics.countAlarm(alarm);
    logger.warn({ alarm, member: about, day, limit }, 'a member may be sweeping the ledger');
  }
}
