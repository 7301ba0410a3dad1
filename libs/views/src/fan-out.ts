// What the notify reader asks of the folded ledger, inside its own transaction.
import {
  EVENT_TYPES,
  reasonAsListed,
  type Because,
  type NoticeEntity,
  type ReasonCode,
  type Shop,
} from '@liandun/contracts';
import type { Listing, Receiver, Told } from '@liandun/domain';
import type { ClientBase, Pool } from 'pg';
import { prepared } from '@liandun/event-log';
import { reasonAsListedSql } from './reason-codes.js';

// oxlint-disable-next-line typescript/no-explicit-any
type Row = any;

/** A listing that is linked, with what its notices say of it besides the reason. */
export interface LinkedListing {
  listing: Listing;
  /** Its reason as the version of the table has it that it was made under. */
  reason: ReasonCode;
  codesVersion: string;
  entity: NoticeEntity;
  /** Why the listing's own observation was taken for the entity; empty where it founded it. */
  because: Because[];
  /** Observations for which this is equal match it exactly, at least strongly. */
  sameAs: number;
  strongAs: number;
}

const SELECT_LISTING = `
  select l.*, ${reasonAsListedSql('l')} as reason, e.kind as entity_kind, e.name as entity_name, e.uscc as entity_uscc, o.because as listing_because,
    o.same_as as listing_same_as,
    o.strong_as as listing_strong_as
  from view.listing l join view.entity e using (entity_id) join view.observation o on o.position = l.position`;

const toLinkedListing = (row: Row): LinkedListing => ({
  reason: reasonAsListed(row.code, row.reason),
  codesVersion: String(row.codes_version),
  because: row.listing_because ?? [],
  sameAs: Number(row.listing_same_as),
  strongAs: Number(row.listing_strong_as),
  listing: {
    listingId: row.listing_id,
    origin: row.origin,
    sourceMember: row.source_member,
    position: Number(row.position),
    entityId: row.entity_id,
    kind: row.kind,
    streamer: row.streamer,
    code: row.code,
    tier: row.tier,
    identified: row.entity_uscc !== null,
    official: row.official,
    ordersStop: row.orders_stop,
    ...(row.victim && { victim: true }),
    effectiveAt: row.effective_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    status: row.status,
    cause: row.cause,
  },
  entity: {
    entityId: row.entity_id,
    kind: row.entity_kind,
    name: row.entity_name,
    ...(row.entity_kind === 'organization' && row.entity_uscc ? { uscc: row.entity_uscc } : {}),
  },
});

/**
 * Listings that were taken back (ended or stayed) or marked at one of these positions, as they are now, in the order of the log; `at`
 * is the position.
 */
export async function takenBackAt(
  client: ClientBase,
  positions: number[],
): Promise<{ ended: (LinkedListing & { endedAt: number })[]; marked: (LinkedListing & { markedAt: number })[] }> {
  const { rows } = await prepared<Row>(
    client,
    `${SELECT_LISTING} where l.ended_at = any($1) or l.marked_at = any($1) order by l.position`,
    [positions],
  );
  const at = new Set(positions);
  const endOf = (row: Row): number => Number(row.status === 'stayed' ? row.marked_at : row.ended_at);
  return {
    ended: rows
      .filter((row: Row) => !row.stands && at.has(endOf(row)))
      .map((row: Row) => ({ ...toLinkedListing(row), endedAt: endOf(row) })),
    marked: rows
      .filter((row: Row) => row.stands)
      .map((row: Row) => ({ ...toLinkedListing(row), markedAt: Number(row.marked_at) })),
  };
}

/** Listings whose mark, or end by a correction, changed while a member was told and could not be told of that. */
export async function markedUntold(client: ClientBase, member: string): Promise<LinkedListing[]> {
  const { rows } = await prepared<Row>(
    client,
    `${SELECT_LISTING} join view.told t using (listing_id)
     where l.stands and l.marked_at is not null and t.member = $1 and not t.ended
       and (coalesce(t.status, 'published') <> l.status or l.expires_at < t.expires_at) order by l.position`,
    [member],
  );
  return rows.map(toLinkedListing);
}

/** Listings that became due or moved at one of these positions, whatever became of them since; in the order of the log. */
export async function listingIdsAt(client: ClientBase, positions: number[]): Promise<string[]> {
  const { rows } = await prepared<Row>(
    client,
    'select listing_id from view.listing where due_at = any($1) or moved_at = any($1) order by position',
    [positions],
  );
  return rows.map((row: Row) => row.listing_id);
}

