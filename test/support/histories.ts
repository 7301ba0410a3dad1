// What every platform should see, said a second time: folded from the log in memory, without the product's own fold or deciders.
import { EVENT_TYPES, listingIdOf, memberOfSource, type NoticeIssued, type Shop } from '@liandun/contracts';
import type { StoredEvent } from '@liandun/event-log';

// oxlint-disable-next-line typescript/no-explicit-any
type Data = any;

interface Observed {
  position: number;
  member: string;
  merchantId?: string;
  reported: boolean;
  active: boolean;
  shops: Shop[];
  uscc?: string;
  registryList?: string;
  entityId?: string;
  linkedAt: number;
}

export interface ModelListing {
  listingId: string;
  position: number;
  caseId: string;
  source: string;
  origin: 'delisting' | 'registry';
  merchantId?: string;
  registryList?: string;
  organization: boolean;
  /** Of tier 2, so that one tier lower it is told to hosts only. */
  second: boolean;
  /** `back`: it ended; `stayed`: its effects are suspended until its appeal is decided. */
  status: 'held' | 'stands' | 'stayed' | 'back';
  /** What an appeal made of it while it stands (rule P07). */
  mark: 'published' | 'disputed' | 'upheld' | 'corrected';
  /** Its earlier end by an appeal. */
  correctedTo?: string;
}

/** What a member's own shop system holds of one listing after its notices. */
interface Seen {
  known: boolean;
  merchantIds: Set<string>;
  shopIds: Set<string>;
  mark: string;
  expiresAt?: string;
  /** Under which credit code. */
  uscc?: string;
}

const nothing = (): Seen => ({ known: false, merchantIds: new Set(), shopIds: new Set(), mark: 'published' });
const LISTS = new Set<string>([EVENT_TYPES.merchantDelisted, EVENT_TYPES.registryListed]);
const OBSERVES = new Set<string>([EVENT_TYPES.merchantReported, ...LISTS, EVENT_TYPES.registryRemoved]);

/** The ledger by its log. */
export class LedgerModel {
  readonly listings = new Map<string, ModelListing>();
  readonly members = new Map<string, { platform: boolean; active: boolean; joinedAt: number }>();
  /** Publishers whose findings counted a tier lower at some time (rule P19). */
  readonly #lowered = new Set<string>();
  readonly #observed = new Map<number, Observed>();
  readonly #seen = new Map<string, Seen>();
  /** For each member and listing the positions at which it might be told. */
  readonly #granted = new Map<string, number[]>();
  readonly problems: string[] = [];
  position = -1;
  /** Only listings from here on are looked at. */
  since = 0;

  apply(event: StoredEvent): void {
    const { data, position } = event as { data: Data; position: number };
    this.position = position;
    if (OBSERVES.has(event.type)) this.#observe(event);
    this.#step(event, data);
    this.#grant(position);
  }

