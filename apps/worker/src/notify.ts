import {
  ERASED_NAME,
  EVENT_TYPES,
  memberOfSource,
  reasonCodes,
  toBeijingTime,
  type ListingOverridden,
  type NoticeIssued,
} from '@liandun/contracts';
import {
  decideEnded,
  decideListed,
  decideMoved,
  decideRenamed,
  inForce,
  mayCloseByItself,
  respondBy,
  type Hosting,
  type NoticeIntent,
  type Receiver,
} from '@liandun/domain';
import { EventLog, type NewEvent, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import {
  coverOf,
  endedUntold,
  foldRun,
  hostingsOf,
  lastSeqs,
  ledgerProjection,
  listedEntitiesReportedAt,
  listingsMovedAt,
  movedAccounts,
  movedListings,
  overriddenFilings,
  receivers,
  runsTogether,
  standingListings,
  toldOf,
  type EntityHosting,
  type LinkedListing,
} from '@liandun/views';
import type { ClientBase } from 'pg';
import { tellErased } from './erased.js';
import { outcomeEvent } from './outcome.js';

const VIEW = 'view';

/** Entries that carry an identity: reconcile links each to its entity. */
export const OBSERVATION_TYPES: readonly string[] = [
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
];
const CATCHING_UP = new Set<string>([EVENT_TYPES.memberAdmitted, EVENT_TYPES.memberResumed]);

const ENDING = new Set<string>(['reopen', 'lift', 'correct']);

/** Told of each notice that is about to be committed, and when what it follows from was accepted: for metrics. */
export type OnIssued = (notice: { action: string; acceptedAt: string }) => void;

/** A decided notice with the event that triggered it. */
interface Draft {
  intent: NoticeIntent;
  about: LinkedListing;
  trigger: StoredEvent;
  /** The entity whose other listings say whether the receiver's merchant is still listed; the listing's own unless told. */
  coveredAs?: string;
  /** The credit code under which the receiver was told, where it turned out to be another merchant's. */
  toldUscc?: string;
}

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

/** What says who is who. */
const REGROUPING = new Set<string>([
  EVENT_TYPES.entityLinked,
  EVENT_TYPES.entityMerged,
  EVENT_TYPES.entitySplit,
  EVENT_TYPES.reviewDecided,
  EVENT_TYPES.reviewUndone,
]);

/**
 * Takes back what was told on a link that is gone: an account that turns out to be another merchant is corrected, also
 * where it was only possible; a credit code that isn't the listed merchant's is lifted where admission was restricted.
 */
async function correct(client: ClientBase, run: StoredEvent[]): Promise<Draft[]> {
  if (!REGROUPING.has(run[0]?.type ?? '')) return [];
  const positions = run.map((event) => event.position);
  const [accounts, listings] = await Promise.all([movedAccounts(client, positions), movedListings(client, positions)]);
  if (accounts.length === 0 && listings.length === 0) return [];
  const listingIds = [...new Set([...accounts.map(({ listingId }) => listingId), ...listingIdsOf(listings)])];
  const [members, left, told] = await Promise.all([
    receivers(client),
    standingListings(client, { listingIds }),
    toldOf(client, listingIds),
  ]);
  const triggerAt = (position: number): StoredEvent | undefined => run.find((event) => event.position === position);
  const moved = accounts.flatMap((account): Draft[] => {
    const member = members.get(account.member);
    const about = left.find(({ listing }) => listing.listingId === account.listingId);
    const before = told.get(account.listingId)?.get(account.member);
    const trigger = triggerAt(account.position);
    if (!member || !about || !before || !trigger) return [];
    const intents = decideMoved(member, before, account.merchantId, account.shops);
    // What still covers it is what covers the merchant that it is now.
    return intents.map((intent) => ({ intent, about, trigger, coveredAs: account.entityId }));
  });
  const renamed = listings.flatMap((about) => {
    const trigger = triggerAt(about.movedAt);
    const { listingId } = about.listing;
    return [...(told.get(listingId)?.values() ?? [])].flatMap((before): Draft[] => {
      const member = members.get(before.memberId);
      if (!member || !trigger) return [];
      return decideRenamed(member, before, about.entity.uscc).map((intent) => ({
        intent,
        about,
        trigger,
        ...(before.uscc !== undefined && { toldUscc: before.uscc }),
      }));
    });
  });
  return [...moved, ...renamed];
}

async function decide(client: ClientBase, log: EventLog, run: StoredEvent[], corrected: Draft[]): Promise<Draft[]> {
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

const toldKey = ({ intent, about }: Draft): string => `${intent.memberId} ${about.listing.listingId}`;

/** Whoever was corrected hears what holds for it now: another account of its, or that it doesn't host the merchant. */
async function toldAnew(
  client: ClientBase,
  corrected: Draft[],
  trigger: StoredEvent,
  already: Draft[],
): Promise<Draft[]> {
  const wanted = new Set(corrected.map(toldKey));
  for (const draft of already) wanted.delete(toldKey(draft));
  const abouts = [...new Map(corrected.map(({ about }) => [about.listing.listingId, about])).values()].filter(
    ({ listing }) => inForce(listing, trigger.acceptedAt),
  );
  const members = new Set(corrected.map(({ intent }) => intent.memberId));
  const hosting = hostingsOf(client, entityIdsOf(abouts));
  const drafts = await listed(client, abouts, trigger, (memberId) => members.has(memberId), hosting);
  return drafts.filter((draft) => wanted.has(toldKey(draft)));
}

type AsTrigger = (about: LinkedListing & { endedAt: number }) => StoredEvent;

async function endings(
  client: ClientBase,
  ended: (LinkedListing & { endedAt: number })[],
  triggerOf: AsTrigger,
): Promise<Draft[]> {
  const [members, told] = await Promise.all([receivers(client), toldOf(client, listingIdsOf(ended))]);
  return ended.flatMap((about) =>
    [...(told.get(about.listing.listingId)?.values() ?? [])].flatMap((before) => {
      const member = members.get(before.memberId);
      if (!member) return [];
      return decideEnded(member, before, before.shops).map((intent) => ({ intent, about, trigger: triggerOf(about) }));
    }),
  );
}

/** One notice decision for each listing and member; `only` narrows the members. */
async function listed(
  client: ClientBase,
  listings: LinkedListing[],
  trigger: StoredEvent,
  only: (memberId: string, hosts: boolean) => boolean,
  hosting: EntityHosting[] | Promise<EntityHosting[]>,
): Promise<Draft[]> {
  const [members, told, hostings] = await Promise.all([
    receivers(client),
    toldOf(client, listingIdsOf(listings)),
    hosting,
  ]);
  return listings.flatMap((about) => {
    const accounts = Map.groupBy(
      hostings.filter((account) => account.entityId === about.listing.entityId),
      (account) => account.memberId,
    );
    return [...members.values()]
      .filter(({ memberId }) => only(memberId, accounts.has(memberId)))
      .flatMap((member: Receiver) =>
        decideListed(
          about.listing,
          member,
          surestPerAccount(accounts.get(member.memberId) ?? []).map((account) => gradedFor(account, about)),
          told.get(about.listing.listingId)?.get(member.memberId),
          trigger.position,
        ).map((intent) => ({ intent, about, trigger })),
      );
  });
}

/** An account that is linked to the entity and possibly the same as another of its accounts counts once, as linked. */
function surestPerAccount(hostings: EntityHosting[]): EntityHosting[] {
  const sure = new Set(hostings.filter(({ linked }) => linked).map(({ merchantId }) => merchantId));
  return hostings.filter(({ linked, merchantId }) => linked || !sure.has(merchantId));
}

/**
 * Why an account is taken for the listed merchant, and how surely: it and the listing's own observation agree exactly,
 * strongly or only possibly, however many weaker fields agree as well.
 */
function gradedFor({ linked, because, sameAs, strongAs, ...account }: EntityHosting, about: LinkedListing): Hosting {
  const reasons = linked ? [...because, ...about.because] : because;
  const fields = [...new Set(reasons.map(({ field }) => field))];
  const sure = sameAs === about.sameAs ? 'exact' : strongAs === about.strongAs ? 'strong' : 'possible';
  return { ...account, grade: linked ? sure : 'possible', because: fields };
}

const listingIdsOf = (listings: LinkedListing[]): string[] => listings.map(({ listing }) => listing.listingId);
const entityIdsOf = (listings: LinkedListing[]): string[] => [
  ...new Set(listings.map(({ listing }) => listing.entityId)),
];

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

const coveringEntity = ({ coveredAs, about }: Draft): string => coveredAs ?? about.listing.entityId;

/** How many notices each position has led to: their ids are made of both. */
type Numbers = Map<number, number>;

/** Appends the notices, numbered densely per member, and folds them so that the next decision knows of them. */
async function issue(client: ClientBase, log: EventLog, drafts: Draft[], numbers: Numbers): Promise<void> {
  if (drafts.length === 0) return;
  const at = drafts[0]?.trigger.acceptedAt ?? '';
  const [cover, seqs] = await Promise.all([
    coverOf(client, [...new Set(drafts.map(coveringEntity))], at),
    lastSeqs(client, [...new Set(drafts.map(({ intent }) => intent.memberId))]),
  ]);
  const events: NewEvent[] = [];
  for (const draft of drafts) {
    const { intent, about, trigger } = draft;
    const member = intent.memberId;
    const seq = (seqs.get(member) ?? -1) + 1;
    seqs.set(member, seq);
    const n = numbers.get(trigger.position) ?? 0;
    numbers.set(trigger.position, n + 1);
    const covering = cover.get(coveringEntity(draft)) ?? [];
    const own = covering.find(({ listingId }) => listingId === about.listing.listingId);
    const stillListed = covering.some((other) => other !== own && other.knownTo.has(member));
    // Those that follow in this batch see this one as told.
    if (ENDING.has(intent.action)) own?.knownTo.delete(member);
    else own?.knownTo.add(member);
    const id = `notify:${trigger.position}:${n}`;
    events.push(
      outcomeEvent(id, EVENT_TYPES.noticeIssued, {
        time: trigger.acceptedAt,
        stream: `notices/${member}`,
        data: noticeOf(draft, seq, stillListed),
      }),
    );
  }
  const [outcome] = await log.appendIn(client, [{ events }]);
  if (outcome?.status !== 'appended') throw new Error(`notices could not be appended: ${outcome?.status ?? 'none'}`);
  const issued = events.map((event, n) => ({ ...event, ...outcome.receipts[n] }) as unknown as StoredEvent);
  await foldRun(client, VIEW, issued);
}

const beijing = (time: string): string => toBeijingTime(new Date(time));

function noticeOf({ intent, about, trigger, toldUscc }: Draft, seq: number, stillListed: boolean): NoticeIssued {
  const { listing, entity } = about;
  const code = reasonCodes().codes.get(listing.code);
  if (!code) throw new Error(`the code table does not hold ${listing.code}`);
  const ending = ENDING.has(intent.action);
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
    reason: { code: code.code, labelZh: code.labelZh, labelEn: code.labelEn, legalBasis: code.legalBasis },
    tier: listing.tier,
    autoClosable: intent.grade === 'exact' && !ending && mayCloseByItself(listing, code.autoClosable),
    effectiveAt: beijing(ending ? trigger.acceptedAt : listing.effectiveAt),
    expiresAt: beijing(listing.expiresAt),
    respondBy: beijing(respondBy(listing.tier, trigger.acceptedAt)),
    ...(entity.kind !== 'organization' && entity.name === ERASED_NAME ? { erased: true } : {}),
  };
}
