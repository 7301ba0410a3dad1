// Valid events of every type, fictional (region 990101), for tests and documents. Not part of the index.
import { memberSource, SUBMITTED_TYPES, type SubmittedType } from '../event-types.js';
import { FICTIONAL_REGION, makeRegistrationNumber, makeResidentId, makeUscc } from '../identifiers.js';
import type {
  Account,
  Case,
  Identity,
  MerchantDelisted,
  MerchantReported,
  RiskEntityReported,
  Shop,
} from '../payloads.events.js';
import type { PayloadOf, Submission } from '../submissions.js';
import { DAY_MS, toBeijingTime } from '../time.js';

export interface ExampleOptions {
  platform: string;
  regulator: string;
  /** Part of every id, so that the same examples can be sent twice. */
  run: string;
}

export interface Example {
  role: 'platform' | 'regulator';
  memberId: string;
  event: Submission;
}

const DEFAULTS: ExampleOptions = { platform: 'platform-a', regulator: 'regulator-beijing', run: 'example' };

export const exampleOrganization = (serial = 1): Identity => ({
  kind: 'organization',
  name: '虚构市云上日用品有限公司',
  uscc: makeUscc(FICTIONAL_REGION, serial),
  registrationNumber: makeRegistrationNumber(FICTIONAL_REGION, serial),
  legalRepresentative: { name: '甄虚构', residentId: makeResidentId(FICTIONAL_REGION, '19800229', 12) },
  phones: ['13800000000', '138****0000'],
  emails: ['service@merchant.example'],
  bankAccounts: ['6200000000000000'],
  address: '虚构市样例区示范路 1 号',
  regionCode: FICTIONAL_REGION,
  verifiedAt: '2020-01-02',
});

export const examplePerson = (serial = 7): Identity => ({
  kind: 'person',
  name: '贾设',
  residentId: makeResidentId(FICTIONAL_REGION, '19900101', serial),
  phones: ['13900000000'],
});

export const exampleShop = (run: string): Shop => ({
  shopId: `shop-${run}`,
  name: '云上日用品旗舰店',
  url: `https://shop-${run}.platform-a.example/`,
});

/** A complete case on a platform's finding: E01 after a hearing, tier 2. */
export const exampleCase = (now: Date): Case => ({
  reason: { code: 'E01' },
  proof: {
    standard: 'platformFinding',
    evidence: [
      {
        sha256: 'ab'.repeat(32),
        mediaType: 'image/png',
        capturedAt: toBeijingTime(new Date(now.getTime() - 6 * DAY_MS)),
        uri: 'https://evidence.platform-a.example/1',
      },
    ],
  },
  attestation: { grounds: true, evidence: true, code: true, terminated: true },
  decidedAt: toBeijingTime(new Date(now.getTime() - 60_000)),
  decidedBy: 'staff-17',
  appealUrl: 'https://platform-a.example/appeals',
  expiresAt: toBeijingTime(new Date(now.getTime() + 300 * DAY_MS)),
  hearing: {
    notifiedAt: toBeijingTime(new Date(now.getTime() - 5 * DAY_MS)),
    endedAt: toBeijingTime(new Date(now.getTime() - DAY_MS)),
    answer: 'considered',
  },
});

type Payloads = { [T in SubmittedType]: PayloadOf<T> };

function payloads(now: Date, { platform, run }: ExampleOptions): Payloads {
  const decided = { decidedAt: toBeijingTime(new Date(now.getTime() - 60_000)), decidedBy: 'staff-17' };
  const identity = exampleOrganization();
  const shops = [exampleShop(run)];
  const merchant = { merchantId: `merchant-${run}`, identity, shops };
  const account: Account = { platform: '虚构直播', accountId: 'live-0001', role: 'streamer' };
  const delisted: MerchantDelisted = { ...exampleCase(now), ...merchant, terminatedAt: decided.decidedAt };
  const reported: MerchantReported = { ...merchant, status: 'active' };
  const risk: RiskEntityReported = {
    ...exampleCase(now),
    subject: 'streamer',
    identity: examplePerson(),
    accounts: [account],
  };
  const hearing = delisted.hearing as NonNullable<Case['hearing']>;
  const registry = { list: 'abnormalOperation', identity } as const;
  return {
    [SUBMITTED_TYPES.merchantReported]: reported,
    [SUBMITTED_TYPES.merchantDelisted]: delisted,
    [SUBMITTED_TYPES.merchantReinstated]: {
      delistingId: `${run}-merchant.delisted`,
      cause: 'wrongIdentity',
      ...decided,
    },
    [SUBMITTED_TYPES.riskEntityReported]: risk,
    [SUBMITTED_TYPES.riskEntityWithdrawn]: {
      reportId: `${run}-riskentity.reported`,
      cause: 'wrongFinding',
      ...decided,
    },
    [SUBMITTED_TYPES.caseHeard]: { caseId: `${run}-merchant.delisted`, hearing },
    [SUBMITTED_TYPES.caseNotified]: {
      caseId: `${run}-merchant.delisted`,
      notifiedAt: decided.decidedAt,
      notifiedBy: decided.decidedBy,
    },
    [SUBMITTED_TYPES.registryListed]: {
      ...registry,
      decisionNo: '虚市监异列〔2020〕12号',
      ...decided,
      until: '2099-12-31',
    },
    [SUBMITTED_TYPES.registryRemoved]: { ...registry, decidedAt: decided.decidedAt },
    [SUBMITTED_TYPES.listingEnded]: { decisionNo: '虚市监异列〔2020〕12号', cause: 'annulled', ...decided },
    [SUBMITTED_TYPES.noticeDisposed]: {
      noticeId: `${platform}.0`,
      decision: 'closed',
      shops,
      ...decided,
      openOrders: 'kept',
    },
  };
}

const REGULATOR_TYPES = new Set<string>([
  SUBMITTED_TYPES.registryListed,
  SUBMITTED_TYPES.registryRemoved,
  SUBMITTED_TYPES.listingEnded,
]);

/** One valid event of every type, each with who sends it; decided shortly before `now`. */
export function examples(now: Date, options: Partial<ExampleOptions> = {}): Record<SubmittedType, Example> {
  const all = { ...DEFAULTS, ...options };
  const entries = Object.entries(payloads(now, all)).map(([type, data]) => {
    const role = REGULATOR_TYPES.has(type) ? 'regulator' : 'platform';
    const memberId = all[role];
    const id = `${all.run}-${type.replace(/^liandun\.(.*)\.v\d+$/, '$1')}`;
    const source = memberSource(memberId);
    const event = { specversion: '1.0', id, source, type, time: toBeijingTime(now), data } as unknown as Submission;
    return [type, { role, memberId, event }] as const;
  });
  return Object.fromEntries(entries) as Record<SubmittedType, Example>;
}