/** How far the ledger is folded. */
export async function foldedUpTo(db: ClientBase | Pool): Promise<number> {
  const { rows } = await prepared<Row>(db, "select position from log.reader where name = 'notify'");
  return Number(rows[0]?.position ?? -1);
}

/** How many entries the fold has before it, counted up to `most`: so many wait in front of a new one. Notices aren't folded again. */
export async function foldLag(db: ClientBase | Pool, most: number): Promise<number> {
  const { rows } = await prepared<Row>(
    db,
    `select count(*) as lag from (select from log.entry
       where position > coalesce((select position from log.reader where name = 'notify'), -1)
         and type <> '${EVENT_TYPES.noticeIssued}' order by position limit $1) before`,
    [most],
  );
  return Number(rows[0].lag);
}

/**
 * Keeps the fold where it is until the transaction ends: what is asked of it and what is appended meanwhile belong together, and
 * nobody else issues notices.
 */
export async function holdFold(client: ClientBase): Promise<void> {
  await prepared(client, "select from log.reader where name = 'notify' for update", []);
}

/** Every listing that stands, for a member that joins or comes back; those of the given entities, or these, only if given. */
export async function standingListings(
  client: ClientBase,
  of: { entityIds: string[] } | { listingIds: string[] } | Record<string, never> = {},
): Promise<LinkedListing[]> {
  // A statement for each: the plan of one that left a condition open would go through every listing.
  const [which, values] =
    'entityIds' in of
      ? ['and l.entity_id = any($1)', [of.entityIds]]
      : 'listingIds' in of
        ? ['and l.listing_id = any($1)', [of.listingIds]]
        : ['', []];
  const { rows } = await prepared<Row>(client, `${SELECT_LISTING} where l.stands ${which} order by l.position`, values);
  return rows.map(toLinkedListing);
}

/** Listings that ended, or were stayed, while a member was told and not yet told of the end. */
export async function endedUntold(client: ClientBase, member: string): Promise<LinkedListing[]> {
  const { rows } = await prepared<Row>(
    client,
    `${SELECT_LISTING} join view.told t using (listing_id)
     where (l.ended_at is not null or l.status = 'stayed') and t.member = $1 and not t.ended order by l.position`,
    [member],
  );
  return rows.map(toLinkedListing);
}

const toReceiver = (row: Row): Receiver => ({
  memberId: row.member_id,
  role: row.role,
  status: row.status,
  joinedPosition: Number(row.joined_position),
  subscription: row.subscription,
  ...(row.agreement !== null && { agreement: row.agreement }),
});

/** All members by id, as they stand at the reader's position. */
export async function receivers(client: ClientBase): Promise<Map<string, Receiver>> {
  const { rows } = await prepared<Row>(client, 'select * from view.receiver order by member_id');
  return new Map(rows.map((row: Row) => [row.member_id, toReceiver(row)]));
}

/** A member's account that hosts one of the entities, and why it is taken for the entity asked for. */
export interface EntityHosting {
  memberId: string;
  merchantId: string;
  entityId: string;
  shops: Shop[];
  /** Linked to the entity, or only possibly the same. */
  linked: boolean;
  /** Empty where the account founded the entity. */
  because: Because[];
  sameAs: number;
  strongAs: number;
}

/** Nobody told the entities of the observations `a` and `b` apart. */
export const NOT_PARTED = `not exists (select from view.parted d join view.observation x on x.position = d.observation
    join view.observation y on y.position = d.other
  where x.entity_id = a.entity_id and y.entity_id = b.entity_id)`;

/** Observations of two entities, `a` and `b`, that the matcher held for possibly the same. */
export const POSSIBLE = `view.observation a join view.possible p on p.observation = a.position
  join view.observation b on b.position = p.other and b.entity_id <> a.entity_id`;

/** Those of them that may be of one merchant by all that is known. */
const MAY_BE = `${POSSIBLE} and ${NOT_PARTED}`;

/**
 * Who hosts an entity: accounts linked to it (exact or strong), and those of entities that are only possibly the same.
 * With `linkedAt`, only accounts whose link has one of these positions.
 */
