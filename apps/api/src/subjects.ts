import { randomUUID } from 'node:crypto';
import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  LedgerError,
  memberOfSource,
  toBeijingTime,
  type Identity,
  type StatementEvidence,
  type SubjectStated,
  type ReasonCode,
} from '@liandun/contracts';
import type { ReadingCaller } from '@liandun/event-log';
import { masked, Vault, VAULT_RIDER, type SealedValue } from '@liandun/vault';
import {
  entriesOfSubject,
  entryAt,
  listingById,
  listingsOfSubject,
  memberNames,
  screeningsMade,
  type ProvenSubject,
  type SubjectEntry,
  type SubjectListing,
} from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { LIABILITY } from './malice.js';
import { LedgerWriter } from './ledger-writer.js';
import { Door } from './pools.js';
import { Reads } from './reads.js';
import { Screenings } from './screenings.js';

/** In the place of a member's id where a subject reads: no member can have it. */
export const SUBJECT_READER = '@subject';

const REPRESENTATIVE = '/identity/legalRepresentative/';

/** Types of entries that carry an identity. */
const OBSERVED = new Set<string>([
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
]);

interface Named {
  memberId: string;
  name: string;
}

/** In whose name the database is asked. */
export const callerOfSubject = ({ entities, observations }: ProvenSubject): ReadingCaller => ({
  memberId: '',
  role: 'subject',
  subject: { entities, observations },
});

/** The representative is somebody else: whoever answers an organization's phone isn't told his number. */
function ownIdentity(identity: Identity): Identity {
  const { legalRepresentative } = identity;
  if (!legalRepresentative) return identity;
  const { name, residentId } = legalRepresentative;
  return {
    ...identity,
    legalRepresentative: {
      ...(typeof name === 'string' && { name: masked.name(name) }),
      ...(typeof residentId === 'string' && { residentId: masked.residentId(residentId) }),
    },
  };
}

const reasonOf = ({ code, labelZh, labelEn, legalBasis }: ReasonCode): object => ({
  code,
  labelZh,
  labelEn,
  legalBasis,
});

/** All that the ledger holds about one subject, read in his name. */
interface Held {
  entries: SubjectEntry[];
  listings: SubjectListing[];
  /** Of his own observations and of what he said, by position. */
  opened: Map<number, SealedValue[]>;
}

/** What a subject sees, takes with him and says (rule P17; 个人信息保护法 第44至48条). */
@Injectable()
export class Subjects {
  constructor(
    private readonly door: Door,
    private readonly reads: Reads,
    private readonly vault: Vault,
    private readonly writer: LedgerWriter,
    private readonly screenings: Screenings,
  ) {}

  /** Everything that is held about him, who was told, and who asked. The reading stands in the log before it is answered. */
  async page(subject: ProvenSubject, route: string): Promise<object> {
    await this.record(subject, route);
    return this.shown(subject, await this.held(subject));
  }

  /** The same with the entries as they stand in the log, and what opens their commitments: whoever has the log can check it. */
  async copy(subject: ProvenSubject, route: string): Promise<object> {
    await this.record(subject, route);
    const held = await this.held(subject);
    const page = await this.shown(subject, held);
    const entries = held.entries.map(({ stream: _stream, ...entry }) => ({
      ...entry,
      openings: (held.opened.get(entry.position) ?? []).filter(({ pointer }) => !pointer.startsWith(REPRESENTATIVE)),
    }));
    return { ...page, copiedAt: toBeijingTime(this.writer.now()), entries };
  }

  /** A listing of his, as the caller's walls show it. Throws NOT_FOUND for any other, and for none (rule P17). */
  async listing(subject: ProvenSubject, listingId: string): Promise<SubjectListing> {
    const found = await this.reads.as(callerOfSubject(subject), (db) => listingById(db, listingId));
    if (!found) throw new LedgerError('NOT_FOUND');
    return found;
  }

  /** What he says of a listing. Throws NOT_FOUND, or CASE_NOT_HELD where an answer comes to a case that nobody waits with. */
  async state(
    subject: ProvenSubject,
    kind: 'answer' | 'statement',
    { listingId, statement, evidence = [] }: { listingId: string; statement: string; evidence?: StatementEvidence[] },
  ): Promise<{ statementId: string }> {
    const { position, caseId, status } = await this.listing(subject, listingId);
    if (kind === 'answer' && status !== 'held') throw new LedgerError('CASE_NOT_HELD');
    return this.append(subject, position, { kind, caseId, listingId, evidence }, statement);
  }

