import {
  decideErasure,
  evolveApproval,
  type Approval,
  type DecideErasure,
  type ErasureEvent,
  type RequestErasure,
} from '@liandun/domain';
import { ERASURE_RIDER, type ErasureRow, type Token } from '@liandun/vault';
import { ACCESS_RIDER } from '@liandun/views';
import { deciderHandlers, type LedgerDecider } from './decider-handlers.js';

interface ErasureCommand {
  approvalId: string;
  command: RequestErasure | DecideErasure;
  /** Whom a request is about. */
  tokens: Token[];
}

export class RequestErasureOf implements ErasureCommand {
  constructor(
    readonly approvalId: string,
    readonly command: RequestErasure,
    readonly tokens: Token[],
  ) {}
}

export class DecideErasureOf implements ErasureCommand {
  readonly tokens: Token[] = [];
  constructor(
    readonly approvalId: string,
    readonly command: DecideErasure,
  ) {}
}

/** What an event of an erasure does to the vault in its own transaction. */
export function vaultStep({ type, data }: ErasureEvent, tokens: Token[] = []): ErasureRow {
  if (type === 'liandun.subject.erased.v1') {
    const { positions, asRepresentative } = data;
    return { step: 'erased', positions, asRepresentative };
  }
  const { approvalId: erasureId } = data as { approvalId: string };
  return type === 'liandun.approval.requested.v1'
    ? { step: 'requested', erasureId, tokens }
    : { step: 'decided', erasureId };
}

const erasure: LedgerDecider<ErasureCommand, Approval, ErasureEvent> = {
  initialState: { status: 'unknown' },
  decide: ({ command }, state) => decideErasure(command, state),
  evolve: evolveApproval,
  streams: ({ approvalId }) => [`approval/${approvalId}`],
  streamOf: ({ type }, { approvalId }) =>
    type === 'liandun.subject.erased.v1' ? `erasure/${approvalId}` : `approval/${approvalId}`,
  commandId: ({ approvalId, command }) => `approval:${approvalId}:${command.kind}`,
  riders: (event, { tokens }) => ({
    ...(event.type.startsWith('liandun.approval.') ? { [ACCESS_RIDER]: { type: event.type, data: event.data } } : {}),
    [ERASURE_RIDER]: vaultStep(event, tokens),
  }),
};

export const erasureHandlers = deciderHandlers(erasure, [RequestErasureOf, DecideErasureOf]);
