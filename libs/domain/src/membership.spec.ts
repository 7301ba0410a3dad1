import { describe, expect, test } from '@jest/globals';
import type { MemberKey, MembershipChange, MemberRole } from '@liandun/contracts';
import {
  decideMembership,
  evolveMembership,
  initialMembership,
  type DecideApproval,
  type MembershipEvent,
  type RequestChange,
} from './membership.js';

const key = (kid: string): MemberKey => ({ kid, kty: 'OKP', crv: 'Ed25519', x: 'x' });
const admitted = (role: MemberRole = 'platform', ...kids: string[]): MembershipEvent => ({
  type: 'liandun.member.admitted.v1',
  data: { memberId: 'p', name: 'P', role, keys: (kids.length ? kids : ['k1']).map(key), subscription: {} },
});
const request = (change: MembershipChange, otherAdministrators = 2): RequestChange => ({
  kind: 'requestChange',
  approvalId: 'a',
  change,
  requestedBy: 'admin',
  otherAdministrators,
});
const decide = (decidedBy: string, decision: 'approve' | 'refuse' = 'approve'): DecideApproval => ({
  kind: 'decideApproval',
  decision,
  decidedBy,
  otherAdministrators: 2,
});
const given = (...events: MembershipEvent[]) => ({
  when: (command: RequestChange | DecideApproval) => {
    const decision = decideMembership(command, events.reduce(evolveMembership, initialMembership));
    return 'refused' in decision
      ? decision.refused
      : decision.events.map((event) => event.type.split('.').slice(1, 3).join('.'));
  },
});
const requested = (change: MembershipChange): MembershipEvent => ({
  type: 'liandun.approval.requested.v1',
  data: { approvalId: 'a', change, requestedBy: 'admin' },
});
const suspendedBy = (approvalId: string): MembershipEvent => ({
  type: 'liandun.member.suspended.v1',
  data: { memberId: 'p', approvalId },
});
const suspended = suspendedBy('a');
const removed: MembershipEvent = { type: 'liandun.member.removed.v1', data: { memberId: 'p' } };
const memberId = 'p';

test('a change waits for another administrator', () => {
  const change: MembershipChange = { action: 'addKey', memberId, key: key('k2') };
  expect(given(admitted()).when(request(change))).toEqual(['approval.requested']);
  expect(given(admitted(), requested(change)).when(decide('admin'))).toBe('SECOND_PERSON_NEEDED');
  expect(given(admitted(), requested(change)).when(decide('admin', 'refuse'))).toBe('SECOND_PERSON_NEEDED');
  expect(given(admitted(), requested(change)).when(decide('admin-2'))).toEqual(['approval.granted', 'member.keyadded']);
  expect(given(admitted(), requested(change)).when(decide('admin-2', 'refuse'))).toEqual(['approval.refused']);
});

test('an approval is decided once', () => {
  const change: MembershipChange = { action: 'remove', memberId };
  const granted: MembershipEvent = {
    type: 'liandun.approval.granted.v1',
    data: { approvalId: 'a', decidedBy: 'admin-2' },
  };
  expect(given(admitted(), requested(change), granted, removed).when(decide('admin-3'))).toBe('APPROVAL_DECIDED');
  expect(given(admitted()).when(decide('admin-2'))).toBe('APPROVAL_NOT_FOUND');
});

test('a suspension acts at once; confirmed it stays, refused it ends', () => {
  const change: MembershipChange = { action: 'suspend', memberId };
  expect(given(admitted()).when(request(change))).toEqual(['approval.requested', 'member.suspended']);
  const pending = given(admitted(), requested(change), suspended);
  expect(pending.when(decide('admin-2'))).toEqual(['approval.granted']);
  expect(pending.when(decide('admin-2', 'refuse'))).toEqual(['approval.refused', 'member.resumed']);
});

test('a suspension that was ended by a resumption changes nothing when it is decided, nor one that came after', () => {
  const change: MembershipChange = { action: 'suspend', memberId };
  const resumed: MembershipEvent = { type: 'liandun.member.resumed.v1', data: { memberId } };
  const late = [admitted(), requested(change), suspended, resumed];
  expect(given(...late).when(decide('admin-2'))).toEqual(['approval.granted']);
  expect(given(...late).when(decide('admin-2', 'refuse'))).toEqual(['approval.refused']);
  const anew = given(...late, suspendedBy('b'));
  expect(anew.when(decide('admin-2'))).toEqual(['approval.granted']);
  expect(anew.when(decide('admin-2', 'refuse'))).toEqual(['approval.refused']);
});

test('a stolen key stops at once by one administrator; confirmed it is revoked, refused it lives on', () => {
  const change: MembershipChange = { action: 'revokeKey', memberId, kid: 'k1', emergency: true };
  const twoKeys = admitted('platform', 'k1', 'k2');
  const stopped: MembershipEvent = { type: 'liandun.member.keysuspended.v1', data: { memberId, kid: 'k1' } };
  expect(given(twoKeys).when(request(change))).toEqual(['approval.requested', 'member.keysuspended']);
  const pending = given(twoKeys, requested(change), stopped);
  expect(pending.when(decide('admin'))).toBe('SECOND_PERSON_NEEDED');
  expect(pending.when(decide('admin-2'))).toEqual(['approval.granted', 'member.keyrevoked']);
  expect(pending.when(decide('admin-2', 'refuse'))).toEqual(['approval.refused', 'member.keyresumed']);
  // Without its emergency a revocation waits, and the key that is left can't be stopped: its member is suspended.
  expect(given(twoKeys).when(request({ action: 'revokeKey', memberId, kid: 'k1' }))).toEqual(['approval.requested']);
  expect(given(twoKeys, stopped).when(request({ ...change, kid: 'k2' }))).toBe('LAST_KEY');
});

