import {
  EVENT_TYPES,
  type EntityLinked,
  type EntityMerged,
  type EntityRelated,
  type EntitySplit,
  type EntityUnrelated,
  type MatcherActivated,
  type RelationRef,
  type SubjectErased,
} from '@liandun/contracts';
import { EventLog, type NewEvent, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import {
  firstGeneration,
  letGo,
  liveGenerations,
  matchingAlone,
  nextToJudge,
  prepareMatching,
  settle,
  type MatchIndex,
  type Settled,
} from '@liandun/matching';
import { foldDecisions, foldLinks, foldRelations, forgetRelations, isReview } from '@liandun/views';
import type { ClientBase } from 'pg';
import { OBSERVATION_TYPES, partitionKeys } from './notify.js';
import { outcomeEvent } from './outcome.js';

const OBSERVATIONS = new Set(OBSERVATION_TYPES);
const IDENTITY = 'identity';

type Decided =
  | { type: typeof EVENT_TYPES.entityLinked; data: EntityLinked }
  | { type: typeof EVENT_TYPES.entityMerged; data: EntityMerged }
  | { type: typeof EVENT_TYPES.entitySplit; data: EntitySplit }
  | { type: typeof EVENT_TYPES.entityRelated; data: EntityRelated }
  | { type: typeof EVENT_TYPES.entityUnrelated; data: EntityUnrelated };

/** The outcomes as events. Splits and merges of a batch are numbered; a link is one for each observation. */
function eventsOf(decided: readonly Decided[], { batch, last }: Pick<Judged, 'batch' | 'last'>): NewEvent[] {
  return decided.map(({ type, data }, n) => {
    const id = 'observation' in data ? `reconcile:${data.observation}:0` : `reconcile:${batch}:r${n}`;
    return outcomeEvent(id, type, { time: last.acceptedAt, stream: `entity/${data.entityId}`, data });
  });
}

/** Relations that were found or are gone, each with the entity of its later observation. */
function relationEvents(
  { related, unrelated, entityOf }: Settled['relations'],
  rest: { matcher: string; cause: number },
): Decided[] {
  const of = ({ from, to }: RelationRef): string => entityOf(Math.max(from, to)) ?? entityOf(Math.min(from, to)) ?? '';
  return [
    ...[...Map.groupBy(unrelated, of)].map(([entityId, relations]) => ({
      type: EVENT_TYPES.entityUnrelated,
      data: { entityId, relations, ...rest },
    })),
    ...[...Map.groupBy(related, of)].map(([entityId, relations]) => ({
      type: EVENT_TYPES.entityRelated,
      data: { entityId, relations, ...rest },
    })),
  ];
}

/** What is judged: new observations, and old ones of which a person decided. */
interface Judged {
  observations: StoredEvent[];
  again: number[];
  /** What a regrouping follows from where it isn't an observation. */
  decidedAt: number;
  /** Unlike that of any other batch. */
  batch: string;
  last: Pick<StoredEvent, 'position' | 'acceptedAt'>;
}

/** Judges a batch and what it touches, appends what follows, and keeps where everything stands. */
async function decide(client: ClientBase, log: EventLog, index: MatchIndex, judged: Judged): Promise<void> {
  const { observations, again, decidedAt } = judged;
  const generations = await liveGenerations(client);
  const { splits, merges, linked, relations } = await settle(client, index, generations, observations, again);
  const matcher = index.matcher.version;
  const at = (cause: number): number => (cause < 0 ? decidedAt : cause);
  const decided: Decided[] = [
    ...splits.map((data) => ({ type: EVENT_TYPES.entitySplit, data: { ...data, cause: at(data.cause), matcher } })),
    ...merges.map((data) => ({ type: EVENT_TYPES.entityMerged, data: { ...data, cause: at(data.cause), matcher } })),
    ...linked.map((data) => ({ type: EVENT_TYPES.entityLinked, data: { ...data, matcher } })),
    ...relationEvents(relations, { matcher, cause: at(relations.cause) }),
  ];
  if (decided.length === 0) return;
  const kinds = new Map(observations.map(({ position, data }) => [position, data.identity.kind as string]));
  const [outcomes] = await Promise.all([
    log.appendIn(
      client,
      eventsOf(decided, judged).map((event) => ({ events: [event] })),
    ),
    foldLinks(client, IDENTITY, {
      linked: linked.map((link) => ({ ...link, matcher, kind: kinds.get(link.observation) ?? '' })),
      moved: [...splits, ...merges].map(({ links }) => links),
    }),
    foldRelations(client, IDENTITY, relations),
  ]);
  const failed = outcomes.find(({ status }) => status !== 'appended');
  if (failed) throw new Error(`an outcome of matching could not be appended: ${failed.status}`);
}

/**
 * The reader that says who each observation is: one `entity.linked` for each entry that carries an identity, and
 * `entity.merged` and `entity.split` where that, or a person's decision, shows that entities are one or several. Outcomes, their index and the
 * checkpoint commit together.
 */
export const reconcileReader = (log: EventLog, index: MatchIndex): ReaderDefinition => ({
  name: 'reconcile',
  batchMax: 500,
  types: [...OBSERVATION_TYPES, EVENT_TYPES.reviewDecided, EVENT_TYPES.reviewUndone, EVENT_TYPES.subjectErased],
  keysOf: partitionKeys,
  prepare: (pool, events) =>
    prepareMatching(
      index,
      pool,
      events.filter(({ type }) => OBSERVATIONS.has(type)),
    ),
  overtaken: (events) => {
    for (const event of events) if (event.type === EVENT_TYPES.subjectErased) index.forget(erasedIn(event));
  },
  async handle(client, events) {
    const last = events.at(-1);
    if (!last) return;
    await Promise.all([matchingAlone(client), firstGeneration(client, index)]);
    const observations = events.filter((event) => OBSERVATIONS.has(event.type));
    const again = await foldDecisions(client, IDENTITY, events);
    const decidedAt = (events.findLast(isReview) ?? last).position;
    if (observations.length > 0 || again.length > 0)
      await decide(client, log, index, { observations, again, decidedAt, batch: String(last.position), last });
    const erased = events.filter((event) => event.type === EVENT_TYPES.subjectErased);
    for (const event of erased) {
      await letGo(client, index, await liveGenerations(client), erasedIn(event));
      await forgetRelations(client, IDENTITY, event.data as SubjectErased);
    }
  },
});

/** The positions of what an erasure took values from. */
function erasedIn({ data }: StoredEvent): number[] {
  const { positions, asRepresentative } = data as SubjectErased;
  return [...positions, ...asRepresentative];
}

const JUDGED_AGAIN_AT_ONCE = 200;

/**
 * Judges the next observations again after another matcher or key was activated, in the client's transaction, and appends the
 * difference. Answers how many there were.
 * @param activated the entry from which that follows
 */
export async function judgeAgain(
  client: ClientBase,
  log: EventLog,
  index: MatchIndex,
  activated: Pick<StoredEvent, 'position' | 'acceptedAt'>,
): Promise<number> {
  const { generation, positions: again } = await nextToJudge(client, JUDGED_AGAIN_AT_ONCE);
  const batch = `generation${generation}:${again[0] ?? 0}`;
  const decidedAt = activated.position;
  if (again.length > 0)
    await decide(client, log, index, { observations: [], again, decidedAt, batch, last: activated });
  return again.length;
}

/** Records which matcher decides from here on; again with the same matcher changes nothing. */
export async function activateMatcher(
  log: EventLog,
  matcher: string,
  now: string,
): Promise<Pick<StoredEvent, 'position' | 'acceptedAt'>> {
  const activated: MatcherActivated = { matcher };
  const id = `reconcile:activated:${matcher}`;
  const event = outcomeEvent(id, EVENT_TYPES.matcherActivated, { time: now, stream: 'matcher', data: activated });
  const appended = await log.append({ events: [event] });
  const receipt = 'receipts' in appended ? appended.receipts[0] : undefined;
  if (!receipt) throw new Error(`the matcher could not be activated: ${appended.status}`);
  return receipt;
}
