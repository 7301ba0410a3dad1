import type { Comparison, Evidence, Verdict } from './types.js';

/** Log2 odds from which a pair links, and from which a person should look. */
export interface Bands {
  link: number;
  review: number;
}

const of = ({ evidence }: Comparison, field: string): Evidence | undefined =>
  evidence.find((item) => item.field === field);
/** That two are in one region is evidence of its own only beside a firm's whole name, which one authority registers once. */
const supports = ({ field, stranger, kin }: Evidence, placeCounts: boolean): boolean =>
  stranger >= 4 && kin > 0 && (placeCounts || field !== 'region');
const REGISTERED = new Set(['whole', 'equal']);

/** Fields whose equal value is an identifier that somebody checked, or an account that only its holder has. */
/** A sole proprietor's resident id is its operator's, who may have several firms. */
const OFFICIAL = { legal: ['uscc', 'registrationNumber'], person: ['residentId'] };
const STRONG = ['uscc', 'registrationNumber', 'residentId', 'bankAccount', 'phone', 'email'];
const EXACT = new Set(['equal', 'equalLater']);
/** Names that differ so that equal identifiers are doubted. */
const OTHER_NAMES = new Set(['different', 'otherForm', 'otherPlace', 'otherBranch', 'otherTrade', 'spelledOtherwise']);
/** What a pair with two firms' names must weigh beyond a link for a person to look at it. */
const DOUBT_BITS = 5;
/** The same of a pair for which only its names speak. */
const ALONE_BITS = 2;
/** One character is another: as likely a neighbour as a slip. */
const NEIGHBOURS = new Set(['oneDiffers', 'sameSound', 'lookAlike', 'oneMissing', 'slips', 'close', 'contained']);

function grade(comparison: Comparison): Verdict['grade'] {
  const agreeing = STRONG.filter((field) => EXACT.has(of(comparison, field)?.level ?? ''));
  const official = agreeing.filter((field) => OFFICIAL[comparison.kind].includes(field));
  if (official.length > 0) return 'exact';
  if (comparison.kind === 'person') return agreeing.length >= 2 ? 'strong' : 'possible';
  return agreeing.length > 0 || of(comparison, 'uscc')?.level === 'repaired' ? 'strong' : 'possible';
}

/** What becomes of a pair, by the rules in their order. */
export function decideComparison(comparison: Comparison, { link, review }: Bands): Verdict {
  const { bits, evidence, conflict } = comparison;
  if (conflict) return { outcome: 'apart', rule: 'conflict' };
  const identified = OFFICIAL[comparison.kind].some((field) => EXACT.has(of(comparison, field)?.level ?? ''));
  const name = of(comparison, 'name')?.level ?? '';
  // Whatever else differs, records with one official number or one bank account are never put aside unseen.
  if (bits < review && (identified || EXACT.has(of(comparison, 'bankAccount')?.level ?? '')))
    return { outcome: 'review', rule: 'identifierNameDiffers' };
  if (bits < review) return { outcome: 'apart', rule: 'belowBand' };
  if (bits < link) return { outcome: 'review', rule: 'inBand' };
  const placeCounts = comparison.kind === 'legal' && REGISTERED.has(name);
  const groups = new Set(evidence.filter((item) => supports(item, placeCounts)).map(({ group }) => group));
  if (identified) {
    if (OTHER_NAMES.has(name) && groups.size < 2) return { outcome: 'review', rule: 'identifierNameDiffers' };
    return { outcome: 'link', grade: grade(comparison), rule: 'identifierAgrees' };
  }
  if ([...groups].every((group) => group === 'name'))
    return { outcome: bits < link + ALONE_BITS ? 'apart' : 'review', rule: 'nameAlone' };
  if (groups.size < 2) return { outcome: 'review', rule: 'oneGroupOnly' };
  if (comparison.kind === 'person' ? name === 'different' && !groups.has('identifier') : isDoubtful(name, groups))
    return bits < link + DOUBT_BITS
      ? { outcome: 'apart', rule: 'neighbour' }
      : { outcome: 'review', rule: 'neighbour' };
  return { outcome: 'link', grade: grade(comparison), rule: 'weightOfGroups' };
}

/**
 * Two names need an account or an identifier to be one firm's. A name that is nearly another's needs more than what neighbours and kin share (address, representative). One character
 * that neither sounds nor looks alike needs an account or an identifier.
 */
function isDoubtful(name: string, groups: ReadonlySet<string>): boolean {
  const strong = groups.has('identifier') || groups.has('account') || groups.has('platform');
  // A branch shares its head office's account, phone and address, and has a code of its own.
  if (OTHER_NAMES.has(name)) return !strong || name === 'otherBranch';
  if (!NEIGHBOURS.has(name)) return false;
  return !strong && (name === 'oneDiffers' || !groups.has('contact'));
}
