// Rule P19: what a publisher's errors make of what it finds.
import type { Cause, PublisherFigures } from '@liandun/contracts';

/** The choice of the project, versioned: what was judged names the version that it was judged by. */
export const PUBLISHER_RULES = { version: 1, rateMax: 0.05, publishedMin: 20, windowDays: 365 } as const;

/** Ends that say that the listing was wrong from the first. A cure, a repair, a term or a later judgment says nothing of the kind. */
export const ERROR_CAUSES: readonly Cause[] = ['appealUpheld', 'wrongIdentity', 'wrongFinding', 'annulled'];

const DAY_MS = 86_400_000;
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/** A publisher's figures from how many it published in the window and, of those, when each wrong one was published and ended. */
export function publisherFigures(published: number, errors: readonly { from: Date; to: Date }[]): PublisherFigures {
  const days = errors.map(({ from, to }) => (to.getTime() - from.getTime()) / DAY_MS).toSorted((a, b) => a - b);
  const middle = Math.floor(days.length / 2);
  const median = days.length % 2 === 1 ? days[middle] : ((days[middle - 1] ?? 0) + (days[middle] ?? 0)) / 2;
  return {
    published,
    overturned: errors.length,
    rate: published === 0 ? 0 : rounded(errors.length / published),
    ...(days.length > 0 && median !== undefined && { medianDaysToFix: rounded(median) }),
  };
}

/** Whether the publisher's tier 2 findings count as tier 3. Few listings say nothing of a rate. */
export const isLowered = ({ published, rate }: PublisherFigures): boolean =>
  published >= PUBLISHER_RULES.publishedMin && rate > PUBLISHER_RULES.rateMax;