export async function hostingsOf(
  client: ClientBase,
  entityIds: string[],
  linkedAt?: number[],
): Promise<EntityHosting[]> {
  const { rows } = await prepared<Row>(
    client,
    `select h.member, h.merchant_id, h.shops, h.because, h.same_as, h.strong_as, h.entity_id as of_entity, false as possible
       from view.hosting h where h.active and h.entity_id = any($1) and ($2::bigint[] is null or h.linked_at = any($2))
     union all
     (select distinct on (h.member, h.merchant_id, a.entity_id)
         h.member, h.merchant_id, h.shops, p.because, h.same_as, h.strong_as, a.entity_id, true
       from ${MAY_BE} join view.hosting h on h.entity_id = b.entity_id
       where h.active and a.entity_id = any($1) and ($2::bigint[] is null or h.linked_at = any($2))
       order by h.member, h.merchant_id, a.entity_id, p.position, p.observation, p.other)
     order by member, merchant_id, of_entity`,
    [entityIds, linkedAt ?? null],
  );
  return rows.map((row: Row) => ({
    memberId: row.member,
    merchantId: row.merchant_id,
    entityId: row.of_entity,
    shops: row.shops,
    linked: !row.possible,
    because: row.because,
    sameAs: Number(row.same_as),
    strongAs: Number(row.strong_as),
  }));
}

/** Entities with a listing that stands which accounts linked at these positions are, surely or possibly. */
export async function listedEntitiesReportedAt(client: ClientBase, positions: number[]): Promise<string[]> {
  const { rows } = await prepared<Row>(
    client,
    `select distinct l.entity_id from view.hosting h
       join view.listing l on l.stands and l.entity_id = h.entity_id
     where h.active and h.linked_at = any($1)
     union
     select l.entity_id from view.hosting h
       join view.observation b on b.entity_id = h.entity_id
       join view.possible p on p.other = b.position
       join view.observation a on a.position = p.observation and a.entity_id <> h.entity_id and ${NOT_PARTED}
       join view.listing l on l.stands and l.entity_id = a.entity_id
     where h.active and h.linked_at = any($1)`,
    [positions],
  );
  return rows.map((row: Row) => row.entity_id);
}

/** An account that its platform was told of under a listing that turns out not to be about it. */
export interface MovedAccount {
  member: string;
  merchantId: string;
  /** What the account is now. */
  entityId: string;
  listingId: string;
  /** Its shops, without those that another account of the notice accounts for. */
  shops: Shop[];
  /** The position of the event that showed it. */
  position: number;
}

/**
 * Accounts that came to another entity at these positions, or whose listing did, and that the listing isn't about any
 * more; and all such accounts of a member that is back again. One that may still be the listed merchant was told too much unless it was told as possible.
 */
export async function movedAccounts(
  client: ClientBase,
  positions: number[],
  backAgain?: string,
): Promise<MovedAccount[]> {
  const { rows } = await prepared<Row>(
    client,
    `select distinct on (h.member, h.merchant_id, t.listing_id)
       h.member, h.merchant_id, h.entity_id, c.at, t.listing_id,
       (select coalesce(jsonb_agg(s), '[]') from jsonb_array_elements(t.shops) s
        where not exists (select from view.hosting o cross join lateral jsonb_array_elements(o.shops) k
          where o.member = h.member and o.merchant_id <> h.merchant_id and t.merchants ? o.merchant_id
            and k->>'shopId' = s->>'shopId')) as shops
     from (select h.member, h.merchant_id, t.listing_id, h.linked_at as at
             from view.hosting h join view.told t on t.member = h.member and t.merchants ? h.merchant_id
             where h.linked_at = any($1)
           union all
           select t.member, id, t.listing_id, l.moved_at
             from view.listing l join view.told t using (listing_id) cross join lateral jsonb_object_keys(t.merchants) id
             where l.moved_at = any($1)
           union all
           select t.member, id, t.listing_id, ($1::bigint[])[1]
             from view.told t cross join lateral jsonb_object_keys(t.merchants) id
             where t.member = $2::text and not t.ended) c
     join view.hosting h on h.member = c.member and h.merchant_id = c.merchant_id
     join view.told t on t.listing_id = c.listing_id and t.member = c.member and not t.ended
     join view.listing l on l.listing_id = c.listing_id and l.stands and l.entity_id <> h.entity_id
     where t.merchants->>h.merchant_id <> 'possible'
       or not exists (select from ${MAY_BE} where a.entity_id = l.entity_id and b.entity_id = h.entity_id)
     order by h.member, h.merchant_id, t.listing_id, c.at`,
    [positions, backAgain ?? null],
  );
  return rows
    .map((row: Row) => ({
      member: row.member,
      merchantId: row.merchant_id,
      entityId: row.entity_id,
      listingId: row.listing_id,
      shops: row.shops,
      position: Number(row.at),
    }))
    .toSorted((a, b) => a.position - b.position || (a.listingId < b.listingId ? -1 : 1));
}

