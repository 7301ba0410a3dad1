import { ACCESS_RIDER } from '@liandun/views';
import {
  decideMembership,
  evolveMembership,
  initialMembership,
  type DecideApproval,
  type Membership,
  type MembershipEvent,
  type RequestChange,
} from '@liandun/domain';
import { deciderHandlers, type LedgerDecider } from './decider-handlers.js';

interface MembershipCommand {
  approvalId: string;
  /** Whom the change is about. */
  memberId: string;
  command: RequestChange | DecideApproval;
}

export class RequestMembershipChange implements MembershipCommand {
  constructor(
    readonly approvalId: string,
    readonly memberId: string,
    readonly command: RequestChange,
  ) {}
}

export class DecideMembershipApproval implements MembershipCommand {
  constructor(
    readonly approvalId: string,
    readonly memberId: string,
    readonly command: DecideApproval,
  ) {}
}

const membership: LedgerDecider<MembershipCommand, Membership, MembershipEvent> = {
  initialState: initialMembership,
  decide: ({ command }, state) => decideMembership(command, state),
  evolve: evolveMembership,
  streams: ({ memberId, approvalId }) => [`member/${memberId}`, `approval/${approvalId}`],
  streamOf: ({ type }, { memberId, approvalId }) =>
    type.startsWith('liandun.approval.') ? `approval/${approvalId}` : `member/${memberId}`,
  commandId: ({ approvalId, command }) => `approval:${approvalId}:${command.kind}`,
  riders: ({ type, data }) => ({ [ACCESS_RIDER]: { type, data } }),
};

export const membershipHandlers = deciderHandlers(membership, [RequestMembershipChange, DecideMembershipApproval]);
