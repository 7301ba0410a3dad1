import {
  decideReview,
  evolveReview,
  initialReview,
  type Review,
  type ReviewCommand,
  type ReviewEvent,
} from '@liandun/domain';
import { ACCESS_RIDER } from '@liandun/views';
import { deciderHandlers, type LedgerDecider } from './decider-handlers.js';

/** A decision on two observations, its undoing, or a second person's word on either. */
export class DecideReviewOf {
  constructor(
    readonly reviewId: string,
    readonly approvalId: string,
    readonly command: ReviewCommand,
  ) {}
}

const review: LedgerDecider<DecideReviewOf, Review, ReviewEvent> = {
  initialState: initialReview,
  decide: ({ command }, state) => decideReview(command, state),
  evolve: evolveReview,
  streams: ({ reviewId, approvalId }) => [`review/${reviewId}`, `approval/${approvalId}`],
  streamOf: ({ type }, { reviewId, approvalId }) =>
    type.startsWith('liandun.approval.') ? `approval/${approvalId}` : `review/${reviewId}`,
  commandId: ({ approvalId, command }) => `review:${approvalId}:${command.kind}`,
  riders: ({ type, data }) => ({ [ACCESS_RIDER]: { type, data } }),
};

export const reviewHandlers = deciderHandlers(review, [DecideReviewOf]);
