import { readFileSync } from 'node:fs';
import { LiandunClient } from '@liandun/sdk';

const { LIANDUN_URL = '', PLATFORM_A_KEY = '' } = process.env;
const key = JSON.parse(readFileSync(PLATFORM_A_KEY, 'utf8'));
const ledger = new LiandunClient({ url: LIANDUN_URL, memberId: 'platform-a', key });

const now = new Date().toISOString();
const receipt = await ledger.delistMerchant({
  merchantId: 'm-42',
  identity: { kind: 'organization', name: '虚构市云上日用品有限公司', uscc: '91990101000000422P' },
  shops: [{ shopId: 's-42', name: '云上日用品', url: 'https://platform-a.example/s-42' }],
  reason: { code: 'F04' }, // price gouging in a declared emergency
  emergency: { name: '示例应急响应', from: '2020-01-24', to: '2020-04-30' },
  proof: {
    standard: 'platformFinding',
    evidence: [{ sha256: 'ab'.repeat(32), mediaType: 'image/png', capturedAt: now }],
  },
  attestation: { grounds: true, evidence: true, code: true, terminated: true },
  decidedAt: now,
  decidedBy: 'reviewer-7',
  appealUrl: 'https://platform-a.example/appeal',
  terminatedAt: now,
});
console.log(receipt); // { id, status: 'accepted', position, leafHash }
