import { describe, expect, test } from '@jest/globals';
import type { ReviewChange, ReviewDecided } from '@liandun/contracts';
import {
  decideReview,
  evolveReview,
  initialReview,
  type ConcludeReview,
  type PairFacts,
  type ReviewCommand,
  type ReviewEvent,
} from './review.js';

type Decision = Extract<ReviewChange, { action: 'decideReview' }>;

const NOW = '2026-03-01T09:00:00+08:00';
const PAIR = { reviewId: 'R3-7', a: 3, b: 7 };
const WORDS = { ...PAIR, caseNo: '2026-17', reviewer: 'officer-1' };
const NOTHING: PairFacts = { decidedElsewhere: false, kindsDiffer: false, identifiersDiffer: false };

const change = (decision: Decision['decision'], accounts = 0, more: Partial<Decision> = {}): Decision => ({
  action: 'decideReview',
  memberId: 'beijing',
  decision,
  ground: 'licenceSeen',
  accounts,
  ...WORDS,
  ...more,
});
const decide = (of: Decision, facts: Partial<PairFacts> = {}): ReviewCommand => ({
  kind: 'decideReview',
  approvalId: 'p1',
  change: of,
  facts: { ...NOTHING, ...facts },
  now: NOW,
});
const undo = (accounts = 0): ReviewCommand => ({
  kind: 'undoReview',
  approvalId: 'p2',
  change: { action: 'undoReview', memberId: 'beijing', ground: 'newEvidence', accounts, ...WORDS },
});
const conclude = (
  decidedBy: string,
  decision: ConcludeReview['decision'] = 'approve',
  reviewer = 'officer-2',
): ReviewCommand => ({
  kind: 'concludeReview',
  decision,
  decidedBy,
  reviewer,
  facts: NOTHING,
  now: NOW,
});

const decided = (decision: ReviewDecided['decision'], more: Partial<ReviewDecided> = {}): ReviewEvent => ({
  type: 'liandun.review.decided.v1',
  data: { ...WORDS, decision, ground: 'licenceSeen', decidedBy: 'beijing', accounts: 0, ...more },
});
const proposed = (of: ReviewChange): ReviewEvent => ({
  type: 'liandun.approval.requested.v1',
  data: { approvalId: 'p1', change: of, requestedBy: of.memberId },
});
const undone: ReviewEvent = {
  type: 'liandun.review.undone.v1',
  data: { ...WORDS, decision: 'same', ground: 'newEvidence', decidedBy: 'beijing', accounts: 0 },
};
const undoing: ReviewChange = {
  action: 'undoReview',
  memberId: 'beijing',
  ground: 'newEvidence',
  decision: 'same',
  accounts: 2,
  ...WORDS,
};
const given = (...events: ReviewEvent[]) => ({
  when: (command: ReviewCommand) => {
    const outcome = decideReview(command, events.reduce(evolveReview, initialReview));
    return 'refused' in outcome ? outcome.refused : outcome.events.map(({ type }) => type.split('.', 3).slice(1).join('.')); // prettier-ignore
  },
});

describe('what is decided', () => {
  test.each<[string, ReviewEvent[], ReviewCommand, string | string[]]>([
    ['that two are different acts at once', [], decide(change('different', 4)), ['review.decided']],
    ['that nobody knows acts at once', [], decide(change('unsure', 4)), ['review.decided']],
    ['that two are the same where nothing closes acts at once', [], decide(change('same')), ['review.decided']],
    [
      'that two are the same where shops would close is proposed',
      [],
      decide(change('same', 1)),
      ['approval.requested'],
    ],
    ['a pair that was decided', [decided('different')], decide(change('same')), 'REVIEW_DECIDED'],
    ['a pair whose entities were decided', [], decide(change('same'), { decidedElsewhere: true }), 'REVIEW_DECIDED'],
    ['the same again changes nothing', [decided('different')], decide(change('different')), []],
    [
      'the same again on another ground',
      [decided('different')],
      decide(change('different', 0, { ground: 'ownersDiffer' })),
      'REVIEW_DECIDED',
    ],
    [
      'what was unsure until now',
      [decided('unsure', { expiresAt: '2026-03-01T08:59:59+08:00' })],
      decide(change('different')),
      ['review.decided'],
    ],
    [
      'what is unsure for another while',
      [decided('unsure', { expiresAt: '2026-03-01T09:00:01+08:00' })],
      decide(change('different')),
      'REVIEW_DECIDED',
    ],
    ['a person and a firm as one', [], decide(change('same'), { kindsDiffer: true }), 'REVIEW_KINDS_DIFFER'],
    ['a person and a firm as two', [], decide(change('different'), { kindsDiffer: true }), ['review.decided']],
    ['two numbers as one', [], decide(change('same'), { identifiersDiffer: true }), 'REVIEW_IDENTIFIERS_DIFFER'],
  ])('%s', (_, events, command, outcome) => expect(given(...events).when(command)).toEqual(outcome));
});

