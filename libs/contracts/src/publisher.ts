// Rule P19: publishers answer for errors.

/** How often a publisher's listings turned out wrong over the last year, and how fast that was put right. */
export interface PublisherFigures {
  published: number;
  overturned: number;
  /** Overturned by published, four digits. */
  rate: number;
  /** Days from publication to the ending, half of the overturned took longer; absent where none was overturned. */
  medianDaysToFix?: number;
}

/** A publisher went over the threshold, or came back below it: its tier 2 findings count as tier 3 in between. */
export interface PublisherJudged extends PublisherFigures {
  memberId: string;
  /** The version of the threshold that it was judged by. */
  rules: number;
  /** RFC 3339: the year that was counted ends here. */
  at: string;
}
