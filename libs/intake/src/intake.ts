import { createHash } from 'node:crypto';
import { saltsFrom, textOfEvent, verifySignature, type SignatureVerdict } from '@liandun/commitments';
import {
  fieldError,
  IMPERSONATION_CODE,
  listingIdOf,
  loadWorkingDays,
  memberOfSource,
  memberSource,
  problemOf,
  PROTECTIVE_CODE,
  ReasonCodeHistory,
  LEDGER_SOURCE,
  EVENT_TYPES,
  SUBMITTED_TYPES,
  timeMs,
  toBeijingTime,
  validateSubmission,
  type Case,
  type CaseHeld,
  type CloudEvent,
  type Hearing,
  type Identity,
  type ListingEnded,
  type MemberKey,
  type MemberRole,
  type NoticeDisposed,
  type NoticeIssued,
  type Problem,
  type ProblemCode,
  type Receipt,
  type RiskEntityReported,
  type SignaturePolicy,
} from '@liandun/contracts';
import {
  caseRefusal,
  dispositionRefusal,
  hearingDeadline,
  isHeld,
  needsHearing,
  type CaseCommand,
  type CaseRefusal,
  type Cases,
  type WorkingDayTable,
} from '@liandun/domain';
import type { AppendCommand, AppendOutcome, EventLog, GatedBy, NewEvent, StoredEvent } from '@liandun/event-log';
import { canonicalJson, ENTRY_BYTES_MAX, encodeEntry } from '@liandun/transparency-log';
import { VAULT_RIDER, type Vault } from '@liandun/vault';
import {
  allOf,
  CASE_TYPES,
  casesIn,
  decisionOf,
  decisionStream,
  LISTING_TYPES,
  NOTHING,
  tierIn,
  type CodesInForce,
  type IntakeReads,
} from './cases.js';

/** What was submitted, for counting. */
export const typeOf = (prepared: Prepared): string | undefined => {
  if (prepared.step === 'append') return prepared.command.events[0]?.type;
  return prepared.step === 'refused' ? undefined : prepared.submission.event.type;
};

/** Who submits: its access was checked before. */
export interface Submitter {
  memberId: string;
  role: MemberRole;
  /** Whether it has to sign; `optional` unless told. */
  signatures?: SignaturePolicy;
}

/** The part of the event log that intake uses. */
export type IntakeLog = Pick<EventLog, 'appendAll'> & IntakeReads;

/** A signature that is still to be verified, and the text that it should be over. */
interface Claim {
  signature: string;
  text: string;
}

/** A submission that was validated and sealed, or refused; `settle` finishes it. */
export type Prepared =
  | { step: 'refused'; receipt: Receipt }
  | ({ step: 'append'; held: boolean; command: AppendCommand; nothingToEnd?: true } & Unverified)
  | ({ step: 'lookUp' | 'decide'; submission: Valid } & Unverified);

/** What the log or another store has to say before it goes on. */
interface Unverified {
  claim?: Claim;
  /** Filed for the use of another's identity without naming a victim: against whom. */
  impostor?: Identity;
}

interface Valid {
  event: CloudEvent;
  fingerprint: Buffer;
  clockAhead: boolean;
}

const SIGNATURE_PROBLEMS: Record<SignatureVerdict, ProblemCode | undefined> = {
  valid: undefined,
  invalid: 'SIGNATURE_INVALID',
  unknownKey: 'SIGNATURE_KEY_UNKNOWN',
};

type Ready = Exclude<Prepared, { step: 'lookUp' }>;
type ReadyToAppend = Extract<Prepared, { step: 'append' }>;

