import type { MatchGrade, NoticeAction, Shop } from '@liandun/contracts';
import { basisRefusal, noticeFields } from './basis.js';
import { entitled, type Receiver, type Trigger } from './entitlement.js';
import type { Listing } from './listing.js';

/** That a member reported the merchant, under which account, and how surely it is the listed one. */
export interface Hosting {
  memberId: string;
  merchantId: string;
  shops: Shop[];
  grade: MatchGrade;
  because: string[];
}

/** What a member has already been told of one listing. */
export interface Told {
  memberId: string;
  /** Its accounts that it was told of, with the grade then; empty where it didn't host the merchant. */
  merchants: Record<string, MatchGrade>;
  shopIds: string[];
  /** Why it was taken for the merchant, as it was told last. */
  because: string[];
  /** The credit code under which it was told of an organization. */
  uscc?: string;
  /** The listing's state as it was told last, unless it is `published`. */
  status?: string;
  /** The listing's end (RFC 3339) as it was told last. */
  expiresAt?: string;
  /** A `reopen` or `lift` has followed, or `correct` for the last of its accounts. */
  ended: boolean;
}

/** A notice to be issued, before it has its number. */
export interface NoticeIntent {
  memberId: string;
  action: NoticeAction;
  shops: Shop[];
  merchantIds: string[];
  grade: MatchGrade;
  because: string[];
}

const PROTECTIVE_CODE = 'V01';

/**
 * The table of design section 3, "Notices out", for a listing that stands. `undefined`: nothing is sent.
 * A match that is only possible never closes (rule P14), nor does a listing of tier 3, nor one of a person reported as
 * a risk (rule P08).
 */
export function actionFor(
  listing: Listing,
  receiver: { hosts: boolean; grade: MatchGrade; riskEntities: boolean },
): NoticeAction | undefined {
  if (listing.tier === 0) return undefined;
  if (!receiver.hosts) return actionForStranger(listing, receiver.riskEntities);
  if (receiver.grade === 'possible') return 'check';
  if (listing.code === PROTECTIVE_CODE) return 'protect';
  if (listing.origin === 'registry') return 'registryStatus';
  if (listing.tier === 3) return 'check';
  if (listing.origin === 'riskEntity' && (listing.streamer || listing.kind === 'person')) return 'check';
  return 'close';
}

function actionForStranger(listing: Listing, riskEntities: boolean): NoticeAction | undefined {
  if (listing.code === PROTECTIVE_CODE || listing.origin === 'registry') return undefined;
  if (listing.tier === 3 || listing.kind !== 'organization' || !listing.identified) return undefined;
  if (listing.origin === 'riskEntity' && !riskEntities) return undefined;
  return 'restrictAdmission';
}

const GRADE_RANK = { possible: 1, strong: 2, exact: 3 } satisfies Record<MatchGrade, number>;

/** One member's accounts that may be the merchant, as one: the surest match decides. */
function together(hostings: Hosting[]): { grade: MatchGrade; because: string[]; accounts: Hosting[] } {
  const best = hostings.reduce((a, b) => (GRADE_RANK[b.grade] > GRADE_RANK[a.grade] ? b : a));
  return {
    grade: best.grade,
    because: best.because,
    // Accounts of a weaker grade are told apart, so that a sure match never closes a merely possible one.
    accounts: hostings.filter((hosting) => hosting.grade === best.grade),
  };
}

/** Whether the notice would say nothing that the member has not been told. */
function alreadyTold(told: Told | undefined, hosts: boolean, grade: MatchGrade, accounts: Hosting[]): boolean {
  if (!told || told.ended) return false;
  if (!hosts) return true;
  return accounts.every((account) => {
    const before = told.merchants[account.merchantId];
    if (before === undefined || GRADE_RANK[before] < GRADE_RANK[grade]) return false;
    return account.shops.every((shop) => told.shopIds.includes(shop.shopId));
  });
}

/**
 * What one member is to be told of a listing that is in force, at `trigger`: one notice for its sure accounts and one
 * for its possible ones, or one for a platform that doesn't host the merchant; nothing that it isn't entitled to or
 * knows already.
 */
export function decideListed(
  listing: Listing,
  member: Receiver,
  hostings: Hosting[],
  told: Told | undefined,
  trigger: Trigger,
): NoticeIntent[] {
  const hosts = hostings.length > 0;
  if (!entitled(member, listing, trigger, { hosts }).granted) return [];
  const intents: NoticeIntent[] = [];
  let rest = hostings;
  do {
    const { grade, because, accounts } = hosts
      ? together(rest)
      : { grade: 'exact' as const, because: [], accounts: [] as Hosting[] };
    rest = rest.filter((hosting) => !accounts.includes(hosting));
    const action = actionFor(listing, { hosts, grade, riskEntities: member.subscription.riskEntities === true });
    if (action === undefined || alreadyTold(told, hosts, grade, accounts)) continue;
    intents.push({
      memberId: member.memberId,
      action,
      shops: accounts.flatMap((account) => account.shops),
      merchantIds: accounts.map((account) => account.merchantId),
      grade,
      because,
    });
  } while (rest.length > 0);
  return intents;
}

