// What happens because time passes: deadlines of held cases, terms of listings, the statute's days after an official ending.
import {
  CASES_PER_REMINDER_MAX,
  DAY_MS,
  EVENT_TYPES,
  toBeijingTime,
  type Alarm,
  type AlarmRaised,
  type CaseDeadlineSet,
  type CaseReleased,
  type CaseReminded,
  type ListingExpired,
  type ListingStayed,
  type NoticeReminded,
  type OutcomeType,
  type PublisherJudged,
} from '@liandun/contracts';
import {
  dayLimit,
  deadlineOf,
  decideLife,
  hearingDeadline,
  isLowered,
  PUBLISHER_RULES,
  publisherFigures,
  REOPENING,
  tellBy,
  tellOverdueBefore,
  tellRemindedBefore,
  type LifeCommand,
  type ListingLife,
  type WorkingDayTable,
} from '@liandun/domain';
import type { AppendCommand, EventLog } from '@liandun/event-log';
import { pause } from '@liandun/sdk';
import {
  appealsOver,
  assessmentsOver,
  breakerState,
  figuresOfPublishers,
  floodDays,
  foldedUpTo,
  heldOver,
  heldWithoutDeadline,
  loweredPublishers,
  overdueNotices,
  silentNotices,
  silentReopenings,
  subjectsNotTold,
  subjectsToTell,
  unansweredReopenings,
  termOver,
  type DueListing,
  type UnansweredNotice,
} from '@liandun/views';
import type { Pool } from 'pg';
import { outcomeEvent } from './outcome.js';

const EVERY_MS = 1_000;
const BATCH_MAX = 500;
const FOLD_LOOK_MS = 10;
const WATCH_EVERY_MS = 60_000;
/** A notice is reminded of within this time, or never: nobody is asked about what was due before the ledger stood still so long. */
const REMINDED_WITHIN_MS = 30 * DAY_MS;
/** What is folded later than this after it was due isn't looked for any more. */
const FOLDED_WITHIN_MS = DAY_MS;
/** Working days from the day on which an answer was due until the regulators are told that none came. */
const UNANSWERED_DAYS = 1;
/** A reopening that nothing has followed on by then goes to the regulators (rule P09). */
const REOPENED_WITHIN_HOURS = 24;
/** So many days before an impact assessment ends administrators are told. */
const ASSESSMENT_ENDING_DAYS = 30;
/** A session's advisory lock: one clock works at a time, and a process that dies lets go of it. */
const LOCK = "hashtext('liandun.clock')";

/** The stream that alarms stand in. */
const ALARM_STREAM = 'alarms';

const ID = {
  deadline: 'clock:deadline:',
  released: 'clock:released:',
  expired: 'clock:expired:',
  stayed: 'clock:stayed:',
  due: 'clock:reopeningDue:',
  overdue: 'clock:reopeningOverdue:',
  silent: 'clock:reopeningUnanswered:',
  reminder: 'clock:reminder:',
  unanswered: 'clock:unanswered:',
  assessmentEnding: 'clock:assessmentEnding:',
  assessmentEnded: 'clock:assessmentEnded:',
  flood: 'clock:flood:',
  toTell: 'clock:toTell:',
  notTold: 'clock:notTold:',
  restored: 'clock:restored:',
} as const;

export interface ClockParts {
  pool: Pool;
  log: Pick<EventLog, 'appendAll'>;
  workingDays: WorkingDayTable;
  /** The time that everything is due by: the database's unless told. This machine's clock decides nothing (invariant I9). */
  now?: () => Promise<Date>;
  onProblem?: (error: Error) => void;
  /** A deadline was counted into years whose working days aren't known: the operator has to supply them. */
  onUnknownYears?: (years: number[], listingId: string) => void;
  everyMs?: number;
  /** How often reopenings are looked at. */
  watchEveryMs?: number;
}

export interface ClockStatus {
  /** Whether another process has the clock. */
  elsewhere: boolean;
  calendar: string;
  /** The last year whose working days are known. */
  knownUntil: number;
  /** Years that deadlines were counted into by weekends alone since the start. */
  unknownYears: number[];
  released: number;
  expired: number;
  stayed: number;
  reminded: number;
  problem?: string;
}

