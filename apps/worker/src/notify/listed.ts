// Which notices follow for listings that stand or ended, whatever showed it.
import { decideEnded, decideListed, decideMarked, type Hosting, type Receiver } from '@liandun/domain';
import type { StoredEvent } from '@liandun/event-log';
import { receivers, toldOf, type EntityHosting, type LinkedListing } from '@liandun/views';
import type { ClientBase } from 'pg';
import { listingIdsOf, type Draft } from './draft.js';

type AsTrigger = (about: LinkedListing & { endedAt: number }) => StoredEvent;

export async function endings(
  client: ClientBase,
  ended: (LinkedListing & { endedAt: number })[],
  triggerOf: AsTrigger,
): Promise<Draft[]> {
  const [members, told] = await Promise.all([receivers(client), toldOf(client, listingIdsOf(ended))]);
  return ended.flatMap((about) =>
    [...(told.get(about.listing.listingId)?.values() ?? [])].flatMap((before) => {
      const member = members.get(before.memberId);
      if (!member) return [];
      const trigger = triggerOf(about);
      const intents = decideEnded(member, before, before.shops, about.listing, trigger);
      return intents.map((intent) => ({ intent, about, trigger }));
    }),
  );
}

/** Everybody who was told of a listing hears of its mark. */
export async function marks(
  client: ClientBase,
  marked: (LinkedListing & { markedAt: number })[],
  triggerOf: (about: LinkedListing & { markedAt: number }) => StoredEvent,
): Promise<Draft[]> {
  const [members, told] = await Promise.all([receivers(client), toldOf(client, listingIdsOf(marked))]);
  return marked.flatMap((about) =>
    [...(told.get(about.listing.listingId)?.values() ?? [])].flatMap((before) => {
      const member = members.get(before.memberId);
      const trigger = triggerOf(about);
      return member
        ? decideMarked(member, before, about.listing, trigger).map((intent) => ({ intent, about, trigger }))
        : [];
    }),
  );
}

/** One notice decision for each listing and member; `only` narrows the members. */
export async function listed(
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
          trigger,
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
