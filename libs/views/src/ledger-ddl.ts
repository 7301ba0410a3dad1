import { EVENT_TYPES } from '@liandun/contracts';
import { STANDING } from '@liandun/domain';
import { CALLER, CALLERS_ROLE, SUBJECTS_ENTITIES, wall } from '@liandun/event-log';

const TABLES = `
create schema <schema>;

create table <schema>.receiver (
  member_id text primary key,
  role text not null,
  status text not null,
  joined_position bigint not null,
  -- Its tier 2 findings count as tier 3 (rule P19).
  lowered boolean not null default false,
  subscription jsonb not null,
  -- What its disclosures rest on; null: it is told nothing (rule P16).
  agreement jsonb
);

create table <schema>.entity (
  entity_id text primary key,
  founded_at bigint not null,
  kind text not null,
  name text not null,
  uscc text,
  -- Nothing is left of the person.
  erased boolean not null default false
);

-- One row for each entry that carries an identity.
create table <schema>.observation (
  position bigint primary key,
  member text not null,
  merchant_id text,
  type text not null,
  kind text not null,
  name text not null,
  uscc text,
  shops jsonb not null,
  active boolean not null,
  registry_list text,
  accepted_at timestamptz not null,
  entity_id text,
  because jsonb,
  -- Observations of an entity for which this is equal match exactly, at least strongly.
  same_as bigint,
  strong_as bigint,
  erased boolean not null default false
);
create index on <schema>.observation (entity_id, member);

-- Two observations that may be of one merchant, in both directions. Within one entity it says nothing.
create table <schema>.possible (
  observation bigint not null,
  other bigint not null,
  because jsonb not null,
  position bigint not null,
  primary key (observation, other)
);

-- Two observations that a person told apart, in both directions: nothing that is possible between their entities counts.
create table <schema>.parted (
  observation bigint not null,
  other bigint not null,
  primary key (observation, other)
);

-- Entries besides its link that say where an observation belongs: merges, splits, and what persons decided.
create table <schema>.step (
  observation bigint not null,
  position bigint not null,
  -- The entity that it was of until then.
  entity_id text not null,
  primary key (observation, position)
);
create index on <schema>.step (entity_id, observation);

-- A member's account of a merchant as it was last reported.
create table <schema>.hosting (
  member text not null,
  merchant_id text not null,
  entity_id text not null,
  active boolean not null,
  shops jsonb not null,
  because jsonb not null,
  same_as bigint not null,
  strong_as bigint not null,
  observed_at bigint not null,
  linked_at bigint not null,
  primary key (member, merchant_id)
);
create index on <schema>.hosting (entity_id);
create index on <schema>.hosting (linked_at);

create table <schema>.listing (
  listing_id text primary key,
  position bigint not null unique,
  source_member text not null,
  source_event_id text not null,
  origin text not null,
  merchant_id text,
  registry_list text,
  decision_no text,
  entity_id text,
  kind text not null,
  streamer boolean not null,
  code text not null,
  -- Of the table of reason codes that was in force when it was listed.
  codes_version int not null,
  tier int not null,
  official boolean not null,
  orders_stop boolean not null,
  -- Its subject used a stolen identity, whose owner is protected.
  victim boolean not null default false,
  status text not null,
  -- Whether it counts against its subject, as far as its state goes.
  stands boolean not null generated always as (status in (${STANDING.map((state) => `'${state}'`).join(', ')})) stored,
  -- The opaque id of the person who decided on it, at its source: he decides on no appeal against it (rule P08).
  decided_by text not null,
  -- What a held one waits for: that its subject is heard (rule P06), and that a second person lets it out (rule P21).
  hearing boolean not null default false,
  flood boolean not null default false,
  effective_at timestamptz not null,
  expires_at timestamptz not null,
  accepted_at timestamptz not null,
  -- The position at which it was both published and linked, so that members were told.
  due_at bigint,
  -- The position at which it came to another entity, or its entity's credit code became known.
  moved_at bigint,
  -- The position at which its mark changed, or a stay suspended it (rule P07).
  marked_at bigint,
  -- When a held case is published unless it was heard before; null while that is not set, or paused.
  held_until timestamptz,
  -- How that was counted.
  hold jsonb,
  -- The position at which a held case was heard.
  heard_at bigint,
  -- Others are told of it before its subject is: its publisher tells that the same day, and says so (rule P06). When, as it says; the
  -- positions at which it said so, and was reminded.
  told_at_once boolean not null default false,
  subject_told timestamptz,
  notified_at bigint,
  tell_reminded_at bigint,
  ended_at bigint,
  cause text,
  -- The position at which it was found to be filed in bad faith (rule P19).
  malicious_at bigint
);
create index on <schema>.listing (entity_id);
create index on <schema>.listing (source_member, source_event_id);
create index on <schema>.listing (source_member, merchant_id);
create index on <schema>.listing (decision_no) where decision_no is not null;
create index on <schema>.listing (due_at);
create index on <schema>.listing (moved_at) where moved_at is not null;
create index on <schema>.listing (ended_at);
create index on <schema>.listing (malicious_at) where malicious_at is not null;
create index on <schema>.listing (marked_at) where marked_at is not null;
create index on <schema>.listing (heard_at) where heard_at is not null;
create index on <schema>.listing (notified_at) where notified_at is not null;
-- What the clock looks for.
create index on <schema>.listing (held_until, position) where status = 'held';
create index on <schema>.listing (expires_at, position) where ended_at is null;

create index on <schema>.listing (effective_at) where told_at_once;

create index on <schema>.listing (source_member, position) where flood;

-- Cases over their publishers' limits: each is here before its own entry is folded.
create table <schema>.flood (
  member text not null,
  case_id text not null,
  position bigint not null,
  primary key (member, case_id)
);

-- Appeals against listings. The texts are in the vault alone.
create table <schema>.appeal (
  appeal_id text primary key,
  -- Of its filing.
  position bigint not null unique,
  listing_id text not null,
  grounds text not null,
  proved text not null,
  filed_at timestamptz not null,
  -- Who decided on the listing.
  publisher text not null,
  decider text not null,
  -- When it is decided, or the listing is stayed; null while that is paused. And how that was counted.
  due timestamptz,
  deadline jsonb,
  -- The positions of the stay and of the decision.
  stayed_at bigint,
  concluded_at bigint,
  decision text,
  -- Who decided on the appeal: a person at a member, never the listing's decider (rule P08).
  decided_by text,
  reviewing_member text,
  decided_at timestamptz,
  constraint reviewer_is_not_decider check ((reviewing_member, decided_by) is distinct from (publisher, decider)),
  check ((decision is null) = (decided_by is null) and (decision is null) = (reviewing_member is null))
);
-- One open appeal at a time.
create unique index on <schema>.appeal (listing_id) where decision is null;
create index on <schema>.appeal (listing_id, position);
create index on <schema>.appeal (due, position) where decision is null;

create table <schema>.told (
  listing_id text not null,
  member text not null,
  merchants jsonb not null,
  shops jsonb not null,
  because jsonb not null,
  -- The credit code under which it was told.
  uscc text,
  -- The listing's state as it was told last, where it was marked.
  status text,
  -- The end that it was told last: a correction makes it earlier.
  expires_at timestamptz not null,
  ended boolean not null,
  primary key (listing_id, member)
  -- That it ended fits into its own page.
) with (fillfactor = 85);
create index on <schema>.told (member);

create table <schema>.notice (
  notice_id text primary key,
  member text not null,
  seq bigint not null,
  action text not null,
  listing_id text not null,
  entity_id text not null,
  merchant_ids jsonb not null,
  position bigint not null,
  issued_at timestamptz not null,
  respond_by timestamptz not null,
  -- Its person was erased since, and its receiver told so.
  erased boolean not null default false
);
create index on <schema>.notice (listing_id);
-- Those that ask a platform for something.
create index on <schema>.notice (respond_by) where merchant_ids <> '[]';
-- Reopenings that their platforms say nothing of.
create index on <schema>.notice (issued_at) where action = 'reopen';
create index on <schema>.notice (entity_id);

create table <schema>.disposition (
  position bigint primary key,
  notice_id text not null,
  member text not null,
  decision text not null,
  reason_code text,
  open_orders text,
  shops jsonb not null,
  decided_at timestamptz not null,
  decided_by text not null,
  accepted_at timestamptz not null
);
create index on <schema>.disposition (notice_id);

-- Who and what each entry is about, for the regulators' audit.
create table <schema>.audit (
  position bigint not null,
  member text not null,
  type text not null,
  entity_id text,
  -- The position of the observation that an outcome is about which names no entity: what was said, appealed or set of it.
  about bigint,
  accepted_at timestamptz not null,
  primary key (position, member)
);
create index on <schema>.audit (about, position) where about is not null;
create index on <schema>.audit (member, position);
create index on <schema>.audit (type, position);
create index on <schema>.audit (entity_id, position);
create index on <schema>.audit (accepted_at);

grant usage on schema <schema> to liandun_worker, liandun_door, liandun_api;
grant select, insert, update, delete on all tables in schema <schema> to liandun_worker;
-- Screening compares with every listing that stands; a feed is redacted by what is erased.
grant select on <schema>.listing to liandun_door;
grant select (entity_id, erased) on <schema>.entity to liandun_door;
-- How many merchants a platform hosts says how much it may ask.
grant select (member, active) on <schema>.hosting to liandun_door;
-- What the public statistics count (rule P20): no text, no member.
grant select (filed_at, decided_at, decision, due, stayed_at) on <schema>.appeal to liandun_door;
grant select (action, issued_at) on <schema>.notice to liandun_door;
grant select (notice_id, decision, accepted_at) on <schema>.disposition to liandun_door;
grant select on <schema>.entity, <schema>.observation, <schema>.possible, <schema>.parted, <schema>.step, <schema>.hosting, <schema>.listing, <schema>.appeal, <schema>.notice, <schema>.disposition,
  <schema>.audit to liandun_api;
`;

