// One valid submission for each reason code and kind that it allows, for the tables of the rules. Not part of the index.
import { memberSource, SUBMITTED_TYPES } from '../event-types.js';
import type { Identity, ProofStandard } from '../payloads.events.js';
import { reasonCodes, type ReasonCode, type ReasonKind } from '../reason-codes.js';
import { toBeijingTime } from '../time.js';
import { exampleCase, exampleOrganization, examplePerson, exampleShop, type Example } from './examples.js';

export interface CodeExample extends Example {
  reason: ReasonCode;
  kind: ReasonKind;
  event: Example['event'] & { data: Record<string, any> };
}

/** Codes that may be shared at all (rule P05). */
export const shareableCodes = (): ReasonCode[] =>
  [...reasonCodes().codes.values()].filter(({ area }) => area !== 'platformRules');

const identityOf = (kind: ReasonKind, serial: number): Identity => {
  if (kind === 'organization') return exampleOrganization(serial);
  if (kind === 'soleProprietor') return { ...exampleOrganization(serial), kind, name: '虚构市样例小店' };
  return examplePerson(serial % 1000);
};

/** `code` on a subject of `kind`, on the weakest proof that it accepts unless told; sent by who may send it. */
export function codeExample(
  reason: ReasonCode,
  kind: ReasonKind,
  { now, serial = 1, standard = reason.proofFloor }: { now: Date; serial?: number; standard?: ProofStandard },
): CodeExample {
  const { expiresAt: _, ...listed } = exampleCase(now);
  const claimants = reason.area === 'claimants';
  const role = claimants ? 'regulator' : 'platform';
  const memberId = claimants ? 'regulator-beijing' : 'platform-a';
  const id = `${reason.code}-${kind}-${serial}`;
  const more = {
    reason: { code: reason.code },
    proof: { ...listed.proof, standard },
    ...(reason.emergency && { emergency: { name: '虚构疫情', from: '2020-01-24', to: '2020-04-30' } }),
    ...(reason.code === 'B06' && { itemRule: '国家勋章和国家荣誉称号法 第15条' }),
    identity: identityOf(kind, serial),
  };
  const risk = claimants || kind === 'streamer';
  const about = risk
    ? {
        subject: claimants ? 'professionalClaimant' : 'streamer',
        accounts: [{ platform: '虚构直播', accountId: `live-${serial}`, role: 'streamer' }],
      }
    : { merchantId: `m-${id}`, shops: [exampleShop(id)], terminatedAt: listed.decidedAt };
  const type = risk ? SUBMITTED_TYPES.riskEntityReported : SUBMITTED_TYPES.merchantDelisted;
  const data = { ...listed, ...more, ...about };
  const event = { specversion: '1.0', id, source: memberSource(memberId), type, time: toBeijingTime(now), data };
  return { reason, kind, role, memberId, event: event as unknown as CodeExample['event'] };
}

/** Every shareable code on every kind that it allows. */
export const codeExamples = (now: Date): CodeExample[] =>
  shareableCodes().flatMap((reason, row) =>
    reason.subjectKinds.map((kind, column) => codeExample(reason, kind, { now, serial: 1 + row * 4 + column })),
  );
