import { randomUUID } from 'node:crypto';
import {
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
import { appealDeadline, appealRefusal, type CaseState } from '@liandun/domain';
import { EventLog, type NewEvent, type StoredEvent } from '@liandun/event-log';
import { casesIn } from '@liandun/intake';
import { Vault, VAULT_RIDER } from '@liandun/vault';
import { Injectable } from '@nestjs/common';
import { LedgerWriter } from './ledger-writer.js';

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
  ) {}

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
      const { cases, version } = await casesIn(this.log, stream);
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