/** Of several matches the surest. */
const surest = (grades: MatchGrade[]): MatchGrade =>
  grades.reduce((a, b) => (GRADE_RANK[b] > GRADE_RANK[a] ? b : a), 'possible');

/** What was told, and when that it changed is to be said. */
type ToldOf = Pick<Listing, 'kind'>;

const mayHear = (member: Receiver, told: Told, { kind }: ToldOf, { acceptedAt }: Trigger): boolean =>
  !told.ended &&
  member.status === 'active' &&
  member.role === 'platform' &&
  basisRefusal(member.agreement, noticeFields(kind), acceptedAt) === undefined;

/**
 * What a member that was told of a listing hears when the listing ends: `reopen` where it hosts the merchant, `lift`
 * where it doesn't. A member that isn't active, or may be told nothing, gets the current state when it comes back.
 */
export function decideEnded(
  member: Receiver,
  told: Told,
  shops: Shop[],
  listing: ToldOf,
  trigger: Trigger,
): NoticeIntent[] {
  if (!mayHear(member, told, listing, trigger)) return [];
  const merchantIds = Object.keys(told.merchants);
  const hosted = merchantIds.length > 0;
  return [
    {
      memberId: member.memberId,
      action: hosted ? 'reopen' : 'lift',
      shops: shops.filter((shop) => told.shopIds.includes(shop.shopId)),
      merchantIds,
      grade: hosted ? surest(Object.values(told.merchants)) : 'exact',
      because: told.because,
    },
  ];
}

/** Whether a member knows of a listing's mark, and of its earlier end by a correction. */
const knowsMark = (told: Told, { status, expiresAt }: Pick<Listing, 'status' | 'expiresAt'>): boolean =>
  (told.status ?? 'published') === status &&
  (told.expiresAt === undefined || Date.parse(told.expiresAt) <= Date.parse(expiresAt));

/**
 * `mark`: what a member that was told of a listing hears when only its mark changes: an objection, or what was decided of it
 * (rule P07). It asks for nothing.
 */
export function decideMarked(
  member: Receiver,
  told: Told & { shops: Shop[] },
  listing: Pick<Listing, 'kind' | 'status' | 'expiresAt'>,
  trigger: Trigger,
): NoticeIntent[] {
  if (knowsMark(told, listing) || !mayHear(member, told, listing, trigger)) return [];
  const merchantIds = Object.keys(told.merchants);
  return [
    {
      memberId: member.memberId,
      action: 'mark',
      shops: told.shops,
      merchantIds,
      grade: merchantIds.length > 0 ? surest(Object.values(told.merchants)) : 'exact',
      because: told.because,
    },
  ];
}

/**
 * `correct`: an account that a member was told of turns out to be another merchant's, so the listing was never about
 * it (rule P13).
 */
export function decideMoved(
  member: Receiver,
  told: Told,
  { merchantId, shops }: { merchantId: string; shops: Shop[] },
  listing: ToldOf,
  trigger: Trigger,
): NoticeIntent[] {
  const grade = told.merchants[merchantId];
  if (grade === undefined || !mayHear(member, told, listing, trigger)) return [];
  const { because } = told;
  return [{ memberId: member.memberId, action: 'correct', shops, merchantIds: [merchantId], grade, because }];
}

/**
 * `lift`: a member that doesn't host the merchant was told of a credit code that turns out not to be the listed
 * merchant's. What it is to be told now is decided as for a listing that is new to it.
 */
export function decideRenamed(
  member: Receiver,
  told: Told,
  uscc: string | undefined,
  listing: ToldOf,
  trigger: Trigger,
): NoticeIntent[] {
  const hosts = Object.keys(told.merchants).length > 0;
  if (hosts || told.uscc === undefined || told.uscc === uscc || !mayHear(member, told, listing, trigger)) return [];
  const { because } = told;
  return [{ memberId: member.memberId, action: 'lift', shops: [], merchantIds: [], grade: 'exact', because }];
}

const RESPOND_WITHIN_DAYS: Record<number, number> = { 1: 1, 2: 3, 3: 7 };

/** By when a disposition is asked for: one, three or seven days for tiers 1, 2, 3. Times are RFC 3339. */
export const respondBy = (tier: number, issuedAt: string): string =>
  new Date(Date.parse(issuedAt) + (RESPOND_WITHIN_DAYS[tier] ?? 7) * 86_400_000).toISOString();