  /** What he says is wrong in an entry that names him. Throws NOT_FOUND for any other. */
  async correct(
    subject: ProvenSubject,
    {
      position,
      field,
      statement,
      evidence = [],
    }: { position: number; field: string; statement: string; evidence?: StatementEvidence[] },
  ): Promise<{ statementId: string }> {
    const entry = await this.reads.as(callerOfSubject(subject), (db) => entryAt(db, position));
    if (!entry || !OBSERVED.has(entry.type)) throw new LedgerError('NOT_FOUND');
    return this.append(subject, position, { kind: 'correction', caseId: entry.id, field, evidence }, statement);
  }

  private async append(
    subject: ProvenSubject,
    about: number,
    more: Omit<SubjectStated, 'statementId' | 'about' | 'statement' | 'proved'>,
    statement: string,
  ): Promise<{ statementId: string }> {
    const entry = await this.reads.as(callerOfSubject(subject), (db) => entryAt(db, about));
    if (!entry) throw new LedgerError('NOT_FOUND');
    const statementId = randomUUID();
    const [id, type] = [`stated:${statementId}`, EVENT_TYPES.subjectStated];
    const stated = { statementId, about, ...more, statement, proved: subject.proved };
    const { data, row } = this.vault.separateTexts({ source: LEDGER_SOURCE, id, type }, stated, ['/statement']);
    await this.writer.append(entry.stream, { id, type, data }, { [VAULT_RIDER]: row });
    return { statementId };
  }

  private async record({ identificationId, entities }: ProvenSubject, route: string): Promise<void> {
    await this.writer.append(`reads/${SUBJECT_READER}`, {
      id: `read:${randomUUID()}`,
      type: EVENT_TYPES.readAudited,
      data: {
        reader: SUBJECT_READER,
        route,
        purpose: 'ownData',
        caseNo: identificationId,
        ...(entities[0] !== undefined && { entityId: entities[0] }),
      },
    });
  }

  private held(subject: ProvenSubject): Promise<Held> {
    const { entities, observations } = subject;
    return this.reads.as(callerOfSubject(subject), async (db) => {
      const [entries, listings] = await Promise.all([entriesOfSubject(db, entities), listingsOfSubject(db, entities)]);
      const own = new Set(observations);
      const sealed = entries.filter(({ position, type }) => own.has(position) || !OBSERVED.has(type));
      return { entries, listings, opened: await this.vault.open(db, sealed) };
    });
  }

  private async shown({ kind, entities, observations }: ProvenSubject, held: Held): Promise<object> {
    const { entries, listings, opened } = held;
    const own = new Set(observations);
    const revealed = new Map(
      entries
        .filter(({ position }) => opened.has(position) || own.has(position))
        .map(({ position, data }) => [position, putAll(data, opened.get(position) ?? [])]),
    );
    const inquiries = await this.inquiries(
      kind,
      [...own].map((position) => revealed.get(position)?.identity),
    );
    const names = await this.namesOf(held, inquiries);
    const named = (memberId: string): Named => ({ memberId, name: names.get(memberId) ?? memberId });
    return {
      entities,
      observations: entries
        .filter(({ type }) => OBSERVED.has(type))
        .map(({ position, id, type, source, acceptedAt, leafHash, data }) => {
          const identity = revealed.get(position)?.identity as Identity | undefined;
          return {
            position,
            id,
            type,
            from: named(memberOfSource(source) ?? source),
            acceptedAt,
            leafHash,
            // What somebody else's number stands in is taken to be about him: he is told that it is there.
            ...(own.has(position) && identity ? { identity: ownIdentity(identity) } : { kind: data.identity.kind }),
            ...(data.shops && { shops: data.shops }),
            ...(data.accounts && own.has(position) && { accounts: revealed.get(position)?.accounts }),
            corrections: entries
              .filter((entry) => entry.data.kind === 'correction' && entry.data.about === position)
              .map((entry) => {
                const { statementId, field, statement, evidence } = revealed.get(entry.position) ?? entry.data;
                return { statementId, field, statement: textOf(statement), evidence, statedAt: entry.acceptedAt };
              }),
          };
        }),
      listings: listings.map((listing) => this.listed(listing, entries, revealed, named)),
      inquiries: inquiries.map(({ member, ...inquiry }) => ({ from: named(member), ...inquiry })),
    };
  }