const CONFLICT_RETRIES_MAX = 8;
// A UTF-16 unit has three bytes of UTF-8 at most, and all but `data` of an entry fits into the rest.
const SURELY_SMALL_UNITS = 18_000;
const LISTING_ID = /^L(0|[1-9]\d{0,14})-([0-9a-f]{12})$/;
const NOTICE_ID = /^(.+)\.(0|[1-9]\d{0,14})$/;
/** Which stream an event of this type goes to; the other types' streams depend on what they refer to. */
const STREAMS: Record<string, (member: string, event: CloudEvent) => string> = {
  [SUBMITTED_TYPES.merchantReported]: (member, { data }) => merchantStream(member, data),
  [SUBMITTED_TYPES.merchantDelisted]: (member, { data }) => merchantStream(member, data),
  [SUBMITTED_TYPES.riskEntityReported]: (member, { id }) => `report/${member}/${id}`,
  [SUBMITTED_TYPES.registryListed]: (member, { id }) => `registry/${member}/${id}`,
  [SUBMITTED_TYPES.registryRemoved]: (member, { id }) => `registry/${member}/${id}`,
};
const LOOKED_UP = new Set<string>([SUBMITTED_TYPES.noticeDisposed, SUBMITTED_TYPES.listingEnded]);

const merchantStream = (member: string, data: unknown): string =>
  `merchant/${member}/${(data as { merchantId: string }).merchantId}`;

const rejected = (id: string, refusal: Problem): Receipt => ({ id, status: 'rejected', problem: refusal });
const refused = (id: string, refusal: Problem): Ready => ({ step: 'refused', receipt: rejected(id, refusal) });

/** What an event says, without what vouches for it: signed anew, it is the same event. */
function unsigned(event: CloudEvent): object {
  if (event.signature === undefined) return event;
  const { signature: _signature, salt: _salt, ...said } = event;
  return said;
}

const idOfPrepared = (item: Exclude<Prepared, { step: 'refused' }>): string =>
  item.step === 'append' ? (item.command.events[0]?.id ?? '') : item.submission.event.id;

const fingerprintOf = (item: Exclude<Prepared, { step: 'refused' }>): Buffer =>
  item.step === 'append' ? (item.command.events[0] as NewEvent).fingerprint : item.submission.fingerprint;

const wouldReject = (problem?: Problem): Previewed => ({
  would: 'rejected',
  heldBecause: [],
  ...(problem && { problem }),
  counted: false,
});

/** The id of whatever was sent, for its receipt. */
function idOf(raw: unknown): string {
  const id = typeof raw === 'object' && raw !== null ? (raw as { id?: unknown }).id : undefined;
  return typeof id === 'string' ? id.slice(0, 128) : '';
}

/** What would be answered to a submission. */
export interface Previewed {
  would: Receipt['status'];
  heldBecause: ('hearing' | 'flood')[];
  problem?: Problem;
  /** Whether it counts against its publisher's limits (rule P21). */
  counted: boolean;
}

export interface IntakeParts {
  log: IntakeLog;
  vault: Vault;
  /** The database's time, which decides whether a date lies ahead. */
  clock: () => Date;
  /** The keys that a member may sign with now; asked once for each list that holds a signature. */
  keysOf: (memberId: string) => Promise<MemberKey[]>;
  /** The reason codes in force (rule P05); those that every ledger starts with unless told. */
  codes?: CodesInForce;
  /** By which the time to answer is counted (rule P06); the library's days unless told. */
  workingDays?: WorkingDayTable;
  /** Whether any listing rests on an official decision, by its key; nothing is said of it unless told. */
  restsOn?: (decision: string) => Promise<boolean>;
  /** The name of the log's gate that counts cases against their publisher's limits (rule P21); nothing is counted unless told. */
  breaker?: string;
  /** Whether an identity's official identifier is a known victim's; nobody is known unless told. */
  protects?: (identity: Identity) => Promise<boolean>;
  /** Whether a register has removed its entry of this subject on this decision, by its key; nothing is known of it unless told. */
  removed?: (identity: Identity, decision: string) => Promise<boolean>;
  /** The log as a member sees it, where the process reads in its name; the whole log unless told. */
  readsOf?: (member: Submitter) => IntakeReads;
}

/**
 * The door of the ledger, the same for HTTP and Kafka: validates, decides on what the log knows, takes personal values
 * out, appends, and answers with a receipt. The sender's membership must have been checked.
 */
export class Intake {
  readonly #log: IntakeLog;
  readonly #vault: Vault;
  readonly #clock: () => Date;
  readonly #keysOf: IntakeParts['keysOf'];
  readonly #readsOf: (member: Submitter) => IntakeReads;
  readonly #codes: CodesInForce;
  readonly #workingDays: WorkingDayTable;
  readonly #restsOn: IntakeParts['restsOn'];
  readonly #breaker: string | undefined;
  readonly #protects: IntakeParts['protects'];
  readonly #removed: IntakeParts['removed'];

