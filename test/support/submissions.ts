import { makeResidentId, makeUscc, memberSource, SUBMITTED_TYPES, type SubmittedType } from '@liandun/contracts';
import { randomUUID } from 'node:crypto';

/** A fictional organization; the same serial gives the same credit code. */
export const organization = (serial: number, more: object = {}): object => ({
  kind: 'organization',
  name: `虚构贸易${serial}有限公司`,
  uscc: makeUscc('990101', serial),
  ...more,
});

/** A fictional person; the same serial gives the same resident id. */
export const person = (serial: number, more: object = {}): object => ({
  kind: 'person',
  name: '虚构人',
  residentId: makeResidentId('990101', '19900101', serial),
  ...more,
});

export const shopOf = (shopId: string): object => ({
  shopId,
  name: `店铺 ${shopId}`,
  url: `https://shop.example/${shopId}`,
});

const past = (ms = 60_000): string => new Date(Date.now() - ms).toISOString();

/** A CloudEvent as a member submits it. */
export const submission = (member: string, type: SubmittedType, data: object, id: string = randomUUID()): object => ({
  specversion: '1.0',
  id,
  source: memberSource(member),
  type,
  time: past(),
  data,
});

/** A case of tier 1 by default (price gouging in a declared emergency). */
export const caseOf = (code = 'F04', more: object = {}): object => ({
  reason: { code },
  proof: {
    standard: 'platformFinding',
    evidence: [{ sha256: 'ab'.repeat(32), mediaType: 'application/pdf', capturedAt: past(3_600_000) }],
  },
  attestation: { grounds: true, evidence: true, code: true, terminated: true },
  decidedAt: past(),
  decidedBy: 'reviewer-7',
  appealUrl: 'https://platform.example/appeal',
  ...(code === 'F04' || code === 'C06'
    ? { emergency: { name: '示例应急响应', from: '2020-01-24', to: '2020-04-30' } }
    : {}),
  ...more,
});

export const reported = (member: string, merchantId: string, identity: object, more: object = {}): object =>
  submission(member, SUBMITTED_TYPES.merchantReported, {
    merchantId,
    identity,
    shops: [shopOf(`${merchantId}-s1`)],
    status: 'active',
    ...more,
  });

export const delisted = (
  member: string,
  merchantId: string,
  identity: object,
  { id, ...more }: { id?: string; [field: string]: unknown } = {},
): object =>
  submission(
    member,
    SUBMITTED_TYPES.merchantDelisted,
    {
      merchantId,
      identity,
      shops: [shopOf(`${merchantId}-s1`)],
      terminatedAt: past(),
      ...caseOf(more['code'] as string | undefined),
      ...Object.fromEntries(Object.entries(more).filter(([field]) => field !== 'code')),
    },
    id,
  );

export const ending = (member: string, type: SubmittedType, data: object): object =>
  submission(member, type, { decidedAt: past(1_000), decidedBy: 'reviewer-8', ...data });