/** The database's time. */
const databaseTime = (pool: Pool) => async (): Promise<Date> => {
  const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
  return rows[0]!.now;
};

/**
 * Appends what is due. Each thing has one id for ever, and is appended only onto the state that it was decided on: it happens
 * once, however often the process dies, two clocks run, or this machine's time jumps (invariant I9).
 */
export class LifeClock {
  readonly #parts: ClockParts;
  readonly #now: () => Promise<Date>;
  readonly #stopping = new AbortController();
  readonly #unknownYears = new Set<number>();
  #elsewhere = false;
  #watchAtMs = 0;
  /** Whether this process has looked for subjects of earlier days that weren't told. */
  #untoldLooked = false;
  /** Notices that were due before this were looked at: reminded of, or answered. */
  #lookedAtMs = 0;
  #reminded = 0;
  #released = 0;
  #expired = 0;
  #stayed = 0;
  #problem: string | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: ClockParts) {
    this.#parts = parts;
    this.#now = parts.now ?? databaseTime(parts.pool);
  }

  start(): this {
    this.#running = this.#run();
    return this;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  status(): ClockStatus {
    const { version: calendar, lastYear: knownUntil } = this.#parts.workingDays;
    return {
      elsewhere: this.#elsewhere,
      calendar,
      knownUntil,
      unknownYears: [...this.#unknownYears].toSorted((a, b) => a - b),
      released: this.#released,
      expired: this.#expired,
      stayed: this.#stayed,
      reminded: this.#reminded,
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }

  /** Everything that is due by now, in bounded appends; nothing where another process has the clock. */
  async tick(): Promise<void> {
    const client = await this.#parts.pool.connect();
    try {
      const { rows } = await client.query<{ mine: boolean }>(`select pg_try_advisory_lock(${LOCK}) as mine`);
      this.#elsewhere = !rows[0]!.mine;
      if (this.#elsewhere) return;
      try {
        await this.#setDeadlines();
        await this.#releaseOver();
        await this.#expireOver();
        await this.#stayOver();
        await this.#tellOfFloods();
        if (performance.now() >= this.#watchAtMs) await this.#watch();
      } finally {
        await client.query(`select pg_advisory_unlock(${LOCK})`);
      }
    } finally {
      client.release();
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.tick();
        this.#problem = undefined;
      } catch (error) {
        this.#problem = (error as Error).message;
        this.#parts.onProblem?.(error as Error);
      }
      await pause(this.#parts.everyMs ?? EVERY_MS, signal);
    }
  }

  /** Until notify has folded and told what was appended up to this position. */
  async #foldReaches(position: number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && (await foldedUpTo(this.#parts.pool)) < position) await pause(FOLD_LOOK_MS, signal);
  }

  async #setDeadlines(): Promise<void> {
    const { pool, workingDays } = this.#parts;
    await this.#drain(
      () => heldWithoutDeadline(pool, ID.deadline, BATCH_MAX),
      (due) => {
        const deadline = hearingDeadline(workingDays, due.acceptedAt, due.holdDays);
        this.#noteYears(deadline.unknownYears, due.listingId);
        const data: CaseDeadlineSet = { ...about(due), ...deadline };
        return command(ID.deadline, due, EVENT_TYPES.caseDeadlineSet, data, due.acceptedAt);
      },
    );
  }

  async #releaseOver(): Promise<void> {
    const now = (await this.#now()).toISOString();
    this.#released += await this.#drain(
      () => heldOver(this.#parts.pool, ID.released, now, BATCH_MAX),
      (due) => {
        if (!follows(due, { type: 'release', by: 'deadline', now })) return undefined;
        const { heldUntil = '', calendar = '' } = due;
        const data: CaseReleased = { ...about(due), by: 'deadline', due: beijing(heldUntil), calendar };
        return command(ID.released, due, EVENT_TYPES.caseReleased, data, now);
      },
    );
  }

  async #expireOver(): Promise<void> {
    const now = (await this.#now()).toISOString();
    this.#expired += await this.#drain(
      () => termOver(this.#parts.pool, ID.expired, now, BATCH_MAX),
      (due) => {
        if (!follows(due, { type: 'expire', now })) return undefined;
        const data: ListingExpired = { ...about(due), expiresAt: beijing(due.expiresAt) };
        return command(ID.expired, due, EVENT_TYPES.listingExpired, data, now);
      },
    );
  }

  /** What nobody has decided in time is suspended by itself (rule P07). */
  async #stayOver(): Promise<void> {
    const now = (await this.#now()).toISOString();
    this.#stayed += await this.#drain(
      () => appealsOver(this.#parts.pool, ID.stayed, now, BATCH_MAX),
      (late) => {
        if (!follows(late, { type: 'stay' })) return undefined;
        const { appealId, due, calendar, stream, version } = late;
        const data: ListingStayed = {
          ...about(late),
          appealId,
          by: 'deadline',
          due: beijing(due),
          ...(calendar !== undefined && { calendar }),
        };
        return single(`${ID.stayed}${appealId}`, EVENT_TYPES.listingStayed, stream, data, now, { [stream]: version });
      },
    );
  }

  /**
   * Batch after batch, one of them ahead of notify: a new listing or ending never waits behind more. What changed since it was folded
   * is left for the next tick.
   * @returns how many were appended
   */
  async #drain<T>(look: () => Promise<T[]>, decide: (due: T) => AppendCommand | undefined): Promise<number> {
    const { log } = this.#parts;
    let appended = 0;
    let before = -1;
    while (!this.#stopping.signal.aborted) {
      const due = await look();
      const outcomes = await log.appendAll(due.flatMap((one) => decide(one) ?? []));
      const done = outcomes.flatMap((outcome) => (outcome.status === 'appended' ? outcome.receipts : []));
      appended += done.length;
      if (due.length < BATCH_MAX || done.length === 0) break;
      await this.#foldReaches(before);
      before = done.at(-1)!.position;
    }
    return appended;
  }

  /** An alarm, once for each publisher and day, that cases wait for a second person (rule P21). */
  async #tellOfFloods(): Promise<void> {
    const { log, pool } = this.#parts;
    const floods = await floodDays(pool, ID.flood);
    if (floods.length === 0) return;
    const now = (await this.#now()).toISOString();
    const alarms = await Promise.all(
      floods.map(async ({ member, day }) => {
        const { limits, mean } = await breakerState(pool, member);
        const limit = Math.min(limits.subjectsPerHour ?? 0, dayLimit(limits, mean) ?? 0);
        const data: AlarmRaised = { alarm: 'publisherFlood', about: member, day, limit };
        return single(`${ID.flood}${member}:${day}`, EVENT_TYPES.alarmRaised, ALARM_STREAM, data, now);
      }),
    );
    await log.appendAll(alarms);
  }

  async #watch(): Promise<void> {
    await this.#watchReopenings();
    await this.#watchSilence();
    await this.#remind();
    await this.#watchReminded();
    await this.#remindToTell();
    await this.#watchUntold();
    await this.#watchAssessments();
    await this.#restorePublishers();
    this.#watchAtMs = performance.now() + (this.#parts.watchEveryMs ?? WATCH_EVERY_MS);
  }

  /** Reminds members, once for each notice, of what they haven't answered in time. */
  async #remind(): Promise<void> {
    const { pool } = this.#parts;
    const now = await this.#now();
    const from = Math.max(now.getTime() - REMINDED_WITHIN_MS, this.#lookedAtMs);
    const range = { after: new Date(from).toISOString(), by: now.toISOString() };
    this.#reminded += await this.#drain(
      () => overdueNotices(pool, ID.reminder, range, BATCH_MAX),
      (one) => reminderOf(one, now),
    );
    this.#lookedAtMs = now.getTime() - FOLDED_WITHIN_MS;
  }

  /** An alarm for each notice that stayed unanswered for a working day after its time: its regulator sees who is silent. */
  async #watchReminded(): Promise<void> {
    const { log, pool, workingDays } = this.#parts;
    const now = await this.#now();
    const since = new Date(now.getTime() - REMINDED_WITHIN_MS).toISOString();
    const silent = await silentNotices(pool, ID.unanswered, since, BATCH_MAX);
    const over = silent.filter(({ respondBy }) => {
      const { due } = deadlineOf(workingDays, respondBy, { count: UNANSWERED_DAYS, unit: 'workingDay' });
      return due !== undefined && Date.parse(due) <= now.getTime();
    });
    const alarms = over.map((one) => alarmOf('noticeUnanswered', `${ID.unanswered}${one.noticeId}`, one, now));
    if (alarms.length > 0) await log.appendAll(alarms);
  }

  /**
   * Reminds publishers, before the day ends, of subjects that are to be told on it (rule P06). Each case stands in one reminder: it is
   * appended only onto the reminders that were folded when it was looked for.
   */
  async #remindToTell(): Promise<void> {
    const { log, pool } = this.#parts;
    const now = await this.#now();
    const before = tellRemindedBefore(now);
    // Of a day that is long over nobody is reminded: regulators have heard of it.
    const range = { after: daysBefore(before, 2), before };
    const untold = await subjectsToTell(pool, range, CASES_PER_REMINDER_MAX, BATCH_MAX);
    // Of each publisher one at a time: the next is decided on what this one changed.
    const each = [...new Map(untold.toReversed().map((one) => [one.member, one])).values()];
    const reminders = each.map(({ member, since, caseIds, version }) => {
      const stream = `reminders/${member}`;
      const data: CaseReminded = { member, dueAt: tellBy(since), caseIds };
      const id = `${ID.toTell}${member}:${version + 1}`;
      return single(id, EVENT_TYPES.caseReminder, stream, data, now.toISOString(), { [stream]: version });
    });
    if (reminders.length > 0) await log.appendAll(reminders);
  }

  /** An alarm, once for each publisher and day, that subjects weren't told on the day on which others were (rule P06). */
  async #watchUntold(): Promise<void> {
    const { log, pool } = this.#parts;
    const now = await this.#now();
    const before = tellOverdueBefore(now);
    // Days are overdue in their order: what was looked at once needs no second look.
    const range = { after: daysBefore(before, this.#untoldLooked ? 2 : 30), before };
    const alarms = (await subjectsNotTold(pool, ID.notTold, range)).map(({ member, day, cases }) => {
      const data: AlarmRaised = { alarm: 'subjectNotTold', about: member, day, limit: cases };
      return single(`${ID.notTold}${member}:${day}`, EVENT_TYPES.alarmRaised, ALARM_STREAM, data, now.toISOString());
    });
    if (alarms.length > 0) await log.appendAll(alarms);
    this.#untoldLooked = true;
  }

  /** An alarm while a working day is left to reopen after an official ending, a stay or a successful appeal, and once the statute's three have passed. */
  async #watchReopenings(): Promise<void> {
    const { pool, workingDays } = this.#parts;
    const now = await this.#now();
    const over = (endedAt: string, days: number): boolean => {
      const { due } = deadlineOf(workingDays, endedAt, { count: days, unit: 'workingDay' });
      return due !== undefined && Date.parse(due) <= now.getTime();
    };
    const raise = async (alarm: Alarm, idPrefix: string, days: number): Promise<void> => {
      const silent = await silentReopenings(pool, idPrefix, now.toISOString(), BATCH_MAX);
      const events = silent
        .filter(({ endedAt }) => over(endedAt, days))
        .map((one) => alarmOf(alarm, `${idPrefix}${one.noticeId}`, one, now));
      if (events.length > 0) await this.#parts.log.appendAll(events);
    };
    await raise('reopeningDue', ID.due, REOPENING.count - 1);
    await raise('reopeningOverdue', ID.overdue, REOPENING.count);
  }

  /** An alarm 30 days before a platform's impact assessment ends, and once it has: it is told nothing any more (rule P16). */
  async #watchAssessments(): Promise<void> {
    const { log, pool } = this.#parts;
    const now = await this.#now();
    const raise = async (alarm: 'assessmentEnding' | 'assessmentEnded', days: number): Promise<void> => {
      const by = new Date(now.getTime() + days * DAY_MS).toISOString();
      const events = (await assessmentsOver(pool, ID[alarm], by)).map(({ member, no }) => {
        const data: AlarmRaised = { alarm, about: member, day: beijing(now.toISOString()).slice(0, 10), limit: days };
        return single(`${ID[alarm]}${no}`, EVENT_TYPES.alarmRaised, ALARM_STREAM, data, now.toISOString());
      });
      if (events.length > 0) await log.appendAll(events);
    };
    await raise('assessmentEnding', ASSESSMENT_ENDING_DAYS);
    await raise('assessmentEnded', 0);
  }

  /** Restores publishers that came back below the threshold because the year moved on, with no event of theirs (rule P19). */
  async #restorePublishers(): Promise<void> {
    const { log, pool } = this.#parts;
    const lowered = await loweredPublishers(pool);
    if (lowered.length === 0) return;
    const at = (await this.#now()).toISOString();
    const members = lowered.map(({ member }) => member);
    const figures = await figuresOfPublishers(pool, at, members);
    const restored = lowered.flatMap(({ member: memberId, version }) => {
      const found = figures.get(memberId) ?? publisherFigures(0, []);
      if (isLowered(found)) return [];
      const stream = `publisher/${memberId}`;
      const data: PublisherJudged = { memberId, ...found, rules: PUBLISHER_RULES.version, at: beijing(at) };
      const id = `${ID.restored}${memberId}:${version}`;
      return [single(id, EVENT_TYPES.publisherRestored, stream, data, at, { [stream]: version })];
    });
    if (restored.length > 0) await log.appendAll(restored);
  }

  /** An alarm for each reopening that its platform has said nothing of for 24 hours, whatever took the listing back. */
  async #watchSilence(): Promise<void> {
    const { log, pool } = this.#parts;
    const now = await this.#now();
    const range = {
      after: new Date(now.getTime() - REMINDED_WITHIN_MS).toISOString(),
      by: new Date(now.getTime() - REOPENED_WITHIN_HOURS * 3_600_000).toISOString(),
    };
    const silent = await unansweredReopenings(pool, ID.silent, range, BATCH_MAX);
    const alarms = silent.map((one) => alarmOf('reopeningUnanswered', `${ID.silent}${one.noticeId}`, one, now));
    if (alarms.length > 0) await log.appendAll(alarms);
  }

  #noteYears(years: number[], listingId: string): void {
    if (years.length === 0) return;
    for (const year of years) this.#unknownYears.add(year);
    this.#parts.onUnknownYears?.(years, listingId);
  }
}

