import {
  NOTICE_STATUSES,
  toBeijingTime,
  reasonAsListed,
  type ReasonCode,
  type Identity,
  type MatchGrade,
  type NoticeReason,
  type NoticeStatus,
  type SubjectKind,
} from '@liandun/contracts';
import { prepared } from '@liandun/event-log';
import { explainPair, type Features, type Key } from '@liandun/identity';
import type { Vault } from '@liandun/vault';
import type { ClientBase, Pool } from 'pg';
import { recordOf, type Generation, type MatchIndex } from '../match-index.js';
import { isSurer, judge, type Judgement, type Observed } from './judge.js';
import { maskedValues } from './values.js';

/** A listing in force that an applicant may fall under. */
export interface ScreeningMatch {
  listingId: string;
  code: string;
  reason: NoticeReason;
  tier: number;
  grade: MatchGrade;
  /** What agrees, and the grade that its agreement carries by itself. */
  fields: Record<string, MatchGrade>;
  because: { field: string; en: string; zh: string }[];
  /** What the ledger holds of it; masked but for what is public. */
  values: Record<string, string>;
  effectiveAt: string;
  expiresAt: string;
  /** Its state where it isn't plainly published: `disputed`, `corrected` or `upheld` (rule P07). */
  status?: NoticeStatus;
}

/** What an applicant is looked up by. */
export interface Inquiry {
  member: string;
  /** The digest of all that it says: the same for the same applicant of one member. */
  said: Buffer;
  features: Features;
}

interface KeyRow {
  n: number;
  /** More records have it than are looked at. */
  generic: boolean;
  holders: number;
}

interface ListingRow {
  listing_id: string;
  entity_id: string;
  code: string;
  /** Null where no change of the table had touched it. */
  reason: ReasonCode | null;
  tier: number;
  status: string;
  effective_at: string;
  expires_at: string;
}

interface Found {
  keys: KeyRow[] | null;
  observed: { position: number; entity_id: string }[] | null;
  listings: ListingRow[] | null;
  decided: { entity_id: string; grade: MatchGrade }[] | null;
}

/** Listed entities, observations of each and listings that are looked at: work without an end is nobody's answer. */
const ENTITIES_MAX = 20;
const OBSERVATIONS_MAX = 12;
const LISTINGS_MAX = 50;

/**
 * One statement, whatever is found: how many entities hold each key, the listed ones among them with the observations that
 * say most of them and what their member decided. What is advice to regulators (tier 0) isn't looked at.
 */
const FIND = `
with asked as (select token, most, n from unnest($1::bigint[], $5::int[]) with ordinality w (token, most, n)),
 counted as (
   select token, n, most < (select count(*) from (select from match.key k where k.token = asked.token limit asked.most + 1) under)
     as generic from asked),
 held as (
   select counted.n, k.position, i.entity_id from counted
   cross join lateral (select position from match.key where token = counted.token and not counted.generic) k
   join identity.link i on i.position = k.position),
 listing as (
   select l.listing_id, l.entity_id, l.code, (select r.reason from access.reason_code r
     where r.code = l.code and r.version <= l.codes_version order by r.version desc limit 1) as reason, l.tier, l.status, l.effective_at, l.expires_at, l.position
   from (select distinct entity_id from held) e
   cross join lateral (select * from view.listing l where l.entity_id = e.entity_id
     and l.stands and l.tier > 0 and l.expires_at > now() and ($4::text[] is null or l.kind = any($4))) l),
 listed as (
   select h.entity_id, array_agg(distinct h.position) as positions, min(h.n) as n from held h
   where h.entity_id in (select entity_id from listing) group by h.entity_id order by min(h.n), h.entity_id limit ${ENTITIES_MAX}),
 observed as (
   select o.position, listed.entity_id from listed
   cross join lateral (select i.position from identity.link i where i.entity_id = listed.entity_id
     order by i.position = any(listed.positions) desc, i.position limit ${OBSERVATIONS_MAX}) o)
select
  (select jsonb_agg(k) from (select n, generic, (select count(distinct entity_id) from held where held.n = counted.n) as holders
     from counted) k) as keys,
  (select jsonb_agg(observed) from observed) as observed,
  (select jsonb_agg(l) from (select * from listing where entity_id in (select entity_id from listed)
     order by position limit ${LISTINGS_MAX}) l) as listings,
  (select jsonb_agg(d) from (select i.entity_id, d.grade from screening.decision d
     join identity.link i on i.position = any(d.positions) where d.member = $2 and d.said = $3) d) as decided`;

/** The reason behind a code, as notices tell it. */
function reasonOf({ code, reason }: ListingRow): NoticeReason {
  const { labelZh, labelEn, legalBasis } = reasonAsListed(code, reason);
  return { code, labelZh, labelEn, legalBasis };
}

