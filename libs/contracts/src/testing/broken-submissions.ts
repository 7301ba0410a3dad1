// Every rule of design section 3 ("Events in") that needs no state, broken once. Not part of the index: the tests of the
// HTTP and Kafka edges import it by its path, so that all doors are tried with the same table.

import type { ProblemCode } from '../errors.js';
import { SUBMITTED_TYPES, type SubmittedType } from '../event-types.js';
import { FICTIONAL_REGION, makeResidentId, makeUscc } from '../identifiers.js';
import { DAY_MS, toBeijingTime } from '../time.js';
import { examplePerson, examples, exampleShop, type ExampleOptions } from './examples.js';

export interface BrokenSubmission {
  name: string;
  role: 'platform' | 'regulator';
  memberId: string;
  event: Record<string, unknown>;
  code: ProblemCode;
  /** JSON Pointer (RFC 6901) into the event. */
  pointer: string;
}

/** The value to put at a place of a valid event, or what makes it of the time; ABSENT takes the field away. */
type Change = readonly [pointer: string, value: unknown];
type AtTime = (now: Date) => string;
type Row = readonly [
  name: string,
  type: SubmittedType,
  changes: readonly Change[],
  code: ProblemCode,
  pointer: string,
  sender?: 'platform' | 'regulator',
];

const ABSENT = Symbol('absent');
const T = SUBMITTED_TYPES;