  #step(event: StoredEvent, data: Data): void {
    const source = memberOfSource(event.source);
    switch (event.type) {
      case EVENT_TYPES.entityLinked:
        return this.#link(event.position, [data]);
      case EVENT_TYPES.entityMerged:
      case EVENT_TYPES.entitySplit:
        return this.#link(event.position, data.links);
      case EVENT_TYPES.merchantReinstated:
        return this.#takeBack(
          (one) =>
            one.origin === 'delisting' &&
            one.source === source &&
            (one.caseId === data.delistingId || one.merchantId === data.merchantId),
        );
      case EVENT_TYPES.caseHeard: {
        const held = [...this.listings.values()].find(
          (one) => one.source === source && one.caseId === data.caseId && one.status === 'held',
        );
        if (held) held.status = data.cause === undefined ? 'stands' : 'back';
        return;
      }
      case EVENT_TYPES.caseReleased: {
        const held = this.listings.get(data.listingId);
        if (held?.status === 'held') held.status = 'stands';
        return;
      }
      case EVENT_TYPES.listingEnded:
      case EVENT_TYPES.listingExpired:
        return this.#takeBack((one) => one.listingId === data.listingId);
      case EVENT_TYPES.appealFiled:
        return this.#appealed(data.listingId, 'stands', (one) => (one.mark = 'disputed'));
      case EVENT_TYPES.listingStayed:
        return this.#appealed(data.listingId, 'stands', (one) => (one.status = 'stayed'));
      case EVENT_TYPES.appealDecided:
        if (data.decision === 'overturned') return this.#takeBack((one) => one.listingId === data.listingId);
        return this.#appealed(data.listingId, 'stands or stayed', (one) => {
          one.status = 'stands';
          one.mark = data.decision;
          if (data.expiresAt !== undefined) one.correctedTo = data.expiresAt;
        });
      case EVENT_TYPES.memberAdmitted:
        this.members.set(data.memberId, {
          platform: data.role === 'platform',
          active: true,
          joinedAt: event.position,
        });
        return;
      case EVENT_TYPES.memberSuspended:
      case EVENT_TYPES.memberRemoved:
      case EVENT_TYPES.memberResumed: {
        const member = this.members.get(data.memberId);
        if (member) member.active = event.type === EVENT_TYPES.memberResumed;
        return;
      }
      case EVENT_TYPES.publisherLowered:
        this.#lowered.add(data.memberId);
        return;
      case EVENT_TYPES.noticeIssued:
        return this.#tell(event, data);
    }
  }

  #observe(event: StoredEvent): void {
    const { data, position } = event as { data: Data; position: number };
    const member = memberOfSource(event.source) ?? 'ledger';
    this.#observed.set(position, {
      position,
      member,
      merchantId: data.merchantId,
      reported: event.type === EVENT_TYPES.merchantReported,
      active: data.status === 'active',
      shops: data.shops ?? [],
      linkedAt: -1,
      ...(typeof data.identity?.uscc === 'string' && { uscc: data.identity.uscc }),
      ...(event.type === EVENT_TYPES.registryRemoved && { registryList: data.list }),
    });
    if (!LISTS.has(event.type)) return;
    const registry = event.type === EVENT_TYPES.registryListed;
    this.listings.set(listingIdOf(event), {
      listingId: listingIdOf(event),
      position,
      caseId: event.id,
      source: member,
      origin: registry ? 'registry' : 'delisting',
      merchantId: data.merchantId,
      registryList: data.list,
      organization: data.identity.kind === 'organization',
      second: data.reason?.code === 'E01',
      status: data.reason?.code === 'E01' && data.hearing === undefined ? 'held' : 'stands',
      mark: 'published',
    });
  }

  #link(position: number, links: { observation: number; entityId: string }[]): void {
    for (const { observation, entityId } of links) {
      const of = this.#observed.get(observation);
      if (!of) continue;
      of.entityId = entityId;
      of.linkedAt = position;
      if (of.registryList === undefined) continue;
      this.#takeBack(
        (one) =>
          one.origin === 'registry' &&
          one.registryList === of.registryList &&
          one.position < of.position &&
          this.#entityOf(one) === entityId,
      );
    }
  }

  #takeBack(which: (one: ModelListing) => boolean): void {
    for (const one of this.listings.values()) if (which(one)) one.status = 'back';
  }

  #appealed(listingId: string, when_: 'stands' | 'stands or stayed', change: (one: ModelListing) => void): void {
    const one = this.listings.get(listingId);
    if (one && (one.status === 'stands' || (when_ !== 'stands' && one.status === 'stayed'))) change(one);
  }

  /** The credit code that an entity was seen with first. */
  #usccOf = (entityId: string | undefined): string | undefined =>
    [...this.#observed.values()].find((one) => one.entityId === entityId && one.uscc !== undefined)?.uscc;

  #entityOf = ({ position }: ModelListing): string | undefined => this.#observed.get(position)?.entityId;

  /** A member's accounts of the listed merchant as it reported them last; whether it hosts them still. */
  #accounts(member: string, listing: ModelListing): { merchantId: string; hosts: boolean; shops: Shop[] }[] {
    const entityId = this.#entityOf(listing);
    const latest = new Map<string, Observed>();
    for (const one of this.#observed.values()) {
      if (one.member !== member || !one.reported || one.entityId === undefined || one.merchantId === undefined)
        continue;
      const before = latest.get(one.merchantId);
      if (!before || before.position < one.position) latest.set(one.merchantId, one);
    }
    return [...latest.values()]
      .filter((one) => one.entityId === entityId)
      .map(({ merchantId = '', active, shops, position }) => ({
        merchantId,
        shops,
        hosts: active && !this.#delistedSince(member, merchantId, position),
      }));
  }

  #delistedSince = (member: string, merchantId: string, position: number): boolean =>
    [...this.listings.values()].some(
      (one) =>
        one.source === member && one.origin === 'delisting' && one.merchantId === merchantId && one.position > position,
    );

  /** Who may be told of what stands now: an independent reading of the rules of entitlement. */
  #grant(position: number): void {
    for (const listing of this.listings.values()) {
      if (listing.position < this.since || listing.status !== 'stands' || this.#entityOf(listing) === undefined)
        continue;
      for (const [memberId, member] of this.members) {
        if (!member.platform || !member.active || listing.source === memberId) continue;
        const hosts = this.#accounts(memberId, listing).some((account) => account.hosts);
        if (!hosts && !listing.organization && listing.position < member.joinedAt) continue;
        const key = `${memberId} ${listing.listingId}`;
        this.#granted.set(key, [...(this.#granted.get(key) ?? []), position]);
      }
    }
  }

  #tell(event: StoredEvent, notice: NoticeIssued): void {
    const { member, listingId, action } = notice;
    const key = `${member} ${listingId}`;
    const seen = this.#seen.get(key) ?? nothing();
    this.#seen.set(key, seen);
    if (action === 'mark') {
      if (!seen.known) this.problems.push(`${notice.noticeId}: a mark of what was never told, or is over`);
      return void Object.assign(seen, { mark: notice.status ?? 'published', expiresAt: notice.expiresAt });
    }
    const back = action === 'reopen' || action === 'lift';
    if (back && !seen.known) this.problems.push(`${notice.noticeId}: ${action} of what was never told`);
    if (back) Object.assign(seen, nothing());
    if (action === 'correct') {
      for (const id of notice.merchantIds) seen.merchantIds.delete(id);
      for (const { shopId } of notice.shops) seen.shopIds.delete(shopId);
      seen.known = seen.merchantIds.size > 0;
    }
    if (back || action === 'correct') return;
    for (const id of notice.merchantIds) seen.merchantIds.add(id);
    for (const { shopId } of notice.shops) seen.shopIds.add(shopId);
    seen.known = true;
    Object.assign(seen, {
      mark: notice.status ?? 'published',
      expiresAt: notice.expiresAt,
      uscc: notice.entity.uscc,
    });
    const listing = this.listings.get(listingId);
    if (!listing || listing.position < this.since) return;
    // I7: granted at some position between what it follows from and its own.
    const trigger = Number(event.id.split(':')[1]);
    const granted = this.#granted.get(key) ?? [];
    if (!granted.some((position) => position >= trigger))
      this.problems.push(
        `${notice.noticeId}: ${action} of ${listingId} was not granted between ${trigger} and ${event.position}`,
      );
  }

  /** What each platform sees of the listings since, against what the log says; empty where they agree. */
  differences(): string[] {
    const found = [...this.problems];
    for (const listing of this.listings.values()) {
      if (listing.position < this.since) continue;
      for (const [memberId, { platform, active }] of this.members) {
        if (!platform || !active || listing.source === memberId) continue;
        const what = `${memberId} of ${listing.listingId} (${listing.origin}, ${listing.status})`;
        found.push(...this.#differs(memberId, listing).map((how) => `${what}: ${how}`));
      }
    }
    return found;
  }

  #differs(memberId: string, listing: ModelListing): string[] {
    const seen = this.#seen.get(`${memberId} ${listing.listingId}`) ?? nothing();
    if (listing.status !== 'stands' || this.#entityOf(listing) === undefined)
      return seen.known || seen.shopIds.size > 0 ? ['no reopen or lift came'] : [];
    const accounts = this.#accounts(memberId, listing);
    const hosted = accounts.filter(({ hosts }) => hosts);
    const missing = hosted.flatMap(({ shops }) => shops).filter(({ shopId }) => !seen.shopIds.has(shopId));
    const mayClose = new Set(accounts.flatMap(({ merchantId }) => this.#shopsEver(memberId, merchantId)));
    const extra = [...seen.shopIds].filter((shopId) => !mayClose.has(shopId));
    const stranger = accounts.length === 0 && !(listing.second && this.#lowered.has(listing.source));
    const uscc = this.#usccOf(this.#entityOf(listing));
    const restricts = listing.organization && listing.origin === 'delisting' && uscc !== undefined;
    const expiresAt = listing.correctedTo;
    return [
      ...missing.map(({ shopId }) => `shop ${shopId} isn't told of`),
      ...extra.map((shopId) => `shop ${shopId} is closed without a reason`),
      ...(stranger && seen.known !== restricts ? [`knows of it: ${seen.known}`] : []),
      ...(stranger && seen.known && seen.uscc !== uscc ? [`knows it as ${seen.uscc}, it is ${uscc}`] : []),
      ...(seen.known && seen.mark !== listing.mark ? [`sees it ${seen.mark}, it is ${listing.mark}`] : []),
      ...(seen.known && expiresAt !== undefined && Date.parse(seen.expiresAt ?? '') !== Date.parse(expiresAt)
        ? [`sees it end at ${seen.expiresAt}, it ends at ${expiresAt}`]
        : []),
    ];
  }

  #shopsEver = (member: string, merchantId: string): string[] =>
    [...this.#observed.values()]
      .filter((one) => one.member === member && one.merchantId === merchantId)
      .flatMap(({ shops }) => shops.map(({ shopId }) => shopId));
}
