// The table of reason codes changes by two persons (rules P05, P20), one version after the other.
import type {
  ApprovalDecided,
  ApprovalRequested,
  ProblemCode,
  ReasonCodesChange,
  ReasonCodesChanged,
} from '@liandun/contracts';
import { evolveApproval, type Approval } from './membership.js';

/** What stands of the table. */
export interface CodeChanges {
  /** Of the last change; undefined while there was none. */
  version: number | undefined;
  approval: Approval;
}

export const initialCodeChanges: CodeChanges = { version: undefined, approval: { status: 'unknown' } };

export interface ProposeCodes {
  kind: 'proposeCodes';
  approvalId: string;
  change: ReasonCodesChange;
  /** The version that the ledger started with. */
  base: number;
}

/** A second person's word. */
export interface ConcludeCodes {
  kind: 'concludeCodes';
  decision: 'approve' | 'refuse';
  decidedBy: string;
  base: number;
}

export type CodesCommand = ProposeCodes | ConcludeCodes;

export type CodesEvent =
  | { type: 'liandun.reasoncodes.changed.v1'; data: ReasonCodesChanged }
  | { type: 'liandun.approval.requested.v1'; data: ApprovalRequested }
  | { type: 'liandun.approval.granted.v1' | 'liandun.approval.refused.v1'; data: ApprovalDecided };

export type CodesRefusal = Extract<
  ProblemCode,
  'APPROVAL_NOT_FOUND' | 'APPROVAL_DECIDED' | 'SECOND_PERSON_NEEDED' | 'CODES_CHANGED'
>;

/** What a proposal, or a second person's word on one, leads to. Pure. */
export function decideCodes(
  command: CodesCommand,
  { version, approval }: CodeChanges,
): { events: CodesEvent[] } | { refused: CodesRefusal } {
  const next = (version ?? command.base) + 1;
  if (command.kind === 'proposeCodes') {
    const { approvalId, change } = command;
    if (change.version !== next) return { refused: 'CODES_CHANGED' };
    return {
      events: [{ type: 'liandun.approval.requested.v1', data: { approvalId, change, requestedBy: change.memberId } }],
    };
  }
  if (approval.status === 'unknown' || approval.change.action !== 'changeReasonCodes')
    return { refused: 'APPROVAL_NOT_FOUND' };
  if (approval.status !== 'pending') return { refused: 'APPROVAL_DECIDED' };
  const { approvalId, change, requestedBy } = approval;
  const { decidedBy, decision } = command;
  if (requestedBy === decidedBy) return { refused: 'SECOND_PERSON_NEEDED' };
  const data = { approvalId, decidedBy };
  if (decision === 'refuse') return { events: [{ type: 'liandun.approval.refused.v1', data }] };
  // What the second person saw was compared with another version.
  if (change.version !== next) return { refused: 'CODES_CHANGED' };
  const { codes } = change;
  return {
    events: [
      { type: 'liandun.approval.granted.v1', data },
      {
        type: 'liandun.reasoncodes.changed.v1',
        data: { version: next, codes, approvalId, requestedBy, approvedBy: decidedBy },
      },
    ],
  };
}

/** Folds one fact of the table's or an approval's stream. */
export const evolveCodes = (changes: CodeChanges, event: CodesEvent): CodeChanges =>
  event.type === 'liandun.reasoncodes.changed.v1'
    ? { ...changes, version: event.data.version }
    : { ...changes, approval: evolveApproval(changes.approval, event) };
