import { describe, expect, test } from '@jest/globals';
import { leafPaths } from './compiled.js';
import { holdsPersonalData, isPersonal, PERSONAL_FIELDS } from './personal-fields.js';
import { SUBJECT_KINDS } from './payloads.events.js';
import { SUBMISSIONS } from './submissions.js';
import { examples } from './testing/examples.js';

const declared = new Set(Object.values(SUBMISSIONS).flatMap(({ payload }) => leafPaths(payload)));

describe('the table of personal fields', () => {
  test('classifies every field of every payload, and nothing else', () => {
    expect(Object.keys(PERSONAL_FIELDS).toSorted()).toEqual([...declared].toSorted());
  });

  test('names a law or standard for each', () => {
    for (const { law } of Object.values(PERSONAL_FIELDS)) expect(law).toMatch(/第\d+条|GB\/T/);
  });

  test.each([
    ['identity.name', [false, true, true]],
    ['identity.uscc', [false, true, true]],
    ['identity.registrationNumber', [false, true, true]],
    ['identity.address', [false, true, true]],
    ['identity.residentId', [true, true, true]],
    ['identity.legalRepresentative.name', [true, true, true]],
    ['identity.legalRepresentative.residentId', [true, true, true]],
    ['identity.phones', [true, true, true]],
    ['identity.emails', [true, true, true]],
    ['identity.bankAccounts', [true, true, true]],
    ['accounts.accountId', [true, true, true]],
    ['identity.kind', [false, false, false]],
    ['identity.regionCode', [false, false, false]],
    ['identity.verifiedAt', [false, false, false]],
    ['merchantId', [false, false, false]],
    ['a.field.nobody.classified', [true, true, true]],
  ])('%s of an organization, a sole proprietor, a person', (path, expected) => {
    expect(SUBJECT_KINDS.map((kind) => isPersonal(kind, path))).toEqual(expected);
  });

  test('tells which events may go over Kafka only encrypted', () => {
    const personal = Object.entries(examples(new Date())).filter(([, { event }]) => holdsPersonalData(event.data));
    expect(personal.map(([type]) => type).toSorted()).toEqual([
      'liandun.merchant.delisted.v1',
      'liandun.merchant.reported.v1',
      'liandun.registry.listed.v1',
      'liandun.registry.removed.v1',
      'liandun.riskentity.reported.v1',
    ]);
    expect(holdsPersonalData({ merchantId: 'm', identity: { kind: 'organization', name: '某公司' } })).toBe(false);
    expect(holdsPersonalData({ merchantId: 'm', identity: { kind: 'soleProprietor', name: '某店' } })).toBe(true);
    expect(holdsPersonalData({ identity: { name: '某' } })).toBe(true);
  });
});
