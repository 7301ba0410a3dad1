import { expect, test } from '@jest/globals';
import type { ReasonCodesChange } from '@liandun/contracts';
import { decideCodes, evolveCodes, initialCodeChanges, type CodesCommand, type CodesEvent } from './reason-codes.js';

const change = (version: number): ReasonCodesChange => ({
  action: 'changeReasonCodes',
  memberId: 'one',
  version,
  codes: [],
});
const propose = (version = 3): CodesCommand => ({
  kind: 'proposeCodes',
  approvalId: 'p',
  change: change(version),
  base: 2,
});
const conclude = (decidedBy = 'two', decision: 'approve' | 'refuse' = 'approve'): CodesCommand => ({
  kind: 'concludeCodes',
  decision,
  decidedBy,
  base: 2,
});
const proposed: CodesEvent = {
  type: 'liandun.approval.requested.v1',
  data: { approvalId: 'p', change: change(3), requestedBy: 'one' },
};
const granted: CodesEvent = { type: 'liandun.approval.granted.v1', data: { approvalId: 'p', decidedBy: 'two' } };
const data = { version: 3, codes: [], approvalId: 'p', requestedBy: 'one', approvedBy: 'two' };
const changed: CodesEvent = { type: 'liandun.reasoncodes.changed.v1', data };

test.each<[string, CodesEvent[], CodesCommand, string | CodesEvent[]]>([
  ['a proposal waits', [], propose(), [proposed]],
  ['a proposal on an earlier version is refused', [changed], propose(), 'CODES_CHANGED'],
  ['the proposer is refused as the second person', [proposed], conclude('one'), 'SECOND_PERSON_NEEDED'],
  ['a second person brings it into force', [proposed], conclude(), [granted, changed]],
  ['a proposal that another change came before is refused', [proposed, changed], conclude(), 'CODES_CHANGED'],
  [
    'what came too late may be refused',
    [proposed, changed],
    conclude('two', 'refuse'),
    [{ type: 'liandun.approval.refused.v1', data: { approvalId: 'p', decidedBy: 'two' } }],
  ],
  ['it is decided once', [proposed, granted, changed], conclude('three'), 'APPROVAL_DECIDED'],
  ['what nobody proposed cannot be approved', [], conclude(), 'APPROVAL_NOT_FOUND'],
])('P05, P20: %s', (_what, before, command, expected) => {
  const outcome = decideCodes(command, before.reduce(evolveCodes, initialCodeChanges));
  expect('refused' in outcome ? outcome.refused : outcome.events).toEqual(expected);
});