/** Of what concerns him a subject sees what was said, decided and told of him: not who of the authorities looked, nor who closed. */
const SEEN_BY_SUBJECT = [
  EVENT_TYPES.merchantReported,
  EVENT_TYPES.merchantDelisted,
  EVENT_TYPES.merchantReinstated,
  EVENT_TYPES.riskEntityReported,
  EVENT_TYPES.riskEntityWithdrawn,
  EVENT_TYPES.caseHeard,
  EVENT_TYPES.caseNotified,
  EVENT_TYPES.registryListed,
  EVENT_TYPES.registryRemoved,
  EVENT_TYPES.listingEnded,
  EVENT_TYPES.entityLinked,
  EVENT_TYPES.caseDeadlineSet,
  EVENT_TYPES.caseReleased,
  EVENT_TYPES.listingExpired,
  EVENT_TYPES.listingOverridden,
  EVENT_TYPES.noticeIssued,
  EVENT_TYPES.subjectStated,
  EVENT_TYPES.appealFiled,
  EVENT_TYPES.appealDecided,
  EVENT_TYPES.appealDeadlineSet,
  EVENT_TYPES.listingStayed,
  EVENT_TYPES.listingMalicious,
]
  .map((type) => `'${type}'`)
  .join(', ');

const OF_SUBJECT = `entity_id = any(${SUBJECTS_ENTITIES})`;