  private listed(
    listing: SubjectListing,
    entries: SubjectEntry[],
    // oxlint-disable-next-line typescript/no-explicit-any -- entries of every released version
    revealed: Map<number, any>,
    named: (memberId: string) => Named,
  ): object {
    const {
      listingId,
      position,
      caseId,
      publisher,
      origin,
      reason,
      tier,
      status,
      since,
      until,
      heldUntil,
      hold,
      cause,
    } = listing;
    const filing = entries.find((entry) => entry.position === position);
    const { proof, decidedAt, decidedBy, decisionNo, appealUrl } = filing?.data ?? {};
    const about = entries.filter(({ data }) => data.listingId === listingId);
    const of = (type: string): SubjectEntry[] => about.filter((entry) => entry.type === type);
    const [malice] = of(EVENT_TYPES.listingMalicious);
    // oxlint-disable-next-line typescript/no-explicit-any
    const open = (entry: SubjectEntry): any => revealed.get(entry.position) ?? entry.data;
    return {
      listingId,
      caseId,
      origin,
      status,
      publisher: named(publisher),
      reason: reasonOf(reason),
      tier,
      ...(proof?.standard && { standard: proof.standard }),
      ...((proof?.decisionNo ?? decisionNo) && { decisionNo: proof?.decisionNo ?? decisionNo }),
      evidence: proof?.evidence ?? [],
      decidedAt,
      decidedBy,
      since: toBeijingTime(since),
      until: toBeijingTime(until),
      ...(heldUntil && { heldUntil: toBeijingTime(heldUntil) }),
      ...(hold && { hold }),
      ...(cause !== undefined && { cause }),
      ...(appealUrl && { appealUrl }),
      recipients: of(EVENT_TYPES.noticeIssued).map(({ data, acceptedAt }) => ({
        ...named(data.member),
        action: data.action,
        toldAt: acceptedAt,
      })),
      statements: of(EVENT_TYPES.subjectStated).map((entry) => {
        const { statementId, kind, statement, evidence } = open(entry);
        return { statementId, kind, statement: textOf(statement), evidence, statedAt: entry.acceptedAt };
      }),
      appeals: appealsOf(about, open),
      ...(malice && {
        malicious: { foundAt: malice.acceptedAt, reasons: textOf(open(malice).reasons), liability: LIABILITY },
      }),
    };
  }

  /** Who asked about his number in the time for which inquiries are kept. */
  private async inquiries(kind: string, identities: (Identity | undefined)[]): Promise<Inquired[]> {
    const number = identities.map((identity) => identity?.[kind as 'uscc']).find((value) => typeof value === 'string');
    if (number === undefined) return [];
    const ids = await this.screenings.naming({ [kind]: number });
    return screeningsMade(this.door.pool, ids);
  }

  private namesOf({ entries, listings }: Held, inquiries: Inquired[]): Promise<Map<string, string>> {
    const members = [
      ...entries.map(({ source }) => memberOfSource(source)),
      ...entries.map(({ data }) => data.member as string | undefined),
      ...listings.map(({ publisher }) => publisher),
      ...inquiries.map(({ member }) => member),
    ].filter((memberId) => typeof memberId === 'string');
    return memberNames(this.door.pool, [...new Set(members)]);
  }
}

type Inquired = Awaited<ReturnType<typeof screeningsMade>>[number];

/** A text that was erased is a commitment still: nothing is left to show. */
export const textOf = (text: unknown): string | undefined => (typeof text === 'string' ? text : undefined);

// oxlint-disable-next-line typescript/no-explicit-any -- entries of every released version
function putAll(data: object, values: SealedValue[]): any {
  const copy = structuredClone(data) as Record<string, unknown>;
  for (const { pointer, value } of values) {
    const path = pointer.split('/').slice(1);
    const last = path.pop() as string;
    const at = path.reduce<Record<string, unknown> | undefined>(
      (into, key) => into?.[key] as Record<string, unknown>,
      copy,
    );
    if (at) at[last] = value;
  }
  return copy;
}

/** Each appeal with its deadline and what came of it. */
// oxlint-disable-next-line typescript/no-explicit-any -- entries of every released version
function appealsOf(about: SubjectEntry[], open: (entry: SubjectEntry) => any): object[] {
  const of = (type: string, appealId: string): SubjectEntry | undefined =>
    about.findLast((entry) => entry.type === type && entry.data.appealId === appealId);
  return about
    .filter(({ type }) => type === EVENT_TYPES.appealFiled)
    .map((filed) => {
      const { appealId, grounds, statement, evidence, proved } = open(filed);
      const deadline = of(EVENT_TYPES.appealDeadlineSet, appealId);
      const stayed = of(EVENT_TYPES.listingStayed, appealId);
      const decided = of(EVENT_TYPES.appealDecided, appealId);
      return {
        appealId,
        grounds,
        proved,
        statement: textOf(statement),
        evidence,
        filedAt: filed.acceptedAt,
        ...(deadline && { due: deadline.data.due }),
        ...(stayed && {
          stayedAt: stayed.acceptedAt,
          stayedBy: stayed.data.by,
          stayReasons: textOf(open(stayed).reasons),
        }),
        ...(decided && {
          decision: decided.data.decision,
          decidedAt: decided.acceptedAt,
          decidedBy: decided.data.decidedBy,
          by: decided.data.by,
          reasons: textOf(open(decided).reasons),
        }),
      };
    });
}
