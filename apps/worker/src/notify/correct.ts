// What is taken back, and told anew, where it turns out who somebody is.
import { EVENT_TYPES } from '@liandun/contracts';
import { decideMoved, decideRenamed, inForce } from '@liandun/domain';
import type { StoredEvent } from '@liandun/event-log';
import {
  hostingsOf,
  movedAccounts,
  movedListings,
  receivers,
  renamedUntold,
  standingListings,
  toldOf,
  type LinkedListing,
  type MovedAccount,
} from '@liandun/views';
import type { ClientBase } from 'pg';
import { CATCHING_UP, entityIdsOf, listingIdsOf, type Draft } from './draft.js';
import { listed } from './listed.js';

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
export async function correct(client: ClientBase, run: StoredEvent[]): Promise<Draft[]> {
  const type = run[0]?.type ?? '';
  if (!REGROUPING.has(type) && !CATCHING_UP.has(type)) return [];
  const positions = run.map((event) => event.position);
  const [accounts, listings]: [MovedAccount[], MovedListing[]] = CATCHING_UP.has(type)
    ? await missed(client, run)
    : await Promise.all([movedAccounts(client, positions), movedListings(client, positions)]);
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
    const intents = decideMoved(member, before, account, about.listing, trigger);
    // What still covers it is what covers the merchant that it is now.
    return intents.map((intent) => ({ intent, about, trigger, coveredAs: account.entityId }));
  });
  const renamed = listings.flatMap((about) => {
    const trigger = triggerAt(about.movedAt);
    const { listingId } = about.listing;
    return [...(told.get(listingId)?.values() ?? [])].flatMap((before): Draft[] => {
      const member = members.get(before.memberId);
      if (!member || !trigger || (about.only ?? member.memberId) !== member.memberId) return [];
      return decideRenamed(member, before, about.entity.uscc, about.listing, trigger).map((intent) => ({
        intent,
        about,
        trigger,
        ...(before.uscc !== undefined && { toldUscc: before.uscc }),
      }));
    });
  });
  return [...moved, ...renamed];
}

/** `only`: the one member that has yet to hear of it. */
type MovedListing = LinkedListing & { movedAt: number; only?: string };

/** What turned out while a member could not be told. */
async function missed(client: ClientBase, run: StoredEvent[]): Promise<[MovedAccount[], MovedListing[]]> {
  const accounts: MovedAccount[] = [];
  const listings: MovedListing[] = [];
  for (const { position, data } of run) {
    const only: string = data.memberId;
    accounts.push(...(await movedAccounts(client, [position], only)));
    listings.push(...(await renamedUntold(client, only)).map((about) => ({ ...about, movedAt: position, only })));
  }
  return [accounts, listings];
}

const toldKey = ({ intent, about }: Draft): string => `${intent.memberId} ${about.listing.listingId}`;

/** Whoever was corrected hears what holds for it now: another account of its, or that it doesn't host the merchant. */
export async function toldAnew(client: ClientBase, corrected: Draft[], trigger: StoredEvent): Promise<Draft[]> {
  if (corrected.length === 0) return [];
  const wanted = new Set(corrected.map(toldKey));
  const abouts = [...new Map(corrected.map(({ about }) => [about.listing.listingId, about])).values()].filter(
    ({ listing }) => inForce(listing, trigger.acceptedAt),
  );
  const members = new Set(corrected.map(({ intent }) => intent.memberId));
  const hosting = hostingsOf(client, entityIdsOf(abouts));
  const drafts = await listed(client, abouts, trigger, (memberId) => members.has(memberId), hosting);
  return drafts.filter((draft) => wanted.has(toldKey(draft)));
}