/** Which rows the api sees for a caller. The others are the worker's alone. */
const SEEN: Record<string, string | undefined> = {
  receiver: undefined,
  // A platform sees the merchants that it reported itself.
  entity: `${CALLERS_ROLE} = 'regulator' or exists (select from <schema>.observation o where o.entity_id = entity.entity_id)`,
  // A subject sees what is about him, whoever sent it (rule P17).
  observation: `${CALLERS_ROLE} = 'regulator' or member = ${CALLER} or ${OF_SUBJECT}`,
  // Says who else may be the same.
  possible: `${CALLERS_ROLE} = 'regulator'`,
  parted: `${CALLERS_ROLE} = 'regulator'`,
  // A retired id leads a platform to its own merchant.
  step: `${CALLERS_ROLE} = 'regulator' or exists (select from <schema>.observation o where o.position = step.observation)`,
  // What hangs on a review.
  hosting: `${CALLERS_ROLE} = 'regulator'`,
  // An administrator sees what waits for a second person.
  listing: `${CALLERS_ROLE} = 'regulator' or source_member = ${CALLER} or ${OF_SUBJECT} or (flood and ${CALLERS_ROLE} = 'admin')`,
  flood: undefined,
  appeal: `${CALLERS_ROLE} = 'regulator' or publisher = ${CALLER} or (${CALLERS_ROLE} = 'subject'
    and exists (select from <schema>.listing l where l.listing_id = appeal.listing_id))`,
  told: undefined,
  // Who was told of a listing is for its subject to know.
  notice: `${CALLERS_ROLE} = 'regulator' or member = ${CALLER} or (${CALLERS_ROLE} = 'subject'
    and exists (select from <schema>.listing l where l.listing_id = notice.listing_id))`,
  disposition: `${CALLERS_ROLE} = 'regulator' or member = ${CALLER}`,
  audit: `${CALLERS_ROLE} = 'regulator' or member = ${CALLER} or (${OF_SUBJECT} and type in (${SEEN_BY_SUBJECT}))`,
};
const WALLS = Object.entries(SEEN)
  .map(([table, sees]) => wall(`<schema>.${table}`, sees))
  .join('\n');

/**
 * The tables of the projection `ledger` in the given schema: who hosts whom, what is listed, who was told, what they
 * did, and the index of the audit. No personal value is in them: names of persons are masked.
 */
export const ledgerViewDdl = (schema: string): string => `${TABLES}${WALLS}`.replaceAll('<schema>', schema);
