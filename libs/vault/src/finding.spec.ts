import { expect, test } from '@jest/globals';
import { makeResidentId, type Identity } from '@liandun/contracts';
import { erasureRole, masked, type ErasureRole } from './finding.js';
import type { TokenKind } from './keys.js';
import type { PersonIdentifiers } from './tokens.js';

const [own, other] = [makeResidentId('990101', '19800101', 1), makeResidentId('990101', '19800101', 2)];
const person = (more: Partial<Identity> = {}): Identity => ({ kind: 'person', name: '李虚构', ...more });
const shop = (more: Partial<Identity> = {}): Identity => ({ kind: 'soleProprietor', name: '李虚构小店', ...more });
const company = (more: Partial<Identity> = {}): Identity => ({ kind: 'organization', name: '虚构公司', ...more });
const represented = company({ legalRepresentative: { name: '李 虚构', residentId: own } });

test.each<[string, TokenKind[], Identity, PersonIdentifiers, ErasureRole | undefined]>([
  ['a resident number names its holder', ['residentId'], person(), { residentId: own }, 'subject'],
  ['also where it stands in an organization', ['residentId'], company(), { residentId: own }, 'subject'],
  ['a credit code names a sole proprietor', ['uscc'], shop(), {}, 'subject'],
  ['but an organization is nobody', ['uscc'], company(), {}, 'kept'],
  ['a representative', ['representative'], company(), { residentId: own }, 'representative'],
  ["a sole proprietor's is the proprietor", ['representative'], shop(), { residentId: own }, 'subject'],
  ['a contact with the name', ['phone'], person(), { name: '李·虚构' }, 'subject'],
  ['a contact with another name', ['phone'], person(), { name: '王虚构' }, undefined],
  ['a contact without a name', ['email'], person(), {}, undefined],
  [
    'a shared name and contact, another number',
    ['phone'],
    person({ residentId: other }),
    { name: '李虚构', residentId: own },
    undefined,
  ],
  [
    "an organization's contact with its representative's name",
    ['bankAccount'],
    represented,
    { name: '李虚构' },
    'subject',
  ],
  ["an organization's contact with its own name", ['phone'], company(), { name: '虚构公司' }, undefined],
  [
    'what nobody can open any more',
    ['phone'],
    person({ name: { commitment: 'x' } as unknown as string }),
    { name: '李虚构' },
    undefined,
  ],
])('%s', (_rule, kinds, identity, wanted, role) => {
  expect(erasureRole({ kinds, identity }, wanted)).toBe(role);
});

test('what is shown is too little to use', () => {
  expect([masked.name('李虚构'), masked.residentId(own), masked.phone('13912345678')]).toEqual([
    '李**',
    `**************${own.slice(-4)}`,
    '139******78',
  ]);
});
