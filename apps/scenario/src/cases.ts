import { createHash } from 'node:crypto';
import type { MerchantDelisted } from '@liandun/contracts';
import type { SharedRecord } from './cast.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();

/** The delisting of one record: F04 and C06 in a declared emergency, E01 after a hearing that was held. */
export function delistingOf({ reason, own }: SharedRecord, nowMs: number): MerchantDelisted {
  const { merchantId, identity, shops, platform } = own;
  const decidedAt = iso(nowMs - 60_000);
  const inEmergency = reason !== 'E01';
  return {
    merchantId,
    identity,
    shops,
    reason: { code: reason },
    proof: {
      standard: 'platformFinding',
      evidence: [
        {
          sha256: createHash('sha256').update(`evidence of ${merchantId}`).digest('hex'),
          mediaType: 'image/png',
          capturedAt: iso(nowMs - DAY_MS),
        },
      ],
    },
    attestation: { grounds: true, evidence: true, code: true, terminated: true },
    decidedAt,
    decidedBy: 'reviewer-07',
    appealUrl: `https://${platform}.example/appeals`,
    terminatedAt: iso(nowMs - 30_000),
    ...(inEmergency
      ? {
          emergency: {
            name: '示例突发公共卫生事件一级响应',
            from: iso(nowMs - 10 * DAY_MS),
            to: iso(nowMs + 20 * DAY_MS),
          },
        }
      : { hearing: { notifiedAt: iso(nowMs - 20 * DAY_MS), endedAt: iso(nowMs - HOUR_MS), answer: 'none' as const } }),
  };
}