describe('two stops of one key', () => {
  const change: MembershipChange = { action: 'revokeKey', memberId, kid: 'k1', emergency: true };
  const heldBy = (...approvalIds: string[]): MembershipEvent => ({
    type: 'liandun.member.keysuspended.v1',
    data: { memberId, kid: 'k1', approvalIds },
  });
  const twoKeys = admitted('platform', 'k1', 'k2');
  const decided = (command: RequestChange | DecideApproval, ...events: MembershipEvent[]): unknown => {
    const decision = decideMembership(command, [twoKeys, ...events].reduce(evolveMembership, initialMembership));
    return 'refused' in decision ? decision.refused : decision.events.slice(1);
  };
  const resumed: MembershipEvent = { type: 'liandun.member.keyresumed.v1', data: { memberId, kid: 'k1' } };
  const revoked: MembershipEvent = { type: 'liandun.member.keyrevoked.v1', data: { memberId, kid: 'k1' } };

  test('P20: both hold it: the refusal of either leaves it stopped by the other, that of the last lets it live', () => {
    expect(decided(request(change))).toEqual([heldBy('a')]);
    expect(decided(request(change), heldBy('b'))).toEqual([heldBy('b', 'a')]);
    const refuse = decide('admin-2', 'refuse');
    expect(decided(refuse, requested(change), heldBy('a'), heldBy('a', 'b'))).toEqual([heldBy('b')]);
    expect(decided(refuse, heldBy('b'), requested(change), heldBy('b', 'a'))).toEqual([heldBy('b')]);
    expect(decided(refuse, requested(change), heldBy('a', 'b'), heldBy('a'))).toEqual([resumed]);
  });

  test('the second is decided without effect once the first has revoked it', () => {
    const late = [requested(change), heldBy('a', 'b'), revoked];
    expect(decided(decide('admin-2'), ...late)).toEqual([]);
    expect(decided(decide('admin-2', 'refuse'), ...late)).toEqual([]);
  });
});

test.each<[string, MembershipEvent[], MembershipChange, unknown]>([
  [
    'an id is never given out again',
    [admitted(), removed],
    { action: 'admit', memberId, name: 'P', role: 'platform', keys: [key('k9')], subscription: {} },
    'MEMBER_EXISTS',
  ],
  ['an unknown member', [], { action: 'suspend', memberId }, 'MEMBER_NOT_FOUND'],
  ['suspended twice', [admitted(), suspended], { action: 'suspend', memberId }, 'MEMBER_NOT_ACTIVE'],
  ['an active member is not resumed', [admitted()], { action: 'resume', memberId }, 'MEMBER_NOT_ACTIVE'],
  ['a removed member stays removed', [admitted(), removed], { action: 'resume', memberId }, 'MEMBER_NOT_ACTIVE'],
  ['a kid is used once', [admitted()], { action: 'addKey', memberId, key: key('k1') }, 'KEY_EXISTS'],
  [
    'at most three live keys',
    [admitted('platform', 'k1', 'k2', 'k3')],
    { action: 'addKey', memberId, key: key('k4') },
    'KEY_LIMIT',
  ],
  [
    'a stopped key counts, and its kid stays taken',
    [admitted('platform', 'k1', 'k2', 'k3'), { type: 'liandun.member.keysuspended.v1', data: { memberId, kid: 'k1' } }],
    { action: 'addKey', memberId, key: key('k1') },
    'KEY_EXISTS',
  ],
  ['a foreign kid', [admitted()], { action: 'revokeKey', memberId, kid: 'k7' }, 'KEY_NOT_FOUND'],
  ['the last key stays', [admitted()], { action: 'revokeKey', memberId, kid: 'k1' }, 'LAST_KEY'],
  [
    'only platforms subscribe',
    [admitted('regulator')],
    { action: 'changeSubscription', memberId, subscription: {} },
    'FIELD_NOT_APPLICABLE',
  ],
  [
    'an administrator signs no events',
    [admitted('admin')],
    { action: 'changeSignatures', memberId, signatures: 'required' },
    'FIELD_NOT_APPLICABLE',
  ],
])('refused: %s', (_, history, change, code) => {
  expect(given(...history).when(request(change))).toBe(code);
});

test('two administrators have to stay', () => {
  expect(given(admitted('admin')).when(request({ action: 'suspend', memberId }, 1))).toBe('ADMINISTRATORS_TOO_FEW');
  expect(given(admitted('admin')).when(request({ action: 'remove', memberId }, 2))).toEqual(['approval.requested']);
});

test('what the member has become decides when the approval is given', () => {
  const change: MembershipChange = { action: 'addKey', memberId, key: key('k2') };
  expect(given(admitted(), requested(change), removed).when(decide('admin-2'))).toBe('MEMBER_NOT_ACTIVE');
});
