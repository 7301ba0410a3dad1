import { LedgerError, type OutcomeType, type ProblemCode } from '@liandun/contracts';
import { EventLog, type StoredEvent } from '@liandun/event-log';
import { Inject, type Type } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { LedgerWriter } from './ledger-writer.js';

/** A pure decider of libs/domain with what ties it to the log. */
export interface LedgerDecider<C, S, E extends { type: OutcomeType; data: object }> {
  initialState: S;
  decide(command: C, state: S): { events: E[] } | { refused: ProblemCode };
  evolve(state: S, event: E): S;
  /** The streams that the state is folded from: what is decided holds only if none of them has grown meanwhile. */
  streams(command: C): string[];
  streamOf(event: E, command: C): string;
  /** Makes the events' ids: the same command, handled twice, is stored once. */
  commandId(command: C): string;
  /** What rides with an event in its transaction. */
  riders(event: E, command: C): Record<string, unknown>;
}

const CONFLICT_RETRIES_MAX = 5;
const STREAM_EVENTS_MAX = 10_000;

/** Loads, decides, appends with the versions that it decided on, and decides anew where they have changed. */
async function handle<C, S, E extends { type: OutcomeType; data: object }>(
  decider: LedgerDecider<C, S, E>,
  command: C,
  log: EventLog,
  writer: LedgerWriter,
): Promise<void> {
  for (let attempt = 0; attempt <= CONFLICT_RETRIES_MAX; attempt += 1) {
    const streams = decider.streams(command);
    const histories = await Promise.all(streams.map((stream) => log.readStream(stream, { limit: STREAM_EVENTS_MAX })));
    const toEvent = ({ type, data }: StoredEvent): E => ({ type, data }) as E;
    const state = histories
      .flat()
      .map(toEvent)
      .reduce((before, event) => decider.evolve(before, event), decider.initialState);
    const decision = decider.decide(command, state);
    if ('refused' in decision) throw new LedgerError(decision.refused);
    // It says what stands already.
    if (decision.events.length === 0) return;
    const events = decision.events.map((event, n) =>
      writer.event(
        decider.streamOf(event, command),
        { id: `${decider.commandId(command)}:${n}`, type: event.type, data: event.data },
        decider.riders(event, command),
      ),
    );
    const expected = Object.fromEntries(streams.map((stream, i) => [stream, histories[i]?.at(-1)?.version ?? -1]));
    const outcome = await log.append({ events, expected });
    if (outcome.status === 'appended' || outcome.status === 'duplicate') return;
  }
  throw new LedgerError('VERSION_CONFLICT');
}

/** One handler for each command class of a decider; none is written by hand. */
export function deciderHandlers<C extends object, S, E extends { type: OutcomeType; data: object }>(
  decider: LedgerDecider<C, S, E>,
  commands: Type<C>[],
): Type<ICommandHandler>[] {
  return commands.map((command) => {
    @CommandHandler(command)
    class DeciderHandler {
      constructor(
        @Inject(EventLog) private readonly log: EventLog,
        @Inject(LedgerWriter) private readonly writer: LedgerWriter,
      ) {}

      execute(given: C): Promise<void> {
        return handle(decider, given, this.log, this.writer);
      }
    }
    return DeciderHandler;
  });
}