/** Listings that stand and of which it became known, at these positions, that they are about somebody else. */
export async function movedListings(
  client: ClientBase,
  positions: number[],
): Promise<(LinkedListing & { movedAt: number })[]> {
  const { rows } = await prepared<Row>(
    client,
    `${SELECT_LISTING} where l.moved_at = any($1) and l.stands order by l.position`,
    [positions],
  );
  return rows.map((row: Row) => ({ ...toLinkedListing(row), movedAt: Number(row.moved_at) }));
}

/** Listings that stand and that a member was told of under a credit code that isn't the listed merchant's. */
export async function renamedUntold(client: ClientBase, member: string): Promise<LinkedListing[]> {
  const { rows } = await prepared<Row>(
    client,
    `${SELECT_LISTING} join view.told t using (listing_id)
     where l.stands and t.member = $1 and not t.ended and t.uscc is distinct from e.uscc order by l.position`,
    [member],
  );
  return rows.map(toLinkedListing);
}

/** What each member was told, by listing id. */
export async function toldOf(
  client: ClientBase,
  listingIds: string[],
): Promise<Map<string, Map<string, Told & { shops: Shop[] }>>> {
  const { rows } = await prepared<Row>(client, 'select * from view.told where listing_id = any($1) order by member', [
    listingIds,
  ]);
  const byListing = new Map<string, Map<string, Told & { shops: Shop[] }>>();
  for (const row of rows) {
    const told = byListing.get(row.listing_id) ?? new Map();
    byListing.set(row.listing_id, told);
    told.set(row.member, {
      memberId: row.member,
      merchants: row.merchants,
      shopIds: row.shops.map((shop: Shop) => shop.shopId),
      shops: row.shops,
      because: row.because,
      ...(row.uscc === null ? {} : { uscc: row.uscc }),
      ...(row.status === null ? {} : { status: row.status }),
      expiresAt: row.expires_at.toISOString(),
      ended: row.ended,
    });
  }
  return byListing;
}

/**
 * For each entity the listings that stand and cover it, with the members that know of them: those who were told, and
 * the platform that listed it.
 */
export async function coverOf(
  client: ClientBase,
  entityIds: string[],
  at: string,
): Promise<Map<string, { listingId: string; knownTo: Set<string> }[]>> {
  const { rows } = await prepared<Row>(
    client,
    `select l.entity_id, l.listing_id,
       array_agg(t.member) filter (where t.member is not null) || l.source_member as known_to
     from view.listing l left join view.told t on t.listing_id = l.listing_id and not t.ended
     where l.entity_id = any($1) and l.stands and l.expires_at > $2
     group by l.entity_id, l.listing_id, l.source_member`,
    [entityIds, at],
  );
  const byEntity = new Map<string, { listingId: string; knownTo: Set<string> }[]>();
  for (const row of rows) {
    const covers = byEntity.get(row.entity_id) ?? [];
    byEntity.set(row.entity_id, covers);
    covers.push({ listingId: row.listing_id, knownTo: new Set(row.known_to) });
  }
  return byEntity;
}

const lastOf =
  (prefix: string) =>
  async (client: ClientBase, members: string[]): Promise<Map<string, number>> => {
    const { rows } = await prepared<{ stream: string; version: string }>(
      client,
      'select stream, version from log.stream where stream = any($1)',
      [members.map((member) => `${prefix}/${member}`)],
    );
    const versions = new Map(rows.map((row) => [row.stream, Number(row.version)]));
    return new Map(members.map((member) => [member, versions.get(`${prefix}/${member}`) ?? -1]));
  };

/** The number of the last notice to each member, -1 where there is none, as the open transaction sees it. */
export const lastSeqs = lastOf('notices');

/** The same of what they were told about erased persons. */
export const lastErasedNos = lastOf('erased');

/** The same of later listings that match their inquiries. */
export const lastMatchedNos = lastOf('matched');