describe('the evidence', () => {
  const evidence = (sha256: string) => ({ evidence: [{ sha256, mediaType: 'application/pdf' }] });
  const before = decided('different', evidence('aa'));
  test.each<[string, ReviewCommand, string | string[]]>([
    ['the same files: nothing changes', decide(change('different', 0, evidence('aa'))), []],
    ['other files', decide(change('different', 0, evidence('bb'))), 'REVIEW_DECIDED'],
    ['no files', decide(change('different')), 'REVIEW_DECIDED'],
  ])('said again with %s', (_, command, outcome) => expect(given(before).when(command)).toEqual(outcome));
});

describe('what is undone', () => {
  test.each<[string, ReviewEvent[], ReviewCommand, string | string[]]>([
    ['nothing', [], undo(), 'REVIEW_NOT_DECIDED'],
    ['a decision, where no shop closes or reopens', [decided('same')], undo(), ['review.undone']],
    ['a decision, where one would', [decided('same')], undo(1), ['approval.requested']],
    ['a difference, where shops might close again', [decided('different')], undo(1), ['approval.requested']],
    ['the same again changes nothing', [decided('same'), undone], undo(), []],
    ['a doubt closes nothing', [decided('unsure')], undo(3), ['review.undone']],
  ])('%s', (_, events, command, outcome) => expect(given(...events).when(command)).toEqual(outcome));

  test('a pair that was undone may be decided again', () => {
    const ended = decideReview(undo(), [decided('different')].reduce(evolveReview, initialReview));
    const events = 'events' in ended ? ended.events : [];
    expect(given(decided('different'), ...events).when(decide(change('same')))).toEqual(['review.decided']);
  });
});

describe('the second person', () => {
  const same = proposed(change('same', 2));
  test.each<[string, ReviewEvent[], ReviewCommand, string | string[]]>([
    ['who proposed may not approve', [same], conclude('beijing'), 'SECOND_PERSON_NEEDED'],
    ['nor refuse', [same], conclude('beijing', 'refuse'), 'SECOND_PERSON_NEEDED'],
    [
      'one person at two authorities is one',
      [same],
      conclude('hangzhou', 'approve', 'officer-1'),
      'SECOND_PERSON_NEEDED',
    ],
    ['another approves', [same], conclude('hangzhou'), ['approval.granted', 'review.decided']],
    ['or refuses', [same], conclude('hangzhou', 'refuse'), ['approval.refused']],
    ['nothing was proposed', [], conclude('hangzhou'), 'APPROVAL_NOT_FOUND'],
    [
      'it is another kind of request',
      [{ type: 'liandun.approval.requested.v1', data: { approvalId: 'p1', change: { action: 'remove', memberId: 'p' }, requestedBy: 'admin' } }], // prettier-ignore
      conclude('hangzhou'),
      'APPROVAL_NOT_FOUND',
    ],
    ['it was decided meanwhile', [same, decided('different')], conclude('hangzhou'), 'REVIEW_DECIDED'],
    ['an undoing', [decided('same'), proposed(undoing)], conclude('hangzhou'), ['approval.granted', 'review.undone']],
    ['an undoing of what was undone since', [proposed(undoing)], conclude('hangzhou'), 'REVIEW_NOT_DECIDED'],
  ])('%s', (_, events, command, outcome) => expect(given(...events).when(command)).toEqual(outcome));

  test('stands in the decision, beside who proposed it', () => {
    const outcome = decideReview(conclude('hangzhou'), evolveReview(initialReview, same));
    expect('events' in outcome && outcome.events[1]?.data).toEqual({
      ...WORDS,
      decision: 'same',
      ground: 'licenceSeen',
      accounts: 2,
      decidedBy: 'beijing',
      approvalId: 'p1',
      approvedBy: 'hangzhou',
      approver: 'officer-2',
    });
  });
});