  constructor({
    log,
    vault,
    clock,
    keysOf,
    codes = { history: new ReasonCodeHistory(), refresh: async () => undefined },
    workingDays = loadWorkingDays(),
    restsOn,
    breaker,
    protects,
    removed,
    readsOf = () => log,
  }: IntakeParts) {
    this.#protects = protects;
    this.#removed = removed;
    this.#codes = codes;
    this.#workingDays = workingDays;
    this.#restsOn = restsOn;
    this.#breaker = breaker;
    this.#readsOf = readsOf;
    this.#log = log;
    this.#vault = vault;
    this.#clock = clock;
    this.#keysOf = keysOf;
  }

  /** One event; see `submitAll`. */
  async submit(member: Submitter, raw: unknown): Promise<Receipt> {
    const [receipt] = await this.submitAll(member, [raw]);
    return receipt as Receipt;
  }

  /**
   * The receipts of the submissions, in their order. Each stands alone: a refused one is a receipt with its problem and
   * hinders no other. A case that is decided on sees what stands before it in the list. Throws only where the log can't
   * be reached; then some may be stored, and sending all again is safe.
   */
  async submitAll(member: Submitter, raws: unknown[]): Promise<Receipt[]> {
    await this.ready();
    return this.settle(
      member,
      raws.map((raw) => this.prepare(member, raw)),
    );
  }

  /**
   * What `submit` would answer now, by the same checks; nothing is stored or counted (rule P21). Whether the publisher's limits
   * would hold it isn't looked at here, nor whether an impostor's subject is a known victim: what leaves no trace tells nothing of
   * what others reported (rule P18).
   */
  async preview(member: Submitter, raw: unknown): Promise<Previewed> {
    await this.ready();
    const [ready] = await this.#lookUpAll(member, await this.#verifyAll(member, [this.prepare(member, raw)]));
    if (!ready || ready.step === 'refused') return wouldReject(ready?.receipt.problem);
    const { id, source, type } =
      ready.step === 'append' ? (ready.command.events[0] as NewEvent) : ready.submission.event;
    const counted = CASE_TYPES.has(type);
    const known = await this.#readsOf(member).fingerprintOf(source, id);
    if (known) {
      const same = known.equals(fingerprintOf(ready));
      return same ? { would: 'duplicate', heldBecause: [], counted } : wouldReject(wrong('/id', 'EVENT_ID_REUSED'));
    }
    const appended = ready.step === 'append' ? ready : await this.#wouldAppend(member, ready.submission);
    if (appended.step !== 'append')
      return wouldReject((appended as Extract<Ready, { step: 'refused' }>).receipt.problem);
    return { would: appended.held ? 'held' : 'accepted', heldBecause: appended.held ? ['hearing'] : [], counted };
  }