function changed(event: unknown, changes: readonly Change[], now: Date): Record<string, unknown> {
  const copy = structuredClone(event) as Record<string, unknown>;
  for (const [pointer, given] of changes) {
    const value = typeof given === 'function' ? (given as AtTime)(now) : given;
    const path = pointer.split('/').slice(1);
    const last = path.pop() as string;
    const parent = path.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy);
    if (value === ABSENT) delete parent[last];
    else Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

const inDays =
  (days: number): AtTime =>
  (now) =>
    toBeijingTime(new Date(now.getTime() + days * DAY_MS));
const ahead = inDays(4 / 24);
const before = inDays(-400);
const reason = (value: string): Change => ['/data/reason/code', value];

const envelope: Row[] = [
  ['another specversion', T.merchantReported, [['/specversion', '0.3']], 'UNSUPPORTED_SPECVERSION', '/specversion'],
  ['no id', T.merchantReported, [['/id', ABSENT]], 'MISSING_FIELD', '/id'],
  ['an empty id', T.merchantReported, [['/id', '']], 'INVALID_FORMAT', '/id'],
  ['an id of 129 characters', T.merchantReported, [['/id', 'x'.repeat(129)]], 'INVALID_FORMAT', '/id'],
  ['an id that is a phone number', T.merchantReported, [['/id', '13800000000']], 'NOT_OPAQUE', '/id'],
  [
    "another member's source",
    T.merchantReported,
    [['/source', 'urn:liandun:member:other']],
    'SOURCE_NOT_YOURS',
    '/source',
  ],
  ["the ledger's source", T.merchantReported, [['/source', 'urn:liandun:ledger']], 'SOURCE_NOT_YOURS', '/source'],
  ['no source', T.merchantReported, [['/source', ABSENT]], 'MISSING_FIELD', '/source'],
  ['an unknown type', T.merchantReported, [['/type', 'liandun.merchant.praised.v1']], 'UNKNOWN_TYPE', '/type'],
  ['an outcome of the ledger', T.merchantReported, [['/type', 'liandun.notice.issued.v1']], 'UNKNOWN_TYPE', '/type'],
  ['no type', T.merchantReported, [['/type', ABSENT]], 'MISSING_FIELD', '/type'],
  ['no time', T.merchantReported, [['/time', ABSENT]], 'MISSING_FIELD', '/time'],
  ['a time without offset', T.merchantReported, [['/time', '2020-02-03T09:30:00']], 'INVALID_TIME', '/time'],
  [
    'a day that the calendar has not',
    T.merchantReported,
    [['/time', '2021-02-29T09:30:00+08:00']],
    'INVALID_TIME',
    '/time',
  ],
  ['data in base64', T.merchantReported, [['/data_base64', 'e30=']], 'UNKNOWN_FIELD', '/data_base64'],
  ['another content type', T.merchantReported, [['/datacontenttype', 'text/xml']], 'INVALID_VALUE', '/datacontenttype'],
  ['no data', T.merchantReported, [['/data', ABSENT]], 'MISSING_FIELD', '/data'],
  ['data that is a list', T.merchantReported, [['/data', []]], 'WRONG_TYPE', '/data'],
  ['null for a field', T.merchantReported, [['/data/identity/uscc', null]], 'WRONG_TYPE', '/data/identity/uscc'],
];

const roles: Row[] = [
  ...[T.registryListed, T.registryRemoved, T.listingEnded].map((type): Row => [
    `a platform sends ${type}`,
    type,
    [],
    'TYPE_NOT_ALLOWED',
    '/type',
    'platform',
  ]),
  ...[T.merchantReported, T.merchantDelisted, T.merchantReinstated, T.noticeDisposed].map((type): Row => [
    `a regulator sends ${type}`,
    type,
    [],
    'TYPE_NOT_ALLOWED',
    '/type',
    'regulator',
  ]),
];

const unknownFields: Row[] = [
  '/comment',
  '/data/comment',
  '/data/score',
  '/data/identity/nickname',
  '/data/identity/legalRepresentative/age',
  '/data/shops/0/sales',
  '/data/reason/text',
  '/data/proof/note',
  '/data/proof/evidence/0/text',
  '/data/attestation/extra',
  '/data/hearing/protocol',
  '/data/__proto__',
].map((pointer): Row => [
  `unknown field ${pointer}`,
  T.merchantDelisted,
  [[pointer, '自由文本']],
  'UNKNOWN_FIELD',
  pointer,
]);

const identities: Row[] = [
  [
    'a wrong check digit of the USCC',
    T.merchantReported,
    [['/data/identity/uscc', '911101085513850820']],
    'BAD_USCC',
    '/data/identity/uscc',
  ],
  ['eighteen zeros', T.merchantReported, [['/data/identity/uscc', '0'.repeat(18)]], 'BAD_USCC', '/data/identity/uscc'],
  [
    'a wrong check digit of the 15-digit number',
    T.merchantReported,
    [['/data/identity/registrationNumber', '990101000000019']],
    'BAD_REGISTRATION_NUMBER',
    '/data/identity/registrationNumber',
  ],
  [
    'a wrong check digit of the resident id',
    T.merchantReported,
    [['/data/identity/residentId', '110105194912310021']],
    'BAD_RESIDENT_ID',
    '/data/identity/residentId',
  ],
  [
    'an impossible birthday',
    T.merchantReported,
    [['/data/identity/legalRepresentative/residentId', makeResidentId(FICTIONAL_REGION, '19900230', 1)]],
    'BAD_RESIDENT_ID',
    '/data/identity/legalRepresentative/residentId',
  ],
  ['an unknown kind', T.merchantReported, [['/data/identity/kind', 'company']], 'INVALID_VALUE', '/data/identity/kind'],
  ['no name', T.merchantReported, [['/data/identity/name', ABSENT]], 'MISSING_FIELD', '/data/identity/name'],
  ['a blank name', T.merchantReported, [['/data/identity/name', '  ']], 'INVALID_FORMAT', '/data/identity/name'],
  [
    'a name with a line break',
    T.merchantReported,
    [['/data/identity/name', '甲\n乙']],
    'INVALID_FORMAT',
    '/data/identity/name',
  ],
  [
    'a name with a lone surrogate',
    T.merchantReported,
    [['/data/identity/name', '甲\ud800']],
    'INVALID_FORMAT',
    '/data/identity/name',
  ],
  [
    'a phone that is a word',
    T.merchantReported,
    [['/data/identity/phones/0', '无']],
    'INVALID_FORMAT',
    '/data/identity/phones/0',
  ],
  [
    'twenty-one phones',
    T.merchantReported,
    [['/data/identity/phones', Array.from({ length: 21 }, () => '13800000000')]],
    'TOO_MANY_ITEMS',
    '/data/identity/phones',
  ],
  [
    'a phone that is a number',
    T.merchantReported,
    [['/data/identity/phones/1', { number: '138' }]],
    'WRONG_TYPE',
    '/data/identity/phones/1',
  ],
  [
    'an email without @',
    T.merchantReported,
    [['/data/identity/emails/0', 'merchant.example']],
    'INVALID_FORMAT',
    '/data/identity/emails/0',
  ],
  [
    'a bank account that is a word',
    T.merchantReported,
    [['/data/identity/bankAccounts/0', '招商银行']],
    'INVALID_FORMAT',
    '/data/identity/bankAccounts/0',
  ],
  [
    'a region that is a name',
    T.merchantReported,
    [['/data/identity/regionCode', '北京']],
    'INVALID_FORMAT',
    '/data/identity/regionCode',
  ],
  ['no identity', T.merchantReported, [['/data/identity', ABSENT]], 'MISSING_FIELD', '/data/identity'],
  [
    'a merchant id that is a phone number',
    T.merchantReported,
    [['/data/merchantId', 'm-13800000000']],
    'NOT_OPAQUE',
    '/data/merchantId',
  ],
  [
    'a merchant id that is a resident id',
    T.merchantReported,
    [['/data/merchantId', makeResidentId(FICTIONAL_REGION, '19900101', 7)]],
    'NOT_OPAQUE',
    '/data/merchantId',
  ],
  [
    'a merchant id that is a name',
    T.merchantReported,
    [['/data/merchantId', '贾设']],
    'INVALID_FORMAT',
    '/data/merchantId',
  ],
  ['an unknown status', T.merchantReported, [['/data/status', 'open']], 'INVALID_VALUE', '/data/status'],
  [
    '501 shops',
    T.merchantReported,
    [['/data/shops', Array.from({ length: 501 }, (_, i) => exampleShop(String(i)))]],
    'TOO_MANY_ITEMS',
    '/data/shops',
  ],
  ['shops that are no list', T.merchantReported, [['/data/shops', exampleShop('x')]], 'WRONG_TYPE', '/data/shops'],
  [
    'a shop whose address is no web address',
    T.merchantReported,
    [['/data/shops/0/url', 'javascript:alert(1)']],
    'INVALID_URL',
    '/data/shops/0/url',
  ],
  [
    'a shop whose address has a password',
    T.merchantReported,
    [['/data/shops/0/url', 'https://a:b@shop.example/']],
    'INVALID_URL',
    '/data/shops/0/url',
  ],
];

const cases: Row[] = [
  ['an unknown code', T.merchantDelisted, [reason('Z99')], 'UNKNOWN_CODE', '/data/reason/code'],
  ['a reason in words', T.merchantDelisted, [reason('fraud')], 'UNKNOWN_CODE', '/data/reason/code'],
  ['a code that cannot be shared', T.merchantDelisted, [reason('X01')], 'CODE_NOT_SHAREABLE', '/data/reason/code'],
  [
    'K01 by a platform',
    T.riskEntityReported,
    [
      reason('K01'),
      ['/data/proof/standard', 'administrativeDecision'],
      ['/data/subject', 'merchant'],
      ['/data/expiresAt', ABSENT],
    ],
    'CODE_FOR_REGULATORS_ONLY',
    '/data/reason/code',
  ],
  [
    'K01 about a merchant',
    T.riskEntityReported,
    [
      reason('K01'),
      ['/data/proof/standard', 'administrativeDecision'],
      ['/data/subject', 'merchant'],
      ['/data/expiresAt', ABSENT],
    ],
    'CODE_SUBJECT_MISMATCH',
    '/data/subject',
    'regulator',
  ],
  [
    'a professional claimant by a platform',
    T.riskEntityReported,
    [['/data/subject', 'professionalClaimant']],
    'CODE_FOR_REGULATORS_ONLY',
    '/data/subject',
  ],
  [
    'a judgment defaulter by a platform',
    T.riskEntityReported,
    [['/data/subject', 'judgmentDefaulter']],
    'CODE_FOR_REGULATORS_ONLY',
    '/data/subject',
  ],
  [
    'a platform finding where a decision is needed',
    T.merchantDelisted,
    [reason('F01')],
    'PROOF_BELOW_FLOOR',
    '/data/proof/standard',
  ],
  [
    'a platform finding where a register push is needed',
    T.merchantDelisted,
    [reason('A03')],
    'PROOF_BELOW_FLOOR',
    '/data/proof/standard',
  ],
  [
    'a register push where a decision is needed',
    T.merchantDelisted,
    [reason('C02'), ['/data/proof/standard', 'registerPush']],
    'PROOF_BELOW_FLOOR',
    '/data/proof/standard',
  ],
  [
    'a decision where a judgment is needed',
    T.merchantDelisted,
    [reason('G03'), ['/data/proof/standard', 'administrativeDecision']],
    'PROOF_BELOW_FLOOR',
    '/data/proof/standard',
  ],
  [
    'an unknown standard of proof',
    T.merchantDelisted,
    [['/data/proof/standard', 'rumour']],
    'INVALID_VALUE',
    '/data/proof/standard',
  ],
  [
    'a person under a code for organizations',
    T.merchantDelisted,
    [reason('H03'), ['/data/identity', examplePerson()]],
    'KIND_NOT_ALLOWED',
    '/data/identity/kind',
  ],
  [
    'a streamer under a code that has none',
    T.riskEntityReported,
    [reason('C01')],
    'KIND_NOT_ALLOWED',
    '/data/identity/kind',
  ],
  ['no evidence', T.merchantDelisted, [['/data/proof/evidence', []]], 'EVIDENCE_MISSING', '/data/proof/evidence'],
  [
    'evidence without a list',
    T.merchantDelisted,
    [['/data/proof/evidence', ABSENT]],
    'MISSING_FIELD',
    '/data/proof/evidence',
  ],
  [
    'a hash that is too short',
    T.merchantDelisted,
    [['/data/proof/evidence/0/sha256', 'ab']],
    'INVALID_FORMAT',
    '/data/proof/evidence/0/sha256',
  ],
  [
    'a media type in words',
    T.merchantDelisted,
    [['/data/proof/evidence/0/mediaType', 'picture']],
    'INVALID_FORMAT',
    '/data/proof/evidence/0/mediaType',
  ],
  [
    'evidence on a file system',
    T.merchantDelisted,
    [['/data/proof/evidence/0/uri', 'file:///etc/passwd']],
    'INVALID_URL',
    '/data/proof/evidence/0/uri',
  ],
  [
    'a decision number that is a sentence',
    T.merchantDelisted,
    [['/data/proof/decisionNo', '这个 商家 很坏']],
    'INVALID_FORMAT',
    '/data/proof/decisionNo',
  ],
  ...['grounds', 'evidence', 'code', 'terminated'].map((point): Row => {
    const pointer = `/data/attestation/${point}`;
    return [`${point} not attested`, T.merchantDelisted, [[pointer, false]], 'ATTESTATION_INCOMPLETE', pointer];
  }),
  [
    'an attestation in words',
    T.merchantDelisted,
    [['/data/attestation/code', 'true']],
    'WRONG_TYPE',
    '/data/attestation/code',
  ],
  ...[
    'reason',
    'proof',
    'attestation',
    'decidedAt',
    'decidedBy',
    'appealUrl',
    'terminatedAt',
    'merchantId',
    'identity',
    'shops',
  ].map((field): Row => [
    `no ${field}`,
    T.merchantDelisted,
    [[`/data/${field}`, ABSENT]],
    'MISSING_FIELD',
    `/data/${field}`,
  ]),
  [
    'an appeal by mail',
    T.merchantDelisted,
    [['/data/appealUrl', 'mailto:a@b.example']],
    'INVALID_URL',
    '/data/appealUrl',
  ],
  ['decided four hours ahead', T.merchantDelisted, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  [
    'terminated four hours ahead',
    T.merchantDelisted,
    [['/data/terminatedAt', ahead]],
    'CLOCK_AHEAD',
    '/data/terminatedAt',
  ],
  [
    'a hearing that is yet to end',
    T.merchantDelisted,
    [['/data/hearing/endedAt', ahead]],
    'CLOCK_AHEAD',
    '/data/hearing/endedAt',
  ],
  [
    'a hearing that ended before it began',
    T.merchantDelisted,
    [['/data/hearing/endedAt', before]],
    'HEARING_INCONSISTENT',
    '/data/hearing/endedAt',
  ],
  [
    'a hearing with an answer in words',
    T.merchantDelisted,
    [['/data/hearing/answer', '不同意']],
    'INVALID_VALUE',
    '/data/hearing/answer',
  ],
  [
    'tier 2 on a finding for 366 days',
    T.merchantDelisted,
    [['/data/expiresAt', inDays(366)]],
    'EXPIRES_PAST_TERM',
    '/data/expiresAt',
  ],
  [
    'tier 3 for 91 days',
    T.merchantDelisted,
    [reason('E05'), ['/data/expiresAt', inDays(91)]],
    'EXPIRES_PAST_TERM',
    '/data/expiresAt',
  ],
  [
    'an unnamed decision for 1,096 days',
    T.merchantDelisted,
    [
      ['/data/proof/standard', 'administrativeDecision'],
      ['/data/expiresAt', inDays(1096)],
    ],
    'EXPIRES_PAST_TERM',
    '/data/expiresAt',
  ],
  ['expired before it was decided', T.merchantDelisted, [['/data/expiresAt', before]], 'TIME_ORDER', '/data/expiresAt'],
  ['an unknown urgency', T.merchantDelisted, [['/data/urgency', 'now']], 'INVALID_VALUE', '/data/urgency'],
  ['F04 without its emergency', T.merchantDelisted, [reason('F04')], 'EMERGENCY_MISSING', '/data/emergency'],
  ['C06 without its emergency', T.merchantDelisted, [reason('C06')], 'EMERGENCY_MISSING', '/data/emergency'],
  [
    'an emergency with E01',
    T.merchantDelisted,
    [['/data/emergency', { name: '虚构疫情', from: '2020-01-20', to: '2020-06-30' }]],
    'FIELD_NOT_APPLICABLE',
    '/data/emergency',
  ],
  [
    'an emergency that ends before it begins',
    T.merchantDelisted,
    [reason('F04'), ['/data/emergency', { name: '虚构疫情', from: '2020-06-30', to: '2020-01-20' }]],
    'TIME_ORDER',
    '/data/emergency/to',
  ],
  ['B06 without its rule', T.merchantDelisted, [reason('B06')], 'ITEM_RULE_MISSING', '/data/itemRule'],
  [
    'an item rule with E01',
    T.merchantDelisted,
    [['/data/itemRule', '国家勋章和国家荣誉称号法 第15条']],
    'FIELD_NOT_APPLICABLE',
    '/data/itemRule',
  ],
  [
    'a victim with E01',
    T.merchantDelisted,
    [['/data/victim', { identity: { kind: 'organization', name: '被冒用的公司', uscc: makeUscc('990101', 77) } }]],
    'FIELD_NOT_APPLICABLE',
    '/data/victim',
  ],
  [
    'a victim without an identifier',
    T.merchantDelisted,
    [reason('A04'), ['/data/victim', { identity: { kind: 'organization', name: '被冒用的公司' } }]],
    'VICTIM_NOT_IDENTIFIED',
    '/data/victim/identity/uscc',
  ],
  [
    "an impostor named by the victim's code",
    T.merchantDelisted,
    [
      reason('A04'),
      ['/data/identity/uscc', makeUscc('990101', 77)],
      ['/data/victim', { identity: { kind: 'organization', name: '被冒用的公司', uscc: makeUscc('990101', 77) } }],
    ],
    'VICTIM_IDENTIFIER',
    '/data/identity/uscc',
  ],
  ['an unknown subject', T.riskEntityReported, [['/data/subject', 'landlord']], 'INVALID_VALUE', '/data/subject'],
  [
    'an unknown role of an account',
    T.riskEntityReported,
    [['/data/accounts/0/role', 'fan']],
    'INVALID_VALUE',
    '/data/accounts/0/role',
  ],
];

const others: Row[] = [
  [
    'neither delisting nor merchant',
    T.merchantReinstated,
    [['/data/delistingId', ABSENT]],
    'EXACTLY_ONE',
    '/data/delistingId',
  ],
  [
    'both delisting and merchant',
    T.merchantReinstated,
    [['/data/merchantId', 'merchant-1']],
    'EXACTLY_ONE',
    '/data/merchantId',
  ],
  ['a cause in words', T.merchantReinstated, [['/data/cause', '搞错了']], 'INVALID_VALUE', '/data/cause'],
  ['reinstated four hours ahead', T.merchantReinstated, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  ['a withdrawal of nothing', T.riskEntityWithdrawn, [['/data/reportId', ABSENT]], 'MISSING_FIELD', '/data/reportId'],
  ['withdrawn four hours ahead', T.riskEntityWithdrawn, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  ['a case heard without a hearing', T.caseHeard, [['/data/hearing', ABSENT]], 'MISSING_FIELD', '/data/hearing'],
  [
    'convinced by no answer',
    T.caseHeard,
    [
      ['/data/cause', 'appealUpheld'],
      ['/data/hearing/answer', 'none'],
    ],
    'HEARING_INCONSISTENT',
    '/data/hearing/answer',
  ],
  ['heard for another cause', T.caseHeard, [['/data/cause', 'cured']], 'INVALID_VALUE', '/data/cause'],
  ['told at no time', T.caseNotified, [['/data/notifiedAt', ABSENT]], 'MISSING_FIELD', '/data/notifiedAt'],
  ['told four hours ahead', T.caseNotified, [['/data/notifiedAt', ahead]], 'CLOCK_AHEAD', '/data/notifiedAt'],
  ['told by nobody', T.caseNotified, [['/data/notifiedBy', ABSENT]], 'MISSING_FIELD', '/data/notifiedBy'],
  ['an unknown list', T.registryListed, [['/data/list', 'favourites']], 'INVALID_VALUE', '/data/list'],
  [
    'a person on the list of revoked licences',
    T.registryListed,
    [
      ['/data/identity', examplePerson()],
      ['/data/list', 'revoked'],
    ],
    'KIND_NOT_ALLOWED',
    '/data/identity/kind',
  ],
  [
    'a register entry without decision',
    T.registryListed,
    [['/data/decisionNo', ABSENT]],
    'MISSING_FIELD',
    '/data/decisionNo',
  ],
  [
    'a register entry that ended before',
    T.registryListed,
    [['/data/until', '2001-01-01']],
    'TIME_ORDER',
    '/data/until',
  ],
  ['listed four hours ahead', T.registryListed, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  ['removed four hours ahead', T.registryRemoved, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  ['an end of nothing', T.listingEnded, [['/data/decisionNo', ABSENT]], 'EXACTLY_ONE', '/data/listingId'],
  ['an end of two things', T.listingEnded, [['/data/listingId', 'L1-abcdef012345']], 'EXACTLY_ONE', '/data/decisionNo'],
  ['ended four hours ahead', T.listingEnded, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  [
    'closed without a word on open orders',
    T.noticeDisposed,
    [['/data/openOrders', ABSENT]],
    'OPEN_ORDERS_MISSING',
    '/data/openOrders',
  ],
  [
    'open orders without closing',
    T.noticeDisposed,
    [['/data/decision', 'noShop']],
    'FIELD_NOT_APPLICABLE',
    '/data/openOrders',
  ],
  [
    'a reason without declining',
    T.noticeDisposed,
    [['/data/reasonCode', 'R1']],
    'FIELD_NOT_APPLICABLE',
    '/data/reasonCode',
  ],
  [
    'a reason in words',
    T.noticeDisposed,
    [
      ['/data/decision', 'declined'],
      ['/data/openOrders', ABSENT],
      ['/data/reasonCode', '我们 不 同意'],
    ],
    'INVALID_FORMAT',
    '/data/reasonCode',
  ],
  [
    'an unknown decision',
    T.noticeDisposed,
    [
      ['/data/decision', 'ignored'],
      ['/data/openOrders', ABSENT],
    ],
    'INVALID_VALUE',
    '/data/decision',
  ],
  ['disposed four hours ahead', T.noticeDisposed, [['/data/decidedAt', ahead]], 'CLOCK_AHEAD', '/data/decidedAt'],
  ['disposed by nobody', T.noticeDisposed, [['/data/decidedBy', ABSENT]], 'MISSING_FIELD', '/data/decidedBy'],
];

/** The table: each row is a valid example with one thing broken, the code that must come back, and its JSON Pointer. */
export function brokenSubmissions(now: Date, options: Partial<ExampleOptions> = {}): BrokenSubmission[] {
  const valid = examples(now, options);
  const memberOf = { platform: valid[T.merchantReported].memberId, regulator: valid[T.registryListed].memberId };
  const rows = [...envelope, ...roles, ...unknownFields, ...identities, ...cases, ...others];
  return rows.map(([name, type, changes, code, pointer, sender]) => {
    const role = sender ?? valid[type].role;
    const event = changed({ ...valid[type].event, source: `urn:liandun:member:${memberOf[role]}` }, changes, now);
    return { name, role, memberId: memberOf[role], event, code, pointer };
  });
}
