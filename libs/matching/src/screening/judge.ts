// How an applicant and what the ledger knows of an entity agree, and what may follow from it (rule P14). Pure.
import type { MatchGrade } from '@liandun/contracts';
import type { Evidence, Features, Key, Matcher, MatchRecord, NodeKind } from '@liandun/identity';

/** One observation of an entity. */
export interface Observed {
  position: number;
  entityId: string;
  features: Features;
}

/** How sure it is that an applicant is an entity, by the observation that says most. */
export interface Judgement {
  entityId: string;
  position: number;
  grade: MatchGrade;
  /** What agrees, and the grade that its agreement carries by itself. */
  fields: Record<string, MatchGrade>;
  evidence: Evidence[];
  bits: number;
}

const RANK: Record<MatchGrade, number> = { possible: 0, strong: 1, exact: 2 };

/** Whether the first grade says more than the second. */
export const isSurer = (one: MatchGrade, other: MatchGrade): boolean => RANK[one] > RANK[other];

const EQUAL = new Set(['equal', 'equalLater']);
/** What a register gives one holder. A sole proprietor's resident number is its operator's, who may have several firms. */
const OFFICIAL: Record<NodeKind, readonly string[]> = {
  legal: ['uscc', 'registrationNumber'],
  person: ['residentId'],
};
const STRONG: readonly string[] = ['residentId', 'bankAccount', 'phone', 'email'];
/** Two of them are needed. */
const STRONG_MIN = 2;

function fieldGrade(kind: NodeKind, { field, level, stranger }: Evidence): MatchGrade | undefined {
  if (EQUAL.has(level) && OFFICIAL[kind].includes(field)) return 'exact';
  if (EQUAL.has(level) && STRONG.includes(field)) return 'strong';
  return stranger > 0 ? 'possible' : undefined;
}

/**
 * The grade of a pair that the matcher links: surely only by an official identifier or by two strong ones (rule P14). A resident
 * number is official as well, so that with the operator's a sole proprietorship is known strongly.
 */
function gradeOf(kind: NodeKind, fields: Readonly<Record<string, MatchGrade>>): MatchGrade {
  const grades = Object.values(fields);
  if (grades.includes('exact')) return 'exact';
  if (kind === 'legal' && fields['residentId'] === 'strong') return 'strong';
  return grades.filter((grade) => grade === 'strong').length >= STRONG_MIN ? 'strong' : 'possible';
}

/** A person and the firm that this person operates: two kinds of node, one number. Worth a look, never more. */
function operatorOf(applicant: Features, { features, position, entityId }: Observed): Judgement | undefined {
  const number = applicant.residentId;
  if (number === undefined || applicant.kind === features.kind || features.residentId !== number) return undefined;
  const evidence: Evidence[] = [{ field: 'residentId', level: 'equal', group: 'people', stranger: 0, kin: 0 }];
  return { entityId, position, grade: 'possible', fields: { residentId: 'possible' }, evidence, bits: 0 };
}

function judgeOne(
  matcher: Matcher<MatchRecord, Features>,
  applicant: Features,
  observed: Observed,
  holders: (key: Key) => number,
): Judgement | 'conflict' | undefined {
  const { features, position, entityId } = observed;
  const comparison = matcher.compare(applicant, features, { holders });
  if (comparison.conflict === 'kind') return operatorOf(applicant, observed);
  if (comparison.conflict) return 'conflict';
  const { outcome } = matcher.decide(comparison);
  if (outcome === 'apart') return undefined;
  const { kind, evidence, bits } = comparison;
  const agreeing = evidence.flatMap((item) => {
    const grade = fieldGrade(kind, item);
    return grade ? [[item.field, grade] as const] : [];
  });
  const own = Object.fromEntries(agreeing);
  const grade = outcome === 'link' ? gradeOf(kind, own) : 'possible';
  // What a person has to look at isn't sure in any of its fields.
  const fields =
    outcome === 'link' ? own : (Object.fromEntries(agreeing.map(([field]) => [field, 'possible'])) as typeof own);
  const spoken = evidence.filter(({ field }) => field in fields);
  return { entityId, position, grade, fields, evidence: spoken, bits };
}

/**
 * The entities that an applicant may be, each by the observation that says most, the surest first. An entity of which any
 * observation has another valid identifier is none of them.
 */
export function judge(
  matcher: Matcher<MatchRecord, Features>,
  applicant: Features,
  observed: readonly Observed[],
  holders: (key: Key) => number,
): Judgement[] {
  const best = new Map<string, Judgement>();
  const ruledOut = new Set<string>();
  for (const one of observed) {
    const judgement = judgeOne(matcher, applicant, one, holders);
    if (judgement === 'conflict') ruledOut.add(one.entityId);
    if (judgement === 'conflict' || !judgement) continue;
    const before = best.get(one.entityId);
    if (!before || surest(judgement, before) < 0) best.set(one.entityId, judgement);
  }
  return [...best.values()].filter(({ entityId }) => !ruledOut.has(entityId)).toSorted(surest);
}

const surest = (one: Judgement, other: Judgement): number =>
  RANK[other.grade] - RANK[one.grade] || other.bits - one.bits || one.position - other.position;
