// What is told of delistings: behind the fold, by what is folded, in small transactions.
import { EVENT_TYPES } from '@liandun/contracts';
import { inForce } from '@liandun/domain';
import { EventLog, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import { pause } from '@liandun/sdk';
import {
  foldedUpTo,
  foldLag,
  holdFold,
  hostingsOf,
  listedEntitiesReportedAt,
  listingIdsAt,
  receivers,
  standingListings,
} from '@liandun/views';
import type { ClientBase, PoolClient } from 'pg';
import { partitionKeys, type OnIssued } from '../notify.js';
import { CATCHING_UP, entityIdsOf, listingIdsOf } from './draft.js';
import { issue } from './issue.js';
import { listed } from './listed.js';

/** About so many notices are issued in one transaction: what takes back waits behind no more than one of these. */
const NOTICES_AT_ONCE = 1_000;
/** It tells nobody while the fold has more entries than this before it: a reinstatement may be among them. */
const FOLD_LAG_MAX = 1_000;
const LOOKED_EVERY_MS = 10;
const BATCH_MAX = 500;

/** Of these types nothing is told: what was observed is told of once it is linked, what takes back by whoever folds it. */
const NOTHING_TOLD_OF = new Set<string>([
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
  EVENT_TYPES.merchantReinstated,
  EVENT_TYPES.riskEntityWithdrawn,
  EVENT_TYPES.listingEnded,
  EVENT_TYPES.listingExpired,
  EVENT_TYPES.noticeIssued,
  EVENT_TYPES.noticeErased,
  EVENT_TYPES.noticeDisposed,
  EVENT_TYPES.noticeReminder,
  EVENT_TYPES.caseNotified,
  EVENT_TYPES.caseReminder,
  EVENT_TYPES.alarmRaised,
]);

/** What delistings wait for: that what may take back is folded, or that Kafka has what was told. */
export type DelistPause = 'fold' | 'unsent';

export interface DelistParts {
  /** How many notices wait for Kafka; nobody is told more while they are too many. */
  unsent?: { count: () => Promise<number>; max: number };
  /** Resolves when this process has folded so far; a hint that saves waiting. */
  folded?: (position: number) => Promise<void>;
  onIssued?: OnIssued;
  /** Why it waits, or undefined when it goes on. */
  onPause?: (why: DelistPause | undefined) => void;
}

/**
 * The reader that tells members of delistings. It goes through the log behind the fold and brings what members were told of the
 * listings, accounts and members that a stretch of the log touched to what is folded by then, holding the fold meanwhile: what
 * has ended is not told at all any more, and an ending that is folded later finds who was told. Doing a stretch twice tells nobody
 * twice.
 */
export const delistReader = (log: EventLog, parts: DelistParts = {}): ReaderDefinition => ({
  name: 'delist',
  batchMax: BATCH_MAX,
  types: Object.values(EVENT_TYPES).filter((type) => !NOTHING_TOLD_OF.has(type)),
  keysOf: partitionKeys,
  ownTransactions: true,
  join: (client, events, signal) => tellAtOnce(client, log, parts, events, signal),
  async handle(client, events, signal) {
    const last = events.at(-1);
    if (!last) return;
    await foldReaches(client, last.position, parts, signal);
    const tell = new Telling(client, log, parts, last, signal);
    const positions = events.map(({ position }) => position);
    const moved = await listingIdsAt(client, positions);
    // Everybody hears of a listing that is due, or of whom more is known.
    await tell.inParts(moved, () => true);
    const shown = await listedEntitiesReportedAt(client, positions);
    // A merchant reported after the listing gets its platform the notice now.
    const others = shown.length === 0 ? [] : listingIdsOf(await standingListings(client, { entityIds: shown }));
    await tell.inParts(
      others.filter((id) => !moved.includes(id)),
      (_memberId, hosts) => hosts,
      positions,
    );
    for (const trigger of events.filter(({ type }) => CATCHING_UP.has(type))) {
      const { memberId } = trigger.data as { memberId: string };
      await new Telling(client, log, parts, trigger, signal).inParts(
        listingIdsOf(await standingListings(client)),
        (id) => id === memberId,
      );
    }
  },
});

/**
 * Tells of a few listings in the transaction that has just folded what they follow from, which holds the fold. Not where that would be
 * more than one transaction's notices, where Kafka has enough before it, or where a member is to hear of everything.
 */
async function tellAtOnce(
  client: PoolClient,
  log: EventLog,
  parts: DelistParts,
  events: StoredEvent[],
  signal: AbortSignal,
): Promise<boolean> {
  const last = events.at(-1);
  if (!last || events.some(({ type }) => CATCHING_UP.has(type))) return false;
  const positions = events.map(({ position }) => position);
  const { unsent } = parts;
  const [folded, moved, shown, members, waiting] = await Promise.all([
    foldedUpTo(client),
    listingIdsAt(client, positions),
    listedEntitiesReportedAt(client, positions),
    receivers(client),
    unsent?.count() ?? 0,
  ]);
  if (folded < last.position || (unsent && waiting >= unsent.max)) return false;
  const others =
    shown.length === 0
      ? []
      : listingIdsOf(await standingListings(client, { entityIds: shown })).filter((id) => !moved.includes(id));
  if ((moved.length + others.length) * members.size > NOTICES_AT_ONCE) return false;
  const telling = new Telling(client, log, parts, last, signal);
  await telling.within(moved, () => true);
  await telling.within(others, (_memberId, hosts) => hosts, positions);
  return true;
}

/** The view is never asked about what it doesn't hold yet. */
async function foldReaches(
  client: ClientBase,
  position: number,
  { folded }: DelistParts,
  signal: AbortSignal,
): Promise<void> {
  while ((await foldedUpTo(client)) < position) {
    signal.throwIfAborted();
    const looked = pause(LOOKED_EVERY_MS, signal);
    await (folded ? Promise.race([folded(position), looked]) : looked);
  }
}

/** Whether a member is told, by whether it hosts the merchant. */
type Only = (memberId: string, hosts: boolean) => boolean;

class Telling {
  constructor(
    private readonly client: PoolClient,
    private readonly log: EventLog,
    private readonly parts: DelistParts,
    private readonly trigger: StoredEvent,
    private readonly signal: AbortSignal,
  ) {}

  /** Tells of listings, some at a time; `linkedAt` narrows the accounts. */
  async inParts(listingIds: string[], only: Only, linkedAt?: number[]): Promise<void> {
    if (listingIds.length === 0) return;
    const members = (await receivers(this.client)).size;
    const atOnce = Math.max(1, Math.floor(NOTICES_AT_ONCE / Math.max(1, members)));
    for (let from = 0; from < listingIds.length; from += atOnce) {
      await this.#mayGoOn();
      await this.#some(listingIds.slice(from, from + atOnce), only, linkedAt);
    }
  }

  async #some(listingIds: string[], only: Only, linkedAt: number[] | undefined): Promise<void> {
    const { client } = this;
    await client.query('begin');
    try {
      await holdFold(client);
      await this.within(listingIds, only, linkedAt);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  }

  /** Tells of listings in the transaction that is open and holds the fold. */
  async within(listingIds: string[], only: Only, linkedAt?: number[]): Promise<void> {
    if (listingIds.length === 0) return;
    const { client, log, trigger, parts } = this;
    const standing = (await standingListings(client, { listingIds })).filter(({ listing }) =>
      inForce(listing, trigger.acceptedAt),
    );
    const drafts = await listed(client, standing, trigger, only, hostingsOf(client, entityIdsOf(standing), linkedAt));
    await issue(client, log, drafts, 'delist');
    for (const { intent, about } of drafts) {
      parts.onIssued?.({ action: intent.action, acceptedAt: about.listing.effectiveAt });
    }
  }

  /** Waits while Kafka or the fold has enough before it. */
  async #mayGoOn(): Promise<void> {
    for (let why = await this.#waitsFor(); ; why = await this.#waitsFor()) {
      this.parts.onPause?.(why);
      if (why === undefined) return;
      await pause(LOOKED_EVERY_MS, this.signal);
      this.signal.throwIfAborted();
    }
  }

  async #waitsFor(): Promise<DelistPause | undefined> {
    const { unsent } = this.parts;
    if ((await foldLag(this.client, FOLD_LAG_MAX + 1)) > FOLD_LAG_MAX) return 'fold';
    return unsent && (await unsent.count()) >= unsent.max ? 'unsent' : undefined;
  }
}
