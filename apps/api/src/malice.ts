import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  LedgerError,
  MALICE_TEXTS,
  MaliceFinding,
  memberOfSource,
  toBeijingTime,
  validateBody,
  type AppealDecided,
  type ListingMalicious,
} from '@liandun/contracts';
import { maliceRefusal, type Decider } from '@liandun/domain';
import { EventLog, type ReadingCaller, type StoredEvent } from '@liandun/event-log';
import { Vault, VAULT_RIDER } from '@liandun/vault';
import { listingById } from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { LedgerWriter } from './ledger-writer.js';
import { ProblemError } from './problems.js';
import { Reads } from './reads.js';

/** What a publisher owes where its notice was wrong; written for notices of intellectual property, so counsel must confirm it. */
export const LIABILITY = {
  en: 'Whoever causes a merchant a loss by a wrong notice answers for it; a malicious one doubles the damages',
  zh: '错误通知造成损害的，依法承担民事责任；恶意发出错误通知的，加倍承担赔偿责任',
  law: '电子商务法 第42条; 个人信息保护法 第69条',
};

/** The person who ended a listing, at a member. */
function deciderOf({ source, data }: StoredEvent): Decider {
  const { by, decidedBy } = data as Partial<AppealDecided>;
  return { member: by ?? memberOfSource(source) ?? '', decidedBy: decidedBy ?? '' };
}

/** That a wrong listing was filed in bad faith is found by a regulator's person who didn't end it (rule P19). */
@Injectable()
export class Malice {
  constructor(
    private readonly log: EventLog,
    private readonly writer: LedgerWriter,
    private readonly vault: Vault,
    private readonly reads: Reads,
  ) {}

  /**
   * Finds it, once for each listing. Throws LedgerError: NOT_FOUND, APPEAL_TO_AUTHORITY, LISTING_NOT_WRONG, FINDER_IS_DECIDER,
   * MALICE_FOUND.
   */
  async find(caller: ReadingCaller, listingId: string, raw: unknown): Promise<object> {
    const listing = listingId.includes('\0')
      ? undefined
      : await this.reads.as(caller, (db) => listingById(db, listingId));
    const filing = listing && (await this.log.at(listing.position));
    if (!listing || !filing) throw new LedgerError('NOT_FOUND');
    const body = validateBody(MaliceFinding, raw);
    if ('problem' in body) throw new ProblemError(body.problem);
    const { caseNo, foundBy, reasons } = body.value;
    if (listing.origin === 'registry') throw new LedgerError('APPEAL_TO_AUTHORITY');
    const { publisher, cause, endedAt, caseId } = listing;
    const ending = endedAt === undefined ? undefined : await this.log.at(endedAt);
    const refusal = maliceRefusal(
      { publisher, ...(cause !== undefined && { cause }), ...(ending && { endedBy: deciderOf(ending) }) },
      { member: caller.memberId, decidedBy: foundBy },
    );
    if (refusal) throw new LedgerError(refusal);
    const foundAt = toBeijingTime(this.writer.now());
    const by = caller.memberId;
    const found: ListingMalicious = { listingId, caseId, memberId: publisher, caseNo, reasons, foundBy, by, foundAt };
    const fact = { id: `malice:${listingId}`, type: EVENT_TYPES.listingMalicious };
    const { data, row } = this.vault.separateTexts({ source: LEDGER_SOURCE, ...fact }, found, MALICE_TEXTS);
    const { status } = await this.writer.append(filing.stream, { ...fact, data }, row && { [VAULT_RIDER]: row });
    if (status !== 'appended') throw new LedgerError('MALICE_FOUND');
    return { listingId, foundAt, liability: LIABILITY };
  }
}
