// What regulators are asked about who is who, and what hangs on it. Read in their name: nobody else sees a row.
import {
  EVENT_TYPES,
  LEDGER_SOURCE,
  reviewIdOf,
  toBeijingTime,
  type Because,
  type EntityLinked,
  type MatchGrade,
  type ReviewChange,
  type ReviewDecided,
  type SubjectKind,
} from '@liandun/contracts';
import type { ClientBase, Pool } from 'pg';
import { POSSIBLE } from './fan-out.js';
import { currentEntity } from './queries.js';

// oxlint-disable-next-line typescript/no-explicit-any
type Row = any;

/** One of the two entities that may be one, masked. */
export interface ReviewSide {
  entityId: string;
  kind: SubjectKind;
  name: string;
  uscc?: string;
  observations: number;
  /** Who reported it. */
  members: string[];
}

/** What hangs on a decision. */
export interface AtStake {
  /** Of either entity, in force. */
  listings: number;
  /** Of the strongest of these; absent without one. */
  tier?: number;
  /** Active ones, of the entity that the listing isn't about. */
  accounts: number;
  /** Accounts of these that would be told to close if the two were one, or to reopen if they are one and were two. */
  wouldClose: number;
}

/** A decision that waits for its second person. */
export interface ReviewProposal {
  approvalId: string;
  requestedBy: string;
  change: ReviewChange;
  requestedAt: string;
}

/** The decision that stands between two entities, perhaps made of other observations of theirs. */
export interface StandingDecision extends Omit<ReviewDecided, 'accounts'> {
  decidedAt: string;
}

/** Two observations and the entities that they are of. */
export interface ReviewRow {
  reviewId: string;
  a: number;
  b: number;
  /** The entity of `a`, then that of `b`; the same where they are linked. */
  entities: [ReviewSide, ReviewSide];
  /** Whether something speaks for it that they are one. */
  possible: boolean;
  because: Because[];
  /** What the matcher found of the two observations; absent where it never compared them. */
  evidence?: { rule: string; bits: number };
  atStake: AtStake;
  decided?: StandingDecision;
  proposal?: ReviewProposal;
}

const IN_FORCE = `l.stands and l.tier > 0 and l.expires_at > now()`;

/** A listing that closes at whom it finds the merchant surely (see libs/domain, actionFor). */
const CLOSES = `l.tier < 3 and l.code <> 'V01' and l.origin <> 'registry'
  and not (l.origin = 'riskEntity' and (l.streamer or l.kind = 'person'))`;

/** What hangs on whether the entities `ea` and `eb` of `pair` are one. Accounts that closed count where they would reopen. */
const STAKE = `
  select count(distinct l.listing_id)::int as listings, min(l.tier) as tier,
    count(distinct (h.member, h.merchant_id)) filter (where h.active)::int as accounts,
    count(distinct (h.member, h.merchant_id)) filter (where ${CLOSES} and h.member <> l.source_member)::int as would_close
  from view.listing l
  left join view.hosting h on h.entity_id = case l.entity_id when pair.ea then pair.eb else pair.ea end
    and (h.active or pair.ea = pair.eb)
  where l.entity_id in (pair.ea, pair.eb) and ${IN_FORCE}`;

/** Observations of both entities were decided about, and that stands. */
const DECISIONS_BETWEEN = (ea: string, eb: string): string => `
  select r.* from view.observation x
    join access.review r on (r.a = x.position or r.b = x.position) and not r.undone
      and (r.expires_at is null or r.expires_at > now())
    join view.observation y on y.position = case r.a when x.position then r.b else r.a end
  where x.entity_id = ${ea} and y.entity_id = ${eb}`;

/** Where a page of the queue ends. */
export interface QueueCursor {
  wouldClose: number;
  tier: number;
  a: number;
  b: number;
}

const NO_TIER = 9;
const EDGES_MAX = 5_000;
const BESIDE_MAX = 1_000;

interface PairRow {
  a: number;
  b: number;
  ea: string;
  eb: string;
  stake: AtStake;
}

const toPair = (row: Row): PairRow => ({
  a: Number(row.a),
  b: Number(row.b),
  ea: row.ea,
  eb: row.eb,
  stake: {
    listings: row.listings,
    ...(row.tier === null ? {} : { tier: row.tier }),
    accounts: row.accounts,
    wouldClose: row.would_close,
  },
});

