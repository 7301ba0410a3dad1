// Which notices a run of events of one type leads to.
import { EVENT_TYPES, type ListingOverridden } from '@liandun/contracts';
import { inForce } from '@liandun/domain';
import { EventLog, type NewEvent, type StoredEvent } from '@liandun/event-log';
import {
  endedUntold,
  hostingsOf,
  listedEntitiesReportedAt,
  listingsMovedAt,
  movedListings,
  overriddenFilings,
  standingListings,
  type LinkedListing,
} from '@liandun/views';
import type { ClientBase } from 'pg';
import { outcomeEvent } from '../outcome.js';
import { REGROUPING, toldAnew } from './correct.js';
import { entityIdsOf, type Draft } from './draft.js';
import { endings, listed } from './listed.js';

const CATCHING_UP = new Set<string>([
  EVENT_TYPES.memberAdmitted,
  EVENT_TYPES.memberResumed,
  EVENT_TYPES.memberAgreementChanged,
]);

/** One notice for each member and each listing that the run made due, ended or showed at another platform. */
export async function decide(
  client: ClientBase,
  log: EventLog,
  run: StoredEvent[],
  corrected: Draft[],
): Promise<Draft[]> {
  const first = run[0];
  if (!first || first.type === EVENT_TYPES.noticeIssued || first.type === EVENT_TYPES.merchantReported) return [];
  if (CATCHING_UP.has(first.type)) return catchUp(client, run);
  const positions = run.map((event) => event.position);
  const triggerAt = (position: number | undefined): StoredEvent =>
    run.find((event) => event.position === position) ?? first;
  const regrouping = REGROUPING.has(first.type);
  const [{ due, ended }, shown, moved] = await Promise.all([
    listingsMovedAt(client, positions),
    regrouping ? listedEntitiesReportedAt(client, positions) : [],
    regrouping ? movedListings(client, positions) : [],
  ]);
  const drafts: Draft[] = [];
  if (ended.length > 0) drafts.push(...(await endings(client, ended, (about) => triggerAt(about.endedAt))));
  if (ended.length > 0 && first.type === EVENT_TYPES.entityLinked) await override(client, log, ended, triggerAt);
  const trigger = run.at(-1) ?? first;
  const now = [
    ...due,
    ...moved.filter(({ listing }) => !due.some((other) => other.listing.listingId === listing.listingId)),
  ];
  if (now.length > 0) drafts.push(...(await fanOut(client, now, trigger)));
  if (shown.length > 0) drafts.push(...(await reportedLater(client, run, shown, now)));
  const again = corrected.filter(
    ({ about }) => !now.some(({ listing }) => listing.listingId === about.listing.listingId),
  );
  return again.length === 0 ? drafts : [...drafts, ...(await toldAnew(client, again, trigger, drafts))];
}

/** An official removal that ended platforms' filings is put where those platforms' further steps see it (rule P12). */
async function override(
  client: ClientBase,
  log: EventLog,
  ended: (LinkedListing & { endedAt: number })[],
  triggerAt: (position: number) => StoredEvent,
): Promise<void> {
  const removals = new Map(ended.map(({ listing, endedAt }) => [listing.listingId, endedAt]));
  const events = (await overriddenFilings(client, [...removals.keys()])).map(
    ({ listingId, caseId, stream, decision }): NewEvent => {
      const trigger = triggerAt(removals.get(listingId) as number);
      const data: ListingOverridden = {
        listingId,
        caseId,
        ...(decision !== undefined && { decisionNo: decision }),
        cause: 'removed',
        removal: (trigger.data as { observation: number }).observation,
      };
      const id = `notify:overridden:${listingId}`;
      return outcomeEvent(id, EVENT_TYPES.listingOverridden, {
        time: trigger.acceptedAt,
        stream: decision === undefined ? stream : `decision/${decision}`,
        data,
      });
    },
  );
  if (events.length > 0) await log.appendIn(client, [{ events }]);
}

async function fanOut(client: ClientBase, due: LinkedListing[], trigger: StoredEvent): Promise<Draft[]> {
  const standing = due.filter(({ listing }) => inForce(listing, trigger.acceptedAt));
  return listed(client, standing, trigger, () => true, hostingsOf(client, entityIdsOf(standing)));
}

/** A merchant reported after the listing gets its platform the notice now; listings that are due now are not repeated. */
async function reportedLater(
  client: ClientBase,
  run: StoredEvent[],
  entityIds: string[],
  due: LinkedListing[],
): Promise<Draft[]> {
  const positions = run.map((event) => event.position);
  const now = new Set(due.map(({ listing }) => listing.listingId));
  const trigger = run.at(-1);
  if (!trigger) return [];
  const standing = (await standingListings(client, { entityIds })).filter(
    ({ listing }) => !now.has(listing.listingId) && inForce(listing, trigger.acceptedAt),
  );
  return listed(client, standing, trigger, (_memberId, hosts) => hosts, hostingsOf(client, entityIds, positions));
}

/** A member that joins gets what stands (of organizations); one that comes back also what ended meanwhile. */
async function catchUp(client: ClientBase, run: StoredEvent[]): Promise<Draft[]> {
  const standing = await standingListings(client);
  const hostings = await hostingsOf(client, entityIdsOf(standing));
  const drafts: Draft[] = [];
  for (const trigger of run) {
    const { memberId } = trigger.data as { memberId: string };
    const ended = (await endedUntold(client, memberId)).map((about) => ({ ...about, endedAt: trigger.position }));
    const back = await endings(client, ended, () => trigger);
    drafts.push(...back.filter(({ intent }) => intent.memberId === memberId));
    const inForceNow = standing.filter(({ listing }) => inForce(listing, trigger.acceptedAt));
    drafts.push(...(await listed(client, inForceNow, trigger, (id) => id === memberId, hostings)));
  }
  return drafts;
}
