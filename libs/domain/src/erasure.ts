// Who may have a person forgotten: whoever asks, and a second person (rule P20).
import type { ApprovalDecided, ApprovalRequested, ErasureChange, ProblemCode, SubjectErased } from '@liandun/contracts';
import type { Approval } from './membership.js';

export interface RequestErasure {
  kind: 'requestErasure';
  approvalId: string;
  change: ErasureChange;
  requestedBy: string;
}

export interface DecideErasure {
  kind: 'decideErasure';
  decision: 'approve' | 'refuse';
  decidedBy: string;
  /** What is found of the person now, in as many parts as entries of the log are needed for it; one at least. */
  found: Pick<SubjectErased, 'positions' | 'asRepresentative' | 'keptOrganizations'>[];
}

export type ErasureEvent =
  | { type: 'liandun.approval.requested.v1'; data: ApprovalRequested }
  | { type: 'liandun.approval.granted.v1' | 'liandun.approval.refused.v1'; data: ApprovalDecided }
  | { type: 'liandun.subject.erased.v1'; data: SubjectErased };

export type ErasureRefusal = Extract<ProblemCode, 'APPROVAL_NOT_FOUND' | 'APPROVAL_DECIDED' | 'SECOND_PERSON_NEEDED'>;

/** What a request to erase a person, or a second person's decision on it, leads to. */
export function decideErasure(
  command: RequestErasure | DecideErasure,
  approval: Approval,
): { events: ErasureEvent[] } | { refused: ErasureRefusal } {
  if (command.kind === 'requestErasure') {
    const { approvalId, change, requestedBy } = command;
    if (approval.status !== 'unknown') return { refused: 'APPROVAL_DECIDED' };
    return { events: [{ type: 'liandun.approval.requested.v1', data: { approvalId, change, requestedBy } }] };
  }
  if (approval.status === 'unknown' || approval.change.action !== 'erase') return { refused: 'APPROVAL_NOT_FOUND' };
  if (approval.status !== 'pending') return { refused: 'APPROVAL_DECIDED' };
  const { approvalId, change, requestedBy } = approval;
  const { decision, decidedBy, found } = command;
  if (requestedBy === decidedBy) return { refused: 'SECOND_PERSON_NEEDED' };
  const data = { approvalId, decidedBy };
  if (decision === 'refuse') return { events: [{ type: 'liandun.approval.refused.v1', data }] };
  const erased = { erasureId: approvalId, basis: change.basis, requestedBy, approvedBy: decidedBy };
  return {
    events: [
      { type: 'liandun.approval.granted.v1', data },
      ...found.map((part) => ({ type: 'liandun.subject.erased.v1' as const, data: { ...erased, ...part } })),
    ],
  };
}