/**
 * The pairs of entities that may be one and that nobody has decided about, by what hangs on it: first where most shops would
 * close, on the strongest tier. A pair is called by the oldest observations that may be the same.
 */
export async function reviewQueue(
  db: ClientBase,
  { after, limit }: { after?: QueueCursor | undefined; limit: number },
): Promise<{ items: ReviewRow[]; next: QueueCursor | null }> {
  const { rows } = await db.query(
    `with pair as materialized (
       select distinct on (least(a.entity_id, b.entity_id), greatest(a.entity_id, b.entity_id))
         a.position as a, b.position as b, a.entity_id as ea, b.entity_id as eb
       from ${POSSIBLE} and p.observation < p.other
       order by least(a.entity_id, b.entity_id), greatest(a.entity_id, b.entity_id), p.observation, p.other)
     select pair.*, s.* from pair cross join lateral (${STAKE}) s
     where ($1::int is null or (-would_close, coalesce(tier, ${NO_TIER}), a, b) > (-$1::int, $2::int, $3::bigint, $4::bigint))
       and not exists (${DECISIONS_BETWEEN('pair.ea', 'pair.eb')})
     order by would_close desc, coalesce(tier, ${NO_TIER}), a, b limit $5`,
    [after?.wouldClose ?? null, after?.tier ?? null, after?.a ?? null, after?.b ?? null, limit],
  );
  const pairs = rows.map(toPair);
  const last = pairs.at(-1);
  const { wouldClose = 0, tier = NO_TIER } = last?.stake ?? {};
  return {
    items: await described(db, pairs),
    next: last && pairs.length === limit ? { wouldClose, tier, a: last.a, b: last.b } : null,
  };
}

/** Two observations, whatever is known of them; undefined where one isn't there, or isn't linked yet. */
export async function reviewOf(db: ClientBase, a: number, b: number): Promise<ReviewRow | undefined> {
  const { rows } = await db.query(
    `with pair as (
       select a.position as a, b.position as b, a.entity_id as ea, b.entity_id as eb
       from view.observation a join view.observation b on b.position = $2
       where a.position = $1 and a.entity_id is not null and b.entity_id is not null)
     select pair.*, s.* from pair cross join lateral (${STAKE}) s`,
    [a, b],
  );
  const [found] = await described(db, rows.map(toPair));
  return found;
}

const SIDES = `select e.entity_id, e.kind, e.name, e.uscc, o.count, o.members from view.entity e cross join lateral (
     select count(*)::int as count, array_agg(distinct member order by member) as members
     from view.observation o where o.entity_id = e.entity_id) o
   where e.entity_id = any($1)`;

/** What is known of an entity, also by an id that it had before: masked, and undefined where there is none. */
export async function entitySide(
  db: ClientBase,
  entityId: string,
): Promise<(ReviewSide & { retiredFrom?: string }) | undefined> {
  const now = await currentEntity(db, entityId);
  const { rows } = await db.query(SIDES, [[now]]);
  return rows[0] && { ...toSide(rows[0]), ...(now !== entityId && { retiredFrom: entityId }) };
}

/** What was decided last of observations of two entities, as far as it stands. */
export async function decisionBetween(
  db: ClientBase,
  one: string,
  other: string,
): Promise<StandingDecision | undefined> {
  const { rows } = await db.query(`${DECISIONS_BETWEEN('$1', '$2')} order by r.position desc limit 1`, [one, other]);
  return rows[0] && toDecision(rows[0]);
}

/** Who reported the observations at these positions. */
export async function reportersOf(db: ClientBase, positions: number[]): Promise<Map<number, string>> {
  const { rows } = await db.query('select position, member from view.observation where position = any($1)', [
    positions,
  ]);
  return new Map(rows.map((row: Row) => [Number(row.position), row.member]));
}

