import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  LedgerError,
  pairOfReview,
  ReviewUndo,
  validateBody,
  validateReviewDecision,
  type ApprovalDecision,
  type ReviewChange,
  type ReviewDecision,
} from '@liandun/contracts';
import type { PairFacts, ReviewCommand } from '@liandun/domain';
import type { ReadingCaller } from '@liandun/event-log';
import {
  edgesAmong,
  identifiersContradict,
  observationsBeside,
  reviewOf,
  reviewQueue,
  stepsOf,
  type ApprovalRow,
  type QueueCursor,
  type ReviewProposal,
  type ReviewRow,
} from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { ClientBase } from 'pg';
import { explained, pathOf } from './explain.js';
import { LedgerWriter } from './ledger-writer.js';
import { Door } from './pools.js';
import { refuseField, valueOf } from './problems.js';
import { Reads } from './reads.js';
import { DecideReviewOf } from './review.js';

/** A pair as regulators see it. */
export type ShownReview = Omit<ReviewRow, 'a' | 'b' | 'possible' | 'proposal'> & {
  status: 'open' | 'proposed' | 'decided' | 'linked' | 'apart';
  observations: [number, number];
  proposal?: Omit<ReviewProposal, 'change'> &
    Pick<ReviewChange, 'decision' | 'ground' | 'caseNo' | 'reviewer' | 'evidence'> & { undoes: boolean };
};

/** A decision that waits for its second person, or the review as it stands with it. */
export type Reviewed = { approvalId: string; reviewId: string } | ShownReview;

/** What a regulator asks for; of an undoing, what it undoes is known when it is accepted. */
type Asked =
  Extract<ReviewChange, { action: 'decideReview' }> | Omit<Extract<ReviewChange, { action: 'undoReview' }>, 'decision'>;

/** A request on who is who. */
export type ReviewApproval = ApprovalRow & { change: ReviewChange };

const isLinked = ({ entities: [one, other] }: ReviewRow): boolean => one.entityId === other.entityId;

function statusOf(row: ReviewRow): ShownReview['status'] {
  if (row.proposal) return 'proposed';
  if (row.decided) return 'decided';
  if (isLinked(row)) return 'linked';
  return row.possible ? 'open' : 'apart';
}

function shown(row: ReviewRow): ShownReview {
  const { a, b, possible: _possible, proposal, ...rest } = row;
  return {
    ...rest,
    status: statusOf(row),
    observations: [a, b],
    ...(proposal && {
      proposal: {
        approvalId: proposal.approvalId,
        requestedBy: proposal.requestedBy,
        requestedAt: proposal.requestedAt,
        decision: proposal.change.decision,
        ground: proposal.change.ground,
        caseNo: proposal.change.caseNo,
        reviewer: proposal.change.reviewer,
        ...(proposal.change.evidence && { evidence: proposal.change.evidence }),
        undoes: proposal.change.action === 'undoReview',
      },
    }),
  };
}

/** Accounts whose shops a decision closes or reopens: where it joins what is two, or parts what is one. */
function accountsMoved(row: ReviewRow, decision: string): number {
  const moves = decision === (isLinked(row) ? 'different' : 'same');
  return moves ? row.atStake.wouldClose : 0;
}

/**
 * Whether what is asked for has been proposed already, word by word. What hangs on it may have changed since, and of an undoing the
 * proposal knows what it undoes.
 */
function sameWords({ accounts: _then, ...proposed }: ReviewChange, { accounts: _now, ...asked }: Asked): boolean {
  const { decision: _undoes, ...undoing } = proposed;
  return isDeepStrictEqual(asked.action === 'undoReview' ? undoing : proposed, asked);
}

/** The files that are named, and nothing else of them; absent where there are none. */
const evidenceIn = ({ evidence }: ReviewDecision | ReviewUndo): Pick<ReviewChange, 'evidence'> =>
  evidence && evidence.length > 0 ? { evidence: evidence.map(({ sha256, mediaType }) => ({ sha256, mediaType })) } : {};

async function rowOf(db: ClientBase, reviewId: string): Promise<ReviewRow> {
  const pair = pairOfReview(reviewId);
  const row = pair && (await reviewOf(db, pair.a, pair.b));
  if (!row) throw new LedgerError('REVIEW_NOT_FOUND');
  return row;
}

/** The queue of who is who, and what regulators decide of it. */
@Injectable()
export class Reviews {
  constructor(
    private readonly reads: Reads,
    private readonly door: Door,
    private readonly commands: CommandBus,
    private readonly writer: LedgerWriter,
  ) {}

