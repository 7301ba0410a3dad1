// Numbers decided notices, appends them and folds them.
import { ERASED_NAME, EVENT_TYPES, NOTICE_STATUSES, toBeijingTime, type NoticeIssued } from '@liandun/contracts';
import { mayCloseByItself, respondBy } from '@liandun/domain';
import { EventLog, type NewEvent, type StoredEvent } from '@liandun/event-log';
import { coverOf, foldIssued, lastSeqs } from '@liandun/views';
import type { ClientBase } from 'pg';
import { outcomeEvent } from '../outcome.js';
import { ENDING, VIEW, type Draft } from './draft.js';

/** So many notices go to PostgreSQL together. */
const STORED_AT_ONCE = 1_000;

const coveringEntity = ({ coveredAs, about }: Draft): string => coveredAs ?? about.listing.entityId;

/**
 * Appends the notices, numbered densely per member, and folds them in the same transaction, so that the next decision knows of them
 * and a crash repeats none. Its transaction must hold the fold: then nobody else numbers notices.
 */
export async function issue(
  client: ClientBase,
  log: EventLog,
  drafts: Draft[],
  reader: 'notify' | 'delist',
): Promise<void> {
  if (drafts.length === 0) return;
  const at = drafts[0]?.trigger.acceptedAt ?? '';
  const [cover, seqs] = await Promise.all([
    coverOf(client, [...new Set(drafts.map(coveringEntity))], at),
    lastSeqs(client, [...new Set(drafts.map(({ intent }) => intent.memberId))]),
  ]);
  const number = (draft: Draft): NewEvent => {
    const { intent, about, trigger } = draft;
    const member = intent.memberId;
    const seq = (seqs.get(member) ?? -1) + 1;
    seqs.set(member, seq);
    const covering = cover.get(coveringEntity(draft)) ?? [];
    const own = covering.find(({ listingId }) => listingId === about.listing.listingId);
    const stillListed = covering.some((other) => other !== own && other.knownTo.has(member));
    // Those that follow in this batch see this one as told.
    if (ENDING.has(intent.action)) own?.knownTo.delete(member);
    else own?.knownTo.add(member);
    const data = noticeOf(draft, seq, stillListed);
    const id = `${reader}:${trigger.position}:${data.noticeId}`;
    const stream = `notices/${member}`;
    return outcomeEvent(id, EVENT_TYPES.noticeIssued, { time: trigger.acceptedAt, stream, data });
  };
  // While PostgreSQL stores some, the next are made.
  const storing: Promise<void>[] = [];
  for (let from = 0; from < drafts.length; from += STORED_AT_ONCE) {
    storing.push(store(client, log, drafts.slice(from, from + STORED_AT_ONCE).map(number)));
  }
  await Promise.all(storing);
}

async function store(client: ClientBase, log: EventLog, events: NewEvent[]): Promise<void> {
  const [outcome] = await log.appendIn(client, [{ events }]);
  if (outcome?.status !== 'appended') throw new Error(`notices could not be appended: ${outcome?.status ?? 'none'}`);
  const issued = events.map((event, n) => ({ ...event, ...outcome.receipts[n] }) as unknown as StoredEvent);
  await foldIssued(client, VIEW, issued);
}

const beijing = (time: string): string => toBeijingTime(new Date(time));

function noticeOf({ intent, about, trigger, toldUscc }: Draft, seq: number, stillListed: boolean): NoticeIssued {
  const { listing, entity, reason, codesVersion } = about;
  const ending = ENDING.has(intent.action);
  const status = NOTICE_STATUSES.find((named) => named === listing.status);
  return {
    member: intent.memberId,
    noticeId: `${intent.memberId}.${seq}`,
    seq,
    action: intent.action,
    listingId: listing.listingId,
    stillListed,
    entity: toldUscc === undefined ? entity : { ...entity, uscc: toldUscc },
    merchantIds: intent.merchantIds,
    shops: intent.shops,
    match: { grade: intent.grade, because: intent.because },
    reason: {
      code: reason.code,
      labelZh: reason.labelZh,
      labelEn: reason.labelEn,
      legalBasis: reason.legalBasis,
      version: codesVersion,
    },
    tier: listing.tier,
    autoClosable:
      intent.grade === 'exact' && !ending && intent.action !== 'mark' && mayCloseByItself(listing, reason.autoClosable),
    effectiveAt: beijing(ending ? trigger.acceptedAt : listing.effectiveAt),
    expiresAt: beijing(listing.expiresAt),
    respondBy: beijing(respondBy(listing.tier, trigger.acceptedAt)),
    ...(listing.victim && { victimProtected: true }),
    ...(entity.kind !== 'organization' && entity.name === ERASED_NAME ? { erased: true } : {}),
    ...(status && { status }),
  };
}
