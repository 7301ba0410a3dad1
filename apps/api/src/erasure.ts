import {
  decideErasure,
  evolveApproval,
  type Approval,
  type DecideErasure,
  type ErasureEvent,
  type RequestErasure,
} from '@liandun/domain';
import { ERASURE_RIDER, type ErasureRow, type SealedPerson } from '@liandun/vault';
import { ACCESS_RIDER } from '@liandun/views';
import { deciderHandlers, type LedgerDecider } from './decider-handlers.js';

interface ErasureCommand {
  approvalId: string;
  command: RequestErasure | DecideErasure;
  /** Whom a request is about. */
  person?: SealedPerson;
  /** Those of the positions that are an organization's. */
  organizations?: ReadonlySet<number>;
  /** Screenings about the person. */
  inquiries?: readonly string[];
}

export class RequestErasureOf implements ErasureCommand {
  constructor(
    readonly approvalId: string,
    readonly command: RequestErasure,
    readonly person: SealedPerson,
  ) {}
}

export class DecideErasureOf implements ErasureCommand {
  constructor(
    readonly approvalId: string,
    readonly command: DecideErasure,
    readonly organizations: ReadonlySet<number>,
    readonly inquiries: readonly string[],
  ) {}
}

/** What an event of an erasure does to the vault in its own transaction. */
function vaultStep(
  { type, data }: ErasureEvent,
  { approvalId, person, organizations, inquiries = [] }: ErasureCommand,
): ErasureRow {
  if (type === 'liandun.subject.erased.v1') {
    const { positions, asRepresentative } = data;
    const own = positions.filter((position) => organizations?.has(position));
    return { step: 'erased', positions, asRepresentative, organizations: own, inquiries: [...inquiries] };
  }
  return person ? { step: 'requested', erasureId: approvalId, ...person } : { step: 'decided', erasureId: approvalId };
}

const erasure: LedgerDecider<ErasureCommand, Approval, ErasureEvent> = {
  initialState: { status: 'unknown' },
  decide: ({ command }, state) => decideErasure(command, state),
  evolve: evolveApproval,
  streams: ({ approvalId }) => [`approval/${approvalId}`],
  streamOf: ({ type }, { approvalId }) =>
    type === 'liandun.subject.erased.v1' ? `erasure/${approvalId}` : `approval/${approvalId}`,
  commandId: ({ approvalId, command }) => `approval:${approvalId}:${command.kind}`,
  riders: (event, command) => ({
    ...(event.type.startsWith('liandun.approval.') ? { [ACCESS_RIDER]: { type: event.type, data: event.data } } : {}),
    [ERASURE_RIDER]: vaultStep(event, command),
  }),
};

export const erasureHandlers = deciderHandlers(erasure, [RequestErasureOf, DecideErasureOf]);
