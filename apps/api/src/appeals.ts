import { randomUUID } from 'node:crypto';
import {
  AppealDecision,
  AppealStay,
  DeadlineChange,
  memberOfSource,
  validateBody,
  type AppealDecided,
  type ListingStayed,
  type CaseDeadlineSet,
  APPEAL_ID,
  APPEAL_TEXTS,
  EVENT_TYPES,
  LEDGER_SOURCE,
  LedgerError,
  listingIdOf,
  loadWorkingDays,
  toBeijingTime,
  type AppealDeadlineSet,
  type AppealEvidence,
  type AppealFiled,
  type AppealGround,
  type AppealProof,
  type OutcomeType,
} from '@liandun/contracts';
import {
  appealDeadline,
  appealDecisionRefusal,
  appealRefusal,
  appealStayRefusal,
  changeDeadline,
  hearingDeadline,
  type CaseState,
} from '@liandun/domain';
import { EventLog, type NewEvent, type ReadingCaller, type StoredEvent } from '@liandun/event-log';
import { casesIn } from '@liandun/intake';
import { Vault, VAULT_RIDER } from '@liandun/vault';
import {
  appealById,
  appealsOfCaller,
  type AppealCursor,
  type AppealSummary,
  FollowedReasonCodes,
} from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { LedgerWriter } from './ledger-writer.js';
import { Door } from './pools.js';
import { refuseField, valueOf } from './problems.js';
import { Reads } from './reads.js';

type CaseDeadline = NonNullable<CaseState['hold']>;
type Changes = Pick<CaseDeadline, 'pauses' | 'extensions'>;
interface NewDeadline {
  type: OutcomeType;
  about: { appealId?: string };
  deadline: ReturnType<typeof appealDeadline>;
}

const CONFLICT_RETRIES_MAX = 8;
const LISTING_ID = /^L(0|[1-9]\d{0,14})-[0-9a-f]{12}$/;
/** A member's own cases: what it decided, it or a regulator reviews. */
const CASES = new Set<string>([EVENT_TYPES.merchantDelisted, EVENT_TYPES.riskEntityReported]);

/** What somebody who has proved whom a listing is about says against it. */
export interface AppealToFile {
  listingId: string;
  grounds: AppealGround;
  statement?: string;
  evidence?: AppealEvidence[];
  proved: AppealProof;
}

export interface FiledAppeal {
  appealId: string;
  filedAt: string;
  /** The end of its 15th day. */
  due: string;
}

/** Appeals against listings: filed by their subjects, decided by persons who didn't decide on the listing (rules P07, P08). */
@Injectable()
export class Appeals {
  readonly #workingDays = loadWorkingDays();

  constructor(
    private readonly log: EventLog,
    private readonly writer: LedgerWriter,
    private readonly vault: Vault,
    private readonly reads: Reads,
    private readonly door: Door,
    private readonly codes: FollowedReasonCodes,
  ) {}

  /** Appeals that the caller may see: a platform those against its own listings, a regulator all. */
  page(
    caller: ReadingCaller,
    range: { after?: AppealCursor | undefined; limit: number; all: boolean },
  ): Promise<{ items: AppealSummary[]; next: AppealCursor | null }> {
    return this.reads.as(caller, (db) => appealsOfCaller(db, range));
  }

  /** One appeal with the texts that are left of it. Throws APPEAL_NOT_FOUND. */
  async one(caller: ReadingCaller, appealId: string): Promise<object> {
    const { position, concludedAt, stayedAt: stayedPosition, ...appeal } = await this.#row(caller, appealId);
    const positions = [position, stayedPosition, concludedAt].filter((at) => at !== undefined);
    const entries = (await Promise.all(positions.map((at) => this.log.at(at)))).filter((entry) => entry !== undefined);
    const data = await this.vault.reveal(this.door.pool, entries);
    const of = (type: string): unknown => data[entries.findIndex((entry) => entry.type === type)];
    const said = of(EVENT_TYPES.appealFiled) as AppealFiled;
    const stayed = of(EVENT_TYPES.listingStayed) as ListingStayed | undefined;
    const answered = of(EVENT_TYPES.appealDecided) as AppealDecided | undefined;
    return {
      ...appeal,
      ...(stayed && {
        stayed: { by: stayed.by, ...(typeof stayed.reasons === 'string' && { reasons: stayed.reasons }) },
      }),
      ...(typeof said.statement === 'string' && { statement: said.statement }),
      evidence: said.evidence,
      ...(typeof answered?.reasons === 'string' && { reasons: answered.reasons }),
      ...(answered?.cause && { cause: answered.cause }),
      ...(answered?.expiresAt !== undefined && { expiresAt: answered.expiresAt }),
    };
  }