  async queue(
    caller: ReadingCaller,
    page: { after?: QueueCursor | undefined; limit: number },
  ): Promise<{ items: ShownReview[]; next: QueueCursor | null }> {
    const { items, next } = await this.reads.as(caller, (db) => reviewQueue(db, page));
    return { items: items.map(shown), next };
  }

  /** One pair with why it may be one, why it is, and what led there. */
  async page(caller: ReadingCaller, reviewId: string): Promise<object> {
    const [row, edges, steps] = await this.reads.as(caller, async (db) => {
      const found = await rowOf(db, reviewId);
      const pair = [found.a, found.b];
      const beside = await observationsBeside(db, pair);
      return [found, await edgesAmong(db, beside), await stepsOf(db, pair)] as const;
    });
    const { a, b } = row;
    const pair = edges.find((edge) => edge.a === a && edge.b === b);
    const between = edges.filter(({ outcome }) => outcome === 'review').map(explained);
    return {
      ...shown(row),
      explanation: {
        ...(pair && { pair: explained(pair) }),
        path: isLinked(row) ? pathOf(edges, a, b) : between,
        history: [a, b].map((observation) => ({ observation, steps: steps.get(observation) ?? [] })),
      },
    };
  }

  /** Decides at once, or proposes it where shops would close. Said again, it changes nothing. */
  async decide(caller: ReadingCaller, reviewId: string, body: unknown): Promise<Reviewed> {
    const row = await this.#row(caller, reviewId);
    const now = this.writer.now();
    const asked = valueOf(validateReviewDecision(body, now));
    const { decision, ground, caseNo, reviewer, expiresAt } = asked;
    const { a, b } = row;
    const words = { ground, caseNo, reviewer, accounts: accountsMoved(row, decision), reviewId, a, b };
    const change = {
      action: 'decideReview' as const,
      memberId: caller.memberId,
      decision,
      ...words,
      ...evidenceIn(asked),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const facts = await this.#facts(row);
    return this.#propose(caller, row, change, (approvalId) => ({
      kind: 'decideReview',
      approvalId,
      change,
      facts,
      now: now.toISOString(),
    }));
  }

  /** Undoes a decision at once, or proposes it where shops would close or reopen. */
  async undo(caller: ReadingCaller, reviewId: string, body: unknown): Promise<Reviewed> {
    const row = await this.#row(caller, reviewId);
    const asked = valueOf(validateBody(ReviewUndo, body));
    const { ground, caseNo, reviewer } = asked;
    const { a, b, atStake } = row;
    const words = { ground, caseNo, reviewer, accounts: atStake.wouldClose, reviewId, a, b };
    const change = { action: 'undoReview' as const, memberId: caller.memberId, ...words, ...evidenceIn(asked) };
    return this.#propose(caller, row, change, (approvalId) => ({ kind: 'undoReview', approvalId, change }));
  }

  /** A second person's word. Throws LedgerError where it isn't one, or things have changed since. */
  async conclude(
    approval: ReviewApproval,
    { decision, reviewer }: ApprovalDecision,
    caller: ReadingCaller,
  ): Promise<void> {
    if (reviewer === undefined) throw refuseField('MISSING_FIELD', '/reviewer');
    const { approvalId, change } = approval;
    const row = await this.#row(caller, change.reviewId);
    const facts = await this.#facts(row);
    const now = this.writer.now().toISOString();
    const command = { kind: 'concludeReview' as const, decision, decidedBy: caller.memberId, reviewer, facts, now };
    await this.commands.execute(new DecideReviewOf(change.reviewId, approvalId, command));
  }

  async #propose(
    caller: ReadingCaller,
    row: ReviewRow,
    change: Asked,
    commandOf: (approvalId: string) => ReviewCommand,
  ): Promise<Reviewed> {
    const { reviewId, proposal } = row;
    if (proposal && !sameWords(proposal.change, change)) throw new LedgerError('REVIEW_PROPOSED');
    if (proposal) return { approvalId: proposal.approvalId, reviewId };
    const approvalId = randomUUID();
    await this.commands.execute(new DecideReviewOf(reviewId, approvalId, commandOf(approvalId)));
    const now = await this.#row(caller, reviewId);
    return now.proposal ? { approvalId: now.proposal.approvalId, reviewId } : shown(now);
  }

  #row(caller: ReadingCaller, reviewId: string): Promise<ReviewRow> {
    return this.reads.as(caller, (db) => rowOf(db, reviewId));
  }

  async #facts({ reviewId, entities: [one, other], decided }: ReviewRow): Promise<PairFacts> {
    return {
      decidedElsewhere: decided !== undefined && decided.reviewId !== reviewId,
      kindsDiffer: (one.kind === 'person') !== (other.kind === 'person'),
      identifiersDiffer: await identifiersContradict(this.door.pool, one.entityId, other.entityId),
    };
  }
}
