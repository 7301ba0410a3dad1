import { expect, test } from '@jest/globals';
import type { Identity } from '@liandun/contracts';
import { contactOf } from './identifications.js';

const entry = (member: string, identity: Partial<Identity>): { source: string; data: { identity: Identity } } => ({
  source: `urn:liandun:member:${member}`,
  data: { identity: { kind: 'organization', name: '虚构贸易有限公司', ...identity } },
});
const entries = (...given: ReturnType<typeof entry>[]): Map<number, (typeof given)[number]> =>
  new Map(given.map((one, n) => [n, one]));
const [first, second] = ['13900000001', '13900000002'];

test('a code goes to the contact that most members reported, however often one of them repeats another', () => {
  const held = entries(
    entry('a', { phones: [second] }),
    entry('b', { phones: [`+86 ${first}`] }),
    entry('c', { phones: [first] }),
    entry('a', { phones: [second] }),
    entry('a', { phones: [second] }),
  );
  expect(contactOf('sms', '虚构贸易有限公司', held)).toBe(first);
});

test('of equals to the one that was reported first', () => {
  const held = entries(entry('a', { emails: ['A@x.example'] }), entry('b', { emails: ['b@x.example'] }));
  expect(contactOf('email', '虚构 贸易有限公司', held)).toBe('a@x.example');
});

test.each<[string, Partial<Identity>, string]>([
  ['entries with another name', { phones: [first] }, '别的公司'],
  ['a masked number', { phones: ['139****0001'] }, '虚构贸易有限公司'],
  ['a number that takes no messages', { phones: ['010-12345678'] }, '虚构贸易有限公司'],
  ['a contact that was erased', { phones: [{ commitment: 'x' } as unknown as string] }, '虚构贸易有限公司'],
])('%s: nothing is sent', (_case, identity, name) => {
  expect(contactOf('sms', name, entries(entry('a', identity)))).toBeUndefined();
});

test('whoever acts for an organization may give his own name', () => {
  const held = entries(entry('a', { phones: [first], legalRepresentative: { name: '虚构人' } }));
  expect(contactOf('sms', '虚构人', held)).toBe(first);
});