const daysBefore = (time: string, days: number): string => new Date(Date.parse(time) - days * DAY_MS).toISOString();

const beijing = (time: string): string => toBeijingTime(new Date(time));
const about = ({ listingId, caseId }: DueListing): { listingId: string; caseId: string } => ({ listingId, caseId });

/** Whether the decider lets the step follow on what is folded. */
function follows({ status, heldUntil, expiresAt }: DueListing, step: LifeCommand): boolean {
  const life = { status, expiresAt, ...(heldUntil !== undefined && { heldUntil }) } as ListingLife;
  return 'event' in decideLife(life, step);
}

function command(idPrefix: string, due: DueListing, type: OutcomeType, data: object, now: string): AppendCommand {
  const { stream, version } = due;
  return single(`${idPrefix}${due.listingId}`, type, stream, data, now, { [stream]: version });
}

function reminderOf({ member, noticeId, seq, respondBy }: UnansweredNotice, now: Date): AppendCommand {
  const data: NoticeReminded = { member, noticeId, seq, respondBy: beijing(respondBy) };
  const id = `${ID.reminder}${noticeId}`;
  return single(id, EVENT_TYPES.noticeReminder, `reminders/${member}`, data, now.toISOString());
}

/** What was reached: working days, or hours. */
const LIMITS: Partial<Record<Alarm, number>> = {
  noticeUnanswered: UNANSWERED_DAYS,
  reopeningUnanswered: REOPENED_WITHIN_HOURS,
};

function alarmOf(
  alarm: Alarm,
  id: string,
  { member, noticeId }: { member: string; noticeId: string },
  now: Date,
): AppendCommand {
  const at = now.toISOString();
  const data: AlarmRaised = {
    alarm,
    about: member,
    day: beijing(at).slice(0, 10),
    limit: LIMITS[alarm] ?? REOPENING.count,
    noticeId,
  };
  return single(id, EVENT_TYPES.alarmRaised, ALARM_STREAM, data, at);
}

function single(
  id: string,
  type: OutcomeType,
  stream: string,
  data: object,
  time: string,
  expected?: Record<string, number>,
): AppendCommand {
  return { events: [outcomeEvent(id, type, { time: beijing(time), stream, data })], ...(expected && { expected }) };
}
