// Who is who, where a person says it: decided at once, or by a second person where shops would close or reopen (rules P14, P20).
import type {
  ApprovalDecided,
  ApprovalRequested,
  ProblemCode,
  ReviewChange,
  ReviewDecided,
  ReviewUndone,
} from '@liandun/contracts';
import { isDeepStrictEqual } from 'node:util';
import { evolveApproval, type Approval } from './membership.js';

type Decision = Extract<ReviewChange, { action: 'decideReview' }>;
type Undoing = Extract<ReviewChange, { action: 'undoReview' }>;

/** What stands of a pair of observations. */
export interface Review {
  /** Undefined where nothing was decided, or it was undone. */
  decided: ReviewDecided | undefined;
  /** What ended the last decision. */
  undone: ReviewUndone | undefined;
  approval: Approval;
}

export const initialReview: Review = { decided: undefined, undone: undefined, approval: { status: 'unknown' } };

/** What is known of the two beyond what was decided of this very pair. */
export interface PairFacts {
  /** Other observations of the same two entities were decided about, and that stands. */
  decidedElsewhere: boolean;
  /** One is a natural person, the other a business. */
  kindsDiffer: boolean;
  /** Two valid official numbers contradict each other. */
  identifiersDiffer: boolean;
}

export interface DecideReview {
  kind: 'decideReview';
  approvalId: string;
  change: Decision;
  facts: PairFacts;
  /** RFC 3339. */
  now: string;
}

export interface UndoReview {
  kind: 'undoReview';
  approvalId: string;
  /** Of what is undone the state knows. */
  change: Omit<Undoing, 'decision'>;
}

/** A second person's decision on what was proposed. */
export interface ConcludeReview {
  kind: 'concludeReview';
  decision: 'approve' | 'refuse';
  decidedBy: string;
  /** The person's opaque id. */
  reviewer: string;
  facts: PairFacts;
  /** RFC 3339. */
  now: string;
}

export type ReviewCommand = DecideReview | UndoReview | ConcludeReview;

export type ReviewEvent =
  | { type: 'liandun.review.decided.v1'; data: ReviewDecided }
  | { type: 'liandun.review.undone.v1'; data: ReviewUndone }
  | { type: 'liandun.approval.requested.v1'; data: ApprovalRequested }
  | { type: 'liandun.approval.granted.v1' | 'liandun.approval.refused.v1'; data: ApprovalDecided };

export type ReviewRefusal = Extract<
  ProblemCode,
  | 'REVIEW_DECIDED'
  | 'REVIEW_NOT_DECIDED'
  | 'REVIEW_KINDS_DIFFER'
  | 'REVIEW_IDENTIFIERS_DIFFER'
  | 'APPROVAL_NOT_FOUND'
  | 'APPROVAL_DECIDED'
  | 'SECOND_PERSON_NEEDED'
>;

type Outcome = { events: ReviewEvent[] } | { refused: ReviewRefusal };

/** Who approved what, where somebody had to. */
type Second = Pick<ReviewDecided, 'approvalId' | 'approvedBy' | 'approver'>;

const stands = ({ decided }: Review, now: string): boolean =>
  decided !== undefined && (decided.expiresAt === undefined || Date.parse(decided.expiresAt) > Date.parse(now));

function refusalOf(review: Review, change: Decision, facts: PairFacts, now: string): ReviewRefusal | undefined {
  if (stands(review, now) || facts.decidedElsewhere) return 'REVIEW_DECIDED';
  if (change.decision !== 'same') return undefined;
  if (facts.kindsDiffer) return 'REVIEW_KINDS_DIFFER';
  return facts.identifiersDiffer ? 'REVIEW_IDENTIFIERS_DIFFER' : undefined;
}

type Words = Pick<ReviewDecided | ReviewUndone, 'ground' | 'caseNo' | 'reviewer' | 'evidence'>;

