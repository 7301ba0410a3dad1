import { EVENT_TYPES, memberOfSource } from '@liandun/contracts';
import { EventLog, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import { foldRun, ledgerProjection, runsTogether } from '@liandun/views';
import { tellErased } from './erased.js';
import { correct, toldAnew } from './notify/correct.js';
import { ENDING, VIEW } from './notify/draft.js';
import { issue } from './notify/issue.js';
import { restore } from './notify/restore.js';

/** Entries that carry an identity: reconcile links each to its entity. */
export const OBSERVATION_TYPES: readonly string[] = [
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
];

/** Every type but notices, of which nothing follows: whoever issues one folds and indexes it. They are most of the log. */
export const ALL_BUT_NOTICES: readonly string[] = Object.values(EVENT_TYPES).filter(
  (type) => type !== EVENT_TYPES.noticeIssued,
);

/** Told of each notice that is about to be committed, and when what it follows from was accepted: for metrics. */
export type OnIssued = (notice: { action: string; acceptedAt: string }) => void;

/**
 * The reader that folds the log into the ledger's view and takes back: at each event that ends a listing or shows that it isn't about
 * whom it was told of, it appends the notices as outcomes. View, notices and checkpoint commit together, so a crash repeats
 * nothing. Whom a listing is to be told of, the reader `delist` decides behind it, so that what takes back waits for no delisting.
 */
export const notifyReader = (log: EventLog, onIssued: OnIssued = () => undefined): ReaderDefinition => ({
  name: 'notify',
  batchMax: 500,
  types: ALL_BUT_NOTICES,
  // Who they are is decided a few milliseconds later.
  lingerOn: OBSERVATION_TYPES,
  keysOf: partitionKeys,
  async handle(client, events) {
    for (const run of runsTogether(events)) {
      await foldRun(client, VIEW, run);
      if (run[0]?.type === EVENT_TYPES.subjectErased) await tellErased(client, log, run);
      const corrected = await correct(client, run);
      // What was wrong is taken back first: what is right now is decided with that known.
      await issue(client, log, corrected, 'notify');
      const back = await restore(client, log, run);
      const anew = await toldAnew(client, corrected, run.at(-1) as StoredEvent);
      await issue(client, log, [...back, ...anew], 'notify');
      for (const { intent, about, trigger } of [...corrected, ...back, ...anew]) {
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