/** The pairs with both entities, what speaks for them, and what persons said. */
async function described(db: ClientBase, pairs: PairRow[]): Promise<ReviewRow[]> {
  if (pairs.length === 0) return [];
  const given = [pairs.map(({ a }) => a), pairs.map(({ b }) => b)];
  const ids = pairs.map(({ a, b }) => reviewIdOf(a, b));
  const [entities, reasons, edges, decisions, proposals] = await Promise.all([
    db.query(SIDES, [pairs.flatMap(({ ea, eb }) => [ea, eb])]),
    db.query(
      `select pair.a, pair.b, jsonb_agg(distinct field) as because from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) pair (ea, eb, a, b)
       join view.observation x on x.entity_id = pair.ea join view.possible p on p.observation = x.position
       join view.observation y on y.position = p.other and y.entity_id = pair.eb
       cross join lateral jsonb_array_elements(p.because) field
       where pair.ea <> pair.eb group by pair.a, pair.b`,
      [pairs.map(({ ea }) => ea), pairs.map(({ eb }) => eb), ...given],
    ),
    db.query(
      `select e.a, e.b, e.rule, e.bits from match.edge e join unnest($1::bigint[], $2::bigint[]) g (a, b) using (a, b)`,
      given,
    ),
    db.query(
      `select pair.a as of_a, pair.b as of_b, d.* from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) pair (ea, eb, a, b)
       cross join lateral (${DECISIONS_BETWEEN('pair.ea', 'pair.eb')}
         order by (r.a = pair.a and r.b = pair.b) desc, r.position desc limit 1) d`,
      [pairs.map(({ ea }) => ea), pairs.map(({ eb }) => eb), ...given],
    ),
    db.query(
      `select approval_id, change, requested_by, requested_at from access.approval
       where status = 'pending' and change ->> 'reviewId' = any($1) order by requested_at`,
      [ids],
    ),
  ]);
  const sides = new Map(entities.rows.map((row: Row) => [row.entity_id, toSide(row)]));
  const at = (rows: Row[]): Map<string, Row> =>
    new Map(rows.map((row) => [reviewIdOf(Number(row.of_a ?? row.a), Number(row.of_b ?? row.b)), row]));
  const [because, evidence, decided] = [at(reasons.rows), at(edges.rows), at(decisions.rows)];
  const proposed = new Map<string, Row>(proposals.rows.map((row: Row) => [row.change.reviewId, row]));
  return pairs.map(({ a, b, ea, eb, stake }) => {
    const reviewId = reviewIdOf(a, b);
    const edge = evidence.get(reviewId);
    const standing = decided.get(reviewId);
    // Of two observations of one entity only what was decided of these two themselves.
    const own = standing && (ea !== eb || standing.review_id === reviewId) ? standing : undefined;
    const proposal = proposed.get(reviewId);
    return {
      reviewId,
      a,
      b,
      entities: [sides.get(ea) as ReviewSide, sides.get(eb) as ReviewSide],
      possible: because.has(reviewId),
      because: because.get(reviewId)?.because ?? [],
      ...(edge && { evidence: { rule: edge.rule, bits: edge.bits } }),
      atStake: stake,
      ...(own && { decided: toDecision(own) }),
      ...(proposal && { proposal: toProposal(proposal) }),
    };
  });
}

const toSide = (row: Row): ReviewSide => ({
  entityId: row.entity_id,
  kind: row.kind,
  name: row.name,
  ...(row.uscc && { uscc: row.uscc }),
  observations: row.count,
  members: row.members,
});

const toDecision = (row: Row): StandingDecision => ({
  reviewId: row.review_id,
  a: Number(row.a),
  b: Number(row.b),
  decision: row.decision,
  ground: row.ground,
  caseNo: row.case_no,
  decidedBy: row.decided_by,
  reviewer: row.reviewer,
  ...(row.approved_by && { approvalId: row.approval_id, approvedBy: row.approved_by }),
  ...(row.approver && { approver: row.approver }),
  ...(row.evidence && { evidence: row.evidence }),
  ...(row.expires_at && { expiresAt: toBeijingTime(row.expires_at) }),
  decidedAt: toBeijingTime(row.decided_at),
});

const toProposal = (row: Row): ReviewProposal => ({
  approvalId: row.approval_id,
  requestedBy: row.requested_by,
  change: row.change,
  requestedAt: toBeijingTime(row.requested_at),
});