  /** What an event is decided on, looked up anew at each call. */
  async #standing(member: Submitter, event: CloudEvent): Promise<() => Promise<Standing>> {
    return CASE_TYPES.has(event.type) ? () => this.#filing(member, event) : this.#stepOfCase(member, event);
  }

  async #wouldAppend(member: Submitter, submission: Valid): Promise<Ready> {
    const { event } = submission;
    const { stream, expected, refusal } = await (await this.#standing(member, event))();
    return refusal ? refused(event.id, refusal) : this.#readyToAppend(submission, stream, expected);
  }

  /**
   * To be awaited before `prepare`: it checks by the reason codes in force, as this process knew them a second ago at most. Whatever
   * is appended within that second of a change is folded by the changed table all the same: a listing's tier and term are those in
   * force at its position.
   */
  ready(): Promise<void> {
    return this.#codes.refresh();
  }

  /** The part that needs no log: validation, sealing. Costs processor time only, so it can run while others are appended. */
  prepare(member: Submitter, raw: unknown): Prepared {
    const now = this.#clock();
    const validated = validateSubmission(raw, { ...member, now, codes: this.#codes.history.current });
    if ('problem' in validated) return { step: 'refused', receipt: rejected(idOf(raw), validated.problem) };
    const event: CloudEvent = validated.event;
    const submission = {
      event,
      fingerprint: this.#vault.fingerprint(canonicalJson(unsigned(event))),
      clockAhead: validated.clockAhead === true,
    };
    const { signature } = event;
    const impostor = impostorOf(event);
    const claim: Unverified = {
      ...(signature !== undefined && { claim: { signature, text: textOfEvent(event) } }),
      ...(impostor && { impostor }),
    };
    const tooShort = CASE_TYPES.has(event.type) && this.#hearingProblem(event.data as Case, now);
    if (tooShort) return { step: 'refused', receipt: rejected(event.id, tooShort) };
    // What rests on an official decision is filed only while the decision stands.
    if (decisionOf(event) !== undefined && CASE_TYPES.has(event.type)) return { step: 'decide', submission, ...claim };
    const streamOf = STREAMS[event.type];
    if (streamOf) return { ...this.#readyToAppend(submission, streamOf(member.memberId, event)), ...claim };
    return { step: LOOKED_UP.has(event.type) ? 'lookUp' : 'decide', submission, ...claim };
  }

  /** Appends what was prepared, in its order. To keep the order of two lists, settle the first before the second. */
  async settle(member: Submitter, prepared: Prepared[]): Promise<Receipt[]> {
    const verified = await this.#verifyAll(member, prepared);
    const ready = await this.#lookUpAll(member, await this.#findVictims(member, verified));
    const receipts: Receipt[] = [];
    let waiting: ReadyToAppend[] = [];
    let slots: number[] = [];
    const flush = async (): Promise<void> => {
      if (waiting.length === 0) return;
      const outcomes = await this.#log.appendAll(waiting.map(({ command }) => command));
      outcomes.forEach((outcome, i) => {
        receipts[slots[i] as number] = this.#receiptOf(waiting[i] as ReadyToAppend, outcome);
      });
      waiting = [];
      slots = [];
    };
    for (const [slot, item] of ready.entries()) {
      if (item.step === 'refused') receipts[slot] = item.receipt;
      else if (item.step === 'append') {
        waiting.push(item);
        slots.push(slot);
      } else {
        await flush();
        receipts[slot] = await this.#decide(member, item.submission);
      }
    }
    await flush();
    return receipts;
  }

  /** Refuses what bears a signature that isn't the member's. The keys are looked up here, so a revoked one is refused at once. */
  async #verifyAll({ memberId }: Submitter, prepared: Prepared[]): Promise<Prepared[]> {
    if (!prepared.some((item) => item.step !== 'refused' && item.claim)) return prepared;
    const keys = await this.#keysOf(memberId);
    return Promise.all(
      prepared.map(async (item) => {
        if (item.step === 'refused' || !item.claim) return item;
        const code = SIGNATURE_PROBLEMS[await verifySignature(item.claim.signature, item.claim.text, keys)];
        return code === undefined ? item : refused(idOfPrepared(item), wrong('/signature', code));
      }),
    );
  }

  /** Refuses a filing for the use of a known victim's identity that doesn't name the victim (rule P14). */
  async #findVictims(member: Submitter, prepared: Prepared[]): Promise<Prepared[]> {
    const protects = this.#protects;
    if (!protects || !prepared.some((item) => item.step !== 'refused' && item.impostor)) return prepared;
    return Promise.all(
      prepared.map(async (item) => {
        if (item.step === 'refused' || !item.impostor || !(await protects(item.impostor))) return item;
        const id = idOfPrepared(item);
        // What was accepted before is answered as a repetition.
        if (await this.#readsOf(member).find(memberSource(member.memberId), id)) return item;
        return refused(id, wrong('/data/victim', 'VICTIM_MISSING'));
      }),
    );
  }

  #readyToAppend({ event, fingerprint, clockAhead }: Valid, stream: string, expected?: Record<string, number>): Ready {
    const { id, source, type, time, signature, salt } = event;
    const victim = victimOf(event);
    const saltOf = salt === undefined ? undefined : saltsFrom(salt);
    const { data: shared, row } = this.#vault.separate(event, event.data as object, saltOf);
    // A wrong clock at the sender is kept and marked; the database's time counts.
    const marked = clockAhead ? { ...shared, clockAhead } : shared;
    const data = signature === undefined ? marked : { ...marked, signature };
    const content = { id, source, type, time, stream, data };
    if (isTooLarge(content)) return refused(id, wrong('', 'EVENT_TOO_LARGE'));
    const riders = row ? { riders: { [VAULT_RIDER]: row } } : {};
    const events: NewEvent[] = [{ ...content, fingerprint, ...riders }];
    if (victim) {
      const followed = this.#protecting(victim, fingerprint);
      if (isTooLarge(followed)) return refused(id, wrong('', 'EVENT_TOO_LARGE'));
      events.push(followed);
    }
    const command = {
      events,
      ...(expected ? { expected } : {}),
      ...(this.#breaker !== undefined && CASE_TYPES.has(type) && { gate: this.#gateOf(this.#breaker, content) }),
    };
    return { step: 'append', held: startsHeld(event, this.#tierOf), command };
  }

  /** The entry that protects the victim of a case: one command with it, so there is never one without the other (rule P14). */
  #protecting(protective: CloudEvent, fingerprint: Buffer): NewEvent {
    const { id, source, type, time, data } = protective;
    const { data: shared, row } = this.#vault.separate(protective, data as object);
    const stream = (STREAMS[type] as (typeof STREAMS)[string])(memberOfSource(source) as string, protective);
    return {
      id,
      source,
      type,
      time,
      stream,
      data: shared,
      fingerprint: createHash('sha256').update(fingerprint).update(PROTECTIVE_CODE).digest(),
      ...(row ? { riders: { [VAULT_RIDER]: row } } : {}),
    };
  }

  /** A case counts against its publisher's limits; over them, what says so is stored right before it. */
  #gateOf(name: string, { id, source, time, stream }: Content): GatedBy {
    const memberId = memberOfSource(source) ?? '';
    const data: CaseHeld = { memberId, caseId: id, because: 'flood' };
    const type = EVENT_TYPES.caseHeld;
    const held = { id: `breaker:held:${memberId}:${id}`, source: LEDGER_SOURCE, type, time, stream, data };
    return { name, row: memberId, events: [{ ...held, fingerprint: this.#vault.fingerprint(canonicalJson(held)) }] };
  }

  async #lookUpAll(member: Submitter, prepared: Prepared[]): Promise<Ready[]> {
    if (!prepared.some(({ step }) => step === 'lookUp')) return prepared;
    const issued = prepared.some(
      (item) => item.step === 'lookUp' && item.submission.event.type === SUBMITTED_TYPES.noticeDisposed,
    )
      ? await this.#readsOf(member).streamVersion(`notices/${member.memberId}`)
      : -1;
    return Promise.all(
      prepared.map(async (item) => (item.step === 'lookUp' ? this.#lookUp(member, item.submission, issued) : item)),
    );
  }

  /** `issued`: the seq of the member's newest notice. */
  async #lookUp(member: Submitter, submission: Valid, issued: number): Promise<Ready> {
    const { event } = submission;
    return event.type === SUBMITTED_TYPES.noticeDisposed
      ? this.#lookUpNotice(member, submission, issued)
      : this.#lookUpEnding(member, submission);
  }

  /** A disposition answers a notice that its sender got, within what that notice asked (rule P22). */
  async #lookUpNotice(member: Submitter, submission: Valid, issued: number): Promise<Ready> {
    const { event } = submission;
    const disposed = event.data as NoticeDisposed;
    const [, receiver, seq] = NOTICE_ID.exec(disposed.noticeId) ?? [];
    if (receiver !== member.memberId || Number(seq) > issued)
      return refused(event.id, wrong('/data/noticeId', 'NOTICE_NOT_FOUND'));
    const range = { after: Number(seq) - 1, limit: 1 };
    const [notice] = await this.#readsOf(member).readStream(`notices/${receiver}`, range);
    const refusal = notice && dispositionRefusal(disposed, notice.data as NoticeIssued);
    if (refusal?.wrong === 'decision') return refused(event.id, wrong('/data/decision', 'DISPOSITION_NOT_APPLICABLE'));
    if (refusal?.wrong === 'automated') return refused(event.id, wrong('/data/automated', 'CLOSED_WITHOUT_PERSON'));
    if (refusal) return refused(event.id, wrong(`/data/shops/${refusal.index}/shopId`, 'SHOP_NOT_OF_NOTICE'));
    return this.#readyToAppend(submission, `notice/${disposed.noticeId}`);
  }

  /**
   * An official ending goes to the stream of the decision that it is about, where filings on that decision see it, else to
   * its listing's own, where that publisher's further steps see it (rule P12).
   */
  async #lookUpEnding(member: Submitter, submission: Valid): Promise<Ready> {
    const { event } = submission;
    const { listingId } = event.data as ListingEnded;
    const listed = listingId === undefined ? undefined : await this.#listing(member, listingId);
    if (listingId !== undefined && !listed) return refused(event.id, wrong('/data/listingId', 'LISTING_NOT_FOUND'));
    const decision = decisionOf(listed ?? event);
    const stream = decision === undefined ? (listed as StoredEvent).stream : decisionStream(decision);
    const ready = this.#readyToAppend(submission, stream);
    if (ready.step !== 'append' || listed || decision === undefined || !this.#restsOn) return ready;
    return (await this.#restsOn(decision)) ? ready : { ...ready, nothingToEnd: true };
  }

  /** The entry that made a listing. */
  async #listing(member: Submitter, listingId: string): Promise<StoredEvent | undefined> {
    const [, position] = LISTING_ID.exec(listingId) ?? [];
    if (position === undefined) return undefined;
    const entry = await this.#readsOf(member).at(Number(position));
    return entry && LISTING_TYPES.has(entry.type) && listingIdOf(entry) === listingId ? entry : undefined;
  }

  /** A decision on what the log knows: appended only onto the state that it was decided on. */
  async #decide(member: Submitter, submission: Valid): Promise<Receipt> {
    const { event } = submission;
    const stands = await this.#standing(member, event);
    for (let attempt = 0; attempt <= CONFLICT_RETRIES_MAX; attempt += 1) {
      const { stream, expected, refusal } = await stands();
      // What was accepted before is answered as a repetition, though its own effect would refuse it now.
      if (refusal && !(await this.#readsOf(member).find(event.source, event.id))) return rejected(event.id, refusal);
      const ready = this.#readyToAppend(submission, stream, refusal ? undefined : expected);
      if (ready.step !== 'append') return (ready as Extract<Ready, { step: 'refused' }>).receipt;
      const [outcome] = await this.#log.appendAll([ready.command]);
      if (outcome?.status !== 'conflict') return this.#receiptOf(ready, outcome as AppendOutcome);
    }
    throw new Error(`what ${event.type} was decided on changed ${CONFLICT_RETRIES_MAX} times meanwhile`);
  }

  /**
   * A case on an official decision: refused once the authority has ended that decision, or taken its subject off the register that
   * the decision put it on (rule P12). A filing without an official identifier of its subject ends once it is linked.
   */
  async #filing({ memberId }: Submitter, event: CloudEvent): Promise<Standing> {
    const decision = decisionOf(event) as string;
    const stream = decisionStream(decision);
    const { events, version } = await allOf(this.#log, stream);
    const bars = await Promise.all(events.map((ended) => this.#bars(ended, memberId)));
    const { identity } = event.data as { identity: Identity };
    const barred = bars.includes(true) || (await this.#removed?.(identity, decision)) === true;
    return {
      stream: (STREAMS[event.type] as (typeof STREAMS)[string])(memberId, event),
      expected: { [stream]: version },
      ...(barred && { refusal: wrong('/data/proof/decisionNo', 'DECISION_ENDED') }),
    };
  }

  /**
   * Whether an official ending bars further filings on its decision: from everybody where the decision itself ended, from
   * its publisher where one listing did, unless only the wrong merchant was named.
   */
  async #bars({ type, data }: StoredEvent, memberId: string): Promise<boolean> {
    const { listingId, decisionNo, cause } = data as ListingEnded;
    if (type === SUBMITTED_TYPES.listingEnded && decisionNo !== undefined) return true;
    if (cause === 'wrongIdentity') return false;
    const [, position] = LISTING_ID.exec(listingId ?? '') ?? [];
    return (await this.#log.at(Number(position)))?.source === memberSource(memberId);
  }

  /** A step of the sender's own case, decided on the events of its stream and of the decisions that its cases rest on. */
  async #stepOfCase(member: Submitter, event: CloudEvent): Promise<() => Promise<Standing>> {
    const { type, data } = event as { type: CaseCommand['type']; data: CaseCommand['data'] };
    const command = { type, data } as CaseCommand;
    const stream = await this.#streamOfCase(member, command);
    return async () => {
      const { cases, version } = stream ? await casesIn(this.#log, stream, this.#codes) : NOTHING;
      const broken = caseRefusal(command, cases);
      const refusal = broken ? caseProblem(command, broken, version >= 0) : this.#heardTooEarly(command, cases);
      return {
        stream: stream ?? `merchant/${member.memberId}`,
        ...(stream !== undefined && { expected: { [stream]: version } }),
        ...(refusal && { refusal }),
      };
    };
  }

  #heardTooEarly(command: CaseCommand, cases: Cases): Problem | undefined {
    if (command.type !== 'liandun.case.heard.v1' || command.data.cause !== undefined) return undefined;
    const { caseId, hearing } = command.data;
    const { code = '', position } = cases.get(caseId) ?? {};
    return this.#unanswered(hearing, this.#holdDays(code, position), this.#clock());
  }

  /** A filing that says that its subject didn't answer. */
  #hearingProblem(listed: Case, now: Date): Problem | undefined {
    if (!listed.hearing || !needsHearing(listed, this.#tierOf(listed.reason.code))) return undefined;
    return this.#unanswered(listed.hearing, this.#holdDays(listed.reason.code), now);
  }

  /** Rule P06: that nobody answered can be said only once the time to answer is over. */
  #unanswered({ notifiedAt, endedAt, answer }: Hearing, holdDays: number, now: Date): Problem | undefined {
    if (answer !== 'none') return undefined;
    const { due } = hearingDeadline(this.#workingDays, notifiedAt, holdDays);
    const until = Math.min(now.getTime(), timeMs(endedAt) ?? 0);
    if (due === undefined || Date.parse(due) <= until) return undefined;
    const notBefore = toBeijingTime(new Date(due));
    return problemOf([fieldError('/data/hearing/answer', 'HEARING_TOO_SHORT', { notBefore })]);
  }

  #receiptOf({ command, held, nothingToEnd }: ReadyToAppend, outcome: AppendOutcome): Receipt {
    const event = command.events[0] as NewEvent;
    if (outcome.status === 'reused') return rejected(event.id, wrong('/id', 'EVENT_ID_REUSED'));
    if (outcome.status === 'conflict') throw new Error(`unexpected conflict on ${outcome.stream}`);
    const [first, second] = outcome.receipts;
    const protective = command.events[1];
    const flooded = outcome.gated === true;
    const status = outcome.status === 'duplicate' ? 'duplicate' : held || flooded ? 'held' : 'accepted';
    return {
      id: event.id,
      status,
      ...(first && { position: first.position, leafHash: first.leafHash.toString('base64') }),
      ...(held && !flooded && first && this.#heldUntil(event.data as unknown as Case, first.acceptedAt)),
      ...(flooded && { heldBecause: 'flood' as const }),
      ...(nothingToEnd && { nothingToEnd }),
      ...(protective &&
        second && {
          victim: { id: protective.id, position: second.position, leafHash: second.leafHash.toString('base64') },
        }),
    };
  }

  readonly #tierOf = (code: string, position?: number): number => tierIn(this.#codes)(code, position);

  #holdDays(code: string, position = Infinity): number {
    return this.#codes.history.at(position).codes.get(code)?.statutoryHoldDays ?? 0;
  }

  #heldUntil({ reason }: Case, acceptedAt: string): { heldUntil?: string } {
    const { due } = hearingDeadline(this.#workingDays, acceptedAt, this.#holdDays(reason.code));
    return due === undefined ? {} : { heldUntil: toBeijingTime(new Date(due)) };
  }

  /** The stream that holds the case, if it is the sender's own; another's looks like one that doesn't exist. */
  async #streamOfCase(member: Submitter, { type, data }: CaseCommand): Promise<string | undefined> {
    const { memberId } = member;
    const find = async (id: string, prefixes: string[]): Promise<string | undefined> => {
      const stream = (await this.#readsOf(member).find(memberSource(memberId), id))?.stream;
      return prefixes.some((prefix) => stream?.startsWith(prefix)) ? stream : undefined;
    };
    switch (type) {
      case 'liandun.case.heard.v1':
      case 'liandun.case.notified.v1':
        return find(data.caseId, ['merchant/', 'report/']);
      case 'liandun.riskentity.withdrawn.v1':
        return find(data.reportId, ['report/']);
      case 'liandun.merchant.reinstated.v1':
        return data.delistingId === undefined ? merchantStream(memberId, data) : find(data.delistingId, ['merchant/']);
    }
  }
}

/** Where an event goes, on which versions it was decided, and why it may not follow. */
interface Standing {
  stream: string;
  expected?: Record<string, number>;
  refusal?: Problem;
}

/** Of a filing for the use of another's identity that names no victim: against whom it is. */
function impostorOf({ type, data }: CloudEvent): Identity | undefined {
  const { reason, identity, victim } = data as Case & { identity: Identity };
  return CASE_TYPES.has(type) && reason.code === IMPERSONATION_CODE && !victim ? identity : undefined;
}

/**
 * The filing that protects the victim whom a case names: by the same member, on the same evidence and decision. It rests on no
 * official number, so what ends the case doesn't end the protection. Its id follows from the case's.
 */
function victimOf({ specversion, id, source, type, time, data }: CloudEvent): CloudEvent | undefined {
  const { victim, proof, attestation, decidedAt, decidedBy, appealUrl } = data as Case;
  if (!CASE_TYPES.has(type) || !victim) return undefined;
  const of = createHash('sha256').update(`${source}\n${id}`).digest('hex').slice(0, 32);
  const filed: RiskEntityReported = {
    subject: 'merchant',
    identity: victim.identity,
    accounts: [],
    reason: { code: PROTECTIVE_CODE },
    proof: { standard: 'platformFinding', evidence: proof.evidence },
    attestation,
    decidedAt,
    decidedBy,
    appealUrl,
  };
  return {
    specversion,
    source,
    time,
    id: `${PROTECTIVE_CODE}-${of}`,
    type: SUBMITTED_TYPES.riskEntityReported,
    datacontenttype: 'application/json',
    data: filed,
  };
}

/** Whether nobody is told of the event's case before its subject was heard (rule P06). */
function startsHeld({ type, data }: CloudEvent, tierOf: (code: string) => number): boolean {
  if (type !== SUBMITTED_TYPES.merchantDelisted && type !== SUBMITTED_TYPES.riskEntityReported) return false;
  const listed = data as Case;
  return isHeld(listed, tierOf(listed.reason.code));
}

interface Content {
  id: string;
  source: string;
  type: string;
  time: string;
  stream: string;
  data: object;
}

function isTooLarge(content: Content): boolean {
  if (JSON.stringify(content.data).length < SURELY_SMALL_UNITS) return false;
  const entry = encodeEntry({
    ...content,
    nonce: 'n'.repeat(43),
    acceptedAt: '2000-01-01T00:00:00.000+08:00',
    version: 999_999_999,
  });
  return Buffer.byteLength(entry) > ENTRY_BYTES_MAX;
}

const wrong = (pointer: string, code: ProblemCode): Problem => problemOf([fieldError(pointer, code)]);

/** Says what the sender has no such thing of; another member's is answered alike (rule P18). */
function caseProblem({ type, data }: CaseCommand, refusal: CaseRefusal, streamExists: boolean): Problem {
  switch (type) {
    case 'liandun.case.heard.v1':
      return wrong('/data/caseId', 'CASE_NOT_HELD');
    case 'liandun.case.notified.v1':
      return wrong('/data/caseId', refusal === 'ALREADY_NOTIFIED' ? 'CASE_ALREADY_NOTIFIED' : 'CASE_NOT_FOUND');
    case 'liandun.riskentity.withdrawn.v1':
      return wrong('/data/reportId', 'REPORT_NOT_FOUND');
    case 'liandun.merchant.reinstated.v1':
      if (data.delistingId !== undefined) return wrong('/data/delistingId', 'DELISTING_NOT_FOUND');
      return wrong('/data/merchantId', streamExists ? 'DELISTING_NOT_FOUND' : 'MERCHANT_NOT_FOUND');
  }
}
