// Rule P19: publishers answer for errors.
import { DecisionNo, Doc, OpaqueId, Pattern, STATEMENT } from './fields.js';

/** How often a publisher's listings turned out wrong over the last year, and how fast that was put right. */
export interface PublisherFigures {
  published: number;
  overturned: number;
  /** Overturned by published, four digits. */
  rate: number;
  /** Days from publication to the ending, half of the overturned took longer; absent where none was overturned. */
  medianDaysToFix?: number;
  /** Of the overturned: filed in bad faith, as a regulator found; absent where none was. */
  malicious?: number;
}

/** A publisher went over the threshold, or came back below it: its tier 2 findings count as tier 3 in between. */
export interface PublisherJudged extends PublisherFigures {
  memberId: string;
  /** The version of the threshold that it was judged by. */
  rules: number;
  /** RFC 3339: the year that was counted ends here. */
  at: string;
}

/** A regulator found that a listing that ended as wrong was filed in bad faith (电子商务法 第42条 by analogy). */
export interface ListingMalicious {
  listingId: string;
  /** The CloudEvents id of the listing's filing. */
  caseId: string;
  /** Who filed it. */
  memberId: string;
  caseNo: string;
  /** Written reasons; in the clear only before they are sealed. */
  reasons: string | { commitment: string };
  /** The finding person's opaque id at the member `by`; never who ended the listing. */
  foundBy: string;
  by: string;
  foundAt: string;
}

/** Pointers to what of such a finding is sealed in the vault. */
export const MALICE_TEXTS = ['/reasons'] as const;

/** The body of POST /v1/listings/{listingId}/malice. */
export class MaliceFinding {
  @Doc('Number of the case', '案件编号')
  @DecisionNo()
  caseNo: string;

  @Doc(
    'Opaque id of the person who finds it; never who ended the listing',
    '认定人的内部编号；不得为决定终止该列名的人',
  )
  @OpaqueId()
  foundBy: string;

  @Doc(
    'Written reasons, for the subject, the publisher and regulators; they are sealed and reach nobody else',
    '书面理由，仅供当事人、列名方和监管机构查阅，加密保存',
  )
  @Pattern(STATEMENT)
  reasons: string;
}
