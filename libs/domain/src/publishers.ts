// Rule P19: what a publisher's errors make of what it finds.
import type { Cause, PublisherFigures } from '@liandun/contracts';
import type { Decider } from './appeal.js';

/** The choice of the project, versioned: what was judged names the version that it was judged by. */
export const PUBLISHER_RULES = {
  version: 2,
  rateMax: 0.05,
  publishedMin: 20,
  windowDays: 365,
  /** As so many errors a malicious one counts: 电子商务法 第42条 doubles what is owed for it. */
  maliciousCounts: 2,
} as const;

/** Ends that say that the listing was wrong from the first. A cure, a repair, a term or a later judgment says nothing of the kind. */
export const ERROR_CAUSES: readonly Cause[] = ['appealUpheld', 'wrongIdentity', 'wrongFinding', 'annulled'];

const DAY_MS = 86_400_000;
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/**
 * A publisher's figures from how many it published in the window and, of those, when each wrong one was published and ended, and
 * whether it was found malicious.
 */
export function publisherFigures(
  published: number,
  errors: readonly { from: Date; to: Date; malicious?: boolean }[],
): PublisherFigures {
  const malicious = errors.filter((error) => error.malicious).length;
  const days = errors.map(({ from, to }) => (to.getTime() - from.getTime()) / DAY_MS).toSorted((a, b) => a - b);
  const middle = Math.floor(days.length / 2);
  const median = days.length % 2 === 1 ? days[middle] : ((days[middle - 1] ?? 0) + (days[middle] ?? 0)) / 2;
  return {
    published,
    overturned: errors.length,
    rate: published === 0 ? 0 : rounded(errors.length / published),
    ...(days.length > 0 && median !== undefined && { medianDaysToFix: rounded(median) }),
    ...(malicious > 0 && { malicious }),
  };
}

/** Whether the publisher's tier 2 findings count as tier 3. Few listings say nothing of a rate. */
export const isLowered = ({ published, overturned, malicious = 0 }: PublisherFigures): boolean => {
  const { publishedMin, rateMax, maliciousCounts } = PUBLISHER_RULES;
  return published >= publishedMin && rounded((overturned + malicious * (maliciousCounts - 1)) / published) > rateMax;
};

export type MaliceRefusal = 'LISTING_NOT_WRONG' | 'FINDER_IS_DECIDER';

/**
 * Why `finder` can't find that a listing was filed in bad faith; undefined where he can. It has ended as wrong, and neither its
 * publisher nor the person who ended it is the one who finds.
 */
export function maliceRefusal(
  { publisher, cause, endedBy }: { publisher: string; cause?: string; endedBy?: Decider },
  finder: Decider,
): MaliceRefusal | undefined {
  if (!endedBy || !(ERROR_CAUSES as readonly (string | undefined)[]).includes(cause)) return 'LISTING_NOT_WRONG';
  const same = endedBy.member === finder.member && endedBy.decidedBy === finder.decidedBy;
  return same || finder.member === publisher ? 'FINDER_IS_DECIDER' : undefined;
}
