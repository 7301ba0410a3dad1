import { EVENT_TYPES, memberOfSource } from '@liandun/contracts';
import { EventLog, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import { foldRun, ledgerProjection, runsTogether } from '@liandun/views';
import { tellErased } from './erased.js';
import { correct } from './notify/correct.js';
import { decide } from './notify/decide.js';
import { ENDING, VIEW } from './notify/draft.js';
import { issue, type Numbers } from './notify/issue.js';

/** Entries that carry an identity: reconcile links each to its entity. */
export const OBSERVATION_TYPES: readonly string[] = [
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
];

/** Told of each notice that is about to be committed, and when what it follows from was accepted: for metrics. */
export type OnIssued = (notice: { action: string; acceptedAt: string }) => void;

/**
 * The reader that tells members: it folds the log into the ledger's view and, at each event that makes a listing due,
 * ends it, or shows a listed merchant at another platform, appends the notices as outcomes. View, notices and
 * checkpoint commit together, so a crash repeats nothing.
 */
export const notifyReader = (log: EventLog, onIssued: OnIssued = () => undefined): ReaderDefinition => ({
  name: 'notify',
  batchMax: 500,
  // Who they are is decided a few milliseconds later.
  lingerOn: OBSERVATION_TYPES,
  keysOf: partitionKeys,
  async handle(client, events) {
    const numbers: Numbers = new Map();
    for (const run of runsTogether(events)) {
      await foldRun(client, VIEW, run);
      if (run[0]?.type === EVENT_TYPES.subjectErased) await tellErased(client, log, run);
      const corrected = await correct(client, run);
      // What was wrong is taken back first: what is right now is decided with that known.
      await issue(client, log, corrected, numbers);
      const drafts = [...corrected, ...(await decide(client, log, run, corrected))];
      await issue(client, log, drafts.slice(corrected.length), numbers);
      for (const { intent, about, trigger } of drafts) {
        const ending = ENDING.has(intent.action);
        onIssued({ action: intent.action, acceptedAt: ending ? trigger.acceptedAt : about.listing.effectiveAt });
      }
    }
    await ledgerProjection.index(client, VIEW, events);
  },
});

/** Events of one member's merchant wait behind each other; notices and membership by member. */
export function partitionKeys(event: StoredEvent): string[] {
  const data = event.data as { merchantId?: string; noticeId?: string; memberId?: string; entityId?: string };
  if (data.noticeId !== undefined) return [`notice:${data.noticeId}`];
  const member = memberOfSource(event.source) ?? data.memberId;
  if (member !== undefined) return [`${member}/${data.merchantId ?? event.stream}`];
  return data.entityId === undefined ? [] : [`entity:${data.entityId}`];
}
