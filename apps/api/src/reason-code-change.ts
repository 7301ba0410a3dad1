import {
  decideCodes,
  evolveCodes,
  initialCodeChanges,
  type CodeChanges,
  type CodesCommand,
  type CodesEvent,
} from '@liandun/domain';
import { ACCESS_RIDER } from '@liandun/views';
import { deciderHandlers, type LedgerDecider } from './decider-handlers.js';

/** A change of the table of reason codes, or a second person's word on it. */
export class ChangeReasonCodes {
  constructor(
    readonly approvalId: string,
    readonly command: CodesCommand,
  ) {}
}

const STREAM = 'reason-codes';

const codes: LedgerDecider<ChangeReasonCodes, CodeChanges, CodesEvent> = {
  initialState: initialCodeChanges,
  decide: ({ command }, state) => decideCodes(command, state),
  evolve: evolveCodes,
  streams: ({ approvalId }) => [STREAM, `approval/${approvalId}`],
  streamOf: ({ type }, { approvalId }) => (type.startsWith('liandun.approval.') ? `approval/${approvalId}` : STREAM),
  commandId: ({ approvalId, command }) => `codes:${approvalId}:${command.kind}`,
  riders: ({ type, data }) => ({ [ACCESS_RIDER]: { type, data } }),
};

export const reasonCodeHandlers = deciderHandlers(codes, [ChangeReasonCodes]);