/** One thing that was found or decided of where an observation belongs. */
export interface Step {
  position: number;
  at: string;
  type: string;
  /** The entity that the observation was of from then on; absent where a decision alone moves nothing. */
  entityId?: string;
  because?: Because[];
  decision?: string;
  ground?: string;
  reviewId?: string;
  reviewer?: string;
  /** The second person, where shops would close or reopen. */
  approver?: string;
  evidence?: { sha256: string; mediaType: string }[];
}

/** How observations came to be where they are, each in the order of the log: linked, merged, split, decided, undone. */
export async function stepsOf(db: ClientBase, observations: number[]): Promise<Map<number, Step[]>> {
  const { rows } = await db.query(
    `select s.observation, s.position from view.step s where s.observation = any($1)
     union
     select o, i.position from unnest($1::bigint[]) o
       join log.event_id i on i.source = $2 and i.id = 'reconcile:' || o || ':0'
     order by 1, 2`,
    [observations, LEDGER_SOURCE],
  );
  const entries = await db.query(
    "select position, type, accepted_at, entry::jsonb -> 'data' as data from log.entry where position = any($1)",
    [[...new Set(rows.map((row: Row) => row.position))]],
  );
  const byPosition = new Map<string, Row>(entries.rows.map((row: Row) => [row.position, row]));
  const steps = new Map<number, Step[]>();
  for (const { observation, position } of rows) {
    const entry = byPosition.get(position);
    if (!entry) continue;
    const of = Number(observation);
    steps.set(of, [...(steps.get(of) ?? []), toStep(of, entry)]);
  }
  return steps;
}

function toStep(observation: number, { position, type, accepted_at, data }: Row): Step {
  const step = { position: Number(position), at: toBeijingTime(accepted_at), type };
  if (type === EVENT_TYPES.reviewDecided || type === EVENT_TYPES.reviewUndone) {
    const { reviewId, decision, ground, reviewer, approver, evidence } = data as ReviewDecided;
    return {
      ...step,
      reviewId,
      decision,
      ground,
      reviewer,
      ...(approver && { approver }),
      ...(evidence && { evidence }),
    };
  }
  const links: EntityLinked[] = data.links ?? [data];
  const link = links.find((one) => one.observation === observation);
  return { ...step, ...(link && { entityId: link.entityId, because: link.because }) };
}

/** What the matcher found of two observations: levels and weights, no value. */
export interface StoredEdge {
  a: number;
  b: number;
  outcome: 'link' | 'review';
  grade?: MatchGrade;
  rule: string;
  bits: number;
  evidence: object[];
}

/** What was found between the given observations, the surest first. */
export async function edgesAmong(db: ClientBase, observations: number[]): Promise<StoredEdge[]> {
  const { rows } = await db.query(
    `select a, b, outcome, grade, rule, bits, evidence from match.edge
     where a = any($1) and b = any($1) and outcome <> 'apart'
     order by bits desc, a, b limit ${EDGES_MAX}`,
    [observations],
  );
  return rows.map((row: Row) => ({
    a: Number(row.a),
    b: Number(row.b),
    outcome: row.outcome,
    ...(row.grade && { grade: row.grade }),
    rule: row.rule,
    bits: row.bits,
    evidence: row.evidence,
  }));
}

/** The observations of the entities of these ones. */
export async function observationsBeside(db: ClientBase, observations: number[]): Promise<number[]> {
  const { rows } = await db.query<{ position: string }>(
    `select position from view.observation
     where entity_id in (select entity_id from view.observation where position = any($1)) order by position limit ${BESIDE_MAX}`,
    [observations],
  );
  return rows.map(({ position }) => Number(position));
}

/**
 * Whether two entities hold two valid official numbers of one kind that contradict each other: no decision makes them one. Sealed
 * numbers are compared by the blind index.
 */
export async function identifiersContradict(pool: Pool, one: string, other: string): Promise<boolean> {
  if (one === other) return false;
  const { rows } = await pool.query(
    `select from vault.token t join identity.link l using (position)
     where l.entity_id in ($1, $2) and (t.kind = 'uscc' or (t.kind = 'residentId' and l.kind = 'person'))
     group by t.kind, t.key_version having count(distinct l.entity_id) = 2 and count(distinct t.token) > 1 limit 1`,
    [one, other],
  );
  return rows.length > 0;
}
