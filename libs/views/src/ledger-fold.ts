// The ledger's fold: which entries change what, and in which runs.
import { EVENT_TYPES, type EventType } from '@liandun/contracts';
import type { Projection, StoredEvent } from '@liandun/event-log';
import type { ClientBase } from 'pg';
import { fileAppeal, setAppealDeadline, stay, decideAppeal } from './fold/appeals.js';
import { indexForAudit } from './fold/audit.js';
import { forget } from './fold/erasures.js';
import { flood, decideFlood } from './fold/floods.js';
import {
  reinstate,
  withdraw,
  hear,
  endListing,
  setDeadline,
  release,
  expire,
  findMalicious,
  notifySubject,
  remindToTell,
} from './fold/life.js';
import { list, delist } from './fold/listings.js';
import { admit, setStatus, judgePublisher, subscribe, agree } from './fold/members.js';
import { dispose, redact, tell } from './fold/notices.js';
import { observe, link, regroup } from './fold/observations.js';
import { reviewed, reviewUndone } from './fold/reviews.js';
import type { FoldRun } from './fold/run.js';
import { ledgerViewDdl } from './ledger-ddl.js';

const FOLDS: Partial<Record<string, FoldRun>> = {
  [EVENT_TYPES.merchantReported]: observe,
  [EVENT_TYPES.merchantDelisted]: delist,
  [EVENT_TYPES.riskEntityReported]: list,
  [EVENT_TYPES.registryListed]: list,
  [EVENT_TYPES.registryRemoved]: observe,
  [EVENT_TYPES.merchantReinstated]: reinstate,
  [EVENT_TYPES.riskEntityWithdrawn]: withdraw,
  [EVENT_TYPES.caseHeard]: hear,
  [EVENT_TYPES.caseNotified]: notifySubject,
  [EVENT_TYPES.caseReminder]: remindToTell,
  [EVENT_TYPES.listingEnded]: endListing,
  [EVENT_TYPES.listingExpired]: expire,
  [EVENT_TYPES.publisherLowered]: judgePublisher(true),
  [EVENT_TYPES.publisherRestored]: judgePublisher(false),
  [EVENT_TYPES.caseHeld]: flood,
  [EVENT_TYPES.floodDecided]: decideFlood,
  [EVENT_TYPES.caseDeadlineSet]: setDeadline,
  [EVENT_TYPES.caseReleased]: release,
  [EVENT_TYPES.appealFiled]: fileAppeal,
  [EVENT_TYPES.appealDeadlineSet]: setAppealDeadline,
  [EVENT_TYPES.listingStayed]: stay,
  [EVENT_TYPES.appealDecided]: decideAppeal,
  [EVENT_TYPES.listingMalicious]: findMalicious,
  [EVENT_TYPES.noticeDisposed]: dispose,
  [EVENT_TYPES.entityLinked]: link,
  [EVENT_TYPES.entityMerged]: regroup,
  [EVENT_TYPES.entitySplit]: regroup,
  [EVENT_TYPES.reviewDecided]: reviewed,
  [EVENT_TYPES.reviewUndone]: reviewUndone,
  [EVENT_TYPES.noticeIssued]: tell,
  [EVENT_TYPES.noticeErased]: redact,
  [EVENT_TYPES.memberAdmitted]: admit,
  [EVENT_TYPES.memberSuspended]: setStatus('suspended'),
  [EVENT_TYPES.memberResumed]: setStatus('active'),
  [EVENT_TYPES.memberRemoved]: setStatus('removed'),
  [EVENT_TYPES.memberSubscriptionChanged]: subscribe,
  [EVENT_TYPES.memberAgreementChanged]: agree,
  [EVENT_TYPES.subjectErased]: forget,
} satisfies Partial<Record<EventType, FoldRun>>;

/** Consecutive events of one type, so that each run is one bulk write. */
export function* runsByType(events: StoredEvent[]): Generator<StoredEvent[]> {
  let run: StoredEvent[] = [];
  for (const event of events) {
    if (run.length > 0 && run[0]?.type !== event.type) {
      yield run;
      run = [];
    }
    run.push(event);
  }
  if (run.length > 0) yield run;
}

/** Types whose order among each other changes nothing in the end, in the order in which they are folded together. */
const COMMUTING = [
  EVENT_TYPES.caseHeld,
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
  EVENT_TYPES.entityLinked,
  EVENT_TYPES.noticeIssued,
  EVENT_TYPES.noticeDisposed,
] as const;

const COMMUTE = new Set<string>(COMMUTING);

/** What the clock appends many of at once: one after the other of a type is one run. */
const BY_THE_CLOCK = new Set<string>([
  EVENT_TYPES.caseDeadlineSet,
  EVENT_TYPES.caseReleased,
  EVENT_TYPES.listingExpired,
  EVENT_TYPES.listingStayed,
]);

/**
 * A batch as few runs of one type. What was observed, linked, told and answered commutes and is brought together; all
 * that ends a listing or changes a member stands between, in its place. Types that nothing is folded from are left out.
 */
export function* runsTogether(events: StoredEvent[]): Generator<StoredEvent[]> {
  let together: StoredEvent[] = [];
  let kind: string | number | undefined;
  const flush = (): StoredEvent[][] => {
    const byType = Map.groupBy(together, (event) => event.type);
    together = [];
    return byType.size < 2
      ? [...byType.values()]
      : COMMUTING.flatMap((type) => (byType.has(type) ? [byType.get(type) as StoredEvent[]] : []));
  };
  for (const event of events) {
    const { type, position } = event;
    if (!FOLDS[type]) continue;
    const next = COMMUTE.has(type) ? 'commuting' : BY_THE_CLOCK.has(type) ? type : position;
    if (next !== kind) yield* flush();
    kind = next;
    together.push(event);
  }
  yield* flush();
}

/** Folds one run of events of the same type, without the audit's index. */
export async function foldRun(client: ClientBase, schema: string, run: StoredEvent[]): Promise<void> {
  const fold = FOLDS[run[0]?.type ?? ''];
  if (fold) await fold(client, schema, run);
}

/** Everything that the ledger's readers know, folded from the log alone: no matcher, no vault (invariant I5). */
export const ledgerProjection: Projection & {
  index(client: ClientBase, schema: string, events: StoredEvent[]): Promise<void>;
} = {
  name: 'view',
  ddl: ledgerViewDdl,
  // The notify reader folds its notices, and what it says of them, when it appends them.
  ahead: [EVENT_TYPES.noticeIssued, EVENT_TYPES.noticeErased],
  async apply(client, schema, events) {
    for (const run of runsByType(events)) await foldRun(client, schema, run);
    await indexForAudit(client, schema, events);
  },
  index: indexForAudit,
};
