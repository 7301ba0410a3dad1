// What the log holds of a member's cases: the entries of a stream, and the official endings and decisions that bear on them.
import {
  decisionKey,
  EVENT_TYPES,
  listingIdOf,
  SUBMITTED_TYPES,
  type CaseHeld,
  type ReasonCodeHistory,
} from '@liandun/contracts';
import { foldCases, type CaseEvent, type Cases } from '@liandun/domain';
import type { EventLog, StoredEvent } from '@liandun/event-log';

/** The part of the event log that intake reads: what the sender itself may see is enough. */
export type IntakeReads = Pick<EventLog, 'find' | 'fingerprintOf' | 'at' | 'readStream' | 'streamVersion'>;

/** The table of reason codes as the process knows it. */
export interface CodesInForce {
  readonly history: ReasonCodeHistory;
  /** Looks whether it has changed, unless it did a moment ago. */
  refresh(): Promise<void>;
}

const STREAM_PAGE_EVENTS = 1_000;

/** What a member files against a merchant or risk entity. */
export const CASE_TYPES = new Set<string>([SUBMITTED_TYPES.merchantDelisted, SUBMITTED_TYPES.riskEntityReported]);
/** What makes a listing: a case, or a register's entry. */
export const LISTING_TYPES = new Set<string>([
  SUBMITTED_TYPES.merchantDelisted,
  SUBMITTED_TYPES.riskEntityReported,
  SUBMITTED_TYPES.registryListed,
]);

/** The tier of a reason code, as it was at a position of the log; 0 for one that isn't in the table. */
export const tierIn =
  ({ history }: Pick<CodesInForce, 'history'>) =>
  (code: string, position = Infinity): number =>
    history.at(position).codes.get(code)?.tier ?? 0;

/** Where it stands what a second person decided of a member's waiting cases. */
export const floodStream = (memberId: string): string => `floods/${memberId}`;

/** Where it stands what authorities did about a decision of theirs, by its key. */
export const decisionStream = (decision: string): string => `decision/${decision}`;

/** The key of the official decision that an entry or submission names; its number is public. */
export function decisionOf({ data }: { data: unknown }): string | undefined {
  const { proof, decisionNo } = data as { proof?: { decisionNo?: string }; decisionNo?: string };
  const named = decisionNo ?? proof?.decisionNo;
  return named === undefined ? undefined : decisionKey(named);
}

/** A whole stream, and the version that a decision on it rests on; -1 where there is none. */
export async function allOf(reads: IntakeReads, stream: string): Promise<{ events: StoredEvent[]; version: number }> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await reads.readStream(stream, {
      after: events.at(-1)?.version ?? -1,
      limit: STREAM_PAGE_EVENTS,
    });
    events.push(...page);
    if (page.length < STREAM_PAGE_EVENTS) break;
  }
  return { events, version: events.at(-1)?.version ?? -1 };
}

function toCaseEvent(event: StoredEvent): CaseEvent {
  const decision = decisionOf(event);
  return {
    id: event.id,
    type: event.type,
    data: event.data,
    position: event.position,
    ...(LISTING_TYPES.has(event.type) && { listingId: listingIdOf(event) }),
    ...(decision !== undefined && { decision }),
  };
}

/** The cases of one stream with what official endings have done to them, and the stream's version. */
export async function casesIn(
  reads: IntakeReads,
  stream: string,
  codes: Pick<CodesInForce, 'history'>,
): Promise<{ cases: Cases; version: number }> {
  const { events, version } = await allOf(reads, stream);
  const own = events.map(toCaseEvent);
  const decisions = new Set(own.flatMap(({ type, decision }) => (CASE_TYPES.has(type) && decision ? [decision] : [])));
  const endings = await Promise.all([...decisions].map((decision) => allOf(reads, decisionStream(decision))));
  const ended = endings.flatMap((one) => one.events.map(toCaseEvent));
  const flooded = own.find(({ type }) => type === EVENT_TYPES.caseHeld)?.data as CaseHeld | undefined;
  const floods = flooded ? (await allOf(reads, floodStream(flooded.memberId))).events.map(toCaseEvent) : [];
  return { cases: foldCases([...own, ...floods, ...ended], tierIn(codes)), version };
}

/** What a stream holds that isn't there. */
export const NOTHING: { cases: Cases; version: number } = { cases: new Map(), version: -1 };