  /**
   * Decides on an appeal: what it makes of the listing takes effect on every platform. Throws LedgerError: APPEAL_NOT_FOUND,
   * APPEAL_DECIDED, LISTING_NOT_ACTIVE, and REVIEWER_IS_DECIDER (rule P08).
   */
  async decide(caller: ReadingCaller, appealId: string, raw: unknown): Promise<object> {
    const { listingId } = await this.#row(caller, appealId);
    const listed = await this.#case(listingId);
    const body = valueOf(validateBody(AppealDecision, raw));
    const now = this.writer.now();
    const { decision, cause, expiresAt, decidedBy, reasons } = body;
    if (cause !== undefined && decision !== 'overturned') throw refuseField('FIELD_NOT_APPLICABLE', '/cause');
    if (expiresAt !== undefined && decision !== 'corrected') throw refuseField('FIELD_NOT_APPLICABLE', '/expiresAt');
    if (decision === 'corrected') await this.#requireEarlier(caller, listingId, expiresAt, now);
    const decidedAt = toBeijingTime(now);
    const data: AppealDecided = {
      appealId,
      listingId,
      caseId: listed.id,
      decision,
      ...(decision === 'overturned' && { cause: cause ?? 'appealUpheld' }),
      ...(expiresAt !== undefined && { expiresAt: toBeijingTime(new Date(expiresAt)) }),
      reasons,
      decidedBy,
      by: caller.memberId,
      decidedAt,
    };
    const reviewer = { member: caller.memberId, decidedBy };
    await this.#append(listed, (state) => {
      const decider = { member: memberOfSource(listed.source) ?? '', decidedBy: state.decidedBy };
      const refusal = appealDecisionRefusal({ ...state, decider }, appealId, data, reviewer);
      if (refusal) throw new LedgerError(refusal);
      const id = `appeal:decided:${appealId}`;
      return [this.#sealed(listed, id, EVENT_TYPES.appealDecided, data, APPEAL_TEXTS.decided)];
    });
    return { appealId, decision, decidedAt };
  }

  /**
   * Suspends the listing everywhere until its appeal is decided: whoever reviews need not wait for the deadline where harm is near.
   * Throws LedgerError: APPEAL_NOT_FOUND, APPEAL_DECIDED, LISTING_NOT_ACTIVE, LISTING_STAYED.
   */
  async stay(caller: ReadingCaller, appealId: string, raw: unknown): Promise<object> {
    const { listingId } = await this.#row(caller, appealId);
    const listed = await this.#case(listingId);
    const said = valueOf(validateBody(AppealStay, raw));
    const stayedAt = toBeijingTime(this.writer.now());
    const about = { appealId, listingId, caseId: listed.id };
    const data: ListingStayed = { ...about, by: 'reviewer', member: caller.memberId, ...said };
    await this.#append(listed, (state) => {
      const refusal = appealStayRefusal(state, appealId);
      if (refusal) throw new LedgerError(refusal);
      const id = `appeal:stayed:${appealId}`;
      return [this.#sealed(listed, id, EVENT_TYPES.listingStayed, data, APPEAL_TEXTS.stayed)];
    });
    return { appealId, stayedAt };
  }

  /** Pauses, resumes or extends an appeal's time. */
  async changeDeadline(caller: ReadingCaller, appealId: string, raw: unknown): Promise<object> {
    const { listingId } = await this.#row(caller, appealId);
    return this.#change(caller, await this.#case(listingId), raw, ({ appeal, life }, more) => {
      const open = appeal?.appealId === appealId && appeal.decision === undefined && life.status === 'disputed';
      if (!open || !appeal.deadline) throw new LedgerError('DEADLINE_OVER');
      const { from } = appeal.deadline;
      return {
        type: EVENT_TYPES.appealDeadlineSet,
        about: { appealId },
        deadline: appealDeadline(this.#workingDays, from, more(appeal.deadline)),
      };
    });
  }

  /** The same of the time to answer a held case. */
  async changeHold(caller: ReadingCaller, listingId: string, raw: unknown): Promise<object> {
    return this.#change(caller, await this.#case(listingId), raw, ({ life, hold, code, position }, more) => {
      if (life.status !== 'held' || !hold) throw new LedgerError('DEADLINE_OVER');
      const days = this.codes.history.at(position ?? Infinity).codes.get(code)?.statutoryHoldDays ?? 0;
      return {
        type: EVENT_TYPES.caseDeadlineSet,
        about: {},
        deadline: hearingDeadline(this.#workingDays, hold.from, days, more(hold)),
      };
    });
  }

  async #change(
    { memberId }: ReadingCaller,
    listed: StoredEvent,
    raw: unknown,
    deadlineOf: (state: CaseState, more: (before: CaseDeadline) => Changes) => NewDeadline,
  ): Promise<object> {
    const { caseNo, reviewer, action, reason, days } = valueOf(validateBody(DeadlineChange, raw));
    if (action !== 'resume' && reason === undefined) throw refuseField('MISSING_FIELD', '/reason');
    if (action === 'extend' && days === undefined) throw refuseField('MISSING_FIELD', '/days');
    if (action !== 'extend' && days !== undefined) throw refuseField('FIELD_NOT_APPLICABLE', '/days');
    const now = toBeijingTime(this.writer.now());
    const id = `deadline:${randomUUID()}`;
    const asked = { action, ...(reason !== undefined && { reason }), ...(days !== undefined && { days }) };
    let set: NewDeadline | undefined;
    await this.#append(listed, (state) => {
      set = deadlineOf(state, (before) => {
        const changed = changeDeadline(before, asked, now);
        if ('refusal' in changed) throw new LedgerError(changed.refusal);
        return changed;
      });
      const about = { ...set.about, listingId: listingIdOf(listed), caseId: listed.id };
      const data = { ...about, ...set.deadline, by: memberId, reviewer, caseNo } satisfies CaseDeadlineSet;
      return [this.#event(listed, id, set.type, data)];
    });
    const deadline = set!.deadline;
    return { ...(deadline.due !== undefined && { due: toBeijingTime(new Date(deadline.due)) }), deadline };
  }

  async #row(caller: ReadingCaller, appealId: string): Promise<NonNullable<Awaited<ReturnType<typeof appealById>>>> {
    const row = APPEAL_ID.test(appealId) ? await this.reads.as(caller, (db) => appealById(db, appealId)) : undefined;
    if (!row) throw new LedgerError('APPEAL_NOT_FOUND');
    return row;
  }

  /** A correction ends the listing earlier than it would have ended, and not before now. */
  async #requireEarlier(
    caller: ReadingCaller,
    listingId: string,
    expiresAt: string | undefined,
    now: Date,
  ): Promise<void> {
    if (expiresAt === undefined) throw refuseField('MISSING_FIELD', '/expiresAt');
    const { rows } = await this.reads.as(caller, (db) =>
      db.query<{ earlier: boolean }>(
        'select $2::timestamptz < expires_at and $2::timestamptz > $3 as earlier from view.listing where listing_id = $1',
        [listingId, expiresAt, now],
      ),
    );
    if (!rows[0]?.earlier) throw refuseField('INVALID_VALUE', '/expiresAt');
  }

  /**
   * Files an appeal; the listing is disputed from then on. Whoever calls has made sure that the listing is about the subject.
   * Throws LedgerError: NOT_FOUND, APPEAL_TO_AUTHORITY, CASE_HELD, APPEAL_OPEN, APPEAL_DECIDED, LISTING_NOT_ACTIVE.
   */
  async fileAppeal({ listingId, grounds, statement, evidence = [], proved }: AppealToFile): Promise<FiledAppeal> {
    const listed = await this.#case(listingId);
    const appealId = `A${randomUUID().replaceAll('-', '')}`;
    const filedAt = toBeijingTime(this.writer.now());
    const about = { appealId, listingId, caseId: listed.id };
    const deadline = appealDeadline(this.#workingDays, filedAt);
    const filed: AppealFiled = {
      ...about,
      grounds,
      ...(statement !== undefined && { statement }),
      evidence,
      proved,
      filedAt,
    };
    const set: AppealDeadlineSet = { ...about, ...deadline };
    await this.#append(listed, (state) => {
      const refusal = appealRefusal(state, grounds);
      if (refusal) throw new LedgerError(refusal);
      return [
        this.#sealed(listed, `appeal:filed:${appealId}`, EVENT_TYPES.appealFiled, filed, APPEAL_TEXTS.filed),
        this.#event(listed, `appeal:deadline:${appealId}`, EVENT_TYPES.appealDeadlineSet, set),
      ];
    });
    return { appealId, filedAt, due: toBeijingTime(new Date(deadline.due ?? filedAt)) };
  }

  /** The entry that made a listing of a member's own decision. */
  async #case(listingId: string): Promise<StoredEvent> {
    const [, position] = LISTING_ID.exec(listingId) ?? [];
    const entry = position === undefined ? undefined : await this.log.at(Number(position));
    if (entry?.type === EVENT_TYPES.registryListed) throw new LedgerError('APPEAL_TO_AUTHORITY');
    if (!entry || !CASES.has(entry.type) || listingIdOf(entry) !== listingId) throw new LedgerError('NOT_FOUND');
    return entry;
  }

  /** Appends what is decided on the case as it stands, and decides anew where that has changed meanwhile. */
  async #append({ stream, id }: StoredEvent, decide: (state: CaseState) => NewEvent[]): Promise<void> {
    for (let attempt = 0; attempt <= CONFLICT_RETRIES_MAX; attempt += 1) {
      const { cases, version } = await casesIn(this.log, stream, this.codes);
      const state = cases.get(id);
      if (!state) throw new LedgerError('NOT_FOUND');
      const outcome = await this.log.append({ events: decide(state), expected: { [stream]: version } });
      if (outcome.status === 'appended' || outcome.status === 'duplicate') return;
    }
    throw new LedgerError('VERSION_CONFLICT');
  }

  #event(
    { stream }: StoredEvent,
    id: string,
    type: OutcomeType,
    data: object,
    riders?: Record<string, unknown>,
  ): NewEvent {
    return this.writer.event(stream, { id, type, data }, riders);
  }

  #sealed(listed: StoredEvent, id: string, type: OutcomeType, said: object, pointers: readonly string[]): NewEvent {
    const { data, row } = this.vault.separateTexts({ source: LEDGER_SOURCE, id, type }, said, pointers);
    return this.#event(listed, id, type, data, row && { [VAULT_RIDER]: row });
  }
}