/** Whether it says what stands already, so that a repeated request changes nothing. */
const repeats = (before: Words & { decidedBy: string }, asked: Words & { memberId: string }): boolean =>
  before.decidedBy === asked.memberId &&
  before.ground === asked.ground &&
  before.caseNo === asked.caseNo &&
  before.reviewer === asked.reviewer &&
  isDeepStrictEqual(before.evidence, asked.evidence);

function decidedBy(change: Decision, second: Second = {}): ReviewEvent {
  const { action: _action, memberId, ...words } = change;
  return { type: 'liandun.review.decided.v1', data: { ...words, decidedBy: memberId, ...second } };
}

function undoneBy(change: Undoing, second: Second = {}): ReviewEvent {
  const { action: _action, memberId, ...words } = change;
  return { type: 'liandun.review.undone.v1', data: { ...words, decidedBy: memberId, ...second } };
}

const requested = (approvalId: string, change: ReviewChange): Outcome => ({
  events: [{ type: 'liandun.approval.requested.v1', data: { approvalId, change, requestedBy: change.memberId } }],
});

function decide(command: DecideReview, review: Review): Outcome {
  const { approvalId, change, facts, now } = command;
  const { decided } = review;
  if (decided?.decision === change.decision && stands(review, now) && repeats(decided, change)) return { events: [] };
  const refused = refusalOf(review, change, facts, now);
  if (refused) return { refused };
  // To tell two apart closes nothing: it acts at once, in the merchant's favour (rule P09).
  if (change.decision === 'same' && change.accounts > 0) return requested(approvalId, change);
  return { events: [decidedBy(change)] };
}

function undo({ approvalId, change }: UndoReview, { decided, undone }: Review): Outcome {
  if (!decided && undone && repeats(undone, change)) return { events: [] };
  if (!decided) return { refused: 'REVIEW_NOT_DECIDED' };
  const undoing: Undoing = { ...change, decision: decided.decision };
  if (decided.decision !== 'unsure' && change.accounts > 0) return requested(approvalId, undoing);
  return { events: [undoneBy(undoing)] };
}

function conclude(command: ConcludeReview, review: Review): Outcome {
  const { approval } = review;
  if (approval.status === 'unknown') return { refused: 'APPROVAL_NOT_FOUND' };
  const { approvalId, change, requestedBy } = approval;
  if (change.action !== 'decideReview' && change.action !== 'undoReview') return { refused: 'APPROVAL_NOT_FOUND' };
  if (approval.status !== 'pending') return { refused: 'APPROVAL_DECIDED' };
  const approvedBy = command.decidedBy;
  // Another member, and another person: one who serves two authorities is still one.
  if (requestedBy === approvedBy || change.reviewer === command.reviewer) return { refused: 'SECOND_PERSON_NEEDED' };
  const data = { approvalId, decidedBy: approvedBy, reviewer: command.reviewer };
  if (command.decision === 'refuse') return { events: [{ type: 'liandun.approval.refused.v1', data }] };
  // Another decision may have come since.
  const refused =
    change.action === 'decideReview'
      ? refusalOf(review, change, command.facts, command.now)
      : review.decided?.decision === change.decision
        ? undefined
        : ('REVIEW_NOT_DECIDED' as const);
  if (refused) return { refused };
  const second = { approvalId, approvedBy, approver: command.reviewer };
  const effect = change.action === 'decideReview' ? decidedBy(change, second) : undoneBy(change, second);
  return { events: [{ type: 'liandun.approval.granted.v1', data }, effect] };
}

/** What a decision on two observations, its undoing, or a second person's word on either leads to. Pure. */
export function decideReview(command: ReviewCommand, review: Review): Outcome {
  if (command.kind === 'decideReview') return decide(command, review);
  return command.kind === 'undoReview' ? undo(command, review) : conclude(command, review);
}

/** Folds one fact of a pair's or an approval's stream. */
export function evolveReview(review: Review, event: ReviewEvent): Review {
  if (event.type === 'liandun.review.decided.v1') return { ...review, decided: event.data, undone: undefined };
  if (event.type === 'liandun.review.undone.v1') return { ...review, decided: undefined, undone: event.data };
  return { ...review, approval: evolveApproval(review.approval, event) };
}