/** The entry that protects a victim counts against nobody: it asks for a closer look. */
const PROTECTING = 'V01';

function matchOf(listing: ListingRow, judgement: Judgement, known: Known, applicant: Features): ScreeningMatch {
  const { features } = known;
  const protects = listing.code === PROTECTING;
  const status = NOTICE_STATUSES.find((named) => named === listing.status);
  const { evidence, bits, fields } = judgement;
  const spoken = explainPair({ kind: features.kind, evidence, bits }, { outcome: 'link', rule: 'inBand' }).fields;
  return {
    listingId: listing.listing_id,
    code: listing.code,
    reason: reasonOf(listing),
    tier: listing.tier,
    grade: protects ? 'possible' : judgement.grade,
    fields: protects ? Object.fromEntries(Object.keys(fields).map((field) => [field, 'possible'])) : fields,
    because: spoken.map(({ field, en, zh }) => ({ field, en, zh })),
    values: maskedValues(known, applicant, Object.keys(fields)),
    effectiveAt: toBeijingTime(new Date(listing.effective_at)),
    expiresAt: toBeijingTime(new Date(listing.expires_at)),
    ...(status && { status }),
  };
}

interface Known extends Observed {
  identity: Identity;
}

async function open(db: Pool | ClientBase, index: MatchIndex, vault: Vault, found: Found): Promise<Known[]> {
  const observed = found.observed ?? [];
  const entries = await vault.openEntries(
    db,
    observed.map(({ position }) => position),
  );
  return observed.flatMap(({ position, entity_id: entityId }) => {
    const entry = entries.get(position);
    if (!entry) return [];
    const features = index.matcher.features(recordOf({ position, ...entry }, entry.data));
    return [{ position, entityId, features, identity: entry.data.identity }];
  });
}

/** What a platform found to be somebody else it isn't shown again, unless more speaks for it than it did then. */
const isDecided = ({ entityId, grade }: Judgement, { decided }: Found): boolean =>
  (decided ?? []).some((decision) => decision.entity_id === entityId && !isSurer(grade, decision.grade));

/**
 * The listings in force that an applicant may fall under, by the matcher of reconciliation; `exact` and `strong` only by an
 * official identifier or two strong ones (rule P14), among subjects of the given kinds. Two statements, whether anything is found or nothing is (rule P18).
 */
export async function screen(
  db: Pool | ClientBase,
  index: MatchIndex,
  vault: Vault,
  generation: Generation,
  { member, said, features }: Inquiry,
  kinds?: readonly SubjectKind[],
): Promise<ScreeningMatch[]> {
  const { matcher } = index;
  const keys = matcher.keys(features);
  const { rows } = await prepared<Found>(db, FIND, [
    index.tokens(keys, generation),
    member,
    said,
    kinds ?? null,
    keys.map(({ kind }) => matcher.recordsMaxOf(kind)),
  ]);
  const found = rows[0] as Found;
  const known = await open(db, index, vault, found);
  const counts = new Map((found.keys ?? []).map((row) => [textOf(keys[row.n - 1] as Key), row]));
  const holders = (key: Key): number => {
    const count = counts.get(textOf(key));
    return count?.generic ? Number.POSITIVE_INFINITY : Math.max(1, count?.holders ?? 1);
  };
  const generic = keys.filter((key) => holders(key) >= matcher.capOf(key.kind)).map(textOf);
  const reached = reachedBy(keys.map(textOf), generic, matcher.keys.bind(matcher));
  const judged = judge(matcher, features, known, holders).filter(
    (judgement) => !isDecided(judgement, found) && reached(known, judgement.entityId),
  );
  return judged.flatMap((judgement) => {
    const of = known.find(({ position }) => position === judgement.position) as Known;
    return (found.listings ?? [])
      .filter((listing) => listing.entity_id === judgement.entityId)
      .map((listing) => matchOf(listing, judgement, of, features));
  });
}

const textOf = ({ kind, value }: Key): string => `${kind}:${value}`;

/** A generic key finds nobody: whether an entity was found by any other. */
const reachedBy =
  (keys: readonly string[], generic: readonly string[], keysOf: (features: Features) => Key[]) =>
  (known: readonly Known[], entityId: string): boolean => {
    if (generic.length === 0) return true;
    const telling = new Set(keys.filter((key) => !generic.includes(key)));
    return known.some(
      (one) => one.entityId === entityId && keysOf(one.features).some((key) => telling.has(textOf(key))),
    );
  };

/** Listed only where it is sure; else somebody has to look, where there is anything to look at. */
export const resultOf = (matches: readonly { grade: MatchGrade }[]): 'clear' | 'possible' | 'listed' => {
  if (matches.some(({ grade }) => grade !== 'possible')) return 'listed';
  return matches.length > 0 ? 'possible' : 'clear';
};
